//! A payment from wallet to wallet: counted against the payer's limits, held against the
//! payee's cap, and final when it is done. From a sub-wallet it counts for the wallet above too.

use super::Step;
use crate::books::{Books, Found, Submitter};
use crate::command::Authorisation;
use crate::limits::{self, Asked};
use crate::outcome::Done;
use crate::refusal::Refusal;
use crate::reversal::Reversible;
use crate::sub_wallets::SubWallet;
use yufu_base::{AccountId, Amount};
use yufu_ledger::{AccountKind, Checked, Period, Standing, WalletSlot};
use yufu_registry::Role;

/// Who pays whom, and what authorises it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Paying {
    pub(crate) payer: AccountId,
    pub(crate) payee: AccountId,
    pub(crate) authorisation: Authorisation,
}

/// The wallets a payment goes through, all fit for it.
pub(crate) struct Route<'a> {
    pub(crate) from: Found<'a>,
    pub(crate) to: Found<'a>,
    /// What the payer's wallet is, if it lies below another.
    below: Option<&'a SubWallet>,
    /// The wallet above the payer's.
    pub(crate) above: Option<Found<'a>>,
    stepped_up: bool,
}

impl Route<'_> {
    /// Every wallet in which something moves.
    pub(crate) fn touched(&self) -> [Option<WalletSlot>; 3] {
        let above = self.above.as_ref().map(|above| above.slot);
        [Some(self.from.slot), Some(self.to.slot), above]
    }
}

impl Books {
    pub(crate) fn pay(&mut self, by: Submitter, paying: Paying, amount: Amount) -> Step {
        let route = self.route(by, paying)?;
        let minor = self.minor(amount)?;
        let admitted = self.admit(by, &route, minor)?;
        Ok(self.move_along(by, admitted))
    }

    /// Pays what the payer has, at most `most`; and closes the payer's wallet with it.
    pub(crate) fn pay_available(
        &mut self,
        by: Submitter,
        paying: Paying,
        most: Amount,
        close: bool,
    ) -> Step {
        let route = self.route(by, paying)?;
        if close {
            self.must_be_closable(&route.from)?;
        }
        let (most, slot) = (self.minor(most)?, route.from.slot);
        let has = self.ledger.available(slot);
        if close && has > most {
            return Err(Refusal::NotEmpty(has.saturating_sub(most)));
        }
        let (done, reversible) = match has.min(most) {
            0 if close => (by.done(Some(self.amount(0))), Reversible::Nothing),
            0 => {
                let (account, available) = (AccountKind::Wallet, 0);
                return Err(Refusal::InsufficientFunds { account, available, requested: most });
            }
            minor => {
                let admitted = self.admit(by, &route, minor)?;
                self.move_along(by, admitted)
            }
        };
        if close {
            self.ledger.set_standing(slot, Standing::Closed);
        }
        Ok((done, reversible))
    }

    /// The wallets of a payment, if each is fit for it.
    pub(crate) fn route(&self, by: Submitter, paying: Paying) -> Result<Route<'_>, Refusal> {
        let Paying { payer, payee, authorisation } = paying;
        by.must_be(Role::Bank)?;
        let from = self.wallet(payer)?;
        let to = self.wallet(payee)?;
        from.must_be_operated_by(by.bank())?;
        from.must_be_open()?;
        to.must_be_open()?;
        from.must_be_awake()?;
        let below = self.sub_wallets.get(payer);
        let above = self.above(payer)?;
        above.as_ref().map_or(Ok(()), Found::must_be_awake)?;
        from.must_not_be_frozen()?;
        above.as_ref().map_or(Ok(()), Found::must_not_be_frozen)?;
        if let Some(only) = below.map(|below| below.payee).filter(|only| *only != payee) {
            return Err(Refusal::OtherPayee(only));
        }
        if payer == payee {
            return Err(Refusal::SameAccount);
        }
        let stepped_up = matches!(authorisation, Authorisation::SteppedUp { .. });
        Ok(Route { from, to, below, above, stepped_up })
    }

    /// Holds a payment along `route` against the payer's limits and the payee's caps.
    pub(crate) fn within_limits(
        &self,
        route: &Route<'_>,
        now: Period,
        minor: u64,
    ) -> Result<(), Refusal> {
        let Route { from, to, below, above, stepped_up } = route;
        if let Some(below) = below {
            limits::check_sub_payment(&below.limits, &Asked::new(from.wallet, now, minor))?;
        }
        let counted = above.as_ref().unwrap_or(from);
        let asked = Asked::new(counted.wallet, now, minor);
        limits::check_payment(self.policy(), counted.class, &asked, *stepped_up)?;
        if self.may_receive(from, to, minor) { Ok(()) } else { Err(Refusal::PayeeFull) }
    }

    /// Notes that something moved in wallets.
    pub(crate) fn moved(
        &mut self,
        by: Submitter,
        wallets: impl IntoIterator<Item = Option<WalletSlot>>,
    ) {
        for slot in wallets.into_iter().flatten() {
            self.ledger.set_moved(slot, by.now);
        }
    }

    /// Checks a payment of `minor` along `route`, to the last rule.
    fn admit(&self, by: Submitter, route: &Route<'_>, minor: u64) -> Result<Admitted, Refusal> {
        let Route { from, to, above, .. } = route;
        let now = self.period(by.now);
        let checked = match above {
            Some(above) => {
                self.ledger.check_payment_below((from.slot, above.slot), to.slot, minor, now)?
            }
            None => self.ledger.check_payment(from.slot, to.slot, minor, now)?,
        };
        self.within_limits(route, now, minor)?;
        Ok(Admitted { checked, minor, touched: route.touched() })
    }

    fn move_along(&mut self, by: Submitter, admitted: Admitted) -> (Done, Reversible) {
        let Admitted { checked, minor, touched } = admitted;
        self.ledger.commit(checked);
        self.moved(by, touched);
        let [from, to, _] = touched;
        let balance = from.map(|slot| self.amount(self.ledger.balance(slot)));
        let payment = from.zip(to).map(|(from, to)| Reversible::payment(from, to, minor));
        (by.done(balance), payment.unwrap_or_default())
    }

    /// Whether the payee's holder, its class and, for a sub-wallet, its own limit admit the money.
    pub(crate) fn may_receive(&self, from: &Found<'_>, to: &Found<'_>, minor: u64) -> bool {
        let of = |found: &Found<'_>| (found.wallet.bank, found.wallet.class);
        // Between two wallets of one class at one bank, the sum of both stays as it is.
        let fits_class = of(from) == of(to) || {
            let (bank, class) = of(to);
            let together = self.ledger.held_or_promised_by_class(bank, class);
            limits::check_aggregate(&self.registry, class, together, minor).is_ok()
        };
        fits_class && self.may_hold_more(to, minor)
    }

    /// Whether its class and, for a sub-wallet, its own limit let a wallet hold so much more.
    pub(super) fn may_hold_more(&self, to: &Found<'_>, minor: u64) -> bool {
        let below = self.sub_wallets.get(to.id);
        let above = self.above(to.id).ok().flatten();
        let held = self.held_with_below(above.as_ref().unwrap_or(to));
        let of_payee = self.held_or_promised(to);
        let fits_below =
            below.is_none_or(|below| limits::may_hold_below(below.limits.balance, of_payee, minor));
        fits_below && limits::may_hold(to.class, held, minor)
    }
}

/// A payment that every rule has admitted.
struct Admitted {
    checked: Checked,
    minor: u64,
    touched: [Option<WalletSlot>; 3],
}
