//! Reading: all that one answer needs is read in one transaction, as it was at one instant.

use super::block::Block;
use super::file::has_own_tables;
use super::write::print;
use super::{MARK_EVERY, Printed, Progress};
use crate::error::ViewError;
use crate::row::{Row, RowNumber};
use crate::varint::Reader;
use rusqlite::{Connection, OptionalExtension, Row as Columns};
use std::cell::RefCell;
use yufu_base::{AccountId, CommandId, Digest, Timestamp};
use yufu_log::{Head, Seq};
use yufu_machine::AccountNumber;

/// An account as the view has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AccountRow {
    pub(crate) number: AccountNumber,
    pub(crate) id: AccountId,
    pub(crate) debit_balanced: bool,
    pub(crate) opened: Timestamp,
    /// What it held before its first entry.
    pub(crate) opening: u64,
    /// The row of its newest entry, 0 if there is none.
    pub(crate) newest: RowNumber,
    pub(crate) entries: u64,
    pub(crate) balance: u64,
}

/// A view that is read.
pub(crate) struct Reading<'a>(&'a Connection);

/// The rows of a view, the newest block that was looked at kept.
pub(crate) struct Blocks<'a> {
    connection: &'a Connection,
    kept: RefCell<Option<(Block, Vec<Row>)>>,
}

impl<'a> Reading<'a> {
    /// Of a connection that is within a transaction.
    pub(crate) const fn of(connection: &'a Connection) -> Self {
        Self(connection)
    }

    pub(crate) fn progress(&self) -> Result<Progress, ViewError> {
        let sql = "SELECT seq, chain, at, rows, begins_seq, begins_chain, begins_at FROM progress";
        let mut statement = self.0.prepare_cached(sql)?;
        Ok(statement.query_row((), |row| {
            Ok(Progress {
                head: Head { seq: Seq::new(number(row, 0)?), chain: Digest(row.get(1)?) },
                at: Timestamp::from_millis(number(row, 2)?),
                rows: number(row, 3)?,
                begins: Head { seq: Seq::new(number(row, 4)?), chain: Digest(row.get(5)?) },
                begins_at: Timestamp::from_millis(number(row, 6)?),
            })
        })?)
    }

    /// An account by its id.
    pub(crate) fn account(&self, id: AccountId) -> Result<Option<AccountRow>, ViewError> {
        let sql = "SELECT number, id, debit_balanced, opened, opening, newest, entries, balance
                   FROM account JOIN head USING (number) WHERE id = ?1";
        let mut statement = self.0.prepare_cached(sql)?;
        Ok(statement.query_row([id.bits().to_be_bytes()], account).optional()?)
    }

    /// The id of an account.
    pub(crate) fn id_of(&self, account: AccountNumber) -> Result<AccountId, ViewError> {
        let sql = "SELECT id FROM account WHERE number = ?1";
        let mut statement = self.0.prepare_cached(sql)?;
        let found = statement.query_row([account.0], |row| row.get::<_, [u8; 16]>(0)).optional()?;
        let missing = || ViewError::Damaged(format!("account {} is missing", account.0));
        found.map(|id| AccountId::new(u128::from_be_bytes(id))).ok_or_else(missing)
    }

    /// Every account, in the order of their numbers.
    pub(crate) fn each_account(
        &self,
        mut each: impl FnMut(AccountRow) -> Result<(), ViewError>,
    ) -> Result<(), ViewError> {
        let sql = "SELECT number, id, debit_balanced, opened, opening, newest, entries, balance
                   FROM account JOIN head USING (number) ORDER BY number";
        let mut statement = self.0.prepare(sql)?;
        for row in statement.query_map((), account)? {
            each(row?)?;
        }
        Ok(())
    }

    /// The row of the entry of an account, if it is a marked one.
    pub(crate) fn mark(
        &self,
        account: AccountNumber,
        entry: u64,
    ) -> Result<Option<RowNumber>, ViewError> {
        let sql = "SELECT row FROM mark WHERE account = ?1 AND entry = ?2";
        let mut statement = self.0.prepare_cached(sql)?;
        let found = statement.query_row((account.0, entry.cast_signed()), |row| number(row, 0));
        Ok(found.optional()?)
    }

    /// How many marks there are.
    pub(crate) fn marks(&self) -> Result<u64, ViewError> {
        Ok(self.0.query_row("SELECT count(*) FROM mark", (), |row| number(row, 0))?)
    }

    /// The rows that a command may have caused first: those of ids that look like it.
    pub(crate) fn candidates(&self, id: CommandId) -> Result<Vec<RowNumber>, ViewError> {
        let of_its_time = self.ids_of(id.created())?.into_iter();
        Ok(of_its_time.filter(|(printed, _)| *printed == print(id)).map(|(_, row)| row).collect())
    }

    /// The prints of the ids that were made in a millisecond, with the rows they caused first.
    pub(crate) fn ids_of(&self, created: Timestamp) -> Result<Vec<Printed>, ViewError> {
        let sql = "SELECT first, list FROM ids WHERE created = ?1 ORDER BY number";
        let mut statement = self.0.prepare_cached(sql)?;
        let lists = statement.query_map([created.millis().cast_signed()], |row| {
            Ok((number(row, 0)?, row.get::<_, Vec<u8>>(1)?))
        })?;
        let mut found = Vec::new();
        for list in lists {
            let (first, list) = list?;
            each_id(first, &list, |printed, row| found.push((printed, row)))?;
        }
        Ok(found)
    }

