//! Notes and outputs as the log carries them: points by their bytes.

use crate::keyset::KeysetNumber;
use crate::marks::Marks;
use borsh::{BorshDeserialize, BorshSerialize};

/// A point of the curve in its compressed form, by its bytes alone: that it lies on the curve has been verified by
/// whoever ordered the command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, BorshSerialize, BorshDeserialize)]
pub struct Point(pub [u8; 33]);

/// A note that is spent. Its signature is verified before the command is ordered, and not in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Input {
    /// The keyset that signed it.
    pub keyset: KeysetNumber,
    /// What it is worth, in minor units: a denomination of the keyset.
    pub amount: u64,
    /// The point that its secret hashes to (`Y`, NUT-00).
    pub point: Point,
}

/// An output that the mint is to sign once the command is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Output {
    /// The keyset that is to sign it.
    pub keyset: KeysetNumber,
    /// What it is to be worth, in minor units: a denomination of the keyset.
    pub amount: u64,
    /// The blinded message (`B_`, NUT-00).
    pub blinded: Point,
}

/// What is kept of spent notes: 16 bytes of each. Two different ones agree in them by chance once in 2^128; who seeks two
/// of his own that do (2^64 hashes) makes the second worthless to himself.
#[derive(Clone, Debug, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(crate) struct Spent(Marks<16, ()>);

impl Spent {
    pub(crate) fn contains(&self, point: &Point) -> bool {
        self.0.get(&mark(point)).is_some()
    }

    pub(crate) fn insert(&mut self, point: &Point) {
        self.0.insert(mark(point), ());
    }

    pub(crate) const fn len(&self) -> usize {
        self.0.len()
    }
}

/// What is kept of promised outputs: 24 bytes of each, and the exponent of its amount. Whoever asks again for a signature is
/// answered from here, so two of one owner that agree would be two notes for one: to find them takes 2^96 points.
#[derive(Clone, Debug, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(crate) struct Promised(Marks<24, u8>);

impl Promised {
    pub(crate) fn contains(&self, blinded: &Point) -> bool {
        self.0.get(&mark(blinded)).is_some()
    }

    pub(crate) fn insert(&mut self, output: &Output) {
        let exponent = u8::try_from(output.amount.trailing_zeros()).unwrap_or(u8::MAX);
        self.0.insert(mark(&output.blinded), exponent);
    }

    pub(crate) fn amount(&self, blinded: &Point) -> Option<u64> {
        let exponent = self.0.get(&mark(blinded)).copied()?;
        1_u64.checked_shl(exponent.into())
    }

    pub(crate) const fn len(&self) -> usize {
        self.0.len()
    }
}

/// The last bytes: the first says little more than the sign of the other coordinate, and points that differ in it alone
/// are each other's negative, which no one secret hashes to.
fn mark<const N: usize>(Point(bytes): &Point) -> [u8; N] {
    bytes.last_chunk().copied().unwrap_or([0; N])
}
