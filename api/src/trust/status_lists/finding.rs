//! Where issuers have their status lists: each says so in its metadata, and names all of them at one address (Token
//! Status List, section 9). Fetching all of them tells no issuer which one is needed.

use crate::http::Client;
use crate::status_list::StatusListAggregation;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};
use yufu_base::Timestamp;
use yufu_openid4vc::Endpoint;
use yufu_trust::{Role, TrustEntry, TrustList};

/// How many lists are taken from one issuer.
const MOST: usize = 1 << 12;
/// How long it takes until an issuer is asked again whether it opened further lists, in seconds.
const ASK_EVERY: u64 = 60;
/// How long it takes until an issuer is asked again that did not answer, in seconds.
const RETRY_SECONDS: u64 = 5;
/// How long it takes until an issuer is asked again that names none, in seconds.
const NONE_SECONDS: u64 = 3_600;

/// An issuer: its address, its role, and the other country whose list names it.
type Name = (String, Role, Option<String>);

/// The issuers, and what they answered.
#[derive(Default)]
pub(super) struct Finding(Mutex<BTreeMap<Name, Found>>);

/// Where an issuer names its lists, and when it is asked next.
#[derive(Clone, Default)]
struct Found {
    named_at: Option<Endpoint>,
    next: Timestamp,
}

/// What is read of an issuer's metadata as an authorization server.
#[derive(Deserialize)]
struct Metadata {
    issuer: String,
    status_list_aggregation_endpoint: Option<String>,
}

impl Finding {
    /// The lists of the issuers in these roles that are to be asked now, as they name them.
    pub(super) async fn look(
        &self,
        client: impl Fn(&str) -> Client,
        roles: &BTreeSet<Role>,
        trust: &TrustList,
        now: Timestamp,
    ) -> Vec<(String, TrustEntry)> {
        let mut lists = Vec::new();
        for issuer in trust.entries.iter().filter(|entry| roles.contains(&entry.role)) {
            let found = self.found(issuer);
            if now < found.next {
                continue;
            }
            let (found, named) =
                ask(&client(&issuer.identifier), issuer, found.named_at, now).await;
            lists.extend(named.into_iter().map(|uri| (uri, issuer.clone())));
            self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(name(issuer), found);
        }
        lists
    }

    fn found(&self, issuer: &TrustEntry) -> Found {
        let found = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        found.get(&name(issuer)).cloned().unwrap_or_default()
    }
}

fn name(issuer: &TrustEntry) -> Name {
    (issuer.identifier.clone(), issuer.role, issuer.country().map(str::to_owned))
}

async fn ask(
    client: &Client,
    issuer: &TrustEntry,
    named_at: Option<Endpoint>,
    now: Timestamp,
) -> (Found, Vec<String>) {
    let again = |named_at, seconds| Found { named_at, next: now.plus_seconds(seconds) };
    let named_at = match named_at {
        Some(known) => known,
        None => match aggregation(client, &issuer.identifier).await {
            Some(Some(found)) => found,
            Some(None) => return (again(None, NONE_SECONDS), Vec::new()),
            None => return (again(None, RETRY_SECONDS), Vec::new()),
        },
    };
    match client.get::<StatusListAggregation>(named_at.as_str(), None).await {
        Ok(StatusListAggregation { status_lists: mut named }) => {
            named.truncate(MOST);
            named.retain(|uri| Endpoint::parse(uri).is_ok());
            (again(Some(named_at), ASK_EVERY), named)
        }
        Err(error) => {
            tracing::warn!(%error, "an issuer does not say where its status lists are");
            (again(None, RETRY_SECONDS), Vec::new())
        }
    }
}

/// Where an issuer says that it names its lists; `None` if it does not answer.
async fn aggregation(client: &Client, identifier: &str) -> Option<Option<Endpoint>> {
    let Ok(at) = Endpoint::parse(identifier)
        .and_then(|identifier| identifier.well_known("oauth-authorization-server"))
    else {
        return Some(None);
    };
    let metadata: Metadata = client.get(at.as_str(), None).await.ok()?;
    let own = metadata.issuer == identifier;
    let named = metadata.status_list_aggregation_endpoint.filter(|_| own);
    Some(named.and_then(|named| Endpoint::parse(&named).ok()))
}
