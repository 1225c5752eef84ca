//! A wallet of bearer notes (Cashu), without I/O: time, randomness, the seed and the list of published keysets
//! are arguments; requests and answers are bytes that the caller carries.
#![doc = ""]
#![doc = include_str!("../README.md")]

mod allowance;
mod choosing;
pub mod delay;
mod keysets;
mod message;
mod note;
mod offline;
mod operation;
mod output;
mod purse;
mod receiving;
mod steps;
mod terms;

pub use allowance::TokensError;
pub use keysets::{KeysetRefusal, Learnt, Published};
pub use message::{Refusal, Reply, Request};
pub use offline::{OfflineNote, OfflineRefusal, OfflineTerms, Standing};
pub use operation::{OperationId, Outcome, Progress, StepError, Waiting};
pub use output::SignatureError;
pub use purse::{Expiring, FromBackup, Holding, Purse};
pub use receiving::ReceiveError;
pub use steps::{
    CHECKED_AT_ONCE, GAP, GivenState, Handing, PayError, RESTORED_AT_ONCE, RedeemError,
    WithdrawError,
};
pub use terms::{PayTerms, RequestUnpayable};
