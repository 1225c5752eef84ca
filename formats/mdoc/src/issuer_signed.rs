//! What the issuer signed of a document: elements with their salts, and the signature over their
//! digests (ISO 18013-5, 8.3.2.1.2.2 and 9.1.2).

use crate::cbor::{Fields, ShapeError, Value, expected, named, read};
use crate::cose::{CoseError, Sign1};
use crate::mso::MobileSecurityObject;
use std::collections::BTreeSet;
use std::fmt;
use yufu_base::PublicKey;
use yufu_jose::{Chain, ChainError, sha256};

const OF: &str = "issuer-signed part";
const ITEM: &str = "issuer-signed item";
/// The least bytes of a salt (ISO 18013-5, 9.1.2.5).
const LEAST_SALT: usize = 16;
/// Elements a document may have.
const MAX_ELEMENTS: usize = 1024;

/// Why what the issuer signed is refused. Checked in this order.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IssuerSignedError {
    /// Not the CBOR of it.
    #[error(transparent)]
    Shape(#[from] ShapeError),
    /// The signature is not acceptable.
    #[error("the issuer's signature: {0}")]
    Signature(#[from] CoseError),
    /// More elements than are read.
    #[error("{0} elements: at most {MAX_ELEMENTS} are read")]
    TooMany(usize),
    /// A salt is too short to hide a value.
    #[error("the salt of an element has {0} bytes: {LEAST_SALT} at the least")]
    Salt(usize),
    /// An element, or the number of its digest, stands twice in a namespace.
    #[error("an element of {0} stands twice")]
    Repeated(String),
    /// An element has no digest among those signed, or another.
    #[error("an element of {0} is not one that the issuer signed")]
    Digest(String),
}

/// One element as the issuer made it.
#[derive(Clone, PartialEq, Eq)]
pub struct IssuerSignedItem {
    pub(crate) number: u64,
    /// The element's name.
    pub name: String,
    /// The element's value.
    pub value: Value,
    /// The item's encoding, over which the digest is.
    encoded: Vec<u8>,
}

/// What the issuer signed, as it came: not verified yet.
#[derive(Clone, PartialEq, Eq)]
pub struct IssuerSigned {
    pub(crate) namespaces: Vec<(String, Vec<IssuerSignedItem>)>,
    pub(crate) auth: Sign1,
}

impl IssuerSignedItem {
    /// An element with its number and its salt.
    pub(crate) fn new(number: u64, salt: &[u8], name: &str, value: Value) -> Self {
        let item = Value::members([
            ("digestID", Value::Unsigned(number)),
            ("random", Value::Bytes(salt.to_vec())),
            ("elementIdentifier", Value::text(name)),
            ("elementValue", value.clone()),
        ]);
        Self { number, name: name.to_owned(), value, encoded: item.encode() }
    }

    fn read(value: Value) -> Result<Self, IssuerSignedError> {
        let encoded = value.into_embedded().ok_or(expected(ITEM, "embedded CBOR"))?;
        let mut fields = Fields::new(ITEM, read(ITEM, &encoded)?)?;
        let Value::Unsigned(number) = fields.required("digestID")? else {
            return Err(expected(ITEM, "a digest by its number").into());
        };
        let salt = fields.required("random")?.into_bytes();
        let salt = salt.ok_or(expected(ITEM, "a salt in bytes"))?;
        if salt.len() < LEAST_SALT {
            return Err(IssuerSignedError::Salt(salt.len()));
        }
        let name = fields.text("elementIdentifier")?;
        Ok(Self { number, name, value: fields.required("elementValue")?, encoded })
    }

    fn to_value(&self) -> Value {
        Value::embedded(self.encoded.clone())
    }

    /// SHA-256 over the item with its tag (9.1.2.5).
    pub(crate) fn digest(&self) -> [u8; 32] {
        sha256(&self.to_value().encode())
    }
}

impl IssuerSigned {
    /// Reads the bytes of an issued document.
    ///
    /// # Errors
    /// [`IssuerSignedError`], the first rule broken.
    pub fn decode(bytes: &[u8]) -> Result<Self, IssuerSignedError> {
        Self::from_value(read(OF, bytes)?)
    }

    /// The bytes, as they are issued.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        self.to_value().encode()
    }

    pub(crate) fn from_value(value: Value) -> Result<Self, IssuerSignedError> {
        let mut fields = Fields::new(OF, value)?;
        let auth = Sign1::from_value(fields.required("issuerAuth")?)?;
        let mut namespaces = Vec::new();
        let mut count = 0_usize;
        let found = fields.optional("nameSpaces").map(|found| named(OF, found)).transpose()?;
        for (namespace, items) in found.unwrap_or_default() {
            let items = items.into_array().ok_or(expected(OF, "lists of items"))?;
            count = count.saturating_add(items.len());
            if count > MAX_ELEMENTS {
                return Err(IssuerSignedError::TooMany(count));
            }
            let items: Vec<IssuerSignedItem> =
                items.into_iter().map(IssuerSignedItem::read).collect::<Result<_, _>>()?;
            check_unique(&namespace, &items)?;
            namespaces.push((namespace, items));
        }
        Ok(Self { namespaces, auth })
    }

    pub(crate) fn to_value(&self) -> Value {
        let namespaces = self.namespaces.iter().map(|(name, items)| {
            let items = items.iter().map(IssuerSignedItem::to_value).collect();
            (Value::text(name), Value::Array(items))
        });
        let namespaces: Vec<(Value, Value)> = namespaces.collect();
        // Left out if there are none (8.3.2.1.2.2).
        let namespaces =
            (!namespaces.is_empty()).then(|| (Value::text("nameSpaces"), Value::Map(namespaces)));
        let auth = (Value::text("issuerAuth"), self.auth.to_value());
        Value::Map(namespaces.into_iter().chain([auth]).collect())
    }

    /// The issuer's certificate chain, which anyone may have written; it leads to the key to verify
    /// with.
    ///
    /// # Errors
    /// [`ChainError::Empty`] without one.
    pub fn chain(&self) -> Result<&Chain, ChainError> {
        self.auth.chain().ok_or(ChainError::Empty)
    }

    /// Verifies the issuer's signature, and that it covers every element. Dates are not checked.
    ///
    /// # Errors
    /// [`IssuerSignedError`], the first rule broken.
    pub fn verify(
        &self,
        issuer_key: &PublicKey,
    ) -> Result<MobileSecurityObject, IssuerSignedError> {
        let mso = MobileSecurityObject::decode(self.auth.verify(issuer_key)?)?;
        for (namespace, items) in &self.namespaces {
            let digests = mso.digests.get(namespace);
            let signed = |item: &IssuerSignedItem| {
                digests.and_then(|all| all.get(&item.number)) == Some(&item.digest())
            };
            if !items.iter().all(signed) {
                return Err(IssuerSignedError::Digest(namespace.clone()));
            }
        }
        Ok(mso)
    }

    /// Of the elements those that `shown` picks, by namespace and name; the signature stays.
    pub(crate) fn reduced(&self, shown: impl Fn(&str, &str) -> bool) -> Self {
        let namespaces = self.namespaces.iter().filter_map(|(namespace, items)| {
            let picked = items.iter().filter(|item| shown(namespace, &item.name));
            let picked: Vec<IssuerSignedItem> = picked.cloned().collect();
            (!picked.is_empty()).then(|| (namespace.clone(), picked))
        });
        Self { namespaces: namespaces.collect(), auth: self.auth.clone() }
    }
}

fn check_unique(namespace: &str, items: &[IssuerSignedItem]) -> Result<(), IssuerSignedError> {
    let (mut numbers, mut names) = (BTreeSet::new(), BTreeSet::new());
    for item in items {
        if !numbers.insert(item.number) || !names.insert(&item.name) {
            return Err(IssuerSignedError::Repeated(namespace.to_owned()));
        }
    }
    Ok(())
}

/// Says nothing of values, which are about a person.
impl fmt::Debug for IssuerSignedItem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "IssuerSignedItem({})", self.name)
    }
}

/// Says nothing of values, which are about a person.
impl fmt::Debug for IssuerSigned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&String> = self.namespaces.iter().map(|(name, _)| name).collect();
        write!(f, "IssuerSigned({names:?})")
    }
}
