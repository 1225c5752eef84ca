//! The follower: a machine of its own behind the ledger's log, whose movements it folds into the
//! view. It knows nothing of the engine, and the engine nothing of it.

use crate::error::ViewError;
use crate::fold::{Fold, Head as AccountHead};
use crate::store::{self, Claim, Progress, Reading};
use crate::traced::Traced;
use rusqlite::Connection;
use std::path::{Path, PathBuf};
use yufu_base::Timestamp;
use yufu_engine::{Replay, load_snapshot, newest_snapshot, snapshots_in};
use yufu_log::{Head, Log, LogError, Seq, VerifiedRecords};

/// So many sides of transfers are written at once, about.
const SIDES: usize = 200_000;
/// So many records are written at once, at most.
const RECORDS: usize = 4_096;

/// Where a view and what it is made from lie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The view's file.
    pub view: PathBuf,
    /// The folder of the ledger's snapshots.
    pub snapshots: PathBuf,
}

/// How far a view has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Through {
    /// The newest record of the log that is in it, 0 before the first.
    pub seq: Seq,
    /// That record's stamp.
    pub at: Timestamp,
}

/// A record was folded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Folded {
    /// Which.
    pub seq: Seq,
    /// How far what is written goes.
    pub written: Through,
}

/// A view being kept up.
pub struct Follower {
    connection: Connection,
    replay: Replay<Traced>,
    fold: Fold,
    written: Progress,
    _claim: Claim,
}

impl Follower {
    /// Opens the view, makes it if there is none, and brings a machine to where it stands: from the
    /// newest snapshot that is not beyond, else from the log's beginning.
    ///
    /// # Errors
    /// [`ViewError`].
    pub fn open(place: &Place, log: &dyn Log) -> Result<Self, ViewError> {
        Self::claimed(place, log, Claim::take(&place.view)?)
    }

    pub(crate) fn claimed(place: &Place, log: &dyn Log, claim: Claim) -> Result<Self, ViewError> {
        let connection = store::open(&place.view)?;
        let (written, fold) = standing(&connection)?;
        let replay = match written.head {
            Head::EMPTY => first(log, &place.snapshots)?,
            head => resumed(log, &place.snapshots, head)?,
        };
        let mut follower = Self { connection, replay, fold, written, _claim: claim };
        if written.head == Head::EMPTY {
            follower.begin()?;
        }
        follower.fold.agrees(&follower.replay.machine().0)?;
        Ok(follower)
    }

    /// A view of a pruned log begins with what accounts hold where a snapshot begins.
    fn begin(&mut self) -> Result<(), ViewError> {
        let (head, at) = (self.replay.head(), self.replay.at());
        if head == Head::EMPTY {
            return Ok(());
        }
        self.fold.open(&self.replay.machine().0, at, true);
        self.written_from(Progress { head, at, rows: 0, begins: head, begins_at: at })
    }

    /// Folds all that the log holds beyond what is folded, and writes it down, in several steps if
    /// it is much. `go_on` hears of each record; when it says no, what is complete by then is
    /// written and this ends.
    ///
    /// # Errors
    /// [`ViewError`]; what was written is whole, and is gone on from when it is opened again.
    pub fn catch_up(
        &mut self,
        log: &dyn Log,
        go_on: &mut dyn FnMut(Folded) -> bool,
    ) -> Result<(), ViewError> {
        let mut waiting = 0_usize;
        for record in VerifiedRecords::new(log, self.replay.head()) {
            let record = record?;
            let replayed = self.replay.apply(&record)?;
            let (seq, at) = (record.seq, replayed.batch.header.stamp.at);
            self.fold.record((seq, at), &replayed.outcomes, &self.replay.machine().0)?;
            waiting = waiting.saturating_add(1);
            if waiting >= RECORDS || self.fold.batch.len() >= SIDES {
                self.write()?;
                waiting = 0;
            }
            if !go_on(Folded { seq, written: self.through() }) {
                break;
            }
        }
        if waiting > 0 { self.write() } else { Ok(()) }
    }

