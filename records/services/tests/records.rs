//! A provider's records: requests answered once, identities erased in time, tickets used once.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use serde_json::{Map, Value, json};
use std::sync::Arc;
use uuid::Uuid;
use yufu_base::Timestamp;
use yufu_database::{Database, MasterKey, Sealer};
use yufu_services::{Access, Asked, ChargeState, Departure, Services, ServicesError, Stay};
use yufu_services::{Ticket, TicketState};

fn at() -> Timestamp {
    Timestamp::from_seconds(1_800_000_000)
}

async fn open() -> Services {
    let keys = Database::in_memory().await.unwrap();
    let sealer = Sealer::open(keys, &MasterKey::new([7; 32])).await.unwrap();
    Services::open(Database::in_memory().await.unwrap(), Arc::new(sealer)).await.unwrap()
}

async fn ask(records: &Services, id: &str) {
    let asked = Asked {
        id: id.to_owned(),
        purpose: "check-in".to_owned(),
        subject: String::new(),
        session: "{\"secret\":1}".to_owned(),
        expires_at: at().plus_seconds(300),
        answered: false,
    };
    records.ask(asked).await.unwrap();
}

fn guest() -> Map<String, Value> {
    json!({"family_name": "王", "birthdate": "1990-01-01"}).as_object().cloned().unwrap()
}

fn access() -> Access {
    Access {
        actor: "desk".to_owned(),
        purpose: "register".to_owned(),
        fields: vec!["family_name".to_owned()],
        at: at(),
    }
}

async fn registered(records: &Services, until: Timestamp) -> Uuid {
    let id = Uuid::new_v4();
    let stay = Stay { id, room: "302".to_owned(), nights: 1, retained_until: None };
    records.prepare_stay(&stay, (&id.to_string(), 100), at()).await.unwrap();
    ask(records, &id.to_string()).await;
    let request = (&*id.to_string(), "receipt");
    records.register_guest(request, id, &guest(), ("bank", "sealed"), (at(), until)).await.unwrap();
    id
}

#[tokio::test]
async fn a_guests_identity_is_there_until_its_time_and_gone_at_it() {
    let records = open().await;
    let until = at().plus_seconds(90 * 86_400);
    let id = registered(&records, until).await;
    let early = Timestamp::from_millis(until.millis() - 1);
    assert_eq!(records.erase_expired(early).await.unwrap(), 0);
    // What is asked for and not there is not read, and not recorded.
    let asked = Access { fields: vec!["family_name".to_owned(), "sex".to_owned()], ..access() };
    let read = records.guest(id, asked).await.unwrap();
    assert_eq!(Value::Object(read), json!({"family_name": "王"}));
    assert_eq!(records.erase_expired(until).await.unwrap(), 1);
    assert!(matches!(records.guest(id, access()).await, Err(ServicesError::Erased)));
    assert_eq!(records.erase_expired(until).await.unwrap(), 0);
    assert_eq!(records.accesses(id).await.unwrap(), [access()]);
    assert_eq!(records.stay(id).await.unwrap().retained_until, None);
}

#[tokio::test]
async fn a_request_is_answered_once_and_its_session_wiped() {
    let records = open().await;
    let id = registered(&records, at()).await;
    let asked = records.asked(&id.to_string()).await.unwrap();
    assert!(asked.answered && asked.session.is_empty());
    let request = (&*id.to_string(), "receipt");
    let again =
        records.register_guest(request, id, &guest(), ("bank", "sealed"), (at(), at())).await;
    assert!(matches!(again, Err(ServicesError::AlreadyAnswered)));
    let late = records.store_session(&id.to_string(), "{}").await;
    assert!(matches!(late, Err(ServicesError::AlreadyAnswered)));
}

#[tokio::test]
async fn what_was_forwarded_is_forgotten_once_the_bank_answered() {
    let records = open().await;
    let id = registered(&records, at()).await.to_string();
    assert_eq!(records.charge(&id).await.unwrap().forwarded, "sealed");
    records.charged(&id, Ok("payment")).await.unwrap();
    records.charged(&id, Err("late")).await.unwrap();
    let charge = records.charge(&id).await.unwrap();
    assert_eq!((charge.state, charge.payment.as_str()), (ChargeState::Paid, "payment"));
    assert!(charge.forwarded.is_empty());
}

fn departure(id: &str, seats: u16) -> Departure {
    let [train, date, class] = ["G532", "2026-11-24", "second"].map(str::to_owned);
    Departure { id: id.to_owned(), train, date, class, price_minor: 46_350, seats }
}

async fn bought(records: &Services, on: &Departure) -> Uuid {
    let id = Uuid::new_v4();
    records.book(id, on, &id.to_string(), at()).await.unwrap();
    records.move_ticket(id, TicketState::Booked, TicketState::Valid).await.unwrap();
    id
}

