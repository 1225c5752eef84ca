//! Conditions of spending: read, met, checked (NUT-10, NUT-11, NUT-14).

mod check;
mod lock;
mod secret;
mod witness;

pub use check::{SpendError, SpendRule, Transaction, check_spend, sig_all_message};
pub use lock::{Lock, LockError, Pathway, SigFlag};
pub use secret::{Conditions, Kind, MAX_SECRET, SecretError};
pub use witness::{Witness, WitnessError, shown_preimages, unlock};
