//! What changed in an institution's databases since they were last looked at: read from the files, with
//! no help of the code that wrote them.

use anyhow::{Context, Result};
use rusqlite::types::Value;
use rusqlite::{Connection, OpenFlags};
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use yufu_base::Digest;

/// Databases that tell nothing of anybody: wrapped data keys; the log, which is read as a log; and the
/// history, which is made from the log and holds no more.
const PASSED_OVER: [&str; 3] = ["person-keys", "ledger", "history"];
/// The table in which every database keeps which migrations it has seen.
const MIGRATIONS: &str = "migration";
/// In a table of more rows than this only new rows are seen, not changed ones.
const LARGE: usize = 20_000;

/// A column of a row that was written or changed.
#[derive(Debug)]
pub(super) struct Written {
    /// The database's name: `onboarding`.
    pub(super) database: String,
    pub(super) table: String,
    pub(super) column: String,
    pub(super) value: Value,
    /// The row's own id, where it has a text for one.
    pub(super) row: Option<String>,
}

/// The databases in one institution's folder, as they were last seen.
pub(super) struct Databases {
    folder: PathBuf,
    open: BTreeMap<String, Seen>,
}

struct Seen {
    connection: Connection,
    /// SQLite's own mark of whether somebody else wrote.
    version: i64,
    tables: BTreeMap<String, BTreeMap<Key, Vec<Digest>>>,
}

/// What a row is known by from one look to the next.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    /// SQLite's own number of it.
    Number(i64),
    /// Where rows have none: what it says, all of it. One that is changed is then a new one.
    Whole(Vec<Digest>),
}

impl Databases {
    /// The databases below `folder`, none of which was seen yet.
    pub(super) const fn new(folder: PathBuf) -> Self {
        Self { folder, open: BTreeMap::new() }
    }

    /// What was written since the last call.
    pub(super) fn changes(&mut self) -> Result<Vec<Written>> {
        for (name, path) in files(&self.folder)? {
            if let Entry::Vacant(new) = self.open.entry(name) {
                new.insert(Seen::new(&path)?);
            }
        }
        let mut all = Vec::new();
        for (name, seen) in &mut self.open {
            seen.changes(name, &mut all).with_context(|| format!("database {name}"))?;
        }
        Ok(all)
    }

    /// The id in `table` of the newest row that has `value` in `column`.
    pub(super) fn find(
        &self,
        database: &str,
        table: &str,
        column: &str,
        value: &str,
    ) -> Result<Option<String>> {
        let seen = self.open.get(database).context("the database was not seen yet")?;
        let sql = format!("SELECT id FROM {table} WHERE {column} = ?1 ORDER BY rowid DESC LIMIT 1");
        let mut statement = seen.connection.prepare(&sql)?;
        let mut rows = statement.query([value])?;
        Ok(rows.next()?.map(|row| row.get(0)).transpose()?)
    }
}

impl Seen {
    fn new(path: &Path) -> Result<Self> {
        let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        connection.busy_timeout(std::time::Duration::from_secs(5))?;
        Ok(Self { connection, version: -1, tables: BTreeMap::new() })
    }

    fn changes(&mut self, database: &str, all: &mut Vec<Written>) -> Result<()> {
        let version = self.connection.query_row("PRAGMA data_version", [], |row| row.get(0))?;
        if version == self.version {
            return Ok(());
        }
        self.version = version;
        for table in self.table_names()? {
            let known = self.tables.entry(table.clone()).or_default();
            let after = match known.keys().next_back() {
                Some(Key::Number(last)) if known.len() > LARGE => *last,
                _ => i64::MIN,
            };
            let numbered = format!("SELECT rowid, * FROM {table} WHERE rowid > ?1");
            let bare = format!("SELECT NULL, * FROM {table} WHERE ?1 IS NOT NULL");
            let mut statement =
                self.connection.prepare(&numbered).or_else(|_| self.connection.prepare(&bare))?;
            let names: Vec<String> =
                statement.column_names().into_iter().skip(1).map(str::to_owned).collect();
            let mut rows = statement.query([after])?;
            while let Some(row) = rows.next()? {
                let mut values = Vec::with_capacity(names.len());
                for index in 1..=names.len() {
                    values.push(row.get::<_, Value>(index)?);
                }
                let digests: Vec<Digest> = values.iter().map(digest).collect();
                let id = text(names.iter().position(|n| n == "id").and_then(|at| values.get(at)));
                let number: Option<i64> = row.get(0)?;
                let key = number.map_or_else(|| Key::Whole(digests.clone()), Key::Number);
                let before = known.insert(key, digests.clone());
                let changed = |index: usize| {
                    before.as_ref().is_none_or(|old| old.get(index) != digests.get(index))
                };
                for (index, (column, value)) in names.iter().zip(values).enumerate() {
                    if tells(&value) && changed(index) {
                        let (database, table) = (database.to_owned(), table.clone());
                        let (column, row) = (column.clone(), id.clone());
                        all.push(Written { database, table, column, value, row });
                    }
                }
            }
        }
        Ok(())
    }

    fn table_names(&self) -> Result<BTreeSet<String>> {
        let sql =
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'";
        let mut statement = self.connection.prepare(sql)?;
        let names = statement.query_map([], |row| row.get::<_, String>(0))?;
        let names: BTreeSet<String> = names.collect::<Result<_, _>>()?;
        Ok(names.into_iter().filter(|name| name != MIGRATIONS).collect())
    }
}

/// The database files in a folder, by name.
fn files(folder: &Path) -> Result<Vec<(String, PathBuf)>> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry?.path();
        let name = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default().to_owned();
        let database = path.extension().is_some_and(|extension| extension == "sqlite");
        if database && !PASSED_OVER.contains(&name.as_str()) {
            found.push((name, path));
        }
    }
    found.sort();
    Ok(found)
}

/// An empty text tells as little as none.
fn tells(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Text(text) => !text.is_empty(),
        _ => true,
    }
}

fn digest(value: &Value) -> Digest {
    match value {
        Value::Null => Digest::of(b"null"),
        Value::Integer(number) => Digest::derive("integer", &number.to_be_bytes()),
        Value::Real(number) => Digest::derive("real", &number.to_be_bytes()),
        Value::Text(text) => Digest::derive("text", text.as_bytes()),
        Value::Blob(bytes) => Digest::derive("blob", bytes),
    }
}

fn text(value: Option<&Value>) -> Option<String> {
    match value {
        Some(Value::Text(text)) => Some(text.clone()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_or_changed_is_seen_once_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let writer = Connection::open(folder.path().join("shop.sqlite")).unwrap();
        writer
            .execute_batch("CREATE TABLE sale (id TEXT PRIMARY KEY, sum INT, note TEXT)")
            .unwrap();
        writer.execute_batch("INSERT INTO sale VALUES ('one', 18, NULL)").unwrap();
        let mut databases = Databases::new(folder.path().to_owned());
        let names = |changes: Vec<Written>| {
            changes.into_iter().map(|w| format!("{}.{}", w.table, w.column)).collect::<Vec<_>>()
        };
        assert_eq!(names(databases.changes().unwrap()), ["sale.id", "sale.sum"]);
        assert!(databases.changes().unwrap().is_empty());
        writer.execute_batch("UPDATE sale SET note = 'bell'").unwrap();
        assert_eq!(names(databases.changes().unwrap()), ["sale.note"]);
        assert_eq!(databases.find("shop", "sale", "note", "bell").unwrap().as_deref(), Some("one"));
    }
}
