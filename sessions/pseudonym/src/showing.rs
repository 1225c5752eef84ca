//! Showing: the holder answers a question, the verifier learns the claims asked and by which pseudonym it knows her.

use crate::question::Question;
use yufu_anonymous::{
    Claims, HeldCredential, HolderSecret, Presentation, ProofError, Pseudonym, ShowError, Terms,
};
use yufu_base::Timestamp;

/// A verifier's question that waits for its answer. It is answered once: the caller sees to that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expecting(Question);

/// Somebody whom the verifier knows by a pseudonym.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// The pseudonym: the same each time for this party.
    pub pseudonym: Pseudonym,
    /// The claims that were asked for.
    pub claims: Claims,
}

/// Why an answer does not count. Checked in this order.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unknown {
    /// Not the claims that were asked for: fewer, or more.
    #[error("other claims are shown than were asked for")]
    Asked,
    /// The proof does not hold.
    #[error(transparent)]
    Proof(#[from] ProofError),
}

impl Question {
    /// Answers it from a credential: the claims asked, and nothing else.
    ///
    /// # Errors
    /// [`ShowError`], the first rule that is broken.
    pub fn answer(
        &self,
        held: &HeldCredential,
        secret: &HolderSecret,
    ) -> Result<Presentation, ShowError> {
        held.show(secret, self.claims(), &self.context(), &self.bound())
    }
}

impl Expecting {
    /// Waits for the answer to a question of one's own.
    #[must_use]
    pub const fn answer_to(question: Question) -> Self {
        Self(question)
    }

    /// Takes an answer, made from a credential under `terms`.
    ///
    /// # Errors
    /// [`Unknown`], the first rule that is broken.
    pub fn handle(
        &self,
        presentation: &Presentation,
        terms: &Terms,
        now: Timestamp,
    ) -> Result<Known, Unknown> {
        if !presentation.claims().keys().eq(self.0.claims()) {
            return Err(Unknown::Asked);
        }
        presentation.verify(terms, &self.0.context(), &self.0.bound(), now)?;
        let claims = presentation.claims().clone();
        Ok(Known { pseudonym: presentation.pseudonym(), claims })
    }
}
