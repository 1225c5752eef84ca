//! What commands came to, as later records commit to it: a digest of each record's outcomes, and a running one
//! over all of them, so that a record may be written before those just before it are applied.

use borsh::{BorshDeserialize, BorshSerialize};
use std::collections::VecDeque;
use yufu_base::Digest;
use yufu_log::Seq;

/// How many records a record's commitment may lag behind the one before it.
pub const OUTCOMES_LAG: u64 = 16;

/// What a record's outcomes are committed to by: BLAKE3 in derive-key mode, context
/// `yufu.outcomes.v1`, over the borsh encoding of the list.
#[must_use]
pub fn outcomes_digest<O: BorshSerialize>(outcomes: &[O]) -> Digest {
    let mut hasher = blake3::Hasher::new_derive_key("yufu.outcomes.v1");
    #[expect(
        clippy::expect_used,
        reason = "INVARIANT: a hasher takes every write, and outcomes are as few as the commands of a batch"
    )]
    borsh::to_writer(&mut hasher, outcomes).expect("outcomes have a borsh encoding");
    Digest(hasher.finalize().into())
}

/// The running digest after one more record whose [`outcomes_digest`] is `of_record`: BLAKE3 in derive-key mode,
/// context `yufu.outcomes.v2`, over both. It begins with [`Digest::ZERO`].
#[must_use]
pub fn running_digest(before: Digest, of_record: Digest) -> Digest {
    let mut hasher = blake3::Hasher::new_derive_key("yufu.outcomes.v2");
    hasher.update(&before.0);
    hasher.update(&of_record.0);
    Digest(hasher.finalize().into())
}

/// What a writer knows once a record is applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Point {
    /// The running digest of all outcomes through it.
    pub running: Digest,
    /// The machine version in force after it.
    pub version: u16,
}

/// The points of the newest records applied: those that the next record may commit to.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Trail {
    newest: u64,
    /// [`outcomes_digest`] of the newest record, [`Digest::ZERO`] before the first.
    last: Digest,
    /// Oldest first; the last is the newest record's.
    recent: VecDeque<Point>,
}

impl Trail {
    /// Before the first record, with a machine of `version`.
    #[must_use]
    pub fn new(version: u16) -> Self {
        let start = Point { running: Digest::ZERO, version };
        Self { newest: 0, last: Digest::ZERO, recent: [start].into() }
    }

    /// One more record is applied: the digest of its outcomes, and the version in force after it.
    pub fn push(&mut self, of_record: Digest, version: u16) {
        let running = running_digest(self.newest().1.running, of_record);
        self.newest = self.newest.saturating_add(1);
        self.last = of_record;
        self.recent.push_back(Point { running, version });
        if u64::try_from(self.recent.len()).is_ok_and(|held| held > OUTCOMES_LAG.saturating_add(1))
        {
            self.recent.pop_front();
        }
    }

    /// The newest record applied, and its point.
    #[must_use]
    pub fn newest(&self) -> (Seq, Point) {
        let start = Point { running: Digest::ZERO, version: 0 };
        (Seq::new(self.newest), self.recent.back().copied().unwrap_or(start))
    }

    /// [`outcomes_digest`] of the newest record.
    #[must_use]
    pub const fn last(&self) -> Digest {
        self.last
    }

    /// The point of record `seq`, unless it is too old or not applied.
    #[must_use]
    pub fn at(&self, seq: Seq) -> Option<Point> {
        let back = usize::try_from(self.newest.checked_sub(seq.get())?).ok()?;
        self.recent.iter().nth_back(back).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_the_ones_written_down() {
        let outcomes = [1, 0, 0, 0, 1, 9, 0, 0, 0, 0, 0, 0, 0];
        let first = Digest::derive("yufu.outcomes.v1", &outcomes);
        assert_eq!(outcomes_digest(&[Some(9_u64)]), first);
        let running = Digest::derive("yufu.outcomes.v2", &[[0; 32], first.0].concat());
        assert_eq!(running_digest(Digest::ZERO, first), running);
    }

    #[test]
    fn a_trail_knows_the_newest_points_and_no_others() {
        let mut trail = Trail::new(1);
        let mut running = vec![Digest::ZERO];
        for number in 0..40_u8 {
            let of_record = Digest([number; 32]);
            trail.push(of_record, u16::from(number));
            running.push(running_digest(running[usize::from(number)], of_record));
            assert_eq!(trail.last(), of_record);
        }
        assert_eq!(trail.newest(), (Seq::new(40), Point { running: running[40], version: 39 }));
        for (seq, digest) in running.iter().enumerate() {
            let known = seq >= 24;
            let point = trail.at(Seq::new(seq.try_into().unwrap()));
            assert_eq!(point.map(|point| point.running), known.then_some(*digest), "{seq}");
        }
        assert_eq!(trail.at(Seq::new(41)), None);
    }
}
