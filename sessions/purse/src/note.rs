//! A note in the purse.

use serde::{Deserialize, Serialize};
use std::fmt;
use yufu_ecash::message::Proof;
use yufu_ecash::{KeysetId, Point, Unhashable, hash_to_curve};
use zeroize::{Zeroize, ZeroizeOnDrop};

/// The secret of a note: whoever has it and the signature has the money. Never printed; wiped when
/// it is dropped.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
#[serde(transparent)]
pub(crate) struct NoteSecret(String);

impl NoteSecret {
    pub(crate) fn new(text: &str) -> Self {
        Self(text.to_owned())
    }

    pub(crate) fn text(&self) -> &str {
        &self.0
    }

    /// `Y`: what the mint remembers of it once it is spent.
    pub(crate) fn hashed(&self) -> Result<Point, Unhashable> {
        hash_to_curve(self.0.as_bytes())
    }
}

impl fmt::Debug for NoteSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NoteSecret(…)")
    }
}

/// A note with its secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct HeldNote {
    pub(crate) amount: u64,
    pub(crate) keyset: KeysetId,
    pub(crate) secret: NoteSecret,
    pub(crate) signature: Point,
    /// What the payer showed of the secret's conditions beforehand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) witness: Option<String>,
    /// Until when, in Unix seconds, it is not to be spent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) rests_until: Option<u64>,
}

impl HeldNote {
    /// As it is given or spent: never with a proof of the signature, which would unmask its withdrawal.
    pub(crate) fn proof(&self) -> Proof {
        Proof {
            amount: self.amount,
            id: self.keyset,
            secret: self.secret.text().to_owned(),
            signature: self.signature,
            witness: self.witness.clone(),
            dleq: None,
        }
    }

    pub(crate) fn rests(&self, now: u64) -> bool {
        self.rests_until.is_some_and(|until| now < until)
    }
}

impl From<&Proof> for HeldNote {
    fn from(proof: &Proof) -> Self {
        Self {
            amount: proof.amount,
            keyset: proof.id,
            secret: NoteSecret::new(&proof.secret),
            signature: proof.signature,
            witness: proof.witness.clone(),
            rests_until: None,
        }
    }
}

pub(crate) fn proofs(notes: &[HeldNote]) -> Vec<Proof> {
    notes.iter().map(HeldNote::proof).collect()
}

/// What notes are worth. A purse cannot hold 2^64 minor units: no mint issues that much.
pub(crate) fn worth<'a>(notes: impl IntoIterator<Item = &'a HeldNote>) -> u64 {
    notes.into_iter().fold(0, |sum, note| sum.saturating_add(note.amount))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_does_not_show_itself() {
        assert_eq!(format!("{:?}", NoteSecret::new("abc")), "NoteSecret(…)");
    }
}
