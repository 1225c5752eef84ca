//! The proof that a signature was made with the published key (NUT-12).

use super::{BlindError, Point, SecretScalar, blind, blind::reblind};
use crate::encoding::{append_hex, deserialize_hex, serialize_hex};
use borsh::{BorshDeserialize, BorshSerialize};
use secp256k1::{SECP256K1, Scalar};
use serde::{Deserialize, Serialize};
use yufu_jose::sha256;

/// A proof that the logarithm of `C_` to `B_` is that of the key to the generator.
/// Shows nothing of the blinding factor: it goes to who asked for the signature.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, BorshSerialize, BorshDeserialize,
)]
pub struct Dleq {
    /// The challenge.
    #[serde(serialize_with = "hex_out", deserialize_with = "deserialize_hex")]
    pub e: [u8; 32],
    /// The response.
    #[serde(serialize_with = "hex_out", deserialize_with = "deserialize_hex")]
    pub s: [u8; 32],
}

/// The proof as it goes from payer to payee, with the factor that makes it convincing. Whoever has
/// it and the mint's memory can link the note to its withdrawal: never sent to a mint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProofDleq {
    /// The mint's proof.
    #[serde(flatten)]
    pub proof: Dleq,
    /// The blinding factor.
    pub r: SecretScalar,
}

/// Why a proof does not convince.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DleqError {
    /// `e` or `s` is zero or not below the order of the curve.
    #[error("the proof of the signature is malformed: do not accept the note")]
    Malformed,
    /// The equation does not hold: signed with another key, or altered.
    #[error("the note is not signed with the mint's published key: do not accept it")]
    Mismatch,
    /// The note cannot be blinded again with the factor given.
    #[error("the blinding factor does not fit the note: {0}")]
    Blind(#[from] BlindError),
}

impl Dleq {
    /// Checks the mint's answer: that `signature` is `message` times the secret of `key`.
    ///
    /// # Errors
    /// [`DleqError::Malformed`], [`DleqError::Mismatch`].
    pub fn verify(&self, key: &Point, message: &Point, signature: &Point) -> Result<(), DleqError> {
        let e = number(self.e)?;
        let s = number(self.s)?;
        // R1 = sG - eA, R2 = sB_ - eC_
        let key_e = key.0.mul_tweak(SECP256K1, &e).map_err(|_| DleqError::Malformed)?;
        let r1 = key_e.negate(SECP256K1).add_exp_tweak(SECP256K1, &s);
        let message_s = message.0.mul_tweak(SECP256K1, &s).map_err(|_| DleqError::Malformed)?;
        let signature_e = signature.0.mul_tweak(SECP256K1, &e).map_err(|_| DleqError::Malformed)?;
        let r2 = message_s.combine(&signature_e.negate(SECP256K1));
        let (Ok(r1), Ok(r2)) = (r1, r2) else { return Err(DleqError::Mismatch) };
        let points = [
            Point(r1).uncompressed(),
            Point(r2).uncompressed(),
            key.uncompressed(),
            signature.uncompressed(),
        ];
        if challenge(&points) == self.e { Ok(()) } else { Err(DleqError::Mismatch) }
    }
}

impl ProofDleq {
    /// Checks a note without its mint: that `signature` on `secret` was made with `key`.
    ///
    /// # Errors
    /// Any [`DleqError`].
    pub fn verify(&self, key: &Point, secret: &str, signature: &Point) -> Result<(), DleqError> {
        let message = blind(secret.as_bytes(), &self.r)?;
        let blinded = reblind(signature, &self.r, key)?;
        self.proof.verify(key, &message, &blinded)
    }
}

/// SHA-256 of the uncompressed points in hexadecimal, one after the other.
pub(crate) fn challenge(points: &[[u8; 65]; 4]) -> [u8; 32] {
    let mut text = Vec::with_capacity(520);
    for point in points {
        append_hex(&mut text, point);
    }
    sha256(&text)
}

fn number(bytes: [u8; 32]) -> Result<Scalar, DleqError> {
    Scalar::from_be_bytes(bytes)
        .ok()
        .filter(|number| *number != Scalar::ZERO)
        .ok_or(DleqError::Malformed)
}

fn hex_out<S: serde::Serializer>(bytes: &[u8; 32], serializer: S) -> Result<S::Ok, S::Error> {
    serialize_hex(bytes, serializer)
}
