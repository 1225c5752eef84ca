//! What has to hold after every run, whatever went wrong in it.

use crate::node::{Answers, Node, Surroundings};
use crate::run::{Acknowledged, Run};
use crate::store::Store;
use std::collections::BTreeMap;
use std::path::Path;
use yufu_base::{Digest, StateMachine as _};
use yufu_engine::{Replay, StartError, load_snapshot, snapshots_in};
use yufu_log::{Head, VerifiedRecords};
use yufu_machine::{Machine, Outcome, Refusal, Submission};

/// What a command is known by: its bytes.
pub(crate) fn content(command: &Submission) -> Digest {
    let mut bytes = Vec::with_capacity(256);
    // A vector takes every write.
    drop(borsh::to_writer(&mut bytes, command));
    Digest::of(&bytes)
}

/// A command that was acknowledged gets its first answer again.
pub(crate) fn repeat(first: &Acknowledged, again: &Answers) -> Result<(), String> {
    let Ok([(_, outcome)]) = again.as_deref() else {
        return Err(format!("a repeat is not answered: {again:?}"));
    };
    let remembered = match &first.outcome {
        // Each of a list is remembered by itself.
        Ok(done) => done.each.is_none(),
        Err(refusal) => !refusal.before_admission(),
    };
    let expired = matches!(outcome, Err(Refusal::IdExpired { .. }));
    if remembered && !expired && *outcome != first.outcome {
        return Err(format!(
            "a repeat is answered otherwise: first {:?}, then {outcome:?}, to {:?}",
            first.outcome, first.command.order
        ));
    }
    Ok(())
}

/// The log of a run: everything acknowledged is in it, as often as it was sent; all nodes and
/// snapshots agree with a plain replay; money is conserved at each record; the audit finds nothing.
pub(crate) fn log(
    store: &Store,
    run: &Run,
    (state, head): (Digest, Head),
    folder: &Path,
    signed: bool,
) -> Result<(u64, u64, Digest), String> {
    let log = store.open();
    let snapshots = snapshots_in(folder).map_err(|error| error.to_string())?;
    let mut replay = Replay::new(Machine::new());
    let mut told: BTreeMap<u64, Vec<(Digest, Outcome)>> = BTreeMap::new();
    let mut often: BTreeMap<Digest, u64> = BTreeMap::new();
    for record in VerifiedRecords::new(&log, Head::EMPTY) {
        let record = record.map_err(|error| error.to_string())?;
        let replayed = replay.apply(&record).map_err(|error| error.to_string())?;
        if !replay.machine().supply().balanced {
            return Err(format!("money is not conserved at record {}", record.seq));
        }
        for snapshot in snapshots.iter().filter(|file| file.seq == record.seq) {
            let read = load_snapshot::<Machine>(&snapshot.path);
            let read = read.map_err(|error| format!("a snapshot is not read: {error}"))?;
            let same = read.machine().state_hash() == replay.machine().state_hash();
            if !same || read.head() != record.head() {
                return Err(format!("the snapshot of record {} is of another state", record.seq));
            }
        }
        let commands: Vec<_> = replayed.batch.commands.iter().map(content).collect();
        for command in &commands {
            let count = often.entry(*command).or_default();
            *count = count.saturating_add(1);
        }
        let of_record = commands.into_iter().zip(replayed.outcomes).collect();
        told.insert(record.seq.get(), of_record);
    }
    if replay.head() != head || replay.machine().state_hash() != state {
        return Err("a node's state is not that of a plain replay".to_owned());
    }
    acknowledged(&run.acknowledged, &told)?;
    sent(run, &often)?;
    audited(&log, signed)?;
    let commands = told.values().fold(0_usize, |sum, of| sum.saturating_add(of.len()));
    Ok((head.seq.get(), u64::try_from(commands).unwrap_or(u64::MAX), head.chain))
}

fn acknowledged(
    all: &[Acknowledged],
    told: &BTreeMap<u64, Vec<(Digest, Outcome)>>,
) -> Result<(), String> {
    for one in all {
        let of_record = told.get(&one.seq).map(Vec::as_slice).unwrap_or_default();
        let wanted = content(&one.command);
        if !of_record.iter().any(|(command, came_to)| *command == wanted && *came_to == one.outcome)
        {
            return Err(format!(
                "acknowledged, but record {} does not say so: {:?}, which was to come to {:?}",
                one.seq, one.command, one.outcome
            ));
        }
    }
    Ok(())
}

/// Each command is in the log as often as it was acknowledged, or was in doubt.
fn sent(run: &Run, often: &BTreeMap<Digest, u64>) -> Result<(), String> {
    for (command, count) in often {
        let sent = run.sent.get(command).copied().unwrap_or_default();
        let most = sent.acknowledged.saturating_add(sent.doubtful);
        if *count < sent.acknowledged || *count > most {
            return Err(format!("a command is in the log {count} times: {sent:?}"));
        }
    }
    for (command, sent) in &run.sent {
        if sent.acknowledged > often.get(command).copied().unwrap_or(0) {
            return Err(format!("a command that was acknowledged is not in the log: {sent:?}"));
        }
    }
    Ok(())
}

/// The audit, which shares no code with the machine, finds nothing; where commands are not signed,
/// it finds that of each, and nothing else.
fn audited(log: &dyn yufu_log::Log, signed: bool) -> Result<(), String> {
    let report = yufu_audit::audit(log).map_err(|error| error.to_string())?;
    let unsigned = |code: &str| !signed && code == "command.signature";
    if let Some(other) = report.findings.iter().find(|finding| !unsigned(finding.code)) {
        return Err(format!("the audit finds: {other:?}"));
    }
    let listed = u64::try_from(report.findings.len()).unwrap_or(u64::MAX);
    let found = listed.saturating_add(report.findings_omitted);
    if !signed && found != report.commands {
        return Err(format!("of {} unsigned commands the audit finds {found}", report.commands));
    }
    Ok(())
}

/// A record with a flipped bit is found by a replay, by the audit, and by a node that starts.
pub(crate) fn flipped(around: &Surroundings, place: usize, space: &Path) -> Result<(), String> {
    let log = around.store.open();
    if Replay::new(Machine::new()).catch_up(&log).is_ok() {
        return Err("a replay does not notice".to_owned());
    }
    let report = yufu_audit::audit(&log).map_err(|error| error.to_string())?;
    let seq = u64::try_from(place).ok().and_then(|place| place.checked_add(1));
    let names = |one: &yufu_audit::Finding| one.code.starts_with("chain.") && one.record == seq;
    if !report.findings.iter().any(names) {
        return Err("the audit does not name the record".to_owned());
    }
    let empty = tempfile::tempdir_in(space).map_err(|error| error.to_string())?;
    match Node::start(around, empty.path()) {
        Err(StartError::Replay(_)) => Ok(()),
        Err(error) => Err(format!("a node says something else of it: {error}")),
        Ok(_) => Err("a node starts on it".to_owned()),
    }
}
