//! Swap (NUT-03), state (NUT-07) and restore (NUT-09).

use super::note::{BlindSignature, BlindedMessage, Proof};
use crate::curve::{Compressed, Point, PointError, Unhashable, points_and_hashes};
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

/// A swap with the hashed secrets of its notes: what a mint reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HashedSwap {
    /// The swap.
    pub request: SwapRequest,
    /// `Y` of each input, in their order.
    pub hashed: Vec<Point>,
}

/// A swap as it is read first: its points are worked out together.
#[derive(Deserialize)]
#[serde(rename = "SwapRequest")]
struct Unworked {
    inputs: Vec<Proof<Compressed>>,
    outputs: Vec<BlindedMessage<Compressed>>,
}

impl Unworked {
    /// With its points and the hashed secrets; or why it is no swap.
    fn worked(self) -> Result<HashedSwap, String> {
        let Self { inputs, outputs } = self;
        let signatures = inputs.iter().map(|proof| proof.signature);
        let compressed: Vec<_> = signatures.chain(outputs.iter().map(|out| out.blinded)).collect();
        let secrets = inputs.iter().map(|proof| proof.secret.as_bytes());
        let (points, hashed) = points_and_hashes(&compressed, secrets);
        if let Some(place) = points.iter().position(Option::is_none) {
            let what = match place.checked_sub(inputs.len()) {
                None => format!("inputs[{place}].C"),
                Some(place) => format!("outputs[{place}].B_"),
            };
            return Err(format!("{what}: {}", PointError::NotOnCurve));
        }
        if let Some(place) = hashed.iter().position(Option::is_none) {
            return Err(format!("inputs[{place}].secret: {Unhashable}"));
        }
        let mut points = points.into_iter().flatten();
        let inputs = inputs.into_iter().zip(points.by_ref());
        let inputs = inputs.map(|(proof, signature)| proof.with(signature)).collect();
        let outputs = outputs.into_iter().zip(points);
        let outputs = outputs.map(|(message, blinded)| message.with(blinded)).collect();
        let hashed = hashed.into_iter().flatten().collect();
        Ok(HashedSwap { request: SwapRequest { inputs, outputs }, hashed })
    }
}

impl<'de> Deserialize<'de> for HashedSwap {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Unworked::deserialize(deserializer)?.worked().map_err(D::Error::custom)
    }
}

impl<'de> Deserialize<'de> for SwapRequest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        HashedSwap::deserialize(deserializer).map(|swap| swap.request)
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
