//! What the central bank moves for a bank, and what a bank credits to its depositors.

use crate::books::{Books, Submitter};
use crate::outcome::Done;
use crate::refusal::Refusal;
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
    ) -> Result<Done, Refusal> {
        by.must_be(Role::CentralBank)?;
        let bank = self.named_bank(bank)?;
        self.post_movement(by, bank, movement, amount)
    }

    pub(crate) fn credit_deposits(
        &mut self,
        by: Submitter,
        amount: Amount,
    ) -> Result<Done, Refusal> {
        by.must_be(Role::Bank)?;
        self.post_movement(by, by.bank(), Movement::CreditDeposits, amount)
    }

    fn post_movement(
        &mut self,
        by: Submitter,
        bank: BankNumber,
        movement: Movement,
        amount: Amount,
    ) -> Result<Done, Refusal> {
        let minor = self.minor(amount)?;
        let checked = self
            .ledger
            .check_movement(bank, movement, minor)
            .ok_or(Refusal::NotPermitted { needed: Role::Bank })??;
        self.ledger.commit(checked);
        Ok(by.done(None))
    }
}
