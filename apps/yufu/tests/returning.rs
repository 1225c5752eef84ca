//! An answer counts once whoever began comes back with the code that the wallet got (OpenID4VP 1.0, 13.3; HAIP 1.0, 5.1):
//! nobody has another person answer what he began, at a bank, a hotel, a railway or a verifier.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "test code: a wrong fixture is to fail loudly"
)]

mod support;

use rusqlite::Connection;
use serde_json::{Value, json};
use support::institutions::{HOTEL, RAILWAY, SHOP};
use support::visits::Street;
use support::{Caller, Data, JIANGCHENG, Resident, Server, begin_opening, carry, fen, takings};

const BINARY: &str = env!("CARGO_BIN_EXE_yufu");

/// A traveller with an account, its balance in fen, and payment credentials; hotel and railway take payments.
async fn traveller(caller: &Caller) -> Resident {
    takings(caller, HOTEL).await;
    takings(caller, RAILWAY).await;
    let mut traveller = Resident::identified(caller, 2).await;
    traveller.open_account(caller, fen(500)).await;
    traveller.wallet.get_payment_credential().await.unwrap();
    traveller
}

async fn balance(traveller: &Resident) -> u64 {
    traveller.wallet.accounts().await.unwrap()[0].wallet.balance_minor
}

/// The code in an address, and the address without it.
fn code(redirect: &str) -> (String, String) {
    let (to, code) = redirect.split_once("response_code=").unwrap();
    (to.trim_end_matches(['?', '&']).to_owned(), code.to_owned())
}

async fn come_back(caller: &Caller, to: &str, code: &str) -> support::Answer {
    let path = to.strip_prefix(&caller.url).unwrap();
    caller.post(path, None, &json!({"response_code": code})).await
}

