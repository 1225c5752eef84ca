//! Verification: the log is folded again, and everything the view holds is held against it.

use crate::error::ViewError;
use crate::fold::{Fold, Head as AccountHead, after};
use crate::follower::{Place, Through, first, leads_through, resumed};
use crate::row::{Row, RowNumber, Side};
use crate::store::{self, Batch, Blocks, Opened, Printed, Progress, Reading, print};
use crate::traced::Traced;
use std::cell::RefCell;
use yufu_base::{CommandId, Timestamp};
use yufu_engine::Replay;
use yufu_log::{Head, Log, Seq, VerifiedRecords};
use yufu_machine::Machine;

/// A view that is what the log leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verified {
    /// How far it has come.
    pub through: Through,
    /// The record from which on the log was folded again, 0 for all of it; what lies before it was
    /// only held against itself.
    pub folded_from: Seq,
    /// The accounts.
    pub accounts: usize,
    /// The transfers.
    pub transfers: u64,
    /// The commands that caused them.
    pub commands: u64,
}

/// Folds the log again, from its beginning or the oldest snapshot that there is, and compares every
/// account, entry, balance and id of the view with what comes of it. A server may run meanwhile.
/// `tell` hears which record was folded.
///
/// # Errors
/// [`ViewError`], which names the first difference.
pub fn verify(
    place: &Place,
    log: &dyn Log,
    tell: &mut dyn FnMut(Seq),
) -> Result<Verified, ViewError> {
    let connection = store::open_read_only(&place.view)?;
    let transaction = connection.unchecked_transaction()?;
    let reading = Reading::of(&transaction);
    reading.check_file()?;
    let progress = reading.progress()?;
    let replay = beginning(place, log, &progress)?;
    let mut verifying = Verifying::new(reading, progress)?;
    verifying.before(&replay)?;
    let folded_from = replay.head().seq;
    let machine = verifying.from(replay, log, tell)?;
    verifying.finish(&machine)?;
    Ok(Verified {
        through: Through { seq: progress.head.seq, at: progress.at },
        folded_from,
        accounts: verifying.fold.heads.len(),
        transfers: progress.rows,
        commands: verifying.commands,
    })
}

/// From where the view begins, if the log goes back so far; else from where the log begins.
fn beginning(
    place: &Place,
    log: &dyn Log,
    progress: &Progress,
) -> Result<Replay<Traced>, ViewError> {
    let seq = progress.head.seq;
    let base = log.base()?;
    if base.seq <= seq && progress.head != Head::EMPTY && !leads_through(log, progress.head)? {
        return Err(ViewError::OtherLog { seq });
    }
    let replay = match progress.begins {
        begins if begins.seq > base.seq => resumed(log, &place.snapshots, begins)?,
        _ => first(log, &place.snapshots)?,
    };
    if replay.head().seq > seq {
        return Err(ViewError::Pruned { seq, first: replay.head().seq.next() });
    }
    Ok(replay)
}

struct Verifying<'a> {
    reading: Reading<'a>,
    blocks: Blocks<'a>,
    progress: Progress,
    fold: Fold,
    commands: u64,
    marks: u64,
    ids: RefCell<(Timestamp, Vec<Printed>)>,
}

impl<'a> Verifying<'a> {
    fn new(reading: Reading<'a>, progress: Progress) -> Result<Self, ViewError> {
        let blocks = reading.blocks();
        let ids = RefCell::new((Timestamp::default(), reading.ids_of(Timestamp::default())?));
        let fold = Fold::default();
        Ok(Self { reading, blocks, progress, fold, commands: 0, marks: 0, ids })
    }

    /// What the log does not lead to any more has to follow from itself, and to lead to the state
    /// that a replay begins with.
    fn before(&mut self, replay: &Replay<Traced>) -> Result<(), ViewError> {
        let mut heads = Vec::new();
        self.reading.each_account(|account| {
            let (balance, debit_balanced) = (account.opening, account.debit_balanced);
            heads.push(AccountHead { balance, debit_balanced, ..AccountHead::default() });
            Ok(())
        })?;
        let mut last = None;
        for number in 1..=self.progress.rows {
            let (row, seq, _) = self.blocks.row(number)?;
            if seq > replay.head().seq {
                break;
            }
            for (side, debited) in [(&row.debit, true), (&row.credit, false)] {
                let head = usize::try_from(side.account.0).ok().and_then(|n| heads.get_mut(n));
                let next = head.and_then(|head| step(head, number, (side, debited), row.amount));
                next.ok_or_else(|| {
                    let account = side.account.0;
                    ViewError::Damaged(format!(
                        "row {number}: the entry of account {account} does not follow from the one before it"
                    ))
                })?;
            }
            let mut batch = Batch::default();
            batch.index(number, &row, last != Some(row.command));
            last = Some(row.command);
            self.indexed(&batch)?;
            self.fold.rows = number;
        }
        heads.truncate(replay.machine().0.opened_after(0).count());
        self.fold.heads = heads;
        self.fold.agrees(&replay.machine().0)
    }

