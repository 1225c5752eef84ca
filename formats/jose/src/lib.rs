//! JSON Web Keys, signatures and encryption, and the X.509 chains they travel with.
//! One algorithm per job: ES256 signs, ECDH-ES with AES-GCM encrypts, SHA-256 digests.
//! Pure: time and randomness are arguments (ECDSA's per-signature secret excepted,
//! which the cryptographic library draws inside).
#![doc = include_str!("../README.md")]

mod agreement;
mod claim_path;
mod encoding;
pub mod jwe;
mod jwk;
mod jws;
mod key;
mod key_ids;
mod sealing;
mod seen;
mod time;
mod x509;

pub use agreement::{AgreementKey, NoAgreement, on_curve};
pub use claim_path::{ClaimPath, ClaimPathError, PathStep};
pub use encoding::{
    Base64Error, JsonError, decode_base64url, encode_base64url, parse_json, parse_json_object,
    sha256,
};
pub use jwk::{Jwk, JwkError, JwkSet};
pub use jws::{DEFAULT_MAX_JWS, Header, JwsError, SignError, Unverified, Verified, sign};
pub use key::{KeyError, SignatureInvalid, SoftwareKey, verify};
pub use key_ids::subject_key_id;
pub use sealing::{SealError, SealingKey, SealingKeys};
pub use seen::SeenSignatures;
pub use time::{TimeError, Validity, numeric_date, optional_numeric_date};
pub use x509::{Chain, ChainError, Leaf, next_revocations, unverified_key};
