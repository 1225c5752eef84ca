//! What chip cards cost: one opened, read and proven, beside its bare cryptography; and cards personalised.

use crate::stopwatch::{Stopwatch, number};
use crate::{Figure, Report, Yardstick};
use anyhow::{Context, Result, ensure};
use std::path::Path;
use std::sync::Arc;
use yufu_base::{Signer, Timestamp};
use yufu_card::{
    Access, Card, CardSecrets, Chip, DocumentSigner, Holder, InProcess, Protocols, Randomness,
    Reading, personalise, portrait, read,
};
use yufu_emrtd::crypto::{Curve, Suite};
use yufu_emrtd::mrz::Sex;
use yufu_emrtd::{Anchors, Portrait};
use yufu_jose::SoftwareKey;
use yufu_keys::{CardCountry, CardKeys, KeyStore, random};

/// How much is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Cards that are read.
    reads: usize,
    /// Cards that are personalised.
    cards: usize,
}

impl Size {
    /// Some seconds.
    pub const FULL: Self = Self { reads: 1_000, cards: 10_000 };
    /// The same names in less.
    pub const QUICK: Self = Self { reads: 100, cards: 500 };
}

/// What is being measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Cards are read.
    Reading,
    /// Cards are personalised.
    Personalising,
}

const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);
const CAN: &str = "480213";

/// Measures everything, on one core. `folder` is where the keys lie; `tell` hears what is being measured.
///
/// # Errors
/// If something cannot be set up, or a card is not read.
pub fn run(size: Size, folder: &Path, tell: &mut dyn FnMut(Stage)) -> Result<Report> {
    let country =
        CardCountry { code: "XP".to_owned(), organisation: "bench".to_owned(), valid_years: 10 };
    let keys = CardKeys::open(&KeyStore::open(folder)?, &country, NOW)?;
    let face = portrait(&[7; 32])?;
    tell(Stage::Reading);
    let reading = read_cards(size.reads, &keys, &face)?;
    tell(Stage::Personalising);
    let personalised = personalise_cards(size.cards, &keys, &face)?;
    Ok(Report { bench: "card", figures: vec![reading, personalised] })
}

/// One card of the country, with secrets of its own.
fn card(keys: &CardKeys, face: &Portrait) -> Result<Chip> {
    let holder = Holder {
        number: "SW2C7RKDX58".to_owned(),
        family_name: "Specimen".to_owned(),
        given_name: "Anna".to_owned(),
        sex: Sex::Female,
        birth_date: "1962-09-20".to_owned(),
        nationality: "XPL".to_owned(),
        address: vec!["Harbour".to_owned(), "Quay Street".to_owned(), "17".to_owned()],
    };
    let card = Card {
        issuer: "XPL".to_owned(),
        number: "E00000017".to_owned(),
        can: CAN.to_owned(),
        expiry: "2036-09-20".to_owned(),
    };
    let secrets = CardSecrets::draw(random::<32>);
    let signer = keys.document_signer();
    let signer = DocumentSigner { certificate: &signer.certificate, key: &*signer.key };
    let contents = personalise(&holder, &card, Protocols::default(), &secrets, face, signer, NOW)?;
    Ok(Chip::new(contents))
}

/// Milliseconds of the processor for a card opened by PACE, read, and authenticated passively, by its chip and
/// actively: both sides together, as the card is in this process.
fn read_cards(reads: usize, keys: &CardKeys, face: &Portrait) -> Result<Figure> {
    let anchors: Arc<Anchors> = Arc::new(keys.anchors(NOW)?);
    let mut chip = card(keys, face)?;
    let mut draw = random::<32>;
    let mut one = || -> Result<()> {
        let randomness = Randomness::draw(random::<32>);
        let reading = Reading::new(Access::can(CAN)?, Arc::clone(&anchors), NOW, randomness);
        let data = read(&mut InProcess::new(&mut chip, &mut draw), reading)?;
        ensure!(data.proofs.chip && data.proofs.signature, "a card was not proven");
        Ok(())
    };
    one()?;
    let watch = Stopwatch::start();
    for _ in 0..reads {
        one()?;
    }
    let whole = watch.cpu_seconds() * 1_000.0 / number(reads);
    let bare = bare_reading(reads, face)?;
    let yardstick = Yardstick { name: "its bare cryptography".to_owned(), value: bare, unit: "ms" };
    Ok(Figure::beside("card.read", whole, "ms", yardstick, "at most 1.5 times its cryptography"))
}

