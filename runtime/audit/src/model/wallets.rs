//! A wallet's life by the auditor's own books: its class, where it stands, when it last moved,
//! what lies below what. Written apart from the machine's steps.

use super::flows::{self, Flow, Place};
use super::{Found, Model};
use crate::finding::Irregularity;
use std::collections::BTreeMap;
use yufu_base::{AccountId, InstitutionId, Timestamp};
use yufu_machine::{Action, ClassId, Machine, Standing, SubLimits};

const DAY_SECONDS: u64 = 86_400;
const MOST_BELOW: usize = 16;

/// What the auditor knows of a wallet besides its money.
pub(super) struct Known {
    pub(super) bank: InstitutionId,
    pub(super) class: ClassId,
    standing: Standing,
    moved: Timestamp,
    below: Option<Below>,
}

/// Of a sub-wallet: what is above it, whom it pays, within what.
#[derive(Clone, Copy)]
struct Below {
    parent: AccountId,
    payee: AccountId,
    limits: SubLimits,
}

impl Model {
    pub(super) fn stands(&self, id: AccountId) -> Option<Standing> {
        self.wallets.get(&id).map(|known| known.standing)
    }

    /// The wallet above a sub-wallet.
    pub(super) fn above(&self, id: AccountId) -> Option<AccountId> {
        self.below(id).map(|below| below.parent)
    }

    fn below(&self, id: AccountId) -> Option<Below> {
        let known = self.wallets.get(&id)?;
        known.below.filter(|_| known.standing != Standing::Closed)
    }

    /// The open sub-wallets of a wallet.
    fn children(&self, parent: AccountId) -> impl Iterator<Item = AccountId> {
        let ids =
            self.below.range((parent, AccountId::new(0))..=(parent, AccountId::new(u128::MAX)));
        ids.map(|(_, child)| *child).filter(|child| self.below(*child).is_some())
    }

    /// Notes what a flow adds to, or takes from, the sum of a wallet's class.
    pub(super) fn sum(&mut self, wallet: AccountId, minor: i128) {
        if let Some(known) = self.wallets.get(&wallet) {
            let sum = self.sums.entry((known.bank.clone(), known.class)).or_default();
            *sum = sum.saturating_add(minor);
        }
    }

    pub(super) fn held_with_below(&self, id: AccountId) -> i128 {
        let below = self.children(id).map(|child| self.held_in(child));
        below.fold(self.held_in(id), i128::saturating_add)
    }

    /// What all wallets of a class at a bank hold, added up.
    fn held_by_class(&self) -> BTreeMap<(InstitutionId, ClassId), i128> {
        let mut sums = BTreeMap::new();
        for (id, known) in &self.wallets {
            let held = self.held_in(*id);
            if held != 0 {
                let sum: &mut i128 = sums.entry((known.bank.clone(), known.class)).or_default();
                *sum = sum.saturating_add(held);
            }
        }
        sums
    }

    /// A payment from or into a sub-wallet keeps to what that is for.
    pub(super) fn check_below(
        &self,
        at: Timestamp,
        (payer, payee): (AccountId, AccountId),
        minor: u64,
    ) -> Vec<Irregularity> {
        let mut found = Vec::new();
        let minor = u128::from(minor);
        let mut hold = |limit, account, used: u128, of: u64| {
            if used.saturating_add(minor) > u128::from(of) {
                found.push(Irregularity::Limit { limit, account });
            }
        };
        if let Some(below) = self.below(payer) {
            hold("sub-wallet's single", payer, 0, below.limits.per_payment);
            hold("sub-wallet's daily", payer, self.spent_so_far(at, payer).0, below.limits.per_day);
            if below.payee != payee {
                found.push(Irregularity::SubWallet(payer));
            }
        }
        found.extend(self.check_room_below(payee, minor).err());
        found
    }

    fn check_room_below(&self, wallet: AccountId, minor: u128) -> Found {
        let Some(below) = self.below(wallet) else { return Ok(()) };
        let held = u128::try_from(self.held_in(wallet)).unwrap_or(0);
        let over = held.saturating_add(minor) > u128::from(below.limits.balance);
        let limit = Irregularity::Limit { limit: "sub-wallet's balance", account: wallet };
        if over { Err(limit) } else { Ok(()) }
    }

