//! What a wallet holds: credentials, accounts, the history, and what guards against replays.

use super::cash::StoredCash;
use super::freeze_sheet::{FreezeSheet, Guard};
use super::history::Entry;
use super::pins::StoredPin;
use super::sector::RootSecret;
use crate::words::text;
use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use yufu_jose::{SoftwareKey, decode_base64url, encode_base64url};
use yufu_trust::DirectoryEntry;
use yufu_wallet::HeldCredential;
use yufu_wallet::issuance::Described;
use yufu_wallet::issuance::haip::{Grant, Waiting};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// A wallet's contents.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Contents {
    /// Credentials that were not shown yet, each with the key it is bound to.
    pub(super) credentials: Vec<StoredCredential>,
    /// What the types of those credentials say, by the digest that they name: its own document first, then what that
    /// extends.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) types: BTreeMap<String, Vec<String>>,
    /// What issuers' metadata call the kinds of credentials that ever came, and their claims, by type: the history names
    /// those that are gone by it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) described: BTreeMap<String, Described>,
    /// Accounts, each with the key that gives orders.
    pub(super) accounts: Vec<StoredAccount>,
    /// Accounts whose opening was begun and whose end was not heard of yet: the key must outlive a crash.
    #[serde(default)]
    pub(super) openings: Vec<StoredOpening>,
    /// Programmes that the holder is enrolled in.
    #[serde(default)]
    pub(super) programmes: Vec<StoredProgramme>,
    /// The wallet provider whose wallet this is; none for a wallet of the bank's own.
    #[serde(default)]
    pub(super) provider: Option<StoredProvider>,
    /// Purses whose code was sent and not answered yet.
    #[serde(default)]
    pub(super) purses: Vec<StoredPurse>,
    /// Sub-wallets that were opened here, below an account.
    #[serde(default)]
    pub(super) sub_wallets: Vec<StoredSubWallet>,
    /// Keys made for accounts that are to move here from another wallet.
    #[serde(default)]
    pub(super) takings: Vec<StoredTaking>,
    /// Recoveries of accounts that were begun and whose end was not heard of yet.
    #[serde(default)]
    pub(super) recoveries: Vec<StoredRecovery>,
    /// What issuers granted to this wallet as an attested one: it brings fresh copies.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) grants: Vec<StoredGrant>,
    /// Issuances that wait for an officer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) waiting: Vec<StoredWaiting>,
    /// When the wallet asks for fresh copies by itself the next time (seconds since the epoch); none if it never did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) next_renewal: Option<u64>,
    /// Every disclosure, refusal and payment.
    pub(super) history: Vec<Entry>,
    /// Requests that were answered, until when they could be replayed (seconds since the epoch).
    pub(super) answered: BTreeMap<String, u64>,
    /// The sequence of the newest trust list seen: an older one is refused.
    pub(super) trust_sequence: Option<u64>,
    /// By which key that list is known, once its operator's key was followed by another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) trust_pin: Option<StoredPin>,
    /// Who certified relying parties by that list, DER in base64url: receipts are verified with it offline.
    #[serde(default)]
    pub(super) access_anchors: Vec<String>,
    /// What the pseudonyms come from; every wallet that is open has one.
    #[serde(default)]
    pub(super) root: Option<RootSecret>,
    /// Sectors in which the authority registered the pseudonym.
    #[serde(default)]
    pub(super) sectors: BTreeSet<String>,
    /// Who is reached where, by that list.
    #[serde(default)]
    pub(super) directory: Vec<DirectoryEntry>,
    /// The newest trust list seen of other countries, by country.
    #[serde(default)]
    pub(super) foreign: BTreeMap<String, StoredForeign>,
    /// Digits after the point of each currency that the wallet met.
    #[serde(default)]
    pub(super) decimals: BTreeMap<String, u8>,
    /// The currency of each country that the wallet acted in; the own one has no name.
    #[serde(default)]
    pub(super) currencies: BTreeMap<String, String>,
    /// The anonymous credential and what it is renewed with; a program without that leaves it as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) anonymous: Option<serde_json::Value>,
    /// What this wallet's own sheet is made of; none before a key was left anywhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) guard: Option<Guard>,
    /// Sheets of other wallets that this one can freeze.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) sheets: Vec<FreezeSheet>,
    /// Bearer notes; none before the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) cash: Option<StoredCash>,
}

/// The newest trust list seen of another country.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct StoredForeign {
    /// Its sequence: an older one is refused.
    pub(super) sequence: u64,
    /// By which key it is known, once that was followed by another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) pin: Option<StoredPin>,
    /// Who certified relying parties by that list, DER in base64url.
    pub(super) access_anchors: Vec<String>,
    /// Who is reached where, by that list.
    pub(super) directory: Vec<DirectoryEntry>,
}

impl Contents {
    /// The credentials that may be shown, with their places.
    pub(super) fn usable(&self) -> impl Iterator<Item = (usize, &StoredCredential)> {
        self.credentials.iter().enumerate().filter(|(_, stored)| !stored.restored)
    }
}

