//! Blind signatures on secp256k1 (NUT-00, NUT-12). Operations with secrets take the same time whatever the secrets are:
//! libsecp256k1's, or those in lanes (`lanes`). Points on the outside are bytes that only this module understands.

mod batch;
mod blind;
mod compressed;
mod dleq;
mod field;
mod hash;
mod key;
mod lanes;
mod point;
mod scalar;
mod schnorr;
mod sums;

pub use batch::{BatchError, Claim, verify_batch, verify_together};
pub use blind::{BlindError, blind, unblind};
pub use dleq::{Dleq, DleqError, ProofDleq};
pub use hash::{Unhashable, hash_all, hash_to_curve};
pub use key::{MintKey, NoNonce, Promise};
pub use point::{Point, PointError};
pub use scalar::{ScalarError, SecretScalar};

pub(crate) use compressed::Compressed;
pub(crate) use hash::points_and_hashes;
pub(crate) use schnorr::verify_digest;
pub use schnorr::{sign_message, verify_message};
