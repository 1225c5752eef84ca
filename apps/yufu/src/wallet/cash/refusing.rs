//! Why the purse, or a mint, does not do something, told to the person.

use crate::words::{self, text};
use std::fmt;
use yufu_ecash::message::ErrorCode;
use yufu_ecash::{PointError, RequestError, TokenError, WordsError};
use yufu_purse::{
    KeysetRefusal, OfflineRefusal, PayError, ReceiveError, RedeemError, Refusal, RequestUnpayable,
    StepError, TokensError, WithdrawError,
};

/// A refusal with its stable code.
#[derive(Debug, thiserror::Error)]
#[error("{whole}")]
pub(crate) struct PurseFault {
    code: &'static str,
    /// What the words for the code are filled with.
    detail: String,
    /// All of it where there are no such words.
    whole: String,
}

/// The codes that a purse refuses with.
const CODES: [&str; 47] = [
    "mint.forged",
    "mint.keyset_over",
    "mint.keyset_unknown",
    "mint.limit",
    "mint.no_notes_now",
    "mint.quote_over",
    "mint.spent",
    "mint.token",
    "mint.unpaid",
    "mint.unpayable",
    "purse.amount",
    "purse.condition",
    "purse.from_backup",
    "purse.insufficient",
    "purse.key",
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
    "purse.request",
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
    "purse.words",
];

impl PurseFault {
    pub(super) fn new(code: &'static str, detail: impl fmt::Display) -> Self {
        let detail = detail.to_string();
        Self { code, whole: detail.clone(), detail }
    }

    /// What a mint refused: by the protocol's number, where there are words for it, and in the mint's own words.
    pub(super) fn of_mint(number: Option<ErrorCode>, detail: &str) -> Self {
        let code = number.and_then(of_number).unwrap_or("purse.refused");
        let whole = text!("the mint refused: {detail}", detail = detail);
        Self { code, detail: detail.to_owned(), whole }
    }

    /// Others spent notes worth so much before.
    pub(super) fn lost(amount: &str) -> Self {
        let whole = text!("notes worth {amount} had been spent by others before", amount = amount);
        Self { code: "purse.lost", detail: amount.to_owned(), whole }
    }

    /// What the person is told: in English the purse's own words, else those for its code.
    pub(crate) fn said(&self) -> String {
        let detail = [("detail", self.detail.clone())];
        let known = CODES.contains(&self.code).then(|| words::fault(self.code, &detail));
        known.flatten().unwrap_or_else(|| self.whole.clone())
    }
}

/// The code of what persons meet of a mint's refusals.
const fn of_number(number: ErrorCode) -> Option<&'static str> {
    Some(match number {
        ErrorCode::ProofInvalid => "mint.forged",
        ErrorCode::ProofsSpent => "mint.spent",
        ErrorCode::AmountOutsideLimits => "mint.limit",
        ErrorCode::KeysetUnknown => "mint.keyset_unknown",
        ErrorCode::KeysetExpired => "mint.keyset_over",
        ErrorCode::QuoteUnpaid => "mint.unpaid",
        ErrorCode::MintingDisabled => "mint.no_notes_now",
        ErrorCode::PaymentFailed => "mint.unpayable",
        ErrorCode::QuoteExpired => "mint.quote_over",
        ErrorCode::BlindAuthFailed => "mint.token",
        _ => return None,
    })
}

impl From<&Refusal> for PurseFault {
    fn from(refusal: &Refusal) -> Self {
        Self::of_mint(refusal.code, &refusal.detail)
    }
}

/// What a person typed or was given, and cannot be read.
macro_rules! unread {
    ($($error:ident = $code:literal),*) => {
        $(impl From<$error> for PurseFault {
            fn from(error: $error) -> Self {
                Self::new($code, error)
            }
        })*
    };
}
unread!(
    TokenError = "purse.token",
    RequestError = "purse.request",
    PointError = "purse.key",
    WordsError = "purse.words"
);

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
