//! One run: from a seed, a schedule of commands and faults, step by step, and at its end the checks.

mod steps;

use crate::chance::Chance;
use crate::checks;
use crate::city::City;
use crate::clients::Clients;
use crate::faults::{Fault, Faults};
use crate::node::{Answers, Node, Surroundings, is_hitch};
use crate::store::{Fate, Store};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use yufu_base::{Digest, Timestamp};
use yufu_engine::{Clock as _, ManualClock, Status, SubmitError};
use yufu_machine::{Outcome, Submission};

/// What a run came to that went well.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Faults that came about.
    pub faults: Faults,
    /// How often a node ended at some point and another one went on from there.
    pub crash_points: u64,
    /// Commands in the log.
    pub commands: u64,
    /// Records in the log.
    pub records: u64,
    /// The chain value the log ended in.
    pub chain: Digest,
}

/// A run that found something.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("seed {seed}, step {step}: {what}")]
pub struct Failure {
    /// Its seed.
    pub seed: u64,
    /// The step at which it was found; the last is that of the checks.
    pub step: u64,
    /// What is not as it has to be.
    pub what: String,
}

/// What has to hold of a command in the log at the end.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sent {
    /// So often it was acknowledged.
    pub(crate) acknowledged: u64,
    /// So often nobody knows.
    pub(crate) doubtful: u64,
}

/// An outcome a client was told.
#[derive(Clone, Debug)]
pub(crate) struct Acknowledged {
    pub(crate) command: Submission,
    pub(crate) outcome: Outcome,
    pub(crate) seq: u64,
}

/// A simulator: what runs share.
pub struct Simulator {
    pub(crate) runtime: Arc<tokio::runtime::Runtime>,
    /// Where folders of snapshots are made: in memory, where there is such a place.
    pub(crate) space: PathBuf,
    signed: City,
    unsigned: City,
}

pub(crate) struct Run {
    chance: Chance,
    clients: Clients,
    around: Surroundings,
    folder: tempfile::TempDir,
    node: Option<Node>,
    pub(crate) acknowledged: Vec<Acknowledged>,
    pub(crate) sent: BTreeMap<Digest, Sent>,
    /// Commands whose outcome their clients do not know.
    doubtful: Vec<Vec<Submission>>,
    crash_points: u64,
}

impl Simulator {
    /// How many steps a run has.
    const STEPS: u64 = 60;

    /// One with a runtime of its own.
    ///
    /// # Errors
    /// If the system gives none.
    pub fn new() -> std::io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
        let memory = Path::new("/dev/shm");
        let space = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
        let (signed, unsigned) = (City::new(true), City::new(false));
        Ok(Self { runtime: Arc::new(runtime), space, signed, unsigned })
    }

    /// Runs the schedule of `seed`. In one of sixteen commands are truly signed, which takes long.
    ///
    /// # Errors
    /// [`Failure`] if anything is not as it has to be.
    pub fn run(&self, seed: u64) -> Result<Report, Failure> {
        let signs = seed.is_multiple_of(16);
        let city = if signs { &self.signed } else { &self.unsigned };
        let clock = ManualClock::new(City::START);
        let (store, runtime) = (Store::default(), Arc::clone(&self.runtime));
        let failed = |step, what| Failure { seed, step, what };
        let folder = tempfile::tempdir_in(&self.space)
            .map_err(|error| failed(0, format!("no folder for snapshots: {error}")))?;
        let mut run = Run {
            chance: Chance::of(seed),
            clients: Clients::new(city.clone()),
            around: Surroundings { store, clock, runtime },
            folder,
            node: None,
            acknowledged: Vec::new(),
            sent: BTreeMap::new(),
            doubtful: Vec::new(),
            crash_points: 0,
        };
        run.open(city).map_err(|what| failed(0, what))?;
        for step in 1..=Self::STEPS {
            run.step().map_err(|what| failed(step, what))?;
        }
        let last = Self::STEPS.saturating_add(1);
        run.finish(signs).map_err(|what| failed(last, what))
    }
}

impl Run {
    /// The first node starts, and the city is opened.
    fn open(&mut self, city: &City) -> Result<(), String> {
        self.restart()?;
        let opening = city.opening();
        let answers = self.node()?.submit(opening.clone())?;
        let opened = answers.as_ref().is_ok_and(|all| all.iter().all(|(_, one)| one.is_ok()));
        self.take(opening, answers);
        if opened { Ok(()) } else { Err("the city does not open".to_owned()) }
    }

    fn node(&self) -> Result<&Node, String> {
        self.node.as_ref().ok_or_else(|| "no node runs".to_owned())
    }

    fn now(&self) -> Timestamp {
        self.around.clock.read().wall
    }

