//! Counter wallets: what a card and a PIN open, how wrong ones are counted, and that a restart or a
//! crash forgets no count. Wards: whose account it is, and who operates it.
#![expect(
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    reason = "a test fails by panicking"
)]

use std::path::Path;
use std::sync::Arc;
use yufu_base::{AccountId, CommandId, Timestamp};
use yufu_database::{Database, MasterKey, Sealer};
use yufu_onboarding::{
    Access, Account, AccountState, Answered, CardNumber, CardStep, CounterEnrolment, Enrolment,
    Guardian, KeyChange, KeyWay, NewCustomer, Onboarding, OnboardingError, OutboxEntry, Pin,
    Terminal, Verification,
};

const NUMBER: &str = "420104196209208811";
const GOOD: &str = "730519";
const WRONG: &str = "730518";

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_seconds(1_800_000_000 + seconds)
}

async fn open_in(folder: &Path) -> Onboarding {
    let keys = Database::open(&folder.join("keys.sqlite")).await.unwrap();
    let sealer = Sealer::open(keys, &MasterKey::new([7; 32])).await.unwrap();
    let database = Database::open(&folder.join("records.sqlite")).await.unwrap();
    Onboarding::open(database, Arc::new(sealer)).await.unwrap()
}

fn account(number: u128, wallet_key: &str) -> Account {
    Account {
        id: AccountId::new(number),
        customer: None,
        class: "III".to_owned(),
        wallet_key: wallet_key.to_owned(),
        state: AccountState::Opening,
    }
}

fn command(number: u128) -> OutboxEntry {
    OutboxEntry {
        command: CommandId::at(at(0), number),
        subject: format!("account:{}", AccountId::new(number)),
        submission: vec![1],
        outcome: None,
    }
}

fn customer(number: &str) -> NewCustomer {
    let claims = serde_json::json!({
        "personal_administrative_number": number, "family_name": "罗", "given_name": "龙轩",
        "birthdate": "1962-09-20",
    });
    NewCustomer {
        id: uuid::Uuid::new_v4(),
        number: number.to_owned(),
        claims: claims.as_object().unwrap().clone(),
        retained_until: at(1_000),
    }
}

fn access(seconds: u64) -> Access {
    Access {
        actor: "counter-3".to_owned(),
        purpose: "a PIN is set".to_owned(),
        fields: vec!["personal_administrative_number".to_owned(), "birthdate".to_owned()],
        at: at(seconds),
    }
}

fn step(number: u128, what: &str) -> CardStep {
    CardStep {
        account: AccountId::new(number),
        step: what.to_owned(),
        officer: "teller-3".to_owned(),
        evidence: "form 7".to_owned(),
        at: at(1),
    }
}

fn pin(digits: &str) -> Pin {
    Pin::new(digits).unwrap()
}

async fn enrol(records: &Onboarding, number: u128) -> Result<CardNumber, OnboardingError> {
    let card = CardNumber::drawn(u64::try_from(number).unwrap());
    let new = CounterEnrolment {
        customer: customer(NUMBER),
        account: account(number, ""),
        at_most: 1,
        command: command(number),
        card: card.clone(),
        step: step(number, "open"),
    };
    records.enrol_at_counter(new).await?;
    let id = command(number).command;
    records.record_outcome(id, "{}", true).await?;
    Ok(card)
}

async fn with_pin(records: &Onboarding) -> CardNumber {
    let card = enrol(records, 1).await.unwrap();
    records.set_first_pin(&card, &pin(GOOD), [1; 16], access(2)).await.unwrap();
    card
}

/// What an attempt comes to: seconds to wait and attempts left, or the refusal's kind.
async fn attempt(records: &Onboarding, card: &CardNumber, digits: &str, seconds: u64) -> String {
    match records.authorise(card, &pin(digits), at(seconds)).await {
        Ok(account) => account.to_string(),
        Err(error) => error.to_string(),
    }
}

#[tokio::test]
async fn a_wrong_pin_waits_longer_each_time_across_restarts_until_the_card_is_blocked() {
    let folder = tempfile::tempdir().unwrap();
    let card = with_pin(&open_in(folder.path()).await).await;
    let mut now = 10;
    for (left, wait) in [7, 6, 5, 4, 3, 2, 1].into_iter().zip([60, 120, 240, 480, 960, 1920, 3600])
    {
        // Opened anew each time: the count lies in the database.
        let records = open_in(folder.path()).await;
        let refused = records.authorise(&card, &pin(WRONG), at(now)).await.unwrap_err();
        let OnboardingError::CardRefused { left: found, retry_after } = refused else {
            unreachable!("{refused}")
        };
        assert_eq!((found, retry_after), (left, wait));
        // Until then even the right one is not looked at, and nothing more is counted.
        let records = open_in(folder.path()).await;
        let soon = records.authorise(&card, &pin(GOOD), at(now + wait - 1)).await;
        assert!(matches!(soon, Err(OnboardingError::CardWait { retry_after: 1 })));
        now += wait;
    }
    let records = open_in(folder.path()).await;
    let last = records.authorise(&card, &pin(WRONG), at(now)).await;
    assert!(matches!(last, Err(OnboardingError::CardBlocked)));
    let right = records.authorise(&card, &pin(GOOD), at(now + 1_000_000)).await;
    assert!(matches!(right, Err(OnboardingError::CardBlocked)), "blocked for good");

    records.unblock_card(&step(1, "unblock")).await.unwrap();
    let unset = records.authorise(&card, &pin(GOOD), at(now)).await;
    assert!(matches!(unset, Err(OnboardingError::CardRefused { left: 7, .. })), "no PIN yet");
    records.set_first_pin(&card, &pin(GOOD), [2; 16], access(3)).await.unwrap();
    let found = records.authorise(&card, &pin(GOOD), at(now)).await.unwrap();
    assert_eq!(found, AccountId::new(1));
}

