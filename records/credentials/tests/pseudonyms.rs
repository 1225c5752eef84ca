//! One live set of pseudonyms for each person; another takes its place by an officer's word, from the
//! next epoch on.

#![expect(
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    reason = "a test fails by panicking"
)]

use std::collections::BTreeSet;
use uuid::Uuid;
use yufu_base::Timestamp;
use yufu_credentials::{
    Allocation, Authentication, Credentials, CredentialsError, Issuance, Place, Pseudonym,
    Replacement, Replacing,
};
use yufu_database::Database;

const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);
const NEXT_EPOCH: Timestamp = Timestamp::from_seconds(1_801_440_000);

struct World {
    records: Credentials,
    drawn: std::cell::Cell<u32>,
}

impl World {
    async fn new() -> Self {
        let database = Database::in_memory().await.unwrap();
        let records = Credentials::open(database).await.unwrap();
        Self { records, drawn: std::cell::Cell::new(0) }
    }

    /// Issues two copies to a person whose wallet brings these pseudonyms, as `sector=digest`.
    async fn issue(
        &self,
        person: Uuid,
        brought: &[&str],
        now: Timestamp,
    ) -> Result<Vec<Place>, CredentialsError> {
        let issuance = self.offer(person).await;
        let pseudonyms: Vec<Pseudonym> = brought.iter().map(|text| pseudonym(text)).collect();
        let start = self.drawn.get();
        self.drawn.set(start + 2);
        let mut next = start;
        let draw = move || {
            next += 1;
            next
        };
        let batch = Allocation { count: 2, kept_until: now.plus_seconds(1) };
        let none = BTreeSet::new();
        let issued =
            self.records.complete_issuance_under(&issuance, &none, &pseudonyms, batch, draw, now);
        let outcome = issued.await;
        if outcome.is_err() {
            let stage = self.records.issuance(&issuance.lookup).await.unwrap().stage;
            assert_eq!(stage, 0, "a refused step was passed");
        }
        outcome
    }

    async fn offer(&self, person: Uuid) -> Issuance {
        let basis = Authentication {
            id: Uuid::now_v7(),
            person,
            officer: "officer 7".to_owned(),
            evidence: "card and portrait".to_owned(),
            at: NOW,
        };
        let issuance = Issuance {
            id: Uuid::now_v7(),
            authentication: basis.id,
            person,
            lookup: Uuid::now_v7().to_string(),
            session: "authorised".to_owned(),
            stage: 0,
            expires_at: NOW.plus_seconds(600),
            derived_from: None,
        };
        self.records.start_issuance(basis, issuance.clone()).await.unwrap();
        issuance
    }

    async fn replace(
        &self,
        person: Uuid,
        at: Timestamp,
        from: Timestamp,
    ) -> Result<Replacing, CredentialsError> {
        let wanted = Replacement {
            id: Uuid::now_v7(),
            person,
            officer: "officer 7".to_owned(),
            evidence: "the phone was lost".to_owned(),
            at,
            from,
        };
        self.records.replace_pseudonyms(wanted).await
    }

    async fn void(&self) -> BTreeSet<Place> {
        let void = self.records.invalid(1, Timestamp::from_seconds(0)).await.unwrap();
        void.iter().map(|entry| Place { list: 1, position: entry.position }).collect()
    }
}

fn pseudonym(text: &str) -> Pseudonym {
    let (sector, digest) = text.split_once('=').unwrap();
    Pseudonym { sector: sector.parse().unwrap(), digest: digest.as_bytes().to_vec() }
}

fn differs(outcome: Result<Vec<Place>, CredentialsError>) -> Option<Timestamp> {
    match outcome {
        Err(CredentialsError::PseudonymDiffers { from }) => from,
        other => unreachable!("{other:?}"),
    }
}

#[tokio::test]
async fn the_first_issuance_registers_and_later_ones_bring_the_same() {
    let world = World::new().await;
    let mei = Uuid::new_v4();
    world.issue(mei, &["pension=a", "education=b"], NOW).await.unwrap();
    world.issue(mei, &["pension=a", "education=b"], NOW).await.unwrap();
    assert_eq!(differs(world.issue(mei, &["pension=x", "education=b"], NOW).await), None);
    assert_eq!(differs(world.issue(mei, &["pension=x"], NEXT_EPOCH).await), None);
    // A wallet that knows no pseudonyms is neither bound nor counted.
    world.issue(mei, &[], NOW).await.unwrap();
    // A sector of later is registered when it is first brought.
    world.issue(mei, &["pension=a", "social-assistance=c"], NOW).await.unwrap();
    assert_eq!(differs(world.issue(mei, &["social-assistance=y"], NOW).await), None);
    assert!(world.void().await.is_empty());
}

