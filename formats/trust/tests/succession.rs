//! One key of a trust list follows another: by the word of the one before, from a stated time on, and not otherwise.
#![allow(
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    missing_docs,
    reason = "test code: a wrong fixture is to fail loudly"
)]

mod support;

use support::*;
use yufu_base::{Signer as _, Timestamp};
use yufu_jose::{JwsError, SoftwareKey};
use yufu_trust::{Succession, TrustList, TrustListError, TrustPin};

const OPERATOR: &str = "https://trust.example";

fn key(seed: u8) -> SoftwareKey {
    SoftwareKey::from_seed(&[seed; 32]).unwrap()
}

/// The word of `by` that `next` follows it from `from` on.
fn word(by: &SoftwareKey, next: &SoftwareKey, from: Timestamp) -> String {
    let jwk = next.public_key().into();
    Succession { iss: OPERATOR.into(), jwk, iat: now(), from }.sign(by).unwrap()
}

/// A list of `at`, signed by a key, that carries these words.
fn signed(by: &SoftwareKey, words: &[String], at: Timestamp) -> String {
    let list = TrustList {
        issued_at: at,
        sequence: at.seconds(),
        expires_at: at.plus_seconds(DAY),
        ..list(Vec::new())
    };
    list.sign_after(by, words).unwrap()
}

fn later() -> Timestamp {
    now().plus_seconds(600)
}

#[test]
fn whoever_has_any_former_key_gets_to_the_one_in_use_by_the_words_between() {
    let (first, second, third) = (key(1), key(2), key(3));
    let words = [word(&first, &second, now()), word(&second, &third, later())];
    let text = signed(&third, &words, later());
    for given in [&first, &second, &third] {
        let pin = TrustPin::given(given.public_key());
        let (_, pin) = TrustList::verify_by(&text, &pin, later(), None).unwrap();
        assert_eq!(pin, TrustPin::given(third.public_key()), "the former ones are forgotten");
        assert!(TrustList::verify(&text, &given.public_key(), later(), None).is_ok());
    }
}

#[test]
fn a_key_that_is_announced_signs_nothing_before_its_time_and_the_former_nothing_after() {
    let (first, second) = (key(1), key(2));
    let words = [word(&first, &second, later())];
    let pin = TrustPin::given(first.public_key());
    let early = signed(&second, &words, now());
    let refused = TrustList::verify_by(&early, &pin, now(), None);
    assert_eq!(refused, Err(TrustListError::Token(JwsError::Signature)));
    let (_, told) =
        TrustList::verify_by(&signed(&first, &words, now()), &pin, now(), None).unwrap();
    assert_eq!(told.next.as_ref().unwrap().key.key, second.public_key());

    // A list of after that by the former key, with the word and without.
    let late = TrustList::verify_by(&signed(&first, &words, later()), &pin, later(), None);
    assert_eq!(late, Err(TrustListError::Token(JwsError::Signature)));
    let silent = signed(&first, &[], later());
    let refused = TrustList::verify_by(&silent, &told, later(), None);
    assert_eq!(refused, Err(TrustListError::FormerKey { from: later().seconds() }));
    // What was announced is not forgotten because a later list does not say it.
    let between = now().plus_seconds(60);
    let (_, still) =
        TrustList::verify_by(&signed(&first, &[], between), &told, between, None).unwrap();
    assert_eq!(still, told);
}

#[test]
fn whoever_moved_on_takes_no_list_of_the_former_key() {
    let (first, second) = (key(1), key(2));
    let text = signed(&second, &[word(&first, &second, now())], now());
    let (_, pin) =
        TrustList::verify_by(&text, &TrustPin::given(first.public_key()), now(), None).unwrap();
    for old in
        [signed(&first, &[], now()), signed(&first, &[word(&first, &second, later())], now())]
    {
        let refused = TrustList::verify_by(&old, &pin, now(), None);
        assert_eq!(refused, Err(TrustListError::Token(JwsError::Signature)));
    }
}

#[test]
fn another_follower_than_the_one_announced_is_refused() {
    let (first, second, other) = (key(1), key(2), key(9));
    let pin = TrustPin::given(first.public_key());
    let announced = signed(&first, &[word(&first, &second, later())], now());
    let (_, told) = TrustList::verify_by(&announced, &pin, now(), None).unwrap();
    let stolen = signed(&other, &[word(&first, &other, now())], now());
    let refused = TrustList::verify_by(&stolen, &told, now(), None);
    assert_eq!(refused, Err(TrustListError::OtherSuccessor));
}

#[test]
fn a_word_by_another_key_or_of_another_operator_leads_nowhere() {
    let (first, second, other) = (key(1), key(2), key(9));
    let pin = TrustPin::given(first.public_key());
    let foreign = Succession {
        iss: "https://other.example".into(),
        jwk: second.public_key().into(),
        iat: now(),
        from: now(),
    };
    for words in [word(&other, &second, now()), foreign.sign(&first).unwrap(), "x".to_owned()] {
        let refused = TrustList::verify_by(&signed(&second, &[words], now()), &pin, now(), None);
        assert_eq!(refused, Err(TrustListError::Token(JwsError::Signature)));
    }
}

#[test]
fn a_list_held_back_or_expired_is_refused_across_a_change_of_keys() {
    let (first, second) = (key(1), key(2));
    let pin = TrustPin::given(first.public_key());
    let text = signed(&second, &[word(&first, &second, now())], now());
    let held_back = TrustList::verify_by(&text, &pin, now(), Some(now().seconds() + 1));
    assert!(matches!(held_back, Err(TrustListError::RolledBack { .. })));
    let after = now().plus_seconds(2 * DAY);
    let expired = TrustList::verify_by(&text, &pin, after, None);
    assert!(matches!(expired, Err(TrustListError::Time(_))));
}
