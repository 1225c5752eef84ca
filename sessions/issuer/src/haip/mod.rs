//! The authorization code flow of OpenID4VCI 1.0 under HAIP 1.0: [`Pushed`] -> [`Coded`] -> [`Granted`] ->
//! [`Access`] and [`Refresh`] -> [`Proven`](crate::Proven) -> credentials, or [`Deferred`] in between.
//! Each state can be sealed and carried by the wallet: the issuer keeps only what may happen once.

mod access;
mod coded;
mod deferred;
mod published;
mod pushed;

pub use access::{Access, AccessError, HaipProveError, KeyRules};
pub use coded::{Coded, GrantError, Granted, Refresh};
pub use deferred::Deferred;
pub use published::HaipDocuments;
pub use pushed::{AuthorizeError, PushError, Pushed};

use serde::{Deserialize, Serialize};

/// For how long a pushed request can be taken up, in seconds: the person reads, and types digits.
pub const PUSHED_SECONDS: u64 = 600;
/// For how long a code can be exchanged, in seconds (FAPI 2.0, section 5.3.2.1: at most a minute).
pub const CODE_SECONDS: u64 = 60;
/// For how long an access token is good, in seconds.
pub const ACCESS_SECONDS: u64 = 600;

/// The chip card that something is derived from: it ends with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CardBasis {
    /// What the issuer's records call the card.
    pub card: String,
    /// The end of its last day, in seconds since the epoch.
    pub until: u64,
}

/// One installation of a wallet, by its attestation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WalletClient {
    /// Whose wallet it is: the same for all of them.
    pub client_id: String,
    /// The thumbprint of the attested key, which is for this issuer alone.
    pub instance: String,
}
