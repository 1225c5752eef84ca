//! Bearer notes in the wallet: the purse beside the accounts, its mints the banks of the trust list.

mod allowance;
mod carrying;
mod invoices;
mod keysets;
mod moving;
mod refusing;
mod restoring;
mod settling;
mod stored;
mod taking;
mod telling;
mod terminal;

pub use allowance::PayingIn;
pub use moving::{CashPaid, CashTerms};
pub(crate) use refusing::PurseFault;
pub use settling::Settled;
pub(super) use stored::StoredCash;
pub use taking::{Prepared, Taken};
pub(super) use terminal::act;
