//! The issuer's side of an issuance (OpenID4VCI 1.0, pre-authorized code), without I/O:
//! [`Offered`] -> [`Authorised`] -> [`Proven`] -> credentials. Time and randomness are
//! arguments; each state can be stored, and holds only digests of what it gave out.
#![doc = ""]
#![doc = include_str!("../README.md")]

mod authorised;
pub mod haip;
mod kind;
mod offered;
mod profile;
mod proven;
mod sectors;
mod stored;

pub use authorised::{Authorised, ProveError};
pub use offered::{
    Offer, OfferEntropy, OfferTerms, Offered, Taken, TermsError, TokenError, TxCode,
};
pub use profile::{
    CredentialProfile, IssuerProfile, ProfileError, credential_of, mdoc_configuration,
};
pub use proven::{IssueError, Proven, Template};
pub use sectors::SectorError;
pub use stored::{IssuerSession, Refused, secret_id};
