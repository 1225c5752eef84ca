//! What is told of the steps about services, and of what the parts are worth together.

use super::synergy::Synergy;
use crate::words::text;

pub(super) fn payment_credentials(count: usize) -> String {
    text!(
        "Her bank gives her wallet {count} payment credentials, each bound to a key of its own and without a single claim: what account it is for, only the bank can look up.",
        count = count
    )
}

pub(super) fn checked_in(days: &str) -> String {
    text!(
        "She checks in with one tap. One request asks for two credentials: the law has the hotel ask who she is; the payment credential it passes on to her bank, which sees that it is for this amount, this payee and this order, and pays once. Her copy at the hotel is erased after {days} days.",
        days = days
    )
}

pub(super) fn travelling(copies: usize) -> String {
    text!(
        "A ticket for a train, paid the same way: the railway learns that it was paid and nothing of her. The ticket is a credential bound to her key, without a name. She changes it to a later train; the old one is revoked, {copies} copies of the new one are in her wallet.",
        copies = copies
    )
}

pub(super) fn through_the_gate() -> String {
    text!(
        "At the gate her wallet shows the ticket, and only that. It opens; the same ticket a second time does not open it."
    )
}

pub(super) fn refunded() -> String {
    text!(
        "Another ticket she gives back: the railway orders the refund from its own account, her bank knows where to, the ticket is revoked. A used ticket was not taken back."
    )
}

pub(super) fn together(Synergy { integrated, siloed }: &Synergy) -> String {
    text!(
        "Somebody else opens an account, sleeps at the hotel and takes a train: in {steps} steps, with {attributes} attributes shown. Then the same with institutions that share nothing, each with a form, a copy of the card, a password and a transfer of its own: {siloed_steps} steps, {siloed_attributes} attributes.",
        steps = integrated.steps,
        attributes = integrated.disclosures,
        siloed_steps = siloed.steps,
        siloed_attributes = siloed.disclosures
    )
}
