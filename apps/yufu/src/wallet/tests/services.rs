//! Hotel and railway over HTTP: who learns what, and every refusal.

use super::city::{BANK, TestCity};
use super::journeys::serve;
use crate::wallet::{Event, Holder};
use serde_json::{Map, Value, json};
use std::sync::Arc;
use std::time::Duration;
use yufu_api::bank::{OpenedAccount, PresentedPayment, PresentedPaymentDone, PresentedPaymentFile};
use yufu_api::http::ClientError;
use yufu_api::relying_party::{Booking, CheckIn, CheckInState, TakingsAccount, TicketRequest};
use yufu_base::Timestamp;
use yufu_engine::{Clock, ManualClock, SystemClock};
use yufu_jose::{Header, Jwk, Unverified, decode_base64url, sign};
use yufu_openid4vc::Endpoint;
use yufu_openid4vc::presentation::{PresentationLink, REQUEST_TYPE, RequestUriMethod};
use yufu_wallet::presentation::Consent;

pub(super) const HOTEL: &str = "yellow-crane-hotel";
pub(super) const RAILWAY: &str = "jingguang-railway";
const THEIR_BANK: &str = "bank-of-lianghu";
const FARE: u64 = 18_000;

pub(super) fn agree(_: &Consent) -> bool {
    true
}

/// A city, and a wallet with an identity, an account with 500.00 and payment credentials.
pub(super) async fn guest() -> (TestCity, Holder, String) {
    guest_in(TestCity::start().await).await
}

pub(super) async fn guest_in(city: TestCity) -> (TestCity, Holder, String) {
    for party in [HOTEL, RAILWAY] {
        let key = city.data.keys(&party.parse().unwrap()).unwrap().signer("wallet").unwrap();
        let key: Jwk = key.public_key().into();
        let path = format!("/banks/{THEIR_BANK}/v1/desk/accounts");
        let request = json!({"class": "I", "wallet_key": key});
        let opened: OpenedAccount = city.desk(THEIR_BANK, &path, &request).await;
        let account = json!({"account": opened.account});
        let path = format!("/parties/{party}/v1/desk/account");
        let _: TakingsAccount = city.desk(party, &path, &account).await;
    }
    let mut wallet = city.open(&city.device("phone"), "mei").unwrap();
    city.issue_identity(&mut wallet).await;
    let account = city.open_account(&mut wallet).await;
    wallet.get_payment_credential().await.unwrap();
    (city, wallet, account)
}

async fn balance(wallet: &Holder) -> u64 {
    wallet.accounts().await.unwrap()[0].wallet.balance_minor
}

pub(super) async fn begin_check_in(city: &TestCity, amount_minor: u64) -> CheckIn {
    let request = json!({"room": "302", "nights": 1, "amount_minor": amount_minor});
    city.desk(HOTEL, &format!("/parties/{HOTEL}/v1/desk/check-ins"), &request).await
}

async fn desk_get<T: serde::de::DeserializeOwned>(
    city: &TestCity,
    party: &str,
    path: &str,
) -> Result<T, ClientError> {
    let desk = city.data.keys(&party.parse().unwrap()).unwrap().secret("desk").unwrap();
    city.client.get(&format!("{}{path}", city.url), Some(&desk)).await
}

async fn state(city: &TestCity, check_in: &CheckIn) -> CheckInState {
    let path = format!("/parties/{HOTEL}/v1/desk/check-ins/{}", check_in.check_in);
    desk_get(city, HOTEL, &path).await.unwrap()
}

async fn on_file(city: &TestCity, check_in: &CheckIn) -> Result<Map<String, Value>, ClientError> {
    let all = "family_name+given_name+birthdate+sex+personal_administrative_number+address";
    let path = format!(
        "/parties/{HOTEL}/v1/desk/check-ins/{}/guest?purpose=test&fields={all}",
        check_in.check_in
    );
    desk_get(city, HOTEL, &path).await
}