#[tokio::test]
async fn a_ticket_is_taken_once_and_seats_are_sold_once() {
    let records = open().await;
    let train = departure("a", 2);
    records.add_departure(&train).await.unwrap();
    let (one, two) = (bought(&records, &train).await, bought(&records, &train).await);
    assert_eq!(records.ticket(two).await.unwrap().seat, 2);
    let full = records.book(Uuid::new_v4(), &train, "o", at()).await;
    assert!(matches!(full, Err(ServicesError::SoldOut)));
    ask(&records, "gate 1").await;
    ask(&records, "gate 2").await;
    records.take_ticket(("gate 1", ""), one, TicketState::Used, at()).await.unwrap();
    for to in [TicketState::Used, TicketState::Refunding] {
        let again = records.take_ticket(("gate 2", ""), one, to, at()).await;
        let Err(ServicesError::TicketState { found, .. }) = again else { unreachable!() };
        assert_eq!(found, TicketState::Used);
    }
    assert!(!records.asked("gate 2").await.unwrap().answered, "a refused step writes nothing");
}

#[tokio::test]
async fn a_changed_ticket_keeps_its_payment_and_loses_its_seat() {
    let records = open().await;
    let (train, later) = (departure("a", 1), departure("b", 1));
    records.add_departure(&train).await.unwrap();
    records.add_departure(&later).await.unwrap();
    let old = bought(&records, &train).await;
    let new = Uuid::new_v4();
    ask(&records, "change").await;
    records.change_ticket(("change", ""), (old, new), "b", at()).await.unwrap();
    assert_eq!(records.ticket(old).await.unwrap().state, TicketState::Changed);
    let expected = Ticket {
        id: new,
        departure: "b".to_owned(),
        seat: 1,
        state: TicketState::Valid,
        paid_by: old,
    };
    assert_eq!(records.ticket(new).await.unwrap(), expected);
}

#[tokio::test]
async fn a_seat_not_paid_in_time_or_given_back_is_sold_again() {
    let records = open().await;
    let train = departure("a", 1);
    records.add_departure(&train).await.unwrap();
    let unpaid = Uuid::new_v4();
    records.book(unpaid, &train, "first", at()).await.unwrap();
    let early = Timestamp::from_millis(at().millis() + 899_999);
    let held = records.book(Uuid::new_v4(), &train, "second", early).await;
    assert!(matches!(held, Err(ServicesError::SoldOut)));
    let paid = Uuid::new_v4();
    records.book(paid, &train, "third", at().plus_seconds(900)).await.unwrap();
    assert_eq!(records.ticket(unpaid).await.unwrap().state, TicketState::Lapsed);
    records.move_ticket(paid, TicketState::Booked, TicketState::Valid).await.unwrap();
    let late = at().plus_seconds(9_000);
    let sold = records.book(Uuid::new_v4(), &train, "fourth", late).await;
    assert!(matches!(sold, Err(ServicesError::SoldOut)), "a paid seat is never given up");
    records.move_ticket(paid, TicketState::Valid, TicketState::Refunding).await.unwrap();
    records.move_ticket(paid, TicketState::Refunding, TicketState::Refunded).await.unwrap();
    let next = Uuid::new_v4();
    records.book(next, &train, "fifth", late).await.unwrap();
    assert_eq!(records.ticket(next).await.unwrap().seat, 1);
}

#[tokio::test]
async fn what_nobody_answered_is_forgotten_and_what_somebody_paid_or_began_to_pay_stays() {
    let records = open().await;
    let on = departure("G532-1", 40);
    records.add_departure(&on).await.unwrap();
    let book = async |at| {
        let id = Uuid::new_v4();
        records.book(id, &on, &id.to_string(), at).await.unwrap();
        id
    };
    let (unpaid, begun) = (book(at()).await, book(at()).await);
    let paid = bought(&records, &on).await;
    let stays = registered(&records, at().plus_seconds(90 * 86_400)).await;
    for (request, subject) in [("unanswered", unpaid), ("answered", begun)] {
        ask(&records, request).await;
        if subject == begun {
            let (request, bank) = ((request, "receipt"), ("bank", "sealed"));
            records.forward(request, &subject.to_string(), bank, at()).await.unwrap();
        }
    }
    let end = at().plus_seconds(300);
    assert_eq!(records.forget_lapsed(at()).await.unwrap(), 0, "nothing lapsed yet");
    let recent = book(end).await;
    assert_eq!(records.forget_lapsed(end).await.unwrap(), 1, "the booking");
    assert!(records.asked("unanswered").await.is_ok(), "good to its last second");
    assert_eq!(records.forget_lapsed(end.plus_seconds(1)).await.unwrap(), 2);
    for gone in [unpaid, recent] {
        assert!(matches!(records.ticket(gone).await, Err(ServicesError::Unknown(_))));
        let charge = records.charge(&gone.to_string()).await;
        assert!(matches!(charge, Err(ServicesError::Unknown(_))));
    }
    assert!(matches!(records.asked("unanswered").await, Err(ServicesError::Unknown(_))));
    assert!(records.asked("answered").await.is_ok(), "by its receipt one may complain");
    assert_eq!(records.ticket(paid).await.unwrap().state, TicketState::Valid);
    assert_eq!(records.ticket(begun).await.unwrap().state, TicketState::Booked);
    let charge = records.charge(&begun.to_string()).await.unwrap();
    assert_eq!(charge.state, ChargeState::Forwarded);
    assert!(records.charge(&stays.to_string()).await.is_ok());
    assert!(records.guest(stays, access()).await.is_ok());
}
