//! The applier's thread: applies what is durable, in its order, and answers.

use crate::handle::Applied;
use crate::pending::Durable;
use crate::shared::{PanicGuard, Shared};
use crate::trail::{Trail, outcomes_digest};
use std::sync::mpsc::Receiver;
use std::sync::{Arc, PoisonError};
use yufu_base::StateMachine;

pub(crate) struct Applier<M: StateMachine> {
    pub(crate) shared: Arc<Shared<M>>,
    pub(crate) durable: Receiver<Durable<M>>,
    pub(crate) trail: Trail,
}

impl<M: StateMachine> Applier<M> {
    /// Until the appender is gone and all that it made durable is applied.
    pub(crate) fn run(mut self) {
        let _panicked = PanicGuard(Arc::clone(&self.shared));
        while let Ok(durable) = self.durable.recv() {
            self.apply(durable);
        }
    }

    /// Applies a durable batch and answers.
    fn apply(&mut self, Durable { pending, stamp, head }: Durable<M>) {
        let (outcomes, version): (Vec<M::Outcome>, u16) = {
            let mut state = self.shared.state.write().unwrap_or_else(PoisonError::into_inner);
            let commands = pending.submissions.iter().flat_map(|s| &s.commands);
            let outcomes = commands.map(|c| state.machine.apply(stamp, c)).collect();
            state.head = head;
            (outcomes, state.machine.version())
        };
        self.trail.push(outcomes_digest(&outcomes), version);
        self.shared.set_applied(self.trail.newest());
        let mut applied =
            outcomes.into_iter().map(|outcome| Applied { outcome, seq: head.seq, at: stamp.at });
        for submission in pending.submissions {
            let own = applied.by_ref().take(submission.commands.len()).collect();
            submission.answer(Ok(own));
        }
    }
}
