//! A wallet provider: vouches for keys in its own wallets, so that banks may let it onboard people
//! on their behalf. It knows an instance by the key that the instance made at its first start, and
//! nothing about persons: what a wallet shows goes from the wallet to the bank. It is not even told
//! for which bank an attestation is.

mod freezing;

use crate::http::{Problem, ProblemBody, bearer};
use crate::signing::{self, Signing};
use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use yufu_base::{InstitutionId, PublicKey, Timestamp};
use yufu_engine::Clock;
use yufu_instances::{Instance, Instances, InstancesError};
use yufu_jose::Jwk;
use yufu_keys::InUse;
use yufu_openid4vc::attestation::WalletAttestation;
use yufu_openid4vc::issuance::{KeyAttestation, MAX_ATTESTED_KEYS, STORAGE_BASIC};
use yufu_payment::RequestToken;

/// How long an attestation is good, in seconds, before it is rounded down to whole minutes.
const ATTESTATION_SECONDS: u64 = 900;

/// A wallet provider, and what it works with.
pub struct WalletProvider {
    /// Its name in the profile.
    pub id: InstitutionId,
    /// Its address, as the trust list has it.
    pub identifier: String,
    /// Its records.
    pub records: Instances,
    /// The key that signs attestations, with its certificates.
    pub signing: InUse<Signing>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
}

/// The wallet providers that run here, by name.
pub type WalletProviders = BTreeMap<String, Arc<WalletProvider>>;

/// An instance of the provider's wallet that starts for the first time.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InstanceRequest {
    /// The key that it made: a P-256 JWK.
    #[schema(value_type = Object)]
    pub instance_key: Jwk,
}

/// Everything that the provider knows of an instance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct KnownInstance {
    /// The key that it made: a P-256 JWK.
    #[schema(value_type = Object)]
    pub instance_key: Jwk,
    /// The day of its registration: its first second, since the epoch.
    pub registered_day: u64,
}

/// A wish for an attestation.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AttestationRequest {
    /// The key to be attested, a P-256 JWK: a fresh one for each bank.
    #[schema(value_type = Object)]
    pub key: Jwk,
}

/// A wish for a key attestation.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct KeyAttestationRequest {
    /// The keys, P-256 JWKs: fresh ones, that lie in this wallet.
    #[schema(value_type = Vec<Object>)]
    pub keys: Vec<Jwk>,
    /// The issuer's nonce: the attestation is for one request. Its issuer is not named.
    pub nonce: String,
}

/// A key attestation.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct AttestedKeys {
    /// A JWS of type `key-attestation+jwt`, for the header `key_attestation` of a proof.
    pub key_attestation: String,
}

/// A wallet attestation.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Attestation {
    /// A JWS of type `oauth-client-attestation+jwt`, for the header `OAuth-Client-Attestation`.
    pub attestation: String,
}

pub(crate) fn described() -> OpenApiRouter<Arc<WalletProviders>> {
    OpenApiRouter::new()
        .routes(routes!(register))
        .routes(routes!(known))
        .routes(routes!(attest))
        .routes(routes!(attest_keys))
        .routes(routes!(freezing::leave))
        .routes(routes!(freezing::stop))
}

/// Register an instance of this provider's wallet, at its first start. Again is harmless.
///
/// The bearer token is a JWS of type `yufu-request+jwt` by the instance's key, for this address.
#[utoipa::path(post, path = "/wallet-providers/{provider}/v1/instances", tag = "wallet provider",
    params(("provider" = String, Path, description = "the provider")), request_body = InstanceRequest,
    security(("request" = [])),
    responses((status = 201, body = KnownInstance), (status = 401, description = "not the key's", body = ProblemBody), (status = 404, body = ProblemBody)))]
async fn register(
    State(providers): State<Arc<WalletProviders>>,
    Path(provider): Path<String>,
    headers: HeaderMap,
    request: Result<Json<InstanceRequest>, JsonRejection>,
) -> Result<(StatusCode, Json<KnownInstance>), Problem> {
    let provider = named(&providers, &provider)?;
    let key = request?.0.instance_key;
    Ok((StatusCode::CREATED, Json(provider.register(&headers, key).await?)))
}

