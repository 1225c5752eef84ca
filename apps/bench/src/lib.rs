//! What Yufu costs: figures beside yardsticks measured in the same run.
#![doc = ""]
#![doc = include_str!("../README.md")]
#![expect(
    clippy::float_arithmetic,
    reason = "measurements are ratios and rates; no money is reckoned in floats"
)]

pub mod card;
pub mod ecash;
mod figure;
mod http;
pub mod identity;
pub mod ledger;
mod memory;
mod plot;
pub mod scale;
mod stopwatch;

pub use figure::{Figure, Report, Yardstick};
pub use plot::plot;