async fn departure(caller: &Caller) {
    let departure = json!({"id": "G1", "train": "G1", "date": "2026-12-01", "class": "second",
        "price_minor": 10_000, "seats": 5});
    let path = format!("/parties/{RAILWAY}/v1/desk/departures");
    caller.post(&path, Some(&caller.desk(RAILWAY)), &departure).await.done();
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_has_another_pay_for_the_ticket_that_he_booked() {
    let data = Data::new();
    let server = Server::start(&data);
    let caller = server.caller();
    let mut victim = traveller(&caller).await;
    departure(&caller).await;
    let before = balance(&victim).await;
    // A stranger books, and sends the link to somebody who pays.
    let bookings = format!("/parties/{RAILWAY}/v1/bookings");
    let booked = caller.post(&bookings, None, &json!({"departure": "G1"})).await.done();
    let link = booked["authorization_request"].as_str().unwrap();
    let shown = victim.wallet.present(link, &mut |_| true).await.unwrap();
    let state = async || {
        let path = format!("{bookings}/{}", booked["booking"].as_str().unwrap());
        caller.get(&path, None).await.done()["state"].clone()
    };
    assert_eq!(state().await, "booked", "nothing is paid, and no ticket is given");
    assert_eq!(balance(&victim).await, before);
    // He does not have the code, and no other is good for it.
    let (to, code) = code(&shown.redirect.unwrap());
    let guess = come_back(&caller, &to, "guess").await;
    guess.refused("a guess", 403, "presentation.other_session");
    let other = caller.post(&bookings, None, &json!({"departure": "G1"})).await.done();
    let other = other["authorization_request"].as_str().unwrap();
    let elsewhere = other.split("openid4vp%2F").nth(1).unwrap().split("%2F").next().unwrap();
    let elsewhere = format!("{}/parties/{RAILWAY}/openid4vp/{elsewhere}/return", caller.url);
    let refused = come_back(&caller, &elsewhere, &code).await;
    refused.refused("another request's", 403, "presentation.other_session");
    assert_eq!(balance(&victim).await, before);
    // Whoever began and has it, goes on: once.
    come_back(&caller, &to, &code).await.done();
    assert_eq!(state().await, "valid");
    assert_eq!(balance(&victim).await, before - 10_000);
    let again = come_back(&caller, &to, &code).await;
    again.refused("again", 409, "presentation.already_answered");
    // A wallet that books itself brings the code itself.
    victim.wallet.buy_ticket(RAILWAY, "G1", &mut |_| true).await.unwrap();
    assert_eq!(balance(&victim).await, before - 20_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_who_books_in_a_browser_is_checked_in_once_that_browser_comes_back() {
    let data = Data::new();
    let server = Server::start(&data);
    let caller = server.caller();
    let mut guest = traveller(&caller).await;
    let desk = caller.desk(HOTEL);
    let path = format!("/parties/{HOTEL}/v1/desk/check-ins");
    let wish = |more: Value| {
        let mut wish = json!({"room": "302", "nights": 1, "amount_minor": 10_000});
        wish.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        wish
    };
    let nowhere = wish(json!({"return_to": "javascript:alert(1)"}));
    let refused = caller.post(&path, Some(&desk), &nowhere).await;
    refused.refused("an address that is none", 400, "request.malformed");
    let online = wish(json!({"return_to": "https://hotel.example/booked?room=302"}));
    let begun = caller.post(&path, Some(&desk), &online).await.done();
    let link = begun["authorization_request"].as_str().unwrap();
    let shown = guest.wallet.present(link, &mut |_| true).await.unwrap();
    let at = format!("{path}/{}", begun["check_in"].as_str().unwrap());
    assert_eq!(caller.get(&at, Some(&desk)).await.done()["state"], "waiting");
    let (to, code) = code(&shown.redirect.unwrap());
    assert_eq!(to, "https://hotel.example/booked?room=302");
    let request = link.split("openid4vp%2F").nth(1).unwrap().split("%2F").next().unwrap();
    let back = format!("{}/parties/{HOTEL}/openid4vp/{request}/return", caller.url);
    come_back(&caller, &back, &code).await.done();
    assert_eq!(caller.get(&at, Some(&desk)).await.done()["state"], "checked_in");
    // At the desk the guest's phone has no session with anybody: the desk sees who stands there.
    let begun = caller.post(&path, Some(&desk), &wish(json!({}))).await.done();
    let link = begun["authorization_request"].as_str().unwrap();
    let shown = guest.wallet.present(link, &mut |_| true).await.unwrap();
    assert_eq!(shown.redirect, None);
    let at = format!("{path}/{}", begun["check_in"].as_str().unwrap());
    assert_eq!(caller.get(&at, Some(&desk)).await.done()["state"], "checked_in");
}

/// Begins an opening and answers it, without coming back: where the wallet is sent, and the opening.
async fn shown_to_bank(caller: &Caller, resident: &Resident) -> (String, String) {
    let (link, opening) = begin_opening(caller).await;
    let reviewed = resident.review(caller, &link).await;
    let (held, signer) = resident.credential();
    let presenting =
        [yufu_wallet::presentation::Presenting { query_id: "pid", held: &held, signer: &signer }];
    let entropy = yufu_wallet::presentation::AnswerEntropy {
        ephemeral: yufu_keys::random(),
        iv: yufu_keys::random(),
    };
    let (answered, request) = reviewed.approve(&presenting, &entropy, support::now()).unwrap();
    let done = answered.handle(&carry(caller, &request).await).unwrap();
    (done.redirect_uri.unwrap(), opening)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_waits_counts_no_more_once_what_was_shown_is_revoked() {
    let data = Data::new();
    let server = Server::start_with(&data, &["--status-seconds", "1"]);
    let caller = server.caller();
    let resident = Resident::identified(&caller, 2).await;
    let (redirect, opening) = shown_to_bank(&caller, &resident).await;
    let body = json!({"resident_number": resident.number, "reason": "phone lost"});
    let desk = caller.desk("identity-authority");
    caller.post("/authority/v1/officer/revocations", Some(&desk), &body).await.done();
    // Whoever has the phone had the answer wait before its holder knew.
    tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
    let (to, code) = code(&redirect);
    let refused = come_back(&caller, &to, &code).await;
    refused.refused("revoked meanwhile", 422, "credential.revoked");
    let path = format!("/banks/{JIANGCHENG}/v1/openings/{opening}");
    assert_eq!(caller.get(&path, None).await.done()["state"], "waiting");
    drop(server);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bank_opens_nothing_before_the_wallet_that_began_comes_back() {
    let data = Data::new();
    let server = Server::start(&data);
    let caller = server.caller();
    let resident = Resident::identified(&caller, 2).await;
    let (redirect, opening) = shown_to_bank(&caller, &resident).await;
    let state = async || {
        let path = format!("/banks/{JIANGCHENG}/v1/openings/{opening}");
        caller.get(&path, None).await.done()["state"].clone()
    };
    assert_eq!(state().await, "waiting");
    let (to, code) = code(&redirect);
    let guess = come_back(&caller, &to, "guess").await;
    guess.refused("a guess", 403, "presentation.other_session");
    assert_eq!(state().await, "waiting");
    come_back(&caller, &to, &code).await.done();
    assert_eq!(state().await, "open");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_verifier_keeps_no_answer_whose_browser_does_not_come_back() {
    let data = Data::new();
    let server = Server::start(&data);
    let mut street = Street::of(&server.caller()).await;
    let caller = street.caller.clone();
    let number = Resident::of(&caller, 2).number;
    let batch = street.sd_jwts(&number).await;
    let path = format!("/verifiers/{SHOP}/v1/desk/verifications");
    let desk = caller.desk(SHOP);
    let body = json!({"purpose": "check-age", "return_to": "https://shop.example/done"});
    let begun = caller.post(&path, Some(&desk), &body).await.done();
    let link = begun["authorization_request"].as_str().unwrap();
    let at = format!("{path}/{}", begun["verification"].as_str().unwrap());
    // Somebody who was sent the link answers first, and another after her.
    let mut codes = Vec::new();
    for credential in &batch[..2] {
        let answer = street.answer(link, credential).await;
        let said: Value = serde_json::from_slice(&carry(&caller, &answer).await.body).unwrap();
        codes.push(code(said["redirect_uri"].as_str().unwrap()).1);
    }
    let late = street.answer(link, &batch[2]).await;
    let kept = || {
        let rows = Connection::open(data.path().join(SHOP).join("verifications.sqlite")).unwrap();
        let count = "SELECT count(*) FROM verifications";
        rows.query_row(count, [], |row| row.get::<_, u64>(0)).unwrap()
    };
    assert_eq!(kept(), 0, "nobody came back");
    let refused = caller.get(&at, Some(&desk)).await;
    refused.refused("no code", 403, "verification.other_browser");
    assert_eq!(kept(), 0);
    let told = caller.get(&format!("{at}?response_code={}", codes[1]), Some(&desk)).await.done();
    assert_eq!((told["state"].as_str(), kept()), (Some("yes"), 1));
    // The answer that counts is that of the browser that came back; the other is none.
    let other = caller.get(&format!("{at}?response_code={}", codes[0]), Some(&desk)).await;
    other.refused("the other's", 403, "verification.other_browser");
    let again = caller.get(&format!("{at}?response_code={}", codes[1]), Some(&desk)).await.done();
    assert_eq!((again, kept()), (told, 1));
    let late = carry(&caller, &late).await;
    assert_eq!(late.status, 409, "{}", String::from_utf8_lossy(&late.body));
}