    /// How many commands can be found by their ids.
    pub(crate) fn ids(&self) -> Result<u64, ViewError> {
        let mut statement = self.0.prepare("SELECT first, list FROM ids")?;
        let lists =
            statement.query_map((), |row| Ok((number(row, 0)?, row.get::<_, Vec<u8>>(1)?)))?;
        let mut count = 0_u64;
        for list in lists {
            let (first, list) = list?;
            each_id(first, &list, |_, _| count = count.saturating_add(1))?;
        }
        Ok(count)
    }

    /// What is wrong with the file's tables, and what SQLite itself finds wrong with it.
    pub(crate) fn check_file(&self) -> Result<(), ViewError> {
        if !has_own_tables(self.0)? {
            return Err(ViewError::Damaged("its tables are not as they were made".to_owned()));
        }
        let said: String = self.0.query_row("PRAGMA quick_check(1)", (), |row| row.get(0))?;
        if said == "ok" { Ok(()) } else { Err(ViewError::Damaged(said)) }
    }

    pub(crate) const fn blocks(&self) -> Blocks<'a> {
        Blocks { connection: self.0, kept: RefCell::new(None) }
    }
}

impl Blocks<'_> {
    /// A row, with the record that it is of and that one's stamp.
    pub(crate) fn row(&self, number: RowNumber) -> Result<(Row, Seq, Timestamp), ViewError> {
        let mut kept = self.kept.borrow_mut();
        let at = |(block, rows): &(Block, Vec<Row>)| {
            let place = usize::try_from(number.checked_sub(block.first)?).ok()?;
            rows.get(place).map(|row| (*row, block.seq, block.at))
        };
        if let Some(found) = kept.as_ref().and_then(at) {
            return Ok(found);
        }
        let missing = || ViewError::Damaged(format!("row {number} is missing"));
        let block = self.block_of(number)?.ok_or_else(missing)?;
        let rows = block.rows()?;
        at(kept.insert((block, rows))).ok_or_else(missing)
    }

    /// The first row whose record is stamped later than `instant`; one beyond the last, `rows`, if
    /// there is none.
    pub(crate) fn first_after(
        &self,
        instant: Timestamp,
        rows: RowNumber,
    ) -> Result<RowNumber, ViewError> {
        // Stamps never decrease from row to row: what is looked for lies in `low..=high`.
        let (mut low, mut high) = (1, rows.saturating_add(1));
        while low < high {
            let middle = low.midpoint(high);
            let missing = || ViewError::Damaged(format!("row {middle} is missing"));
            let (first, at) = self.place_of(middle)?.ok_or_else(missing)?;
            if at > instant {
                high = first;
            } else {
                low = self.after(middle)?.unwrap_or(high);
            }
        }
        Ok(low)
    }

    /// The block that a row is in, without its rows: the first of them, and the stamp.
    fn place_of(&self, number_in: RowNumber) -> Result<Option<(RowNumber, Timestamp)>, ViewError> {
        let sql = "SELECT first, at FROM block WHERE first <= ?1 ORDER BY first DESC LIMIT 1";
        let mut statement = self.connection.prepare_cached(sql)?;
        let found = statement.query_row([number_in.cast_signed()], |row| {
            Ok((number(row, 0)?, Timestamp::from_millis(number(row, 1)?)))
        });
        Ok(found.optional()?)
    }

    /// The first row of the block after the one that a row is in.
    fn after(&self, number_in: RowNumber) -> Result<Option<RowNumber>, ViewError> {
        let sql = "SELECT first FROM block WHERE first > ?1 ORDER BY first LIMIT 1";
        let mut statement = self.connection.prepare_cached(sql)?;
        Ok(statement.query_row([number_in.cast_signed()], |row| number(row, 0)).optional()?)
    }

    fn block_of(&self, number_in: RowNumber) -> Result<Option<Block>, ViewError> {
        let sql = "SELECT first, seq, at, rows FROM block WHERE first <= ?1
                   ORDER BY first DESC LIMIT 1";
        let mut statement = self.connection.prepare_cached(sql)?;
        let found = statement.query_row([number_in.cast_signed()], |row| {
            Ok(Block {
                first: number(row, 0)?,
                seq: Seq::new(number(row, 1)?),
                at: Timestamp::from_millis(number(row, 2)?),
                bytes: row.get(3)?,
            })
        });
        Ok(found.optional()?)
    }
}

fn each_id(
    first: RowNumber,
    list: &[u8],
    mut each: impl FnMut([u8; 4], RowNumber),
) -> Result<(), ViewError> {
    let mut reader = Reader::new(list);
    let mut row = first;
    let damaged = || ViewError::Damaged(format!("a list of ids from row {first} was altered"));
    while !reader.is_at_end() {
        let printed = reader.array().ok_or_else(damaged)?;
        row = reader.number().and_then(|more| row.checked_add(more)).ok_or_else(damaged)?;
        each(printed, row);
    }
    Ok(())
}

fn account(row: &Columns<'_>) -> rusqlite::Result<AccountRow> {
    Ok(AccountRow {
        number: AccountNumber(row.get(0)?),
        id: AccountId::new(u128::from_be_bytes(row.get(1)?)),
        debit_balanced: row.get(2)?,
        opened: Timestamp::from_millis(number(row, 3)?),
        opening: number(row, 4)?,
        newest: number(row, 5)?,
        entries: number(row, 6)?,
        balance: number(row, 7)?,
    })
}

/// Numbers of 64 bits lie in SQLite's signed ones, bit by bit.
fn number(row: &Columns<'_>, place: usize) -> rusqlite::Result<u64> {
    Ok(row.get::<_, i64>(place)?.cast_unsigned())
}

/// Which marked entry is the first at or after an entry.
pub(crate) const fn marked_from(entry: u64) -> u64 {
    entry.div_ceil(MARK_EVERY).saturating_mul(MARK_EVERY)
}
