//! Which lists are at hand, which are known, and when each is fetched next: at a moment that is drawn anew each time,
//! so that neither all parties nor all lists come at once.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Mutex as Turn;
use yufu_base::Timestamp;
use yufu_keys::random;
use yufu_trust::{Role, TrustEntry, TrustList};
use yufu_verifier::{Ages, StatusLists};

/// How many lists are known at the most: more than any country's issuers have.
const MOST: usize = 1 << 14;
/// How long it takes at the least until a list is fetched again, in milliseconds.
const LEAST_MILLIS: u64 = 5_000;
/// For how long after a list could not be fetched nobody who waits tries again, in seconds.
const FAILED_SECONDS: u64 = 5;
/// For how long a list is fetched that nobody needs, and that its issuer no longer names, in seconds.
const UNNAMED_SECONDS: u64 = 86_400;

/// Where a list stands, and whose signers may sign it.
type Name = (String, Role, Option<String>);

/// The lists of a party.
pub(crate) struct Keeping {
    ages: Ages,
    held: Mutex<Arc<StatusLists>>,
    known: Mutex<BTreeMap<Name, Known>>,
}

/// A list that is kept fresh.
struct Known {
    issuer: TrustEntry,
    /// When it was last needed, or named by its issuer.
    named: Timestamp,
    /// When it is fetched next, without anybody waiting for it.
    due: Timestamp,
    failed_at: Option<Timestamp>,
    tries: Tries,
}

/// How often a list was fetched, and whose turn it is to do so.
#[derive(Clone, Default)]
pub(super) struct Tries {
    pub(super) turn: Arc<Turn<()>>,
    pub(super) taken: u64,
    pub(super) failed: u64,
}

impl Keeping {
    pub(super) fn of_age(ages: Ages) -> Self {
        let held = Mutex::new(Arc::new(StatusLists::of_age(ages)));
        Self { ages, held, known: Mutex::default() }
    }

    /// None yet.
    pub(super) const fn empty(&self) -> StatusLists {
        StatusLists::of_age(self.ages)
    }

    /// The lists at hand.
    pub(super) fn held(&self) -> Arc<StatusLists> {
        Arc::clone(&self.held.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn known(&self) -> MutexGuard<'_, BTreeMap<Name, Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps a list fresh from now on.
    pub(super) fn know(&self, (uri, issuer): (&str, &TrustEntry), now: Timestamp) {
        let mut known = self.known();
        let (full, name) = (known.len() >= MOST, name(uri, issuer));
        if let Some(found) = known.get_mut(&name) {
            found.named = now;
        } else if !full {
            let (issuer, tries) = (issuer.clone(), Tries::default());
            known.insert(name, Known { issuer, named: now, due: now, failed_at: None, tries });
        }
    }

    /// How often a list was fetched.
    pub(super) fn tries(&self, (uri, issuer): (&str, &TrustEntry)) -> Tries {
        let known = self.known();
        known.get(&name(uri, issuer)).map(|known| known.tries.clone()).unwrap_or_default()
    }

    /// Whether a list could not be fetched a moment ago.
    pub(super) fn failed_lately(&self, (uri, issuer): (&str, &TrustEntry), now: Timestamp) -> bool {
        let known = self.known();
        let failed = known.get(&name(uri, issuer)).and_then(|known| known.failed_at);
        failed.is_some_and(|at| now < at.plus_seconds(FAILED_SECONDS))
    }

    /// Takes over what was fetched of a list.
    pub(super) fn take(
        &self,
        (uri, issuer): (&str, &TrustEntry),
        fetched: StatusLists,
        now: Timestamp,
    ) {
        let until = fetched.fresh_until(uri, issuer, now);
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let mut lists = StatusLists::clone(&held);
        lists.merge(fetched);
        *held = Arc::new(lists);
        drop(held);
        if let Some(known) = self.known().get_mut(&name(uri, issuer)) {
            known.due = between(now, until.unwrap_or(now));
            known.failed_at = None;
            known.tries.taken = known.tries.taken.saturating_add(1);
        }
    }

    /// Notes that a list could not be fetched; whether it could when it was tried before.
    pub(super) fn fail(&self, (uri, issuer): (&str, &TrustEntry), now: Timestamp) -> bool {
        let mut known = self.known();
        let Some(known) = known.get_mut(&name(uri, issuer)) else { return false };
        known.due = between(now, now);
        known.tries.failed = known.tries.failed.saturating_add(1);
        known.failed_at.replace(now).is_none()
    }

    /// The lists that are to be fetched now, of issuers that are still trusted.
    pub(super) fn due(&self, trust: &TrustList, now: Timestamp) -> Vec<(String, TrustEntry)> {
        let known = self.known();
        let due =
            known.iter().filter(|(_, known)| known.due <= now && trusts(trust, &known.issuer));
        due.map(|((uri, ..), known)| (uri.clone(), known.issuer.clone())).collect()
    }

    /// Forgets lists that are no good any more, and what nobody names or trusts.
    pub(super) fn forget(&self, trust: &TrustList, now: Timestamp) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if held.has_expired(now) {
            let mut lists = StatusLists::clone(&held);
            lists.forget_expired(now);
            *held = Arc::new(lists);
        }
        drop(held);
        self.known().retain(|_, known| {
            now < known.named.plus_seconds(UNNAMED_SECONDS) && trusts(trust, &known.issuer)
        });
    }
}

fn name(uri: &str, issuer: &TrustEntry) -> Name {
    (uri.to_owned(), issuer.role, issuer.country().map(str::to_owned))
}

/// Whether the party is on the list, whatever was changed of it since.
fn trusts(trust: &TrustList, issuer: &TrustEntry) -> bool {
    let of = |entry: &TrustEntry| {
        entry.role == issuer.role
            && entry.identifier == issuer.identifier
            && entry.country() == issuer.country()
    };
    trust.entries.iter().any(of)
}

/// A moment between half and three quarters of the way from `now` to `until`, and a while from now at the least.
fn between(now: Timestamp, until: Timestamp) -> Timestamp {
    let way = until.millis().saturating_sub(now.millis()).max(LEAST_MILLIS.saturating_mul(2));
    let half = way.checked_div(2).unwrap_or(way);
    let more = u64::from(u16::from_be_bytes(random())).saturating_mul(half) >> 17;
    Timestamp::from_millis(now.millis().saturating_add(half).saturating_add(more))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_fetched_again_at_a_drawn_moment_well_before_it_is_old_and_never_at_once() {
        let now = Timestamp::from_seconds(1_000);
        let mut drawn = std::collections::BTreeSet::new();
        for _ in 0..200 {
            let due = between(now, now.plus_seconds(60));
            assert!(now.plus_seconds(30) <= due && due <= now.plus_seconds(45), "{due:?}");
            drawn.insert(due);
            let soon = between(now, now.plus_seconds(1));
            assert!(now.plus_seconds(5) <= soon && soon <= now.plus_seconds(8), "{soon:?}");
        }
        assert!(drawn.len() > 100, "jittered");
    }
}
