//! The writer's thread: takes what waits, stamps it, makes it durable, applies it, answers.

use crate::batch::{encode_batch, outcomes_digest};
use crate::handle::{Applied, Message, Submission, SubmitError};
use crate::shared::{Shared, StopReason};
use std::ops::ControlFlow;
use std::sync::{Arc, PoisonError};
use tokio::sync::mpsc::UnboundedReceiver;
use yufu_base::{Digest, Stamp, StateMachine};
use yufu_log::{Appended, Epoch, Head, Log, LogError};

pub(crate) struct Writer<M: StateMachine> {
    log: Box<dyn Log>,
    epoch: Epoch,
    head: Head,
    /// Digest of the outcomes of the newest record.
    outcomes: Digest,
    shared: Arc<Shared<M>>,
    queue: UnboundedReceiver<Message<M>>,
    /// Taken from the queue, but did not fit into the batch before.
    carried: Option<Submission<M>>,
}

/// Submissions that become one record.
struct Pending<M: StateMachine> {
    submissions: Vec<Submission<M>>,
    count: u32,
    encoded: Vec<u8>,
}

impl<M: StateMachine> Writer<M> {
    pub(crate) fn new(
        log: Box<dyn Log>,
        epoch: Epoch,
        head: Head,
        outcomes: Digest,
        shared: Arc<Shared<M>>,
        queue: UnboundedReceiver<Message<M>>,
    ) -> Self {
        Self { log, epoch, head, outcomes, shared, queue, carried: None }
    }

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
            match self.queue.blocking_recv()? {
                Message::Submit(submission) => return Some(submission),
                Message::Stop => self.close(),
            }
        }
    }

    /// On request: takes no more, but what was sent before is still received and done.
    fn close(&mut self) {
        self.shared.stop(StopReason::Shutdown);
        self.queue.close();
    }

    /// All that waits, up to the bounds of a batch.
    fn collect(&mut self, first: Submission<M>) -> Pending<M> {
        let settings = self.shared.settings;
        let mut pending = Pending { submissions: Vec::new(), count: 0, encoded: Vec::new() };
        pending.push(first);
        while let Ok(message) = self.queue.try_recv() {
            match message {
                Message::Stop => self.close(),
                Message::Submit(next) => {
                    let count = pending.count.saturating_add(next.count);
                    let bytes = pending.encoded.len().saturating_add(next.encoded.len());
                    let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
                    if count > settings.max_batch_commands || bytes > settings.max_batch_bytes {
                        self.carried = Some(next);
                        break;
                    }
                    pending.push(next);
                }
            }
        }
        let depth = self.queue.len().saturating_add(usize::from(self.carried.is_some()));
        metrics::gauge!("yufu_engine_queue_depth").set(number(depth));
        pending
    }

    /// Stamps, appends, applies and answers one batch; breaks if the engine cannot go on.
    fn commit(&mut self, pending: Pending<M>) -> ControlFlow<()> {
        let stamp = match self.shared.stamp() {
            Ok(at) => Stamp { at },
            Err(jump) => {
                tracing::error!(%jump, "the clock jumped: no command is taken");
                pending.refuse(&SubmitError::ClockJumped(jump));
                return ControlFlow::Continue(());
            }
        };
        let (count, encoded) = (pending.count, &pending.encoded);
        let payload = encode_batch(M::VERSION, stamp, self.outcomes, count, encoded);
        let started = self.shared.reading().monotonic;
        let appended = self.append(&payload);
        let took = self.shared.reading().monotonic.saturating_sub(started);
        metrics::histogram!("yufu_engine_append_seconds").record(took.as_secs_f64());
        let head = match appended {
            Ok(head) => head,
            Err((reason, error)) => {
                tracing::error!(%reason, "the engine stops");
                self.stop(reason);
                pending.refuse(&error);
                return ControlFlow::Break(());
            }
        };
        metrics::counter!("yufu_engine_batches_total").increment(1);
        metrics::counter!("yufu_engine_commands_total").increment(u64::from(count));
        metrics::histogram!("yufu_engine_batch_commands").record(f64::from(count));
        self.apply(pending, stamp, head);
        ControlFlow::Continue(())
    }

    /// The new head once the payload is durable, else why the engine stops and what those who
    /// wait for this batch are told.
    fn append(&mut self, payload: &[u8]) -> Result<Head, (StopReason, SubmitError)> {
        match self.log.append(self.head, self.epoch, payload) {
            Appended::Durable(head) => Ok(head),
            Appended::Conflict(_) | Appended::Fenced(_) => {
                Err((StopReason::Fenced, SubmitError::Fenced))
            }
            Appended::Refused(refusal) => {
                let reason = StopReason::Refused(refusal);
                Err((reason.clone(), SubmitError::Stopped(reason)))
            }
            Appended::Unknown(error) => self.resolve(payload, error),
        }
    }

    /// An append ended in doubt: looks once. Finding the record settles it. Not finding it
    /// does not, for it may still arrive; only another record in its place does.
    fn resolve(&self, payload: &[u8], error: LogError) -> Result<Head, (StopReason, SubmitError)> {
        tracing::warn!(%error, "an append ended in doubt: reading back");
        let wanted = self.head.extend(self.epoch, payload);
        match self.log.read(wanted.seq, 1).as_deref() {
            Ok([record]) if record.head() == wanted => Ok(wanted),
            Ok([_, ..]) => Err((StopReason::Fenced, SubmitError::Fenced)),
            Ok([]) | Err(_) => Err((StopReason::Unknown(error), SubmitError::Unknown)),
        }
    }

    /// Applies a durable batch and answers.
    fn apply(&mut self, pending: Pending<M>, stamp: Stamp, head: Head) {
        let outcomes: Vec<M::Outcome> = {
            let mut state = self.shared.state.write().unwrap_or_else(PoisonError::into_inner);
            let commands = pending.submissions.iter().flat_map(|s| &s.commands);
            let outcomes = commands.map(|c| state.machine.apply(stamp, c)).collect();
            state.head = head;
            outcomes
        };
        self.head = head;
        self.outcomes = outcomes_digest(&outcomes);
        let mut applied =
            outcomes.into_iter().map(|outcome| Applied { outcome, seq: head.seq, at: stamp.at });
        for submission in pending.submissions {
            let own = applied.by_ref().take(submission.commands.len()).collect();
            submission.answer(Ok(own));
        }
    }

    /// Takes no more, and refuses what waits.
    fn stop(&mut self, reason: StopReason) {
        self.shared.stop(reason.clone());
        self.queue.close();
        if let Some(submission) = self.carried.take() {
            submission.answer(Err(reason.clone().into()));
        }
        while let Some(message) = self.queue.blocking_recv() {
            if let Message::Submit(submission) = message {
                submission.answer(Err(reason.clone().into()));
            }
        }
    }
}

impl<M: StateMachine> Pending<M> {
    fn push(&mut self, submission: Submission<M>) {
        self.count = self.count.saturating_add(submission.count);
        self.encoded.extend_from_slice(&submission.encoded);
        self.submissions.push(submission);
    }

    fn refuse(self, error: &SubmitError) {
        for submission in self.submissions {
            submission.answer(Err(error.clone()));
        }
    }
}

/// Sets the status if the thread panics.
struct PanicGuard<M>(Arc<Shared<M>>);

impl<M> Drop for PanicGuard<M> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.stop(StopReason::Panicked);
        }
    }
}

fn number(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}
