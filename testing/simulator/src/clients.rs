//! Clients: banks, the central bank, authorities and a stranger, who send commands of every kind:
//! valid ones, invalid ones, some twice, late, or under an id that was used.

mod abroad;
mod actions;
mod notes;

use crate::chance::Chance;
use crate::city::{City, WALLETS};
use yufu_base::{AccountId, CommandId, Timestamp};
use yufu_machine::{Action, Chain, Order, Orders, Submission};

/// What all clients together remember having sent, and what they choose from.
#[derive(Clone, Debug)]
pub struct Clients {
    city: City,
    ids: u128,
    wallets: Vec<(AccountId, &'static str)>,
    sent: Vec<Submission>,
    /// Commands that later ones refer to, with who may: holds, payments, entries, freezes.
    holds: Vec<Reference>,
    payments: Vec<Reference>,
    entries: Vec<Reference>,
    freezes: Vec<Reference>,
    abroad: abroad::Abroad,
    purse: notes::Purse,
}

/// A command that others refer to: by whom it is posted, refunded or confirmed, and by whom
/// released, disputed or lifted.
#[derive(Clone, Copy, Debug)]
struct Reference {
    id: CommandId,
    takes: &'static str,
    returns: &'static str,
}

impl Clients {
    /// Clients of a city that was opened.
    #[must_use]
    pub fn new(city: City) -> Self {
        let bank = |place: usize| City::BANKS.get(place).copied().unwrap_or_default();
        let wallets = WALLETS.map(|(id, place)| (AccountId::new(id), bank(place)));
        Self {
            city,
            ids: 1_000_000,
            wallets: wallets.into(),
            sent: Vec::new(),
            holds: Vec::new(),
            payments: Vec::new(),
            entries: Vec::new(),
            freezes: Vec::new(),
            abroad: abroad::Abroad::default(),
            purse: notes::Purse::default(),
        }
    }

    /// What is sent next, at `now` by the client's clock.
    pub fn next(&mut self, chance: &mut Chance, now: Timestamp) -> Submission {
        if chance.one_in(12)
            && let Some(repeated) = chance.pick(&self.sent)
        {
            return repeated.clone();
        }
        let (by, action) = self.command(chance, now);
        let id = self.id(chance, now);
        self.note(by, id, &action);
        let command = self.city.signed(by, id, action);
        self.sent.push(command.clone());
        command
    }

    /// An id of now; now and then one that is used, too old, or from the future.
    fn id(&mut self, chance: &mut Chance, now: Timestamp) -> CommandId {
        self.ids = self.ids.saturating_add(1);
        let at = match chance.below(40) {
            0 => now.minus_seconds(3 * 86_400),
            1 => now.plus_seconds(300),
            2 => match chance.pick(&self.sent) {
                Some(used) => return used.order.id,
                None => now,
            },
            _ => now,
        };
        CommandId::at(at, self.ids)
    }

    /// One order, or several under one signature.
    fn command(&mut self, chance: &mut Chance, now: Timestamp) -> (&'static str, Action) {
        match chance.below(14) {
            0 => {
                let by = chance.pick(&City::BANKS).copied().unwrap_or(City::CENTRAL_BANK);
                let orders = self.orders(chance, now, by, |_| true);
                let list = Orders::new(orders).ok().map(|orders| Action::Each { orders });
                list.map_or_else(|| self.order(chance, now), |list| (by, list))
            }
            1 => {
                let by = chance.pick(&City::BANKS).copied().unwrap_or(City::CENTRAL_BANK);
                let orders = self.orders(chance, now, by, Action::is_transfer);
                let list = Chain::new(orders).ok().map(|orders| Action::Chain { orders });
                list.map_or_else(|| self.order(chance, now), |list| (by, list))
            }
            _ => self.order(chance, now),
        }
    }

    /// Up to four orders, most of them `by` one institution's to give.
    fn orders(
        &mut self,
        chance: &mut Chance,
        now: Timestamp,
        by: &'static str,
        fits: impl Fn(&Action) -> bool,
    ) -> Vec<Order> {
        let mut orders = Vec::new();
        let wanted = chance.below(4).saturating_add(1);
        for _ in 0..30 {
            let (whose, action) = self.order(chance, now);
            if fits(&action) && (whose == by || chance.one_in(20)) {
                let id = self.id(chance, now);
                self.note(by, id, &action);
                orders.push(Order { id, action });
            }
            if u64::try_from(orders.len()).is_ok_and(|found| found >= wanted) {
                break;
            }
        }
        orders
    }

    /// Notes what later commands may refer to, also if it will be refused.
    fn note(&mut self, by: &'static str, id: CommandId, action: &Action) {
        self.abroad.note(action);
        self.purse.note(action);
        let bank = |wallet: &AccountId| {
            let found = self.wallets.iter().find(|(id, _)| id == wallet);
            found.map_or(by, |(_, bank)| *bank)
        };
        match action {
            Action::Pay { payer, payee, .. } | Action::PayAvailable { payer, payee, .. } => {
                let (takes, returns) = (bank(payee), bank(payer));
                self.payments.push(Reference { id, takes, returns });
            }
            Action::HoldPayment { payee, .. } => {
                let takes = bank(payee);
                self.holds.push(Reference { id, takes, returns: takes });
            }
            Action::PostHold { .. } => {
                let other = City::BANKS.into_iter().find(|bank| *bank != by).unwrap_or(by);
                self.payments.push(Reference { id, takes: by, returns: other });
            }
            Action::DisputePayment { .. } => {
                self.holds.push(Reference { id, takes: City::CENTRAL_BANK, returns: by });
            }
            Action::OrderFreeze { .. } => {
                let other = City::AUTHORITIES.into_iter().find(|one| *one != by).unwrap_or(by);
                self.freezes.push(Reference { id, takes: other, returns: by });
            }
            Action::OpenWallet { account, .. } | Action::OpenSubWallet { account, .. } => {
                self.wallets.push((*account, by));
            }
            Action::Exchange { .. }
            | Action::CreditDeposits { .. }
            | Action::CreateReserves { .. }
            | Action::Issue { .. } => self.entries.push(Reference { id, takes: by, returns: by }),
            _ => {}
        }
    }
}
