//! The population register: relational, erasable, every read recorded.
#![doc = ""]
#![doc = include_str!("../README.md")]

mod access;
mod card;
mod death;
mod entity;
mod erasure;
mod excerpt;
mod guardianship;
mod import;
mod note;
mod population;
mod reading;

pub use access::{Access, AccessError, AccessRecord, Deed};
pub use card::CardEntry;
pub use excerpt::Excerpt;
pub use guardianship::{Entry, Guardianship};
pub use import::Imported;
pub use population::{PersonId, Population, PopulationError};