/// The same operations of cryptography and nothing else: for each side of PACE five products with points of P-256 (two of
/// them with the generator) and of chip authentication on brainpoolP256r1 three; three signatures verified and one made;
/// and as many bytes enciphered and summed as the portrait has, on both sides.
fn bare_reading(times: usize, face: &Portrait) -> Result<f64> {
    let (pace, chip) = (Curve::NistP256, Curve::BrainpoolP256r1);
    let (secret, proof) = (pace.secret(&[1; 32])?, chip.secret(&[2; 32])?);
    let (public, proving) = (pace.public(&secret)?, chip.public(&proof)?);
    let key = SoftwareKey::from_seed(&[3; 32])?;
    let signature = key.sign(b"12345678")?;
    let mut bytes = vec![0; face.image.len()];
    let watch = Stopwatch::start();
    for _ in 0..times {
        for _side in 0..2 {
            pace.public(&secret)?;
            let shared = pace.multiply(&secret, &public)?;
            let generator = pace.map(&[5; 16], &shared)?;
            let ephemeral = pace.multiply(&secret, &generator)?;
            pace.multiply(&secret, &ephemeral)?;
            chip.multiply(&proof, &proving)?;
        }
        chip.public(&proof)?;
        for _ in 0..3 {
            yufu_jose::verify(&key.public_key(), b"12345678", &signature)?;
        }
        key.sign(b"12345678")?;
        for _side in 0..2 {
            bytes = enciphered(&bytes)?;
        }
    }
    Ok(watch.cpu_seconds() * 1_000.0 / number(times))
}

/// One pass of AES in CBC and of CMAC over bytes, as secure messaging makes over each answer.
fn enciphered(bytes: &[u8]) -> Result<Vec<u8>> {
    use yufu_emrtd::apdu::{Response, Status};
    use yufu_emrtd::crypto::SessionKeys;
    use yufu_emrtd::secure_messaging::Channel;
    let mut channel = Channel::new(SessionKeys::derive(Suite::Aes256, b"bench"));
    let plain = Response { data: bytes.to_vec(), status: Status::OK };
    let sealed = channel.answer(&plain).context("a message was not protected")?;
    ensure!(sealed.data.len() > bytes.len(), "nothing was protected");
    Ok(bytes.to_vec())
}

/// Cards a second and core, each with keys of its own and a signed security object; the portraits are there.
fn personalise_cards(cards: usize, keys: &CardKeys, face: &Portrait) -> Result<Figure> {
    card(keys, face)?;
    let watch = Stopwatch::start();
    for _ in 0..cards {
        card(keys, face)?;
    }
    let rate = number(cards) / watch.cpu_seconds();
    let signer = keys.document_signer();
    let watch = Stopwatch::start();
    for _ in 0..cards {
        signer.key.sign(b"a security object")?;
        SoftwareKey::from_seed(&random())?;
        let curve = Curve::BrainpoolP256r1;
        curve.public(&curve.secret(&random())?)?;
    }
    let bare = number(cards) / watch.cpu_seconds();
    let yardstick =
        Yardstick { name: "a signature and two keys".to_owned(), value: bare, unit: "cards/s" };
    Ok(Figure::beside(
        "personalise",
        rate,
        "cards/s",
        yardstick,
        "400,000 cards within the hour: over 112",
    ))
}
