//! Terminals at the counter: the officer opens a session, and the person types card and PIN there.
//! The PIN goes from the terminal to the bank; the officer does not see it, and it is in no log.

use super::branch::officer;
use super::counter_order::CounterOrder;
use super::opening::{BIRTHDATE, NUMBER};
use super::{Bank, Banks, named};
use crate::http::{Problem, ProblemBody, bearer};
use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::sync::Arc;
use utoipa::ToSchema;
use yufu_base::AccountId;
use yufu_keys::{random, random_text};
use yufu_onboarding::{Access, CardNumber, Pin, Terminal};
use zeroize::Zeroizing;

/// For how long a terminal may hand in what is typed there, in seconds.
const SESSION_SECONDS: u64 = 600;
/// How many orders a statement lists.
const ENTRIES: u64 = 10;

/// A terminal to be opened.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TerminalRequest {
    /// The terminal's name, 1 to 40 bytes.
    #[schema(example = "counter-3")]
    pub terminal: String,
}

/// A terminal's session.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct TerminalSession {
    /// The bearer token for the terminal; the bank keeps only a keyed digest of it.
    pub session: String,
    /// Until when it is good, in seconds since the epoch.
    pub expires: u64,
}

/// Digits that were typed at a terminal. Never printed; wiped when they are dropped.
#[derive(Clone, ToSchema)]
#[schema(value_type = String, format = Password)]
pub struct PinText(Zeroizing<String>);

/// A card, and its PIN.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CardAndPin {
    /// The card's number, 16 digits.
    pub card: String,
    /// The PIN.
    pub pin: PinText,
}

/// The PIN of a card that has none.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FirstPin {
    /// The card's number, 16 digits.
    pub card: String,
    /// The PIN that is to be: six digits that are not easily guessed.
    pub pin: PinText,
}

/// Another PIN for a card.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PinChange {
    /// The card's number, 16 digits.
    pub card: String,
    /// The PIN so far.
    pub pin: PinText,
    /// The PIN that is to be.
    pub new_pin: PinText,
}

/// A PIN was set.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct PinSet {
    /// The wallet that the card is for.
    pub account: String,
}

/// What is in a counter wallet, and its last orders.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct CounterStatement {
    /// The wallet.
    pub account: String,
    /// ISO 4217.
    pub currency: String,
    /// What it holds, in minor units.
    pub balance_minor: u64,
    /// The last ten orders given with the card, newest first. What others paid in is in the balance.
    pub entries: Vec<CounterEntry>,
}

/// An order given with a card.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct CounterEntry {
    /// Its id.
    pub order: String,
    /// When it was taken, in seconds since the epoch.
    pub at: u64,
    /// `cash_in`, `cash_out` or `pay`.
    pub kind: String,
    /// How much, in minor units.
    pub amount_minor: u64,
    /// To whom, if it was a payment.
    pub payee_name: Option<String>,
    /// `settled`, `refused` or `taken`.
    pub state: String,
}

/// Open a terminal for ten minutes. The `Operator` header names the officer who serves there.
#[utoipa::path(post, path = "/banks/{bank}/v1/desk/terminal-sessions", tag = "bank desk",
    params(("bank" = String, Path, description = "the bank")), request_body = TerminalRequest,
    security(("operator" = [])),
    responses((status = 201, body = TerminalSession), (status = 400, description = "no officer is named", body = ProblemBody), (status = 401, body = ProblemBody)))]
pub(super) async fn open(
    State(banks): State<Arc<Banks>>,
    Path(bank): Path<String>,
    headers: HeaderMap,
    request: Result<Json<TerminalRequest>, JsonRejection>,
) -> Result<(StatusCode, Json<TerminalSession>), Problem> {
    let bank = named(&banks, &bank)?;
    let officer = officer(bank.operator.authenticate(&headers)?)?;
    let name = request?.0.terminal;
    if !(1..=40).contains(&name.len()) {
        return Err(Problem::malformed("terminal is to be its name, 1 to 40 bytes"));
    }
    let (session, now) = (random_text(), bank.now());
    let expires = now.plus_seconds(SESSION_SECONDS);
    bank.records.open_terminal(&session, Terminal { name, officer }, (now, expires)).await?;
    Ok((StatusCode::CREATED, Json(TerminalSession { session, expires: expires.seconds() })))
}

