//! A folder of software keys, one file each, made at first use.

use crate::random;
use std::fs;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use yufu_jose::{KeyError, SoftwareKey};

/// The keys of one institution: a folder that only its owner can enter.
#[derive(Clone, Debug)]
pub struct KeyStore {
    folder: PathBuf,
}

/// Why a key could not be had.
#[derive(Debug, thiserror::Error)]
pub enum KeyStoreError {
    /// The folder or file cannot be read or written.
    #[error("{path}: {cause}; check that the data folder belongs to the user who runs this")]
    Io {
        /// The folder or file.
        path: PathBuf,
        /// What the system says.
        cause: std::io::Error,
    },
    /// The file holds no key.
    #[error(
        "{path} holds no P-256 key in PKCS#8: restore it from a backup; a new key would not be trusted by anybody"
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What the decoder says.
        cause: KeyError,
    },
    /// The name would leave the folder.
    #[error("{0:?} is not a key's name: expected a-z, 0-9 and hyphen")]
    Name(String),
}

impl KeyStore {
    /// The store in `folder`, which is made if absent.
    ///
    /// # Errors
    /// [`KeyStoreError::Io`] if it cannot be made.
    pub fn open(folder: &Path) -> Result<Self, KeyStoreError> {
        make_private_folder(folder).map_err(|cause| io(folder, cause))?;
        Ok(Self { folder: folder.to_owned() })
    }

    /// The signing key called `name` (its purpose, such as `credential-signing`), made and
    /// stored durably at first use.
    ///
    /// # Errors
    /// [`KeyStoreError`] if it cannot be read or made.
    pub fn signer(&self, name: &str) -> Result<Arc<SoftwareKey>, KeyStoreError> {
        let path = self.path(name, "p8")?;
        match fs::read(&path) {
            Ok(der) => {
                let key = SoftwareKey::from_pkcs8(&der);
                key.map(Arc::new).map_err(|cause| KeyStoreError::Damaged { path, cause })
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let damaged = |cause| KeyStoreError::Damaged { path: path.clone(), cause };
                let key = SoftwareKey::from_seed(&random()).map_err(damaged)?;
                let made = key.to_pkcs8().map_err(damaged)?;
                let kept = create_private(&path, &made).map_err(|cause| io(&path, cause))?;
                SoftwareKey::from_pkcs8(&kept).map(Arc::new).map_err(damaged)
            }
            Err(cause) => Err(io(&path, cause)),
        }
    }

    /// The secret text called `name` (a desk's bearer token), made and stored at first use.
    ///
    /// # Errors
    /// [`KeyStoreError::Io`] if it cannot be read or made.
    pub fn secret(&self, name: &str) -> Result<String, KeyStoreError> {
        let text = self.document(name, "token", || {
            Ok::<_, KeyStoreError>(random::random_text().into_bytes())
        })?;
        Ok(String::from_utf8_lossy(&text).trim().to_owned())
    }

    /// The 32 secret bytes called `name` (a master key), made and stored at first use.
    ///
    /// # Errors
    /// [`KeyStoreError`] if they cannot be read or made, or are not 32 bytes.
    pub fn master(&self, name: &str) -> Result<[u8; 32], KeyStoreError> {
        let bytes =
            self.document(name, "key", || Ok::<_, KeyStoreError>(random::random::<32>().to_vec()))?;
        let path = self.path(name, "key")?;
        bytes.try_into().map_err(|_| KeyStoreError::Damaged { path, cause: KeyError::Scalar })
    }

    /// The document called `name` with the file ending `ending` (a certificate, a signed list):
    /// what `make` gives at first use, and from then on what was stored.
    ///
    /// # Errors
    /// That of `make`, or [`KeyStoreError::Io`].
    pub fn document<E: From<KeyStoreError>>(
        &self,
        name: &str,
        ending: &str,
        make: impl FnOnce() -> Result<Vec<u8>, E>,
    ) -> Result<Vec<u8>, E> {
        let path = self.path(name, ending)?;
        match fs::read(&path) {
            Ok(bytes) => Ok(bytes),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                Ok(create_private(&path, &make()?).map_err(|cause| io(&path, cause))?)
            }
            Err(cause) => Err(io(&path, cause).into()),
        }
    }

    /// Stores a document that may change, durably and whole; unless it is as it was.
    ///
    /// # Errors
    /// [`KeyStoreError::Io`] if it cannot be written.
    pub fn replace(&self, name: &str, ending: &str, bytes: &[u8]) -> Result<(), KeyStoreError> {
        let path = self.path(name, ending)?;
        if fs::read(&path).is_ok_and(|found| found == bytes) {
            return Ok(());
        }
        write_private(&path, bytes).map_err(|cause| io(&path, cause))
    }

    /// The document called `name` with the file ending `ending`, if there is one.
    ///
    /// # Errors
    /// [`KeyStoreError::Io`] if it cannot be read.
    pub fn find(&self, name: &str, ending: &str) -> Result<Option<Vec<u8>>, KeyStoreError> {
        let path = self.path(name, ending)?;
        match fs::read(&path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(cause) => Err(io(&path, cause)),
        }
    }

    fn path(&self, name: &str, ending: &str) -> Result<PathBuf, KeyStoreError> {
        let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        if name.is_empty() || !name.bytes().all(allowed) {
            return Err(KeyStoreError::Name(name.to_owned()));
        }
        Ok(self.folder.join(format!("{name}.{ending}")))
    }
}

