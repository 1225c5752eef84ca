//! Whether a guardian still acts for a ward: the ward is a minor, and the guardianship's status says
//! that it stands. The list at hand is a minute old at the most; while the authority is out of reach, five
//! minutes; then nothing is accepted.

use super::Bank;
use crate::http::Problem;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use yufu_base::AccountId;
use yufu_onboarding::{Access, Account};
use yufu_trust::Status;

/// How many mandates are kept in memory, so that not every order reads the sealed record again.
const MOST: usize = 10_000;

/// The mandates at hand.
#[derive(Default)]
pub struct Mandates(Mutex<BTreeMap<AccountId, Mandate>>);

#[derive(Clone)]
struct Mandate {
    ward_birthdate: String,
    status: (String, u64),
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
        let list = self.trust.identity_status(uri, self.now()).await.map_err(|error| {
            let detail = format!(
                "whether the guardianship still stands cannot be looked up, so nothing is done: try again ({})",
                error.code()
            );
            Problem::unavailable("guardian.unchecked", detail)
        })?;
        Ok(list.list.get(*index) == Some(Status::Valid))
    }
}

impl Mandates {
    fn known(&self) -> MutexGuard<'_, BTreeMap<AccountId, Mandate>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
