//! Questions: a statement, a transfer, a balance at an instant. Each answer says how far the view
//! had come when it was given.

use crate::error::{QueryError, ViewError};
use crate::fold::after;
use crate::follower::Through;
use crate::row::Row;
use crate::store::{self, AccountRow, Blocks, Progress, Reading, marked_from};
use rusqlite::Connection;
use std::num::NonZeroUsize;
use std::path::Path;
use yufu_base::{AccountId, CommandId, Timestamp};
use yufu_log::Seq;
use yufu_machine::TransferKind;

/// In which order entries are listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Listing {
    /// The newest first.
    #[default]
    NewestFirst,
    /// The oldest first.
    OldestFirst,
}

/// What is asked of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StatementQuery {
    /// Which account.
    pub account: AccountId,
    /// Entries of this time and later; without it from the first.
    pub from: Option<Timestamp>,
    /// Entries before this time; without it to the newest.
    pub until: Option<Timestamp>,
    /// The number of the last entry that was seen: what follows it in the order asked for. It
    /// stays where it is while entries are added.
    pub cursor: Option<u64>,
    /// The order.
    pub listing: Listing,
    /// How many entries, at most.
    pub limit: NonZeroUsize,
}

/// An entry of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Which of the account's it is, from 1: a cursor.
    pub number: u64,
    /// The record of the log.
    pub seq: Seq,
    /// Its stamp.
    pub at: Timestamp,
    /// The order that caused it.
    pub command: CommandId,
    /// What it was.
    pub kind: TransferKind,
    /// The account on the other side.
    pub counterparty: AccountId,
    /// Whether it came in, by the side on which the account keeps its balance.
    pub comes_in: bool,
    /// How much, in minor units.
    pub amount: u64,
    /// What the account held afterwards, in minor units.
    pub balance: u64,
}

/// A part of an account's entries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// How far the view had come.
    pub through: Through,
    /// The entries, in the order asked for.
    pub entries: Vec<Entry>,
    /// The cursor for those that follow, if there are more.
    pub next: Option<u64>,
}

/// What an order moved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransferView {
    /// How far the view had come.
    pub through: Through,
    /// The record of the log.
    pub seq: Seq,
    /// Its stamp.
    pub at: Timestamp,
    /// What it was.
    pub kind: TransferKind,
    /// Each debit with its credit: one, or the two sides of an exchange.
    pub legs: Vec<Leg>,
}

/// One debit and one credit of the same amount, in minor units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leg {
    /// The account that was debited.
    pub debit: AccountId,
    /// The account that was credited.
    pub credit: AccountId,
    /// How much.
    pub amount: u64,
    /// What the debited account held afterwards.
    pub debit_balance: u64,
    /// What the credited account held afterwards.
    pub credit_balance: u64,
}

/// What an account held at an instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BalanceAt {
    /// How far the view had come.
    pub through: Through,
    /// Whether nothing can change it any more: the view has come to a later instant.
    pub settled: bool,
    /// What it held after all that was stamped up to and with the instant, in minor units; 0
    /// before it was opened.
    pub balance: u64,
    /// The newest entry by then, 0 if there was none.
    pub entry: u64,
}

/// A view that is asked, beside whoever keeps it up.
#[derive(Debug)]
pub struct View(Connection);

impl View {
    /// Opens a view for reading.
    ///
    /// # Errors
    /// [`ViewError`].
    pub fn open(path: &Path) -> Result<Self, ViewError> {
        store::open_read_only(path).map(Self)
    }

    /// How far it has come.
    ///
    /// # Errors
    /// [`ViewError`].
    pub fn through(&self) -> Result<Through, ViewError> {
        let progress = Reading::of(&self.0).progress()?;
        Ok(through(&progress))
    }

