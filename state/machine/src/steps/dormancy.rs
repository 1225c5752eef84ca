//! A wallet in which nothing moves for as long as the policy says may be flagged dormant. It can
//! still be paid to; nothing leaves it until its holder comes forward.

use crate::books::{Books, Submitter};
use crate::outcome::Done;
use crate::refusal::Refusal;
use yufu_base::AccountId;
use yufu_ledger::Standing;
use yufu_registry::Role;

const SECONDS_PER_DAY: u64 = 86_400;

impl Books {
    pub(crate) fn flag_dormant(
        &mut self,
        by: Submitter,
        account: AccountId,
    ) -> Result<Done, Refusal> {
        by.must_be(Role::Bank)?;
        let days = self.registry.holding().terms().dormant_after_days.ok_or(Refusal::NoDormancy)?;
        let found = self.own_wallet(by, account)?;
        found.must_be_awake()?;
        let rest = u64::from(days).saturating_mul(SECONDS_PER_DAY);
        let earliest = found.wallet.moved.plus_seconds(rest);
        if by.now < earliest {
            return Err(Refusal::MovedLately { earliest });
        }
        self.must_not_be_below(&found)?;
        let (slot, balance) = (found.slot, found.balance);
        self.ledger.set_standing(slot, Standing::Dormant);
        Ok(by.done(Some(self.amount(balance))))
    }

    pub(crate) fn reactivate(
        &mut self,
        by: Submitter,
        account: AccountId,
    ) -> Result<Done, Refusal> {
        by.must_be(Role::Bank)?;
        let found = self.own_wallet(by, account)?;
        if found.wallet.standing != Standing::Dormant {
            return Err(Refusal::NotDormant(account));
        }
        let (slot, balance) = (found.slot, found.balance);
        self.ledger.set_standing(slot, Standing::Open);
        self.ledger.set_moved(slot, by.now);
        Ok(by.done(Some(self.amount(balance))))
    }
}
