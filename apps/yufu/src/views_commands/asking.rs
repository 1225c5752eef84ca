//! Asking the history: a statement, a transfer, a balance.

use crate::command_line::Statement as Asked;
use crate::words::{known, noted, say, text};
use anyhow::{Context, Result};
use yufu_base::{AccountId, Timestamp};
use yufu_views::{Listing, StatementQuery, Through, TransferKind, View};

pub(super) fn statement(view: &View, asked: &Asked) -> Result<()> {
    let query = StatementQuery {
        account: asked.account.parse()?,
        from: asked.from.as_deref().map(instant).transpose()?,
        until: asked.until.as_deref().map(instant).transpose()?,
        cursor: asked.cursor,
        listing: if asked.oldest_first { Listing::OldestFirst } else { Listing::NewestFirst },
        limit: asked.limit,
    };
    let found = view.statement(&query)?;
    for entry in &found.entries {
        let sign = if entry.comes_in { "+" } else { "-" };
        say!(
            "{number}  {at}  {change}  holds {balance}  {kind}, {account}, command {command}, record {seq}",
            number = entry.number,
            at = shown(entry.at),
            change = format!("{sign}{}", entry.amount),
            balance = entry.balance,
            kind = word(entry.kind),
            account = entry.counterparty,
            command = entry.command,
            seq = entry.seq
        );
    }
    if let Some(next) = found.next {
        say!("there is more: --cursor {next}", next = next);
    }
    tell(found.through);
    Ok(())
}

pub(super) fn transfer(view: &View, command: &str) -> Result<()> {
    let found = view.transfer(command.parse()?)?;
    say!(
        "{kind} at {at}, in record {seq}",
        kind = word(found.kind),
        at = shown(found.at),
        seq = found.seq
    );
    for leg in &found.legs {
        say!(
            "{amount} from {debit} (holds {debit_balance}) to {credit} (holds {credit_balance})",
            amount = leg.amount,
            debit = leg.debit,
            debit_balance = leg.debit_balance,
            credit = leg.credit,
            credit_balance = leg.credit_balance
        );
    }
    tell(found.through);
    Ok(())
}

pub(super) fn balance(view: &View, account: &str, at: &str) -> Result<()> {
    let account: AccountId = account.parse()?;
    let found = view.balance_at(account, instant(at)?)?;
    say!("held        {minor}", minor = found.balance);
    if !found.settled {
        say!("More may follow that is stamped before that instant.");
    }
    tell(found.through);
    Ok(())
}

fn tell(through: Through) {
    say!("The history has come to record {seq}, {at}.", seq = through.seq, at = shown(through.at));
}

/// An instant as it is typed.
fn instant(text: &str) -> Result<Timestamp> {
    let parsed: jiff::Timestamp = text.parse().with_context(|| {
        text!("{instant} is no instant: expected such as 2026-11-01T00:00:00Z", instant = text)
    })?;
    Ok(Timestamp::from_millis(u64::try_from(parsed.as_millisecond()).unwrap_or_default()))
}

fn shown(at: Timestamp) -> String {
    let millis = i64::try_from(at.millis()).unwrap_or(i64::MAX);
    jiff::Timestamp::from_millisecond(millis).map(|at| at.to_string()).unwrap_or_default()
}

/// What a transfer was, in words.
fn word(kind: TransferKind) -> String {
    known(match kind {
        TransferKind::Payment => noted!("payment"),
        TransferKind::HeldPayment => noted!("held payment"),
        TransferKind::Dispute => noted!("disputed payment"),
        TransferKind::Refund => noted!("refund"),
        TransferKind::Correction => noted!("correction"),
        TransferKind::Exchange => noted!("exchange"),
        TransferKind::Movement => noted!("movement between institutions"),
        TransferKind::Filling => noted!("into a sub-wallet"),
        TransferKind::Emptying => noted!("out of a closed sub-wallet"),
        TransferKind::Sent => noted!("to another ledger"),
        TransferKind::Received => noted!("from another ledger"),
        TransferKind::Settled => noted!("arrived at another ledger"),
        TransferKind::Returned => noted!("came back from another ledger"),
        TransferKind::Withdrawal => noted!("into bearer notes"),
        TransferKind::Redemption => noted!("from bearer notes"),
        TransferKind::NoteExchange => noted!("exchange of bearer notes"),
        TransferKind::NoteExpiry => noted!("expiry of bearer notes"),
        TransferKind::Other => noted!("transfer"),
    })
}
