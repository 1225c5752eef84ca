//! A card is read and proven, under every protocol; and each wrong card is refused for its own reason.

#![expect(clippy::unwrap_used, clippy::arithmetic_side_effects, reason = "a test")]

mod support;

use std::sync::Arc;
use support::{CAN, Country, NOW, YEAR, can, card, holder, random, read_card, reading, years};
use yufu_card::{
    Access, CardError, Chip, Contents, InProcess, Opened, Protocols, Randomness, Reading,
    Transport, TransportError, Turn, read,
};
use yufu_emrtd::apdu::Status;
use yufu_emrtd::crypto::{Curve, Suite};
use yufu_emrtd::file::File;
use yufu_emrtd::mrz::ShortDate;
use yufu_emrtd::secure_messaging::MessagingError;
use yufu_emrtd::{CertificateError, PassiveError, SecurityInfos, Validity, tlv};

const SUITES: [Suite; 3] = [Suite::TripleDes, Suite::Aes128, Suite::Aes256];
const CURVES: [Curve; 2] = [Curve::NistP256, Curve::BrainpoolP256r1];

fn zone() -> Access {
    let day = |date| ShortDate::of(date).unwrap();
    Access::zone("E00000017", day("1962-09-20"), day("2036-09-20"))
}

#[test]
fn a_card_tells_who_it_is_for_and_proves_that_it_is_no_copy() {
    let country = Country::new(1);
    let mut chip = country.chip(Protocols::default());
    let data = read_card(&mut chip, can(), &country.anchors(&[])).unwrap();
    assert_eq!(data.zone.names, ("LUO".to_owned(), "LONGXUAN".to_owned()));
    let details = data.details.unwrap();
    assert_eq!(details.full_name, "罗 龙轩");
    assert_eq!(details.personal_number, holder().number);
    assert_eq!(details.birth, "19620920");
    let portrait = data.portrait.unwrap();
    assert_eq!(portrait.size, (240, 320));
    assert!(portrait.image.starts_with(&[0xFF, 0xD8]) && portrait.image.len() > 4_000);
    assert!(data.proofs.chip && data.proofs.signature);
    assert_eq!((data.proofs.country.as_str(), data.proofs.signer.as_str()), ("UT", "DS Utopia 1"));
    assert!(matches!(data.proofs.opened, Opened::Pace(_)));
}

#[test]
fn every_cipher_and_curve_opens_with_the_number_and_with_the_zone() {
    let country = Country::new(1);
    let anchors = country.anchors(&[]);
    for suite in SUITES {
        for curve in CURVES {
            let both = Some((suite, curve));
            let protocols = Protocols { pace: both, proof: both, ..Protocols::default() };
            let mut chip = country.chip(protocols);
            for access in [can(), zone()] {
                let data = read_card(&mut chip, access, &anchors).unwrap();
                assert!(data.proofs.chip && data.proofs.signature, "{suite:?} {curve:?}");
            }
        }
    }
}

#[test]
fn a_card_without_pace_opens_by_basic_access_control_and_only_with_its_zone() {
    let country = Country::new(1);
    let anchors = country.anchors(&[]);
    let mut chip = country.chip(Protocols { pace: None, ..Protocols::default() });
    let data = read_card(&mut chip, zone(), &anchors).unwrap();
    assert_eq!(data.proofs.opened, Opened::Basic);
    assert!(data.proofs.chip && data.proofs.signature);
    assert_eq!(read_card(&mut chip, can(), &anchors), Err(CardError::ZoneNeeded));
    let other = Access::zone(
        "E00000018",
        ShortDate::of("1962-09-20").unwrap(),
        ShortDate::of("2036-09-20").unwrap(),
    );
    assert_eq!(read_card(&mut chip, other, &anchors), Err(CardError::AccessDenied));
    let none = Protocols { pace: None, proof: None, signs: false, ..Protocols::default() };
    let data = read_card(&mut country.chip(none), zone(), &anchors).unwrap();
    assert!(!data.proofs.chip && !data.proofs.signature);
}

