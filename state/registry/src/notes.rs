//! Rules on bearer notes: how much may be withdrawn into them, what a registered payee may be paid
//! with them, and how many have to hide each other.

use crate::class::ClassId;
use borsh::{BorshDeserialize, BorshSerialize};
use std::collections::BTreeSet;
use std::io;

/// What note rules say, before they are validated. Amounts are minor units; `None` is any amount.
/// The limits of the wallet's class hold as well.
#[derive(Clone, Debug, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct NoteTerms {
    /// The most one withdrawal may be.
    pub per_withdrawal: Option<u64>,
    /// The most that may be withdrawn from a wallet in one calendar day of the policy.
    pub per_day: Option<u64>,
    /// The most that may be withdrawn from a wallet in one calendar year of the policy.
    pub per_year: Option<u64>,
    /// The most a registered payee may be paid with notes in one order.
    pub per_redemption: Option<u64>,
    /// The classes whose wallets are registered payees.
    pub payees: BTreeSet<ClassId>,
    /// How many outputs of a keyset have to be promised before wallets pay with its notes: below
    /// that, too few hide each other. Held by wallets; the ledger tells the number.
    pub least_promised: u32,
}

/// Validated rules. A new ledger has none, and no notes.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize)]
pub struct NoteRules(NoteTerms);

/// Why terms are no note rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoteRulesError {
    /// A limit that lets nothing through.
    #[error("a limit of 0 on notes lets nothing through: raise it, or set no rules for notes")]
    Nothing,
    /// A day, or a year, that is less than what one withdrawal may be.
    #[error("a longer time allows less than a shorter one: raise its limit")]
    Tighter,
}

impl NoteRules {
    /// Validates `terms`.
    ///
    /// # Errors
    /// [`NoteRulesError`], the first in the order of its variants.
    pub fn new(terms: NoteTerms) -> Result<Self, NoteRulesError> {
        let NoteTerms { per_withdrawal, per_day, per_year, per_redemption, .. } = &terms;
        let all = [per_withdrawal, per_day, per_year, per_redemption];
        if all.into_iter().any(|limit| *limit == Some(0)) {
            return Err(NoteRulesError::Nothing);
        }
        let set: Vec<u64> =
            [per_withdrawal, per_day, per_year].into_iter().flatten().copied().collect();
        if !set.is_sorted() {
            return Err(NoteRulesError::Tighter);
        }
        Ok(Self(terms))
    }

    /// What they say.
    #[must_use]
    pub const fn terms(&self) -> &NoteTerms {
        &self.0
    }

    /// Whether the wallets of a class are registered payees.
    #[must_use]
    pub fn is_payee(&self, class: ClassId) -> bool {
        self.0.payees.contains(&class)
    }
}

impl BorshDeserialize for NoteRules {
    fn deserialize_reader<R: io::Read>(reader: &mut R) -> io::Result<Self> {
        Self::new(NoteTerms::deserialize_reader(reader)?)
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_of_nothing_or_that_shrink_with_time_are_refused_and_do_not_decode() {
        let terms = |per_withdrawal, per_day, per_year, per_redemption| NoteTerms {
            per_withdrawal,
            per_day,
            per_year,
            per_redemption,
            ..NoteTerms::default()
        };
        let rows = [
            (terms(Some(0), None, None, None), NoteRulesError::Nothing),
            (terms(None, None, None, Some(0)), NoteRulesError::Nothing),
            (terms(Some(5), Some(4), None, None), NoteRulesError::Tighter),
            (terms(Some(5), None, Some(4), None), NoteRulesError::Tighter),
        ];
        for (terms, error) in rows {
            assert_eq!(NoteRules::new(terms.clone()), Err(error));
            assert!(borsh::from_slice::<NoteRules>(&borsh::to_vec(&terms).unwrap()).is_err());
        }
        let class = ClassId::new("M").unwrap();
        let good = NoteTerms { payees: [class].into(), ..terms(Some(1), Some(1), None, Some(9)) };
        let rules = NoteRules::new(good).unwrap();
        assert!(rules.is_payee(class) && !rules.is_payee(ClassId::new("I").unwrap()));
        let bytes = borsh::to_vec(&rules).unwrap();
        assert_eq!(borsh::from_slice::<NoteRules>(&bytes).unwrap(), rules);
    }
}
