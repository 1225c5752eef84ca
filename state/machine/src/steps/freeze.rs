//! Freezing a wallet with due process: one authority orders it with a legal reference and an end,
//! another confirms it, either ends it early, and it ends by itself.

use super::policy::check_deadline;
use crate::books::{Books, Submitter};
use crate::freezes::{End, Freeze};
use crate::outcome::Done;
use crate::refusal::Refusal;
use yufu_base::{AccountId, CommandId, Digest, Timestamp};
use yufu_registry::Role;

impl Books {
    pub(crate) fn order_freeze(
        &mut self,
        by: Submitter,
        id: CommandId,
        account: AccountId,
        legal_reference: Digest,
        until: Timestamp,
    ) -> Result<Done, Refusal> {
        by.must_be(Role::Authority)?;
        let deadlines = self.deadlines()?;
        check_deadline(until, by.now, deadlines.freeze(by.now))?;
        let confirm_until = deadlines.freeze_confirm(by.now);
        let found = self.wallet(account)?;
        found.must_be_open()?;
        let (wallet, ordered_by) = (found.slot, by.number);
        let freeze = Freeze {
            wallet,
            ordered_by,
            confirmed_by: None,
            legal_reference,
            until,
            confirm_until,
        };
        self.freezes.order(id, freeze);
        Ok(by.done(None))
    }

    pub(crate) fn confirm_freeze(&mut self, by: Submitter, id: CommandId) -> Result<Done, Refusal> {
        by.must_be(Role::Authority)?;
        let freeze = self.freezes.get(id).ok_or(Refusal::FreezeUnknown(id))?;
        if freeze.confirmed_by.is_some() {
            return Err(Refusal::FreezeInForce(id));
        }
        if freeze.ordered_by == by.number {
            return Err(Refusal::SameAuthority(id));
        }
        let wallet = freeze.wallet;
        self.freezes.confirm(id, by.number);
        self.ledger.set_frozen(wallet, true);
        Ok(by.done(None))
    }

    pub(crate) fn lift_freeze(&mut self, by: Submitter, id: CommandId) -> Result<Done, Refusal> {
        by.must_be(Role::Authority)?;
        let freeze = self.freezes.get(id).ok_or(Refusal::FreezeUnknown(id))?;
        if freeze.ordered_by != by.number && freeze.confirmed_by != Some(by.number) {
            return Err(Refusal::NotYours(id));
        }
        self.end_freeze(id, End::Authority);
        Ok(by.done(None))
    }

    /// Ends a freeze; the wallet is free again unless another one holds it.
    pub(crate) fn end_freeze(&mut self, id: CommandId, end: End) {
        if let Some(wallet) = self.freezes.end(id, end) {
            self.ledger.set_frozen(wallet, false);
        }
    }
}
