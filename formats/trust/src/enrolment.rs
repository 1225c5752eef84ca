//! Enrolment: how an institution that runs by itself makes itself known to the registrar, the trust-list
//! operator or the central bank. One key of the institution signs what it wants certified, and each
//! of those keys proves that the institution holds it. Whose key that one is, the other side was told by
//! another way: by its fingerprint.

use crate::trust_list::is_safe_address;
use crate::{LEEWAY_SECONDS, Role};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use yufu_base::{PublicKey, Signature, Signer, Timestamp};
use yufu_jose::{
    Chain, ChainError, Header, Jwk, JwsError, SignError, Unverified, decode_base64url,
    encode_base64url, numeric_date, sign,
};

/// The `typ` of an enrolment.
pub const ENROLMENT: &str = "yufu-enrolment+jwt";
/// Separates the proof of an enrolled key from every other use of it.
const PROOF_TAG: &str = "yufu.enrolment.v1";
/// How long an enrolment may be used, in seconds.
const WINDOW: u64 = 300;

/// What an institution wants to be known by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Enrolment {
    /// Who enrols: its id in the profile.
    pub iss: String,
    /// Where: that institution's id.
    pub aud: String,
    /// Under which address it is reached, without a slash at the end.
    pub url: String,
    /// When it was signed.
    #[serde(with = "numeric_date")]
    pub iat: Timestamp,
    /// The key that is to be certified or registered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<EnrolledKey>,
    /// Its own certification authorities.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub anchors: Vec<Anchor>,
    /// Former authorities of its own, by the thumbprints of their keys (RFC 7638), that certify nothing new; what they
    /// certified still counts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub former: Vec<String>,
    /// Keys of its own, by their thumbprints, that count no more: of authorities and of those they certified.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub withdrawn: Vec<String>,
}

/// A key, and the proof that whoever enrols holds it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnrolledKey {
    /// The public key.
    pub jwk: Jwk,
    /// A signature by it, in base64url, over tag, `iss`, `aud` and `iat`.
    pub proof: String,
}

/// A certification authority of an institution, and the proof that the institution holds its key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Anchor {
    /// What it certifies.
    pub role: Role,
    /// Its certificate: DER in standard base64.
    pub certificate: String,
    /// A certificate that it issued for the institution's own key: DER in standard base64.
    pub proof: String,
}

/// Why an enrolment is refused. Checked in this order.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EnrolmentError {
    /// Not an enrolment, or not signed by the key that it names.
    #[error("the enrolment: {0}")]
    Token(#[from] JwsError),
    /// It names no key.
    #[error("the enrolment names no key: its header needs jwk")]
    NoKey,
    /// Signed by another key than the one that was admitted.
    #[error("signed by the key with the fingerprint {found}, which is not the one admitted")]
    Fingerprint {
        /// The fingerprint of the key that signed.
        found: String,
    },
    /// For somebody else.
    #[error("the enrolment is for {0}: sign one for this institution")]
    Audience(String),
    /// Too old, or from the future.
    #[error(
        "the enrolment was signed at {0} s since the epoch, more than five minutes from now: check the clock, sign a new one"
    )]
    Stale(u64),
    /// Others would reach it without TLS.
    #[error(
        "{0:?} is no address to enrol: expected https (http to this machine only), and no path"
    )]
    Address(String),
    /// Whoever enrols does not hold the key.
    #[error("the key is not proven: it must sign iss, aud and iat itself")]
    KeyProof,
    /// Whoever enrols does not hold the anchor's key, or it is no anchor.
    #[error("anchor {0}: {1}")]
    AnchorProof(usize, ChainError),
    /// The anchor certified another key.
    #[error("anchor {0} is not proven: its proof is for another key than the one that signed")]
    AnchorOfOther(usize),
}

impl EnrolledKey {
    /// `signer`'s key, proven for an enrolment of `iss` at `aud` signed at `iat`.
    ///
    /// # Errors
    /// [`SignError`] if the key does not sign.
    pub fn prove(
        signer: &dyn Signer,
        (iss, aud): (&str, &str),
        iat: Timestamp,
    ) -> Result<Self, SignError> {
        let signature = signer.sign(&proof_bytes(iss, aud, iat))?;
        Ok(Self { jwk: signer.public_key().into(), proof: encode_base64url(signature.0) })
    }

