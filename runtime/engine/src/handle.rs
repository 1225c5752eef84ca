//! The handle: how requests submit commands and read the state.

use crate::engine::Queue;
use crate::reading::ReadError;
use crate::shared::{Shared, Status, StopReason};
use crate::snapshot::MakeError;
use crate::{Checkpoint, ClockJump, Settings};
use std::sync::{Arc, PoisonError};
use tokio::sync::{OwnedSemaphorePermit, oneshot};
use yufu_base::{StateMachine, Timestamp};
use yufu_log::{Head, Refusal, Seq};

/// Submits commands to an engine and reads its state. Clones are cheap.
pub struct Handle<M: StateMachine> {
    pub(crate) shared: Arc<Shared<M>>,
    pub(crate) queue: Queue<M>,
}

/// What a command came to, durably.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Applied<O> {
    /// The machine's answer; a refusal is one too.
    pub outcome: O,
    /// The record that carries the command.
    pub seq: Seq,
    /// Its stamp.
    pub at: Timestamp,
}

/// Why a command has no outcome. In every case but [`SubmitError::Unknown`] it was not and
/// will not be applied.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SubmitError {
    /// Too much is submitted at once.
    #[error("a submission may have {max_commands} commands of {max_bytes} bytes in all: split it")]
    TooLarge {
        /// [`Settings::max_batch_commands`].
        max_commands: u32,
        /// [`Settings::max_batch_bytes`].
        max_bytes: u32,
    },
    /// A command has no encoding that reads back, so it could not be replayed.
    #[error("the command cannot be recorded: {0}; correct its contents")]
    Unencodable(String),
    /// The queue is full.
    #[error("too many commands are waiting: try again in a moment")]
    Overloaded,
    /// The clock jumped.
    #[error("no command is taken until the operator confirms the clock: {0}")]
    ClockJumped(ClockJump),
    /// The log takes nothing for the moment; the next submission tries it again.
    #[error("the log takes no command for the moment: {0}")]
    Refused(Refusal),
    /// Another writer took over the log.
    #[error("another writer took over the log: send the command to it")]
    Fenced,
    /// Whether it was recorded is unknown.
    #[error("whether the command was recorded is unknown: repeat it with the same id later")]
    Unknown,
    /// The engine stopped.
    #[error("the engine takes no commands any more: {0}")]
    Stopped(StopReason),
}

pub(crate) type Answer<M> = Result<Vec<Applied<<M as StateMachine>::Outcome>>, SubmitError>;

pub(crate) struct Submission<M: StateMachine> {
    pub(crate) commands: Vec<M::Command>,
    /// The number of commands.
    pub(crate) count: u32,
    /// Their encodings, one after another.
    pub(crate) encoded: Vec<u8>,
    /// Its room, held until it is answered, so that all that is under way is bounded.
    room: OwnedSemaphorePermit,
    answer: oneshot::Sender<Answer<M>>,
}

impl<M: StateMachine> Submission<M> {
    /// Gives the room back and answers. A client that went away needs no answer.
    pub(crate) fn answer(self, answer: Answer<M>) {
        drop(self.room);
        drop(self.answer.send(answer));
    }
}

pub(crate) enum Message<M: StateMachine> {
    Submit(Submission<M>),
    /// Is the log still this engine's?
    Confirm(oneshot::Sender<Result<(), ReadError>>),
    /// Make a snapshot of what is durable now.
    Snapshot(oneshot::Sender<Result<Head, MakeError>>),
    Stop,
}

impl<M: StateMachine> Handle<M> {
    pub(crate) const fn new(shared: Arc<Shared<M>>, queue: Queue<M>) -> Self {
        Self { shared, queue }
    }

    /// Submits one command and waits until it is durable and applied. If the future is
    /// dropped after it was first polled, the command is completed all the same.
    ///
    /// # Errors
    /// [`SubmitError`].
    pub async fn submit(&self, command: M::Command) -> Result<Applied<M::Outcome>, SubmitError> {
        let applied = self.submit_all(vec![command]).await?;
        applied.into_iter().next().ok_or(SubmitError::Unknown)
    }

    /// Submits commands that are applied one after another in this order, in one record,
    /// with nothing between them. Each has its own outcome: this is no transaction.
    ///
    /// # Errors
    /// [`SubmitError`], for all of them alike.
    pub async fn submit_all(
        &self,
        commands: Vec<M::Command>,
    ) -> Result<Vec<Applied<M::Outcome>>, SubmitError> {
        if commands.is_empty() {
            return Ok(Vec::new());
        }
        let answer = self.enqueue(commands)?;
        // Only a panic leaves a submission without an answer, perhaps after it was recorded.
        answer.await.unwrap_or(Err(SubmitError::Unknown))
    }

