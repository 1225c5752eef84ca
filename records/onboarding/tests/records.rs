//! A bank's records: each presentation answered once, rows and commands together or not at all,
//! every read of a customer recorded.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use serde_json::{Map, Value, json};
use std::sync::Arc;
use uuid::Uuid;
use yufu_base::{AccountId, CommandId, Timestamp};
use yufu_database::{Database, MasterKey, Sealer};
use yufu_onboarding::{
    Access, Account, AccountState, Enrolment, NewCustomer, Onboarding, OnboardingError, Order,
    OrderState, OutboxEntry, Verification,
};

const NUMBER: &str = "11010519491231002X";

fn at() -> Timestamp {
    Timestamp::from_seconds(1_800_000_000)
}

async fn open() -> Onboarding {
    let keys = Database::in_memory().await.unwrap();
    let sealer = Sealer::open(keys, &MasterKey::new([7; 32])).await.unwrap();
    Onboarding::open(Database::in_memory().await.unwrap(), Arc::new(sealer)).await.unwrap()
}

fn command(random: u128, subject: &str) -> OutboxEntry {
    OutboxEntry {
        command: CommandId::at(at(), random),
        subject: subject.to_owned(),
        submission: vec![1, 2, 3],
        outcome: None,
    }
}

async fn ask(records: &Onboarding, id: &str) {
    let verification = Verification {
        id: id.to_owned(),
        purpose: "account_opening".to_owned(),
        subject: "{}".to_owned(),
        session: "{\"secret\":1}".to_owned(),
        expires_at: at().plus_seconds(300),
        answered: false,
    };
    records.start_verification(verification).await.unwrap();
}

fn enrolment(verification: &str, account: u128) -> Enrolment {
    let claims: Map<String, Value> =
        json!({"family_name": "王", "given_name": "芳"}).as_object().cloned().unwrap();
    let account = AccountId::new(account);
    Enrolment {
        customer: NewCustomer {
            id: Uuid::now_v7(),
            number: NUMBER.to_owned(),
            claims,
            retained_until: at().plus_seconds(86_400),
        },
        account: Account {
            id: account,
            customer: None,
            class: "III".to_owned(),
            wallet_key: "{}".to_owned(),
            state: AccountState::Opening,
        },
        at_most: 2,
        command: command(account.bits(), &format!("account:{account}")),
        verification: verification.to_owned(),
        receipt: "receipt".to_owned(),
        provider: None,
    }
}

#[tokio::test]
async fn a_presentation_is_answered_once_and_a_second_answer_writes_nothing() {
    let records = open().await;
    ask(&records, "v").await;
    records.enrol(enrolment("v", 1), at()).await.unwrap();
    let again = records.enrol(enrolment("v", 2), at()).await;
    assert!(matches!(again, Err(OnboardingError::AlreadyAnswered)));
    let missing = records.account(AccountId::new(2)).await;
    assert!(matches!(missing, Err(OnboardingError::Unknown("account"))));
    assert_eq!(records.pending().await.unwrap().len(), 1);
    assert_eq!(records.receipt("v").await.unwrap(), "receipt");
    let wiped = records.verification("v").await.unwrap();
    assert!(wiped.answered && wiped.session.is_empty());
}

#[tokio::test]
async fn the_same_person_is_one_customer() {
    let records = open().await;
    ask(&records, "v").await;
    ask(&records, "w").await;
    let first = records.enrol(enrolment("v", 1), at()).await.unwrap();
    let second = records.enrol(enrolment("w", 2), at()).await.unwrap();
    assert_eq!(first, second);
    assert!(records.is_customer(first, NUMBER).await.unwrap());
    assert!(!records.is_customer(first, "110105194912310011").await.unwrap());
    ask(&records, "x").await;
    let third = records.enrol(enrolment("x", 3), at()).await;
    assert!(matches!(third, Err(OnboardingError::TooManyAccounts { at_most: 2, .. })));
    assert!(!records.verification("x").await.unwrap().answered, "nothing of it is written");
}

