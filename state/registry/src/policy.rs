//! The policy in force: wallet classes, the calendar, the memory of command ids. A [`Policy`]
//! that exists has been validated, also when it was decoded from a log.

use crate::calendar::{self, UtcOffset};
use crate::class::{ClassId, Limits, WalletClass};
use borsh::{BorshDeserialize, BorshSerialize};
use std::collections::BTreeMap;
use std::io;
use yufu_base::Timestamp;

/// The widest offset from Greenwich that is accepted: 18 hours, more than any zone has had.
const WIDEST_OFFSET_SECONDS: u32 = 18 * 3600;
/// Command ids are remembered at least a minute, or a retry could pay twice.
const SHORTEST_RETENTION_SECONDS: u64 = 60;

/// What a policy says, before it has been validated.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct PolicyTerms {
    /// The classes a wallet may have.
    pub classes: BTreeMap<ClassId, WalletClass>,
    /// Offsets from UTC, ascending; the first holds from the epoch.
    pub offsets: Vec<UtcOffset>,
    /// How long a command id is remembered and may be repeated, in seconds.
    pub id_retention_seconds: u64,
    /// How far ahead of the ledger's clock a command id may have been made, in seconds.
    pub id_future_tolerance_seconds: u64,
}

/// A validated policy.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize)]
pub struct Policy(PolicyTerms);

/// Why terms are not a policy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// There is no class, so no wallet could be opened.
    #[error("the policy has no wallet class: give it at least one")]
    NoClasses,
    /// Stepping up would allow less than not stepping up.
    #[error(
        "class {0}: a stepped-up limit is below the ordinary one: raise it, or leave it out for no limit"
    )]
    StepUpTighter(ClassId),
    /// The offset table does not begin at the epoch.
    #[error("the offset table does not begin at the epoch: its first entry must be from 0")]
    OffsetsStart,
    /// The offset table does not ascend.
    #[error("the offset table does not ascend: sort its entries by moment, each moment once")]
    OffsetsOrder,
    /// An offset is beyond what any time zone has had.
    #[error("an offset of {0} s from UTC is too wide: at most 64800 s (18 hours) either way")]
    OffsetTooWide(i32),
    /// Ids would be forgotten before a client can retry.
    #[error("{0} s is too short to remember command ids: at least 60 s, days are usual")]
    RetentionTooShort(u64),
}

impl Policy {
    /// Validates `terms`.
    ///
    /// # Errors
    /// [`PolicyError`], the first rule broken in the order of its variants.
    pub fn new(terms: PolicyTerms) -> Result<Self, PolicyError> {
        if terms.classes.is_empty() {
            return Err(PolicyError::NoClasses);
        }
        for (id, class) in &terms.classes {
            if class.stepped_up.is_some_and(|up| tighter(&up, &class.ordinary)) {
                return Err(PolicyError::StepUpTighter(*id));
            }
        }
        if terms.offsets.first().is_none_or(|first| first.from != Timestamp::from_millis(0)) {
            return Err(PolicyError::OffsetsStart);
        }
        if !terms.offsets.is_sorted_by(|a, b| a.from < b.from) {
            return Err(PolicyError::OffsetsOrder);
        }
        let wide = |o: &&UtcOffset| o.seconds_east.unsigned_abs() > WIDEST_OFFSET_SECONDS;
        if let Some(offset) = terms.offsets.iter().find(wide) {
            return Err(PolicyError::OffsetTooWide(offset.seconds_east));
        }
        if terms.id_retention_seconds < SHORTEST_RETENTION_SECONDS {
            return Err(PolicyError::RetentionTooShort(terms.id_retention_seconds));
        }
        Ok(Self(terms))
    }

    /// What it says.
    #[must_use]
    pub const fn terms(&self) -> &PolicyTerms {
        &self.0
    }

    /// What it says of one class; `None` for a class it does not have.
    #[must_use]
    pub fn class(&self, id: ClassId) -> Option<&WalletClass> {
        self.0.classes.get(&id)
    }

    /// The day `at` falls on by the policy's calendar, counted from 1970-01-01.
    #[must_use]
    pub fn day_index(&self, at: Timestamp) -> i64 {
        calendar::day_index(&self.0.offsets, at)
    }

    /// The Gregorian year `at` falls in by the policy's calendar.
    #[must_use]
    pub fn year(&self, at: Timestamp) -> i64 {
        calendar::year_of(self.day_index(at))
    }
}

impl BorshDeserialize for Policy {
    fn deserialize_reader<R: io::Read>(reader: &mut R) -> io::Result<Self> {
        Self::new(PolicyTerms::deserialize_reader(reader)?)
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error.to_string()))
    }
}

fn tighter(up: &Limits, ordinary: &Limits) -> bool {
    let below = |up: Option<u64>, ordinary: Option<u64>| {
        up.is_some_and(|up| ordinary.is_none_or(|ordinary| up < ordinary))
    };
    below(up.per_payment, ordinary.per_payment)
        || below(up.per_day, ordinary.per_day)
        || below(up.per_year, ordinary.per_year)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn class() -> ClassId {
        ClassId::new("IV").unwrap()
    }

    fn offset(millis: u64, seconds_east: i32) -> UtcOffset {
        UtcOffset { from: Timestamp::from_millis(millis), seconds_east }
    }

    fn terms() -> PolicyTerms {
        let ordinary = Limits { per_day: Some(10), ..Limits::default() };
        PolicyTerms {
            classes: [(class(), WalletClass { ordinary, stepped_up: Some(Limits::default()) })]
                .into(),
            offsets: vec![offset(0, 28_800)],
            id_retention_seconds: 60,
            id_future_tolerance_seconds: 0,
        }
    }

    #[test]
    fn terms_that_break_a_rule_are_no_policy() {
        let tight = |limits| {
            let ordinary = Limits { per_day: Some(10), ..Limits::default() };
            let class_of = WalletClass { ordinary, stepped_up: Some(limits) };
            PolicyTerms { classes: [(class(), class_of)].into(), ..terms() }
        };
        let offsets = |offsets| PolicyTerms { offsets, ..terms() };
        let rows = [
            (PolicyTerms { classes: BTreeMap::new(), ..terms() }, PolicyError::NoClasses),
            (
                tight(Limits { per_day: Some(9), ..Limits::default() }),
                PolicyError::StepUpTighter(class()),
            ),
            (
                tight(Limits { per_year: Some(9), ..Limits::default() }),
                PolicyError::StepUpTighter(class()),
            ),
            (offsets(vec![]), PolicyError::OffsetsStart),
            (offsets(vec![offset(1, 0)]), PolicyError::OffsetsStart),
            (offsets(vec![offset(0, 0), offset(0, 1)]), PolicyError::OffsetsOrder),
            (offsets(vec![offset(0, -64_801)]), PolicyError::OffsetTooWide(-64_801)),
            (
                PolicyTerms { id_retention_seconds: 59, ..terms() },
                PolicyError::RetentionTooShort(59),
            ),
        ];
        for (terms, error) in rows {
            assert_eq!(Policy::new(terms), Err(error));
        }
        assert!(Policy::new(terms()).is_ok());
    }

    #[test]
    fn an_invalid_policy_does_not_decode() {
        let bytes = borsh::to_vec(&Policy::new(terms()).unwrap()).unwrap();
        assert_eq!(borsh::from_slice::<Policy>(&bytes).unwrap().terms(), &terms());
        let invalid = PolicyTerms { offsets: vec![], ..terms() };
        assert!(borsh::from_slice::<Policy>(&borsh::to_vec(&invalid).unwrap()).is_err());
    }
}
