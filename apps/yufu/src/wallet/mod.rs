//! The wallet in the terminal: a thin shell over the wallet's sessions.

mod abroad;
#[cfg(feature = "zero-knowledge")]
mod anonymous;
#[cfg(feature = "zero-knowledge")]
mod anonymous_terminal;
mod asking;
mod attempts;
mod attestations;
mod attesting;
mod backup;
mod benefits;
mod benefits_terminal;
mod cash;
mod choosing;
mod collecting;
mod contents;
mod currency;
mod deleting;
mod deriving;
mod deriving_terminal;
mod fault;
mod file;
mod freeze_sheet;
mod freezing;
mod freezing_terminal;
mod getting;
mod getting_terminal;
mod guarding;
mod haip;
mod history;
mod holder;
mod linking;
mod looking;
mod moving;
mod near;
mod opening;
mod paging;
mod paying;
mod pins;
mod purse;
mod receipts;
mod recovering;
mod refusing;
mod reporting;
mod saying;
mod sector;
mod services;
mod showing;
mod showing_terminal;
mod sub_wallets;
mod telling;
mod terminal;
mod terminal_accounts;
mod terminal_wards;
mod vault;
mod voided;
mod waking;

#[cfg(feature = "zero-knowledge")]
pub use anonymous::AnonymousReceived;
pub use backup::{Restored, restore};
pub use benefits::Benefit;
pub(crate) use cash::PurseFault;
pub use cash::{CashPaid, CashTerms};
pub use deleting::Deletion;
pub use deriving::FromCard;
pub use fault::WalletFault;
pub use freezing::{FreezeOutcome, SheetWritten};
pub use getting::{Received, Wanted};
pub use haip::Got;
pub use history::{Entry, Event};
pub use holder::{Decide, Holder};
pub use looking::{BankAccesses, WhoRead};
pub use near::Near;
pub use opening::Opened;
pub use paging::Paged;
pub use paying::{Bill, Paid};
pub use purse::PurseOpening;
pub use receipts::{CheckedReceipt, ReceiptFault};
pub use recovering::Recovered;
pub use reporting::Reported;
pub use services::Bought;
pub use showing::Shown;
pub use sub_wallets::{SubWallet, SubWalletTerms};
pub use vault::Passphrase;
pub use waking::Woken;

pub(crate) use terminal::run;

#[cfg(test)]
mod tests;
