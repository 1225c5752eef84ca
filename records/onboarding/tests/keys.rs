//! The key of an account: changed once per order, by the key that commands it, with all that goes
//! with it written together.

mod support;

use support::{ACCOUNT, NUMBER, ask, at, command, enrol, records};
use uuid::Uuid;
use yufu_base::{CommandId, Timestamp};
use yufu_onboarding::{
    Answered, KeyChange, KeyWay, Onboarding, OnboardingError, Order, OrderState,
};

/// An open account in a name, commanded by the key `a`, through the wallet provider `p`.
async fn open() -> (Onboarding, Uuid) {
    let (records, _) = records().await;
    let customer = enrol(&records, "opening", ACCOUNT, Some("p")).await;
    (records, customer)
}

fn change(id: &str, from: &str, to: &str) -> KeyChange {
    KeyChange {
        id: id.to_owned(),
        account: ACCOUNT,
        way: KeyWay::HandedOver,
        evidence: "signed".to_owned(),
        former_key: from.to_owned(),
        new_key: to.to_owned(),
        provider: None,
    }
}

fn answered(begun: Timestamp) -> Answered {
    Answered { receipt: "receipt".to_owned(), retained_until: at(), begun }
}

#[tokio::test]
async fn a_key_is_changed_once_per_order_by_the_key_that_commands() {
    let (records, customer) = open().await;
    let opened = records.key_in_force(ACCOUNT).await.unwrap();
    assert_eq!((opened.way, opened.provider.as_deref()), (KeyWay::Opened, Some("p")));
    records.hand_over(&change("1", "a", "b"), at()).await.unwrap();
    records.hand_over(&change("1", "a", "b"), at()).await.unwrap();
    let reused = records.hand_over(&change("1", "a", "c"), at()).await;
    assert!(matches!(reused, Err(OnboardingError::OrderIdReused)));
    let late = records.hand_over(&change("2", "a", "c"), at()).await;
    assert!(matches!(late, Err(OnboardingError::KeyChanged)));
    assert_eq!(records.account(ACCOUNT).await.unwrap().wallet_key, "b");
    // Within the same millisecond the second change is still the later one.
    records.hand_over(&change("3", "b", "c"), at()).await.unwrap();
    let former: Vec<String> =
        records.former_keys(ACCOUNT).await.unwrap().into_iter().map(|(key, _)| key).collect();
    assert_eq!(former, ["b", "a"]);
    let key = records.key_in_force(ACCOUNT).await.unwrap();
    assert_eq!((key.way, key.provider), (KeyWay::HandedOver, None));
    let seen = records.accesses(customer).await.unwrap();
    assert_eq!(seen.len(), 2, "the person sees both: {seen:?}");
    assert!(seen.iter().all(|access| access.fields.is_empty()), "nothing was read: {seen:?}");
}

#[tokio::test]
async fn a_recovery_answers_its_presentation_once_and_only_if_nothing_changed_since() {
    let (records, _) = open().await;
    assert_eq!(records.accounts_of(NUMBER).await.unwrap().len(), 1);
    assert!(records.accounts_of("another").await.unwrap().is_empty());
    let recovery = |id: &str, from: &str, to: &str| KeyChange {
        way: KeyWay::Recovered,
        evidence: String::new(),
        ..change(id, from, to)
    };
    ask(&records, "r1").await;
    ask(&records, "r2").await;
    records.hand_over(&change("1", "a", "b"), at()).await.unwrap();
    let late = records.recover(&recovery("r1", "b", "c"), &answered(at()), at()).await;
    assert!(matches!(late, Err(OnboardingError::KeyChanged)));
    assert!(!records.verification("r1").await.unwrap().answered, "all or nothing");
    let after = at().plus_seconds(1);
    records.recover(&recovery("r2", "b", "c"), &answered(after), after).await.unwrap();
    let again = records.recover(&recovery("r2", "c", "d"), &answered(after), after).await;
    assert!(matches!(again, Err(OnboardingError::AlreadyAnswered)));
    assert_eq!(records.key_in_force(ACCOUNT).await.unwrap().way, KeyWay::Recovered);
}

#[tokio::test]
async fn what_was_issued_to_the_old_key_stays_on_the_list_until_it_is_revoked() {
    let (records, _) = open().await;
    assert!(records.unfinished_key_changes().await.unwrap().is_empty());
    records.hand_over(&change("1", "a", "b"), at()).await.unwrap();
    let unfinished = vec![("1".to_owned(), ACCOUNT)];
    assert_eq!(records.unfinished_key_changes().await.unwrap(), unfinished);
    records.credentials_revoked("1", at()).await.unwrap();
    assert!(records.unfinished_key_changes().await.unwrap().is_empty());
}

#[tokio::test]
async fn an_order_is_taken_from_the_commanding_key_alone_and_what_was_taken_goes_on() {
    let (records, _) = open().await;
    let order = |random: u128| Order {
        id: CommandId::at(at(), random),
        account: ACCOUNT,
        signed: format!("order {random}"),
        state: OrderState::Taken,
        verification: None,
    };
    let entry = |random: u128| command(random, &format!("order:{}", order(random).id));
    records.take_order_by("a", &order(7), &entry(7), at()).await.unwrap();
    records.hand_over(&change("1", "a", "b"), at()).await.unwrap();
    let late = records.take_order_by("a", &order(8), &entry(8), at()).await;
    assert!(matches!(late, Err(OnboardingError::KeyChanged)));
    assert!(records.outbox(order(8).id).await.unwrap().is_none(), "nothing was written");
    let pending = records.pending().await.unwrap();
    assert_eq!(pending, [entry(7)], "what was taken before is still to be sent");
    ask(&records, "v").await;
    let late = records.step_up((ACCOUNT, "a"), "v", "receipt", &entry(9), at(), at()).await;
    assert!(matches!(late, Err(OnboardingError::KeyChanged)));
    assert!(!records.verification("v").await.unwrap().answered);
}
