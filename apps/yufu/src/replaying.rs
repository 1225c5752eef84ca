//! Replaying a ledger's log outside of a server: from its beginning, every commitment checked, with a bar.

use crate::bars::Bars;
use crate::city::Progress;
use crate::words::{noted, text};
use anyhow::{Context, Result};
use std::path::Path;
use yufu_engine::{Replay, Replayed, load_snapshot, snapshots_in};
use yufu_log::{Head, Log, Record, VerifiedRecords};
use yufu_machine::Machine;

/// A replay from where the log begins: the first record or, if those before were pruned, the oldest of the snapshots
/// in the folder that it leads through.
pub(crate) fn beginning(log: &dyn Log, snapshots: &Path) -> Result<Replay<Machine>> {
    let base = log.base()?;
    if base == Head::EMPTY {
        return Ok(Replay::new(Machine::new()));
    }
    for file in snapshots_in(snapshots)?.into_iter().rev() {
        let Ok(replay) = load_snapshot::<Machine>(&file.path) else { continue };
        let head = replay.head();
        let leads = head == base
            || head.seq > base.seq && log.read(head.seq, 1)?.iter().any(|one| one.head() == head);
        if leads {
            return Ok(replay);
        }
    }
    anyhow::bail!(text!(
        "the log was pruned up to record {seq}, and no snapshot from there on can be used: name the archive with --archive",
        seq = base.seq
    ))
}

/// Replays what follows, to the end; `each` sees every record with the state after it.
pub(crate) fn through(
    log: &dyn Log,
    replay: &mut Replay<Machine>,
    mut each: impl FnMut(&Replay<Machine>, (&Record, &Replayed<Machine>)) -> Result<()>,
) -> Result<()> {
    let of = usize::try_from(log.durable_head()?.seq.get())?;
    let mut bars = Bars::new(true);
    for record in VerifiedRecords::new(log, replay.head()) {
        let record = record.with_context(wrong)?;
        let replayed = replay.apply(&record).with_context(wrong)?;
        each(replay, (&record, &replayed))?;
        let done = usize::try_from(record.seq.get())?;
        let progress = Progress::Counted { what: noted!("replaying the log"), done, of };
        bars.show(&progress, &|progress| eprintln!("{}", progress.told()));
    }
    Ok(())
}

/// What is said of a log that does not replay.
pub(crate) fn wrong() -> String {
    text!("the log is not what was written")
}
