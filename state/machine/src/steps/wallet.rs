//! Opening a wallet of a class the policy has, at the bank that will operate it.

use crate::books::{Books, Submitter};
use crate::outcome::Done;
use crate::refusal::Refusal;
use yufu_base::AccountId;
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
        self.ledger.open_wallet(account, by.bank(), class)?;
        Ok(by.done(Some(self.amount(0))))
    }
}
