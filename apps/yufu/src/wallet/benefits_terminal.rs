//! Programmes on the terminal: enrol, look, name another account, leave.

use super::benefits::Benefit;
use super::holder::{Decide, Holder};
use super::terminal::{print, time};
use crate::command_line::WalletAction;
use anyhow::{Result, bail};

pub(super) async fn act(
    holder: &mut Holder,
    action: WalletAction,
    decide: Decide<'_>,
) -> Result<()> {
    match action {
        WalletAction::Enrol { agency, programme } => {
            let shown = holder.enrol(&agency, &programme, decide).await?;
            println!("Enrolled at {} in {programme}.", shown.party);
            println!("Shown: {}", shown.claims.join(", "));
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
                lines.push("Enrolled in no programme: see `yufu wallet enrol --help`.".to_owned());
            }
            print(&lines)?;
        }
        WalletAction::Payout { agency, programme, account } => {
            let file = holder.change_payout(&agency, &programme, &account).await?;
            println!("{programme} is paid to {} at {} from now on.", file.account, file.bank);
        }
        WalletAction::Leave { agency, programme } => {
            holder.leave_programme(&agency, &programme).await?;
            println!("Left {programme}: no further month is paid.");
        }
        _ => bail!("this action is none of a programme's"),
    }
    Ok(())
}

/// A programme in the member's words.
fn tell(holder: &Holder, benefit: &Benefit) -> Result<Vec<String>> {
    let file = &benefit.file;
    let due = time(file.proof_of_life_due)?;
    let mut lines = vec![
        format!("{}, {}: {} since {}", benefit.agency, file.programme, file.state, file.since),
        format!("  paid to {} at {}; show that you are alive by {due}", file.account, file.bank),
    ];
    if file.payments.is_empty() {
        lines.push("  nothing was paid yet".to_owned());
    }
    for payment in &file.payments {
        let amount = holder.money_here(payment.amount_minor)?;
        let mut line = format!("  {}  {amount:>16}  {}", payment.month, payment.state);
        if let (Some(reason), Some(remedy)) = (&payment.reason, &payment.remedy) {
            line.push_str(&format!("  ({reason}: {remedy})"));
        }
        lines.push(line);
    }
    Ok(lines)
}