    /// Entries of an account.
    ///
    /// # Errors
    /// [`QueryError`].
    pub fn statement(&self, query: &StatementQuery) -> Result<Statement, QueryError> {
        let transaction = self.0.unchecked_transaction()?;
        let asked = Asked::of(&transaction, query.account)?;
        let first = match query.from {
            Some(from) => asked.entries_before(from)?.saturating_add(1),
            None => 1,
        };
        let last = match query.until {
            Some(until) => asked.entries_before(until)?,
            None => asked.account.entries,
        };
        let most = u64::try_from(query.limit.get()).unwrap_or(u64::MAX);
        let (low, high, more) = match query.listing {
            Listing::NewestFirst => {
                let high = query.cursor.map_or(last, |seen| last.min(seen.saturating_sub(1)));
                let low = first.max(high.saturating_sub(most).saturating_add(1));
                (low, high, low > first)
            }
            Listing::OldestFirst => {
                let low = query.cursor.map_or(first, |seen| first.max(seen.saturating_add(1)));
                let high = last.min(low.saturating_add(most).saturating_sub(1));
                (low, high, high < last)
            }
        };
        let mut entries = asked.entries(low, high)?;
        if query.listing == Listing::OldestFirst {
            entries.reverse();
        }
        let next = entries.last().filter(|_| more).map(|entry| entry.number);
        Ok(Statement { through: asked.through(), entries, next })
    }

    /// What an order moved; of a list or a chain, one of the orders in it.
    ///
    /// # Errors
    /// [`QueryError`].
    pub fn transfer(&self, command: CommandId) -> Result<TransferView, QueryError> {
        let transaction = self.0.unchecked_transaction()?;
        let reading = Reading::of(&transaction);
        let (progress, blocks) = (reading.progress()?, reading.blocks());
        for number in reading.candidates(command)? {
            let (first, seq, at) = blocks.row(number)?;
            if first.command != command {
                continue;
            }
            let mut legs = vec![leg(&reading, &first)?];
            for more in number.saturating_add(1)..=progress.rows {
                let (row, _, _) = blocks.row(more)?;
                if row.command != command {
                    break;
                }
                legs.push(leg(&reading, &row)?);
            }
            return Ok(TransferView {
                through: through(&progress),
                seq,
                at,
                kind: first.kind,
                legs,
            });
        }
        Err(QueryError::TransferUnknown(command))
    }

    /// What an account held at an instant, as far as the view knows.
    ///
    /// # Errors
    /// [`QueryError`].
    pub fn balance_at(&self, account: AccountId, at: Timestamp) -> Result<BalanceAt, QueryError> {
        let transaction = self.0.unchecked_transaction()?;
        let asked = Asked::of(&transaction, account)?;
        let through = asked.through();
        // More may follow that is stamped as the newest record is.
        let settled = at < through.at;
        let entry = asked.entries_until(at)?;
        let balance = match asked.entries(entry, entry)?.first() {
            Some(entry) => entry.balance,
            None => asked.account.opening,
        };
        Ok(BalanceAt { through, settled, balance, entry })
    }
}

/// An account that is asked about, within one transaction.
struct Asked<'a> {
    reading: Reading<'a>,
    blocks: Blocks<'a>,
    progress: Progress,
    account: AccountRow,
}

impl<'a> Asked<'a> {
    fn of(connection: &'a Connection, id: AccountId) -> Result<Self, QueryError> {
        let reading = Reading::of(connection);
        let progress = reading.progress()?;
        let account = reading.account(id)?.ok_or(QueryError::AccountUnknown(id))?;
        let blocks = reading.blocks();
        Ok(Self { reading, blocks, progress, account })
    }

    const fn through(&self) -> Through {
        through(&self.progress)
    }

    /// How many entries are older than `instant`.
    fn entries_before(&self, instant: Timestamp) -> Result<u64, QueryError> {
        match instant.millis().checked_sub(1) {
            Some(before) => self.entries_until(Timestamp::from_millis(before)),
            None => Ok(0),
        }
    }

    /// How many entries there were once all up to and with `instant` was done.
    fn entries_until(&self, instant: Timestamp) -> Result<u64, QueryError> {
        let begins = self.progress.begins_at;
        if self.progress.begins.seq > Seq::ZERO && instant < begins {
            return Err(QueryError::BeforeHistory { begins });
        }
        let row = self.blocks.first_after(instant, self.progress.rows)?;
        Ok(self.entries_before_row(row)?)
    }

