//! The ground every other crate stands on: ids, amounts, timestamps, digests,
//! and the two traits that cross layers, [`Signer`] and [`StateMachine`].
//! Nothing here performs I/O, reads a clock or draws randomness.
#![doc = ""]
#![doc = include_str!("../README.md")]

mod amount;
mod digest;
mod id;
mod sector;
mod signer;
mod state_machine;
mod time;

pub use amount::{Amount, AmountError, Currency};
pub use digest::Digest;
pub use id::{AccountId, CommandId, IdError, InstitutionId};
pub use sector::{SECTOR_PSEUDONYM, SectorId};
pub use signer::{Algorithm, PublicKey, Signature, Signer, SignerError};
pub use state_machine::{Stamp, StateMachine};
pub use time::Timestamp;
