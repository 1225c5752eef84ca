//! Integrity metadata (W3C Subresource Integrity, section 3): the digest of a document, beside the name that leads to it.
//! SHA-256 is the one algorithm here; a document that is pinned by others alone cannot be verified, and is refused.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use std::fmt;
use yufu_jose::{encode_base64url, sha256};

/// The longest integrity metadata that are read, in bytes.
const MAX_LENGTH: usize = 1024;
const SHA256: &str = "sha256";
/// The algorithms that the specification names.
const KNOWN: [&str; 3] = [SHA256, "sha384", "sha512"];

/// Integrity metadata: `sha256-` and the digest in base64. Of several expressions those of SHA-256 count.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Integrity {
    text: String,
    digests: Vec<[u8; 32]>,
}

/// Why a text is not integrity metadata, or none that can be verified here. Checked in this order.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IntegrityError {
    /// Longer than is read.
    #[error("integrity metadata of {0} bytes: at most {MAX_LENGTH} are read")]
    TooLong(usize),
    /// Not a list of hash expressions.
    #[error("{0:?} is no hash expression: expected sha256- and 32 bytes in base64")]
    Form(String),
    /// By other algorithms alone.
    #[error("{0:?} has no digest by SHA-256, the one that is verified here")]
    Algorithm(String),
}

impl Integrity {
    /// That of a document.
    #[must_use]
    pub fn of(document: &[u8]) -> Self {
        let digest = sha256(document);
        Self { text: format!("{SHA256}-{}", STANDARD.encode(digest)), digests: vec![digest] }
    }

    /// Reads integrity metadata.
    ///
    /// # Errors
    /// [`IntegrityError`], the first rule broken.
    pub fn parse(text: &str) -> Result<Self, IntegrityError> {
        if text.len() > MAX_LENGTH {
            return Err(IntegrityError::TooLong(text.len()));
        }
        let mut digests = Vec::new();
        let mut any = false;
        for expression in text.split_ascii_whitespace() {
            any = true;
            let wrong = || IntegrityError::Form(expression.to_owned());
            let (algorithm, rest) = expression.split_once('-').ok_or_else(wrong)?;
            if !KNOWN.contains(&algorithm) {
                return Err(wrong());
            }
            // Options are for agreements of later versions; none is defined.
            let value = rest.split('?').next().unwrap_or_default();
            let digest = STANDARD.decode(value).map_err(|_| wrong())?;
            if algorithm == SHA256 {
                digests.push(digest.try_into().map_err(|_| wrong())?);
            }
        }
        match (any, digests.is_empty()) {
            (false, _) => Err(IntegrityError::Form(text.to_owned())),
            (true, true) => Err(IntegrityError::Algorithm(text.to_owned())),
            (true, false) => Ok(Self { text: text.to_owned(), digests }),
        }
    }

    /// As it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it is this document's, to the byte.
    #[must_use]
    pub fn is_of(&self, document: &[u8]) -> bool {
        self.digests.contains(&sha256(document))
    }

    /// What documents of these digests are called in an address or a file, where `/`, `+` and `=` would not do:
    /// `sha256-` and the digest in base64url.
    pub fn names(&self) -> impl Iterator<Item = String> {
        self.digests.iter().map(|digest| format!("{SHA256}-{}", encode_base64url(digest)))
    }

    /// The first of [`Integrity::names`].
    #[must_use]
    pub fn name(&self) -> String {
        // INVARIANT: there is no integrity without a digest.
        self.names().next().unwrap_or_default()
    }
}

impl TryFrom<String> for Integrity {
    type Error = IntegrityError;

    fn try_from(text: String) -> Result<Self, IntegrityError> {
        Self::parse(&text)
    }
}

impl From<Integrity> for String {
    fn from(integrity: Integrity) -> Self {
        integrity.text
    }
}

impl fmt::Display for Integrity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Integrity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Computed apart, with `openssl dgst -sha256 -binary | base64`.
    const OF_ABC: &str = "sha256-ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=";

    #[test]
    fn a_document_is_known_by_its_digest_and_by_no_other() {
        assert_eq!(Integrity::of(b"abc").as_str(), OF_ABC);
        let read = Integrity::parse(OF_ABC).unwrap();
        assert!(read.is_of(b"abc"));
        assert!(!read.is_of(b"abd"));
        assert_eq!(read.name(), "sha256-ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0");
    }

    #[test]
    fn of_several_expressions_any_of_the_strongest_that_is_known_will_do() {
        let other = Integrity::of(b"other");
        let sha512 = format!("sha512-{}", STANDARD.encode([7; 64]));
        let several = Integrity::parse(&format!("{sha512}  {other} {OF_ABC}?note")).unwrap();
        assert!(several.is_of(b"abc") && several.is_of(b"other"));
        assert!(!several.is_of(b"third"));
        assert_eq!(several.names().count(), 2);
        assert_eq!(Integrity::parse(&sha512), Err(IntegrityError::Algorithm(sha512.clone())));
    }

    #[test]
    fn what_is_no_integrity_metadata_is_refused() {
        for bad in
            ["", "  ", "sha256", "sha256-", "sha256-AAAA", "md5-AAAA", "sha256-!", "sha1-AAAA"]
        {
            assert!(matches!(Integrity::parse(bad), Err(IntegrityError::Form(_))), "{bad:?}");
        }
        let url_safe = OF_ABC.replace('+', "-");
        assert!(matches!(Integrity::parse(&url_safe), Err(IntegrityError::Form(_))));
        let long = "a".repeat(MAX_LENGTH + 1);
        assert_eq!(Integrity::parse(&long), Err(IntegrityError::TooLong(MAX_LENGTH + 1)));
    }
}
