//! Another country beside the one of the journey, small, with a city and institutions of its own. The
//! two recognise each other.

use crate::city::{City, Plan};
use crate::data::DataFolder;
use crate::profile::{self, Country};
use crate::serve::local_url;
use anyhow::{Context, Result};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use yufu_api::http::Limits;
use yufu_api::recognition::Recognised;
use yufu_base::{PublicKey, Signer};
use yufu_engine::Clock;
use yufu_profile::{Institution, Role};

/// The other country's city, serving at an address of its own.
pub(super) struct Neighbour {
    pub(super) country: Country,
    pub(super) data: DataFolder,
    pub(super) url: String,
    pub(super) trust_key: PublicKey,
    stop: oneshot::Sender<()>,
    served: JoinHandle<Result<()>>,
}

impl Neighbour {
    /// Starts a neighbour of `here`, whose city will be at `url`, if there is one that it knows.
    pub(super) async fn start(
        here: &Country,
        data: &DataFolder,
        url: &str,
        clock: Arc<dyn Clock>,
    ) -> Result<Option<Self>> {
        let Some(country) = profile::neighbour(&here.profile, clock.read().wall)? else {
            return Ok(None);
        };
        let recognised = vec![recognised(here, trust_key(here, data)?, url)];
        let data = DataFolder::choose(Some(data.root().join("neighbour")), "demo")?;
        let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await?;
        let url = local_url(listener.local_addr()?);
        let plan = Plan { recognised, ..Plan::whole(&country, &data, url.clone(), clock) };
        let city = City::open(&plan, |_| {}).await.context("the neighbour")?;
        let trust_key = city.trust_key;
        data.mark_as_demo()?;
        let (stop, stopped) = oneshot::channel::<()>();
        let served = tokio::spawn(city.serve(listener, Limits::default(), async {
            let _ = stopped.await;
        }));
        Ok(Some(Self { country, data, url, trust_key, stop, served }))
    }

    /// What the operator of the trust list here is told of it.
    pub(super) fn to_be_recognised(&self) -> Recognised {
        recognised(&self.country, self.trust_key, &self.url)
    }

    /// Its one institution of a role.
    pub(super) fn the(&self, role: Role) -> Result<&Institution> {
        self.country.profile.institutions_of(role).next().context("the neighbour has no such one")
    }

    /// Ends it: what it took is finished.
    pub(super) async fn stop(self) -> Result<()> {
        let _ = self.stop.send(());
        self.served.await.context("the neighbour")?
    }
}

/// The key of a country's trust list, made if need be.
fn trust_key(country: &Country, data: &DataFolder) -> Result<PublicKey> {
    data.claim(country.digest)?;
    let operator = country.profile.institutions_of(Role::TrustListOperator).next();
    let operator = operator.context("the profile names no operator of the trust list")?;
    Ok(data.keys(&operator.id)?.signer("trust-list")?.public_key())
}

fn recognised(country: &Country, key: PublicKey, url: &str) -> Recognised {
    Recognised {
        country: country.profile.country.clone(),
        url: format!("{url}/trust-list/v1/list"),
        key: key.into(),
        roles: [yufu_trust::Role::PidIssuer].into(),
    }
}
