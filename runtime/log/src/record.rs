//! What the log holds: numbered records, each chained to all before it.

use std::fmt;
use yufu_base::Digest;

/// The number of a record. The first is 1; 0 stands for the log before its first record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Seq(u64);

impl Seq {
    /// Before the first record.
    pub const ZERO: Self = Self(0);
    /// The first record.
    pub const FIRST: Self = Self(1);

    /// From a plain number.
    #[must_use]
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// As a plain number.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The one after. Saturates, which no log lives to see.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl fmt::Display for Seq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The term of one writer. Sealing a higher epoch fences every writer of a lower one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Epoch(u64);

impl Epoch {
    /// No writer yet: the epoch of a log that was never sealed. Nobody can write in it.
    pub const NONE: Self = Self(0);

    /// From a plain number.
    #[must_use]
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// As a plain number.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The one after. Saturates, which no log lives to see.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A position in the log together with what commits to everything up to it.
/// Two logs with the same head hold the same records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Head {
    /// The newest record, [`Seq::ZERO`] for an empty log.
    pub seq: Seq,
    /// Its chain value, [`Digest::ZERO`] for an empty log.
    pub chain: Digest,
}

impl Head {
    /// The head of an empty log.
    pub const EMPTY: Self = Self { seq: Seq::ZERO, chain: Digest::ZERO };

    /// The head after one more record of `epoch` with `payload`: its chain value is
    /// BLAKE3 in derive-key mode, context `yufu.log.v1`, over
    /// `previous chain (32) || seq (8) || epoch (8) || payload length (8) || payload`,
    /// integers little-endian.
    #[must_use]
    pub fn extend(self, epoch: Epoch, payload: &[u8]) -> Self {
        let seq = self.seq.next();
        let length = u64::try_from(payload.len()).unwrap_or(u64::MAX);
        let mut hasher = blake3::Hasher::new_derive_key("yufu.log.v1");
        hasher.update(&self.chain.0);
        hasher.update(&seq.get().to_le_bytes());
        hasher.update(&epoch.get().to_le_bytes());
        hasher.update(&length.to_le_bytes());
        hasher.update(payload);
        Self { seq, chain: Digest(hasher.finalize().into()) }
    }
}

/// One durable entry: a batch of commands, opaque to the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its number.
    pub seq: Seq,
    /// The epoch of the writer that appended it.
    pub epoch: Epoch,
    /// What was appended.
    pub payload: Vec<u8>,
    /// The chain value: see [`Head::extend`].
    pub chain: Digest,
}

impl Record {
    /// The head of the log whose newest record this is.
    #[must_use]
    pub const fn head(&self) -> Head {
        Head { seq: self.seq, chain: self.chain }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_chain_is_the_one_written_down() {
        // Computed apart, by the formula in the documentation of `extend`.
        let mut bytes = vec![0_u8; 32];
        bytes.extend([1, 0, 0, 0, 0, 0, 0, 0]);
        bytes.extend([7, 0, 0, 0, 0, 0, 0, 0]);
        bytes.extend([5, 0, 0, 0, 0, 0, 0, 0]);
        bytes.extend(b"hello");
        let head = Head::EMPTY.extend(Epoch::new(7), b"hello");
        assert_eq!(head, Head { seq: Seq::FIRST, chain: Digest::derive("yufu.log.v1", &bytes) });
        assert_eq!(
            head.chain.to_string(),
            "139e8eb5d6dcfafae684529b6eec6eea95668283902acfe9273a3425d99b6b4b"
        );
    }

    proptest! {
        #[test]
        fn every_part_of_a_record_moves_the_chain(
            chain: [u8; 32], seq in 0..u64::MAX - 1, epoch: u64, payload: Vec<u8>, flip: proptest::sample::Index,
        ) {
            let before = Head { seq: Seq::new(seq), chain: Digest(chain) };
            let head = before.extend(Epoch::new(epoch), &payload);
            let mut other = payload.clone();
            other.push(0);
            prop_assert_ne!(head.chain, before.extend(Epoch::new(epoch), &other).chain);
            prop_assert_ne!(head.chain, before.extend(Epoch::new(epoch ^ 1), &payload).chain);
            let moved = Head { seq: before.seq.next(), ..before };
            prop_assert_ne!(head.chain, moved.extend(Epoch::new(epoch), &payload).chain);
            let mut otherwise = chain;
            otherwise[flip.index(32)] ^= 1;
            let past = Head { chain: Digest(otherwise), ..before };
            prop_assert_ne!(head.chain, past.extend(Epoch::new(epoch), &payload).chain);
        }
    }
}
