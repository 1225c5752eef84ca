//! What the terminal says when something is done.

use super::backup::Restored;
use super::currency::money;
use super::deleting::Deletion;
use super::getting::Received;
use super::holder::Holder;
use super::paying::Bill;
use super::showing::Shown;
use super::terminal::time;
use super::types::Names;
use crate::words::{comma, say, sum, text};
use anyhow::Result;

/// Credentials came.
pub(super) fn received(names: &Names, received: &Received) {
    let Received { issuer, vct, count, claims } = received;
    say!(
        "{count} credentials of {kind} from {issuer}, each for one use.",
        count = count,
        kind = names.kind(vct),
        issuer = issuer
    );
    let claims: Vec<String> = claims.iter().map(|claim| names.own_claim(vct, claim)).collect();
    say!("Each holds: {claims}", claims = claims.join(&comma()));
}

/// Something was shown.
pub(super) fn shown(shown: &Shown) {
    let claims = shown.named.join(&comma());
    say!("Shown to {party}: {claims}", party = shown.party, claims = claims);
}

/// A bill was paid.
pub(super) fn paid(holder: &Holder, bill: &Bill) {
    say!(
        "Paid {amount} to {payee}, order {order}.",
        amount = sum(&money(bill.amount, holder.decimals())),
        payee = bill.payee_name,
        order = bill.id
    );
}

/// Accounts that another wallet commands now.
pub(super) fn let_go(count: usize) {
    if count > 0 {
        say!(
            "{count} accounts are commanded by another wallet now: they were let go here.",
            count = count
        );
    }
}

/// What is back from a backup.
pub(super) fn restored(name: &str, restored: &Restored) {
    say!(
        "The wallet {name} is back: {accounts} accounts, {entries} entries of history, {usable} credentials.",
        name = name,
        accounts = restored.accounts,
        entries = restored.entries,
        usable = restored.usable
    );
    if restored.resting > 0 {
        say!(
            "{count} credentials rest: the wallet they were copied from may have shown them, and one shown twice can be linked. Get a fresh batch from the issuer.",
            count = restored.resting
        );
    }
}

/// What came of asking for deletion.
pub(super) fn deletion(deletion: &Deletion) -> Result<()> {
    match deletion.kept_until {
        None => say!("{party} has erased it.", party = deletion.party),
        Some(until) => say!(
            "{party} keeps it until {time}, as its law or contract has it; then it is erased by itself.",
            party = deletion.party,
            time = time(until)?
        ),
    }
    Ok(())
}

/// A line for each account that its holder had frozen.
pub(super) fn frozen(accounts: &[(String, String)]) -> Vec<String> {
    let line = |(bank, account): &(String, String)| {
        text!(
            "{account}  {bank}  FROZEN by you: `yufu wallet unfreeze` frees it",
            account = account,
            bank = bank
        )
    };
    accounts.iter().map(line).collect()
}
