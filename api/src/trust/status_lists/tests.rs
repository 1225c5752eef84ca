//! An issuer over HTTP that counts who asks, and a party that has its lists at hand; time is an argument.

use super::*;
use crate::http::Client;
use crate::trust::{SeenLists, SharedPin};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use tempfile::TempDir;
use tokio::net::TcpListener;
use yufu_base::Signer as _;
use yufu_fixtures::{Party, key, party};
use yufu_jose::Header;
use yufu_keys::KeyStore;
use yufu_trust::{GoodPaths, Localized, Status, StatusBits, StatusList, TrustPin};

const NOW: Timestamp = Timestamp::from_seconds(1_790_000_000);

const fn at(seconds: u64) -> Timestamp {
    NOW.plus_seconds(seconds)
}

/// The issuer, and the operator of the list that it is on.
struct Issuer {
    url: String,
    party: Party,
    state: Mutex<Of>,
    /// A reader's memory.
    folder: TempDir,
}

struct Of {
    now: Timestamp,
    lists: u64,
    revoked: bool,
    answers: bool,
    calls: BTreeMap<String, usize>,
    /// How often the trust list was asked for.
    trusting: usize,
}

impl Issuer {
    async fn start() -> Arc<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let calls = BTreeMap::new();
        let state = Of { now: NOW, lists: 3, revoked: false, answers: true, calls, trusting: 0 };
        let folder = tempfile::tempdir().unwrap();
        let issuer = Arc::new(Self { url, party: party(), state: Mutex::new(state), folder });
        let router = Router::new()
            .route("/list", get(trust_list))
            .route("/.well-known/oauth-authorization-server/authority", get(metadata))
            .route("/authority/status", get(named))
            .route("/authority/status/{list}", get(list))
            .with_state(Arc::clone(&issuer));
        tokio::spawn(async move { axum::serve(listener, router).await });
        issuer
    }

    fn source(&self) -> TrustSource {
        let seen = SeenLists::new(KeyStore::open(self.folder.path()).unwrap());
        let url = format!("{}/list", self.url);
        let pin = SharedPin::new(TrustPin::given(key(9).public_key()));
        TrustSource::new(Client::new().unwrap(), url, pin, seen).unwrap()
    }

    fn of(&self) -> std::sync::MutexGuard<'_, Of> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn uri(&self, list: u64) -> String {
        format!("{}/authority/status/{list}", self.url)
    }

    /// How often each list was asked for since this was asked last.
    fn fetched(&self) -> Vec<usize> {
        let calls = std::mem::take(&mut self.of().calls);
        calls.into_values().collect()
    }

    /// What a party says of a place of a list at a moment.
    async fn status(&self, source: &TrustSource, list: u64, now: Timestamp) -> Option<Status> {
        self.of().now = now;
        source.identity_status(&self.uri(list), now).await.ok()?.list.get(7)
    }

    async fn look(&self, source: &TrustSource, now: Timestamp) {
        self.of().now = now;
        source.look_after_lists(&BTreeSet::from([Role::PidIssuer]), now).await;
    }
}

async fn trust_list(State(issuer): State<Arc<Issuer>>) -> String {
    let mut of = issuer.of();
    of.trusting = of.trusting.saturating_add(1);
    drop(of);
    let anchors = std::slice::from_ref(&issuer.party.anchor);
    let identifier = format!("{}/authority", issuer.url);
    let list = TrustList {
        operator: "https://trust.example".into(),
        sequence: 1,
        issued_at: NOW,
        expires_at: at(86_400),
        entries: vec![TrustEntry::new(
            Localized::new("en", "x"),
            Role::PidIssuer,
            &identifier,
            anchors,
        )],
        recognised: Vec::new(),
        directory: Vec::new(),
        good_paths: GoodPaths::default(),
    };
    list.sign(&key(9)).unwrap()
}

async fn metadata(State(issuer): State<Arc<Issuer>>) -> Json<Value> {
    let at = format!("{}/authority", issuer.url);
    Json(json!({"issuer": at, "status_list_aggregation_endpoint": format!("{at}/status")}))
}

async fn named(State(issuer): State<Arc<Issuer>>) -> Json<Value> {
    let lists: Vec<String> = (1..=issuer.of().lists).map(|list| issuer.uri(list)).collect();
    Json(json!({"status_lists": lists}))
}

async fn list(
    State(issuer): State<Arc<Issuer>>,
    Path(list): Path<u64>,
) -> Result<String, StatusCode> {
    let mut of = issuer.of();
    let count = of.calls.entry(list.to_string()).or_default();
    *count = count.saturating_add(1);
    if !of.answers {
        return Err(StatusCode::SERVICE_UNAVAILABLE);
    }
    let mut statuses = StatusList::new(StatusBits::Two, 64).unwrap();
    let status = if of.revoked { Status::Invalid } else { Status::Valid };
    statuses.set(7, status).unwrap();
    let token = StatusListToken {
        uri: issuer.uri(list),
        issued_at: of.now,
        expires_at: of.now.plus_seconds(300),
        ttl_seconds: Some(60),
        list: statuses,
    };
    let Party { key, chain, .. } = &issuer.party;
    Ok(token.sign(Header::default().with_chain(chain), key).unwrap())
}

