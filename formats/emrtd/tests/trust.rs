//! Whom a card's data are believed from, and each way in which they are not.

#![expect(clippy::unwrap_used, reason = "a test")]

use std::collections::BTreeMap;
use yufu_base::Signer;
use yufu_emrtd::security_object::{self, Attested, PassiveError};
use yufu_emrtd::{
    Anchors, Authority, CertificateError, SignedDataError, SignerPurpose, TrustError, Validity, tlv,
};
use yufu_fixtures::cards::{CardCountry as Country, NOW, YEAR, name, years};
use yufu_fixtures::key;

fn again(key: &yufu_jose::SoftwareKey) -> yufu_jose::SoftwareKey {
    yufu_jose::SoftwareKey::from_pkcs8(&key.to_pkcs8().unwrap()).unwrap()
}

fn security_object(country: &Country) -> Vec<u8> {
    security_object::write(&groups(), &country.signer(), &country.document_key, NOW).unwrap()
}

fn groups() -> BTreeMap<u8, Vec<u8>> {
    [(1, b"one".to_vec()), (2, b"two".to_vec()), (14, b"fourteen".to_vec())].into()
}

#[test]
fn what_a_certified_signer_wrote_is_believed_and_nothing_that_was_changed() {
    let country = Country::new(1);
    let file = security_object(&country);
    let attested = Attested::verify(&file, &country.anchors(&[]), NOW).unwrap();
    assert_eq!(attested.groups().collect::<Vec<_>>(), [1, 2, 14]);
    assert_eq!(attested.signer().country(), Some("UT"));
    assert_eq!(attested.signer().name(), Some("DS Utopia 1"));
    for (number, file) in groups() {
        assert_eq!(attested.check(number, &file), Ok(()));
    }
    assert_eq!(attested.check(2, b"one"), Err(PassiveError::Changed(2)));
    assert_eq!(attested.check(3, b"three"), Err(PassiveError::NotSigned(3)));
}

#[test]
fn a_signer_that_is_unknown_revoked_expired_or_of_an_expired_authority_is_refused() {
    let (country, other) = (Country::new(1), Country::new(11));
    let verify = |country: &Country, signer_validity, anchors: &Anchors, at| {
        let Country { key, document_key, .. } = country;
        let (key, document_key) = (again(key), again(document_key));
        let country = Country { key, document_key, signer_validity };
        Attested::verify(&security_object(&country), anchors, at).unwrap_err()
    };
    let anchors = country.anchors(&[]);
    assert_eq!(verify(&other, years(1, 5), &anchors, NOW), PassiveError::UnknownSigner);
    let revoked = country.anchors(&[(vec![9], NOW), (vec![1], NOW.minus_seconds(60))]);
    assert_eq!(verify(&country, years(1, 5), &revoked, NOW), PassiveError::SignerRevoked);
    let expired = Validity { until: NOW.minus_seconds(1), ..years(1, 0) };
    assert_eq!(
        verify(&country, expired, &anchors, NOW),
        PassiveError::SignerTime(CertificateError::Expired)
    );
    let future = Validity { from: NOW.plus_seconds(1), ..years(0, 5) };
    assert_eq!(
        verify(&country, future, &anchors, NOW),
        PassiveError::SignerTime(CertificateError::NotYetValid)
    );
    let later = NOW.plus_seconds(13 * YEAR);
    assert_eq!(
        verify(&country, years(1, 20), &anchors, later),
        PassiveError::AuthorityTime(CertificateError::Expired)
    );
    let mut without = Anchors::read(
        &country.master_list(
            std::slice::from_ref(country.authority().certificate()),
            SignerPurpose::MasterLists,
        ),
        country.authority().certificate(),
        NOW,
    )
    .unwrap();
    assert_eq!(verify(&country, years(1, 5), &without, NOW), PassiveError::NoRevocationList);
    let list = country.authority().revocation_list(1, years(0, 1), &[]).unwrap();
    without.add_revocations(&list).unwrap();
    let stale = NOW.plus_seconds(2 * YEAR);
    assert_eq!(verify(&country, years(1, 5), &without, stale), PassiveError::NoRevocationList);
}

