//! What the journey is played on: a city in this process, or one process for each institution.

use super::apart::Processes;
use super::neighbour::{Founded, Neighbour, known_as};
use crate::bars::Bars;
use crate::city::{City, Plan, Progress};
use crate::command_line;
use crate::data::DataFolder;
use crate::profile::Country;
use crate::serve::{listen, local_url};
use crate::settings::listen_address;
use crate::words::{folded, text};
use anyhow::{Context, Result, bail};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use yufu_api::http::{Client, Limits};
use yufu_base::PublicKey;
use yufu_engine::{Clock, SystemClock};
use yufu_profile::Role;
use yufu_trust::TrustList;

/// How old status lists at hand become in the journey, in seconds: nobody wants to wait for a minute in it.
pub(super) const STATUS_SECONDS: u64 = 1;

/// Says a line of how the stage is set.
pub(super) fn tell(say: &impl Fn(&str), text: &str) {
    for line in folded("  ", "    ", text) {
        say(&line);
    }
}

/// How often, and with which pause, it is looked whether the neighbour is recognised.
const RECOGNITION_TRIES: usize = 500;
const RECOGNITION_PAUSE: Duration = Duration::from_millis(10);

/// A city that serves, and how it is ended.
pub(super) struct Stage {
    /// Where wallets get the trust list.
    pub(super) url: String,
    /// The key that it is signed with.
    pub(super) trust_key: PublicKey,
    /// Where the institutions' tokens lie, for whoever plays their staff.
    pub(super) data: DataFolder,
    /// The country beside it, if it knows one; none beside processes apart.
    pub(super) neighbour: Option<Neighbour>,
    runs: Runs,
}

enum Runs {
    Here { stop: oneshot::Sender<()>, served: JoinHandle<Result<()>> },
    Apart(Processes),
}

impl Stage {
    /// Starts a city on the folder.
    pub(super) async fn set(
        options: &command_line::Demo,
        country: &Country,
        data: DataFolder,
        clock: Arc<dyn Clock>,
        say: &impl Fn(&str),
    ) -> Result<Self> {
        let address = listen_address(&options.listen)?;
        if options.apart {
            data.claim(country.digest)?;
            data.mark_as_demo()?;
            let profile = options.profile.as_deref();
            let processes = Processes::start(country, &data, profile, address, clock, say).await?;
            let (url, trust_key) = (processes.trust_list.clone(), processes.trust_key);
            let data = data.with_apart(processes.folders());
            let runs = Runs::Apart(processes);
            return Ok(Self { url, trust_key, data, neighbour: None, runs });
        }
        let listener = listen(address).await?;
        let url = local_url(listener.local_addr()?);
        let founded = Founded::beside(country, &data, &*clock).await?;
        let recognised = founded.iter().map(Founded::to_be_recognised).collect();
        let here = known_as(country, &data, &url)?;
        let opening = founded.map(|founded| founded.open(here, Arc::clone(&clock)));
        let status_seconds = STATUS_SECONDS;
        let plan = Plan { recognised, status_seconds, ..Plan::whole(country, &data, url, clock) };
        let mut bars = Bars::new(!options.json);
        let progress = |progress: &Progress<'_>| {
            // A report for machines has no progress.
            if !options.json {
                bars.show(progress, &|progress| tell(say, &progress.told()));
            }
        };
        let city = City::open(&plan, progress).await?;
        data.mark_as_demo()?;
        tell(say, &text!("every institution runs at {url}", url = city.url));
        tell(say, &text!("its state lies in {folder}", folder = data.root().display()));
        let neighbour = match opening {
            Some(opening) => Some(opening.await.context("the neighbour")??),
            None => None,
        };
        let (url, trust_key) = (city.url.clone(), city.trust_key);
        let (stop, stopped) = oneshot::channel::<()>();
        let served = tokio::spawn(city.serve(listener, Limits::default(), async {
            let _ = stopped.await;
        }));
        let stage = Self { url, trust_key, data, neighbour, runs: Runs::Here { stop, served } };
        stage.until_recognised().await?;
        Ok(stage)
    }

    /// Waits until the list has taken over the neighbour's.
    async fn until_recognised(&self) -> Result<()> {
        let foreign = |list: &TrustList| {
            list.entries.iter().any(|entry| entry.role == yufu_trust::Role::ForeignPidIssuer)
        };
        for _ in 0..RECOGNITION_TRIES {
            if self.neighbour.is_none() || foreign(&self.trust_list().await?) {
                return Ok(());
            }
            tokio::time::sleep(RECOGNITION_PAUSE).await;
        }
        bail!("the neighbouring country's trust list was not taken over")
    }

    /// The trust list, as anybody gets it.
    pub(super) async fn trust_list(&self) -> Result<TrustList> {
        let text = Client::new()?.get_text(&format!("{}/trust-list/v1/list", self.url)).await?;
        Ok(TrustList::verify(&text, &self.trust_key, SystemClock::new().read().wall, None)?)
    }

    /// Where an institution is that there is one of.
    pub(super) fn address(&self, country: &Country, role: Role) -> Result<String> {
        let found = country.profile.institutions_of(role).next().context("no such institution")?;
        match &self.runs {
            Runs::Here { .. } => Ok(self.url.clone()),
            Runs::Apart(processes) => processes.address(&found.id),
        }
    }

    /// Ends the city: what it took is finished.
    pub(super) async fn strike(self) -> Result<()> {
        if let Some(neighbour) = self.neighbour {
            neighbour.stop().await?;
        }
        match self.runs {
            Runs::Here { stop, served } => {
                let _ = stop.send(());
                served.await.context("the server")?
            }
            Runs::Apart(processes) => processes.stop().await,
        }
    }
}
