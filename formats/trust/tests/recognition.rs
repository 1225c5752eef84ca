//! Recognition between lists: what is taken over, in which role, and until when.
#![allow(
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    missing_docs,
    reason = "test code: a wrong fixture is to fail loudly"
)]

mod support;

use serde_json::{Value, json};
use std::collections::BTreeSet;
use support::*;
use yufu_base::Signer as _;
use yufu_jose::Header;
use yufu_trust::{
    RecognisedList, Role, TRUST_LIST, TrustEntry, TrustError, TrustList, TrustListError,
};

fn pid_only() -> BTreeSet<Role> {
    BTreeSet::from([Role::PidIssuer])
}

#[test]
fn who_issues_identities_is_taken_over_in_a_role_of_its_own_and_nobody_else() {
    let (authority, bank, access) = (party(), party(), party());
    let theirs = list(vec![
        entry(Role::PidIssuer, &authority),
        entry(Role::BankIssuer, &bank),
        entry(Role::AccessCa, &access),
    ]);
    let taken = theirs.taken_over("XP", &pid_only());
    let roles: Vec<(Role, Option<&str>)> = taken.iter().map(|e| (e.role, e.country())).collect();
    assert_eq!(roles, [(Role::ForeignPidIssuer, Some("XP"))]);
    let ours = list(taken);
    assert!(ours.identify(Role::ForeignPidIssuer, &authority.chain, now()).is_ok());
    for (role, chain) in [
        (Role::PidIssuer, &authority.chain),
        (Role::BankIssuer, &bank.chain),
        (Role::AccessCa, &access.chain),
    ] {
        assert_eq!(ours.identify(role, chain, now()), Err(TrustError::Nobody(role)));
    }
    // More only if it is stated.
    let more = theirs.taken_over("XP", &[Role::PidIssuer, Role::BankIssuer].into());
    let roles: Vec<Role> = more.iter().map(|e| e.role).collect();
    assert_eq!(roles, [Role::ForeignPidIssuer, Role::BankIssuer]);
}

#[test]
fn recognition_goes_one_step() {
    let third = party();
    let theirs = list(list(vec![entry(Role::PidIssuer, &third)]).taken_over("XQ", &pid_only()));
    let all = [Role::PidIssuer, Role::ForeignPidIssuer, Role::Other].into();
    assert!(theirs.taken_over("XP", &all).is_empty());
}

#[test]
fn what_is_taken_over_lapses_with_the_list_that_it_comes_from() {
    let authority = party();
    let mut theirs = list(vec![entry(Role::PidIssuer, &authority)]);
    theirs.expires_at = now().plus_seconds(100);
    let ours = list(theirs.taken_over("XP", &pid_only()));
    let identify = |at| ours.identify(Role::ForeignPidIssuer, &authority.chain, at);
    assert!(identify(now().plus_seconds(99)).is_ok());
    let refused = identify(now().plus_seconds(100));
    assert_eq!(refused, Err(TrustError::Nobody(Role::ForeignPidIssuer)));
    assert!(now().plus_seconds(100) < ours.expires_at, "the own list still holds");
}

#[test]
fn the_wire_form_names_the_country_and_where_the_entry_came_from() {
    let authority = party();
    let mut ours =
        list(list(vec![entry(Role::PidIssuer, &authority)]).taken_over("XP", &pid_only()));
    ours.recognised = vec![RecognisedList {
        country: "XP".into(),
        url: "https://trust.example/v1/list".into(),
        key: operator().public_key().into(),
    }];
    let json = serde_json::to_value(&ours).unwrap();
    let taken = &json["entries"][0];
    assert_eq!(taken["role"], "foreign_pid_issuer");
    let origin = json!({
        "country": "XP",
        "operator": "https://trust.example",
        "exp": now().seconds() + DAY,
    });
    assert_eq!(taken["origin"], origin);
    assert_eq!(json["recognised"][0]["country"], "XP");
    let jws = ours.sign(&operator()).unwrap();
    assert_eq!(TrustList::verify(&jws, &operator().public_key(), now(), None), Ok(ours.clone()));
    let bad = |l: &mut Value| l["recognised"][0]["url"] = json!("next door");
    let jws = forge(Header::typed(TRUST_LIST), &ours, &operator(), bad);
    let refused = TrustList::verify(&jws, &operator().public_key(), now(), None);
    assert_eq!(refused, Err(TrustListError::Recognised("XP".into())));
    // A list that recognises nobody is written as before.
    let plain = serde_json::to_value(list(vec![entry(Role::PidIssuer, &authority)])).unwrap();
    assert!(plain.get("recognised").is_none() && plain["entries"][0].get("origin").is_none());
}

#[test]
fn signers_of_one_country_are_not_those_of_another_at_the_same_address() {
    let (plain, other) = (party(), party());
    let mut entries = list(vec![entry(Role::PidIssuer, &plain)]).taken_over("XP", &pid_only());
    entries.extend(list(vec![entry(Role::PidIssuer, &other)]).taken_over("XQ", &pid_only()));
    let ours = list(entries);
    let like = |at: usize| -> &TrustEntry { ours.entries.get(at).unwrap() };
    assert!(ours.identify_as(like(0), &plain.chain, now()).is_ok());
    assert!(ours.identify_as(like(0), &other.chain, now()).is_err());
    assert!(ours.identify_as(like(1), &other.chain, now()).is_ok());
}
