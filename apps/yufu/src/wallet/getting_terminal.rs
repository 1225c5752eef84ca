//! Getting credentials in the terminal: by an offer of either kind, and again before they run out.

use super::getting::Wanted;
use super::haip::Got;
use super::holder::Holder;
use super::saying;
use crate::words::say;
use anyhow::Result;

/// What offers for attested wallets begin with.
const ATTESTED: &str = "haip-vci:";

/// Takes up an offer.
pub(super) async fn get(
    holder: &mut Holder,
    offer: &str,
    code: Option<&str>,
    wanted: Wanted,
) -> Result<()> {
    if offer.trim().starts_with(ATTESTED) {
        told(&holder.get_attested(offer, code, wanted).await?);
    } else {
        saying::received(&holder.get_as(offer, code, wanted).await?);
    }
    Ok(())
}

/// Fetches what waited, and what runs out.
pub(super) async fn renew(holder: &mut Holder) -> Result<()> {
    let all = holder.renew().await?;
    if all.is_empty() {
        say!("Nothing runs out, and nothing waits.");
    }
    all.iter().for_each(told);
    Ok(())
}

fn told(got: &Got) {
    match got {
        Got::Received(received) => saying::received(received),
        Got::Waits(seconds) => say!(
            "An officer is to look first: ask again with `yufu wallet renew`, in {seconds} seconds at the earliest.",
            seconds = seconds
        ),
    }
}
