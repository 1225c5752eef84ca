//! What is blinded, signed and spent (NUT-00), with its proofs and witnesses.

use crate::curve::{Compressed, Dleq, DleqError, Point, ProofDleq, Unhashable, hash_to_curve};
use crate::keyset_id::KeysetId;
use borsh::{BorshDeserialize, BorshSerialize};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

/// An output: a blinded message that asks for a signature. `P` is its point, worked out or not yet.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, BorshSerialize, BorshDeserialize,
)]
pub struct BlindedMessage<P = Point> {
    /// The denomination.
    pub amount: u64,
    /// The keyset to sign with.
    pub id: KeysetId,
    /// The blinded message.
    #[serde(rename = "B_")]
    pub blinded: P,
}

/// A promise: the mint's signature on a blinded message.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, BorshSerialize, BorshDeserialize,
)]
pub struct BlindSignature {
    /// The denomination.
    pub amount: u64,
    /// The keyset that signed.
    pub id: KeysetId,
    /// The blind signature.
    #[serde(rename = "C_")]
    pub signature: Point,
    /// That the published key made it (NUT-12).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dleq: Option<Dleq>,
}

/// A note as it is spent or given: a secret, and the mint's signature on it. `P` is the signature's point, worked out or
/// not yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proof<P = Point> {
    /// The denomination.
    pub amount: u64,
    /// The keyset that signed.
    pub id: KeysetId,
    /// The secret: random, or conditions of spending (NUT-10).
    pub secret: String,
    /// The signature.
    #[serde(rename = "C")]
    pub signature: P,
    /// What meets the conditions of the secret: JSON in a string; an object is taken too.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "text_or_object")]
    pub witness: Option<String>,
    /// For a payee without network only (NUT-12); [`Proof::stripped`] before a mint sees it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dleq: Option<ProofDleq>,
}

impl BlindedMessage<Compressed> {
    pub(super) const fn with(self, blinded: Point) -> BlindedMessage {
        BlindedMessage { amount: self.amount, id: self.id, blinded }
    }
}

impl Proof<Compressed> {
    pub(super) fn with(self, signature: Point) -> Proof {
        let Self { amount, id, secret, signature: _, witness, dleq } = self;
        Proof { amount, id, secret, signature, witness, dleq }
    }
}

impl Proof {
    /// `Y`: what the mint remembers of it once it is spent.
    ///
    /// # Errors
    /// [`Unhashable`], for secrets that nobody finds.
    pub fn hashed(&self) -> Result<Point, Unhashable> {
        hash_to_curve(self.secret.as_bytes())
    }

    /// Without the blinding factor, which would tell the mint when the note was withdrawn.
    #[must_use]
    pub fn stripped(mut self) -> Self {
        self.dleq = None;
        self
    }

    /// Checks without a mint that `key`, its keyset's for its amount, signed it (NUT-12).
    ///
    /// # Errors
    /// [`OfflineError`].
    pub fn verify_offline(&self, key: &Point) -> Result<(), OfflineError> {
        let dleq = self.dleq.as_ref().ok_or(OfflineError::NoProof)?;
        Ok(dleq.verify(key, &self.secret, &self.signature)?)
    }
}

/// Why a note cannot be trusted without asking its mint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OfflineError {
    /// The payer sent no proof of the signature.
    #[error("the note carries no proof of its signature: ask its mint before you accept it")]
    NoProof,
    /// The proof does not convince.
    #[error(transparent)]
    Proof(#[from] DleqError),
}

fn text_or_object<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(match Option::<Value>::deserialize(deserializer)? {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) if text.is_empty() => None,
        Some(Value::String(text)) => Some(text),
        Some(other) => Some(other.to_string()),
    })
}
