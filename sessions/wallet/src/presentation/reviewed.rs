//! The checks of a request: whom it is from, and whether they may ask this.

use super::checking::{CheckingStatus, StatusUnknown};
use super::sectors::joins_sectors;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use yufu_base::Timestamp;
use yufu_jose::{
    ChainError, ClaimPath, Jwk, JwsError, TimeError, Unverified, Validity, encode_base64url, sha256,
};
use yufu_openid4vc::presentation::{
    AuthorizationErrorCode, AuthorizationErrorResponse, DigitalRequestError, DirectPost,
    REQUEST_TYPE, Reply, RequestObject, RequestObjectError, TransactionData, client_id, web_origin,
};
use yufu_openid4vc::{Endpoint, HttpError, HttpRequest};
use yufu_trust::{
    LEEWAY_SECONDS, OverAsking, RegistrationCertificate, RegistrationError, Role, TrustEntry,
    TrustError, TrustList,
};

/// A request that may be answered, if the person agrees.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reviewed {
    pub(super) request_object: String,
    pub(super) request: RequestObject,
    pub(super) certificate: RegistrationCertificate,
    pub(super) verifier_key: Jwk,
    /// The origin of the page that asked, as the platform says; none if a link led to the request.
    #[serde(default)]
    pub(super) origin: Option<String>,
}

/// How a request came to the wallet.
#[derive(Clone, Copy)]
pub(super) enum Came<'a> {
    /// A link named this client; the request was fetched with this nonce of the wallet.
    Link {
        /// Whom the link names.
        client_id: &'a str,
        /// What was sent along.
        wallet_nonce: Option<&'a str>,
    },
    /// A page of this origin asked, through the browser or the platform.
    Page(&'a str),
}

