//! Relational records: connections, migrations, personal data sealed per person.
#![doc = ""]
#![doc = include_str!("../README.md")]

mod connection;
mod group;
mod key;
mod migration;
mod sealer;
mod table;

pub use connection::{Database, DatabaseError};
pub use group::{Answers, Group, Together};
pub use key::{BareKey, CodeKey, MasterKey, PersonKey};
pub use migration::{Migration, MigrationError};
pub use sealer::{BlindIndex, SealError, Sealer};
