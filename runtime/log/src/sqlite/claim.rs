//! The claim of the one process that writes: a lock of the system on a file beside the log. On
//! the log itself it could not be: closing that file would drop SQLite's own locks.

use super::OpenError;
use std::fs::{File, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long to wait for a process that is on its way out: one second.
const STEP: Duration = Duration::from_millis(20);
const STEPS: u32 = 50;

/// Held as long as it lives; the system lets go of it when the process ends, however it ends.
#[derive(Debug)]
pub(super) struct Claim {
    _file: File,
}

impl Claim {
    pub(super) fn take(log: &Path) -> Result<Self, OpenError> {
        let path = beside(log);
        let failed = |error: std::io::Error| OpenError::File {
            path: path.clone(),
            reason: error.to_string(),
        };
        let mut options = File::options();
        let opened = options.read(true).write(true).create(true).truncate(false).open(&path);
        let mut file = opened.map_err(failed)?;
        let mut locked = file.try_lock();
        for _ in 0..STEPS {
            if matches!(locked, Err(TryLockError::WouldBlock)) {
                std::thread::sleep(STEP);
                locked = file.try_lock();
            }
        }
        match locked {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                // Who holds it is only a help: without it the refusal is the same.
                let _ = file.read_to_string(&mut holder);
                let process = holder.trim().parse().ok();
                return Err(OpenError::InUse { path: log.to_owned(), process });
            }
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        let written = file.set_len(0).and_then(|()| file.seek(SeekFrom::Start(0)));
        written.and_then(|_| writeln!(file, "{}", std::process::id())).map_err(failed)?;
        Ok(Self { _file: file })
    }
}

/// `ledger.sqlite.lock` beside `ledger.sqlite`.
fn beside(log: &Path) -> PathBuf {
    let mut name = log.as_os_str().to_owned();
    name.push(".lock");
    PathBuf::from(name)
}
