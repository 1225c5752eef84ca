//! `yufu wallet`, the part about showing credentials otherwise than by a link: to a page, to a device near by.

use super::holder::{Decide, Holder};
use super::paging::Paged;
use super::saying;
use crate::command_line::ShowingAction;
use crate::words::{plain, say, text};
use anyhow::{Context, Result};
use std::io::{Read, Write};
use std::process::ExitCode;
use std::time::Duration;

/// The longest request that is read, in bytes.
const LONGEST: u64 = 1 << 20;

pub(super) async fn act(
    holder: &mut Holder,
    action: ShowingAction,
    decide: Decide<'_>,
) -> Result<ExitCode> {
    match action {
        ShowingAction::PresentToPage { origin, request } => {
            to_page(holder, &origin, &request, decide).await
        }
        ShowingAction::Near { host, wait } => {
            let near = holder.come_near(host).await?;
            print!("{}", crate::code::drawn(near.code()));
            say!("For a reader near by: {code}", code = near.code());
            std::io::stdout().flush()?;
            let shown = holder.present_near(near, Duration::from_secs(wait), decide).await?;
            saying::shown(&shown);
            Ok(ExitCode::SUCCESS)
        }
    }
}

async fn to_page(
    holder: &mut Holder,
    origin: &str,
    request: &str,
    decide: Decide<'_>,
) -> Result<ExitCode> {
    let mut read = String::new();
    let request = if request == "-" {
        std::io::stdin().lock().take(LONGEST).read_to_string(&mut read)?;
        &read
    } else {
        request
    };
    let request = serde_json::from_str(request).with_context(|| {
        text!("the request is not the JSON of a page's: an object with protocol and data")
    })?;
    match holder.present_to_page(origin, &request, decide).await? {
        Paged::Shown(shown, answer) => {
            saying::shown(&shown);
            println!("{answer}");
            Ok(ExitCode::SUCCESS)
        }
        Paged::Refused(answer, why) => {
            eprintln!("{}", plain(&why));
            println!("{answer}");
            Ok(ExitCode::FAILURE)
        }
        Paged::Cancelled(why) => {
            eprintln!("{}", plain(&why));
            Ok(ExitCode::FAILURE)
        }
    }
}
