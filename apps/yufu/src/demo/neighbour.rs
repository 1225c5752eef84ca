//! Another country beside the one of the journey, small, with a city and institutions of its own. The
//! two recognise each other.

use super::stage::STATUS_SECONDS;
use crate::city::{City, Plan};
use crate::data::DataFolder;
use crate::profile::{self, Country};
use crate::serve::local_url;
use anyhow::{Context, Result};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use yufu_api::http::Limits;
use yufu_api::recognition::Recognised;
use yufu_base::PublicKey;
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

/// A neighbour that has an address and a key, and is not open yet.
pub(super) struct Founded {
    country: Country,
    data: DataFolder,
    listener: TcpListener,
    url: String,
    trust_key: PublicKey,
}

impl Founded {
    /// A neighbour of `here`, if there is one that it knows.
    pub(super) async fn beside(
        here: &Country,
        data: &DataFolder,
        clock: &dyn Clock,
    ) -> Result<Option<Self>> {
        let Some(country) = profile::neighbour(&here.profile, clock.read().wall)? else {
            return Ok(None);
        };
        let data = DataFolder::choose(Some(data.root().join("neighbour")), "demo")?;
        let trust_key = trust_key(&country, &data)?;
        let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await?;
        let url = local_url(listener.local_addr()?);
        Ok(Some(Self { country, data, listener, url, trust_key }))
    }

    /// What the operator of the trust list here is told of it.
    pub(super) fn to_be_recognised(&self) -> Recognised {
        recognised(&self.country, self.trust_key, &self.url)
    }

    /// Opens its city, which recognises `here`, while the one here is opened.
    pub(super) fn open(
        self,
        here: Recognised,
        clock: Arc<dyn Clock>,
    ) -> JoinHandle<Result<Neighbour>> {
        let runtime = Handle::current();
        tokio::task::spawn_blocking(move || runtime.block_on(self.opened(here, clock)))
    }

    async fn opened(self, here: Recognised, clock: Arc<dyn Clock>) -> Result<Neighbour> {
        let Self { country, data, listener, url, trust_key } = self;
        let whole = Plan::whole(&country, &data, url.clone(), clock);
        let (recognised, status_seconds) = (vec![here], STATUS_SECONDS);
        let city = City::open(&Plan { recognised, status_seconds, ..whole }, |_| {}).await?;
        data.mark_as_demo()?;
        let (stop, stopped) = oneshot::channel::<()>();
        let served = tokio::spawn(city.serve(listener, Limits::default(), async {
            let _ = stopped.await;
        }));
        Ok(Neighbour { country, data, url, trust_key, stop, served })
    }
}

/// What the operator of another country's trust list is told of `country`, whose city is at `url`.
pub(super) fn known_as(country: &Country, data: &DataFolder, url: &str) -> Result<Recognised> {
    Ok(recognised(country, trust_key(country, data)?, url))
}

impl Neighbour {
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
