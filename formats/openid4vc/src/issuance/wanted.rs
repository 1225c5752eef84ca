//! The credential request of the authorization code flow (OpenID4VCI 1.0, section 8.2): by configuration or
//! identifier, proven by keys with an attestation, answered encrypted if the wallet asks for it.

use super::{CredentialRequest, CredentialRequestError, IssuedCredential, Proofs};
use crate::issuance::{MAX_PROOFS, MAX_SECTORS};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use yufu_jose::Jwk;
use yufu_jose::jwe::ContentEncryption;

/// Which credential is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// By configuration: the token was asked for by scope.
    Configuration(String),
    /// By identifier: the token came with authorization details.
    Identifier(String),
}

/// What shows that the wallet has the keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProofsOf {
    /// Proofs of possession, of type `jwt`.
    Keys(Vec<String>),
    /// A key attestation alone, of type `attestation`.
    Attestation(String),
}

/// To whom the answer is to be encrypted, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnswerKey {
    /// The wallet's key, for this answer.
    pub jwk: Jwk,
    /// The content encryption.
    pub enc: ContentEncryption,
}

/// A credential request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WantedRequest {
    /// Which credential.
    pub wanted: Wanted,
    /// What shows that the wallet has the keys.
    pub proofs: ProofsOf,
    /// To whom the answer is to be encrypted.
    pub answer_key: Option<AnswerKey>,
    /// Proofs of the keys of the holder's pseudonyms: an extension of our own.
    pub sector_proofs: Vec<String>,
}

/// What the credential and the deferred endpoint answer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WantedResponse {
    /// The credentials, if they were issued.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub credentials: Vec<IssuedCredential>,
    /// What fetches them later, if they were not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transaction_id: Option<String>,
    /// When to ask again at the earliest, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<u64>,
    /// By what the wallet says what became of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notification_id: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct AnswerKeyWire {
    jwk: Jwk,
    enc: String,
}

#[derive(Default, Serialize, Deserialize)]
struct Wire {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    credential_identifier: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    credential_configuration_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    proofs: Option<Map<String, Value>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    credential_response_encryption: Option<Value>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    yufu_sector_proofs: Vec<String>,
}

impl AnswerKey {
    /// Reads the member `credential_response_encryption`.
    ///
    /// # Errors
    /// [`CredentialRequestError::EncryptionKey`] for a key or encryption that cannot be used.
    pub fn read(member: Option<Value>) -> Result<Option<Self>, CredentialRequestError> {
        let Some(member) = member else { return Ok(None) };
        let zipped = member.get("zip").is_some();
        let wire: Option<AnswerKeyWire> = serde_json::from_value(member).ok();
        let key = wire.filter(|wire| !zipped && wire.jwk.alg.as_deref() == Some("ECDH-ES"));
        let key = key.and_then(|wire| {
            Some(Self { enc: ContentEncryption::from_name(&wire.enc)?, jwk: wire.jwk })
        });
        key.map(Some).ok_or(CredentialRequestError::EncryptionKey)
    }

    /// The member `credential_response_encryption`.
    #[must_use]
    pub fn member(&self) -> Value {
        let wire = AnswerKeyWire { jwk: self.jwk.clone(), enc: self.enc.name().to_owned() };
        serde_json::to_value(wire).unwrap_or_default()
    }
}

