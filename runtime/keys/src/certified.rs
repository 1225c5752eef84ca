//! What an authority certifies, kept in its store: one anchor for each purpose, made once, and one
//! leaf for each subject and quarter of a year.

use crate::ring::generation_name;
use crate::{
    AuthorityCertificate, CertificateError, CertificateKind, KeyStore, KeyStoreError, LeafSubject,
    Validity,
};
use yufu_base::{Digest, Timestamp};
use yufu_jose::{Chain, ChainError};

const DAY: u64 = 86_400;
/// How long an authority's anchor is valid.
const ANCHOR_DAYS: u64 = 3650;
/// How long what is certified is valid: three periods beyond the one in which it is used.
pub const LEAF_DAYS: u64 = 360;
/// For how long one leaf is used: a quarter of a year.
const PERIOD_SECONDS: u64 = 90 * DAY;

/// Why nothing was certified.
#[derive(Debug, thiserror::Error)]
pub enum CertifyError {
    /// The store does not answer.
    #[error(transparent)]
    Store(#[from] KeyStoreError),
    /// The certificate could not be made.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// The key was lost and made anew, or comes from another folder.
    #[error(
        "the key {anchor} of {name} is not the one its certificate is for: restore {anchor}.p8 from the backup of keys"
    )]
    AnotherKey {
        /// The anchor.
        anchor: String,
        /// Whose.
        name: String,
    },
    /// There is no such anchor yet.
    #[error("the anchor {0} was never made")]
    NoAnchor(String),
    /// A stored certificate cannot be read.
    #[error("a stored certificate: {0}")]
    Stored(#[from] ChainError),
}

impl KeyStore {
    /// The self-signed certificate (DER) of the authority `anchor` of an institution called `name`, made once for each
    /// generation of its key and kept.
    ///
    /// # Errors
    /// [`CertifyError`]: also if the key at hand is not the one that the certificate is for.
    pub fn anchor(
        &self,
        anchor: &str,
        name: &str,
        now: Timestamp,
    ) -> Result<Vec<u8>, CertifyError> {
        self.anchor_in(None, anchor, name, now)
    }

    /// The same of an institution of a country (ISO 3166-1 alpha-2).
    ///
    /// # Errors
    /// [`CertifyError`].
    pub fn anchor_in(
        &self,
        country: Option<&str>,
        anchor: &str,
        name: &str,
        now: Timestamp,
    ) -> Result<Vec<u8>, CertifyError> {
        self.anchor_called((anchor, &self.in_use(anchor)?), country, name, now)
    }

    /// The same of the generation that is ahead, if one is: what will certify, for those who are to know it before.
    ///
    /// # Errors
    /// [`CertifyError`].
    pub fn anchor_ahead(
        &self,
        country: Option<&str>,
        anchor: &str,
        name: &str,
        now: Timestamp,
    ) -> Result<Option<Vec<u8>>, CertifyError> {
        let ring = self.ring(anchor)?;
        let Some(ahead) = ring.ahead() else { return Ok(None) };
        let called = generation_name(anchor, ahead.number);
        self.anchor_called((anchor, &called), country, name, now).map(Some)
    }

    fn anchor_called(
        &self,
        (anchor, called): (&str, &str),
        country: Option<&str>,
        name: &str,
        now: Timestamp,
    ) -> Result<Vec<u8>, CertifyError> {
        let signer = self.key(called)?;
        let der = self.document(called, "der", || {
            let valid = validity(now, ANCHOR_DAYS);
            let made = AuthorityCertificate::self_signed_in(country, name, &*signer, valid)?;
            Ok::<_, CertifyError>(made.der().to_vec())
        })?;
        let key = signer.public_key();
        if der.windows(key.as_bytes().len()).any(|window| window == key.as_bytes()) {
            return Ok(der);
        }
        Err(CertifyError::AnotherKey { anchor: anchor.to_owned(), name: name.to_owned() })
    }

    /// The leaf of `subject` under an anchor: the same one for a quarter of a year, across starts, so that
    /// a credential does not tell by its certificate when the server was started.
    ///
    /// # Errors
    /// [`CertifyError`].
    pub fn certify(
        &self,
        anchor: &str,
        subject: &LeafSubject,
        now: Timestamp,
    ) -> Result<Chain, CertifyError> {
        self.certify_leaf(&self.in_use(anchor)?, None, subject, now)
    }

