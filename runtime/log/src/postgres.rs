//! The organisation's log: a table in PostgreSQL, replicated by the database's own synchronous
//! standbys. The primary key on the number is the fence against a second record of it; the row
//! of the epoch in force, which an append holds and a seal changes, is the one against a former
//! writer. An append is one statement, its own transaction, in one round trip.
//!
//! The log never connects again to write: an error is [`Appended::Unknown`], and the engine
//! starts anew. It does connect again to tell what came of an append in doubt.
//!
//! The calls block, on a runtime of the client's own: none of them, nor the drop, may happen in
//! an asynchronous task.

mod address;
mod connection;
mod schema;
mod statements;
#[cfg(test)]
mod tests;

pub use address::{AddressError, PostgresAddress};
pub use schema::PostgresOpenError;

use crate::verify::check_newest;
use crate::{
    Appended, Epoch, Head, Log, LogError, MAX_PAYLOAD, PruneError, Record, Refusal, SealError, Seq,
};
use connection::{Connection, Session, Trouble};
use std::cell::{Cell, RefCell};
use std::time::Duration;

/// How long a standby may take to confirm what was read, before reading ends with an error.
/// Appends and seals wait without end: giving up could lose what is written already.
const CONFIRMATION: Duration = Duration::from_secs(30);

/// A log in a PostgreSQL database.
#[derive(Debug)]
pub struct PostgresLog {
    address: PostgresAddress,
    access: Access,
    /// `None` after an append ended in doubt, until somebody reads.
    connection: RefCell<Option<Connection>>,
    /// The session in which an append or a seal ended in doubt. Nothing is written any more.
    doubt: RefCell<Option<Session>>,
    /// The newest head known to be durable.
    confirmed: Cell<Head>,
    patience: Duration,
}

/// What a handle may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// Write, as the one process that does.
    Alone,
    /// Write, if nobody else sealed an epoch.
    Fenced,
    /// Read.
    ReadOnly,
}

impl PostgresLog {
    /// Opens the log at `address` for writing, creating it if there is none. Whoever wants to
    /// append has to seal an epoch first. Waits for a standby's confirmation of what is there.
    ///
    /// # Errors
    /// [`PostgresOpenError`]: no connection, a standby, a setting on which durability cannot
    /// rest, not a log, an unknown version, a newest record that does not verify.
    pub fn open(address: &PostgresAddress) -> Result<Self, PostgresOpenError> {
        Self::open_as(address, Access::Fenced, CONFIRMATION)
    }

    /// The same, for the one process that is to write: a second one is refused as long as this
    /// handle is connected. Readers are not held up.
    ///
    /// # Errors
    /// [`PostgresOpenError::InUse`], else as [`PostgresLog::open`].
    pub fn open_alone(address: &PostgresAddress) -> Result<Self, PostgresOpenError> {
        Self::open_as(address, Access::Alone, CONFIRMATION)
    }

    /// Opens the log at `address` for reading only: for an audit, beside a running writer. On a
    /// standby it shows what that standby has, which nobody confirms.
    ///
    /// # Errors
    /// As [`PostgresLog::open`]; a log that is not there is an error too.
    pub fn open_read_only(address: &PostgresAddress) -> Result<Self, PostgresOpenError> {
        Self::open_as(address, Access::ReadOnly, CONFIRMATION)
    }

    /// Looks whether a log could be opened for writing at `address`, and makes nothing. Tells the
    /// server's `synchronous_standby_names`: see [`PostgresLog::synchronous_standbys`].
    ///
    /// # Errors
    /// As [`PostgresLog::open`]; the records are not looked at.
    pub fn check(address: &PostgresAddress) -> Result<String, PostgresOpenError> {
        connection::check(address)
    }

    pub(crate) fn open_as(
        address: &PostgresAddress,
        access: Access,
        patience: Duration,
    ) -> Result<Self, PostgresOpenError> {
        let mut connection = Connection::open(address, access)?;
        if access == Access::Alone {
            connection.claim()?;
        }
        let log = Self {
            address: address.clone(),
            access,
            connection: RefCell::new(Some(connection)),
            doubt: RefCell::new(None),
            confirmed: Cell::new(Head::EMPTY),
            patience,
        };
        check_newest(&log)?;
        Ok(log)
    }

    /// Whom the server waits for before it confirms a commit: its `synchronous_standby_names`.
    /// Empty if it waits for nobody, and what it confirms is on its own disk only.
    ///
    /// # Errors
    /// [`LogError`] if the server does not answer.
    pub fn synchronous_standbys(&self) -> Result<String, LogError> {
        self.reading(Connection::synchronous_standbys)
    }

    /// Runs `body` on the connection, which is opened anew if there is none, or none any more.
    fn reading<T>(
        &self,
        body: impl Fn(&mut Connection) -> Result<T, Trouble>,
    ) -> Result<T, LogError> {
        let mut slot = self.connection.borrow_mut();
        if let Some(connection) = slot.as_mut() {
            match body(connection) {
                Err(Trouble::Lost(_)) => self.give_up(&mut slot),
                done => return done.map_err(Into::into),
            }
        }
        let done = body(slot.insert(self.connect_again()?));
        if matches!(done, Err(Trouble::Lost(_))) {
            self.give_up(&mut slot);
        }
        done.map_err(Into::into)
    }

    /// A connection to read on, after the former one ended: once the former session has ended,
    /// too, nothing can arrive from it any more.
    fn connect_again(&self) -> Result<Connection, LogError> {
        let opened = Connection::open(&self.address, self.access);
        let mut connection = opened.map_err(|error| LogError::Storage(error.to_string()))?;
        if let Some(session) = self.doubt.borrow().as_ref() {
            connection.await_end(session)?;
        }
        Ok(connection)
    }

