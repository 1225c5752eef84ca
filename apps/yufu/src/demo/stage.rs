//! What the journey is played on: a city in this process, or one process for each institution.

use super::apart::Processes;
use crate::city::{City, Plan, Progress};
use crate::command_line;
use crate::data::DataFolder;
use crate::profile::Country;
use crate::serve::{listen, local_url};
use crate::settings::listen_address;
use anyhow::{Context, Result};
use std::sync::Arc;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use yufu_api::http::{Client, Limits};
use yufu_base::PublicKey;
use yufu_engine::{Clock, SystemClock};
use yufu_profile::Role;
use yufu_trust::TrustList;

/// A city that serves, and how it is ended.
pub(super) struct Stage {
    /// Where wallets get the trust list.
    pub(super) url: String,
    /// The key that it is signed with.
    pub(super) trust_key: PublicKey,
    /// Where the institutions' tokens lie, for whoever plays their staff.
    pub(super) data: DataFolder,
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
            return Ok(Self { url, trust_key, data, runs: Runs::Apart(processes) });
        }
        let listener = listen(address).await?;
        let plan = Plan::whole(country, &data, local_url(listener.local_addr()?), clock);
        let city =
            City::open(&plan, |progress: &Progress<'_>| say(&format!("  {progress}"))).await?;
        data.mark_as_demo()?;
        say(&format!(
            "  every institution runs at {}, its state lies in {}",
            city.url,
            data.root().display()
        ));
        let (url, trust_key) = (city.url.clone(), city.trust_key);
        let (stop, stopped) = oneshot::channel::<()>();
        let served = tokio::spawn(city.serve(listener, Limits::default(), async {
            let _ = stopped.await;
        }));
        Ok(Self { url, trust_key, data, runs: Runs::Here { stop, served } })
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
        match self.runs {
            Runs::Here { stop, served } => {
                let _ = stop.send(());
                served.await.context("the server")?
            }
            Runs::Apart(processes) => processes.stop().await,
        }
    }
}
