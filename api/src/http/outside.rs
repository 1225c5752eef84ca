//! Connections that stay outside: for addresses that others name. A name is looked up once, what it leads to is judged, and
//! exactly that is connected to: between the look and the connection nothing is looked up again, so that a name that
//! changes meanwhile gains nothing.

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use url::Host;
use yufu_openid4vc::{Endpoint, is_inside};

/// Looks names up as the system does.
pub(super) struct BySystem;

/// Looks names up by another, and gives nothing for one that leads inside, in all or in part.
pub(super) struct OutsideOnly(pub(super) Arc<dyn Resolve>);

/// A name or an address leads inside.
#[derive(Debug, thiserror::Error)]
#[error("it leads inside this machine or its network")]
pub(super) struct LeadsInside;

impl Resolve for BySystem {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found: Vec<SocketAddr> =
                tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

impl Resolve for OutsideOnly {
    fn resolve(&self, name: Name) -> Resolving {
        let looking = self.0.resolve(name);
        Box::pin(async move {
            let found: Vec<SocketAddr> = looking.await?.collect();
            if found.iter().any(|address| is_inside(address.ip())) {
                return Err(Box::new(LeadsInside) as Box<dyn Error + Send + Sync>);
            }
            if found.is_empty() {
                let nothing = io::Error::new(io::ErrorKind::NotFound, "the name leads nowhere");
                return Err(Box::new(nothing) as Box<dyn Error + Send + Sync>);
            }
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

/// Whether a call to `url`, which somebody named, may lead inside: if the city itself is there, whose trust list is at
/// `home` (so it is in development), or if `url` is at an origin of one of the addresses `listed` by that list, which may
/// be names in a network of their own.
#[must_use]
pub fn may_lead_inside<'a>(
    url: &str,
    home: &str,
    listed: impl IntoIterator<Item = &'a str>,
) -> bool {
    let parse = |text: &str| Endpoint::parse(text).ok();
    let (Some(url), Some(home)) = (parse(url), parse(home)) else { return false };
    let same = |other: &str| parse(other).is_some_and(|other| other.origin() == url.origin());
    home.is_inside() || (!url.is_inside() && (same(home.as_str()) || listed.into_iter().any(same)))
}

/// Whether a URL names an address inside itself: that is connected to without being looked up.
pub(super) fn names_inside(url: &str) -> bool {
    url::Url::parse(url).is_ok_and(|url| match url.host() {
        Some(Host::Ipv4(ip)) => is_inside(ip.into()),
        Some(Host::Ipv6(ip)) => is_inside(ip.into()),
        Some(Host::Domain(_)) | None => false,
    })
}

/// Whether a connection was not made because it would have led inside.
pub(super) fn led_inside(error: &(dyn Error + 'static)) -> bool {
    let mut cause: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(this) = cause {
        if this.is::<LeadsInside>() {
            return true;
        }
        cause = this.source();
    }
    false
}

#[cfg(test)]
mod tests;