    /// Lets go of the connection. A writer does not write any more.
    fn give_up(&self, slot: &mut Option<Connection>) {
        if let Some(connection) = slot.take()
            && self.access != Access::ReadOnly
        {
            self.doubt.borrow_mut().get_or_insert(connection.session());
        }
    }

    /// Confirms that `head`, which was read before, is durable: once a later commit of our own is
    /// confirmed, so is all that was written before it.
    fn confirm(&self, head: Head) -> Result<(), LogError> {
        let confirmed = self.confirmed.get();
        if head.seq < confirmed.seq {
            return Err(LogError::Malformed(format!(
                "record {} was confirmed, and this server ends at {}: it is not the log's primary",
                confirmed.seq, head.seq
            )));
        }
        let patience = self.patience;
        let done = self.reading(|connection| Ok(connection.confirm(patience)))?;
        if done.is_err() {
            // The server sends a cancellation twice, and the second may come late: nothing is to
            // run in this session any more.
            self.give_up(&mut self.connection.borrow_mut());
        } else {
            self.confirmed.set(head);
        }
        done
    }

    /// Why an append wrote nothing.
    fn explain(&self, after: Head, epoch: Epoch) -> Appended {
        let found = self.reading(|connection| Ok((connection.epoch()?, connection.head()?)));
        match found {
            Ok((current, _)) if epoch != current || epoch == Epoch::NONE => {
                Appended::Fenced(current)
            }
            Ok((_, head)) if head != after => match self.confirm(head) {
                Ok(()) => Appended::Conflict(head),
                Err(error) => Appended::Unknown(error),
            },
            // Another handle was quicker, and pruned meanwhile.
            Ok(_) => Appended::Refused(Refusal::Busy),
            Err(error) => Appended::Unknown(error),
        }
    }

    /// Runs `body` on the connection for writing. Whatever goes wrong but a full disk leaves in
    /// doubt what was written, and ends the writing.
    fn writing<T>(
        &mut self,
        body: impl FnOnce(&mut Connection) -> Result<T, Trouble>,
    ) -> Result<T, LogError> {
        let mut slot = self.connection.borrow_mut();
        let connection = slot.as_mut().filter(|_| self.doubt.borrow().is_none());
        let Some(connection) = connection else { return Err(LogError::Unusable) };
        let done = body(connection);
        if done.as_ref().is_err_and(|trouble| !matches!(trouble, Trouble::Full)) {
            self.give_up(&mut slot);
        }
        done.map_err(Into::into)
    }
}

impl Log for PostgresLog {
    fn append(&mut self, after: Head, epoch: Epoch, payload: &[u8]) -> Appended {
        let bytes = payload.len();
        let refusal = match () {
            () if self.access == Access::ReadOnly => Some(Refusal::ReadOnly),
            () if self.doubt.get_mut().is_some() => Some(Refusal::Unusable),
            () if bytes > MAX_PAYLOAD => Some(Refusal::TooLarge { bytes }),
            () => None,
        };
        if let Some(refusal) = refusal {
            return Appended::Refused(refusal);
        }
        let slot = self.connection.get_mut();
        let Some(connection) = slot else { return Appended::Refused(Refusal::Unusable) };
        match connection.append(after, epoch, payload) {
            Ok(Some(head)) => {
                self.confirmed.set(head);
                Appended::Durable(head)
            }
            Ok(None) | Err(Trouble::Duplicate) => self.explain(after, epoch),
            Err(Trouble::Full) => Appended::Refused(Refusal::Full),
            Err(trouble @ (Trouble::Doubt(_) | Trouble::Lost(_) | Trouble::Log(_))) => {
                self.give_up(&mut self.connection.borrow_mut());
                Appended::Unknown(trouble.into())
            }
        }
    }

    fn seal(&mut self, epoch: Epoch) -> Result<Head, SealError> {
        if self.access == Access::ReadOnly {
            return Err(SealError::ReadOnly);
        }
        match self.writing(|connection| connection.seal(epoch))? {
            Ok(head) => {
                self.confirmed.set(head);
                Ok(head)
            }
            Err(current) => Err(SealError::Stale { asked: epoch, current }),
        }
    }

    fn epoch(&self) -> Result<Epoch, LogError> {
        let epoch = self.reading(Connection::epoch)?;
        if self.access != Access::ReadOnly {
            self.confirm(self.confirmed.get())?;
        }
        Ok(epoch)
    }

    fn read(&self, from: Seq, max: usize) -> Result<Vec<Record>, LogError> {
        let from = from.max(Seq::FIRST);
        let records = self.reading(|connection| connection.read(from, max))?;
        if records.first().is_none_or(|record| record.seq != from) {
            let first = self.base()?.seq.next();
            if from < first {
                return Err(LogError::Pruned { first });
            }
        }
        let newest = records.last().map(Record::head);
        if let Some(head) = newest.filter(|head| head.seq > self.confirmed.get().seq) {
            self.confirm(head)?;
        }
        Ok(records)
    }

    fn durable_head(&self) -> Result<Head, LogError> {
        // Confirmed in any case: a former primary that was cut off cannot.
        let head = self.reading(Connection::head)?;
        self.confirm(head)?;
        Ok(head)
    }

    fn base(&self) -> Result<Head, LogError> {
        self.reading(Connection::base)
    }

    fn prune(&mut self, epoch: Epoch, up_to: Head) -> Result<(), PruneError> {
        if self.access == Access::ReadOnly {
            return Err(PruneError::ReadOnly);
        }
        while !self.writing(|connection| connection.prune_step(epoch, up_to))?? {}
        Ok(())
    }
}
