//! A presentation in the verifier's hands (RFC 9901 section 7.3).

use crate::disclosure::digest;
use crate::key_binding::{BindingClaims, transaction_data_hash};
use crate::sd_jwt::split;
use crate::subject::{Credential, StatusReference};
use crate::{KEY_BINDING, SdJwt, SdJwtError};
use serde_json::{Map, Value};
use std::fmt;
use yufu_base::{PublicKey, Timestamp};
use yufu_jose::{Header, Jwk, JwsError, TimeError, Unverified, Validity};

/// What the verifier asked for, and when it looks.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
    /// The verifier's own client id.
    pub audience: &'a str,
    /// The nonce of its request.
    pub nonce: &'a str,
    /// Now.
    pub now: Timestamp,
    /// Seconds by which clocks may differ.
    pub leeway_seconds: u64,
    /// Seconds since when the holder's signature counts as fresh.
    pub max_age_seconds: u64,
    /// The transaction data of the request for this credential, in its order.
    pub transaction_data: &'a [String],
}

/// Why a presentation is refused. Checked in this order.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PresentationError {
    /// The credential itself is not valid.
    #[error(transparent)]
    Credential(#[from] SdJwtError),
    /// There is no key binding.
    #[error("there is no key binding: the holder must sign for this verifier")]
    NoKeyBinding,
    /// The credential's dates do not hold.
    #[error("the credential: {0}")]
    Time(TimeError),
    /// The key binding is not a token of the holder's key; type and signature included.
    #[error("the key binding: {0}")]
    KeyBinding(JwsError),
    /// The holder signed in the future.
    #[error("the holder's signature is dated {0} s, in the future: check the clocks")]
    SignedInFuture(u64),
    /// The holder signed too long ago.
    #[error("the holder's signature is dated {0} s, too long ago: ask again")]
    Stale(u64),
    /// Signed for another verifier.
    #[error("signed for {0:?}, which is not this verifier")]
    Audience(String),
    /// Signed for another request.
    #[error("signed for another request: the nonce differs")]
    Nonce,
    /// Signed over other disclosures.
    #[error("the holder signed other disclosures: sd_hash differs")]
    DisclosuresHash,
    /// The transaction data were hashed otherwise.
    #[error("transaction_data_hashes_alg is {0:?}: only sha-256 is accepted")]
    TransactionDataAlgorithm(String),
    /// The holder agreed to another transaction, or to none.
    #[error("the holder did not sign exactly the transaction data of the request")]
    TransactionData,
}

/// A verified presentation.
#[derive(Clone, PartialEq)]
pub struct Presentation {
    /// The disclosed claims and the open ones, registered ones included.
    pub claims: Map<String, Value>,
    /// The credential's type.
    pub vct: String,
    /// Who says to have issued it; the certificate decides.
    pub issuer: Option<String>,
    /// The holder's key, by which this presentation was signed.
    pub holder_key: Jwk,
    /// Where to ask whether the credential was revoked.
    pub status: Option<StatusReference>,
    /// When it was issued, from and until when it is valid.
    pub validity: Validity,
    /// When the holder signed.
    pub presented_at: Timestamp,
}

/// A presentation not verified yet.
#[derive(Clone, Debug)]
pub struct Presented {
    sd_jwt: SdJwt,
    hash: String,
    binding: Unverified,
}

impl Presented {
    /// Parses `<JWT>~<disclosure>~...~<key binding JWT>`.
    ///
    /// # Errors
    /// [`PresentationError::Credential`], [`PresentationError::NoKeyBinding`] or
    /// [`PresentationError::KeyBinding`].
    pub fn parse(text: &str) -> Result<Self, PresentationError> {
        let (disclosed, binding) = split(text)?;
        let sd_jwt = SdJwt::parse_issued(disclosed)?;
        if binding.is_empty() {
            return Err(PresentationError::NoKeyBinding);
        }
        let binding = Unverified::parse(binding)
            .and_then(|token| token.expect_type(KEY_BINDING))
            .map_err(PresentationError::KeyBinding)?;
        Ok(Self { sd_jwt, hash: digest(disclosed), binding })
    }

    /// The issuer's header, which anyone may have written; its chain leads to the key to
    /// verify with.
    #[must_use]
    pub const fn header(&self) -> &Header {
        self.sd_jwt.header()
    }

    /// Verifies the credential and its binding to this verifier and request. Whether the
    /// credential was revoked is asked at [`Presentation::status`].
    ///
    /// # Errors
    /// [`PresentationError`], the first rule broken.
    pub fn verify(
        self,
        issuer_key: &PublicKey,
        expected: &Expected<'_>,
    ) -> Result<Presentation, PresentationError> {
        let (claims, credential) = self.sd_jwt.verify(issuer_key)?.into_parts();
        let Credential { vct, issuer, confirmation, status, validity, .. } = credential;
        validity.check(expected.now, expected.leeway_seconds).map_err(PresentationError::Time)?;
        let binding: BindingClaims = self
            .binding
            .verify(&confirmation.jwk.key)
            .and_then(|token| token.claims())
            .map_err(PresentationError::KeyBinding)?;
        check_binding(&binding, &self.hash, expected)?;
        Ok(Presentation {
            claims,
            vct,
            issuer,
            holder_key: confirmation.jwk,
            status,
            validity,
            presented_at: binding.iat,
        })
    }
}

/// Parses and verifies a presentation in one step.
///
/// # Errors
/// [`PresentationError`], the first rule broken.
pub fn verify_presentation(
    text: &str,
    issuer_key: &PublicKey,
    expected: &Expected<'_>,
) -> Result<Presentation, PresentationError> {
    Presented::parse(text)?.verify(issuer_key, expected)
}

fn check_binding(
    binding: &BindingClaims,
    hash: &str,
    expected: &Expected<'_>,
) -> Result<(), PresentationError> {
    let Expected { now, leeway_seconds, max_age_seconds, .. } = *expected;
    if binding.iat > now.plus_seconds(leeway_seconds) {
        return Err(PresentationError::SignedInFuture(binding.iat.seconds()));
    }
    let oldest = now.minus_seconds(max_age_seconds.saturating_add(leeway_seconds));
    if binding.iat.seconds() < oldest.seconds() {
        return Err(PresentationError::Stale(binding.iat.seconds()));
    }
    if binding.aud != expected.audience {
        return Err(PresentationError::Audience(binding.aud.clone()));
    }
    if binding.nonce != expected.nonce {
        return Err(PresentationError::Nonce);
    }
    if binding.sd_hash != hash {
        return Err(PresentationError::DisclosuresHash);
    }
    match binding.transaction_data_hashes_alg.as_deref() {
        None | Some("sha-256") => {}
        Some(other) => return Err(PresentationError::TransactionDataAlgorithm(other.to_owned())),
    }
    let wanted = expected.transaction_data.iter().map(|data| transaction_data_hash(data));
    if !wanted.eq(binding.transaction_data_hashes.iter().cloned()) {
        return Err(PresentationError::TransactionData);
    }
    Ok(())
}

/// Says nothing of the claims' values: logs are no place for them.
impl fmt::Debug for Presentation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Presentation({}, {} claims)", self.vct, self.claims.len())
    }
}
