//! The bank as a verifier: asks a wallet over OpenID4VP 1.0, verifies its answer, acts on it once.

use super::{Bank, Banks, named};
use crate::http::{Problem, ProblemBody};
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use std::collections::BTreeMap;
use std::sync::Arc;
use yufu_base::Signer;
use yufu_jose::ClaimPath;
use yufu_keys::random;
use yufu_onboarding::Verification;
use yufu_openid4vc::dcql::{CredentialQuery, DcqlQuery};
use yufu_openid4vc::presentation::{DirectPostResponse, REQUEST_MEDIA_TYPE, TransactionData};
use yufu_verifier::{
    OpenError, Question, RequestEntropy, RequestError, Requested, StatusError, Verified, Verifier,
    VerifyError,
};

/// How long a request stands, in seconds.
const REQUEST_SECONDS: u64 = 600;
/// The id of the one credential query.
pub(super) const QUERY: &str = "pid";

/// A purpose for which the bank may ask: the name of its registration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// To open an account.
    OpenAccount,
    /// To confirm a payment above the limit.
    ConfirmPayment,
}

impl Purpose {
    /// Its name in the profile and in the records.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::OpenAccount => "open-account",
            Self::ConfirmPayment => "confirm-payment",
        }
    }

    fn parse(name: &str) -> Option<Self> {
        [Self::OpenAccount, Self::ConfirmPayment].into_iter().find(|p| p.name() == name)
    }
}

/// How a relying party shows itself: the key of its access certificate, and one registered
/// verifier for each purpose.
pub struct Party {
    /// The key of its access certificate: signs requests and receipts.
    pub signer: Arc<dyn Signer>,
    /// By purpose.
    pub verifiers: BTreeMap<String, Verifier>,
}

/// The signed presentation request.
#[utoipa::path(get, path = "/banks/{bank}/openid4vp/{id}/request", tag = "bank",
    params(("bank" = String, Path, description = "the bank"), ("id" = String, Path, description = "the request")),
    responses((status = 200, description = "a JWS of type oauth-authz-req+jwt", body = String, content_type = "application/oauth-authz-req+jwt"), (status = 404, body = ProblemBody), (status = 410, body = ProblemBody)))]
pub(super) async fn request(
    State(banks): State<Arc<Banks>>,
    Path((bank, id)): Path<(String, String)>,
) -> Result<impl IntoResponse, Problem> {
    let signed = named(&banks, &bank)?.request_object(&id, None).await?;
    Ok(([(header::CONTENT_TYPE, REQUEST_MEDIA_TYPE)], signed))
}

/// The signed presentation request, for the wallet's nonce.
#[utoipa::path(post, path = "/banks/{bank}/openid4vp/{id}/request", tag = "bank",
    params(("bank" = String, Path, description = "the bank"), ("id" = String, Path, description = "the request")),
    request_body(content = String, content_type = "application/x-www-form-urlencoded", description = "wallet_nonce"),
    responses((status = 200, description = "a JWS of type oauth-authz-req+jwt", body = String, content_type = "application/oauth-authz-req+jwt"), (status = 404, body = ProblemBody), (status = 410, body = ProblemBody)))]
pub(super) async fn request_with_nonce(
    State(banks): State<Arc<Banks>>,
    Path((bank, id)): Path<(String, String)>,
    body: Bytes,
) -> Result<impl IntoResponse, Problem> {
    let mut fields = url::form_urlencoded::parse(&body);
    let nonce = fields.find(|(name, _)| name == "wallet_nonce").map(|(_, value)| value);
    let signed = named(&banks, &bank)?.request_object(&id, nonce.as_deref()).await?;
    Ok(([(header::CONTENT_TYPE, REQUEST_MEDIA_TYPE)], signed))
}

/// The wallet's encrypted answer, or its refusal.
#[utoipa::path(post, path = "/banks/{bank}/openid4vp/{id}/response", tag = "bank",
    params(("bank" = String, Path, description = "the bank"), ("id" = String, Path, description = "the request")),
    request_body(content = String, content_type = "application/x-www-form-urlencoded", description = "response (JWE), or error"),
    responses((status = 200, description = "accepted, with the bank's receipt", body = Object), (status = 400, body = ProblemBody), (status = 409, description = "answered before", body = ProblemBody), (status = 410, description = "expired", body = ProblemBody), (status = 422, description = "the step that the presentation was for is refused by a rule", body = ProblemBody)))]
pub(super) async fn respond(
    State(banks): State<Arc<Banks>>,
    Path((bank, id)): Path<(String, String)>,
    body: Bytes,
) -> Result<Json<DirectPostResponse>, Problem> {
    Ok(Json(named(&banks, &bank)?.answered(&id, &body).await?))
}

