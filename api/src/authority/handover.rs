//! What a person gets by showing who she is to her own authority: it waits for her wallet, which fetches it with the
//! code that its answer brought (OpenID4VP 1.0, 13.3), so that nobody who sent her the link gets it.
//!
//! All of it is in memory: what a restart cuts off is begun again. Behind several processes of one authority it must
//! stay with the process that began it.

use crate::relying_party::Started;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use yufu_base::Timestamp;
use yufu_keys::random_text;

/// The most requests under way at once.
pub(super) const MOST: usize = 1_000;
/// How long something waits to be fetched, in seconds.
pub(super) const HANDOVER_SECONDS: u64 = 120;

/// What is under way, and what waits to be fetched.
pub(super) struct Handover<T> {
    /// Sessions that wait for an answer, by their id.
    asked: Mutex<BTreeMap<String, (Timestamp, String)>>,
    /// What waits to be fetched, by its code.
    ready: Mutex<BTreeMap<String, (Timestamp, T)>>,
}

impl<T> Default for Handover<T> {
    fn default() -> Self {
        Self { asked: Mutex::default(), ready: Mutex::default() }
    }
}

impl<T> Handover<T> {
    fn under_way(&self) -> MutexGuard<'_, BTreeMap<String, (Timestamp, String)>> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn waiting(&self) -> MutexGuard<'_, BTreeMap<String, (Timestamp, T)>> {
        self.ready.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a request; not if there are too many.
    pub(super) fn asked(&self, started: Started, now: Timestamp) -> bool {
        let mut all = self.under_way();
        all.retain(|_, (expires, _)| *expires > now);
        let room = all.len() < MOST;
        if room {
            all.insert(started.id, (started.expires_at, started.session));
        }
        room
    }

    /// The session of a request that nobody has answered.
    pub(super) fn session(&self, id: &str) -> Option<String> {
        self.under_way().get(id).map(|(_, session)| session.clone())
    }

    /// Stores a session anew; not if its request was answered.
    pub(super) fn store(&self, id: &str, fresh: String) -> bool {
        let mut all = self.under_way();
        let found = all.get_mut(id);
        found.map(|(_, session)| *session = fresh).is_some()
    }

    /// Takes a request for its one answer: of two at once, one finds it gone.
    pub(super) fn answered(&self, id: &str) -> bool {
        self.under_way().remove(id).is_some()
    }

    /// Lets something wait for the wallet; the code to fetch it with.
    pub(super) fn ready(&self, what: T, now: Timestamp) -> String {
        let code = random_text();
        let mut all = self.waiting();
        all.retain(|_, (until, _)| *until > now);
        all.insert(code.clone(), (now.plus_seconds(HANDOVER_SECONDS), what));
        code
    }

    /// Hands over what waits for this code, once and in time.
    pub(super) fn take(&self, code: &str, now: Timestamp) -> Option<T> {
        let found = self.waiting().remove(code).filter(|(until, _)| *until > now);
        found.map(|(_, what)| what)
    }
}
