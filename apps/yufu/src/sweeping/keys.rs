//! The data keys of persons that are still there, in data folders and in backups alike.

use super::packed::Source;
use crate::keeping::PERSON_KEYS;
use anyhow::Result;
use rusqlite::{Connection, OpenFlags};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use uuid::Uuid;
use yufu_database::{BareKey, MasterKey};

/// The file of the key that wraps them.
const MASTER: &str = "records.key";
/// With more keys than this only those are tried that a row names.
const MOST_BLIND: usize = 5_000;

/// Keys, by whom they are of.
pub(super) struct FoundKeys(BTreeMap<Uuid, Vec<(PathBuf, BareKey)>>);

impl FoundKeys {
    /// Those in the files among `sources` that hold some, and that a master key among them opens.
    pub(super) fn among(sources: &[Source]) -> Result<Self> {
        let mut masters = Vec::new();
        for source in sources.iter().filter(|source| source.name == MASTER) {
            if let Ok(bytes) = fs::read(&source.at)?.try_into() {
                masters.push(MasterKey::new(bytes));
            }
        }
        let mut found: BTreeMap<Uuid, Vec<(PathBuf, BareKey)>> = BTreeMap::new();
        for source in sources.iter().filter(|source| source.name == PERSON_KEYS) {
            for (person, wrapped) in wrapped(&source.at)? {
                let mut opened = masters.iter().filter_map(|key| key.unwrap(person, &wrapped).ok());
                if let Some(key) = opened.next() {
                    found.entry(person).or_default().push((source.shown.clone(), key));
                }
            }
        }
        Ok(Self(found))
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.0.values().map(Vec::len).sum()
    }

    /// The keys that may open what lies in a row which names these persons: theirs, or any if it names nobody.
    pub(super) fn for_row(&self, named: &[Uuid]) -> Vec<&(PathBuf, BareKey)> {
        let theirs: Vec<_> = named.iter().filter_map(|id| self.0.get(id)).flatten().collect();
        if !theirs.is_empty() || self.len() > MOST_BLIND {
            return theirs;
        }
        self.0.values().flatten().collect()
    }
}

/// Whether a file is called as those are that hold keys.
pub(super) fn holds_keys(name: &str) -> bool {
    name == MASTER || name == PERSON_KEYS
}

fn wrapped(path: &Path) -> Result<Vec<(Uuid, Vec<u8>)>> {
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let mut statement = connection.prepare("SELECT person, wrapped FROM data_key")?;
    let rows = statement.query_map([], |row| {
        let person: Vec<u8> = row.get(0)?;
        Ok((Uuid::from_slice(&person).unwrap_or_default(), row.get(1)?))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}
