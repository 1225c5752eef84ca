//! What is told of the steps of others: somebody without a telephone, a parent and a child, a visitor.

use crate::words::text;

pub(super) fn not_in_person() -> String {
    text!("Wallets are not opened in person in this profile: left out.")
}

pub(super) fn at_the_counter(years: i16, wait: u64) -> String {
    text!(
        "Somebody of {years} years has no telephone. An officer compares her card and portrait, and she gets a card; she types a PIN at the terminal, which the officer does not see (her birth date was refused). Cash in, and noodles paid. A wrong PIN: the next attempt has to wait {wait} s, even with the right one; so she shows her identity card again, sets another PIN, and takes cash out. The bank could move this money without her: the terminal and the PIN are its own.",
        years = years,
        wait = wait
    )
}

pub(super) fn no_guardians() -> String {
    text!("This profile's authority certifies no guardians: left out.")
}

pub(super) fn guarded(years: i16, majority: u8) -> String {
    text!(
        "A child of {years} has an identity, and may not open a wallet alone: refused. An officer records her parent as guardian, and the parent's wallet gets a credential of it. It shows the bank both in one answer; the account is the child's, the parent's wallet operates it, until the child is {majority}, or an officer ends the guardianship.",
        years = years,
        majority = majority
    )
}

pub(super) fn visited(there: &str, bank: &str) -> String {
    text!(
        "Somebody comes from {there}. Her own country's trust list tells her wallet where the one here is, and its key: so it can check the parties here, and trusts nobody on first sight. The list here has taken over who issues identities in {there}, and nobody else: {bank} opens her an account, the hotel takes her in. Of her own country's authority they fetch a status list, which does not tell it whom they look up.",
        there = there,
        bank = bank
    )
}
