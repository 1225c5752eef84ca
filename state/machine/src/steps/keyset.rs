//! The rules for bearer notes, and the keysets of banks from their registration to their end.

use crate::books::{Books, Submitter};
use crate::outcome::Done;
use crate::refusal::Refusal;
use yufu_base::{Digest, InstitutionId};
use yufu_mint::{KeysetNumber, KeysetTerms};
use yufu_registry::{NoteRules, Role};

impl Books {
    pub(crate) fn set_note_rules(
        &mut self,
        by: Submitter,
        rules: Option<&NoteRules>,
    ) -> Result<Done, Refusal> {
        by.must_be(Role::CentralBank)?;
        let mut named = rules.into_iter().flat_map(|rules| &rules.terms().payees);
        if let Some(class) = named.find(|class| self.policy().class(**class).is_none()) {
            return Err(Refusal::ClassUnknown(*class));
        }
        self.notes.rules = rules.cloned();
        Ok(by.done(None))
    }

    pub(crate) fn register_keyset(
        &mut self,
        by: Submitter,
        keys: Digest,
        terms: KeysetTerms,
    ) -> Result<Done, Refusal> {
        by.must_be(Role::Bank)?;
        self.note_rules()?;
        let name: InstitutionId = self.own_name(by)?;
        self.notes.mint.check_register(keys, terms, by.now)?;
        // The last check and the first write in one: it changes nothing if it refuses.
        self.ledger.open_bearer(by.bank(), &name)?;
        self.notes.mint.register(by.number.0, keys, terms, by.now)?;
        Ok(by.done(None))
    }

    pub(crate) fn deactivate_keyset(
        &mut self,
        by: Submitter,
        keyset: KeysetNumber,
    ) -> Result<Done, Refusal> {
        by.must_be(Role::Bank)?;
        self.notes.mint.deactivate(by.number.0, keyset)?;
        Ok(by.done(None))
    }

    pub(crate) fn expire_keyset(
        &mut self,
        by: Submitter,
        keyset: KeysetNumber,
    ) -> Result<Done, Refusal> {
        by.must_be(Role::Bank)?;
        let over = self.notes.mint.expire(by.number.0, keyset, by.now)?;
        self.ledger.cancel_bearer(by.bank(), over.outstanding);
        Ok(by.done(None))
    }

    /// The rules for notes that are in force.
    pub(super) fn note_rules(&self) -> Result<&NoteRules, Refusal> {
        self.notes.rules.as_ref().ok_or(Refusal::NoNoteRules)
    }

    fn own_name(&self, by: Submitter) -> Result<InstitutionId, Refusal> {
        let name = self.registry.name(by.number).cloned();
        name.ok_or(Refusal::NotPermitted { needed: Role::Bank })
    }
}
