//! The machine: establishes the submitter, answers repeats from memory, and hands a new
//! command to its step.

use crate::books::{Books, Submitter};
use crate::command::{Action, Chain, Order, Orders, Submission, content};
use crate::freezes::Freezes;
use crate::links::Links;
use crate::memory::{Memory, Remembered};
use crate::notes::Notes;
use crate::outcome::{Done, Outcome};
use crate::refusal::Refusal;
use crate::reversal::Reversible;
use crate::steps;
use crate::sub_wallets::SubWallets;
use std::hint::black_box;
use yufu_base::{CommandId, Digest, InstitutionId, Stamp, StateMachine};
use yufu_ledger::Ledger;
use yufu_registry::{Registry, Role};

/// The state of one ledger. Starts empty; its first command is [`Action::Genesis`].
#[derive(Clone, Debug)]
pub struct Machine {
    /// Which version of the rules is in force.
    pub(crate) version: u16,
    pub(crate) books: Option<Books>,
    pub(crate) memory: Memory,
    /// Where a command's content is written to be hashed; no part of the state.
    scratch: Vec<u8>,
    /// Whether what moves is noted; no part of the state.
    pub(crate) traced: bool,
}

impl Default for Machine {
    fn default() -> Self {
        Self::restored(1, None, Memory::default())
    }
}

impl StateMachine for Machine {
    type Command = Submission;
    type Outcome = Outcome;

    const VERSION: u16 = 4;

    fn version(&self) -> u16 {
        self.version
    }

    fn apply(&mut self, stamp: Stamp, command: &Submission) -> Outcome {
        let Submission { institution, key, order, .. } = command;
        let Self { version, books, memory, scratch, traced: _ } = self;
        match (books, &order.action) {
            (Some(books), _) => {
                memory.advance(stamp.at, books.policy());
                steps::lapse(books, memory, stamp.at);
                let by = books.establish(institution, key, stamp.at)?;
                Applying { version, books, memory, scratch, by, institution }.order(order, None)
            }
            (None, Action::Genesis { .. }) => self.open(stamp, command),
            (None, _) => Err(Refusal::NotOpen),
        }
    }

    fn state_hash(&self) -> Digest {
        self.hash()
    }
}

impl Machine {
    /// A machine before its first command.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    pub(crate) const fn restored(version: u16, books: Option<Books>, memory: Memory) -> Self {
        Self { version, books, memory, scratch: Vec::new(), traced: false }
    }

    /// Opens the ledger, if the central bank it names has signed for it with the key it names.
    fn open(&mut self, stamp: Stamp, command: &Submission) -> Outcome {
        let Action::Genesis { currency, central_bank, key, policy } = &command.order.action else {
            return Err(Refusal::NotOpen);
        };
        let content = content(&mut self.scratch, &command.institution, &command.order);
        let mut books = Books {
            currency: *currency,
            registry: Registry::new(central_bank.clone(), *key, policy.clone()),
            ledger: Ledger::new(central_bank),
            sub_wallets: SubWallets::default(),
            freezes: Freezes::default(),
            links: Links::default(),
            notes: Notes::default(),
        };
        if self.traced {
            books.ledger.begin_trace();
        }
        let submitter = books.establish(&command.institution, &command.key, stamp.at)?;
        let mut memory = Memory::default();
        memory.advance(stamp.at, policy);
        let id = command.order.id;
        let recalled = memory.recall(id, content, stamp.at, (policy, *currency))?;
        let outcome = Ok(submitter.done(None));
        if let Remembered::Nothing(place) = recalled {
            memory.remember((id, place), &outcome, Reversible::Nothing);
        }
        (self.books, self.memory) = (Some(books), memory);
        outcome
    }
}

/// Of a list, the accounts of so many orders are looked at before they are done.
const AHEAD: usize = 32;

/// A submission of an established institution being applied.
struct Applying<'a> {
    version: &'a mut u16,
    books: &'a mut Books,
    memory: &'a mut Memory,
    scratch: &'a mut Vec<u8>,
    by: Submitter,
    institution: &'a InstitutionId,
}

