//! A folder of keys, one file each, made at first use: software keys, or the names of keys that are in a token.

use crate::ring::generation_name;
use crate::{Token, TokenError, TokenKeyName, random};
use std::fs;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use yufu_base::{PublicKey, Signer};
use yufu_jose::{KeyError, SoftwareKey};

/// The keys that are made in a token, where there is one: those that certify, and those that they certify for the
/// institution itself, and those of relying parties, which the registrar certifies anew for whoever enrols. What could
/// not be replaced if the token were lost stays in files, which have backups: the key that an institution enrols by
/// (with it, it tells others that keys are lost), those that command money, that of the trust list, and those of chip
/// cards: the next one of each is known by the word of the one before. So does what only seals and opens.
pub const IN_TOKEN: [&str; 8] = [
    "access",
    "access-anchor",
    "access-tokens",
    "attestations",
    "credential-anchor",
    "credentials",
    "registration",
    "registration-anchor",
];

/// The keys of one institution: a folder that only its owner can enter, and perhaps a token.
#[derive(Clone, Debug)]
pub struct KeyStore {
    folder: PathBuf,
    token: Option<(Arc<Token>, String)>,
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
    /// What is kept of a key cannot be read.
    #[error("{0} cannot be read: restore it from the backup of keys")]
    Unreadable(PathBuf),
    /// The key is in a token, and none is named.
    #[error("the key {0} is in a token: name that in the setting keys (pkcs11:...)")]
    NoToken(String),
    /// The token does not do what is asked of it.
    #[error(transparent)]
    Token(#[from] TokenError),
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
        Ok(Self { folder: folder.to_owned(), token: None })
    }

    /// The same store, with a token in which those of its keys are made that belong there ([`IN_TOKEN`]). `owner` is
    /// whose keys they are, for whoever lists the token.
    #[must_use]
    pub fn with_token(self, token: Option<Arc<Token>>, owner: &str) -> Self {
        Self { token: token.map(|token| (token, owner.to_owned())), ..self }
    }

    /// The signing key called `name` (its purpose, such as `credential-signing`), of the generation in use; made and
    /// stored durably at first use.
    ///
    /// # Errors
    /// [`KeyStoreError`] if it cannot be read or made.
    pub fn signer(&self, name: &str) -> Result<Arc<dyn Signer>, KeyStoreError> {
        self.key(&self.in_use(name)?)
    }

    /// The signing key of this very name.
    pub(crate) fn key(&self, name: &str) -> Result<Arc<dyn Signer>, KeyStoreError> {
        if let Some(named) = self.named_in_token(name)? {
            let token = self.token.as_ref().map(|(token, _)| token);
            let token = token.ok_or_else(|| KeyStoreError::NoToken(name.to_owned()))?;
            return Ok(token.key(&named));
        }
        match self.token.as_ref().filter(|_| belongs_in_token(name)) {
            Some((token, owner)) if self.find(name, "p8")?.is_none() => {
                self.made_in(token, owner, name)
            }
            _ => Ok(self.software_called(name)?),
        }
    }

    /// A former signing key. It may be lost with its token, which is then as ready as it was.
    pub(crate) fn former_key(&self, name: &str) -> Result<Arc<dyn Signer>, KeyStoreError> {
        let named = self.named_in_token(name)?;
        match (named, &self.token) {
            (Some(named), Some((token, _))) => Ok(token.former_key(named)),
            _ => self.key(name),
        }
    }

    /// The key called `name` itself, of one that lies in a file; made and stored durably at first use.
    ///
    /// # Errors
    /// [`KeyStoreError`] if it cannot be read or made.
    pub fn software_key(&self, name: &str) -> Result<Arc<SoftwareKey>, KeyStoreError> {
        self.software_called(&self.in_use(name)?)
    }

