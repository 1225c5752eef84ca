//! `yufu audit`: the books, recomputed from the log.

use crate::command_line;
use crate::data::DataFolder;
use anyhow::{Context, Result};
use std::process::ExitCode;
use yufu_audit::{AuditReport, audit, audit_against};
use yufu_base::Digest;
use yufu_log::{Head, Seq, SqliteLog};

pub(crate) fn run(options: &command_line::Audit) -> Result<ExitCode> {
    let path = match &options.log {
        Some(path) => path.clone(),
        None => DataFolder::choose(options.data.data.clone(), "demo")?.ledger()?,
    };
    let log = SqliteLog::open_read_only(&path).with_context(|| {
        format!(
            "{} cannot be audited: name the log with --log, or the folder with --data",
            path.display()
        )
    })?;
    let report = match options.head.as_deref().map(published).transpose()? {
        Some(head) => audit_against(&log, head)?,
        None => audit(&log)?,
    };
    if options.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        print(&report);
    }
    Ok(if report.ok { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// A head as the central bank publishes it, `SEQ:CHAIN`.
fn published(text: &str) -> Result<Head> {
    let head = text.split_once(':').and_then(|(seq, chain)| {
        Some(Head { seq: Seq::new(seq.parse().ok()?), chain: Digest::from_hex(chain)? })
    });
    head.with_context(|| {
        format!("head {text:?}: expected the number of a record, a colon and 64 hexadecimal digits")
    })
}

fn print(report: &AuditReport) {
    println!("records     {}", report.records);
    println!(
        "commands    {} ({} accepted, {} refused)",
        report.commands, report.accepted, report.refused
    );
    println!("supply      {}", serde_json::to_string(&report.supply).unwrap_or_default());
    println!("head        {}", serde_json::to_string(&report.head).unwrap_or_default());
    println!("state hash  {}", report.state_hash);
    for finding in &report.findings {
        println!("FOUND       {}", serde_json::to_string(finding).unwrap_or_default());
    }
    println!(
        "{}",
        if report.ok { "everything agrees" } else { "the log does not agree with itself" }
    );
}
