//! The trust list: served by its operator, fetched by everybody who relies on it.

use crate::http::{Client, ClientError, Problem};
use crate::recognition::Recognition;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use yufu_base::{PublicKey, Signer, Timestamp};
use yufu_engine::Clock;
use yufu_trust::{TrustEntry, TrustList, TrustListError};

/// How long a list is valid after it was signed, in seconds.
const LIFETIME_SECONDS: u64 = 7 * 86_400;
/// After how long a list is signed anew, in seconds.
const RENEWAL_SECONDS: u64 = 86_400;
/// How long a fetched list is used before it is fetched again, in seconds.
const FRESH_SECONDS: u64 = 60;

/// The operator of the trust list.
pub struct TrustOperator {
    /// Its address: the list's `iss`.
    pub identifier: String,
    /// Who may play which role.
    pub entries: Vec<TrustEntry>,
    /// Which other countries' lists it recognises.
    pub recognition: Recognition,
    /// Its key, which everybody is given out of band.
    pub signer: Arc<dyn Signer>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
}

pub(crate) fn described() -> OpenApiRouter<Arc<TrustOperator>> {
    OpenApiRouter::new().routes(routes!(list))
}

/// The trust list: who may play which role, signed by its operator.
#[utoipa::path(get, path = "/trust-list/v1/list", tag = "trust",
    responses((status = 200, description = "a JWS of type yufu-trust-list+jwt", body = String, content_type = "application/jwt")))]
async fn list(State(operator): State<Arc<TrustOperator>>) -> Result<impl IntoResponse, Problem> {
    let signed = operator.signed_list().map_err(Problem::internal)?;
    Ok(([(header::CONTENT_TYPE, "application/jwt")], signed))
}

impl TrustOperator {
    /// The list as of today, or as of its last change if that was later, signed. Its sequence is that
    /// moment, so that it never runs back.
    ///
    /// # Errors
    /// If the key does not sign.
    pub fn signed_list(&self) -> Result<String, yufu_jose::SignError> {
        let now = self.clock.read().wall;
        let day = now.seconds().checked_div(RENEWAL_SECONDS).unwrap_or(0);
        let day = day.saturating_mul(RENEWAL_SECONDS);
        let abroad = self.recognition.taken_over(now);
        let sequence = abroad.changed.min(now.seconds()).max(day);
        let issued_at = Timestamp::from_seconds(sequence);
        let list = TrustList {
            operator: self.identifier.clone(),
            sequence,
            issued_at,
            expires_at: issued_at.plus_seconds(LIFETIME_SECONDS),
            entries: self.entries.iter().cloned().chain(abroad.entries).collect(),
            recognised: abroad.lists,
        };
        list.sign(&*self.signer)
    }
}

/// Where a relying party gets the trust list and status lists from.
#[derive(Clone)]
pub struct TrustSource {
    client: Client,
    url: String,
    operator: PublicKey,
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
}

impl TrustSource {
    /// The list at `url`, signed by `operator`.
    #[must_use]
    pub fn new(client: Client, url: String, operator: PublicKey) -> Self {
        Self { client, url, operator, newest: Arc::default() }
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
        let list = Arc::new(TrustList::verify(&text, &self.operator, now, sequence)?);
        let mut newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        *newest = Some(Fetched { list: Arc::clone(&list), at: now });
        Ok(list)
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