impl WantedRequest {
    /// Reads the document; unknown members are ignored.
    ///
    /// # Errors
    /// [`CredentialRequestError`], the first rule that is broken.
    pub fn from_json(bytes: &[u8]) -> Result<Self, CredentialRequestError> {
        if bytes.len() > super::credential::MAX_REQUEST {
            return Err(CredentialRequestError::TooLarge);
        }
        let wire: Wire = serde_json::from_slice(bytes)
            .map_err(|e| CredentialRequestError::Json(e.to_string()))?;
        let wanted = match (wire.credential_configuration_id, wire.credential_identifier) {
            (Some(id), None) => Wanted::Configuration(id),
            (None, Some(id)) => Wanted::Identifier(id),
            _ => return Err(CredentialRequestError::Configuration),
        };
        let answer_key = AnswerKey::read(wire.credential_response_encryption)?;
        let proofs = wire.proofs.filter(|proofs| proofs.len() == 1);
        let proofs = proofs.and_then(|mut proofs| {
            let jwt = proofs.remove("jwt").map(strings);
            let attestation = proofs.remove("attestation").map(strings);
            match (jwt, attestation) {
                (Some(Some(keys)), None) => Some(ProofsOf::Keys(keys)),
                (None, Some(Some(mut one))) if one.len() == 1 => {
                    one.pop().map(ProofsOf::Attestation)
                }
                _ => None,
            }
        });
        let sector_proofs = wire.yufu_sector_proofs;
        if sector_proofs.len() > MAX_SECTORS {
            return Err(CredentialRequestError::SectorProofs);
        }
        let proofs = proofs.ok_or(CredentialRequestError::Proofs)?;
        Ok(Self { wanted, proofs, answer_key, sector_proofs })
    }

    /// The document.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let (configuration, identifier) = match &self.wanted {
            Wanted::Configuration(id) => (Some(id.clone()), None),
            Wanted::Identifier(id) => (None, Some(id.clone())),
        };
        let proofs = match &self.proofs {
            ProofsOf::Keys(keys) => ("jwt".to_owned(), Value::from(keys.clone())),
            ProofsOf::Attestation(one) => {
                ("attestation".to_owned(), Value::from(vec![one.clone()]))
            }
        };
        let wire = Wire {
            credential_identifier: identifier,
            credential_configuration_id: configuration,
            proofs: Some(Map::from_iter([proofs])),
            credential_response_encryption: self.answer_key.as_ref().map(AnswerKey::member),
            yufu_sector_proofs: self.sector_proofs.clone(),
        };
        serde_json::to_value(wire).unwrap_or_default()
    }

    /// The same request for `configuration`, as the part that both flows have in common.
    #[must_use]
    pub fn of_configuration(&self, configuration: &str) -> CredentialRequest {
        CredentialRequest {
            credential_configuration_id: configuration.to_owned(),
            proofs: Proofs { jwt: Vec::new() },
            sector_proofs: self.sector_proofs.clone(),
        }
    }
}

/// 1 to [`MAX_PROOFS`] texts.
fn strings(value: Value) -> Option<Vec<String>> {
    let texts: Option<Vec<String>> = serde_json::from_value(value).ok();
    texts.filter(|texts| (1..=MAX_PROOFS).contains(&texts.len()))
}

/// What is sent to the deferred credential endpoint (section 9.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeferredRequest {
    /// Which issuance.
    pub transaction_id: String,
    /// To whom the answer is to be encrypted.
    pub answer_key: Option<AnswerKey>,
}

impl DeferredRequest {
    /// Reads the document; unknown members are ignored.
    ///
    /// # Errors
    /// [`CredentialRequestError`], the first rule that is broken.
    pub fn from_json(bytes: &[u8]) -> Result<Self, CredentialRequestError> {
        #[derive(Deserialize)]
        struct Wire {
            transaction_id: String,
            credential_response_encryption: Option<Value>,
        }
        let wire: Wire = serde_json::from_slice(bytes)
            .map_err(|e| CredentialRequestError::Json(e.to_string()))?;
        let answer_key = AnswerKey::read(wire.credential_response_encryption)?;
        Ok(Self { transaction_id: wire.transaction_id, answer_key })
    }

    /// The document.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut members =
            Map::from_iter([("transaction_id".to_owned(), self.transaction_id.clone().into())]);
        let key = self.answer_key.as_ref().map(AnswerKey::member);
        members.extend(key.map(|key| ("credential_response_encryption".to_owned(), key)));
        Value::Object(members)
    }
}

/// What became of credentials (section 11.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NotificationEvent {
    /// They lie in the wallet.
    CredentialAccepted,
    /// They do not.
    CredentialFailure,
    /// The person did not want them.
    CredentialDeleted,
}