#[tokio::test]
async fn reading_a_customer_leaves_a_record_and_gives_only_what_was_named() {
    let records = open().await;
    ask(&records, "v").await;
    let customer = records.enrol(enrolment("v", 1), at()).await.unwrap();
    assert!(records.accesses(customer).await.unwrap().is_empty());
    let access = Access {
        actor: "teller 3".to_owned(),
        purpose: "complaint 17".to_owned(),
        fields: vec!["family_name".to_owned()],
        at: at(),
    };
    let claims = records.customer_claims(customer, access.clone()).await.unwrap();
    assert_eq!(Value::Object(claims), json!({"family_name": "王"}));
    // What was asked for and is not there was not read: the person is not told that it was.
    let more = vec!["family_name".to_owned(), "sector_pseudonym.pension".to_owned()];
    records.customer_claims(customer, Access { fields: more, ..access.clone() }).await.unwrap();
    assert_eq!(records.accesses(customer).await.unwrap(), [access.clone(), access]);
}

#[tokio::test]
async fn an_outcome_decides_the_row_that_the_command_came_from() {
    let records = open().await;
    for (id, accepted, state) in [(1, true, AccountState::Open), (2, false, AccountState::Refused)]
    {
        let name = format!("v{id}");
        ask(&records, &name).await;
        records.enrol(enrolment(&name, id), at()).await.unwrap();
        let waiting = records.pending().await.unwrap();
        assert_eq!(waiting.len(), 1);
        records.record_outcome(waiting[0].command, "{}", accepted).await.unwrap();
        assert_eq!(records.account(AccountId::new(id)).await.unwrap().state, state);
        assert!(records.pending().await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn the_outcome_recorded_first_stays_and_is_what_everybody_hears() {
    let records = open().await;
    ask(&records, "v").await;
    records.enrol(enrolment("v", 1), at()).await.unwrap();
    let id = records.pending().await.unwrap()[0].command;
    assert_eq!(records.record_outcome(id, "first", true).await.unwrap(), "first");
    assert_eq!(records.record_outcome(id, "second", false).await.unwrap(), "first");
    assert_eq!(records.outbox(id).await.unwrap().unwrap().outcome.as_deref(), Some("first"));
    assert_eq!(records.account(AccountId::new(1)).await.unwrap().state, AccountState::Open);
}

#[tokio::test]
async fn an_order_is_taken_once_and_its_id_is_its_own() {
    let records = open().await;
    ask(&records, "v").await;
    records.enrol(enrolment("v", 1), at()).await.unwrap();
    let order = Order {
        id: CommandId::at(at(), 9),
        account: AccountId::new(1),
        signed: "signed".to_owned(),
        state: OrderState::Taken,
        verification: None,
    };
    let entry = command(9, &format!("order:{}", order.id));
    records.take_order(&order, &entry, at()).await.unwrap();
    records.take_order(&order, &entry, at()).await.unwrap();
    let other = Order { signed: "another".to_owned(), ..order.clone() };
    let refused = records.take_order(&other, &entry, at()).await;
    assert!(matches!(refused, Err(OnboardingError::OrderIdReused)));
    assert_eq!(records.order(order.id).await.unwrap(), order);
    assert_eq!(records.pending().await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_step_up_lets_one_command_through_once() {
    let records = open().await;
    ask(&records, "v").await;
    records.enrol(enrolment("v", 1), at()).await.unwrap();
    ask(&records, "s").await;
    let entry = command(20, "order:x");
    let signer = (AccountId::new(1), "{}");
    let until = at().plus_seconds(60);
    records.step_up(signer, "s", "r", &entry, at(), until).await.unwrap();
    let again = records.step_up(signer, "s", "r", &command(21, "order:x"), at(), until).await;
    assert!(matches!(again, Err(OnboardingError::AlreadyAnswered)));
    assert!(records.outbox(CommandId::at(at(), 21)).await.unwrap().is_none());
}

#[tokio::test]
async fn lapsed_requests_are_forgotten_and_answered_ones_stay() {
    let records = open().await;
    ask(&records, "answered").await;
    records.enrol(enrolment("answered", 1), at()).await.unwrap();
    ask(&records, "lapsed").await;
    assert_eq!(records.forget_lapsed(at().plus_seconds(300)).await.unwrap(), 0, "not yet");
    assert_eq!(records.forget_lapsed(at().plus_seconds(301)).await.unwrap(), 1);
    assert!(records.verification("answered").await.is_ok());
    assert!(matches!(records.verification("lapsed").await, Err(OnboardingError::Unknown(_))));
}
