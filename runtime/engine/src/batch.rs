//! What a record of the log carries: one batch of commands, in a versioned borsh encoding.

use borsh::{BorshDeserialize, BorshSerialize};
use std::io;
use yufu_base::{Digest, Stamp, StateMachine, Timestamp};
use yufu_log::Seq;

/// The version of the encoding that is written, the first byte of every payload. Format 1 is read too.
pub const BATCH_FORMAT: u8 = 2;

/// The commands ordered by one record. Its payload is its format as one byte, then borsh of, in format 2:
/// `machine_version`, `stamp`, what it commits to (`seq`, `digest`), `marked`, `checkpoint`, `commands`; in format 1:
/// `machine_version`, `stamp`, the outcomes' digest, `commands`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch<C> {
    /// What stands before the commands.
    pub header: Header,
    /// The commands, in order.
    pub commands: Vec<C>,
}

/// What stands before a batch's commands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// The [`StateMachine::version`] in force after the record that [`Header::outcomes`] names.
    pub machine_version: u16,
    /// The stamp of all its commands.
    pub stamp: Stamp,
    /// What earlier commands came to. So the chain commits to commands and, a few records later, to outcomes.
    pub outcomes: Commitment,
    /// The state after this record is the one that the next checkpoint is of, if there comes one.
    pub marked: bool,
    /// The state after the newest marked record, as whoever made a snapshot of it found.
    pub checkpoint: Option<Checkpoint>,
}

/// What a record says of the outcomes before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Commitment {
    /// Format 1: [`crate::outcomes_digest`] of the record before, [`Digest::ZERO`] in the first record.
    Before(Digest),
    /// Format 2: [`crate::running_digest`] of all records up to one, which is at most
    /// [`crate::OUTCOMES_LAG`] before the record before.
    Through {
        /// The last record that is covered, [`Seq::ZERO`] for none.
        seq: Seq,
        /// The digest, [`Digest::ZERO`] for none.
        digest: Digest,
    },
}

/// The state after a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// The record.
    pub seq: Seq,
    /// [`StateMachine::state_hash`] after it.
    pub state_root: Digest,
}

/// Why a payload is not a batch this build can apply.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BatchError {
    /// The encoding is not one this build knows.
    #[error(
        "the batch is in format {found:?}, this build knows 1 to {BATCH_FORMAT}: use a newer build"
    )]
    Format {
        /// The first byte, if there is one.
        found: Option<u8>,
    },
    /// The rules are newer than this build.
    #[error(
        "the batch is for machine version {found}, this build knows up to {known}: use a newer build"
    )]
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
    let (format, mut rest) = match payload.split_first() {
        Some((&format @ (1 | BATCH_FORMAT), rest)) => (format, rest),
        other => return Err(BatchError::Format { found: other.map(|(&found, _)| found) }),
    };
    let found = u16::deserialize(&mut rest).map_err(malformed)?;
    if found > M::VERSION {
        return Err(BatchError::MachineVersion { found, known: M::VERSION });
    }
    let mut header = Header {
        machine_version: found,
        stamp: Stamp { at: Timestamp::from_millis(0) },
        outcomes: Commitment::Before(Digest::ZERO),
        marked: false,
        checkpoint: None,
    };
    let commands;
    if format == 1 {
        let previous;
        (header.stamp, previous, commands) = borsh::from_slice(rest).map_err(malformed)?;
        header.outcomes = Commitment::Before(previous);
    } else {
        let (seq, digest);
        (header.stamp, seq, digest, header.marked, header.checkpoint, commands) =
            borsh::from_slice(rest).map_err(malformed)?;
        header.outcomes = Commitment::Through { seq: Seq::new(seq), digest };
    }
    Ok(Batch { header, commands })
}

impl Header {
    /// The most bytes of a payload before its commands.
    pub(crate) const MOST: usize = 1 + 2 + 8 + 8 + 32 + 1 + (1 + 8 + 32) + 4;

    /// The payload of a batch whose commands are encoded already: `commands` are `count` borsh
    /// encodings, one after another.
    pub(crate) fn payload(&self, count: u32, commands: &[u8]) -> Vec<u8> {
        let mut payload = Vec::with_capacity(commands.len().saturating_add(Self::MOST));
        let (version, at) =
            (self.machine_version.to_le_bytes(), self.stamp.at.millis().to_le_bytes());
        match self.outcomes {
            Commitment::Before(digest) => {
                payload.push(1);
                payload.extend(version);
                payload.extend(at);
                payload.extend(digest.0);
            }
            Commitment::Through { seq, digest } => {
                payload.push(BATCH_FORMAT);
                payload.extend(version);
                payload.extend(at);
                payload.extend(seq.get().to_le_bytes());
                payload.extend(digest.0);
                payload.push(u8::from(self.marked));
                payload.push(u8::from(self.checkpoint.is_some()));
                if let Some(Checkpoint { seq, state_root }) = self.checkpoint {
                    payload.extend(seq.get().to_le_bytes());
                    payload.extend(state_root.0);
                }
            }
        }
        payload.extend(count.to_le_bytes());
        payload.extend(commands);
        payload
    }
}

