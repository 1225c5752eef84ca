//! Relying parties: whoever asks a wallet to show something.

mod party;

pub use party::Party;
pub(crate) use party::{Answered, rejected};
