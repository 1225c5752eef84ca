//! The register's promises: nothing is read unrecorded, nothing erased comes back.

use super::*;
use sea_orm::Statement;
use std::path::Path;
use yufu_base::Timestamp;
use yufu_database::MasterKey;
use yufu_profile::{Profile, city, load_dir};

const NAME: [Column; 2] = [Column::FamilyName, Column::GivenName];

fn china() -> Profile {
    load_dir(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../profiles/china")).unwrap()
}

fn residents(seed: u64, count: usize) -> Vec<Resident> {
    city::generate(&china(), seed, count, jiff::civil::date(2026, 1, 1)).unwrap()
}

async fn sealer(keys: &Database) -> Sealer {
    Sealer::open(keys.clone(), &MasterKey::new([1; 32])).await.unwrap()
}

/// An empty register, with its two databases to look into.
async fn register() -> (Population, Database, Database) {
    let (records, keys) =
        (Database::in_memory().await.unwrap(), Database::in_memory().await.unwrap());
    let population = Population::open(records.clone(), sealer(&keys).await).await.unwrap();
    (population, records, keys)
}

async fn filled(count: usize) -> (Population, Database, Vec<Resident>) {
    let (population, records, _) = register().await;
    let residents = residents(1, count);
    population.import(&residents, |_, _| ()).await.unwrap();
    (population, records, residents)
}

fn access(fields: &[Column], at: u64) -> Access {
    Access {
        actor: "officer-7".into(),
        role: "registration-officer".into(),
        purpose: "issue an identity credential".into(),
        fields: fields.iter().copied().collect(),
        at: Timestamp::from_millis(at),
    }
}

async fn count(database: &Database, sql: &str) -> i64 {
    let connection = database.connection();
    let statement = Statement::from_string(connection.get_database_backend(), sql);
    connection.query_one_raw(statement).await.unwrap().unwrap().try_get_by_index(0).unwrap()
}

#[tokio::test]
async fn a_read_gives_the_wanted_fields_and_no_others() {
    let (population, _, residents) = filled(30).await;
    let excerpt = population.read(&residents[3].number, &access(&NAME, 5)).await.unwrap();
    assert_eq!(excerpt.columns().collect::<Vec<_>>(), NAME);
    assert_eq!(excerpt.value(Column::FamilyName), Some(residents[3].family_name.as_str()));
    assert_eq!(excerpt.value(Column::ResidentNumber), None);
    assert!(!format!("{excerpt:?}").contains(&residents[3].family_name));
}

#[tokio::test]
async fn a_read_by_id_is_of_the_same_person_and_recorded_alike() {
    let (population, _, residents) = filled(30).await;
    let number = &residents[3].number;
    let by_number = population.read(number, &access(&NAME, 5)).await.unwrap();
    let by_id = population.read_person(by_number.person(), &access(&NAME, 6)).await.unwrap();
    assert_eq!(by_id, by_number);
    let list = population.accesses_of(number, &access(&[], 7)).await.unwrap();
    let deeds: Vec<_> =
        list.iter().map(|record| (record.access.at.millis(), record.deed)).collect();
    assert_eq!(deeds, [(5, Deed::Read), (6, Deed::Read), (7, Deed::ReadAccesses)]);
    assert_eq!(list[0].access, access(&NAME, 5));
    let other = population.accesses_of(&residents[4].number, &access(&[], 7)).await.unwrap();
    assert_eq!(other.len(), 1);
}

#[tokio::test]
async fn nothing_is_given_if_the_access_cannot_be_recorded() {
    let (population, records, residents) = filled(30).await;
    let person = population.read(&residents[0].number, &access(&NAME, 1)).await.unwrap().person();
    let broken = "CREATE TRIGGER full_ BEFORE INSERT ON population_access
                  BEGIN SELECT RAISE(ABORT, 'disk full'); END";
    records.connection().execute_unprepared(broken).await.unwrap();
    let (number, access) = (&residents[0].number, access(&NAME, 2));
    assert!(matches!(population.read(number, &access).await, Err(PopulationError::Database(_))));
    assert!(population.read_person(person, &access).await.is_err());
    assert!(population.accesses_of(number, &access).await.is_err());
    assert!(population.erase(number, &access).await.is_err());
    records.connection().execute_unprepared("DROP TRIGGER full_").await.unwrap();
    // The erasure that could not be recorded did not happen either.
    assert!(population.read(number, &access).await.is_ok());
}

#[tokio::test]
async fn an_access_states_who_as_what_why_and_which_fields() {
    let (population, records, residents) = filled(3).await;
    let full = access(&NAME, 1);
    let blank = || "  ".to_owned();
    let rows = [
        (Access { actor: blank(), ..full.clone() }, AccessError::NoActor),
        (Access { role: blank(), ..full.clone() }, AccessError::NoRole),
        (Access { purpose: blank(), ..full.clone() }, AccessError::NoPurpose),
        (access(&[], 1), AccessError::NoFields),
        (access(&NAME, u64::MAX), AccessError::Time),
    ];
    for (access, expected) in rows {
        match population.read(&residents[0].number, &access).await {
            Err(PopulationError::Access(found)) => assert_eq!(found, expected),
            other => panic!("{expected:?}: {other:?}"),
        }
    }
    assert_eq!(count(&records, "SELECT COUNT(*) FROM population_access").await, 0);
}

#[tokio::test]
async fn asking_for_somebody_unknown_is_recorded_too() {
    let (population, records, _) = filled(3).await;
    let stranger = &residents(99, 1)[0].number;
    let asked = population.read(stranger, &access(&NAME, 1)).await;
    assert!(matches!(asked, Err(PopulationError::NotFound)));
    let unknown = "SELECT COUNT(*) FROM population_access WHERE person IS NULL";
    assert_eq!(count(&records, unknown).await, 1);
}

#[tokio::test]
async fn importing_again_changes_nothing_and_another_city_is_refused() {
    let (population, _, _) = register().await;
    let city = residents(1, 2500);
    let mut told = Vec::new();
    let first = population.import(&city, |done, of| told.push((done, of))).await.unwrap();
    assert_eq!(first, Imported::Now(2500));
    assert_eq!(told, [(1000, 2500), (2000, 2500), (2500, 2500)]);
    assert_eq!(population.import(&city, |_, _| ()).await.unwrap(), Imported::Before);
    assert_eq!(population.count().await.unwrap(), 2500);
    let other = population.import(&residents(2, 10), |_, _| ()).await;
    let expected = (2500, 10);
    assert!(matches!(
        other,
        Err(PopulationError::AnotherCity { persons, offered }) if (persons, offered) == expected
    ));
}

#[tokio::test]
async fn an_import_that_fails_leaves_neither_persons_nor_keys() {
    let (population, _, keys) = register().await;
    let mut city = residents(1, 1500);
    city.push(city[0].clone());
    assert!(population.import(&city, |_, _| ()).await.is_err());
    assert_eq!(population.count().await.unwrap(), 0);
    assert_eq!(count(&keys, "SELECT COUNT(*) FROM data_key").await, 0);
    city.pop();
    assert_eq!(population.import(&city, |_, _| ()).await.unwrap(), Imported::Now(1500));
}

#[tokio::test]
async fn who_is_erased_is_gone_and_an_import_does_not_bring_them_back() {
    let (population, records, residents) = filled(30).await;
    let number = &residents[0].number;
    let person = population.read(number, &access(&NAME, 1)).await.unwrap().person();
    population.erase(number, &access(&[], 2)).await.unwrap();
    assert!(matches!(
        population.read(number, &access(&NAME, 3)).await,
        Err(PopulationError::NotFound)
    ));
    assert!(population.read_person(person, &access(&NAME, 3)).await.is_err());
    assert_eq!(population.import(&residents, |_, _| ()).await.unwrap(), Imported::Before);
    assert_eq!(population.count().await.unwrap(), 29);
    let kept = "SELECT COUNT(*) FROM population_access WHERE person IS NOT NULL";
    assert_eq!(count(&records, kept).await, 2);
}

#[tokio::test]
async fn a_restored_row_of_somebody_erased_does_not_open() {
    let (population, records, residents) = filled(3).await;
    let number = &residents[0].number;
    let copy = "CREATE TABLE backup AS SELECT * FROM person";
    records.connection().execute_unprepared(copy).await.unwrap();
    population.erase(number, &access(&[], 1)).await.unwrap();
    let restore = "DELETE FROM person; INSERT INTO person SELECT * FROM backup";
    records.connection().execute_unprepared(restore).await.unwrap();
    let read = population.read(number, &access(&NAME, 2)).await;
    assert!(matches!(read, Err(PopulationError::Seal(SealError::Erased))));
}

#[tokio::test]
async fn the_files_hold_no_name_and_no_number() {
    let folder = tempfile::tempdir().unwrap();
    let records = Database::open(&folder.path().join("records.db")).await.unwrap();
    let keys = Database::open(&folder.path().join("keys.db")).await.unwrap();
    let population = Population::open(records, sealer(&keys).await).await.unwrap();
    let residents = residents(1, 20);
    population.import(&residents, |_, _| ()).await.unwrap();
    for resident in &residents {
        population.read(&resident.number, &access(&NAME, 1)).await.unwrap();
    }
    let mut files = 0;
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        for resident in &residents {
            let streets = [resident.number.as_str(), &resident.street, &resident.given_name];
            for secret in streets.iter().filter(|secret| secret.len() > 4) {
                let found = bytes.windows(secret.len()).any(|w| w == secret.as_bytes());
                assert!(!found, "a value lies open in a file");
            }
        }
        files += 1;
    }
    assert!(files >= 2);
}