#[tokio::test]
async fn lists_are_fetched_before_they_are_needed_and_renewed_without_anybody_waiting() {
    let issuer = Issuer::start().await;
    let source = issuer.source();
    issuer.look(&source, NOW).await;
    assert_eq!(issuer.fetched(), [1, 1, 1], "all of them, whichever is needed");
    for _ in 0..100 {
        for list in 1..=3 {
            assert_eq!(issuer.status(&source, list, NOW).await, Some(Status::Valid));
        }
    }
    assert_eq!(issuer.fetched(), [0; 0], "three hundred look-ups, and nobody was asked");
    // Second by second: each list is renewed, and no look-up ever finds one that is old.
    for second in 1..=600 {
        issuer.look(&source, at(second)).await;
        let before = issuer.fetched();
        assert!(before.iter().all(|count| *count == 1), "{before:?}");
        for list in 1..=3 {
            assert_eq!(issuer.status(&source, list, at(second)).await, Some(Status::Valid));
        }
        assert_eq!(issuer.fetched(), [0; 0], "on the way of a look-up, after {second} s");
    }
    // A list that was opened since is found, and at hand before it is needed.
    issuer.of().lists = 4;
    for second in 601..=661 {
        issuer.look(&source, at(second)).await;
    }
    assert!(issuer.fetched().len() == 4);
    assert_eq!(issuer.status(&source, 4, at(661)).await, Some(Status::Valid));
    assert_eq!(issuer.fetched(), [0; 0]);
}

#[tokio::test]
async fn whoever_relied_on_the_trust_list_once_has_it_at_hand_and_its_operator_sees_no_verification()
 {
    let issuer = Issuer::start().await;
    let source = issuer.source();
    issuer.look(&source, NOW).await;
    assert_eq!(std::mem::take(&mut issuer.of().trusting), 1);
    source.list(NOW).await.unwrap();
    assert_eq!(std::mem::take(&mut issuer.of().trusting), 1, "the first time it is of this moment");
    for second in 1..=600 {
        issuer.look(&source, at(second)).await;
        issuer.of().trusting = 0;
        source.list(at(second)).await.unwrap();
        assert_eq!(issuer.of().trusting, 0, "on the way of a verification, after {second} s");
    }
    // Nobody looks after it any more: it is asked for as it is needed.
    source.list(at(700)).await.unwrap();
    assert_eq!(issuer.of().trusting, 1);
}

#[tokio::test]
async fn a_revocation_is_seen_within_a_minute_with_the_list_at_hand_whether_or_not_anybody_looks_after_it()
 {
    let issuer = Issuer::start().await;
    let source = issuer.source();
    assert_eq!(issuer.status(&source, 1, NOW).await, Some(Status::Valid));
    issuer.of().revoked = true;
    assert_eq!(issuer.status(&source, 1, at(59)).await, Some(Status::Valid), "the list at hand");
    assert_eq!(issuer.fetched(), [1]);
    assert_eq!(issuer.status(&source, 1, at(60)).await, Some(Status::Invalid));
    issuer.of().revoked = false;
    issuer.look(&source, at(60)).await;
    issuer.of().revoked = true;
    for second in 61..=119 {
        issuer.look(&source, at(second)).await;
    }
    issuer.fetched();
    assert_eq!(issuer.status(&source, 2, at(119)).await, Some(Status::Invalid), "long before");
    assert_eq!(issuer.fetched(), [0; 0]);
}

#[tokio::test]
async fn while_the_issuer_is_away_lists_at_hand_serve_for_five_minutes_and_then_nothing_is_accepted()
 {
    let issuer = Issuer::start().await;
    let source = issuer.source();
    issuer.look(&source, NOW).await;
    issuer.of().answers = false;
    issuer.fetched();
    for second in 60..300 {
        issuer.look(&source, at(second)).await;
        let tried: usize = issuer.fetched().iter().sum();
        assert!(tried <= 3, "each list once in a second at the most: {tried}");
        for _ in 0..5 {
            assert_eq!(issuer.status(&source, 1, at(second)).await, Some(Status::Valid));
        }
        let waited: usize = issuer.fetched().iter().sum();
        assert!(waited <= 1, "of five look-ups in a second one waits for the issuer at the most");
    }
    assert_eq!(issuer.status(&source, 1, at(300)).await, None, "fails closed");
    let problem = source.identity_status(&issuer.uri(1), at(300)).await.unwrap_err();
    assert_eq!(problem.status(), StatusCode::BAD_GATEWAY, "{problem:?}");
    issuer.of().answers = true;
    assert_eq!(issuer.status(&source, 1, at(301)).await, Some(Status::Valid));
}

#[tokio::test]
async fn a_decision_about_many_has_a_list_of_this_moment_or_none() {
    let issuer = Issuer::start().await;
    let source = issuer.source();
    issuer.look(&source, NOW).await;
    issuer.of().revoked = true;
    let anew = source.identity_status_anew(&issuer.uri(1), NOW).await.unwrap();
    assert_eq!(anew.list.get(7), Some(Status::Invalid));
    issuer.of().answers = false;
    assert!(source.identity_status_anew(&issuer.uri(1), NOW).await.is_err());
    assert_eq!(
        issuer.status(&source, 1, NOW).await,
        Some(Status::Invalid),
        "the one at hand stays"
    );
}