/// Set the PIN of a new or unblocked card. The bearer token is the terminal's session.
///
/// The holder's number and date of birth are read for it, recorded, so that no PIN is in them.
#[utoipa::path(post, path = "/banks/{bank}/v1/terminal/pins", tag = "bank terminal",
    params(("bank" = String, Path, description = "the bank")), request_body = FirstPin,
    security(("terminal" = [])),
    responses((status = 200, body = PinSet), (status = 400, body = ProblemBody), (status = 401, description = "the terminal has no session", body = ProblemBody), (status = 422, description = "easily guessed, or no PIN is to be set", body = ProblemBody)))]
pub(super) async fn first_pin(
    State(banks): State<Arc<Banks>>,
    Path(bank): Path<String>,
    headers: HeaderMap,
    request: Result<Json<FirstPin>, JsonRejection>,
) -> Result<Json<PinSet>, Problem> {
    let bank = named(&banks, &bank)?;
    let terminal = bank.at_terminal(&headers).await?;
    let FirstPin { card, pin } = request?.0;
    let (card, pin) = (CardNumber::parse(&card)?, pin.pin()?);
    let access = bank.for_pin(terminal);
    let account = bank.records.set_first_pin(&card, &pin, random(), access).await?;
    Ok(Json(PinSet { account: account.to_string() }))
}

/// Change a card's PIN, with the former one. The bearer token is the terminal's session.
#[utoipa::path(post, path = "/banks/{bank}/v1/terminal/pin-changes", tag = "bank terminal",
    params(("bank" = String, Path, description = "the bank")), request_body = PinChange,
    security(("terminal" = [])),
    responses((status = 200, body = PinSet), (status = 400, body = ProblemBody), (status = 401, description = "the terminal has no session", body = ProblemBody), (status = 422, description = "card and PIN do not fit, or the new one is easily guessed", body = ProblemBody), (status = 429, description = "too soon after a wrong PIN", body = ProblemBody)))]
pub(super) async fn change_pin(
    State(banks): State<Arc<Banks>>,
    Path(bank): Path<String>,
    headers: HeaderMap,
    request: Result<Json<PinChange>, JsonRejection>,
) -> Result<Json<PinSet>, Problem> {
    let bank = named(&banks, &bank)?;
    let terminal = bank.at_terminal(&headers).await?;
    let PinChange { card, pin, new_pin } = request?.0;
    let card = CardNumber::parse(&card)?;
    let (former, new) = (pin.pin()?, new_pin.pin()?);
    let access = bank.for_pin(terminal);
    let account = bank.records.change_pin(&card, (&former, &new), random(), access).await?;
    Ok(Json(PinSet { account: account.to_string() }))
}

/// What is in a counter wallet, and its last orders. The bearer token is the terminal's session.
#[utoipa::path(post, path = "/banks/{bank}/v1/terminal/statements", tag = "bank terminal",
    params(("bank" = String, Path, description = "the bank")), request_body = CardAndPin,
    security(("terminal" = [])),
    responses((status = 200, body = CounterStatement), (status = 400, body = ProblemBody), (status = 401, description = "the terminal has no session", body = ProblemBody), (status = 422, description = "card and PIN do not fit", body = ProblemBody), (status = 429, description = "too soon after a wrong PIN", body = ProblemBody)))]
