//! Swap (NUT-03), state (NUT-07) and restore (NUT-09).

use super::note::{BlindSignature, BlindedMessage, Proof};
use crate::curve::{Compressed, Point, PointError, Unhashable, points_and_hashes};
use crate::keyset_id::KeysetId;
use crate::spend::Conditions;
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

/// A swap with the hashed secrets of its notes: what a mint works with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HashedSwap {
    /// The swap.
    pub request: SwapRequest,
    /// `Y` of each input, in their order.
    pub hashed: Vec<Point>,
}

/// A swap as it is read first: its points have the right form, and are not worked out yet. Those of many swaps are worked
/// out beside each other for less than each by itself.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename = "SwapRequest")]
pub struct CompressedSwap {
    inputs: Vec<Proof<Compressed>>,
    outputs: Vec<BlindedMessage<Compressed>>,
}

/// Why what has the form of a swap is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoSwap {
    /// The signature of the input at this place is no point.
    #[error("inputs[{0}].C: {no_point}", no_point = PointError::NotOnCurve)]
    Signature(usize),
    /// The output at this place is no point.
    #[error("outputs[{0}].B_: {no_point}", no_point = PointError::NotOnCurve)]
    Output(usize),
    /// The secret of the input at this place stands for no point.
    #[error("inputs[{0}].secret: {Unhashable}")]
    Secret(usize),
}

impl CompressedSwap {
    /// The keyset of each input.
    pub fn spent(&self) -> impl Iterator<Item = KeysetId> {
        self.inputs.iter().map(|proof| proof.id)
    }

    /// The keyset of each output.
    pub fn asked(&self) -> impl Iterator<Item = KeysetId> {
        self.outputs.iter().map(|message| message.id)
    }

    /// How many points it has: one for each input and each output.
    #[must_use]
    pub fn points(&self) -> usize {
        self.inputs.len().saturating_add(self.outputs.len())
    }

    /// Whether no secret can be a condition of spending (NUT-10).
    #[must_use]
    pub fn is_plain(&self) -> bool {
        !self.inputs.iter().any(|proof| Conditions::may_be(&proof.secret))
    }

    /// With its points and hashed secrets.
    ///
    /// # Errors
    /// [`NoSwap`].
    pub fn worked(self) -> Result<HashedSwap, NoSwap> {
        let (points, hashed) =
            points_and_hashes(&self.compressed().collect::<Vec<_>>(), self.secrets());
        self.with(&mut points.into_iter(), &mut hashed.into_iter())
    }

    /// All of them, in their order, with their points and hashed secrets.
    #[must_use]
    pub fn all_worked(swaps: Vec<Self>) -> Vec<Result<HashedSwap, NoSwap>> {
        let compressed: Vec<_> = swaps.iter().flat_map(Self::compressed).collect();
        let secrets = swaps.iter().flat_map(Self::secrets);
        let (points, hashed) = points_and_hashes(&compressed, secrets);
        let (mut points, mut hashed) = (points.into_iter(), hashed.into_iter());
        swaps.into_iter().map(|swap| swap.with(&mut points, &mut hashed)).collect()
    }

    fn compressed(&self) -> impl Iterator<Item = Compressed> {
        let signatures = self.inputs.iter().map(|proof| proof.signature);
        signatures.chain(self.outputs.iter().map(|message| message.blinded))
    }

    fn secrets(&self) -> impl Iterator<Item = &[u8]> {
        self.inputs.iter().map(|proof| proof.secret.as_bytes())
    }

    /// With the next points and hashed secrets, of which it takes its own in any case.
    fn with(
        self,
        points: &mut impl Iterator<Item = Option<Point>>,
        hashed: &mut impl Iterator<Item = Option<Point>>,
    ) -> Result<HashedSwap, NoSwap> {
        let Self { inputs, outputs } = self;
        let signatures: Vec<_> = points.take(inputs.len()).collect();
        let blinded: Vec<_> = points.take(outputs.len()).collect();
        let hashed: Vec<_> = hashed.take(inputs.len()).collect();
        let inputs =
            inputs.into_iter().zip(signatures).enumerate().map(|(place, (proof, point))| {
                Ok(proof.with(point.ok_or(NoSwap::Signature(place))?))
            });
        let inputs = inputs.collect::<Result<_, _>>()?;
        let outputs =
            outputs.into_iter().zip(blinded).enumerate().map(|(place, (message, point))| {
                Ok(message.with(point.ok_or(NoSwap::Output(place))?))
            });
        let outputs = outputs.collect::<Result<_, _>>()?;
        let hashed =
            hashed.into_iter().enumerate().map(|(place, y)| y.ok_or(NoSwap::Secret(place)));
        Ok(HashedSwap {
            request: SwapRequest { inputs, outputs },
            hashed: hashed.collect::<Result<_, _>>()?,
        })
    }
}

impl<'de> Deserialize<'de> for SwapRequest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let swap = CompressedSwap::deserialize(deserializer)?.worked();
        swap.map(|swap| swap.request).map_err(D::Error::custom)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::curve::hash_to_curve;

    fn swap(secrets: &[&str], bad: Option<usize>) -> CompressedSwap {
        let point = |n: usize| hash_to_curve(&n.to_be_bytes()).unwrap().to_hex();
        // No point of the curve has an x of 5.
        let none = format!("02{:064x}", 5);
        let point = |n: usize| if Some(n) == bad { none.clone() } else { point(n) };
        let input = |(n, secret): (usize, &&str)| serde_json::json!({ "amount": 1, "id": "00ad268c4d1f5826", "secret": secret, "C": point(n) });
        let inputs: Vec<_> = secrets.iter().enumerate().map(input).collect();
        let output =
            |n: usize| serde_json::json!({ "amount": 1, "id": "00ad268c4d1f5826", "B_": point(n) });
        let outputs: Vec<_> = (secrets.len()..).take(secrets.len()).map(output).collect();
        let swap = serde_json::json!({ "inputs": inputs, "outputs": outputs });
        serde_json::from_value(swap).unwrap()
    }

    #[test]
    fn swaps_are_worked_out_together_like_each_and_a_bad_one_spoils_no_other() {
        let swaps = vec![
            swap(&["a"], None),
            swap(&["b", "c"], Some(1)),
            swap(&[], None),
            swap(&["d", "e", "f"], Some(4)),
            swap(&["g", "h", "i"], None),
        ];
        let each: Vec<_> = swaps.iter().cloned().map(CompressedSwap::worked).collect();
        assert_eq!(each[1], Err(NoSwap::Signature(1)));
        assert_eq!(each[3], Err(NoSwap::Output(1)));
        let last = each[4].as_ref().unwrap();
        let hashed: Vec<_> =
            last.request.inputs.iter().map(|proof| proof.hashed().unwrap()).collect();
        assert_eq!(last.hashed, hashed);
        assert_eq!(CompressedSwap::all_worked(swaps), each);
    }

    #[test]
    fn a_secret_that_may_be_a_condition_makes_a_swap_not_plain() {
        assert!(swap(&["a", "0f"], None).is_plain());
        assert!(!swap(&["a", " [\"P2PK\", {}]"], None).is_plain());
    }
}
