//! Rows of the tables, as what they mean, and SQLite's errors as the log's.

use crate::columns::{digest, signed, unsigned};
use crate::{Epoch, Head, LogError, Record, Seq};
use rusqlite::{Connection, OptionalExtension, Row};

pub(super) fn current_epoch(connection: &Connection) -> Result<Epoch, LogError> {
    let sql = "SELECT coalesce(max(number), 0) FROM epoch";
    let mut statement = connection.prepare_cached(sql).map_err(|e| storage(&e))?;
    let number: i64 = statement.query_row((), |row| row.get(0)).map_err(|e| storage(&e))?;
    unsigned(number).map(Epoch::new)
}

/// The newest record's head; the base if there is no record.
pub(super) fn head(connection: &Connection) -> Result<Head, LogError> {
    let sql = "SELECT seq, chain FROM record ORDER BY seq DESC LIMIT 1";
    optional_head(connection, sql, ())?.map_or_else(|| base(connection), Ok)
}

/// The head that a record makes, if it is there.
pub(super) fn head_of(connection: &Connection, seq: Seq) -> Result<Option<Head>, LogError> {
    let sql = "SELECT seq, chain FROM record WHERE seq = ?1";
    optional_head(connection, sql, [signed(seq.get())?])
}

/// What the oldest record follows from. A file of version 1 was never pruned.
pub(super) fn base(connection: &Connection) -> Result<Head, LogError> {
    let version = connection.pragma_query_value(None, "user_version", |row| row.get(0));
    let version: i64 = version.map_err(|e| storage(&e))?;
    if version < super::file::WITH_BASE {
        return Ok(Head::EMPTY);
    }
    let found = optional_head(connection, "SELECT seq, chain FROM base", ())?;
    found.ok_or_else(|| LogError::Malformed("it does not state where it begins".to_owned()))
}

fn optional_head(
    connection: &Connection,
    sql: &str,
    parameters: impl rusqlite::Params,
) -> Result<Option<Head>, LogError> {
    let mut statement = connection.prepare_cached(sql).map_err(|e| storage(&e))?;
    let row: Option<(i64, Vec<u8>)> = statement
        .query_row(parameters, |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()
        .map_err(|e| storage(&e))?;
    row.map(|(seq, chain)| {
        let seq = unsigned(seq)?;
        Ok(Head { seq: Seq::new(seq), chain: digest(seq, &chain)? })
    })
    .transpose()
}

type Columns = (i64, i64, Vec<u8>, Vec<u8>);

pub(super) fn columns(row: &Row<'_>) -> rusqlite::Result<Columns> {
    Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
}

pub(super) fn record((seq, epoch, chain, payload): Columns) -> Result<Record, LogError> {
    let seq = unsigned(seq)?;
    let epoch = Epoch::new(unsigned(epoch)?);
    Ok(Record { seq: Seq::new(seq), epoch, payload, chain: digest(seq, &chain)? })
}

pub(super) fn storage(error: &rusqlite::Error) -> LogError {
    LogError::Storage(error.to_string())
}
