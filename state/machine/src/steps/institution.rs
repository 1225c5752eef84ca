//! Registering a bank gives it a key in the registry and accounts in the ledger; replacing a
//! key ends the former one at once.

use crate::books::{Books, Submitter, bank_number};
use crate::outcome::Done;
use crate::refusal::Refusal;
use yufu_base::{InstitutionId, PublicKey};
use yufu_registry::Role;

impl Books {
    pub(crate) fn register_bank(
        &mut self,
        by: Submitter,
        bank: &InstitutionId,
        key: PublicKey,
    ) -> Result<Done, Refusal> {
        by.must_be(Role::CentralBank)?;
        let number = self.registry.check_register(bank)?;
        // The last check and the first write in one: it changes nothing if it refuses.
        self.ledger.open_bank(bank_number(number), bank)?;
        self.registry.register(bank.clone(), Role::Bank, key)?;
        Ok(by.done(None))
    }

    pub(crate) fn register_authority(
        &mut self,
        by: Submitter,
        authority: &InstitutionId,
        key: PublicKey,
    ) -> Result<Done, Refusal> {
        by.must_be(Role::CentralBank)?;
        self.registry.register(authority.clone(), Role::Authority, key)?;
        Ok(by.done(None))
    }

    pub(crate) fn replace_key(
        &mut self,
        by: Submitter,
        institution: &InstitutionId,
        key: PublicKey,
    ) -> Result<Done, Refusal> {
        let own = self.registry.name(by.number) == Some(institution);
        if !own {
            by.must_be(Role::CentralBank)?;
        }
        self.registry.replace_key(institution, key)?;
        Ok(by.done(None))
    }
}
