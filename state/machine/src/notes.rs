//! What the books hold of bearer notes: the rules, the keysets of all banks, and what each wallet
//! has withdrawn into notes.

use crate::books::Books;
use borsh::{BorshDeserialize, BorshSerialize};
use std::collections::BTreeMap;
use yufu_ledger::{BankNumber, Spending, WalletSlot};
use yufu_mint::Mint;
use yufu_registry::{InstitutionNumber, NoteRules};

#[derive(Clone, Debug, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(crate) struct Notes {
    pub(crate) rules: Option<NoteRules>,
    pub(crate) mint: Mint,
    /// What was withdrawn from each wallet that ever did, in its latest day and year.
    pub(crate) withdrawn: BTreeMap<WalletSlot, Spending>,
}

impl Notes {
    /// Puts them into books that were read back, if all that is behind notes is found there and is
    /// no less than is out.
    pub(crate) fn put_into(self, books: &mut Books) -> bool {
        let Books { registry, ledger, notes, .. } = books;
        let banks: Vec<_> = ledger.banks().collect();
        for bank in &banks {
            let Some(name) = registry.name(InstitutionNumber(bank.0)) else { return false };
            ledger.restore_bearer(*bank, name);
            let backed = match ledger.bearer_of(*bank) {
                Some(behind) => u128::from(behind) >= self.mint.outstanding(bank.0),
                None => !self.mint.has_keysets(bank.0),
            };
            if !backed {
                return false;
            }
        }
        let is_known = |owner| banks.contains(&BankNumber(owner));
        let known = self.mint.keysets().all(|(_, keyset)| is_known(keyset.owner));
        let fit = known && self.withdrawn.keys().all(|wallet| ledger.is_wallet(*wallet));
        *notes = self;
        fit
    }
}