/// A credential for one use.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct StoredCredential {
    /// The private key.
    pub(super) key: StoredKey,
    /// The credential.
    pub(super) held: HeldCredential,
    /// Whether it came from a backup: then the wallet it was copied from may have shown it, or yet show it.
    #[serde(default)]
    pub(super) restored: bool,
}

/// An account opening under way.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct StoredOpening {
    /// The bank.
    pub(super) bank: String,
    /// The other country that the bank is in.
    #[serde(default)]
    pub(super) country: Option<String>,
    /// The opening's id there.
    pub(super) opening: String,
    /// The class asked for.
    pub(super) class: String,
    /// The key that is to give orders.
    pub(super) key: StoredKey,
    /// When it was begun, in seconds since the epoch.
    pub(super) begun: u64,
}

/// A programme that the holder is enrolled in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct StoredProgramme {
    /// The agency.
    pub(super) agency: String,
    /// Its programme.
    pub(super) programme: String,
    /// The sector whose key speaks for the holder there.
    pub(super) sector: String,
}

/// The wallet provider whose wallet this is.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct StoredProvider {
    /// Its id.
    pub(super) id: String,
    /// The key by which it knows this wallet, and for nothing else.
    pub(super) key: StoredKey,
    /// Whether it knows the key.
    pub(super) registered: bool,
}

/// What an issuer granted, in the hands of two keys.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct StoredGrant {
    /// By what it is known here.
    pub(super) id: String,
    /// What was granted.
    pub(super) grant: Grant,
    /// The key that the wallet provider attests, for this issuer alone.
    pub(super) instance: StoredKey,
    /// The key that tokens are bound to.
    pub(super) dpop: StoredKey,
    /// How the issuer is told of the last batches that came of it, the newest last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) batches: Vec<String>,
}

/// An issuance that waits for an officer.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct StoredWaiting {
    /// What is asked again.
    pub(super) waiting: Waiting,
    /// The keys that the credentials will be bound to.
    pub(super) keys: Vec<StoredKey>,
    /// The grant that it rests on.
    pub(super) grant: String,
}

/// A purse whose code was sent.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct StoredPurse {
    /// The bank.
    pub(super) bank: String,
    /// The class asked for.
    pub(super) class: String,
    /// The opening's id there.
    pub(super) opening: String,
    /// The key that is to give orders.
    pub(super) key: StoredKey,
    /// When it was begun, in seconds since the epoch.
    pub(super) begun: u64,
}

/// A sub-wallet.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct StoredSubWallet {
    /// The bank.
    pub(super) bank: String,
    /// The account above it.
    pub(super) parent: String,
    /// Its account.
    pub(super) account: String,
    /// Whom it pays.
    pub(super) payee_name: String,
}

/// A key made for an account that is to move here.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct StoredTaking {
    /// The key that is to give orders.
    pub(super) key: StoredKey,
}

/// A recovery of an account under way.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct StoredRecovery {
    /// The bank.
    pub(super) bank: String,
    /// The recovery's id there.
    pub(super) recovery: String,
    /// The key that is to give orders.
    pub(super) key: StoredKey,
    /// When it was begun, in seconds since the epoch.
    pub(super) begun: u64,
}

/// An account.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct StoredAccount {
    /// The bank.
    pub(super) bank: String,
    /// The other country that the bank is in.
    #[serde(default)]
    pub(super) country: Option<String>,
    /// Its id.
    pub(super) account: String,
    /// Its class.
    pub(super) class: String,
    /// The private key that gives orders.
    pub(super) key: StoredKey,
}

/// A private key, PKCS#8 in base64url. Never printed; wiped when it is dropped.
#[derive(Clone, Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
#[serde(transparent)]
pub(super) struct StoredKey(String);

impl StoredKey {
    pub(super) fn of(key: &SoftwareKey) -> Result<Self> {
        Ok(Self(encode_base64url(&*key.to_pkcs8()?)))
    }

    pub(super) fn key(&self) -> Result<SoftwareKey> {
        let der =
            decode_base64url(&self.0).with_context(|| text!("a key in the wallet is damaged"))?;
        Ok(SoftwareKey::from_pkcs8(&Zeroizing::new(der))?)
    }
}

impl PartialEq for StoredTaking {
    fn eq(&self, other: &Self) -> bool {
        self.key.0 == other.key.0
    }
}

impl fmt::Debug for StoredKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StoredKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use yufu_base::Signer;

    #[test]
    fn a_key_is_found_as_it_was_and_is_never_printed() {
        let key = SoftwareKey::from_seed(&[1; 32]).unwrap();
        let stored = StoredKey::of(&key).unwrap();
        assert_eq!(stored.key().unwrap().public_key(), key.public_key());
        assert_eq!(format!("{stored:?}"), "StoredKey(…)");
    }

    #[test]
    fn contents_of_the_version_before_encryption_are_understood() {
        let plain = r#"{"credentials":[],"accounts":[{"bank":"b","account":"a","class":"III","key":"x"}],"history":[],"answered":{},"trust_sequence":3}"#;
        let contents: Contents = serde_json::from_str(plain).unwrap();
        assert_eq!(contents.accounts.len(), 1);
    }
}
