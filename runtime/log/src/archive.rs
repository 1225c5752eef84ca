//! Old records, moved out of a log: copied into a file that is a log of its own, checked, made
//! durable, and only then pruned. [`WithArchive`] reads both as the one log they are.

use crate::sqlite::{sync_directory, write_archive};
use crate::verify::verify_chain;
use crate::{
    Appended, ChainError, Epoch, Head, Log, LogError, OpenError, PruneError, Record, Refusal,
    SealError, Seq, SqliteLog, VerifiedRecords,
};
use std::fs;
use std::path::{Path, PathBuf};

/// Moves the records of `log` up to and with `up_to` into a file in `folder`, which is named by
/// its first and last record, and returns the file; `None` if `log` has none of them any more.
/// Meant for a handle of its own, beside the writer's. A crash on the way loses nothing, and
/// the same call again completes it.
///
/// # Errors
/// [`ArchiveError`]; unless the copy is whole and durable, nothing is pruned.
pub fn archive(
    log: &mut dyn Log,
    epoch: Epoch,
    up_to: Head,
    folder: &Path,
) -> Result<Option<PathBuf>, ArchiveError> {
    let base = log.base()?;
    if up_to.seq <= base.seq {
        return Ok(None);
    }
    if log.read(up_to.seq, 1)?.first().map(Record::head) != Some(up_to) {
        return Err(PruneError::NoSuchHead { seq: up_to.seq }.into());
    }
    let path = match made_before(folder, base, up_to)? {
        Some(path) => path,
        None => copy(log, base, up_to, folder)?,
    };
    log.prune(epoch, up_to)?;
    Ok(Some(path))
}

/// Writes the records between two heads into a file that bears its name only once it is whole.
fn copy(log: &dyn Log, base: Head, up_to: Head, folder: &Path) -> Result<PathBuf, ArchiveError> {
    let path = folder.join(name(base.seq.next(), up_to.seq));
    let part = path.with_extension("part");
    discard(&part)?;
    let records = VerifiedRecords::new(log, base);
    let wanted = |record: &Result<Record, ChainError>| {
        record.as_ref().map_or(true, |record| record.seq <= up_to.seq)
    };
    let records = records.take_while(wanted).map(|record| record.map_err(ArchiveError::from));
    write_archive(&part, base, records)?;
    if verify_chain(&SqliteLog::open_read_only(&part)?)? != up_to {
        return Err(ArchiveError::NotWhole(part));
    }
    fs::rename(&part, &path).map_err(|e| file_error(&path, &e))?;
    sync_directory(&path)?;
    Ok(path)
}

/// An archive that an earlier attempt left behind, which ends where it has to and reaches back
/// far enough.
fn made_before(folder: &Path, base: Head, up_to: Head) -> Result<Option<PathBuf>, ArchiveError> {
    for part in parts(folder)? {
        if part.last == up_to.seq && part.first <= base.seq.next() {
            let log = SqliteLog::open_read_only(&part.path)?;
            if verify_chain(&log)? == up_to {
                return Ok(Some(part.path));
            }
        }
    }
    Ok(None)
}

/// What a copy that was broken off left behind.
fn discard(part: &Path) -> Result<(), ArchiveError> {
    for ending in ["", "-wal", "-shm", "-journal"] {
        let mut name = part.as_os_str().to_owned();
        name.push(ending);
        let path = PathBuf::from(name);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(file_error(&path, &error));
            }
            _ => {}
        }
    }
    Ok(())
}

/// `00000000000000000001-00000000000000004096.sqlite`: names sort as the records do.
fn name(first: Seq, last: Seq) -> String {
    format!("{:020}-{:020}.sqlite", first.get(), last.get())
}

/// A file of the archive, by its name.
struct Part {
    first: Seq,
    last: Seq,
    path: PathBuf,
}

