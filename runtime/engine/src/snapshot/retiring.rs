//! What becomes of records that no start needs any more: they stay, are moved to an archive, or are removed.

use super::OpenLog;
use super::file::is_whole;
use super::folder::snapshots_in;
use std::fmt;
use std::io;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use yufu_log::{ArchiveError, Epoch, Head, LogError, Record, Seq, archive};

/// What is done, after each snapshot, with the records up to the oldest snapshot that is kept.
#[derive(Clone)]
pub struct Retirement {
    /// Opens the log once more, for taking records out of it.
    pub open: OpenLog,
    /// Where they are moved to; `None` removes them for good, and with them what an audit from the first
    /// record on needs.
    pub archive: Option<PathBuf>,
    /// The last record that readers of the log do not need any more: none after it is taken out.
    pub read_to: ReadTo,
}

/// Tells up to which record those have come who read the log behind the engine.
pub type ReadTo = Arc<dyn Fn() -> Seq + Send + Sync>;

impl fmt::Debug for Retirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Retirement").field("archive", &self.archive).finish_non_exhaustive()
    }
}

/// Why records were left where they are. The engine goes on, and it is tried again after the next snapshot.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RetireError {
    /// The folder of snapshots cannot be read.
    #[error("the folder of snapshots cannot be read: {0}")]
    Snapshots(String),
    /// The log cannot be opened or read.
    #[error(transparent)]
    Log(#[from] LogError),
    /// They could not be moved.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
}

impl From<io::Error> for RetireError {
    fn from(error: io::Error) -> Self {
        Self::Snapshots(error.to_string())
    }
}

impl Retirement {
    /// Takes out what all of the `keep` snapshots in `folder` are past. The last record that went, if any did.
    pub(super) fn run(
        &self,
        folder: &Path,
        keep: NonZeroUsize,
        epoch: Epoch,
    ) -> Result<Option<Head>, RetireError> {
        let kept = snapshots_in(folder)?;
        // What cannot be read any more is no reason to take away what it stood for.
        let whole = kept.iter().filter(|file| is_whole(&file.path)).take(keep.get());
        let whole: Vec<Seq> = whole.map(|file| file.seq).collect();
        let Some(oldest) = whole.last().filter(|_| whole.len() == keep.get()) else {
            return Ok(None);
        };
        let up_to = (*oldest).min((self.read_to)());
        let mut log = (self.open)()?;
        if up_to <= log.base()?.seq {
            return Ok(None);
        }
        let Some(head) = log.read(up_to, 1)?.first().map(Record::head) else { return Ok(None) };
        match &self.archive {
            Some(folder) => drop(archive(log.as_mut(), epoch, head, folder)?),
            None => log.prune(epoch, head).map_err(ArchiveError::from)?,
        }
        Ok(Some(head))
    }
}
