//! Who may have issued a credential: not everybody of a role, but whom the list lets issue that type, in its own name.
#![allow(
    clippy::unwrap_used,
    missing_docs,
    reason = "test code: a wrong fixture is to fail loudly"
)]

mod support;

use serde_json::json;
use std::collections::BTreeSet;
use support::*;
use yufu_base::Signer as _;
use yufu_fixtures::party_naming;
use yufu_jose::ChainError;
use yufu_trust::{Localized, Role, TrustEntry, TrustError, TrustList};

const PENSIONS: &str = "https://city.example/agencies/pensions";
const SCHOOLS: &str = "https://city.example/agencies/schools";

/// Two agencies at one origin, each with its own authority and its own types.
fn agencies() -> (Party, Party, TrustList) {
    let (pensions, schools) = (party_naming(&[PENSIONS]), party_naming(&[SCHOOLS]));
    let agency = |url: &str, party: &Party, kind: &str| {
        let anchors = std::slice::from_ref(&party.anchor);
        let entry =
            TrustEntry::new(Localized::new("en", "Agency"), Role::AgencyIssuer, url, anchors);
        entry.issuing([kind.to_owned(), format!("{kind}.mdoc")])
    };
    let trust = list(vec![
        agency(PENSIONS, &pensions, "urn:pensioner"),
        agency(SCHOOLS, &schools, "urn:student"),
    ]);
    (pensions, schools, trust)
}

#[test]
fn one_agency_does_not_issue_what_another_of_its_role_does() {
    let (pensions, schools, trust) = agencies();
    let signed = |by: &Party| trust.identify(Role::AgencyIssuer, &by.chain, now()).unwrap();
    for kind in ["urn:student", "urn:student.mdoc"] {
        assert_eq!(signed(&schools).check_issued(kind, Some(SCHOOLS)), Ok(()));
        assert_eq!(signed(&schools).check_issued(kind, None), Ok(()));
        let refused = signed(&pensions).check_issued(kind, Some(PENSIONS));
        let (party, kind) = (PENSIONS.to_owned(), kind.to_owned());
        assert_eq!(refused, Err(TrustError::Type { party, kind }));
    }
}

#[test]
fn an_issuer_signs_in_no_name_but_its_own_at_one_origin_or_another() {
    let (pensions, _, trust) = agencies();
    let signed = trust.identify(Role::AgencyIssuer, &pensions.chain, now()).unwrap();
    let named = |name: &str| signed.check_issued("urn:pensioner", Some(name));
    assert_eq!(named(PENSIONS), Ok(()));
    assert_eq!(named("https://city.example/agencies/pensions/haip"), Ok(()));
    for other in [
        SCHOOLS,
        "https://city.example",
        "https://city.example/agencies/pensions-2",
        "https://city.example/agencies/pensions/../schools",
        "https://other.example/agencies/pensions",
    ] {
        let (party, named_as) = (PENSIONS.to_owned(), other.to_owned());
        assert_eq!(named(other), Err(TrustError::Name { party, named: named_as }), "{other}");
    }
}

#[test]
fn a_certificate_that_names_another_issuer_than_the_list_counts_for_neither() {
    let (_, _, mut trust) = agencies();
    // The pension agency's authority certified a signer in the name of the schools.
    let odd = party_naming(&[SCHOOLS]);
    let anchors = std::slice::from_ref(&odd.anchor);
    let name = Localized::new("en", "Agency");
    let entry = TrustEntry::new(name, Role::AgencyIssuer, PENSIONS, anchors);
    trust.entries = vec![entry.issuing(["urn:pensioner"])];
    let signed = trust.identify(Role::AgencyIssuer, &odd.chain, now()).unwrap();
    let refused = Err(TrustError::Name { party: PENSIONS.into(), named: SCHOOLS.into() });
    assert_eq!(signed.check_issued("urn:pensioner", Some(PENSIONS)), refused);
    assert_eq!(signed.check_issued("urn:pensioner", None), refused, "an mdoc names nobody else");
    assert_eq!(signed.check_issued("urn:pensioner", Some(SCHOOLS)), refused);
}

#[test]
fn an_entry_that_names_no_types_issues_nothing_and_the_list_carries_those_it_names() {
    let (schools, bare) = (party(), party());
    let silent = entry(Role::AgencyIssuer, &bare);
    let named = entry(Role::PidIssuer, &schools).issuing(["urn:pid"]);
    let trust = list(vec![silent, named]);
    let signed = trust.identify(Role::AgencyIssuer, &bare.chain, now()).unwrap();
    assert!(matches!(signed.check_issued("urn:pid", None), Err(TrustError::Type { .. })));
    let json = serde_json::to_value(&trust).unwrap();
    assert!(json["entries"][0].get("issues").is_none());
    assert_eq!(json["entries"][1]["issues"], json!(["urn:pid"]));
    let signed = trust.sign(&operator()).unwrap();
    let read = TrustList::verify(&signed, &operator().public_key(), now(), None);
    assert_eq!(read.as_ref(), Ok(&trust));
    // Another country takes over for what they are listed there, and for nothing else.
    let taken = trust.taken_over("XP", &BTreeSet::from([Role::PidIssuer]));
    assert_eq!(taken[0].issues, ["urn:pid"]);
}

#[test]
fn a_chain_that_carries_the_listed_authority_is_nobodys() {
    let (pensions, _, trust) = agencies();
    let carried = trust.identify(Role::AgencyIssuer, &pensions.carrying_anchor().chain, now());
    let (role, reason) = (Role::AgencyIssuer, ChainError::CarriesAnchor(1));
    // Whichever of the parties of the role comes last on the list.
    assert_eq!(carried, Err(TrustError::Chain { role, reason }));
}
