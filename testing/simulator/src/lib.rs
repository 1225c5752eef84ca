//! Seeded schedules of clients, nodes and faults over a simulated log; every run is audited.
#![doc = ""]
#![doc = include_str!("../README.md")]

mod between;
mod chance;
mod checks;
mod city;
mod clients;
mod faults;
mod node;
mod run;
mod store;
#[cfg(test)]
mod tests;

pub use between::{BetweenReport, Mishap, Mishaps};
pub use chance::Chance;
pub use city::City;
pub use clients::Clients;
pub use faults::{Fault, Faults};
pub use run::{Failure, Report, Simulator};