    fn from(
        &mut self,
        mut replay: Replay<Traced>,
        log: &dyn Log,
        tell: &mut dyn FnMut(Seq),
    ) -> Result<Machine, ViewError> {
        let end = self.progress.head;
        let mut records = VerifiedRecords::new(log, replay.head());
        while replay.head().seq < end.seq {
            let record = records.next().ok_or(ViewError::OtherLog { seq: end.seq })??;
            let replayed = replay.apply(&record)?;
            let (seq, at) = (record.seq, replayed.batch.header.stamp.at);
            self.fold.record((seq, at), &replayed.outcomes, &replay.machine().0)?;
            let batch = std::mem::take(&mut self.fold.batch);
            batch.opened.iter().try_for_each(|opened| self.opened(opened))?;
            self.folded(&batch)?;
            self.indexed(&batch)?;
            tell(seq);
        }
        let stamp = (replay.head(), replay.at());
        if end != Head::EMPTY && stamp != (end, self.progress.at) {
            return Err(ViewError::OtherLog { seq: end.seq });
        }
        self.fold.agrees(&replay.machine().0)?;
        Ok(replay.into_machine().0)
    }

    fn opened(&self, opened: &Opened) -> Result<(), ViewError> {
        let found = self.reading.account(opened.id)?.map(|row| Opened {
            number: row.number,
            id: row.id,
            debit_balanced: row.debit_balanced,
            at: row.opened,
            opening: row.opening,
        });
        if found.as_ref() == Some(opened) {
            return Ok(());
        }
        Err(ViewError::Mismatch(format!("account {} is {found:?}, not {opened:?}", opened.id)))
    }

    fn folded(&self, batch: &Batch) -> Result<(), ViewError> {
        for block in &batch.blocks {
            for (expected, number) in block.rows()?.into_iter().zip(block.first..) {
                let found = self.blocks.row(number)?;
                if found != (expected, block.seq, block.at) {
                    let (Row { command, .. }, seq) = (expected, block.seq);
                    return Err(ViewError::Mismatch(format!(
                        "row {number} (record {seq}, command {command}) is {found:?}, not {expected:?}"
                    )));
                }
            }
        }
        Ok(())
    }

    /// Every row can be found that has to be.
    fn indexed(&mut self, batch: &Batch) -> Result<(), ViewError> {
        for (command, row) in &batch.ids {
            if !self.finds(*command, *row)? {
                let what = format!("command {command} does not lead to row {row}");
                return Err(ViewError::Damaged(what));
            }
            self.commands = self.commands.saturating_add(1);
        }
        for (account, entry, row) in &batch.marks {
            if self.reading.mark(*account, *entry)? != Some(*row) {
                let account = account.0;
                let what = format!("entry {entry} of account {account} does not lead to row {row}");
                return Err(ViewError::Damaged(what));
            }
            self.marks = self.marks.saturating_add(1);
        }
        Ok(())
    }

    fn finds(&self, command: CommandId, row: RowNumber) -> Result<bool, ViewError> {
        let mut ids = self.ids.borrow_mut();
        if ids.0 != command.created() {
            *ids = (command.created(), self.reading.ids_of(command.created())?);
        }
        Ok(ids.1.contains(&(print(command), row)))
    }

    /// Where every account stands is where the view says; and the view says no more.
    fn finish(&mut self, machine: &Machine) -> Result<(), ViewError> {
        let mut known = machine.opened_after(0).zip(&self.fold.heads);
        let (mut count, expected) = (0_usize, self.fold.heads.len());
        self.reading.each_account(|account| {
            count = count.saturating_add(1);
            let found = AccountHead {
                newest: account.newest,
                balance: account.balance,
                entries: account.entries,
                debit_balanced: account.debit_balanced,
            };
            let expected = known.next().map(|((number, one), head)| (number, one.id(), *head));
            if expected == Some((account.number, account.id, found)) {
                return Ok(());
            }
            let (number, id) = (account.number.0, account.id);
            Err(ViewError::Mismatch(format!(
                "account {number} is {id} and stands at {found:?}; it has to be {expected:?}"
            )))
        })?;
        let more = [
            ("accounts", u64::try_from(count).ok(), u64::try_from(expected).ok()),
            ("rows", Some(self.progress.rows), Some(self.fold.rows)),
            ("rows found by entry", Some(self.reading.marks()?), Some(self.marks)),
            ("commands", Some(self.reading.ids()?), Some(self.commands)),
        ];
        for (what, found, expected) in more {
            if found != expected {
                let (found, expected) = (found.unwrap_or_default(), expected.unwrap_or_default());
                return Err(ViewError::Mismatch(format!("it has {found} {what}, not {expected}")));
            }
        }
        Ok(())
    }
}

/// Moves an account on by an entry; `None` if that does not follow.
fn step(
    head: &mut AccountHead,
    number: RowNumber,
    (side, debited): (&Side, bool),
    amount: u64,
) -> Option<()> {
    let follows = side.previous == head.newest
        && Some(side.entry) == head.entries.checked_add(1)
        && after(head.balance, amount, debited == head.debit_balanced) == Some(side.balance);
    follows.then(|| {
        (head.newest, head.entries, head.balance) = (number, side.entry, side.balance);
    })
}
