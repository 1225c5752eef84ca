//! Answers that wait for whoever began: they are there after a crash, count once, cannot be read where they lie, and are gone
//! afterwards. And what a browser finds at the address to which only an app comes back.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "test code: a wrong fixture is to fail loudly"
)]

mod support;

use rusqlite::{Connection, OpenFlags};
use serde_json::{Value, json};
use std::fs;
use support::country::{adults, country_with, merchant};
use support::institutions::{HOTEL, RAILWAY, SHOP};
use support::visits::Street;
use support::{Answer, Caller, Data, JIANGCHENG, Resident, Server, begin_opening, carry, fen};
use support::{run, takings, text};
use yufu_base::{Signer as _, Timestamp};
use yufu_jose::Jwk;
use yufu_payment::PayoutInstruction;

const BINARY: &str = env!("CARGO_BIN_EXE_yufu");
const AGENCY: &str = "pension-agency";
const PROGRAMME: &str = "basic-pension";
/// Keeps nothing.
const CINEMA: &str = "lakeside-cinema";

/// Whether somebody is of age, and nothing is kept of it.
const REQUEST: &str = r#"[[institutions.requests]]
id = "of-age"
purpose = { zh = "核验是否成年", en = "Check that you are of age" }
basis = { zh = "未成年人保护法", en = "Protection of minors" }
claims = ["age_equal_or_over.18"]
result_only = true
"#;

/// How many rows an institution's database has in a table.
fn rows(data: &Data, (who, database): (&str, &str), table: &str) -> u64 {
    let path = data.path().join(who).join(format!("{database}.sqlite"));
    let open = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    open.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap()
}

/// How many answers wait in an institution's database.
fn waiting(data: &Data, who: &str, database: &str) -> u64 {
    rows(data, (who, database), "held_answers")
}

/// How many members the agency's programmes have.
fn members(data: &Data) -> u64 {
    rows(data, (AGENCY, "programmes"), "members")
}

/// Everything that waits anywhere in these tests.
fn all_waiting(data: &Data) -> [u64; 6] {
    [
        waiting(data, JIANGCHENG, "onboarding"),
        waiting(data, AGENCY, "programmes"),
        waiting(data, RAILWAY, "services"),
        waiting(data, HOTEL, "services"),
        waiting(data, SHOP, "verifications"),
        waiting(data, CINEMA, "verifications"),
    ]
}

/// Comes back to a request's own address with a code.
async fn come_back(caller: &Caller, (path, code): &(String, String)) -> Answer {
    caller.post(path, None, &json!({"response_code": code})).await
}

/// The code that a wallet got for an answer.
fn code(redirect: &str) -> String {
    redirect.split_once("response_code=").unwrap().1.to_owned()
}

/// Where whoever began the request in `link` comes back, and the code for it.
fn back(link: &str, party: &str, redirect: &str) -> (String, String) {
    let request = link.split("openid4vp%2F").nth(1).unwrap().split("%2F").next().unwrap();
    (format!("{party}/openid4vp/{request}/return"), code(redirect))
}

/// A booking that somebody with a payment credential answered.
async fn booked(caller: &Caller, traveller: &mut Resident) -> (String, (String, String)) {
    let departure = json!({"id": "G1", "train": "G1", "date": "2026-12-01", "class": "second",
        "price_minor": 10_000, "seats": 5});
    let path = format!("/parties/{RAILWAY}/v1/desk/departures");
    caller.post(&path, Some(&caller.desk(RAILWAY)), &departure).await.done();
    let bookings = format!("/parties/{RAILWAY}/v1/bookings");
    let booked = caller.post(&bookings, None, &json!({"departure": "G1"})).await.done();
    let link = booked["authorization_request"].as_str().unwrap();
    let shown = traveller.wallet.present(link, &mut |_| true).await.unwrap();
    let at = format!("{bookings}/{}", booked["booking"].as_str().unwrap());
    (at, back(link, &format!("/parties/{RAILWAY}"), &shown.redirect.unwrap()))
}

