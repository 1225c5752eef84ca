//! The crate `dmrtd` reads our card in this process.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test")]

mod support;

use dmrtd::auth::passive::{self, ChainStatus, DataGroup, TrustAnchor};
use dmrtd::com::{TransceiveError, Transceiver};
use support::{Way, opened, read};
use yufu_card::{Chip, Protocols};
use yufu_emrtd::crypto::{Curve, Suite};
use yufu_emrtd::file::File;
use yufu_foreign_cards::{CAN, ZONE, card};
use yufu_keys::random;

/// Our chip as that crate wants it.
struct Ours(Chip);

impl Transceiver for Ours {
    fn transceive(&mut self, apdu: &[u8]) -> Result<Vec<u8>, TransceiveError> {
        Ok(self.0.handle(apdu, &mut random::<32>).bytes)
    }
}

const NUMBER: &str = "420104196209208811";

#[test]
fn a_foreign_reader_opens_reads_and_authenticates_our_card_in_every_way() {
    let (number, birth, expiry) = ZONE;
    let ways =
        [Way::Number(CAN), Way::Zone(number, birth, expiry), Way::Basic(number, birth, expiry)];
    for way in ways {
        let (chip, authority) = card(1, Protocols::default());
        assert_eq!(read(Ours(chip), way, &authority), NUMBER);
    }
    // That crate runs PACE with AES only; triple DES it knows from basic access control.
    for suite in [Suite::Aes128, Suite::Aes256] {
        let pace = Some((suite, Curve::NistP256));
        let (chip, authority) = card(1, Protocols { pace, ..Protocols::default() });
        assert_eq!(read(Ours(chip), Way::Number(CAN), &authority), NUMBER, "{suite:?}");
    }
}

#[test]
fn a_foreign_reader_is_refused_with_the_wrong_number_or_zone() {
    let (number, birth, _) = ZONE;
    let ways = [
        Way::Number("480214"),
        Way::Zone(number, birth, "2036-09-21"),
        Way::Basic(number, birth, "2036-09-21"),
    ];
    for way in ways {
        let (chip, _) = card(1, Protocols::default());
        assert!(opened(Ours(chip), way).is_err(), "{way:?}");
    }
}

#[test]
fn a_foreign_reader_finds_changed_data_and_another_authority() {
    let (chip, authority) = card(1, Protocols::default());
    let (_, other) = card(11, Protocols::default());
    let object = chip.contents().file(File::SecurityObject).unwrap();
    let zone = chip.contents().file(File::Group(1)).unwrap();
    let groups = |bytes| vec![DataGroup { number: 1, bytes }];
    let anchor = TrustAnchor::from_certificate(&other).unwrap();
    let unknown = passive::verify(object, &groups(zone), &[anchor]).unwrap();
    assert_eq!(unknown.chain, ChainStatus::Unverified);
    let mut changed = zone.to_vec();
    *changed.last_mut().unwrap() ^= 1;
    let anchor = TrustAnchor::from_certificate(&authority).unwrap();
    assert!(passive::verify(object, &groups(&changed), &[anchor]).is_err());
}
