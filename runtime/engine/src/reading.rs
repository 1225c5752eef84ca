//! Reading the machine, as long as this engine is known to be the log's one writer.

use crate::handle::{Handle, Message};
use crate::shared::StopReason;
use std::sync::PoisonError;
use tokio::sync::oneshot;
use yufu_base::{StateMachine, Timestamp};
use yufu_log::LogError;

/// Why the machine cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// Another writer took over the log: what is here is old.
    #[error("another writer took over the log: ask there")]
    Fenced,
    /// Whether another writer took over cannot be told.
    #[error("whether this is the log's one writer cannot be told ({0}): ask again later")]
    Unconfirmed(LogError),
    /// The engine stopped, and another writer may have taken over since.
    #[error("the engine stopped, and what it holds may be old: {0}")]
    Stopped(StopReason),
}

impl<M: StateMachine> Handle<M> {
    /// Reads the machine: all that was answered, and nothing that is not durable. `now` is the time a
    /// command would be stamped with. Keep `read` short: the next batch is not applied meanwhile, and it
    /// waits for one being applied.
    ///
    /// # Errors
    /// As [`Handle::confirm`].
    pub async fn read<R>(&self, read: impl FnOnce(&M, Timestamp) -> R) -> Result<R, ReadError> {
        self.confirm().await?;
        Ok(self.read_unconfirmed(read))
    }

    /// Makes sure that the log was this engine's within [`crate::Settings::read_bound`]: an append or an
    /// earlier look may have shown it, else the log is asked. What this cannot tell is whether another
    /// writer took over within that bound; what that one answered since is then not seen here.
    ///
    /// # Errors
    /// [`ReadError`].
    pub async fn confirm(&self) -> Result<(), ReadError> {
        // A machine that panicked may have stopped half-way.
        if let Some(reason @ (StopReason::Fenced | StopReason::Panicked)) =
            self.shared.stop_reason()
        {
            return Err(reason.into());
        }
        if self.shared.is_confirmed() {
            return Ok(());
        }
        let (answer, answered) = oneshot::channel();
        if self.queue.send(Message::Confirm(answer)).is_err() {
            return Err(self.unread());
        }
        answered.await.unwrap_or_else(|_| Err(self.unread()))
    }

    /// Reads the machine however old it may be: for what is not an answer to anybody.
    pub fn read_unconfirmed<R>(&self, read: impl FnOnce(&M, Timestamp) -> R) -> R {
        let state = self.shared.state.read().unwrap_or_else(PoisonError::into_inner);
        read(&state.machine, self.shared.now())
    }

    fn unread(&self) -> ReadError {
        self.shared.stop_reason().unwrap_or(StopReason::Shutdown).into()
    }
}

impl From<StopReason> for ReadError {
    fn from(reason: StopReason) -> Self {
        match reason {
            StopReason::Fenced => Self::Fenced,
            other => Self::Stopped(other),
        }
    }
}
