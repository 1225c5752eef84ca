//! What meets a condition: signatures and a preimage, as JSON within a note's witness.

use super::check::{SpendError, Transaction, read, sig_all_message};
use super::lock::{Lock, SigFlag};
use crate::curve::{SecretScalar, sign_message};
use crate::encoding::{fixed_from_hex, to_hex};
use crate::message::Proof;
use serde::{Deserialize, Serialize};
use yufu_jose::sha256;

/// The longest witness that is looked at.
const LONGEST: usize = 8192;

/// Signatures and, for a hash lock, a preimage (NUT-11, NUT-14).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Witness {
    /// 64 hexadecimal digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preimage: Option<String>,
    /// Each 128 hexadecimal digits; what is not is by nobody.
    #[serde(default)]
    pub signatures: Vec<String>,
}

/// The witness cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WitnessError {
    /// Longer than any.
    #[error("a witness has at most {LONGEST} bytes")]
    TooLong,
    /// Not the JSON of a witness.
    #[error("the witness is not of the form of NUT-11 or NUT-14: {0}")]
    Form(String),
}

impl Witness {
    /// Reads a witness.
    ///
    /// # Errors
    /// [`WitnessError`].
    pub fn parse(text: &str) -> Result<Self, WitnessError> {
        if text.len() > LONGEST {
            return Err(WitnessError::TooLong);
        }
        let form = |text: String| WitnessError::Form(text);
        let object =
            yufu_jose::parse_json_object(text.as_bytes()).map_err(|e| form(e.to_string()))?;
        serde_json::from_value(object.into()).map_err(|e| form(e.to_string()))
    }

    /// Its text.
    ///
    /// # Errors
    /// [`WitnessError::Form`] if it cannot be written, which does not happen.
    pub fn to_text(&self) -> Result<String, WitnessError> {
        serde_json::to_string(self).map_err(|e| WitnessError::Form(e.to_string()))
    }
}

/// Signs inputs with those of `keys` that their conditions name, beside signatures that are there, and
/// shows `preimage` where a hash asks for one. `auxiliary` is fresh randomness, or zeros.
///
/// # Errors
/// [`SpendError`] for conditions and witnesses that cannot be read.
pub fn unlock(
    inputs: &mut [Proof],
    transaction: Transaction<'_>,
    keys: &[SecretScalar],
    preimage: Option<&[u8; 32]>,
    auxiliary: &[u8; 32],
) -> Result<(), SpendError> {
    let all = sig_all_message(inputs, transaction);
    let mut covered = false;
    for (input, proof) in inputs.iter_mut().enumerate() {
        let fail = |rule| SpendError { input, rule };
        let Some((_, lock)) = read(proof).map_err(fail)? else { continue };
        let for_all = lock.sig_flag == SigFlag::All;
        if for_all && std::mem::replace(&mut covered, true) {
            continue; // the first input's witness is for all of them
        }
        let message = if for_all { all.as_bytes() } else { proof.secret.as_bytes() };
        let parsed = proof.witness.as_deref().map(Witness::parse).transpose();
        let mut witness = parsed.map_err(|e| fail(e.into()))?.unwrap_or_default();
        let named = || lock.receivers.keys.iter().chain(&lock.refund.keys);
        for key in keys.iter().filter(|key| named().any(|k| k.x() == key.to_point().x())) {
            witness.signatures.push(sign_message(key, message, auxiliary));
        }
        if lock.hash.is_some() && witness.preimage.is_none() {
            witness.preimage = preimage.map(|bytes| to_hex(bytes));
        }
        proof.witness = Some(witness.to_text().map_err(|e| fail(e.into()))?);
    }
    Ok(())
}

/// The preimages that open hash locks of `inputs` (NUT-14), each beside the place of its input. One that is shown once
/// opens every input that asks for it, as where one witness is for all (SIG_ALL). Says nothing of the other conditions.
#[must_use]
pub fn shown_preimages(inputs: &[Proof]) -> Vec<(usize, [u8; 32])> {
    let preimage = |proof: &Proof| {
        let shown = Witness::parse(proof.witness.as_deref()?).ok()?.preimage?;
        fixed_from_hex::<32>(&shown)
    };
    let shown: Vec<[u8; 32]> = inputs.iter().filter_map(preimage).collect();
    if shown.is_empty() {
        return Vec::new();
    }
    let opened = |(place, proof): (usize, &Proof)| {
        let hash = Lock::parse(&proof.secret).ok()??.hash?;
        Some((place, *shown.iter().find(|preimage| sha256(*preimage) == hash)?))
    };
    inputs.iter().enumerate().filter_map(opened).collect()
}