#[tokio::test]
async fn rows_swapped_between_persons_do_not_open() {
    let (population, records, residents) = filled(3).await;
    let swap = "UPDATE person SET sealed = (SELECT sealed FROM person AS other
                WHERE other.id <> person.id LIMIT 1)";
    records.connection().execute_unprepared(swap).await.unwrap();
    let read = population.read(&residents[0].number, &access(&NAME, 1)).await;
    assert!(matches!(read, Err(PopulationError::Seal(SealError::Opening))));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn reads_at_once_all_succeed_and_are_all_recorded_and_survive_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let open = async || {
        let records = Database::open(&folder.path().join("records.db")).await.unwrap();
        let keys = Database::open(&folder.path().join("keys.db")).await.unwrap();
        Population::open(records, sealer(&keys).await).await.unwrap()
    };
    let population = std::sync::Arc::new(open().await);
    let residents = residents(1, 5);
    population.import(&residents, |_, _| ()).await.unwrap();
    let mut tasks = tokio::task::JoinSet::new();
    for at in 0..40 {
        let (population, number) = (population.clone(), residents[0].number.clone());
        tasks.spawn(async move { population.read(&number, &access(&NAME, at)).await.map(|_| ()) });
    }
    assert!(tasks.join_all().await.iter().all(Result::is_ok));
    drop(population);
    let list = open().await.accesses_of(&residents[0].number, &access(&[], 99)).await.unwrap();
    assert_eq!(list.len(), 41);
}

