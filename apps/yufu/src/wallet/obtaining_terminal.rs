//! Getting credentials without an offer, and discarding them, in the terminal.

use super::getting_terminal::told;
use super::holder::{Decide, Holder};
use crate::command_line::ObtainAction;
use crate::words::say;
use anyhow::Result;

pub(super) async fn act(
    holder: &mut Holder,
    action: ObtainAction,
    decide: Decide<'_>,
) -> Result<()> {
    match action {
        ObtainAction::Obtain { issuer, credential } => {
            let got = holder.obtain(&issuer, &credential, decide).await?;
            told(&holder.names(), &got);
        }
        ObtainAction::Discard { kind } => {
            let discarded = holder.discard(&kind).await?;
            say!("Discarded: {count} copies of {kind}.", count = discarded.count, kind = kind);
            if !discarded.told {
                say!("The issuer could not be told: at its end they count until they expire.");
            }
        }
    }
    Ok(())
}
