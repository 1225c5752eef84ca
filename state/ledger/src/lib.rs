//! Accounts, linked postings, what a wallet has spent, and the cash desk: the double-entry
//! books of one currency, deterministic and exact.
#![doc = ""]
#![doc = include_str!("../README.md")]

mod account;
mod chart;
mod exchange;
mod holdings;
mod index;
mod issuance;
mod ledger;
mod payment;
mod posting;
mod spending;
mod supply;

pub use account::{Account, AccountKind, Standing, Wallet};
pub use chart::{BankNumber, ChartError, institution_account};
pub use exchange::Exchange;
pub use issuance::Movement;
pub use ledger::{Ledger, WalletSlot};
pub use posting::{Checked, PostingError};
pub use spending::{Period, Spending};
pub use supply::Supply;
