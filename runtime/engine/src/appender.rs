//! The appender's thread: takes what waits, stamps it, makes it durable as one record, and hands it to the
//! applier, which may still be at the records before.

use crate::batch::{Commitment, Header};
use crate::handle::{Message, Submission, SubmitError};
use crate::pending::{Durable, Pending};
use crate::reading::ReadError;
use crate::shared::{PanicGuard, Shared, StopReason};
use crate::snapshot::{MakeError, Schedule};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use tokio::sync::mpsc::UnboundedReceiver;
use yufu_base::{Stamp, StateMachine};
use yufu_log::{Appended, Epoch, Head, Log, LogError, Refusal};

pub(crate) struct Appender<M: StateMachine> {
    pub(crate) log: Box<dyn Log>,
    pub(crate) epoch: Epoch,
    /// The newest durable record.
    pub(crate) head: Head,
    pub(crate) shared: Arc<Shared<M>>,
    pub(crate) queue: UnboundedReceiver<Message<M>>,
    /// To the applier. Bounded: this thread waits when it is too far ahead.
    pub(crate) durable: SyncSender<Durable<M>>,
    pub(crate) snapshots: Option<Schedule>,
    /// Taken from the queue, but did not fit into the batch before.
    pub(crate) carried: Option<Submission<M>>,
}

/// How an append did not come to a durable record.
enum Failed {
    /// Nothing was written, and the next one may be.
    ForNow(Refusal),
    /// The engine cannot go on; what those who wait for the batch are told.
    ForGood(StopReason, SubmitError),
}

impl<M: StateMachine> Appender<M> {
    pub(crate) fn run(mut self) {
        let _panicked = PanicGuard(Arc::clone(&self.shared));
        while let Some(first) = self.wait() {
            let pending = self.collect(first);
            if self.commit(pending).is_break() {
                break;
            }
        }
        self.stop(StopReason::Shutdown);
    }

    /// The next submission, `None` once the engine is to stop and nothing waits.
    fn wait(&mut self) -> Option<Submission<M>> {
        if let Some(carried) = self.carried.take() {
            return Some(carried);
        }
        loop {
            let message = self.queue.blocking_recv()?;
            if let Some(submission) = self.take(message) {
                return Some(submission);
            }
        }
    }

    /// A submission is handed on, anything else is seen to.
    fn take(&mut self, message: Message<M>) -> Option<Submission<M>> {
        match message {
            Message::Submit(submission) => return Some(submission),
            // Whoever asked may have gone away.
            Message::Confirm(answer) => drop(answer.send(self.confirm())),
            Message::Snapshot(answer) => match &self.snapshots {
                Some(schedule) => schedule.request(self.head, answer),
                None => drop(answer.send(Err(MakeError::NoFolder))),
            },
            Message::Stop => self.close(),
        }
        None
    }

    /// On request: takes no more, but what was sent before is still received and done.
    fn close(&mut self) {
        self.shared.stop(StopReason::Shutdown);
        self.queue.close();
    }

    /// Asks the log whether it is still this engine's.
    fn confirm(&mut self) -> Result<(), ReadError> {
        if self.shared.is_confirmed() {
            return Ok(());
        }
        let before = self.shared.reading();
        match self.log.epoch() {
            Ok(epoch) if epoch == self.epoch => {
                self.shared.set_confirmed(before);
                Ok(())
            }
            Ok(epoch) => {
                tracing::error!(epoch = epoch.get(), "another writer took over the log");
                self.shared.stop(StopReason::Fenced);
                Err(ReadError::Fenced)
            }
            Err(error) => Err(ReadError::Unconfirmed(error)),
        }
    }

    /// All that waits, up to the bounds of a batch.
    fn collect(&mut self, first: Submission<M>) -> Pending<M> {
        let settings = self.shared.settings;
        let mut pending = Pending::new(first);
        while let Ok(message) = self.queue.try_recv() {
            let Some(next) = self.take(message) else { continue };
            if let Err(next) = pending.push(next, &settings) {
                self.carried = Some(next);
                break;
            }
        }
        let depth = self.queue.len().saturating_add(usize::from(self.carried.is_some()));
        metrics::gauge!("yufu_engine_queue_depth").set(number(depth));
        pending
    }