/// Why a request is not answered, nor shown as if it could be. Checked in this order.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RequestRefused {
    /// The request did not come.
    #[error("the request: {0}")]
    Http(#[from] HttpError),
    /// Encrypted to another key than the wallet offered for it, or altered.
    #[error("the request cannot be opened: {0}")]
    Encrypted(String),
    /// What a page asked is not a signed request.
    #[error(transparent)]
    Digital(#[from] DigitalRequestError),
    /// Not a request object in ES256.
    #[error("the request is not a signed request object: {0}")]
    Token(JwsError),
    /// Without a chain that can be read.
    #[error("the request: {0}")]
    Chain(#[from] ChainError),
    /// Not signed by anyone an access authority certifies.
    #[error("the request: {0}")]
    Untrusted(#[from] TrustError),
    /// Not signed by the key it is certified for, or altered.
    #[error("the signature of the request does not hold: {0}")]
    Signature(JwsError),
    /// Breaks a rule of requests; its transaction data are not understood.
    #[error(transparent)]
    Request(Box<RequestObjectError>),
    /// The client id is neither the hash of the certificate that signed (`x509_hash`) nor a name that it bears
    /// (`x509_san_dns`).
    #[error("the request says to be from {named}, but is signed by {actual}")]
    ClientId {
        /// Whom it names.
        named: String,
        /// Whose certificate signed.
        actual: String,
    },
    /// The link was for another client than the request.
    #[error("the link was of {link}, the request is from {request}")]
    LinkClientId {
        /// Whom the link named.
        link: String,
        /// Whom the request names.
        request: String,
    },
    /// A request for a page's answer behind a link, or the reverse.
    #[error("the request came another way than it says its answer goes ({0})")]
    OtherWay(&'static str),
    /// A page of another origin hands over somebody's request: it would get the answer.
    #[error(
        "the request came from {0}, whose pages it does not expect: it was taken from another page"
    )]
    Origin(String),
    /// The wallet's own nonce is missing or another: an old request, played again.
    #[error("the request was not made for this wallet now: wallet_nonce differs")]
    WalletNonce,
    /// Expired, or from the future.
    #[error("the request: {0}")]
    Time(#[from] TimeError),
    /// Answered before.
    #[error("this request was answered before: ask the verifier for a new one")]
    Replayed,
    /// No registration certificate.
    #[error("the verifier shows no registration certificate")]
    NoRegistration,
    /// The registration does not hold.
    #[error(transparent)]
    Registration(Box<RegistrationError>),
    /// The registration is of another client.
    #[error("the registration is of {registered}, not of the verifier {client_id}")]
    RegistrationClientId {
        /// Whom it names.
        registered: String,
        /// Who asks.
        client_id: String,
    },
    /// The answer would go where the registration does not allow.
    #[error("the verifier is not registered to receive answers at {0}")]
    ResponseUri(String),
    /// The query goes beyond the registration.
    #[error("the verifier asks for more than it may: {0}")]
    OverAsking(#[from] OverAsking),
    /// The query would show the pseudonyms of two sectors side by side, whatever is registered.
    #[error("the verifier asks for pseudonyms of more than one sector, which would join them")]
    JoinsSectors,
    /// A payment that can no longer be made.
    #[error("the payment {0:?} could be authorised only until a time that is past")]
    PaymentExpired(String),
    /// The registration names no list to look it up in, so it could not be withdrawn.
    #[error("the registration does not say where it would be withdrawn")]
    NoStatus,
    /// Whether the registration stands is not known.
    #[error("whether the registration still stands is not known, so nothing is shown: {0}")]
    StatusUnknown(Box<StatusUnknown>),
    /// The registrar revoked the registration.
    #[error("the registrar revoked this registration: the verifier may not ask this any more")]
    Revoked,
    /// The registration is suspended, or in a state that this wallet does not know.
    #[error("the registration is suspended: the verifier may not ask this now")]
    Suspended,
}

/// The checks, in order, but for the registration's status.
pub(super) fn review(
    came: Came<'_>,
    text: &str,
    trust: &TrustList,
    seen: &BTreeSet<String>,
    now: Timestamp,
) -> Result<CheckingStatus, RequestRefused> {
    let token = Unverified::parse(text.trim())
        .and_then(|token| token.expect_type(REQUEST_TYPE))
        .map_err(RequestRefused::Token)?;
    let chain = token.header().chain()?;
    let party = trust.identify(Role::AccessCa, &chain, now)?;
    let verified = token.verify(&party.leaf.public_key).map_err(RequestRefused::Signature)?;
    let request = RequestObject::from_json(&verified.payload)
        .map_err(|error| RequestRefused::Request(Box::new(error)))?;
    if !client_id::is_certified(&request.client_id, &party.leaf) {
        let (named, actual) = (request.client_id, client_id::by_hash(&party.leaf));
        return Err(RequestRefused::ClientId { named, actual });
    }
    check_way(came, &request)?;
    let expires_at = Some(request.expires_at);
    let dates = Validity { issued_at: request.issued_at, not_before: None, expires_at };
    dates.check(now, LEEWAY_SECONDS)?;
    let (certificate, registrar) = registration(came, &request, trust, seen, now)?;
    let status = certificate.status.clone();
    let reviewed = Reviewed {
        certificate,
        request_object: text.trim().to_owned(),
        verifier_key: party.leaf.public_key.into(),
        request,
        origin: came.origin().map(str::to_owned),
    };
    reviewed.check_question(now)?;
    let status = status.ok_or(RequestRefused::NoStatus)?;
    let address = Endpoint::parse(&status.uri).map_err(|_| RequestRefused::NoStatus)?;
    Ok(CheckingStatus::new(reviewed, registrar, status, address))
}

impl<'a> Came<'a> {
    const fn origin(self) -> Option<&'a str> {
        match self {
            Self::Link { .. } => None,
            Self::Page(origin) => Some(origin),
        }
    }
}

/// The request came as it says that it would: by that link, for this wallet now; or from one of its own pages.
fn check_way(came: Came<'_>, request: &RequestObject) -> Result<(), RequestRefused> {
    match (came, &request.reply) {
        (Came::Link { client_id, wallet_nonce }, Reply::Posted { .. }) => {
            if request.client_id != client_id {
                let (link, request) = (client_id.to_owned(), request.client_id.clone());
                return Err(RequestRefused::LinkClientId { link, request });
            }
            if wallet_nonce.is_some() && request.wallet_nonce.as_deref() != wallet_nonce {
                return Err(RequestRefused::WalletNonce);
            }
            Ok(())
        }
        // Compared as text (OpenID4VP 1.0, A.2).
        (Came::Page(origin), Reply::Browser { expected_origins, .. }) => {
            if expected_origins.iter().any(|expected| expected == origin) {
                return Ok(());
            }
            Err(RequestRefused::Origin(origin.to_owned()))
        }
        (_, reply) => Err(RequestRefused::OtherWay(reply.mode())),
    }
}

/// Whether the answer may go where it would, by the registration and by the name of the client.
fn may_answer(
    came: Came<'_>,
    request: &RequestObject,
    certificate: &RegistrationCertificate,
) -> Result<(), RequestRefused> {
    let there = match (came, &request.reply) {
        (Came::Page(origin), _) => web_origin(origin).ok(),
        (Came::Link { .. }, reply) => reply.address().cloned(),
    };
    let permitted = there.as_ref().is_some_and(|there| {
        client_id::permits_response_to(&request.client_id, there)
            && certificate.permits_response_to(there.as_str())
    });
    if permitted {
        return Ok(());
    }
    let named = came.origin().or_else(|| there.as_ref().map(Endpoint::as_str));
    Err(RequestRefused::ResponseUri(named.unwrap_or_default().to_owned()))
}

fn registration(
    came: Came<'_>,
    request: &RequestObject,
    trust: &TrustList,
    seen: &BTreeSet<String>,
    now: Timestamp,
) -> Result<(RegistrationCertificate, TrustEntry), RequestRefused> {
    if seen.contains(&replay_id(request)) {
        return Err(RequestRefused::Replayed);
    }
    let jwt = request.registration_certificate().ok_or(RequestRefused::NoRegistration)?;
    let (certificate, registrar) = RegistrationCertificate::verify(jwt, trust, now)
        .map_err(|error| RequestRefused::Registration(Box::new(error)))?;
    if certificate.client_id != request.client_id {
        let (registered, client_id) = (certificate.client_id, request.client_id.clone());
        return Err(RequestRefused::RegistrationClientId { registered, client_id });
    }
    may_answer(came, request, &certificate)?;
    Ok((certificate, registrar.entry))
}

impl Reviewed {
    /// What to remember once the request is answered, until [`Reviewed::expires_at`] and a
    /// minute: a request is answered once.
    #[must_use]
    pub fn replay_id(&self) -> String {
        replay_id(&self.request)
    }

    /// Until when the request may be answered.
    #[must_use]
    pub const fn expires_at(&self) -> Timestamp {
        self.request.expires_at
    }

    /// What the verifier is registered for.
    #[must_use]
    pub const fn certificate(&self) -> &RegistrationCertificate {
        &self.certificate
    }

    /// The request as it was signed: evidence of what was asked.
    #[must_use]
    pub fn request_object(&self) -> &str {
        &self.request_object
    }

    /// The verified request.
    #[must_use]
    pub const fn request(&self) -> &RequestObject {
        &self.request
    }

    /// The person declines, or has not what is asked: the verifier learns only that. None if there is no address to
    /// post it to, because a page asked.
    #[must_use]
    pub fn decline(&self) -> Option<HttpRequest> {
        let refusal = DirectPost::Error(AuthorizationErrorResponse {
            error: AuthorizationErrorCode::AccessDenied,
            error_description: None,
            state: self.request.state.clone(),
        });
        self.request.reply.address().map(|to| post(to, &refusal))
    }

    fn check_question(&self, now: Timestamp) -> Result<(), RequestRefused> {
        for query in self.request.dcql_query.credentials() {
            let claims: Vec<ClaimPath> =
                query.claims().iter().map(|claim| claim.path.clone()).collect();
            for vct in query.meta.types() {
                self.certificate.permits(&query.format, vct, &claims)?;
            }
            // A format without types is none that a registration could permit.
            if query.meta.types().next().is_none() {
                self.certificate.permits(&query.format, &query.format, &claims)?;
            }
        }
        if joins_sectors(&self.request.dcql_query) {
            return Err(RequestRefused::JoinsSectors);
        }
        self.check_payments(now)
    }

    pub(super) fn check_payments(&self, now: Timestamp) -> Result<(), RequestRefused> {
        for transaction in &self.request.transaction_data {
            if let TransactionData::Payment(payment) = transaction.data()
                && payment.expires <= now
            {
                return Err(RequestRefused::PaymentExpired(payment.order_id.clone()));
            }
        }
        Ok(())
    }
}

pub(super) fn post(to: &Endpoint, answer: &DirectPost) -> HttpRequest {
    let fields = answer.fields();
    let fields: Vec<(&str, &str)> = fields.iter().map(|(n, v)| (*n, v.as_str())).collect();
    HttpRequest::post_form(to.clone(), "application/json", &fields)
}

fn replay_id(request: &RequestObject) -> String {
    let id = format!("yufu.request.v1\0{}\0{}", request.client_id, request.nonce);
    encode_base64url(sha256(id.as_bytes()))
}