#[tokio::test]
async fn what_somebody_registered_is_nobody_elses_even_after_it_was_replaced() {
    let world = World::new().await;
    let (mei, bo) = (Uuid::new_v4(), Uuid::new_v4());
    world.issue(mei, &["pension=a"], NOW).await.unwrap();
    let taken = world.issue(bo, &["education=b", "pension=a"], NOW).await;
    assert!(
        matches!(taken, Err(CredentialsError::PseudonymTaken(sector)) if sector.as_str() == "pension")
    );
    world.replace(mei, NOW, NEXT_EPOCH).await.unwrap();
    world.issue(mei, &["pension=a2"], NEXT_EPOCH).await.unwrap();
    let retired = world.issue(bo, &["pension=a"], NEXT_EPOCH).await;
    assert!(matches!(retired, Err(CredentialsError::PseudonymTaken(_))));
    // Nothing of the refused set was registered; the same digest in another sector is another.
    world.issue(bo, &["education=b2", "pension=b"], NEXT_EPOCH).await.unwrap();
    world.issue(bo, &["social-assistance=a"], NEXT_EPOCH).await.unwrap();
}

#[tokio::test]
async fn a_replacement_voids_the_former_copies_and_lets_new_ones_in_from_the_next_epoch() {
    let world = World::new().await;
    let mei = Uuid::new_v4();
    let none = world.replace(mei, NOW, NEXT_EPOCH).await;
    assert!(matches!(none, Err(CredentialsError::NoPseudonyms)));
    let first = world.issue(mei, &["pension=a", "education=b"], NOW).await.unwrap();
    let replacing = world.replace(mei, NOW, NEXT_EPOCH).await.unwrap();
    assert_eq!(replacing, Replacing { from: NEXT_EPOCH, revoked: 2 });
    assert_eq!(world.void().await, first.iter().copied().collect());

    let new = ["pension=a2", "education=b2"];
    let before = Timestamp::from_millis(NEXT_EPOCH.millis() - 1);
    assert_eq!(differs(world.issue(mei, &new, before).await), Some(NEXT_EPOCH));
    let meanwhile = world.issue(mei, &[], before).await.unwrap();
    world.issue(mei, &new, NEXT_EPOCH).await.unwrap();
    assert!(meanwhile.iter().all(|place| !first.contains(place)));
    assert_eq!(world.void().await, first.into_iter().collect(), "copies without any are not void");
    // The word is used up, for both sectors.
    world.issue(mei, &new, NEXT_EPOCH).await.unwrap();
    assert_eq!(differs(world.issue(mei, &["pension=a"], NEXT_EPOCH).await), None);
}

#[tokio::test]
async fn a_replacement_given_twice_is_one_and_falls_when_the_registered_ones_come_back() {
    let world = World::new().await;
    let mei = Uuid::new_v4();
    let later = NEXT_EPOCH.plus_seconds(86_400 * 30);
    world.issue(mei, &["pension=a"], NOW).await.unwrap();
    world.replace(mei, NOW, NEXT_EPOCH).await.unwrap();
    let again = world.replace(mei, NEXT_EPOCH, later).await.unwrap();
    assert_eq!(again, Replacing { from: NEXT_EPOCH, revoked: 0 });
    // Another sector's says nothing of whether the secret is lost; the registered one does.
    world.issue(mei, &["education=b"], NOW).await.unwrap();
    assert_eq!(differs(world.issue(mei, &["pension=x"], NOW).await), Some(NEXT_EPOCH));
    let found = world.issue(mei, &["pension=a"], NOW).await.unwrap();
    assert_eq!(differs(world.issue(mei, &["pension=x"], later).await), None);
    let void = world.void().await;
    assert!(found.iter().all(|place| !void.contains(place)));
}

#[tokio::test]
async fn replaced_pseudonyms_come_back_only_by_another_word() {
    let world = World::new().await;
    let mei = Uuid::new_v4();
    let later = NEXT_EPOCH.plus_seconds(86_400 * 30);
    world.issue(mei, &["pension=a"], NOW).await.unwrap();
    world.replace(mei, NOW, NEXT_EPOCH).await.unwrap();
    world.issue(mei, &["pension=a2"], NEXT_EPOCH).await.unwrap();
    assert_eq!(differs(world.issue(mei, &["pension=a"], later).await), None);
    world.replace(mei, NEXT_EPOCH, later).await.unwrap();
    world.issue(mei, &["pension=a"], later).await.unwrap();
}

#[test]
fn the_refusal_says_what_to_do_and_whether_a_replacement_waits() {
    let none = CredentialsError::PseudonymDiffers { from: None }.to_string();
    assert!(none.contains("restore the backup") && none.contains("officer replace"), "{none}");
    let waits = CredentialsError::PseudonymDiffers { from: Some(NEXT_EPOCH) }.to_string();
    assert!(waits.contains("waits for the next epoch"), "{waits}");
    assert!([none, waits].iter().all(|text| text.is_ascii()), "an OAuth description is ASCII");
}
