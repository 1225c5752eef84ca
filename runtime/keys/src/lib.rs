//! Signing keys behind the signer interface, the certificates that carry them, and the one source
//! of randomness. Software keys lie in files that only their owner can read; a token would
//! implement the same [`yufu_base::Signer`].
#![doc = ""]
#![doc = include_str!("../README.md")]

mod cards;
mod certificate;
mod certified;
mod random;
mod store;

pub use cards::{CardCountry, CardKeys, CardKeysError, CardSigner, RevokedSigner};
pub use certificate::{AuthorityCertificate, CertificateError, LeafSubject, Validity};
pub use certified::{CertifyError, LEAF_DAYS};
pub use random::{random, random_text};
pub use store::{KeyStore, KeyStoreError};
