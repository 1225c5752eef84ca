//! The central bank's desk withdraws the rules for bearer notes on the running ledger, and is told what is still out.

use super::desk::Desk;
use crate::data::DataFolder;
use crate::profile;
use crate::words::{say, sum};
use anyhow::Result;
use std::path::Path;
use yufu_api::central_bank::{Keysets, Ledger};
use yufu_base::{Amount, Currency};
use yufu_engine::{Clock, SystemClock};

pub(super) async fn forbid(data: &DataFolder, folder: Option<&Path>, url: &str) -> Result<()> {
    let country = profile::load(folder, SystemClock::new().read().wall)?;
    let desk = Desk::of(&country, data, url)?;
    let known: Keysets = desk.client.get(&format!("{}/keysets", desk.at), None).await?;
    if known.rules.is_none() {
        say!("there are no rules for bearer notes on this ledger: nothing was changed");
        return Ok(());
    }
    desk.order("/note-rules/withdraw", &serde_json::json!({})).await?;
    say!(
        "the rules for bearer notes are withdrawn: banks make no notes from now on, and take back those that are out"
    );
    let ledger: Ledger = desk.client.get(&format!("{}/ledger", desk.at), None).await?;
    still_out(&ledger, &desk.client.get(&format!("{}/keysets", desk.at), None).await?)
}

/// Says what is out of the keysets, and when the last of them is over.
fn still_out(ledger: &Ledger, known: &Keysets) -> Result<()> {
    let with_notes =
        || known.keysets.iter().filter(|keyset| keyset.issued_minor > keyset.redeemed_minor);
    let Some(last) = with_notes().map(|keyset| keyset.final_expiry).max() else { return Ok(()) };
    let out = with_notes().map(|one| one.issued_minor.saturating_sub(one.redeemed_minor));
    let currency = Currency::new(&ledger.currency)?;
    let out = Amount::new(currency, out.fold(0, u64::saturating_add)).to_major(ledger.decimals);
    say!(
        "{amount} is out in notes; what has not come back is worth nothing after {time}",
        amount = sum(&format!("{out} {currency}")),
        time = jiff::Timestamp::from_second(i64::try_from(last)?)?
    );
    Ok(())
}