    fn holds(&self, enrolment: &Enrolment) -> bool {
        let bytes = decode_base64url(&self.proof).ok().and_then(|bytes| bytes.try_into().ok());
        let signed = proof_bytes(&enrolment.iss, &enrolment.aud, enrolment.iat);
        bytes.is_some_and(|bytes| {
            yufu_jose::verify(&self.jwk.key, &signed, &Signature(bytes)).is_ok()
        })
    }
}

impl Anchor {
    /// An anchor (DER) that certifies `role`, and the certificate (DER) that it issued as a proof.
    #[must_use]
    pub fn new(role: Role, certificate: &[u8], proof: &[u8]) -> Self {
        Self { role, certificate: STANDARD.encode(certificate), proof: STANDARD.encode(proof) }
    }

    /// The certificate, DER.
    ///
    /// # Errors
    /// [`ChainError::Base64`].
    pub fn der(&self) -> Result<Vec<u8>, ChainError> {
        STANDARD.decode(&self.certificate).map_err(|_| ChainError::Base64(0))
    }

    fn proven_for(&self, now: Timestamp) -> Result<PublicKey, ChainError> {
        let proof = STANDARD.decode(&self.proof).map_err(|_| ChainError::Base64(0))?;
        Ok(Chain::from_der(vec![proof])?.verify(&[self.der()?], now)?.public_key)
    }
}

impl Enrolment {
    /// Signs the enrolment by the institution's own key.
    ///
    /// # Errors
    /// [`SignError`] if the key does not sign.
    pub fn sign(&self, signer: &dyn Signer) -> Result<String, SignError> {
        let payload =
            serde_json::to_vec(self).map_err(|error| SignError::Json(error.to_string()))?;
        sign(&Header::typed(ENROLMENT).with_jwk(signer.public_key().into()), &payload, signer)
    }

    /// Who an enrolment says enrols, before it is verified: whose fingerprint to look up.
    ///
    /// # Errors
    /// [`EnrolmentError::Token`] if it is no enrolment.
    pub fn unverified_issuer(text: &str) -> Result<String, EnrolmentError> {
        let token = Unverified::parse(text)?.expect_type(ENROLMENT)?;
        Ok(token.unverified_claims::<Self>()?.iss)
    }

    /// Verifies an enrolment at `audience` by whoever has the key with `fingerprint` (RFC 7638, base64url).
    ///
    /// # Errors
    /// [`EnrolmentError`], the first rule broken.
    pub fn verify(
        text: &str,
        fingerprint: &str,
        audience: &str,
        now: Timestamp,
    ) -> Result<Self, EnrolmentError> {
        let token = Unverified::parse(text)?.expect_type(ENROLMENT)?;
        let jwk = token.header().jwk.clone().ok_or(EnrolmentError::NoKey)?;
        let enrolment: Self = token.verify(&jwk.key)?.claims()?;
        let found = jwk.thumbprint_base64url();
        if found != fingerprint {
            return Err(EnrolmentError::Fingerprint { found });
        }
        if enrolment.aud != audience {
            return Err(EnrolmentError::Audience(enrolment.aud));
        }
        let (iat, reach) = (enrolment.iat, WINDOW.saturating_add(LEEWAY_SECONDS));
        if now > iat.plus_seconds(reach) || iat > now.plus_seconds(reach) {
            return Err(EnrolmentError::Stale(iat.seconds()));
        }
        if !is_safe_address(&enrolment.url) || !is_bare(&enrolment.url) {
            return Err(EnrolmentError::Address(enrolment.url));
        }
        if enrolment.key.as_ref().is_some_and(|key| !key.holds(&enrolment)) {
            return Err(EnrolmentError::KeyProof);
        }
        for (index, anchor) in enrolment.anchors.iter().enumerate() {
            let proven = anchor.proven_for(now);
            let proven = proven.map_err(|error| EnrolmentError::AnchorProof(index, error))?;
            if proven != jwk.key {
                return Err(EnrolmentError::AnchorOfOther(index));
            }
        }
        Ok(enrolment)
    }
}

/// Paths are appended to an address as they are, so it has none, and neither query nor credentials.
fn is_bare(address: &str) -> bool {
    url::Url::parse(address).is_ok_and(|url| url.origin().ascii_serialization() == address)
}

fn proof_bytes(iss: &str, aud: &str, iat: Timestamp) -> Vec<u8> {
    format!("{PROOF_TAG}\0{iss}\0{aud}\0{}", iat.seconds()).into_bytes()
}
