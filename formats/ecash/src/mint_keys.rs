//! A mint's private keys of one keyset, behind the interface that hides which curve they are on.

use crate::curve::{BatchError, Claim, verify_batch};
use crate::curve::{MintKey, NoNonce, Point, Promise};
use crate::keyset::Keyset;
use crate::keyset_id::KeysetId;
use aws_lc_rs::hmac;
use std::collections::BTreeMap;
use std::fmt;
use zeroize::Zeroizing;

const CONTEXT: &[u8] = b"yufu.mint-key.v1";

/// What a keyset is to be like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeysetPlan {
    /// What the amounts count, in small letters.
    pub unit: String,
    /// Which keyset of this unit: a new number gives new keys.
    pub generation: u64,
    /// How many denominations: the powers of two from 1.
    pub denominations: u8,
    /// The fee of spending a note, in parts per thousand of a unit.
    pub input_fee_ppk: u64,
    /// From when, in Unix seconds, the notes need not be redeemed.
    pub final_expiry: Option<u64>,
}

/// Why keys could not be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// No denominations, or more than fit into 64 bits.
    #[error("a keyset has 1 to 64 denominations, not {0}")]
    Denominations(u8),
    /// A unit is small letters and digits.
    #[error("a keyset's unit is written in small letters and digits")]
    Unit,
    /// No key was found: nobody finds such a seed.
    #[error("this seed gives no key: take another one")]
    NoKey,
}

/// Why a keyset's keys did not sign or verify.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SigningError {
    /// There is no such denomination.
    #[error("the keyset has no notes of {0}: use its amounts")]
    Amount(u64),
    /// The message has no nonce.
    #[error(transparent)]
    NoNonce(#[from] NoNonce),
    /// The batch is not one.
    #[error(transparent)]
    Batch(#[from] BatchError),
}

/// One note to be verified: its amount, the point of its secret and the signature on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Note {
    /// The denomination.
    pub amount: u64,
    /// `Y`, the hashed secret.
    pub hashed: Point,
    /// `C`, the signature.
    pub signature: Point,
}

/// The keys of a keyset, wherever they lie. Callers see amounts and points, never a secret nor the
/// curve's arithmetic, so that keys on another curve or in another machine can stand behind it.
pub trait KeysetSigner: Send + Sync {
    /// The public half, as it is published.
    fn keyset(&self) -> &Keyset;

    /// Signs a blinded message for an amount: the same bytes every time.
    ///
    /// # Errors
    /// [`SigningError`].
    fn sign(&self, amount: u64, message: &Point) -> Result<Promise, SigningError>;

    /// Signs blinded messages, each for the amount beside it, to the same bytes as each by itself. Keys that sign many faster
    /// than one after the other do so here.
    ///
    /// # Errors
    /// [`SigningError`] of the first that is not signed.
    fn sign_all(&self, messages: &[(u64, Point)]) -> Result<Vec<Promise>, SigningError> {
        messages.iter().map(|(amount, message)| self.sign(*amount, message)).collect()
    }

    /// Which of the notes, by position, this keyset did not sign. `coefficients` are fresh randomness,
    /// one for each note: without them a payer could make errors cancel.
    ///
    /// # Errors
    /// [`SigningError`].
    fn verify(&self, notes: &[Note], coefficients: &[u128]) -> Result<Vec<usize>, SigningError>;
}

/// A keyset's keys in memory, made from a seed.
pub struct MintKeys {
    keyset: Keyset,
    keys: BTreeMap<u64, MintKey>,
}

impl MintKeys {
    /// Makes the keys that `seed` and `plan` determine: the same ones after a restore.
    ///
    /// # Errors
    /// [`PlanError`].
    pub fn derive(seed: &[u8; 32], plan: &KeysetPlan) -> Result<Self, PlanError> {
        if !(1..=64).contains(&plan.denominations) {
            return Err(PlanError::Denominations(plan.denominations));
        }
        let named = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit();
        if plan.unit.is_empty() || !plan.unit.bytes().all(named) {
            return Err(PlanError::Unit);
        }
        let seed = hmac::Key::new(hmac::HMAC_SHA256, seed);
        let mut keys = BTreeMap::new();
        for bit in 0..u32::from(plan.denominations) {
            let amount = 1_u64 << bit;
            keys.insert(amount, derive_key(&seed, plan, amount)?);
        }
        let public: BTreeMap<u64, Point> =
            keys.iter().map(|(amount, key)| (*amount, key.public())).collect();
        let keyset = Keyset {
            id: KeysetId::derive(&public, &plan.unit, plan.input_fee_ppk, plan.final_expiry),
            unit: plan.unit.clone(),
            active: Some(true),
            input_fee_ppk: Some(plan.input_fee_ppk),
            final_expiry: plan.final_expiry,
            keys: public,
        };
        Ok(Self { keyset, keys })
    }

    fn key(&self, amount: u64) -> Result<&MintKey, SigningError> {
        self.keys.get(&amount).ok_or(SigningError::Amount(amount))
    }
}

/// HMAC-SHA256 under the seed of context, unit, generation, amount and the first usable counter.
fn derive_key(seed: &hmac::Key, plan: &KeysetPlan, amount: u64) -> Result<MintKey, PlanError> {
    for counter in 0..=u8::MAX {
        let mut context = hmac::Context::with_key(seed);
        context.update(CONTEXT);
        context.update(&[u8::try_from(plan.unit.len()).map_err(|_| PlanError::Unit)?]);
        context.update(plan.unit.as_bytes());
        context.update(&plan.generation.to_be_bytes());
        context.update(&amount.to_be_bytes());
        context.update(&[counter]);
        let tag = context.sign();
        let Ok(bytes) = <[u8; 32]>::try_from(tag.as_ref()).map(Zeroizing::new) else { continue };
        if let Ok(key) = MintKey::from_bytes(&bytes) {
            return Ok(key);
        }
    }
    Err(PlanError::NoKey)
}

impl KeysetSigner for MintKeys {
    fn keyset(&self) -> &Keyset {
        &self.keyset
    }

    fn sign(&self, amount: u64, message: &Point) -> Result<Promise, SigningError> {
        Ok(self.key(amount)?.sign(message)?)
    }

    fn sign_all(&self, messages: &[(u64, Point)]) -> Result<Vec<Promise>, SigningError> {
        let keyed = messages.iter().map(|(amount, message)| Ok((self.key(*amount)?, *message)));
        Ok(MintKey::sign_all(&keyed.collect::<Result<Vec<_>, SigningError>>()?)?)
    }

    fn verify(&self, notes: &[Note], coefficients: &[u128]) -> Result<Vec<usize>, SigningError> {
        let claims = notes
            .iter()
            .map(|note| {
                Ok(Claim {
                    key: self.key(note.amount)?,
                    hashed: note.hashed,
                    signature: note.signature,
                })
            })
            .collect::<Result<Vec<_>, SigningError>>()?;
        Ok(verify_batch(&claims, coefficients)?)
    }
}

impl fmt::Debug for MintKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MintKeys({})", self.keyset.id)
    }
}
