//! Relational records: connections, migrations, personal data sealed per person.
#![doc = ""]
#![doc = include_str!("../README.md")]

mod access;
mod connection;
mod group;
mod key;
mod migration;
mod moment;
mod rows;
mod sealer;
mod table;
mod written;

pub use access::Access;
pub use connection::{Database, DatabaseError};
pub use group::{Answers, Group, Together};
pub use key::{BareKey, CodeKey, MasterKey, PersonKey};
pub use migration::{Migration, MigrationError};
pub use moment::{from_column, to_column};
pub use rows::{insert_rows, padded, push_values};
pub use sealer::{BlindIndex, SealError, Sealer};
pub use written::written;