#[test]
fn each_wrong_number_makes_the_card_slower_and_the_right_one_makes_it_quick_again() {
    let country = Country::new(1);
    let anchors = country.anchors(&[]);
    let mut chip = country.chip(Protocols::default());
    let mut attempt = |number: &str| {
        let mut random = random(1);
        let mut card = InProcess::new(&mut chip, &mut random);
        let done = read(&mut card, reading(Access::can(number).unwrap(), &anchors));
        (done.map(|_| ()), card.waited())
    };
    let wrong: Vec<_> = (0..8).map(|_| attempt("480214")).collect();
    assert!(wrong.iter().all(|(done, _)| *done == Err(CardError::AccessDenied)));
    let waited: Vec<u64> = wrong.iter().map(|(_, waited)| *waited).collect();
    assert_eq!(waited, [0, 1, 2, 4, 8, 16, 32, 60]);
    assert_eq!(attempt(CAN), (Ok(()), 60));
    assert_eq!(attempt(CAN), (Ok(()), 0));
}

#[test]
fn wrong_zones_make_it_slower_too() {
    let country = Country::new(1);
    let mut chip = country.chip(Protocols { pace: None, ..Protocols::default() });
    let wrong = Access::information("X000000008620920736092005".to_owned());
    for failures in 1..4 {
        let done = read_card(&mut chip, wrong.clone(), &country.anchors(&[]));
        assert_eq!((done, chip.failures()), (Err(CardError::AccessDenied), failures));
    }
}

/// The contents changed, then read.
fn read_changed(change: impl FnOnce(Contents) -> Contents) -> Result<(), CardError> {
    let country = Country::new(1);
    let contents = change(country.contents(&holder(), Protocols::default()));
    read_card(&mut Chip::new(contents), can(), &country.anchors(&[])).map(|_| ())
}

#[test]
fn a_copy_of_a_card_is_found_out_by_chip_authentication() {
    let copied = read_changed(|contents| contents.with_secrets([1; 32], [2; 32]));
    assert_eq!(copied, Err(CardError::Cloned));
}

#[test]
fn a_copy_of_a_card_is_found_out_by_active_authentication() {
    let country = Country::new(1);
    let signing = Protocols { proof: None, ..Protocols::default() };
    let contents = country.contents(&holder(), signing).with_secrets([21; 32], [9; 32]);
    let copied = read_card(&mut Chip::new(contents), can(), &country.anchors(&[]));
    assert_eq!(copied, Err(CardError::ClonedSignature));
}

#[test]
fn a_data_group_of_another_card_is_refused() {
    let other = yufu_card::Holder { given_name: "娟莉".to_owned(), ..holder() };
    let other = Country::new(1).contents(&other, Protocols::default());
    for number in [1, 11] {
        let file = other.file(File::Group(number)).unwrap().to_vec();
        let swapped = read_changed(|contents| contents.with_file(File::Group(number), file));
        assert_eq!(swapped, Err(PassiveError::Changed(number).into()));
    }
}

#[test]
fn a_card_whose_signed_part_is_missing_is_refused_so_that_nobody_removes_a_proof() {
    for number in [1, 14, 15] {
        let missing = read_changed(|contents| contents.without_file(File::Group(number)));
        assert_eq!(missing, Err(CardError::Missing(number)));
    }
    let missing = read_changed(|contents| contents.without_file(File::SecurityObject));
    assert_eq!(missing, Err(CardError::Missing(0x1D)));
}

#[test]
fn a_card_of_an_unknown_or_revoked_or_expired_signer_is_refused() {
    let country = Country::new(1);
    let mut chip = country.chip(Protocols::default());
    let unknown = read_card(&mut chip, can(), &Country::new(11).anchors(&[]));
    assert_eq!(unknown, Err(PassiveError::UnknownSigner.into()));
    let revoked = read_card(&mut chip, can(), &country.anchors(&[(vec![1], NOW)]));
    assert_eq!(revoked, Err(PassiveError::SignerRevoked.into()));
    let expired = Country {
        signer_validity: Validity { until: NOW.minus_seconds(1), ..years(1, 0) },
        ..Country::new(1)
    };
    let refused = read_card(&mut expired.chip(Protocols::default()), can(), &country.anchors(&[]));
    assert_eq!(refused, Err(PassiveError::SignerTime(CertificateError::Expired).into()));
}

