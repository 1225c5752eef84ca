//! Registration certificates: what a relying party may ask, and why, signed by a registrar.
//! Modelled on ETSI TS 119 475 V1.2.1 clause 5.2 (`rc-wrp+jwt`); `client_id`, `origins`,
//! `retention_days` and the localised name are additions.

use crate::{LEEWAY_SECONDS, Localized, Role, TrustError, TrustList, TrustedParty};
use serde::{Deserialize, Serialize};
use url::Url;
use yufu_base::{RESIDENT_NUMBER, Signer, Timestamp};
use yufu_credential::StatusReference;
use yufu_jose::{
    Chain, ChainError, ClaimPath, Header, JwsError, PathStep, SignError, TimeError, Unverified,
    Validity, numeric_date, sign,
};

/// The `typ` of a registration certificate (ETSI TS 119 475 clause 5.2.2).
pub const REGISTRATION_CERTIFICATE: &str = "rc-wrp+jwt";
/// Seconds a certificate may live: 12 months (GEN-5.2.4-08).
const MAX_LIFETIME: u64 = 366 * 86_400;

/// What a relying party was registered to ask, for one intended use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegistrationCertificate {
    /// The relying party's registered id.
    pub sub: String,
    /// Its name, as people know it.
    pub name: Localized,
    /// The client id its requests bear, such as `x509_hash:...`.
    pub client_id: String,
    /// Where responses may be sent: origins such as `https://hotel.example`.
    pub origins: Vec<String>,
    /// Why it asks.
    pub purpose: Localized,
    /// What allows it to ask; a registrar that names none registers nobody for a resident's number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub basis: Option<Basis>,
    /// What it may ask.
    pub credentials: Vec<RegisteredCredential>,
    /// Where its privacy policy stands.
    pub privacy_policy: String,
    /// Where it can be reached, also to have data erased.
    pub support_uri: String,
    /// Where it can be reported.
    pub report_uri: String,
    /// The registered use this certificate is for.
    pub intended_use_id: String,
    /// Days after which it erases what it received.
    pub retention_days: u32,
    /// Whether it keeps the signed answer as evidence for as long.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub evidence: bool,
    /// When it was signed.
    #[serde(rename = "iat", with = "numeric_date")]
    pub issued_at: Timestamp,
    /// From when it no longer holds.
    #[serde(rename = "exp", with = "numeric_date")]
    pub expires_at: Timestamp,
    /// Where to ask whether it was withdrawn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<StatusReference>,
}

/// What allows a relying party to ask.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Basis {
    /// The law or the contract, in words.
    pub text: Localized,
    /// Whether it is a law that demands it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub law: bool,
}

/// A kind of credential that may be asked for, with its claims.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegisteredCredential {
    /// The format, such as `dc+sd-jwt`.
    pub format: String,
    /// Which types.
    pub meta: RegisteredMeta,
    /// Which claims. The standard's name is singular; the plural is read as well.
    #[serde(rename = "claim", alias = "claims")]
    pub claims: Vec<RegisteredClaim>,
}

/// The credential types meant, as DCQL names them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegisteredMeta {
    /// SD-JWT VC types.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub vct_values: Vec<String>,
    /// The type of mdoc.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doctype_value: Option<String>,
}

impl RegisteredMeta {
    /// These types of SD-JWT VC.
    #[must_use]
    pub const fn sd_jwt_vc(vct_values: Vec<String>) -> Self {
        Self { vct_values, doctype_value: None }
    }

    /// This type of mdoc.
    #[must_use]
    pub const fn mdoc(doc_type: String) -> Self {
        Self { vct_values: Vec::new(), doctype_value: Some(doc_type) }
    }

    fn names(&self, kind: &str) -> bool {
        self.vct_values.iter().chain(&self.doctype_value).any(|named| named == kind)
    }
}

/// A claim that may be asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegisteredClaim {
    /// The claim, with all that lies within.
    pub path: ClaimPath,
}

/// Why a registration certificate is refused. Checked in this order.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RegistrationError {
    /// Not a registration certificate, or its signature does not verify.
    #[error("the registration certificate: {0}")]
    Token(#[from] JwsError),
    /// It names no chain we can read.
    #[error("the registration certificate: {0}")]
    Chain(#[from] ChainError),
    /// Not signed by a trusted registrar.
    #[error("the registration certificate: {0}")]
    Registrar(#[from] TrustError),
    /// Expired, or from the future.
    #[error("the registration certificate: {0}")]
    Time(#[from] TimeError),
    /// It claims to be good for too long.
    #[error("the registration certificate is to live more than 12 months")]
    Lifetime,
    /// An origin is not an https origin (http for loopback hosts).
    #[error("{0:?} is not an origin such as https://hotel.example")]
    Origin(String),
}

/// Why a query goes beyond a registration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OverAsking {
    /// The type is not registered at all.
    #[error("not registered to ask for credentials of type {0}")]
    Credential(String),
    /// Claims of it are not registered.
    #[error("not registered to ask for {} of {vct}", list(claims))]
    Claims {
        /// The credential type.
        vct: String,
        /// The claims beyond the registration.
        claims: Vec<ClaimPath>,
    },
    /// The number that names a resident, which no law demands here.
    #[error(
        "no law is registered that demands {claim} of {vct}: without one nobody may ask for it"
    )]
    Number {
        /// The credential type.
        vct: String,
        /// The claim.
        claim: ClaimPath,
    },
}

