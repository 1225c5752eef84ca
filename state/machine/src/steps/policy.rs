//! A new policy holds from the next command on. It keeps every class there ever was, so that
//! no wallet is left without limits.

use crate::books::{Books, Submitter};
use crate::outcome::Done;
use crate::refusal::Refusal;
use yufu_registry::{HoldingRules, Policy, Role};

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