#[tokio::test]
async fn a_death_is_recorded_once_with_its_evidence_and_withdrawn_if_it_was_wrong() {
    let (population, records, residents) = filled(3).await;
    let number = &residents[1].number;
    let seen = |purpose: &str| Access { purpose: purpose.into(), ..access(&[], 5) };
    let person = population.record_death(number, &seen("certificate seen")).await.unwrap();
    population.record_death(number, &seen("certificate seen again")).await.unwrap();
    assert!(population.is_deceased(person).await.unwrap());
    let other = population.read(&residents[2].number, &access(&NAME, 5)).await.unwrap().person();
    assert!(!population.is_deceased(other).await.unwrap());
    assert_eq!(count(&records, "SELECT COUNT(*) FROM population_death").await, 1);
    assert_eq!(population.withdraw_death(number, &seen("mixed up")).await.unwrap(), person);
    assert!(!population.is_deceased(person).await.unwrap());
    let accesses = population.accesses_of(number, &access(&NAME, 6)).await.unwrap();
    let deeds: Vec<Deed> = accesses.iter().map(|record| record.deed).collect();
    let recorded = Deed::DeathRecorded;
    assert_eq!(deeds, [recorded, recorded, Deed::DeathWithdrawn, Deed::ReadAccesses]);
    let nobody = &residents_of_another_city()[0].number;
    let refused = population.record_death(nobody, &seen("certificate seen")).await;
    assert!(matches!(refused, Err(PopulationError::NotFound)));
    let blank = population.record_death(number, &seen(" ")).await;
    assert!(matches!(blank, Err(PopulationError::Access(_))));
}

fn residents_of_another_city() -> Vec<Resident> {
    residents(99, 1)
}

