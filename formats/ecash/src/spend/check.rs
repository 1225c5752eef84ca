//! Whether a transaction meets the conditions of everything it spends: a function of inputs,
//! outputs and time (NUT-11, NUT-14).

use super::lock::{Lock, LockError, Pathway, SigFlag};
use super::secret::Conditions;
use super::witness::{Witness, WitnessError};
use crate::curve::verify_digest;
use crate::encoding::fixed_from_hex;
use crate::message::{BlindedMessage, ErrorCode, Proof};
use yufu_jose::sha256;

/// What inputs are spent for: what a signature over everything covers.
#[derive(Clone, Copy, Debug)]
pub struct Transaction<'a> {
    /// The outputs.
    pub outputs: &'a [BlindedMessage],
    /// The quote that is redeemed for; none for a swap.
    pub quote: Option<&'a str>,
}

/// Why an input may not be spent so. Checked in this order.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SpendRule {
    /// The secret's condition cannot be understood.
    #[error("nobody can spend it: {0}")]
    Malformed(#[from] LockError),
    /// One input's signature is to cover everything, and this one's condition is another.
    #[error(
        "an input is signed for all (SIG_ALL): spend it only with inputs of the same condition"
    )]
    Mixed,
    /// The witness cannot be read.
    #[error(transparent)]
    Witness(#[from] WitnessError),
    /// More signatures than the condition names keys.
    #[error("the witness has more signatures than the condition names keys")]
    TooManySignatures,
    /// No preimage is shown.
    #[error("the note is locked to a hash: show its preimage")]
    NoPreimage,
    /// What is shown is not the preimage.
    #[error("what is shown is not the preimage of the note's hash")]
    WrongPreimage,
    /// Too few of the keys signed.
    #[error(
        "{valid} of {needed} needed keys have signed: sign the secret, or all of the transaction if it says SIG_ALL"
    )]
    Signatures {
        /// How many must.
        needed: usize,
        /// How many did.
        valid: usize,
    },
}

/// An input that may not be spent, and why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("input {input}: {rule}")]
pub struct SpendError {
    /// Its position.
    pub input: usize,
    /// Why.
    pub rule: SpendRule,
}

impl SpendError {
    /// The protocol's number: the list has none but that of an invalid proof.
    #[must_use]
    pub const fn code(&self) -> ErrorCode {
        ErrorCode::ProofInvalid
    }
}

/// Checks that all inputs may be spent for `transaction` at `now`, in Unix seconds. Says nothing of
/// the mint's signatures on them.
///
/// # Errors
/// The first [`SpendError`].
pub fn check_spend(
    inputs: &[Proof],
    transaction: Transaction<'_>,
    now: u64,
) -> Result<(), SpendError> {
    let mut locks = Vec::with_capacity(inputs.len());
    for (input, proof) in inputs.iter().enumerate() {
        locks.push(read(proof).map_err(|rule| SpendError { input, rule })?);
    }
    if let Some((_, lock)) = locks.iter().flatten().find(|(_, lock)| lock.sig_flag == SigFlag::All)
    {
        same(&locks)?;
        let message = sig_all_message(inputs, transaction);
        let witness = inputs.first().and_then(|proof| proof.witness.as_deref());
        return meets(lock, witness, message.as_bytes(), now)
            .map_err(|rule| SpendError { input: 0, rule });
    }
    for (input, (proof, lock)) in inputs.iter().zip(&locks).enumerate() {
        if let Some((_, lock)) = lock {
            meets(lock, proof.witness.as_deref(), proof.secret.as_bytes(), now)
                .map_err(|rule| SpendError { input, rule })?;
        }
    }
    Ok(())
}

/// What is signed if a signature covers everything: secrets and signatures of the inputs, amounts
/// and blinded messages of the outputs, and the quote.
#[must_use]
pub fn sig_all_message(inputs: &[Proof], transaction: Transaction<'_>) -> String {
    let mut text = String::new();
    for proof in inputs {
        text.push_str(&proof.secret);
        text.push_str(&proof.signature.to_hex());
    }
    for output in transaction.outputs {
        text.push_str(&output.amount.to_string());
        text.push_str(&output.blinded.to_hex());
    }
    text.push_str(transaction.quote.unwrap_or_default());
    text
}

pub(super) type Read = Option<(Conditions, Lock)>;

pub(super) fn read(proof: &Proof) -> Result<Read, SpendRule> {
    let Some(conditions) = Conditions::parse(&proof.secret).map_err(LockError::from)? else {
        return Ok(None);
    };
    let lock = Lock::read(&conditions)?;
    Ok(Some((conditions, lock)))
}

/// That every input has the condition of the first, the nonce apart.
fn same(locks: &[Read]) -> Result<(), SpendError> {
    let what = |read: &Read| read.as_ref().map(|(c, _)| (c.kind, c.data.clone(), c.tags.clone()));
    let first = locks.first().map(what);
    match locks.iter().position(|lock| Some(what(lock)) != first) {
        Some(input) => Err(SpendError { input, rule: SpendRule::Mixed }),
        None => Ok(()),
    }
}

fn meets(lock: &Lock, witness: Option<&str>, message: &[u8], now: u64) -> Result<(), SpendRule> {
    let expired = lock.expired(now);
    if expired && lock.refund.keys.is_empty() {
        return Ok(());
    }
    let witness = witness.map(Witness::parse).transpose()?.unwrap_or_default();
    let keys = lock.receivers.keys.len().saturating_add(lock.refund.keys.len());
    if witness.signatures.len() > keys {
        return Err(SpendRule::TooManySignatures);
    }
    let digest = sha256(message);
    let received = receives(lock, &witness, &digest);
    if expired && received.is_err() {
        return signed(&lock.refund, &witness, &digest);
    }
    received
}

fn receives(lock: &Lock, witness: &Witness, digest: &[u8; 32]) -> Result<(), SpendRule> {
    if let Some(hash) = lock.hash {
        let shown = witness.preimage.as_deref().ok_or(SpendRule::NoPreimage)?;
        let preimage: [u8; 32] = fixed_from_hex(shown).ok_or(SpendRule::WrongPreimage)?;
        if sha256(&preimage) != hash {
            return Err(SpendRule::WrongPreimage);
        }
    }
    signed(&lock.receivers, witness, digest)
}

/// Counts keys that signed, not signatures: one key may sign in many ways.
fn signed(pathway: &Pathway, witness: &Witness, digest: &[u8; 32]) -> Result<(), SpendRule> {
    let by = |x: &[u8; 32]| {
        witness.signatures.iter().any(|signature| verify_digest(x, digest, signature))
    };
    let valid = pathway.keys.iter().filter(|key| by(&key.x())).take(pathway.needed).count();
    if valid >= pathway.needed {
        Ok(())
    } else {
        Err(SpendRule::Signatures { needed: pathway.needed, valid })
    }
}
