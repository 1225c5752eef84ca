//! At the end of the log: the machine's accounts and totals against the recomputed ones.

use super::Model;
use super::flows::Place;
use crate::finding::Irregularity;
use crate::report::PendingReport;
use std::collections::BTreeMap;
use yufu_base::{AccountId, InstitutionId};
use yufu_machine::{AccountKind, ClassId, Machine, institution_account};

impl Model {
    /// What is pending, by the recomputed books.
    pub(crate) fn pending(&self) -> PendingReport {
        let (transfers, amount) = self.pending.totals();
        PendingReport { transfers, amount }
    }

    /// Every difference between the machine's state and the recomputed books.
    pub(crate) fn compare(&self, machine: &Machine) -> Vec<Irregularity> {
        let mut found = Vec::new();
        let mut recomputed = self.balances();
        let (mut debits, mut credits) = (0_u128, 0_u128);
        for (id, account) in machine.accounts() {
            debits = debits.saturating_add(account.debits().into());
            credits = credits.saturating_add(account.credits().into());
            let expected = match account.kind() {
                // The two counter-accounts are held against totals below.
                AccountKind::Backing | AccountKind::BankAssets => continue,
                _ => recomputed.remove(&id).unwrap_or(0),
            };
            let holds = account.balance();
            if i128::from(holds) != expected {
                found.push(Irregularity::Balance {
                    account: id,
                    machine: holds,
                    recomputed: expected,
                });
            }
        }
        // What is left over is held by no account of the machine.
        found.extend(recomputed.into_iter().filter(|(_, held)| *held != 0).map(
            |(account, recomputed)| Irregularity::Balance { account, machine: 0, recomputed },
        ));
        if debits != credits {
            found.push(Irregularity::DoubleEntry { debits, credits });
        }
        found.extend(self.compare_totals(machine));
        found.extend(self.compare_wallets(machine));
        found.extend(self.compare_pending(machine));
        found.extend(self.compare_abroad(machine));
        found.extend(self.compare_notes(machine));
        found.extend(self.compare_counts(machine));
        found
    }

    fn compare_totals(&self, machine: &Machine) -> Vec<Irregularity> {
        let supply = machine.supply();
        let sum = |of: fn(&Place) -> bool| {
            let held = self.held.iter().filter(|(place, _)| of(place)).map(|(_, held)| *held);
            held.fold(0_i128, i128::saturating_add)
        };
        let m0 = sum(|place| !matches!(place, Place::Deposits(_)));
        let deposits = sum(|place| matches!(place, Place::Deposits(_)));
        [
            ("M0 issued, against what is held and in flight,", supply.backing, m0),
            ("M0 issued", supply.backing, self.issued),
            ("reserves", supply.reserves, sum(|place| matches!(place, Place::Reserve(_)))),
            ("notes in vaults", supply.paper_vaults, sum(|p| matches!(p, Place::PaperVault(_)))),
            ("notes of the public", supply.paper_public, sum(|p| matches!(p, Place::PaperPublic))),
            ("banks' stocks", supply.vaults, sum(|place| matches!(place, Place::Vault(_)))),
            ("wallets", supply.wallets, sum(|place| matches!(place, Place::Wallet(_)))),
            ("money in flight", supply.in_flight, sum(|p| matches!(p, Place::InFlight(_)))),
            ("backing of bearer notes", supply.bearer, sum(|p| matches!(p, Place::Bearer(_)))),
            ("deposits", supply.deposits, deposits),
            ("counter-accounts of deposits", supply.bank_assets, deposits),
        ]
        .into_iter()
        .filter(|(_, machine, recomputed)| u128::try_from(*recomputed) != Ok(*machine))
        .map(|(total, machine, recomputed)| Irregularity::Total { total, machine, recomputed })
        .collect()
    }

    /// The recomputed balances by account id.
    fn balances(&self) -> BTreeMap<AccountId, i128> {
        let central_bank = self.name();
        let id = |place: &Place| {
            let (institution, kind) = match place {
                Place::Wallet(id) => return Some(*id),
                Place::PaperPublic => (central_bank?, AccountKind::PaperPublic),
                Place::Reserve(bank) => (bank, AccountKind::Reserve),
                Place::PaperVault(bank) => (bank, AccountKind::PaperVault),
                Place::Vault(bank) => (bank, AccountKind::Vault),
                Place::Deposits(bank) => (bank, AccountKind::Deposits),
                Place::InFlight(peer) => (peer, AccountKind::InFlight),
                Place::Bearer(bank) => (bank, AccountKind::BearerNotes),
            };
            Some(institution_account(institution, kind))
        };
        self.held.iter().filter_map(|(place, held)| Some((id(place)?, *held))).collect()
    }

    /// The machine's wallets and sums of classes against these.
    fn compare_wallets(&self, machine: &Machine) -> Vec<Irregularity> {
        let mut found = Vec::new();
        for (id, known) in &self.wallets {
            let view = machine.wallet(*id, known.moved);
            let same = view.is_some_and(|view| {
                (view.class, view.standing, view.parent, view.frozen)
                    == (known.class, known.standing, self.above(*id), self.freezes.hold(*id))
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

    /// What is pending, by and to each wallet, and how many there are.
    fn compare_pending(&self, machine: &Machine) -> Vec<Irregularity> {
        let mut found = Vec::new();
        let mut sums = self.pending.sums();
        for (wallet, minor) in self.may_come_back() {
            let (_, to) = sums.entry(wallet).or_default();
            *to = to.saturating_add(minor);
        }
        for (id, known) in &self.wallets {
            let Some(view) = machine.wallet(*id, known.moved) else { continue };
            let (by, to) = sums.get(id).copied().unwrap_or_default();
            let promised = view.balance.minor().saturating_sub(view.available.minor());
            let pairs = [("by", promised, by), ("to", view.promised.minor(), to)];
            for (way, machine, recomputed) in pairs {
                if i128::from(machine) != recomputed {
                    let account = *id;
                    found.push(Irregularity::Promised { way, account, machine, recomputed });
                }
            }
        }
        found
    }

    /// Counts that the machine publishes.
    fn compare_counts(&self, machine: &Machine) -> Vec<Irregularity> {
        let totals = machine.totals();
        let (of_machine, own) = (totals.freezes, self.freezes.counts());
        let number = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
        [
            ("pending transfers", number(totals.holds), number(self.pending.totals().0)),
            ("freezes ordered", of_machine.ordered, own.ordered),
            ("freezes confirmed", of_machine.confirmed, own.confirmed),
            ("freezes lapsed", of_machine.lapsed, own.lapsed),
            ("freezes lifted", of_machine.lifted, own.lifted),
            ("freezes never confirmed", of_machine.unconfirmed, own.unconfirmed),
            ("freezes in force", of_machine.in_force, own.in_force),
        ]
        .into_iter()
        .filter(|(_, machine, recomputed)| machine != recomputed)
        .map(|(total, machine, recomputed)| Irregularity::Total {
            total,
            machine: machine.into(),
            recomputed: recomputed.into(),
        })
        .collect()
    }
}
