//! What a reader asks (ISO 18013-5, 8.3.2.1.2.1): documents, their elements, whether each is to be
//! kept; and the reader's signature over it for one conversation.

use crate::cbor::{Fields, ShapeError, Value, expected, named, read};
use crate::cose::{CoseError, Payload, Sign1};
use crate::transcript::SessionTranscript;
use std::collections::BTreeMap;
use yufu_base::{PublicKey, Signer, SignerError};
use yufu_jose::{Chain, ChainError};

const OF: &str = "device request";
const ITEMS: &str = "items request";
/// Documents that are read of one request.
const MAX_DOCUMENTS: usize = 16;
/// Elements that are read of one request for a document.
const MAX_ELEMENTS: usize = 256;

/// What a reader asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceRequest {
    /// One for each document.
    pub documents: Vec<DocumentRequest>,
}

/// A request for one document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocumentRequest {
    /// What is asked.
    pub items: ItemsRequest,
    /// The encoding of what is asked, over which the signature is.
    encoded: Vec<u8>,
    reader_auth: Option<Sign1>,
}

/// The elements that are asked of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ItemsRequest {
    /// The document's type.
    pub doc_type: String,
    /// By namespace and name: whether the reader means to keep it.
    pub namespaces: BTreeMap<String, BTreeMap<String, bool>>,
    /// What else the reader says, by name: texts only, others are left out.
    pub info: BTreeMap<String, String>,
}

/// Why a request is refused. Checked in this order.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReaderError {
    /// Not the CBOR of a request.
    #[error(transparent)]
    Shape(#[from] ShapeError),
    /// Nothing is asked, or too much.
    #[error("the request is for {0} documents or elements: ask for fewer, but for something")]
    Size(usize),
    /// The reader's signature is not acceptable, or is of another conversation.
    #[error("the reader's signature: {0}")]
    Cose(#[from] CoseError),
    /// The reader did not sign.
    #[error("the reader did not sign its request: it could be anybody")]
    Unsigned,
    /// Without a chain that can be read.
    #[error("the reader: {0}")]
    Chain(#[from] ChainError),
}

impl DocumentRequest {
    /// A request that the reader does not sign.
    #[must_use]
    pub fn unsigned(items: ItemsRequest) -> Self {
        let encoded = items.value().encode();
        Self { items, encoded, reader_auth: None }
    }

    /// A request that the reader signs for one conversation.
    ///
    /// # Errors
    /// [`SignerError`] if the key does not sign.
    pub fn signed(
        items: ItemsRequest,
        transcript: &SessionTranscript,
        chain: &Chain,
        signer: &dyn Signer,
    ) -> Result<Self, SignerError> {
        let request = Self::unsigned(items);
        let content = transcript.reader_authentication(&request.encoded);
        let auth = Sign1::sign(Payload::Detached(&content), Some(chain), signer)?;
        Ok(Self { reader_auth: Some(auth), ..request })
    }

    /// The reader's certificate chain, which anyone may have written.
    ///
    /// # Errors
    /// [`ReaderError::Unsigned`] or [`ReaderError::Chain`].
    pub fn chain(&self) -> Result<&Chain, ReaderError> {
        let auth = self.reader_auth.as_ref().ok_or(ReaderError::Unsigned)?;
        Ok(auth.chain().ok_or(ChainError::Empty)?)
    }

    /// Verifies that the holder of `reader_key` asks this in this conversation.
    ///
    /// # Errors
    /// [`ReaderError::Unsigned`] or [`ReaderError::Cose`].
    pub fn verify(
        &self,
        reader_key: &PublicKey,
        transcript: &SessionTranscript,
    ) -> Result<(), ReaderError> {
        let auth = self.reader_auth.as_ref().ok_or(ReaderError::Unsigned)?;
        let content = transcript.reader_authentication(&self.encoded);
        Ok(auth.verify_detached(reader_key, &content)?)
    }

    fn from_value(value: Value) -> Result<Self, ReaderError> {
        let mut fields = Fields::new(OF, value)?;
        let encoded = fields.required("itemsRequest")?.into_embedded();
        let encoded = encoded.ok_or(expected(OF, "items as embedded CBOR"))?;
        let items = ItemsRequest::read(&encoded)?;
        let reader_auth = fields.optional("readerAuth").map(Sign1::from_value).transpose()?;
        Ok(Self { items, encoded, reader_auth })
    }

    fn to_value(&self) -> Value {
        let items = (Value::text("itemsRequest"), Value::embedded(self.encoded.clone()));
        let auth =
            self.reader_auth.as_ref().map(|auth| (Value::text("readerAuth"), auth.to_value()));
        Value::Map(std::iter::once(items).chain(auth).collect())
    }
}

impl DeviceRequest {
    /// The bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let documents = self.documents.iter().map(DocumentRequest::to_value).collect();
        Value::members([("version", Value::text("1.0")), ("docRequests", Value::Array(documents))])
            .encode()
    }

    /// Reads a request.
    ///
    /// # Errors
    /// [`ReaderError`], the first rule broken.
    pub fn decode(bytes: &[u8]) -> Result<Self, ReaderError> {
        let mut fields = Fields::new(OF, read(OF, bytes)?)?;
        fields.version_1()?;
        let documents = fields.required("docRequests")?.into_array();
        let documents = documents.ok_or(expected(OF, "a list of requests"))?;
        if !(1..=MAX_DOCUMENTS).contains(&documents.len()) {
            return Err(ReaderError::Size(documents.len()));
        }
        let documents = documents.into_iter().map(DocumentRequest::from_value);
        Ok(Self { documents: documents.collect::<Result<_, _>>()? })
    }
}

impl ItemsRequest {
    fn value(&self) -> Value {
        let flags = |(name, keep): (&String, &bool)| (Value::text(name), Value::Bool(*keep));
        let namespace = |(name, elements): (&String, &BTreeMap<String, bool>)| {
            (Value::text(name), Value::Map(elements.iter().map(flags).collect()))
        };
        let mut members = vec![
            (Value::text("docType"), Value::text(&self.doc_type)),
            (
                Value::text("nameSpaces"),
                Value::Map(self.namespaces.iter().map(namespace).collect()),
            ),
        ];
        if !self.info.is_empty() {
            let texts = self.info.iter().map(|(name, text)| (Value::text(name), Value::text(text)));
            members.push((Value::text("requestInfo"), Value::Map(texts.collect())));
        }
        Value::Map(members)
    }

    fn read(encoded: &[u8]) -> Result<Self, ReaderError> {
        let mut fields = Fields::new(ITEMS, read(ITEMS, encoded)?)?;
        let doc_type = fields.text("docType")?;
        let mut namespaces = BTreeMap::new();
        let mut count = 0_usize;
        for (namespace, elements) in named(ITEMS, fields.required("nameSpaces")?)? {
            let elements = named(ITEMS, elements)?.into_iter().map(|(name, keep)| match keep {
                Value::Bool(keep) => Ok((name, keep)),
                _ => Err(expected(ITEMS, "whether each element is to be kept")),
            });
            let elements: BTreeMap<String, bool> = elements.collect::<Result<_, _>>()?;
            count = count.saturating_add(elements.len());
            namespaces.insert(namespace, elements);
        }
        if !(1..=MAX_ELEMENTS).contains(&count) {
            return Err(ReaderError::Size(count));
        }
        let info = fields.optional("requestInfo").map(|info| named(ITEMS, info)).transpose()?;
        let info = info.unwrap_or_default().into_iter();
        let info = info.filter_map(|(name, said)| Some((name, said.into_text()?))).collect();
        Ok(Self { doc_type, namespaces, info })
    }
}
