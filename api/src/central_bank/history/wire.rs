//! What is said of an account's history. Amounts in minor units of the ledger's currency.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use yufu_views::{BalanceAt, Entry, Statement, Through, TransferKind};

/// In which order entries are listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum EntryOrder {
    /// The newest first.
    #[default]
    NewestFirst,
    /// The oldest first.
    OldestFirst,
}

/// How far the history had come: what is younger is not in the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HistoryThrough {
    /// The newest record of the log that is in it.
    pub seq: u64,
    /// That record's stamp, in milliseconds since the epoch.
    pub at: u64,
}

/// An entry of an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AccountEntry {
    /// Which of the account's it is, from 1: a cursor.
    pub number: u64,
    /// The record of the log that it is in.
    pub seq: u64,
    /// When, by the ledger's clock, in milliseconds since the epoch.
    pub at: u64,
    /// The command that caused it.
    pub command: String,
    /// `payment`, `held_payment`, `dispute`, `refund`, `correction`, `exchange`, `movement`,
    /// `filling`, `emptying`, `sent`, `received`, `settled`, `returned` (to and from another ledger)
    /// or `other`.
    pub kind: String,
    /// The account on the other side.
    pub counterparty: String,
    /// `in` or `out`.
    pub direction: String,
    /// How much, in minor units.
    pub amount_minor: u64,
    /// What the account held afterwards, in minor units.
    pub balance_minor: u64,
}

/// A part of an account's entries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AccountEntries {
    /// How far the history had come.
    pub through: HistoryThrough,
    /// The entries, in the order asked for.
    pub entries: Vec<AccountEntry>,
    /// The cursor for those that follow; absent if there are none now.
    pub next: Option<u64>,
}

/// What an account held at an instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BalanceThen {
    /// How far the history had come.
    pub through: HistoryThrough,
    /// Whether nothing can change the answer any more: the ledger has stamped something later.
    pub settled: bool,
    /// What it held after all that was stamped up to and with the instant, in minor units.
    pub balance_minor: u64,
    /// The newest entry by then, 0 if there was none.
    pub entry: u64,
}

/// What a command moved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TransferThen {
    /// How far the history had come.
    pub through: HistoryThrough,
    /// The record of the log that it is in.
    pub seq: u64,
    /// When, by the ledger's clock, in milliseconds since the epoch.
    pub at: u64,
    /// What it was, as in an entry.
    pub kind: String,
    /// Each debit with its credit: one, or the two sides of an exchange.
    pub legs: Vec<TransferLeg>,
}

/// One debit and one credit of the same amount.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TransferLeg {
    /// The account that was debited.
    pub debit: String,
    /// The account that was credited.
    pub credit: String,
    /// How much, in minor units.
    pub amount_minor: u64,
    /// What the debited account held afterwards, if the asking bank operates it.
    pub debit_balance_minor: Option<u64>,
    /// What the credited account held afterwards, if the asking bank operates it.
    pub credit_balance_minor: Option<u64>,
}

/// The word for a kind of transfer.
pub(super) const fn word(kind: TransferKind) -> &'static str {
    match kind {
        TransferKind::Payment => "payment",
        TransferKind::HeldPayment => "held_payment",
        TransferKind::Dispute => "dispute",
        TransferKind::Refund => "refund",
        TransferKind::Correction => "correction",
        TransferKind::Exchange => "exchange",
        TransferKind::Movement => "movement",
        TransferKind::Filling => "filling",
        TransferKind::Emptying => "emptying",
        TransferKind::Sent => "sent",
        TransferKind::Received => "received",
        TransferKind::Settled => "settled",
        TransferKind::Returned => "returned",
        TransferKind::Withdrawal => "withdrawal",
        TransferKind::Redemption => "redemption",
        TransferKind::NoteExchange => "note_exchange",
        TransferKind::NoteExpiry => "note_expiry",
        TransferKind::Other => "other",
    }
}

impl From<Through> for HistoryThrough {
    fn from(Through { seq, at }: Through) -> Self {
        Self { seq: seq.get(), at: at.millis() }
    }
}

impl From<Statement> for AccountEntries {
    fn from(statement: Statement) -> Self {
        let Statement { through, entries, next } = statement;
        let entries = entries.into_iter().map(AccountEntry::from).collect();
        Self { through: through.into(), entries, next }
    }
}

impl From<Entry> for AccountEntry {
    fn from(entry: Entry) -> Self {
        Self {
            number: entry.number,
            seq: entry.seq.get(),
            at: entry.at.millis(),
            command: entry.command.to_string(),
            kind: word(entry.kind).to_owned(),
            counterparty: entry.counterparty.to_string(),
            direction: if entry.comes_in { "in" } else { "out" }.to_owned(),
            amount_minor: entry.amount,
            balance_minor: entry.balance,
        }
    }
}

impl From<BalanceAt> for BalanceThen {
    fn from(found: BalanceAt) -> Self {
        let BalanceAt { through, settled, balance, entry } = found;
        Self { through: through.into(), settled, balance_minor: balance, entry }
    }
}
