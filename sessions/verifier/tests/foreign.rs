//! Other countries' identity credentials: accepted where the question says so, from an issuer of that
//! country alone, whose own status list is asked.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "test code: a wrong fixture is to fail loudly"
)]

mod support;

use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use support::*;
use yufu_credential::StatusReference;
use yufu_jose::ClaimPath;
use yufu_openid4vc::dcql::{CredentialQuery, DcqlQuery};
use yufu_trust::{Localized, RegisteredMeta, Role, TrustEntry, TrustError, TrustList};
use yufu_verifier::{Question, StatusError, Verified, Verifier, VerifyError};

const FOREIGN: &str = "urn:yufu:card:xp:1";
const THERE: &str = "https://register.example";
const STATUS_THERE: &str = "https://register.example/status/1";

/// A world that recognises two other countries, XP and XQ, and a relying party that may ask for XP's
/// credential.
struct Abroad {
    world: World,
    plain: Party,
    other: Party,
}

impl Abroad {
    fn new() -> Self {
        let (mut world, plain, other) = (World::new(), party(), party());
        let issuer = |url: &str, of: &Party| {
            let anchors = std::slice::from_ref(&of.anchor);
            let name = Localized::new("en", url);
            TrustEntry::new(name, Role::PidIssuer, url, anchors).issuing([PID, FOREIGN])
        };
        let roles = BTreeSet::from([Role::PidIssuer]);
        for (country, url, of) in
            [("XP", THERE, &plain), ("XQ", "https://elsewhere.example", &other)]
        {
            let theirs = TrustList { entries: vec![issuer(url, of)], ..world.trust.clone() };
            world.trust.entries.extend(theirs.taken_over(country, &roles));
        }
        Self { world, plain, other }
    }

    fn verifier(&self) -> Verifier {
        let mut certificate = self.world.certificate();
        certificate.credentials[0].meta =
            RegisteredMeta::sd_jwt_vc(vec![PID.into(), FOREIGN.into()]);
        let registration = self.world.registration(&certificate);
        let base = yufu_openid4vc::Endpoint::parse("https://hotel.example/ask").unwrap();
        let chain = self.world.access.chain.clone();
        Verifier::new(chain, base, registration, &self.world.trust, NOW).unwrap()
    }

    /// Asks, shows one credential as `change` has it, and verifies it with the status list signed by
    /// `status`.
    fn show(
        &self,
        foreign: bool,
        card: Option<Card<'_>>,
        status: (&str, &Party),
    ) -> Result<Verified, String> {
        let types = [PID, FOREIGN].map(str::to_owned);
        let types = if foreign { &types[..] } else { &types[..1] };
        let query = CredentialQuery::sd_jwt_vc_of("id", types, &[ClaimPath::member("family_name")]);
        let question = Question {
            query: DcqlQuery::new(vec![query], None).unwrap(),
            foreign: if foreign {
                BTreeMap::from([(FOREIGN.to_owned(), "XP".to_owned())])
            } else {
                BTreeMap::new()
            },
            ..question()
        };
        let (mut session, _) = self.verifier().start(question, &entropy(), NOW, 300).unwrap();
        let jws = session.request_object(None, NOW, &self.world.access.key).unwrap();
        let token = yufu_jose::Unverified::parse(&jws).unwrap();
        let request =
            yufu_openid4vc::presentation::RequestObject::from_json(token.unverified_payload());
        let request = request.unwrap();
        let mut show = Show::honest(&self.world, &request);
        if let Some(card) = card {
            show.issuer = card.issuer;
            show.issuance.vct = card.vct.into();
            show.issuance.issuer = card.url.into();
            show.issuance.status = Some(StatusReference { uri: card.status.into(), index: 7 });
        }
        let answer = json!({"vp_token": {"id": [show.present()]}, "state": request.state});
        let received = session.open(&form(&request, &answer, None), NOW).unwrap();
        let authenticated = received.authenticate(&self.world.trust, NOW).map_err(name)?;
        let list = self.world.status_list_at(status.0, status.1, NOW.plus_seconds(DAY), &[]);
        let lists = BTreeMap::from([(status.0.to_owned(), list)]);
        authenticated.verify(&self.world.trust, &lists, NOW).map_err(|error| match error {
            StatusError::List { .. } => "status list".to_owned(),
            other => format!("{other:?}"),
        })
    }
}

fn name(error: VerifyError) -> String {
    match error {
        VerifyError::Issuer { error: TrustError::Chain { .. }, .. } => "issuer".to_owned(),
        VerifyError::IssuerCountry { vct, country, .. } => format!("{vct} by {country}"),
        VerifyError::StatusElsewhere { uri, .. } => format!("status at {uri}"),
        other => format!("{other:?}"),
    }
}

/// A credential of the type `vct` by `issuer` at `url`, whose status stands at `status`.
#[derive(Clone, Copy)]
struct Card<'a> {
    issuer: &'a Party,
    vct: &'a str,
    url: &'a str,
    status: &'a str,
}

fn card<'a>(issuer: &'a Party, vct: &'a str, url: &'a str, status: &'a str) -> Option<Card<'a>> {
    Some(Card { issuer, vct, url, status })
}

#[test]
fn a_recognised_countrys_card_is_accepted_where_it_is_asked_for() {
    let abroad = Abroad::new();
    let status = (STATUS_THERE, &abroad.plain);
    let theirs = card(&abroad.plain, FOREIGN, THERE, STATUS_THERE);
    let verified = abroad.show(true, theirs, status).unwrap();
    let shown = &verified.credentials["id"][0];
    assert_eq!(shown.issuer.country(), Some("XP"));
    assert_eq!(shown.claims["family_name"], json!("李"));
    // The country's own card still is, and where only that is asked for, the other one is not.
    let own = (STATUS, &abroad.world.authority);
    assert!(abroad.show(true, None, own).is_ok());
    assert!(abroad.show(false, None, own).is_ok());
    assert_eq!(abroad.show(false, theirs, status).unwrap_err(), "issuer");
}

#[test]
fn no_country_issues_anothers_identities() {
    let abroad = Abroad::new();
    let (plain, other, own) = (&abroad.plain, &abroad.other, &abroad.world.authority);
    let here = "https://id.example";
    let rows = [
        // Plain's authority makes somebody a resident of this country.
        (card(plain, PID, THERE, STATUS_THERE), format!("{PID} by XP")),
        // The own authority makes somebody a resident of Plain.
        (card(own, FOREIGN, here, STATUS), format!("{FOREIGN} by this country")),
        // A third country's does.
        (
            card(other, FOREIGN, "https://elsewhere.example", "https://elsewhere.example/s"),
            format!("{FOREIGN} by XQ"),
        ),
        // Plain's sends elsewhere for the status.
        (card(plain, FOREIGN, THERE, STATUS), format!("status at {STATUS}")),
    ];
    for (change, wanted) in rows {
        assert_eq!(abroad.show(true, change, (STATUS, own)).unwrap_err(), wanted);
    }
}

#[test]
fn a_countrys_status_list_is_signed_there() {
    let abroad = Abroad::new();
    let theirs = card(&abroad.plain, FOREIGN, THERE, STATUS_THERE);
    for signer in [&abroad.other, &abroad.world.authority] {
        let refused = abroad.show(true, theirs, (STATUS_THERE, signer)).unwrap_err();
        assert_eq!(refused, "status list");
    }
}
