//! A database read row by row: a value that lies across two pages of the file is found too, and what is sealed is tried
//! with every key that is still there.

use super::Finding;
use super::keys::FoundKeys;
use super::needles::{Hit, Needles};
use super::packed::Source;
use anyhow::Result;
use rusqlite::types::Value;
use rusqlite::{Connection, OpenFlags};
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;
use uuid::Uuid;

const BUSY: Duration = Duration::from_secs(10);

pub(super) fn search(
    source: &Source,
    needles: &Needles,
    keys: &FoundKeys,
    found: &mut BTreeSet<Finding>,
) -> Result<()> {
    let connection = Connection::open_with_flags(&source.at, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    connection.busy_timeout(BUSY)?;
    for table in tables(&connection)? {
        let sql = format!("SELECT * FROM \"{table}\"");
        let mut statement = connection.prepare(&sql)?;
        let columns: Vec<String> =
            statement.column_names().into_iter().map(str::to_owned).collect();
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let mut values = Vec::with_capacity(columns.len());
            for index in 0..columns.len() {
                values.push(row.get::<_, Value>(index)?);
            }
            let named: Vec<Uuid> = values.iter().filter_map(id).collect();
            for (column, value) in columns.iter().zip(&values) {
                let finding = |opened_with: Option<PathBuf>, hit: Hit| Finding {
                    file: source.shown.clone(),
                    column: Some(format!("{table}.{column}")),
                    opened_with,
                    hit,
                };
                let Some(bytes) = bytes(value) else { continue };
                found.extend(needles.in_bytes(bytes).into_iter().map(|hit| finding(None, hit)));
                if !matches!(value, Value::Blob(_)) {
                    continue;
                }
                for (file, key) in keys.for_row(&named) {
                    let Some(plain) = key.reveal(bytes) else { continue };
                    let hits = needles.in_bytes(&plain).into_iter();
                    found.extend(hits.map(|hit| finding(Some(file.clone()), hit)));
                }
            }
        }
    }
    Ok(())
}

fn tables(connection: &Connection) -> Result<Vec<String>> {
    let sql = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'";
    let mut statement = connection.prepare(sql)?;
    let names = statement.query_map([], |row| row.get(0))?;
    Ok(names.collect::<Result<_, _>>()?)
}

fn bytes(value: &Value) -> Option<&[u8]> {
    match value {
        Value::Text(text) => Some(text.as_bytes()),
        Value::Blob(bytes) => Some(bytes),
        _ => None,
    }
}

/// An id, as one of the ways in which databases hold it.
fn id(value: &Value) -> Option<Uuid> {
    match value {
        Value::Text(text) => Uuid::parse_str(text).ok(),
        Value::Blob(bytes) => Uuid::from_slice(bytes).ok(),
        _ => None,
    }
}
