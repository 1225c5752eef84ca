//! A relying party that the registrar revoked: no wallet shows it anything, nothing certifies it anew until
//! that is lifted, not even a restart; everybody else goes on.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "test code: a wrong fixture is to fail loudly"
)]

mod support;

use serde_json::{Value, json};
use support::institutions::{HOTEL, RAILWAY};
use support::{Answer, Caller, Data, LIANGHU, Resident, Server, enrol, takings};

use yufu_jose::{Jwk, Unverified};
use yufu_keys::KeyStore;

use yufu_trust::{RegistrationCertificate, Status, StatusBits, StatusList};

const BINARY: &str = env!("CARGO_BIN_EXE_yufu");

const REVOCATIONS: &str = "/registrar/v1/desk/revocations";

/// A POST at the registrar's desk by an officer.
async fn desk(caller: &Caller, path: &str, body: &Value) -> Answer {
    let bearer = format!("Bearer {}", caller.desk("registrar"));
    let headers = [
        ("content-type", "application/json"),
        ("authorization", bearer.as_str()),
        ("operator", "wang"),
    ];
    caller.send("POST", path, &headers, serde_json::to_vec(body).unwrap()).await.unwrap()
}

async fn at_desk(caller: &Caller, path: &str) -> Value {
    caller.get(path, Some(&caller.desk("registrar"))).await.done()
}

/// The registrations of the hotel's check-in: place, and whether it is revoked.
async fn registered(caller: &Caller) -> Vec<(u64, bool)> {
    let all = at_desk(caller, "/registrar/v1/desk/registrations").await;
    let all = all.as_array().unwrap().iter();
    let hotel = all.filter(|one| one["party"] == HOTEL && one["intended_use"] == "check-in");
    hotel.map(|one| (one["place"].as_u64().unwrap(), one["revocation"].is_string())).collect()
}

/// What the registrar publishes of a place.
async fn published(caller: &Caller, place: u64) -> Option<Status> {
    let text = caller.client.get_text(&format!("{}/registrar/status/1", caller.url)).await.unwrap();
    let claims: Value = Unverified::parse(&text).unwrap().unverified_claims().unwrap();
    assert_eq!(claims["ttl"], 60, "a revocation is seen within it");
    assert_eq!(claims["exp"].as_u64().unwrap() - claims["iat"].as_u64().unwrap(), 300);
    let lst = claims["status_list"]["lst"].as_str().unwrap();
    StatusList::from_lst(StatusBits::Two, lst).unwrap().get(place)
}

/// A guest with an identity and payment credentials, who has checked nobody before.
async fn guest(caller: &Caller, row: usize) -> Resident {
    let mut guest = Resident::identified(caller, row).await;
    guest.open_account(caller, 50_000).await;
    guest.wallet.get_payment_credential().await.unwrap();
    guest
}

async fn check_in(caller: &Caller) -> Answer {
    let body = json!({"room": "302", "nights": 1, "amount_minor": 1_000});
    let path = format!("/parties/{HOTEL}/v1/desk/check-ins");
    caller.post(&path, Some(&caller.desk(HOTEL)), &body).await
}

