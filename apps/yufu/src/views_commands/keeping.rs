//! Verifying the history, making it anew, keeping it up.

use crate::bars::Bars;
use crate::city::Progress;
use crate::ledger_log::{NamedLog, whenever_asked};
use crate::serve;
use crate::settings::LogFormat;
use crate::stopping::Stop;
use crate::words::{noted, say, text};
use anyhow::{Context, Result};
use std::sync::Arc;
use yufu_log::{Log, Seq};
use yufu_views::{Place, Verified, Views};

pub(super) fn verify(named: &NamedLog, place: &Place) -> Result<()> {
    let log = named.open()?;
    let verified = yufu_views::verify(place, log.as_ref(), &mut telling(log.as_ref())?)?;
    let Verified { through, folded_from, accounts, transfers, commands } = verified;
    if folded_from > Seq::ZERO {
        say!("pruned      up to record {seq}, which a snapshot vouches for", seq = folded_from);
    }
    say!("accounts    {count}", count = accounts);
    say!("transfers   {count}", count = transfers);
    say!("commands    {count}", count = commands);
    say!("through     record {seq}", seq = through.seq);
    say!("the history is what the log leads to");
    Ok(())
}

pub(super) fn rebuild(named: &NamedLog, place: &Place) -> Result<()> {
    let log = named.open()?;
    let mut tell = telling(log.as_ref())?;
    let made = yufu_views::rebuild(place, log.as_ref(), &mut tell)?;
    say!("transfers   {count}", count = made.transfers());
    say!("through     record {seq}", seq = made.through().seq);
    say!("the history is made anew");
    Ok(())
}

/// Shows which record of how many was folded.
fn telling(log: &dyn Log) -> Result<impl FnMut(Seq)> {
    let of = usize::try_from(log.durable_head()?.seq.get())?;
    let mut bars = Bars::new(true);
    Ok(move |seq: Seq| {
        let done = usize::try_from(seq.get()).unwrap_or(of);
        let progress = Progress::Counted { what: noted!("replaying the log"), done, of };
        bars.show(&progress, &|progress| eprintln!("{}", progress.told()));
    })
}

pub(super) fn follow(named: NamedLog, place: Place) -> Result<()> {
    serve::start_logging(LogFormat::default());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let stop = Stop::on_signals(false)?;
        let path = place.view.clone();
        let open = whenever_asked(move || named.open());
        let views = Arc::new(Views::start(place, open)?);
        say!("the history at {path} is kept up", path = path.display());
        let failed = Arc::clone(&views);
        let failed = tokio::task::spawn_blocking(move || failed.failed());
        tokio::select! {
            () = stop.asked() => views.shutdown(),
            error = failed => {
                if let Some(error) = error.with_context(|| text!("the history"))? {
                    return Err(error.into());
                }
            }
        }
        Ok(())
    })
}