    /// How many entries lie before a row: found among the marks, then by going back.
    fn entries_before_row(&self, row: u64) -> Result<u64, ViewError> {
        let (mut low, mut high) = (0, self.account.entries / store::MARK_EVERY);
        // The marks up to `low` lie before it, those beyond `high` do not.
        while low < high {
            let middle = low.midpoint(high.saturating_add(1));
            let entry = middle.saturating_mul(store::MARK_EVERY);
            if self.marked(entry)? < row {
                low = middle;
            } else {
                high = middle.saturating_sub(1);
            }
        }
        let from = low.saturating_add(1).saturating_mul(store::MARK_EVERY);
        let (mut entry, mut at) = if from <= self.account.entries {
            (from, self.marked(from)?)
        } else {
            (self.account.entries, self.account.newest)
        };
        while entry > 0 && at >= row {
            (entry, at) = (entry.saturating_sub(1), self.previous(at)?);
        }
        Ok(entry)
    }

    fn marked(&self, entry: u64) -> Result<u64, ViewError> {
        let missing =
            || ViewError::Damaged(format!("entry {entry} of {} is missing", self.account.id));
        self.reading.mark(self.account.number, entry)?.ok_or_else(missing)
    }

    fn previous(&self, row: u64) -> Result<u64, ViewError> {
        let (found, _, _) = self.blocks.row(row)?;
        let side = found.side_of(self.account.number);
        side.map(|(side, _)| side.previous).ok_or_else(|| self.strange(row))
    }

    /// The entries from `low` to `high`, the newest first.
    fn entries(&self, low: u64, high: u64) -> Result<Vec<Entry>, ViewError> {
        let high = high.min(self.account.entries);
        if high == 0 || low > high {
            return Ok(Vec::new());
        }
        let from = marked_from(high);
        let (mut entry, mut row) = if from <= self.account.entries {
            (from, self.marked(from)?)
        } else {
            (self.account.entries, self.account.newest)
        };
        let mut found = Vec::new();
        while entry >= low.max(1) {
            let (kept, seq, at) = self.blocks.row(row)?;
            let side = kept.side_of(self.account.number).filter(|(side, _)| side.entry == entry);
            let (side, debited) = side.ok_or_else(|| self.strange(row))?;
            if entry <= high {
                found.push(Entry {
                    number: entry,
                    seq,
                    at,
                    command: kept.command,
                    kind: kept.kind,
                    counterparty: self.reading.id_of(kept.other_than(debited))?,
                    comes_in: debited == self.account.debit_balanced,
                    amount: kept.amount,
                    balance: side.balance,
                });
            }
            (entry, row) = (entry.saturating_sub(1), side.previous);
        }
        self.follow(&found)?;
        Ok(found)
    }

    /// Each balance follows from the one before it.
    fn follow(&self, entries: &[Entry]) -> Result<(), ViewError> {
        for (newer, older) in entries.iter().zip(entries.iter().skip(1)) {
            if after(older.balance, newer.amount, newer.comes_in) != Some(newer.balance) {
                let (number, id) = (newer.number, self.account.id);
                let what = format!("entry {number} of {id} does not follow from the one before it");
                return Err(ViewError::Damaged(what));
            }
        }
        Ok(())
    }

    fn strange(&self, row: u64) -> ViewError {
        ViewError::Damaged(format!("row {row} is no entry of {}", self.account.id))
    }
}

const fn through(progress: &Progress) -> Through {
    Through { seq: progress.head.seq, at: progress.at }
}

fn leg(reading: &Reading<'_>, row: &Row) -> Result<Leg, ViewError> {
    Ok(Leg {
        debit: reading.id_of(row.debit.account)?,
        credit: reading.id_of(row.credit.account)?,
        amount: row.amount,
        debit_balance: row.debit.balance,
        credit_balance: row.credit.balance,
    })
}
