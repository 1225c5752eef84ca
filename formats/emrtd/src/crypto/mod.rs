//! The cryptography of cards (ICAO 9303-11): ciphers and checksums of a session, key derivation, curves.

mod cipher;
mod curve;
mod derivation;

pub use cipher::{CipherError, SessionKeys, Suite};
pub(crate) use cipher::{decrypt_with, encrypt_with, pad, retail_mac, unpad};
pub use curve::{Curve, CurveError, Point, Secret};
pub use derivation::{AccessKey, CanError, document_key_seed};

use aws_lc_rs::digest;

/// SHA-1, where ICAO 9303 still derives keys with it.
pub(crate) fn sha1(parts: &[&[u8]]) -> [u8; 20] {
    hash(&digest::SHA1_FOR_LEGACY_USE_ONLY, parts)
}

/// SHA-256.
pub(crate) fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    hash(&digest::SHA256, parts)
}

fn hash<const N: usize>(algorithm: &'static digest::Algorithm, parts: &[&[u8]]) -> [u8; N] {
    let mut context = digest::Context::new(algorithm);
    parts.iter().for_each(|part| context.update(part));
    let digest = context.finish();
    let mut bytes = [0; N];
    bytes.iter_mut().zip(digest.as_ref()).for_each(|(to, from)| *to = *from);
    bytes
}
