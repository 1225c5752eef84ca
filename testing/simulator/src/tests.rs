//! A small budget of runs in every test suite; more by `cargo xtask simulate`.

use crate::{Faults, Simulator};

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
