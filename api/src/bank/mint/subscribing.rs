//! Subscriptions over a WebSocket (NUT-17): a wallet is told at once how its quotes and notes stand, and again
//! whenever that changes. What changes here is looked up as soon as it did, what changes elsewhere every few seconds.

use super::{Bank, Banks, MOST, Mint, MintRefusal, of};
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, watch};
use yufu_ecash::Point;
use yufu_ecash::message::{
    ErrorCode, JSON_RPC, Subscribe, SubscriptionKind, WsCall, WsError, WsErrorBody, WsNotification,
    WsRequest, WsResponse,
};

/// Wallets that listen to a mint at once.
pub(super) const LISTENERS: usize = 256;
/// Subscriptions of one of them, and the bytes of a message.
const SUBSCRIPTIONS: usize = 32;
const LARGEST_MESSAGE: usize = 64 * 1_024;
/// How long one may listen; then it connects again.
const LONGEST: Duration = Duration::from_secs(3_600);
/// How long a message may take to go out.
const PATIENCE: Duration = Duration::from_secs(10);
/// News is looked up no more often than this, and no more seldom.
const AT_LEAST: Duration = Duration::from_millis(500);
const AT_MOST: Duration = Duration::from_secs(5);

/// JSON-RPC's numbers for what is no JSON, no request, a request for something else, and one with wrong parameters.
const NO_JSON: i64 = -32_700;
const NO_REQUEST: i64 = -32_600;
const NO_METHOD: i64 = -32_601;
const WRONG_PARAMETERS: i64 = -32_602;