#[tokio::test]
async fn a_crash_between_the_count_and_the_comparison_leaves_the_attempt_counted() {
    let folder = tempfile::tempdir().unwrap();
    let card = with_pin(&open_in(folder.path()).await).await;
    let records = open_in(folder.path()).await;
    let counted = records.count_attempt(&card, at(10)).await.unwrap();
    drop((counted, records));
    let records = open_in(folder.path()).await;
    let soon = records.authorise(&card, &pin(GOOD), at(69)).await;
    assert!(matches!(soon, Err(OnboardingError::CardWait { retry_after: 1 })));
    let wrong = records.authorise(&card, &pin(WRONG), at(70)).await;
    assert!(matches!(wrong, Err(OnboardingError::CardRefused { left: 6, retry_after: 120 })));
    assert!(records.authorise(&card, &pin(GOOD), at(190)).await.is_ok());
    let anew = records.authorise(&card, &pin(WRONG), at(191)).await;
    assert!(matches!(anew, Err(OnboardingError::CardRefused { left: 7, .. })), "set back");
}

#[tokio::test]
async fn an_unknown_card_is_answered_and_counted_as_a_wrong_pin_is() {
    let folder = tempfile::tempdir().unwrap();
    let records = open_in(folder.path()).await;
    let known = with_pin(&records).await;
    let unknown = CardNumber::drawn(77);
    let mut now = 10;
    for wait in [60, 120, 240, 480, 960, 1920, 3600, 0] {
        let one = attempt(&records, &known, WRONG, now).await;
        assert_eq!(attempt(&records, &unknown, WRONG, now).await, one);
        let one = attempt(&records, &known, WRONG, now + 1).await;
        assert_eq!(attempt(&records, &unknown, WRONG, now + 1).await, one);
        now += wait;
    }
    assert!(attempt(&records, &unknown, WRONG, now).await.contains("blocked"));
}

#[tokio::test]
async fn a_replaced_number_is_dead_at_once_and_a_blocked_card_tells_only_its_holder() {
    let folder = tempfile::tempdir().unwrap();
    let records = open_in(folder.path()).await;
    let former = with_pin(&records).await;
    records.block_card(&step(1, "block")).await.unwrap();
    let stranger = records.authorise(&former, &pin(WRONG), at(10)).await;
    assert!(matches!(stranger, Err(OnboardingError::CardRefused { left: 7, .. })));
    let holder = records.authorise(&former, &pin(GOOD), at(70)).await;
    assert!(matches!(holder, Err(OnboardingError::CardBlocked)));

    let new = CardNumber::drawn(2);
    records.replace_card(&step(1, "replace"), &new).await.unwrap();
    let dead = records.authorise(&former, &pin(GOOD), at(80)).await;
    assert!(matches!(dead, Err(OnboardingError::CardRefused { .. })), "{dead:?}");
    let dead = records.set_first_pin(&former, &pin(GOOD), [3; 16], access(3)).await;
    assert!(matches!(dead, Err(OnboardingError::NoPinDue)));
    records.set_first_pin(&new, &pin("190573"), [3; 16], access(3)).await.unwrap();
    assert_eq!(records.authorise(&new, &pin("190573"), at(90)).await.unwrap(), AccountId::new(1));
    let steps: Vec<String> = records
        .card_steps(AccountId::new(1))
        .await
        .unwrap()
        .into_iter()
        .map(|step| step.step)
        .collect();
    assert_eq!(steps, ["open", "block", "replace"]);
}

#[tokio::test]
async fn a_pin_is_set_once_is_not_the_birth_date_and_is_changed_with_the_former_one() {
    let folder = tempfile::tempdir().unwrap();
    let records = open_in(folder.path()).await;
    let card = enrol(&records, 1).await.unwrap();
    for weak in ["620920", "208811", "111111"] {
        let refused = records.set_first_pin(&card, &pin(weak), [1; 16], access(2)).await;
        assert!(matches!(refused, Err(OnboardingError::PinWeak)), "{weak}");
    }
    records.set_first_pin(&card, &pin(GOOD), [1; 16], access(2)).await.unwrap();
    let again = records.set_first_pin(&card, &pin(WRONG), [1; 16], access(2)).await;
    assert!(matches!(again, Err(OnboardingError::NoPinDue)));
    let wrong = records.change_pin(&card, (&pin(WRONG), &pin(GOOD)), [2; 16], access(3)).await;
    assert!(matches!(wrong, Err(OnboardingError::CardRefused { .. })));
    let weak = records.change_pin(&card, (&pin(GOOD), &pin("123456")), [2; 16], access(63)).await;
    assert!(matches!(weak, Err(OnboardingError::PinWeak)));
    records.change_pin(&card, (&pin(GOOD), &pin("190573")), [2; 16], access(64)).await.unwrap();
    assert!(records.authorise(&card, &pin("190573"), at(65)).await.is_ok());
    let customer = records.account(AccountId::new(1)).await.unwrap().customer.unwrap();
    assert!(records.accesses(customer).await.unwrap().len() >= 4, "each read is recorded");
}

