//! Snapshots: the state after a record, written down beside the log, so that a start need not replay all of it.
//! A background thread makes them with a machine of its own; the running one is neither read nor locked.

mod file;
mod folder;
mod maker;
mod retiring;
mod schedule;

pub use file::{SNAPSHOT_FORMAT, SnapshotError, load_snapshot};
pub(crate) use folder::clean;
pub use folder::{SnapshotFile, newest_snapshot, snapshots_in};
pub use maker::MakeError;
pub(crate) use maker::Maker;
pub use retiring::{ReadTo, RetireError, Retirement};
pub(crate) use schedule::{Schedule, Slot};

use std::fmt;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;
use yufu_log::{Log, LogError};

/// Opens the engine's log once more, for reading.
pub type OpenLog = Arc<dyn Fn() -> Result<Box<dyn Log>, LogError> + Send + Sync>;

/// Where snapshots lie, and when they are made.
#[derive(Clone)]
pub struct Snapshots {
    /// Their folder. It is made if need be, and holds nothing else.
    pub folder: PathBuf,
    /// Opens the log that they are made from.
    pub open: OpenLog,
    /// One is made after so many records. Default 100,000.
    pub every_records: u64,
    /// One is made after so many bytes of records. Default 256 MiB.
    pub every_bytes: u64,
    /// So many are kept, the newest. Default 2.
    pub keep: NonZeroUsize,
    /// What is done with records that all kept snapshots are past. Default nothing: they stay in the log.
    pub retirement: Option<Retirement>,
}

impl Snapshots {
    /// Snapshots in `folder` with the default intervals.
    #[must_use]
    pub fn new(folder: PathBuf, open: OpenLog) -> Self {
        let keep = NonZeroUsize::MIN.saturating_add(1);
        Self {
            folder,
            open,
            every_records: 100_000,
            every_bytes: 256 << 20,
            keep,
            retirement: None,
        }
    }
}

impl fmt::Debug for Snapshots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Snapshots")
            .field("folder", &self.folder)
            .field("every_records", &self.every_records)
            .field("every_bytes", &self.every_bytes)
            .field("keep", &self.keep)
            .field("retirement", &self.retirement)
            .finish_non_exhaustive()
    }
}
