//! The auditor's own plain books: what is held where, from the accepted commands alone, with
//! none of the machine's accounts, postings or counters. What was done is held against rules
//! written a second time; what was refused is checked where the reason names a number.

mod compare;
mod flows;
mod spent;
mod wallets;

use crate::finding::Irregularity;
use flows::{Flow, Place};
use spent::Spent;
use std::collections::{BTreeMap, BTreeSet};
use wallets::Known;
use yufu_base::{
    AccountId, Amount, CommandId, Currency, Digest, InstitutionId, PublicKey, Timestamp,
};
use yufu_machine::{
    AccountKind, Action, Authorisation, ClassId, HoldingTerms, Limits, Outcome, PolicyTerms,
    Refusal, Role, Standing, Submission,
};

type Found = Result<(), Irregularity>;

#[derive(Default)]
pub(crate) struct Model {
    currency: Option<Currency>,
    terms: Option<PolicyTerms>,
    rules: HoldingTerms,
    institutions: BTreeMap<InstitutionId, (Role, PublicKey)>,
    wallets: BTreeMap<AccountId, Known>,
    /// Wallets and the sub-wallets that were ever opened below them.
    below: BTreeSet<(AccountId, AccountId)>,
    /// What all wallets of a class at a bank hold.
    sums: BTreeMap<(InstitutionId, ClassId), i128>,
    held: BTreeMap<Place, i128>,
    /// M0 created less M0 cancelled.
    issued: i128,
    spent: Spent,
    /// What every admitted id was first answered. All of them: an audit forgets nothing.
    answered: BTreeMap<CommandId, (Digest, Outcome)>,
}

impl Model {
    /// Takes note of a command and its outcome, and says what does not fit.
    pub(crate) fn observe(
        &mut self,
        at: Timestamp,
        command: &Submission,
        outcome: &Outcome,
    ) -> Vec<Irregularity> {
        let id = command.order.id;
        let signed = Submission::signing_bytes(&command.institution, &command.order);
        let content = Digest::of(&signed);
        if outcome.as_ref().is_err_and(Refusal::before_admission) {
            return Vec::new();
        }
        if let Some((first_content, first)) = self.answered.get(&id) {
            let repeat = *first_content == content && first == outcome;
            return if repeat { Vec::new() } else { vec![Irregularity::IdUsedTwice] };
        }
        self.answered.insert(id, (content, outcome.clone()));
        match outcome {
            Ok(_) => self.accept(at, command),
            Err(refusal) => {
                self.check_refusal(at, &command.order.action, refusal).err().into_iter().collect()
            }
        }
    }

    /// Every rule the command breaks is found, but it was done: its effects are noted.
    fn accept(&mut self, at: Timestamp, command: &Submission) -> Vec<Irregularity> {
        let (by, action) = (&command.institution, &command.order.action);
        let mut found = Vec::new();
        let mut note = |check: Found| found.extend(check.err());
        if let Action::Genesis { currency, central_bank, key, policy } = action {
            let first = self.currency.is_none() && by == central_bank && *key == command.key;
            note(first.then_some(()).ok_or_else(|| Irregularity::Permission(by.clone())));
            self.currency = Some(*currency);
            self.terms = Some(policy.terms().clone());
            self.institutions.insert(central_bank.clone(), (Role::CentralBank, *key));
            return found;
        }
        note(self.check_submitter(by, &command.key, action));
        if let Some(amount) = flows::amount(action) {
            note(self.check_amount(amount));
        }
        if let Action::Pay { payer, payee, amount, authorisation, .. } = action {
            let stepped_up = *authorisation != Authorisation::Ordinary;
            found.extend(self.check_payment(at, (*payer, *payee), amount.minor(), stepped_up));
            found.extend(self.check_below(at, (*payer, *payee), amount.minor()));
            self.spend(at, *payer, amount.minor());
            if let Some(above) = self.above(*payer) {
                self.spend(at, above, amount.minor());
            }
        }
        found.extend(self.check_wallets(by, action).err());
        found.extend(self.check_life(at, action).err());
        for flow in flows::of(by, action).into_iter().chain(self.flow_below(action)) {
            found.extend(self.flow(&flow).err());
        }
        if let Some(wallet) = flows::filled(action) {
            found.extend(self.check_cap(wallet).err());
        }
        found.extend(self.change(by, action).err());
        found.extend(self.live(at, by, action));
        found
    }

