//! What is told of the steps with bearer notes, in the language asked for: who learns what is to be understood.

use crate::words::text;

pub(super) fn withdrawn(amount: &str) -> String {
    text!(
        "She withdraws {amount} into bearer notes. Her bank learns that she does, as at a cash machine; the notes it signs blindly, so that it cannot recognise one that comes back. Balance and notes changed in one command, and the money behind them is set apart.",
        amount = amount
    )
}

pub(super) fn noodles(amount: &str, mint: &str, bank: &str) -> String {
    text!(
        "Noodles for {amount}, with notes: nobody showed anything, and no account of hers is in it. The notes are locked to the shop's key; the shop changes them at {mint}'s mint, so that they cannot be spent twice, and has them paid to its account at {bank}. Both banks together cannot say who ate. (A wallet lets notes rest for up to a day, or the time would tell; this demo does not wait.)",
        amount = amount,
        mint = mint,
        bank = bank
    )
}

pub(super) fn no_allowance() -> String {
    text!("This country has no allowance of anonymous cash: cash goes into accounts alone.")
}

/// Who grants, what for, how many tokens, and at which banks.
pub(super) struct Granted<'a> {
    pub(super) party: &'a str,
    pub(super) purpose: &'a str,
    pub(super) batch: u32,
    pub(super) batches: u32,
    pub(super) banks: (&'a str, &'a str),
}

pub(super) fn granted(granted: &Granted<'_>) -> String {
    text!(
        "Her wallet shows {party} a pseudonym that is there for nothing else, registered for \"{purpose}\": no name, no number. It counts {batches} batches of {batch} tokens a person and epoch, over all banks. She gets one at {first} and one at {second}; the banks sign them blindly, by a keyset that is published for everybody.",
        party = granted.party,
        purpose = granted.purpose,
        batches = granted.batches,
        batch = granted.batch,
        first = granted.banks.0,
        second = granted.banks.1
    )
}

/// What is told beside it where that was all.
pub(super) fn one_more_refused() -> String {
    text!("One batch more is refused, at whichever bank (allowance.used).")
}

pub(super) fn topped_up(amount: &str, most: &str, bank: &str) -> String {
    text!(
        "At a counter of {bank} she pays in {amount} of paper with a token, which is good for {most} once: nobody asks who she is. The bank knows that a token of its own is used, and not whose. It turns the cash into digital cash in an account that is there for this quote alone, and her wallet takes notes for it. (Fetched and used within minutes, as here, on a quiet day, the time would tell: wallets get tokens ahead.)",
        bank = bank,
        amount = amount,
        most = most
    )
}
