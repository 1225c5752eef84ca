//! The accounts of institutions: made when a bank is registered, with ids that follow from its
//! name, so that they are the same in every replica and can be named without asking.

use crate::account::{Account, AccountKind};
use crate::ledger::{Ledger, Slot};
use borsh::{BorshDeserialize, BorshSerialize};
use yufu_base::{AccountId, Digest, InstitutionId};

/// What the caller numbers a bank by. The ledger keeps it and does not interpret it.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize,
)]
pub struct BankNumber(pub u32);

/// Why an account was not opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChartError {
    /// The bank has no accounts here.
    #[error("the bank has no accounts in this ledger")]
    BankUnknown,
    /// The account id, or the bank, is taken.
    #[error("account {0} exists already: draw a new id at random")]
    AccountExists(AccountId),
    /// 2^32 accounts are open.
    #[error("no more accounts can be opened in this ledger")]
    Full,
}

/// The accounts a bank has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(crate) struct Desk {
    pub(crate) reserve: Slot,
    pub(crate) paper_vault: Slot,
    pub(crate) vault: Slot,
    pub(crate) bank_assets: Slot,
    pub(crate) deposits: Slot,
}

impl Desk {
    const KINDS: [AccountKind; 5] = [
        AccountKind::Reserve,
        AccountKind::PaperVault,
        AccountKind::Vault,
        AccountKind::BankAssets,
        AccountKind::Deposits,
    ];

    /// All its accounts.
    pub(crate) const fn slots(&self) -> [Slot; 5] {
        [self.reserve, self.paper_vault, self.vault, self.bank_assets, self.deposits]
    }

    /// The slot of one of the bank's accounts; `None` for a kind a bank does not have.
    pub(crate) const fn slot(&self, kind: AccountKind) -> Option<Slot> {
        match kind {
            AccountKind::Reserve => Some(self.reserve),
            AccountKind::PaperVault => Some(self.paper_vault),
            AccountKind::Vault => Some(self.vault),
            AccountKind::BankAssets => Some(self.bank_assets),
            AccountKind::Deposits => Some(self.deposits),
            AccountKind::Backing
            | AccountKind::PaperPublic
            | AccountKind::Wallet
            | AccountKind::InFlight
            | AccountKind::BearerNotes => None,
        }
    }
}

/// The id of an institution's account of a kind: 128 bits derived from its name and the kind.
#[must_use]
pub fn institution_account(institution: &InstitutionId, kind: AccountKind) -> AccountId {
    let name = format!("{}\0{kind:?}", institution.as_str());
    let digest = Digest::derive("yufu institution account v1", name.as_bytes());
    let bits = digest.0.iter().take(16).fold(0, |bits, byte| (bits << 8) | u128::from(*byte));
    AccountId::new(bits)
}

impl<C> Ledger<C> {
    /// Opens the accounts of a bank.
    ///
    /// # Errors
    /// [`ChartError::AccountExists`] if the number or one of the ids is taken,
    /// [`ChartError::Full`]; nothing changes then.
    pub fn open_bank(
        &mut self,
        number: BankNumber,
        name: &InstitutionId,
    ) -> Result<(), ChartError> {
        let ids = Desk::KINDS.map(|kind| institution_account(name, kind));
        let taken = |id: &&AccountId| self.account(**id).is_some();
        if let Some(id) = ids.iter().find(taken) {
            return Err(ChartError::AccountExists(*id));
        }
        if self.desk(number).is_some() {
            return Err(ChartError::AccountExists(institution_account(name, AccountKind::Reserve)));
        }
        let slots = self.free_slots::<5>().ok_or(ChartError::Full)?;
        for ((id, kind), slot) in ids.into_iter().zip(Desk::KINDS).zip(slots) {
            self.put(slot, id, Account::institutional(kind));
        }
        let [reserve, paper_vault, vault, bank_assets, deposits] = slots;
        self.put_desk(number, Desk { reserve, paper_vault, vault, bank_assets, deposits });
        Ok(())
    }

    /// The account of one of a bank's own kinds.
    #[must_use]
    pub fn bank_account(&self, bank: BankNumber, kind: AccountKind) -> Option<&Account<C>> {
        Some(self.at(self.desk(bank)?.slot(kind)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> InstitutionId {
        text.parse().unwrap()
    }

    fn ledger() -> Ledger<u8> {
        let mut ledger = Ledger::new(&name("central-bank"));
        ledger.open_bank(BankNumber(1), &name("bank")).unwrap();
        ledger
    }

    #[test]
    fn the_ids_of_institutions_never_change() {
        let id = institution_account(&name("bank"), AccountKind::Vault);
        assert_eq!(id.to_string(), "e79d0d3b-f95c-84a9-8f84-13c0a959e43e");
        assert!(ledger().account(id).is_some());
    }

    #[test]
    fn a_bank_has_its_accounts_once() {
        let mut ledger = ledger();
        let before = ledger.clone();
        let id = institution_account(&name("bank"), AccountKind::Reserve);
        assert_eq!(
            ledger.open_bank(BankNumber(2), &name("bank")),
            Err(ChartError::AccountExists(id))
        );
        assert!(ledger.open_bank(BankNumber(1), &name("other")).is_err());
        assert_eq!(ledger, before);
    }

    #[test]
    fn a_wallet_that_squats_on_a_banks_id_stops_its_registration_and_changes_nothing() {
        let mut ledger = ledger();
        let squatted = institution_account(&name("other"), AccountKind::Vault);
        ledger.open_wallet(squatted, BankNumber(1), 4, yufu_base::Timestamp::default()).unwrap();
        let before = ledger.clone();
        assert_eq!(
            ledger.open_bank(BankNumber(2), &name("other")),
            Err(ChartError::AccountExists(squatted))
        );
        assert_eq!(ledger, before);
    }
}
