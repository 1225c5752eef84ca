//! `yufu log inspect`: the records one by one, with what each command came to.

use super::telling::{Told, told};
use crate::words::{colon, comma, known, noted, say, text};
use anyhow::{Context, Result};
use serde_json::{Value, json};
use std::path::Path;
use std::process::ExitCode;
use yufu_engine::{Header, Replay, newest_snapshot};
use yufu_log::{Record, Seq, SqliteLog, VerifiedRecords};
use yufu_machine::Machine;

pub(super) fn run(
    log: &SqliteLog,
    snapshots: &Path,
    (from, count): (u64, Option<u64>),
    json: bool,
) -> Result<ExitCode> {
    let before = Seq::new(from.saturating_sub(1));
    let newest = newest_snapshot::<Machine>(snapshots, log, before);
    let newest = newest.map_err(|(path, error)| anyhow::Error::new(error).context(path.display().to_string()))?;
    let mut replay = newest.unwrap_or_else(|| Replay::new(Machine::new()));
    let last = count.map_or(u64::MAX, |count| from.saturating_add(count).saturating_sub(1));
    for record in VerifiedRecords::new(log, replay.head()) {
        let record = record.with_context(|| text!("the log is not what was written"))?;
        let seq = record.seq.get();
        if seq > last {
            break;
        }
        let replayed = replay.apply(&record);
        let replayed = replayed.with_context(|| text!("the log is not what was written"))?;
        if seq < from {
            continue;
        }
        let (header, commands) = (replayed.batch.header, &replayed.batch.commands);
        let commands: Vec<Told> =
            commands.iter().zip(&replayed.outcomes).map(|(one, came_to)| told(one, came_to)).collect();
        if json {
            println!("{}", as_json(&record, &header, &commands)?);
        } else {
            print(&record, &header, &commands)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn as_json(record: &Record, header: &Header, commands: &[Told]) -> Result<Value> {
    let checkpoint = header.checkpoint.map(|checkpoint| {
        json!({"seq": checkpoint.seq.get(), "state_root": checkpoint.state_root.to_string()})
    });
    Ok(json!({
        "seq": record.seq.get(),
        "epoch": record.epoch.get(),
        "chain": record.chain.to_string(),
        "at": header.stamp.at.millis(),
        "time": time(header)?,
        "bytes": record.payload.len(),
        "machine_version": header.machine_version,
        "marked": header.marked,
        "checkpoint": checkpoint,
        "commands": commands,
    }))
}

fn print(record: &Record, header: &Header, commands: &[Told]) -> Result<()> {
    say!(
        "record {seq}  {time}  epoch {epoch}, {bytes} bytes",
        seq = record.seq,
        time = time(header)?,
        epoch = record.epoch,
        bytes = record.payload.len()
    );
    if let Some(checkpoint) = header.checkpoint {
        say!(
            "  checkpoint of record {seq}: {root}",
            seq = checkpoint.seq,
            root = checkpoint.state_root
        );
    }
    for Told { by, kind, details, outcome, .. } in commands {
        let details: Vec<String> =
            details.iter().map(|(name, value)| format!("{} {value}", known(name))).collect();
        let details = if details.is_empty() { String::new() } else { colon() + &details.join(&comma()) };
        let outcome = outcome.clone().unwrap_or_else(|| known(noted!("done")));
        say!(
            "  {by} {kind}{details}; {outcome}",
            by = by,
            kind = kind,
            details = details,
            outcome = outcome
        );
    }
    Ok(())
}

fn time(header: &Header) -> Result<String> {
    let millis = i64::try_from(header.stamp.at.millis())?;
    Ok(jiff::Timestamp::from_millisecond(millis)?.to_string())
}
