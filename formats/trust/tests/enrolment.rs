//! Each rule of an enrolment refuses by its own name.
#![allow(clippy::unwrap_used, reason = "test code: a wrong fixture is to fail loudly")]

use yufu_base::{Signer, Timestamp};
use yufu_jose::{Header, Jwk, SoftwareKey, sign};
use yufu_trust::{ENROLMENT, EnrolledKey, Enrolment, EnrolmentError};

const NOW: Timestamp = Timestamp::from_seconds(1_764_000_000);
const HERE: &str = "registrar";

fn key(seed: u8) -> SoftwareKey {
    SoftwareKey::from_seed(&[seed; 32]).unwrap()
}

fn print(key: &SoftwareKey) -> String {
    Jwk::from(key.public_key()).thumbprint_base64url()
}

fn enrolment() -> Enrolment {
    let access = key(2);
    Enrolment {
        iss: "bank-of-jiangcheng".to_owned(),
        aud: HERE.to_owned(),
        url: "https://bank.example".to_owned(),
        iat: NOW,
        key: Some(EnrolledKey::prove(&access, ("bank-of-jiangcheng", HERE), NOW).unwrap()),
        anchors: Vec::new(),
        former: Vec::new(),
        withdrawn: Vec::new(),
    }
}

fn verify(enrolment: &Enrolment) -> Result<Enrolment, EnrolmentError> {
    Enrolment::verify(&enrolment.sign(&key(1)).unwrap(), &print(&key(1)), HERE, NOW)
}

#[test]
fn whoever_was_admitted_is_taken_up() {
    let enrolment = enrolment();
    let signed = enrolment.sign(&key(1)).unwrap();
    assert_eq!(Enrolment::unverified_issuer(&signed).unwrap(), "bank-of-jiangcheng");
    assert_eq!(Enrolment::verify(&signed, &print(&key(1)), HERE, NOW).unwrap(), enrolment);
}

#[test]
fn another_key_another_audience_another_time_are_refused() {
    let signed = enrolment().sign(&key(3)).unwrap();
    let refused = Enrolment::verify(&signed, &print(&key(1)), HERE, NOW).unwrap_err();
    assert_eq!(refused, EnrolmentError::Fingerprint { found: print(&key(3)) });

    let elsewhere = Enrolment { aud: "central-bank".to_owned(), ..enrolment() };
    assert_eq!(verify(&elsewhere), Err(EnrolmentError::Audience("central-bank".to_owned())));

    for (at, good) in [(360, true), (361, false)] {
        let (old, new) = (NOW.minus_seconds(at), NOW.plus_seconds(at));
        for iat in [old, new] {
            let one = Enrolment { iat, key: None, ..enrolment() };
            assert_eq!(verify(&one).is_ok(), good, "{at} s");
        }
    }
}

#[test]
fn a_signature_of_another_kind_is_no_enrolment() {
    let json = serde_json::to_vec(&enrolment()).unwrap();
    let plain = sign(&Header::typed(ENROLMENT), &json, &key(1)).unwrap();
    let refused = Enrolment::verify(&plain, &print(&key(1)), HERE, NOW).unwrap_err();
    assert_eq!(refused, EnrolmentError::NoKey);
    let header = Header::typed("dc+sd-jwt").with_jwk(key(1).public_key().into());
    let other = sign(&header, &json, &key(1)).unwrap();
    let refused = Enrolment::verify(&other, &print(&key(1)), HERE, NOW).unwrap_err();
    assert!(matches!(refused, EnrolmentError::Token(_)), "{refused}");
}

#[test]
fn an_address_without_tls_or_with_a_path_is_refused() {
    for bad in
        ["http://bank.example", "https://bank.example/", "https://a/b", "bank", "https://u@a"]
    {
        let one = Enrolment { url: bad.to_owned(), ..enrolment() };
        assert_eq!(verify(&one), Err(EnrolmentError::Address(bad.to_owned())));
    }
    let local = Enrolment { url: "http://localhost:8080".to_owned(), ..enrolment() };
    assert!(verify(&local).is_ok());
}

#[test]
fn a_key_that_whoever_enrols_does_not_hold_is_refused() {
    let mut of_another = enrolment();
    let held = of_another.key.clone().unwrap();
    of_another.key = Some(EnrolledKey { jwk: key(4).public_key().into(), ..held });
    assert_eq!(verify(&of_another), Err(EnrolmentError::KeyProof));
    // A proof from another enrolment does not serve again.
    let mut replayed = enrolment();
    let elsewhere = EnrolledKey::prove(&key(2), ("bank-of-jiangcheng", "central-bank"), NOW);
    replayed.key = Some(elsewhere.unwrap());
    assert_eq!(verify(&replayed), Err(EnrolmentError::KeyProof));
}
