//! One snapshot as a file: written whole or not at all, read only if every bit is as it was written.

use crate::batch::Checkpoint;
use crate::replay::Replay;
use crate::trail::Trail;
use borsh::{BorshDeserialize, BorshSerialize};
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::Path;
use yufu_base::{Digest, Snapshot, StateMachine, Timestamp};
use yufu_log::{Head, LogError, Seq};

/// The version of the file's form that this build reads and writes.
pub const SNAPSHOT_FORMAT: u16 = 1;

const MAGIC: [u8; 8] = *b"YUFUSNAP";
/// Under which the checksum is made: BLAKE3 in derive-key mode, over all that stands before it.
const CHECKSUM: &str = "yufu.snapshot.v1";
/// The length of the state, and the checksum.
const TRAILER: u64 = 8 + 32;
const BUFFER: usize = 1 << 20;

/// What stands before the state: magic, format (2 bytes), and borsh of this. After it: its length (8 bytes,
/// little-endian) and the checksum (32 bytes).
#[derive(BorshSerialize, BorshDeserialize)]
struct Preamble {
    seq: u64,
    chain: Digest,
    at: Timestamp,
    machine_version: u16,
    state_root: Digest,
    trail: Trail,
    mark: Option<Checkpoint>,
    checkpoint: Option<Checkpoint>,
}

/// Why a snapshot cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SnapshotError {
    /// It cannot be read or written.
    #[error("the snapshot cannot be read or written: {0}; check the disk and its permissions")]
    File(String),
    /// It is something else.
    #[error("the file is no snapshot: move it away")]
    NotASnapshot,
    /// Its form is not one this build knows.
    #[error(
        "the snapshot is of format {found}, this build knows {SNAPSHOT_FORMAT}: use a newer build, or move it away"
    )]
    Format {
        /// Its format.
        found: u16,
    },
    /// Not every bit is as it was written.
    #[error(
        "the snapshot is damaged, its checksum does not hold: move it away, and check the disk"
    )]
    Damaged,
    /// The rules in force are newer than this build.
    #[error(
        "the snapshot is of machine version {found}, this build knows up to {known}: use a newer build"
    )]
    MachineVersion {
        /// The version in force in it.
        found: u16,
        /// [`StateMachine::VERSION`].
        known: u16,
    },
    /// The state does not decode.
    #[error(
        "the snapshot's state does not decode: {0}; it was made by a build with another form, move it away"
    )]
    State(String),
    /// The state decodes to another one than was written.
    #[error(
        "the snapshot's state is not the one it was made of: it was made by a build with another form, move it away"
    )]
    Root,
    /// The log does not lead through it.
    #[error(
        "the log does not lead through record {seq} as the snapshot knows it: the log was cut off or rewritten, or \
         the snapshot is of another one; restore the log, or move the snapshot away if it is the wrong one"
    )]
    NotOfThisLog {
        /// The snapshot's record.
        seq: Seq,
    },
    /// The log cannot be read.
    #[error(transparent)]
    Log(#[from] LogError),
}

/// Reads a snapshot: a replay as it was after the snapshot's record.
///
/// # Errors
/// [`SnapshotError`].
pub fn load_snapshot<M: StateMachine + Snapshot>(path: &Path) -> Result<Replay<M>, SnapshotError> {
    let file = File::open(path).map_err(|e| failed(&e))?;
    let state_end = verify(&file)?;
    let mut reader = BufReader::with_capacity(BUFFER, file).take(state_end);
    let mut start = [0; MAGIC.len() + 2];
    reader.read_exact(&mut start).map_err(|e| failed(&e))?;
    let undecoded = |error: io::Error| SnapshotError::State(error.to_string());
    let Preamble { seq, chain, at, machine_version, state_root, trail, mark, checkpoint } =
        BorshDeserialize::deserialize_reader(&mut reader).map_err(undecoded)?;
    let known = M::VERSION;
    if machine_version > known {
        return Err(SnapshotError::MachineVersion { found: machine_version, known });
    }
    let machine = M::read_state(&mut reader).map_err(undecoded)?;
    if reader.limit() > 0 {
        return Err(SnapshotError::State("there is more than a state".to_owned()));
    }
    if machine.state_hash() != state_root || machine.version() != machine_version {
        return Err(SnapshotError::Root);
    }
    let head = Head { seq: Seq::new(seq), chain };
    Ok(Replay { machine, head, at, trail, mark, checkpoint, bytes: 0 })
}

