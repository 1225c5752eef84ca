//! The steps of a schedule: each does one thing, and most of them something bad.

use super::Run;
use crate::checks;
use crate::faults::Fault;
use crate::node::Node;
use crate::store::{Fate, Hitch};
use std::fs;
use std::path::PathBuf;
use yufu_engine::{SubmitError, snapshots_in};

#[derive(Clone, Copy)]
enum Step {
    Submit(Fate),
    Retry,
    Queue(Fate),
    Snapshot,
    CrashSnapshot,
    DamageSnapshot,
    CrashAnswer,
    CrashIdle,
    Restart(Hitch),
    Failover,
    ClockAhead,
    ClockBack,
    BitFlip,
}

const STEPS: [(u64, Step); 26] = [
    (40, Step::Submit(Fate::Fine)),
    (4, Step::Submit(Fate::Full)),
    (4, Step::Submit(Fate::Busy)),
    (5, Step::Submit(Fate::Lost)),
    (5, Step::Submit(Fate::Kept)),
    (4, Step::Submit(Fate::KeptUnread)),
    (5, Step::Submit(Fate::Late)),
    (8, Step::Submit(Fate::CrashBefore)),
    (8, Step::Submit(Fate::CrashAfter)),
    (16, Step::Retry),
    (6, Step::Queue(Fate::Fine)),
    (2, Step::Queue(Fate::CrashAfter)),
    (2, Step::Queue(Fate::Kept)),
    (2, Step::Queue(Fate::Late)),
    (1, Step::Queue(Fate::Busy)),
    (6, Step::Snapshot),
    (3, Step::CrashSnapshot),
    (2, Step::DamageSnapshot),
    (8, Step::CrashAnswer),
    (6, Step::CrashIdle),
    (2, Step::Restart(Hitch::Read)),
    (2, Step::Restart(Hitch::SealLost)),
    (2, Step::Restart(Hitch::SealKept)),
    (4, Step::Failover),
    (1, Step::ClockAhead),
    (1, Step::ClockBack),
];

impl Run {
    pub(super) fn step(&mut self) -> Result<(), String> {
        let seconds = match self.chance.below(50) {
            0 => self.chance.below(3 * 86_400),
            1 | 2 => self.chance.below(20_000),
            _ => self.chance.below(40),
        };
        self.pass(seconds);
        let step = if self.chance.one_in(80) {
            Step::BitFlip
        } else {
            self.chance.weighted(&STEPS).unwrap_or(Step::CrashIdle)
        };
        match step {
            Step::Submit(fate) => {
                let commands = self.commands();
                self.submit(commands, fate)
            }
            Step::Retry => self.retry(Fate::Fine),
            Step::Queue(fate) => self.queue(fate),
            Step::Snapshot => self.node()?.snapshot().map(drop),
            Step::CrashSnapshot => self.crash_snapshot(),
            Step::DamageSnapshot => self.damage_snapshot(),
            Step::CrashAnswer => self.crash_answer(),
            Step::CrashIdle => {
                self.around.store.count(Fault::CrashIdle);
                self.restart()
            }
            Step::Restart(hitch) => {
                self.around.store.hinder(hitch);
                self.restart()
            }
            Step::Failover => self.failover(),
            Step::ClockAhead => self.jump(true),
            Step::ClockBack => self.jump(false),
            Step::BitFlip => self.flip(),
        }
    }

    /// While one submission is being written, others wait; they are written together.
    fn queue(&mut self, fate: Fate) -> Result<(), String> {
        let all = [self.commands(), self.commands(), self.commands()];
        let [first, second, third] = all.clone();
        self.around.store.plan(fate);
        let answers = self.node()?.submit_queued(first, [second, third])?;
        self.around.store.calm();
        self.around.store.count(Fault::Queued);
        for (commands, answers) in all.into_iter().zip(answers) {
            self.take(commands, answers);
        }
        self.recover()
    }

    /// The batch is durable and applied, but the answer does not arrive.
    fn crash_answer(&mut self) -> Result<(), String> {
        let commands = self.commands();
        let answers = self.node()?.submit(commands.clone())?;
        if answers.is_ok() {
            self.around.store.count(Fault::CrashAnswer);
            self.doubt(commands);
        } else {
            self.take(commands, answers);
        }
        self.restart()
    }

    fn newest_snapshot(&self) -> Option<PathBuf> {
        let files = snapshots_in(self.folder.path()).ok()?;
        files.into_iter().next().map(|file| file.path)
    }

