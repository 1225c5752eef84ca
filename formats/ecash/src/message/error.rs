//! The protocol's errors: a number that wallets act on, and a text for people.

use serde::{Deserialize, Serialize};

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $text:literal;)*) => {
        /// An error of the protocol, as the list of Cashu's errors numbers it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum ErrorCode {
            $($(#[$doc])* #[doc = concat!("`", stringify!($code), "`: ", $text, ".")] $name,)*
        }

        impl ErrorCode {
            /// All of them, in the order of their numbers.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The number on the wire.
            #[must_use]
            pub const fn number(self) -> u32 {
                match self { $(Self::$name => $code),* }
            }

            /// What it says, in the words of the list.
            #[must_use]
            pub const fn text(self) -> &'static str {
                match self { $(Self::$name => $text),* }
            }
        }
    };
}

codes! {
    ProofInvalid = 10001, "Proof verification failed";
    ProofsSpent = 11001, "Proofs already spent";
    ProofsPending = 11002, "Proofs are pending";
    OutputsSigned = 11003, "Outputs already signed";
    OutputsPending = 11004, "Outputs are pending";
    NotBalanced = 11005, "Transaction is not balanced (inputs != outputs)";
    AmountOutsideLimits = 11006, "Amount outside of limit range";
    DuplicateInputs = 11007, "Duplicate inputs provided";
    DuplicateOutputs = 11008, "Duplicate outputs provided";
    MixedUnits = 11009, "Inputs/Outputs of multiple units";
    DifferentUnits = 11010, "Inputs and outputs not of same unit";
    AmountlessUnsupported = 11011, "Amountless invoice is not supported";
    AmountMismatch = 11012, "Amount in request does not equal invoice";
    UnitUnsupported = 11013, "Unit in request is not supported";
    TooManyInputs = 11014, "Max inputs exceeded";
    TooManyOutputs = 11015, "Max outputs exceeded";
    DuplicateQuotes = 11016, "Duplicate quote IDs provided";
    BatchTooLarge = 11017, "Max batch size exceeded";
    KeysetUnknown = 12001, "Keyset is not known";
    KeysetInactive = 12002, "Keyset is inactive, cannot sign messages";
    KeysetExpired = 12003, "Keyset has expired";
    QuoteUnpaid = 20001, "Quote request is not paid";
    QuoteIssued = 20002, "Quote has already been issued";
    MintingDisabled = 20003, "Minting is disabled";
    PaymentFailed = 20004, "Lightning payment failed";
    QuotePending = 20005, "Quote is pending";
    InvoicePaid = 20006, "Invoice already paid";
    QuoteExpired = 20007, "Quote is expired";
    QuoteSignatureInvalid = 20008, "Signature for mint request invalid";
    QuoteKeyRequired = 20009, "Pubkey required for mint quote";
    ClearAuthRequired = 30001, "Endpoint requires clear auth";
    ClearAuthFailed = 30002, "Clear authentication failed";
    BlindAuthRequired = 31001, "Endpoint requires blind auth";
    BlindAuthFailed = 31002, "Blind authentication failed";
    BlindAuthTooMany = 31003, "Maximum BAT mint amount exceeded";
    BlindAuthRateLimited = 31004, "BAT mint rate limit exceeded";
}

impl ErrorCode {
    /// The error of a number.
    #[must_use]
    pub fn from_number(number: u32) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.number() == number)
    }
}

/// The body of a refusal, under HTTP status 400.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorBody {
    /// In words.
    pub detail: String,
    /// The number; peers send 0 for what the list does not know.
    #[serde(default)]
    pub code: u32,
}

impl ErrorBody {
    /// The body of `code`, with words of one's own.
    #[must_use]
    pub fn new(code: ErrorCode, detail: impl Into<String>) -> Self {
        Self { detail: detail.into(), code: code.number() }
    }

    /// The error, if the list knows it.
    #[must_use]
    pub fn known(&self) -> Option<ErrorCode> {
        ErrorCode::from_number(self.code)
    }
}
