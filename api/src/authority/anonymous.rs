//! Anonymous credentials: a person shows her identity credential to her own authority, and gets one that says a few
//! things of her, over a secret that only her wallet knows. Where she shows it the authority cannot tell, even with
//! everything that it logged (ADR 0037).

use super::Authority;
use super::handover::Handover;
use crate::http::{Problem, ProblemBody, bearer};
use crate::relying_party::{Answered, Party, Returns, rejected};
use crate::trust::TrustSource;
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::IntoResponse;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::sync::Arc;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use yufu_anonymous::{ClaimValue, Claims, IssueError, Issued, IssuerKey, Terms};
use yufu_base::SectorId;
use yufu_credentials::Pseudonym;
use yufu_jose::parse_json;
use yufu_keys::InUse;
use yufu_openid4vc::presentation::{DirectPostResponse, REQUEST_MEDIA_TYPE};
use yufu_population::{Access, PersonId};
use yufu_profile::CredentialType;
use yufu_pseudonym::{CredentialRequest, PublishedTerms, Wanted};
use yufu_verifier::Verified;

/// The purpose for which the authority is registered to ask.
const PURPOSE: &str = "anonymous-credential";
/// The id of the one credential query.
const QUERY: &str = "pid";
/// Among the pseudonyms that are registered, those that are commitments.
const REGISTERED: &str = "anonymous-credential";
/// Under which name the authority's share in a secret is derived from the commitment.
const ENTROPY: &str = "anonymous-credential-entropy";
/// The media type of signed terms.
const TERMS_MEDIA_TYPE: &str = "application/jwt";

/// The authority as the issuer of anonymous credentials.
pub struct Anonymous {
    /// How it shows itself to wallets.
    pub party: InUse<Party>,
    /// Whom it trusts: itself, by the list that everybody uses.
    pub trust: TrustSource,
    /// The key that signs them.
    pub key: IssuerKey,
    /// What it signs, for how long: the same for everybody.
    pub terms: Terms,
    /// The claims of the identity credential that they say, and the register's columns behind them.
    pub kind: CredentialType,
    /// Persons whose wallets may fetch one.
    pub proven: Proven,
}

/// Who showed who they are, and may ask.
#[derive(Default)]
pub struct Proven(Handover<PersonId>);

/// A request for a person's identity that waits for the wallet's answer.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct AnonymousProof {
    /// The presentation request: `openid4vp://...`, for the wallet.
    pub authorization_request: String,
}

pub(super) fn described() -> OpenApiRouter<Arc<Authority>> {
    OpenApiRouter::new()
        .routes(routes!(terms))
        .routes(routes!(begin))
        .routes(routes!(request))
        .routes(routes!(respond))
        .routes(routes!(credential))
}

/// The terms of anonymous credentials: the key, the claims, the epoch.
#[utoipa::path(get, path = "/authority/v1/anonymous/terms", tag = "authority",
    responses((status = 200, description = "a JWS of type yufu-anonymous-terms+jwt", body = String, content_type = "application/jwt"), (status = 404, body = ProblemBody)))]
async fn terms(State(authority): State<Arc<Authority>>) -> Result<impl IntoResponse, Problem> {
    let issuer = &authority.issuer;
    let key = issuer.signing.get();
    let by = (&*key.signer, &key.chain);
    let signed = PublishedTerms::sign(&authority.anonymous()?.terms, by, authority.now());
    Ok(([(header::CONTENT_TYPE, TERMS_MEDIA_TYPE)], signed.map_err(Problem::internal)?))
}

/// Begin to get an anonymous credential: the wallet shows who its holder is.
#[utoipa::path(post, path = "/authority/v1/anonymous/proofs", tag = "authority",
    responses((status = 201, body = AnonymousProof), (status = 403, description = "the authority is not registered to ask", body = ProblemBody), (status = 429, body = ProblemBody)))]
