//! The data folder: where each institution's state lies, and whose it is.
//!
//! ```text
//! profile                  which profile this state was made with
//! lock                     held by the running server
//! <institution>/keys/      its keys, certificates and tokens
//! <institution>/*.sqlite   its records, or the log
//! <institution>/history.sqlite  what moved on the ledger, made from its log
//! <institution>/snapshots/ the ledger's state after some of the log's records
//! <institution>/archive/   records that were moved out of the log
//! wallets/<name>.wallet    terminal wallets, each encrypted under its passphrase
//! cards/<name>.card        emulated chip cards
//! ```

use crate::words::text;
use anyhow::{Context, Result, bail};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use yufu_base::{Digest, InstitutionId};
use yufu_keys::{KeyStore, Token, TokenAddress};

/// Marks the demo's folder, and counts its runs.
const DEMO: &str = "demo-runs";
/// Remembers that a token refused a PIN. It is no state: backups leave it out.
const REFUSED_PIN: &str = ".refused-pin";
/// The name of the folder of records that were moved out of a log, beside the log or its snapshots.
pub(crate) const ARCHIVE: &str = "archive";

/// The folder that holds all state.
#[derive(Clone, Debug)]
pub(crate) struct DataFolder {
    root: PathBuf,
    /// Institutions that run by themselves, with data folders of their own.
    apart: BTreeMap<InstitutionId, PathBuf>,
    /// The token in which keys are made, if there is one.
    token: Option<Arc<Token>>,
}

/// Held while a server runs on the folder; the system lets go of it when the process ends, however it ends.
pub(crate) struct Lock {
    _file: File,
}

impl DataFolder {
    /// The folder named on the command line, or the user's default for `purpose` (`demo`, `city`).
    pub(crate) fn choose(named: Option<PathBuf>, purpose: &str) -> Result<Self> {
        let root = match named {
            Some(root) => root,
            None => directories::ProjectDirs::from("", "", "yufu")
                .with_context(|| text!("no home directory is known: name a folder with --data"))?
                .data_dir()
                .join(purpose),
        };
        Ok(Self { root, apart: BTreeMap::new(), token: None })
    }

    /// The same, with institutions that run by themselves in data folders of their own.
    pub(crate) fn with_apart(self, apart: BTreeMap<InstitutionId, PathBuf>) -> Self {
        Self { apart, ..self }
    }

    /// The same, with keys in a token.
    pub(crate) fn with_token(self, address: Option<TokenAddress>) -> Self {
        let memory = self.root.join(REFUSED_PIN);
        let token = address.map(|address| Arc::new(Token::new(address, &memory)));
        Self { token, ..self }
    }

