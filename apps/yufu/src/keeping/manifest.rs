//! What a backup says of itself: every file with its hash, and the state that its ledger leads to.

use crate::words::text;
use anyhow::{Context, Result, bail, ensure};
use serde::{Deserialize, Serialize};
use std::fs::{self, File};
use std::path::{Component, Path, PathBuf};

/// Its name in the backup's folder.
pub(super) const FILE: &str = "manifest.json";
/// The version of its form.
const FORMAT: u32 = 1;

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Manifest {
    format: u32,
    /// The program that made it.
    pub(super) version: String,
    /// When it was begun, in seconds since the epoch.
    pub(super) made_at: u64,
    pub(super) holds: Holds,
    /// Where the copied log ends; none, if no ledger lies in the folder or keys alone were copied.
    pub(super) ledger: Option<LedgerState>,
    pub(super) files: Vec<Entry>,
}

/// What was copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Holds {
    /// All but the keys.
    State,
    /// The keys alone.
    Keys,
    /// Both.
    StateAndKeys,
}

/// Where a ledger's log ends, and the state it leads to.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LedgerState {
    pub(super) seq: u64,
    pub(super) chain: String,
    pub(super) state_hash: String,
}

/// A file of the backup.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Entry {
    /// Below the backup's folder, and below the data folder.
    pub(super) path: PathBuf,
    pub(super) bytes: u64,
    /// BLAKE3, hexadecimal.
    pub(super) blake3: String,
}

impl Manifest {
    pub(super) fn new(
        made_at: u64,
        holds: Holds,
        ledger: Option<LedgerState>,
        files: Vec<Entry>,
    ) -> Self {
        let version = env!("CARGO_PKG_VERSION").to_owned();
        Self { format: FORMAT, version, made_at, holds, ledger, files }
    }

    /// Reads it and holds every file of the backup against it.
    pub(super) fn verified(backup: &Path) -> Result<Self> {
        let manifest = Self::read(backup)?;
        for entry in &manifest.files {
            entry.verify(backup)?;
        }
        Ok(manifest)
    }

    /// Reads it.
    pub(super) fn read(backup: &Path) -> Result<Self> {
        let path = backup.join(FILE);
        let read = fs::read(&path).with_context(|| {
            text!("{path} cannot be read: is this a backup?", path = path.display())
        })?;
        let manifest: Self = serde_json::from_slice(&read)
            .with_context(|| text!("{path} is not understood", path = path.display()))?;
        ensure!(
            manifest.format == FORMAT,
            text!(
                "{path} is of format {found}, this build knows {known}: use the build that made it",
                path = path.display(),
                found = manifest.format,
                known = FORMAT
            )
        );
        Ok(manifest)
    }
}

impl Entry {
    /// What lies at `path` below `folder`.
    pub(super) fn of(folder: &Path, path: &Path) -> Result<Self> {
        let full = folder.join(path);
        let mut hasher = blake3::Hasher::new();
        let read = File::open(&full).and_then(|file| hasher.update_reader(file).map(|_| ()));
        read.with_context(|| text!("{path} cannot be read", path = full.display()))?;
        let (bytes, blake3) = (hasher.count(), hasher.finalize().to_hex().to_string());
        Ok(Self { path: path.to_owned(), bytes, blake3 })
    }

    fn verify(&self, folder: &Path) -> Result<()> {
        let inside = |part: Component<'_>| matches!(part, Component::Normal(_));
        let path = self.path.display();
        if self.path.as_os_str().is_empty() || !self.path.components().all(inside) {
            bail!(text!("the manifest names {path}, which is not below the backup", path = path));
        }
        if Self::of(folder, &self.path)? != *self {
            bail!(text!(
                "{path} is not what was backed up: nothing was restored; take another backup",
                path = path
            ));
        }
        Ok(())
    }
}
