//! `yufu audit`: the books, recomputed from the log.

use crate::command_line;
use crate::data::DataFolder;
use crate::ledger_log::LedgerLog;
use crate::words::{say, text};
use anyhow::{Context, Result};
use std::process::ExitCode;
use yufu_audit::{AuditReport, DirectionReport, audit, audit_against, audit_between};
use yufu_base::Digest;
use yufu_log::{Head, Log, Seq};

pub(crate) fn run(options: &command_line::Audit) -> Result<ExitCode> {
    let data = DataFolder::choose(options.data.data.clone(), "demo")?;
    let place = match &options.log {
        Some(text) => LedgerLog::named(text)?,
        None => LedgerLog::File(data.ledger()?),
    };
    let archive = options.archive.clone().or_else(|| place.found_archive(&data));
    let log = place.open_read_only(archive.as_deref()).with_context(|| {
        text!(
            "{path} cannot be audited: name the log with --log, or the folder with --data",
            path = place
        )
    })?;
    if let Some(other) = &options.between {
        return between(log.as_ref(), &LedgerLog::named(other)?, options.json);
    }
    let report = match options.head.as_deref().map(published).transpose()? {
        Some(head) => audit_against(log.as_ref(), head)?,
        None => audit(log.as_ref())?,
    };
    if options.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        print(&report);
    }
    Ok(if report.ok { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Two logs, and what went between their ledgers.
fn between(one: &dyn Log, other: &LedgerLog, json: bool) -> Result<ExitCode> {
    let opened = other.open_read_only(None).with_context(|| {
        text!("{path} cannot be audited: name the other ledger's log", path = other)
    })?;
    let report = audit_between(one, opened.as_ref())?;
    if json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        for of_one in [&report.one, &report.other] {
            print(of_one);
        }
        for direction in [&report.there, &report.back] {
            print_direction(direction);
        }
    }
    Ok(if report.ok { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn print_direction(direction: &DirectionReport) {
    let json = serde_json::to_string(direction).unwrap_or_default();
    say!("between     {direction}", direction = json);
}

/// A head as the central bank publishes it, `SEQ:CHAIN`.
fn published(text: &str) -> Result<Head> {
    let head = text.split_once(':').and_then(|(seq, chain)| {
        Some(Head { seq: Seq::new(seq.parse().ok()?), chain: Digest::from_hex(chain)? })
    });
    head.with_context(|| {
        text!(
            "head {head}: expected the number of a record, a colon and 64 hexadecimal digits",
            head = text
        )
    })
}

fn print(report: &AuditReport) {
    let json = |value: serde_json::Result<String>| value.unwrap_or_default();
    say!("records     {count}", count = report.records);
    say!(
        "commands    {count} ({accepted} accepted, {refused} refused)",
        count = report.commands,
        accepted = report.accepted,
        refused = report.refused
    );
    say!("supply      {supply}", supply = json(serde_json::to_string(&report.supply)));
    say!("pending     {pending}", pending = json(serde_json::to_string(&report.pending)));
    say!("freezes     {freezes}", freezes = json(serde_json::to_string(&report.freezes)));
    for keyset in &report.keysets {
        say!("keyset      {keyset}", keyset = json(serde_json::to_string(keyset)));
    }
    for peer in &report.peers {
        say!("peer        {peer}", peer = json(serde_json::to_string(peer)));
    }
    say!("head        {head}", head = json(serde_json::to_string(&report.head)));
    say!("state hash  {hash}", hash = report.state_hash);
    for finding in &report.findings {
        say!("FOUND       {finding}", finding = json(serde_json::to_string(finding)));
    }
    if report.ok {
        say!("everything agrees");
    } else {
        say!("the log does not agree with itself");
    }
}
