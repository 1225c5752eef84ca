//! The wallet in the terminal: a thin shell over the wallet's sessions.

mod file;
mod getting;
mod history;
mod holder;
mod paying;
mod showing;
mod terminal;

pub use getting::Received;
pub use history::{Entry, Event};
pub use holder::{Decide, Holder};
pub use paying::{Bill, Opened, Paid};
pub use showing::Shown;

pub(crate) use terminal::run;
