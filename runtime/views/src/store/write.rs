//! Writing: what was folded, together with how far that goes, in one transaction.

use super::block::Block;
use super::read::Reading;
use super::{MARK_EVERY, Progress};
use crate::error::ViewError;
use crate::fold::Head;
use crate::row::{Row, RowNumber};
use crate::varint;
use rusqlite::{Connection, Transaction, TransactionBehavior};
use yufu_base::{AccountId, CommandId, Timestamp};
use yufu_machine::AccountNumber;

/// An account that was opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Opened {
    pub(crate) number: AccountNumber,
    pub(crate) id: AccountId,
    pub(crate) debit_balanced: bool,
    /// When, as far as there is history of it.
    pub(crate) at: Timestamp,
    /// What it held before its first entry.
    pub(crate) opening: u64,
}

/// What was folded and is not written.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    pub(crate) opened: Vec<Opened>,
    pub(crate) blocks: Vec<Block>,
    /// Accounts with new entries, some more than once.
    pub(crate) touched: Vec<u32>,
    pub(crate) marks: Vec<(AccountNumber, u64, RowNumber)>,
    /// Each command with the first row that it caused.
    pub(crate) ids: Vec<(CommandId, RowNumber)>,
}

impl Batch {
    /// Notes what leads to a row. `first` says whether it is its command's first.
    pub(crate) fn index(&mut self, number: RowNumber, row: &Row, first: bool) {
        if first {
            self.ids.push((row.command, number));
        }
        for side in [&row.debit, &row.credit] {
            self.touched.push(side.account.0);
            if side.entry.is_multiple_of(MARK_EVERY) {
                self.marks.push((side.account, side.entry, number));
            }
        }
    }

    /// How many sides of transfers are in it.
    pub(crate) const fn len(&self) -> usize {
        self.touched.len()
    }
}

/// Writes what was folded since `before`, and that it goes to `after`.
pub(crate) fn write(
    connection: &mut Connection,
    mut batch: Batch,
    heads: &[Head],
    (before, after): (Progress, Progress),
) -> Result<(), ViewError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    if Reading::of(&transaction).progress()? != before {
        return Err(ViewError::OtherFollower);
    }
    opened(&transaction, &batch.opened)?;
    blocks(&transaction, &batch.blocks)?;
    batch.touched.extend(batch.opened.iter().map(|opened| opened.number.0));
    batch.touched.sort_unstable();
    batch.touched.dedup();
    newest(&transaction, &batch.touched, heads)?;
    marks(&transaction, &batch.marks)?;
    ids(&transaction, batch.ids)?;
    let sql = "UPDATE progress SET seq = ?1, chain = ?2, at = ?3, rows = ?4,
               begins_seq = ?5, begins_chain = ?6, begins_at = ?7";
    transaction.execute(
        sql,
        (
            after.head.seq.get().cast_signed(),
            after.head.chain.0,
            after.at.millis().cast_signed(),
            after.rows.cast_signed(),
            after.begins.seq.get().cast_signed(),
            after.begins.chain.0,
            after.begins_at.millis().cast_signed(),
        ),
    )?;
    Ok(transaction.commit()?)
}

fn opened(transaction: &Transaction<'_>, all: &[Opened]) -> Result<(), ViewError> {
    let mut statement =
        transaction.prepare_cached("INSERT INTO account VALUES (?1, ?2, ?3, ?4, ?5)")?;
    for Opened { number, id, debit_balanced, at, opening } in all {
        let id = id.bits().to_be_bytes();
        let (at, opening) = (at.millis().cast_signed(), opening.cast_signed());
        statement.execute((number.0, id, debit_balanced, at, opening))?;
    }
    Ok(())
}

fn blocks(transaction: &Transaction<'_>, all: &[Block]) -> Result<(), ViewError> {
    let mut statement = transaction.prepare_cached("INSERT INTO block VALUES (?1, ?2, ?3, ?4)")?;
    for Block { first, seq, at, bytes } in all {
        let (seq, at) = (seq.get().cast_signed(), at.millis().cast_signed());
        statement.execute((first.cast_signed(), seq, at, bytes))?;
    }
    Ok(())
}

fn newest(transaction: &Transaction<'_>, touched: &[u32], heads: &[Head]) -> Result<(), ViewError> {
    let mut statement =
        transaction.prepare_cached("INSERT OR REPLACE INTO head VALUES (?1, ?2, ?3, ?4)")?;
    for number in touched {
        let place = usize::try_from(*number).unwrap_or(usize::MAX);
        let Some(head) = heads.get(place) else { continue };
        let (newest, entries) = (head.newest.cast_signed(), head.entries.cast_signed());
        statement.execute((number, newest, entries, head.balance.cast_signed()))?;
    }
    Ok(())
}

fn marks(
    transaction: &Transaction<'_>,
    all: &[(AccountNumber, u64, RowNumber)],
) -> Result<(), ViewError> {
    let mut statement = transaction.prepare_cached("INSERT INTO mark VALUES (?1, ?2, ?3)")?;
    for (account, entry, row) in all {
        statement.execute((account.0, entry.cast_signed(), row.cast_signed()))?;
    }
    Ok(())
}

/// One list for each millisecond in which ids were made: a print of the id, and its row.
fn ids(
    transaction: &Transaction<'_>,
    mut all: Vec<(CommandId, RowNumber)>,
) -> Result<(), ViewError> {
    all.sort_unstable_by_key(|(id, row)| (id.created(), *row));
    let sql = "INSERT INTO ids (created, first, list) VALUES (?1, ?2, ?3)";
    let mut statement = transaction.prepare_cached(sql)?;
    let mut list = Vec::new();
    for together in all.chunk_by(|one, other| one.0.created() == other.0.created()) {
        let Some((id, first)) = together.first() else { continue };
        list.clear();
        let mut last = *first;
        for (id, row) in together {
            list.extend(print(*id));
            varint::write(row.saturating_sub(last), &mut list);
            last = *row;
        }
        statement.execute((id.created().millis().cast_signed(), first.cast_signed(), &list))?;
    }
    Ok(())
}

/// What tells ids of one millisecond apart, nearly always.
pub(crate) fn print(id: CommandId) -> [u8; 4] {
    id.bits().to_le_bytes().first_chunk().copied().unwrap_or_default()
}
