//! Purses without identity: codes, tokens, and what is kept of a number.
#![expect(
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    reason = "a test fails by panicking"
)]

use sea_orm::{ConnectionTrait as _, Statement};
use std::sync::Arc;
use yufu_base::{AccountId, CommandId, Timestamp};
use yufu_database::{Database, MasterKey, Sealer};
use yufu_onboarding::{
    Access, Account, AccountState, BranchStep, CodeOpening, Enrolment, Link, NewCustomer,
    Onboarding, OnboardingError, OutboxEntry, Verification,
};

const NUMBER: &str = "+8613800138000";

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_seconds(1_800_000_000 + seconds)
}

async fn open() -> Onboarding {
    let keys = Database::in_memory().await.unwrap();
    let sealer = Sealer::open(keys, &MasterKey::new([7; 32])).await.unwrap();
    Onboarding::open(Database::in_memory().await.unwrap(), Arc::new(sealer)).await.unwrap()
}

fn opening(number: u128) -> CodeOpening {
    CodeOpening {
        id: format!("opening-{number}"),
        class: "IV".to_owned(),
        wallet_key: "{}".to_owned(),
        account: AccountId::new(number),
        provider: None,
    }
}

fn command(number: u128, subject: &str) -> OutboxEntry {
    OutboxEntry {
        command: CommandId::at(at(0), number),
        subject: format!("{subject}:{}", AccountId::new(number)),
        submission: vec![1],
        outcome: None,
    }
}

async fn answer(
    records: &Onboarding,
    number: u128,
    code: &str,
    seconds: u64,
) -> Result<CommandId, OnboardingError> {
    let entry = command(number, "account");
    records.answer_code(&format!("opening-{number}"), code, 1, &entry, at(seconds)).await
}

#[tokio::test]
async fn the_right_code_opens_one_purse_and_answers_once() {
    let records = open().await;
    records.send_code(&opening(1), NUMBER, "123456", at(0)).await.unwrap();
    assert_eq!(records.code_opening("opening-1").await.unwrap(), opening(1));
    let missing = records.code_opening("opening-2").await;
    assert!(matches!(missing, Err(OnboardingError::Unknown("opening"))));
    answer(&records, 1, "123456", 599).await.unwrap();
    let account = records.account(AccountId::new(1)).await.unwrap();
    assert_eq!((account.customer, account.state), (None, AccountState::Opening));
    let again = answer(&records, 1, "123456", 599).await;
    assert!(matches!(again, Err(OnboardingError::AlreadyAnswered)));
    assert_eq!(records.pending().await.unwrap().len(), 1);
}

/// How many rows were written in a database since it was opened.
async fn written(database: &Database) -> i64 {
    let connection = database.connection();
    let count =
        Statement::from_string(connection.get_database_backend(), "SELECT total_changes() AS n");
    connection.query_one_raw(count).await.unwrap().unwrap().try_get("", "n").unwrap()
}

#[tokio::test]
async fn a_number_with_a_purse_and_one_never_seen_cost_the_same_rows_and_get_the_same_answer() {
    let (keys, database) =
        (Database::in_memory().await.unwrap(), Database::in_memory().await.unwrap());
    let sealer = Sealer::open(keys.clone(), &MasterKey::new([7; 32])).await.unwrap();
    let records = Onboarding::open(database.clone(), Arc::new(sealer)).await.unwrap();
    records.send_code(&opening(1), NUMBER, "1", at(0)).await.unwrap();
    answer(&records, 1, "1", 1).await.unwrap();
    let mut costs = Vec::new();
    for (place, number) in [(2, NUMBER), (3, "+8613800138001")] {
        let before = (written(&keys).await, written(&database).await);
        records.send_code(&opening(place), number, "2", at(100)).await.unwrap();
        let after = (written(&keys).await, written(&database).await);
        costs.push((after.0 - before.0, after.1 - before.1));
    }
    assert_eq!(costs, [(1, 3), (1, 3)], "the key; the number, its count, the code");
}

#[tokio::test]
async fn a_number_has_one_purse_until_it_is_closed() {
    let records = open().await;
    records.send_code(&opening(1), NUMBER, "1", at(0)).await.unwrap();
    answer(&records, 1, "1", 1).await.unwrap();
    records.send_code(&opening(2), NUMBER, "2", at(100)).await.unwrap();
    let second = answer(&records, 2, "2", 101).await;
    assert!(matches!(second, Err(OnboardingError::TooManyAccounts { at_most: 1, .. })));
    assert!(matches!(answer(&records, 2, "x", 102).await, Err(OnboardingError::CodeWrong { .. })));
    let done = command(1, "account").command;
    records.record_outcome(done, "{}", true).await.unwrap();
    let step = BranchStep {
        account: AccountId::new(1),
        step: "close".to_owned(),
        officer: "teller 3".to_owned(),
        evidence: "form 7".to_owned(),
        at: at(150),
    };
    let close = OutboxEntry { command: CommandId::at(at(0), 9), ..command(1, "close") };
    records.branch_step(&step, None, &close).await.unwrap();
    records.record_outcome(close.command, "{}", true).await.unwrap();
    assert_eq!(records.account(AccountId::new(1)).await.unwrap().state, AccountState::Closed);
    assert_eq!(records.branch_steps(AccountId::new(1)).await.unwrap(), [step]);
    answer(&records, 2, "2", 200).await.unwrap();
}

