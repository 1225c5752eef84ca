//! Outputs that a mint is asked to sign. Everything of them follows from the seed and a counter, or stands in
//! the record, so that the same request is made again after a crash.

use crate::keysets::KnownMint;
use crate::note::{HeldNote, NoteSecret};
use serde::{Deserialize, Serialize};
use yufu_ecash::message::{BlindSignature, BlindedMessage};
use yufu_ecash::{
    BlindError, DeriveError, DleqError, KeysetId, ProofDleq, SecretScalar, Seed, blind, unblind,
};

/// An output to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Planned {
    pub(crate) amount: u64,
    pub(crate) keyset: KeysetId,
    pub(crate) counter: u64,
    /// The condition that its secret is; none is the secret of the counter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) condition: Option<NoteSecret>,
    /// Whether it is for somebody else.
    #[serde(default)]
    pub(crate) given: bool,
}

/// A signed output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Signed {
    pub(crate) note: HeldNote,
    pub(crate) given: bool,
    /// With the blinding factor: for a payee without network alone.
    pub(crate) dleq: ProofDleq,
}

/// Why signatures are not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// Not as many signatures as outputs, or of other amounts or keysets.
    #[error(
        "the mint signed other outputs than were asked for: report it; the step is kept and can be repeated"
    )]
    Other,
    /// No proof that the published key signed.
    #[error(
        "the mint sent a signature without its proof (NUT-12): report it; the step is kept and can be repeated"
    )]
    NoProof,
    /// A keyset or size that is not known.
    #[error("the keyset or size of an output is not known any more: fetch the mint's keysets")]
    UnknownKey,
    /// The proof does not convince.
    #[error("{0}: report the mint; the step is kept and can be repeated")]
    Proof(#[from] DleqError),
    /// The seed gives nothing at this counter.
    #[error(transparent)]
    Derive(#[from] DeriveError),
    /// The secret cannot be blinded.
    #[error(transparent)]
    Blind(#[from] BlindError),
}

impl Planned {
    fn parts(&self, seed: &Seed) -> Result<(NoteSecret, SecretScalar), DeriveError> {
        let derived = seed.note(&self.keyset, self.counter)?;
        let own = || NoteSecret::new(&derived.secret);
        Ok((self.condition.clone().unwrap_or_else(own), derived.factor))
    }

    /// What the mint is asked to sign.
    pub(crate) fn message(&self, seed: &Seed) -> Result<BlindedMessage, SignatureError> {
        let (secret, factor) = self.parts(seed)?;
        let blinded = blind(secret.text().as_bytes(), &factor)?;
        Ok(BlindedMessage { amount: self.amount, id: self.keyset, blinded })
    }

    /// The note, once the mint's signature is checked.
    pub(crate) fn finish(
        &self,
        seed: &Seed,
        mint: &KnownMint,
        signed: &BlindSignature,
    ) -> Result<Signed, SignatureError> {
        if signed.amount != self.amount || signed.id != self.keyset {
            return Err(SignatureError::Other);
        }
        let key = mint.key(&self.keyset, self.amount).ok_or(SignatureError::UnknownKey)?;
        let proof = signed.dleq.ok_or(SignatureError::NoProof)?;
        let (secret, factor) = self.parts(seed)?;
        let blinded = blind(secret.text().as_bytes(), &factor)?;
        proof.verify(key, &blinded, &signed.signature)?;
        let signature = unblind(&signed.signature, &factor, key)?;
        let note = HeldNote {
            amount: self.amount,
            keyset: self.keyset,
            secret,
            signature,
            witness: None,
            rests_until: None,
        };
        Ok(Signed { note, given: self.given, dleq: ProofDleq { proof, r: factor } })
    }
}

/// What the mint is asked to sign.
pub(crate) fn messages(
    outputs: &[Planned],
    seed: &Seed,
) -> Result<Vec<BlindedMessage>, SignatureError> {
    outputs.iter().map(|output| output.message(seed)).collect()
}

/// The notes of all outputs, in their order, or none.
pub(crate) fn finish(
    outputs: &[Planned],
    seed: &Seed,
    mint: &KnownMint,
    signatures: &[BlindSignature],
) -> Result<Vec<Signed>, SignatureError> {
    if signatures.len() != outputs.len() {
        return Err(SignatureError::Other);
    }
    outputs.iter().zip(signatures).map(|(output, one)| output.finish(seed, mint, one)).collect()
}