async fn begin(
    State(authority): State<Arc<Authority>>,
) -> Result<(StatusCode, Json<AnonymousProof>), Problem> {
    let (anonymous, now) = (authority.anonymous()?, authority.now());
    let back = (Returns::Nobody, now);
    let started = anonymous.party.get().start(PURPOSE, &[QUERY], None, back)?;
    let authorization_request = started.link.clone();
    if !anonymous.proven.0.asked(started, now) {
        let detail =
            "too many people ask for anonymous credentials at once: try again in some minutes";
        return Err(Problem::new(StatusCode::TOO_MANY_REQUESTS, "anonymous.too_many", detail));
    }
    Ok((StatusCode::CREATED, Json(AnonymousProof { authorization_request })))
}

/// The signed presentation request, for the wallet's nonce.
#[utoipa::path(post, path = "/authority/anonymous/openid4vp/{id}/request", tag = "authority",
    params(("id" = String, Path, description = "the request")),
    request_body(content = String, content_type = "application/x-www-form-urlencoded", description = "wallet_nonce"),
    responses((status = 200, description = "a JWS of type oauth-authz-req+jwt", body = String, content_type = "application/oauth-authz-req+jwt"), (status = 404, body = ProblemBody), (status = 410, body = ProblemBody)))]
async fn request(
    State(authority): State<Arc<Authority>>,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<impl IntoResponse, Problem> {
    let anonymous = authority.anonymous()?;
    let session = anonymous.proven.0.session(&id).ok_or_else(gone)?;
    let (signed, session) =
        anonymous.party.get().request_object(&session, &body, authority.now())?;
    anonymous.proven.0.store(&id, session).then_some(()).ok_or_else(gone)?;
    Ok(([(header::CONTENT_TYPE, REQUEST_MEDIA_TYPE)], signed))
}

/// The wallet's encrypted answer, or its refusal.
#[utoipa::path(post, path = "/authority/anonymous/openid4vp/{id}/response", tag = "authority",
    params(("id" = String, Path, description = "the request")),
    request_body(content = String, content_type = "application/x-www-form-urlencoded", description = "response (JWE), or error"),
    responses((status = 200, description = "accepted: the receipt, and where to ask for the credential", body = Object), (status = 400, body = ProblemBody), (status = 404, description = "unknown, expired, or answered before", body = ProblemBody), (status = 422, description = "the credential is revoked", body = ProblemBody)))]
async fn respond(
    State(authority): State<Arc<Authority>>,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<Json<DirectPostResponse>, Problem> {
    Ok(Json(authority.proved(&id, &body).await?))
}

/// Sign an anonymous credential over the wallet's commitment: once, for the code that the answer's redirect carries.
#[utoipa::path(post, path = "/authority/v1/anonymous/credentials", tag = "authority",
    request_body(content = Object, description = "commitment"), security(("request" = [])),
    responses((status = 200, description = "epoch, claims, entropy, signature", body = Object), (status = 400, body = ProblemBody), (status = 401, body = ProblemBody), (status = 404, description = "no such code, or used before", body = ProblemBody), (status = 422, description = "the person's death is recorded", body = ProblemBody)))]
