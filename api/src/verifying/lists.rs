//! Status lists, fetched whole and at most once in their ttl, however many presentations there are: their issuers
//! do not learn when somebody shows something here.

use crate::http::Problem;
use crate::relying_party::rejected;
use crate::trust::TrustSource;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Mutex as Turn;
use yufu_base::Timestamp;
use yufu_trust::TrustList;
use yufu_verifier::{Authenticated, StatusLists};

/// A party's status lists.
#[derive(Default)]
pub(super) struct Lists {
    verified: Mutex<Arc<StatusLists>>,
    fetching: Turn<()>,
}

impl Lists {
    fn verified(&self) -> Arc<StatusLists> {
        Arc::clone(&self.verified.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Lists in which an answer's credentials can be looked up: fresh ones, or, if their issuer is out of reach,
    /// those at hand until they expire.
    pub(super) async fn for_answer(
        &self,
        answer: &Authenticated,
        (source, trust): (&TrustSource, &TrustList),
        now: Timestamp,
    ) -> Result<Arc<StatusLists>, Problem> {
        let known = self.verified();
        if known.wanted(answer, now).is_empty() {
            return Ok(known);
        }
        let _turn = self.fetching.lock().await;
        let mut lists = StatusLists::clone(&self.verified());
        for uri in lists.wanted(answer, now) {
            match source.status_lists(BTreeSet::from([uri])).await {
                Ok(fetched) => {
                    let jwt = fetched.get(uri).map(String::as_str).unwrap_or_default();
                    lists.take(answer, uri, jwt, trust, now).map_err(rejected)?;
                }
                Err(error) => {
                    tracing::warn!(
                        "a status list cannot be fetched: the one at hand serves until it expires"
                    );
                    if !lists.holds(answer, uri, now) {
                        return Err(error.into());
                    }
                }
            }
        }
        let lists = Arc::new(lists);
        *self.verified.lock().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&lists);
        Ok(lists)
    }

    /// Forgets lists that have expired.
    pub(super) fn forget_expired(&self, now: Timestamp) {
        let mut verified = self.verified.lock().unwrap_or_else(PoisonError::into_inner);
        let mut lists = StatusLists::clone(&verified);
        lists.forget_expired(now);
        *verified = Arc::new(lists);
    }
}
