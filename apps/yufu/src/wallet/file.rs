//! What a terminal wallet stores: one file that only its owner can read, replaced whole at every change.

use super::history::Entry;
use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use yufu_jose::{SoftwareKey, decode_base64url, encode_base64url};
use yufu_wallet::HeldCredential;

/// A wallet's contents.
#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Contents {
    /// Credentials that were not shown yet, each with the key it is bound to.
    pub(super) credentials: Vec<StoredCredential>,
    /// Accounts, each with the key that gives orders.
    pub(super) accounts: Vec<StoredAccount>,
    /// Every disclosure and payment.
    pub(super) history: Vec<Entry>,
    /// Requests that were answered, until when they could be replayed (seconds since the epoch).
    pub(super) answered: BTreeMap<String, u64>,
    /// The sequence of the newest trust list seen: an older one is refused.
    pub(super) trust_sequence: Option<u64>,
}

/// A credential for one use.
#[derive(Serialize, Deserialize)]
pub(super) struct StoredCredential {
    /// The private key, PKCS#8 in base64url.
    pub(super) key: String,
    /// The credential.
    pub(super) held: HeldCredential,
}

/// An account.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct StoredAccount {
    /// The bank.
    pub(super) bank: String,
    /// Its id.
    pub(super) account: String,
    /// Its class.
    pub(super) class: String,
    /// The private key that gives orders, PKCS#8 in base64url.
    pub(super) key: String,
}

/// The file of a wallet.
pub(super) struct WalletFile {
    path: PathBuf,
    pub(super) contents: Contents,
}

impl WalletFile {
    /// Opens the wallet called `name` in `folder`; a new one if there is none.
    pub(super) fn open(folder: &Path, name: &str) -> Result<Self> {
        let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        if name.is_empty() || !name.bytes().all(allowed) {
            bail!("{name:?} is not a wallet's name: expected a-z, 0-9 and hyphen");
        }
        let path = folder.join(format!("{name}.json"));
        let contents = match fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes).with_context(|| {
                format!("{} is damaged: restore it from a backup", path.display())
            })?,
            Err(error) if error.kind() == ErrorKind::NotFound => Contents::default(),
            Err(error) => return Err(error).with_context(|| path.display().to_string()),
        };
        Ok(Self { path, contents })
    }

    /// Writes the contents, whole and durably, before anything depends on them.
    pub(super) fn save(&self) -> Result<()> {
        let fresh = self.path.with_extension("new");
        let mut options = fs::OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let write = || {
            let mut file = options.open(&fresh)?;
            file.write_all(&serde_json::to_vec(&self.contents)?)?;
            file.sync_all()?;
            fs::rename(&fresh, &self.path)
        };
        write().with_context(|| format!("{} cannot be written", self.path.display()))
    }
}

/// A private key as the file holds it.
pub(super) fn write_key(key: &SoftwareKey) -> Result<String> {
    Ok(encode_base64url(&*key.to_pkcs8()?))
}

/// A private key from the file.
pub(super) fn read_key(text: &str) -> Result<SoftwareKey> {
    let der = decode_base64url(text).context("a key in the wallet is damaged")?;
    Ok(SoftwareKey::from_pkcs8(&der)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wallet_is_found_as_it_was_left_and_by_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let mut wallet = WalletFile::open(folder.path(), "mei").unwrap();
        let key = SoftwareKey::from_seed(&[1; 32]).unwrap();
        wallet.contents.accounts.push(StoredAccount {
            bank: "b".to_owned(),
            account: "a".to_owned(),
            class: "III".to_owned(),
            key: write_key(&key).unwrap(),
        });
        wallet.save().unwrap();
        let again = WalletFile::open(folder.path(), "mei").unwrap();
        use yufu_base::Signer;
        let found = read_key(&again.contents.accounts[0].key).unwrap();
        assert_eq!(found.public_key(), key.public_key());
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = fs::metadata(folder.path().join("mei.json")).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }

    #[test]
    fn a_damaged_wallet_is_not_replaced_and_a_name_stays_in_its_folder() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("mei.json"), "{torn").unwrap();
        assert!(WalletFile::open(folder.path(), "mei").is_err());
        for name in ["", "../x", "a/b", "Ä"] {
            assert!(WalletFile::open(folder.path(), name).is_err(), "{name}");
        }
    }
}
