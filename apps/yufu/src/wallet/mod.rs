//! The wallet in the terminal: a thin shell over the wallet's sessions.

mod asking;
mod attempts;
mod backup;
mod contents;
mod fault;
mod file;
mod getting;
mod history;
mod holder;
mod linking;
mod looking;
mod opening;
mod paying;
mod purse;
mod receipts;
mod refusing;
mod reporting;
mod sector;
mod services;
mod showing;
mod telling;
mod terminal;
mod vault;

pub use backup::{Restored, restore};
pub use fault::WalletFault;
pub use getting::Received;
pub use history::{Entry, Event};
pub use holder::{Decide, Holder};
pub use looking::{BankAccesses, WhoRead};
pub use opening::Opened;
pub use paying::{Bill, Paid};
pub use purse::PurseOpening;
pub use receipts::{CheckedReceipt, ReceiptFault};
pub use reporting::Reported;
pub use services::Bought;
pub use showing::Shown;
pub use vault::Passphrase;

pub(crate) use terminal::run;

#[cfg(test)]
mod tests;
