//! The ground every other crate stands on: ids, amounts, timestamps, digests,
//! and the traits that cross layers: [`Signer`], [`StateMachine`], [`Snapshot`].
//! Nothing here performs I/O, reads a clock or draws randomness.
#![doc = ""]
#![doc = include_str!("../README.md")]

mod amount;
mod delay;
mod digest;
mod id;
mod sector;
mod signer;
mod state_machine;
mod time;

pub use amount::{Amount, AmountError, Currency};
pub use delay::GrowingDelay;
pub use digest::Digest;
pub use id::{AccountId, CommandId, IdError, InstitutionId};
pub use sector::{RESIDENT_NUMBER, SECTOR_PSEUDONYM, SectorId};
pub use signer::{Algorithm, PublicKey, Signature, Signer, SignerError, TokenFault};
pub use state_machine::{Snapshot, Stamp, StateMachine};
pub use time::Timestamp;
