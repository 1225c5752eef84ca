//! A correction: whoever made an exchange, an issue or a credit by mistake takes it back, in full or
//! in part, by a transfer the other way round that names it.

use crate::books::{Books, Submitter};
use crate::memory::Memory;
use crate::outcome::Done;
use crate::refusal::Refusal;
use crate::reversal::{Entered, Reversible};
use yufu_base::{Amount, CommandId};

impl Books {
    pub(crate) fn correct(
        &mut self,
        memory: &mut Memory,
        by: Submitter,
        of: CommandId,
        amount: Amount,
    ) -> Result<Done, Refusal> {
        let Some(Reversible::Entry(entry)) = memory.reversible(of) else {
            return Err(Refusal::TransferUnknown(of));
        };
        if entry.by != by.number {
            return Err(Refusal::NotYours(of));
        }
        let minor = self.minor(amount)?;
        let entry = entry.reversing(of, minor)?;
        let done = match entry.what {
            Entered::Exchange(direction) => self.exchange(by, direction.back(), amount)?.0,
            Entered::Movement(posted) => {
                let checked = self.ledger.check_back(posted, minor)?;
                self.ledger.commit(checked);
                by.done(None)
            }
        };
        memory.set_reversible(of, Reversible::Entry(Box::new(entry)));
        Ok(done)
    }
}
