//! The machine: establishes the submitter, answers repeats from memory, and hands a new
//! command to its step.

use crate::books::{Books, Submitter};
use crate::command::{Action, Submission, write_signing_bytes};
use crate::memory::Memory;
use crate::outcome::{Done, Outcome};
use crate::refusal::Refusal;
use crate::sub_wallets::{SubWallet, SubWallets};
use std::io::{BufWriter, Write};
use yufu_base::{Digest, Stamp, StateMachine};
use yufu_ledger::Ledger;
use yufu_registry::Registry;

/// The state of one ledger. Starts empty; its first command is [`Action::Genesis`].
#[derive(Clone, Debug, Default)]
pub struct Machine {
    pub(crate) books: Option<Books>,
    pub(crate) memory: Memory,
    /// Where a command's content is written to be hashed; no part of the state.
    scratch: Vec<u8>,
}

impl StateMachine for Machine {
    type Command = Submission;
    type Outcome = Outcome;

    const VERSION: u16 = 1;

    fn apply(&mut self, stamp: Stamp, command: &Submission) -> Outcome {
        let content = self.content(command);
        match (&mut self.books, &command.order.action) {
            (Some(books), _) => perform(books, &mut self.memory, stamp, command, content),
            (None, Action::Genesis { .. }) => self.open(stamp, command, content),
            (None, _) => Err(Refusal::NotOpen),
        }
    }

    fn state_hash(&self) -> Digest {
        digest("yufu machine state v1", &(&self.books, &self.memory))
    }
}

impl Machine {
    /// A machine before its first command.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The digest of everything but the memory of command ids: a refused command leaves it as
    /// it was.
    #[must_use]
    pub fn books_hash(&self) -> Digest {
        digest("yufu machine books v1", &self.books)
    }

    /// Opens the ledger, if the central bank it names has signed for it with the key it names.
    fn open(&mut self, stamp: Stamp, command: &Submission, content: Digest) -> Outcome {
        let Action::Genesis { currency, central_bank, key, policy } = &command.order.action else {
            return Err(Refusal::NotOpen);
        };
        let books = Books {
            currency: *currency,
            registry: Registry::new(central_bank.clone(), *key, policy.clone()),
            ledger: Ledger::new(central_bank),
            sub_wallets: SubWallets::default(),
        };
        let submitter = books.establish(&command.institution, &command.key, stamp.at)?;
        let mut memory = Memory::default();
        memory.advance(stamp.at, policy);
        memory.recall(command.order.id, content, stamp.at, policy)?;
        let outcome = Ok(submitter.done(None));
        memory.remember(command.order.id, content, &outcome);
        (self.books, self.memory) = (Some(books), memory);
        outcome
    }

    /// The digest of what the institution signed: equal for a repeat, also under a new signature.
    fn content(&mut self, command: &Submission) -> Digest {
        self.scratch.clear();
        write_signing_bytes(&command.institution, &command.order, &mut self.scratch);
        Digest::of(&self.scratch)
    }
}

fn perform(
    books: &mut Books,
    memory: &mut Memory,
    stamp: Stamp,
    command: &Submission,
    content: Digest,
) -> Outcome {
    memory.advance(stamp.at, books.policy());
    let submitter = books.establish(&command.institution, &command.key, stamp.at)?;
    let id = command.order.id;
    if let Some(first) = memory.recall(id, content, stamp.at, books.policy())? {
        return first;
    }
    let outcome = step(books, submitter, &command.order.action);
    memory.remember(id, content, &outcome);
    outcome
}

/// One line per action: which step does it.
fn step(books: &mut Books, by: Submitter, action: &Action) -> Result<Done, Refusal> {
    use yufu_ledger::Movement as M;
    match action {
        Action::Genesis { .. } => Err(Refusal::AlreadyOpen),
        Action::RegisterBank { bank, key } => books.register_bank(by, bank, *key),
        Action::ReplaceKey { institution, key } => books.replace_key(by, institution, *key),
        Action::SetPolicy { policy } => books.set_policy(by, policy),
        Action::CreateReserves { bank, amount } => {
            books.issue(by, bank, M::CreateReserves, *amount)
        }
        Action::CancelReserves { bank, amount } => {
            books.issue(by, bank, M::CancelReserves, *amount)
        }
        Action::Issue { bank, amount } => books.issue(by, bank, M::Issue, *amount),
        Action::Redeem { bank, amount } => books.issue(by, bank, M::Redeem, *amount),
        Action::SupplyPaper { bank, amount } => books.issue(by, bank, M::SupplyPaper, *amount),
        Action::ReturnPaper { bank, amount } => books.issue(by, bank, M::ReturnPaper, *amount),
        Action::OpenWallet { account, class } => books.open_wallet(by, *account, *class),
        Action::CreditDeposits { amount } => books.credit_deposits(by, *amount),
        Action::Exchange { direction, amount } => books.exchange(by, *direction, *amount),
        Action::Pay { payer, payee, amount, order: _, authorisation } => {
            books.pay(by, *payer, *payee, *amount, *authorisation)
        }
        Action::SetHoldingRules { rules } => books.set_holding_rules(by, rules),
        Action::SetClass { account, class } => books.set_class(by, *account, *class),
        Action::CloseWallet { account } => books.close_wallet(by, *account),
        Action::FlagDormant { account } => books.flag_dormant(by, *account),
        Action::Reactivate { account, evidence: _ } => books.reactivate(by, *account),
        Action::OpenSubWallet { account, parent, payee, limits, order: _ } => {
            books.open_sub_wallet(by, *account, SubWallet::new(*parent, *payee, *limits))
        }
        Action::FundSubWallet { account, amount, order: _ } => {
            books.fund_sub_wallet(by, *account, *amount)
        }
    }
}

#[expect(
    clippy::expect_used,
    reason = "INVARIANT: a hasher takes every write, and no part of the state has 2^32 elements"
)]
fn digest(context: &str, state: &impl borsh::BorshSerialize) -> Digest {
    let mut hasher = blake3::Hasher::new_derive_key(context);
    let mut writer = BufWriter::with_capacity(1 << 16, &mut hasher);
    borsh::to_writer(&mut writer, state).expect("a hasher takes every write");
    writer.flush().expect("a hasher takes every write");
    drop(writer);
    Digest(hasher.finalize().into())
}
