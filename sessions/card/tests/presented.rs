//! A card that proves itself to somebody afar, over somebody in between who is not trusted.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]

mod support;

use std::collections::BTreeMap;
use support::{Country, NOW, YEAR, can, holder, random, reading};
use yufu_card::{
    CardData, CardError, Chip, ChipChallenge, InProcess, PresentedCard, Protocols, read_on, relay,
};
use yufu_emrtd::PassiveError;
use yufu_emrtd::crypto::{Curve, Suite};

/// Reads a card, lets its files be judged, and carries the challenge of `seed`.
fn carried(
    chip: &mut Chip,
    country: &Country,
    change: impl FnOnce(&mut ChipChallenge),
) -> Result<PresentedCard, CardError> {
    let anchors = country.anchors(&[]);
    let mut random = random(1);
    let mut card = InProcess::new(chip, &mut random);
    let (data, open) = read_on(&mut card, reading(can(), &anchors))?;
    let CardData { security_object, groups, .. } = data;
    let presented = PresentedCard::check(&security_object, &groups, &anchors, NOW)?;
    let (mut challenge, expected) = presented.challenge(&[42; 32])?;
    change(&mut challenge);
    let answer = relay(&mut card, open, &groups[&14], &challenge)?;
    expected.check(&answer)?;
    Ok(presented)
}

#[test]
fn a_card_proves_itself_to_somebody_afar_under_every_cipher() {
    let country = Country::new(1);
    for suite in [Suite::TripleDes, Suite::Aes128, Suite::Aes256] {
        let proof = Some((suite, Curve::BrainpoolP256r1));
        let mut chip = country.chip(Protocols { proof, ..Protocols::default() });
        let presented = carried(&mut chip, &country, |_| {}).unwrap();
        assert_eq!(presented.details.personal_number, holder().number);
        assert_eq!(presented.suite(), suite);
    }
}

#[test]
fn whoever_carries_the_challenge_can_neither_change_nor_answer_it() {
    let country = Country::new(1);
    let mut chip = country.chip(Protocols::default());
    let other = carried(&mut chip, &country, |challenge| {
        let curve = Curve::BrainpoolP256r1;
        let own = curve.public(&curve.secret(&[9; 32]).unwrap()).unwrap();
        challenge.public = own.as_bytes().to_vec();
    });
    assert_eq!(other.err(), Some(CardError::Cloned));
    let mut chip = country.chip(Protocols::default());
    let changed = carried(&mut chip, &country, |challenge| challenge.command[6] ^= 1);
    assert_eq!(changed.err(), Some(CardError::Cloned));

    let anchors = country.anchors(&[]);
    let (security_object, groups) = files(&country);
    let presented = PresentedCard::check(&security_object, &groups, &anchors, NOW).unwrap();
    for answer in [&[0x90, 0x00][..], &groups[&1], &[0; 40]] {
        let (_, expected) = presented.challenge(&[42; 32]).unwrap();
        assert_eq!(expected.check(answer), Err(CardError::Cloned));
    }
}

fn files(country: &Country) -> (Vec<u8>, BTreeMap<u8, Vec<u8>>) {
    let mut random = random(1);
    let mut chip = country.chip(Protocols::default());
    let mut card = InProcess::new(&mut chip, &mut random);
    let (data, _) = read_on(&mut card, reading(can(), &country.anchors(&[]))).unwrap();
    (data.security_object, data.groups)
}

#[test]
fn files_that_were_changed_left_out_or_signed_by_others_are_not_believed() {
    let country = Country::new(1);
    let (security_object, groups) = files(&country);
    let anchors = country.anchors(&[]);
    let check = |groups: &BTreeMap<u8, Vec<u8>>, anchors, at| {
        PresentedCard::check(&security_object, groups, anchors, at).err()
    };
    for number in [1, 11, 14] {
        let mut without = groups.clone();
        without.remove(&number);
        assert_eq!(check(&without, &anchors, NOW), Some(CardError::Missing(number)));
        let mut changed = groups.clone();
        *changed.get_mut(&number).unwrap().last_mut().unwrap() ^= 1;
        let expected = PassiveError::Changed(number).into();
        assert_eq!(check(&changed, &anchors, NOW), Some(expected));
    }
    let others = Country::new(11).anchors(&[]);
    assert_eq!(check(&groups, &others, NOW), Some(PassiveError::UnknownSigner.into()));
    let revoked = country.anchors(&[(vec![1], NOW)]);
    assert_eq!(check(&groups, &revoked, NOW), Some(PassiveError::SignerRevoked.into()));
    let late = NOW.plus_seconds(10 * YEAR + 10 * 86_400);
    let expired = CardError::Expired("360920".to_owned());
    assert_eq!(check(&groups, &anchors, late), Some(expired));
}