/// What this provider knows of the asking instance.
///
/// The bearer token is a JWS of type `yufu-request+jwt` by the instance's key, for this address.
#[utoipa::path(get, path = "/wallet-providers/{provider}/v1/instance", tag = "wallet provider",
    params(("provider" = String, Path, description = "the provider")), security(("request" = [])),
    responses((status = 200, body = KnownInstance), (status = 401, body = ProblemBody), (status = 403, description = "no registered instance", body = ProblemBody)))]
async fn known(
    State(providers): State<Arc<WalletProviders>>,
    Path(provider): Path<String>,
    headers: HeaderMap,
) -> Result<Json<KnownInstance>, Problem> {
    let provider = named(&providers, &provider)?;
    Ok(Json(shown(provider.authenticate(&headers, "GET", "instance").await?)?))
}

/// Get an attestation for a key that lies in the asking instance. It says that this provider vouches
/// for the key, until when, and nothing else.
///
/// The bearer token is a JWS of type `yufu-request+jwt` by the instance's key, for this address.
#[utoipa::path(post, path = "/wallet-providers/{provider}/v1/attestations", tag = "wallet provider",
    params(("provider" = String, Path, description = "the provider")), request_body = AttestationRequest,
    security(("request" = [])),
    responses((status = 201, body = Attestation), (status = 401, body = ProblemBody), (status = 403, description = "no registered instance", body = ProblemBody)))]
async fn attest(
    State(providers): State<Arc<WalletProviders>>,
    Path(provider): Path<String>,
    headers: HeaderMap,
    request: Result<Json<AttestationRequest>, JsonRejection>,
) -> Result<(StatusCode, Json<Attestation>), Problem> {
    let provider = named(&providers, &provider)?;
    provider.authenticate(&headers, "POST", "attestations").await?;
    Ok((StatusCode::CREATED, Json(provider.attest(request?.0.key)?)))
}

/// Get a key attestation: that keys lie in the asking instance, in a storage of software. It says until when, and for
/// which nonce; neither the instance nor the issuer.
///
/// The bearer token is a JWS of type `yufu-request+jwt` by the instance's key, for this address.
#[utoipa::path(post, path = "/wallet-providers/{provider}/v1/key-attestations", tag = "wallet provider",
    params(("provider" = String, Path, description = "the provider")), request_body = KeyAttestationRequest,
    security(("request" = [])),
    responses((status = 201, body = AttestedKeys), (status = 400, description = "no key, too many, or one twice", body = ProblemBody), (status = 401, body = ProblemBody), (status = 403, description = "no registered instance", body = ProblemBody)))]
async fn attest_keys(
    State(providers): State<Arc<WalletProviders>>,
    Path(provider): Path<String>,
    headers: HeaderMap,
    request: Result<Json<KeyAttestationRequest>, JsonRejection>,
) -> Result<(StatusCode, Json<AttestedKeys>), Problem> {
    let provider = named(&providers, &provider)?;
    provider.authenticate(&headers, "POST", "key-attestations").await?;
    Ok((StatusCode::CREATED, Json(provider.attest_keys(request?.0)?)))
}

/// The wallet provider of that name.
fn named(providers: &WalletProviders, name: &str) -> Result<Arc<WalletProvider>, Problem> {
    providers.get(name).cloned().ok_or_else(|| Problem::not_found("wallet provider here"))
}

fn shown(instance: Instance) -> Result<KnownInstance, Problem> {
    let instance_key = serde_json::from_str(&instance.key).map_err(Problem::internal)?;
    Ok(KnownInstance { instance_key, registered_day: instance.registered.seconds() })
}

impl WalletProvider {
    async fn register(&self, headers: &HeaderMap, key: Jwk) -> Result<KnownInstance, Problem> {
        self.signed(headers, "POST", "instances", &key.key)?;
        // The bare key: no name that the instance might have given it.
        let key = Jwk::from(key.key);
        let thumbprint = key.thumbprint_base64url();
        let text = serde_json::to_string(&key).map_err(Problem::internal)?;
        self.records.register(&thumbprint, &text, self.clock.read().wall).await?;
        let known = self.records.instance(&thumbprint).await?;
        shown(known.ok_or_else(|| Problem::internal("a registered instance is unknown"))?)
    }

