//! Signing keys behind the signer interface, the certificates that carry them, and the one source
//! of randomness. Software keys lie in files that only their owner can read; keys in a PKCS#11 token
//! are behind the same [`yufu_base::Signer`].
#![doc = ""]
#![doc = include_str!("../README.md")]

mod cards;
mod certificate;
mod certified;
mod extensions;
mod in_use;
mod lint;
mod random;
mod ring;
mod store;
mod token;

pub use cards::{CardCountry, CardKeys, CardKeysError, CardSigner, RevokedSigner};
pub use certificate::{AuthorityCertificate, CertificateError, LeafSubject, Validity};
pub use certified::{CertifyError, LEAF_DAYS};
pub use extensions::Reached;
pub use in_use::InUse;
pub use lint::{CertificateKind, LintError, lint, lint_revocations};
pub use random::{Draws, random, random_text};
pub use ring::{Ahead, AheadSigner, Generation, KeyUse, Retired, Ring, RotateError};
pub use store::{IN_TOKEN, KeyStore, KeyStoreError};
pub use token::{
    PIN_VARIABLE, Token, TokenAddress, TokenAddressError, TokenError, TokenKey, TokenKeyName,
};