#[tokio::test]
async fn one_person_has_one_counter_wallet_of_a_class_and_no_number_lies_readable() {
    let folder = tempfile::tempdir().unwrap();
    let records = open_in(folder.path()).await;
    let card = with_pin(&records).await;
    let second = enrol(&records, 2).await;
    assert!(matches!(second, Err(OnboardingError::TooManyAccounts { at_most: 1, .. })));
    assert_eq!(records.counter_wallet(NUMBER, "III").await.unwrap(), AccountId::new(1));
    assert!(records.counter_wallet(NUMBER, "I").await.is_err());
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        for secret in [card.as_str(), NUMBER, GOOD] {
            assert!(!bytes.windows(secret.len()).any(|part| part == secret.as_bytes()));
        }
    }
}

#[tokio::test]
async fn a_terminals_session_lapses_and_its_secret_is_not_kept() {
    let folder = tempfile::tempdir().unwrap();
    let records = open_in(folder.path()).await;
    let new = Terminal { name: "counter-3".to_owned(), officer: "teller-3".to_owned() };
    records.open_terminal("secret", new.clone(), (at(0), at(600))).await.unwrap();
    assert_eq!(records.terminal("secret", at(599)).await.unwrap(), new);
    let lapsed = records.terminal("secret", at(600)).await;
    assert!(matches!(lapsed, Err(OnboardingError::NoSession)));
    assert!(matches!(records.terminal("other", at(1)).await, Err(OnboardingError::NoSession)));
}

async fn presentation(records: &Onboarding, id: &str) {
    let new = Verification {
        id: id.to_owned(),
        purpose: "open-account-for-ward".to_owned(),
        subject: "{}".to_owned(),
        session: "{}".to_owned(),
        expires_at: at(600),
        answered: false,
    };
    records.start_verification(new).await.unwrap();
}

async fn enrol_ward(records: &Onboarding, number: u128, id: &str) -> Result<(), OnboardingError> {
    presentation(records, id).await;
    let enrolment = Enrolment {
        customer: customer(NUMBER),
        account: account(number, "guardian's key"),
        at_most: 1,
        command: command(number),
        verification: id.to_owned(),
        receipt: "r".to_owned(),
        provider: None,
    };
    let guardian = Guardian {
        claims: customer("420104193304068980").claims,
        ward_birthdate: "2015-05-02".to_owned(),
        status: ("https://authority.example/status/1".to_owned(), 7),
    };
    records.enrol_ward(enrolment, &guardian, at(1)).await.map(|_| ())
}

#[tokio::test]
async fn a_ward_has_one_account_whoever_the_guardian_is_and_takes_it_over_once() {
    let folder = tempfile::tempdir().unwrap();
    let records = open_in(folder.path()).await;
    enrol_ward(&records, 1, "first").await.unwrap();
    let second = enrol_ward(&records, 2, "second").await;
    assert!(matches!(second, Err(OnboardingError::TooManyAccounts { .. })), "a second guardian");
    let id = AccountId::new(1);
    assert!(records.has_guardian(id).await.unwrap());
    let found = records.guardian(id, access(5)).await.unwrap().unwrap();
    assert_eq!((found.ward_birthdate.as_str(), found.status.1), ("2015-05-02", 7));
    let ward = records.account(id).await.unwrap().customer.unwrap();
    assert_eq!(records.accesses(ward).await.unwrap().len(), 1, "the ward sees the read");

    records.record_outcome(command(1).command, "{}", true).await.unwrap();
    presentation(&records, "over").await;
    let change = KeyChange {
        id: "over".to_owned(),
        account: id,
        way: KeyWay::Recovered,
        evidence: String::new(),
        former_key: "guardian's key".to_owned(),
        new_key: "own key".to_owned(),
        provider: None,
    };
    let answered = Answered { receipt: "r".to_owned(), retained_until: at(1_000), begun: at(2) };
    records.recover(&change, &answered, at(6)).await.unwrap();
    let again = records.recover(&change, &answered, at(6)).await;
    assert!(matches!(again, Err(OnboardingError::AlreadyAnswered)));
    assert_eq!(records.account(id).await.unwrap().wallet_key, "own key");
    assert!(!records.has_guardian(id).await.unwrap());
    assert!(records.guardian(id, access(7)).await.unwrap().is_none());
}
