//! The trust list: served by its operator, fetched by everybody who relies on it.

mod operator;

pub(crate) use operator::described;
pub use operator::{Enlisted, ListKeys, Register, TrustOperator};

use crate::http::{Client, ClientError, Problem};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use yufu_base::Timestamp;
use yufu_jose::Jwk;
use yufu_trust::{Role, StatusListToken, TrustList, TrustListError, TrustPin};

/// How long a fetched list is used before it is fetched again, in seconds.
const FRESH_SECONDS: u64 = 60;

/// Where a relying party gets the trust list and status lists from.
#[derive(Clone)]
pub struct TrustSource {
    client: Client,
    url: String,
    pin: SharedPin,
    newest: Arc<Mutex<Option<Fetched>>>,
}

/// By which key the list is known: all who ask in this process learn of a change together.
#[derive(Clone)]
pub struct SharedPin(Arc<Mutex<TrustPin>>);

impl SharedPin {
    /// As it is known now.
    #[must_use]
    pub fn new(pin: TrustPin) -> Self {
        Self(Arc::new(Mutex::new(pin)))
    }

    /// The same.
    #[must_use]
    pub fn get(&self) -> TrustPin {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Verifies a list by it, and keeps what the list says of keys.
    ///
    /// # Errors
    /// [`TrustListError`].
    pub fn verify(
        &self,
        text: &str,
        now: Timestamp,
        sequence: Option<u64>,
    ) -> Result<TrustList, TrustListError> {
        let mut pin = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (list, next) = TrustList::verify_by(text, &pin, now, sequence)?;
        *pin = next;
        Ok(list)
    }
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
}

impl TrustSource {
    /// The list at `url`, known by `pin`.
    #[must_use]
    pub fn new(client: Client, url: String, pin: SharedPin) -> Self {
        Self { client, url, pin, newest: Arc::default() }
    }

    /// Where the list is, and the key that it is signed with.
    #[must_use]
    pub fn place(&self) -> (&str, Jwk) {
        (&self.url, self.pin.get().key)
    }

    /// The list, fetched if the one at hand is older than a minute. Not older than one seen before.
    ///
    /// # Errors
    /// [`TrustSourceError`]: fails closed.
    pub async fn list(&self, now: Timestamp) -> Result<Arc<TrustList>, TrustSourceError> {
        let known = self.newest.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(Fetched { list, at }) = &known
            && now < at.plus_seconds(FRESH_SECONDS)
        {
            return Ok(Arc::clone(list));
        }
        let text = self.client.get_text(&self.url).await?;
        let sequence = known.map(|known| known.list.sequence);
        let list = Arc::new(self.pin.verify(&text, now, sequence)?);
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
        // Identities of this country: a list signed by another country's authority says nothing of them.
        let mut own = trust.entries.iter().filter(|entry| entry.origin.is_none());
        let issuer = own.find(|entry| entry.role == Role::PidIssuer).ok_or_else(|| {
            Problem::unavailable(
                "trust.unavailable",
                "no authority of this country is on the trust list",
            )
        })?;
        let list = StatusListToken::verify_trusted(text, &trust, issuer, uri, now);
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
            lists.insert(uri.to_owned(), self.client.get_text(uri).await?);
        }
        Ok(lists)
    }
}

impl From<TrustSourceError> for Problem {
    fn from(error: TrustSourceError) -> Self {
        Self::unavailable("trust.unavailable", error)
    }
}
