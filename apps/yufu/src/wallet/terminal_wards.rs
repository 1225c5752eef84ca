//! `yufu wallet open-for-ward`, `wake`.

use super::holder::{Decide, Holder};
use super::waking::Woken;
use crate::command_line::WalletAction;
use crate::words::{say, text};
use anyhow::{Result, bail};

pub(super) async fn act(
    holder: &mut Holder,
    action: WalletAction,
    decide: Decide<'_>,
) -> Result<()> {
    match action {
        WalletAction::OpenForWard { bank, class, ward } => {
            let class = holder.class_at(&bank, "identity", class).await?;
            let opened = holder.open_for_ward(&bank, &class, ward.as_deref(), decide).await?;
            say!(
                "Account {account} is open at {bank} in your ward's name.",
                account = opened.account,
                bank = bank
            );
        }
        WalletAction::Wake { waking: Some(waking), code: Some(code) } => {
            holder.answer_waking(&waking, &code).await?;
            say!("The purse is awake.");
        }
        WalletAction::Wake { .. } => match holder.wake(decide).await? {
            Woken::Awake => say!("The account is awake."),
            Woken::CodeSent(waking) => say!(
                "A code was sent to the purse's number: yufu wallet wake --waking {waking} --code ......",
                waking = waking
            ),
        },
        _ => bail!(text!("this action is about no ward and no rest")),
    }
    Ok(())
}
