//! Swap (NUT-03), state (NUT-07) and restore (NUT-09).

use super::note::{BlindSignature, BlindedMessage, Proof};
use crate::curve::{Compressed, Point, PointError};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

/// Changes notes for new ones of the same sum, less fees (`POST /v1/swap`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SwapRequest {
    /// What is spent.
    pub inputs: Vec<Proof>,
    /// What is to be signed.
    pub outputs: Vec<BlindedMessage>,
}

/// A swap as it is read first: its points are worked out together.
#[derive(Deserialize)]
#[serde(rename = "SwapRequest")]
struct Unworked {
    inputs: Vec<Proof<Compressed>>,
    outputs: Vec<BlindedMessage<Compressed>>,
}

impl<'de> Deserialize<'de> for SwapRequest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Unworked { inputs, outputs } = Unworked::deserialize(deserializer)?;
        let signatures = inputs.iter().map(|proof| proof.signature);
        let compressed: Vec<_> = signatures.chain(outputs.iter().map(|out| out.blinded)).collect();
        let points = Point::all(&compressed).map_err(|place| {
            let what = match place.checked_sub(inputs.len()) {
                None => format!("inputs[{place}].C"),
                Some(place) => format!("outputs[{place}].B_"),
            };
            D::Error::custom(format_args!("{what}: {}", PointError::NotOnCurve))
        })?;
        let (signatures, blinded) = points.split_at(inputs.len());
        let inputs = inputs.into_iter().zip(signatures);
        let outputs = outputs.into_iter().zip(blinded);
        Ok(Self {
            inputs: inputs.map(|(proof, signature)| proof.with(*signature)).collect(),
            outputs: outputs.map(|(message, blinded)| message.with(*blinded)).collect(),
        })
    }
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
