//! Wrong passphrases, counted beside the wallet so that a restart does not forget them. An attempt
//! counts as failed before it is made: ending the program in between gains nothing. Whoever copies
//! the files can guess elsewhere; there the cost of the key derivation is what protects.

use super::fault::WalletFault;
use super::file::write_whole;
use serde::{Deserialize, Serialize};
use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use yufu_base::{GrowingDelay, Timestamp};

/// 1, 2, 4 ... seconds, up to an hour.
const DELAY: GrowingDelay = GrowingDelay { first: 1, longest: 3_600 };

/// The count.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Failed {
    /// Wrong passphrases in a row.
    times: u32,
    /// When the last one was tried, in seconds since the epoch.
    last: u64,
}

impl Failed {
    /// How long is still to be waited. A clock that was set back does not lengthen the wait.
    fn remaining(&self, now: u64) -> u64 {
        let waited = now.saturating_sub(self.last);
        DELAY.seconds(self.times).saturating_sub(waited)
    }
}

/// Counts an attempt as failed before it is made.
pub(super) fn begin(path: &Path, now: Timestamp) -> Result<(), WalletFault> {
    let mut failed = match fs::read(path) {
        // An unreadable count is no reason to lock a person out of her wallet for good.
        Ok(bytes) => serde_json::from_slice(&bytes).unwrap_or_default(),
        Err(error) if error.kind() == ErrorKind::NotFound => Failed::default(),
        Err(cause) => return Err(WalletFault::Disk { path: path.to_owned(), cause }),
    };
    let seconds = failed.remaining(now.seconds());
    if seconds > 0 {
        return Err(WalletFault::Wait { failed: failed.times, seconds });
    }
    failed.times = failed.times.saturating_add(1);
    failed.last = now.seconds();
    let bytes = serde_json::to_vec(&failed).map_err(|_| WalletFault::Cipher)?;
    write_whole(path, &bytes)
}

/// Forgets the count: the passphrase was right.
pub(super) fn succeeded(path: &Path) -> Result<(), WalletFault> {
    fs::remove_file(path).map_err(|cause| WalletFault::Disk { path: path.to_owned(), cause })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_attempt_does_not_count_and_the_count_survives_on_disk() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mei.attempts");
        let at = |seconds| begin(&path, Timestamp::from_seconds(seconds));
        at(1000).unwrap();
        assert!(matches!(at(1000), Err(WalletFault::Wait { failed: 1, seconds: 1 })));
        at(1001).unwrap();
        for _ in 0..3 {
            assert!(matches!(at(1002), Err(WalletFault::Wait { failed: 2, seconds: 1 })));
        }
        at(1003).unwrap();
        assert!(
            matches!(at(0), Err(WalletFault::Wait { failed: 3, seconds: 4 })),
            "clock set back"
        );
        succeeded(&path).unwrap();
        at(1003).unwrap();
    }
}