pub(super) async fn statement(
    State(banks): State<Arc<Banks>>,
    Path(bank): Path<String>,
    headers: HeaderMap,
    request: Result<Json<CardAndPin>, JsonRejection>,
) -> Result<Json<CounterStatement>, Problem> {
    let bank = named(&banks, &bank)?;
    bank.at_terminal(&headers).await?;
    let account = bank.by_card(&request?.0).await?;
    Ok(Json(bank.counter_statement(account).await?))
}

impl Bank {
    /// The terminal that asks, if an officer opened it.
    pub(super) async fn at_terminal(&self, headers: &HeaderMap) -> Result<Terminal, Problem> {
        let wanted =
            "send the terminal's session as \"Authorization: Bearer ...\"; the officer opens one";
        let session = bearer(headers).ok_or_else(|| Problem::unauthenticated(wanted))?;
        Ok(self.records.terminal(session, self.now()).await?)
    }

    /// Whose wallet a card and its PIN are for.
    pub(super) async fn by_card(&self, typed: &CardAndPin) -> Result<AccountId, Problem> {
        let card = CardNumber::parse(&typed.card)?;
        Ok(self.records.authorise(&card, &typed.pin.pin()?, self.now()).await?)
    }

    fn for_pin(&self, terminal: Terminal) -> Access {
        Access {
            actor: terminal.name,
            purpose: "a PIN was set: it must not be in these".to_owned(),
            fields: vec![NUMBER.to_owned(), BIRTHDATE.to_owned()],
            at: self.now(),
        }
    }

    async fn counter_statement(&self, account: AccountId) -> Result<CounterStatement, Problem> {
        let wallet = self.wallet(account).await?;
        let orders = self.records.last_orders(account, ENTRIES).await?;
        let entry = |(order, at): (yufu_onboarding::Order, yufu_base::Timestamp)| {
            // An account that a key operated before has orders of other kinds: those are not listed.
            let given: CounterOrder = serde_json::from_str(&order.signed).ok()?;
            Some(CounterEntry {
                order: order.id.to_string(),
                at: at.seconds(),
                kind: given.kind.word().to_owned(),
                amount_minor: given.amount_minor,
                payee_name: given.payee_name,
                state: order.state.as_str().to_owned(),
            })
        };
        Ok(CounterStatement {
            account: account.to_string(),
            currency: wallet.currency,
            balance_minor: wallet.balance_minor,
            entries: orders.into_iter().filter_map(entry).collect(),
        })
    }
}

impl PinText {
    /// The digits, as they were typed.
    #[must_use]
    pub fn new(digits: &str) -> Self {
        Self(Zeroizing::new(digits.to_owned()))
    }

    pub(super) fn pin(&self) -> Result<Pin, Problem> {
        Ok(Pin::new(&self.0)?)
    }
}

impl Serialize for PinText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for PinText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Digits)
    }
}

impl fmt::Debug for PinText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PinText(…)")
    }
}

/// Reads a PIN. Whatever else stands there is refused without being repeated in the answer.
struct Digits;

impl Visitor<'_> for Digits {
    type Value = PinText;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a PIN: a text of six digits")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<PinText, E> {
        Ok(PinText::new(text))
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<PinText, E> {
        Err(E::custom("a PIN is a text of six digits, not a number"))
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<PinText, E> {
        Err(E::custom("a PIN is a text of six digits, not a number"))
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<PinText, E> {
        Err(E::custom("a PIN is a text of six digits, not a number"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_is_neither_printed_nor_repeated_in_a_refusal() {
        let read: CardAndPin = serde_json::from_str(r#"{"card":"9","pin":"730519"}"#).unwrap();
        assert_eq!(format!("{:?}", read.pin), "PinText(…)");
        assert!(read.pin.pin().is_ok());
        for wrong in ["730519", "-730519", "7305.19", "[730519]", "{\"x\":730519}"] {
            let text = format!("{{\"card\":\"9\",\"pin\":{wrong}}}");
            let refused = serde_json::from_str::<CardAndPin>(&text).err().unwrap().to_string();
            assert!(!refused.contains("7305"), "{refused}");
        }
    }
}
