//! A refund: the payee's bank pays back, in full or in part, never more in all than was paid. It
//! counts against nobody's limits, and restores none.

use crate::books::{Books, Found, Submitter};
use crate::memory::Memory;
use crate::outcome::Done;
use crate::refusal::Refusal;
use crate::reversal::{Payment, Reversible};
use yufu_base::{Amount, CommandId};
use yufu_registry::Role;

impl Books {
    pub(crate) fn refund(
        &mut self,
        memory: &mut Memory,
        by: Submitter,
        of: CommandId,
        amount: Amount,
    ) -> Result<Done, Refusal> {
        by.must_be(Role::Bank)?;
        let payment = payment(memory, of)?;
        let (from, to) = (self.wallet_at(payment.payee)?, self.wallet_at(payment.payer)?);
        if from.wallet.bank != by.bank() {
            return Err(Refusal::NotYours(of));
        }
        from.must_be_open()?;
        to.must_be_open()?;
        from.must_be_awake()?;
        let above = self.above(from.id)?;
        above.as_ref().map_or(Ok(()), Found::must_be_awake)?;
        from.must_not_be_frozen()?;
        above.as_ref().map_or(Ok(()), Found::must_not_be_frozen)?;
        let minor = self.minor(amount)?;
        let payment = payment.reversing(of, minor)?;
        let checked = self.ledger.check_transfer(from.slot, to.slot, minor)?;
        if !self.may_receive(&from, &to, minor) {
            return Err(Refusal::PayeeFull);
        }
        let (from, to) = (from.slot, to.slot);
        self.ledger.commit(checked);
        self.moved(by, [Some(from), Some(to)]);
        memory.set_reversible(of, Reversible::Payment(payment));
        Ok(by.done(Some(self.amount(self.ledger.balance(from)))))
    }
}

/// The payment under an id, if it is remembered and was one.
pub(super) fn payment(memory: &Memory, of: CommandId) -> Result<Payment, Refusal> {
    match memory.reversible(of) {
        Some(Reversible::Payment(payment)) => Ok(*payment),
        _ => Err(Refusal::TransferUnknown(of)),
    }
}
