//! What a key signs to move money: the payment order of a wallet, and the request token by which
//! a wallet or an institution proves who asks. Pure: time is an argument.
#![doc = ""]
#![doc = include_str!("../README.md")]

mod access;
mod hand_over;
mod order;
mod payout;
mod request;
mod statement;
mod sub_wallet;

pub use access::{ALLOWANCE_SCOPE, AccessError, AccessToken, SignedAccessToken};
pub use hand_over::{HandOverError, HandOverOrder, SignedHandOver};
pub use order::{OrderError, PaymentOrder, SignedOrder, stepped_up_id};
pub use payout::{PayoutError, PayoutInstruction};
pub use request::{RequestError, RequestToken};
pub use statement::{AccountStatement, SignedStatement, StatementError};
pub use sub_wallet::{SignedSubWalletOrder, SubWalletOrder, SubWalletStep};
