//! The person agrees: the answer is made, signed and encrypted.

use super::answered::Answered;
use super::reviewed::post;
use super::{RequestRefused, Reviewed};
use crate::{Credential, HeldCredential};
use std::collections::BTreeMap;
use yufu_base::{Signer, Timestamp};
use yufu_credential::{BindError, DiscloseError, KeyBinding};
use yufu_jose::jwe::{self, EncryptError, Entropy};
use yufu_jose::{ClaimPath, SignError, TimeError, encode_base64url};
use yufu_mdoc::{DeviceResponse, SessionTranscript, ShowError};
use yufu_openid4vc::dcql::{Answer, Candidate, Mismatch, ResponseMismatch};
use yufu_openid4vc::presentation::{
    AuthorizationResponse, DigitalAnswer, DirectPost, RequestObject, audience_of_origin,
};
use yufu_openid4vc::{Endpoint, HttpRequest};
use yufu_trust::{DisclosedNames, Receipt, ReceiptKind, request_digest};

/// A credential to show, and the key it is bound to.
#[derive(Clone, Copy)]
pub struct Presenting<'a> {
    /// Which query it answers.
    pub query_id: &'a str,
    /// The credential; not shown before, and not to be shown again.
    pub held: &'a HeldCredential,
    /// Its key.
    pub signer: &'a dyn Signer,
}

/// The randomness of one answer.
pub struct AnswerEntropy {
    /// Seed of the ephemeral key.
    pub ephemeral: [u8; 32],
    /// Initialisation vector.
    pub iv: [u8; 12],
}

