//! The nonce and credential endpoints (OpenID4VCI 1.0, sections 7 and 8).

use super::MAX_SECTORS;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The largest request that is read, in bytes.
pub(super) const MAX_REQUEST: usize = 256 * 1024;
/// The most proofs that are read from one request, whatever an issuer's batch size.
pub const MAX_PROOFS: usize = 100;

/// A fresh challenge (section 7.2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NonceResponse {
    /// The challenge to put into the proofs.
    pub c_nonce: String,
}

/// What a wallet sends to the credential endpoint, under its access token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CredentialRequest {
    /// Which of the offered credentials.
    pub credential_configuration_id: String,
    /// One proof per wanted credential.
    pub proofs: Proofs,
    /// Proofs of the keys of the holder's pseudonyms: an extension of our own. A wallet that
    /// does not know it sends none.
    #[serde(rename = "yufu_sector_proofs", default, skip_serializing_if = "Vec::is_empty")]
    pub sector_proofs: Vec<String>,
}

/// Proofs of possession, by type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proofs {
    /// Key proofs of type `jwt` (appendix F.1).
    pub jwt: Vec<String>,
}

/// What the credential endpoint answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CredentialResponse {
    /// One entry per issued credential.
    pub credentials: Vec<IssuedCredential>,
}

/// One issued credential.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IssuedCredential {
    /// The SD-JWT VC in compact form, or the issuer-signed part of an mdoc in base64url.
    pub credential: String,
}

impl fmt::Debug for IssuedCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "IssuedCredential({} bytes)", self.credential.len())
    }
}

/// The codes of section 8.3.1.2, and of RFC 6750 for the token itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CredentialErrorCode {
    /// Malformed.
    InvalidCredentialRequest,
    /// No such configuration.
    UnknownCredentialConfiguration,
    /// No such credential identifier.
    UnknownCredentialIdentifier,
    /// A proof is missing or wrong.
    InvalidProof,
    /// A proof carries a nonce that is unknown, spent or old: fetch a new one.
    InvalidNonce,
    /// Encryption parameters are missing or wrong.
    InvalidEncryptionParameters,
    /// Refused for good.
    CredentialRequestDenied,
    /// The access token is missing, unknown, expired or spent (RFC 6750; status 401).
    InvalidToken,
    /// No such deferred issuance, or it was fetched (section 9.3).
    InvalidTransactionId,
    /// The DPoP proof does not hold (RFC 9449, section 7.1; status 401).
    InvalidDpopProof,
    /// The DPoP proof lacks a live nonce: one is in the answer's header (status 401).
    UseDpopNonce,
}

impl CredentialErrorCode {
    /// The HTTP status that goes with it.
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::InvalidToken | Self::InvalidDpopProof | Self::UseDpopNonce => 401,
            _ => 400,
        }
    }
}

/// As it stands on the wire.
impl fmt::Display for CredentialErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

/// A refusal of the credential endpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CredentialErrorResponse {
    /// The code.
    pub error: CredentialErrorCode,
    /// For developers; ASCII.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_description: Option<String>,
}

/// Why a document is not a credential request.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CredentialRequestError {
    /// Larger than 256 KiB.
    #[error("the credential request is larger than {MAX_REQUEST} bytes")]
    TooLarge,
    /// Not a JSON object.
    #[error("the credential request is not a JSON object: {0}")]
    Json(String),
    /// By identifier, which is never given out here (section 8.2).
    #[error("credential_identifier was not given out: use credential_configuration_id")]
    Identifier,
    /// No configuration id.
    #[error("credential_configuration_id is missing")]
    Configuration,
    /// The response is to be encrypted, which the metadata do not offer.
    #[error("credential_response_encryption is not offered")]
    Encryption,
    /// The answer is to be encrypted to a key, or in a way, that is not supported.
    #[error(
        "credential_response_encryption must hold a P-256 key with alg ECDH-ES, enc A128GCM or A256GCM, and no zip; it is taken from an encrypted request only"
    )]
    EncryptionKey,
    /// `proofs` is missing or does not hold exactly the array `jwt` (section 8.2).
    #[error("proofs must hold exactly one member, jwt, an array of 1 to {MAX_PROOFS} strings")]
    Proofs,
    /// `yufu_sector_proofs` is there and no array of strings.
    #[error(
        "yufu_sector_proofs must be an array of 1 to {MAX_SECTORS} strings: leave it out if you have none"
    )]
    SectorProofs,
}

impl CredentialRequestError {
    /// The code to answer with.
    #[must_use]
    pub const fn code(&self) -> CredentialErrorCode {
        match self {
            Self::Identifier => CredentialErrorCode::UnknownCredentialIdentifier,
            Self::Encryption | Self::EncryptionKey => {
                CredentialErrorCode::InvalidEncryptionParameters
            }
            Self::Proofs => CredentialErrorCode::InvalidProof,
            Self::TooLarge | Self::Json(_) | Self::Configuration | Self::SectorProofs => {
                CredentialErrorCode::InvalidCredentialRequest
            }
        }
    }
}

