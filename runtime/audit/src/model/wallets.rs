//! A wallet's life by the auditor's own books: its class, where it stands, when it last moved.
//! Written apart from the machine's steps.

use super::below::Below;
use super::flows;
use super::limits::Paying;
use super::{Found, Model};
use crate::finding::Irregularity;
use yufu_base::{AccountId, InstitutionId, Timestamp};
use yufu_machine::{Action, ClassId, Standing};

const DAY_SECONDS: u64 = 86_400;

/// What the auditor knows of a wallet besides its money.
#[derive(Clone)]
pub(super) struct Known {
    pub(super) bank: InstitutionId,
    pub(super) class: ClassId,
    pub(super) standing: Standing,
    pub(super) moved: Timestamp,
    pub(super) below: Option<Below>,
}

impl Model {
    pub(super) fn stands(&self, id: AccountId) -> Option<Standing> {
        self.wallets.get(&id).map(|known| known.standing)
    }

    /// Notes what a flow adds to, or takes from, the sum of a wallet's class.
    pub(super) fn sum(&mut self, wallet: AccountId, minor: i128) {
        if let Some(known) = self.wallets.get(&wallet) {
            let sum = self.sums.entry((known.bank.clone(), known.class)).or_default();
            *sum = sum.saturating_add(minor);
        }
    }

