//! Extending (section 5.4): the documents that lie beneath one another, and the type that they make together.

use super::locale::best;
use super::metadata::{ClaimMetadata, Extends, SelectiveDisclosure, TypeDisplay, TypeMetadata};
use yufu_jose::ClaimPath;

/// How many documents one type may be made of: its own and those that it extends.
pub const MAX_CHAIN: usize = 5;

/// Documents, each extending the next, as far as they are there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TypeChain {
    /// The type's own first; never empty.
    documents: Vec<TypeMetadata>,
}

/// A type with all that it extends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResolvedType {
    vct: String,
    display: Vec<TypeDisplay>,
    claims: Vec<ClaimMetadata>,
}

/// Why documents make no type. The first three are checked as the chain grows, the others when it is whole.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExtendError {
    /// A document describes another type than the one whose it should be.
    #[error("the document is that of {actual:?}, expected {expected:?}")]
    OtherType {
        /// What it describes.
        actual: String,
        /// What it was named as.
        expected: String,
    },
    /// A type extends itself, if only in the end.
    #[error("{0:?} extends itself in the end")]
    Circular(String),
    /// Too many documents.
    #[error("more than {MAX_CHAIN} documents extend one another")]
    TooLong,
    /// What is extended is not there.
    #[error("{0:?} is extended and not there")]
    Lacking(String),
    /// A claim that is always or never selectively disclosable below, and otherwise above.
    #[error("{vct:?} changes whether {path} can be withheld, which a type beneath it has settled")]
    Loosened {
        /// Which type.
        vct: String,
        /// Which claim.
        path: ClaimPath,
    },
    /// A claim that every credential has below, and not above.
    #[error("{vct:?} makes {path} optional, which is mandatory beneath it")]
    MadeOptional {
        /// Which type.
        vct: String,
        /// Which claim.
        path: ClaimPath,
    },
}

impl TypeChain {
    /// A type that so far is its own document, which has to be that of `vct`.
    ///
    /// # Errors
    /// [`ExtendError::OtherType`], [`ExtendError::Circular`].
    pub fn new(own: TypeMetadata, vct: &str) -> Result<Self, ExtendError> {
        let mut chain = Self { documents: Vec::new() };
        chain.add(own, vct)?;
        Ok(chain)
    }

    /// What is extended and not there yet.
    #[must_use]
    pub fn lacks(&self) -> Option<&Extends> {
        self.documents.last().and_then(|last| last.extends.as_ref())
    }

    /// Puts the document beneath that is lacking.
    ///
    /// # Errors
    /// [`ExtendError`], the first rule broken.
    pub fn extend(&mut self, base: TypeMetadata) -> Result<(), ExtendError> {
        // INVARIANT: whoever has a document for it asked what is lacking.
        let expected = self.lacks().map(|extends| extends.vct.clone()).unwrap_or_default();
        self.add(base, &expected)
    }

    fn add(&mut self, document: TypeMetadata, expected: &str) -> Result<(), ExtendError> {
        if document.vct != expected {
            let (actual, expected) = (document.vct, expected.to_owned());
            return Err(ExtendError::OtherType { actual, expected });
        }
        self.documents.push(document);
        if let Some(next) = self.lacks() {
            if self.documents.iter().any(|known| known.vct == next.vct) {
                return Err(ExtendError::Circular(next.vct.clone()));
            }
            if self.documents.len() >= MAX_CHAIN {
                return Err(ExtendError::TooLong);
            }
        }
        Ok(())
    }

    /// The type that the documents make together.
    ///
    /// # Errors
    /// [`ExtendError`], the first rule broken, from the lowest document up.
    pub fn resolve(&self) -> Result<ResolvedType, ExtendError> {
        if let Some(lacking) = self.lacks() {
            return Err(ExtendError::Lacking(lacking.vct.clone()));
        }
        let mut made = ResolvedType { vct: String::new(), display: Vec::new(), claims: Vec::new() };
        for document in self.documents.iter().rev() {
            made.vct.clone_from(&document.vct);
            if let Some(display) = &document.display {
                made.display.clone_from(display);
            }
            for claim in &document.claims {
                made.overlay(claim)?;
            }
        }
        Ok(made)
    }
}

impl ResolvedType {
    /// The type.
    #[must_use]
    pub fn vct(&self) -> &str {
        &self.vct
    }

    /// What is said of its claims.
    #[must_use]
    pub fn claims(&self) -> &[ClaimMetadata] {
        &self.claims
    }

    /// What it is called by somebody who reads `language` (a language tag, or the beginning of one).
    #[must_use]
    pub fn name(&self, language: &str) -> Option<&str> {
        best(&self.display, |one| &one.locale, language).map(|one| one.name.as_str())
    }

    /// What a claim is called by somebody who reads `language`.
    #[must_use]
    pub fn label(&self, path: &ClaimPath, language: &str) -> Option<&str> {
        let same = |claim: &&ClaimMetadata| {
            claim.path.steps().len() == path.steps().len() && claim.path.covers(path)
        };
        let exact = self.claims.iter().find(|claim| claim.path == *path);
        let found = exact.or_else(|| self.claims.iter().find(same))?;
        let display = found.display.as_deref()?;
        best(display, |one| &one.locale, language).map(|one| one.label.as_str())
    }

    /// What a document above says of a claim, over what was said of it beneath.
    fn overlay(&mut self, above: &ClaimMetadata) -> Result<(), ExtendError> {
        let Some(own) = self.claims.iter_mut().find(|claim| claim.path == above.path) else {
            self.claims.push(above.clone());
            return Ok(());
        };
        let (vct, path) = (&self.vct, &above.path);
        let settled = own.sd.filter(|sd| *sd != SelectiveDisclosure::Allowed);
        if settled.is_some() && above.sd.is_some() && settled != above.sd {
            return Err(ExtendError::Loosened { vct: vct.clone(), path: path.clone() });
        }
        if own.mandatory == Some(true) && above.mandatory == Some(false) {
            return Err(ExtendError::MadeOptional { vct: vct.clone(), path: path.clone() });
        }
        own.sd = above.sd.or(own.sd);
        own.mandatory = above.mandatory.or(own.mandatory);
        own.display = above.display.clone().or_else(|| own.display.take());
        own.svg_id = above.svg_id.clone().or_else(|| own.svg_id.take());
        Ok(())
    }
}
