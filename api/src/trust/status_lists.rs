//! The status lists that a party has at hand, verified. All lists of the issuers whose credentials it asks for are
//! fetched before they are needed and again before they are old, so that an answer waits for none and no issuer sees
//! when somebody shows something, nor in which list she stands. While an issuer is out of reach its lists at hand serve
//! for five minutes; then nothing of its is accepted.

mod finding;
mod keeping;
#[cfg(test)]
mod tests;

pub(super) use keeping::Keeping;

use super::TrustSource;
use crate::http::Problem;
use finding::Finding;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::task::JoinSet;
use yufu_base::Timestamp;
use yufu_engine::Clock;
use yufu_trust::{Role, StatusListToken, TrustEntry, TrustList};
use yufu_verifier::{Ages, StatusLists};

/// How often it is looked which lists are to be fetched.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How many lists are fetched at the same time.
const AT_ONCE: usize = 8;
/// For how long status lists are looked after by one trust list, in seconds.
const TRUST_LIST_SECONDS: u64 = 40;

/// What a party knows of status lists.
pub(super) struct Statuses {
    keeping: Keeping,
    finding: Finding,
    /// Whether the trust list could not be had when it was last looked.
    adrift: AtomicBool,
}

impl Statuses {
    pub(super) fn of_age(ages: Ages) -> Self {
        let (keeping, finding) = (Keeping::of_age(ages), Finding::default());
        Self { keeping, finding, adrift: AtomicBool::new(false) }
    }
}