    fn attest(&self, key: Jwk) -> Result<Attestation, Problem> {
        let (_, expires) = self.minutes();
        let attestation = WalletAttestation {
            provider: self.identifier.clone(),
            key: Jwk::from(key.key),
            expires,
        };
        let key = self.signing.get();
        let signed = attestation.sign(&key.chain, &*key.signer);
        let signed = signed.map_err(|error| signing::unsigned(&*key.signer, error))?;
        Ok(Attestation { attestation: signed })
    }

    /// What is said of keys: no more than that software keeps them.
    fn attest_keys(&self, request: KeyAttestationRequest) -> Result<AttestedKeys, Problem> {
        let keys: Vec<Jwk> = request.keys.iter().map(|key| Jwk::from(key.key)).collect();
        let distinct: BTreeSet<PublicKey> = keys.iter().map(|key| key.key).collect();
        if distinct.len() != keys.len() || !(1..=MAX_ATTESTED_KEYS).contains(&keys.len()) {
            let detail = format!("keys: 1 to {MAX_ATTESTED_KEYS}, each once");
            return Err(Problem::malformed(detail));
        }
        let (issued, expires) = self.minutes();
        let attestation = KeyAttestation {
            provider: self.identifier.clone(),
            issued,
            expires: Some(expires),
            keys,
            key_storage: vec![STORAGE_BASIC.to_owned()],
            nonce: Some(request.nonce),
        };
        let key = self.signing.get();
        let signed = attestation.sign(&key.chain, &*key.signer);
        let signed = signed.map_err(|error| signing::unsigned(&*key.signer, error))?;
        Ok(AttestedKeys { key_attestation: signed })
    }

    /// Now, and until when an attestation is good. Whole minutes: it does not tell the second in which it was asked for.
    fn minutes(&self) -> (Timestamp, Timestamp) {
        let whole = |seconds: u64| {
            Timestamp::from_seconds(seconds.saturating_sub(seconds.checked_rem(60).unwrap_or(0)))
        };
        let now = self.clock.read().wall.seconds();
        (whole(now), whole(now.saturating_add(ATTESTATION_SECONDS)))
    }

    /// The registered instance that asks.
    async fn authenticate(
        &self,
        headers: &HeaderMap,
        method: &str,
        below: &str,
    ) -> Result<Instance, Problem> {
        let token = bearer(headers).ok_or_else(unsigned)?;
        let who = RequestToken::unverified_issuer(token).map_err(Problem::unauthenticated)?;
        let known = self.records.instance(&who).await?.ok_or_else(|| {
            let detail =
                "this wallet is not registered with this provider: register its instance key first";
            Problem::forbidden("instance.unknown", detail)
        })?;
        let key: Jwk = serde_json::from_str(&known.key).map_err(Problem::internal)?;
        self.signed(headers, method, below, &key.key)?;
        if known.stopped.is_some() {
            let detail = "this wallet was stopped by its holder, for good: make another one with `yufu wallet --as NAME`, and recover your accounts there";
            return Err(Problem::forbidden("instance.stopped", detail));
        }
        Ok(known)
    }

    fn signed(
        &self,
        headers: &HeaderMap,
        method: &str,
        below: &str,
        key: &PublicKey,
    ) -> Result<(), Problem> {
        let token = bearer(headers).ok_or_else(unsigned)?;
        let path = format!("/wallet-providers/{}/v1/{below}", self.id);
        let here = (self.id.as_str(), method, path.as_str());
        RequestToken::verify(token, key, here, self.clock.read().wall)
            .map_err(Problem::unauthenticated)?;
        Ok(())
    }
}

fn unsigned() -> Problem {
    Problem::unauthenticated(
        "send a request token signed by the instance's key as \"Authorization: Bearer ...\"",
    )
}

impl From<InstancesError> for Problem {
    fn from(error: InstancesError) -> Self {
        Self::internal(error)
    }
}
