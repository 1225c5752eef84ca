//! The crate `dmrtd` as a reader: opens a card in each way, reads it, authenticates it.

use chrono::NaiveDate;
use dmrtd::auth::passive::{self, DataGroup, TrustAnchor};
use dmrtd::com::Transceiver;
use dmrtd::lds::ef::ElementaryFile;
use dmrtd::passport::Passport;
use dmrtd::proto::can_key::CanKey;
use dmrtd::proto::dba_key::DBAKey;

/// How the card is opened.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Way<'a> {
    Number(&'a str),
    Zone(&'a str, &'a str, &'a str),
    Basic(&'a str, &'a str, &'a str),
}

/// What the foreign reader says of a card whose authority it trusts: the personal number. It checked signer, digests
/// and that the chip is no copy, or this panics.
pub(crate) fn read<T: Transceiver>(transceiver: T, way: Way<'_>, authority: &[u8]) -> String {
    let mut passport = opened(transceiver, way).unwrap_or_else(|error| panic!("{way:?}: {error}"));
    let common = passport.read_ef_com().unwrap();
    assert!(!common.to_bytes().is_empty());
    let zone = passport.read_ef_dg1().unwrap();
    assert_eq!(zone.mrz().last_name, "LUO");
    let details = passport.read_ef_dg11().unwrap();
    let files = [
        (1, zone.to_bytes().to_vec()),
        (2, passport.read_ef_dg2().unwrap().to_bytes().to_vec()),
        (11, details.to_bytes().to_vec()),
        (14, passport.read_ef_dg14().unwrap().to_bytes().to_vec()),
        (15, passport.read_ef_dg15().unwrap().to_bytes().to_vec()),
    ];
    let groups: Vec<DataGroup<'_>> =
        files.iter().map(|(number, bytes)| DataGroup { number: *number, bytes }).collect();
    let object = passport.read_ef_sod().unwrap();
    let anchor = TrustAnchor::from_certificate(authority).unwrap();
    let proven = passive::verify(object.to_bytes(), &groups, &[anchor]).unwrap();
    assert!(proven.is_authentic() && proven.covers_all_groups(), "{proven:?}");
    passport.verify_active_authentication(b"8 bytes!").unwrap();
    details.personal_number.clone().unwrap()
}

/// Opens the card, or says why not.
pub(crate) fn opened<T: Transceiver>(transceiver: T, way: Way<'_>) -> Result<Passport<T>, String> {
    let mut passport = Passport::new(transceiver);
    let zone = |(number, birth, expiry): (&str, &str, &str), pace| {
        let day = |date: &str| date.parse::<NaiveDate>().unwrap();
        DBAKey::new(number, day(birth), day(expiry), pace).unwrap()
    };
    let done = match way {
        Way::Basic(number, birth, expiry) => {
            passport.start_session(zone((number, birth, expiry), false))
        }
        Way::Number(can) => {
            let access = passport.read_ef_card_access().unwrap();
            passport.start_session_pace(CanKey::new(can).unwrap(), &access)
        }
        Way::Zone(number, birth, expiry) => {
            let access = passport.read_ef_card_access().unwrap();
            passport.start_session_pace(zone((number, birth, expiry), true), &access)
        }
    };
    done.map(|()| passport).map_err(|error| error.to_string())
}
