//! A payment from wallet to wallet: counted against the payer's limits, held against the
//! payee's cap, and final when it is done. From a sub-wallet it counts for the wallet above too.

use crate::books::{Books, Found, Submitter};
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
        from.must_be_operated_by(by.bank())?;
        from.must_be_open()?;
        to.must_be_open()?;
        from.must_be_awake()?;
        let below = self.sub_wallets.get(payer);
        let above = below.map(|below| self.wallet(below.parent)).transpose()?;
        above.as_ref().map_or(Ok(()), Found::must_be_awake)?;
        if let Some(only) = below.map(|below| below.payee).filter(|only| *only != payee) {
            return Err(Refusal::OtherPayee(only));
        }
        if payer == payee {
            return Err(Refusal::SameAccount);
        }
        let minor = self.minor(amount)?;
        let now = self.period(by.now);
        let checked = match &above {
            Some(above) => {
                self.ledger.check_payment_below((from.slot, above.slot), to.slot, minor, now)?
            }
            None => self.ledger.check_payment(from.slot, to.slot, minor, now)?,
        };
        if let Some(below) = below {
            limits::check_sub_payment(&below.limits, &Asked::new(from.wallet, now, minor))?;
        }
        let stepped_up = matches!(authorisation, Authorisation::SteppedUp { .. });
        let counted = above.as_ref().unwrap_or(&from);
        let asked = Asked::new(counted.wallet, now, minor);
        limits::check_payment(self.policy(), counted.class, &asked, stepped_up)?;
        if !self.may_receive(&from, &to, minor) {
            return Err(Refusal::PayeeFull);
        }
        let touched = [Some(from.slot), Some(to.slot), above.map(|above| above.slot)];
        let slot = from.slot;
        self.ledger.commit(checked);
        for slot in touched.into_iter().flatten() {
            self.ledger.set_moved(slot, by.now);
        }
        Ok(by.done(Some(self.amount(self.ledger.balance(slot)))))
    }

    /// Whether the payee's holder, its class and, for a sub-wallet, its own limit admit the money.
    fn may_receive(&self, from: &Found<'_>, to: &Found<'_>, minor: u64) -> bool {
        let below = self.sub_wallets.get(to.id);
        let above = below.and_then(|below| self.wallet(below.parent).ok());
        let held = self.held_with_below(above.as_ref().unwrap_or(to));
        let fits_below = below
            .is_none_or(|below| limits::may_hold_below(below.limits.balance, to.balance, minor));
        let of = |found: &Found<'_>| (found.wallet.bank, found.wallet.class);
        // Between two wallets of one class at one bank, the sum of both stays as it is.
        let fits_class = of(from) == of(to) || {
            let together = self.ledger.held_by_class(to.wallet.bank, to.wallet.class);
            limits::check_aggregate(&self.registry, to.wallet.class, together, minor).is_ok()
        };
        fits_below && fits_class && limits::may_hold(to.class, held, minor)
    }
}
