//! The wrong issuer, where it has the right role: a neighbour at the same origin signs, or signs in another's name, or
//! signs another's status list. In both formats.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    missing_docs,
    reason = "test code: a wrong fixture is to fail loudly"
)]

mod support;

use serde_json::json;
use std::collections::BTreeMap;
use support::*;
use yufu_credential::StatusReference;
use yufu_fixtures::party_naming;
use yufu_jose::{ChainError, ClaimPath};
use yufu_openid4vc::dcql::{CredentialQuery, DcqlQuery};
use yufu_openid4vc::presentation::RequestObject;
use yufu_trust::{Localized, RegisteredMeta, Role, StatusListError, TrustEntry, TrustError};
use yufu_verifier::{
    Authenticated, Question, StatusError, StatusLists, Verified, Verifier, VerifyError,
};

const STUDENT: &str = "urn:yufu:student:1";
const PENSIONER: &str = "urn:yufu:pensioner:1";
const SCHOOLS: &str = "https://city.example/agencies/schools";
const PENSIONS: &str = "https://city.example/agencies/pensions";
const LIST: &str = "https://city.example/agencies/schools/status/1";

/// A world with two agencies at one origin, and a party that asks for students.
struct Town {
    world: World,
    schools: Party,
    pensions: Party,
}

impl Town {
    fn new() -> Self {
        let mut world = World::new();
        let (schools, pensions) = (party_naming(&[SCHOOLS]), party_naming(&[PENSIONS]));
        for (url, party, kind) in [(SCHOOLS, &schools, STUDENT), (PENSIONS, &pensions, PENSIONER)] {
            let anchors = std::slice::from_ref(&party.anchor);
            let name = Localized::new("en", url);
            let entry = TrustEntry::new(name, Role::AgencyIssuer, url, anchors);
            world.trust.entries.push(entry.issuing([kind]));
        }
        Self { world, schools, pensions }
    }

    fn verifier(&self) -> Verifier {
        let mut certificate = self.world.certificate();
        certificate.credentials[0].meta = RegisteredMeta::sd_jwt_vc(vec![STUDENT.into()]);
        let registration = self.world.registration(&certificate);
        let base = yufu_openid4vc::Endpoint::parse("https://hotel.example/ask").unwrap();
        let chain = self.world.access.chain.clone();
        Verifier::new(chain, base, registration, &self.world.trust, NOW).unwrap()
    }

    /// What the party makes of a student's credential that `issuer` signed in the name of `name`.
    fn show(&self, issuer: &Party, name: &str) -> Result<Authenticated, VerifyError> {
        let query = CredentialQuery::sd_jwt_vc("id", STUDENT, &[ClaimPath::member("family_name")]);
        let query = DcqlQuery::new(vec![query], None).unwrap();
        let roles = BTreeMap::from([("id".to_owned(), Role::AgencyIssuer)]);
        let question = Question { query, roles, ..question() };
        let (mut session, _) = self.verifier().start(question, &entropy(), NOW, 300).unwrap();
        let jws = session.request_object(None, NOW, &self.world.access.key).unwrap();
        let token = yufu_jose::Unverified::parse(&jws).unwrap();
        let request = RequestObject::from_json(token.unverified_payload()).unwrap();
        let mut show = Show { issuer, ..Show::honest(&self.world, &request) };
        show.issuance.vct = STUDENT.into();
        show.issuance.issuer = name.into();
        show.issuance.status = Some(StatusReference { uri: LIST.into(), index: 7 });
        let answer = json!({"vp_token": {"id": [show.present()]}, "state": request.state});
        let received = session.open(&form(&request, &answer, None), NOW).unwrap();
        received.authenticate(&self.world.trust, NOW)
    }

    fn refused(&self, issuer: &Party, name: &str) -> TrustError {
        match self.show(issuer, name).unwrap_err() {
            VerifyError::Issuer { error, .. } => error,
            other => unreachable!("{other}"),
        }
    }

    fn with_list_of(&self, signer: &Party) -> Result<Verified, StatusError> {
        let list = self.world.status_list_at(LIST, signer, NOW.plus_seconds(DAY), &[]);
        let lists = BTreeMap::from([(LIST.to_owned(), list)]);
        self.show(&self.schools, SCHOOLS).unwrap().verify(&self.world.trust, &lists, NOW)
    }
}

