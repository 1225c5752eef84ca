//! What a party asks, read from its signed request: the same on both sides, so that both bind the proof to the same.

use std::collections::BTreeSet;
use yufu_anonymous::{Bound, Context};
use yufu_jose::{ClaimPath, PathStep, Unverified, sha256};
use yufu_openid4vc::FORMAT_MSO_MDOC;
use yufu_openid4vc::presentation::RequestObject;
use yufu_trust::RegistrationCertificate;

/// A question that an anonymous credential can answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    audience: String,
    nonce: String,
    request: [u8; 32],
    party: String,
    claims: BTreeSet<String>,
}

/// Why a request cannot be answered under a pseudonym. Checked in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoQuestion {
    /// The verifier's own request does not read.
    #[error("the request cannot be read back")]
    Unreadable,
    /// Something is to be signed, which needs a key.
    #[error("the request is for a transaction, which a pseudonym does not sign")]
    Transaction,
    /// More than one credential, or none but mdocs.
    #[error("the request asks for {0} credentials: a pseudonym answers for one")]
    Credentials(usize),
    /// Alternatives, or values: what is shown must be one thing for everybody.
    #[error("the request leaves a choice of claims or values")]
    Choice,
    /// A claim that is no name.
    #[error("the request asks for a place in a list, and no name")]
    Claim,
}

impl Question {
    /// What the party registered as `party` asks by a request that was verified.
    ///
    /// # Errors
    /// [`NoQuestion`], the first rule that is broken.
    pub fn of(
        request_object: &str,
        request: &RequestObject,
        party: &str,
    ) -> Result<Self, NoQuestion> {
        if !request.transaction_data.is_empty() {
            return Err(NoQuestion::Transaction);
        }
        // The same credential as an mdoc is an alternative to it, and none to a pseudonym.
        let queries = request.dcql_query.credentials().iter();
        let queries: Vec<_> = queries.filter(|query| query.format != FORMAT_MSO_MDOC).collect();
        let [query] = queries.as_slice() else {
            return Err(NoQuestion::Credentials(queries.len()));
        };
        let mut asked = query.claims().iter();
        if query.claim_sets.is_some() || asked.any(|claim| claim.values.is_some()) {
            return Err(NoQuestion::Choice);
        }
        let names = query.claims().iter().map(|claim| name(&claim.path));
        Ok(Self {
            audience: request.client_id.clone(),
            nonce: request.nonce.clone(),
            request: sha256(request_object.trim().as_bytes()),
            party: party.to_owned(),
            claims: names.collect::<Option<_>>().ok_or(NoQuestion::Claim)?,
        })
    }

    /// The verifier's own question, from the request that it sent.
    ///
    /// # Errors
    /// [`NoQuestion`], the first rule that is broken.
    pub fn own(request_object: &str) -> Result<Self, NoQuestion> {
        let no = |_| NoQuestion::Unreadable;
        let token = Unverified::parse(request_object.trim()).map_err(no)?;
        let request = RequestObject::from_json(token.unverified_payload());
        let request = request.map_err(|_| NoQuestion::Unreadable)?;
        let certificate = request.registration_certificate().ok_or(NoQuestion::Unreadable)?;
        let certificate = Unverified::parse(certificate).map_err(no)?;
        let certificate: RegistrationCertificate = certificate.unverified_claims().map_err(no)?;
        Self::of(request_object, &request, &certificate.sub)
    }

    /// The claims that are asked for, by name.
    #[must_use]
    pub const fn claims(&self) -> &BTreeSet<String> {
        &self.claims
    }

    /// For whom the pseudonym is: who is registered, whatever the request says of itself.
    pub(crate) fn context(&self) -> Context {
        Context::of_party(&self.party)
    }

    pub(crate) fn bound(&self) -> Bound<'_> {
        Bound { audience: &self.audience, nonce: &self.nonce, request: &self.request }
    }
}

/// A claim's name: the steps that lead to it, with dots between.
fn name(path: &ClaimPath) -> Option<String> {
    let step = |step: &PathStep| match step {
        PathStep::Name(name) => Some(name.clone()),
        _ => None,
    };
    let steps: Option<Vec<String>> = path.steps().iter().map(step).collect();
    Some(steps?.join("."))
}
