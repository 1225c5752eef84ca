//! Sub-wallets: pushed to a merchant, filled from the wallet above, and emptied back into it when
//! they are closed. The holder's order stands behind each step; the log commits to it.

use crate::books::{Books, Submitter};
use crate::command::SubLimits;
use crate::limits;
use crate::outcome::Done;
use crate::refusal::{LimitKind, Refusal};
use crate::sub_wallets::SubWallet;
use yufu_base::{AccountId, Amount};
use yufu_ledger::{Standing, WalletSlot};
use yufu_registry::{Limits, Role};

impl Books {
    pub(crate) fn open_sub_wallet(
        &mut self,
        by: Submitter,
        account: AccountId,
        new: SubWallet,
    ) -> Result<Done, Refusal> {
        by.must_be(Role::Bank)?;
        if self.ledger.account(account).is_some() {
            return Err(Refusal::AccountExists(account));
        }
        let parent = self.wallet(new.parent)?;
        let payee = self.wallet(new.payee)?;
        parent.must_be_operated_by(by.bank())?;
        parent.must_be_open()?;
        payee.must_be_open()?;
        parent.must_be_awake()?;
        self.must_not_be_below(&parent)?;
        if self.sub_wallets.full(new.parent) {
            return Err(Refusal::TooManySubWallets(new.parent));
        }
        if wider(&new.limits, &parent.class.ordinary) {
            return Err(Refusal::SubLimitWider(parent.wallet.class));
        }
        if new.parent == new.payee {
            return Err(Refusal::SameAccount);
        }
        let class = parent.wallet.class;
        self.ledger.open_wallet(account, by.bank(), class, by.now)?;
        self.sub_wallets.insert(account, new);
        Ok(by.done(Some(self.amount(0))))
    }

    pub(crate) fn fund_sub_wallet(
        &mut self,
        by: Submitter,
        account: AccountId,
        amount: Amount,
    ) -> Result<Done, Refusal> {
        by.must_be(Role::Bank)?;
        let found = self.own_wallet(by, account)?;
        let of = self.sub_wallets.get(account).ok_or(Refusal::NotSubWallet(account))?;
        let parent = self.wallet(of.parent)?;
        parent.must_be_awake()?;
        parent.must_not_be_frozen()?;
        let minor = self.minor(amount)?;
        let checked = self.ledger.check_transfer(parent.slot, found.slot, minor)?;
        let held = self.held_or_promised(&found);
        limits::check_below(LimitKind::SubBalance, of.limits.balance, held, minor)?;
        let (from, to) = (parent.slot, found.slot);
        self.ledger.commit(checked);
        for slot in [from, to] {
            self.ledger.set_moved(slot, by.now);
        }
        Ok(by.done(Some(self.amount(self.ledger.balance(to)))))
    }

    pub(crate) fn close_sub_wallet(
        &mut self,
        by: Submitter,
        (account, slot, balance): (AccountId, WalletSlot, u64),
        parent: AccountId,
    ) -> Result<Done, Refusal> {
        let above = self.wallet(parent)?.slot;
        let checked = self.ledger.check_transfer(slot, above, balance)?;
        self.ledger.commit(checked);
        self.ledger.set_moved(above, by.now);
        self.ledger.set_standing(slot, Standing::Closed);
        self.sub_wallets.remove(account);
        Ok(by.done(Some(self.amount(0))))
    }
}

/// Whether a limit of a sub-wallet exceeds that of the class above it.
fn wider(limits: &SubLimits, class: &Limits) -> bool {
    let beyond = |limit: u64, of: Option<u64>| of.is_some_and(|of| limit > of);
    beyond(limits.per_payment, class.per_payment)
        || beyond(limits.per_day, class.per_day)
        || beyond(limits.balance, class.balance)
}