    fn software_called(&self, name: &str) -> Result<Arc<SoftwareKey>, KeyStoreError> {
        let path = self.path(name, "p8")?;
        let damaged = |cause| KeyStoreError::Damaged { path: path.clone(), cause };
        let der = match fs::read(&path) {
            Ok(der) => der,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let key = SoftwareKey::from_seed(&random()).map_err(damaged)?;
                let made = key.to_pkcs8().map_err(damaged)?;
                create_private(&path, &made).map_err(|cause| io(&path, cause))?
            }
            Err(cause) => return Err(io(&path, cause)),
        };
        SoftwareKey::from_pkcs8(&der).map(Arc::new).map_err(damaged)
    }

    fn made_in(
        &self,
        token: &Arc<Token>,
        owner: &str,
        name: &str,
    ) -> Result<Arc<dyn Signer>, KeyStoreError> {
        let fresh = token.generate(&format!("yufu/{owner}/{name}"))?;
        let reference = self.path(name, "p11")?;
        let unreadable = |_| KeyStoreError::Unreadable(reference.clone());
        let bytes = serde_json::to_vec_pretty(&fresh).map_err(unreadable)?;
        let kept = create_private(&reference, &bytes).map_err(|cause| io(&reference, cause))?;
        let kept: TokenKeyName = serde_json::from_slice(&kept).map_err(unreadable)?;
        if kept != fresh {
            // Somebody was quicker.
            token.destroy(&fresh)?;
        }
        Ok(token.key(&kept))
    }

    /// What is kept of a key in a token, if it is in one.
    ///
    /// # Errors
    /// [`KeyStoreError`] if that cannot be read.
    pub fn named_in_token(&self, name: &str) -> Result<Option<TokenKeyName>, KeyStoreError> {
        let Some(bytes) = self.find(name, "p11")? else { return Ok(None) };
        let path = self.path(name, "p11")?;
        let named = serde_json::from_slice(&bytes);
        named.map(Some).map_err(|_| KeyStoreError::Unreadable(path))
    }

    /// The public half of a key of this very name, if there is one; a token is not asked.
    pub(crate) fn public_key(&self, name: &str) -> Result<Option<PublicKey>, KeyStoreError> {
        if let Some(named) = self.named_in_token(name)? {
            return Ok(Some(named.public_key()));
        }
        match self.find(name, "p8")? {
            Some(_) => Ok(Some(self.key(name)?.public_key())),
            None => Ok(None),
        }
    }

    /// Removes the private half of a key for good. A token that is away keeps its half: whoever has it can do nothing
    /// with it that counts.
    pub(crate) fn forget(&self, name: &str) -> Result<(), KeyStoreError> {
        if let (Some(named), Some((token, _))) = (self.named_in_token(name)?, &self.token) {
            // It may be lost with the token.
            let _ = token.destroy(&named);
        }
        for ending in ["p8", "key"] {
            let path = self.path(name, ending)?;
            match fs::remove_file(&path) {
                Ok(()) => sync_folder(&path).map_err(|cause| io(&path, cause))?,
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(cause) => return Err(io(&path, cause)),
            }
        }
        Ok(())
    }

    /// Removes what names a key in a token, which nobody will use.
    pub(crate) fn forget_reference(&self, name: &str) -> Result<(), KeyStoreError> {
        let path = self.path(name, "p11")?;
        match fs::remove_file(&path) {
            Ok(()) => sync_folder(&path).map_err(|cause| io(&path, cause)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            Err(cause) => Err(io(&path, cause)),
        }
    }

    /// The token, if there is one.
    #[must_use]
    pub fn token(&self) -> Option<&Arc<Token>> {
        self.token.as_ref().map(|(token, _)| token)
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
        self.master_called(&self.in_use(name)?)
    }

    pub(crate) fn master_called(&self, name: &str) -> Result<[u8; 32], KeyStoreError> {
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

    /// The leaves that were certified here, DER.
    ///
    /// # Errors
    /// [`KeyStoreError::Io`] if they cannot be read.
    pub(crate) fn leaves(&self) -> Result<Vec<Vec<u8>>, KeyStoreError> {
        let failed = |cause| io(&self.folder, cause);
        let mut leaves = Vec::new();
        for entry in fs::read_dir(&self.folder).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let name = entry.file_name();
            let name = name.to_string_lossy();
            if name.starts_with("leaf-") && name.ends_with(".der") {
                leaves.push(fs::read(entry.path()).map_err(failed)?);
            }
        }
        Ok(leaves)
    }

    pub(crate) fn path(&self, name: &str, ending: &str) -> Result<PathBuf, KeyStoreError> {
        let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        if name.is_empty() || !name.bytes().all(allowed) {
            return Err(KeyStoreError::Name(name.to_owned()));
        }
        Ok(self.folder.join(format!("{name}.{ending}")))
    }
}

/// Whether a key of this name, whichever its generation, belongs in a token.
fn belongs_in_token(name: &str) -> bool {
    let of = |base: &str| {
        let number = name.strip_prefix(base).and_then(|rest| rest.strip_prefix('-'));
        let number = number.and_then(|number| number.parse().ok());
        name == base || number.is_some_and(|number| name == generation_name(base, number))
    };
    IN_TOKEN.into_iter().any(of)
}

pub(crate) fn io(path: &Path, cause: std::io::Error) -> KeyStoreError {
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
pub(crate) fn write_private(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
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
    fn what_cannot_be_replaced_stays_out_of_tokens() {
        for name in [
            "access",
            "access-2",
            "credentials",
            "credentials-2",
            "credential-anchor-12",
            "attestations",
        ] {
            assert!(belongs_in_token(name), "{name}");
        }
        for name in
            ["institution", "commands", "trust-list", "wallet", "credentials-x", "access-anchor-1"]
        {
            assert!(!belongs_in_token(name), "{name}");
        }
    }

    #[test]
    fn a_key_in_a_token_is_not_made_anew_where_no_token_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let store = KeyStore::open(folder.path()).unwrap();
        let public = store.signer("other").unwrap().public_key();
        let jwk = serde_json::to_value(yufu_jose::Jwk::from(public)).unwrap();
        let named = serde_json::json!({"id": "AAAA", "label": "l", "public": jwk});
        store.replace("k", "p11", named.to_string().as_bytes()).unwrap();
        assert!(matches!(store.signer("k"), Err(KeyStoreError::NoToken(_))));
        store.replace("k", "p11", b"torn").unwrap();
        assert!(matches!(store.signer("k"), Err(KeyStoreError::Unreadable(_))));
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
