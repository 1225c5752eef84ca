//! Anonymous credentials in the terminal.

use super::holder::{Decide, Holder};
use super::saying;
use crate::command_line::AnonymousAction;
use crate::words::say;
use anyhow::Result;
use yufu_anonymous::ClaimValue;

/// Gets one, or shows it.
pub(super) async fn act(
    holder: &mut Holder,
    action: AnonymousAction,
    decide: Decide<'_>,
) -> Result<()> {
    match action {
        AnonymousAction::Get => {
            let received = holder.get_anonymous(decide).await?;
            let until = i64::try_from(received.expires_at.seconds())?;
            let until = jiff::Timestamp::from_second(until)?;
            say!(
                "An anonymous credential from {issuer}, to be shown as often as you like until {until}. It says:",
                issuer = received.issuer,
                until = until
            );
            for (name, value) in &received.claims {
                let value = match value {
                    ClaimValue::Flag(flag) => flag.to_string(),
                    ClaimValue::Number(number) => number.to_string(),
                    ClaimValue::Text(text) => text.clone(),
                };
                say!("  {name}: {value}", name = name, value = value);
            }
        }
        AnonymousAction::Show { request } => {
            saying::shown(&holder.present_anonymously(&request, decide).await?);
        }
    }
    Ok(())
}
