//! `yufu forget-keys`: the data keys of persons go from backups that are older than thirty days, so that whoever was
//! erased is gone from those too. Everything else in them stays.

use super::manifest::{self, Manifest};
use crate::command_line;
use crate::words::{say, text};
use anyhow::{Context, Result};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use yufu_base::Timestamp;
use yufu_engine::{Clock, SystemClock};

/// For how long the data keys of persons may be kept in backups, in days.
pub(super) const DAYS: u32 = 30;
const DAY_SECONDS: u64 = 86_400;
/// The file of an institution's data keys.
pub(crate) const PERSON_KEYS: &str = "person-keys.sqlite";
/// Folders of backups may lie in folders: so deep.
const DEPTH: u8 = 3;

pub(crate) fn run(options: &command_line::ForgetKeys) -> Result<ExitCode> {
    let now = SystemClock::new().read().wall;
    let mut backups = Vec::new();
    find(&options.within, DEPTH, &mut backups)
        .with_context(|| text!("{path} cannot be read", path = options.within.display()))?;
    backups.sort();
    let mut kept = 0_usize;
    for backup in &backups {
        let manifest = Manifest::read(backup)?;
        if !is_old(manifest.made_at, options.days, now) {
            kept = kept.saturating_add(usize::from(holds_persons(&manifest)));
            continue;
        }
        let forgotten = forget(backup, manifest)?;
        if forgotten > 0 {
            say!(
                "forgotten   {count} files of data keys in {backup}",
                count = forgotten,
                backup = backup.display()
            );
        }
    }
    say!(
        "{count} backups were looked at; {kept} of them hold data keys that are younger",
        count = backups.len(),
        kept = kept
    );
    Ok(ExitCode::SUCCESS)
}

/// Whether what was made then is older than so many days.
pub(super) fn is_old(made_at: u64, days: u32, now: Timestamp) -> bool {
    let lasts = u64::from(days).saturating_mul(DAY_SECONDS);
    made_at.saturating_add(lasts) <= now.seconds()
}

pub(super) fn holds_persons(manifest: &Manifest) -> bool {
    manifest.files.iter().any(|file| file.path.ends_with(PERSON_KEYS))
}

fn find(folder: &Path, depth: u8, found: &mut Vec<PathBuf>) -> io::Result<()> {
    if folder.join(manifest::FILE).is_file() {
        found.push(folder.to_owned());
        return Ok(());
    }
    let Some(depth) = depth.checked_sub(1) else { return Ok(()) };
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            find(&entry.path(), depth, found)?;
        }
    }
    Ok(())
}

/// Takes the data keys out of a backup, which is whole without them. The manifest first: a crash between leaves keys
/// that the next call removes, and no backup that says it has what it has not.
fn forget(backup: &Path, manifest: Manifest) -> Result<usize> {
    let of_persons = |path: &Path| path.ends_with(PERSON_KEYS);
    let mut left = manifest;
    left.files.retain(|file| !of_persons(&file.path));
    let path = backup.join(manifest::FILE);
    let fresh = path.with_extension("new");
    let bytes = serde_json::to_vec_pretty(&left)?;
    let written = File::create(&fresh).and_then(|mut file| {
        file.write_all(&bytes)?;
        file.sync_all()?;
        fs::rename(&fresh, &path)
    });
    written.with_context(|| text!("{path} cannot be written", path = path.display()))?;
    let mut removed = 0_usize;
    for folder in fs::read_dir(backup)? {
        let file = folder?.path().join(PERSON_KEYS);
        if file.is_file() {
            overwrite(&file)
                .and_then(|()| fs::remove_file(&file))
                .with_context(|| text!("{path} cannot be removed", path = file.display()))?;
            removed = removed.saturating_add(1);
        }
    }
    super::copying::sync_folders(backup)?;
    Ok(removed)
}

/// Zeros over a file, where the disk writes in place.
fn overwrite(path: &Path) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).open(path)?;
    let mut left = file.metadata()?.len();
    let zeros = [0_u8; 4096];
    while left > 0 {
        let take = usize::try_from(left).unwrap_or(zeros.len()).min(zeros.len());
        file.write_all(zeros.get(..take).unwrap_or(&zeros))?;
        left = left.saturating_sub(u64::try_from(take).unwrap_or(left));
    }
    file.sync_all()
}
