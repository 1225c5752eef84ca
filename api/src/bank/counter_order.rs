//! Orders given with a card and PIN at a terminal: cash in, cash out, a payment. Each is written down
//! with officer and terminal, and done once under the id that the terminal chose. What is above the
//! limit takes the officer's identification of the holder in place of a presentation.

use super::branch::seen;
use super::payment::lifted_by_presentation;
use super::terminal::{CardAndPin, PinText};
use super::{Bank, Banks, named};
use crate::http::{Problem, ProblemBody};
use crate::ledger::CommandDone;
use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::sync::Arc;
use utoipa::ToSchema;
use yufu_base::{AccountId, CommandId, Digest};
use yufu_machine::{Action, Authorisation, Direction};
use yufu_onboarding::{AccountState, OnboardingError, Order, OrderState, Terminal};
use yufu_payment::stepped_up_id;

/// What is ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CounterOrderKind {
    /// Notes into the wallet.
    CashIn,
    /// From the wallet into notes.
    CashOut,
    /// To another account.
    Pay,
}

/// An order at a terminal.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CounterOrderRequest {
    /// A UUID of version 7 that the terminal chose: repeating the order with it does it once.
    pub id: String,
    /// The card's number, 16 digits.
    pub card: String,
    /// The PIN.
    pub pin: PinText,
    /// What is ordered.
    pub kind: CounterOrderKind,
    /// How much, in minor units.
    pub amount_minor: u64,
    /// The account that is paid, of a payment.
    pub payee: Option<String>,
    /// The payee's name as the person said it, of a payment.
    pub payee_name: Option<String>,
    /// The officer's identification of the holder: lifts a limit that an identity lifts.
    pub identification: Option<Identification>,
}

/// An officer identified the card's holder in person.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Identification {
    /// The resident number, as the card that was shown says.
    pub number: String,
    /// What the officer saw, and where it is filed: no personal data.
    pub evidence: String,
}

/// An order that was done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CounterOrderDone {
    /// The order's id.
    pub order: String,
    /// When, in milliseconds since the epoch.
    pub at: u64,
    /// The record of the log that carries it.
    pub seq: u64,
    /// What the wallet holds afterwards, in minor units.
    pub balance_minor: Option<u64>,
}

/// An order as the bank writes it down.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CounterOrder {
    pub(super) kind: CounterOrderKind,
    pub(super) amount_minor: u64,
    payee: Option<String>,
    pub(super) payee_name: Option<String>,
    terminal: String,
    officer: String,
}

/// Cash in, cash out, or pay, with a card and PIN. The bearer token is the terminal's session.
///
/// A refusal whose `step_up.kind` is `in_person` is lifted by the same order with `identification`.
#[utoipa::path(post, path = "/banks/{bank}/v1/terminal/orders", tag = "bank terminal",
    params(("bank" = String, Path, description = "the bank")), request_body = CounterOrderRequest,
    security(("terminal" = [])),
    responses(
        (status = 200, description = "done, durably", body = CounterOrderDone),
        (status = 400, body = ProblemBody),
        (status = 401, description = "the terminal has no session", body = ProblemBody),
        (status = 403, description = "the person identified is not the card's holder", body = ProblemBody),
        (status = 409, description = "the id was used for another order", body = ProblemBody),
        (status = 422, description = "card and PIN do not fit, or refused by a rule; nothing moved", body = ProblemBody),
        (status = 429, description = "too soon after a wrong PIN", body = ProblemBody)))]
pub(super) async fn order(
    State(banks): State<Arc<Banks>>,
    Path(bank): Path<String>,
    headers: HeaderMap,
    request: Result<Json<CounterOrderRequest>, JsonRejection>,
) -> Result<Json<CounterOrderDone>, Problem> {
    let bank = named(&banks, &bank)?;
    let terminal = bank.at_terminal(&headers).await?;
    Ok(Json(bank.counter_order(terminal, request?.0).await?))
}

impl Bank {
    async fn counter_order(
        &self,
        terminal: Terminal,
        request: CounterOrderRequest,
    ) -> Result<CounterOrderDone, Problem> {
        let id: CommandId = request.id.parse().map_err(Problem::malformed)?;
        let officer = terminal.officer.clone();
        let order = request.order(terminal)?;
        let typed = CardAndPin { card: request.card, pin: request.pin };
        let account = self.by_card(&typed).await?;
        let found = self.records.account(account).await?;
        if found.state != AccountState::Open {
            let detail = format!("the wallet is {}", found.state.as_str());
            return Err(Problem::conflict("account.not_open", detail));
        }
        self.must_not_be_frozen(account).await?;
        let text = serde_json::to_string(&order).map_err(Problem::internal)?;
        let action = self.counter_action(&order, account, &text, Authorisation::Ordinary)?;
        let entry = self.entry(id, format!("order:{id}"), action)?;
        let row = Order { id, account, signed: text, state: OrderState::Taken, verification: None };
        match self.records.take_order_by("", &row, &entry, self.now()).await {
            // At another terminal, or served by another officer, it is the same order if it says the same.
            Err(OnboardingError::OrderIdReused) => self.was_given(id, account, &order).await?,
            taken => taken?,
        }
        match self.submit(id).await {
            Ok(done) => Ok(answered(id, done)),
            Err(refusal) if lifted_by_presentation(&refusal) => {
                let wish = request.identification.map(|shown| (officer, shown));
                self.identify(id, wish, refusal).await
            }
            Err(refusal) => Err(refusal),
        }
    }

