//! An OpenID provider that grants allowances for anonymous cash: somebody shows the pseudonym of a sector that is there
//! for nothing else, and gets an access token for one batch of blind tokens at a bank. It counts batches by pseudonym
//! and epoch over all banks; it learns no name and no number, and sees neither tokens nor what they are used for.

mod browser;
mod device;
mod presenting;

use crate::http::{Client, Problem};
use crate::issuer::LAPSED_SECONDS;
use crate::relying_party::Party;
use crate::signing::Signing;
use crate::trust::TrustSource;
use axum::Json;
use axum::extract::{Path, State};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use yufu_allowances::{Allowances, AllowancesError};
use yufu_base::{InstitutionId, Timestamp};
use yufu_engine::Clock;
use yufu_keys::InUse;
use yufu_openid4vc::device::GRANT_DEVICE_CODE;
use yufu_openid4vc::issuance::{GRANT_CODE, PKCE_S256};
use yufu_payment::ALLOWANCE_SCOPE;
use yufu_profile::{Allowance, PseudonymEpoch};
use zeroize::Zeroizing;

use crate::http::ProblemBody;

/// An OpenID provider, and what it works with.
pub struct OpenidProvider {
    /// Its name in the profile.
    pub id: InstitutionId,
    /// Its address, as the trust list has it: the issuer of its access tokens.
    pub identifier: String,
    /// Its records.
    pub records: Allowances,
    /// How it shows itself to wallets.
    pub party: InUse<Party>,
    /// Whom it trusts to issue identities, and to say which were revoked.
    pub trust: TrustSource,
    /// Looks at the banks' keysets.
    pub client: Client,
    /// The addresses of the banks' mints.
    pub mints: BTreeMap<String, String>,
    /// What it grants.
    pub allowance: Allowance,
    /// Its epochs.
    pub epoch: PseudonymEpoch,
    /// The key that signs access tokens, with its certificates.
    pub signing: InUse<Signing>,
    /// Under which pseudonyms are digested.
    pub digests: Zeroizing<[u8; 32]>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
}

/// The OpenID providers that run here, by name.
pub type OpenidProviders = BTreeMap<String, Arc<OpenidProvider>>;

/// The keysets with which banks sign blind tokens in this epoch: the same for everybody.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct TokenKeysets {
    /// The epoch: its number since 1970.
    pub epoch: u64,
    /// When it ends, in seconds since the epoch.
    pub ends_at: u64,
    /// The id of each bank's keyset, as it was seen first.
    pub keysets: BTreeMap<String, String>,
}

pub(crate) fn described() -> OpenApiRouter<Arc<OpenidProviders>> {
    OpenApiRouter::new()
        .routes(routes!(configuration))
        .routes(routes!(keys))
        .routes(routes!(keysets))
        .routes(routes!(device::authorize))
        .routes(routes!(device::page))
        .routes(routes!(device::token))
        .routes(routes!(browser::authorize))
        .routes(routes!(browser::resume))
        .routes(routes!(presenting::request, presenting::request_with_nonce))
        .routes(routes!(presenting::respond))
}

/// What the provider says of itself (OpenID Connect Discovery).
#[utoipa::path(get, path = "/openid/{provider}/.well-known/openid-configuration", tag = "openid provider",
    params(("provider" = String, Path, description = "the provider")),
    responses((status = 200, body = Object), (status = 404, body = ProblemBody)))]
async fn configuration(
    State(providers): State<Arc<OpenidProviders>>,
    Path(provider): Path<String>,
) -> Result<Json<Value>, Problem> {
    let provider = named(&providers, &provider)?;
    let at = &provider.identifier;
    Ok(Json(json!({
        "issuer": at,
        "jwks_uri": format!("{at}/jwks"),
        "token_endpoint": format!("{at}/token"),
        "authorization_endpoint": format!("{at}/authorize"),
        "device_authorization_endpoint": format!("{at}/device_authorization"),
        "grant_types_supported": [GRANT_CODE, GRANT_DEVICE_CODE],
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "code_challenge_methods_supported": [PKCE_S256],
        "authorization_response_iss_parameter_supported": true,
        "scopes_supported": [ALLOWANCE_SCOPE],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["ES256"],
        "token_endpoint_auth_methods_supported": ["none"],
    })))
}

/// The keys that sign access tokens.
#[utoipa::path(get, path = "/openid/{provider}/jwks", tag = "openid provider",
    params(("provider" = String, Path, description = "the provider")),
    responses((status = 200, body = Object), (status = 404, body = ProblemBody)))]
async fn keys(
    State(providers): State<Arc<OpenidProviders>>,
    Path(provider): Path<String>,
) -> Result<Json<Value>, Problem> {
    let provider = named(&providers, &provider)?;
    Ok(Json(json!({"keys": provider.signing.get().keys()})))
}

/// With which keysets banks sign blind tokens in this epoch.
///
/// Wallets take tokens of these alone: a bank that gave somebody keys of their own could recognise them.
#[utoipa::path(get, path = "/openid/{provider}/v1/keysets", tag = "openid provider",
    params(("provider" = String, Path, description = "the provider")),
    responses((status = 200, body = TokenKeysets), (status = 404, body = ProblemBody)))]
async fn keysets(
    State(providers): State<Arc<OpenidProviders>>,
    Path(provider): Path<String>,
) -> Result<Json<TokenKeysets>, Problem> {
    let provider = named(&providers, &provider)?;
    let now = provider.now();
    let epoch = provider.epoch.number(now);
    let keysets = provider.records.keysets(epoch).await?.into_iter().collect();
    Ok(Json(TokenKeysets { epoch, ends_at: provider.epoch.next_after(now).seconds(), keysets }))
}

/// The provider of that name.
fn named(providers: &OpenidProviders, name: &str) -> Result<Arc<OpenidProvider>, Problem> {
    providers.get(name).cloned().ok_or_else(|| Problem::not_found("OpenID provider here"))
}

impl OpenidProvider {
    fn now(&self) -> Timestamp {
        self.clock.read().wall
    }

    /// Forgets requests that lapsed a day ago, and quotas of epochs that are over; how many requests.
    ///
    /// # Errors
    /// If the records fail.
    pub async fn forget_lapsed(&self) -> Result<u64, Problem> {
        let now = self.now();
        let before = now.minus_seconds(LAPSED_SECONDS);
        Ok(self.records.forget(before, self.epoch.number(now)).await?)
    }
}

impl From<AllowancesError> for Problem {
    fn from(error: AllowancesError) -> Self {
        match error {
            AllowancesError::Unknown(what) => Self::not_found(what),
            AllowancesError::AlreadyAnswered => {
                Self::conflict("presentation.already_answered", error)
            }
            AllowancesError::Used(_) => Self::refused("allowance.used", error),
            AllowancesError::KeysetDiffers => Self::forbidden("allowance.keyset_differs", error),
            other => Self::internal(other),
        }
    }
}