fn parts(folder: &Path) -> Result<Vec<Part>, ArchiveError> {
    let entries = fs::read_dir(folder).map_err(|e| file_error(folder, &e))?;
    let mut parts = Vec::new();
    for entry in entries {
        let path = entry.map_err(|e| file_error(folder, &e))?.path();
        let bounds = path
            .file_name()
            .and_then(|name| name.to_str()?.strip_suffix(".sqlite")?.split_once('-'))
            .and_then(|(first, last)| Some((first.parse().ok()?, last.parse().ok()?)));
        if let Some((first, last)) = bounds {
            parts.push(Part { first: Seq::new(first), last: Seq::new(last), path });
        }
    }
    parts.sort_by_key(|part| (part.first, part.last));
    Ok(parts)
}

/// A log together with the records that were moved out of it: read-only, from the first on.
pub struct WithArchive {
    parts: Vec<(Part, SqliteLog)>,
    log: Box<dyn Log>,
}

impl WithArchive {
    /// The files in `folder`, and `log` after them.
    ///
    /// # Errors
    /// [`ArchiveError`] if the folder or one of its files cannot be read.
    pub fn open(folder: &Path, log: Box<dyn Log>) -> Result<Self, ArchiveError> {
        let opened = parts(folder)?.into_iter().map(|part| {
            let log = SqliteLog::open_read_only(&part.path)?;
            Ok((part, log))
        });
        Ok(Self { parts: opened.collect::<Result<_, ArchiveError>>()?, log })
    }

    /// The file that leads furthest from a record on.
    fn part(&self, from: Seq) -> Option<&SqliteLog> {
        let holds = self.parts.iter().filter(|(part, _)| part.first <= from && from <= part.last);
        holds.max_by_key(|(part, _)| part.last).map(|(_, log)| log)
    }
}

impl Log for WithArchive {
    fn append(&mut self, _: Head, _: Epoch, _: &[u8]) -> Appended {
        Appended::Refused(Refusal::ReadOnly)
    }

    fn seal(&mut self, _: Epoch) -> Result<Head, SealError> {
        Err(SealError::ReadOnly)
    }

    fn epoch(&self) -> Result<Epoch, LogError> {
        self.log.epoch()
    }

    fn read(&self, from: Seq, max: usize) -> Result<Vec<Record>, LogError> {
        let mut records: Vec<Record> = Vec::new();
        loop {
            let next = records.last().map_or(from.max(Seq::FIRST), |record| record.seq.next());
            let left = max.saturating_sub(records.len());
            let (more, last) = match self.log.read(next, left) {
                Err(LogError::Pruned { first }) => match self.part(next) {
                    Some(part) => (part.read(next, left)?, false),
                    None => return Err(LogError::Pruned { first }),
                },
                other => (other?, true),
            };
            let none = more.is_empty();
            records.extend(more);
            if last || none || records.len() >= max {
                return Ok(records);
            }
        }
    }

    fn durable_head(&self) -> Result<Head, LogError> {
        self.log.durable_head()
    }

    fn base(&self) -> Result<Head, LogError> {
        match self.parts.first() {
            Some((_, log)) => log.base(),
            None => self.log.base(),
        }
    }

    fn prune(&mut self, _: Epoch, _: Head) -> Result<(), PruneError> {
        Err(PruneError::ReadOnly)
    }
}

fn file_error(path: &Path, error: &std::io::Error) -> ArchiveError {
    OpenError::File { path: path.to_owned(), reason: error.to_string() }.into()
}

/// Why records were not archived, or an archive could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ArchiveError {
    /// A file could not be opened, read or written.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The records, or their copy, do not verify.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// The log cannot be read.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The records are copied, but were not pruned, or not all of them: archive again.
    #[error(transparent)]
    Prune(#[from] PruneError),
    /// The copy does not lead to the head it was made for.
    #[error("the copy {0} is not whole: check its disk and archive again; nothing was pruned")]
    NotWhole(PathBuf),
}

#[cfg(test)]
mod tests;
