//! Answers under a pseudonym: a person shows a few claims of an anonymous credential, and this party knows her again by
//! a pseudonym that nobody else has. One account for each person, where a purpose wants that (ADR 0037).

use super::outcome::{Outcome, digest, says_no_no};
use super::waiting::{Note, Request};
use super::{Purpose, VerifyingParties, VerifyingParty, named};
use crate::http::{Client, Problem, ProblemBody};
use crate::relying_party::{rejected, with_code};
use crate::trust::TrustSource;
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex, PoisonError};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use yufu_accounts::{Account, Accounts, AccountsError, Opening};
use yufu_anonymous::{Presentation, ProofError, Terms};
use yufu_base::Timestamp;
use yufu_database::{BlindIndex, Sealer};
use yufu_jose::{ClaimPath, Header, Unverified, parse_json};
use yufu_keys::random_text;
use yufu_openid4vc::presentation::DirectPostResponse;
use yufu_pseudonym::{Expecting, Known, PublishedTerms, Question, Unknown};
use yufu_trust::{DisclosedNames, Receipt, ReceiptKind, Role, TrustList, request_digest};
use yufu_verifications::{ToSeal, Verification};

/// How long fetched terms are used before they are fetched again, in seconds.
const FRESH_SECONDS: u64 = 600;
/// What digests of pseudonyms are of.
const DOMAIN: &str = "account";
/// What the answer is called among the evidence.
const QUERY: &str = "anonymous";

/// Persons whom a party knows by pseudonyms.
pub struct Anonymous {
    accounts: Accounts,
    sealer: Arc<Sealer>,
    client: Client,
    terms: Mutex<Option<(Timestamp, Terms)>>,
}

pub(super) fn described() -> OpenApiRouter<Arc<VerifyingParties>> {
    OpenApiRouter::new().routes(routes!(respond)).routes(routes!(close))
}

/// A wallet's answer under a pseudonym.
#[utoipa::path(post, path = "/verifiers/{verifier}/openid4vp/{id}/anonymous", tag = "verifier",
    params(("verifier" = String, Path, description = "the verifier"), ("id" = String, Path, description = "the request")),
    request_body(content = Object, description = "epoch, disclosed, pseudonym, proof"),
    responses((status = 200, description = "accepted, with the verifier's receipt", body = Object), (status = 400, body = ProblemBody), (status = 404, body = ProblemBody), (status = 409, description = "answered before, or the person has an account", body = ProblemBody), (status = 410, description = "expired", body = ProblemBody), (status = 422, description = "the credential is of another epoch", body = ProblemBody)))]
async fn respond(
    State(parties): State<Arc<VerifyingParties>>,
    Path((verifier, id)): Path<(String, String)>,
    body: Bytes,
) -> Result<Json<DirectPostResponse>, Problem> {
    Ok(Json(named(&parties, &verifier)?.shown_anonymously(&id, &body).await?))
}

/// Close an account: the person is forgotten, and may open another.
#[utoipa::path(post, path = "/verifiers/{verifier}/v1/desk/accounts/{account}/closing", tag = "verifier",
    params(("verifier" = String, Path, description = "the verifier"), ("account" = String, Path, description = "the id of the verification that opened it")),
    security(("operator" = [])),
    responses((status = 204), (status = 401, body = ProblemBody), (status = 404, body = ProblemBody)))]