    /// Lets an order above the limit through if its holder was identified, or if it went through
    /// that way before.
    async fn identify(
        &self,
        id: CommandId,
        wish: Option<(String, Identification)>,
        refusal: Problem,
    ) -> Result<CounterOrderDone, Problem> {
        let lifted = stepped_up_id(id);
        if self.records.outbox(lifted).await?.is_some() {
            return Ok(answered(id, self.submit(lifted).await?));
        }
        let Some((officer, shown)) = wish else {
            return Err(refusal.with("step_up", json!({"kind": "in_person"})));
        };
        seen(&shown.evidence)?;
        let row = self.records.order(id).await?;
        self.must_hold(row.account, &shown.number).await?;
        let order: CounterOrder = serde_json::from_str(&row.signed).map_err(Problem::internal)?;
        let evidence = format!("{officer}\0{}", shown.evidence);
        let presentation = Digest::derive("yufu.in-person.v1", evidence.as_bytes());
        let authorisation = Authorisation::SteppedUp { presentation };
        let action = self.counter_action(&order, row.account, &row.signed, authorisation)?;
        let entry = self.entry(lifted, format!("order:{id}"), action)?;
        let what = format!("identify {id}");
        let step = self.card_step_of(row.account, &what, officer, shown.evidence);
        self.records.identified_at_counter(&step, &entry).await?;
        Ok(answered(id, self.submit(lifted).await?))
    }

    /// Checks that what was taken under an id is this very order.
    async fn was_given(
        &self,
        id: CommandId,
        account: AccountId,
        order: &CounterOrder,
    ) -> Result<(), Problem> {
        let row = self.records.order(id).await?;
        let known: Option<CounterOrder> = serde_json::from_str(&row.signed).ok();
        let same = known.is_some_and(|known| row.account == account && known.says(order));
        if same { Ok(()) } else { Err(OnboardingError::OrderIdReused.into()) }
    }

    fn counter_action(
        &self,
        order: &CounterOrder,
        account: AccountId,
        text: &str,
        authorisation: Authorisation,
    ) -> Result<Action, Problem> {
        let amount = self.amount(order.amount_minor);
        let exchange = |direction| Action::Exchange { direction, amount };
        Ok(match order.kind {
            CounterOrderKind::CashIn => exchange(Direction::PaperToDigital(account)),
            CounterOrderKind::CashOut => exchange(Direction::DigitalToPaper(account)),
            CounterOrderKind::Pay => {
                let payee = order.payee.as_deref().unwrap_or_default();
                Action::Pay {
                    payer: account,
                    payee: payee.parse().map_err(Problem::malformed)?,
                    amount,
                    order: Digest::derive("yufu.counter-order.v1", text.as_bytes()),
                    authorisation,
                }
            }
        })
    }
}

impl CounterOrderRequest {
    fn order(&self, terminal: Terminal) -> Result<CounterOrder, Problem> {
        let (payee, payee_name) = match (self.kind, &self.payee, &self.payee_name) {
            (CounterOrderKind::Pay, Some(payee), Some(name)) if named_well(name) => {
                (Some(payee.clone()), Some(name.clone()))
            }
            (CounterOrderKind::Pay, ..) => {
                let detail = "a payment names payee and payee_name, of 1 to 200 characters";
                return Err(Problem::malformed(detail));
            }
            (_, None, None) => (None, None),
            _ => return Err(Problem::malformed("only a payment names a payee")),
        };
        Ok(CounterOrder {
            kind: self.kind,
            amount_minor: self.amount_minor,
            payee,
            payee_name,
            terminal: terminal.name,
            officer: terminal.officer,
        })
    }
}

impl CounterOrderKind {
    /// Its word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::CashIn => "cash_in",
            Self::CashOut => "cash_out",
            Self::Pay => "pay",
        }
    }
}

impl CounterOrder {
    /// Whether two orders say the same, wherever they were given.
    fn says(&self, other: &Self) -> bool {
        let of = |order: &Self| {
            (order.kind, order.amount_minor, order.payee.clone(), order.payee_name.clone())
        };
        of(self) == of(other)
    }
}

fn named_well(name: &str) -> bool {
    (1..=200).contains(&name.chars().count()) && !name.chars().any(char::is_control)
}

fn answered(order: CommandId, done: CommandDone) -> CounterOrderDone {
    let CommandDone { at, seq, balance_minor, .. } = done;
    CounterOrderDone { order: order.to_string(), at, seq, balance_minor }
}
