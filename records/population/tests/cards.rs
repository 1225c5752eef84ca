//! Chip cards in the register: one in force for each person, found by its number only, checked for one use.

#![expect(clippy::unwrap_used, reason = "a test")]

use yufu_base::Timestamp;
use yufu_database::{Database, MasterKey, Sealer};
use yufu_population::{Entry, PersonId, Population};

const DAY: u64 = 86_400;

fn entry(at: u64) -> Entry {
    let at = Timestamp::from_seconds(at);
    Entry { officer: "wang.li".to_owned(), basis: "seen".to_owned(), at }
}

async fn register() -> Population {
    let (records, keys) =
        (Database::in_memory().await.unwrap(), Database::in_memory().await.unwrap());
    let sealer = Sealer::open(keys, &MasterKey::new([1; 32])).await.unwrap();
    Population::open(records, sealer).await.unwrap()
}

fn person(number: u128) -> PersonId {
    format!("{number:032x}").parse().unwrap()
}

#[tokio::test]
async fn a_new_card_replaces_the_one_before_of_the_same_person_only() {
    let register = register().await;
    register.record_card(person(1), "E1", false, entry(1)).await.unwrap();
    register.record_card(person(2), "E2", false, entry(2)).await.unwrap();
    register.record_card(person(1), "E3", false, entry(3)).await.unwrap();
    let mut in_force = Vec::new();
    for number in ["E1", "E2", "E3"] {
        in_force.push(register.card(number).await.unwrap().unwrap().in_force);
    }
    assert_eq!(in_force, [false, true, true]);
    assert_eq!(register.card("E4").await.unwrap(), None);
    assert_eq!(register.card("E3").await.unwrap().unwrap().person, person(1));
}

#[tokio::test]
async fn a_check_is_used_once_within_its_time_and_never_of_an_ended_card() {
    let register = register().await;
    let card = register.record_card(person(1), "E1", true, entry(DAY)).await.unwrap();
    let since = Timestamp::from_seconds;
    assert!(!register.take_check(card, since(DAY + 1)).await.unwrap(), "too old");
    assert!(register.take_check(card, since(DAY)).await.unwrap());
    assert!(!register.take_check(card, since(0)).await.unwrap(), "used");
    assert!(register.check_card(person(1), entry(2 * DAY)).await.unwrap());
    assert_eq!(register.end_cards(person(1), entry(2 * DAY)).await.unwrap(), 1);
    assert!(!register.take_check(card, since(0)).await.unwrap(), "ended");
    assert!(!register.check_card(person(1), entry(2 * DAY)).await.unwrap(), "none in force");
    assert_eq!(register.end_cards(person(1), entry(3 * DAY)).await.unwrap(), 0);
}