/// All bytes that an institution's databases hold, write-ahead logs included.
fn stored(city: &TestCity, institution: &str, database: &str) -> String {
    let path = city.data.database(&institution.parse().unwrap(), database).unwrap();
    let read = |suffix: &str| {
        let mut name = path.clone().into_os_string();
        name.push(suffix);
        std::fs::read(name).unwrap_or_default()
    };
    String::from_utf8_lossy(&[read(""), read("-wal")].concat()).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_tap_identifies_and_pays_and_neither_side_learns_the_others() {
    let (city, mut wallet, account) = guest().await;
    let check_in = begin_check_in(&city, 30_000).await;
    wallet.present(&check_in.authorization_request, &mut agree).await.unwrap();
    assert_eq!(balance(&wallet).await, 20_000);
    let state = state(&city, &check_in).await;
    assert_eq!(state.state, "checked_in");
    let guest = on_file(&city, &check_in).await.unwrap();
    let names: Vec<&String> = guest.keys().collect();
    let asked = ["birthdate", "family_name", "given_name", "personal_administrative_number"];
    assert_eq!(names, asked, "the hotel keeps what the law demands and no more");
    // The hotel's whole database has neither the account nor, after the bank answered, the presentation.
    let at_hotel = stored(&city, HOTEL, "services");
    assert!(at_hotel.contains(&check_in.check_in), "the search finds what is there");
    assert!(!at_hotel.contains(&account), "the hotel stored the account");
    // The bank's records have the payment, and of the guest only what it knew before, sealed.
    let payment = state.payment.unwrap().payment;
    let path = format!("/banks/{BANK}/v1/desk/presented-payments/{payment}");
    let file: PresentedPaymentFile = desk_get(&city, BANK, &path).await.unwrap();
    assert_eq!((file.account, file.amount_minor), (account, 30_000));
    assert!(file.claims.is_empty(), "the bank was shown {:?}", file.claims);
    let at_bank = stored(&city, BANK, "onboarding");
    assert!(at_bank.contains(&payment), "the search finds what is there");
    for value in guest.values().map(|v| v.as_str().unwrap()).filter(|v| v.len() > 6) {
        assert!(!at_bank.contains(value), "the bank stored an identity claim's value");
        assert!(!at_hotel.contains(value), "the hotel's copy is not sealed");
    }
    let paid = |event: &Event| matches!(event, Event::Paid { amount_minor: 30_000, .. });
    assert!(wallet.history().iter().any(|entry| paid(&entry.event)));
    let again = wallet.present(&check_in.authorization_request, &mut agree).await.unwrap_err();
    assert!(again.to_string().contains("already_answered"), "{again}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_sees_with_her_receipt_who_at_the_hotel_looked_and_nobody_else_does() {
    let (city, mut wallet, _) = guest().await;
    let check_in = begin_check_in(&city, 30_000).await;
    wallet.present(&check_in.authorization_request, &mut agree).await.unwrap();
    let shown = |entry: &crate::wallet::Entry| {
        matches!(&entry.event, Event::Disclosed { signed_receipt: Some(_), .. })
    };
    let at_hotel = wallet.history().iter().rposition(shown).unwrap() + 1;
    let looks = wallet.who_looked(at_hotel).await.unwrap();
    assert!(looks.accesses.is_empty(), "nobody has looked yet");
    on_file(&city, &check_in).await.unwrap();
    let looks = wallet.who_looked(at_hotel).await.unwrap();
    let [look] = looks.accesses.as_slice() else { panic!("{looks:?}") };
    assert_eq!((look.actor.as_str(), look.purpose.as_str()), ("desk", "test"));
    let read = ["family_name", "given_name", "birthdate", "personal_administrative_number"];
    assert_eq!(look.fields, read, "what was asked for and is not there was not read");
    let own = wallet.shown(at_hotel).unwrap();
    let url = format!("{}/parties/{HOTEL}/v1/looks", city.url);
    for (request, receipt) in [(own.request.as_str(), "guessed"), ("guessed", &own.receipt)] {
        let asked = json!({"request": request, "receipt": receipt});
        let refused = city.client.post::<_, Value>(&url, None, &asked).await.unwrap_err();
        assert!(refused.to_string().contains("request.not_found"), "{refused}");
    }
    let none = wallet.who_looked(1).await.unwrap_err().to_string();
    assert!(none.contains("no disclosure with a receipt"), "{none}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_payment_is_no_stay_and_leaves_no_identity() {
    let (city, mut wallet, _) = guest().await;
    let check_in = begin_check_in(&city, 50_001).await;
    let refused = wallet.present(&check_in.authorization_request, &mut agree).await.unwrap_err();
    assert!(refused.to_string().contains("insufficient"), "{refused}");
    let state = state(&city, &check_in).await;
    assert_eq!((state.state.as_str(), state.retained_until), ("refused", None));
    let Err(ClientError::Refused(gone)) = on_file(&city, &check_in).await else { unreachable!() };
    assert_eq!(gone.code, "guest.erased");
    assert_eq!(balance(&wallet).await, 50_000);
}

async fn forward(
    city: &TestCity,
    bank: &str,
    forwarded: &PresentedPayment,
) -> Result<PresentedPaymentDone, String> {
    let url = format!("{}/banks/{bank}/v1/presented-payments", city.url);
    match city.client.post(&url, None, forwarded).await {
        Ok(done) => Ok(done),
        Err(ClientError::Refused(problem)) => Err(problem.code),
        Err(other) => Err(other.to_string()),
    }
}

/// What the bank was sent for a check-in, out of its own records.
fn forwarded(city: &TestCity, payment: &str) -> PresentedPayment {
    let path = city.data.database(&BANK.parse().unwrap(), "onboarding").unwrap();
    let database = yufu_database::Database::open(&path);
    let row = tokio::task::block_in_place(|| {
        tokio::runtime::Handle::current().block_on(async {
            let keys = yufu_database::Database::in_memory().await.unwrap();
            let master = yufu_database::MasterKey::new([0; 32]);
            let sealer = yufu_database::Sealer::open(keys, &master).await.unwrap();
            let sealer = std::sync::Arc::new(sealer);
            let records = yufu_onboarding::Onboarding::open(database.await.unwrap(), sealer);
            records.await.unwrap().order(payment.parse().unwrap()).await.unwrap()
        })
    });
    serde_json::from_str(&row.signed).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forwarded_payment_is_made_once_and_only_as_it_was_signed() {
    let (city, mut wallet, _) = guest().await;
    let mut payments = Vec::new();
    for amount in [1_000, 2_000] {
        let check_in = begin_check_in(&city, amount).await;
        wallet.present(&check_in.authorization_request, &mut agree).await.unwrap();
        payments.push(state(&city, &check_in).await.payment.unwrap().payment);
    }
    let [one, two] = [forwarded(&city, &payments[0]), forwarded(&city, &payments[1])];
    let before = balance(&wallet).await;
    // Replayed: the first answer, and nothing moves.
    assert_eq!(forward(&city, BANK, &one).await.unwrap().payment, payments[0]);
    // The other's transaction data, nonce and order under this presentation: refused as reused.
    let swapped = PresentedPayment {
        request_object: two.request_object.clone(),
        presentation: one.presentation.clone(),
    };
    assert_eq!(forward(&city, BANK, &swapped).await.unwrap_err(), "order.id_reused");
    // At a bank that did not issue the credential.
    assert_eq!(forward(&city, THEIR_BANK, &one).await.unwrap_err(), "presentation.rejected");
    // A request whose signature does not hold.
    let mut altered = one.clone();
    altered.request_object.truncate(altered.request_object.len() - 4);
    altered.request_object.push_str("AAAA");
    assert_eq!(forward(&city, BANK, &altered).await.unwrap_err(), "payment.request_untrusted");
    assert_eq!(balance(&wallet).await, before);
}

/// The signed request of a check-in or booking that no wallet has answered.
async fn request_object(city: &TestCity, link: &str) -> String {
    let link = PresentationLink::parse(link).unwrap();
    city.client.get_text(link.request_uri.as_str()).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_presentation_pays_no_other_request_and_no_other_audience() {
    let (city, mut wallet, _) = guest().await;
    let check_in = begin_check_in(&city, 1_000).await;
    wallet.present(&check_in.authorization_request, &mut agree).await.unwrap();
    let paid = forwarded(&city, &state(&city, &check_in).await.payment.unwrap().payment);
    let before = balance(&wallet).await;
    // Another order of the same hotel: nonce and transaction data differ.
    let other = begin_check_in(&city, 1_000).await;
    // An order of the railway: audience differs as well.
    add_departure(&city, "G1", 1).await;
    let url = format!("{}/parties/{RAILWAY}/v1/bookings", city.url);
    let request = json!({"departure": "G1"});
    let booking: Booking = city.client.post(&url, None, &request).await.unwrap();
    for link in [other.authorization_request, booking.authorization_request] {
        let request_object = request_object(&city, &link).await;
        let forged = PresentedPayment { request_object, presentation: paid.presentation.clone() };
        assert_eq!(forward(&city, BANK, &forged).await.unwrap_err(), "presentation.rejected");
    }
    // A gate's request is for no payment at all.
    let gate = gate(&city).await;
    let request_object = request_object(&city, &gate.authorization_request).await;
    let forged = PresentedPayment { request_object, presentation: paid.presentation };
    assert_eq!(forward(&city, BANK, &forged).await.unwrap_err(), "request.malformed");
    assert_eq!(balance(&wallet).await, before);
}

pub(super) async fn add_departure(city: &TestCity, id: &str, seats: u16) {
    let request = json!({
        "id": id, "train": id, "date": "2026-12-01", "class": "second",
        "price_minor": FARE, "seats": seats,
    });
    let path = format!("/parties/{RAILWAY}/v1/desk/departures");
    let _: Value = city.desk(RAILWAY, &path, &request).await;
}

async fn gate(city: &TestCity) -> TicketRequest {
    let path = format!("/parties/{RAILWAY}/v1/desk/gates/a1/requests");
    city.desk(RAILWAY, &path, &json!({})).await
}

pub(super) async fn pass(city: &TestCity, wallet: &mut Holder) -> Result<Vec<String>, String> {
    let asked = gate(city).await;
    let shown = wallet.present(&asked.authorization_request, &mut agree).await;
    shown.map(|shown| shown.claims).map_err(|refused| refused.to_string())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ticket_opens_a_gate_once_and_is_not_paid_back_after() {
    let (city, mut wallet, account) = guest().await;
    add_departure(&city, "G1", 1).await;
    let bought = wallet.buy_ticket(RAILWAY, "G1", &mut agree).await.unwrap();
    assert!(bought.shown.claims.is_empty(), "buying showed {:?}", bought.shown.claims);
    assert_eq!(
        pass(&city, &mut wallet).await.unwrap(),
        ["ticket", "train", "date", "class", "seat"]
    );
    let again = pass(&city, &mut wallet).await.unwrap_err();
    assert!(again.contains("ticket.used"), "{again}");
    let back = wallet.return_ticket(RAILWAY, &mut agree).await.unwrap_err().to_string();
    assert!(back.contains("ticket.used"), "{back}");
    let full = wallet.buy_ticket(RAILWAY, "G1", &mut agree).await.unwrap_err().to_string();
    assert!(full.contains("departure.sold_out"), "{full}");
    let at_railway = stored(&city, RAILWAY, "services");
    assert!(at_railway.contains(&bought.booking) && !at_railway.contains(&account));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_returned_ticket_is_paid_back_and_revoked() {
    let (city, mut wallet, _) = guest().await;
    add_departure(&city, "G1", 2).await;
    let before = balance(&wallet).await;
    wallet.buy_ticket(RAILWAY, "G1", &mut agree).await.unwrap();
    assert_eq!(balance(&wallet).await, before - FARE);
    let copy = city.folder.path().join("copy");
    wallet.back_up(&copy).unwrap();
    wallet.return_ticket(RAILWAY, &mut agree).await.unwrap();
    assert_eq!(balance(&wallet).await, before);
    // A copy of the wallet from before still has the ticket: it opens nothing, and pays nothing back.
    let phone = city.device("copy-phone");
    let now = Timestamp::from_seconds(1_000_000);
    crate::wallet::restore(&phone, "mei", &copy, &super::city::phrase(), true, now).unwrap();
    let mut thief = city.open(&phone, "mei").unwrap();
    let refused = pass(&city, &mut thief).await.unwrap_err();
    assert!(refused.contains("credential.revoked"), "{refused}");
    let refused = thief.return_ticket(RAILWAY, &mut agree).await.unwrap_err().to_string();
    assert!(refused.contains("credential.revoked"), "{refused}");
    assert_eq!(balance(&wallet).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_ticket_is_the_new_one_and_is_paid_back_once() {
    let (city, mut wallet, _) = guest().await;
    add_departure(&city, "G1", 1).await;
    add_departure(&city, "G3", 1).await;
    let before = balance(&wallet).await;
    wallet.buy_ticket(RAILWAY, "G1", &mut agree).await.unwrap();
    wallet.change_ticket(RAILWAY, "G3", &mut agree).await.unwrap();
    assert_eq!(balance(&wallet).await, before - FARE, "a change costs nothing");
    wallet.return_ticket(RAILWAY, &mut agree).await.unwrap();
    assert_eq!(balance(&wallet).await, before);
    let none = wallet.return_ticket(RAILWAY, &mut agree).await.unwrap_err().to_string();
    assert!(none.contains("nothing was shown"), "{none}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hotel_that_asks_more_than_the_law_demands_is_shown_nothing() {
    let (city, mut wallet, _) = guest().await;
    let check_in = begin_check_in(&city, 1_000).await;
    let link = PresentationLink::parse(&check_in.authorization_request).unwrap();
    let honest = request_object(&city, &check_in.authorization_request).await;
    let payload = decode_base64url(honest.split('.').nth(1).unwrap()).unwrap();
    let mut request: Value = serde_json::from_slice(&payload).unwrap();
    let claims = request.pointer_mut("/dcql_query/credentials/0/claims").unwrap();
    claims.as_array_mut().unwrap().push(json!({"path": ["address", "street_address"]}));
    let chain = Unverified::parse(&honest).unwrap().header().chain().unwrap();
    let signer = city.data.keys(&HOTEL.parse().unwrap()).unwrap().signer("access").unwrap();
    let header = Header::typed(REQUEST_TYPE).with_chain(&chain);
    let signed = sign(&header, &serde_json::to_vec(&request).unwrap(), &*signer).unwrap();
    let rogue = PresentationLink {
        client_id: link.client_id,
        request_uri: Endpoint::parse(&serve(signed).await).unwrap(),
        request_uri_method: RequestUriMethod::Get,
    };
    let asked = |_: &Consent| panic!("the person was asked");
    let refused = wallet.present(&rogue.to_link(), &mut { asked }).await.unwrap_err().to_string();
    assert!(refused.contains("more than it may"), "{refused}");
    assert_eq!(state(&city, &check_in).await.state, "waiting");
    assert_eq!(balance(&wallet).await, 50_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_payment_or_certificate_pays_nothing() {
    // Expiries are whole seconds.
    let now = SystemClock::new().read().wall.seconds();
    let clock = ManualClock::new(Timestamp::from_seconds(now));
    let city = TestCity::start_at(None, Arc::new(clock.clone())).await;
    let (city, mut wallet, _) = guest_in(city).await;
    let check_in = begin_check_in(&city, 1_000).await;
    wallet.present(&check_in.authorization_request, &mut agree).await.unwrap();
    let paid = forwarded(&city, &state(&city, &check_in).await.payment.unwrap().payment);
    let open = begin_check_in(&city, 1_000).await;
    let request_object = request_object(&city, &open.authorization_request).await;
    let late = PresentedPayment { request_object, presentation: paid.presentation.clone() };
    clock.advance(Duration::from_millis(599_999));
    assert_eq!(forward(&city, BANK, &late).await.unwrap_err(), "presentation.rejected");
    clock.advance(Duration::from_secs(1));
    assert_eq!(forward(&city, BANK, &late).await.unwrap_err(), "payment.expired");
    // A repeat of what was paid in time still gets its first answer, while the hotel is certified.
    forward(&city, BANK, &paid).await.unwrap();
    clock.advance(Duration::from_secs(361 * 86_400));
    assert_eq!(forward(&city, BANK, &paid).await.unwrap_err(), "payment.request_untrusted");
}

#[tokio::test(flavor = "multi_thread")]
async fn desks_and_accounts_answer_their_own_keys_alone() {
    let (city, _, account) = guest().await;
    let refused = async |path: String, body: Value| {
        let url = format!("{}{path}", city.url);
        match city.client.post::<_, Value>(&url, Some("guessed"), &body).await {
            Err(ClientError::Refused(problem)) => (problem.status, problem.code),
            other => panic!("{path} answered {other:?}"),
        }
    };
    let room = json!({"room": "1", "nights": 1, "amount_minor": 1});
    let train =
        json!({"id": "G1", "train": "G1", "date": "", "class": "", "price_minor": 1, "seats": 1});
    let payment = "01a20729-00a1-7bd3-bc38-00423298914b";
    for (path, body) in [
        (format!("/parties/{HOTEL}/v1/desk/check-ins"), room.clone()),
        (format!("/parties/{HOTEL}/v1/desk/account"), json!({"account": account})),
        (format!("/parties/{RAILWAY}/v1/desk/departures"), train),
        (format!("/parties/{RAILWAY}/v1/desk/gates/a1/requests"), json!({})),
        (format!("/banks/{BANK}/v1/accounts/{account}/payment-credentials"), json!({})),
        (format!("/banks/{BANK}/v1/accounts/{account}/refunds/{BANK}/{payment}"), json!({})),
        (format!("/banks/{BANK}/v1/payment-origins"), json!({"question": "a.b.c"})),
    ] {
        assert_eq!(refused(path, body).await, (401, "request.unauthenticated".to_owned()));
    }
    // A railway lodges nobody.
    let elsewhere = refused(format!("/parties/{RAILWAY}/v1/desk/check-ins"), room).await;
    assert_eq!(elsewhere.1, "request.not_found");
}
