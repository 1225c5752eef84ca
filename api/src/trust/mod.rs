//! The trust list: served by its operator, fetched by everybody who relies on it.

mod certificates;
mod operator;
mod removing;
mod seen;
mod sequence;
mod status_lists;

pub(crate) use operator::described;
pub use operator::{Enlisted, ListKeys, Register, TrustOperator};
pub use removing::{Deed, ListedInstitution, Removal, RemovalLift, RemovalRequest};
pub use seen::SeenLists;
pub use sequence::ListSequence;

use crate::http::{Client, ClientError, Language, Problem, may_lead_inside};
use certificates::CertificateLists;
use status_lists::Statuses;
use std::sync::{Arc, Mutex, PoisonError};
use yufu_base::{PublicKey, Timestamp};
use yufu_jose::Jwk;
use yufu_keys::KeyStoreError;
use yufu_trust::{TrustList, TrustListError, TrustPin};
use yufu_verifier::Ages;

/// How long a fetched list is used before it is fetched again, in seconds.
const FRESH_SECONDS: u64 = 60;

/// Where a relying party gets the trust list and status lists from.
#[derive(Clone)]
pub struct TrustSource {
    client: Client,
    /// For addresses that credentials name.
    outside: Client,
    url: String,
    pin: SharedPin,
    seen: SeenLists,
    newest: Newest,
    /// The one by which status lists are looked after: a party that was listed a moment ago is not to be unknown to whoever
    /// shows something now.
    looked: Newest,
    statuses: Arc<Statuses>,
    certificates: CertificateLists,
}

/// The list that was fetched last.
type Newest = Arc<Mutex<Option<Fetched>>>;

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

    /// Verifies a list by it, and keeps what the list says of keys, and by which it is known from now on. `seen` is the
    /// highest sequence that was seen of a key's lists; those of a key that follows are all higher than its own.
    fn verify(
        &self,
        text: &str,
        now: Timestamp,
        seen: impl FnOnce(&PublicKey) -> Option<u64>,
    ) -> Result<(TrustList, PublicKey), TrustListError> {
        let mut pin = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (list, next) = TrustList::verify_by(text, &pin, now, None)?;
        let key = next.key.key;
        if let Some(known) = seen(&key) {
            list.not_before(known)?;
        }
        *pin = next;
        Ok((list, key))
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
    /// What was seen of it before cannot be read or kept.
    #[error("whether the trust list is the newest is not known: {0}")]
    Memory(#[from] KeyStoreError),
}

impl TrustSource {
    /// The list at `url`, known by `pin`; none older than `seen` knows of.
    ///
    /// # Errors
    /// [`ClientError`] if the TLS library cannot be set up.
    pub fn new(
        client: Client,
        url: String,
        pin: SharedPin,
        seen: SeenLists,
    ) -> Result<Self, ClientError> {
        let statuses = Arc::new(Statuses::of_age(Ages::default()));
        let outside = Client::outside(Language::default())?;
        let (newest, looked) = (Newest::default(), Newest::default());
        let certificates = CertificateLists::default();
        Ok(Self { client, outside, url, pin, seen, newest, looked, statuses, certificates })
    }

    /// The same, with status lists that become as old as `ages` says; none at hand yet.
    #[must_use]
    pub fn with_ages(self, ages: Ages) -> Self {
        Self { statuses: Arc::new(Statuses::of_age(ages)), ..self }
    }

    /// Where the list is, and the key that it is signed with.
    #[must_use]
    pub fn place(&self) -> (&str, Jwk) {
        (&self.url, self.pin.get().key)
    }

    /// The list, fetched if the one at hand is older than a minute, or over. Not older than one seen before, whenever
    /// that was.
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
            && now < list.expires_at
        {
            return Ok(Arc::clone(list));
        }
        let text = self.client.get_text(&self.url).await?;
        let list = Arc::new(self.seen.verify(&text, &self.pin, now)?);
        let mut newest = newest.lock().unwrap_or_else(PoisonError::into_inner);
        *newest = Some(Fetched { list: Arc::clone(&list), at: now });
        Ok(list)
    }

    /// Whoever relied on the list once goes on with the one that was fetched beside: nobody waits for it, and its operator
    /// does not see when somebody is verified.
    fn take_over_looked(&self) {
        let looked = self.looked.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        if let (Some(looked), Some(known)) = (looked, newest.as_mut())
            && known.at < looked.at
        {
            *known = looked;
        }
    }

    /// The client for an address that a credential names: to this country's own issuers wherever they are, to others
    /// outside only.
    fn client_for(&self, uri: &str) -> &Client {
        let list = |of: &Newest| of.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let lists = [list(&self.newest), list(&self.looked)];
        let entries = lists.iter().flatten().flat_map(|fetched| &fetched.list.entries);
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
