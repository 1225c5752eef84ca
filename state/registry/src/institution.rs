//! Institutions: who they are, what they may do, and the key they sign with now.

use crate::deadlines::Deadlines;
use crate::holding::HoldingRules;
use crate::peers::Peers;
use crate::policy::Policy;
use borsh::{BorshDeserialize, BorshSerialize};
use std::collections::BTreeMap;
use yufu_base::{InstitutionId, PublicKey};

/// What an institution is to the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum Role {
    /// Issues the money, sets the policy, registers the others. There is one.
    CentralBank,
    /// A commercial bank: operates wallets and the cash desk.
    Bank,
    /// A court, or another authority that the law lets order a freeze.
    Authority,
    /// Another ledger: says what goes here and what became of what went there.
    Peer,
}

/// The place of an institution in the order of registration, from 0 (the central bank).
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize,
)]
pub struct InstitutionNumber(pub u32);

/// A registered institution.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Institution {
    /// Its place in the order of registration.
    pub number: InstitutionNumber,
    /// What it may do.
    pub role: Role,
    /// The key it signs with now.
    pub key: PublicKey,
}

/// Why the registry did not change.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RegistryError {
    /// The name is taken.
    #[error("{0} is registered already: replace its key, or choose another name")]
    Registered(InstitutionId),
    /// There is no such institution.
    #[error("{0} is not registered: the central bank registers institutions")]
    Unknown(InstitutionId),
    /// 2^32 institutions are registered.
    #[error("no more institutions can be registered in this log")]
    Full,
}

/// The institutions and the policy in force.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Registry {
    institutions: BTreeMap<InstitutionId, Institution>,
    names: Vec<InstitutionId>,
    policy: Policy,
    holding: HoldingRules,
    /// Written apart: the first version of the state has none.
    #[borsh(skip)]
    deadlines: Option<Deadlines>,
    /// Written apart: the first two versions of the state have none.
    #[borsh(skip)]
    peers: Peers,
}

impl Registry {
    /// The registry of a new log: the central bank, and the first policy.
    #[must_use]
    pub fn new(central_bank: InstitutionId, key: PublicKey, policy: Policy) -> Self {
        let first = Institution { number: InstitutionNumber(0), role: Role::CentralBank, key };
        Self {
            names: vec![central_bank.clone()],
            institutions: [(central_bank, first)].into(),
            policy,
            holding: HoldingRules::default(),
            deadlines: None,
            peers: Peers::default(),
        }
    }

    /// An institution by its name.
    #[must_use]
    pub fn institution(&self, id: &InstitutionId) -> Option<&Institution> {
        self.institutions.get(id)
    }

    /// All institutions, ordered by name.
    pub fn institutions(&self) -> impl Iterator<Item = (&InstitutionId, &Institution)> {
        self.institutions.iter()
    }

    /// The name of the institution with a number.
    #[must_use]
    pub fn name(&self, number: InstitutionNumber) -> Option<&InstitutionId> {
        self.names.get(usize::try_from(number.0).ok()?)
    }

    /// The policy in force.
    #[must_use]
    pub const fn policy(&self) -> &Policy {
        &self.policy
    }

    /// The holding rules in force.
    #[must_use]
    pub const fn holding(&self) -> &HoldingRules {
        &self.holding
    }

    /// How long what is pending may stay so; `None` where nothing may be pending.
    #[must_use]
    pub const fn deadlines(&self) -> Option<&Deadlines> {
        self.deadlines.as_ref()
    }

    /// Other ledgers.
    #[must_use]
    pub const fn peers(&self) -> &Peers {
        &self.peers
    }

    /// Other ledgers, to be changed.
    pub const fn peers_mut(&mut self) -> &mut Peers {
        &mut self.peers
    }

    /// Whether [`Registry::register`] would succeed, and the number it would give.
    ///
    /// # Errors
    /// [`RegistryError::Registered`] for a name that is taken, [`RegistryError::Full`].
    pub fn check_register(&self, id: &InstitutionId) -> Result<InstitutionNumber, RegistryError> {
        if self.institutions.contains_key(id) {
            return Err(RegistryError::Registered(id.clone()));
        }
        u32::try_from(self.names.len()).map(InstitutionNumber).map_err(|_| RegistryError::Full)
    }

    /// Registers an institution.
    ///
    /// # Errors
    /// As [`Registry::check_register`]; nothing changes then.
    pub fn register(
        &mut self,
        id: InstitutionId,
        role: Role,
        key: PublicKey,
    ) -> Result<InstitutionNumber, RegistryError> {
        let number = self.check_register(&id)?;
        self.names.push(id.clone());
        self.institutions.insert(id, Institution { number, role, key });
        Ok(number)
    }

    /// Makes `key` the current key of an institution; the former one ends at once.
    ///
    /// # Errors
    /// [`RegistryError::Unknown`].
    pub fn replace_key(&mut self, id: &InstitutionId, key: PublicKey) -> Result<(), RegistryError> {
        let institution =
            self.institutions.get_mut(id).ok_or_else(|| RegistryError::Unknown(id.clone()))?;
        institution.key = key;
        Ok(())
    }

    /// Puts a policy in force.
    pub fn set_policy(&mut self, policy: Policy) {
        self.policy = policy;
    }

    /// Puts deadlines in force. What is pending keeps those that it was begun under.
    pub fn set_deadlines(&mut self, deadlines: Option<Deadlines>) {
        self.deadlines = deadlines;
    }

    /// Puts holding rules in force.
    pub fn set_holding(&mut self, rules: HoldingRules) {
        self.holding = rules;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ClassId, Limits, PolicyTerms, UtcOffset, WalletClass};
    use yufu_base::Timestamp;

    fn key(byte: u8) -> PublicKey {
        let mut point = [byte; 65];
        point[0] = 4;
        PublicKey::from_uncompressed(&point).unwrap()
    }

    fn name(text: &str) -> InstitutionId {
        text.parse().unwrap()
    }

    fn registry() -> Registry {
        let class = WalletClass { ordinary: Limits::default(), stepped_up: None };
        let policy = Policy::new(PolicyTerms {
            classes: [(ClassId::new("I").unwrap(), class)].into(),
            offsets: vec![UtcOffset { from: Timestamp::from_millis(0), seconds_east: 0 }],
            id_retention_seconds: 3600,
            id_future_tolerance_seconds: 60,
        });
        Registry::new(name("central-bank"), key(1), policy.unwrap())
    }

    #[test]
    fn institutions_are_numbered_in_the_order_of_registration() {
        let mut registry = registry();
        for (place, bank) in [(1, "zeta"), (2, "alpha")] {
            let number = registry.register(name(bank), Role::Bank, key(2)).unwrap();
            assert_eq!(number, InstitutionNumber(place));
            assert_eq!(registry.name(number), Some(&name(bank)));
        }
        assert_eq!(registry.name(InstitutionNumber(3)), None);
    }

    #[test]
    fn a_name_is_registered_once() {
        let mut registry = registry();
        let before = registry.clone();
        let refused = registry.register(name("central-bank"), Role::Bank, key(2));
        assert_eq!(refused, Err(RegistryError::Registered(name("central-bank"))));
        assert_eq!(registry, before);
    }

    #[test]
    fn a_replaced_key_is_the_only_current_one() {
        let mut registry = registry();
        registry.replace_key(&name("central-bank"), key(9)).unwrap();
        assert_eq!(registry.institution(&name("central-bank")).unwrap().key, key(9));
        let refused = registry.replace_key(&name("nobody"), key(9));
        assert_eq!(refused, Err(RegistryError::Unknown(name("nobody"))));
    }
}
