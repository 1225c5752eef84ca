//! The device's word that it takes part in this very conversation: a signature, or a code of a key
//! that it shares with the reader (ISO 18013-5, 9.1.3).

use crate::cbor::{Fields, ShapeError, Value, expected, named, read};
use crate::cose::{CoseError, MAC_KEY, Mac0, Payload, Sign1};
use crate::session::derive_key;
use crate::transcript::SessionTranscript;
use yufu_base::{PublicKey, Signer, SignerError};
use yufu_jose::{AgreementKey, NoAgreement};
use zeroize::Zeroizing;

const OF: &str = "device-signed part";

/// What the device added to a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceSigned {
    /// The encoding of the elements that the device itself states.
    namespaces: Vec<u8>,
    auth: DeviceAuth,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum DeviceAuth {
    Signature(Sign1),
    Mac(Mac0),
}

/// Why the device's part is refused. Checked in this order.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeviceAuthError {
    /// Not the CBOR of it.
    #[error(transparent)]
    Shape(#[from] ShapeError),
    /// The signature or code is not acceptable, or is of another conversation.
    #[error("the device's signature: {0}")]
    Cose(#[from] CoseError),
    /// A code, where nobody shares a key with the device.
    #[error("the device sent a code: expected a signature")]
    NoSharedKey,
    /// The device's key agrees with none.
    #[error(transparent)]
    Agreement(#[from] NoAgreement),
    /// The device states elements itself, which the issuer gave no leave for.
    #[error("the device states elements of its own, for which the issuer gave it no leave")]
    OwnElements,
}

impl DeviceSigned {
    /// The device signs for a document of `doc_type` in one conversation.
    ///
    /// # Errors
    /// [`SignerError`] if the key does not sign.
    pub fn sign(
        doc_type: &str,
        transcript: &SessionTranscript,
        signer: &dyn Signer,
    ) -> Result<Self, SignerError> {
        let namespaces = Value::Map(Vec::new()).encode();
        let content = transcript.device_authentication(doc_type, &namespaces);
        let signature = Sign1::sign(Payload::Detached(&content), None, signer)?;
        Ok(Self { namespaces, auth: DeviceAuth::Signature(signature) })
    }

    /// The device makes a code with the key that it shares with the reader.
    ///
    /// # Errors
    /// [`NoAgreement`] if the reader's key is no point of the curve.
    pub fn authenticate(
        doc_type: &str,
        transcript: &SessionTranscript,
        device_key: &AgreementKey,
        reader_key: &PublicKey,
    ) -> Result<Self, NoAgreement> {
        let namespaces = Value::Map(Vec::new()).encode();
        let content = transcript.device_authentication(doc_type, &namespaces);
        let key = mac_key(device_key, reader_key, transcript)?;
        let mac = Mac0::make(Payload::Detached(&content), &key);
        Ok(Self { namespaces, auth: DeviceAuth::Mac(mac) })
    }

    pub(crate) fn from_value(value: Value) -> Result<Self, DeviceAuthError> {
        let mut fields = Fields::new(OF, value)?;
        let namespaces = fields.required("nameSpaces")?.into_embedded();
        let namespaces = namespaces.ok_or(expected(OF, "elements as embedded CBOR"))?;
        let mut auth = Fields::new(OF, fields.required("deviceAuth")?)?;
        let auth = match (auth.optional("deviceSignature"), auth.optional("deviceMac")) {
            (Some(signature), None) => DeviceAuth::Signature(Sign1::from_value(signature)?),
            (None, Some(mac)) => DeviceAuth::Mac(Mac0::from_value(mac)?),
            _ => return Err(expected(OF, "either a signature or a code").into()),
        };
        Ok(Self { namespaces, auth })
    }

    pub(crate) fn to_value(&self) -> Value {
        let auth = match &self.auth {
            DeviceAuth::Signature(signature) => ("deviceSignature", signature.to_value()),
            DeviceAuth::Mac(mac) => ("deviceMac", mac.to_value()),
        };
        Value::members([
            ("nameSpaces", Value::embedded(self.namespaces.clone())),
            ("deviceAuth", Value::members([auth])),
        ])
    }

    /// Verifies that the holder of `device_key` said this for a document of `doc_type` in this
    /// conversation; `reader_key` is the reader's ephemeral key, if there is one.
    ///
    /// # Errors
    /// [`DeviceAuthError`], the first rule broken.
    pub fn verify(
        &self,
        doc_type: &str,
        transcript: &SessionTranscript,
        device_key: &PublicKey,
        reader_key: Option<&AgreementKey>,
    ) -> Result<(), DeviceAuthError> {
        let content = transcript.device_authentication(doc_type, &self.namespaces);
        match &self.auth {
            DeviceAuth::Signature(signature) => signature.verify_detached(device_key, &content)?,
            DeviceAuth::Mac(mac) => {
                let reader_key = reader_key.ok_or(DeviceAuthError::NoSharedKey)?;
                let key = mac_key(reader_key, device_key, transcript)?;
                mac.verify_detached(&key, &content)?;
            }
        }
        if named(OF, read(OF, &self.namespaces)?)?.is_empty() {
            Ok(())
        } else {
            Err(DeviceAuthError::OwnElements)
        }
    }
}

/// `EMacKey` (9.1.3.5).
fn mac_key(
    own: &AgreementKey,
    peer: &PublicKey,
    transcript: &SessionTranscript,
) -> Result<Zeroizing<[u8; MAC_KEY]>, NoAgreement> {
    derive_key(own, peer, transcript, b"EMacKey")
}