#[tokio::test]
async fn a_wrong_code_waits_longer_each_time_and_five_end_it() {
    let records = open().await;
    records.send_code(&opening(1), NUMBER, "1", at(0)).await.unwrap();
    let mut now = 0;
    for (left, wait) in [(4, 1), (3, 2), (2, 4), (1, 8), (0, 16)] {
        match answer(&records, 1, "0", now).await {
            Err(OnboardingError::CodeWrong { left: given, retry_after }) => {
                assert_eq!((given, retry_after), (left, wait));
            }
            other => panic!("{other:?}"),
        }
        if left > 0 {
            let early = answer(&records, 1, "1", now + wait - 1).await;
            assert!(matches!(early, Err(OnboardingError::TooSoon { retry_after: 1 })));
        }
        now += wait;
    }
    assert!(matches!(answer(&records, 1, "1", now).await, Err(OnboardingError::CodeExhausted)));
    assert!(records.pending().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_code_expires_and_a_newer_one_replaces_it() {
    let records = open().await;
    records.send_code(&opening(1), NUMBER, "1", at(0)).await.unwrap();
    assert!(matches!(answer(&records, 1, "1", 600).await, Err(OnboardingError::CodeExpired)));
    records.send_code(&opening(2), NUMBER, "2", at(600)).await.unwrap();
    records.send_code(&opening(3), NUMBER, "3", at(700)).await.unwrap();
    assert!(matches!(answer(&records, 2, "2", 701).await, Err(OnboardingError::CodeExpired)));
    answer(&records, 3, "3", 701).await.unwrap();
}

#[tokio::test]
async fn codes_to_one_number_wait_longer_each_time_until_a_quiet_day() {
    let records = open().await;
    let mut now = 0;
    for (number, wait) in [(1, 15), (2, 30), (3, 60)] {
        records.send_code(&opening(number), NUMBER, "1", at(now)).await.unwrap();
        let early = records.send_code(&opening(50 + number), NUMBER, "1", at(now + wait - 1)).await;
        assert!(matches!(early, Err(OnboardingError::TooSoon { retry_after: 1 })));
        records.send_code(&opening(80 + number), &format!("+1{now}"), "1", at(now)).await.unwrap();
        now += wait;
    }
    now += 86_400;
    records.send_code(&opening(4), NUMBER, "1", at(now)).await.unwrap();
    records.send_code(&opening(5), NUMBER, "1", at(now + 15)).await.unwrap();
}

#[tokio::test]
async fn a_message_is_read_with_a_record_and_not_after_its_code_lapsed() {
    let records = open().await;
    let phone = records.send_code(&opening(1), NUMBER, "1", at(0)).await.unwrap();
    records.put_message(phone, "code 1", at(0)).await.unwrap();
    let access = |seconds| Access {
        actor: "desk 1".to_owned(),
        purpose: "no telephone network here".to_owned(),
        fields: Vec::new(),
        at: at(seconds),
    };
    let read = records.read_messages(&access(600)).await.unwrap();
    assert_eq!((read[0].number.as_str(), read[0].text.as_str()), (NUMBER, "code 1"));
    let seen = records.accesses(phone).await.unwrap();
    assert_eq!((seen.len(), seen[0].actor.as_str()), (1, "desk 1"));
    assert!(records.read_messages(&access(601)).await.unwrap().is_empty());
}

#[tokio::test]
async fn an_erased_number_cannot_be_read_and_still_has_its_one_purse() {
    let records = open().await;
    let phone = records.send_code(&opening(1), NUMBER, "1", at(0)).await.unwrap();
    records.put_message(phone, "code 1", at(0)).await.unwrap();
    answer(&records, 1, "1", 1).await.unwrap();
    records.erase_number(AccountId::new(1)).await.unwrap();
    records.erase_number(AccountId::new(77)).await.unwrap();
    assert!(records.put_message(phone, "x", at(2)).await.is_err());
    records.send_code(&opening(2), NUMBER, "2", at(100)).await.unwrap();
    records.put_message(phone, "code 2", at(100)).await.unwrap();
    let second = answer(&records, 2, "2", 101).await;
    assert!(matches!(second, Err(OnboardingError::TooManyAccounts { .. })));
}

#[tokio::test]
async fn a_number_that_opened_nothing_is_forgotten_after_a_quiet_day() {
    let records = open().await;
    let kept = records.send_code(&opening(1), NUMBER, "1", at(0)).await.unwrap();
    answer(&records, 1, "1", 1).await.unwrap();
    let lost = records.send_code(&opening(2), "+861390000", "2", at(0)).await.unwrap();
    records.forget_unanswered(at(15 + 86_400)).await.unwrap();
    records.put_message(lost, "still here", at(86_415)).await.unwrap();
    records.forget_unanswered(at(16 + 86_400)).await.unwrap();
    assert!(records.put_message(lost, "gone", at(86_416)).await.is_err());
    records.put_message(kept, "kept", at(86_416)).await.unwrap();
}

#[tokio::test]
async fn a_token_is_good_once_for_its_class_and_its_time() {
    let records = open().await;
    let times = (at(0), at(100));
    records.issue_token("t", "IV", "teller 3", times).await.unwrap();
    records.issue_token("late", "IV", "teller 3", times).await.unwrap();
    let used = |token: &'static str, new: CodeOpening, seconds| {
        let (records, number) = (&records, new.account.bits());
        async move { records.use_token(token, &new, &command(number, "account"), at(seconds)).await }
    };
    let other = CodeOpening { class: "III".to_owned(), ..opening(1) };
    assert!(matches!(used("t", other, 1).await, Err(OnboardingError::TokenUnknown)));
    assert!(matches!(used("x", opening(1), 1).await, Err(OnboardingError::TokenUnknown)));
    assert!(matches!(used("late", opening(1), 100).await, Err(OnboardingError::TokenExpired)));
    used("t", opening(1), 99).await.unwrap();
    assert!(matches!(used("t", opening(2), 99).await, Err(OnboardingError::TokenUsed)));
    assert_eq!(records.pending().await.unwrap().len(), 1);
}

/// A customer with one account of class III.
async fn customer(records: &Onboarding, number: u128) -> uuid::Uuid {
    let verification = format!("v{number}");
    let asked = Verification {
        id: verification.clone(),
        purpose: "open-account".to_owned(),
        subject: "{}".to_owned(),
        session: "{}".to_owned(),
        expires_at: at(300),
        answered: false,
    };
    records.start_verification(asked).await.unwrap();
    let enrolment = Enrolment {
        customer: NewCustomer {
            id: uuid::Uuid::new_v4(),
            number: format!("number {number}"),
            claims: serde_json::Map::new(),
            retained_until: at(86_400),
        },
        account: Account {
            id: AccountId::new(number),
            customer: None,
            class: "III".to_owned(),
            wallet_key: "{}".to_owned(),
            state: AccountState::Opening,
        },
        at_most: 1,
        command: command(number, "account"),
        verification,
        receipt: "receipt".to_owned(),
        provider: None,
    };
    records.enrol(enrolment, at(0)).await.unwrap()
}

#[tokio::test]
async fn one_deposit_is_linked_to_one_wallet_and_a_class_is_counted() {
    let records = open().await;
    let (mei, tom) = (customer(&records, 1).await, customer(&records, 2).await);
    let link = |number: u128, customer, reference: &str| Link {
        account: AccountId::new(number),
        customer,
        bank: "https://bank".to_owned(),
        reference: reference.to_owned(),
        statement: "signed".to_owned(),
    };
    let to_two = |number: u128| {
        let id = CommandId::at(at(0), 100 + number);
        let subject = format!("class:{}:II", AccountId::new(number % 10));
        OutboxEntry { command: id, subject, submission: vec![1], outcome: None }
    };
    let into = ("II", 1);
    records.link(&link(1, mei, "r"), into, &to_two(1), at(0)).await.unwrap();
    let taken = records.link(&link(2, tom, "r"), into, &to_two(2), at(0)).await;
    assert!(matches!(taken, Err(OnboardingError::ReferenceLinked)));
    records.link(&link(2, tom, "s"), into, &to_two(2), at(0)).await.unwrap();
    // Refused by the ledger, it may be tried again, with the same deposit or another.
    records.record_outcome(to_two(1).command, "{}", false).await.unwrap();
    records.link(&link(1, mei, "r"), into, &to_two(11), at(0)).await.unwrap();
    records.link(&link(1, mei, "t"), into, &to_two(21), at(0)).await.unwrap();
    records.record_outcome(to_two(21).command, "{}", true).await.unwrap();
    assert_eq!(records.account(AccountId::new(1)).await.unwrap().class, "II");
    let again = records.link(&link(1, mei, "t"), into, &to_two(31), at(0)).await;
    assert!(matches!(again, Err(OnboardingError::TooManyAccounts { at_most: 1, .. })));
}
