//! Programmes on the terminal: enrol, look, name another account, leave.

use super::benefits::Benefit;
use super::holder::{Decide, Holder};
use super::terminal::{print, time};
use crate::command_line::WalletAction;
use crate::words::{comma, known, say, sum, text};
use anyhow::{Result, bail};
use yufu_api::agency::NextAccount;

pub(super) async fn act(
    holder: &mut Holder,
    action: WalletAction,
    decide: Decide<'_>,
) -> Result<()> {
    match action {
        WalletAction::Enrol { agency, programme } => {
            let shown = holder.enrol(&agency, &programme, decide).await?;
            say!(
                "Enrolled at {agency} in {programme}.",
                agency = shown.party,
                programme = programme
            );
            say!("Shown: {claims}", claims = shown.named.join(&comma()));
        }
        WalletAction::Benefits { json } => {
            let benefits = holder.benefits().await?;
            if json {
                return print(&[serde_json::to_string_pretty(&benefits)?]);
            }
            let mut lines = Vec::new();
            for benefit in &benefits {
                lines.extend(tell(holder, benefit)?);
            }
            if lines.is_empty() {
                lines.push(text!("Enrolled in no programme: see `yufu wallet enrol --help`."));
            }
            print(&lines)?;
        }
        WalletAction::Payout { agency, programme, account } => {
            let file = holder.change_payout(&agency, &programme, &account).await?;
            match &file.next_account {
                None => say!(
                    "{programme} is paid to {account} at {bank} from now on.",
                    programme = programme,
                    account = file.account,
                    bank = file.bank
                ),
                Some(next) => print(&[resting(next)?])?,
            }
        }
        WalletAction::Leave { agency, programme } => {
            holder.leave_programme(&agency, &programme).await?;
            say!("Left {programme}: no further month is paid.", programme = programme);
        }
        _ => bail!(text!("this action is none of a programme's")),
    }
    Ok(())
}

/// Another account that is not paid yet, and what to do if somebody else named it.
fn resting(next: &NextAccount) -> Result<String> {
    Ok(text!(
        "  from {from} on paid to {account} at {bank}; if you did not name it: freeze with your sheet, or name the other one again",
        from = time(next.from)?,
        account = next.account,
        bank = next.bank
    ))
}

/// How a payment stands.
fn state(word: &str) -> String {
    match word {
        "pending" => text!("pending"),
        "returned" => text!("returned"),
        other => known(other),
    }
}

/// A programme in the member's words.
fn tell(holder: &Holder, benefit: &Benefit) -> Result<Vec<String>> {
    let file = &benefit.file;
    let due = time(file.proof_of_life_due)?;
    let mut lines = vec![
        text!(
            "{agency}, {programme}: {state} since {since}",
            agency = benefit.agency,
            programme = file.programme,
            state = known(&file.state),
            since = file.since
        ),
        text!(
            "  paid to {account} at {bank}; show that you are alive by {due}",
            account = file.account,
            bank = file.bank,
            due = due
        ),
    ];
    if let Some(next) = &file.next_account {
        lines.push(resting(next)?);
    }
    if file.payments.is_empty() {
        lines.push(text!("  nothing was paid yet"));
    }
    for payment in &file.payments {
        let amount = holder.money_here(payment.amount_minor)?;
        let amount = sum(&amount);
        let mut line = format!("  {}  {amount:>16}  {}", payment.month, state(&payment.state));
        if let (Some(reason), Some(remedy)) = (&payment.reason, &payment.remedy) {
            line.push_str(&format!("  ({reason}: {remedy})"));
        }
        lines.push(line);
    }
    Ok(lines)
}