impl TrustSource {
    /// The lists that an answer needs for its credentials to be looked up in: those at hand, without asking anybody, as long as they
    /// are fresh; else fetched now. If their issuer is out of reach, those at hand until they are too old.
    ///
    /// # Errors
    /// [`Problem`] if one cannot be had: fails closed.
    pub(crate) async fn lists_for<'a>(
        &self,
        needed: impl Iterator<Item = (&'a str, &'a TrustEntry)> + Send,
        trust: &TrustList,
        now: Timestamp,
    ) -> Result<Arc<StatusLists>, Problem> {
        let held = self.statuses.keeping.held();
        let wanted = held.wanted(needed, now);
        if wanted.is_empty() {
            return Ok(held);
        }
        for list in wanted {
            self.freshen(list, trust, now).await?;
        }
        Ok(self.statuses.keeping.held())
    }

    /// As [`TrustSource::lists_for`], each fetched now in any case: for a step that only what stands this very moment may
    /// lead to.
    ///
    /// # Errors
    /// [`Problem`] if one, or the trust list, cannot be had: fails closed.
    pub(crate) async fn lists_anew<'a>(
        &self,
        needed: impl Iterator<Item = (&'a str, &'a TrustEntry)> + Send,
        now: Timestamp,
    ) -> Result<Arc<StatusLists>, Problem> {
        let trust = self.list(now).await?;
        let needed: Vec<_> = needed.collect();
        for list in needed {
            self.statuses.keeping.know(list, now);
            self.fetch(list, &trust, now).await?;
        }
        Ok(self.statuses.keeping.held())
    }

    /// The status list of this country's identities at an address, at hand or fetched now.
    ///
    /// # Errors
    /// [`Problem`] if it, or the trust list, cannot be had or does not hold.
    pub(crate) async fn identity_status(
        &self,
        uri: &str,
        now: Timestamp,
    ) -> Result<Arc<StatusListToken>, Problem> {
        let trust = self.list(now).await?;
        let issuer = own_authority(&trust, uri)?;
        let fresh = self.statuses.keeping.held().fresh_until(uri, issuer, now);
        if fresh.is_none_or(|until| until <= now) {
            self.freshen((uri, issuer), &trust, now).await?;
        }
        self.at_hand(uri, issuer, now)
    }

    /// As [`TrustSource::identity_status`], and fetched now in any case: for a decision about many persons at once.
    ///
    /// # Errors
    /// As [`TrustSource::identity_status`].
    pub(crate) async fn identity_status_anew(
        &self,
        uri: &str,
        now: Timestamp,
    ) -> Result<Arc<StatusListToken>, Problem> {
        let trust = self.list(now).await?;
        let issuer = own_authority(&trust, uri)?;
        self.statuses.keeping.know((uri, issuer), now);
        self.fetch((uri, issuer), &trust, now).await?;
        self.at_hand(uri, issuer, now)
    }

    fn at_hand(
        &self,
        uri: &str,
        issuer: &TrustEntry,
        now: Timestamp,
    ) -> Result<Arc<StatusListToken>, Problem> {
        let held = self.statuses.keeping.held();
        let found = held.get(uri, issuer, now).cloned();
        found.ok_or_else(|| unavailable(&format!("the status list {uri} cannot be had")))
    }

    /// Fetches a list that is not fresh. One that is good serves if it cannot be fetched, and without another try right
    /// after one that failed.
    async fn freshen(
        &self,
        list: (&str, &TrustEntry),
        trust: &TrustList,
        now: Timestamp,
    ) -> Result<(), Problem> {
        let keeping = &self.statuses.keeping;
        keeping.know(list, now);
        let good = || keeping.held().get(list.0, list.1, now).is_some();
        if good() && keeping.failed_lately(list, now) {
            return Ok(());
        }
        match self.fetch(list, trust, now).await {
            // The one at hand serves: that it is not renewed was said when it was first tried.
            Err(_) if good() => Ok(()),
            other => other,
        }
    }

    /// Fetches a list and takes it over, unless somebody else did so in the meantime, or failed to.
    async fn fetch(
        &self,
        (uri, issuer): (&str, &TrustEntry),
        trust: &TrustList,
        now: Timestamp,
    ) -> Result<(), Problem> {
        let keeping = &self.statuses.keeping;
        let before = keeping.tries((uri, issuer));
        let _turn = before.turn.lock().await;
        let since = keeping.tries((uri, issuer));
        if since.taken > before.taken {
            return Ok(());
        }
        if since.failed > before.failed {
            return Err(unavailable(&format!(
                "the status list {uri} could not be fetched just now"
            )));
        }
        let mut fetched = keeping.empty();
        let outcome = match self.client_for(uri).get_text(uri).await {
            Ok(jwt) => {
                let taken = fetched.take((uri, issuer), &jwt, trust, now);
                taken.map_err(|error| unavailable(&error.to_string()))
            }
            Err(error) => Err(error.into()),
        };
        match &outcome {
            Ok(()) => keeping.take((uri, issuer), fetched, now),
            Err(problem) => {
                if keeping.fail((uri, issuer), now) {
                    let (code, detail) = (problem.code(), problem.detail());
                    tracing::warn!(code, detail, "a status list cannot be fetched");
                }
            }
        }
        outcome
    }

    /// One look: finds the lists of whoever issues in these roles, and fetches those that will soon be old.
    pub(crate) async fn look_after_lists(&self, roles: &BTreeSet<Role>, now: Timestamp) {
        let trust = match self.list_within(&self.looked, now, TRUST_LIST_SECONDS).await {
            Ok(trust) => trust,
            Err(error) => {
                if !self.statuses.adrift.swap(true, Ordering::Relaxed) {
                    tracing::warn!(%error, "status lists are not renewed");
                }
                return;
            }
        };
        self.statuses.adrift.store(false, Ordering::Relaxed);
        self.take_over_looked();
        for (uri, issuer) in
            self.statuses.finding.look(|uri| self.client_for(uri).clone(), roles, &trust, now).await
        {
            self.statuses.keeping.know((&uri, &issuer), now);
        }
        let mut fetching = JoinSet::new();
        for (uri, issuer) in self.statuses.keeping.due(&trust, now) {
            if fetching.len() >= AT_ONCE {
                fetching.join_next().await;
            }
            let (source, trust) = (self.clone(), Arc::clone(&trust));
            fetching.spawn(async move {
                // Whether it could be fetched is noted there; it is tried again.
                let _ = source.fetch((&uri, &issuer), &trust, now).await;
            });
        }
        while fetching.join_next().await.is_some() {}
        self.statuses.keeping.forget(&trust, now);
    }

    /// Looks after the lists of whoever issues in these roles, for as long as a party asks.
    pub async fn keep_lists_fresh(self, roles: BTreeSet<Role>, clock: Arc<dyn Clock>) {
        loop {
            self.look_after_lists(&roles, clock.read().wall).await;
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
}

/// Who issues identities in this country, and has the list at this address: a list signed by another country's authority says nothing of its residents.
fn own_authority<'t>(trust: &'t TrustList, uri: &str) -> Result<&'t TrustEntry, Problem> {
    let mut own = trust.entries.iter().filter(|entry| entry.origin.is_none());
    let found = own.find(|entry| entry.role == Role::PidIssuer && entry.has_address(uri));
    let detail = "no authority of this country on the trust list has this status list";
    found.ok_or_else(|| unavailable(detail))
}

fn unavailable(detail: &str) -> Problem {
    Problem::unavailable("trust.unavailable", detail)
}