impl CredentialRequest {
    /// Reads the document; unknown members are ignored, as the specification asks, and so
    /// the single `proof` of old drafts counts for nothing.
    ///
    /// # Errors
    /// [`CredentialRequestError`], the first rule that is broken.
    pub fn from_json(bytes: &[u8]) -> Result<Self, CredentialRequestError> {
        #[derive(Deserialize)]
        struct Wire {
            credential_identifier: Option<serde_json::Value>,
            credential_configuration_id: Option<String>,
            credential_response_encryption: Option<serde_json::Value>,
            proofs: Option<serde_json::Map<String, serde_json::Value>>,
            yufu_sector_proofs: Option<serde_json::Value>,
        }
        if bytes.len() > MAX_REQUEST {
            return Err(CredentialRequestError::TooLarge);
        }
        let wire: Wire = serde_json::from_slice(bytes)
            .map_err(|e| CredentialRequestError::Json(e.to_string()))?;
        if wire.credential_identifier.is_some() {
            return Err(CredentialRequestError::Identifier);
        }
        let credential_configuration_id =
            wire.credential_configuration_id.ok_or(CredentialRequestError::Configuration)?;
        if wire.credential_response_encryption.is_some() {
            return Err(CredentialRequestError::Encryption);
        }
        let proofs = wire.proofs.filter(|proofs| proofs.len() == 1);
        let jwt: Option<Vec<String>> = proofs
            .and_then(|mut proofs| proofs.remove("jwt"))
            .and_then(|jwt| serde_json::from_value(jwt).ok());
        let jwt = jwt.filter(|jwt| (1..=MAX_PROOFS).contains(&jwt.len()));
        let proofs = Proofs { jwt: jwt.ok_or(CredentialRequestError::Proofs)? };
        let sector_proofs = match wire.yufu_sector_proofs {
            None => Vec::new(),
            Some(list) => serde_json::from_value(list)
                .ok()
                .filter(|list: &Vec<String>| (1..=MAX_SECTORS).contains(&list.len()))
                .ok_or(CredentialRequestError::SectorProofs)?,
        };
        Ok(Self { credential_configuration_id, proofs, sector_proofs })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn each_rule_of_a_credential_request_has_its_error_and_code_8_3_1_2() {
        use CredentialErrorCode as Code;
        use CredentialRequestError as E;
        let many = vec!["p"; MAX_PROOFS + 1];
        let with_sectors = |list: serde_json::Value| {
            json!({"credential_configuration_id": "pid", "proofs": {"jwt": ["p"]},
                "yufu_sector_proofs": list})
        };
        for (document, error, code) in [
            (
                json!({"credential_identifier": "x"}),
                E::Identifier,
                Code::UnknownCredentialIdentifier,
            ),
            (json!({"proofs": {"jwt": ["p"]}}), E::Configuration, Code::InvalidCredentialRequest),
            (
                json!({"credential_configuration_id": "pid", "credential_response_encryption": {}}),
                E::Encryption,
                Code::InvalidEncryptionParameters,
            ),
            (json!({"credential_configuration_id": "pid"}), E::Proofs, Code::InvalidProof),
            (
                json!({"credential_configuration_id": "pid", "proof": {"proof_type": "jwt", "jwt": "p"}}),
                E::Proofs,
                Code::InvalidProof,
            ),
            (
                json!({"credential_configuration_id": "pid", "proofs": {"jwt": []}}),
                E::Proofs,
                Code::InvalidProof,
            ),
            (
                json!({"credential_configuration_id": "pid", "proofs": {"jwt": ["p"], "attestation": []}}),
                E::Proofs,
                Code::InvalidProof,
            ),
            (
                json!({"credential_configuration_id": "pid", "proofs": {"jwt": many}}),
                E::Proofs,
                Code::InvalidProof,
            ),
            (with_sectors(json!([])), E::SectorProofs, Code::InvalidCredentialRequest),
            (with_sectors(json!("p")), E::SectorProofs, Code::InvalidCredentialRequest),
            (
                with_sectors(json!(vec!["p"; MAX_SECTORS + 1])),
                E::SectorProofs,
                Code::InvalidCredentialRequest,
            ),
        ] {
            let got = CredentialRequest::from_json(document.to_string().as_bytes()).unwrap_err();
            assert_eq!((got.code(), got), (code, error), "{document}");
        }
        assert!(matches!(CredentialRequest::from_json(b"[]"), Err(E::Json(_))));
        let large = vec![b' '; MAX_REQUEST + 1];
        assert_eq!(CredentialRequest::from_json(&large), Err(E::TooLarge));
    }

    #[test]
    fn the_wire_form_is_that_of_section_8_2() {
        let request = CredentialRequest {
            credential_configuration_id: "pid".into(),
            proofs: Proofs { jwt: vec!["a.b.c".into()] },
            sector_proofs: vec![],
        };
        let wire = serde_json::to_value(&request).unwrap();
        let expected = json!({"credential_configuration_id": "pid", "proofs": {"jwt": ["a.b.c"]}});
        assert_eq!(wire, expected);
        assert_eq!(CredentialRequest::from_json(wire.to_string().as_bytes()), Ok(request.clone()));
        let request = CredentialRequest { sector_proofs: vec!["d.e.f".into()], ..request };
        let wire = serde_json::to_value(&request).unwrap();
        assert_eq!(wire["yufu_sector_proofs"], json!(["d.e.f"]));
        assert_eq!(CredentialRequest::from_json(wire.to_string().as_bytes()), Ok(request));
        assert_eq!(
            serde_json::to_value(CredentialErrorCode::InvalidNonce).unwrap(),
            json!("invalid_nonce")
        );
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes: Vec<u8>) {
            let _ = CredentialRequest::from_json(&bytes);
        }
    }
}
