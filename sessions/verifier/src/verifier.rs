//! A relying party that may ask, and the questions it starts.

use crate::remembered::Remembered;
use crate::requested::{Requested, Way};
use std::collections::BTreeMap;
use yufu_base::Timestamp;
use yufu_jose::{Chain, ChainError, ClaimPath, encode_base64url};
use yufu_openid4vc::dcql::{AKI, DcqlQuery};
use yufu_openid4vc::presentation::{
    EncodedTransaction, PresentationLink, RequestUriMethod, TransactionData, TransactionError,
    client_id, web_origin,
};
use yufu_openid4vc::{Endpoint, EndpointError, FORMAT_MSO_MDOC};
use yufu_trust::{
    OverAsking, RegistrationCertificate, RegistrationError, Role, TrustError, TrustList,
};
use zeroize::Zeroizing;

/// The longest a request may wait, in seconds.
const MAX_SECONDS: u64 = 3600;

/// A relying party with its access certificate and its registration.
#[derive(Clone, Debug)]
pub struct Verifier {
    pub(crate) client_id: String,
    pub(crate) chain: Chain,
    pub(crate) base: Endpoint,
    pub(crate) registration: String,
    pub(crate) certificate: RegistrationCertificate,
}

/// What is asked, and who must have issued the answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// The query.
    pub query: DcqlQuery,
    /// The role the issuer must have in the trust list, by query id; where a query is not
    /// named, [`Role::PidIssuer`].
    pub roles: BTreeMap<String, Role>,
    /// Types of other countries' identity credentials that may answer, each with its country: such a
    /// one must come from an issuer of that country, and any other from none.
    pub foreign: BTreeMap<String, String>,
    /// What else the holder is to sign.
    pub transactions: Vec<TransactionData>,
}

/// The randomness of one request.
pub struct RequestEntropy {
    /// Becomes the id of the request, in its addresses.
    pub id: [u8; 16],
    /// Becomes the `state`.
    pub state: [u8; 16],
    /// Becomes the `nonce`.
    pub nonce: [u8; 32],
    /// Becomes the key the answer is encrypted to.
    pub response_key: [u8; 32],
}

/// Why a relying party cannot ask anything. Checked in this order.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SetupError {
    /// The access certificate is not from a trusted authority.
    #[error("the access certificate: {0}")]
    Access(TrustError),
    /// The access certificate cannot be read.
    #[error("the access certificate: {0}")]
    Chain(ChainError),
    /// The registration does not hold.
    #[error(transparent)]
    Registration(Box<RegistrationError>),
    /// The registration is of another client.
    #[error("the registration is for {registered}, the access certificate gives {actual}")]
    ClientId {
        /// Whom the registration names.
        registered: String,
        /// What the certificate's hash would have it be.
        actual: String,
    },
    /// Answers would go where the registration does not allow.
    #[error("the registration does not allow answers to {0}")]
    Origin(String),
    /// The registration names no list in which it would be revoked.
    #[error("the registration does not say where it would be withdrawn: no wallet answers it")]
    NoStatus,
}

/// Why a question cannot be asked. Checked in this order.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StartError {
    /// The page's origin is none, not registered, or not at the name by which the client goes.
    #[error("the registration does not allow answers to pages of {0:?}")]
    Origin(String),
    /// The request would stand for nothing, or for too long.
    #[error("a request stands for 1 to {MAX_SECONDS} seconds, not {0}")]
    Lifetime(u64),
    /// The registration does not allow to ask this.
    #[error(transparent)]
    OverAsking(#[from] OverAsking),
    /// A credential without proof of possession could be anyone's.
    #[error("the query {0:?} must require holder binding")]
    Binding(String),
    /// An authority is known here by the identifier of its key ([`AKI`]), beside what [`Question::roles`] demands, and by
    /// nothing else: what nobody checks must not look as if it had been.
    #[error(
        "the query {0:?} names trusted authorities of another kind than aki, which are not checked here"
    )]
    Authorities(String),
    /// The transaction data break a rule of their type.
    #[error(transparent)]
    Transaction(#[from] TransactionError),
    /// Nothing in an mdoc would be the holder's word on the transaction.
    #[error("the transaction data name {0:?}, which is for an mdoc: ask for an SD-JWT VC there")]
    TransactionFormat(String),
    /// The transaction data name a query that is not there.
    #[error("the transaction data name the unknown query {0:?}")]
    UnknownQuery(String),
    /// An address would not be a permitted URL.
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
}

impl Verifier {
    /// Sets a relying party up: `chain` is its access certificate, `registration` its
    /// registration certificate, `base` the address below which requests are fetched and
    /// answered. What the wallet will check is checked here first.
    ///
    /// # Errors
    /// [`SetupError`], the first rule that is broken.
    pub fn new(
        chain: Chain,
        base: Endpoint,
        registration: String,
        trust: &TrustList,
        now: Timestamp,
    ) -> Result<Self, SetupError> {
        let party = trust.identify(Role::AccessCa, &chain, now).map_err(SetupError::Access)?;
        let (certificate, _) = RegistrationCertificate::verify(&registration, trust, now)
            .map_err(|error| SetupError::Registration(Box::new(error)))?;
        let client_id = certificate.client_id.clone();
        if !client_id::is_certified(&client_id, &party.leaf) {
            let (registered, actual) = (client_id, client_id::by_hash(&party.leaf));
            return Err(SetupError::ClientId { registered, actual });
        }
        let at_its_name = client_id::permits_response_to(&client_id, &base);
        if !at_its_name || !certificate.permits_response_to(base.as_str()) {
            return Err(SetupError::Origin(base.as_str().to_owned()));
        }
        if certificate.status.is_none() {
            return Err(SetupError::NoStatus);
        }
        Ok(Self { client_id, chain, base, registration, certificate })
    }

