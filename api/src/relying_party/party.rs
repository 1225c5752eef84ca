//! A relying party's face towards wallets, which a bank, a hotel and a railway share: starts
//! requests, gives out request objects, opens and verifies answers (OpenID4VP 1.0). Where a session
//! is stored between these steps is its institution's affair.

use super::asking::named;
use super::identity::IdentityTerms;
use super::returning::{Held, Returns, with_code};
use crate::http::Problem;
use crate::signing::unsigned;
use crate::trust::TrustSource;
use axum::http::StatusCode;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use yufu_base::{PublicKey, Signer, Timestamp};
use yufu_jose::jwe::Entropy;
use yufu_keys::{random, random_text};
use yufu_openid4vc::presentation::{
    DigitalRequest, DirectPostResponse, PresentationLink, TransactionData, WalletMetadata,
};
use yufu_openid4vc::{Endpoint, form};
use yufu_trust::{Role, TrustList};
use yufu_verifier::{
    Authenticated, OpenError, Question, Received, RequestEntropy, RequestError, Requested,
    StartError, StatusError, Verified, Verifier, VerifyError,
};

/// How long a request stands, in seconds.
const REQUEST_SECONDS: u64 = 600;

/// How a relying party shows itself: the key of its access certificate, and one registered
/// verifier for each purpose. Taken whole: the key may be followed by the next one while a server runs.
pub struct Party {
    /// The key of its access certificate: signs requests and receipts.
    pub signer: Arc<dyn Signer>,
    /// Those before it, the newest first: what they began goes on with them.
    pub former: Vec<Arc<dyn Signer>>,
    /// By purpose.
    pub verifiers: BTreeMap<String, Verifier>,
    /// The purposes for which the registrar revoked its registration: it asks nothing for them.
    pub revoked: BTreeSet<String>,
    /// Who must have issued a credential, by its type; else an identity authority.
    pub issuers: BTreeMap<String, Role>,
    /// What an identity credential is, of this country and of others.
    pub identity: IdentityTerms,
}

/// A request that was just started, for the records.
pub(crate) struct Started {
    /// Its id: part of the address that the wallet answers to.
    pub(crate) id: String,
    /// The session, secrets included.
    pub(crate) session: String,
    /// When it lapses.
    pub(crate) expires_at: Timestamp,
    /// `openid4vp://...`, for the wallet.
    pub(crate) link: String,
}

/// What a wallet's answer came to.
pub(crate) enum Answered {
    /// The person declined: nothing was learned.
    Declined,
    /// Verified, and nothing is done until whoever began comes back: to be kept until then.
    Held(Box<Held>),
    /// Verified: what was shown, and the signed receipt to answer with.
    Verified(Box<Verified>, DirectPostResponse),
}

impl Party {
    /// A party with this key and those before it, the verifiers of its purposes, those revoked; and who issues what.
    #[must_use]
    pub fn new(
        (signer, former): (Arc<dyn Signer>, Vec<Arc<dyn Signer>>),
        verifiers: BTreeMap<String, Verifier>,
        revoked: BTreeSet<String>,
        (issuers, identity): (BTreeMap<String, Role>, IdentityTerms),
    ) -> Self {
        Self { signer, former, verifiers, revoked, issuers, identity }
    }