    fn pass(&self, seconds: u64) {
        self.around.clock.advance(Duration::from_secs(seconds));
    }

    /// Ends the node, if one runs.
    fn crash(&mut self) {
        if self.node.take().is_some() {
            self.crash_points = self.crash_points.saturating_add(1);
        }
    }

    /// Starts a node on what is there; hitches at the start pass.
    fn restart(&mut self) -> Result<(), String> {
        self.crash();
        let snapshots = yufu_engine::snapshots_in(self.folder.path());
        let from_snapshot = snapshots.is_ok_and(|files| !files.is_empty());
        for _ in 0..4 {
            match Node::start(&self.around, self.folder.path()) {
                Ok(node) => {
                    if matches!(node.status(), Status::ClockJumped(_)) {
                        node.confirm_clock();
                    }
                    if from_snapshot {
                        self.around.store.count(Fault::FromSnapshot);
                    }
                    self.node = Some(node);
                    return Ok(());
                }
                Err(error) if is_hitch(&error) => {}
                Err(error) => return Err(format!("a node does not start: {error}")),
            }
            self.crash_points = self.crash_points.saturating_add(1);
        }
        Err("a node does not start, though the log answers".to_owned())
    }

    fn commands(&mut self) -> Vec<Submission> {
        let count = self.chance.below(3).saturating_add(1);
        let now = self.now();
        (0..count).map(|_| self.clients.next(&mut self.chance, now)).collect()
    }

    /// Submits, and takes note of what came of it. A node that stopped is started again.
    fn submit(&mut self, commands: Vec<Submission>, fate: Fate) -> Result<(), String> {
        self.around.store.plan(fate);
        let answers = self.node()?.submit(commands.clone())?;
        self.around.store.calm();
        self.take(commands, answers);
        self.recover()
    }

    /// Starts the node again if it stopped; confirms the clock if that is what it waits for.
    fn recover(&mut self) -> Result<(), String> {
        match self.node()?.status() {
            Status::Stopped(_) => self.restart(),
            Status::ClockJumped(_) => {
                self.node()?.confirm_clock();
                Ok(())
            }
            Status::Running | Status::Refusing(_) => Ok(()),
        }
    }

    /// Takes note of what was answered, or not.
    fn take(&mut self, commands: Vec<Submission>, answers: Answers) {
        match answers {
            Ok(outcomes) => {
                for (command, (seq, outcome)) in commands.into_iter().zip(outcomes) {
                    let sent = self.sent.entry(checks::content(&command)).or_default();
                    sent.acknowledged = sent.acknowledged.saturating_add(1);
                    self.acknowledged.push(Acknowledged { command, outcome, seq });
                }
            }
            Err(SubmitError::Unknown) => self.doubt(commands),
            // For certain nothing was done: the client tries again, or leaves it.
            Err(_) if self.chance.one_in(2) => self.doubtful.push(commands),
            Err(_) => {}
        }
    }

    /// Nobody knows whether these are in the log.
    fn doubt(&mut self, commands: Vec<Submission>) {
        for command in &commands {
            let sent = self.sent.entry(checks::content(command)).or_default();
            sent.doubtful = sent.doubtful.saturating_add(1);
        }
        self.doubtful.push(commands);
    }

    /// Sends again what a client does not know the outcome of.
    fn retry(&mut self, fate: Fate) -> Result<(), String> {
        if self.doubtful.is_empty() {
            return Ok(());
        }
        let place = self.chance.below(u64::try_from(self.doubtful.len()).unwrap_or(1));
        let commands = self.doubtful.swap_remove(usize::try_from(place).unwrap_or(0));
        self.around.store.count(Fault::Retried);
        self.submit(commands, fate)
    }

    /// All calm: what is in doubt is settled, some of what was acknowledged is sent again, and
    /// everything is checked.
    fn finish(&mut self, signs: bool) -> Result<Report, String> {
        self.around.store.calm();
        self.restart()?;
        while !self.doubtful.is_empty() {
            self.retry(Fate::Fine)?;
        }
        for _ in 0..12 {
            let Some(first) = self.chance.pick(&self.acknowledged).cloned() else { break };
            let answers = self.node()?.submit(vec![first.command.clone()])?;
            checks::repeat(&first, &answers)?;
            self.take(vec![first.command], answers);
        }
        let state = self.node()?.state()?;
        let state = state.ok_or("the one node that runs does not answer a read")?;
        self.crash();
        let (records, commands, chain) =
            checks::log(&self.around.store, self, state, self.folder.path(), signs)?;
        let (faults, crash_points) = (self.around.store.faults(), self.crash_points);
        Ok(Report { faults, crash_points, commands, records, chain })
    }
}