    /// The client id, as registered: `x509_hash:` and the hash of the access certificate, or `x509_san_dns:` and a
    /// name that it bears.
    #[must_use]
    pub fn client_id(&self) -> &str {
        &self.client_id
    }

    /// Its access certificate, with the chain.
    #[must_use]
    pub const fn chain(&self) -> &Chain {
        &self.chain
    }

    /// Its registration certificate, as it was signed.
    #[must_use]
    pub fn registration(&self) -> &str {
        &self.registration
    }

    /// The address below which its requests are fetched and answered.
    #[must_use]
    pub const fn base(&self) -> &Endpoint {
        &self.base
    }

    /// What the relying party is registered for.
    #[must_use]
    pub const fn certificate(&self) -> &RegistrationCertificate {
        &self.certificate
    }

    /// Starts a request that stands for `seconds`. Store the session under
    /// [`Requested::id`], and show the link.
    ///
    /// # Errors
    /// [`StartError`], the first rule that is broken.
    pub fn start(
        &self,
        question: Question,
        entropy: &RequestEntropy,
        now: Timestamp,
        seconds: u64,
    ) -> Result<(Requested, PresentationLink), StartError> {
        let id = encode_base64url(entropy.id);
        let request_uri = self.base.join(&format!("{id}/request"))?;
        let response_uri = self.base.join(&format!("{id}/response"))?;
        let requested =
            self.wait(id, Way::Post { response_uri }, question, entropy, now, seconds)?;
        let request_uri_method = RequestUriMethod::Post;
        let client_id = self.client_id.clone();
        Ok((requested, PresentationLink { client_id, request_uri, request_uri_method }))
    }

    /// Starts a request that a page of `origin` hands over, by the Digital Credentials API, and that stands for
    /// `seconds`: [`Requested::digital_request`] is what the page gets.
    ///
    /// # Errors
    /// [`StartError`], the first rule that is broken.
    pub fn start_in_browser(
        &self,
        origin: &str,
        question: Question,
        entropy: &RequestEntropy,
        now: Timestamp,
        seconds: u64,
    ) -> Result<Requested, StartError> {
        let permitted = web_origin(origin).is_ok_and(|page| {
            client_id::permits_response_to(&self.client_id, &page)
                && self.certificate.permits_response_to(origin)
        });
        if !permitted {
            return Err(StartError::Origin(origin.to_owned()));
        }
        let (id, origin) = (encode_base64url(entropy.id), origin.to_owned());
        let way = Way::Browser { origin, receipt: None };
        self.wait(id, way, question, entropy, now, seconds)
    }

    fn wait(
        &self,
        id: String,
        way: Way,
        question: Question,
        entropy: &RequestEntropy,
        now: Timestamp,
        seconds: u64,
    ) -> Result<Requested, StartError> {
        if !(1..=MAX_SECONDS).contains(&seconds) {
            return Err(StartError::Lifetime(seconds));
        }
        self.check_query(&question.query)?;
        let transactions = encoded(&question)?;
        Ok(Requested {
            id,
            client_id: self.client_id.clone(),
            x5c: self.chain.to_x5c(),
            way,
            state: encode_base64url(entropy.state),
            nonce: encode_base64url(entropy.nonce),
            response_key: Zeroizing::new(entropy.response_key),
            query: question.query,
            roles: question.roles,
            foreign: question.foreign,
            transactions,
            registration: self.registration.clone(),
            purpose: self.certificate.purpose.clone(),
            retention_days: self.certificate.retention_days,
            issued_at: now.seconds(),
            expires_at: now.plus_seconds(seconds).seconds(),
            sent: None,
            return_to: None,
            opens: Remembered::default(),
            asked_with: Remembered::default(),
        })
    }

    fn check_query(&self, query: &DcqlQuery) -> Result<(), StartError> {
        for credential in query.credentials() {
            let claims: Vec<ClaimPath> =
                credential.claims().iter().map(|claim| claim.path.clone()).collect();
            for vct in credential.meta.types() {
                self.certificate.permits(&credential.format, vct, &claims)?;
            }
            if !credential.require_cryptographic_holder_binding {
                return Err(StartError::Binding(credential.id.clone()));
            }
            let mut authorities = credential.trusted_authorities.iter().flatten();
            if authorities.any(|authority| authority.kind != AKI) {
                return Err(StartError::Authorities(credential.id.clone()));
            }
        }
        Ok(())
    }
}

/// The transaction data of a question, each for queries that are there and that can sign it.
fn encoded(question: &Question) -> Result<Vec<String>, StartError> {
    let mut texts = Vec::new();
    for transaction in &question.transactions {
        for id in transaction.credential_ids() {
            match question.query.credential(id) {
                None => return Err(StartError::UnknownQuery(id.clone())),
                Some(query) if query.format == FORMAT_MSO_MDOC => {
                    return Err(StartError::TransactionFormat(id.clone()));
                }
                Some(_) => {}
            }
        }
        texts.push(transaction.encode()?.text().to_owned());
    }
    Ok(texts)
}

/// Reads transaction data that were encoded here.
pub(crate) fn decode(texts: &[String]) -> Vec<EncodedTransaction> {
    texts.iter().filter_map(|text| EncodedTransaction::parse(text).ok()).collect()
}