#[test]
fn what_the_right_agency_signed_in_its_name_is_taken() {
    let town = Town::new();
    let verified = town.with_list_of(&town.schools).unwrap();
    assert_eq!(verified.credentials["id"][0].issuer.identifier, SCHOOLS);
    assert!(town.show(&town.schools, &format!("{SCHOOLS}/haip")).is_ok());
}

#[test]
fn another_agencys_key_signs_no_student_whatever_name_it_writes() {
    let town = Town::new();
    for name in [PENSIONS, SCHOOLS] {
        let (party, kind) = (PENSIONS.to_owned(), STUDENT.to_owned());
        assert_eq!(town.refused(&town.pensions, name), TrustError::Type { party, kind });
    }
    // Nor does the right agency in the name of a neighbour: their addresses share an origin.
    for named in [PENSIONS, "https://city.example"] {
        let (party, name) = (SCHOOLS.to_owned(), named.to_owned());
        let refused = town.refused(&town.schools, named);
        assert_eq!(refused, TrustError::Name { party, named: name });
    }
}

#[test]
fn of_two_banks_that_issue_the_same_neither_signs_in_the_others_name() {
    let (a, b) = ("https://city.example/banks/a", "https://city.example/banks/b");
    let mut town = Town::new();
    let (bank_a, bank_b) = (party_naming(&[a]), party_naming(&[b]));
    town.world.trust.entries.retain(|entry| entry.role != Role::AgencyIssuer);
    for (url, party) in [(a, &bank_a), (b, &bank_b)] {
        let (name, anchors) = (Localized::new("en", url), std::slice::from_ref(&party.anchor));
        let entry = TrustEntry::new(name, Role::AgencyIssuer, url, anchors);
        town.world.trust.entries.push(entry.issuing([STUDENT]));
    }
    assert!(town.show(&bank_a, a).is_ok() && town.show(&bank_b, b).is_ok());
    for (party, own, other) in [(&bank_a, a, b), (&bank_b, b, a)] {
        let (by, named) = (own.to_owned(), other.to_owned());
        assert_eq!(town.refused(party, other), TrustError::Name { party: by, named });
    }
}

#[test]
fn a_status_list_signed_by_anybody_but_the_credentials_issuer_is_refused() {
    let town = Town::new();
    for signer in [&town.pensions, &town.world.authority, &town.world.bank] {
        let refused = town.with_list_of(signer).unwrap_err();
        let StatusError::List { error, .. } = refused else { unreachable!("{refused}") };
        assert!(matches!(*error, StatusListError::Signer(TrustError::Chain { .. })), "{error}");
    }
    // Nor does a list that was verified for one party serve another's credentials at the same address.
    let mut lists = StatusLists::default();
    let list = town.world.status_list_at(LIST, &town.schools, NOW.plus_seconds(DAY), &[]);
    let answer = town.show(&town.schools, SCHOOLS).unwrap();
    let entry = |url: &str| {
        let mut all = town.world.trust.entries.iter();
        all.find(|entry| entry.identifier == url).unwrap()
    };
    let (_, issuer) = answer.lists().next().unwrap();
    lists.take((LIST, issuer), &list, &town.world.trust, NOW).unwrap();
    assert!(lists.get(LIST, entry(SCHOOLS), NOW).is_some());
    assert!(lists.get(LIST, entry(PENSIONS), NOW).is_none());
}

#[test]
fn credentials_and_status_lists_whose_chain_carries_the_authority_are_refused_haip_1_0() {
    let town = Town::new();
    let carrying = town.schools.carrying_anchor();
    let reason = ChainError::CarriesAnchor(1);
    let wanted = TrustError::Chain { role: Role::AgencyIssuer, reason };
    assert_eq!(town.refused(&carrying, SCHOOLS), wanted);
    let refused = town.with_list_of(&carrying).unwrap_err();
    let StatusError::List { error, .. } = refused else { unreachable!("{refused}") };
    assert_eq!(*error, StatusListError::Signer(wanted));
}
