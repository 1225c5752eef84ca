//! Hostile bytes for the decoders of the log, for the machine, for what reads notes of Cashu, for what
//! reads ISO mdocs, anonymous credentials, and the messages between wallets, issuers and verifiers.
#![doc = ""]
#![doc = include_str!("../README.md")]

mod anonymous;
mod cards;
mod history;
mod identity;
mod mdoc;
mod notes;
mod types;

pub use anonymous::anonymous;
pub use cards::{card_answers, card_commands, card_files};
pub use history::{Step, ledger, steps};
pub use identity::{
    credential, is_credential, is_status_list, issuance, jose, presentation, trust,
};
pub use mdoc::{cbor, mdoc};
pub use notes::{messages, payment_request, token};
pub use types::{is_type, types};

use yufu_base::{Snapshot as _, StateMachine as _};
use yufu_engine::{Replay, decode_batch};
use yufu_log::{Epoch, Head, Record};
use yufu_machine::{Machine, Submission};

/// Panics if what must hold of its bytes does not.
pub type Target = fn(&[u8]);

/// The targets by their names, which are those of their corpora too.
pub const TARGETS: [(&str, Target); 19] = [
    ("batch", batch),
    ("command", command),
    ("state", state),
    ("ledger", ledger),
    ("token", token),
    ("payment_request", payment_request),
    ("messages", messages),
    ("cbor", cbor),
    ("mdoc", mdoc),
    ("card_files", card_files),
    ("card_commands", card_commands),
    ("card_answers", card_answers),
    ("anonymous", anonymous),
    ("jose", jose),
    ("credential", credential),
    ("presentation", presentation),
    ("issuance", issuance),
    ("trust", trust),
    ("types", types),
];

/// Takes `bytes` for the payload of a log's first record.
///
/// # Panics
/// If it is decoded and has another encoding, or a replay that refuses it changes anything.
pub fn batch(bytes: &[u8]) {
    let decoded = decode_batch::<Machine>(bytes);
    if let Ok(batch) = &decoded {
        let again = batch.payload();
        assert_eq!(again.as_deref().ok(), Some(bytes), "a batch has two encodings");
    }
    let epoch = Epoch::NONE.next();
    let Head { seq, chain } = Head::EMPTY.extend(epoch, bytes);
    let record = Record { seq, epoch, payload: bytes.to_vec(), chain };
    let mut replay = Replay::new(Machine::new());
    let before = replay.machine().state_hash();
    match replay.apply(&record) {
        Ok(replayed) => assert_eq!(replayed.outcomes.len(), replayed.batch.commands.len()),
        Err(_) => {
            assert_eq!(replay.head(), Head::EMPTY, "a refused record moves the head");
            assert_eq!(replay.machine().state_hash(), before, "a refused record changes the state");
        }
    }
}

/// Takes `bytes` for what a bank submits.
///
/// # Panics
/// If it is decoded and has another encoding.
pub fn command(bytes: &[u8]) {
    let Ok(submission) = borsh::from_slice::<Submission>(bytes) else { return };
    let again = borsh::to_vec(&submission);
    assert_eq!(again.as_deref().ok(), Some(bytes), "a command has two encodings");
    submission.prepare();
    let signed = Submission::signing_bytes(&submission.institution, &submission.order);
    assert!(signed.len() <= bytes.len().saturating_add(16), "more is signed than was sent");
}

/// Takes `bytes` for the state in a snapshot.
///
/// # Panics
/// If it is read and has another encoding, or reads back to another state.
pub fn state(bytes: &[u8]) {
    let Ok(machine) = Machine::read_state(&mut &*bytes) else { return };
    let again = written(&machine);
    assert_eq!(again, bytes, "a state has two encodings");
}

/// The encoding of a machine's state.
pub(crate) fn written(machine: &Machine) -> Vec<u8> {
    let mut bytes = Vec::new();
    // A vector takes every write.
    drop(machine.write_state(&mut bytes));
    bytes
}
