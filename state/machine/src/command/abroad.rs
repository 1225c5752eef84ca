//! What goes from one ledger to another: what the payer's bank orders, what the one ledger says to
//! the other about it, and what that came to.

use super::Authorisation;
use borsh::{BorshDeserialize, BorshSerialize};
use std::fmt;
use yufu_base::{AccountId, Amount, Digest, InstitutionId, Timestamp};

/// A payment to a wallet of another ledger, as the payer's bank orders it.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Sending {
    /// From this wallet, operated by the submitter.
    pub payer: AccountId,
    /// To this ledger.
    pub peer: InstitutionId,
    /// To this wallet there.
    pub payee: AccountId,
    /// How much leaves here, in this ledger's currency.
    pub amount: Amount,
    /// How much arrives there, in the peer's.
    pub foreign: Amount,
    /// The bank that takes the one here and gives the other there.
    pub correspondent: InstitutionId,
    /// From when on, by the peer's clock, it no longer arrives, and comes back.
    pub expires: Timestamp,
    /// Commitment to the order the payer's wallet signed, both amounts in it.
    pub order: Digest,
    /// What authorises it.
    pub authorisation: Authorisation,
}

/// What one ledger says to another of a payment that left it. It names no payer.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Transit {
    /// Its place among all that went from the one ledger to the other, from 1 on.
    pub number: u64,
    /// To this wallet.
    pub payee: AccountId,
    /// How much arrives, in the receiving ledger's currency.
    pub amount: Amount,
    /// The bank that is paid for it, by its name in the sending ledger.
    pub from: InstitutionId,
    /// The bank that gives it, by its name in the receiving ledger.
    pub to: InstitutionId,
    /// From when on, by the receiving ledger's clock, it no longer arrives.
    pub expires: Timestamp,
    /// Commitment to the order the payer's wallet signed.
    pub order: Digest,
}

impl Transit {
    /// Its digest: two that are alike have the same.
    #[must_use]
    #[expect(
        clippy::expect_used,
        reason = "INVARIANT: a vector takes every write, and no name has 2^32 bytes"
    )]
    pub fn digest(&self) -> Digest {
        Digest::of(&borsh::to_vec(self).expect("a vector takes every write"))
    }
}

/// What a payment to another ledger came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, BorshSerialize, BorshDeserialize)]
pub enum Resolution {
    /// The payee has it.
    Credited,
    /// It could not arrive, and comes back.
    Returned(ReturnReason),
}

/// Why a payment from another ledger could not arrive: the first that holds, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, BorshSerialize, BorshDeserialize)]
pub enum ReturnReason {
    /// It expired before it came.
    Expired,
    /// Nothing is taken from that ledger now.
    Closed,
    /// The amount is nothing, or of another currency.
    Amount,
    /// The bank that is to give it works with no such bank of that ledger.
    NoCorrespondent,
    /// There is no such wallet.
    PayeeUnknown,
    /// The wallet is closed.
    PayeeClosed,
    /// The bank that is to give it is not ready to give that much, or has not got it.
    CorrespondentShort,
    /// The turnover of the wallet would pass what can be counted.
    OutOfRange,
    /// The wallet, or all of its class at its bank, may not hold that much more.
    PayeeFull,
}

impl Resolution {
    /// Its stable code, in words.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Credited => "credited",
            Self::Returned(reason) => reason.code(),
        }
    }
}

impl ReturnReason {
    /// All of them, in their order.
    pub const ALL: [Self; 9] = [
        Self::Expired,
        Self::Closed,
        Self::Amount,
        Self::NoCorrespondent,
        Self::PayeeUnknown,
        Self::PayeeClosed,
        Self::CorrespondentShort,
        Self::OutOfRange,
        Self::PayeeFull,
    ];

    /// Its stable code, in words.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Expired => "returned.expired",
            Self::Closed => "returned.peer_closed",
            Self::Amount => "returned.amount",
            Self::NoCorrespondent => "returned.no_correspondent",
            Self::PayeeUnknown => "returned.payee_unknown",
            Self::PayeeClosed => "returned.payee_closed",
            Self::CorrespondentShort => "returned.correspondent_short",
            Self::OutOfRange => "returned.out_of_range",
            Self::PayeeFull => "returned.payee_full",
        }
    }
}

impl fmt::Display for ReturnReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Expired => "it expired before it arrived: send it again with more time",
            Self::Closed => "the other ledger takes nothing from here now: send it later",
            Self::Amount => "the amount is none there: name one in the other ledger's currency",
            Self::NoCorrespondent => {
                "the bank there does not work with that bank here: send it through another one"
            }
            Self::PayeeUnknown => "there is no such wallet there: ask the payee for the account id",
            Self::PayeeClosed => "the wallet there is closed: ask the payee for another one",
            Self::CorrespondentShort => {
                "the bank there could not give that much: send less, or through another one"
            }
            Self::OutOfRange => "the wallet there cannot count more: ask the payee for another one",
            Self::PayeeFull => {
                "the wallet there may not hold that much more: send less, or ask for another one"
            }
        })
    }
}
