//! Rules on what lies in wallets: how much all wallets of a class at one bank may hold together,
//! and after how long without movement a wallet rests.

use crate::class::ClassId;
use borsh::{BorshDeserialize, BorshSerialize};
use std::collections::BTreeMap;
use std::io;

/// What holding rules say, before they are validated.
#[derive(Clone, Debug, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct HoldingTerms {
    /// The most all wallets of a class at one bank may hold together, in minor units; a class
    /// that is not named has no cap.
    pub aggregate_balance: BTreeMap<ClassId, u64>,
    /// After how many days without movement a wallet may be flagged dormant; `None` is never.
    pub dormant_after_days: Option<u32>,
}

/// Validated holding rules. Those of a new ledger cap nothing and flag nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, BorshSerialize)]
pub struct HoldingRules(HoldingTerms);

/// Why terms are no holding rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HoldingError {
    /// A wallet would be dormant as soon as it is opened.
    #[error("0 days are too few before a wallet is dormant: at least 1, or leave it out")]
    DormantAtOnce,
}

impl HoldingRules {
    /// Validates `terms`.
    ///
    /// # Errors
    /// [`HoldingError`].
    pub fn new(terms: HoldingTerms) -> Result<Self, HoldingError> {
        if terms.dormant_after_days == Some(0) {
            return Err(HoldingError::DormantAtOnce);
        }
        Ok(Self(terms))
    }

    /// What they say.
    #[must_use]
    pub const fn terms(&self) -> &HoldingTerms {
        &self.0
    }

    /// The most all wallets of `class` at one bank may hold together; `None` is any amount.
    #[must_use]
    pub fn aggregate(&self, class: ClassId) -> Option<u64> {
        self.0.aggregate_balance.get(&class).copied()
    }
}

impl BorshDeserialize for HoldingRules {
    fn deserialize_reader<R: io::Read>(reader: &mut R) -> io::Result<Self> {
        Self::new(HoldingTerms::deserialize_reader(reader)?)
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_that_flag_every_wallet_at_once_are_refused_and_do_not_decode() {
        let terms = |days| HoldingTerms { dormant_after_days: days, ..HoldingTerms::default() };
        assert_eq!(HoldingRules::new(terms(Some(0))), Err(HoldingError::DormantAtOnce));
        assert!(
            borsh::from_slice::<HoldingRules>(&borsh::to_vec(&terms(Some(0))).unwrap()).is_err()
        );
        let rules = HoldingRules::new(terms(Some(1))).unwrap();
        let bytes = borsh::to_vec(&rules).unwrap();
        assert_eq!(borsh::from_slice::<HoldingRules>(&bytes).unwrap(), rules);
        assert_eq!(rules.aggregate(ClassId::new("IV").unwrap()), None);
    }
}