    /// Every wallet of a command stands as the command needs it.
    pub(super) fn check_life(&self, at: Timestamp, action: &Action) -> Found {
        match action {
            Action::Pay { payer, payee, .. } | Action::HoldPayment { payer, payee, .. } => {
                self.check_both(*payer, *payee)
            }
            Action::PayAvailable { payer, payee, close, most, .. } => {
                self.check_both(*payer, *payee)?;
                if *close { self.check_closing_by(*payer, most.minor()) } else { Ok(()) }
            }
            Action::Refund { of, .. } => match self.reversals.payment(*of) {
                Some(paid) => self.check_both(paid.payee, paid.payer),
                None => Ok(()),
            },
            Action::DisputePayment { of, .. } => match self.reversals.payment(*of) {
                Some(paid) => {
                    self.must_be_open(paid.payee)?;
                    self.must_be_open(paid.payer)
                }
                None => Ok(()),
            },
            Action::OrderFreeze { account, .. } => self.must_be_open(*account),
            Action::SendAbroad { sending } => {
                self.must_be_awake(sending.payer)?;
                self.must_be_below(sending.payer, false)
            }
            Action::MintNotes { minting } => {
                self.must_be_awake(minting.payer)?;
                self.must_be_below(minting.payer, false)
            }
            Action::MeltNotes { melting } => self.must_be_open(melting.payee),
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

    /// What an accepted command changes about wallets, and the sums it must leave within their cap.
    pub(super) fn live(
        &mut self,
        at: Timestamp,
        by: &InstitutionId,
        action: &Action,
        paying: Option<&Paying>,
    ) -> Option<Irregularity> {
        let grown = self.grown(action, paying);
        let replaced = match action {
            Action::OpenWallet { account, class } => self.opened(at, by, *account, *class, None),
            Action::OpenSubWallet { account, parent, payee, limits, .. } => {
                let class = self.wallets.get(parent)?.class;
                let below = Below { parent: *parent, payee: *payee, limits: *limits };
                self.opened(at, by, *account, class, Some(below))
            }
            _ => {
                for id in self.changed(action, paying) {
                    self.know(id, |known| known.moved = at);
                }
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

    /// What an action changes about a wallet; gives those in which something moved.
    fn changed(&mut self, action: &Action, paying: Option<&Paying>) -> Vec<AccountId> {
        let mut touched: Vec<AccountId> = Vec::new();
        match action {
            Action::SetHoldingRules { rules } => self.rules = rules.terms().clone(),
            Action::SetClass { account, class } => {
                let all: Vec<_> = self.children(*account).chain([*account]).collect();
                for id in all {
                    let held = self.coming_to(id);
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
            Action::Pay { payer, .. }
            | Action::HoldPayment { payer, .. }
            | Action::PayAvailable { payer, .. } => {
                let above = self.above(*payer);
                touched.extend(paying.into_iter().flat_map(|one| [one.payer, one.payee]));
                touched.extend(above.filter(|_| paying.is_some()));
                if matches!(action, Action::PayAvailable { close: true, .. }) {
                    self.know(*payer, |known| known.standing = Standing::Closed);
                }
            }
            Action::Refund { of, .. } => {
                let paid = self.reversals.payment(*of);
                touched.extend(paid.into_iter().flat_map(|paid| [paid.payee, paid.payer]));
            }
            Action::Exchange { direction, .. } => touched.extend(flows::wallet(*direction)),
            Action::FundSubWallet { account, .. } => {
                touched.extend([*account].into_iter().chain(self.above(*account)));
            }
            _ => {}
        }
        touched
    }

    /// Something moved in a wallet.
    pub(super) fn touched(&mut self, at: Timestamp, id: AccountId) {
        self.know(id, |known| known.moved = at);
    }

    fn know(&mut self, id: AccountId, change: impl FnOnce(&mut Known)) {
        if let Some(known) = self.wallets.get_mut(&id) {
            change(known);
        }
    }

    /// The bank and class whose sum a command makes larger.
    fn grown(&self, action: &Action, paying: Option<&Paying>) -> Option<(InstitutionId, ClassId)> {
        let of =
            |id: &AccountId| self.wallets.get(id).map(|known| (known.bank.clone(), known.class));
        let between = |from, to| of(&to).filter(|to| Some(to) != of(&from).as_ref());
        match (action, paying) {
            (_, Some(paying)) => between(paying.payer, paying.payee),
            (Action::Refund { of, .. } | Action::DisputePayment { of, .. }, _) => {
                let paid = self.reversals.payment(*of)?;
                between(paid.payee, paid.payer)
            }
            // An empty wallet adds nothing to its new class, which may be over a cap that was lowered.
            (Action::SetClass { account, class }, _) => of(account)
                .filter(|_| self.held_with_below(*account) > 0)
                .map(|(bank, _)| (bank, *class)),
            (Action::MeltNotes { melting }, _) => of(&melting.payee),
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

    fn check_new_class(&self, account: AccountId, class: ClassId) -> Found {
        let terms = self.terms.as_ref().and_then(|terms| terms.classes.get(&class));
        let cap = terms.ok_or(Irregularity::Malformed)?.ordinary.balance;
        let held = self.held_with_below(account);
        let same = self.wallets.get(&account).is_some_and(|known| known.class == class);
        let over = cap.is_some_and(|cap| held > i128::from(cap));
        if same || over { Err(Irregularity::Limit { limit: "balance", account }) } else { Ok(()) }
    }

    /// Who gives is open and awake, with the wallet above it; who gets is open.
    fn check_both(&self, gives: AccountId, gets: AccountId) -> Found {
        self.must_be_open(gets)?;
        self.must_be_awake(gives)?;
        self.above(gives).map_or(Ok(()), |above| self.must_be_awake(above))
    }

    fn check_closing(&self, account: AccountId) -> Found {
        self.must_be_open(account)?;
        if self.freezes.hold(account) {
            return Err(Irregularity::Frozen(account));
        }
        let empty = self.held_in(account) == 0 && self.children(account).next().is_none();
        let done = empty || self.above(account).is_some();
        let free = !self.pending.hangs_on(account);
        if done && free { Ok(()) } else { Err(Irregularity::Standing(account)) }
    }

    /// A wallet that is closed with its last payment, of at most `most`, holds no more than that.
    fn check_closing_by(&self, account: AccountId, most: u64) -> Found {
        self.must_be_below(account, false)?;
        let empties = self.held_in(account) <= i128::from(most);
        let alone = self.children(account).next().is_none() && !self.pending.hangs_on(account);
        if empties && alone { Ok(()) } else { Err(Irregularity::Standing(account)) }
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
}
