//! An issuer's terms on their way: signed by the key that the trust list names for its identities, for a day.

use serde::{Deserialize, Serialize};
use yufu_anonymous::Terms;
use yufu_base::{Signer, Timestamp};
use yufu_jose::{
    Chain, Header, JwsError, SignError, TimeError, Unverified, Validity, numeric_date, sign,
};
use yufu_trust::{LEEWAY_SECONDS, Role, TrustError, TrustList};

/// The `typ` of published terms.
pub const TERMS: &str = "yufu-anonymous-terms+jwt";
/// For how long terms are believed, in seconds: a key that is withdrawn is not used for longer.
const LIFETIME: u64 = 86_400;

/// What is signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PublishedTerms {
    terms: Terms,
    #[serde(rename = "iat", with = "numeric_date")]
    issued_at: Timestamp,
    #[serde(rename = "exp", with = "numeric_date")]
    expires_at: Timestamp,
}

/// Why terms are not believed. Checked in this order.
#[derive(Debug, thiserror::Error)]
pub enum TermsRefused {
    /// Not terms, or not signed by who is named.
    #[error("the issuer's terms: {0}")]
    Token(#[from] JwsError),
    /// Their chain cannot be read.
    #[error("the issuer's terms: {0}")]
    Chain(#[from] yufu_jose::ChainError),
    /// Not of an identity authority.
    #[error("the issuer's terms: {0}")]
    Untrusted(#[from] TrustError),
    /// Expired, or from the future.
    #[error("the issuer's terms: {0}")]
    Time(#[from] TimeError),
    /// Of another issuer than the one whose key signed.
    #[error("the terms are of {named}, and were signed by {actual}")]
    Issuer {
        /// Whom they name.
        named: String,
        /// Who signed.
        actual: String,
    },
}

impl PublishedTerms {
    /// Signs `terms` with the issuer's key for identities.
    ///
    /// # Errors
    /// [`SignError`] if the key does not sign.
    pub fn sign(
        terms: &Terms,
        (signer, chain): (&dyn Signer, &Chain),
        now: Timestamp,
    ) -> Result<String, SignError> {
        let (terms, expires_at) = (terms.clone(), now.plus_seconds(LIFETIME));
        let claims = Self { terms, issued_at: now, expires_at };
        let payload =
            serde_json::to_vec(&claims).map_err(|error| SignError::Json(error.to_string()))?;
        sign(&Header::typed(TERMS).with_chain(chain), &payload, signer)
    }

    /// Reads terms, whoever published them, that an identity authority of this country signed.
    ///
    /// # Errors
    /// [`TermsRefused`], the first rule that is broken.
    pub fn verify(jws: &str, trust: &TrustList, now: Timestamp) -> Result<Terms, TermsRefused> {
        let token = Unverified::parse(jws.trim())?.expect_type(TERMS)?;
        let issuer = trust.identify(Role::PidIssuer, &token.header().chain()?, now)?;
        let published: Self = token.verify(&issuer.leaf.public_key)?.claims()?;
        let validity = Validity {
            issued_at: Some(published.issued_at),
            not_before: None,
            expires_at: Some(published.expires_at),
        };
        validity.check(now, LEEWAY_SECONDS)?;
        if published.terms.issuer() != issuer.entry.identifier {
            let (named, actual) = (published.terms.issuer().to_owned(), issuer.entry.identifier);
            return Err(TermsRefused::Issuer { named, actual });
        }
        Ok(published.terms)
    }
}