impl RegistrationCertificate {
    /// Signs the certificate by a registrar's key, whose certificates are `chain`.
    ///
    /// # Errors
    /// [`SignError`] if the key does not sign.
    pub fn sign(&self, signer: &dyn Signer, chain: &Chain) -> Result<String, SignError> {
        let payload =
            serde_json::to_vec(self).map_err(|error| SignError::Json(error.to_string()))?;
        sign(&Header::typed(REGISTRATION_CERTIFICATE).with_chain(chain), &payload, signer)
    }

    /// Verifies a certificate at the moment `now`, and says which registrar signed it.
    /// Whether it was withdrawn is asked at [`RegistrationCertificate::status`].
    ///
    /// # Errors
    /// [`RegistrationError`], the first rule broken.
    pub fn verify(
        jws: &str,
        trust: &TrustList,
        now: Timestamp,
    ) -> Result<(Self, TrustedParty), RegistrationError> {
        let token = Unverified::parse(jws)?.expect_type(REGISTRATION_CERTIFICATE)?;
        let registrar = trust.identify(Role::Registrar, &token.header().chain()?, now)?;
        let certificate: Self = token.verify(&registrar.leaf.public_key)?.claims()?;
        let validity = Validity {
            issued_at: Some(certificate.issued_at),
            not_before: None,
            expires_at: Some(certificate.expires_at),
        };
        validity.check(now, LEEWAY_SECONDS)?;
        if certificate.expires_at > certificate.issued_at.plus_seconds(MAX_LIFETIME) {
            return Err(RegistrationError::Lifetime);
        }
        if let Some(bad) = certificate.origins.iter().find(|origin| !is_origin(origin)) {
            return Err(RegistrationError::Origin(bad.clone()));
        }
        Ok((certificate, registrar))
    }

    /// Whether responses may be sent to `uri`: its origin is registered.
    #[must_use]
    pub fn permits_response_to(&self, uri: &str) -> bool {
        Url::parse(uri).is_ok_and(|uri| {
            let origin = uri.origin();
            origin.is_tuple() && self.origins.contains(&origin.ascii_serialization())
        })
    }

    /// Whether a law is registered that demands what is asked.
    #[must_use]
    pub fn is_by_law(&self) -> bool {
        self.basis.as_ref().is_some_and(|basis| basis.law)
    }

    /// Checks a query for `claims` of a credential of type `vct` (of an mdoc, its type) against the
    /// registration. The number of a resident is beyond every registration that no law is behind.
    ///
    /// # Errors
    /// [`OverAsking`], naming all claims that go beyond.
    pub fn permits(&self, format: &str, vct: &str, claims: &[ClaimPath]) -> Result<(), OverAsking> {
        let registered: Vec<&RegisteredCredential> = self
            .credentials
            .iter()
            .filter(|one| one.format == format && one.meta.names(vct))
            .collect();
        if registered.is_empty() {
            return Err(OverAsking::Credential(vct.to_owned()));
        }
        let allowed = |asked: &ClaimPath| {
            registered.iter().flat_map(|one| &one.claims).any(|claim| claim.path.covers(asked))
        };
        let beyond: Vec<ClaimPath> = claims.iter().filter(|path| !allowed(path)).cloned().collect();
        if !beyond.is_empty() {
            return Err(OverAsking::Claims { vct: vct.to_owned(), claims: beyond });
        }
        match claims.iter().find(|path| names_resident(path)) {
            Some(claim) if !self.is_by_law() => {
                Err(OverAsking::Number { vct: vct.to_owned(), claim: claim.clone() })
            }
            _ => Ok(()),
        }
    }
}

/// Whether a claim is the number of a resident, in whatever object it stands; of an mdoc the element of that name.
#[must_use]
pub fn names_resident(path: &ClaimPath) -> bool {
    path.steps().iter().any(|step| match step {
        PathStep::Name(name) => name.rsplit('.').next() == Some(RESIDENT_NUMBER),
        PathStep::Index(_) | PathStep::Every => false,
    })
}

fn is_origin(text: &str) -> bool {
    Url::parse(text).is_ok_and(|url| {
        let loopback = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
        let secure = url.scheme() == "https" || (url.scheme() == "http" && loopback);
        secure && url.origin().ascii_serialization() == text
    })
}

fn list(claims: &[ClaimPath]) -> String {
    claims.iter().map(ClaimPath::to_string).collect::<Vec<_>>().join(", ")
}