/// What a wallet says about credentials that it got.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotificationRequest {
    /// Which, by the answer that brought them.
    pub notification_id: String,
    /// What became of them.
    pub event: NotificationEvent,
    /// Yufu's own: the key that may have them frozen, if the wallet leaves one. An issuer that does not know it passes it over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub yufu_freeze_key: Option<Jwk>,
}

/// The codes of section 11.3.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NotificationErrorCode {
    /// No such issuance.
    InvalidNotificationId,
    /// Malformed.
    InvalidNotificationRequest,
}

/// A refusal of the notification endpoint, sent with status 400.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotificationErrorResponse {
    /// The code.
    pub error: NotificationErrorCode,
}

#[cfg(test)]
mod tests {
    use super::super::CredentialErrorCode;
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;
    use yufu_jose::jwe::DecryptionKey;

    fn key() -> AnswerKey {
        let jwk = DecryptionKey::from_seed(&[1; 32]).unwrap().public_jwk("k");
        AnswerKey { jwk, enc: ContentEncryption::A256Gcm }
    }

    fn read(document: &Value) -> Result<WantedRequest, CredentialRequestError> {
        WantedRequest::from_json(document.to_string().as_bytes())
    }

    #[test]
    fn a_request_by_either_name_and_with_either_proof_survives_the_wire_8_2() {
        for wanted in [Wanted::Configuration("pid".into()), Wanted::Identifier("pid-1".into())] {
            for proofs in [ProofsOf::Keys(vec!["a".into()]), ProofsOf::Attestation("b".into())] {
                let request = WantedRequest {
                    wanted: wanted.clone(),
                    proofs,
                    answer_key: Some(key()),
                    sector_proofs: vec!["s".into()],
                };
                assert_eq!(read(&request.to_json()), Ok(request));
            }
        }
        let deferred = DeferredRequest { transaction_id: "t".into(), answer_key: Some(key()) };
        let wire = deferred.to_json().to_string();
        assert_eq!(DeferredRequest::from_json(wire.as_bytes()), Ok(deferred));
    }

    #[test]
    fn each_rule_of_a_request_has_its_error_and_code_8_3_1_2() {
        use CredentialErrorCode as Code;
        use CredentialRequestError as E;
        let with = |name: &str, value: Value| {
            let mut document =
                json!({"credential_configuration_id": "pid", "proofs": {"jwt": ["p"]}});
            document[name] = value;
            document
        };
        let mut unusable = key().member();
        unusable["enc"] = "A128CBC-HS256".into();
        let mut zipped = key().member();
        zipped["zip"] = "DEF".into();
        let mut without_alg = key().member();
        without_alg["jwk"].as_object_mut().unwrap().remove("alg");
        let encryption = "credential_response_encryption";
        for (document, error, code) in [
            (
                with("credential_identifier", "x".into()),
                E::Configuration,
                Code::InvalidCredentialRequest,
            ),
            (json!({"proofs": {"jwt": ["p"]}}), E::Configuration, Code::InvalidCredentialRequest),
            (with("proofs", json!({})), E::Proofs, Code::InvalidProof),
            (with("proofs", json!({"jwt": []})), E::Proofs, Code::InvalidProof),
            (with("proofs", json!({"attestation": ["a", "b"]})), E::Proofs, Code::InvalidProof),
            (
                with("proofs", json!({"jwt": ["p"], "attestation": ["a"]})),
                E::Proofs,
                Code::InvalidProof,
            ),
            (with(encryption, unusable), E::EncryptionKey, Code::InvalidEncryptionParameters),
            (with(encryption, zipped), E::EncryptionKey, Code::InvalidEncryptionParameters),
            (with(encryption, without_alg), E::EncryptionKey, Code::InvalidEncryptionParameters),
        ] {
            let got = read(&document).unwrap_err();
            assert_eq!((got.code(), got), (code, error), "{document}");
        }
    }

    #[test]
    fn events_are_written_as_section_11_1_has_them() {
        let event = serde_json::to_value(NotificationEvent::CredentialAccepted).unwrap();
        assert_eq!(event, "credential_accepted");
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes: Vec<u8>) {
            let _ = WantedRequest::from_json(&bytes);
            let _ = DeferredRequest::from_json(&bytes);
        }
    }
}