async fn credential(
    State(authority): State<Arc<Authority>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<Issued>, Problem> {
    let code = bearer(&headers).ok_or_else(|| {
        Problem::unauthenticated(
            "send the response_code of the redirect as \"Authorization: Bearer ...\"",
        )
    })?;
    let request: CredentialRequest = parse_json(&body).map_err(Problem::malformed)?;
    Ok(Json(authority.issue_anonymous(code, request).await?))
}

impl Authority {
    fn anonymous(&self) -> Result<&Anonymous, Problem> {
        let none = || Problem::not_found("anonymous credential here");
        self.anonymous.as_ref().ok_or_else(none)
    }

    async fn proved(&self, id: &str, body: &[u8]) -> Result<DirectPostResponse, Problem> {
        let anonymous = self.anonymous()?;
        let session = anonymous.proven.0.session(id).ok_or_else(gone)?;
        let (party, trust) = (anonymous.party.get(), &anonymous.trust);
        let answered = party.answered(&session, body, trust, self.now()).await?;
        anonymous.proven.0.answered(id).then_some(()).ok_or_else(gone)?;
        let Answered::Verified(verified, mut response) = answered else {
            return Ok(DirectPostResponse::default());
        };
        self.issuer.must_stand(&verified).await?;
        let person = self.shown_person(&party, &verified).await?;
        let code = anonymous.proven.0.ready(person, self.now());
        let address = self.issuer.metadata.credential_issuer.as_str();
        let to = format!("{address}/v1/anonymous/credentials#response_code={code}");
        response.redirect_uri = Some(to);
        Ok(response)
    }

    /// Who showed her identity credential; that her record was found by it is in its accesses.
    async fn shown_person(&self, party: &Party, verified: &Verified) -> Result<PersonId, Problem> {
        let shown = verified.credentials.get(QUERY).and_then(|found| found.first());
        let shown = shown.ok_or_else(|| rejected("no identity was shown"))?;
        let number = party.identity.number(&shown.claims)?;
        let number = self.numbers.parse(number).map_err(rejected)?;
        let access = Access {
            actor: "the person".to_owned(),
            role: "subject".to_owned(),
            purpose: "the person asked for an anonymous credential, with her wallet".to_owned(),
            ..self.access("", String::new())
        };
        Ok(self.population.read(&number, &access).await?.person())
    }

    async fn issue_anonymous(
        &self,
        code: &str,
        request: CredentialRequest,
    ) -> Result<Issued, Problem> {
        let (anonymous, now) = (self.anonymous()?, self.now());
        let gone = "proof for this code, or it was used before: begin anew";
        let person = anonymous.proven.0.take(code, now).ok_or_else(|| Problem::not_found(gone))?;
        self.must_live(person).await?;
        let wanted = Wanted::from(request);
        let point = wanted.registers();
        let digest = |name: &str| -> Result<[u8; 32], Problem> {
            let name: SectorId = name.parse().map_err(Problem::internal)?;
            Ok(*self.population.pseudonym_digest(&name, &point).as_bytes())
        };
        let commitment = Pseudonym {
            sector: REGISTERED.parse().map_err(Problem::internal)?,
            digest: digest(REGISTERED)?.to_vec(),
        };
        self.issuer.records.register_commitment(person.uuid(), commitment, now).await?;
        let registered = wanted.registered(&digest(ENTROPY)?).map_err(Problem::internal)?;
        let purpose = "issuing an anonymous credential to the person's own wallet".to_owned();
        let claims = self.claims(person, &anonymous.kind, purpose, |_| None).await?;
        let issued = registered.issue(&anonymous.key, &anonymous.terms, flat(&claims)?, now);
        issued.map_err(|error| match error {
            IssueError::Commitment => {
                Problem::new(StatusCode::BAD_REQUEST, "anonymous.commitment", error)
            }
            other => Problem::internal(other),
        })
    }
}

fn gone() -> Problem {
    Problem::not_found("proof under way: begin a new one")
}

/// Claims by the names that lead to them, with dots between.
fn flat(claims: &Map<String, Value>) -> Result<Claims, Problem> {
    let mut all = Claims::new();
    let mut waiting: Vec<(String, &Value)> =
        claims.iter().map(|(name, value)| (name.clone(), value)).collect();
    while let Some((name, value)) = waiting.pop() {
        let value = match value {
            Value::Object(inner) => {
                let below = inner.iter().map(|(last, value)| (format!("{name}.{last}"), value));
                waiting.extend(below);
                continue;
            }
            Value::Bool(flag) => Some(ClaimValue::Flag(*flag)),
            Value::String(text) => Some(ClaimValue::Text(text.clone())),
            other => other.as_u64().map(ClaimValue::Number),
        };
        let value =
            value.ok_or_else(|| Problem::internal("a claim is of no kind that is signed"))?;
        all.insert(name, value);
    }
    Ok(all)
}
