//! BIP-340 signatures on the SHA-256 of a message, as NUT-11 and NUT-20 use them.

use super::{Point, SecretScalar};
use crate::encoding::{fixed_from_hex, to_hex};
use secp256k1::{Keypair, SECP256K1, XOnlyPublicKey, schnorr};
use yufu_jose::sha256;

/// Signs the SHA-256 of `message`: 128 hexadecimal digits. `auxiliary` is fresh randomness, which
/// hardens against faults; zeros are as unforgeable.
#[must_use]
pub fn sign_message(key: &SecretScalar, message: &[u8], auxiliary: &[u8; 32]) -> String {
    let mut pair = Keypair::from_secret_key(SECP256K1, &key.0);
    let signature = SECP256K1.sign_schnorr_with_aux_rand(&sha256(message), &pair, auxiliary);
    pair.non_secure_erase();
    to_hex(signature.as_ref())
}

/// Whether `signature`, in hexadecimal, is by `key` on the SHA-256 of `message`. As in BIP-340 only
/// the x coordinate of the key counts.
#[must_use]
pub fn verify_message(key: &Point, message: &[u8], signature: &str) -> bool {
    verify_digest(&key.x(), &sha256(message), signature)
}

pub(crate) fn verify_digest(x: &[u8; 32], digest: &[u8; 32], signature: &str) -> bool {
    let Some(bytes) = fixed_from_hex::<64>(signature) else { return false };
    let signature = schnorr::Signature::from_byte_array(bytes);
    let Ok(key) = XOnlyPublicKey::from_byte_array(*x) else { return false };
    SECP256K1.verify_schnorr(&signature, digest, &key).is_ok()
}
