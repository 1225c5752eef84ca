//! Renewing in the terminal: by hand, or by a process that stays and looks at times drawn ahead; and what is said of copies
//! that run out.

use super::asking::passphrase;
use super::fault::WalletFault;
use super::file::Place;
use super::getting_terminal::told;
use super::holder::Holder;
use super::vault::Passphrase;
use crate::command_line::Wallet;
use crate::words::{self, say, text};
use anyhow::Result;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;
use yufu_base::{PublicKey, Timestamp};
use yufu_engine::{Clock, SystemClock};

/// How often a process that waits looks at the clock: a machine that slept has it wait no longer than it stood.
const TICK: Duration = Duration::from_secs(60);
/// When a wallet that another process has open is tried again.
const BUSY_SECONDS: u64 = 120;

/// Fetches what waited, and what runs out.
pub(super) async fn renew(holder: &mut Holder) -> Result<()> {
    let all = holder.renew().await?;
    if all.is_empty() {
        say!("Nothing runs out, and nothing waits.");
    }
    let names = holder.names();
    all.iter().for_each(|got| told(&names, got));
    Ok(())
}

/// A line for each type of credential that runs out.
pub(super) fn hints(holder: &Holder) -> Vec<String> {
    let names = holder.names();
    let all = holder.running_out().into_iter();
    let lines = all.map(|one| match one.renews {
        true => text!(
            "{left} copies of {kind} from {issuer} last longer than a week: `yufu wallet renew` fetches fresh ones, better not right after you showed one (`--watch` does so by itself).",
            left = one.left,
            kind = names.kind(&one.kind),
            issuer = one.issuer
        ),
        false => text!(
            "{left} copies of {kind} from {issuer} last longer than a week: get more from the issuer.",
            left = one.left,
            kind = names.kind(&one.kind),
            issuer = one.issuer
        ),
    });
    lines.collect()
}

/// A wallet that is opened when its time comes.
pub(super) struct Watched<'a> {
    pub(super) folder: &'a Path,
    pub(super) name: &'a str,
    pub(super) phrase: Passphrase,
    pub(super) url: &'a str,
    pub(super) key: PublicKey,
    pub(super) provider: Option<&'a str>,
}

/// Stays, and renews about once a day. Between two looks nobody holds the wallet.
pub(super) fn watch(folder: &Path, options: &Wallet, key: PublicKey) -> Result<ExitCode> {
    let is_new = !Place::new(folder, &options.name)?.is_taken();
    let phrase = passphrase(&options.name, is_new)?;
    let (name, url, provider) = (&options.name, &options.url, options.provider.as_deref());
    let watched = Watched { folder, name, phrase, url, key, provider };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(watched.stay())
}

impl Watched<'_> {
    async fn stay(&self) -> Result<ExitCode> {
        let clock = SystemClock::new();
        let now = || clock.read().wall;
        loop {
            let next = self.look().await?;
            let next = next.unwrap_or_else(|| now().plus_seconds(BUSY_SECONDS));
            while now() < next {
                let left = next.millis().saturating_sub(now().millis());
                tokio::time::sleep(TICK.min(Duration::from_millis(left))).await;
            }
        }
    }

    /// Renews if it is time; when the next look is, or none if the wallet is in use. What an issuer or the network did not
    /// do is said, and tried again.
    pub(super) async fn look(&self) -> Result<Option<Timestamp>> {
        let opened = Holder::open(self.folder, self.name, &self.phrase, self.url, self.key);
        let mut holder = match opened {
            Ok(holder) => holder,
            Err(error) if is_in_use(&error) => return Ok(None),
            Err(error) => return Err(error),
        };
        if let Some(provider) = self.provider {
            holder.of_provider(provider)?;
        }
        holder.speak(words::tag_spoken());
        match holder.renew_in_time().await {
            Ok(all) => {
                let names = holder.names();
                all.iter().flatten().for_each(|got| told(&names, got));
            }
            Err(error) => eprintln!("{}", text!("not renewed: {why}", why = holder.told(&error))),
        }
        Ok(Some(holder.next_renewal()?))
    }
}

fn is_in_use(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref::<WalletFault>(), Some(WalletFault::InUse(_)))
}
