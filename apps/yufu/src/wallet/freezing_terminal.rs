//! `yufu wallet`, the part about loss and theft.

use super::holder::{Decide, Holder};
use crate::command_line::FreezeAction;
use crate::words::{known, say, text};
use anyhow::{Context, Result};
use std::path::Path;
use std::process::ExitCode;

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
            if freed.is_empty() {
                say!("No account of this wallet is frozen.");
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
    if outcomes.iter().any(|outcome| outcome.fault.is_some()) {
        say!("Repeat this until all are frozen.");
        return Ok(ExitCode::FAILURE);
    }
    Ok(ExitCode::SUCCESS)
}

fn read(file: &Path) -> Result<Vec<u8>> {
    std::fs::read(file).with_context(|| text!("{path} cannot be read", path = file.display()))
}
