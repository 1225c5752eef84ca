//! What `yufu serve` refuses because it would open an institution's administration, or its keys, to others.

use crate::data::DataFolder;
use crate::settings::Settings;
use crate::words::text;
use anyhow::{Result, bail};
use std::fs;
use std::path::{Path, PathBuf};

/// Refuses the demo's state, an address that others reach without TLS, and keys that others can read.
pub(crate) fn refuse_openness(settings: &Settings, data: &DataFolder, of_demo: bool) -> Result<()> {
    if let Some(why) = demo_state(data).filter(|_| !of_demo) {
        bail!(why);
    }
    if let Some(why) = open_address(settings) {
        bail!(why);
    }
    if let Some(why) = readable_settings(settings) {
        bail!(why);
    }
    if let Some(why) = readable_keys(data).into_iter().next() {
        bail!(why);
    }
    Ok(())
}

/// The settings hold the password of the ledger's log, and others can read them.
pub(crate) fn readable_settings(settings: &Settings) -> Option<String> {
    let secret = settings.log.as_ref().is_some_and(yufu_log::PostgresAddress::has_password);
    let file = settings.secret_in.as_deref().filter(|file| secret && is_open(file))?;
    Some(text!(
        "{path} holds the password of the log and can be read by others on this machine: run chmod go= {path}",
        path = file.display()
    ))
}

/// The demo's keys and tokens were made to be shown around, and its wallets have a passphrase that everybody knows.
pub(crate) fn demo_state(data: &DataFolder) -> Option<String> {
    data.is_demo().then(|| {
        text!(
            "{folder} is the demo's folder: its keys and desks' tokens are not for real use; name another with --data",
            folder = data.root().display()
        )
    })
}

/// Desks are administered with bearer tokens: whoever reads along on the way has them.
pub(crate) fn open_address(settings: &Settings) -> Option<String> {
    let secure = settings.url.as_ref().is_some_and(|url| url.starts_with("https://"));
    (!settings.listen.ip().is_loopback() && !secure).then(|| {
        text!(
            "listen is {address}, which other machines reach, and url is not https: desks' tokens would be readable on the way; listen on 127.0.0.1, or put TLS in front and set url to its https address",
            address = settings.listen
        )
    })
}

/// Folders and files of keys that somebody other than their owner can read.
pub(crate) fn readable_keys(data: &DataFolder) -> Vec<String> {
    let mut found = Vec::new();
    for institution in entries(data.root()) {
        let keys = institution.join("keys");
        let places = std::iter::once(keys.clone()).chain(entries(&keys));
        if let Some(open) = places.filter(|path| is_open(path)).min() {
            let (path, root) = (open.display(), data.root().display());
            found.push(text!(
                "{path} can be read by others on this machine: run chmod -R go= {folder}",
                path = path,
                folder = root
            ));
        }
    }
    found
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    paths.sort();
    paths
}

#[cfg(unix)]
fn is_open(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    fs::metadata(path).is_ok_and(|found| found.permissions().mode() & 0o077 != 0)
}

#[cfg(not(unix))]
fn is_open(_path: &Path) -> bool {
    false
}
