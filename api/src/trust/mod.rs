//! The trust list: served by its operator, fetched by everybody who relies on it.

mod operator;
mod status_lists;

pub(crate) use operator::described;
pub use operator::{Enlisted, Register, TrustOperator};

use crate::http::{Client, ClientError, Problem};
use status_lists::Statuses;
use std::sync::{Arc, Mutex, PoisonError};
use yufu_base::{PublicKey, Timestamp};
use yufu_trust::{TrustList, TrustListError};
use yufu_verifier::Ages;

/// How long a fetched list is used before it is fetched again, in seconds.
const FRESH_SECONDS: u64 = 60;

/// Where a relying party gets the trust list and status lists from.
#[derive(Clone)]
pub struct TrustSource {
    client: Client,
    url: String,
    operator: PublicKey,
    newest: Newest,
    /// The one by which status lists are looked after: a party that was listed a moment ago is not to be unknown to whoever
    /// shows something now.
    looked: Newest,
    statuses: Arc<Statuses>,
}

/// The list that was fetched last.
type Newest = Arc<Mutex<Option<Fetched>>>;

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
    /// The list at `url`, signed by `operator`.
    #[must_use]
    pub fn new(client: Client, url: String, operator: PublicKey) -> Self {
        let statuses = Arc::new(Statuses::of_age(Ages::default()));
        let (newest, looked) = (Newest::default(), Newest::default());
        Self { client, url, operator, newest, looked, statuses }
    }

    /// The same, with status lists that become as old as `ages` says; none at hand yet.
    #[must_use]
    pub fn with_ages(self, ages: Ages) -> Self {
        Self { statuses: Arc::new(Statuses::of_age(ages)), ..self }
    }

    /// Where the list is, and the key that it is signed with.
    #[must_use]
    pub fn place(&self) -> (&str, &PublicKey) {
        (&self.url, &self.operator)
    }

    /// The list, fetched if the one at hand is older than a minute. Not older than one seen before.
    ///
    /// # Errors
    /// [`TrustSourceError`]: fails closed.
    pub async fn list(&self, now: Timestamp) -> Result<Arc<TrustList>, TrustSourceError> {
        self.list_within(&self.newest, now, FRESH_SECONDS).await
    }

    /// The list, fetched if the one at hand is older than so many seconds.
    async fn list_within(
        &self,
        newest: &Newest,
        now: Timestamp,
        seconds: u64,
    ) -> Result<Arc<TrustList>, TrustSourceError> {
        let known = newest.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(Fetched { list, at }) = &known
            && now < at.plus_seconds(seconds)
        {
            return Ok(Arc::clone(list));
        }
        let text = self.client.get_text(&self.url).await?;
        let sequence = known.map(|known| known.list.sequence);
        let list = Arc::new(TrustList::verify(&text, &self.operator, now, sequence)?);
        let mut newest = newest.lock().unwrap_or_else(PoisonError::into_inner);
        *newest = Some(Fetched { list: Arc::clone(&list), at: now });
        Ok(list)
    }
}

impl From<TrustSourceError> for Problem {
    fn from(error: TrustSourceError) -> Self {
        Self::unavailable("trust.unavailable", error)
    }
}
