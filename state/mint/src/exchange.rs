//! Notes in, outputs out: one check for withdrawals, swaps and redemptions alike, of one bank or of several.

use crate::keyset::{Keyset, KeysetNumber, Payees};
use crate::mint::Mint;
use crate::note::{Input, Output, Point};
use borsh::{BorshDeserialize, BorshSerialize};
use std::collections::{BTreeMap, BTreeSet};
use yufu_base::Timestamp;

/// Why notes are not taken or outputs not promised. The order of the variants is the precedence; within a variant the
/// first input or output, by its place from 0, is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error, BorshSerialize, BorshDeserialize)]
pub enum NoteError {
    /// Nothing would be done.
    #[error("there are neither notes nor outputs")]
    Nothing,
    /// More than one command may have.
    #[error("{0} notes or outputs are too many for one command: at most {MOST_NOTES} each")]
    TooMany(u32),
    /// No keyset has the number, or it is over.
    #[error("there is no keyset {}, or it has expired: its notes are not redeemed any more", .0.0)]
    KeysetUnknown(KeysetNumber),
    /// Outputs are wanted of a keyset that signs nothing any more.
    #[error("keyset {} signs nothing any more: ask for outputs of an active one", .0.0)]
    KeysetInactive(KeysetNumber),
    /// An amount is none of the keyset's denominations.
    #[error("{amount} is no denomination of keyset {}", .keyset.0)]
    Denomination {
        /// The keyset.
        keyset: KeysetNumber,
        /// The amount, in minor units.
        amount: u64,
    },
    /// Notes for registered payees alone would become such that anyone may be paid with.
    #[error(
        "output {place} may be paid to anyone, and a note for it to registered payees alone: ask for outputs of a keyset for these"
    )]
    Payees {
        /// The place of the output.
        place: u32,
    },
    /// A note stands there twice.
    #[error("note {place} stands in the command twice")]
    InputRepeated {
        /// Its second place.
        place: u32,
    },
    /// An output stands there twice.
    #[error("output {place} stands in the command twice")]
    OutputRepeated {
        /// Its second place.
        place: u32,
    },
    /// A note was spent before.
    #[error("note {place} was spent before")]
    Spent {
        /// Its place.
        place: u32,
    },
    /// An output was promised before: signing it again would give the same note.
    #[error("output {place} was promised before: blind a new secret")]
    Promised {
        /// Its place.
        place: u32,
    },
    /// More would have been redeemed of a keyset than was issued: its keys are in other hands.
    #[error("more would be redeemed of keyset {} than was issued: its keys are in other hands", .0.0)]
    BeyondIssued(KeysetNumber),
    /// What was issued would not fit 64 bits.
    #[error("what keyset {} has issued would pass 2^64 minor units", .0.0)]
    OutOfRange(KeysetNumber),
}

impl NoteError {
    /// The stable code of the rule, in words.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Nothing => "notes.nothing",
            Self::TooMany(_) => "notes.too_many",
            Self::KeysetUnknown(_) => "notes.keyset_unknown",
            Self::KeysetInactive(_) => "notes.keyset_inactive",
            Self::Denomination { .. } => "notes.denomination",
            Self::Payees { .. } => "notes.payees",
            Self::InputRepeated { .. } => "notes.input_repeated",
            Self::OutputRepeated { .. } => "notes.output_repeated",
            Self::Spent { .. } => "notes.spent",
            Self::Promised { .. } => "notes.promised",
            Self::BeyondIssued(_) => "notes.beyond_issued",
            Self::OutOfRange(_) => "notes.out_of_range",
        }
    }
}

/// The most notes a command spends, and the most outputs it asks for.
pub const MOST_NOTES: usize = 1_000;

/// What a bank gives and takes in an exchange, in minor units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Share {
    /// Of its notes redeemed.
    pub redeemed: u128,
    /// Of its outputs promised.
    pub issued: u128,
    /// What it keeps for its notes: the sum of the notes' fees, rounded up once (NUT-02).
    pub fee: u64,
}

/// An exchange that every rule of the mint has admitted, good for the state it was checked against.
#[derive(Debug)]
#[must_use = "what was checked changes nothing until it is committed"]
pub struct Checked<'a> {
    pub(crate) inputs: &'a [Input],
    pub(crate) outputs: &'a [Output],
    shares: BTreeMap<u32, Share>,
    /// Whether a note is in it that registered payees alone may be paid with.
    registered_payees: bool,
}

impl Checked<'_> {
    /// What each bank gives and takes, by the numbers of the banks.
    #[must_use]
    pub const fn shares(&self) -> &BTreeMap<u32, Share> {
        &self.shares
    }

    /// What is left of the notes after fees and outputs, in minor units: what an account is to get; below 0, what
    /// one is to pay; 0 if it comes out even.
    #[must_use]
    pub fn left(&self) -> i128 {
        let sum = |of: fn(&Share) -> u128| {
            let sum = self.shares.values().map(of).fold(0, u128::saturating_add);
            i128::try_from(sum).unwrap_or(i128::MAX)
        };
        let given = sum(|share| share.issued.saturating_add(u128::from(share.fee)));
        sum(|share| share.redeemed).saturating_sub(given)
    }

    /// Whether only a registered payee may be paid what is left.
    #[must_use]
    pub const fn is_for_registered_payees(&self) -> bool {
        self.registered_payees
    }
}