/// Whether every bit of the snapshot at `path` is as it was written.
pub(super) fn is_whole(path: &Path) -> bool {
    File::open(path).is_ok_and(|file| verify(&file).is_ok())
}

/// Checks form and checksum of the file; leaves it at its beginning. Where the state ends.
fn verify(mut file: &File) -> Result<u64, SnapshotError> {
    let length = file.metadata().map_err(|e| failed(&e))?.len();
    let mut start = [0; MAGIC.len() + 2];
    let is_one = file.read_exact(&mut start).is_ok();
    let (magic, format) = start.split_at(MAGIC.len());
    if !is_one || magic != MAGIC {
        return Err(SnapshotError::NotASnapshot);
    }
    let found = u16::from_le_bytes(format.try_into().unwrap_or_default());
    if found != SNAPSHOT_FORMAT {
        return Err(SnapshotError::Format { found });
    }
    let state_end = length.checked_sub(TRAILER).ok_or(SnapshotError::Damaged)?;
    let mut hasher = blake3::Hasher::new_derive_key(CHECKSUM);
    hasher.update(&start);
    let checked = length.saturating_sub(32).saturating_sub(start.len() as u64);
    let mut rest = BufReader::with_capacity(BUFFER, file).take(checked);
    hasher.update_reader(&mut rest).map_err(|e| failed(&e))?;
    let mut checksum = [0; 32];
    rest.into_inner().read_exact(&mut checksum).map_err(|e| failed(&e))?;
    if hasher.finalize() != checksum {
        return Err(SnapshotError::Damaged);
    }
    io::Seek::rewind(&mut file).map_err(|e| failed(&e))?;
    Ok(state_end)
}

/// Writes the state of `replay` to `path`, by way of a file beside it: after a crash at any point there is the
/// whole snapshot or none. `go_on` is asked again and again; once it says no, nothing is left.
pub(super) fn write<M: StateMachine + Snapshot>(
    replay: &Replay<M>,
    state_root: Digest,
    path: &Path,
    go_on: &dyn Fn() -> bool,
) -> Result<(), SnapshotError> {
    let temporary = path.with_extension(super::folder::UNFINISHED);
    let written = write_to(replay, state_root, &temporary, go_on)
        .and_then(|()| fs::rename(&temporary, path))
        .and_then(|()| File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all());
    written.map_err(|error| {
        // What is left of it is removed at the next start, if not now.
        drop(fs::remove_file(&temporary));
        failed(&error)
    })
}

fn write_to<M: StateMachine + Snapshot>(
    replay: &Replay<M>,
    state_root: Digest,
    path: &Path,
    go_on: &dyn Fn() -> bool,
) -> io::Result<()> {
    let hasher = blake3::Hasher::new_derive_key(CHECKSUM);
    let sink = Sink { file: private(path)?, hasher, written: 0, go_on };
    let mut writer = BufWriter::with_capacity(BUFFER, sink);
    writer.write_all(&MAGIC)?;
    writer.write_all(&SNAPSHOT_FORMAT.to_le_bytes())?;
    let preamble = Preamble {
        seq: replay.head.seq.get(),
        chain: replay.head.chain,
        at: replay.at,
        machine_version: replay.machine.version(),
        state_root,
        trail: replay.trail.clone(),
        mark: replay.mark,
        checkpoint: replay.checkpoint,
    };
    borsh::to_writer(&mut writer, &preamble)?;
    writer.flush()?;
    let before = writer.get_ref().written;
    replay.machine.write_state(&mut writer)?;
    writer.flush()?;
    let state = writer.get_ref().written.saturating_sub(before);
    writer.write_all(&state.to_le_bytes())?;
    let Sink { mut file, hasher, .. } =
        writer.into_inner().map_err(io::IntoInnerError::into_error)?;
    file.write_all(hasher.finalize().as_bytes())?;
    file.sync_all()
}

/// A new file, for its owner alone.
fn private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Hashes what it writes.
struct Sink<'a> {
    file: File,
    hasher: blake3::Hasher,
    written: u64,
    go_on: &'a dyn Fn() -> bool,
}

impl Write for Sink<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if !(self.go_on)() {
            return Err(io::Error::other("the engine stops"));
        }
        let written = self.file.write(bytes)?;
        self.hasher.update(bytes.get(..written).unwrap_or(bytes));
        self.written = self.written.saturating_add(u64::try_from(written).unwrap_or(u64::MAX));
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn failed(error: &io::Error) -> SnapshotError {
    SnapshotError::File(error.to_string())
}
