//! The keys that sign a country's chip cards: its signing authority, the document signer, the signer of the master
//! list; and what they publish: the master list and the list of revoked signers. Made once and kept in the store.

use crate::{KeyStore, KeyStoreError, random};
use std::sync::Arc;
use yufu_base::{Signer, Timestamp};
use yufu_emrtd::{
    Anchors, Authority, Certificate, CertificateError, IssueError, SignerName, SignerPurpose,
    TrustError, Validity, write_master_list,
};
use yufu_jose::SoftwareKey;

const DAY: u64 = 86_400;
const YEAR: u64 = 366 * DAY;
/// How long a signing authority is valid: longer than every card that is signed under it.
const AUTHORITY_YEARS: u64 = 30;
/// How long the signer of master lists is valid.
const LIST_SIGNER_YEARS: u64 = 5;
/// How long a list of revoked signers is valid, and when the next is made.
const LIST_DAYS: u64 = 90;
const LIST_RENEWED_DAYS: u64 = 1;

const AUTHORITY: &str = "card-authority";
const DOCUMENT_SIGNER: &str = "card-signer";
const LIST_SIGNER: &str = "card-master-list-signer";
const MASTER_LIST: &str = "card-master-list";
const REVOCATIONS: &str = "card-revocations";
const REVOKED: &str = "card-revoked";

