//! The yardstick: institutions that share nothing. Each registers its customers by a form and a copy of the
//! card, gives them a password, takes payment by bank transfer, and looks at the card again.

use anyhow::Result;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::post;
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use yufu_api::http::{Limits, serve};
use yufu_base::Digest;
use yufu_keys::random_text;

/// Attributes of a person by name, as a form or a copy of a card has them.
pub(super) type Attributes = BTreeMap<String, String>;

/// A form filled in, with a copy of the card.
#[derive(Serialize, Deserialize)]
pub(super) struct Registration {
    pub(super) form: Attributes,
    pub(super) card: Attributes,
    pub(super) phone: String,
    pub(super) password: String,
}

/// What a registration is answered with; the code goes to the telephone.
#[derive(Serialize, Deserialize)]
pub(super) struct Registered {
    pub(super) account: String,
    pub(super) code: String,
}

#[derive(Serialize, Deserialize)]
pub(super) struct Code {
    pub(super) account: String,
    pub(super) code: String,
}

#[derive(Serialize, Deserialize)]
pub(super) struct Login {
    pub(super) account: String,
    pub(super) password: String,
}

#[derive(Serialize, Deserialize)]
pub(super) struct Session {
    pub(super) session: String,
}

#[derive(Serialize, Deserialize)]
pub(super) struct Purchase {
    pub(super) purchase: String,
}

/// A transfer was made for a purchase.
#[derive(Serialize, Deserialize)]
pub(super) struct Transfer {
    pub(super) purchase: String,
    pub(super) order: String,
}

/// The card is looked at, at a desk or a gate.
#[derive(Serialize, Deserialize)]
pub(super) struct Card {
    pub(super) purchase: String,
    pub(super) card: Attributes,
}

/// The silos, while they run.
pub(super) struct Silos {
    pub(super) url: String,
    state: Arc<Mutex<Stored>>,
    stop: oneshot::Sender<()>,
    served: JoinHandle<()>,
}

#[derive(Default)]
struct Stored {
    /// Password digest and unanswered code, by silo and account.
    accounts: BTreeMap<(String, String), (Digest, Option<String>)>,
    sessions: BTreeSet<(String, String)>,
    /// The transfer that paid it, by silo and purchase.
    purchases: BTreeMap<(String, String), Option<String>>,
    /// Attributes received, each time they were.
    disclosures: usize,
}

type Shared = State<Arc<Mutex<Stored>>>;
type Answer<T> = Result<Json<T>, StatusCode>;

impl Silos {
    /// Starts them on a free port of this machine.
    pub(super) async fn start() -> Result<Self> {
        let state = Arc::new(Mutex::new(Stored::default()));
        let router = Router::new()
            .route("/{silo}/registrations", post(register))
            .route("/{silo}/codes", post(confirm))
            .route("/{silo}/sessions", post(log_in))
            .route("/{silo}/purchases", post(purchase))
            .route("/{silo}/transfers", post(transfer))
            .route("/{silo}/cards", post(show_card))
            .with_state(Arc::clone(&state));
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let url = format!("http://localhost:{}", listener.local_addr()?.port());
        let (stop, stopped) = oneshot::channel::<()>();
        let served = tokio::spawn(async move {
            let shutdown = async { drop(stopped.await) };
            drop(serve(listener, router, Limits::default(), shutdown).await);
        });
        Ok(Self { url, state, stop, served })
    }

    /// Stops them, and says how many attributes they were given.
    pub(super) async fn stop(self) -> Result<usize> {
        drop(self.stop);
        self.served.await?;
        Ok(lock(&self.state).disclosures)
    }
}

fn lock(state: &Arc<Mutex<Stored>>) -> MutexGuard<'_, Stored> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Stored {
    fn received<'a>(&mut self, names: impl Iterator<Item = &'a String>) {
        let names: BTreeSet<&String> = names.collect();
        self.disclosures = self.disclosures.saturating_add(names.len());
    }
}

async fn register(
    State(state): Shared,
    Path(silo): Path<String>,
    Json(new): Json<Registration>,
) -> Answer<Registered> {
    let (account, code) = (random_text(), random_text());
    let mut stored = lock(&state);
    stored.received(new.form.keys().chain(new.card.keys()));
    let password = Digest::of(new.password.as_bytes());
    stored.accounts.insert((silo, account.clone()), (password, Some(code.clone())));
    Ok(Json(Registered { account, code }))
}

async fn confirm(
    State(state): Shared,
    Path(silo): Path<String>,
    Json(answer): Json<Code>,
) -> Answer<()> {
    let mut stored = lock(&state);
    let known = stored.accounts.get_mut(&(silo, answer.account)).ok_or(StatusCode::NOT_FOUND)?;
    if known.1.as_deref() != Some(answer.code.as_str()) {
        return Err(StatusCode::FORBIDDEN);
    }
    known.1 = None;
    Ok(Json(()))
}

async fn log_in(
    State(state): Shared,
    Path(silo): Path<String>,
    Json(login): Json<Login>,
) -> Answer<Session> {
    let mut stored = lock(&state);
    let expected = (Digest::of(login.password.as_bytes()), None);
    if stored.accounts.get(&(silo.clone(), login.account)) != Some(&expected) {
        return Err(StatusCode::FORBIDDEN);
    }
    let session = random_text();
    stored.sessions.insert((silo, session.clone()));
    Ok(Json(Session { session }))
}

async fn purchase(
    State(state): Shared,
    Path(silo): Path<String>,
    Json(wish): Json<Session>,
) -> Answer<Purchase> {
    let mut stored = lock(&state);
    if !stored.sessions.contains(&(silo.clone(), wish.session)) {
        return Err(StatusCode::FORBIDDEN);
    }
    let purchase = random_text();
    stored.purchases.insert((silo, purchase.clone()), None);
    Ok(Json(Purchase { purchase }))
}

async fn transfer(
    State(state): Shared,
    Path(silo): Path<String>,
    Json(made): Json<Transfer>,
) -> Answer<()> {
    let mut stored = lock(&state);
    let known = stored.purchases.get_mut(&(silo, made.purchase)).ok_or(StatusCode::NOT_FOUND)?;
    *known = Some(made.order);
    Ok(Json(()))
}

async fn show_card(
    State(state): Shared,
    Path(silo): Path<String>,
    Json(shown): Json<Card>,
) -> Answer<()> {
    let mut stored = lock(&state);
    stored.received(shown.card.keys());
    match stored.purchases.get(&(silo, shown.purchase)) {
        Some(Some(_)) => Ok(Json(())),
        _ => Err(StatusCode::PAYMENT_REQUIRED),
    }
}
