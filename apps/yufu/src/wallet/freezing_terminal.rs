//! `yufu wallet`, the part about loss and theft.

use super::freezing::FreezeOutcome;
use super::holder::{Decide, Holder};
use crate::command_line::FreezeAction;
use crate::words::{known, say, text};
use anyhow::{Context, Result};
use std::collections::BTreeSet;
use std::path::Path;
use std::process::ExitCode;
use yufu_api::freezing::Remains;

pub(super) async fn act(
    holder: &mut Holder,
    action: FreezeAction,
    decide: Decide<'_>,
) -> Result<ExitCode> {
    match action {
        FreezeAction::Sheet { file } => sheet(holder, &file).await?,
        FreezeAction::KeepSheet { file } => {
            let places = holder.keep_sheet(&read(&file)?)?;
            say!("Kept: this wallet can freeze at {count} places.", count = places);
        }
        FreezeAction::Freeze { sheet } => {
            let bytes = sheet.as_deref().map(read).transpose()?;
            return freeze(holder, bytes.as_deref()).await;
        }
        FreezeAction::Unfreeze => {
            let freed = holder.unfreeze(decide).await?;
            for one in &freed {
                say!("Account {account} is free, under a fresh key.", account = one.account);
            }
            let agencies = holder.free_memberships(decide).await?;
            for agency in &agencies {
                say!("The membership at {agency} is free.", agency = agency);
            }
            if freed.is_empty() && agencies.is_empty() {
                say!("No account and no membership of this wallet is frozen.");
            } else {
                say!("Write another sheet now: `yufu wallet sheet FILE`.");
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn sheet(holder: &mut Holder, file: &Path) -> Result<()> {
    let written = holder.write_sheet(file).await?;
    say!("The sheet is in {file}. It freezes at:", file = file.display());
    for institution in &written.institutions {
        println!("  {institution}");
    }
    for account in &written.left_out {
        say!(
            "Not on it: account {account}, which is in nobody's name, so that nobody could free it.",
            account = account
        );
    }
    for (place, fault) in &written.unreached {
        say!("Not on it: {place}: {fault}", place = place, fault = known(fault));
    }
    say!("Keep it where the wallet is not. Whoever has it can freeze, and nothing else.");
    Ok(())
}

async fn freeze(holder: &mut Holder, sheet: Option<&[u8]>) -> Result<ExitCode> {
    let outcomes = holder.freeze(sheet).await?;
    for outcome in &outcomes {
        match &outcome.fault {
            None => say!("Frozen at {institution}.", institution = outcome.institution),
            Some(fault) => say!(
                "NOT frozen at {institution}: {fault}",
                institution = outcome.institution,
                fault = known(fault)
            ),
        }
    }
    for line in not_frozen(&outcomes) {
        println!("{line}");
    }
    if outcomes.iter().any(|outcome| outcome.fault.is_some()) {
        say!("Repeat this until all are frozen.");
        return Ok(ExitCode::FAILURE);
    }
    Ok(ExitCode::SUCCESS)
}

/// What cannot be frozen, and what to do about it.
fn not_frozen(outcomes: &[FreezeOutcome]) -> Vec<String> {
    let known: BTreeSet<Remains> = outcomes.iter().flat_map(|one| one.remains.clone()).collect();
    let line = |remains: Remains| match remains {
        Remains::BearerNotes => text!(
            "Not frozen: notes on the device. They are like cash; whoever has them can spend them. If you have their words, restore them on another device at once: `yufu wallet cash restore`."
        ),
        Remains::Purses => text!(
            "Not frozen: purses, which are in nobody's name, so that nobody could free them. Their limit is what can be lost; if you have the wallet's backup, pay it out to yourself at once."
        ),
        Remains::AnonymousCredentials => text!(
            "Not frozen: anonymous credentials. They lapse within a week; ask parties where you have an account under one to close it."
        ),
        Remains::PseudonymKey => text!(
            "Not frozen: your pseudonyms, which whoever has the device knows. Have them replaced at a counter of the authority."
        ),
    };
    let mut lines: Vec<String> = known.into_iter().map(line).collect();
    lines.push(text!(
        "Not frozen: what came into the wallet after the sheet was written. Go to a counter of the institution with your identity card."
    ));
    lines
}

fn read(file: &Path) -> Result<Vec<u8>> {
    std::fs::read(file).with_context(|| text!("{path} cannot be read", path = file.display()))
}