/// Why an answer is not made. Checked in this order.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ApproveError {
    /// The request has expired while the person thought, or the payment has.
    #[error(transparent)]
    Refused(#[from] Box<RequestRefused>),
    /// A page's answer is not posted, and a posted one is no page's.
    #[error("the request wants its answer another way: {0}")]
    OtherWay(&'static str),
    /// A credential answers no query of the request.
    #[error("the request has no query {0:?}")]
    UnknownQuery(String),
    /// A credential does not answer its query.
    #[error("the credential for {id:?}: {error}")]
    Mismatch {
        /// Which query.
        id: String,
        /// Why.
        error: Mismatch,
    },
    /// Something required is missing, or too much is given.
    #[error(transparent)]
    Answer(#[from] ResponseMismatch),
    /// The credential that is to sign the transaction data is not among them.
    #[error("the transaction data need a credential for one of {0:?}")]
    Transaction(Vec<String>),
    /// The claims cannot be disclosed.
    #[error(transparent)]
    Disclose(#[from] DiscloseError),
    /// The key is not the credential's, or does not sign.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// The elements of an mdoc cannot be shown.
    #[error(transparent)]
    Show(#[from] ShowError),
    /// The answer cannot be encrypted.
    #[error(transparent)]
    Encrypt(#[from] EncryptError),
}

impl Reviewed {
    /// Makes the answer to whoever asked by a link. Remember [`Reviewed::replay_id`], and that the credentials were
    /// shown, before sending it.
    ///
    /// # Errors
    /// [`ApproveError`], the first rule that is broken.
    pub fn approve(
        self,
        presenting: &[Presenting<'_>],
        entropy: &AnswerEntropy,
        now: Timestamp,
    ) -> Result<(Answered, HttpRequest), ApproveError> {
        let mode = self.request.reply.mode();
        let to = self.request.reply.address().ok_or(ApproveError::OtherWay(mode))?;
        let (receipt, answer) = self.answer(presenting, entropy, now)?;
        let DigitalAnswer::Encrypted(jwe) = answer else {
            return Err(ApproveError::OtherWay(mode));
        };
        let http = post(to, &DirectPost::Response(jwe));
        Ok((self.answered(receipt), http))
    }

    /// Makes the answer for the page that asked, and what to keep of it: no word of the verifier comes back this way.
    /// Remember as for [`Reviewed::approve`].
    ///
    /// # Errors
    /// [`ApproveError`], the first rule that is broken.
    pub fn approve_for_page(
        self,
        presenting: &[Presenting<'_>],
        entropy: &AnswerEntropy,
        now: Timestamp,
    ) -> Result<(Receipt, DigitalAnswer), ApproveError> {
        if self.origin.is_none() {
            return Err(ApproveError::OtherWay(self.request.reply.mode()));
        }
        self.answer(presenting, entropy, now)
    }

    fn answer(
        &self,
        presenting: &[Presenting<'_>],
        entropy: &AnswerEntropy,
        now: Timestamp,
    ) -> Result<(Receipt, DigitalAnswer), ApproveError> {
        self.check_still_open(now)?;
        let selected = self.select(presenting)?;
        let transactions = self.assign(presenting)?;
        let mut vp_token: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let mut disclosed = Vec::new();
        for (one, claims) in presenting.iter().zip(selected) {
            let transactions = transactions.get(one.query_id).cloned().unwrap_or_default();
            let shown = self.show(one, &claims, transactions, now)?;
            vp_token.entry(one.query_id.to_owned()).or_default().push(shown);
            let vct = one.held.credential.kind().to_owned();
            disclosed.push((one.query_id, DisclosedNames { vct, claims }));
        }
        // The order of the answer, which is the order of the verifier's receipt.
        disclosed.sort_by_key(|(query_id, _)| *query_id);
        let answer = self.encrypt(vp_token, entropy)?;
        let receipt = self.presented(disclosed.into_iter().map(|(_, names)| names).collect(), now);
        Ok((receipt, answer))
    }

    /// What the wallet keeps of an answer that shows this.
    pub(super) fn presented(&self, disclosed: Vec<DisclosedNames>, now: Timestamp) -> Receipt {
        Receipt {
            kind: ReceiptKind::Presented,
            party: self.request.client_id.clone(),
            purpose: self.certificate.purpose.clone(),
            request_digest: request_digest(&self.request_object),
            disclosed,
            at: now,
            retained_until: None,
        }
    }

    /// The request, once it is answered: what the verifier says is held against it.
    pub(super) fn answered(self, receipt: Receipt) -> Answered {
        Answered {
            receipt,
            party: self.certificate.name,
            request_object: self.request_object,
            verifier_key: self.verifier_key,
        }
    }

    /// That the request has not expired.
    pub(super) fn check_unexpired(&self, now: Timestamp) -> Result<(), TimeError> {
        let until = self.request.expires_at;
        if now < until { Ok(()) } else { Err(TimeError::Expired(until.seconds())) }
    }

    /// The presentation of one credential, bound to this request.
    fn show(
        &self,
        one: &Presenting<'_>,
        claims: &[ClaimPath],
        transactions: Vec<String>,
        now: Timestamp,
    ) -> Result<String, ApproveError> {
        match &one.held.credential {
            Credential::SdJwt(credential) => {
                let binding = KeyBinding {
                    audience: self.audience(),
                    nonce: self.request.nonce.clone(),
                    issued_at: now,
                    transaction_data: transactions,
                };
                Ok(credential.disclose(claims)?.bind(&binding, one.signer)?)
            }
            Credential::Mdoc(mdoc) => {
                let document = mdoc.show(claims, &self.transcript(), one.signer)?;
                Ok(encode_base64url(DeviceResponse::of(vec![document]).encode()))
            }
        }
    }

    /// Whom a presentation is for: the client, or the origin of the page that asked.
    fn audience(&self) -> String {
        let client_id = || self.request.client_id.clone();
        self.origin.as_deref().map_or_else(client_id, audience_of_origin)
    }

    /// What the device of an mdoc signs: this request, its answer's address or origin, and key.
    fn transcript(&self) -> SessionTranscript {
        let RequestObject { reply, client_id, nonce, .. } = &self.request;
        let thumbprint = reply.encryption().map(|metadata| metadata.encryption_key.thumbprint());
        let thumbprint = thumbprint.as_ref();
        match &self.origin {
            Some(origin) => SessionTranscript::digital_credentials(origin, nonce, thumbprint),
            None => {
                let uri = reply.address().map(Endpoint::as_str).unwrap_or_default();
                SessionTranscript::openid4vp(client_id, nonce, thumbprint, uri)
            }
        }
    }

    fn check_still_open(&self, now: Timestamp) -> Result<(), ApproveError> {
        self.check_unexpired(now).map_err(|expired| Box::new(RequestRefused::Time(expired)))?;
        self.check_payments(now).map_err(|refused| ApproveError::Refused(Box::new(refused)))
    }

    /// The claims to disclose, in the order of `presenting`.
    fn select(&self, presenting: &[Presenting<'_>]) -> Result<Vec<Vec<ClaimPath>>, ApproveError> {
        let query = &self.request.dcql_query;
        let mut answers: BTreeMap<String, Vec<Answer<'_>>> = BTreeMap::new();
        let mut selected = Vec::new();
        for one in presenting {
            let id = one.query_id.to_owned();
            let wanted =
                query.credential(&id).ok_or_else(|| ApproveError::UnknownQuery(id.clone()))?;
            let candidate = one.held.candidate();
            let claims = wanted
                .matches(&candidate)
                .map_err(|error| ApproveError::Mismatch { id: id.clone(), error })?;
            selected.push(claims);
            let Candidate { format, vct, claims, authority_key_ids, .. } = candidate;
            let answer = Answer { format, vct, claims, authority_key_ids };
            answers.entry(id).or_default().push(answer);
        }
        query.check_answers(&answers)?;
        Ok(selected)
    }

    /// Which transaction data each query's credential signs: each goes to the first of its
    /// queries that is answered (OpenID4VP 1.0, 5.1: only one may sign it).
    fn assign(
        &self,
        presenting: &[Presenting<'_>],
    ) -> Result<BTreeMap<String, Vec<String>>, ApproveError> {
        let mut assigned: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for transaction in &self.request.transaction_data {
            let ids = transaction.data().credential_ids();
            let answered = |id: &&String| presenting.iter().any(|one| one.query_id == **id);
            let id = ids.iter().find(answered);
            let id = id.ok_or_else(|| ApproveError::Transaction(ids.to_vec()))?;
            assigned.entry(id.clone()).or_default().push(transaction.text().to_owned());
        }
        Ok(assigned)
    }

    fn encrypt(
        &self,
        vp_token: BTreeMap<String, Vec<String>>,
        entropy: &AnswerEntropy,
    ) -> Result<DigitalAnswer, ApproveError> {
        let answer = AuthorizationResponse { vp_token, state: self.request.state.clone() };
        let Some(metadata) = self.request.reply.encryption() else {
            return Ok(DigitalAnswer::Clear(answer));
        };
        let plaintext = serde_json::to_vec(&answer)
            .map_err(|e| BindError::Sign(SignError::Json(e.to_string())))?;
        let entropy = Entropy { ephemeral: entropy.ephemeral, iv: entropy.iv };
        let parameters = metadata.content_encryption.into();
        let jwe = jwe::encrypt(&metadata.encryption_key, &parameters, &plaintext, &entropy)?;
        Ok(DigitalAnswer::Encrypted(jwe))
    }
}