    fn check_submitter(&self, by: &InstitutionId, key: &PublicKey, action: &Action) -> Found {
        let (role, current) =
            self.institutions.get(by).ok_or_else(|| Irregularity::Permission(by.clone()))?;
        if current != key {
            return Err(Irregularity::Key(by.clone()));
        }
        let permitted = match action {
            Action::OpenWallet { .. }
            | Action::CreditDeposits { .. }
            | Action::Exchange { .. }
            | Action::Pay { .. }
            | Action::SetClass { .. }
            | Action::CloseWallet { .. }
            | Action::FlagDormant { .. }
            | Action::Reactivate { .. }
            | Action::OpenSubWallet { .. }
            | Action::FundSubWallet { .. } => *role == Role::Bank,
            Action::ReplaceKey { institution, .. } => {
                *role == Role::CentralBank || institution == by
            }
            _ => *role == Role::CentralBank,
        };
        if permitted { Ok(()) } else { Err(Irregularity::Permission(by.clone())) }
    }

    fn check_amount(&self, amount: Amount) -> Found {
        let fits = amount.minor() > 0 && Some(amount.currency()) == self.currency;
        if fits { Ok(()) } else { Err(Irregularity::Malformed) }
    }

    /// The wallet that gives, or takes part in an exchange, is operated by the submitter.
    fn check_wallets(&self, by: &InstitutionId, action: &Action) -> Found {
        let operated = |id: AccountId| match self.wallets.get(&id) {
            Some(known) if known.bank == *by => Ok(()),
            _ => Err(Irregularity::Wallet(id)),
        };
        match action {
            Action::Pay { payer, payee, .. } => {
                operated(*payer)?;
                if payer == payee {
                    return Err(Irregularity::Malformed);
                }
                let there = self.wallets.contains_key(payee);
                if there { Ok(()) } else { Err(Irregularity::Wallet(*payee)) }
            }
            Action::Exchange { direction, .. } => {
                flows::wallet(*direction).map_or(Ok(()), operated)
            }
            Action::SetClass { account, .. }
            | Action::CloseWallet { account }
            | Action::FlagDormant { account }
            | Action::Reactivate { account, .. }
            | Action::FundSubWallet { account, .. } => operated(*account),
            Action::OpenSubWallet { parent, payee, .. } => {
                operated(*parent)?;
                let there = parent != payee && self.wallets.contains_key(payee);
                if there { Ok(()) } else { Err(Irregularity::Wallet(*payee)) }
            }
            _ => Ok(()),
        }
    }

    fn check_payment(
        &self,
        at: Timestamp,
        (payer, payee): (AccountId, AccountId),
        minor: u64,
        stepped_up: bool,
    ) -> Vec<Irregularity> {
        // A sub-wallet's payment is one of the wallet above it.
        let payer = self.above(payer).unwrap_or(payer);
        let Some(limits) = self.limits(payer, stepped_up) else {
            return vec![Irregularity::Wallet(payer)];
        };
        let (day, year) = self.spent_so_far(at, payer);
        let minor = u128::from(minor);
        let payee_full = self.check_room(payee, minor).err();
        [
            ("single", limits.per_payment, 0),
            ("daily", limits.per_day, day),
            ("yearly", limits.per_year, year),
        ]
        .into_iter()
        .filter(|(_, limit, used)| {
            limit.is_some_and(|limit| used.saturating_add(minor) > u128::from(limit))
        })
        .map(|(limit, _, _)| Irregularity::Limit { limit, account: payer })
        .chain(payee_full)
        .collect()
    }

    fn check_room(&self, wallet: AccountId, minor: u128) -> Found {
        let wallet = self.above(wallet).unwrap_or(wallet);
        let cap = self.limits(wallet, false).and_then(|limits| limits.balance);
        let held = u128::try_from(self.held_with_below(wallet)).unwrap_or(0);
        let over = cap.is_some_and(|cap| held.saturating_add(minor) > u128::from(cap));
        let limit = Irregularity::Limit { limit: "balance", account: wallet };
        if over { Err(limit) } else { Ok(()) }
    }

    /// What is in a wallet that an exchange has filled is no more than it may hold.
    fn check_cap(&self, wallet: AccountId) -> Found {
        self.check_room(wallet, 0)
    }