#[test]
fn a_signer_of_master_lists_signs_no_cards() {
    let country = Country::new(1);
    let public = country.document_key.public_key();
    let signer = country
        .authority()
        .certify(&name("MLS"), &public, &[1], years(1, 5), SignerPurpose::MasterLists)
        .unwrap();
    let file = security_object::write(&groups(), &signer, &country.document_key, NOW).unwrap();
    let refused = Attested::verify(&file, &country.anchors(&[]), NOW).unwrap_err();
    assert_eq!(refused, PassiveError::SignerUsage);
    let own = country.authority();
    let file = security_object::write(&groups(), own.certificate(), &country.key, NOW).unwrap();
    let refused = Attested::verify(&file, &country.anchors(&[]), NOW).unwrap_err();
    assert_eq!(refused, PassiveError::SignerUsage, "the authority itself");
}

#[test]
fn every_changed_byte_of_a_security_object_is_noticed() {
    let country = Country::new(1);
    let (file, anchors) = (security_object(&country), country.anchors(&[]));
    for place in 0..file.len() {
        let mut changed = file.clone();
        changed[place] ^= 1;
        let noticed = Attested::verify(&changed, &anchors, NOW).is_err();
        assert!(noticed, "byte {place} of {file:02X?}");
        assert!(Attested::verify(&file[..place], &anchors, NOW).is_err(), "cut at {place}");
    }
}

#[test]
fn a_master_list_counts_only_from_the_publishers_signer() {
    let (country, other) = (Country::new(1), Country::new(11));
    let both = [country.authority().certificate().clone(), other.authority().certificate().clone()];
    let list = country.master_list(&both, SignerPurpose::MasterLists);
    let publisher = country.authority();
    let anchors = Anchors::read(&list, publisher.certificate(), NOW).unwrap();
    assert_eq!(anchors.authorities().len(), 2);
    let not_his = Anchors::read(&list, other.authority().certificate(), NOW).unwrap_err();
    assert_eq!(not_his, TrustError::Signer(CertificateError::NotSigned));
    let later = NOW.plus_seconds(2 * YEAR);
    let expired = Anchors::read(&list, publisher.certificate(), later).unwrap_err();
    assert_eq!(expired, TrustError::Signer(CertificateError::Expired));
    let by_documents = country.master_list(&both, SignerPurpose::Documents);
    let usage = Anchors::read(&by_documents, publisher.certificate(), NOW).unwrap_err();
    assert_eq!(usage, TrustError::Signer(CertificateError::Usage));
    let mut changed = list.clone();
    let place = list.len() / 3;
    changed[place] ^= 1;
    assert!(Anchors::read(&changed, publisher.certificate(), NOW).is_err());
    let foreign = other.authority().revocation_list(1, years(0, 1), &[]).unwrap();
    let mut mine = Anchors::clone(&country.anchors(&[]));
    assert_eq!(mine.add_revocations(&foreign), Err(TrustError::RevocationSigner));
    assert_eq!(mine.add_revocations(&foreign[1..]), Err(TrustError::RevocationList));
}

#[test]
fn of_two_revocation_lists_the_newer_counts() {
    let country = Country::new(1);
    let file = security_object(&country);
    let mut anchors = Anchors::clone(&country.anchors(&[]));
    let validity = Validity { from: NOW.plus_seconds(60), until: NOW.plus_seconds(YEAR) };
    let newer = country.authority().revocation_list(2, validity, &[(vec![1], NOW)]).unwrap();
    anchors.add_revocations(&newer).unwrap();
    assert!(Attested::verify(&file, &anchors, NOW).is_ok());
    let refused = Attested::verify(&file, &anchors, NOW.plus_seconds(61)).unwrap_err();
    assert_eq!(refused, PassiveError::SignerRevoked);
}

#[test]
fn signed_content_of_another_kind_is_no_security_object() {
    let country = Country::new(1);
    let list = country.master_list(&[], SignerPurpose::MasterLists);
    let refused = Attested::verify(&tlv::object(0x77, &list), &country.anchors(&[]), NOW);
    let expected = PassiveError::SecurityObject(SignedDataError::Malformed);
    assert_eq!(refused, Err(expected));
}

#[test]
fn an_authority_is_found_again_by_its_certificate_and_key_only() {
    let country = Country::new(1);
    let made = country.authority();
    let again = Authority::from_certificate(made.certificate().der(), &country.key).unwrap();
    assert_eq!(again.certificate(), made.certificate());
    assert!(Authority::from_certificate(made.certificate().der(), &key(9)).is_err());
    let signer = country.signer();
    assert!(Authority::from_certificate(signer.der(), &country.document_key).is_err());
}
