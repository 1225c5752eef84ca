//! Two devices side by side (ISO/IEC 18013-5:2021, clauses 8 and 9), without I/O: the holder's
//! [`Engaged`] -> [`Asked`] -> an answer; the reader's [`ask`] -> [`Waiting`] -> [`Seen`]. Both sides
//! are verified, offline, by lists fetched before. Time and randomness are arguments.
#![doc = ""]
#![doc = include_str!("../README.md")]

mod asked;
mod engaged;
mod offline;
mod reader;
mod receipts;

pub use asked::{AnswerError, Asked};
pub use engaged::{Engaged, REGISTRATION, RefuseReader};
pub use offline::{Offline, OfflineStatusError};
pub use reader::{AskError, ReadError, ReaderIdentity, Seen, Shown, Waiting, Wanted, ask};
pub use receipts::{AwaitingReceipt, NoReceipt, ThankError};
