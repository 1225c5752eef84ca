//! The identity authority: knows the population, has an officer authenticate a person, and issues
//! the identity credential over OpenID4VCI. It is not told where a credential is shown.

mod claims;
mod issuance;
mod metadata;
mod officer;
mod status;

pub use metadata::issuer_profile;
pub use officer::{AccessEntry, Authentication, IssuedOffer, NumberOnly, Revocation, Revoked};

use crate::http::{OperatorToken, Problem};
use axum::Router;
use axum::routing::get;
use std::sync::Arc;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use yufu_base::{InstitutionId, Signer, Timestamp};
use yufu_credentials::{Credentials, CredentialsError};
use yufu_engine::Clock;
use yufu_jose::Chain;
use yufu_openid4vc::issuance::{AuthorizationServerMetadata, IssuerMetadata};
use yufu_population::{Population, PopulationError};
use yufu_profile::{CredentialType, NumberScheme, UtcOffsets};

/// The identity authority, and what it works with.
pub struct Authority {
    /// Its name.
    pub id: InstitutionId,
    /// What it publishes as an issuer.
    pub metadata: IssuerMetadata,
    /// What it publishes as an authorization server.
    pub authorization_server: AuthorizationServerMetadata,
    /// What it issues, by configuration id.
    pub credentials: Vec<CredentialType>,
    /// The country's resident numbers.
    pub numbers: NumberScheme,
    /// The country's civil time: a person's age changes at its midnight.
    pub offsets: UtcOffsets,
    /// The population register.
    pub population: Population,
    /// Issuances and statuses.
    pub records: Credentials,
    /// The key that signs credentials and status lists.
    pub signer: Arc<dyn Signer>,
    /// Its certificate chain.
    pub chain: Chain,
    /// The token of its officers.
    pub operator: OperatorToken,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
}

pub(crate) fn described() -> OpenApiRouter<Arc<Authority>> {
    OpenApiRouter::new()
        .routes(routes!(officer::authenticate))
        .routes(routes!(officer::accesses))
        .routes(routes!(officer::revoke))
        .routes(routes!(issuance::token))
        .routes(routes!(issuance::nonce))
        .routes(routes!(issuance::credential))
        .routes(routes!(status::list))
}

/// Documents at well-known addresses, whose paths the issuer's identifier determines.
pub(crate) fn well_known() -> Router<Arc<Authority>> {
    Router::new()
        .route("/.well-known/openid-credential-issuer/authority", get(metadata::issuer))
        .route(
            "/.well-known/oauth-authorization-server/authority",
            get(metadata::authorization_server),
        )
        .route("/.well-known/jwt-vc-issuer/authority", get(metadata::keys))
}

impl Authority {
    fn now(&self) -> Timestamp {
        self.clock.read().wall
    }

    /// The address of a status list.
    fn status_uri(&self, list: i32) -> String {
        format!("{}/status/{list}", self.metadata.credential_issuer.as_str())
    }
}

impl From<PopulationError> for Problem {
    fn from(error: PopulationError) -> Self {
        match error {
            PopulationError::NotFound => Self::not_found("person in the register"),
            PopulationError::Access(access) => Self::malformed(access),
            other => Self::internal(other),
        }
    }
}

impl From<CredentialsError> for Problem {
    fn from(error: CredentialsError) -> Self {
        match error {
            CredentialsError::Unknown(what) => Self::not_found(what),
            CredentialsError::AlreadyPassed => Self::conflict("issuance.already_passed", error),
            CredentialsError::ListFull => Self::unavailable("status_list.full", error),
            other => Self::internal(other),
        }
    }
}
