//! `yufu log verify`: chain, encodings, stamps, outcomes, checkpoints and snapshots.

use crate::bars::Bars;
use crate::city::Progress;
use crate::words::{say, text};
use anyhow::{Context, Result, ensure};
use std::path::Path;
use std::process::ExitCode;
use yufu_base::{Digest, StateMachine};
use yufu_engine::{Replay, load_snapshot, snapshots_in};
use yufu_log::{Head, Log, SqliteLog, VerifiedRecords};
use yufu_machine::Machine;

pub(super) fn run(log: &SqliteLog, folder: &Path) -> Result<ExitCode> {
    let snapshots = snapshots(folder)?;
    let of = usize::try_from(log.durable_head()?.seq.get())?;
    let mut bars = Bars::new(true);
    let mut replay = Replay::new(Machine::new());
    let (mut commands, mut checkpoints, mut met) = (0_usize, 0_usize, 0_usize);
    for record in VerifiedRecords::new(log, Head::EMPTY) {
        let record = record.with_context(|| text!("the log is not what was written"))?;
        let replayed = replay.apply(&record);
        let replayed = replayed.with_context(|| text!("the log is not what was written"))?;
        commands = commands.saturating_add(replayed.outcomes.len());
        let carried = replayed.batch.header.checkpoint.is_some();
        checkpoints = checkpoints.saturating_add(usize::from(carried));
        for (_, root) in snapshots.iter().filter(|(head, _)| *head == record.head()) {
            ensure!(
                replay.machine().state_hash() == *root,
                text!(
                    "the snapshot of record {seq} is of another state than the log leads to: move it away",
                    seq = record.seq
                )
            );
            met = met.saturating_add(1);
        }
        let done = usize::try_from(record.seq.get())?;
        let progress = Progress::Counted { what: "verifying the log", done, of };
        bars.show(&progress, &|line| eprintln!("{line}"));
    }
    ensure!(
        met == snapshots.len(),
        text!("a snapshot is of no record of this log: the log was cut off or rewritten, or the snapshot is of another")
    );
    let Head { seq, chain } = replay.head();
    say!("records     {count}", count = seq);
    say!("commands    {count}", count = commands);
    say!("checkpoints {count}", count = checkpoints);
    say!("snapshots   {count}", count = met);
    say!("head        {seq}:{chain}", seq = seq, chain = chain);
    say!("state hash  {hash}", hash = replay.machine().state_hash());
    say!("everything is as it was written");
    Ok(ExitCode::SUCCESS)
}

/// Of which record and state each snapshot is; one at a time, as each takes the memory of a whole ledger.
fn snapshots(folder: &Path) -> Result<Vec<(Head, Digest)>> {
    let mut found = Vec::new();
    for file in snapshots_in(folder)? {
        let snapshot = load_snapshot::<Machine>(&file.path);
        let snapshot = snapshot.with_context(|| file.path.display().to_string())?;
        found.push((snapshot.head(), snapshot.machine().state_hash()));
    }
    Ok(found)
}
