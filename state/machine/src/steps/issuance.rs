//! What the central bank moves for a bank, and what a bank credits to its depositors.

use super::Step;
use crate::books::{Books, Submitter};
use crate::refusal::Refusal;
use crate::reversal::{Entered, Reversible};
use yufu_base::{Amount, InstitutionId};
use yufu_ledger::{BankNumber, Movement};
use yufu_registry::Role;

impl Books {
    pub(crate) fn issue(
        &mut self,
        by: Submitter,
        bank: &InstitutionId,
        movement: Movement,
        amount: Amount,
    ) -> Step {
        by.must_be(Role::CentralBank)?;
        let bank = self.named_bank(bank)?;
        self.post_movement(by, bank, movement, amount)
    }

    pub(crate) fn credit_deposits(&mut self, by: Submitter, amount: Amount) -> Step {
        by.must_be(Role::Bank)?;
        self.post_movement(by, by.bank(), Movement::CreditDeposits, amount)
    }

    fn post_movement(
        &mut self,
        by: Submitter,
        bank: BankNumber,
        movement: Movement,
        amount: Amount,
    ) -> Step {
        let minor = self.minor(amount)?;
        let checked = self
            .ledger
            .check_movement(bank, movement, minor)
            .ok_or(Refusal::NotPermitted { needed: Role::Bank })??;
        let posted = checked.posted();
        self.ledger.commit(checked);
        let reversible = Reversible::entry(by.number, Entered::Movement(posted), minor);
        Ok((by.done(None), reversible))
    }
}