    /// The token in which keys are made, if there is one.
    pub(crate) fn token(&self) -> Option<&Arc<Token>> {
        self.token.as_ref()
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Removes everything in the folder, if it is one of ours.
    pub(crate) fn start_over(&self) -> Result<()> {
        if !self.root.exists() {
            return Ok(());
        }
        let ours = self.root.join("profile").exists();
        let empty = fs::read_dir(&self.root)?.next().is_none();
        if !(ours || empty) {
            bail!(text!(
                "{folder} holds something that is not Yufu's: it was not touched; name another folder with --data",
                folder = self.root.display()
            ));
        }
        let _lock = self.lock()?;
        fs::remove_dir_all(&self.root)
            .with_context(|| text!("{path} cannot be removed", path = self.root.display()))
    }

    /// Makes the folder if need be, and claims it for a profile: state made with one profile is not run with another.
    pub(crate) fn claim(&self, profile: Digest) -> Result<()> {
        KeyStore::open(&self.root)
            .with_context(|| text!("{path} cannot be made", path = self.root.display()))?;
        let file = self.root.join("profile");
        match fs::read_to_string(&file) {
            Ok(found) if found.trim() == profile.to_string() => Ok(()),
            Ok(_) => bail!(self.another_profile()),
            Err(_) => fs::write(&file, format!("{profile}\n"))
                .with_context(|| text!("{path} cannot be written", path = file.display())),
        }
    }

    /// Has the folder, claimed for `former`, go on with `next`, which whoever calls holds to fit its state. Both again
    /// changes nothing.
    pub(crate) fn adopt(&self, former: Digest, next: Digest) -> Result<()> {
        let _lock = self.lock()?;
        let file = self.root.join("profile");
        let found = fs::read_to_string(&file)
            .with_context(|| text!("{path} cannot be read", path = file.display()))?;
        if found.trim() == next.to_string() {
            return Ok(());
        }
        if found.trim() != former.to_string() {
            bail!(text!(
                "{folder} was not made with the former profile named: name the one it was made with",
                folder = self.root.display()
            ));
        }
        // Whole or not at all.
        let fresh = self.root.join("profile.new");
        let written =
            fs::write(&fresh, format!("{next}\n")).and_then(|()| fs::rename(&fresh, &file));
        written.with_context(|| text!("{path} cannot be written", path = file.display()))
    }

    /// Whether the token of an institution's desk lies in the folder. Nothing is made.
    pub(crate) fn has_desk(&self, institution: &InstitutionId) -> Result<bool> {
        let root = self.apart.get(institution).unwrap_or(&self.root);
        Ok(root.join(institution.as_str()).join("keys").join("desk.token").try_exists()?)
    }

    /// What keeps the folder from being written, if anything does. Nothing is made.
    pub(crate) fn unwritable(&self) -> Option<String> {
        let there = self.root.ancestors().find(|folder| folder.exists())?;
        let trial = there.join(format!(".yufu-check-{}", std::process::id()));
        let written = File::create_new(&trial).and_then(|_| fs::remove_file(&trial));
        let why = written.err()?;
        let (there, root) = (there.display(), self.root.display());
        Some(text!(
            "{path}: {why}; the user who runs this must be able to write {folder}",
            path = there,
            why = why,
            folder = root
        ))
    }

    /// Whether the folder's state was made with another profile.
    pub(crate) fn of_another_profile(&self, profile: Digest) -> Option<String> {
        let found = fs::read_to_string(self.root.join("profile")).ok()?;
        (found.trim() != profile.to_string()).then(|| self.another_profile())
    }

    fn another_profile(&self) -> String {
        text!(
            "{folder} was made with another profile, or the profile was changed since: start over with --fresh, or name another folder with --data",
            folder = self.root.display()
        )
    }

    /// Locks the folder for one server at a time.
    pub(crate) fn lock(&self) -> Result<Lock> {
        let path = self.root.join("lock");
        let file = File::create(&path)
            .with_context(|| text!("{path} cannot be written", path = path.display()))?;
        if file.try_lock().is_err() {
            bail!(text!(
                "another server runs on {folder}: stop it first, or name another folder with --data",
                folder = self.root.display()
            ));
        }
        Ok(Lock { _file: file })
    }

    /// Whether a server runs on the folder.
    pub(crate) fn is_served(&self) -> bool {
        self.lock().is_err()
    }

    /// The keys of an institution.
    pub(crate) fn keys(&self, institution: &InstitutionId) -> Result<KeyStore> {
        let store = KeyStore::open(&self.of(institution)?.join("keys"))?;
        Ok(store.with_token(self.token.clone(), institution.as_str()))
    }

    /// Documents of an institution, one kind to a folder.
    pub(crate) fn store(&self, institution: &InstitutionId, name: &str) -> Result<KeyStore> {
        Ok(KeyStore::open(&self.of(institution)?.join(name))?)
    }

    /// A database file of an institution.
    pub(crate) fn database(&self, institution: &InstitutionId, name: &str) -> Result<PathBuf> {
        Ok(self.of(institution)?.join(format!("{name}.sqlite")))
    }

    /// The folder of the ledger's snapshots.
    pub(crate) fn snapshots(&self, institution: &InstitutionId) -> Result<PathBuf> {
        private(self.of(institution)?.join("snapshots"))
    }

    /// The folder of records that are moved out of the ledger's log.
    pub(crate) fn archive(&self, institution: &InstitutionId) -> Result<PathBuf> {
        private(self.of(institution)?.join(ARCHIVE))
    }

    /// The folder of the ledger's snapshots, whatever the central bank is called here. There may be none.
    pub(crate) fn found_snapshots(&self) -> PathBuf {
        let folders = fs::read_dir(&self.root).into_iter().flatten();
        let found = folders.filter_map(|entry| Some(entry.ok()?.path().join("snapshots")));
        found.filter(|path| path.is_dir()).min().unwrap_or_else(|| self.root.join("snapshots"))
    }

    /// The ledger's log, whatever the central bank is called here.
    pub(crate) fn ledger(&self) -> Result<PathBuf> {
        let folders = fs::read_dir(&self.root).with_context(|| {
            text!(
                "{folder} cannot be read: name the folder with --data",
                folder = self.root.display()
            )
        })?;
        let logs = folders.filter_map(|entry| Some(entry.ok()?.path().join("ledger.sqlite")));
        logs.filter(|path| path.exists()).min().with_context(|| {
            text!("{folder} holds no ledger: name its log with --log", folder = self.root.display())
        })
    }

    /// The folder of terminal wallets.
    pub(crate) fn wallets(&self) -> Result<PathBuf> {
        private(self.root.join("wallets"))
    }

    /// The folder of emulated chip cards.
    pub(crate) fn cards(&self) -> Result<KeyStore> {
        Ok(KeyStore::open(&self.root.join("cards"))?)
    }

    /// Marks the folder as the demo's: its wallets' passphrase is known to everybody.
    pub(crate) fn mark_as_demo(&self) -> Result<()> {
        let path = self.root.join(DEMO);
        if path.exists() {
            return Ok(());
        }
        fs::write(&path, "0").with_context(|| path.display().to_string())
    }

    /// Whether the folder is the demo's.
    pub(crate) fn is_demo(&self) -> bool {
        self.root.join(DEMO).exists()
    }

    /// The next of the demo's runs on the folder.
    pub(crate) fn next_run(&self) -> Result<usize> {
        let path = self.root.join(DEMO);
        let text = fs::read_to_string(&path).ok();
        let run = text.and_then(|text| text.trim().parse().ok()).unwrap_or(0_usize);
        fs::write(&path, run.saturating_add(1).to_string())
            .with_context(|| path.display().to_string())?;
        Ok(run)
    }

    /// The folder of an institution.
    pub(crate) fn of(&self, institution: &InstitutionId) -> Result<PathBuf> {
        let root = self.apart.get(institution).unwrap_or(&self.root);
        private(root.join(institution.as_str()))
    }
}

fn private(folder: PathBuf) -> Result<PathBuf> {
    KeyStore::open(&folder)
        .with_context(|| text!("{path} cannot be made", path = folder.display()))?;
    Ok(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_belongs_to_one_profile_and_one_server() {
        let root = tempfile::tempdir().unwrap();
        let folder = DataFolder::choose(Some(root.path().join("d")), "demo").unwrap();
        folder.claim(Digest::of(b"one")).unwrap();
        folder.claim(Digest::of(b"one")).unwrap();
        assert!(folder.claim(Digest::of(b"two")).is_err());
        let held = folder.lock().unwrap();
        assert!(folder.lock().is_err());
        drop(held);
        assert!(folder.lock().is_ok());
    }

    #[test]
    fn starting_over_spares_what_is_not_ours() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("thesis.txt"), "precious").unwrap();
        let folder = DataFolder::choose(Some(root.path().to_owned()), "demo").unwrap();
        assert!(folder.start_over().is_err());
        assert!(root.path().join("thesis.txt").exists());
        let ours = DataFolder::choose(Some(root.path().join("d")), "demo").unwrap();
        ours.claim(Digest::of(b"one")).unwrap();
        ours.start_over().unwrap();
        assert!(!root.path().join("d").exists());
    }
}
