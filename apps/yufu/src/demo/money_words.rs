//! What is told of the steps about money: in an account, in a purse without a name, at the shop's bank.

use crate::words::text;

pub(super) fn issued(bank: &str) -> String {
    text!(
        "The central bank issues digital cash to {bank} against its reserves: what is in one form is no longer in the other.",
        bank = bank
    )
}

pub(super) fn paid_in() -> String {
    text!(
        "At the counter she changes notes into digital cash. Two movements, one step: paper and digital together stay the same."
    )
}

pub(super) fn drawn(more: &str, class: &str) -> String {
    text!(
        "From her deposit more follows. The bank's debt to her falls by what her wallet gains. {more} more would be above what a wallet of class {class} may hold: refused, and nothing moved.",
        more = more,
        class = class
    )
}

pub(super) fn paid(bank: &str, other: &str, left: &str) -> String {
    text!(
        "A bell for the bicycle: an order signed by her wallet's key, through {bank} to a customer of {other}, final at once in central-bank money. {left} remain.",
        bank = bank,
        other = other,
        left = left
    )
}

pub(super) fn repeated() -> String {
    text!(
        "The answer got lost on the way, so her wallet sends the same order again: it gets the first answer, and nothing moves twice."
    )
}

pub(super) fn above_limit(amount: &str, code: &str) -> String {
    text!("An electric bicycle for {amount}: refused ({code}).", amount = amount, code = code)
}

pub(super) fn stepped_up(amount: &str) -> String {
    text!(
        "She confirms with her identity: ledger, amount, payee, order and expiry are inside what she signs, so it authorises this payment and no other. {amount} left her wallet once; the same request and the same order again moved nothing.",
        amount = amount
    )
}

pub(super) fn paid_out() -> String {
    text!("And back: digital cash into notes at the counter.")
}

pub(super) fn redeemed() -> String {
    text!("The shop changes its takings into a deposit at its own bank.")
}

pub(super) fn audited(records: &str, commands: &str, hash: &str) -> String {
    text!(
        "An auditor reads the log alone: {records} records chained without a gap, {commands} commands with valid signatures, debits equal credits, issued equals held, no limit exceeded. State hash {hash}.",
        records = records,
        commands = commands,
        hash = hash
    )
}

pub(super) fn purse_opened(class: &str) -> String {
    text!(
        "Somebody who shows no identity gets a purse of class {class} for answering a code. No network of telephones is connected to this demo: the code lies in the bank's records, where its desk reads it, and the read is recorded. Notes fill the purse.",
        class = class
    )
}

pub(super) fn purse_limit(amount: &str, code: &str, classes: &[&str]) -> String {
    let or = text!(" or ");
    text!(
        "A bicycle for {amount} from the purse: refused ({code}). No identity lifts that, or the purse would have a name from then on; a wallet of class {classes} would do, and has no tie to the purse.",
        amount = amount,
        code = code,
        classes = classes.join(&or)
    )
}
