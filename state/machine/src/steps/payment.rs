//! A payment from wallet to wallet: counted against the payer's limits, held against the
//! payee's cap, and final when it is done.

use crate::books::{Books, Submitter};
use crate::command::Authorisation;
use crate::limits::{self, Asked};
use crate::outcome::Done;
use crate::refusal::Refusal;
use yufu_base::{AccountId, Amount};
use yufu_registry::Role;

impl Books {
    pub(crate) fn pay(
        &mut self,
        by: Submitter,
        payer: AccountId,
        payee: AccountId,
        amount: Amount,
        authorisation: Authorisation,
    ) -> Result<Done, Refusal> {
        by.must_be(Role::Bank)?;
        let from = self.wallet(payer)?;
        let to = self.wallet(payee)?;
        from.must_be_operated_by(by.bank(), payer)?;
        if payer == payee {
            return Err(Refusal::SameAccount);
        }
        let minor = self.minor(amount)?;
        let now = self.period(by.now);
        let checked = self.ledger.check_payment(from.slot, to.slot, minor, now)?;
        let stepped_up = matches!(authorisation, Authorisation::SteppedUp { .. });
        let asked = Asked::new(from.wallet, now, minor);
        limits::check_payment(self.policy(), from.class, &asked, stepped_up)?;
        if !limits::may_hold(to.class, to.balance, minor) {
            return Err(Refusal::PayeeFull);
        }
        let slot = from.slot;
        self.ledger.commit(checked);
        Ok(by.done(Some(self.amount(self.ledger.balance(slot)))))
    }
}
