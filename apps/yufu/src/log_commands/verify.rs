//! `yufu log verify`: chain, encodings, stamps, outcomes, checkpoints and snapshots.

use crate::replaying;
use crate::words::{say, text};
use anyhow::{Context, Result, ensure};
use std::path::Path;
use std::process::ExitCode;
use yufu_base::{Digest, StateMachine};
use yufu_engine::{load_snapshot, snapshots_in};
use yufu_log::{Head, Log};
use yufu_machine::Machine;

pub(super) fn run(log: &dyn Log, folder: &Path) -> Result<ExitCode> {
    let mut snapshots = snapshots(folder)?;
    let mut replay = replaying::beginning(log, folder)?;
    let from = replay.head();
    snapshots.retain(|(head, _)| head.seq >= from.seq);
    let (mut records, mut commands, mut checkpoints) = (0_usize, 0_usize, 0_usize);
    let mut met = snapshots.iter().filter(|(head, _)| *head == from).count();
    replaying::through(log, &mut replay, |replay, (record, replayed)| {
        records = records.saturating_add(1);
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
        Ok(())
    })?;
    ensure!(
        met == snapshots.len(),
        text!(
            "a snapshot is of no record of this log: the log was cut off or rewritten, or the snapshot is of another"
        )
    );
    let Head { seq, chain } = replay.head();
    if from != Head::EMPTY {
        say!("pruned      up to record {seq}, which a snapshot vouches for", seq = from.seq);
    }
    say!("records     {count}", count = records);
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
