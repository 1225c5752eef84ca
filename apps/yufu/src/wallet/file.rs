//! A wallet's file: encrypted, readable by its owner alone, replaced whole and durably at every
//! change, and open in one process at a time.

use super::attempts;
use super::contents::Contents;
use super::fault::WalletFault;
use super::vault::{Passphrase, Vault};
use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use yufu_base::Timestamp;
use zeroize::Zeroizing;

/// A wallet that is open. The system lets go of the lock when the process ends, however it ends.
pub(super) struct WalletFile {
    path: PathBuf,
    vault: Vault,
    pub(super) contents: Contents,
    _lock: File,
}

/// Where a wallet's files lie.
pub(super) struct Place<'a> {
    folder: &'a Path,
    name: &'a str,
}

impl<'a> Place<'a> {
    /// The place of the wallet called `name` in `folder`.
    pub(super) fn new(folder: &'a Path, name: &'a str) -> Result<Self, WalletFault> {
        let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        if name.is_empty() || !name.bytes().all(allowed) {
            return Err(WalletFault::Name(name.to_owned()));
        }
        Ok(Self { folder, name })
    }

    /// Whether there is a wallet, encrypted or plain.
    pub(super) fn is_taken(&self) -> bool {
        self.file("wallet").exists() || self.plain().exists()
    }

    /// The file of the version before encryption.
    fn plain(&self) -> PathBuf {
        self.file("json")
    }

    fn file(&self, extension: &str) -> PathBuf {
        self.folder.join(format!("{}.{extension}", self.name))
    }

    /// What is no wallet itself is hidden: a wallet is one file to look at and to copy.
    fn beside(&self, extension: &str) -> PathBuf {
        self.folder.join(format!(".{}.{extension}", self.name))
    }

    fn lock(&self) -> Result<File, WalletFault> {
        let path = self.beside("lock");
        let file = private().truncate(false).open(&path).map_err(|cause| disk(&path, cause))?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(_) => Err(WalletFault::InUse(self.name.to_owned())),
        }
    }
}

impl WalletFile {
    /// Opens a wallet; makes an empty one if there is none.
    pub(super) fn open(
        place: &Place<'_>,
        passphrase: &Passphrase,
        now: Timestamp,
    ) -> Result<Self, WalletFault> {
        let lock = place.lock()?;
        let path = place.file("wallet");
        match fs::read(&path) {
            Ok(bytes) => {
                let attempts = place.beside("attempts");
                attempts::begin(&attempts, now)?;
                let opened = Vault::open(&bytes, passphrase);
                if !matches!(opened, Err(WalletFault::PassphraseWrong)) {
                    attempts::succeeded(&attempts)?;
                }
                let (vault, plain) = opened?;
                let mut made = Self { path, vault, contents: parse(&plain)?, _lock: lock };
                if made.contents.root() {
                    made.save()?;
                }
                Ok(made)
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {
                if place.plain().exists() {
                    let (name, path) = (place.name.to_owned(), place.plain());
                    return Err(WalletFault::Plain { name, path });
                }
                Self::write_new(path, Contents::default(), passphrase, lock)
            }
            Err(cause) => Err(disk(&path, cause)),
        }
    }

    /// Makes a wallet with these contents, where there is none.
    pub(super) fn create(
        place: &Place<'_>,
        contents: Contents,
        passphrase: &Passphrase,
    ) -> Result<Self, WalletFault> {
        let lock = place.lock()?;
        if place.is_taken() {
            return Err(WalletFault::Exists(place.name.to_owned()));
        }
        Self::write_new(place.file("wallet"), contents, passphrase, lock)
    }

    /// Encrypts a wallet that an earlier version left in plain text, and removes the plain file.
    pub(super) fn protect(place: &Place<'_>, passphrase: &Passphrase) -> Result<Self, WalletFault> {
        let lock = place.lock()?;
        if place.file("wallet").exists() {
            return Err(WalletFault::Exists(place.name.to_owned()));
        }
        let plain = place.plain();
        let bytes = match fs::read(&plain) {
            Ok(bytes) => Zeroizing::new(bytes),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Err(WalletFault::NotPlain(place.name.to_owned()));
            }
            Err(cause) => return Err(disk(&plain, cause)),
        };
        let made = Self::write_new(place.file("wallet"), parse(&bytes)?, passphrase, lock)?;
        fs::remove_file(&plain).map_err(|cause| disk(&plain, cause))?;
        Ok(made)
    }

    /// Writes the contents, whole and durably, before anything depends on them.
    pub(super) fn save(&self) -> Result<(), WalletFault> {
        write_whole(&self.path, &self.sealed()?)
    }

    /// The file's bytes.
    pub(super) fn sealed(&self) -> Result<Vec<u8>, WalletFault> {
        // Measured first: a vector that grows would leave copies of the keys behind where it was.
        let mut length = Length(0);
        serde_json::to_writer(&mut length, &self.contents).map_err(|_| WalletFault::Cipher)?;
        let mut plain = Zeroizing::new(Vec::with_capacity(length.0));
        serde_json::to_writer(&mut *plain, &self.contents).map_err(|_| WalletFault::Cipher)?;
        self.vault.seal(&plain)
    }

    fn write_new(
        path: PathBuf,
        mut contents: Contents,
        passphrase: &Passphrase,
        lock: File,
    ) -> Result<Self, WalletFault> {
        contents.root();
        let made = Self { path, vault: Vault::new(passphrase)?, contents, _lock: lock };
        made.save()?;
        Ok(made)
    }
}

/// Counts what is written, and keeps nothing.
struct Length(usize);

impl Write for Length {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 = self.0.saturating_add(bytes.len());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Contents from their plain bytes.
pub(super) fn parse(plain: &[u8]) -> Result<Contents, WalletFault> {
    serde_json::from_slice(plain).map_err(|_| WalletFault::Damaged)
}

/// Writes a file so that after a crash there is either the old one or the new one, whole.
pub(super) fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), WalletFault> {
    let fresh = path.with_extension("new");
    let write = || {
        let mut file = private().truncate(true).open(&fresh)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&fresh, path)?;
        // The name too is durable only once its folder is.
        #[cfg(unix)]
        if let Some(folder) = path.parent() {
            File::open(folder)?.sync_all()?;
        }
        Ok(())
    };
    write().map_err(|cause| disk(path, cause))
}

/// Writes a file that does not exist yet.
pub(super) fn write_new(path: &Path, bytes: &[u8]) -> Result<(), WalletFault> {
    let write = || {
        let mut file = private().create_new(true).open(path)?;
        file.write_all(bytes)?;
        file.sync_all()
    };
    write().map_err(|cause| match cause.kind() {
        ErrorKind::AlreadyExists => WalletFault::FileExists(path.to_owned()),
        _ => disk(path, cause),
    })
}

/// For files that their owner alone can read.
fn private() -> fs::OpenOptions {
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

fn disk(path: &Path, cause: std::io::Error) -> WalletFault {
    WalletFault::Disk { path: path.to_owned(), cause }
}

#[cfg(test)]
mod tests;