    /// Every wallet of a command stands as the command needs it.
    pub(super) fn check_life(&self, at: Timestamp, action: &Action) -> Found {
        match action {
            Action::Pay { payer, payee, .. } => {
                self.must_be_open(*payee)?;
                self.must_be_awake(*payer)?;
                self.above(*payer).map_or(Ok(()), |above| self.must_be_awake(above))
            }
            Action::Exchange { direction, .. } => {
                let Some(wallet) = flows::wallet(*direction) else { return Ok(()) };
                self.must_be_awake(wallet)?;
                self.must_be_below(wallet, false)
            }
            Action::SetClass { account, class } => {
                self.must_be_awake(*account)?;
                self.must_be_below(*account, false)?;
                self.check_new_class(*account, *class)
            }
            Action::CloseWallet { account } => self.check_closing(*account),
            Action::FlagDormant { account } => self.check_rest(at, *account),
            Action::Reactivate { account, .. } => match self.stands(*account) {
                Some(Standing::Dormant) => Ok(()),
                _ => Err(Irregularity::Standing(*account)),
            },
            Action::OpenSubWallet { parent, payee, limits, .. } => {
                self.must_be_open(*payee)?;
                self.must_be_awake(*parent)?;
                self.must_be_below(*parent, false)?;
                self.check_sub_limits(*parent, limits)
            }
            Action::FundSubWallet { account, amount, .. } => {
                self.must_be_awake(*account)?;
                self.must_be_below(*account, true)?;
                self.above(*account).map_or(Ok(()), |above| self.must_be_awake(above))?;
                self.check_room_below(*account, u128::from(amount.minor()))
            }
            _ => Ok(()),
        }
    }

    /// What a command moves between a wallet and the one above it.
    pub(super) fn flow_below(&self, action: &Action) -> Option<Flow> {
        let (from, to, minor) = match action {
            Action::FundSubWallet { account, amount, .. } => {
                (self.above(*account)?, *account, amount.minor())
            }
            Action::CloseWallet { account } => {
                let rest = u64::try_from(self.held_in(*account)).unwrap_or(0);
                (*account, self.above(*account)?, rest)
            }
            _ => return None,
        };
        let (from, to) = (Some(Place::Wallet(from)), Some(Place::Wallet(to)));
        Some(Flow { from, to, minor, issues: false, cancels: false })
    }

    /// What an accepted command changes about wallets, and the sums it must leave within their cap.
    pub(super) fn live(
        &mut self,
        at: Timestamp,
        by: &InstitutionId,
        action: &Action,
    ) -> Option<Irregularity> {
        let grown = self.grown(action);
        let replaced = match action {
            Action::OpenWallet { account, class } => self.opened(at, by, *account, *class, None),
            Action::OpenSubWallet { account, parent, payee, limits, .. } => {
                let class = self.wallets.get(parent)?.class;
                let below = Below { parent: *parent, payee: *payee, limits: *limits };
                self.opened(at, by, *account, class, Some(below))
            }
            _ => {
                self.changed(at, action);
                false
            }
        };
        if replaced {
            return Some(Irregularity::OpenedTwice);
        }
        let (bank, class) = grown?;
        let cap = self.rules.aggregate_balance.get(&class)?;
        let held = self.sums.get(&(bank.clone(), class)).copied().unwrap_or(0);
        (held > i128::from(*cap)).then_some(Irregularity::Aggregate { bank, class })
    }

    /// The machine's wallets and sums of classes against these.
    pub(super) fn compare_wallets(&self, machine: &Machine) -> Vec<Irregularity> {
        let mut found = Vec::new();
        for (id, known) in &self.wallets {
            let view = machine.wallet(*id, known.moved);
            let same = view.is_some_and(|view| {
                (view.class, view.standing, view.parent)
                    == (known.class, known.standing, self.above(*id))
            });
            if !same {
                found.push(Irregularity::WalletState(*id));
            }
        }
        let mut sums = self.held_by_class();
        for (bank, class, machine) in machine.holdings() {
            let recomputed = sums.remove(&(bank.clone(), class)).unwrap_or(0);
            if u128::try_from(recomputed) != Ok(machine) {
                let bank = bank.clone();
                found.push(Irregularity::Holdings { bank, class, machine, recomputed });
            }
        }
        found.extend(sums.into_iter().map(|((bank, class), recomputed)| Irregularity::Holdings {
            bank,
            class,
            machine: 0,
            recomputed,
        }));
        found
    }

    fn opened(
        &mut self,
        at: Timestamp,
        by: &InstitutionId,
        account: AccountId,
        class: ClassId,
        below: Option<Below>,
    ) -> bool {
        let (bank, standing) = (by.clone(), Standing::Open);
        if let Some(below) = below {
            self.below.insert((below.parent, account));
        }
        let known = Known { bank, class, standing, moved: at, below };
        self.wallets.insert(account, known).is_some()
    }

