//! What is told of the steps about a programme.

use crate::words::{sentences, text};

pub(super) fn nobody_enrols() -> String {
    text!("This country has no programme: nobody enrols.")
}

pub(super) fn nothing_is_paid() -> String {
    text!("This country has no programme: nothing is paid.")
}

/// What is asked of those who enrol is `needs`; somebody `too_young` tried too.
pub(super) fn enrolled(count: usize, programme: &str, needs: &str, too_young: bool) -> String {
    let told = text!(
        "{count} older residents enrol in \"{programme}\". Each wallet names the account to be paid with the key of its pseudonym for pensions, and shows that pseudonym and that {needs} holds: no name, no number, no date of birth.",
        count = count,
        programme = programme,
        needs = needs
    );
    if !too_young {
        return told;
    }
    let refused = text!(
        "The resident of this journey is younger: her own wallet says so, and shows nothing."
    );
    sentences(&told, &refused)
}

/// Of all items of an envelope: what was paid, what came back, what waits.
pub(super) struct Sums {
    pub(super) items: String,
    pub(super) paid: String,
    pub(super) returned: String,
    pub(super) pending: String,
}

pub(super) fn paid_once(first: &Sums, corrected: &Sums) -> String {
    let told = text!(
        "One officer prepares the month, another approves it, each with a token of their own; whoever prepared it may not. Run twice, it pays once: {items} = {paid} paid + {returned} returned + {pending} pending. One account was closed; one pensioner has died, and the status list says so without anybody being asked about: neither payment left the agency.",
        items = first.items,
        paid = first.paid,
        returned = first.returned,
        pending = first.pending
    );
    let corrected = text!(
        "She whose account was closed names another one with her pseudonym's key, and is paid after all: {items} = {paid} + {returned} + {pending}.",
        items = corrected.items,
        paid = corrected.paid,
        returned = corrected.returned,
        pending = corrected.pending
    );
    sentences(&told, &corrected)
}
