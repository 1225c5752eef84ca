//! The central bank's desk sets the profile's rules for bearer notes on the running ledger.

use super::desk::Desk;
use crate::data::DataFolder;
use crate::profile;
use crate::words::{say, text};
use anyhow::{Context, Result, bail};
use std::path::Path;
use yufu_api::central_bank::{Ledger, NextVersion, PublishedNoteRules};
use yufu_base::Amount;
use yufu_engine::{Clock, SystemClock};
use yufu_machine::Action;
use yufu_profile::BearerNotes;

pub(super) async fn allow(
    data: &DataFolder,
    folder: Option<&Path>,
    url: &str,
    activate: bool,
) -> Result<()> {
    let country = profile::load(folder, SystemClock::new().read().wall)?;
    let notes = country.profile.bearer_notes.as_ref();
    let notes = notes.with_context(|| {
        text!("the profile has no [bearer_notes]: write them into its profile.toml first")
    })?;
    let desk = Desk::of(&country, data, url)?;
    let ledger: Ledger = desk.client.get(&format!("{}/ledger", desk.at), None).await?;
    let needed = Action::SetNoteRules { rules: None }.since();
    if ledger.version < needed && !activate {
        bail!(text!(
            "version {version} of the ledger's rules is in force, and bearer notes came with version {needed}: update every server that reads the log, then run this again with --activate",
            version = ledger.version,
            needed = needed
        ));
    }
    for version in ledger.version.saturating_add(1)..=needed {
        desk.order("/version", &NextVersion { version }).await?;
        say!("version {version} of the ledger's rules is in force", version = version);
    }
    desk.order("/note-rules", &rules(notes)).await?;
    say!("the rules for bearer notes are in force: banks make notes from now on");
    Ok(())
}

fn rules(notes: &BearerNotes) -> PublishedNoteRules {
    let minor = |amount: Option<Amount>| amount.map(|amount| amount.minor());
    PublishedNoteRules {
        per_withdrawal_minor: minor(notes.per_withdrawal),
        per_day_minor: minor(notes.per_day),
        per_year_minor: minor(notes.per_year),
        per_redemption_minor: minor(notes.per_redemption),
        payees: notes.payees.iter().cloned().collect(),
        least_promised: notes.least_promised,
    }
}
