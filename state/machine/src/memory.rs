//! The memory of command ids: a repeat gets the first answer, until its id expires.

use crate::outcome::{Done, Outcome};
use crate::refusal::Refusal;
use borsh::{BorshDeserialize, BorshSerialize};
use std::collections::BTreeMap;
use yufu_base::{CommandId, Digest, Timestamp};
use yufu_registry::Policy;

/// Answers by id. Ids are ordered by their creation time, so the oldest are pruned from the front.
#[derive(Clone, Debug, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(crate) struct Memory {
    /// Ids made before it are forgotten. Never decreases, or a longer retention would admit an
    /// id that was done and forgotten.
    horizon: Timestamp,
    answers: BTreeMap<CommandId, Answer>,
}

#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
struct Answer {
    content: Digest,
    // Boxed, because refusals are rare and large.
    outcome: Result<Done, Box<Refusal>>,
}

impl Memory {
    /// Forgets what is older than the policy remembers.
    pub(crate) fn advance(&mut self, now: Timestamp, policy: &Policy) {
        let horizon = now.minus_seconds(policy.terms().id_retention_seconds);
        self.horizon = self.horizon.max(horizon);
        while let Some(oldest) = self.answers.first_entry() {
            if oldest.key().created() >= self.horizon {
                break;
            }
            oldest.remove();
        }
    }

    /// The first answer to a repeat, `None` for a new command.
    ///
    /// # Errors
    /// [`Refusal::IdExpired`], [`Refusal::IdFromFuture`], [`Refusal::IdReused`].
    pub(crate) fn recall(
        &self,
        id: CommandId,
        content: Digest,
        now: Timestamp,
        policy: &Policy,
    ) -> Result<Option<Outcome>, Refusal> {
        let created = id.created();
        if created < self.horizon {
            return Err(Refusal::IdExpired { created, oldest: self.horizon });
        }
        let newest = now.plus_seconds(policy.terms().id_future_tolerance_seconds);
        if created > newest {
            return Err(Refusal::IdFromFuture { created, newest });
        }
        match self.answers.get(&id) {
            None => Ok(None),
            Some(answer) if answer.content == content => {
                Ok(Some(answer.outcome.clone().map_err(|refusal| *refusal)))
            }
            Some(_) => Err(Refusal::IdReused),
        }
    }

    pub(crate) fn remember(&mut self, id: CommandId, content: Digest, outcome: &Outcome) {
        let outcome = outcome.clone().map_err(Box::new);
        self.answers.insert(id, Answer { content, outcome });
    }

    pub(crate) fn len(&self) -> usize {
        self.answers.len()
    }
}
