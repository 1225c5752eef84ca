//! The central bank's desk sets the profile's rules for bearer notes on the running ledger.

use crate::data::DataFolder;
use crate::profile;
use crate::words::{say, text};
use anyhow::{Context, Result, bail};
use std::path::Path;
use yufu_api::CommandDone;
use yufu_api::central_bank::{Ledger, NextVersion, PublishedNoteRules};
use yufu_api::http::Client;
use yufu_base::Amount;
use yufu_engine::{Clock, SystemClock};
use yufu_machine::Action;
use yufu_openid4vc::Endpoint;
use yufu_profile::{BearerNotes, Role};

pub(super) async fn allow(
    data: &DataFolder,
    folder: Option<&Path>,
    url: &str,
    activate: bool,
) -> Result<()> {
    let country = profile::load(folder, SystemClock::new().read().wall)?;
    let profile = &country.profile;
    let notes = profile.bearer_notes.as_ref();
    let notes = notes.with_context(|| {
        text!("the profile has no [bearer_notes]: write them into its profile.toml first")
    })?;
    let central_bank = profile.institutions_of(Role::CentralBank).next();
    let central_bank = central_bank
        .with_context(|| text!("the profile names no {role}", role = Role::CentralBank.word()))?;
    if !data.has_desk(&central_bank.id)? {
        bail!(text!(
            "{folder} does not hold the desk token of {institution}: name its data folder with --data",
            folder = data.root().display(),
            institution = central_bank.id
        ));
    }
    let desk = data.keys(&central_bank.id)?.secret("desk")?;
    let at = format!("{}/central-bank/v1", url.trim_end_matches('/'));
    Endpoint::parse(&at)?;
    let client = Client::new()?;
    let ledger: Ledger = client.get(&format!("{at}/ledger"), None).await?;
    let needed = Action::SetNoteRules { rules: None }.since();
    if ledger.version < needed && !activate {
        bail!(text!(
            "version {version} of the ledger's rules is in force, and bearer notes came with version {needed}: update every server that reads the log, then run this again with --activate",
            version = ledger.version,
            needed = needed
        ));
    }
    for version in ledger.version.saturating_add(1)..=needed {
        let next = NextVersion { version };
        let _: CommandDone = client.post(&format!("{at}/version"), Some(&desk), &next).await?;
        say!("version {version} of the ledger's rules is in force", version = version);
    }
    let rules = rules(notes);
    let _: CommandDone = client.post(&format!("{at}/note-rules"), Some(&desk), &rules).await?;
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
