//! Whether a guardian still acts for a ward: the ward is a minor, and the guardianship's status says
//! that it stands. The status list is fetched whole, at most every minute; while the authority is
//! out of reach, the one at hand is used for five minutes, and then nothing is accepted.

use super::Bank;
use crate::http::Problem;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use yufu_base::{AccountId, Timestamp};
use yufu_onboarding::{Access, Account};
use yufu_trust::{Status, StatusListToken};

/// How long a list is used before it is fetched again, in seconds.
const FRESH_SECONDS: u64 = 60;
/// How old a list may be at all, in seconds.
const OLDEST_SECONDS: u64 = 300;
/// How many mandates are kept in memory, so that not every order reads the sealed record again.
const MOST: usize = 10_000;

/// The mandates and lists at hand.
#[derive(Default)]
pub struct Mandates {
    known: Mutex<BTreeMap<AccountId, Mandate>>,
    lists: Mutex<BTreeMap<String, Fetched>>,
}

#[derive(Clone)]
struct Mandate {
    ward_birthdate: String,
    status: (String, u64),
}

#[derive(Clone)]
struct Fetched {
    list: Arc<StatusListToken>,
    at: Timestamp,
}

impl Bank {
    /// Refuses a guardian whose mandate has ended, and whoever acts for an account that its holder had frozen. Whoever
    /// acts for themselves may.
    pub(super) async fn may_act(&self, account: &Account) -> Result<(), Problem> {
        self.must_not_be_frozen(account.id).await?;
        let Some(mandate) = self.mandate(account).await? else { return Ok(()) };
        if self.wallet_rules.ages.of_age(&mandate.ward_birthdate, self.now())? {
            let detail = "the holder is of age: the guardian's wallet gives no orders any more; the holder takes the account over with an identity (`yufu wallet recover`)";
            return Err(Problem::refused("account.ward_of_age", detail));
        }
        if self.guardianship_stands(&mandate.status).await? {
            return Ok(());
        }
        let detail = "the guardianship has ended: this wallet gives no orders for the ward any more; ask the identity authority";
        Err(Problem::refused("guardian.ended", detail))
    }

    /// Refuses to let a minor take over what a guardian operates.
    pub(super) async fn may_take_over(&self, account: &Account) -> Result<(), Problem> {
        let Some(mandate) = self.mandate(account).await? else { return Ok(()) };
        if self.wallet_rules.ages.of_age(&mandate.ward_birthdate, self.now())? {
            return Ok(());
        }
        let detail = format!(
            "a guardian operates this account until its holder is {}: take it over then",
            self.wallet_rules.ages.majority
        );
        Err(Problem::refused("account.guardian_needed", detail))
    }

    /// The guardian's mandate over an account. Read once, recorded, and then kept in memory.
    async fn mandate(&self, account: &Account) -> Result<Option<Mandate>, Problem> {
        if account.customer.is_none() || !self.records.has_guardian(account.id).await? {
            return Ok(None);
        }
        if let Some(known) = self.mandates.known().get(&account.id) {
            return Ok(Some(known.clone()));
        }
        let access = Access {
            actor: "orders".to_owned(),
            purpose: "whether the guardian still acts for the ward".to_owned(),
            fields: vec!["birthdate".to_owned()],
            at: self.now(),
        };
        let found = self.records.guardian(account.id, access).await?;
        let mandate = found.map(|guardian| Mandate {
            ward_birthdate: guardian.ward_birthdate,
            status: guardian.status,
        });
        if let Some(mandate) = &mandate {
            let mut known = self.mandates.known();
            if known.len() >= MOST {
                known.clear();
            }
            known.insert(account.id, mandate.clone());
        }
        Ok(mandate)
    }

    async fn guardianship_stands(&self, (uri, index): &(String, u64)) -> Result<bool, Problem> {
        let list = self.status_list(uri).await?;
        Ok(list.list.get(*index) == Some(Status::Valid))
    }

    async fn status_list(&self, uri: &str) -> Result<Arc<StatusListToken>, Problem> {
        let now = self.now();
        if let Some(list) = self.mandates.at_hand(uri, FRESH_SECONDS, now) {
            return Ok(list);
        }
        match self.trust.identity_status(uri, now).await {
            Ok(list) => {
                let list = Arc::new(list);
                let fetched = Fetched { list: Arc::clone(&list), at: now };
                self.mandates.lists().insert(uri.to_owned(), fetched);
                Ok(list)
            }
            Err(error) => self.mandates.at_hand(uri, OLDEST_SECONDS, now).ok_or_else(|| {
                let detail = format!(
                    "whether the guardianship still stands cannot be looked up, so nothing is done: try again ({})",
                    error.code()
                );
                Problem::unavailable("guardian.unchecked", detail)
            }),
        }
    }
}

impl Mandates {
    /// The list at hand, if it is younger than so many seconds.
    fn at_hand(&self, uri: &str, seconds: u64, now: Timestamp) -> Option<Arc<StatusListToken>> {
        let lists = self.lists();
        let known = lists.get(uri).filter(|known| now < known.at.plus_seconds(seconds));
        known.map(|known| Arc::clone(&known.list))
    }

    fn known(&self) -> std::sync::MutexGuard<'_, BTreeMap<AccountId, Mandate>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lists(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Fetched>> {
        self.lists.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use yufu_trust::{StatusBits, StatusList};

    #[test]
    fn a_list_is_fetched_anew_after_a_minute_and_never_used_after_five() {
        let mandates = Mandates::default();
        let at = Timestamp::from_seconds(1_000);
        let list = StatusListToken {
            uri: "u".to_owned(),
            issued_at: at,
            expires_at: at.plus_seconds(9_000),
            ttl_seconds: None,
            list: StatusList::new(StatusBits::Two, 8).unwrap(),
        };
        let fetched = Fetched { list: Arc::new(list), at };
        mandates.lists().insert("u".to_owned(), fetched);
        let held =
            |seconds, later| mandates.at_hand("u", seconds, at.plus_seconds(later)).is_some();
        assert!(held(FRESH_SECONDS, 59) && !held(FRESH_SECONDS, 60));
        assert!(held(OLDEST_SECONDS, 299) && !held(OLDEST_SECONDS, 300));
        assert!(mandates.at_hand("another", OLDEST_SECONDS, at).is_none());
    }
}
