//! The endpoints of OpenID4VCI 1.0 that a wallet calls: token, nonce, credential.

use super::{Claims, Issuer};
use crate::http::{Problem, bearer};
use crate::signing::{can_sign, unsigned};
use axum::Json;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use std::collections::BTreeMap;
use uuid::Uuid;
use yufu_base::SectorId;
use yufu_credential::StatusReference;
use yufu_credentials::{
    Allocation, Batch, CredentialsError, DerivedFrom, Issuance, Marker, Once, Pseudonym,
};
use yufu_issuer::{
    IssuerSession, Offered, ProveError, Proven, Refused, Template, TokenError, credential_of,
    secret_id,
};
use yufu_keys::{Draws, random, random_text};
use yufu_openid4vc::issuance::{
    CredentialErrorCode, CredentialErrorResponse, CredentialRequest, CredentialResponse,
    NonceResponse, TokenErrorResponse, TokenRequest, TokenResponse,
};

/// How long a nonce is good, in seconds.
const NONCE_SECONDS: u64 = 300;
/// Digests without a claim behind them in each credential.
const DECOYS: u8 = 2;

/// Why an endpoint of the protocol refused: in the protocol's own words, or as a problem.
pub(crate) enum Refusal {
    Token(TokenErrorResponse),
    Credential(CredentialErrorResponse),
    Problem(Problem),
}

/// An issuance whose keys are proven: what its credentials say is still to be given.
pub(crate) struct UnderWay {
    rests_on: RestsOn,
    person: Uuid,
    proven: Proven,
    validity_days: u32,
    status_days: u32,
    days: Vec<String>,
    takes_pseudonyms: bool,
    registering: Vec<Pseudonym>,
}

/// What an issuance rests on.
pub(super) enum RestsOn {
    /// An offer whose code was exchanged.
    Offer(Issuance),
    /// A grant, with what is used up by the request.
    Grant(Resting),
}

/// What an issuance under a grant is known by, and what is used up by it.
pub(super) struct Resting {
    /// The batch.
    pub(super) batch: String,
    /// The grant.
    pub(super) grant: String,
    /// The officer's check that it waited for.
    pub(super) check: Option<String>,
    /// The card behind it, if one is.
    pub(super) derived_from: Option<DerivedFrom>,
    pub(super) markers: Vec<Marker>,
}

impl UnderWay {
    /// Whom the credentials are about, by the issuer's internal id.
    pub(crate) const fn subject(&self) -> Uuid {
        self.person
    }

    /// Which credential is to be issued, in whichever format.
    pub(crate) fn credential_id(&self) -> &str {
        credential_of(self.proven.configuration_id())
    }

    /// The pseudonyms that the wallet brings, by sector.
    pub(crate) const fn pseudonyms(&self) -> &BTreeMap<SectorId, String> {
        self.proven.pseudonyms()
    }

    /// Those pseudonyms as they are to be registered, or found registered, when it is completed.
    pub(crate) fn registering(self, registering: Vec<Pseudonym>) -> Self {
        Self { registering, ..self }
    }
}

/// Reads a token request.
pub(crate) fn token_request(body: &[u8]) -> Result<TokenRequest, Refusal> {
    TokenRequest::from_form(body).map_err(|error| {
        Refusal::Token(TokenErrorResponse {
            error: error.code(),
            error_description: Some(error.to_string()),
        })
    })
}

impl Issuer {
    /// Exchanges a pre-authorized code for an access token.
    pub(crate) async fn exchange(&self, request: &TokenRequest) -> Result<TokenResponse, Refusal> {
        let unknown = || Refusal::Token(TokenError::UnknownCode.response());
        let row = self.records.issuance(&secret_id(&request.pre_authorized_code)).await;
        let row = row.map_err(|error| match error {
            CredentialsError::Unknown(_) => unknown(),
            other => Refusal::Problem(other.into()),
        })?;
        let IssuerSession::Offered(offered) = session(&row)? else { return Err(unknown()) };
        let stored = |result: Result<(), CredentialsError>| {
            result.map_err(|error| match error {
                CredentialsError::AlreadyPassed => unknown(),
                other => Refusal::Problem(other.into()),
            })
        };
        match offered.token(request, self.clock.read().wall, &random()) {
            Ok((authorised, response)) => {
                let lookup = authorised.id().to_owned();
                let text = text(&IssuerSession::from(authorised))?;
                stored(self.records.advance(&row, &lookup, &text).await)?;
                Ok(response)
            }
            Err(refusal) => {
                let error = self.count(&row, refusal).await?;
                Err(Refusal::Token(error.response()))
            }
        }
    }