/// A check-in that was begun in a browser, and answered.
async fn checked_in(caller: &Caller, guest: &mut Resident) -> (String, (String, String)) {
    let path = format!("/parties/{HOTEL}/v1/desk/check-ins");
    let wish = json!({"room": "302", "nights": 1, "amount_minor": 10_000,
        "return_to": "https://hotel.example/booked"});
    let begun = caller.post(&path, Some(&caller.desk(HOTEL)), &wish).await.done();
    let link = begun["authorization_request"].as_str().unwrap();
    let shown = guest.wallet.present(link, &mut |_| true).await.unwrap();
    let at = format!("{path}/{}", begun["check_in"].as_str().unwrap());
    (at, back(link, &format!("/parties/{HOTEL}"), &shown.redirect.unwrap()))
}

/// An opening that the holder of an identity answered.
async fn opening(caller: &Caller, resident: &Resident) -> (String, (String, String)) {
    let (link, opening) = begin_opening(caller).await;
    let at = format!("/banks/{JIANGCHENG}/v1/openings/{opening}");
    let redirect = shown(caller, resident, &link).await;
    (at, back(&link, &format!("/banks/{JIANGCHENG}"), &redirect))
}

/// An enrolment in a programme that the holder of an identity answered.
async fn enrolling(caller: &Caller, resident: &Resident) -> (String, (String, String)) {
    let account = &resident.file()["accounts"][0];
    let key = resident.wallet.sector_key("pension").unwrap();
    let payout = PayoutInstruction {
        agency: AGENCY.parse().unwrap(),
        programme: PROGRAMME.to_owned(),
        bank: JIANGCHENG.parse().unwrap(),
        account: account["account"].as_str().unwrap().parse().unwrap(),
        signed_at: Timestamp::from_seconds(support::now().seconds()),
    };
    let wish = json!({"programme": PROGRAMME, "key": Jwk::from(key.public_key()),
        "payout": payout.sign(&key).unwrap()});
    let path = format!("/agencies/{AGENCY}/v1/enrolments");
    let begun = caller.post(&path, None, &wish).await.done();
    let link = begun["authorization_request"].as_str().unwrap();
    let at = format!("{path}/{}", begun["enrolment"].as_str().unwrap());
    let redirect = shown(caller, resident, link).await;
    (at, back(link, &format!("/agencies/{AGENCY}"), &redirect))
}

/// Answers `link` with an identity, and does not come back: where whoever began is sent.
async fn shown(caller: &Caller, resident: &Resident, link: &str) -> String {
    let reviewed = resident.review(caller, link).await;
    let (held, signer) = resident.credential();
    let presenting =
        [yufu_wallet::presentation::Presenting { query_id: "pid", held: &held, signer: &signer }];
    let entropy = yufu_wallet::presentation::AnswerEntropy {
        ephemeral: yufu_keys::random(),
        iv: yufu_keys::random(),
    };
    let (_, request) = reviewed.approve(&presenting, &entropy, support::now()).unwrap();
    let said: Value = serde_json::from_slice(&carry(caller, &request).await.body).unwrap();
    said["redirect_uri"].as_str().unwrap().to_owned()
}

/// A verification that was begun in a browser, and answered twice: where its state is, and the codes.
async fn verified(street: &mut Street, party: &str, purpose: &str) -> (String, [String; 2]) {
    let batch = street.sd_jwts(&adults()[9]).await;
    let path = format!("/verifiers/{party}/v1/desk/verifications");
    let body = json!({"purpose": purpose, "return_to": "https://shop.example/done"});
    let desk = street.caller.desk(party);
    let begun = street.caller.post(&path, Some(&desk), &body).await.done();
    let link = begun["authorization_request"].as_str().unwrap();
    let mut codes = Vec::new();
    for credential in &batch[..2] {
        let answer = street.answer(link, credential).await;
        let said: Value =
            serde_json::from_slice(&carry(&street.caller, &answer).await.body).unwrap();
        codes.push(code(said["redirect_uri"].as_str().unwrap()));
    }
    let at = format!("{path}/{}", begun["verification"].as_str().unwrap());
    (at, codes.try_into().unwrap())
}

