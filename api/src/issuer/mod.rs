//! An institution as an issuer over OpenID4VCI 1.0: offers, tokens, nonces, credentials and their
//! status. What a credential says is its institution's affair.

mod claims;
mod freezing;
mod haip;
mod offer;
mod protocol;
mod referring;
mod revocations;
mod status;
mod types;

pub(crate) use claims::claims_of;
pub(crate) use haip::{
    Attesters, Attests, Shown, described as described_haip, not_by_sign_in,
    well_known as well_known_haip,
};
pub use haip::{Haip, SignInDesk};
pub use offer::IssuedOffer;
pub(crate) use offer::OfferFor;
pub(crate) use protocol::{Refusal, UnderWay, token_request};
pub(crate) use referring::Referring;
pub use revocations::Revocations;
pub use types::{Types, TypesError, type_metadata};

pub use crate::status_list::Published;

use crate::http::Problem;
use crate::signing::Signing;
use crate::status_list::FREED_SECONDS;
use axum::http::StatusCode;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::{Map, Value};
use std::sync::Arc;
use yufu_base::Timestamp;
use yufu_credentials::{Credentials, CredentialsError};
use yufu_engine::Clock;
use yufu_jose::JwkSet;
use yufu_keys::InUse;
use yufu_openid4vc::issuance::{AuthorizationServerMetadata, CredentialErrorCode, IssuerMetadata};
use yufu_profile::CredentialType;

/// An issuer, and what it works with.
pub struct Issuer {
    /// What it publishes as an issuer.
    pub metadata: IssuerMetadata,
    /// What it publishes as an authorization server.
    pub authorization_server: AuthorizationServerMetadata,
    /// What it issues, by configuration id.
    pub credentials: Vec<CredentialType>,
    /// By what the metadata of their types are known.
    pub types: Types,
    /// Issuances and statuses.
    pub records: Credentials,
    /// Its status lists as they were signed last.
    pub published: Published,
    /// The key that signs credentials and status lists, with its certificates.
    pub signing: InUse<Signing>,
    /// Which of its certificates count no more.
    pub revocations: Revocations,
    /// Itself under HAIP, if it issues to attested wallets.
    pub haip: Option<InUse<Haip>>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
}

/// The claims of one credential, which the holder chooses to show.
pub(crate) type Claims = Map<String, Value>;

/// For how long what lapsed is kept for questions, in seconds.
pub(crate) const LAPSED_SECONDS: u64 = 86_400;

impl Issuer {
    /// Forgets offers and issuances that lapsed a day ago, whose the places of ended credentials were, and which keys could have
    /// frozen those; how many.
    ///
    /// # Errors
    /// If the records fail.
    pub async fn forget_lapsed(&self) -> Result<u64, Problem> {
        let now = self.clock.read().wall;
        let lapsed = self.records.forget_lapsed(now.minus_seconds(LAPSED_SECONDS)).await?;
        let ended = now.minus_seconds(FREED_SECONDS);
        let freed = self.records.free_places(ended).await?;
        let keys = self.records.forget_freeze_keys(ended).await?;
        Ok(lapsed.saturating_add(freed).saturating_add(keys))
    }

    /// The signing keys, for verifiers that resolve them by the issuer's address (SD-JWT VC, section 5).
    pub(crate) fn keys(&self) -> Value {
        let set = JwkSet { keys: self.signing.get().keys() };
        serde_json::json!({"issuer": self.metadata.credential_issuer, "jwks": set})
    }
}

impl From<CredentialsError> for Problem {
    fn from(error: CredentialsError) -> Self {
        match error {
            CredentialsError::Unknown(what) => Self::not_found(what),
            CredentialsError::AlreadyPassed => Self::conflict("issuance.already_passed", error),
            CredentialsError::AlreadyAnswered => {
                Self::conflict("presentation.already_answered", error)
            }
            CredentialsError::PseudonymDiffers { from: None } => {
                denied("pseudonym.differs", &error.to_string())
            }
            CredentialsError::PseudonymDiffers { from: Some(from) } => {
                let from = day(from);
                let why = format!("{error}; new ones are taken from {from} on");
                denied("pseudonym.differs", &why).with("from", from)
            }
            CredentialsError::PseudonymTaken(_) => denied("pseudonym.taken", &error.to_string()),
            CredentialsError::NoPseudonyms => Self::conflict("pseudonym.none", error),
            CredentialsError::ListFull => Self::unavailable("status_list.full", error),
            other => Self::internal(other),
        }
    }
}

/// A refusal of the credential endpoint in both shapes: the house's, and OpenID4VCI's (1.0, 8.3.1.2).
pub(crate) fn denied(code: &str, why: &str) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, code, why)
        .with("error", CredentialErrorCode::CredentialRequestDenied)
        .with("error_description", format!("{code}: {why}"))
}

/// The day of a moment, UTC: `2026-12-10`.
pub(crate) fn day(at: Timestamp) -> String {
    date(at).map_or_else(|| "never".to_owned(), |date| date.to_string())
}

/// The day that it is, UTC.
pub(crate) fn today(now: Timestamp) -> Result<Date, Problem> {
    date(now).ok_or_else(|| Problem::internal("the clock is beyond the calendar"))
}

fn date(at: Timestamp) -> Option<Date> {
    let at = jiff::Timestamp::from_second(i64::try_from(at.seconds()).ok()?).ok()?;
    Some(at.to_zoned(TimeZone::UTC).date())
}