    fn changed(&mut self, at: Timestamp, action: &Action) {
        let mut touched: Vec<AccountId> = Vec::new();
        match action {
            Action::SetHoldingRules { rules } => self.rules = rules.terms().clone(),
            Action::SetClass { account, class } => {
                let all: Vec<_> = self.children(*account).chain([*account]).collect();
                for id in all {
                    let held = self.held_in(id);
                    self.sum(id, held.saturating_neg());
                    self.know(id, |known| known.class = *class);
                    self.sum(id, held);
                }
            }
            Action::CloseWallet { account } => {
                touched.extend(self.above(*account));
                self.know(*account, |known| known.standing = Standing::Closed);
            }
            Action::FlagDormant { account } => {
                self.know(*account, |known| known.standing = Standing::Dormant);
            }
            Action::Reactivate { account, .. } => {
                self.know(*account, |known| known.standing = Standing::Open);
                touched.push(*account);
            }
            Action::Pay { payer, payee, .. } => {
                touched.extend([*payer, *payee].into_iter().chain(self.above(*payer)));
            }
            Action::Exchange { direction, .. } => touched.extend(flows::wallet(*direction)),
            Action::FundSubWallet { account, .. } => {
                touched.extend([*account].into_iter().chain(self.above(*account)));
            }
            _ => {}
        }
        for id in touched {
            self.know(id, |known| known.moved = at);
        }
    }

    fn know(&mut self, id: AccountId, change: impl FnOnce(&mut Known)) {
        if let Some(known) = self.wallets.get_mut(&id) {
            change(known);
        }
    }

    /// The bank and class whose sum a command makes larger.
    fn grown(&self, action: &Action) -> Option<(InstitutionId, ClassId)> {
        let of =
            |id: &AccountId| self.wallets.get(id).map(|known| (known.bank.clone(), known.class));
        match action {
            Action::Pay { payer, payee, .. } => {
                of(payee).filter(|to| Some(to) != of(payer).as_ref())
            }
            Action::SetClass { account, class } => of(account).map(|(bank, _)| (bank, *class)),
            _ => of(&flows::filled(action)?),
        }
    }

    fn must_be_open(&self, id: AccountId) -> Found {
        match self.stands(id) {
            Some(Standing::Closed) => Err(Irregularity::Standing(id)),
            _ => Ok(()),
        }
    }

    fn must_be_awake(&self, id: AccountId) -> Found {
        match self.stands(id) {
            Some(Standing::Closed | Standing::Dormant) => Err(Irregularity::Standing(id)),
            _ => Ok(()),
        }
    }

    fn must_be_below(&self, id: AccountId, wanted: bool) -> Found {
        if self.above(id).is_some() == wanted { Ok(()) } else { Err(Irregularity::SubWallet(id)) }
    }

    fn check_new_class(&self, account: AccountId, class: ClassId) -> Found {
        let terms = self.terms.as_ref().and_then(|terms| terms.classes.get(&class));
        let cap = terms.ok_or(Irregularity::Malformed)?.ordinary.balance;
        let held = self.held_with_below(account);
        let same = self.wallets.get(&account).is_some_and(|known| known.class == class);
        let over = cap.is_some_and(|cap| held > i128::from(cap));
        if same || over { Err(Irregularity::Limit { limit: "balance", account }) } else { Ok(()) }
    }

    fn check_closing(&self, account: AccountId) -> Found {
        self.must_be_open(account)?;
        let empty = self.held_in(account) == 0 && self.children(account).next().is_none();
        let done = empty || self.above(account).is_some();
        if done { Ok(()) } else { Err(Irregularity::Standing(account)) }
    }

    fn check_rest(&self, at: Timestamp, account: AccountId) -> Found {
        self.must_be_awake(account)?;
        self.must_be_below(account, false)?;
        let days = self.rules.dormant_after_days.map(u64::from);
        let moved = self.wallets.get(&account).map_or(at, |known| known.moved);
        let rested =
            days.is_some_and(|days| moved.plus_seconds(days.saturating_mul(DAY_SECONDS)) <= at);
        if rested { Ok(()) } else { Err(Irregularity::Standing(account)) }
    }

    fn check_sub_limits(&self, parent: AccountId, limits: &SubLimits) -> Found {
        let Some(class) = self.limits(parent, false) else { return Ok(()) };
        let wider = [
            (limits.per_payment, class.per_payment),
            (limits.per_day, class.per_day),
            (limits.balance, class.balance),
        ]
        .into_iter()
        .any(|(limit, of)| of.is_some_and(|of| limit > of));
        let full = self.children(parent).count() >= MOST_BELOW;
        if wider || full { Err(Irregularity::SubWallet(parent)) } else { Ok(()) }
    }
}
