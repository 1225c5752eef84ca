//! Getting credentials in the terminal: by an offer of either kind.

use super::getting::Wanted;
use super::haip::Got;
use super::holder::Holder;
use super::renewing_terminal;
use super::saying;
use super::types::Names;
use crate::command_line::WalletAction;
use crate::words::say;
use anyhow::Result;

/// What offers for attested wallets begin with.
const ATTESTED: &str = "haip-vci:";

pub(super) async fn act(holder: &mut Holder, action: WalletAction) -> Result<()> {
    match action {
        WalletAction::Get { offer, code, without_pseudonyms, mdoc } => {
            let wanted = Wanted { pseudonyms: !without_pseudonyms, mdoc };
            get(holder, &offer, code.as_deref(), wanted).await
        }
        WalletAction::Attest { issuer, credential, mdoc } => {
            let wanted = Wanted { mdoc, ..Wanted::default() };
            let received = holder.get_attestation(&issuer, &credential, wanted).await?;
            saying::received(&holder.names(), &received);
            Ok(())
        }
        WalletAction::PaymentCredential => {
            let received = holder.get_payment_credential().await?;
            say!(
                "{count} payment credentials from {issuer}",
                count = received.count,
                issuer = received.issuer
            );
            Ok(())
        }
        _ => renewing_terminal::renew(holder).await,
    }
}

/// Takes up an offer.
async fn get(holder: &mut Holder, offer: &str, code: Option<&str>, wanted: Wanted) -> Result<()> {
    if offer.trim().starts_with(ATTESTED) {
        let got = holder.get_attested(offer, code, wanted).await?;
        told(&holder.names(), &got);
    } else {
        let received = holder.get_as(offer, code, wanted).await?;
        saying::received(&holder.names(), &received);
    }
    Ok(())
}

pub(super) fn told(names: &Names, got: &Got) {
    match got {
        Got::Received(received) => saying::received(names, received),
        Got::Waits(seconds) => say!(
            "An officer is to look first: ask again with `yufu wallet renew`, in {seconds} seconds at the earliest.",
            seconds = seconds
        ),
        Got::Ended { issuer, kind } => say!(
            "{issuer} grants no more copies of {kind}: get a new offer, or obtain it anew.",
            issuer = issuer,
            kind = names.kind(kind)
        ),
    }
}
