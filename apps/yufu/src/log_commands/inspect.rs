//! `yufu log inspect`: the records one by one, with what each command came to.

use super::telling::{Told, told};
use crate::manual;
use crate::replaying;
use crate::words::{colon, comma, known, noted, text};
use anyhow::{Context, Error, Result};
use serde_json::{Value, json};
use std::path::Path;
use std::process::ExitCode;
use yufu_engine::{Header, newest_snapshot};
use yufu_log::{Log, Record, Seq, VerifiedRecords};
use yufu_machine::Machine;

pub(super) fn run(
    log: &dyn Log,
    snapshots: &Path,
    (from, count): (u64, Option<u64>),
    json: bool,
) -> Result<ExitCode> {
    let before = Seq::new(from.saturating_sub(1));
    let newest = newest_snapshot::<Machine>(snapshots, log, before);
    let newest =
        newest.map_err(|(path, error)| Error::new(error).context(path.display().to_string()))?;
    let mut replay = match newest {
        Some(replay) => replay,
        None => replaying::beginning(log, snapshots)?,
    };
    let last = count.map_or(u64::MAX, |count| from.saturating_add(count).saturating_sub(1));
    for record in VerifiedRecords::new(log, replay.head()) {
        let record = record.with_context(replaying::wrong)?;
        let seq = record.seq.get();
        if seq > last {
            break;
        }
        let replayed = replay.apply(&record).with_context(replaying::wrong)?;
        if seq < from {
            continue;
        }
        let (header, commands) = (replayed.batch.header, &replayed.batch.commands);
        let outcomes = commands.iter().zip(&replayed.outcomes);
        let commands: Vec<Told> = outcomes.map(|(one, came_to)| told(one, came_to)).collect();
        let said = if json {
            format!("{}\n", as_json(&record, &header, &commands)?)
        } else {
            in_words(&record, &header, &commands)?
        };
        manual::print(said.as_bytes())?;
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

fn in_words(record: &Record, header: &Header, commands: &[Told]) -> Result<String> {
    let mut lines = vec![text!(
        "record {seq}  {time}  epoch {epoch}, {bytes} bytes",
        seq = record.seq,
        time = time(header)?,
        epoch = record.epoch,
        bytes = record.payload.len()
    )];
    if let Some(checkpoint) = header.checkpoint {
        lines.push(text!(
            "  checkpoint of record {seq}: {root}",
            seq = checkpoint.seq,
            root = checkpoint.state_root
        ));
    }
    for command in commands {
        command_in_words(command, 1, &mut lines);
    }
    Ok(lines.join("\n") + "\n")
}

fn command_in_words(command: &Told, depth: usize, lines: &mut Vec<String>) {
    let Told { by, kind, details, outcome, orders, .. } = command;
    let details: Vec<String> =
        details.iter().map(|(name, value)| format!("{} {value}", known(name))).collect();
    let details =
        if details.is_empty() { String::new() } else { colon() + &details.join(&comma()) };
    let outcome = outcome.clone().unwrap_or_else(|| known(noted!("done")));
    lines.push(format!("{}{by} {kind}{details} ({outcome})", "  ".repeat(depth)));
    for order in orders {
        command_in_words(order, depth.saturating_add(1), lines);
    }
}

fn time(header: &Header) -> Result<String> {
    let millis = i64::try_from(header.stamp.at.millis())?;
    Ok(jiff::Timestamp::from_millisecond(millis)?.to_string())
}