    /// The node ends amid a snapshot: a part of it lies under its unfinished name, and now and then
    /// under its finished one, as a disk that reorders leaves it.
    fn crash_snapshot(&mut self) -> Result<(), String> {
        self.node()?.snapshot()?;
        let Some(path) = self.newest_snapshot() else { return Ok(()) };
        let whole = fs::read(&path).map_err(|error| error.to_string())?;
        let length = self.chance.below(u64::try_from(whole.len()).unwrap_or(1));
        let part = whole.get(..usize::try_from(length).unwrap_or(0)).unwrap_or_default();
        let torn = if self.chance.one_in(3) { "snapshot" } else { "unfinished" };
        fs::remove_file(&path).map_err(|error| error.to_string())?;
        fs::write(path.with_extension(torn), part).map_err(|error| error.to_string())?;
        self.around.store.count(Fault::CrashSnapshot);
        self.restart()?;
        // What is torn is of no use to anybody: the operator moves it away.
        drop(fs::remove_file(path));
        Ok(())
    }

    /// A bit of the newest snapshot is flipped: it is not used, and nothing is lost.
    fn damage_snapshot(&mut self) -> Result<(), String> {
        let Some(path) = self.newest_snapshot() else { return Ok(()) };
        let mut bytes = fs::read(&path).map_err(|error| error.to_string())?;
        let place = self.chance.below(u64::try_from(bytes.len()).unwrap_or(1));
        let bit = self.chance.below(8);
        if let Some(byte) = bytes.get_mut(usize::try_from(place).unwrap_or(0)) {
            *byte ^= 1 << bit;
        }
        fs::write(&path, bytes).map_err(|error| error.to_string())?;
        if yufu_engine::load_snapshot::<yufu_machine::Machine>(&path).is_ok() {
            return Err(format!("a snapshot with bit {bit} of byte {place} flipped is taken"));
        }
        self.around.store.count(Fault::SnapshotDamaged);
        self.restart()?;
        fs::remove_file(path).map_err(|error| error.to_string())
    }

    /// Another node takes over while this one still runs: it writes nothing more, and says so.
    fn failover(&mut self) -> Result<(), String> {
        let Some(former) = self.node.take() else { return Ok(()) };
        let next = Node::start(&self.around, self.folder.path());
        self.node = Some(next.map_err(|error| format!("no other node takes over: {error}"))?);
        self.crash_points = self.crash_points.saturating_add(1);
        self.around.store.count(Fault::Failover);
        if matches!(self.node()?.status(), yufu_engine::Status::ClockJumped(_)) {
            self.node()?.confirm_clock();
        }
        if self.chance.one_in(2) {
            let commands = self.commands();
            self.submit(commands, Fate::Fine)?;
        }
        if self.chance.one_in(2) {
            if former.state()?.is_some() {
                return Err("a fenced node answers a read".to_owned());
            }
            self.around.store.count(Fault::StaleRead);
        }
        let commands = self.commands();
        let answers = former.submit(commands.clone())?;
        if answers.is_ok() {
            return Err("a fenced node answers".to_owned());
        }
        self.take(commands, answers);
        Ok(())
    }

    /// The clock jumps beyond its bound: nothing is stamped until an operator confirms it.
    fn jump(&mut self, ahead: bool) -> Result<(), String> {
        let seconds = self.chance.below(3 * 3_600).saturating_add(120);
        let now = self.now();
        let to = if ahead { now.plus_seconds(seconds) } else { now.minus_seconds(seconds) };
        self.around.clock.set(to);
        self.around.store.count(if ahead { Fault::ClockAhead } else { Fault::ClockBack });
        let commands = self.commands();
        let answers = self.node()?.submit(commands.clone())?;
        if !matches!(answers, Err(SubmitError::ClockJumped(_) | SubmitError::Stopped(_))) {
            return Err(format!("the clock jumped by {seconds} s, and commands are taken"));
        }
        self.take(commands, answers);
        self.recover()
    }

    /// A bit of a stored record is flipped: replay, audit and a node without snapshots find it.
    fn flip(&mut self) -> Result<(), String> {
        self.crash();
        let records = self.around.store.records();
        let count = u64::try_from(records.len()).unwrap_or(0);
        let place = usize::try_from(self.chance.below(count)).unwrap_or(0);
        let length = records.get(place).map_or(0, |record| record.payload.len());
        let bits = u64::try_from(length.saturating_add(40).saturating_mul(8)).unwrap_or(1);
        let bit = usize::try_from(self.chance.below(bits)).unwrap_or(0);
        self.around.store.flip(place, bit);
        let space = self.folder.path().parent().unwrap_or_else(|| self.folder.path());
        let found = checks::flipped(&self.around, place, space);
        self.around.store.flip(place, bit);
        found.map_err(|what| format!("bit {bit} of record {place} (from 0) is flipped: {what}"))?;
        self.around.store.count(Fault::BitFlip);
        self.restart()
    }
}
