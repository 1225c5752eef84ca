//! What a command came to.

use crate::refusal::Refusal;
use borsh::{BorshDeserialize, BorshSerialize};
use yufu_base::{Amount, Timestamp};

/// The outcome of a command: done, or refused with nothing changed.
pub type Outcome = Result<Done, Refusal>;

/// A command that was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Done {
    /// When, by the ledger's clock.
    pub at: Timestamp,
    /// The balance afterwards of the wallet the command was about (of a payment, the payer's);
    /// `None` where it was about no wallet.
    pub balance: Option<Amount>,
}
