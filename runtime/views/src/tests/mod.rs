//! What a view says is what the machine came to, however it came to be, and what is not is found.
#![expect(
    clippy::arithmetic_side_effects,
    reason = "an overflow in a test panics, and so fails the test"
)]

mod crashes;
mod properties;
mod pruned;
mod running;
mod support;
mod tampering;
