//! Tests of the audit: an honest log passes, every kind of tampering is found and named, and
//! the model finds each rule broken even where the machine had agreed to it.
#![expect(
    clippy::arithmetic_side_effects,
    reason = "an overflow in a test panics, and so fails the test"
)]

mod abroad;
mod clock;
mod honest;
mod notes;
mod orders;
mod random;
mod rules;
mod support;
mod tampering;
mod wallets;
