//! Why the purse, or a mint, does not do something, told to the person.

use crate::words;
use std::fmt;
use yufu_purse::{
    KeysetRefusal, OfflineRefusal, PayError, ReceiveError, RedeemError, RequestUnpayable,
    StepError, TokensError, WithdrawError,
};

/// A refusal with its stable code.
#[derive(Debug, thiserror::Error)]
#[error("{detail}")]
pub(crate) struct PurseFault {
    code: &'static str,
    detail: String,
}

/// The codes that a purse refuses with.
const CODES: [&str; 34] = [
    "purse.amount",
    "purse.condition",
    "purse.from_backup",
    "purse.insufficient",
    "purse.keyset_keys",
    "purse.keyset_sizes",
    "purse.keyset_too_new",
    "purse.keyset_unpublished",
    "purse.lost",
    "purse.mint_unknown",
    "purse.no_keyset",
    "purse.no_token",
    "purse.offline_lock",
    "purse.offline_no_proof",
    "purse.offline_risk",
    "purse.offline_seen",
    "purse.offline_too_soon",
    "purse.operation_unknown",
    "purse.refused",
    "purse.request_amount",
    "purse.request_lock",
    "purse.request_mint",
    "purse.seed",
    "purse.signature",
    "purse.token",
    "purse.token_expired",
    "purse.token_forged",
    "purse.token_hash",
    "purse.token_keyset",
    "purse.token_locked",
    "purse.token_repeated",
    "purse.token_unit",
    "purse.token_worthless",
    "purse.unanswered",
];

impl PurseFault {
    pub(super) fn new(code: &'static str, detail: impl fmt::Display) -> Self {
        Self { code, detail: detail.to_string() }
    }

    /// What the person is told: in English the purse's own words, else those for its code.
    pub(crate) fn said(&self) -> String {
        let detail = [("detail", self.detail.clone())];
        let known = CODES.contains(&self.code).then(|| words::fault(self.code, &detail));
        known.flatten().unwrap_or_else(|| self.detail.clone())
    }
}

macro_rules! faults {
    ($($error:ident),*) => {
        $(impl From<$error> for PurseFault {
            fn from(error: $error) -> Self {
                Self::new(error.code(), error)
            }
        })*
    };
}
faults!(
    KeysetRefusal,
    OfflineRefusal,
    PayError,
    ReceiveError,
    RedeemError,
    RequestUnpayable,
    StepError,
    TokensError,
    WithdrawError
);