    /// Starts a request for all that `purpose` is registered for. The queries are named `ids`, in the
    /// order of the registered credentials. `returns` says who has to come back before an answer counts.
    pub(crate) fn start(
        &self,
        purpose: &str,
        ids: &[&str],
        transaction: Option<TransactionData>,
        (returns, now): (Returns<'_>, Timestamp),
    ) -> Result<Started, Problem> {
        let verifier = self.verifier(purpose)?;
        let question = self.question(verifier.certificate(), ids, transaction)?;
        let (session, link) = self.begin(purpose, question, now)?;
        let back = match returns {
            Returns::Nobody => None,
            Returns::Here => Some(format!("{}/{}/return", verifier.base(), session.id())),
            Returns::To(address) => Some(return_address(address)?.to_owned()),
        };
        let session = match back {
            Some(back) => session.returning_to(back),
            None => session,
        };
        Ok(Started {
            id: session.id().to_owned(),
            expires_at: session.expires_at(),
            session: serde_json::to_string(&session).map_err(Problem::internal)?,
            link: link.to_link(),
        })
    }

    /// Starts a request for what is asked, for whoever keeps the session itself.
    pub(crate) fn begin(
        &self,
        purpose: &str,
        question: Question,
        now: Timestamp,
    ) -> Result<(Requested, PresentationLink), Problem> {
        let verifier = self.verifier(purpose)?;
        verifier.start(question, &entropy(), now, REQUEST_SECONDS).map_err(not_started)
    }

    /// As [`Party::begin`], for a page of `origin`, which hands the request and the answer over, in the verification `id`:
    /// there the wallet gets its receipt. What the page gets, signed, is the request's.
    pub(crate) fn begin_in_browser(
        &self,
        purpose: &str,
        question: Question,
        (origin, id): (&str, &str),
        now: Timestamp,
    ) -> Result<(Requested, DigitalRequest), Problem> {
        let verifier = self.verifier(purpose)?;
        let started = verifier.start_in_browser(origin, question, &entropy(), now, REQUEST_SECONDS);
        let mut session = started.map_err(not_started)?;
        let receipt = verifier.base().join(&format!("{id}/receipt"));
        session.tell_receipt_at(receipt.map_err(Problem::internal)?);
        let request = session.digital_request(now, &*self.signer);
        let request = request.map_err(|error| unsigned(&*self.signer, error))?;
        Ok((session, request))
    }

    /// In which roles those issue whose credentials it asks for.
    #[must_use]
    pub fn issuer_roles(&self) -> BTreeSet<Role> {
        let asked = self.verifiers.values().flat_map(|one| &one.certificate().credentials);
        let types = asked.flat_map(|credential| &credential.meta.vct_values);
        let role = |vct: &String| match self.identity.foreign.contains_key(vct) {
            true => Role::ForeignPidIssuer,
            false => self.issuers.get(vct).copied().unwrap_or(Role::PidIssuer),
        };
        types.map(role).collect()
    }

    /// The verifier that is registered for a purpose.
    pub(crate) fn verifier(&self, purpose: &str) -> Result<&Verifier, Problem> {
        self.verifiers.get(purpose).ok_or_else(|| self.unregistered(purpose))
    }

    /// Why nothing is asked for `purpose`.
    fn unregistered(&self, purpose: &str) -> Problem {
        if self.revoked.contains(purpose) {
            let detail = format!(
                "the registrar revoked this institution's registration for {purpose}, so nothing is asked: its operator asks the registrar to lift that, and starts again"
            );
            return Problem::forbidden("registration.revoked", detail);
        }
        let detail = format!("this institution is not registered for {purpose}");
        Problem::forbidden("registration.missing", detail)
    }

    /// The signed request object for a wallet's nonce, and the session to be stored before it is
    /// given out: what was sent last is what the receipt is about.
    pub(crate) fn request_object(
        &self,
        session: &str,
        body: &[u8],
        now: Timestamp,
    ) -> Result<(String, String), Problem> {
        let mut session = read(session)?;
        let signed = self.sign(&mut session, body, now)?;
        Ok((signed, serde_json::to_string(&session).map_err(Problem::internal)?))
    }

    /// As [`Party::request_object`], for whoever keeps the session itself.
    pub(crate) fn sign(
        &self,
        session: &mut Requested,
        body: &[u8],
        now: Timestamp,
    ) -> Result<String, Problem> {
        let field = |name: &str| {
            let mut fields = form::parameters(body);
            fields.find(|(found, _)| found == name).map(|(_, value)| value)
        };
        let signer = self.signer_of(session.asked_with())?;
        let nonce = field("wallet_nonce");
        let nonce = nonce.as_deref();
        let signed = match field("wallet_metadata") {
            Some(said) => {
                WalletMetadata::parse(&said).map_err(RequestError::Wallet).and_then(|wallet| {
                    let entropy = Entropy { ephemeral: random(), iv: random() };
                    session.request_object_for(&wallet, nonce, (now, entropy), signer)
                })
            }
            None => session.request_object(nonce, now, signer),
        };
        signed.map_err(|error| match error {
            RequestError::Expired => expired(error),
            RequestError::Wallet(disagreement) if disagreement.is_disagreement() => {
                Problem::refused("presentation.wallet_lacks", disagreement)
            }
            RequestError::WalletNonce | RequestError::Wallet(_) | RequestError::Encrypt(_) => {
                Problem::malformed(error)
            }
            RequestError::Sign(error) => unsigned(signer, error),
            other => Problem::internal(other),
        })
    }

    /// Opens and verifies a wallet's answer: signatures, issuers, status, this very request.
    pub(crate) async fn answered(
        &self,
        session: &str,
        body: &[u8],
        trust: &TrustSource,
        now: Timestamp,
    ) -> Result<Answered, Problem> {
        let session = read(session)?;
        let (id, until) = (session.id().to_owned(), session.expires_at());
        let back = session.return_to().map(|to| (to.to_owned(), random_text()));
        let Some(received) = opened(session, body, now)? else {
            return Ok(Answered::Declined);
        };
        let list = trust.list(now).await?;
        let authenticated = authenticated(received, &list, now)?;
        trust.unrevoked(&authenticated, now).await?;
        let lists = trust.lists_for(authenticated.lists(), &list, now).await?;
        let verified = authenticated.verify_against(&lists, now).map_err(not_valid)?;
        let redirect = back.as_ref().map(|(to, code)| with_code(to, code)).transpose()?;
        let response = self.respond(&verified, redirect)?;
        let verified = named(verified);
        let Some((_, code)) = back else {
            return Ok(Answered::Verified(Box::new(verified), response));
        };
        Ok(Answered::Held(Box::new(Held { id, code, until, verified, response })))
    }

    /// What a wallet is answered with, by the key that asked it.
    pub(crate) fn respond(
        &self,
        verified: &Verified,
        redirect_uri: Option<String>,
    ) -> Result<DirectPostResponse, Problem> {
        let signer = self.signer_of(verified.asked_with())?;
        verified.respond(signer, redirect_uri).map_err(|error| unsigned(signer, error))
    }

    /// The key in use, or the former one that a request was begun with.
    pub(crate) fn signer_of(&self, asked_with: Option<PublicKey>) -> Result<&dyn Signer, Problem> {
        let mut all = std::iter::once(&self.signer).chain(&self.former);
        let found = all.find(|one| Some(one.public_key()) == asked_with);
        found.map(|found| &**found).ok_or_else(|| {
            expired(
                "the request was begun with a key that its party withdrew since: start a new one",
            )
        })
    }
}

/// An address to which somebody may be sent back.
pub(crate) fn return_address(address: &str) -> Result<&str, Problem> {
    let parsed = Endpoint::parse(address);
    parsed.map_err(|error| Problem::malformed(format!("return_to: {error}")))?;
    Ok(address)
}

/// Why a question is not asked.
fn not_started(error: StartError) -> Problem {
    match error {
        StartError::Origin(_) => Problem::forbidden("verification.other_origin", error),
        StartError::OverAsking(_) => Problem::forbidden("registration.exceeded", error),
        other => Problem::malformed(other),
    }
}

fn entropy() -> RequestEntropy {
    RequestEntropy { id: random(), state: random(), nonce: random(), response_key: random() }
}

/// Opens a wallet's answer; none if the person declined.
pub(crate) fn opened(
    session: Requested,
    body: &[u8],
    now: Timestamp,
) -> Result<Option<Received>, Problem> {
    or_declined(session.open(body, now))
}

/// Opens what a page got of a wallet; none if the person declined.
pub(crate) fn opened_digital(
    session: Requested,
    data: &Map<String, Value>,
    now: Timestamp,
) -> Result<Option<Received>, Problem> {
    or_declined(session.open_digital(data, now))
}

fn or_declined(opened: Result<Received, OpenError>) -> Result<Option<Received>, Problem> {
    match opened {
        Ok(received) => Ok(Some(received)),
        Err(OpenError::Declined(_)) => Ok(None),
        Err(OpenError::Expired) => Err(expired(OpenError::Expired)),
        Err(error) => Err(rejected(error)),
    }
}

/// Checks all of an answer but its status: signatures, issuers, this very request.
pub(crate) fn authenticated(
    received: Received,
    trust: &TrustList,
    now: Timestamp,
) -> Result<Authenticated, Problem> {
    received.authenticate(trust, now).map_err(|error| match error {
        VerifyError::Issuer { .. } => Problem::refused("issuer.not_recognised", error),
        other => rejected(other),
    })
}

/// Why a credential's status does not let it pass.
pub(crate) fn not_valid(error: StatusError) -> Problem {
    match error {
        StatusError::NotValid { .. } => Problem::refused("credential.revoked", error),
        other => rejected(other),
    }
}

fn read(session: &str) -> Result<Requested, Problem> {
    serde_json::from_str(session).map_err(Problem::internal)
}

fn expired(error: impl ToString) -> Problem {
    Problem::new(StatusCode::GONE, "presentation.expired", error)
}

/// The answer does not hold.
pub(crate) fn rejected(error: impl ToString) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "presentation.rejected", error)
}