    /// The same under the generation of the anchor that is ahead.
    ///
    /// # Errors
    /// [`CertifyError`]: also if none is.
    pub fn certify_ahead(
        &self,
        anchor: &str,
        subject: &LeafSubject,
        now: Timestamp,
    ) -> Result<Chain, CertifyError> {
        let ring = self.ring(anchor)?;
        let ahead = ring.ahead().ok_or_else(|| CertifyError::NoAnchor(anchor.to_owned()))?;
        self.certify_leaf(&generation_name(anchor, ahead.number), None, subject, now)
    }

    /// The same of one that signs mdocs too.
    ///
    /// # Errors
    /// [`CertifyError`].
    pub fn certify_document_signer(
        &self,
        anchor: &str,
        subject: &LeafSubject,
        now: Timestamp,
    ) -> Result<Chain, CertifyError> {
        let kind = Some(CertificateKind::DocumentSigner);
        self.certify_leaf(&self.in_use(anchor)?, kind, subject, now)
    }

    fn certify_leaf(
        &self,
        anchor: &str,
        kind: Option<CertificateKind>,
        subject: &LeafSubject,
        now: Timestamp,
    ) -> Result<Chain, CertifyError> {
        let signer = self.key(anchor)?;
        let der = self.find(anchor, "der")?;
        let der = der.ok_or_else(|| CertifyError::NoAnchor(anchor.to_owned()))?;
        let period = now.seconds().checked_div(PERIOD_SECONDS).unwrap_or(0);
        let begun = Timestamp::from_seconds(period.saturating_mul(PERIOD_SECONDS));
        let named = kind.map(|kind| format!("{kind:?}")).unwrap_or_default();
        let digest = Digest::of(format!("{anchor}{named}{subject:?}").as_bytes()).to_string();
        let name = format!("leaf-{}-{period}", digest.get(..16).unwrap_or_default());
        let leaf = self.document(&name, "der", || {
            let authority = AuthorityCertificate::from_der(der, &*signer)?;
            let valid = validity(begun, LEAF_DAYS);
            Ok::<_, CertifyError>(match kind {
                Some(kind) => authority.issue_as(kind, subject, valid)?,
                None => authority.issue(subject, valid)?,
            })
        })?;
        Ok(Chain::from_der(vec![leaf])?)
    }
}

fn validity(now: Timestamp, days: u64) -> Validity {
    Validity { from: now.minus_seconds(DAY), until: now.plus_seconds(days.saturating_mul(DAY)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_750_000_000);

    fn subject(store: &KeyStore) -> LeafSubject {
        LeafSubject {
            organisation: "Registrar".to_owned(),
            common_name: "requests".to_owned(),
            dns_names: vec!["bank.example".to_owned()],
            uris: Vec::new(),
            key: store.signer("access").unwrap().public_key(),
        }
    }

    #[test]
    fn one_leaf_serves_a_quarter_and_verifies_under_its_anchor() {
        let folder = tempfile::tempdir().unwrap();
        let store = KeyStore::open(folder.path()).unwrap();
        assert!(matches!(
            store.certify("access-anchor", &subject(&store), NOW),
            Err(CertifyError::NoAnchor(_))
        ));
        let anchor = store.anchor("access-anchor", "Registrar", NOW).unwrap();
        let first = store.certify("access-anchor", &subject(&store), NOW).unwrap();
        let later = NOW.plus_seconds(DAY);
        assert_eq!(store.certify("access-anchor", &subject(&store), later).unwrap(), first);
        let next = NOW.plus_seconds(PERIOD_SECONDS);
        assert_ne!(store.certify("access-anchor", &subject(&store), next).unwrap(), first);
        assert!(first.verify(&[anchor], later).is_ok());
    }

    #[test]
    fn an_anchor_whose_key_was_lost_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let store = KeyStore::open(folder.path()).unwrap();
        store.anchor("access-anchor", "Registrar", NOW).unwrap();
        std::fs::remove_file(folder.path().join("access-anchor.p8")).unwrap();
        let refused = store.anchor("access-anchor", "Registrar", NOW).unwrap_err();
        assert!(refused.to_string().contains("restore access-anchor.p8"), "{refused}");
    }
}
