//! Answers on their way into the records: as many as wait share a commit, so that the disk does not bound how
//! many are verified.

use super::outcome::Outcome;
use crate::http::Problem;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{Mutex as Turn, oneshot};
use yufu_verifications::{ToSeal, Verification, Verifications, VerificationsError};

/// The most that are kept together.
const TOGETHER: usize = 256;

/// A party's records, and what waits to be kept there.
pub(super) struct Keeping {
    records: Verifications,
    queue: Mutex<Vec<Queued>>,
    turn: Turn<()>,
}

struct Queued {
    kept: (Verification, ToSeal),
    told: oneshot::Sender<Result<(), Arc<VerificationsError>>>,
}

impl Keeping {
    pub(super) fn new(records: Verifications) -> Self {
        Self { records, queue: Mutex::default(), turn: Turn::new(()) }
    }

    pub(super) const fn records(&self) -> &Verifications {
        &self.records
    }

    /// Keeps an outcome; it is durable when this returns.
    pub(super) async fn keep(self: &Arc<Self>, outcome: Outcome) -> Result<(), Problem> {
        let (told, kept) = oneshot::channel();
        let queued = Queued { kept: (outcome.verification, outcome.to_seal), told };
        self.queue.lock().unwrap_or_else(PoisonError::into_inner).push(queued);
        // In a task of its own: what others wait for does not end with this one's connection.
        let this = Arc::clone(self);
        tokio::spawn(async move { this.keep_waiting().await });
        match kept.await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(Problem::internal(error)),
            Err(gone) => Err(Problem::internal(gone)),
        }
    }

    /// Keeps what waits, if nobody before has.
    async fn keep_waiting(&self) {
        let _turn = self.turn.lock().await;
        let batch = {
            let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
            let together = queue.len().min(TOGETHER);
            queue.drain(..together).collect::<Vec<Queued>>()
        };
        if batch.is_empty() {
            return;
        }
        let (all, told): (Vec<_>, Vec<_>) =
            batch.into_iter().map(|queued| (queued.kept, queued.told)).unzip();
        let outcome = self.records.keep(&all).await.map_err(Arc::new);
        for one in told {
            // Whoever went away does not hear it.
            let _ = one.send(outcome.clone());
        }
    }
}
