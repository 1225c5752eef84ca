//! Keysets: the terms they are registered with, and what is out of each.

use crate::note::{Point, Promised, Spent};
use borsh::{BorshDeserialize, BorshSerialize};
use std::io;
use yufu_base::{Digest, Timestamp};

/// What a keyset is known by in the log, counted from 0 over all banks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, BorshSerialize, BorshDeserialize)]
pub struct KeysetNumber(pub u32);

/// Who may be paid with its notes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum Payees {
    /// Whoever has an account.
    Anyone,
    /// Registered payees alone.
    Registered,
}

/// What a keyset is registered with, for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct KeysetTerms {
    /// How many denominations it has: 1, 2, 4, ... minor units. 1 to 64.
    pub denominations: u8,
    /// The fee of spending a note, in parts per thousand of a minor unit (NUT-02). At most 1,000,000.
    pub input_fee_ppk: u32,
    /// From when on its notes are not redeemed any more.
    pub final_expiry: Timestamp,
    /// Who may be paid with its notes.
    pub payees: Payees,
}

/// Why a keyset is not registered, or not changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error, BorshSerialize, BorshDeserialize)]
pub enum KeysetError {
    /// No keyset has the number.
    #[error("there is no keyset {}: register it first", .0.0)]
    Unknown(KeysetNumber),
    /// It is another bank's.
    #[error("keyset {} is another bank's", .0.0)]
    NotOwned(KeysetNumber),
    /// Its keys are registered.
    #[error("these keys are registered as keyset {} already", .0.0)]
    Registered(KeysetNumber),
    /// Too few denominations, or too many.
    #[error("a keyset has 1 to 64 denominations")]
    Denominations,
    /// A fee beyond all reason.
    #[error("the fee of a note is at most 1,000,000 parts per thousand of a minor unit")]
    Fee,
    /// It would be over before it began.
    #[error("the keyset's final expiry has passed: choose a later one")]
    Expired,
    /// It signs nothing any more.
    #[error("keyset {} signs nothing any more already", .0.0)]
    Inactive(KeysetNumber),
    /// It is not over yet.
    #[error("keyset {} is not over yet: its notes are redeemed until its final expiry", .0.0)]
    NotOver(KeysetNumber),
    /// 2^32 keysets are registered.
    #[error("no more keysets can be registered in this ledger")]
    Full,
}

impl KeysetError {
    /// The stable code of the rule, in words.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Unknown(_) => "keyset.unknown",
            Self::NotOwned(_) => "keyset.other_bank",
            Self::Registered(_) => "keyset.registered",
            Self::Denominations => "keyset.denominations",
            Self::Fee => "keyset.fee",
            Self::Expired => "keyset.expired",
            Self::Inactive(_) => "keyset.inactive",
            Self::NotOver(_) => "keyset.not_over",
            Self::Full => "keyset.full",
        }
    }
}

impl KeysetTerms {
    /// The greatest fee of a note, in parts per thousand.
    const MOST_FEE: u32 = 1_000_000;

    pub(crate) fn check(&self, now: Timestamp) -> Result<(), KeysetError> {
        match self {
            Self { denominations: 0 | 65.., .. } => Err(KeysetError::Denominations),
            Self { input_fee_ppk, .. } if *input_fee_ppk > Self::MOST_FEE => Err(KeysetError::Fee),
            Self { final_expiry, .. } if *final_expiry <= now => Err(KeysetError::Expired),
            _ => Ok(()),
        }
    }

    /// Whether an amount is one of its denominations.
    #[must_use]
    pub const fn is_denomination(&self, amount: u64) -> bool {
        amount.is_power_of_two() && amount.trailing_zeros() < self.denominations as u32
    }
}

/// A keyset and what is out of it.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize)]
pub struct Keyset {
    /// The bank whose it is, by the number that the caller knows it by.
    pub owner: u32,
    /// The digest of its id and public keys.
    pub keys: Digest,
    /// What it was registered with.
    pub terms: KeysetTerms,
    /// Whether outputs are signed with it.
    pub active: bool,
    /// What it has signed for, in minor units.
    pub issued: u64,
    /// What of that came back, in minor units; never more.
    pub redeemed: u64,
    pub(crate) spent: Spent,
    pub(crate) promised: Promised,
}

impl Keyset {
    pub(crate) fn new(owner: u32, keys: Digest, terms: KeysetTerms) -> Self {
        let (spent, promised) = (Spent::default(), Promised::default());
        Self { owner, keys, terms, active: true, issued: 0, redeemed: 0, spent, promised }
    }

    /// What is out in its notes, in minor units.
    #[must_use]
    pub const fn outstanding(&self) -> u64 {
        self.issued.saturating_sub(self.redeemed)
    }

    /// How many notes of it were spent: a measure of how many hide each other.
    #[must_use]
    pub fn spent_notes(&self) -> usize {
        self.spent.len()
    }

    /// How many outputs were promised.
    #[must_use]
    pub fn promised_outputs(&self) -> usize {
        self.promised.len()
    }

    /// How many notes are out: each output that was promised and has not come back as a note.
    #[must_use]
    pub fn notes_out(&self) -> usize {
        self.promised.len().saturating_sub(self.spent.len())
    }

    /// Whether a note was spent.
    #[must_use]
    pub fn is_spent(&self, point: &Point) -> bool {
        self.spent.contains(point)
    }

    /// What an output was promised to be worth, in minor units; `None` if it was not promised.
    #[must_use]
    pub fn promised(&self, blinded: &Point) -> Option<u64> {
        self.promised.amount(blinded)
    }
}

// Refuses what no mint wrote: more redeemed than issued.
impl BorshDeserialize for Keyset {
    fn deserialize_reader<R: io::Read>(reader: &mut R) -> io::Result<Self> {
        let (owner, keys, terms, active) = BorshDeserialize::deserialize_reader(reader)?;
        let (issued, redeemed) = <(u64, u64)>::deserialize_reader(reader)?;
        let (spent, promised) = BorshDeserialize::deserialize_reader(reader)?;
        if redeemed > issued {
            let what = "a keyset redeemed more than it issued";
            return Err(io::Error::new(io::ErrorKind::InvalidData, what));
        }
        Ok(Self { owner, keys, terms, active, issued, redeemed, spent, promised })
    }
}
