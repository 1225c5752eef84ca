//! A card to be read by other people's programs.
#![doc = ""]
#![doc = include_str!("../README.md")]
#![expect(clippy::unwrap_used, reason = "a test's fixture fails by panicking")]

use yufu_base::Timestamp;
use yufu_card::{
    Card, CardSecrets, Chip, DocumentSigner, Holder, Protocols, personalise, portrait,
};
use yufu_emrtd::mrz::Sex;
use yufu_keys::{CardCountry, CardKeys, KeyStore, random};
use zeroize::Zeroizing;

/// When the card is made and read.
pub const NOW: Timestamp = Timestamp::from_seconds(1_790_000_000);
/// The number on its face.
pub const CAN: &str = "480213";
/// Its own number, its holder's birth, its last day.
pub const ZONE: (&str, &str, &str) = ("E00000017", "1962-09-20", "2036-09-20");

/// A card, and the certificate of the authority above it.
pub fn card(protocols: Protocols) -> (Chip, Vec<u8>) {
    let folder = tempfile::tempdir().unwrap();
    let country =
        CardCountry { code: "UT".to_owned(), organisation: "Utopia".to_owned(), valid_years: 10 };
    let keys = CardKeys::open(&KeyStore::open(folder.path()).unwrap(), &country, NOW).unwrap();
    let (certificate, key) = keys.document_signer();
    let holder = Holder {
        number: "420104196209208811".to_owned(),
        family_name: "罗".to_owned(),
        given_name: "龙轩".to_owned(),
        sex: Sex::Male,
        birth_date: ZONE.1.to_owned(),
        nationality: "UTO".to_owned(),
        address: vec!["武汉市硚口区".to_owned(), "利济北路217号".to_owned()],
    };
    let card = Card {
        issuer: "UTO".to_owned(),
        number: ZONE.0.to_owned(),
        can: CAN.to_owned(),
        expiry: ZONE.2.to_owned(),
    };
    let secrets = CardSecrets { chip: Zeroizing::new(random()), signing: Zeroizing::new(random()) };
    let signer = DocumentSigner { certificate, key };
    let face = portrait(&[7; 32]).unwrap();
    let contents = personalise(&holder, &card, protocols, &secrets, &face, signer, NOW).unwrap();
    (Chip::new(contents), keys.authority().der().to_vec())
}
