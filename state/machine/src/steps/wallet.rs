//! A wallet's life: opened of a class the policy has at the bank that will operate it, moved to
//! another class, closed when it is empty.

use crate::books::{Books, Found, Submitter};
use crate::limits;
use crate::outcome::Done;
use crate::refusal::Refusal;
use yufu_base::AccountId;
use yufu_ledger::{Standing, WalletSlot};
use yufu_registry::{ClassId, Role};

impl Books {
    pub(crate) fn open_wallet(
        &mut self,
        by: Submitter,
        account: AccountId,
        class: ClassId,
    ) -> Result<Done, Refusal> {
        by.must_be(Role::Bank)?;
        if self.policy().class(class).is_none() {
            return Err(Refusal::ClassUnknown(class));
        }
        self.ledger.open_wallet(account, by.bank(), class, by.now)?;
        Ok(by.done(Some(self.amount(0))))
    }

    /// Its sub-wallets follow into the new class: what they hold counts for it.
    pub(crate) fn set_class(
        &mut self,
        by: Submitter,
        account: AccountId,
        class: ClassId,
    ) -> Result<Done, Refusal> {
        by.must_be(Role::Bank)?;
        let next = self.policy().class(class).ok_or(Refusal::ClassUnknown(class))?;
        let found = self.own_wallet(by, account)?;
        found.must_be_awake()?;
        self.must_not_be_below(&found)?;
        if found.wallet.class == class {
            return Err(Refusal::ClassUnchanged(class));
        }
        let held = self.held_with_below(&found);
        limits::check_holding(self.policy(), next, 0, held)?;
        let together = self.ledger.held_or_promised_by_class(by.bank(), class);
        limits::check_aggregate(&self.registry, class, together, held)?;
        let (slot, balance) = (found.slot, found.balance);
        for slot in self.below(account).chain([slot]).collect::<Vec<_>>() {
            self.ledger.set_class(slot, class);
        }
        Ok(by.done(Some(self.amount(balance))))
    }

    pub(crate) fn close_wallet(
        &mut self,
        by: Submitter,
        account: AccountId,
    ) -> Result<Done, Refusal> {
        by.must_be(Role::Bank)?;
        let found = self.own_wallet(by, account)?;
        found.must_not_be_frozen()?;
        found.must_not_have_holds()?;
        if let Some(below) = self.sub_wallets.get(account) {
            return self.close_sub_wallet(by, (account, found.slot, found.balance), below.parent);
        }
        if self.below(account).next().is_some() {
            return Err(Refusal::HasSubWallets(account));
        }
        if found.balance > 0 {
            return Err(Refusal::NotEmpty(found.balance));
        }
        let slot = found.slot;
        self.ledger.set_standing(slot, Standing::Closed);
        Ok(by.done(Some(self.amount(0))))
    }

    /// Whether it could be closed if it were empty.
    pub(crate) fn must_be_closable(&self, found: &Found<'_>) -> Result<(), Refusal> {
        found.must_not_have_holds()?;
        self.must_not_be_below(found)?;
        match self.below(found.id).next() {
            Some(_) => Err(Refusal::HasSubWallets(found.id)),
            None => Ok(()),
        }
    }

    /// What its holder has, or is promised, in it and in the wallets below it, in minor units.
    pub(crate) fn held_with_below(&self, found: &Found<'_>) -> u64 {
        let below = self.below(found.id).map(|slot| {
            let promised = self.ledger.wallet_at(slot).map_or(0, |wallet| wallet.held_in);
            self.ledger.balance(slot).saturating_add(promised)
        });
        below.fold(self.held_or_promised(found), u64::saturating_add)
    }

    /// What is in it, or promised to it, in minor units.
    pub(crate) const fn held_or_promised(&self, found: &Found<'_>) -> u64 {
        found.balance.saturating_add(found.wallet.held_in)
    }

    pub(crate) fn must_not_be_below(&self, found: &Found<'_>) -> Result<(), Refusal> {
        match self.sub_wallets.get(found.id) {
            Some(_) => Err(Refusal::IsSubWallet(found.id)),
            None => Ok(()),
        }
    }

    fn below(&self, parent: AccountId) -> impl Iterator<Item = WalletSlot> {
        let below = self.sub_wallets.below(parent);
        below.filter_map(|id| self.ledger.wallet(id).map(|(slot, _, _)| slot))
    }
}
