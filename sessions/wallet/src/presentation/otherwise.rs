//! An answer of another form than OpenID4VP's, to the same signed request: the party was verified as always, and its
//! receipt is held against what was shown. It goes beside the address for answers, at the same origin.

use super::answered::Answered;
use super::consent::{Consent, ConsentCredential};
use super::reviewed::Reviewed;
use serde_json::Value;
use yufu_base::Timestamp;
use yufu_jose::{ClaimPath, TimeError};
use yufu_openid4vc::{Endpoint, HttpRequest};
use yufu_trust::{DisclosedNames, Receipt, ReceiptKind, request_digest};

/// How the address for answers ends.
const RESPONSE: &str = "/response";

/// Why no such answer is made. Checked in this order.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OtherwiseError {
    /// The request can no longer be answered.
    #[error("the request: {0}")]
    Time(#[from] TimeError),
    /// Nothing is known of an address beside the one for answers.
    #[error("the verifier takes no answers of another form")]
    Address,
}

impl Reviewed {
    /// What a credential of another format would show: for the person's decision.
    #[must_use]
    pub fn consent_otherwise(&self, kind: &str, claims: Vec<(ClaimPath, Vec<Value>)>) -> Consent {
        let first = self.request.dcql_query.credentials().first();
        let query_id = first.map(|query| query.id.as_str()).unwrap_or_default();
        let credentials = vec![ConsentCredential::one(query_id, kind, claims)];
        Consent { credentials, transactions: Vec::new(), ..self.consent_to_nothing() }
    }

    /// Makes the answer `document`, of the form called `form`, which shows what `disclosed` names. Remember
    /// [`Reviewed::replay_id`] before sending it.
    ///
    /// # Errors
    /// [`OtherwiseError`], the first rule that is broken.
    pub fn answer_otherwise(
        self,
        form: &str,
        document: &Value,
        disclosed: DisclosedNames,
        now: Timestamp,
    ) -> Result<(Answered, HttpRequest), OtherwiseError> {
        if now >= self.request.expires_at {
            return Err(TimeError::Expired(self.request.expires_at.seconds()).into());
        }
        let address = self.request.reply.address().map(Endpoint::as_str);
        let address = address.and_then(|address| address.strip_suffix(RESPONSE));
        let address = address.map(|base| Endpoint::parse(&format!("{base}/{form}")));
        let address = address.and_then(Result::ok).ok_or(OtherwiseError::Address)?;
        let receipt = Receipt {
            kind: ReceiptKind::Presented,
            party: self.request.client_id,
            purpose: self.certificate.purpose,
            request_digest: request_digest(&self.request_object),
            disclosed: vec![disclosed],
            at: now,
            retained_until: None,
        };
        let answered = Answered {
            receipt,
            party: self.certificate.name,
            request_object: self.request_object,
            verifier_key: self.verifier_key,
        };
        Ok((answered, HttpRequest::post_json(address, document)))
    }
}