    /// Stamps and appends one batch and hands it to the applier; breaks if the engine cannot go on.
    fn commit(&mut self, pending: Pending<M>) -> ControlFlow<()> {
        // A panic of the applier's, or a look at the epoch, may have ended it.
        if let Some(reason) = self.shared.stop_reason().filter(|r| *r != StopReason::Shutdown) {
            pending.refuse(&reason.into());
            return ControlFlow::Break(());
        }
        let stamp = match self.shared.stamp() {
            Ok(at) => Stamp { at },
            Err(jump) => {
                tracing::error!(%jump, "the clock jumped: no command is taken");
                pending.refuse(&SubmitError::ClockJumped(jump));
                return ControlFlow::Continue(());
            }
        };
        let header = self.header(stamp);
        let payload = header.payload(pending.count, &pending.encoded);
        match self.append(&payload) {
            Ok(head) => self.hand_over(pending, &header, payload.len(), head),
            Err(Failed::ForNow(refusal)) => {
                tracing::error!(%refusal, "the log takes nothing for the moment");
                self.shared.set_refusing(Some(refusal));
                pending.refuse(&SubmitError::Refused(refusal));
                ControlFlow::Continue(())
            }
            Err(Failed::ForGood(reason, error)) => {
                tracing::error!(%reason, "the engine stops");
                self.shared.stop(reason);
                pending.refuse(&error);
                ControlFlow::Break(())
            }
        }
    }

    /// What the next record says before its commands.
    fn header(&self, stamp: Stamp) -> Header {
        let (seq, point) = self.shared.applied();
        let snapshots = self.snapshots.as_ref();
        Header {
            machine_version: point.version,
            stamp,
            outcomes: Commitment::Through { seq, digest: point.running },
            marked: snapshots.is_some_and(Schedule::is_due),
            checkpoint: snapshots.and_then(Schedule::checkpoint),
        }
    }

    fn append(&mut self, payload: &[u8]) -> Result<Head, Failed> {
        let before = self.shared.reading();
        let appended = match self.log.append(self.head, self.epoch, payload) {
            Appended::Durable(head) => Ok(head),
            Appended::Conflict(_) | Appended::Fenced(_) => {
                Err(Failed::ForGood(StopReason::Fenced, SubmitError::Fenced))
            }
            Appended::Refused(refusal) if retriable(refusal) => Err(Failed::ForNow(refusal)),
            Appended::Refused(refusal) => {
                let reason = StopReason::Refused(refusal);
                Err(Failed::ForGood(reason.clone(), SubmitError::Stopped(reason)))
            }
            Appended::Unknown(error) => self.resolve(payload, error),
        };
        let took = self.shared.reading().monotonic.saturating_sub(before.monotonic);
        metrics::histogram!("yufu_engine_append_seconds").record(took.as_secs_f64());
        if appended.is_ok() {
            self.shared.set_confirmed(before);
            self.shared.set_refusing(None);
        }
        appended
    }

    /// An append ended in doubt: looks once. Finding the record settles it. Not finding it
    /// does not, for it may still arrive; only another record in its place does.
    fn resolve(&self, payload: &[u8], error: LogError) -> Result<Head, Failed> {
        tracing::warn!(%error, "an append ended in doubt: reading back");
        let wanted = self.head.extend(self.epoch, payload);
        match self.log.read(wanted.seq, 1).as_deref() {
            Ok([record]) if record.head() == wanted => Ok(wanted),
            Ok([_, ..]) => Err(Failed::ForGood(StopReason::Fenced, SubmitError::Fenced)),
            Ok([]) | Err(_) => {
                Err(Failed::ForGood(StopReason::Unknown(error), SubmitError::Unknown))
            }
        }
    }

    /// Gives a durable batch to the applier, waiting if it is too far behind.
    fn hand_over(
        &mut self,
        pending: Pending<M>,
        header: &Header,
        bytes: usize,
        head: Head,
    ) -> ControlFlow<()> {
        metrics::counter!("yufu_engine_batches_total").increment(1);
        metrics::counter!("yufu_engine_commands_total").increment(u64::from(pending.count));
        metrics::histogram!("yufu_engine_batch_commands").record(f64::from(pending.count));
        self.head = head;
        if header.checkpoint.is_some() {
            self.shared.set_checkpoint(header.checkpoint);
        }
        if let Some(schedule) = &mut self.snapshots {
            schedule.appended(head, header, bytes);
        }
        match self.durable.send(Durable { pending, stamp: header.stamp, head }) {
            Ok(()) => ControlFlow::Continue(()),
            // The applier panicked: the batch is dropped unanswered, which its senders take for "unknown".
            Err(_) => ControlFlow::Break(()),
        }
    }

    /// Takes no more, and refuses what waits.
    fn stop(mut self, reason: StopReason) {
        self.shared.stop(reason);
        self.queue.close();
        let reason = self.shared.stop_reason().unwrap_or(StopReason::Shutdown);
        if let Some(submission) = self.carried.take() {
            submission.answer(Err(reason.clone().into()));
        }
        while let Some(message) = self.queue.blocking_recv() {
            match message {
                Message::Submit(submission) => submission.answer(Err(reason.clone().into())),
                Message::Confirm(answer) => drop(answer.send(Err(reason.clone().into()))),
                Message::Snapshot(answer) => drop(answer.send(Err(MakeError::Stopped))),
                Message::Stop => {}
            }
        }
    }
}

/// Whether a refusal passes by itself or when an operator makes room, without a new start.
const fn retriable(refusal: Refusal) -> bool {
    matches!(refusal, Refusal::Busy | Refusal::Full)
}

fn number(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}