    fn check_refusal(&self, at: Timestamp, action: &Action, refusal: &Refusal) -> Found {
        let Action::Pay { payer, amount, .. } = action else { return Ok(()) };
        let (day, _) = self.spent_so_far(at, *payer);
        let counted = self.above(*payer).unwrap_or(*payer);
        let (above_day, above_year) = self.spent_so_far(at, counted);
        let borne_out = match refusal {
            Refusal::InsufficientFunds { account: AccountKind::Wallet, available, .. } => {
                let held = self.held_in(*payer);
                held == i128::from(*available) && held < i128::from(amount.minor())
            }
            Refusal::LimitExceeded(exceeded) => {
                use yufu_machine::LimitKind as Kind;
                let used = match exceeded.kind {
                    Kind::Single | Kind::SubSingle => 0,
                    Kind::Daily => above_day,
                    Kind::Yearly => above_year,
                    Kind::SubDaily => day,
                    Kind::Balance | Kind::Aggregate | Kind::SubBalance => {
                        return Err(Irregularity::Refusal(refusal.to_string()));
                    }
                };
                let remaining = u128::from(exceeded.limit).saturating_sub(used);
                remaining == u128::from(exceeded.remaining)
                    && u128::from(amount.minor()) > remaining
            }
            Refusal::AccountUnknown(id) => !self.wallets.contains_key(id),
            Refusal::AccountClosed(id) => self.stands(*id) == Some(Standing::Closed),
            Refusal::AccountDormant(id) => self.stands(*id) == Some(Standing::Dormant),
            _ => true,
        };
        if borne_out { Ok(()) } else { Err(Irregularity::Refusal(refusal.to_string())) }
    }

    fn limits(&self, wallet: AccountId, stepped_up: bool) -> Option<Limits> {
        let class = self.wallets.get(&wallet)?.class;
        let class = self.terms.as_ref()?.classes.get(&class)?;
        Some(class.stepped_up.filter(|_| stepped_up).unwrap_or(class.ordinary))
    }

    fn spent_so_far(&self, at: Timestamp, wallet: AccountId) -> (u128, u128) {
        self.terms.as_ref().map_or((0, 0), |terms| self.spent.so_far(terms, at, wallet))
    }

    fn spend(&mut self, at: Timestamp, wallet: AccountId, minor: u64) {
        if let Some(terms) = &self.terms {
            self.spent.add(terms, at, wallet, minor);
        }
    }

    fn held_in(&self, wallet: AccountId) -> i128 {
        self.held.get(&Place::Wallet(wallet)).copied().unwrap_or(0)
    }

    fn flow(&mut self, flow: &Flow) -> Found {
        let minor = i128::from(flow.minor);
        if flow.issues {
            self.issued = self.issued.saturating_add(minor);
        }
        if flow.cancels {
            self.issued = self.issued.saturating_sub(minor);
        }
        for (place, minor) in [(&flow.to, minor), (&flow.from, minor.saturating_neg())] {
            if let Some(Place::Wallet(wallet)) = place {
                self.sum(*wallet, minor);
            }
        }
        if let Some(to) = &flow.to {
            let held = self.held.entry(to.clone()).or_default();
            *held = held.saturating_add(minor);
        }
        if let Some(from) = &flow.from {
            let held = self.held.entry(from.clone()).or_default();
            *held = held.saturating_sub(minor);
            if *held < 0 {
                return Err(Irregularity::Overdrawn(format!("{from:?}")));
            }
        }
        Ok(())
    }

    /// What an accepted command opens or changes besides money.
    fn change(&mut self, by: &InstitutionId, action: &Action) -> Found {
        let replaced = match action {
            Action::RegisterBank { bank, key } => {
                self.institutions.insert(bank.clone(), (Role::Bank, *key)).is_some()
            }
            Action::ReplaceKey { institution, key } => {
                match self.institutions.get_mut(institution) {
                    Some((_, current)) => *current = *key,
                    None => return Err(Irregularity::Permission(by.clone())),
                }
                false
            }
            Action::SetPolicy { policy } => {
                self.terms = Some(policy.terms().clone());
                false
            }
            _ => false,
        };
        if replaced { Err(Irregularity::OpenedTwice) } else { Ok(()) }
    }
}
