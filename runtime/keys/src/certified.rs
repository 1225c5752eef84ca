//! What an authority certifies, kept in its store: one anchor for each purpose, made once, and one
//! leaf for each subject and quarter of a year.

use crate::ring::generation_name;
use crate::{
    AuthorityCertificate, CertificateError, Generation, KeyStore, KeyStoreError, LeafSubject,
    Reached, Validity,
};
use x509_parser::prelude::{FromDer as _, X509Certificate};
use yufu_base::{Digest, Timestamp};
use yufu_jose::{Chain, ChainError};

const DAY: u64 = 86_400;
/// How long an authority's anchor is valid.
const ANCHOR_DAYS: u64 = 3650;
/// How long what is certified is valid: three periods beyond the one in which it is used.
pub const LEAF_DAYS: u64 = 360;
/// For how long one leaf is used: a quarter of a year.
const PERIOD_SECONDS: u64 = 90 * DAY;
/// For how long a list of revoked certificates is good: whoever gets none for longer relies on no certificate.
const REVOCATIONS_SECONDS: u64 = DAY;

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
        let number = self.ring(anchor)?.current();
        self.made_anchor((country, name), None, (anchor, number), now)
    }

    /// The same of one that certifies those who sign mdocs, reached at this address. One that was made before keeps what
    /// it says.
    ///
    /// # Errors
    /// [`CertifyError`].
    pub fn anchor_for_mdocs(
        &self,
        (country, name): (&str, &str),
        issuer: &str,
        anchor: &str,
        now: Timestamp,
    ) -> Result<Vec<u8>, CertifyError> {
        let number = self.ring(anchor)?.current();
        self.made_anchor((Some(country), name), Some(issuer), (anchor, number), now)
    }

    /// The same of the generation that is ahead, if one is: what will certify, for those who are to know it before. With an
    /// `issuer` one that certifies those who sign mdocs.
    ///
    /// # Errors
    /// [`CertifyError`].
    pub fn anchor_ahead(
        &self,
        of: (Option<&str>, &str),
        issuer: Option<&str>,
        anchor: &str,
        now: Timestamp,
    ) -> Result<Option<Vec<u8>>, CertifyError> {
        let ring = self.ring(anchor)?;
        let Some(ahead) = ring.ahead() else { return Ok(None) };
        self.made_anchor(of, issuer, (anchor, ahead.number), now).map(Some)
    }

    fn made_anchor(
        &self,
        (country, name): (Option<&str>, &str),
        issuer: Option<&str>,
        (anchor, number): (&str, u32),
        now: Timestamp,
    ) -> Result<Vec<u8>, CertifyError> {
        let called = generation_name(anchor, number);
        let signer = self.key(&called)?;
        let revocations = revocations_at(issuer, number);
        let der = self.document(&called, "der", || {
            let valid = validity(now, ANCHOR_DAYS);
            let made = match issuer {
                Some(authority) => AuthorityCertificate::self_signed_for_mdocs(
                    (country, name),
                    &Reached { authority, revocations: &revocations },
                    &*signer,
                    valid,
                )?,
                None => AuthorityCertificate::self_signed_in(country, name, &*signer, valid)?,
            };
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
        let number = self.ring(anchor)?.current();
        self.certify_leaf((anchor, number), None, subject, now)
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
        self.certify_leaf((anchor, ahead.number), None, subject, now)
    }

    /// The same of one that signs mdocs too, for the issuer at this address.
    ///
    /// # Errors
    /// [`CertifyError`].
    pub fn certify_document_signer(
        &self,
        anchor: &str,
        issuer: &str,
        subject: &LeafSubject,
        now: Timestamp,
    ) -> Result<Chain, CertifyError> {
        let number = self.ring(anchor)?.current();
        self.certify_leaf((anchor, number), Some(issuer), subject, now)
    }

    /// The list of the certificates by this generation of an anchor that count no more, because their keys of the name
    /// `certified` were withdrawn, as of now; none if there is no such generation, or it was withdrawn itself.
    ///
    /// # Errors
    /// [`CertifyError`].
    pub fn revocation_list(
        &self,
        (anchor, generation): (&str, u32),
        certified: &str,
        now: Timestamp,
    ) -> Result<Option<Vec<u8>>, CertifyError> {
        let ring = self.ring(anchor)?;
        let withdrawn = |one: &Generation| one.number == generation && one.retired.is_some();
        let name = generation_name(anchor, generation);
        let der = match self.find(&name, "der")? {
            Some(der) if !ring.generations().iter().any(withdrawn) => der,
            _ => return Ok(None),
        };
        let signer = match self.key(&name) {
            // A former key may be in a token that was lost: what it certified is judged by the trust list alone.
            Err(_) if generation != ring.current() => return Ok(None),
            signer => signer?,
        };
        let authority = AuthorityCertificate::from_der(der, &*signer)?;
        let mut revoked = Vec::new();
        for one in self.ring(certified)?.generations() {
            let (Some(key), Some(retired)) = (&one.thumbprint, &one.retired) else {
                continue;
            };
            let at = Timestamp::from_seconds(retired.at);
            let leaves = self.leaves()?.into_iter().filter(|leaf| authority.issued(leaf, key));
            revoked.extend(leaves.filter_map(|leaf| Some((serial_of(&leaf)?, at))));
        }
        let until = now.plus_seconds(REVOCATIONS_SECONDS);
        let signed =
            authority.revocation_list(&revoked, now.seconds(), Validity { from: now, until });
        match signed {
            Err(CertificateError::Signer(_)) if generation != ring.current() => Ok(None),
            signed => Ok(Some(signed?)),
        }
    }

    fn certify_leaf(
        &self,
        (anchor, number): (&str, u32),
        issuer: Option<&str>,
        subject: &LeafSubject,
        now: Timestamp,
    ) -> Result<Chain, CertifyError> {
        let called = generation_name(anchor, number);
        let signer = self.key(&called)?;
        let revocations = revocations_at(issuer, number);
        let der = self.find(&called, "der")?;
        let der = der.ok_or_else(|| CertifyError::NoAnchor(called.clone()))?;
        let period = now.seconds().checked_div(PERIOD_SECONDS).unwrap_or(0);
        let begun = Timestamp::from_seconds(period.saturating_mul(PERIOD_SECONDS));
        // With where the list of revoked ones is: those that were made before without are made anew.
        let named = issuer.map(|_| revocations.as_str()).unwrap_or_default();
        let digest = Digest::of(format!("{called}{named}{subject:?}").as_bytes()).to_string();
        let name = format!("leaf-{}-{period}", digest.get(..16).unwrap_or_default());
        let leaf = self.document(&name, "der", || {
            let authority = AuthorityCertificate::from_der(der, &*signer)?;
            let valid = validity(begun, LEAF_DAYS);
            let reached = |authority| Reached { authority, revocations: &revocations };
            Ok::<_, CertifyError>(match issuer.map(reached) {
                Some(reached) => authority.issue_for_mdocs(subject, &reached, valid)?,
                None => authority.issue(subject, valid)?,
            })
        })?;
        Ok(Chain::from_der(vec![leaf])?)
    }
}

/// Where the list of the revoked certificates by a generation of an anchor is, below the address of its issuer.
fn revocations_at(issuer: Option<&str>, generation: u32) -> String {
    format!("{}/crl/{generation}", issuer.unwrap_or_default())
}

/// The number of a certificate, as it stands there.
fn serial_of(der: &[u8]) -> Option<Vec<u8>> {
    let (_, certificate) = X509Certificate::from_der(der).ok()?;
    Some(certificate.raw_serial().to_vec())
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
    fn certificates_of_a_withdrawn_key_are_on_the_list_of_the_anchor_that_certified_it() {
        let folder = tempfile::tempdir().unwrap();
        let store = KeyStore::open(folder.path()).unwrap();
        let issuer = "https://issuer.example/authority";
        let anchor = ("XP", "Authority");
        let made = store.anchor_for_mdocs(anchor, issuer, "credential-anchor", NOW).unwrap();
        let leaf = |now| {
            let subject = LeafSubject {
                organisation: "Authority".to_owned(),
                common_name: "credentials".to_owned(),
                dns_names: Vec::new(),
                uris: vec![issuer.to_owned()],
                key: store.signer("credentials").unwrap().public_key(),
            };
            store.certify_document_signer("credential-anchor", issuer, &subject, now).unwrap()
        };
        let list = |number, now| {
            store.revocation_list(("credential-anchor", number), "credentials", now).unwrap()
        };
        let anchors = [made];
        let first = leaf(NOW);
        assert_eq!(first.distribution_points(), [format!("{issuer}/crl/1")]);
        first.verify_unrevoked(&anchors, &[list(1, NOW).unwrap()], NOW).unwrap();
        assert_eq!(list(2, NOW), None, "there is no such generation");
        let until = NOW.plus_seconds(DAY);
        store.rotate("credentials", crate::KeyUse::Signs, (NOW, until)).unwrap();
        let second = leaf(NOW);
        let later = NOW.plus_seconds(10);
        store.retire("credentials", 1, Some("stolen"), later).unwrap();
        let lists = [list(1, later).unwrap()];
        let revoked = first.verify_unrevoked(&anchors, &lists, later);
        assert_eq!(revoked, Err(ChainError::Revoked));
        second.verify_unrevoked(&anchors, &lists, later).unwrap();
        // A list that is over says nothing.
        let over = later.plus_seconds(REVOCATIONS_SECONDS + 1);
        let unknown = second.verify_unrevoked(&anchors, &lists, over);
        assert_eq!(unknown, Err(ChainError::RevocationUnknown));
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
