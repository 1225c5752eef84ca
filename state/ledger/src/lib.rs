//! Accounts, linked postings, what a wallet has spent, and the cash desk: the double-entry
//! books of one currency, deterministic and exact.
#![doc = ""]
#![doc = include_str!("../README.md")]

mod account;
mod accounts;
mod bearer;
mod chart;
mod encoding;
mod exchange;
mod holdings;
mod holds;
mod in_flight;
mod index;
mod issuance;
mod journal;
mod ledger;
mod payment;
mod posting;
mod spending;
mod supply;
mod trace;

pub use account::{Account, AccountKind, Standing, Wallet};
pub use bearer::{Backing, BearerTo, CheckedBacking};
pub use chart::{BankNumber, ChartError, institution_account};
pub use exchange::Exchange;
pub use holds::{CheckedHold, Hold, HoldPurpose};
pub use in_flight::{CheckedFlight, InFlight, PeerNumber};
pub use issuance::Movement;
pub use ledger::{Ledger, WalletSlot};
pub use posting::{Checked, Posted, PostingError};
pub use spending::{Period, Spending};
pub use supply::Supply;
pub use trace::{AccountNumber, Transfer, TransferKind};