async fn close(
    State(parties): State<Arc<VerifyingParties>>,
    Path((verifier, account)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<StatusCode, Problem> {
    let party = named(&parties, &verifier)?;
    party.operator.authenticate(&headers)?;
    party.anonymous.accounts.close(&account).await?;
    Ok(StatusCode::NO_CONTENT)
}

impl VerifyingParty {
    async fn shown_anonymously(
        &self,
        id: &str,
        body: &[u8],
    ) -> Result<DirectPostResponse, Problem> {
        let (request, ways) = self.unanswered_request(id).await?;
        let session = &ways.link;
        let now = self.now();
        if now >= session.expires_at() {
            let detail = "the request has expired: start a new one";
            return Err(Problem::new(StatusCode::GONE, "presentation.expired", detail));
        }
        let sent = session.sent().ok_or_else(|| rejected("the request was never fetched"))?;
        let done = self.accept_known((id, &request), sent, body, now).await;
        if let Err(problem) = &done {
            self.at_work.waiting.note(id, Note::Refused(problem.code().to_owned()));
        }
        done
    }

    async fn accept_known(
        &self,
        (id, request): (&str, &Request),
        sent: &str,
        body: &[u8],
        now: Timestamp,
    ) -> Result<DirectPostResponse, Problem> {
        let purpose = self.purpose(request)?;
        let presentation: Presentation = parse_json(body).map_err(Problem::malformed)?;
        let expecting = Expecting::answer_to(Question::own(sent).map_err(rejected)?);
        let terms = self.anonymous.terms(&self.trust, now).await?;
        let known = expecting.handle(&presentation, &terms, now).map_err(not_known)?;
        let claims = json!(known.claims);
        let result = says_no_no(&claims);
        let has_account = purpose.one_account && result;
        let account = has_account.then(|| self.anonymous.person(&known));
        let signed = self.receipt((&request.purpose, sent), &terms, &known, now)?;
        let code = request.return_to.as_ref().map(|_| random_text());
        let redirect = request.return_to.as_ref().zip(code.as_ref());
        let redirect_uri = redirect.map(|(to, code)| with_code(to, code)).transpose()?;
        let (receipt, jws) = signed;
        let verification = Verification {
            id: id.to_owned(),
            purpose: request.purpose.clone(),
            result,
            receipt: jws.clone(),
            code_digest: code.as_deref().map(digest),
            answered_at: now,
            retained_until: receipt.retained_until.unwrap_or(now),
        };
        let to_seal = to_seal(purpose, &claims, sent, &presentation)?;
        let outcome = Outcome { verification, to_seal, account };
        self.conclude_or_hold((id, request), code.as_deref(), outcome).await?;
        Ok(DirectPostResponse { redirect_uri, receipt: Some(jws) })
    }

    /// What the holder gets: which claims were accepted, for which request.
    fn receipt(
        &self,
        (purpose, sent): (&str, &str),
        terms: &Terms,
        known: &Known,
        now: Timestamp,
    ) -> Result<(Receipt, String), Problem> {
        let party = self.party.get();
        let verifier = party.verifiers.get(purpose);
        let verifier = verifier.ok_or_else(|| Problem::internal("a request has no verifier"))?;
        let certificate = verifier.certificate();
        let named = |name: &String| ClaimPath::members(name.split('.'));
        let claims: Result<_, _> = known.claims.keys().map(named).collect();
        let names = DisclosedNames {
            vct: terms.kind().to_owned(),
            claims: claims.map_err(Problem::internal)?,
        };
        let days = u64::from(certificate.retention_days);
        let receipt = Receipt {
            kind: ReceiptKind::Accepted,
            party: certificate.client_id.clone(),
            purpose: certificate.purpose.clone(),
            request_digest: request_digest(sent),
            disclosed: vec![names],
            at: now,
            retained_until: Some(now.plus_seconds(days.saturating_mul(86_400))),
        };
        let token = Unverified::parse(sent).map_err(Problem::internal)?;
        let chain = token.header().chain().map_err(Problem::internal)?;
        let signer = party.signer_of(chain.unverified_key())?;
        let header = Header { x5c: token.header().x5c.clone(), ..Header::default() };
        let jws = receipt.sign(header, signer).map_err(Problem::internal)?;
        Ok((receipt, jws))
    }
}

impl Anonymous {
    /// With nobody known yet but those in `accounts`; of their pseudonyms `sealer` makes the digests.
    #[must_use]
    pub fn new(accounts: Accounts, sealer: Arc<Sealer>, client: Client) -> Self {
        Self { accounts, sealer, client, terms: Mutex::default() }
    }

    /// A person, as accounts know one: a keyed digest of the pseudonym.
    fn person(&self, known: &Known) -> BlindIndex {
        self.sealer.blind(DOMAIN, &known.pseudonym.to_string())
    }

    /// The account that the verification `id` is about, unless the person has another.
    pub(super) async fn one_account(
        &self,
        id: &str,
        person: &BlindIndex,
        now: Timestamp,
    ) -> Result<(), Problem> {
        let wanted = Account { id: id.to_owned(), opened: now };
        match self.accounts.open_for(person, wanted).await? {
            Opening::Known(account) if account.id != id => {
                let detail =
                    "this person has an account here already: use it, or have it closed first";
                Err(Problem::conflict("account.known", detail))
            }
            _ => Ok(()),
        }
    }

    /// The terms of this country's authority, not older than ten minutes.
    async fn terms(&self, source: &TrustSource, now: Timestamp) -> Result<Terms, Problem> {
        let known = self.terms.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((at, terms)) = known
            && now < at.plus_seconds(FRESH_SECONDS)
        {
            return Ok(terms);
        }
        let trust = source.list(now).await?;
        let unavailable =
            |error: &dyn ToString| Problem::unavailable("trust.unavailable", error.to_string());
        let address = address(&trust)
            .ok_or_else(|| unavailable(&"no authority of this country is on the trust list"))?;
        let text = self.client.get_text(&address).await.map_err(|error| unavailable(&error))?;
        let terms = PublishedTerms::verify(&text, &trust, now);
        let terms = terms.map_err(|error| unavailable(&error))?;
        let mut newest = self.terms.lock().unwrap_or_else(PoisonError::into_inner);
        *newest = Some((now, terms.clone()));
        Ok(terms)
    }
}

/// Where this country's authority publishes its terms.
fn address(trust: &TrustList) -> Option<String> {
    let mut own = trust.entries.iter().filter(|entry| entry.origin.is_none());
    let issuer = own.find(|entry| entry.role == Role::PidIssuer)?;
    Some(format!("{}/v1/anonymous/terms", issuer.identifier.trim_end_matches('/')))
}

/// What a purpose allows to keep.
fn to_seal(
    purpose: &Purpose,
    claims: &Value,
    sent: &str,
    presentation: &Presentation,
) -> Result<ToSeal, Problem> {
    let text = |value: &Value| serde_json::to_string(value).map_err(Problem::internal);
    let claims = if purpose.result_only { None } else { Some(text(claims)?) };
    let shown = serde_json::to_string(presentation).map_err(Problem::internal)?;
    let evidence = json!({"request_object": sent, "presentations": {QUERY: [shown]}});
    let evidence = if purpose.keeps_evidence { Some(text(&evidence)?) } else { None };
    Ok(ToSeal { claims, evidence })
}

fn not_known(error: Unknown) -> Problem {
    match error {
        Unknown::Proof(ProofError::Epoch { .. }) => {
            Problem::refused("anonymous.other_epoch", error)
        }
        other => rejected(other),
    }
}

impl From<AccountsError> for Problem {
    fn from(error: AccountsError) -> Self {
        match error {
            AccountsError::Unknown => Self::not_found("account here"),
            other => Self::internal(other),
        }
    }
}
