//! A new policy holds from the next command on. It keeps every class there ever was, so that
//! no wallet is left without limits.

use crate::books::{Books, Submitter};
use crate::outcome::Done;
use crate::refusal::Refusal;
use yufu_base::Timestamp;
use yufu_registry::{Deadlines, HoldingRules, Policy, Role};

impl Books {
    pub(crate) fn set_policy(&mut self, by: Submitter, policy: &Policy) -> Result<Done, Refusal> {
        by.must_be(Role::CentralBank)?;
        let mut known = self.policy().terms().classes.keys();
        if let Some(class) = known.find(|class| policy.class(**class).is_none()) {
            return Err(Refusal::ClassRemoved(*class));
        }
        self.registry.set_policy(policy.clone());
        Ok(by.done(None))
    }

    /// What is pending already keeps its deadline.
    pub(crate) fn set_deadlines(
        &mut self,
        by: Submitter,
        deadlines: Option<Deadlines>,
    ) -> Result<Done, Refusal> {
        by.must_be(Role::CentralBank)?;
        self.registry.set_deadlines(deadlines);
        Ok(by.done(None))
    }

    /// The deadlines in force.
    pub(crate) fn deadlines(&self) -> Result<&Deadlines, Refusal> {
        self.registry.deadlines().ok_or(Refusal::NoDeadlines)
    }

    pub(crate) fn set_holding_rules(
        &mut self,
        by: Submitter,
        rules: &HoldingRules,
    ) -> Result<Done, Refusal> {
        by.must_be(Role::CentralBank)?;
        let mut named = rules.terms().aggregate_balance.keys();
        if let Some(class) = named.find(|class| self.policy().class(**class).is_none()) {
            return Err(Refusal::ClassUnknown(*class));
        }
        self.registry.set_holding(rules.clone());
        Ok(by.done(None))
    }
}

/// Holds a deadline against the clock and the latest there may be.
pub(super) fn check_deadline(
    deadline: Timestamp,
    now: Timestamp,
    latest: Timestamp,
) -> Result<(), Refusal> {
    if deadline > now && deadline <= latest {
        Ok(())
    } else {
        Err(Refusal::Deadline { now, latest })
    }
}
