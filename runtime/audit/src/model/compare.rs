//! At the end of the log: the machine's accounts and totals against the recomputed ones.

use super::Model;
use super::flows::Place;
use crate::finding::Irregularity;
use std::collections::BTreeMap;
use yufu_base::AccountId;
use yufu_machine::{AccountKind, Machine, institution_account};

impl Model {
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
        let central_bank = self
            .institutions
            .iter()
            .find_map(|(id, (role, _))| (*role == yufu_machine::Role::CentralBank).then_some(id));
        let id = |place: &Place| {
            let (institution, kind) = match place {
                Place::Wallet(id) => return Some(*id),
                Place::PaperPublic => (central_bank?, AccountKind::PaperPublic),
                Place::Reserve(bank) => (bank, AccountKind::Reserve),
                Place::PaperVault(bank) => (bank, AccountKind::PaperVault),
                Place::Vault(bank) => (bank, AccountKind::Vault),
                Place::Deposits(bank) => (bank, AccountKind::Deposits),
            };
            Some(institution_account(institution, kind))
        };
        self.held.iter().filter_map(|(place, held)| Some((id(place)?, *held))).collect()
    }
}
