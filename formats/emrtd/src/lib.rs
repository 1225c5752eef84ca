//! Electronic identity cards (ICAO 9303): what their bytes mean, and the cryptography that opens and proves them.
//! Pure: time and randomness are arguments (ECDSA's per-signature secret excepted, which the cryptographic library
//! draws inside).
#![doc = ""]
#![doc = include_str!("../README.md")]

pub mod apdu;
mod authority;
pub mod bac;
mod certificate;
pub mod crypto;
pub mod file;
mod key;
pub mod mrz;
pub mod oid;
pub mod pace;
mod portrait;
pub mod secure_messaging;
mod security_info;
pub mod security_object;
mod signature;
mod signed_data;
pub mod tlv;
mod trust;

pub use authority::{Authority, IssueError, SignerName, SignerPurpose, Validity};
pub use certificate::{Certificate, CertificateError};
pub use key::{KeyInfoError, read_key, write_key};
pub use portrait::Portrait;
pub use security_info::{ChipAuthentication, ChipKey, SecurityInfoError, SecurityInfos};
pub use security_object::{Attested, PassiveError};
pub use signature::{SignatureError, SigningKey, verify_challenge};
pub use signed_data::SignedDataError;
pub use trust::{Anchors, Standing, TrustError, write_master_list};