async fn link(caller: &Caller) -> String {
    let begun = check_in(caller).await.done();
    begun["authorization_request"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_hotel_is_shown_nothing_and_certified_no_more_until_that_is_lifted() {
    let data = Data::new();
    let server = Server::start(&data);
    let caller = server.caller();
    takings(&caller, HOTEL).await;
    let mut early = guest(&caller, 1).await;
    early.wallet.present(&link(&caller).await, &mut |_| true).await.unwrap();
    let [(place, false)] = registered(&caller).await[..] else { panic!("one, and it stands") };
    assert_eq!(published(&caller, place).await, Some(Status::Valid));

    let body = json!({"party": HOTEL, "reason": "copies of cards were sold"});
    let stands = desk(&caller, REVOCATIONS, &body).await.done();
    assert_eq!((stands[0]["intended_use"].as_str(), stands[1].is_null()), (Some("check-in"), true));
    assert_eq!(published(&caller, place).await, Some(Status::Invalid));
    assert_eq!(published(&caller, place ^ 1).await, Some(Status::Valid));
    let mut late = guest(&caller, 2).await;
    let left = late.wallet.credentials_left();
    let asked = late.wallet.present(&link(&caller).await, &mut |_| panic!("she was asked")).await;
    let refused = asked.unwrap_err().to_string();
    assert!(refused.contains("Yellow Crane Hotel was refused"), "{refused}");
    assert!(refused.contains("the registrar revoked this registration"), "{refused}");
    assert_eq!(late.wallet.credentials_left(), left, "nothing was shown");
    let number = late.wallet.history().len();
    assert!(refused.contains(&format!("yufu wallet report {number}")), "{refused}");
    let reported = late.wallet.report(number, "asks while it is revoked", None).await.unwrap();
    assert_eq!(reported.taken.unwrap().party, HOTEL);
    late.wallet.open_account(LIANGHU, "III", &mut |_| true).await.unwrap();

    let refused = enrol(&caller, HOTEL).await.refused("revoked", 403, "registration.revoked");
    let detail = refused["detail"].as_str().unwrap();
    for said in ["check-in", "copies of cards were sold", "help@registrar.example"] {
        assert!(detail.contains(said), "{detail}");
    }
    drop((early, late));
    let id = stands[0]["revocation"].as_str().unwrap().to_owned();
    a_restart_resurrects_nothing_and_lifting_gives_a_new_certificate(&data, server, place, &id)
        .await;
}

async fn a_restart_resurrects_nothing_and_lifting_gives_a_new_certificate(
    data: &Data,
    server: Server,
    place: u64,
    id: &str,
) {
    server.terminate();
    server.ended();
    let server = Server::start(data);
    let caller = server.caller();
    check_in(&caller).await.refused("still revoked", 403, "registration.revoked");
    enrol(&caller, HOTEL).await.refused("still revoked", 403, "registration.revoked");
    assert_eq!(registered(&caller).await, [(place, true)], "nothing was added");
    let gate = format!("/parties/{RAILWAY}/v1/desk/gates/a1/requests");
    caller.post(&gate, Some(&caller.desk(RAILWAY)), &json!({})).await.done();
    let listed = at_desk(&caller, REVOCATIONS).await;
    assert_eq!(listed[0]["revoked"]["reason"], "copies of cards were sold");
    assert_eq!(listed[0]["revoked"]["officer"], "wang");
    assert!(listed[0]["lifted"].is_null());

    let lift = format!("{REVOCATIONS}/{id}/lift");
    let lifted = desk(&caller, &lift, &json!({"reason": "new management"})).await.done();
    assert_eq!(lifted["lifted"]["reason"], "new management");
    let certified = enrol(&caller, HOTEL).await.done();
    let jws = certified["registrations"]["check-in"].as_str().unwrap();
    let new: RegistrationCertificate = Unverified::parse(jws).unwrap().unverified_claims().unwrap();
    let new = new.status.unwrap();
    assert_eq!(new.uri, format!("{}/registrar/status/1", caller.url));
    assert_ne!(new.index, place, "the old certificate stays void");
    assert_eq!(published(&caller, place).await, Some(Status::Invalid));
    assert_eq!(published(&caller, new.index).await, Some(Status::Valid));

    server.terminate();
    server.ended();
    let server = Server::start(data);
    let caller = server.caller();
    let mut rows = registered(&caller).await;
    rows.sort_by_key(|(_, revoked)| !revoked);
    assert_eq!(rows, [(place, true), (new.index, false)], "a start keeps the place");
    let mut guest = guest(&caller, 3).await;
    guest.wallet.present(&link(&caller).await, &mut |_| true).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn one_use_is_revoked_by_an_officer_with_a_reason_and_the_others_stay() {
    let data = Data::new();
    let server = Server::start(&data);
    let caller = server.caller();
    let one = json!({"party": RAILWAY, "intended_use": "refund-ticket", "reason": "overcharged"});
    let nobody = caller.post(REVOCATIONS, None, &one).await;
    nobody.refused("no token", 401, "request.unauthenticated");
    let nameless = caller.post(REVOCATIONS, Some(&caller.desk("registrar")), &one).await;
    nameless.refused("no officer", 400, "request.malformed");
    let other = caller.get(REVOCATIONS, Some(&caller.desk(RAILWAY))).await;
    other.refused("another desk", 401, "request.unauthenticated");
    let open = caller.get("/registrar/v1/desk/registrations", None).await;
    open.refused("no token", 401, "request.unauthenticated");
    for (case, status, code, body) in [
        ("no reason", 400, "request.malformed", json!({"party": RAILWAY, "reason": " "})),
        ("nobody", 404, "request.not_found", json!({"party": "nobody", "reason": "x"})),
        ("no party", 404, "request.not_found", json!({"party": "A b", "reason": "x"})),
        ("asks nothing", 404, "request.not_found", json!({"party": "registrar", "reason": "x"})),
        (
            "no such use",
            404,
            "request.not_found",
            json!({"party": RAILWAY, "intended_use": "check-in", "reason": "x"}),
        ),
        ("unknown member", 400, "request.malformed", json!({"party": RAILWAY, "why": "x"})),
    ] {
        desk(&caller, REVOCATIONS, &body).await.refused(case, status, code);
    }
    for id in ["x", "0192f0c1-2b3d-4e4f-8a5b-6c7d8e9f0a1b"] {
        let lift = format!("{REVOCATIONS}/{id}/lift");
        let refused = desk(&caller, &lift, &json!({"reason": "x"})).await;
        refused.refused(id, 404, "request.not_found");
    }
    caller.get("/registrar/status/2", None).await.refused("list", 404, "request.not_found");
    assert_eq!(at_desk(&caller, REVOCATIONS).await, json!([]), "nothing was revoked");

    let first = desk(&caller, REVOCATIONS, &one).await.done();
    assert_eq!(desk(&caller, REVOCATIONS, &one).await.done(), first, "again is harmless");
    let all = at_desk(&caller, "/registrar/v1/desk/registrations").await;
    let revoked: Vec<&Value> =
        all.as_array().unwrap().iter().filter(|one| one["revocation"].is_string()).collect();
    assert_eq!(revoked.len(), 1);
    assert_eq!(revoked[0]["intended_use"], "refund-ticket");
    server.terminate();
    server.ended();

    let server = Server::start(&data);
    let caller = server.caller();
    let refunds = format!("/parties/{RAILWAY}/v1/refunds");
    let refused = caller.post(&refunds, None, &json!({})).await;
    refused.refused("revoked", 403, "registration.revoked");
    let gate = format!("/parties/{RAILWAY}/v1/desk/gates/a1/requests");
    caller.post(&gate, Some(&caller.desk(RAILWAY)), &json!({})).await.done();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_institution_apart_that_was_revoked_starts_and_asks_nothing() {
    let (registries, railway) = (Data::new(), Data::new());
    let keys = KeyStore::open(&railway.path().join(RAILWAY).join("keys")).unwrap();
    let print = Jwk::from(keys.signer("institution").unwrap().public_key());
    let admitted = format!("{RAILWAY}={}", print.thumbprint_base64url());
    let three = "trust-list-operator,registrar,central-bank";
    let options = ["--institutions", three, "--admitted", &admitted];
    let server = Server::start_with(&registries, &options);
    let body = json!({"party": RAILWAY, "reason": "overcharged"});
    let stand = desk(&server.caller(), REVOCATIONS, &body).await.done();
    assert!(stand.as_array().unwrap().len() > 1, "every use, before it ever enrolled");

    let at = &server.url;
    let addresses = format!("trust-list-operator={at},registrar={at},{LIANGHU}={at}");
    let key = registries.path().join("trust-list-key.json");
    let key = key.to_str().unwrap();
    let options = ["--institutions", RAILWAY, "--addresses", &addresses, "--trust-list-key", key];
    let apart = Server::start_with(&railway, &options);
    let refunds = format!("/parties/{RAILWAY}/v1/refunds");
    let refused = apart.caller().post(&refunds, None, &json!({})).await;
    refused.refused("revoked", 403, "registration.revoked");
}
