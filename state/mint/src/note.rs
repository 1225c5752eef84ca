//! Notes and outputs as the log carries them: points by their bytes.

use crate::keyset::KeysetNumber;
use borsh::{BorshDeserialize, BorshSerialize};
use std::collections::BTreeSet;

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

/// What is kept of points: 16 bytes of each. Two different ones agree in them by chance once in 2^128; who seeks two of
/// his own that do (2^64 hashes) makes the second worthless to himself.
#[derive(Clone, Debug, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(crate) struct Marks(BTreeSet<[u8; 16]>);

impl Marks {
    pub(crate) fn contains(&self, point: &Point) -> bool {
        self.0.contains(&mark(point))
    }

    pub(crate) fn insert(&mut self, point: &Point) {
        self.0.insert(mark(point));
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}

/// The last bytes: the first says little more than the sign of the other coordinate, and points that differ in it alone
/// are each other's negative, which no one secret hashes to.
fn mark(Point(bytes): &Point) -> [u8; 16] {
    bytes.last_chunk().copied().unwrap_or_default()
}
