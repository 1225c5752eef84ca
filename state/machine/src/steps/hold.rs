//! A payment whose amount is not final yet: held, and then posted in full or in part or released
//! by the payee's bank. A disputed payment is decided by the same two commands.

use super::Step;
use super::payment::Paying;
use super::policy::check_deadline;
use crate::books::{Books, Submitter};
use crate::memory::Memory;
use crate::outcome::Done;
use crate::refusal::Refusal;
use crate::reversal::{Payment, Reversible};
use yufu_base::{Amount, CommandId, Timestamp};
use yufu_ledger::{Hold, HoldPurpose};
use yufu_registry::Role;

/// A payment to be held.
pub(crate) struct Holding {
    pub(crate) paying: Paying,
    pub(crate) amount: Amount,
    pub(crate) expires: Timestamp,
}

/// What a hold can come to.
enum Decision {
    Post,
    Release,
}

impl Books {
    pub(crate) fn hold_payment(
        &mut self,
        by: Submitter,
        id: CommandId,
        holding: Holding,
    ) -> Result<Done, Refusal> {
        let Holding { paying, amount, expires } = holding;
        by.must_be(Role::Bank)?;
        check_deadline(expires, by.now, self.deadlines()?.hold(by.now))?;
        let route = self.route(by, paying)?;
        let minor = self.minor(amount)?;
        let now = self.period(by.now);
        let above = route.above.as_ref().map(|above| above.slot);
        let checked = self.ledger.check_hold(
            (route.from.slot, route.to.slot),
            minor,
            Some((now, above)),
            (expires, HoldPurpose::Payment),
        )?;
        self.within_limits(&route, now, minor)?;
        let (touched, slot) = (route.touched(), route.from.slot);
        self.ledger.commit_hold(id, checked);
        self.moved(by, touched);
        Ok(by.done(Some(self.amount(self.ledger.balance(slot)))))
    }

    /// The payment is the command that posts it: it is the one that can be refunded.
    pub(crate) fn post_hold(
        &mut self,
        memory: &mut Memory,
        by: Submitter,
        id: CommandId,
        amount: Amount,
    ) -> Step {
        let hold = self.decidable(by, id, &Decision::Post)?;
        let (held, requested) = (hold.amount(), self.minor(amount)?);
        if requested > held {
            return Err(Refusal::MoreThanHeld { held, requested });
        }
        self.ledger.post_hold(id, requested);
        self.moved(by, [Some(hold.payer()), Some(hold.payee())]);
        released(memory, &hold, held.saturating_sub(requested));
        let reversible = match hold.purpose() {
            HoldPurpose::Payment => Reversible::payment(hold.payer(), hold.payee(), requested),
            HoldPurpose::Dispute { .. } => Reversible::Nothing,
        };
        Ok((self.told(by, &hold), reversible))
    }

    pub(crate) fn release_hold(
        &mut self,
        memory: &mut Memory,
        by: Submitter,
        id: CommandId,
    ) -> Result<Done, Refusal> {
        let hold = self.decidable(by, id, &Decision::Release)?;
        self.ledger.release_hold(id);
        released(memory, &hold, hold.amount());
        Ok(self.told(by, &hold))
    }

    /// A hold that the submitter may decide in this way.
    fn decidable(
        &self,
        by: Submitter,
        id: CommandId,
        decision: &Decision,
    ) -> Result<Hold, Refusal> {
        let hold = *self.ledger.hold(id).ok_or(Refusal::HoldUnknown(id))?;
        let whose = match (hold.purpose(), decision) {
            // Who waits for the money, and so may take it or let go.
            (HoldPurpose::Payment, _) | (HoldPurpose::Dispute { .. }, Decision::Release) => {
                hold.payee()
            }
            // Who concedes.
            (HoldPurpose::Dispute { .. }, Decision::Post) => hold.payer(),
        };
        let disputed = matches!(hold.purpose(), HoldPurpose::Dispute { .. });
        let decides = disputed && by.role == Role::CentralBank;
        let bank = self.wallet_at(whose)?.wallet.bank;
        if decides || (by.role == Role::Bank && bank == by.bank()) {
            Ok(hold)
        } else {
            Err(Refusal::NotYours(id))
        }
    }

    /// What the submitter is told: the balance of the wallet that it operates, if it does.
    fn told(&self, by: Submitter, hold: &Hold) -> Done {
        let own = [hold.payee(), hold.payer()].into_iter().find(|slot| {
            self.ledger.wallet_at(*slot).is_some_and(|wallet| wallet.bank == by.bank())
        });
        let own = own.filter(|_| by.role == Role::Bank);
        by.done(own.map(|slot| self.amount(self.ledger.balance(slot))))
    }
}

/// Of what was disputed, `amount` stays with the payee, and can be disputed or refunded again.
pub(super) fn released(memory: &mut Memory, hold: &Hold, amount: u64) {
    let HoldPurpose::Dispute { of } = hold.purpose() else { return };
    let Some(Reversible::Payment(payment)) = memory.reversible(of) else { return };
    let reversed = payment.reversed.saturating_sub(amount);
    memory.set_reversible(of, Reversible::Payment(Payment { reversed, ..*payment }));
}
