//! A node: the engine, as it is, over the simulated log, with snapshots in a folder of files. It is
//! driven step by step, so that a schedule gives the same commands, faults and outcomes each time.

use crate::store::{NodeLog, Store};
use std::future::Future;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use yufu_engine::{
    Engine, Handle, ManualClock, ReplayError, Settings, SnapshotError, Snapshots, StartError,
    Status, SubmitError,
};
use yufu_log::ChainError;
use yufu_machine::{Machine, Outcome, Submission};

/// What was answered to a submission.
pub(crate) type Answers = Result<Vec<(u64, Outcome)>, SubmitError>;

/// Whether a node did not start because the log did not answer: the next attempt may.
pub(crate) const fn is_hitch(error: &StartError) -> bool {
    matches!(
        error,
        StartError::Log(_)
            | StartError::Seal(_)
            | StartError::Replay(ReplayError::Chain(ChainError::Log(_)))
            | StartError::Snapshot { source: SnapshotError::Log(_), .. }
    )
}

/// What every node of a run shares.
#[derive(Clone)]
pub(crate) struct Surroundings {
    pub(crate) store: Store,
    pub(crate) clock: ManualClock,
    pub(crate) runtime: Arc<tokio::runtime::Runtime>,
}

pub(crate) struct Node {
    engine: Option<Engine<Machine>>,
    handle: Handle<Machine>,
    pub(crate) log: NodeLog,
    around: Surroundings,
}

impl Node {
    /// Starts from the newest snapshot in `folder`, or from the beginning of the log.
    pub(crate) fn start(around: &Surroundings, folder: &Path) -> Result<Self, StartError> {
        let log = around.store.open();
        let again = log.clone();
        let open = move || Ok(Box::new(again.clone()) as Box<dyn yufu_log::Log>);
        let snapshots = Snapshots {
            // They are made when the schedule says so.
            every_records: u64::MAX,
            every_bytes: u64::MAX,
            ..Snapshots::new(folder.to_owned(), Arc::new(open))
        };
        let settings = Settings { read_bound: Duration::ZERO, ..Settings::default() };
        let engine = Engine::start_with_snapshots(
            Box::new(log.clone()),
            Machine::new(),
            (Arc::new(around.clock.clone()), settings),
            snapshots,
            |_, _| {},
        )?;
        let handle = engine.handle();
        Ok(Self { engine: Some(engine), handle, log, around: around.clone() })
    }

    /// Waits for a future, not for ever.
    pub(crate) fn wait<T>(&self, future: impl Future<Output = T>) -> Result<T, String> {
        let limited = async { tokio::time::timeout(Duration::from_secs(30), future).await };
        self.around.runtime.block_on(limited).map_err(|_| "the engine does not answer".to_owned())
    }

    pub(crate) fn submit(&self, commands: Vec<Submission>) -> Result<Answers, String> {
        self.wait(answers(&self.handle, commands))
    }

    /// Submits `first`, and while it is being written `others`, which then wait together.
    pub(crate) fn submit_queued(
        &self,
        first: Vec<Submission>,
        others: [Vec<Submission>; 2],
    ) -> Result<[Answers; 3], String> {
        let (store, handle) = (&self.around.store, &self.handle);
        let before = store.shut();
        let [second, third] = others;
        let waiting = async {
            let ends = |status| matches!(status, Status::Stopped(_) | Status::ClockJumped(_));
            store.wait_for_append(before, || ends(handle.status()));
            let reopen = async { store.reopen() };
            let (second, third, ()) =
                tokio::join!(answers(handle, second), answers(handle, third), reopen);
            (second, third)
        };
        let both = async { tokio::join!(answers(handle, first), waiting) };
        let waited = self.wait(both);
        store.reopen();
        let (first, (second, third)) = waited?;
        Ok([first, second, third])
    }

    /// Makes a snapshot; whether there is one now.
    pub(crate) fn snapshot(&self) -> Result<bool, String> {
        Ok(self.wait(self.handle.snapshot())?.is_ok())
    }

    /// Reads the state's hash and the newest record applied, if the node may answer.
    pub(crate) fn state(&self) -> Result<Option<(yufu_base::Digest, yufu_log::Head)>, String> {
        use yufu_base::StateMachine as _;
        let read = self.handle.read(|machine, _| machine.state_hash());
        Ok(self.wait(read)?.ok().map(|hash| (hash, self.handle.head())))
    }

    /// Reads the state, if the node may answer.
    pub(crate) fn read<R: Send>(
        &self,
        read: impl FnOnce(&Machine) -> R + Send,
    ) -> Result<Option<R>, String> {
        Ok(self.wait(self.handle.read(|machine, _| read(machine)))?.ok())
    }

    pub(crate) fn status(&self) -> Status {
        self.handle.status()
    }

    pub(crate) fn confirm_clock(&self) {
        self.handle.confirm_clock();
    }
}

// A node that is dropped ends as by a power cut: nothing it still does has an effect.
impl Drop for Node {
    fn drop(&mut self) {
        self.around.store.end(&self.log);
        if let Some(engine) = self.engine.take() {
            let _ = engine.shutdown();
        }
    }
}

async fn answers(handle: &Handle<Machine>, commands: Vec<Submission>) -> Answers {
    let applied = handle.submit_all(commands).await?;
    Ok(applied.into_iter().map(|one| (one.seq.get(), one.outcome)).collect())
}
