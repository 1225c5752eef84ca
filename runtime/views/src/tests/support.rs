//! What the tests share: a log of what random clients send, record by record, with the machine
//! after each.

use crate::traced::Traced;
use crate::{Follower, Place, Verified, ViewError, verify};
use std::path::Path;
use tempfile::TempDir;
use yufu_base::{AccountId, CommandId, Digest, Stamp, StateMachine, Timestamp};
use yufu_engine::{Batch, Commitment, Header, Replay};
use yufu_log::{Appended, Epoch, Head, Log, MemoryLog};
use yufu_machine::{Action, Machine, Order, Outcome, SubLimits, Submission};
use yufu_simulator::{Chance, City, Clients};

/// A log that grows, and what the ledger is after each of its records.
pub(crate) struct Written {
    pub(crate) log: MemoryLog,
    head: Head,
    replay: Replay<Traced>,
    /// The stamp of each record, and the machine after it.
    pub(crate) states: Vec<(Timestamp, Machine)>,
    /// The orders that were done, those in lists and chains by themselves.
    pub(crate) done: Vec<Order>,
}

const EPOCH: Epoch = Epoch::new(1);

impl Written {
    pub(crate) fn new() -> Self {
        let mut log = MemoryLog::new();
        log.seal(EPOCH).unwrap();
        let replay = Replay::new(Traced::new());
        Self { log, head: Head::EMPTY, replay, states: Vec::new(), done: Vec::new() }
    }

    /// Appends commands as one record.
    pub(crate) fn append(&mut self, at: Timestamp, commands: Vec<Submission>) {
        let header = Header {
            machine_version: self.replay.machine().version(),
            stamp: Stamp { at },
            outcomes: Commitment::Through { seq: self.head.seq, digest: self.replay.outcomes() },
            marked: false,
            checkpoint: None,
        };
        let told = commands.clone();
        let payload = Batch { header, commands }.payload().unwrap();
        match self.log.append(self.head, EPOCH, &payload) {
            Appended::Durable(head) => self.head = head,
            other => panic!("{other:?}"),
        }
        let record = self.log.read(self.head.seq, 1).unwrap().remove(0);
        let replayed = self.replay.apply(&record).unwrap();
        for (command, told) in told.iter().zip(&replayed.outcomes) {
            done(&command.order, &told.outcome, &mut self.done);
        }
        self.states.push((at, self.replay.machine().0.clone()));
    }

    /// What `seed` makes clients send: so many records of a few commands each, sub-wallets among
    /// them that are filled, emptied and closed.
    pub(crate) fn by(seed: u64, records: usize) -> Self {
        let mut written = Self::new();
        let city = City::new(false);
        let (mut chance, mut clients) = (Chance::of(seed), Clients::new(city.clone()));
        let mut at = City::START;
        written.append(at, city.opening());
        for number in 0..records {
            let count = chance.below(4).saturating_add(1);
            let mut commands: Vec<_> = (0..count).map(|_| clients.next(&mut chance, at)).collect();
            commands.extend(sub_wallets(&city, &mut chance, number, at));
            written.append(at, commands);
            let seconds = match chance.below(30) {
                0 => chance.below(3 * 86_400),
                1..4 => 0,
                _ => chance.below(600),
            };
            at = at.plus_seconds(seconds);
        }
        written
    }

    /// The newest state.
    pub(crate) fn machine(&self) -> &Machine {
        &self.states.last().unwrap().1
    }

    /// What an account held once all stamped up to `at` was done.
    pub(crate) fn held(&self, account: AccountId, at: Timestamp) -> u64 {
        let until = self.states.iter().take_while(|(stamp, _)| *stamp <= at);
        let held = until.last().and_then(|(_, machine)| machine.balance(account));
        held.map_or(0, |amount| amount.minor())
    }
}

/// Now and then a wallet below another is opened, filled, and closed again with what is in it.
fn sub_wallets(city: &City, chance: &mut Chance, number: usize, at: Timestamp) -> Vec<Submission> {
    if number % 9 != 5 {
        return Vec::new();
    }
    let bank = City::BANKS[0];
    let account = AccountId::new(0x5000 + number as u128);
    let order = Digest::of(b"order");
    let limits = SubLimits { per_payment: 50, per_day: 50, balance: 50 };
    let (parent, payee) = (AccountId::new(1), AccountId::new(6));
    let amount = city.amount(chance.below(20) + 1);
    let actions = [
        Action::OpenSubWallet { account, parent, payee, limits, order },
        Action::FundSubWallet { account, amount, order },
        Action::CloseWallet { account },
    ];
    let ids = (0..).map(|n| CommandId::at(at, 0x7000_0000 + (number as u128) * 8 + n));
    actions.into_iter().zip(ids).map(|(action, id)| city.signed(bank, id, action)).collect()
}

/// A folder with a view in it.
pub(crate) struct Kept {
    _folder: TempDir,
    pub(crate) place: Place,
}

impl Kept {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let place = Place {
            view: folder.path().join("history.sqlite"),
            snapshots: folder.path().join("snapshots"),
        };
        Self { _folder: folder, place }
    }

    /// Brings the view to the log's end.
    pub(crate) fn follow(&self, log: &dyn Log) {
        Follower::open(&self.place, log).unwrap().catch_up(log, &mut |_| true).unwrap();
    }

    /// Holds the view against the log.
    pub(crate) fn verified(&self, log: &dyn Log) -> Result<Verified, ViewError> {
        verify(&self.place, log, &mut |_| {})
    }

    pub(crate) fn path(&self) -> &Path {
        &self.place.view
    }
}

/// What of an order was done.
fn done(order: &Order, outcome: &Outcome, into: &mut Vec<Order>) {
    let Ok(did) = outcome else { return };
    match &order.action {
        Action::Each { orders } => {
            for (order, outcome) in orders.as_slice().iter().zip(did.each.as_deref().unwrap()) {
                done(order, outcome, into);
            }
        }
        Action::Chain { orders } => into.extend(orders.as_slice().iter().cloned()),
        _ => into.push(order.clone()),
    }
}