impl Applying<'_> {
    /// Answers a repeat; admits and does a new order, and remembers what it came to.
    /// `known` is the order's content, if it was worked out before.
    fn order(&mut self, order: &Order, known: Option<Digest>) -> Outcome {
        let content = known.unwrap_or_else(|| content(self.scratch, self.institution, order));
        let (id, now) = (order.id, self.by.now);
        let known = (self.books.policy(), self.books.currency);
        let place = match self.memory.recall(id, content, now, known)? {
            Remembered::Outcome(first) => return first,
            Remembered::Each(at) => return self.again(order, at),
            Remembered::Nothing(place) => place,
        };
        let (needed, in_force) = (order.action.since(), *self.version);
        if needed > in_force {
            self.memory.forget(id);
            return Err(Refusal::NotInForce { in_force, needed });
        }
        if self.books.ledger.is_traced() {
            let kind = self.books.transfer_kind(&order.action);
            self.books.ledger.trace_cause(id, kind);
        }
        let (outcome, reversible) = match self.action(id, &order.action) {
            Ok((done, reversible)) => (Ok(done), reversible),
            // Time cures these: as if the order had not come.
            Err(refusal) if refusal.before_admission() => {
                self.memory.forget(id);
                return Err(refusal);
            }
            Err(refusal) => (Err(refusal), Reversible::Nothing),
        };
        // Nothing of the first version is taken back: its state has no place for it.
        let reversible = if in_force > 1 { reversible } else { Reversible::Nothing };
        self.memory.remember((id, place), &outcome, reversible);
        outcome
    }

    fn action(&mut self, id: CommandId, action: &Action) -> Result<(Done, Reversible), Refusal> {
        match action {
            Action::ActivateVersion { version } => {
                self.activate(*version).map(|done| (done, Reversible::Nothing))
            }
            Action::Each { orders } => {
                let each = self.each(orders);
                Ok((Done { at: self.by.now, balance: None, each: Some(each) }, Reversible::Nothing))
            }
            Action::Chain { orders } => {
                let done = self.chain(orders);
                done.map(|done| (done, Reversible::Nothing))
            }
            action => steps::step(self.books, self.memory, self.by, id, action),
        }
    }

    fn activate(&mut self, version: u16) -> Result<Done, Refusal> {
        self.by.must_be(Role::CentralBank)?;
        if Some(version) != self.version.checked_add(1) {
            return Err(Refusal::NotNextVersion(*self.version));
        }
        *self.version = version;
        Ok(self.by.done(None))
    }

    fn each(&mut self, orders: &Orders) -> Box<[Outcome]> {
        let contents = orders.contents(self.institution);
        let mut outcomes = Vec::with_capacity(contents.len());
        for (window, contents) in orders.as_slice().chunks(AHEAD).zip(contents.chunks(AHEAD)) {
            let wallets = window.iter().flat_map(|order| order.action.wallets());
            black_box(self.books.ledger.look_ahead(wallets.flatten()));
            let done = window.iter().zip(contents).map(|(o, known)| self.order(o, Some(*known)));
            outcomes.extend(done);
        }
        outcomes.into()
    }

    /// A list that was done: each of its orders is a repeat.
    fn again(&mut self, order: &Order, at: yufu_base::Timestamp) -> Outcome {
        let Action::Each { orders } = &order.action else { return Err(Refusal::IdReused) };
        Ok(Done { at, balance: None, each: Some(self.each(orders)) })
    }

    fn chain(&mut self, orders: &Chain) -> Result<Done, Refusal> {
        self.books.ledger.begin_chain();
        self.memory.begin_chain();
        for (order, place) in orders.as_slice().iter().zip(0..) {
            if let Err(of) = self.linked(order) {
                self.memory.undo_chain();
                self.books.ledger.undo_chain();
                return Err(Refusal::ChainRefused { place, of: Box::new(of) });
            }
        }
        self.memory.keep_chain();
        self.books.ledger.keep_chain();
        Ok(self.by.done(None))
    }

    /// One of a chain: what was done before is not done again with others.
    fn linked(&mut self, order: &Order) -> Result<(), Refusal> {
        if self.memory.reversible(order.id).is_some() {
            return Err(Refusal::IdReused);
        }
        self.order(order, None).map(drop)
    }
}
