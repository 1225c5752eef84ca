//! Why a card is not accepted: one variant for each rule, in the order in which they are checked.

use yufu_emrtd::apdu::{ApduError, Status};
use yufu_emrtd::crypto::{CipherError, CurveError};
use yufu_emrtd::file::{File, FileError};
use yufu_emrtd::secure_messaging::MessagingError;
use yufu_emrtd::{PassiveError, SecurityInfoError};

/// Why a card is not accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CardError {
    /// The number typed is not one of a card's face.
    #[error("the number on the card's face has six digits: read it again")]
    NotACan,
    /// The card is not there, or was taken away while it was read.
    #[error("the card is gone: lay it on the reader and leave it there until it is read ({0})")]
    Gone(String),
    /// An answer is cut off.
    #[error("the card's answer is cut off: clean the contacts, lay the card on the reader again")]
    CutOff,
    /// The card holds no identity application.
    #[error("this is no identity card that can be read here: its chip answered {0}")]
    NoApplication(Status),
    /// The card speaks no PACE that is known here, and the number on its face opens nothing else.
    #[error(
        "this card opens only with what stands in its machine-readable zone: give document number, birth and expiry"
    )]
    ZoneNeeded,
    /// What was typed does not open the card.
    #[error(
        "the card does not open with this: check what stands on it; after each wrong attempt it takes longer to answer"
    )]
    AccessDenied,
    /// The card does not know what opens it.
    #[error(
        "the card could not prove that it knows what opens it: it is damaged or no card of its own"
    )]
    CardUnproven,
    /// A key of the card's is no point of its curve.
    #[error("the card sent a key that is none: it is damaged or forged")]
    Key,
    /// The card refused a command.
    #[error("the card refused while {doing}, with {status}: take it away and lay it down again")]
    Refused {
        /// What was being done.
        doing: &'static str,
        /// How it answered.
        status: Status,
    },
    /// A message of the session is not the card's.
    #[error("what came from the card was disturbed or changed on the way ({0}): read it again")]
    Messaging(MessagingError),
    /// A file is longer than any card's.
    #[error("the card says that a file has {0} bytes, more than are read")]
    TooLong(usize),
    /// A file that was signed is not there.
    #[error("a part of the card that was signed is missing: data group {0}")]
    Missing(u8),
    /// A file cannot be understood.
    #[error("a file of the card is malformed: {file:?}, {cause}")]
    Malformed {
        /// Which.
        file: File,
        /// How.
        cause: FileError,
    },
    /// The card's security infos cannot be understood.
    #[error("the card's description of its own protocols is malformed: {0}")]
    SecurityInfos(SecurityInfoError),
    /// The card's data are not those that its country wrote.
    #[error(transparent)]
    Passive(#[from] PassiveError),
    /// Somebody removed a protocol from the open part of the card.
    #[error(
        "the card names other protocols openly than in what was signed: somebody weakened it on the way"
    )]
    Downgraded,
    /// The card does not hold the key of chip authentication.
    #[error(
        "the chip is a copy: it does not hold the key that was signed for it (chip authentication)"
    )]
    Cloned,
    /// The card does not hold the key of active authentication.
    #[error(
        "the chip is a copy: it does not hold the key that was signed for it (active authentication)"
    )]
    ClonedSignature,
    /// The card's last day is past.
    #[error("the card expired on {0}: its holder renews it at the authority")]
    Expired(String),
}

impl CardError {
    /// Its code, which stays the same from version to version.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotACan => "id_card.not_a_can",
            Self::Gone(_) => "id_card.gone",
            Self::CutOff => "id_card.cut_off",
            Self::NoApplication(_) => "id_card.no_application",
            Self::ZoneNeeded => "id_card.zone_needed",
            Self::AccessDenied => "id_card.access_denied",
            Self::CardUnproven => "id_card.unproven",
            Self::Key => "id_card.key",
            Self::Refused { .. } => "id_card.refused",
            Self::Messaging(_) => "id_card.messaging",
            Self::TooLong(_) => "id_card.too_long",
            Self::Missing(_) => "id_card.missing",
            Self::Malformed { .. } => "id_card.malformed",
            Self::SecurityInfos(_) => "id_card.security_infos",
            Self::Passive(error) => passive_code(error),
            Self::Downgraded => "id_card.downgraded",
            Self::Cloned => "id_card.cloned",
            Self::ClonedSignature => "id_card.cloned_signature",
            Self::Expired(_) => "id_card.expired",
        }
    }
}

/// The code of what passive authentication refuses.
const fn passive_code(error: &PassiveError) -> &'static str {
    match error {
        PassiveError::SecurityObject(_) => "id_card.security_object",
        PassiveError::UnknownSigner => "id_card.signer_unknown",
        PassiveError::SignerUsage => "id_card.signer_usage",
        PassiveError::SignerTime(_) => "id_card.signer_expired",
        PassiveError::AuthorityTime(_) => "id_card.authority_expired",
        PassiveError::SignerRevoked => "id_card.signer_revoked",
        PassiveError::NoRevocationList => "id_card.revocations_unknown",
        PassiveError::Changed(_) => "id_card.data_changed",
        PassiveError::NotSigned(_) => "id_card.data_unsigned",
    }
}

impl From<ApduError> for CardError {
    fn from(_: ApduError) -> Self {
        Self::CutOff
    }
}

impl From<MessagingError> for CardError {
    fn from(error: MessagingError) -> Self {
        Self::Messaging(error)
    }
}

impl From<CurveError> for CardError {
    fn from(_: CurveError) -> Self {
        Self::Key
    }
}

impl From<CipherError> for CardError {
    fn from(_: CipherError) -> Self {
        Self::CardUnproven
    }
}