#[test]
fn a_card_is_refused_from_the_end_of_its_last_day() {
    let country = Country::new(1);
    let anchors = country.anchors(&[]);
    let mut chip = country.chip(Protocols::default());
    let over = ShortDate::of(&card().expiry).unwrap().over().unwrap();
    for (at, expected) in
        [(over.minus_seconds(1), None), (over, Some(CardError::Expired("360920".to_owned())))]
    {
        let reading = Reading::new(can(), Arc::clone(&anchors), at, Randomness::draw(random(100)));
        let mut random = random(1);
        let done = read(&mut InProcess::new(&mut chip, &mut random), reading);
        assert_eq!(done.err(), expected);
    }
}

#[test]
fn an_authority_that_has_expired_vouches_for_nothing() {
    let country = Country { signer_validity: years(1, 20), ..Country::new(1) };
    let anchors = country.anchors(&[]);
    let mut chip = country.chip(Protocols::default());
    let at = NOW.plus_seconds(13 * YEAR);
    let reading = Reading::new(can(), anchors, at, Randomness::draw(random(100)));
    let mut random = random(1);
    let done = read(&mut InProcess::new(&mut chip, &mut random), reading);
    assert_eq!(done, Err(PassiveError::AuthorityTime(CertificateError::Expired).into()));
}

#[test]
fn protocols_that_were_weakened_in_the_open_file_are_noticed() {
    let country = Country::new(1);
    let pace = Some((Suite::TripleDes, Curve::NistP256));
    let contents = country.contents(&holder(), Protocols::default());
    let weaker = country.contents(&holder(), Protocols { pace, ..Protocols::default() });
    // The forger's chip speaks the weaker protocol and says so openly; what is signed says otherwise.
    let open = weaker.file(File::CardAccess).unwrap().to_vec();
    let mut forged = weaker.with_file(File::CardAccess, open);
    for file in [File::SecurityObject, File::Group(14)] {
        forged = forged.with_file(file, contents.file(file).unwrap().to_vec());
    }
    let done = read_card(&mut Chip::new(forged), can(), &country.anchors(&[]));
    assert_eq!(done, Err(CardError::Downgraded));
}

#[test]
fn truncated_and_malformed_files_are_refused() {
    let group = |bytes: &[u8]| bytes.to_vec();
    let cases: [(File, Vec<u8>); 4] = [
        (File::CardAccess, group(&[0x31, 0x14, 0x30])),
        (File::CardAccess, tlv::object(0x31, &[0x30, 0x80, 0, 0])),
        (File::SecurityObject, group(&[0x77, 0x84, 1, 0, 0, 0])),
        (File::SecurityObject, group(&[0x77])),
    ];
    for (file, bytes) in cases {
        let done = read_changed(|contents| contents.with_file(file, bytes.clone()));
        let refused =
            matches!(done, Err(CardError::Malformed { .. } | CardError::SecurityInfos(_)));
        assert!(refused, "{file:?} {bytes:02X?}: {done:?}");
    }
    let long = [&[0x77, 0x83, 0x01, 0x00, 0x00][..], &[0; 300]].concat();
    let done = read_changed(|contents| contents.with_file(File::SecurityObject, long));
    assert_eq!(done, Err(CardError::TooLong(0x1_0005)));
}

/// A way to a card on which the nth answer is changed, or lost.
struct Disturbed<'a> {
    card: InProcess<'a>,
    left: usize,
    change: fn(&mut Vec<u8>) -> bool,
}

impl Transport for Disturbed<'_> {
    fn exchange(&mut self, command: &[u8]) -> Result<Vec<u8>, TransportError> {
        let mut answer = self.card.exchange(command)?;
        let now = self.left == 0;
        self.left = self.left.wrapping_sub(1);
        if now && !(self.change)(&mut answer) {
            return Err(TransportError("no card".to_owned()));
        }
        Ok(answer)
    }
}

fn disturbed(left: usize, change: fn(&mut Vec<u8>) -> bool) -> Result<(), CardError> {
    let country = Country::new(1);
    let mut chip = country.chip(Protocols::default());
    let mut random = random(1);
    let card = InProcess::new(&mut chip, &mut random);
    let mut way = Disturbed { card, left, change };
    read(&mut way, reading(can(), &country.anchors(&[]))).map(|_| ())
}

