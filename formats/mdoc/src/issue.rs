//! Issuance: elements in, signed document out.

use crate::cbor::Value;
use crate::cose::{Payload, Sign1};
use crate::issuer_signed::{IssuerSigned, IssuerSignedItem};
use crate::mso::{MdocValidity, MobileSecurityObject};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use yufu_base::{PublicKey, Signer, SignerError};
use yufu_credential::StatusReference;
use yufu_jose::{Chain, sha256};

/// Bytes of a salt; and of a digest that stands for nothing.
pub const SALT: usize = 32;

/// An mdoc to be issued. Whoever issues a batch gives its members the same dates, rounded, so that
/// the dates do not link them.
#[derive(Clone)]
pub struct MdocIssuance {
    /// The document's type, which is the one namespace of its elements too.
    pub doc_type: String,
    /// The elements by name; the holder shows them one by one.
    pub elements: Vec<(String, Value)>,
    /// When it is valid.
    pub validity: MdocValidity,
    /// Where its status stands.
    pub status: Option<StatusReference>,
    /// The key it is bound to.
    pub device_key: PublicKey,
    /// Digests that stand for nothing, to hide how many elements there are.
    pub decoys: u8,
}

/// An element's name and value.
type Element = (String, Value);

/// Why an mdoc cannot be issued. Checked in this order.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MdocIssueError {
    /// An element stands twice.
    #[error("the element {0:?} is given twice: leave one out")]
    Twice(String),
    /// The key does not sign.
    #[error(transparent)]
    Sign(#[from] SignerError),
}

impl MdocIssuance {
    /// Signs the document, with the issuer's chain. `salts` gives fresh random bits at each call.
    ///
    /// # Errors
    /// [`MdocIssueError`], the first rule broken.
    pub fn sign(
        self,
        signer: &dyn Signer,
        chain: &Chain,
        salts: &mut dyn FnMut() -> [u8; SALT],
    ) -> Result<IssuerSigned, MdocIssueError> {
        let mut names = BTreeSet::new();
        if let Some((twice, _)) = self.elements.iter().find(|(name, _)| !names.insert(name)) {
            return Err(MdocIssueError::Twice(twice.clone()));
        }
        // By the salts, so that neither a number nor its place says which element it is.
        let decoys = (0..self.decoys).map(|_| None);
        let mut salted: Vec<([u8; SALT], Option<Element>)> =
            self.elements.into_iter().map(Some).chain(decoys).map(|one| (salts(), one)).collect();
        salted.sort_by_key(|(salt, _)| *salt);
        let (mut items, mut digests) = (Vec::new(), BTreeMap::new());
        for (number, (salt, element)) in (0..).zip(salted) {
            let digest = match element {
                Some((name, value)) => {
                    let item = IssuerSignedItem::new(number, &salt, &name, value);
                    let digest = item.digest();
                    items.push(item);
                    digest
                }
                None => sha256(&salt),
            };
            digests.insert(number, digest);
        }
        let mso = MobileSecurityObject {
            doc_type: self.doc_type.clone(),
            digests: [(self.doc_type.clone(), digests)].into(),
            device_key: self.device_key,
            validity: self.validity,
            status: self.status,
        };
        let auth = Sign1::sign(Payload::Attached(&mso.encode()), Some(chain), signer)?;
        Ok(IssuerSigned { namespaces: vec![(self.doc_type, items)], auth })
    }
}

/// Says nothing of values, which are about a person.
impl fmt::Debug for MdocIssuance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MdocIssuance({}, {} elements)", self.doc_type, self.elements.len())
    }
}
