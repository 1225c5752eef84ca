//! What a read gives: the fields that were asked for and recorded, and no others.

use crate::population::PersonId;
use std::collections::BTreeMap;
use std::fmt;
use yufu_profile::{Column, Resident};
use zeroize::Zeroizing;

/// Some fields of a person's record. `Debug` shows which, never their values.
#[derive(Clone, PartialEq, Eq)]
pub struct Excerpt {
    person: PersonId,
    values: BTreeMap<Column, Zeroizing<String>>,
}

impl Excerpt {
    pub(crate) fn new(person: PersonId, values: BTreeMap<Column, Zeroizing<String>>) -> Self {
        Self { person, values }
    }

    /// Whose they are, for other records to refer to.
    #[must_use]
    pub const fn person(&self) -> PersonId {
        self.person
    }

    /// The value of a field, as in `residents.csv`; `None` if it was not asked for.
    #[must_use]
    pub fn value(&self, column: Column) -> Option<&str> {
        self.values.get(&column).map(|value| value.as_str())
    }

    /// The fields it has.
    pub fn columns(&self) -> impl Iterator<Item = Column> {
        self.values.keys().copied()
    }
}

impl fmt::Debug for Excerpt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns: Vec<&str> = self.columns().map(Column::word).collect();
        f.debug_struct("Excerpt").field("person", &self.person).field("fields", &columns).finish()
    }
}

/// The bytes that are sealed: a JSON object of every column, under its name.
pub(crate) fn encode(resident: &Resident) -> Zeroizing<Vec<u8>> {
    let object: serde_json::Map<String, serde_json::Value> = Column::WORDS
        .iter()
        .map(|(word, column)| ((*word).to_owned(), resident.value(*column).into()))
        .collect();
    Zeroizing::new(serde_json::Value::from(object).to_string().into_bytes())
}

/// The values of the wanted columns; `None` unless the bytes hold them all.
pub(crate) fn decode<'a>(
    bytes: &[u8],
    wanted: impl Iterator<Item = &'a Column>,
) -> Option<BTreeMap<Column, Zeroizing<String>>> {
    let mut all: BTreeMap<String, Zeroizing<String>> =
        serde_json::from_slice::<BTreeMap<String, String>>(bytes)
            .ok()?
            .into_iter()
            .map(|(word, value)| (word, Zeroizing::new(value)))
            .collect();
    wanted.map(|column| Some((*column, all.remove(column.word())?))).collect()
}
