//! A small budget of runs in every test suite; more by `cargo xtask simulate`.

use crate::{Faults, Mishaps, Simulator};

#[test]
fn no_run_of_a_small_budget_finds_anything_and_every_fault_comes_about() {
    let simulator = Simulator::new().unwrap();
    let mut faults = Faults::default();
    for seed in 0..60 {
        match simulator.run(seed) {
            Ok(report) => faults.add(&report.faults),
            Err(failure) => panic!("{failure}"),
        }
    }
    assert_eq!(faults.missing(), []);
}

#[test]
fn a_seed_gives_the_same_run_each_time() {
    let simulator = Simulator::new().unwrap();
    for seed in [3, 16] {
        let first = simulator.run(seed).unwrap();
        let again = simulator.run(seed).unwrap();
        assert_eq!((first.records, first.commands), (again.records, again.commands));
        assert_eq!((first.crash_points, first.faults), (again.crash_points, again.faults));
    }
}

#[test]
fn no_run_between_two_ledgers_finds_anything_and_every_mishap_comes_about() {
    let simulator = Simulator::new().unwrap();
    let (mut mishaps, mut sent) = (Mishaps::default(), 0);
    for seed in 0..40 {
        match simulator.run_between(seed) {
            Ok(report) => {
                mishaps.add(&report.mishaps);
                sent += report.sent;
            }
            Err(failure) => panic!("{failure}"),
        }
    }
    assert_eq!(mishaps.missing(), []);
    assert!(sent > 300, "{sent}");
}

#[test]
fn a_seed_gives_the_same_run_between_two_ledgers_each_time() {
    let simulator = Simulator::new().unwrap();
    for seed in [3, 16] {
        let first = simulator.run_between(seed).unwrap();
        assert_eq!(first, simulator.run_between(seed).unwrap());
    }
}
