//! Swap (NUT-03), state (NUT-07) and restore (NUT-09).

use super::note::{BlindSignature, BlindedMessage, Proof};
use crate::curve::Point;
use serde::{Deserialize, Serialize};

/// Changes notes for new ones of the same sum, less fees (`POST /v1/swap`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SwapRequest {
    /// What is spent.
    pub inputs: Vec<Proof>,
    /// What is to be signed.
    pub outputs: Vec<BlindedMessage>,
}

/// Asks which notes are spent (`POST /v1/checkstate`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckStateRequest {
    /// Their hashed secrets.
    #[serde(rename = "Ys")]
    pub hashed: Vec<Point>,
}

/// Whether a note is spent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum NoteState {
    /// It is not.
    Unspent,
    /// It is being spent.
    Pending,
    /// It is.
    Spent,
}

/// The state of one note.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoteStatus {
    /// Its hashed secret.
    #[serde(rename = "Y")]
    pub hashed: Point,
    /// Its state.
    pub state: NoteState,
    /// What met its conditions when it was spent: how a preimage comes back (NUT-14).
    #[serde(default)]
    pub witness: Option<String>,
}

/// The states, in the order asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckStateResponse {
    /// One for each asked.
    pub states: Vec<NoteStatus>,
}

/// Asks for signatures again (`POST /v1/restore`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RestoreRequest {
    /// What may have been signed; amounts are ignored.
    pub outputs: Vec<BlindedMessage>,
}

/// The outputs that had been signed, with their signatures at the same places.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RestoreResponse {
    /// The outputs known.
    pub outputs: Vec<BlindedMessage>,
    /// Their signatures.
    pub signatures: Vec<BlindSignature>,
}
