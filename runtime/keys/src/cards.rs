//! The keys that sign a country's chip cards: its signing authority, the document signer, the signer of the master
//! list; and what they publish: the master list and the list of revoked signers. Made once and kept in the store.

use crate::{KeyStore, KeyStoreError, random};
use std::sync::{Arc, PoisonError, RwLock};
use yufu_base::{Signer, Timestamp};
use yufu_emrtd::{
    Anchors, Authority, Certificate, CertificateError, IssueError, SignerName, SignerPurpose,
    TrustError, Validity, write_master_list,
};

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
    authority_key: Arc<dyn Signer>,
    authority: Certificate,
    signer_years: u64,
    names: SignerName,
    signer: RwLock<Arc<CardSigner>>,
    master_list: Vec<u8>,
}

/// A signer of cards: certificate and key.
pub struct CardSigner {
    /// Its certificate.
    pub certificate: Certificate,
    /// Its key.
    pub key: Arc<dyn Signer>,
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
        // A signer signs for a year, and its last card is to be readable to its end.
        let signer_years = u64::from(country.valid_years).saturating_add(1);
        let revoked = revoked(store)?;
        let signer = current_signer(
            store,
            &authority,
            (&named("document signer"), signer_years),
            &revoked,
            now,
        )?;
        let years = validity(now, LIST_SIGNER_YEARS);
        let CardSigner { certificate: list_signer, key: list_key } = certified(
            (store, LIST_SIGNER),
            &authority,
            (&named("list signer"), SignerPurpose::MasterLists),
            years,
        )?;
        let master_list = store.document(MASTER_LIST, "ml", || {
            let own = std::slice::from_ref(authority.certificate());
            Ok::<_, CardKeysError>(write_master_list(own, &list_signer, &*list_key, now)?)
        })?;
        let authority = authority.certificate().clone();
        let store = store.clone();
        let (names, signer) = (named("document signer"), RwLock::new(Arc::new(signer)));
        Ok(Self { store, authority_key, authority, signer_years, names, signer, master_list })
    }

    /// The authority's certificate: whoever trusts it believes the master list.
    #[must_use]
    pub const fn authority(&self) -> &Certificate {
        &self.authority
    }

    /// Who signs cards now.
    #[must_use]
    pub fn document_signer(&self) -> Arc<CardSigner> {
        Arc::clone(&self.signer.read().unwrap_or_else(PoisonError::into_inner))
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

    /// Revokes a signer by the number of its certificate: cards that it signed are believed no more. If it is the one
    /// that signs now, another takes its place. Again is harmless. `basis` says who decided it and why, on one line.
    ///
    /// # Errors
    /// [`CardKeysError`]; then it may be revoked already, and is to be revoked again.
    pub fn revoke(&self, serial: &[u8], basis: &str, now: Timestamp) -> Result<(), CardKeysError> {
        // One at a time, and none signs meanwhile.
        let mut signer = self.signer.write().unwrap_or_else(PoisonError::into_inner);
        let mut revoked = revoked(&self.store)?;
        if !revoked.iter().any(|known| known.serial == serial) {
            let basis = basis.replace(char::is_control, " ");
            revoked.push(RevokedSigner { serial: serial.to_vec(), at: now, basis });
        }
        let lines: String = revoked.iter().map(RevokedSigner::line).collect();
        self.store.replace(REVOKED, "txt", lines.as_bytes())?;
        let authority = Authority::from_certificate(self.authority.der(), &*self.authority_key)?;
        let named = (&self.names, self.signer_years);
        *signer = Arc::new(current_signer(&self.store, &authority, named, &revoked, now)?);
        self.publish(now).map(|_| ())
    }

    /// The signers that there were, the newest last, and how each was revoked.
    ///
    /// # Errors
    /// [`CardKeysError`].
    pub fn signers(&self) -> Result<Vec<(Certificate, Option<RevokedSigner>)>, CardKeysError> {
        let revoked = revoked(&self.store)?;
        let mut signers = Vec::new();
        for turn in 1_u32.. {
            let Some(der) = self.store.find(&signer_name(turn), "der")? else { break };
            let certificate = Certificate::read(&der)?;
            let ended = revoked.iter().find(|known| known.serial == certificate.serial());
            signers.push((certificate, ended.cloned()));
        }
        Ok(signers)
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
        let revoked = revoked(&self.store)?.into_iter().map(|known| (known.serial, known.at));
        let list = authority.revocation_list(number, validity, &revoked.collect::<Vec<_>>())?;
        self.store.replace(REVOCATIONS, "crl", &list)?;
        Ok(list)
    }
}

