//! Status lists that were verified once, for all answers that come while they are good: fetching one for each
//! answer would tell its issuer when somebody is shown to whom.

use crate::authenticated::StatusError;
use std::collections::BTreeMap;
use std::sync::Arc;
use yufu_base::Timestamp;
use yufu_trust::{Role, Status, StatusListToken, TrustEntry, TrustList};

/// Where a list stands, and whose signers may sign it: one party's alone.
type Place = (String, Role, String, Option<String>);

/// How old a list at hand may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ages {
    /// For how long after it was fetched it is fresh, in seconds; no longer than its ttl, counted from when it was
    /// signed.
    pub fresh_seconds: u64,
    /// For how long after it was fetched it is relied on at all, in seconds, while no newer one can be had; never
    /// beyond its own end.
    pub oldest_seconds: u64,
}

impl Default for Ages {
    fn default() -> Self {
        Self { fresh_seconds: 60, oldest_seconds: 300 }
    }
}

/// Verified status lists. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct StatusLists {
    ages: Ages,
    held: BTreeMap<Place, Held>,
}

#[derive(Clone, Debug)]
struct Held {
    token: Arc<StatusListToken>,
    fetched_at: Timestamp,
}

impl StatusLists {
    /// None yet; `ages` is how old each may become.
    #[must_use]
    pub const fn of_age(ages: Ages) -> Self {
        Self { ages, held: BTreeMap::new() }
    }

    /// The list at `uri` of an issuer, if it is here and neither ended nor too old.
    #[must_use]
    pub fn get(
        &self,
        uri: &str,
        issuer: &TrustEntry,
        now: Timestamp,
    ) -> Option<&Arc<StatusListToken>> {
        let held = self.held.get(&place(uri, issuer))?;
        self.is_good(held, now).then_some(&held.token)
    }

    fn is_good(&self, held: &Held, now: Timestamp) -> bool {
        let oldest = held.fetched_at.plus_seconds(self.ages.oldest_seconds);
        now < held.token.expires_at && now < oldest
    }

    /// Until when that list is so new that none newer needs to be asked for; `None` if it is not here, or no good.
    #[must_use]
    pub fn fresh_until(&self, uri: &str, issuer: &TrustEntry, now: Timestamp) -> Option<Timestamp> {
        let held = self.held.get(&place(uri, issuer)).filter(|held| self.is_good(held, now))?;
        let since_fetched = held.fetched_at.plus_seconds(self.ages.fresh_seconds);
        let since_signed = held.token.ttl_seconds.map(|ttl| held.token.issued_at.plus_seconds(ttl));
        Some(since_signed.map_or(since_fetched, |until| until.min(since_fetched)))
    }

    /// Of the lists that an answer needs those that are not here, or not fresh any more: to be fetched, whole.
    #[must_use]
    pub fn wanted<'a>(
        &self,
        needed: impl Iterator<Item = (&'a str, &'a TrustEntry)>,
        now: Timestamp,
    ) -> Vec<(&'a str, &'a TrustEntry)> {
        let fresh =
            |uri, issuer| self.fresh_until(uri, issuer, now).is_some_and(|until| now < until);
        let stale = needed.filter(|(uri, issuer)| !fresh(uri, issuer));
        let by_place = stale.map(|(uri, issuer)| (place(uri, issuer), (uri, issuer)));
        by_place.collect::<BTreeMap<_, _>>().into_values().collect()
    }

    /// That the credential for the query `id` stands as valid at a place in the list at `uri` of its issuer.
    pub(crate) fn must_be_valid(
        &self,
        (id, index): (&str, u64),
        (uri, issuer): (&str, &TrustEntry),
        now: Timestamp,
    ) -> Result<(), StatusError> {
        let list = self.get(uri, issuer, now);
        let list = list.ok_or_else(|| StatusError::Missing(uri.to_owned()))?;
        match list.list.get(index) {
            Some(Status::Valid) => Ok(()),
            Some(status) => Err(StatusError::NotValid { id: id.to_owned(), status }),
            None => Err(StatusError::NoEntry { uri: uri.to_owned(), index }),
        }
    }

    /// Verifies the list at `uri` of an issuer, and takes it over from any older one.
    ///
    /// # Errors
    /// [`StatusError::List`] if it does not hold: then what was here stays.
    pub fn take(
        &mut self,
        (uri, issuer): (&str, &TrustEntry),
        jwt: &str,
        trust: &TrustList,
        now: Timestamp,
    ) -> Result<(), StatusError> {
        let token = StatusListToken::verify_of(jwt, trust, issuer, uri, now);
        let token = token
            .map_err(|error| StatusError::List { uri: uri.to_owned(), error: Box::new(error) })?;
        let held = Held { token: Arc::new(token), fetched_at: now };
        self.held.insert(place(uri, issuer), held);
        Ok(())
    }

    /// Takes over other lists, from older ones too.
    pub fn merge(&mut self, newer: Self) {
        self.held.extend(newer.held);
    }

    /// Whether a list is here that is no good any more.
    #[must_use]
    pub fn has_expired(&self, now: Timestamp) -> bool {
        self.held.values().any(|held| !self.is_good(held, now))
    }

    /// Forgets lists that are no good any more.
    pub fn forget_expired(&mut self, now: Timestamp) {
        let Self { ages, held } = self;
        let kept = Self::of_age(*ages);
        held.retain(|_, one| kept.is_good(one, now));
    }
}

fn place(uri: &str, issuer: &TrustEntry) -> Place {
    let country = issuer.country().map(str::to_owned);
    (uri.to_owned(), issuer.role, issuer.identifier.clone(), country)
}
