//! What a record of the log carries: one batch of commands, in a versioned borsh encoding.

use borsh::{BorshDeserialize, BorshSerialize};
use std::io;
use yufu_base::{Digest, Stamp, StateMachine};

/// The version of the encoding of [`Batch`], the first byte of every payload.
pub const BATCH_FORMAT: u8 = 1;

/// The commands ordered by one record. Its payload is [`BATCH_FORMAT`] as one byte, then
/// the borsh encoding of these fields in this order.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Batch<C> {
    /// The [`StateMachine::VERSION`] whose rules apply to it.
    pub machine_version: u16,
    /// The stamp of all its commands.
    pub stamp: Stamp,
    /// [`outcomes_digest`] of the record before, [`Digest::ZERO`] in the first record. So the
    /// chain commits to commands and, one record later, to what they came to.
    pub previous_outcomes: Digest,
    /// The commands, in order.
    pub commands: Vec<C>,
}

/// Why a payload is not a batch this build can apply.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BatchError {
    /// The encoding is not one this build knows.
    #[error("the batch is in format {found:?}, this build knows {BATCH_FORMAT}: use a newer build")]
    Format {
        /// The first byte, if there is one.
        found: Option<u8>,
    },
    /// The rules are not the ones this build runs.
    #[error("the batch is for machine version {found}, this build runs {known}: use that build")]
    MachineVersion {
        /// The batch's version.
        found: u16,
        /// [`StateMachine::VERSION`].
        known: u16,
    },
    /// The bytes do not decode.
    #[error("the batch does not decode: {0}; the writer and this build disagree on its form")]
    Malformed(String),
}

/// Decodes the payload of a record, for the machine `M`.
///
/// # Errors
/// [`BatchError`], the format before the machine version before the commands.
pub fn decode_batch<M: StateMachine>(payload: &[u8]) -> Result<Batch<M::Command>, BatchError> {
    let malformed = |error: io::Error| BatchError::Malformed(error.to_string());
    let Some((&BATCH_FORMAT, mut rest)) = payload.split_first() else {
        return Err(BatchError::Format { found: payload.first().copied() });
    };
    let found = u16::deserialize(&mut rest).map_err(malformed)?;
    if found != M::VERSION {
        return Err(BatchError::MachineVersion { found, known: M::VERSION });
    }
    let (stamp, previous_outcomes, commands) = borsh::from_slice(rest).map_err(malformed)?;
    Ok(Batch { machine_version: found, stamp, previous_outcomes, commands })
}

/// Encodes a batch whose commands are encoded already: `commands` are `count` borsh
/// encodings, one after another.
pub(crate) fn encode_batch(
    machine_version: u16,
    stamp: Stamp,
    previous_outcomes: Digest,
    count: u32,
    commands: &[u8],
) -> Vec<u8> {
    let mut payload = Vec::with_capacity(commands.len().saturating_add(HEADER));
    payload.push(BATCH_FORMAT);
    payload.extend(machine_version.to_le_bytes());
    payload.extend(stamp.at.millis().to_le_bytes());
    payload.extend(previous_outcomes.0);
    payload.extend(count.to_le_bytes());
    payload.extend(commands);
    payload
}

/// Bytes of a payload before its commands.
pub(crate) const HEADER: usize = 1 + 2 + 8 + 32 + 4;

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{Add, Counter};
    use proptest::prelude::*;
    use yufu_base::Timestamp;

    #[test]
    fn the_encodings_are_the_ones_written_down() {
        let stamp = Stamp { at: Timestamp::from_millis(0x0102) };
        let commands = borsh::to_vec(&Add(9)).unwrap();
        let payload = encode_batch(3, stamp, Digest([0xaa; 32]), 1, &commands);
        let mut expected = vec![1, 3, 0, 2, 1, 0, 0, 0, 0, 0, 0];
        expected.extend([0xaa; 32]);
        expected.extend([1, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(payload, expected);
        let outcomes = [1, 0, 0, 0, 1, 9, 0, 0, 0, 0, 0, 0, 0];
        let digest = Digest::derive("yufu.outcomes.v1", &outcomes);
        assert_eq!(outcomes_digest(&[Some(9_u64)]), digest);
    }

    #[test]
    fn each_way_a_payload_is_no_batch_has_its_own_answer() {
        let decode = decode_batch::<Counter>;
        assert_eq!(decode(&[]), Err(BatchError::Format { found: None }));
        assert_eq!(decode(&[2, 1, 0]), Err(BatchError::Format { found: Some(2) }));
        let other = BatchError::MachineVersion { found: 7, known: Counter::VERSION };
        assert_eq!(decode(&[1, 7, 0]), Err(other));
        let stamp = Stamp { at: Timestamp::from_millis(5) };
        let mut payload = encode_batch(Counter::VERSION, stamp, Digest::ZERO, 0, &[]);
        assert_eq!(payload.len(), HEADER);
        assert_eq!(decode(&payload).unwrap().stamp, stamp);
        payload.push(0);
        assert!(matches!(decode(&payload), Err(BatchError::Malformed(_))));
    }

    proptest! {
        #[test]
        fn encoding_piecewise_is_borsh_of_the_whole(
            millis: u64, previous: [u8; 32], numbers in proptest::collection::vec(any::<u64>(), 0..20),
        ) {
            let commands: Vec<Add> = numbers.into_iter().map(Add).collect();
            let batch = Batch {
                machine_version: Counter::VERSION,
                stamp: Stamp { at: Timestamp::from_millis(millis) },
                previous_outcomes: Digest(previous),
                commands,
            };
            let encoded: Vec<u8> = batch.commands.iter().flat_map(|c| borsh::to_vec(c).unwrap()).collect();
            let count = u32::try_from(batch.commands.len()).unwrap();
            let payload = encode_batch(
                batch.machine_version, batch.stamp, batch.previous_outcomes, count, &encoded,
            );
            let mut whole = vec![BATCH_FORMAT];
            borsh::to_writer(&mut whole, &batch).unwrap();
            prop_assert_eq!(&payload, &whole);
            prop_assert_eq!(decode_batch::<Counter>(&payload).unwrap(), batch);
        }
    }
}