/// How many exchanges a reading takes.
fn exchanges() -> usize {
    let country = Country::new(1);
    let mut chip = country.chip(Protocols::default());
    let mut random = random(1);
    let mut card = InProcess::new(&mut chip, &mut random);
    let (mut count, mut turn) = (0, reading(can(), &country.anchors(&[])).begin().unwrap());
    while let Turn::Send(command, next) = turn {
        count += 1;
        turn = next.handle(&card.exchange(&command).unwrap()).unwrap();
    }
    count
}

#[test]
fn a_card_pulled_out_at_any_moment_is_gone_and_nothing_is_read() {
    for left in 0..exchanges() {
        let done = disturbed(left, |_| false);
        assert_eq!(done, Err(CardError::Gone("no card".to_owned())), "after {left}");
        let done = disturbed(left, |answer| {
            answer.clear();
            true
        });
        assert_eq!(done, Err(CardError::CutOff), "after {left}");
    }
    assert_eq!(disturbed(exchanges(), |_| false), Ok(()));
}

#[test]
fn an_answer_changed_under_a_session_is_noticed_at_any_moment() {
    // The root, EF.CardAccess and PACE are seven exchanges; from the eighth on everything is protected.
    for left in 7..exchanges() {
        let done = disturbed(left, |answer| {
            if let Some(byte) = answer.first_mut() {
                *byte ^= 1;
            }
            true
        });
        let noticed = matches!(
            done,
            Err(CardError::Messaging(MessagingError::Objects | MessagingError::Sum)
                | CardError::Cloned)
        );
        assert!(noticed, "after {left}: {done:?}");
        let done = disturbed(left, |answer| {
            *answer = vec![0x90, 0x00];
            true
        });
        let noticed = matches!(
            done,
            Err(CardError::Messaging(MessagingError::Unprotected) | CardError::Cloned)
        );
        assert!(noticed, "after {left}: {done:?}");
    }
}

#[test]
fn keys_and_tokens_of_the_card_that_are_none_are_refused() {
    let wrong_last = |answer: &mut Vec<u8>| {
        let place = answer.len().saturating_sub(3);
        if let Some(byte) = answer.get_mut(place) {
            *byte ^= 1;
        }
        true
    };
    assert_eq!(disturbed(4, wrong_last), Err(CardError::Key), "the mapping key");
    assert_eq!(disturbed(5, wrong_last), Err(CardError::Key), "the ephemeral key");
    assert_eq!(disturbed(6, wrong_last), Err(CardError::CardUnproven), "the token");
}

#[test]
fn what_is_no_identity_card_says_so() {
    struct Other;
    impl Transport for Other {
        fn exchange(&mut self, _: &[u8]) -> Result<Vec<u8>, TransportError> {
            Ok(vec![0x6A, 0x82])
        }
    }
    let anchors = Country::new(1).anchors(&[]);
    let done = read(&mut Other, reading(zone(), &anchors));
    assert_eq!(done, Err(CardError::NoApplication(Status::NOT_FOUND)));
}

#[test]
fn contents_of_a_card_are_kept_as_bytes_and_anything_else_is_refused() {
    let country = Country::new(1);
    let bytes = country.contents(&holder(), Protocols::default()).to_bytes().unwrap();
    let mut chip = Chip::new(Contents::from_bytes(&bytes).unwrap());
    assert!(read_card(&mut chip, can(), &country.anchors(&[])).is_ok());
    assert!(Contents::from_bytes(&bytes[1..]).is_err());
    assert!(Contents::from_bytes(&[]).is_err());
}

#[test]
fn the_open_file_says_nothing_but_how_the_card_is_opened() {
    let contents = Country::new(1).contents(&holder(), Protocols::default());
    let infos = SecurityInfos::read(contents.file(File::CardAccess).unwrap()).unwrap();
    assert_eq!(infos.pace.len(), 1);
    assert_eq!(infos, SecurityInfos { pace: infos.pace.clone(), ..SecurityInfos::default() });
}