fn io(path: &Path, cause: std::io::Error) -> KeyStoreError {
    KeyStoreError::Io { path: path.to_owned(), cause }
}

fn make_private_folder(folder: &Path) -> std::io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// Writes a file that only its owner can read, whole or not at all, and durably:
/// a key that was used must be there after a crash.
fn write_private(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let fresh = write_aside(path, bytes)?;
    fs::rename(&fresh, path)?;
    sync_folder(path)
}

/// The same for a file that is made once: whoever comes second gets what the first one wrote.
fn create_private(path: &Path, bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    let fresh = write_aside(path, bytes)?;
    let linked = fs::hard_link(&fresh, path);
    fs::remove_file(&fresh)?;
    match linked {
        Ok(()) => sync_folder(path).map(|()| bytes.to_vec()),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => fs::read(path),
        Err(error) => Err(error),
    }
}

/// Writes beside `path`, under a name of its own, however many write at once.
fn write_aside(path: &Path, bytes: &[u8]) -> std::io::Result<PathBuf> {
    let fresh = path.with_extension(format!("{}.new", random::random_text()));
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&fresh)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    Ok(fresh)
}

#[cfg_attr(not(unix), expect(unused_variables, reason = "folders are synchronised on Unix"))]
fn sync_folder(path: &Path) -> std::io::Result<()> {
    #[cfg(unix)]
    if let Some(folder) = path.parent() {
        fs::File::open(folder)?.sync_all()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use yufu_base::Signer;

    #[test]
    fn a_key_is_made_once_and_found_again() {
        let folder = tempfile::tempdir().unwrap();
        let store = KeyStore::open(folder.path()).unwrap();
        let first = store.signer("credential-signing").unwrap().public_key();
        let again = KeyStore::open(folder.path()).unwrap().signer("credential-signing").unwrap();
        assert_eq!(first, again.public_key());
        assert_ne!(first, store.signer("other").unwrap().public_key());
        assert_eq!(store.secret("desk").unwrap(), store.secret("desk").unwrap());
        assert_eq!(store.master("records").unwrap(), store.master("records").unwrap());
    }

    #[test]
    fn whoever_makes_a_key_at_the_same_time_gets_the_same_one() {
        let folder = tempfile::tempdir().unwrap();
        let store = KeyStore::open(folder.path()).unwrap();
        let keys: Vec<_> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..16)
                .map(|_| scope.spawn(|| store.signer("anchor").unwrap().public_key()))
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(keys.iter().all(|key| *key == store.signer("anchor").unwrap().public_key()));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "something was left beside it");
    }

    #[cfg(unix)]
    #[test]
    fn only_the_owner_can_read_a_key() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        KeyStore::open(folder.path()).unwrap().signer("k").unwrap();
        let mode = fs::metadata(folder.path().join("k.p8")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_damaged_key_is_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let store = KeyStore::open(folder.path()).unwrap();
        fs::write(folder.path().join("k.p8"), b"torn").unwrap();
        assert!(matches!(store.signer("k"), Err(KeyStoreError::Damaged { .. })));
        assert_eq!(fs::read(folder.path().join("k.p8")).unwrap(), b"torn");
    }

    #[test]
    fn a_name_cannot_leave_the_folder() {
        let folder = tempfile::tempdir().unwrap();
        let store = KeyStore::open(folder.path()).unwrap();
        for name in ["", "..", "a/b", "A", "é"] {
            assert!(matches!(store.signer(name), Err(KeyStoreError::Name(_))), "{name}");
        }
    }
}