impl<C: BorshSerialize> Batch<C> {
    /// Its payload, in format 1 if its commitment is of that, else in format 2.
    ///
    /// # Errors
    /// If a command does not encode.
    pub fn payload(&self) -> io::Result<Vec<u8>> {
        let mut commands = Vec::new();
        for command in &self.commands {
            borsh::to_writer(&mut commands, command)?;
        }
        let count = u32::try_from(self.commands.len()).map_err(io::Error::other)?;
        Ok(self.header.payload(count, &commands))
    }
}

impl BorshSerialize for Checkpoint {
    fn serialize<W: io::Write>(&self, writer: &mut W) -> io::Result<()> {
        (self.seq.get(), self.state_root).serialize(writer)
    }
}

impl BorshDeserialize for Checkpoint {
    fn deserialize_reader<R: io::Read>(reader: &mut R) -> io::Result<Self> {
        let (seq, state_root) = BorshDeserialize::deserialize_reader(reader)?;
        Ok(Self { seq: Seq::new(seq), state_root })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{Add, Counter};
    use proptest::prelude::*;

    fn header(outcomes: Commitment) -> Header {
        let stamp = Stamp { at: Timestamp::from_millis(0x0102) };
        Header { machine_version: 3, stamp, outcomes, marked: false, checkpoint: None }
    }

    #[test]
    fn format_2_is_the_one_written_down() {
        let through = Commitment::Through { seq: Seq::new(7), digest: Digest([0xaa; 32]) };
        let checkpoint = Checkpoint { seq: Seq::new(5), state_root: Digest([0xbb; 32]) };
        let plain = Batch { header: header(through), commands: vec![Add(9)] };
        let mut full = plain.clone();
        full.header.marked = true;
        full.header.checkpoint = Some(checkpoint);
        let head = [2, 3, 0, 2, 1, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0];
        let commands = [1, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0];
        let expected = [&head[..], &[0xaa; 32], &[0, 0], &commands];
        assert_eq!(plain.payload().unwrap(), expected.concat());
        let five = [5, 0, 0, 0, 0, 0, 0, 0];
        let expected = [&head[..], &[0xaa; 32], &[1, 1], &five, &[0xbb; 32], &commands];
        assert_eq!(full.payload().unwrap(), expected.concat());
        assert_eq!(full.header.payload(0, &[]).len(), Header::MOST);
    }

    #[test]
    fn format_1_is_the_one_written_down() {
        let batch = Batch {
            header: header(Commitment::Before(Digest([0xaa; 32]))),
            commands: vec![Add(9)],
        };
        let mut expected = vec![1, 3, 0, 2, 1, 0, 0, 0, 0, 0, 0];
        expected.extend([0xaa; 32]);
        expected.extend([1, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(batch.payload().unwrap(), expected);
        assert_eq!(decode_batch::<Counter>(&expected), Ok(batch));
    }

    #[test]
    fn each_way_a_payload_is_no_batch_has_its_own_answer() {
        let decode = decode_batch::<Counter>;
        assert_eq!(decode(&[]), Err(BatchError::Format { found: None }));
        for found in [0, 3, b'n'] {
            assert_eq!(decode(&[found, 1, 0]), Err(BatchError::Format { found: Some(found) }));
        }
        let newer = Counter::VERSION + 1;
        let other = BatchError::MachineVersion { found: newer, known: Counter::VERSION };
        for format in [1, 2] {
            let [low, high] = newer.to_le_bytes();
            assert_eq!(decode(&[format, low, high]), Err(other.clone()));
            assert!(matches!(decode(&[format, 1, 0]), Err(BatchError::Malformed(_))));
        }
        for outcomes in [
            Commitment::Before(Digest::ZERO),
            Commitment::Through { seq: Seq::ZERO, digest: Digest::ZERO },
        ] {
            let mut payload = header(outcomes).payload(0, &[]);
            assert_eq!(decode(&payload).unwrap().header, header(outcomes));
            payload.push(0);
            assert!(matches!(decode(&payload), Err(BatchError::Malformed(_))));
        }
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_decoded(
            at: u64, seq: u64, digest: [u8; 32], marked: bool, old: bool,
            checkpoint: Option<(u64, [u8; 32])>, numbers in proptest::collection::vec(0..u64::MAX, 0..20),
        ) {
            let digest = Digest(digest);
            let through = Commitment::Through { seq: Seq::new(seq), digest };
            let checkpoint = checkpoint.filter(|_| !old)
                .map(|(seq, root)| Checkpoint { seq: Seq::new(seq), state_root: Digest(root) });
            let header = Header {
                machine_version: Counter::VERSION,
                stamp: Stamp { at: Timestamp::from_millis(at) },
                outcomes: if old { Commitment::Before(digest) } else { through },
                marked: marked && !old,
                checkpoint,
            };
            let batch = Batch { header, commands: numbers.into_iter().map(Add).collect() };
            prop_assert_eq!(decode_batch::<Counter>(&batch.payload().unwrap()), Ok(batch));
        }
    }
}
