//! The answer is on its way; what the verifier says to it.

use serde::{Deserialize, Serialize};
use yufu_jose::Jwk;
use yufu_openid4vc::presentation::DirectPostResponse;
use yufu_openid4vc::{Endpoint, EndpointError, HttpError, HttpResponse};
use yufu_trust::{Localized, Receipt, ReceiptError, ReceiptKind};

/// Waits for the verifier.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answered {
    pub(super) receipt: Receipt,
    pub(super) party: Localized,
    pub(super) request_object: String,
    pub(super) verifier_key: Jwk,
}

/// The end: what the wallet keeps in its history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Done {
    /// To whom.
    pub party: Localized,
    /// What was shown, to whom, why, when: names, no values.
    pub receipt: Receipt,
    /// The signed request, which the receipts commit to.
    pub request_object: String,
    /// What the verifier signed.
    pub verifier_receipt: VerifierReceipt,
    /// Where the person goes next.
    pub redirect_uri: Option<String>,
}

/// The verifier's receipt. The claims are shown whether it is good or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VerifierReceipt {
    /// There is none.
    Missing,
    /// It holds, and says what the wallet showed.
    Valid {
        /// As it was signed.
        jws: String,
        /// What it says.
        receipt: Receipt,
    },
    /// It does not hold.
    Invalid(ReceiptError),
    /// It holds, but says something else than the wallet showed.
    Different(Receipt),
}

/// Why an answer counts as not accepted. Checked in this order.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AnswerError {
    /// The verifier refused, or its answer cannot be read.
    #[error("the verifier did not accept the answer: {0}")]
    Http(#[from] HttpError),
    /// The person would be sent to an address that is not permitted.
    #[error("redirect_uri: {0}")]
    Redirect(EndpointError),
}

impl Answered {
    /// What was shown: keep it even if the verifier then refuses, for it was sent.
    #[must_use]
    pub const fn receipt(&self) -> &Receipt {
        &self.receipt
    }

    /// The signed request that it answers.
    #[must_use]
    pub fn request_object(&self) -> &str {
        &self.request_object
    }

    /// Takes the verifier's word.
    ///
    /// # Errors
    /// [`AnswerError`], the first rule that is broken.
    pub fn handle(&self, response: &HttpResponse) -> Result<Done, AnswerError> {
        let said: DirectPostResponse = response.json()?;
        if let Some(uri) = &said.redirect_uri {
            let base = uri.split('#').next().unwrap_or_default();
            Endpoint::parse(base).map_err(AnswerError::Redirect)?;
        }
        Ok(Done {
            party: self.party.clone(),
            receipt: self.receipt.clone(),
            request_object: self.request_object.clone(),
            verifier_receipt: self.check_receipt(said.receipt),
            redirect_uri: said.redirect_uri,
        })
    }

    fn check_receipt(&self, jws: Option<String>) -> VerifierReceipt {
        let Some(jws) = jws else { return VerifierReceipt::Missing };
        let key = &self.verifier_key.key;
        match Receipt::verify(&jws, key, ReceiptKind::Accepted, &self.request_object) {
            Err(error) => VerifierReceipt::Invalid(error),
            Ok(receipt)
                if receipt.party == self.receipt.party
                    && receipt.disclosed == self.receipt.disclosed =>
            {
                VerifierReceipt::Valid { jws, receipt }
            }
            Ok(receipt) => VerifierReceipt::Different(receipt),
        }
    }
}