    /// The newest record applied.
    #[must_use]
    pub fn head(&self) -> Head {
        self.shared.state.read().unwrap_or_else(PoisonError::into_inner).head
    }

    /// The newest checkpoint in the log.
    #[must_use]
    pub fn checkpoint(&self) -> Option<Checkpoint> {
        self.shared.checkpoint()
    }

    /// Whether commands are taken.
    #[must_use]
    pub fn status(&self) -> Status {
        self.shared.status()
    }

    /// Resolves when the engine stops by itself, for a reason other than having been asked.
    pub async fn failed(&self) -> StopReason {
        let mut stopping = self.shared.stopping();
        let by_itself = |reason: &Option<StopReason>| {
            reason.as_ref().is_some_and(|reason| *reason != StopReason::Shutdown)
        };
        // The sender lives as long as this handle.
        match stopping.wait_for(by_itself).await.map(|reason| reason.clone()) {
            Ok(Some(reason)) => reason,
            _ => std::future::pending().await,
        }
    }

    /// Makes a snapshot of what is durable now, beside those made by themselves, and returns its head.
    ///
    /// # Errors
    /// [`MakeError`].
    pub async fn snapshot(&self) -> Result<Head, MakeError> {
        let (answer, answered) = oneshot::channel();
        self.queue.send(Message::Snapshot(answer)).map_err(|_| MakeError::Stopped)?;
        answered.await.unwrap_or(Err(MakeError::Stopped))
    }

    /// The operator has checked the clock: believes it as it stands now and goes on. Stamps
    /// never decrease, so after a step back they stand still until the clock has caught up.
    pub fn confirm_clock(&self) {
        tracing::warn!("the clock was confirmed");
        self.shared.confirm_clock();
    }

    pub(crate) fn send_stop(&self) {
        // No receiver means it has stopped already.
        drop(self.queue.send(Message::Stop));
    }

    fn enqueue(
        &self,
        commands: Vec<M::Command>,
    ) -> Result<oneshot::Receiver<Answer<M>>, SubmitError> {
        match self.status() {
            // Whoever comes while the log refuses is the one who tries it.
            Status::Running | Status::Refusing(_) => {}
            Status::ClockJumped(jump) => return Err(SubmitError::ClockJumped(jump)),
            Status::Stopped(reason) => return Err(reason.into()),
        }
        let Settings { max_batch_commands, max_batch_bytes, .. } = self.shared.settings;
        let too_large =
            SubmitError::TooLarge { max_commands: max_batch_commands, max_bytes: max_batch_bytes };
        let count = u32::try_from(commands.len()).unwrap_or(u32::MAX);
        if count > max_batch_commands {
            return Err(too_large);
        }
        let encoded = encode(&commands)?;
        let bytes = u32::try_from(encoded.len()).unwrap_or(u32::MAX);
        if bytes > max_batch_bytes {
            return Err(too_large);
        }
        let cost = self.shared.settings.cost(count, bytes);
        let room = Arc::clone(&self.shared.room)
            .try_acquire_many_owned(cost)
            .map_err(|_| SubmitError::Overloaded)?;
        let (answer, answered) = oneshot::channel();
        let submission = Submission { commands, count, encoded, room, answer };
        self.queue.send(Message::Submit(submission)).map_err(|_| self.stopped())?;
        Ok(answered)
    }

    fn stopped(&self) -> SubmitError {
        // The reason is set before the queue closes.
        self.shared.stop_reason().unwrap_or(StopReason::Shutdown).into()
    }
}

impl<M: StateMachine> Clone for Handle<M> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared), queue: self.queue.clone() }
    }
}

impl From<StopReason> for SubmitError {
    fn from(reason: StopReason) -> Self {
        match reason {
            StopReason::Fenced => Self::Fenced,
            other => Self::Stopped(other),
        }
    }
}

/// Encodes in the caller's task, so that the appender's thread need not, and reads back, so
/// that nothing is ordered that no replay could read.
fn encode<C>(commands: &[C]) -> Result<Vec<u8>, SubmitError>
where
    C: borsh::BorshSerialize + borsh::BorshDeserialize,
{
    let unencodable = |error: std::io::Error| SubmitError::Unencodable(error.to_string());
    let mut encoded = Vec::new();
    for command in commands {
        let start = encoded.len();
        borsh::to_writer(&mut encoded, command).map_err(unencodable)?;
        let own = encoded.get(start..).unwrap_or_default();
        borsh::from_slice::<C>(own).map_err(unencodable)?;
    }
    Ok(encoded)
}