    /// Stores an offer after a refusal, before that is answered, so that attempts count.
    pub(super) async fn count(
        &self,
        row: &Issuance,
        refusal: Refused<Offered, TokenError>,
    ) -> Result<TokenError, Refusal> {
        let stored = match refusal.session {
            Some(next) => {
                let text = text(&IssuerSession::from(*next))?;
                self.records.advance(row, &row.lookup, &text).await
            }
            None => self.records.advance(row, &row.id.to_string(), "").await,
        };
        stored.map_err(|error| match error {
            CredentialsError::AlreadyPassed => Refusal::Token(TokenError::UnknownCode.response()),
            other => Refusal::Problem(other.into()),
        })?;
        Ok(refusal.error)
    }

    /// A fresh nonce for proofs of possession.
    pub(crate) async fn fresh_nonce(&self) -> Result<NonceResponse, Problem> {
        let (fresh, now) = (random_text(), self.clock.read().wall);
        self.records.remember_nonce(&fresh, now, now.plus_seconds(NONCE_SECONDS)).await?;
        Ok(NonceResponse { c_nonce: fresh })
    }

    /// The issuance that a credential request belongs to, its proofs verified.
    pub(crate) async fn under_way(
        &self,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Result<UnderWay, Refusal> {
        let token = bearer(headers).ok_or_else(|| refused(CredentialErrorCode::InvalidToken))?;
        let request = CredentialRequest::from_json(body).map_err(|e| {
            Refusal::Credential(CredentialErrorResponse {
                error: e.code(),
                error_description: Some(e.to_string()),
            })
        })?;
        let row = self.records.issuance(&secret_id(token)).await;
        let row = row.map_err(|error| match error {
            CredentialsError::Unknown(_) => refused(CredentialErrorCode::InvalidToken),
            other => Refusal::Problem(other.into()),
        })?;
        let proven = self.prove(&row, token, &request)?;
        self.about((row.person, RestsOn::Offer(row)), proven)
    }

    /// An issuance whose keys are proven, of one of the issuer's credentials.
    pub(super) fn about(
        &self,
        (person, rests_on): (Uuid, RestsOn),
        proven: Proven,
    ) -> Result<UnderWay, Refusal> {
        let id = credential_of(proven.configuration_id());
        let kind = self.credentials.iter().find(|kind| kind.id == id);
        let kind =
            kind.ok_or_else(|| refused(CredentialErrorCode::UnknownCredentialConfiguration))?;
        let (registering, days) = (Vec::new(), kind.days());
        let (validity_days, status_days) = (kind.validity_days, kind.status_days);
        let takes_pseudonyms = kind.sectors().next().is_some();
        Ok(UnderWay {
            rests_on,
            person,
            proven,
            validity_days,
            status_days,
            days,
            takes_pseudonyms,
            registering,
        })
    }

    fn prove(
        &self,
        row: &Issuance,
        token: &str,
        request: &CredentialRequest,
    ) -> Result<Proven, Refusal> {
        let IssuerSession::Authorised(authorised) = session(row)? else {
            return Err(refused(CredentialErrorCode::InvalidToken));
        };
        let proven = authorised.prove(token, request, &self.metadata, self.clock.read().wall);
        proven.map_err(|refusal| {
            let mut response = ProveError::response(&refusal.error);
            response.error_description = Some(refusal.error.to_string());
            Refusal::Credential(response)
        })
    }

    /// Signs the credentials of an issuance whose keys are proven, with the claims given.
    pub(crate) async fn issue(
        &self,
        under_way: UnderWay,
        claims: Claims,
    ) -> Result<CredentialResponse, Refusal> {
        let UnderWay {
            rests_on,
            person,
            proven,
            validity_days,
            status_days,
            days,
            takes_pseudonyms,
            registering,
        } = under_way;
        let key = self.signing.get();
        can_sign(&*key.signer)?;
        let now = self.clock.read().wall;
        // One more, so that nobody sees by their number whether a copy carries pseudonyms.
        let without = proven.pseudonyms().is_empty() && takes_pseudonyms;
        let lifetime = now.plus_seconds(days_long(validity_days));
        let derived_from = match &rests_on {
            RestsOn::Offer(row) => row.derived_from,
            RestsOn::Grant(resting) => resting.derived_from,
        };
        let end = derived_from.map_or(lifetime, |from| from.until.min(lifetime));
        let template = Template {
            issued_at: now,
            expires_at: end,
            open: serde_json::Map::new(),
            selective: claims,
            decoys: DECOYS.saturating_add(u8::from(without)),
            type_integrity: self.types.integrity(credential_of(proven.configuration_id())),
            days,
        };
        let looked_at = days_long(status_days.saturating_sub(validity_days));
        let allocation =
            Allocation { count: proven.keys().len(), kept_until: end.plus_seconds(looked_at) };
        let draw = || u32::from_be_bytes(random());
        let places = match rests_on {
            RestsOn::Offer(row) => {
                let nonces = proven.nonces();
                let records = &self.records;
                records
                    .complete_issuance_under(&row, nonces, &registering, allocation, draw, now)
                    .await
            }
            RestsOn::Grant(Resting { batch, grant, check, derived_from, markers }) => {
                let batch = Batch {
                    id: batch,
                    grant,
                    check,
                    person,
                    derived_from,
                    pseudonyms: registering,
                    wanted: allocation,
                    draw: Box::new(draw),
                };
                self.records.issue_batch(batch, markers, now).await
            }
        };
        let places = places.map_err(not_placed)?;
        let statuses: Vec<StatusReference> = places
            .into_iter()
            .map(|place| StatusReference {
                uri: self.status_uri(place.list),
                index: u64::try_from(place.position).unwrap_or(0),
            })
            .collect();
        let mut salts = Draws::new();
        let mut salt = || salts.draw();
        let issued = proven.issue(&template, &statuses, &*key.signer, &key.chain, &mut salt);
        issued.map_err(|error| Refusal::Problem(unsigned(&*key.signer, error)))
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        match self {
            Self::Token(body) => (StatusCode::BAD_REQUEST, Json(body)).into_response(),
            Self::Credential(body) => {
                let status = StatusCode::from_u16(body.error.status());
                (status.unwrap_or(StatusCode::BAD_REQUEST), Json(body)).into_response()
            }
            Self::Problem(problem) => problem.into_response(),
        }
    }
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

/// So many days, in seconds.
fn days_long(days: u32) -> u64 {
    u64::from(days).saturating_mul(86_400)
}

/// Why a batch gets no places, in the protocol's words where it has one.
pub(super) fn not_placed(error: CredentialsError) -> Refusal {
    let code = match &error {
        CredentialsError::NonceSpent | CredentialsError::UsedBefore(Once::Nonce) => {
            CredentialErrorCode::InvalidNonce
        }
        CredentialsError::UsedBefore(Once::DpopProof) => CredentialErrorCode::InvalidDpopProof,
        CredentialsError::AlreadyPassed
        | CredentialsError::UsedBefore(_)
        | CredentialsError::GrantEnded => CredentialErrorCode::InvalidToken,
        CredentialsError::CheckDeclined => CredentialErrorCode::CredentialRequestDenied,
        CredentialsError::Unknown("deferred issuance") => CredentialErrorCode::InvalidTransactionId,
        _ => return Refusal::Problem(error.into()),
    };
    Refusal::Credential(CredentialErrorResponse {
        error: code,
        error_description: Some(error.to_string()),
    })
}

pub(super) fn refused(error: CredentialErrorCode) -> Refusal {
    Refusal::Credential(CredentialErrorResponse { error, error_description: None })
}

pub(super) fn session(row: &Issuance) -> Result<IssuerSession, Refusal> {
    serde_json::from_str(&row.session).map_err(|e| Refusal::Problem(Problem::internal(e)))
}

pub(super) fn text(session: &impl Serialize) -> Result<String, Refusal> {
    serde_json::to_string(session).map_err(|e| Refusal::Problem(Problem::internal(e)))
}
