//! Copying: which files of a data folder are state, keys or neither, and how each is copied while it is in use.

use super::forgetting::PERSON_KEYS;
use crate::data::ARCHIVE;
use crate::words::text;
use anyhow::{Context, Result};
use rusqlite::{Connection, OpenFlags};
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io;
use std::path::{Component, Path, PathBuf};
use std::time::Duration;

/// How long to wait for a writer of a database.
const BUSY: Duration = Duration::from_secs(10);

/// What a file of a data folder is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// A document: written once, or replaced whole.
    Document,
    /// A snapshot of the ledger's state: older than the log is copied after it.
    Snapshot,
    /// Records.
    Records,
    /// The ledger's log: after the records, so that what they know to be in it is in it.
    Log,
    /// Records that were moved out of the log: after it, so that what has left it is in one of the two.
    Archive,
    /// A key, a certificate, a token, or the data keys of persons: last, so that there is one for whatever was
    /// sealed meanwhile, and none for whoever was erased.
    Key,
}

/// Every file of the data folder that belongs into a backup, by its path below the folder, in the order in which
/// they are copied. Left out are wallets, which have a backup of their own, and what is made anew.
pub(super) fn listed(root: &Path) -> Result<Vec<(Kind, PathBuf)>> {
    let mut found = Vec::new();
    walk(root, Path::new(""), &mut found)
        .with_context(|| text!("{path} cannot be read", path = root.display()))?;
    found.sort();
    Ok(found)
}

fn walk(root: &Path, below: &Path, found: &mut Vec<(Kind, PathBuf)>) -> io::Result<()> {
    for entry in fs::read_dir(root.join(below))? {
        let entry = entry?;
        let path = below.join(entry.file_name());
        let kind = entry.file_type()?;
        if kind.is_dir() {
            walk(root, &path, found)?;
        } else if kind.is_file() {
            found.extend(kind_of(&path).map(|kind| (kind, path)));
        }
    }
    Ok(())
}

fn kind_of(path: &Path) -> Option<Kind> {
    let parts: Vec<&OsStr> = path.components().map(Component::as_os_str).collect();
    let name = path.file_name()?.to_str()?;
    let extension = path.extension().and_then(OsStr::to_str).unwrap_or_default();
    match (parts.as_slice(), extension) {
        _ if name == "lock" => None,
        ([first, ..], _) if *first == "wallets" => None,
        (_, "sqlite-wal" | "sqlite-shm" | "unfinished" | "lock") => None,
        _ if name.starts_with('.') => None,
        ([_, second, _, ..], _) if *second == "keys" => Some(Kind::Key),
        _ if name == PERSON_KEYS => Some(Kind::Key),
        // The history is made anew from the log.
        _ if name == "history.sqlite" => None,
        ([_, second, _], "sqlite") if *second == ARCHIVE => Some(Kind::Archive),
        ([_, second, _], "part") if *second == ARCHIVE => None,
        _ if name == "ledger.sqlite" => Some(Kind::Log),
        (_, "snapshot") => Some(Kind::Snapshot),
        (_, "sqlite") => Some(Kind::Records),
        _ => Some(Kind::Document),
    }
}

/// Copies one file into a folder that only its owner can enter, durably. A database is copied as it is at one
/// instant, whoever writes to it meanwhile. False, if the file is gone: an old snapshot that was removed.
pub(super) fn copy(from: &Path, to: &Path) -> Result<bool> {
    if let Some(folder) = to.parent() {
        yufu_keys::KeyStore::open(folder)?;
    }
    let is_database = from.extension() == Some(OsStr::new("sqlite"));
    let copied = if is_database { database(from, to) } else { document(from, to) };
    match copied {
        Ok(()) => Ok(true),
        Err(_) if !from.exists() => Ok(false),
        Err(error) => Err(error.context(text!("{path} cannot be copied", path = from.display()))),
    }
}

fn document(from: &Path, to: &Path) -> Result<()> {
    // With its permissions.
    fs::copy(from, to)?;
    Ok(File::open(to)?.sync_all()?)
}

fn database(from: &Path, to: &Path) -> Result<()> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let source = Connection::open_with_flags(from, flags)?;
    source.busy_timeout(BUSY)?;
    // Not a page of what was deleted comes along.
    source.execute("VACUUM INTO ?1", [to.to_str().with_context(|| to.display().to_string())?])?;
    drop(source);
    private(to)?;
    Ok(File::open(to)?.sync_all()?)
}

/// For its owner alone.
fn private(path: &Path) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
    }
    let _ = path;
    Ok(())
}

/// Makes names in a folder and all below it durable.
pub(super) fn sync_folders(root: &Path) -> io::Result<()> {
    for entry in fs::read_dir(root)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            sync_folders(&entry.path())?;
        }
    }
    File::open(root)?.sync_all()
}

/// Nothing is written over: `path` does not exist, or is an empty folder.
pub(super) fn is_new(path: &Path) -> bool {
    match fs::read_dir(path) {
        Ok(mut entries) => entries.next().is_none(),
        Err(error) => error.kind() == io::ErrorKind::NotFound,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_file_of_a_data_folder_is_state_a_key_or_left_out() {
        for (path, kind) in [
            ("lock", None),
            ("profile", Some(Kind::Document)),
            ("trust-list-key.json", Some(Kind::Document)),
            ("wallets/mei.wallet", None),
            ("central-bank/ledger.sqlite", Some(Kind::Log)),
            ("central-bank/ledger.sqlite-wal", None),
            ("central-bank/history.sqlite", None),
            ("central-bank/ledger.sqlite.lock", None),
            ("central-bank/snapshots/00000000000000000007.snapshot", Some(Kind::Snapshot)),
            ("central-bank/snapshots/00000000000000000008.unfinished", None),
            (
                "central-bank/archive/00000000000000000001-00000000000000000007.sqlite",
                Some(Kind::Archive),
            ),
            ("central-bank/archive/00000000000000000008-00000000000000000009.part", None),
            ("central-bank/keys/commands.p8", Some(Kind::Key)),
            ("bank/onboarding.sqlite", Some(Kind::Records)),
            ("bank/person-keys.sqlite", Some(Kind::Key)),
            ("trust-list-operator/listed/bank.json", Some(Kind::Document)),
        ] {
            assert_eq!(kind_of(Path::new(path)), kind, "{path}");
        }
    }
}
