//! An exchange at a bank's desk. What comes into a wallet is held against its holding cap;
//! what goes out counts as no payment.

use super::Step;
use crate::books::{Books, Found, Submitter};
use crate::command::Direction;
use crate::limits;
use crate::refusal::Refusal;
use crate::reversal::{Entered, Reversible};
use yufu_base::{AccountId, Amount};
use yufu_ledger::Exchange;
use yufu_registry::Role;

/// What an exchange does to the wallet that takes part.
enum Side<'a> {
    Fills(Found<'a>),
    Empties(Found<'a>),
    None,
}

impl Books {
    pub(crate) fn exchange(&mut self, by: Submitter, direction: Direction, amount: Amount) -> Step {
        by.must_be(Role::Bank)?;
        let (exchange, side) = self.at_the_desk(by, direction)?;
        let minor = self.minor(amount)?;
        let checked = self
            .ledger
            .check_exchange(by.bank(), exchange, minor)
            .ok_or(Refusal::NotPermitted { needed: Role::Bank })??;
        if let Side::Fills(wallet) = &side {
            let held = self.held_with_below(wallet);
            limits::check_holding(self.policy(), wallet.class, held, minor)?;
            let class = wallet.wallet.class;
            let together = self.ledger.held_or_promised_by_class(by.bank(), class);
            limits::check_aggregate(&self.registry, class, together, minor)?;
        }
        let slot = match side {
            Side::Fills(wallet) | Side::Empties(wallet) => Some(wallet.slot),
            Side::None => None,
        };
        self.ledger.commit(checked);
        if let Some(slot) = slot {
            self.ledger.set_moved(slot, by.now);
        }
        let done = by.done(slot.map(|slot| self.amount(self.ledger.balance(slot))));
        Ok((done, Reversible::entry(by.number, Entered::Exchange(direction), minor)))
    }

    fn at_the_desk(
        &self,
        by: Submitter,
        direction: Direction,
    ) -> Result<(Exchange, Side<'_>), Refusal> {
        let fills = |id, exchange: fn(_) -> Exchange| {
            self.at_hand(by, id).map(|wallet| (exchange(wallet.slot), Side::Fills(wallet)))
        };
        let empties = |id, exchange: fn(_) -> Exchange| {
            let wallet = self.at_hand(by, id)?;
            wallet.must_not_be_frozen()?;
            Ok((exchange(wallet.slot), Side::Empties(wallet)))
        };
        match direction {
            Direction::PaperToDigital(id) => fills(id, Exchange::PaperToDigital),
            Direction::DepositToDigital(id) => fills(id, Exchange::DepositToDigital),
            Direction::DigitalToPaper(id) => empties(id, Exchange::DigitalToPaper),
            Direction::DigitalToDeposit(id) => empties(id, Exchange::DigitalToDeposit),
            Direction::PaperToDeposit => Ok((Exchange::PaperToDeposit, Side::None)),
            Direction::DepositToPaper => Ok((Exchange::DepositToPaper, Side::None)),
        }
    }

    /// A wallet that may take part: the bank's own, in use, and below no other.
    fn at_hand(&self, by: Submitter, id: AccountId) -> Result<Found<'_>, Refusal> {
        let wallet = self.own_wallet(by, id)?;
        wallet.must_be_awake()?;
        self.must_not_be_below(&wallet)?;
        Ok(wallet)
    }
}