    fn write(&mut self) -> Result<(), ViewError> {
        let (head, at, rows) = (self.replay.head(), self.replay.at(), self.fold.rows);
        self.written_from(Progress { head, at, rows, ..self.written })
    }

    fn written_from(&mut self, progress: Progress) -> Result<(), ViewError> {
        let batch = std::mem::take(&mut self.fold.batch);
        let moved = progress.rows.saturating_sub(self.written.rows);
        let steps = (self.written, progress);
        store::write(&mut self.connection, batch, &self.fold.heads, steps)?;
        self.written = progress;
        metrics::counter!("yufu_views_transfers_total").increment(moved);
        Ok(())
    }

    /// How far what is written goes.
    #[must_use]
    pub const fn through(&self) -> Through {
        Through { seq: self.written.head.seq, at: self.written.at }
    }

    /// How many transfers are in the view.
    #[must_use]
    pub const fn transfers(&self) -> u64 {
        self.written.rows
    }
}

/// Where a view's accounts stand, as it is written.
fn standing(connection: &Connection) -> Result<(Progress, Fold), ViewError> {
    let transaction = connection.unchecked_transaction()?;
    let reading = Reading::of(&transaction);
    let progress = reading.progress()?;
    let mut fold = Fold { rows: progress.rows, ..Fold::default() };
    reading.each_account(|account| {
        if usize::try_from(account.number.0) != Ok(fold.heads.len()) {
            let missing = fold.heads.len();
            return Err(ViewError::Damaged(format!("account {missing} is missing")));
        }
        fold.heads.push(AccountHead {
            newest: account.newest,
            balance: account.balance,
            entries: account.entries,
            debit_balanced: account.debit_balanced,
        });
        Ok(())
    })?;
    Ok((progress, fold))
}

/// A replay from where the log begins: its first record or, if those before were pruned, the oldest
/// snapshot that it leads through.
pub(crate) fn first(log: &dyn Log, snapshots: &Path) -> Result<Replay<Traced>, ViewError> {
    let base = log.base()?;
    if base == Head::EMPTY {
        return Ok(Replay::new(Traced::new()));
    }
    let failed = |error: std::io::Error| ViewError::Storage(error.to_string());
    for file in snapshots_in(snapshots).map_err(failed)?.into_iter().rev() {
        let Ok(replay) = load_snapshot::<Traced>(&file.path) else { continue };
        if leads_through(log, replay.head())? {
            return Ok(replay);
        }
    }
    Err(ViewError::Pruned { seq: Seq::ZERO, first: base.seq.next() })
}

/// A replay that has come to `head`, from the nearest snapshot.
pub(crate) fn resumed(
    log: &dyn Log,
    snapshots: &Path,
    head: Head,
) -> Result<Replay<Traced>, ViewError> {
    let (base, seq) = (log.base()?, head.seq);
    if base.seq > seq {
        return Err(ViewError::Pruned { seq, first: base.seq.next() });
    }
    if !leads_through(log, head)? {
        return Err(ViewError::OtherLog { seq });
    }
    let nearest = newest_snapshot::<Traced>(snapshots, log, seq).map_err(|(_, error)| error)?;
    let mut replay = match nearest {
        Some(replay) => replay,
        None if base == Head::EMPTY => Replay::new(Traced::new()),
        None => return Err(ViewError::Pruned { seq, first: base.seq.next() }),
    };
    let mut records = VerifiedRecords::new(log, replay.head());
    while replay.head().seq < seq {
        let Some(record) = records.next() else { break };
        replay.apply(&record?)?;
    }
    if replay.head() == head { Ok(replay) } else { Err(ViewError::OtherLog { seq }) }
}

/// Whether a log holds a head, or follows from it.
pub(crate) fn leads_through(log: &dyn Log, head: Head) -> Result<bool, ViewError> {
    if log.base()? == head {
        return Ok(true);
    }
    match log.read(head.seq, 1) {
        Ok(records) => Ok(records.first().is_some_and(|record| record.head() == head)),
        Err(LogError::Pruned { .. }) => Ok(false),
        Err(error) => Err(error.into()),
    }
}
