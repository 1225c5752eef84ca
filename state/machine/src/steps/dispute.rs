//! A dispute: what was paid is held in the payee's wallet until its bank concedes, the payer's bank
//! withdraws, the central bank decides, or its time is over.

use super::policy::check_deadline;
use super::refund::payment;
use crate::books::{Books, Found, Submitter};
use crate::memory::Memory;
use crate::outcome::Done;
use crate::refusal::Refusal;
use crate::reversal::Reversible;
use yufu_base::{Amount, CommandId, Timestamp};
use yufu_ledger::HoldPurpose;
use yufu_registry::Role;

impl Books {
    pub(crate) fn dispute(
        &mut self,
        memory: &mut Memory,
        by: Submitter,
        id: CommandId,
        (of, amount, expires): (CommandId, Amount, Timestamp),
    ) -> Result<Done, Refusal> {
        by.must_be(Role::Bank)?;
        check_deadline(expires, by.now, self.deadlines()?.dispute(by.now))?;
        let payment = payment(memory, of)?;
        let (payee, payer) = (self.wallet_at(payment.payee)?, self.wallet_at(payment.payer)?);
        if payer.wallet.bank != by.bank() {
            return Err(Refusal::NotYours(of));
        }
        payee.must_be_open()?;
        payer.must_be_open()?;
        let above = self.above(payee.id)?;
        payee.must_not_be_frozen()?;
        above.as_ref().map_or(Ok(()), Found::must_not_be_frozen)?;
        let minor = self.minor(amount)?;
        let payment = payment.reversing(of, minor)?;
        let between = (payee.slot, payer.slot);
        let terms = (expires, HoldPurpose::Dispute { of });
        let checked = self.ledger.check_hold(between, minor, None, terms)?;
        if !self.may_receive(&payee, &payer, minor) {
            return Err(Refusal::PayeeFull);
        }
        let slot = payer.slot;
        self.ledger.commit_hold(id, checked);
        memory.set_reversible(of, Reversible::Payment(payment));
        Ok(by.done(Some(self.amount(self.ledger.balance(slot)))))
    }
}
