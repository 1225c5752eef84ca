//! Tests of the whole machine: every rule and its precedence, the wire format, repeats, and
//! properties over random command streams against an independent model.
#![expect(
    clippy::arithmetic_side_effects,
    reason = "an overflow in a test panics, and so fails the test"
)]

mod abroad;
mod abroad_properties;
mod boundaries;
mod calendar;
mod chains;
mod freezes;
mod holds;
mod notes;
mod notes_properties;
mod properties;
mod refusals;
mod repeats;
mod reversals;
mod support;
mod tracing;
mod versions;
mod wallets;
mod wire;