/// Tells a verification's state to a browser that came back with the first code, and to no other.
async fn told(caller: &Caller, party: &str, at: &str, [mine, other]: &[String; 2]) {
    let desk = caller.desk(party);
    for (case, asked) in [("no code", at.to_owned()), ("a guess", format!("{at}?response_code=x"))]
    {
        let refused = caller.get(&asked, Some(&desk)).await;
        refused.refused(case, 403, "verification.other_browser");
    }
    let first = caller.get(&format!("{at}?response_code={mine}"), Some(&desk)).await.done();
    assert_eq!(first["state"], "yes", "{first}");
    let refused = caller.get(&format!("{at}?response_code={other}"), Some(&desk)).await;
    refused.refused("the other answer", 403, "verification.other_browser");
    let again = caller.get(&format!("{at}?response_code={mine}"), Some(&desk)).await.done();
    assert_eq!(again, first, "the same browser is told the same");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_waits_is_there_after_a_crash_counts_once_and_is_gone_then() {
    let data = Data::new();
    let cinema = merchant(CINEMA, ("湖滨影院", "Lakeside Cinema"), 0, REQUEST);
    let country = country_with(&data.beside(""), &cinema);
    let profile = ["--profile", country.to_str().unwrap()];
    let server = Server::start_with(&data, &profile);
    let port: u16 = server.url.rsplit(':').next().unwrap().parse().unwrap();
    let caller = server.caller();
    takings(&caller, HOTEL).await;
    takings(&caller, RAILWAY).await;
    let mut she = Resident::identified(&caller, 2).await;
    she.open_account(&caller, fen(500)).await;
    she.wallet.get_payment_credential().await.unwrap();
    assert_eq!(all_waiting(&data), [0; 6], "what counted waits no more");
    let mut street = Street::of(&caller).await;
    let (opening_at, opening) = opening(&caller, &Resident::identified(&caller, 3).await).await;
    let (enrolment_at, enrolment) = enrolling(&caller, &she).await;
    let (booking_at, booking) = booked(&caller, &mut she).await;
    let (check_in_at, check_in) = checked_in(&caller, &mut she).await;
    let (kept_at, kept) = verified(&mut street, SHOP, "check-age").await;
    let (told_at, not_kept) = verified(&mut street, CINEMA, "of-age").await;
    assert_eq!(all_waiting(&data), [1, 1, 1, 1, 2, 2]);

    server.kill();
    let server = Server::start_at_with(&data, port, &profile);
    let hotel = caller.desk(HOTEL);
    let state = async |at: &str, desk: Option<&str>| {
        caller.get(at, desk).await.done()["state"].as_str().unwrap().to_owned()
    };
    assert_eq!(state(&opening_at, None).await, "waiting");
    assert_eq!(state(&enrolment_at, None).await, "waiting");
    assert_eq!(members(&data), 0, "nobody is enrolled before she comes back");
    assert_eq!(state(&booking_at, None).await, "booked");
    assert_eq!(state(&check_in_at, Some(&hotel)).await, "waiting");
    for (back, _) in [&opening, &enrolment, &booking, &check_in] {
        let guess = come_back(&caller, &(back.clone(), "guess".to_owned())).await;
        guess.refused(back, 403, "presentation.other_session");
    }
    for back in [&opening, &enrolment, &booking, &check_in] {
        come_back(&caller, back).await.done();
        let again = come_back(&caller, back).await;
        again.refused(&back.0, 409, "presentation.already_answered");
    }
    assert_eq!(state(&opening_at, None).await, "open");
    assert_eq!(state(&enrolment_at, None).await, "enrolled");
    assert_eq!(members(&data), 1, "once");
    assert_eq!(state(&booking_at, None).await, "valid");
    assert_eq!(state(&check_in_at, Some(&hotel)).await, "checked_in");
    told(&caller, SHOP, &kept_at, &kept).await;
    told(&caller, CINEMA, &told_at, &not_kept).await;
    assert_eq!(all_waiting(&data), [0; 6], "nothing waits any more");

    // Asked to stop, a verifier lays its requests down: answers and requests find each other again.
    let (kept_at, kept) = verified(&mut street, SHOP, "check-age").await;
    server.terminate();
    assert!(server.ended().success());
    let server = Server::start_at_with(&data, port, &profile);
    told(&caller, SHOP, &kept_at, &kept).await;
    assert_eq!(all_waiting(&data), [0; 6]);
    drop(server);
}

/// In which files a sweep with all keys that there are finds the value, with the column where one was opened.
fn found(data: &Data, value: &str) -> Vec<(String, String)> {
    let values = data.beside("values.txt");
    fs::write(&values, format!("{value}\n")).unwrap();
    let (values, path) = (values.to_str().unwrap().to_owned(), data.path());
    let swept = run(&["sweep", "--json", "--values", &values, path.to_str().unwrap()]);
    let report: Value = serde_json::from_slice(&swept.stdout).unwrap_or_else(|error| {
        panic!("{error}: {}", text(&swept.stderr));
    });
    let all = report["found"].as_array().unwrap().iter();
    let said = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    all.map(|one| (said(&one["file"]), said(&one["column"]))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_cannot_be_read_where_it_lies_with_all_the_keys_that_are_there() {
    let data = Data::new();
    let server = Server::start(&data);
    let port: u16 = server.url.rsplit(':').next().unwrap().parse().unwrap();
    let caller = server.caller();
    takings(&caller, HOTEL).await;
    let mut guest = Resident::identified(&caller, 2).await;
    guest.open_account(&caller, fen(500)).await;
    guest.wallet.get_payment_credential().await.unwrap();
    let (_, check_in) = checked_in(&caller, &mut guest).await;
    assert_eq!(waiting(&data, HOTEL, "services"), 1);
    let at_hotel = |found: Vec<(String, String)>| -> Vec<String> {
        let there = found.into_iter().filter(|(file, _)| file.contains(HOTEL));
        there.map(|(_, column)| column).collect()
    };
    let elsewhere = found(&data, &guest.number);
    assert!(!elsewhere.is_empty(), "the sweep finds her number where it may be");
    assert!(at_hotel(elsewhere).is_empty(), "her number waits there, and nobody can read it");
    assert!(at_hotel(found(&data, &check_in.1)).is_empty(), "the code that opens it is nowhere");
    // After a crash the same, and with the code it is what it was.
    server.kill();
    assert!(at_hotel(found(&data, &guest.number)).is_empty());
    let server = Server::start_at(&data, port);
    come_back(&caller, &check_in).await.done();
    assert_eq!(at_hotel(found(&data, &guest.number)), ["stays.sealed_guest"]);
    assert_eq!(waiting(&data, HOTEL, "services"), 0);
    drop(server);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_at_the_address_of_an_app_is_told_where_to_go_on_and_counts_nothing() {
    let data = Data::new();
    let server = Server::start(&data);
    let caller = server.caller();
    let resident = Resident::identified(&caller, 3).await;
    let (opening_at, opening) = opening(&caller, &resident).await;
    let address = format!("{}?response_code={}", opening.0, opening.1);
    let elsewhere = |party: &str| format!("/{party}/openid4vp/of-nobody/return?response_code=x");
    let said = [("en", "Go back to the app"), ("zh-CN", "请回到您发起办理的应用")];
    for (language, words) in said {
        for path in [
            address.clone(),
            elsewhere(&format!("parties/{RAILWAY}")),
            elsewhere(&format!("agencies/{AGENCY}")),
        ] {
            let headers = [("accept-language".to_owned(), language.to_owned())];
            let url = format!("{}{path}", caller.url);
            let page = caller.client.exchange_whole("GET", &url, &headers, Vec::new()).await;
            let page = page.unwrap();
            let header = |name: &str| page.headers[name].to_str().unwrap().to_owned();
            assert_eq!(
                (page.status, page.content_type.as_str()),
                (200, "text/html; charset=utf-8")
            );
            let markup = text(&page.body);
            assert!(markup.contains(words), "{path}: {markup}");
            assert!(markup.contains("prefers-color-scheme:dark"), "both themes");
            for never in ["<script", "<form", opening.1.as_str()] {
                assert!(!markup.contains(never), "{path}: {never}");
            }
            assert_eq!(header("referrer-policy"), "no-referrer", "the code goes nowhere");
            assert_eq!(header("cache-control"), "no-store");
            assert!(header("content-security-policy").contains("default-src 'none'"));
        }
    }
    let state = caller.get(&opening_at, None).await.done();
    assert_eq!(state["state"], "waiting", "whoever looked is not who began");
    come_back(&caller, &opening).await.done();
    assert_eq!(caller.get(&opening_at, None).await.done()["state"], "open");
    let unknown = "/banks/no-such-bank/openid4vp/x/return";
    caller.get(unknown, None).await.refused("no bank", 404, "request.not_found");
    drop(server);
}
