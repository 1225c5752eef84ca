//! Seeded schedules of clients, nodes and faults over a simulated log; every run is audited.
#![doc = ""]
#![doc = include_str!("../README.md")]

mod chance;
mod city;
mod clients;

pub use chance::Chance;
pub use city::City;
pub use clients::Clients;