/// Listen to a mint.
pub(super) async fn listen(
    State(banks): State<Arc<Banks>>,
    Path(bank): Path<String>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, MintRefusal> {
    let (bank, mint) = of(&banks, &bank)?;
    let upgrade = match upgrade {
        Ok(upgrade) => upgrade.max_message_size(LARGEST_MESSAGE).max_frame_size(LARGEST_MESSAGE),
        Err(rejection) => return Ok(rejection.into_response()),
    };
    let place = Arc::clone(&mint.listeners).try_acquire_owned();
    let place = place.map_err(|_| MintRefusal::busy())?;
    let bank = Arc::clone(bank);
    Ok(upgrade.on_upgrade(move |socket| async move {
        in_place(place, LONGEST, serve(&bank, socket)).await;
    }))
}

/// Listens in a place until it is over, for `longest` at the most: one that listens for too long, or breaks off,
/// connects again. The place is free then, however it ended.
async fn in_place(
    place: OwnedSemaphorePermit,
    longest: Duration,
    listening: impl Future<Output = ()>,
) {
    drop(tokio::time::timeout(longest, listening).await);
    drop(place);
}

/// Answers one wallet until it leaves.
async fn serve(bank: &Bank, mut socket: WebSocket) {
    let Some(mint) = &bank.mint else { return };
    let mut news = mint.news.subscribe();
    let mut subscriptions = Subscriptions::default();
    loop {
        let messages = tokio::select! {
            received = socket.recv() => match received {
                Some(Ok(Message::Text(text))) => subscriptions.answer(bank, mint, &text).await,
                Some(Ok(Message::Close(_)) | Err(_)) | None => return,
                Some(Ok(_)) => continue,
            },
            () = due(&mut news), if !subscriptions.all.is_empty() => {
                subscriptions.news(bank, mint).await
            }
        };
        for message in messages {
            let sent = tokio::time::timeout(PATIENCE, socket.send(Message::text(message))).await;
            if !matches!(sent, Ok(Ok(()))) {
                return;
            }
        }
    }
}

/// Waits until something changed, or some time passed.
async fn due(news: &mut watch::Receiver<()>) {
    tokio::time::sleep(AT_LEAST).await;
    drop(tokio::time::timeout(AT_MOST, news.changed()).await);
}

/// What one wallet listens to, by its names.
#[derive(Default)]
struct Subscriptions {
    all: BTreeMap<String, Subscription>,
}

struct Subscription {
    to: Subscribed,
    /// What was told last, in the order of what is subscribed to.
    told: Vec<Value>,
}

enum Subscribed {
    MintQuotes(Vec<String>),
    MeltQuotes(Vec<String>),
    Notes(Vec<Point>),
}

impl Subscriptions {
    /// What is to be sent for a message: an answer, and of a new subscription how everything stands.
    async fn answer(&mut self, bank: &Bank, mint: &Mint, text: &str) -> Vec<String> {
        let Ok(json) = serde_json::from_str::<Value>(text) else {
            return refused(Value::Null, NO_JSON, "that is no JSON");
        };
        let id = json.get("id").cloned().unwrap_or(Value::Null);
        let request = match WsRequest::deserialize(&json) {
            Ok(request) if request.jsonrpc == JSON_RPC => request,
            _ => {
                let detail = "subscribe or unsubscribe, as NUT-17 has them";
                return refused(id, misunderstood(&json), detail);
            }
        };
        let (name, told) = match request.call {
            WsCall::Unsubscribe(ending) => {
                if self.all.remove(&ending.sub_id).is_none() {
                    return refused(id, WRONG_PARAMETERS, "there is no such subscription");
                }
                (ending.sub_id, Vec::new())
            }
            WsCall::Subscribe(asked) => match self.begin(bank, mint, &asked).await {
                Ok(told) => (asked.sub_id, told),
                Err(refusal) => {
                    let (code, detail) = refusal.told();
                    let code = if code == 0 { WRONG_PARAMETERS } else { code.into() };
                    return refused(id, code, detail);
                }
            },
        };
        let mut messages = text_of(&WsResponse::ok(&name, request.id));
        messages.extend(told.iter().flat_map(|one| text_of(&WsNotification::new(&name, one))));
        messages
    }

    /// Begins a subscription; how everything stands.
    async fn begin(
        &mut self,
        bank: &Bank,
        mint: &Mint,
        asked: &Subscribe,
    ) -> Result<Vec<Value>, MintRefusal> {
        let wrong = |detail| MintRefusal::other(axum::http::StatusCode::BAD_REQUEST, detail);
        if self.all.len() >= SUBSCRIPTIONS || self.all.contains_key(&asked.sub_id) {
            let detail = "that are too many subscriptions, or two of one name: end one first";
            return Err(wrong(detail));
        }
        let others = self.all.values().map(|subscription| subscription.told.len());
        if others.fold(asked.filters.len(), usize::saturating_add) > MOST {
            let detail = format!("listen to at most {MOST} quotes and notes at once");
            return Err(MintRefusal::new(ErrorCode::TooManyInputs, detail));
        }
        let to = match SubscriptionKind::parse(&asked.kind) {
            Some(SubscriptionKind::MintQuote(method)) => {
                mint.must_mint(&method)?;
                Subscribed::MintQuotes(asked.filters.clone())
            }
            Some(SubscriptionKind::MeltQuote(method)) => {
                mint.must_melt(&method)?;
                Subscribed::MeltQuotes(asked.filters.clone())
            }
            Some(SubscriptionKind::ProofState) => {
                let points = asked.filters.iter().map(|hex| Point::from_hex(hex));
                let points: Result<Vec<_>, _> = points.collect();
                Subscribed::Notes(points.map_err(|_| wrong("a filter is no point"))?)
            }
            None => return Err(wrong("there is no such kind: see /v1/info")),
        };
        let told = to.states(bank, mint).await?;
        self.all.insert(asked.sub_id.clone(), Subscription { to, told: told.clone() });
        Ok(told)
    }

    /// What changed since it was told last.
    async fn news(&mut self, bank: &Bank, mint: &Mint) -> Vec<String> {
        let mut messages = Vec::new();
        for (name, subscription) in &mut self.all {
            if subscription.is_over() {
                continue;
            }
            // What cannot be looked up now is the next time.
            let Ok(states) = subscription.to.states(bank, mint).await else { continue };
            for (now, before) in states.iter().zip(&subscription.told) {
                if now != before {
                    messages.extend(text_of(&WsNotification::new(name, now)));
                }
            }
            subscription.told = states;
        }
        messages
    }
}

impl Subscription {
    /// Whether nothing of it can change any more.
    fn is_over(&self) -> bool {
        let last = match self.to {
            Subscribed::MintQuotes(_) => "ISSUED",
            Subscribed::MeltQuotes(_) => "PAID",
            Subscribed::Notes(_) => "SPENT",
        };
        self.told.iter().all(|told| told.get("state").and_then(Value::as_str) == Some(last))
    }
}

impl Subscribed {
    /// How everything stands that is subscribed to.
    async fn states(&self, bank: &Bank, mint: &Mint) -> Result<Vec<Value>, MintRefusal> {
        let mut states = Vec::new();
        match self {
            Self::MintQuotes(quotes) => {
                for quote in quotes {
                    let quote = bank.records.mint_quote(quote).await?;
                    states.push(serde_json::to_value(bank.told(mint, &quote)?));
                }
            }
            Self::MeltQuotes(quotes) => {
                for quote in quotes {
                    let quote = bank.records.melt_quote(quote).await?;
                    states.push(serde_json::to_value(bank.melted(mint, &quote).await?));
                }
            }
            Self::Notes(points) => {
                let notes = bank.note_states(points.clone()).await?;
                states.extend(notes.iter().map(serde_json::to_value));
            }
        }
        let states: Result<Vec<_>, _> = states.into_iter().collect();
        states.map_err(MintRefusal::internal)
    }
}

/// What is wrong with a request that cannot be read, in JSON-RPC's numbers.
fn misunderstood(json: &Value) -> i64 {
    let text = |name| json.get(name).and_then(Value::as_str);
    match (text("jsonrpc"), text("method")) {
        (Some(JSON_RPC), Some("subscribe" | "unsubscribe")) => WRONG_PARAMETERS,
        (Some(JSON_RPC), Some(_)) => NO_METHOD,
        _ => NO_REQUEST,
    }
}

fn refused(id: Value, code: i64, message: &str) -> Vec<String> {
    let error = WsErrorBody { code, message: message.to_owned() };
    text_of(&WsError { jsonrpc: JSON_RPC.to_owned(), error, id })
}

/// A message as text; nothing where it has none, which does not happen to these.
fn text_of(message: &impl serde::Serialize) -> Vec<String> {
    serde_json::to_string(message).into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use tokio::sync::Semaphore;

    #[test]
    fn a_message_that_is_no_subscription_is_refused_with_json_rpcs_number_for_it() {
        let rows = [
            (json!({"jsonrpc": "2.0", "method": "publish", "params": {}, "id": 1}), NO_METHOD),
            (
                json!({"jsonrpc": "2.0", "method": "subscribe", "params": {}, "id": 1}),
                WRONG_PARAMETERS,
            ),
            (json!({"jsonrpc": "1.0", "method": "subscribe", "params": {}, "id": 1}), NO_REQUEST),
            (json!({"jsonrpc": "2.0", "id": 1}), NO_REQUEST),
            (json!([1]), NO_REQUEST),
        ];
        for (message, number) in rows {
            assert!(!WsRequest::deserialize(&message).is_ok_and(|read| read.jsonrpc == JSON_RPC));
            assert_eq!(misunderstood(&message), number, "{message}");
        }
    }

    #[tokio::test]
    async fn who_listens_is_cut_off_after_the_longest_time_and_the_place_is_free() {
        assert_eq!(LONGEST, Duration::from_secs(60 * 60), "an hour");
        let places = Arc::new(Semaphore::new(1));
        let place = || Arc::clone(&places).try_acquire_owned().unwrap();
        let short = Duration::from_millis(50);
        // It would listen for ever.
        let listening = tokio::spawn(in_place(place(), short, std::future::pending()));
        tokio::task::yield_now().await;
        assert!(Arc::clone(&places).try_acquire_owned().is_err(), "the place is taken");
        listening.await.unwrap();
        // One that leaves by itself frees it at once.
        in_place(place(), LONGEST, std::future::ready(())).await;
        drop(place());
    }
}
