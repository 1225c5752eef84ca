//! Quotes and what is done with them: withdraw (NUT-04, 20, 29) and redeem (NUT-05, 08, 15).

use super::note::{BlindSignature, BlindedMessage, Proof};
use crate::curve::Point;
use serde::{Deserialize, Serialize};

/// Asks for a quote to withdraw (`POST /v1/mint/quote/{method}`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MintQuoteRequest {
    /// How much.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<u64>,
    /// In which unit.
    pub unit: String,
    /// Words for the payment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Whose signature taking the notes needs (NUT-20).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pubkey: Option<Point>,
}

/// Where a quote to withdraw stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum MintQuoteState {
    /// Nobody has paid.
    Unpaid,
    /// Paid, the notes not taken.
    Paid,
    /// The notes are taken.
    Issued,
}

/// A quote to withdraw.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MintQuote {
    /// Its id: whoever knows it can take the notes, unless `pubkey` is set.
    pub quote: String,
    /// What is to be paid, in the form of the method.
    pub request: String,
    /// The method; peers read it from the address if it is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// How much.
    #[serde(default)]
    pub amount: Option<u64>,
    /// In which unit.
    pub unit: String,
    /// Where it stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<MintQuoteState>,
    /// How much was paid: newer peers want it beside `state`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount_paid: Option<u64>,
    /// How much was issued.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount_issued: Option<u64>,
    /// When it last changed, in Unix seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<u64>,
    /// Until when it can be paid, in Unix seconds.
    #[serde(default)]
    pub expiry: Option<u64>,
    /// Whose signature taking the notes needs (NUT-20).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pubkey: Option<Point>,
}

/// Takes the notes of a paid quote (`POST /v1/mint/{method}`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MintRequest {
    /// The quote.
    pub quote: String,
    /// What is to be signed.
    pub outputs: Vec<BlindedMessage>,
    /// Of the quote's `pubkey` on quote and outputs (NUT-20).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<String>,
}

/// Signatures, in the order of the outputs: the answer to taking notes and to a swap.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signatures {
    /// One for each output.
    pub signatures: Vec<BlindSignature>,
}

/// Asks where several quotes stand (`POST /v1/mint/quote/{method}/check`, NUT-29).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchCheckRequest {
    /// The quotes, each once.
    pub quotes: Vec<String>,
}

/// Takes the notes of several quotes at once (`POST /v1/mint/{method}/batch`, NUT-29).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchMintRequest {
    /// The quotes, each once.
    pub quotes: Vec<String>,
    /// How much of each.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quote_amounts: Option<Vec<u64>>,
    /// What is to be signed, for all together.
    pub outputs: Vec<BlindedMessage>,
    /// Of each quote's `pubkey`; null for a quote that has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signatures: Option<Vec<Option<String>>>,
}

/// Asks for a quote to redeem (`POST /v1/melt/quote/{method}`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MeltQuoteRequest {
    /// Where the money is to go, in the form of the method.
    pub request: String,
    /// In which unit.
    pub unit: String,
    /// The method, which some peers repeat here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// How much, where `request` does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<u64>,
    /// Options of the method.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub options: Option<MeltOptions>,
}

/// Options of a quote to redeem.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MeltOptions {
    /// Pays a part of what `request` asks (NUT-15).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mpp: Option<PartialAmount>,
    /// Names the amount that `request` leaves open (NUT-23).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amountless: Option<OpenAmount>,
}

/// The part that one mint pays of a request, in thousandths of the unit's Bitcoin sibling (NUT-15).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartialAmount {
    /// The part.
    pub amount: u64,
}

/// The amount of a request without one (NUT-23).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenAmount {
    /// The amount in thousandths.
    pub amount_msat: u64,
}

/// Where a quote to redeem stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum MeltQuoteState {
    /// Not paid.
    Unpaid,
    /// Under way.
    Pending,
    /// Paid.
    Paid,
}

/// A quote to redeem, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MeltQuote {
    /// Its id.
    pub quote: String,
    /// Where the money goes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<String>,
    /// The method; peers read it from the address if it is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// How much must be given.
    pub amount: u64,
    /// In which unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// What may come on top; what is not used comes back as `change`.
    #[serde(default)]
    pub fee_reserve: u64,
    /// Where it stands.
    pub state: MeltQuoteState,
    /// Until when, in Unix seconds.
    pub expiry: u64,
    /// Evidence of the payment, in the form of the method.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_preimage: Option<String>,
    /// Signatures on blank outputs (NUT-08).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change: Option<Vec<BlindSignature>>,
}

/// Redeems notes for a quote (`POST /v1/melt/{method}`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MeltRequest {
    /// The quote.
    pub quote: String,
    /// The notes.
    pub inputs: Vec<Proof>,
    /// Blank outputs for change (NUT-08); null and none are the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outputs: Option<Vec<BlindedMessage>>,
    /// Asks not to wait.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub prefer_async: bool,
}
