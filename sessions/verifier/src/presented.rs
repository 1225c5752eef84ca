//! One presented credential, of either format, and what is found in it.

use crate::received::VerifyError;
use crate::requested::Requested;
use serde_json::{Map, Value};
use yufu_base::Timestamp;
use yufu_credential::{Expected, PresentationError, StatusReference};
use yufu_jose::{Chain, ChainError, Jwk, Leaf, decode_base64url};
use yufu_mdoc::{DeviceResponse, Document, MdocError, MdocExpected};
use yufu_openid4vc::{FORMAT_MSO_MDOC, FORMAT_SD_JWT_VC};
use yufu_trust::LEEWAY_SECONDS;

/// A presented credential, not verified yet.
pub(crate) enum Presented {
    SdJwt(Box<yufu_credential::Presented>),
    Mdoc(Box<Document>),
}

/// What is found in a presented credential, whatever its format.
pub(crate) struct Found {
    pub(crate) format: &'static str,
    /// The `vct`, or the type of an mdoc.
    pub(crate) kind: String,
    /// Of an mdoc its elements, by namespace.
    pub(crate) claims: Map<String, Value>,
    /// Whom it names as its issuer; an mdoc names none.
    pub(crate) issuer: Option<String>,
    pub(crate) holder_key: Jwk,
    pub(crate) status: Option<StatusReference>,
    pub(crate) expires_at: Option<Timestamp>,
    /// Which authorities its chain names, if the query asks for any.
    pub(crate) authority_key_ids: Vec<String>,
}

impl Presented {
    pub(crate) fn parse(id: &str, format: &str, text: &str) -> Result<Self, VerifyError> {
        if format == FORMAT_MSO_MDOC {
            let encoding = |error| VerifyError::Encoding { id: id.to_owned(), error };
            let bytes = decode_base64url(text).map_err(encoding)?;
            let document = DeviceResponse::decode(&bytes).and_then(DeviceResponse::into_document);
            return Ok(Self::Mdoc(Box::new(document.map_err(|error| mdoc(id, error))?)));
        }
        let parsed = yufu_credential::Presented::parse(text).map_err(|error| sd_jwt(id, error))?;
        Ok(Self::SdJwt(Box::new(parsed)))
    }

    /// The issuer's chain, which anyone may have written.
    pub(crate) fn chain(&self) -> Result<Chain, ChainError> {
        match self {
            Self::SdJwt(presented) => presented.header().chain(),
            Self::Mdoc(document) => document.chain().cloned(),
        }
    }

    /// Verifies it to the end, but for its status.
    pub(crate) fn verify(
        self,
        id: &str,
        request: &Requested,
        issuer: &Leaf,
        transaction_data: &[String],
        now: Timestamp,
    ) -> Result<Found, VerifyError> {
        match self {
            Self::SdJwt(presented) => {
                let audience = request.audience();
                let expected = Expected {
                    audience: &audience,
                    nonce: &request.nonce,
                    now,
                    leeway_seconds: LEEWAY_SECONDS,
                    max_age_seconds: now.seconds().saturating_sub(request.issued_at),
                    transaction_data,
                };
                let found = presented.verify(&issuer.public_key, &expected);
                found.map(Found::from).map_err(|error| sd_jwt(id, error))
            }
            // Nothing in an mdoc would be the holder's word on them.
            Self::Mdoc(_) if !transaction_data.is_empty() => {
                Err(VerifyError::TransactionUnsigned(vec![id.to_owned()]))
            }
            Self::Mdoc(document) => {
                let transcript = request.transcript()?;
                let expected = MdocExpected {
                    transcript: &transcript,
                    reader_key: None,
                    now,
                    leeway_seconds: LEEWAY_SECONDS,
                };
                let found = document.verify(&issuer.public_key, &expected).and_then(|found| {
                    found.validity.check_signer(issuer)?;
                    Ok(found)
                });
                found.map(Found::from).map_err(|error| mdoc(id, error))
            }
        }
    }
}

impl From<yufu_credential::Presentation> for Found {
    fn from(found: yufu_credential::Presentation) -> Self {
        Self {
            format: FORMAT_SD_JWT_VC,
            kind: found.vct,
            claims: found.claims,
            issuer: found.issuer,
            holder_key: found.holder_key,
            status: found.status,
            expires_at: found.validity.expires_at,
            authority_key_ids: Vec::new(),
        }
    }
}

impl From<yufu_mdoc::VerifiedMdoc> for Found {
    fn from(found: yufu_mdoc::VerifiedMdoc) -> Self {
        Self {
            format: FORMAT_MSO_MDOC,
            kind: found.doc_type,
            claims: found.elements,
            issuer: None,
            holder_key: found.device_key.into(),
            status: found.status,
            expires_at: Some(found.validity.valid_until),
            authority_key_ids: Vec::new(),
        }
    }
}

fn sd_jwt(id: &str, error: PresentationError) -> VerifyError {
    VerifyError::Presentation { id: id.to_owned(), error: Box::new(error) }
}

fn mdoc(id: &str, error: MdocError) -> VerifyError {
    VerifyError::Mdoc { id: id.to_owned(), error: Box::new(error) }
}