impl Mint {
    /// Checks that notes may be spent and outputs be promised at `now`, together.
    ///
    /// # Errors
    /// [`NoteError`], the first in the order of its variants.
    pub fn check<'a>(
        &self,
        inputs: &'a [Input],
        outputs: &'a [Output],
        now: Timestamp,
    ) -> Result<Checked<'a>, NoteError> {
        if inputs.is_empty() && outputs.is_empty() {
            return Err(NoteError::Nothing);
        }
        let most = inputs.len().max(outputs.len());
        if most > MOST_NOTES {
            return Err(NoteError::TooMany(u32::try_from(most).unwrap_or(u32::MAX)));
        }
        let known = |number: KeysetNumber| {
            let keyset = self.keyset(number);
            let valid = keyset.filter(|keyset| keyset.terms.final_expiry > now);
            valid.ok_or(NoteError::KeysetUnknown(number))
        };
        let spent: Vec<(&Input, &Keyset)> =
            inputs.iter().map(|one| Ok((one, known(one.keyset)?))).collect::<Result<_, _>>()?;
        let wanted: Vec<(&Output, &Keyset)> =
            outputs.iter().map(|one| Ok((one, known(one.keyset)?))).collect::<Result<_, _>>()?;
        if let Some((output, _)) = wanted.iter().find(|(_, keyset)| !keyset.active) {
            return Err(NoteError::KeysetInactive(output.keyset));
        }
        let amounts = spent.iter().map(|(one, keyset)| (one.keyset, one.amount, *keyset));
        let all = amounts.chain(wanted.iter().map(|(one, of)| (one.keyset, one.amount, *of)));
        for (keyset, amount, of) in all {
            if !of.terms.is_denomination(amount) {
                return Err(NoteError::Denomination { keyset, amount });
            }
        }
        let bound = |of: &Keyset| of.terms.payees == Payees::Registered;
        let registered_payees = spent.iter().any(|(_, of)| bound(of));
        if let Some(place) = first(&wanted, |(_, of)| registered_payees && !bound(of)) {
            return Err(NoteError::Payees { place });
        }
        if let Some(place) = repeated(inputs.iter().map(|one| (one.keyset, one.point))) {
            return Err(NoteError::InputRepeated { place });
        }
        if let Some(place) = repeated(outputs.iter().map(|one| (one.keyset, one.blinded))) {
            return Err(NoteError::OutputRepeated { place });
        }
        if let Some(place) = first(&spent, |(one, of)| of.spent.contains(&one.point)) {
            return Err(NoteError::Spent { place });
        }
        if let Some(place) = first(&wanted, |(one, of)| of.promised.contains(&one.blinded)) {
            return Err(NoteError::Promised { place });
        }
        within_issued(&spent)?;
        within_range(&wanted)?;
        Ok(Checked { inputs, outputs, shares: shares(&spent, &wanted), registered_payees })
    }
}

/// Where something stands for the second time.
fn repeated(points: impl ExactSizeIterator<Item = (KeysetNumber, Point)>) -> Option<u32> {
    if points.len() < 2 {
        return None;
    }
    let mut seen = BTreeSet::new();
    (0..).zip(points).find(|(_, point)| !seen.insert(*point)).map(|(place, _)| place)
}

fn first<T>(all: &[T], is: impl Fn(&T) -> bool) -> Option<u32> {
    (0..).zip(all).find(|(_, one)| is(one)).map(|(place, _)| place)
}

/// No keyset redeems more than it issued before this.
fn within_issued(spent: &[(&Input, &Keyset)]) -> Result<(), NoteError> {
    let mut left: BTreeMap<KeysetNumber, u64> = BTreeMap::new();
    for (input, keyset) in spent {
        let left = left.entry(input.keyset).or_insert_with(|| keyset.outstanding());
        *left = left.checked_sub(input.amount).ok_or(NoteError::BeyondIssued(input.keyset))?;
    }
    Ok(())
}

fn within_range(wanted: &[(&Output, &Keyset)]) -> Result<(), NoteError> {
    let mut issued: BTreeMap<KeysetNumber, u64> = BTreeMap::new();
    for (output, keyset) in wanted {
        let sum = issued.entry(output.keyset).or_insert(keyset.issued);
        *sum = sum.checked_add(output.amount).ok_or(NoteError::OutOfRange(output.keyset))?;
    }
    Ok(())
}

/// Sums of 64-bit amounts, of which no command holds 2^64: they fit.
fn shares(spent: &[(&Input, &Keyset)], wanted: &[(&Output, &Keyset)]) -> BTreeMap<u32, Share> {
    let mut shares: BTreeMap<u32, Share> = BTreeMap::new();
    let mut parts: BTreeMap<u32, u64> = BTreeMap::new();
    for (input, keyset) in spent {
        let share = shares.entry(keyset.owner).or_default();
        share.redeemed = share.redeemed.saturating_add(u128::from(input.amount));
        let parts = parts.entry(keyset.owner).or_default();
        *parts = parts.saturating_add(u64::from(keyset.terms.input_fee_ppk));
    }
    for (output, keyset) in wanted {
        let share = shares.entry(keyset.owner).or_default();
        share.issued = share.issued.saturating_add(u128::from(output.amount));
    }
    for (owner, parts) in parts {
        shares.entry(owner).or_default().fee = parts.div_ceil(1000);
    }
    shares
}
