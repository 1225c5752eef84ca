//! An answer of another form than OpenID4VP's, to the same signed request: the party was verified as always, and its
//! receipt is held against what was shown. It goes beside the address for answers, at the same origin.

use super::answered::Answered;
use super::consent::{Consent, ConsentCredential};
use super::reviewed::Reviewed;
use serde_json::Value;
use yufu_base::Timestamp;
use yufu_jose::{ClaimPath, TimeError};
use yufu_openid4vc::{Endpoint, HttpRequest};
use yufu_trust::DisclosedNames;

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
        self.check_unexpired(now)?;
        let address = self.request.reply.address().map(Endpoint::as_str);
        let address = address.and_then(|address| address.strip_suffix(RESPONSE));
        let address = address.map(|base| Endpoint::parse(&format!("{base}/{form}")));
        let address = address.and_then(Result::ok).ok_or(OtherwiseError::Address)?;
        let receipt = self.presented(vec![disclosed], now);
        Ok((self.answered(receipt), HttpRequest::post_json(address, document)))
    }
}
