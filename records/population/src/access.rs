//! Accesses: who touched a person's record, in which role, why, which fields, and when.
//! They hold no values, and outlive an erasure as opaque ids.

use crate::entity::access;
use sea_orm::ActiveValue::Set;
use std::collections::BTreeSet;
use uuid::Uuid;
use yufu_base::Timestamp;
use yufu_database::{from_column, to_column};
use yufu_profile::Column;

/// What somebody states in order to touch a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Access {
    /// Who: an officer's or a system's id, as the institution knows it.
    pub actor: String,
    /// In which role: `pid-issuer`, `registration-officer`, `subject`.
    pub role: String,
    /// Why, in words the person will read.
    pub purpose: String,
    /// Which fields are wanted; no others are given.
    pub fields: BTreeSet<Column>,
    /// When.
    pub at: Timestamp,
}

/// Why an access is refused before anything is touched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AccessError {
    /// Nobody is named.
    #[error("the access names no actor: state who reads")]
    NoActor,
    /// No role is named.
    #[error("the access names no role: state in which role the record is read")]
    NoRole,
    /// No purpose is given.
    #[error("the access has no purpose: state why, in words the person can read")]
    NoPurpose,
    /// No field is wanted.
    #[error("the access wants no field: name the fields that the purpose needs")]
    NoFields,
    /// The time does not fit the register.
    #[error("the time of the access is out of range: expected milliseconds since 1970")]
    Time,
}

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Deed {
    /// Fields were read.
    Read,
    /// The list of accesses was read.
    ReadAccesses,
    /// An officer asked for the erasure, which another one has to confirm.
    ErasureAsked,
    /// The record was erased.
    Erased,
    /// The person's death was recorded.
    DeathRecorded,
    /// A death that was recorded wrongly was withdrawn.
    DeathWithdrawn,
    /// The person had the identity in a wallet frozen.
    Frozen,
}

impl Deed {
    const WORDS: [(&'static str, Self); 7] = [
        ("read", Self::Read),
        ("read-accesses", Self::ReadAccesses),
        ("erasure-asked", Self::ErasureAsked),
        ("erased", Self::Erased),
        ("death-recorded", Self::DeathRecorded),
        ("death-withdrawn", Self::DeathWithdrawn),
        ("frozen", Self::Frozen),
    ];

    pub(crate) fn word(self) -> &'static str {
        Self::WORDS.iter().find(|(_, deed)| *deed == self).map_or("", |(word, _)| word)
    }
}

/// An access that took place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessRecord {
    /// What was done.
    pub deed: Deed,
    /// Who, why, which fields and when.
    pub access: Access,
}

impl Access {
    /// Checks what every access must state.
    pub(crate) fn check(&self, deed: Deed) -> Result<(), AccessError> {
        let blank = |text: &str| text.trim().is_empty();
        if blank(&self.actor) {
            return Err(AccessError::NoActor);
        }
        if blank(&self.role) {
            return Err(AccessError::NoRole);
        }
        if blank(&self.purpose) {
            return Err(AccessError::NoPurpose);
        }
        if deed == Deed::Read && self.fields.is_empty() {
            return Err(AccessError::NoFields);
        }
        i64::try_from(self.at.millis()).map(|_| ()).map_err(|_| AccessError::Time)
    }

    pub(crate) fn row(&self, deed: Deed, person: Option<Uuid>) -> access::ActiveModel {
        let fields: Vec<&str> = self.fields.iter().map(|column| column.word()).collect();
        access::ActiveModel {
            // Version 4: an id that tells no order, for rows that have a time.
            id: Set(Uuid::new_v4()),
            person: Set(person),
            at: Set(to_column(self.at)),
            deed: Set(deed.word().to_owned()),
            actor: Set(self.actor.clone()),
            role: Set(self.role.clone()),
            purpose: Set(self.purpose.clone()),
            fields: Set(fields.join(" ")),
        }
    }
}

impl AccessRecord {
    /// From its row; `None` if the row holds words this program does not know.
    pub(crate) fn from_row(row: access::Model) -> Option<Self> {
        let (_, deed) = Deed::WORDS.iter().find(|(word, _)| *word == row.deed)?;
        let column = |word: &str| Column::WORDS.iter().find(|(w, _)| *w == word).map(|(_, c)| *c);
        let fields = row.fields.split_whitespace().map(column).collect::<Option<_>>()?;
        let at = from_column(row.at)?;
        let (actor, role, purpose) = (row.actor, row.role, row.purpose);
        Some(Self { deed: *deed, access: Access { actor, role, purpose, fields, at } })
    }
}