#[tokio::test]
async fn whoever_is_erased_stays_so_when_a_file_of_keys_brings_the_key_back() {
    let (records, keys) =
        (Database::in_memory().await.unwrap(), Database::in_memory().await.unwrap());
    let population = Population::open(records, sealer(&keys).await).await.unwrap();
    let residents = residents(1, 5);
    population.import(&residents, |_, _| ()).await.unwrap();
    assert_eq!(population.erase_again().await.unwrap(), 0);
    let number = &residents[0].number;
    let person = population.read(number, &access(&NAME, 1)).await.unwrap().person();
    population.erase(number, &access(&[], 2)).await.unwrap();
    sealer(&keys).await.create(&[person.uuid()]).await.unwrap();
    assert_eq!(population.erase_again().await.unwrap(), 1);
    let gone = sealer(&keys).await.key(person.uuid()).await;
    assert!(matches!(gone, Err(SealError::Erased)));
    assert!(population.read(&residents[1].number, &access(&NAME, 3)).await.is_ok());
}

#[tokio::test]
async fn a_freeze_stands_in_the_list_of_accesses_and_reads_nothing() {
    let (population, _, residents) = filled(3).await;
    let number = &residents[0].number;
    let person = population.read(number, &access(&NAME, 1)).await.unwrap().person();
    population.note_freeze(person, &access(&[], 2)).await.unwrap();
    let list = population.accesses_of(number, &access(&[], 3)).await.unwrap();
    let deeds: Vec<Deed> = list.iter().map(|record| record.deed).collect();
    assert_eq!(deeds, [Deed::Read, Deed::Frozen, Deed::ReadAccesses]);
}

#[tokio::test]
async fn what_is_read_of_the_living_is_refused_of_the_dead_and_not_recorded_then() {
    let (population, records, residents) = filled(5).await;
    let read =
        async |index: usize| population.read(&residents[index].number, &access(&NAME, 1)).await;
    let (living, dead) = (read(0).await.unwrap().person(), read(1).await.unwrap().person());
    population.record_death(&residents[1].number, &access(&[], 2)).await.unwrap();
    let before = count(&records, "SELECT COUNT(*) FROM population_access").await;
    let refused = population.read_living(dead, &access(&NAME, 3)).await;
    assert!(matches!(refused, Err(PopulationError::Deceased)));
    assert_eq!(count(&records, "SELECT COUNT(*) FROM population_access").await, before);
    assert!(population.read_person(dead, &access(&NAME, 4)).await.is_ok());
    assert_eq!(population.read_living(living, &access(&NAME, 5)).await.unwrap().person(), living);
    assert_eq!(count(&records, "SELECT COUNT(*) FROM population_access").await, before + 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn readings_at_once_are_each_recorded_and_one_that_fails_harms_no_other() {
    let (population, records, residents) = filled(40).await;
    let mut ids = Vec::new();
    for resident in &residents {
        ids.push(population.read(&resident.number, &access(&NAME, 1)).await.unwrap().person());
    }
    population.erase(&residents[7].number, &access(&[], 2)).await.unwrap();
    let before = count(&records, "SELECT COUNT(*) FROM population_access").await;
    let population = std::sync::Arc::new(population);
    let readings = ids.iter().enumerate().map(|(index, id)| {
        let (population, id) = (population.clone(), *id);
        let fields = if index % 2 == 0 { &NAME[..] } else { &NAME[..1] };
        let access = access(fields, 3);
        tokio::spawn(async move { population.read_person(id, &access).await })
    });
    for (index, reading) in readings.collect::<Vec<_>>().into_iter().enumerate() {
        match reading.await.unwrap() {
            Ok(excerpt) => {
                let name = residents[index].family_name.as_str();
                assert_eq!(excerpt.value(Column::FamilyName), Some(name));
                assert_eq!(excerpt.value(Column::GivenName).is_some(), index % 2 == 0);
            }
            Err(PopulationError::NotFound) => assert_eq!(index, 7),
            Err(other) => panic!("{other}"),
        }
    }
    assert_eq!(count(&records, "SELECT COUNT(*) FROM population_access").await, before + 40);
    let unknown = "SELECT COUNT(*) FROM population_access WHERE person IS NULL";
    assert_eq!(count(&records, unknown).await, 1);
}
