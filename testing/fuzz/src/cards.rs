//! Hostile bytes for what reads chip cards: their files, lists and certificates; the card's side and the reader's.

use std::sync::{Arc, LazyLock};
use yufu_card::{Access, Chip, Contents, Protocols, Randomness, Reading, Turn};
use yufu_emrtd::apdu::{Command, Response};
use yufu_emrtd::file::{Common, Details, read_zone};
use yufu_emrtd::{Anchors, Attested, Certificate, Portrait, SecurityInfos};
use yufu_fixtures::cards::{CAN, CardCountry, NOW, holder};

static COUNTRY: LazyLock<(Arc<Anchors>, Certificate, Vec<u8>)> = LazyLock::new(|| {
    let country = CardCountry::new(1);
    let card = country.contents(&holder(), Protocols::default()).to_bytes();
    let authority = country.authority().certificate().clone();
    (country.anchors(&[]), authority, card.map(|bytes| bytes.to_vec()).unwrap_or_default())
});

/// Takes `bytes` for each file of a card, for a certificate, a master list and a revocation list.
///
/// # Panics
/// If a file that is read and written again is read as another.
pub fn card_files(bytes: &[u8]) {
    let (anchors, authority, _) = &*COUNTRY;
    if let Ok(infos) = SecurityInfos::read(bytes) {
        assert!(SecurityInfos::read(&infos.write()).is_ok(), "security infos are not read again");
    }
    if let Ok(common) = Common::read(bytes) {
        assert_eq!(Common::read(&common.write()).as_ref(), Ok(&common));
    }
    if let Ok(details) = Details::read(bytes) {
        assert_eq!(Details::read(&details.write()).as_ref(), Ok(&details));
    }
    if let Ok(portrait) = Portrait::read(bytes) {
        assert_eq!(Portrait::read(&portrait.write()).as_ref(), Ok(&portrait));
    }
    drop(read_zone(bytes));
    drop(Attested::verify(bytes, anchors, NOW));
    drop(Anchors::read(bytes, authority, NOW));
    let _ = Anchors::clone(anchors).add_revocations(bytes);
    if let Ok(certificate) = Certificate::read(bytes) {
        assert_eq!(certificate.der(), bytes);
        let _ = certificate.check_signed_by(authority);
    }
}

/// Takes `bytes` for commands to a card, each after its length; and each for a command alone.
///
/// # Panics
/// If a command is read and written as another, or something personal comes out of the card without a session.
pub fn card_commands(bytes: &[u8]) {
    let Ok(contents) = Contents::from_bytes(&COUNTRY.2) else { return };
    let (mut chip, mut drawn) = (Chip::new(contents), 0_u8);
    let mut random = || {
        drawn = drawn.wrapping_add(1);
        [drawn; 32]
    };
    let name = holder().family_name.into_bytes();
    for command in pieces(bytes) {
        if let Ok(read) = Command::parse(command) {
            assert_eq!(Command::parse(&read.to_bytes()).as_ref(), Ok(&read));
        }
        let answer = chip.handle(command, &mut random).bytes;
        assert!(Response::parse(&answer).is_ok(), "an answer without a status");
        assert!(!answer.windows(name.len()).any(|window| window == name));
    }
}

/// Takes `bytes` for a card's answers to a reader, each after its length.
///
/// # Panics
/// If a reader believes them.
pub fn card_answers(bytes: &[u8]) {
    let Ok(access) = Access::can(CAN) else { return };
    let reading = Reading::new(access, Arc::clone(&COUNTRY.0), NOW, Randomness::draw(|| [9; 32]));
    let Ok(mut turn) = reading.begin() else { return };
    for answer in pieces(bytes) {
        match turn {
            Turn::Send(_, next) => match next.handle(answer) {
                Ok(next) => turn = next,
                Err(_) => return,
            },
            Turn::Done(..) => unreachable!("a reader believes what no card said"),
        }
    }
}

/// Bytes cut into pieces, each after its length of one byte.
fn pieces(mut bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let (length, rest) = bytes.split_first()?;
        let (piece, rest) = rest.split_at(usize::from(*length).min(rest.len()));
        bytes = rest;
        Some(piece)
    })
}