/// A signer of cards that is believed no more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevokedSigner {
    /// The number of its certificate.
    pub serial: Vec<u8>,
    /// Since when.
    pub at: Timestamp,
    /// Who decided it, and why.
    pub basis: String,
}

impl RevokedSigner {
    fn line(&self) -> String {
        let hex: String = self.serial.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("{hex} {} {}\n", self.at.seconds(), self.basis)
    }

    fn read(line: &str) -> Option<Self> {
        let mut fields = line.splitn(3, ' ');
        let digits = fields.next()?.as_bytes().chunks(2);
        let serial: Option<Vec<u8>> =
            digits.map(|pair| u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok()).collect();
        let at = Timestamp::from_seconds(fields.next()?.parse().ok()?);
        Some(Self { serial: serial?, at, basis: fields.next().unwrap_or_default().to_owned() })
    }
}

fn revoked(store: &KeyStore) -> Result<Vec<RevokedSigner>, CardKeysError> {
    let text = store.find(REVOKED, "txt")?.unwrap_or_default();
    let text = String::from_utf8(text).map_err(|_| CardKeysError::Revoked)?;
    text.lines().map(|line| RevokedSigner::read(line).ok_or(CardKeysError::Revoked)).collect()
}

/// The first signer that is not revoked: those before it are.
fn current_signer(
    store: &KeyStore,
    authority: &Authority<'_>,
    (named, years): (&SignerName, u64),
    revoked: &[RevokedSigner],
    now: Timestamp,
) -> Result<CardSigner, CardKeysError> {
    let mut turn = 1_u32;
    loop {
        let name = signer_name(turn);
        let purpose = SignerPurpose::Documents;
        let signer = certified((store, &name), authority, (named, purpose), validity(now, years))?;
        if !revoked.iter().any(|known| known.serial == signer.certificate.serial()) {
            return Ok(signer);
        }
        turn = turn.saturating_add(1);
    }
}

/// What the key of the first, second, ... signer of cards is called.
fn signer_name(turn: u32) -> String {
    if turn == 1 { DOCUMENT_SIGNER.to_owned() } else { format!("{DOCUMENT_SIGNER}-{turn}") }
}

/// A key and its certificate, made at first use.
fn certified(
    (store, name): (&KeyStore, &str),
    authority: &Authority<'_>,
    (named, purpose): (&SignerName, SignerPurpose),
    valid: Validity,
) -> Result<CardSigner, CardKeysError> {
    let key = store.signer(name)?;
    let der = store.document(name, "der", || {
        let made = authority.certify(named, &key.public_key(), &serial(), valid, purpose)?;
        Ok::<_, CardKeysError>(made.der().to_vec())
    })?;
    Ok(CardSigner { certificate: Certificate::read(&der)?, key })
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
        let signer = keys.document_signer();
        let groups = BTreeMap::from([(1, b"one".to_vec())]);
        security_object::write(&groups, &signer.certificate, &*signer.key, NOW).unwrap()
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
        assert!(keys.document_signer().certificate.until() >= NOW.plus_seconds(10 * YEAR));
    }

    #[test]
    fn a_revoked_signers_cards_are_believed_no_more_across_starts() {
        let folder = tempfile::tempdir().unwrap();
        let store = KeyStore::open(folder.path()).unwrap();
        let keys = open(&store, NOW);
        let file = signed(&keys);
        let later = NOW.plus_seconds(60);
        let first = keys.document_signer();
        keys.revoke(first.certificate.serial(), "wang.li: copied\nkey", later).unwrap();
        keys.revoke(first.certificate.serial(), "wang.li: copied\nkey", later).unwrap();
        let second = keys.document_signer();
        assert_ne!(second.certificate, first.certificate, "another signs from here on");
        let again = open(&store, later);
        assert_eq!(again.document_signer().certificate, second.certificate);
        let signers = again.signers().unwrap();
        let ended = RevokedSigner {
            serial: first.certificate.serial().to_vec(),
            at: later,
            basis: "wang.li: copied key".to_owned(),
        };
        assert_eq!(
            signers,
            [(first.certificate.clone(), Some(ended)), (second.certificate.clone(), None)]
        );
        let theirs = signed(&again);
        assert!(Attested::verify(&theirs, &again.anchors(later).unwrap(), later).is_ok());
        let anchors = open(&store, later).anchors(later).unwrap();
        assert_eq!(Attested::verify(&file, &anchors, later), Err(PassiveError::SignerRevoked));
        store.replace(REVOKED, "txt", b"what").unwrap();
        assert!(matches!(keys.publish(later), Err(CardKeysError::Revoked)));
    }
}
