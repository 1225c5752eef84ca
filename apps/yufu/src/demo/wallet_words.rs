//! What is told of the steps about her wallet: who provides it, what it remembers, what becomes of a lost one.

use crate::words::{comma, known, noted, text};

pub(super) fn no_provider() -> String {
    text!("No other bank of this profile has accounts opened through a wallet provider: left out.")
}

pub(super) fn no_account_to_move() -> String {
    text!("Nobody has an account through a wallet provider here: left out.")
}

/// What the provider knows is told by the names of its file's members.
pub(super) fn provided(provider: &str, bank: &str, known_to_it: &[&str]) -> String {
    let member = |name: &&str| match *name {
        "instance_key" => known(noted!("instance_key")),
        "registered_day" => known(noted!("registered_day")),
        other => other.to_owned(),
    };
    let known_to_it: Vec<String> = known_to_it.iter().map(member).collect();
    text!(
        "On a second phone she has the wallet of {provider}, which onboards people for {bank}. It vouches for her account's key, without being told for which bank; what she shows goes to the bank directly. All it knows of her wallet: {members}.",
        provider = provider,
        bank = bank,
        members = known_to_it.join(&comma())
    )
}

pub(super) fn moved(bank: &str, amount: &str, through: Option<&str>) -> String {
    let own = text!("the bank's own wallet");
    text!(
        "She goes to another platform: her old wallet signs that a key of the new one commands the account. The same account at {bank}, {amount} in it as before, now served through {through}; the old wallet is refused (account.key_changed), and its provider only is asked for nothing any more.",
        bank = bank,
        amount = amount,
        through = through.unwrap_or(&own)
    )
}

pub(super) fn recovered(places: usize, bank: &str, hours: &str) -> String {
    text!(
        "With the sheet that her wallet had written she freezes everything from a new phone, in one step, at {places} places, none of which learns of the others. With a fresh identity from the counter she recovers her account at {bank}: she signs which account, which bank and which new key. The lost phone's key is dead, and what was issued to it is revoked. For {hours} hours the account keeps to its ordinary limits.",
        places = places,
        bank = bank,
        hours = hours
    )
}

/// How many entries a history has, and of what.
pub(super) struct Entries {
    pub(super) all: usize,
    pub(super) disclosed: usize,
    pub(super) paid: usize,
    pub(super) receipts: usize,
}

pub(super) fn history(entries: &Entries, passphrase: &str) -> String {
    text!(
        "One history in her wallet, {all} entries: {disclosed} disclosures with party, purpose and claim names, never values, {paid} payments, and what was refused. {receipts} receipts, signed by the other side, she verifies again without asking anybody. The file is encrypted; in this demo under the passphrase {passphrase}.",
        all = entries.all,
        disclosed = entries.disclosed,
        paid = entries.paid,
        receipts = entries.receipts,
        passphrase = passphrase
    )
}

pub(super) fn spare(resting: usize) -> String {
    text!(
        "An encrypted backup, restored as a spare phone's wallet: it pays at once. Its {resting} one-time credentials rest, because the first phone may show them, and one shown twice would tell two parties that they met the same person.",
        resting = resting
    )
}

/// Where somebody only asked for the list of who read.
pub(super) fn this_list() -> String {
    text!("this list")
}

/// What the report itself asked for.
pub(super) fn this_report() -> String {
    text!("for this report")
}
