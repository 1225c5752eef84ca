//! The JSON-RPC messages of subscriptions over a WebSocket (NUT-17).

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The version of JSON-RPC that every message names.
pub const JSON_RPC: &str = "2.0";

/// A request of a wallet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WsRequest {
    /// [`JSON_RPC`].
    pub jsonrpc: String,
    /// What is asked.
    #[serde(flatten)]
    pub call: WsCall,
    /// The wallet's number of this request.
    pub id: u64,
}

/// What a wallet asks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "method", content = "params", rename_all = "lowercase")]
pub enum WsCall {
    /// To be told of changes.
    Subscribe(Subscribe),
    /// To be told no more.
    Unsubscribe(Unsubscribe),
}

/// What to tell changes of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subscribe {
    /// `proof_state`, or a method with `_mint_quote` or `_melt_quote`.
    pub kind: String,
    /// The wallet's name of this subscription.
    #[serde(rename = "subId")]
    pub sub_id: String,
    /// Quote ids, or hashed secrets.
    pub filters: Vec<String>,
}

/// Which subscription ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unsubscribe {
    /// Its name.
    #[serde(rename = "subId")]
    pub sub_id: String,
}

/// What a subscription is to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SubscriptionKind {
    /// Quotes to withdraw by a method.
    MintQuote(String),
    /// Quotes to redeem by a method.
    MeltQuote(String),
    /// Notes.
    ProofState,
}

impl SubscriptionKind {
    /// Reads a kind; `None` for one that this protocol does not know.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let method = |m: &str| {
            let named =
                |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'_' || c == b'-';
            (!m.is_empty() && m.bytes().all(named)).then(|| m.to_owned())
        };
        match text.strip_suffix("_mint_quote").map(method) {
            Some(found) => found.map(Self::MintQuote),
            None => match text.strip_suffix("_melt_quote").map(method) {
                Some(found) => found.map(Self::MeltQuote),
                None => (text == "proof_state").then_some(Self::ProofState),
            },
        }
    }
}

/// The mint's answer to a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WsResponse {
    /// [`JSON_RPC`].
    pub jsonrpc: String,
    /// That it was done.
    pub result: WsResult,
    /// The number of the request.
    pub id: u64,
}

/// That a request was done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WsResult {
    /// `OK`.
    pub status: String,
    /// The subscription.
    #[serde(rename = "subId")]
    pub sub_id: String,
}

/// The mint's refusal of a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WsError {
    /// [`JSON_RPC`].
    pub jsonrpc: String,
    /// Why.
    pub error: WsErrorBody,
    /// The request's number; null if it could not be read.
    pub id: Value,
}

/// Why a request is refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WsErrorBody {
    /// A code of JSON-RPC or of Cashu.
    pub code: i64,
    /// In words.
    pub message: String,
}

/// News of a subscription: a [`super::NoteStatus`], [`super::MintQuote`] or [`super::MeltQuote`],
/// which of them, the subscription's kind says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WsNotification<T> {
    /// [`JSON_RPC`].
    pub jsonrpc: String,
    /// `subscribe`.
    pub method: String,
    /// The news.
    pub params: WsNews<T>,
}

/// The news of one subscribed thing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WsNews<T> {
    /// The subscription.
    #[serde(rename = "subId")]
    pub sub_id: String,
    /// The state now.
    pub payload: T,
}

impl<T> WsNotification<T> {
    /// The news `payload` of a subscription.
    #[must_use]
    pub fn new(sub_id: &str, payload: T) -> Self {
        let params = WsNews { sub_id: sub_id.to_owned(), payload };
        Self { jsonrpc: JSON_RPC.to_owned(), method: "subscribe".to_owned(), params }
    }
}

impl WsResponse {
    /// That request `id` on a subscription was done.
    #[must_use]
    pub fn ok(sub_id: &str, id: u64) -> Self {
        let result = WsResult { status: "OK".to_owned(), sub_id: sub_id.to_owned() };
        Self { jsonrpc: JSON_RPC.to_owned(), result, id }
    }
}
