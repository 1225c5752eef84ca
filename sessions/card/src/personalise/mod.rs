//! Writing a card from a person's record: the data groups, their digests signed by a document signer, and the keys
//! that stay on the chip.

mod numbering;
mod portrait;

pub use portrait::portrait;

use crate::chip::Contents;
use std::collections::BTreeMap;
use yufu_base::{Signer, Timestamp};
use yufu_emrtd::crypto::{AccessKey, CanError, Curve, CurveError, Suite};
use yufu_emrtd::file::{Common, Details, File, FileError, write_zone};
use yufu_emrtd::mrz::{IDENTITY_CARD, Mrz, MrzError, Sex, ShortDate};
use yufu_emrtd::pace::Protocol;
use yufu_emrtd::{
    Certificate, ChipAuthentication, ChipKey, IssueError, Portrait, SecurityInfos, SigningKey,
    security_object, tlv,
};
use yufu_jose::{KeyError, SoftwareKey};
use zeroize::Zeroizing;

/// Why a card could not be personalised.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PersonaliseError {
    /// A field does not fit into the zone.
    #[error("the machine-readable zone: {0}")]
    Zone(#[from] MrzError),
    /// A file cannot be written.
    #[error("{0}")]
    File(#[from] FileError),
    /// The number for the face has not six digits.
    #[error(transparent)]
    Can(#[from] CanError),
    /// A key could not be made.
    #[error("a key of the card could not be made")]
    Key,
    /// The document signer did not sign.
    #[error("the document signer: {0}")]
    Signer(#[from] IssueError),
    /// The portrait could not be drawn.
    #[error("the portrait could not be drawn")]
    Portrait,
}

impl From<KeyError> for PersonaliseError {
    fn from(_: KeyError) -> Self {
        Self::Key
    }
}

impl From<CurveError> for PersonaliseError {
    fn from(_: CurveError) -> Self {
        Self::Key
    }
}

/// Whose card it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// The resident number.
    pub number: String,
    /// Family name, in its own script.
    pub family_name: String,
    /// Given name.
    pub given_name: String,
    /// Sex.
    pub sex: Sex,
    /// Day of birth: `1962-09-20`.
    pub birth_date: String,
    /// Nationality: three letters.
    pub nationality: String,
    /// The parts of the address, the largest first.
    pub address: Vec<String>,
}

/// Which card it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Card {
    /// Who issues it: three letters.
    pub issuer: String,
    /// Its number: at most nine letters and digits.
    pub number: String,
    /// The number on its face: six digits.
    pub can: String,
    /// Its last day: `2036-11-25`.
    pub expiry: String,
}

/// Which protocols it speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Protocols {
    /// PACE with generic mapping.
    pub pace: Option<(Suite, Curve)>,
    /// Basic access control, for readers that know nothing else.
    pub basic: bool,
    /// Chip authentication.
    pub proof: Option<(Suite, Curve)>,
    /// Active authentication.
    pub signs: bool,
}

impl Default for Protocols {
    /// What a new card speaks: PACE and chip authentication with AES, active authentication, and basic access control
    /// for old readers.
    fn default() -> Self {
        Self {
            pace: Some((Suite::Aes128, Curve::NistP256)),
            basic: true,
            proof: Some((Suite::Aes256, Curve::BrainpoolP256r1)),
            signs: true,
        }
    }
}

/// What only the chip knows: drawn for this card, and never outside it again.
#[derive(Clone)]
pub struct CardSecrets {
    /// Of chip authentication.
    pub chip: Zeroizing<[u8; 32]>,
    /// Of active authentication.
    pub signing: Zeroizing<[u8; 32]>,
}

impl CardSecrets {
    /// Fresh ones, from a source of 32 unpredictable bytes.
    #[must_use]
    pub fn draw(mut random: impl FnMut() -> [u8; 32]) -> Self {
        Self { chip: Zeroizing::new(random()), signing: Zeroizing::new(random()) }
    }
}

/// Who signs cards.
#[derive(Clone, Copy)]
pub struct DocumentSigner<'a> {
    /// Its certificate.
    pub certificate: &'a Certificate,
    /// Its key.
    pub key: &'a dyn Signer,
}

/// Writes a card.
///
/// # Errors
/// [`PersonaliseError`].
pub fn personalise(
    holder: &Holder,
    card: &Card,
    protocols: Protocols,
    secrets: &CardSecrets,
    portrait: &Portrait,
    signer: DocumentSigner<'_>,
    at: Timestamp,
) -> Result<Contents, PersonaliseError> {
    AccessKey::can(&card.can)?;
    let zone = zone_of(holder, card)?;
    let infos = infos_of(protocols, secrets)?;
    let details = Details {
        full_name: format!("{} {}", holder.family_name, holder.given_name),
        personal_number: holder.number.clone(),
        birth: holder.birth_date.replace('-', ""),
        address: holder.address.clone(),
    };
    let mut groups =
        BTreeMap::from([(1, write_zone(&zone)?), (2, portrait.write()), (11, details.write())]);
    if protocols.proof.is_some() || protocols.pace.is_some() {
        groups.insert(14, tlv::object(File::Group(14).tag(), &infos.write()));
    }
    if protocols.signs {
        let key = SoftwareKey::from_seed(&secrets.signing)?;
        let info = SigningKey::write(&key.public_key());
        groups.insert(15, tlv::object(File::Group(15).tag(), &info));
    }
    let security_object = security_object::write(&groups, signer.certificate, signer.key, at)?;
    let common = Common { groups: groups.keys().copied().collect() };
    let mut files: BTreeMap<File, Vec<u8>> =
        groups.into_iter().map(|(number, file)| (File::Group(number), file)).collect();
    files.insert(File::Common, common.write());
    files.insert(File::SecurityObject, security_object);
    if protocols.pace.is_some() {
        let open = SecurityInfos { pace: infos.pace, ..SecurityInfos::default() };
        files.insert(File::CardAccess, open.write());
    }
    Ok(Contents {
        files,
        can: Zeroizing::new(card.can.clone()),
        zone: Zeroizing::new(zone.information()),
        pace: protocols.pace,
        basic: protocols.basic,
        proof: protocols.proof,
        chip_secret: secrets.chip.clone(),
        signing_secret: secrets.signing.clone(),
    })
}

fn zone_of(holder: &Holder, card: &Card) -> Result<Mrz, PersonaliseError> {
    Ok(Mrz {
        document_code: IDENTITY_CARD.to_string(),
        issuer: card.issuer.clone(),
        number: card.number.clone(),
        birth: ShortDate::of(&holder.birth_date)?,
        sex: holder.sex,
        expiry: ShortDate::of(&card.expiry)?,
        nationality: holder.nationality.clone(),
        names: (holder.family_name.clone(), holder.given_name.clone()),
    })
}

/// What DG14 says: PACE again, so that nobody weakens it in the open file; chip and active authentication.
fn infos_of(protocols: Protocols, secrets: &CardSecrets) -> Result<SecurityInfos, CurveError> {
    let mut infos = SecurityInfos { signs: protocols.signs, ..SecurityInfos::default() };
    infos.pace.extend(protocols.pace.map(|(suite, curve)| Protocol { suite, curve }));
    if let Some((suite, curve)) = protocols.proof {
        let point = curve.public(&curve.secret(&secrets.chip)?)?;
        infos.chip_authentication.push(ChipAuthentication { suite, key: None });
        infos.chip_keys.push(ChipKey { curve, point, number: None });
    }
    Ok(infos)
}
