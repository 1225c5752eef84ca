//! What is told of the steps about who somebody is.

use crate::words::text;

pub(super) fn city(residents: usize, households: usize, institutions: usize) -> String {
    text!(
        "{residents} residents in {households} households, {institutions} institutions. Today's journey is that of one of them.",
        residents = residents,
        households = households,
        institutions = institutions
    )
}

pub(super) fn card_given(on_reader: bool) -> String {
    if on_reader {
        text!(
            "An officer compares face and portrait, records it, and hands her a chip card: number, names, address and portrait, signed under the country's own authority. She lays it on the virtual reader of this machine's card service."
        )
    } else {
        text!(
            "An officer compares face and portrait, records it, and hands her a chip card: number, names, address and portrait, signed under the country's own authority. She lays it on a reader in this process."
        )
    }
}

pub(super) fn identity(count: usize) -> String {
    text!(
        "With the digits on its face her wallet opens the card, reads and verifies it, and carries the authority's challenge to the chip: only the true card can answer. She gets {count} copies of the identity credential, each bound to a key of its own, so that two uses cannot be linked. A wrong number was refused; the same card in somebody else's hands gave a proof of age, no name.",
        count = count
    )
}

pub(super) fn opened(party: &str, purpose: &str, class: &str) -> String {
    text!(
        "Her wallet checks {party} before it shows anything: on the trust list, registered for \"{purpose}\", asking no more than that. She agrees; the bank checks her: issuer, key, status. An account of class {class} is open, and both sides keep a receipt.",
        party = party,
        purpose = purpose,
        class = class
    )
}

pub(super) fn one_each(class: &str) -> String {
    text!("A second account of class {class} at the same bank is refused: one each.", class = class)
}

pub(super) fn who_read(party: &str, purpose: &str, entries: usize, looks: usize) -> String {
    text!(
        "Her wallet shows {party} her number, registered for \"{purpose}\", and gets the list of who read her record: {entries} entries, each written in the same transaction as the read, this one too. Her bank tells her account's key who looked into her file: {looks}.",
        party = party,
        purpose = purpose,
        entries = entries,
        looks = looks
    )
}

pub(super) fn revoked(copies: u64, bank: &str) -> String {
    text!(
        "She loses her phone; the officer revokes all {copies} copies. Whoever finds it tries to open an account at {bank} in her name: the status list says no.",
        copies = copies,
        bank = bank
    )
}
