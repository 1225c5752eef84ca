//! What a device answers (ISO 18013-5, 8.3.2.1.2.2): documents with the elements that the holder
//! shows, each with the device's word for this conversation.

use crate::cbor::{Fields, ShapeError, Value, expected, read};
use crate::device_auth::{DeviceAuthError, DeviceSigned};
use crate::issuer_signed::{IssuerSigned, IssuerSignedError};
use crate::json::to_json;
use crate::mso::{MdocTimeError, MdocValidity};
use crate::transcript::SessionTranscript;
use serde_json::{Map, Value as Json};
use std::fmt;
use yufu_base::{PublicKey, Timestamp};
use yufu_credential::StatusReference;
use yufu_jose::{AgreementKey, Chain, ChainError};

const OF: &str = "device response";
/// Documents that are read of one answer.
const MAX_DOCUMENTS: usize = 16;

/// What a device answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceResponse {
    /// The documents; those that could not be given are left out.
    pub documents: Vec<Document>,
    /// 0 if all went well (table 8).
    pub status: u64,
}

/// One document that is shown. Not verified yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// Its type, as it says itself.
    pub doc_type: String,
    /// What the issuer signed.
    pub issuer_signed: IssuerSigned,
    /// What the device added.
    pub device_signed: DeviceSigned,
}

/// What the reader knows, and when it looks.
#[derive(Clone, Copy, Debug)]
pub struct MdocExpected<'a> {
    /// The conversation.
    pub transcript: &'a SessionTranscript,
    /// The reader's ephemeral key, of two devices side by side: then a code will do.
    pub reader_key: Option<&'a AgreementKey>,
    /// Now.
    pub now: Timestamp,
    /// Seconds by which clocks may differ.
    pub leeway_seconds: u64,
}

/// Why an answer is refused. Checked in this order.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MdocError {
    /// Not the CBOR of an answer.
    #[error(transparent)]
    Shape(#[from] ShapeError),
    /// Not exactly one document, where one was asked for.
    #[error("the answer has {0} documents, expected one")]
    Documents(usize),
    /// The device says that something failed.
    #[error("the device answers with status {0}: ask again")]
    Status(u64),
    /// What the issuer signed does not hold.
    #[error(transparent)]
    Issuer(#[from] IssuerSignedError),
    /// The document says to be of another type than the issuer signed.
    #[error("the document says to be a {said}, the issuer signed a {signed}")]
    DocType {
        /// What it says.
        said: String,
        /// What was signed.
        signed: String,
    },
    /// Its dates do not hold.
    #[error("the document: {0}")]
    Time(#[from] MdocTimeError),
    /// The device's word does not hold for this conversation.
    #[error(transparent)]
    Device(#[from] DeviceAuthError),
}

/// A verified document.
#[derive(Clone, PartialEq)]
pub struct VerifiedMdoc {
    /// Its type.
    pub doc_type: String,
    /// The elements that were shown, by namespace and name, as JSON.
    pub elements: Map<String, Json>,
    /// The holder's key, by which this was signed.
    pub device_key: PublicKey,
    /// When it is valid.
    pub validity: MdocValidity,
    /// Where to ask whether it was revoked.
    pub status: Option<StatusReference>,
}

impl DeviceResponse {
    /// An answer with these documents.
    #[must_use]
    pub const fn of(documents: Vec<Document>) -> Self {
        Self { documents, status: 0 }
    }

    /// The bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let documents = self.documents.iter().map(Document::to_value).collect();
        Value::members([
            ("version", Value::text("1.0")),
            ("documents", Value::Array(documents)),
            ("status", Value::Unsigned(self.status)),
        ])
        .encode()
    }

    /// Reads an answer.
    ///
    /// # Errors
    /// [`MdocError`], the first rule broken.
    pub fn decode(bytes: &[u8]) -> Result<Self, MdocError> {
        let mut fields = Fields::new(OF, read(OF, bytes)?)?;
        fields.version_1()?;
        let Value::Unsigned(status) = fields.required("status")? else {
            return Err(expected(OF, "a status by its number").into());
        };
        let documents = match fields.optional("documents") {
            None => Vec::new(),
            Some(list) => list.into_array().ok_or(expected(OF, "a list of documents"))?,
        };
        if documents.len() > MAX_DOCUMENTS {
            return Err(MdocError::Documents(documents.len()));
        }
        let documents =
            documents.into_iter().map(Document::from_value).collect::<Result<_, _>>()?;
        Ok(Self { documents, status })
    }

    /// The one document of an answer.
    ///
    /// # Errors
    /// [`MdocError::Status`] or [`MdocError::Documents`].
    pub fn into_document(self) -> Result<Document, MdocError> {
        if self.status != 0 {
            return Err(MdocError::Status(self.status));
        }
        let count = self.documents.len();
        let only = self.documents.into_iter().next().filter(|_| count == 1);
        only.ok_or(MdocError::Documents(count))
    }
}

impl Document {
    fn from_value(value: Value) -> Result<Self, MdocError> {
        let mut fields = Fields::new("document", value)?;
        Ok(Self {
            doc_type: fields.text("docType")?,
            issuer_signed: IssuerSigned::from_value(fields.required("issuerSigned")?)?,
            device_signed: DeviceSigned::from_value(fields.required("deviceSigned")?)?,
        })
    }

    fn to_value(&self) -> Value {
        Value::members([
            ("docType", Value::text(&self.doc_type)),
            ("issuerSigned", self.issuer_signed.to_value()),
            ("deviceSigned", self.device_signed.to_value()),
        ])
    }

    /// The issuer's certificate chain, which anyone may have written; it leads to the key to verify
    /// with.
    ///
    /// # Errors
    /// [`ChainError::Empty`] without one.
    pub fn chain(&self) -> Result<&Chain, ChainError> {
        self.issuer_signed.chain()
    }

    /// Verifies the document to the end, but for its status: see [`VerifiedMdoc::status`].
    ///
    /// # Errors
    /// [`MdocError`], the first rule broken.
    pub fn verify(
        &self,
        issuer_key: &PublicKey,
        expected: &MdocExpected<'_>,
    ) -> Result<VerifiedMdoc, MdocError> {
        let mso = self.issuer_signed.verify(issuer_key)?;
        if mso.doc_type != self.doc_type {
            let (said, signed) = (self.doc_type.clone(), mso.doc_type);
            return Err(MdocError::DocType { said, signed });
        }
        mso.validity.check(expected.now, expected.leeway_seconds)?;
        let MdocExpected { transcript, reader_key, .. } = expected;
        self.device_signed.verify(&mso.doc_type, transcript, &mso.device_key, *reader_key)?;
        Ok(VerifiedMdoc {
            doc_type: mso.doc_type,
            elements: elements(&self.issuer_signed),
            device_key: mso.device_key,
            validity: mso.validity,
            status: mso.status,
        })
    }
}

/// The elements by namespace and name, as JSON.
pub(crate) fn elements(signed: &IssuerSigned) -> Map<String, Json> {
    let namespaces = signed.namespaces.iter().map(|(namespace, items)| {
        let items = items.iter().map(|item| (item.name.clone(), to_json(&item.value)));
        (namespace.clone(), Json::Object(items.collect()))
    });
    namespaces.collect()
}

/// Says nothing of values, which are about a person.
impl fmt::Debug for VerifiedMdoc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerifiedMdoc({})", self.doc_type)
    }
}
