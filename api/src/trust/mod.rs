//! The trust list: served by its operator, fetched by everybody who relies on it.

mod operator;
mod removing;
mod seen;
mod sequence;

pub(crate) use operator::described;
pub use operator::{Enlisted, Register, TrustOperator};
pub use removing::{Deed, ListedInstitution, Removal, RemovalLift, RemovalRequest};
pub use seen::SeenLists;
pub use sequence::ListSequence;

use crate::http::{Client, ClientError, Language, Problem, may_lead_inside};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use yufu_base::{PublicKey, Timestamp};
use yufu_keys::KeyStoreError;
use yufu_trust::{Role, StatusListToken, TrustEntry, TrustList, TrustListError};

/// How long a fetched list is used before it is fetched again, in seconds.
const FRESH_SECONDS: u64 = 60;

/// Where a relying party gets the trust list and status lists from.
#[derive(Clone)]
pub struct TrustSource {
    client: Client,
    /// For addresses that credentials name.
    outside: Client,
    url: String,
    operator: PublicKey,
    seen: SeenLists,
    newest: Arc<Mutex<Option<Fetched>>>,
}

/// A verified list, and when it was fetched.
#[derive(Clone)]
struct Fetched {
    list: Arc<TrustList>,
    at: Timestamp,
}

/// Why the trust list cannot be relied on: then nothing is accepted.
#[derive(Debug, thiserror::Error)]
pub enum TrustSourceError {
    /// The list could not be fetched, and the one at hand is too old.
    #[error("the trust list cannot be fetched: {0}")]
    Fetch(#[from] ClientError),
    /// What was fetched is not to be trusted.
    #[error("the trust list is refused: {0}")]
    Refused(#[from] TrustListError),
    /// What was seen of it before cannot be read or kept.
    #[error("whether the trust list is the newest is not known: {0}")]
    Memory(#[from] KeyStoreError),
}

impl TrustSource {
    /// The list at `url`, signed by `operator`; none older than `seen` knows of.
    ///
    /// # Errors
    /// [`ClientError`] if the TLS library cannot be set up.
    pub fn new(
        client: Client,
        url: String,
        operator: PublicKey,
        seen: SeenLists,
    ) -> Result<Self, ClientError> {
        let (outside, newest) = (Client::outside(Language::default())?, Arc::default());
        Ok(Self { client, outside, url, operator, seen, newest })
    }

    /// Where the list is, and the key that it is signed with.
    #[must_use]
    pub fn place(&self) -> (&str, &PublicKey) {
        (&self.url, &self.operator)
    }

    /// The list, fetched if the one at hand is older than a minute, or over. Not older than one seen before, whenever
    /// that was.
    ///
    /// # Errors
    /// [`TrustSourceError`]: fails closed.
    pub async fn list(&self, now: Timestamp) -> Result<Arc<TrustList>, TrustSourceError> {
        let known = self.newest.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(Fetched { list, at }) = &known
            && now < at.plus_seconds(FRESH_SECONDS)
            && now < list.expires_at
        {
            return Ok(Arc::clone(list));
        }
        let text = self.client.get_text(&self.url).await?;
        let list = Arc::new(self.seen.verify(&text, &self.operator, now)?);
        let mut newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        *newest = Some(Fetched { list: Arc::clone(&list), at: now });
        Ok(list)
    }

    /// The status list of this country's identities at an address, verified now.
    ///
    /// # Errors
    /// [`Problem`] if it, or the trust list, cannot be had or does not hold.
    pub(crate) async fn identity_status(
        &self,
        uri: &str,
        now: Timestamp,
    ) -> Result<StatusListToken, Problem> {
        let trust = self.list(now).await?;
        let fetched = self.status_lists(BTreeSet::from([uri])).await?;
        let text = fetched.get(uri).map(String::as_str).unwrap_or_default();
        // Identities of this country: a list signed by another country's authority says nothing of them, nor one of
        // another authority here.
        let own = |entry: &&TrustEntry| {
            entry.origin.is_none() && entry.role == Role::PidIssuer && entry.has_address(uri)
        };
        let issuer = trust.entries.iter().find(own).ok_or_else(|| {
            Problem::unavailable(
                "trust.unavailable",
                "no authority of this country on the trust list has this status list",
            )
        })?;
        let list = StatusListToken::verify_of(text, &trust, issuer, uri, now);
        list.map_err(|error| Problem::unavailable("trust.unavailable", error))
    }

    /// Status list tokens by their address. Whole lists: nobody learns which entry is looked at.
    ///
    /// # Errors
    /// [`ClientError`] if one cannot be fetched.
    pub async fn status_lists(
        &self,
        uris: BTreeSet<&str>,
    ) -> Result<BTreeMap<String, String>, ClientError> {
        let mut lists = BTreeMap::new();
        for uri in uris {
            lists.insert(uri.to_owned(), self.client_for(uri).get_text(uri).await?);
        }
        Ok(lists)
    }

    /// The client for an address that a credential names: to this country's own issuers wherever they are, to others
    /// outside only.
    fn client_for(&self, uri: &str) -> &Client {
        let newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        let entries = newest.iter().flat_map(|fetched| &fetched.list.entries);
        let own = entries.filter(|entry| entry.origin.is_none());
        let listed = own.map(|entry| entry.identifier.as_str());
        if may_lead_inside(uri, &self.url, listed) { &self.client } else { &self.outside }
    }
}

impl From<TrustSourceError> for Problem {
    fn from(error: TrustSourceError) -> Self {
        Self::unavailable("trust.unavailable", error)
    }
}

#[cfg(test)]
mod tests;
