//! The folder of snapshots: their names, which is the newest that can be used, and which are removed.

use super::file::{SnapshotError, load_snapshot};
use crate::replay::Replay;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use yufu_base::{Snapshot, StateMachine};
use yufu_log::{Log, Seq};

/// What a snapshot's name ends in.
const FINISHED: &str = "snapshot";
/// What the name of one ends in that is being written, or was when the process ended.
pub(super) const UNFINISHED: &str = "unfinished";

/// A snapshot that lies in a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SnapshotFile {
    /// The record after which it was made, by its name.
    pub seq: Seq,
    /// Where it is.
    pub path: PathBuf,
}

/// The snapshots in `folder`, the newest first. None, if there is no such folder.
///
/// # Errors
/// If it cannot be read.
pub fn snapshots_in(folder: &Path) -> io::Result<Vec<SnapshotFile>> {
    let mut found: Vec<_> = paths(folder, FINISHED)?
        .into_iter()
        .filter_map(|path| Some(SnapshotFile { seq: Seq::new(named(&path)?), path }))
        .collect();
    found.sort_by_key(|file| std::cmp::Reverse(file.seq));
    Ok(found)
}

/// Where the snapshot of record `seq` lies.
pub(super) fn path_of(folder: &Path, seq: Seq) -> PathBuf {
    folder.join(format!("{:020}.{FINISHED}", seq.get()))
}

/// Makes the folder, and removes what was not finished.
pub(crate) fn clean(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    for path in paths(folder, UNFINISHED)? {
        fs::remove_file(path)?;
    }
    Ok(())
}

/// Removes all but the newest `keep`.
pub(super) fn prune(folder: &Path, keep: usize) -> io::Result<()> {
    for old in snapshots_in(folder)?.into_iter().skip(keep) {
        fs::remove_file(old.path)?;
    }
    Ok(())
}

/// The newest snapshot of a record not after `until` that can be used. One that cannot be read is
/// reported and the one before it is taken; one that the log does not lead through is an error, as it says that
/// the log is not what it was.
///
/// # Errors
/// With the path of the snapshot, or of the folder.
pub fn newest_snapshot<M: StateMachine + Snapshot>(
    folder: &Path,
    log: &dyn Log,
    until: Seq,
) -> Result<Option<Replay<M>>, (PathBuf, SnapshotError)> {
    let files = snapshots_in(folder)
        .map_err(|error| (folder.to_owned(), SnapshotError::File(error.to_string())))?;
    for SnapshotFile { seq, path } in files {
        if seq > until {
            continue;
        }
        match load_snapshot::<M>(&path) {
            Ok(replay) => {
                return match is_of(&replay, log) {
                    Ok(()) => Ok(Some(replay)),
                    Err(error) => Err((path, error)),
                };
            }
            Err(error) => {
                metrics::counter!("yufu_engine_snapshots_refused_total").increment(1);
                tracing::error!(path = %path.display(), %error, "a snapshot is not used");
            }
        }
    }
    Ok(None)
}

/// The log has to lead through the snapshot, or to follow from it.
fn is_of<M: StateMachine>(replay: &Replay<M>, log: &dyn Log) -> Result<(), SnapshotError> {
    let head = replay.head();
    if head == log.base()? {
        return Ok(());
    }
    match log.read(head.seq, 1)?.as_slice() {
        [record] if record.head() == head => Ok(()),
        _ => Err(SnapshotError::NotOfThisLog { seq: head.seq }),
    }
}

fn paths(folder: &Path, extension: &str) -> io::Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.extension() == Some(OsStr::new(extension)) {
            found.push(path);
        }
    }
    Ok(found)
}

/// The number in a snapshot's name.
fn named(path: &Path) -> Option<u64> {
    path.file_stem()?.to_str()?.parse().ok()
}
