//! Getting credentials: [`scan`] -> ([`FetchingOffer`]) -> [`FetchingIssuer`] ->
//! [`FetchingServer`] -> [`Ready`] -> [`ExchangingCode`] -> [`FetchingNonce`] ->
//! [`RequestingCredentials`] -> [`HeldCredential`](crate::HeldCredential)s.

mod credentials;
mod described;
mod discover;
mod exchange;
mod expected;
pub mod haip;
mod offer;
mod ready;
mod received;
mod sectors;
mod types;

pub use credentials::{
    CredentialProblem, CredentialsError, FetchingNonce, NonceError, RequestingCredentials,
};
pub use described::Described;
pub use discover::{DiscoverError, FetchingIssuer, FetchingServer};
pub use exchange::{ExchangeError, ExchangingCode};
pub use offer::{FetchingOffer, ScanError, Scanned, scan};
pub use ready::{Ready, TxCodeError};
pub(crate) use received::Received;
pub use sectors::SectorKeys;
pub use types::{FetchingType, KnownType, TypeError, TypeStep};

use serde::{Deserialize, Serialize};

/// An issuance in any of its states, for storage.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum IssuanceState {
    /// The offer is being fetched.
    FetchingOffer(FetchingOffer),
    /// The issuer's metadata are being fetched.
    FetchingIssuer(FetchingIssuer),
    /// The authorization server's metadata are being fetched.
    FetchingServer(FetchingServer),
    /// The person decides, and types the transaction code.
    Ready(Ready),
    /// The code is being exchanged.
    ExchangingCode(ExchangingCode),
    /// A nonce is being fetched.
    FetchingNonce(FetchingNonce),
    /// The credentials are being requested.
    RequestingCredentials(RequestingCredentials),
}