/// What a verified presentation is acted on with.
pub(super) struct Answer {
    /// The request that was answered.
    pub(super) verification: Verification,
    /// What was verified.
    pub(super) verified: Verified,
    /// The bank's signed receipt.
    pub(super) receipt: String,
}

impl Bank {
    /// Starts a presentation for `purpose`, about `subject`; the link for the wallet.
    pub(super) async fn ask(
        &self,
        purpose: Purpose,
        subject: String,
        transaction: TransactionData,
    ) -> Result<(String, String), Problem> {
        let now = self.now();
        let verifier = self.verifier(purpose)?;
        let claims: Vec<ClaimPath> = verifier
            .certificate()
            .credentials
            .iter()
            .flat_map(|credential| credential.claims.iter().map(|claim| claim.path.clone()))
            .collect();
        let query = CredentialQuery::sd_jwt_vc(QUERY, &self.identity, &claims);
        let question = Question {
            query: DcqlQuery::new(vec![query], None).map_err(Problem::internal)?,
            roles: BTreeMap::new(),
            transactions: vec![transaction],
        };
        let entropy = RequestEntropy {
            id: random(),
            state: random(),
            nonce: random(),
            response_key: random(),
        };
        let started = verifier.start(question, &entropy, now, REQUEST_SECONDS);
        let (session, link) = started.map_err(Problem::malformed)?;
        let verification = Verification {
            id: session.id().to_owned(),
            purpose: purpose.name().to_owned(),
            subject,
            session: serde_json::to_string(&session).map_err(Problem::internal)?,
            expires_at: session.expires_at(),
            answered: false,
        };
        self.records.start_verification(verification).await?;
        Ok((session.id().to_owned(), link.to_link()))
    }

    fn verifier(&self, purpose: Purpose) -> Result<&Verifier, Problem> {
        self.party.verifiers.get(purpose.name()).ok_or_else(|| {
            let detail = format!("{} is not registered for {}", self.id, purpose.name());
            Problem::forbidden("registration.missing", detail)
        })
    }

    async fn request_object(&self, id: &str, nonce: Option<&str>) -> Result<String, Problem> {
        let verification = self.records.verification(id).await?;
        let mut session = session(&verification)?;
        let signed = session.request_object(nonce, self.now(), &*self.party.signer);
        let signed = signed.map_err(|error| match error {
            RequestError::Expired => expired(error),
            RequestError::WalletNonce => Problem::malformed(error),
            other => Problem::internal(other),
        })?;
        // What was sent last is what the receipt is about: stored before it is given out.
        let stored = serde_json::to_string(&session).map_err(Problem::internal)?;
        self.records.store_session(id, &stored).await?;
        Ok(signed)
    }

    async fn answered(&self, id: &str, body: &[u8]) -> Result<DirectPostResponse, Problem> {
        let verification = self.records.verification(id).await?;
        let now = self.now();
        let received = match session(&verification)?.open(body, now) {
            Ok(received) => received,
            Err(OpenError::Declined(_)) => return Ok(DirectPostResponse::default()),
            Err(OpenError::Expired) => return Err(expired(OpenError::Expired)),
            Err(error) => return Err(rejected(error)),
        };
        let trust = self.trust.list(now).await?;
        let authenticated =
            received.authenticate(&trust, now).map_err(|e: VerifyError| rejected(e))?;
        let lists = self.trust.status_lists(authenticated.status_uris()).await?;
        let verified = authenticated.verify(&trust, &lists, now);
        let verified = verified.map_err(|error| match error {
            StatusError::NotValid { .. } => Problem::refused("credential.revoked", error),
            other => rejected(other),
        })?;
        let response = verified.respond(&*self.party.signer, None).map_err(Problem::internal)?;
        let receipt = response.receipt.clone().unwrap_or_default();
        let purpose = Purpose::parse(&verification.purpose);
        let answer = Answer { verification, verified, receipt };
        match purpose {
            Some(Purpose::OpenAccount) => self.opened(answer).await?,
            Some(Purpose::ConfirmPayment) => self.confirmed(answer).await?,
            None => return Err(Problem::internal("a stored request has no known purpose")),
        }
        Ok(response)
    }
}

fn session(verification: &Verification) -> Result<Requested, Problem> {
    if verification.answered {
        return Err(yufu_onboarding::OnboardingError::AlreadyAnswered.into());
    }
    serde_json::from_str(&verification.session).map_err(Problem::internal)
}

fn expired(error: impl ToString) -> Problem {
    Problem::new(StatusCode::GONE, "presentation.expired", error)
}

fn rejected(error: impl ToString) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "presentation.rejected", error)
}
