//! Credentials that can be shown again and again without a showing telling of another, and by which a party still
//! knows a person again: under one pseudonym, which no other party can compare with its own (BBS signatures).
#![doc = ""]
#![doc = include_str!("../README.md")]

mod claim;
mod commitment;
mod credential;
mod encoding;
mod issuer;
mod presentation;
mod terms;

pub use claim::{ClaimValue, Claims};
pub use commitment::{Blinding, Commitment, HolderSecret, SECRETS};
pub use credential::{HeldCredential, HoldError, Issued, Signature};
pub use encoding::EncodingError;
pub use issuer::{Entropy, IssueError, IssuerKey, IssuerPublicKey};
pub use presentation::{Bound, Context, Presentation, ProofError, Pseudonym, ShowError};
pub use terms::{Terms, TermsError};

/// The suite of all keys, credentials and proofs: BLS12-381 with SHA-256.
pub(crate) type Suite = zkryptium::schemes::algorithms::BbsBls12381Sha256;
