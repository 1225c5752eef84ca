//! A generated city is the committed one byte for byte, and hangs together.

use super::*;
use crate::number::Sex;
use crate::profile::{load_dir, load_residents};
use crate::resident::Relation;
use crate::write_residents;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../profiles/china")
}

fn as_of() -> Date {
    jiff::civil::date(2026, 1, 1)
}

fn city(seed: u64, residents: usize) -> Vec<Resident> {
    generate(&load_dir(&folder()).unwrap(), seed, residents, as_of()).unwrap()
}

fn households(city: &[Resident]) -> BTreeMap<u32, Vec<&Resident>> {
    let mut households: BTreeMap<u32, Vec<&Resident>> = BTreeMap::new();
    for resident in city {
        households.entry(resident.household_id).or_default().push(resident);
    }
    households
}

fn years(older: &Resident, younger: &Resident) -> i16 {
    let span = older.birth_date.until((jiff::Unit::Year, younger.birth_date)).unwrap();
    span.get_years()
}

#[test]
fn the_committed_residents_are_what_seed_42_generates() {
    let committed = std::fs::read_to_string(folder().join("residents.csv")).unwrap();
    assert!(write_residents(&city(42, 1000)) == committed, "regenerate residents.csv");
    assert!(write_residents(&city(43, 1000)) != committed);
}

#[test]
fn the_committed_residents_pass_the_strict_reader() {
    let profile = load_dir(&folder()).unwrap();
    assert_eq!(load_residents(&folder(), &profile, as_of()).unwrap(), city(42, 1000));
}

#[test]
fn a_city_of_any_size_has_that_many_and_reads_back() {
    let profile = load_dir(&folder()).unwrap();
    for size in [0, 1, 2, 3, 10, 57, 3000] {
        let city = city(7, size);
        assert_eq!(city.len(), size);
        let text = write_residents(&city);
        assert_eq!(profile.read_residents("x", &text, as_of()).unwrap(), city, "{size}");
    }
}

#[test]
fn parents_are_old_enough_and_siblings_far_apart() {
    for (id, members) in households(&city(3, 5000)) {
        let of = |relation| members.iter().filter(move |r| r.relation == relation);
        let head = members[0];
        assert_eq!(head.relation, Relation::Head, "household {id}");
        assert!(of(Relation::Head).count() == 1 && of(Relation::Spouse).count() <= 1);
        for spouse in of(Relation::Spouse) {
            assert_ne!(spouse.sex, head.sex, "household {id}");
            assert!(spouse.is_over(20, as_of()) && head.is_over(22, as_of()));
        }
        for child in of(Relation::Child) {
            for parent in of(Relation::Head).chain(of(Relation::Spouse)) {
                let gap = years(parent, child);
                assert!((18..=55).contains(&gap), "household {id}: {gap}");
                assert!(parent.sex == Sex::Male || gap <= 45, "household {id}: {gap}");
            }
        }
        let mut births: Vec<Date> = of(Relation::Child).map(|c| c.birth_date).collect();
        births.sort_unstable();
        for pair in births.windows(2) {
            assert!(pair[0].until(pair[1]).unwrap().get_days() >= 300, "household {id}");
        }
        for parent in of(Relation::Parent) {
            assert!(years(parent, head) >= 20, "household {id}");
        }
    }
}

#[test]
fn children_bear_the_family_name_of_a_parent() {
    for (id, members) in households(&city(3, 3000)) {
        let couple = members.iter().any(|r| r.relation == Relation::Spouse);
        for child in members.iter().filter(|r| r.relation == Relation::Child && couple) {
            let parents = members.iter().filter(|r| r.relation <= Relation::Spouse);
            let shared = parents.into_iter().any(|p| p.family_name == child.family_name);
            assert!(shared, "household {id}");
        }
    }
}

#[test]
fn ages_follow_the_pyramid_and_households_are_mixed() {
    let city = city(5, 20_000);
    let share = |test: &dyn Fn(&Resident) -> bool| {
        city.iter().filter(|r| test(r)).count() * 1000 / city.len()
    };
    let (young, old) = (share(&|r| !r.is_over(15, as_of())), share(&|r| r.is_over(60, as_of())));
    assert!((165..=195).contains(&young), "{young} of 1000 are under 15");
    assert!((170..=205).contains(&old), "{old} of 1000 are 60 or older");
    let women = share(&|r| r.sex == Sex::Female);
    assert!((475..=500).contains(&women), "{women} of 1000 are women");
    let households = households(&city).len();
    assert!((6_000..=10_000).contains(&households), "{households} households");
    let with_parent = share(&|r| r.relation == Relation::Parent);
    assert!((10..=80).contains(&with_parent), "{with_parent} of 1000 live with a child's family");
}

#[test]
fn a_day_outside_the_calendar_is_refused() {
    let profile = load_dir(&folder()).unwrap();
    let day = jiff::civil::date(1800, 1, 1);
    assert_eq!(generate(&profile, 1, 1, day), Err(GenerateError::Day(day)));
}
