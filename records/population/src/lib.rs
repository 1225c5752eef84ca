//! The population register: relational, erasable, every read recorded.
#![doc = ""]
#![doc = include_str!("../README.md")]

mod access;
mod death;
mod entity;
mod excerpt;
mod import;
mod population;

pub use access::{Access, AccessError, AccessRecord, Deed};
pub use excerpt::Excerpt;
pub use import::Imported;
pub use population::{PersonId, Population, PopulationError};
