//! Chip cards: an officer has one made, checks its holder, blocks it; a wallet derives credentials from it. The card
//! proves itself to the authority; what carries it, the wallet, is believed nothing.

pub(super) mod deriving;
pub(super) mod issuing;
pub(super) mod lists;
pub(super) mod signers;

pub use deriving::{ChallengeIssued, ChipAnswer, Derivations, Derived, PresentedFiles};
pub use issuing::{CardBlock, CardCheck, CardChecked, IssuedCard, NewCard};
pub use lists::CardLists;
pub use signers::{DocumentSignerEntry, DocumentSigners, SignerRevocation};

use super::Authority;
use crate::http::Problem;
use yufu_card::CardError;
use yufu_jose::decode_base64url;
use yufu_keys::{CardKeys, CardKeysError};
use yufu_profile::CardProfile;

/// The country's chip cards, and what they are signed with.
pub struct Cards {
    /// What the profile says of them.
    pub profile: CardProfile,
    /// Who signs them.
    pub keys: CardKeys,
    /// Derivations under way.
    pub derivations: Derivations,
}

impl Authority {
    /// The country's cards, if it issues any.
    fn cards(&self) -> Result<&Cards, Problem> {
        self.cards.as_ref().ok_or_else(|| Problem::not_found("chip card in this country"))
    }
}

impl From<CardKeysError> for Problem {
    fn from(error: CardKeysError) -> Self {
        Self::internal(error)
    }
}

/// A card that is not accepted; the reason is that of `yufu card read`.
fn unproven(error: &CardError) -> Problem {
    Problem::refused("id_card.unproven", error).with("reason", error.code())
}

fn decoded(name: &str, text: &str) -> Result<Vec<u8>, Problem> {
    decode_base64url(text).map_err(|_| Problem::malformed(format!("{name} is not base64url")))
}