/// Why the keys of cards are not at hand.
#[derive(Debug, thiserror::Error)]
pub enum CardKeysError {
    /// The store does not answer.
    #[error(transparent)]
    Store(#[from] KeyStoreError),
    /// Nothing could be certified.
    #[error("the keys of cards: {0}; restore them from the backup of keys")]
    Issue(#[from] IssueError),
    /// A stored certificate cannot be read.
    #[error("a certificate of cards: {0}; restore it from the backup of keys")]
    Stored(#[from] CertificateError),
    /// A stored list cannot be read.
    #[error("a list of cards' signers: {0}; restore it from the backup of keys")]
    List(#[from] TrustError),
    /// The list of revoked signers is damaged.
    #[error("{REVOKED}.txt is damaged: restore it from the backup of keys")]
    Revoked,
}

/// Who signs a country's cards.
#[derive(Clone, Debug)]
pub struct CardCountry {
    /// The country: two letters.
    pub code: String,
    /// Who signs: the authority's name.
    pub organisation: String,
    /// For how many years a card is valid.
    pub valid_years: u8,
}

/// The keys that sign a country's cards.
pub struct CardKeys {
    store: KeyStore,
    authority_key: Arc<SoftwareKey>,
    authority: Certificate,
    signer_key: Arc<SoftwareKey>,
    signer: Certificate,
    master_list: Vec<u8>,
}

impl CardKeys {
    /// The keys in a store, made at first use.
    ///
    /// # Errors
    /// [`CardKeysError`].
    pub fn open(
        store: &KeyStore,
        country: &CardCountry,
        now: Timestamp,
    ) -> Result<Self, CardKeysError> {
        let named = |common: &str| SignerName {
            country: country.code.clone(),
            organisation: country.organisation.clone(),
            common: common.to_owned(),
        };
        let authority_key = store.signer(AUTHORITY)?;
        let der = store.document(AUTHORITY, "der", || {
            let valid = validity(now, AUTHORITY_YEARS);
            let made = Authority::self_signed(&named("card authority"), &*authority_key, valid)?;
            Ok::<_, CardKeysError>(made.certificate().der().to_vec())
        })?;
        let authority = Authority::from_certificate(&der, &*authority_key)?;
        let certify = |name: &str, common: &str, years, purpose| {
            let key = store.signer(name)?;
            let der = store.document(name, "der", || {
                let (serial, valid) = (serial(), validity(now, years));
                let public = key.public_key();
                let made = authority.certify(&named(common), &public, &serial, valid, purpose)?;
                Ok::<_, CardKeysError>(made.der().to_vec())
            })?;
            Ok::<_, CardKeysError>((key, Certificate::read(&der)?))
        };
        // A signer signs for a year, and its last card is to be readable to its end.
        let years = u64::from(country.valid_years).saturating_add(1);
        let (signer_key, signer) =
            certify(DOCUMENT_SIGNER, "document signer", years, SignerPurpose::Documents)?;
        let (list_key, list_signer) =
            certify(LIST_SIGNER, "list signer", LIST_SIGNER_YEARS, SignerPurpose::MasterLists)?;
        let master_list = store.document(MASTER_LIST, "ml", || {
            let own = std::slice::from_ref(authority.certificate());
            Ok::<_, CardKeysError>(write_master_list(own, &list_signer, &*list_key, now)?)
        })?;
        let authority = authority.certificate().clone();
        let store = store.clone();
        Ok(Self { store, authority_key, authority, signer_key, signer, master_list })
    }

    /// The authority's certificate: whoever trusts it believes the master list.
    #[must_use]
    pub const fn authority(&self) -> &Certificate {
        &self.authority
    }

    /// Who signs cards now: certificate and key.
    #[must_use]
    pub fn document_signer(&self) -> (&Certificate, &dyn Signer) {
        (&self.signer, &*self.signer_key)
    }

    /// The signed list of authorities whose cards are read.
    #[must_use]
    pub fn master_list(&self) -> &[u8] {
        &self.master_list
    }

    /// The signed list of revoked signers, at most a day old.
    ///
    /// # Errors
    /// [`CardKeysError`].
    pub fn revocations(&self, now: Timestamp) -> Result<Vec<u8>, CardKeysError> {
        if let Some(list) = self.store.find(REVOCATIONS, "crl")? {
            let mut anchors = Anchors::read(&self.master_list, &self.authority, now)?;
            let made = anchors.add_revocations(&list)?;
            if now < made.plus_seconds(LIST_RENEWED_DAYS.saturating_mul(DAY)) {
                return Ok(list);
            }
        }
        self.publish(now)
    }

    /// Revokes a signer by the number of its certificate; cards that it signed are believed no more.
    ///
    /// # Errors
    /// [`CardKeysError`].
    pub fn revoke(&self, serial: &[u8], now: Timestamp) -> Result<(), CardKeysError> {
        let mut revoked = self.revoked()?;
        if !revoked.iter().any(|(known, _)| known == serial) {
            revoked.push((serial.to_vec(), now));
        }
        let lines = revoked.iter().map(|(serial, at)| {
            let hex: String = serial.iter().map(|byte| format!("{byte:02x}")).collect();
            format!("{hex} {}\n", at.seconds())
        });
        self.store.replace(REVOKED, "txt", lines.collect::<String>().as_bytes())?;
        self.publish(now).map(|_| ())
    }

    /// What a reader that trusts this authority believes.
    ///
    /// # Errors
    /// [`CardKeysError`].
    pub fn anchors(&self, now: Timestamp) -> Result<Anchors, CardKeysError> {
        let mut anchors = Anchors::read(&self.master_list, &self.authority, now)?;
        anchors.add_revocations(&self.revocations(now)?)?;
        Ok(anchors)
    }

    fn publish(&self, now: Timestamp) -> Result<Vec<u8>, CardKeysError> {
        let authority = Authority::from_certificate(self.authority.der(), &*self.authority_key)?;
        let until = now.plus_seconds(LIST_DAYS.saturating_mul(DAY));
        let number = u32::try_from(now.seconds()).unwrap_or(u32::MAX);
        let validity = Validity { from: now, until };
        let list = authority.revocation_list(number, validity, &self.revoked()?)?;
        self.store.replace(REVOCATIONS, "crl", &list)?;
        Ok(list)
    }

    fn revoked(&self) -> Result<Vec<(Vec<u8>, Timestamp)>, CardKeysError> {
        let text = self.store.find(REVOKED, "txt")?.unwrap_or_default();
        let text = String::from_utf8(text).map_err(|_| CardKeysError::Revoked)?;
        let read = |line: &str| {
            let (hex, at) = line.split_once(' ')?;
            let digits = hex.as_bytes().chunks(2);
            let bytes: Option<Vec<u8>> = digits
                .map(|pair| u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok())
                .collect();
            Some((bytes?, Timestamp::from_seconds(at.parse().ok()?)))
        };
        text.lines().map(|line| read(line).ok_or(CardKeysError::Revoked)).collect()
    }
}

/// The number of a certificate: 120 unpredictable bits, positive.
fn serial() -> [u8; 16] {
    let mut serial = random::<16>();
    if let Some(first) = serial.first_mut() {
        *first = 1;
    }
    serial
}

const fn validity(now: Timestamp, years: u64) -> Validity {
    Validity { from: now.minus_seconds(DAY), until: now.plus_seconds(years.saturating_mul(YEAR)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;
    use yufu_emrtd::{Attested, PassiveError, security_object};

    const NOW: Timestamp = Timestamp::from_seconds(1_790_000_000);

    fn open(store: &KeyStore, now: Timestamp) -> CardKeys {
        let country = CardCountry {
            code: "XP".to_owned(),
            organisation: "Register of Plain".to_owned(),
            valid_years: 10,
        };
        CardKeys::open(store, &country, now).unwrap()
    }

    fn signed(keys: &CardKeys) -> Vec<u8> {
        let (certificate, key) = keys.document_signer();
        let groups = BTreeMap::from([(1, b"one".to_vec())]);
        security_object::write(&groups, certificate, key, NOW).unwrap()
    }

    #[test]
    fn keys_and_lists_are_made_once_and_what_they_sign_is_believed() {
        let folder = tempfile::tempdir().unwrap();
        let store = KeyStore::open(folder.path()).unwrap();
        let keys = open(&store, NOW);
        let again = open(&store, NOW.plus_seconds(DAY));
        assert_eq!(keys.authority(), again.authority());
        assert_eq!(keys.master_list(), again.master_list());
        let anchors = again.anchors(NOW.plus_seconds(DAY)).unwrap();
        assert!(Attested::verify(&signed(&keys), &anchors, NOW.plus_seconds(DAY)).is_ok());
    }

    #[test]
    fn a_card_is_readable_to_its_end_and_the_list_of_the_revoked_is_made_anew() {
        let folder = tempfile::tempdir().unwrap();
        let store = KeyStore::open(folder.path()).unwrap();
        let keys = open(&store, NOW);
        let first = keys.revocations(NOW).unwrap();
        assert_eq!(keys.revocations(NOW.plus_seconds(DAY - 1)).unwrap(), first);
        assert_ne!(keys.revocations(NOW.plus_seconds(DAY)).unwrap(), first);
        let stale = keys.anchors(NOW).unwrap();
        let late = NOW.plus_seconds(100 * DAY);
        let file = signed(&keys);
        let refused = Attested::verify(&file, &stale, late).unwrap_err();
        assert_eq!(refused, PassiveError::NoRevocationList);
        assert!(Attested::verify(&file, &keys.anchors(late).unwrap(), late).is_ok());
        let (signer, _) = keys.document_signer();
        assert!(signer.until() >= NOW.plus_seconds(10 * YEAR));
    }

    #[test]
    fn a_revoked_signers_cards_are_believed_no_more_across_starts() {
        let folder = tempfile::tempdir().unwrap();
        let store = KeyStore::open(folder.path()).unwrap();
        let keys = open(&store, NOW);
        let file = signed(&keys);
        let later = NOW.plus_seconds(60);
        keys.revoke(keys.document_signer().0.serial(), later).unwrap();
        keys.revoke(keys.document_signer().0.serial(), later).unwrap();
        let anchors = open(&store, later).anchors(later).unwrap();
        assert_eq!(Attested::verify(&file, &anchors, later), Err(PassiveError::SignerRevoked));
        store.replace(REVOKED, "txt", b"what").unwrap();
        assert!(matches!(keys.publish(later), Err(CardKeysError::Revoked)));
    }
}
