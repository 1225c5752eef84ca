//! A crash at any point loses nothing and doubles nothing.

use super::support::{Kept, Written};
use crate::Follower;
use proptest::prelude::*;
use std::fs;
use std::path::{Path, PathBuf};
use yufu_log::Log as _;

fn wal(view: &Path) -> PathBuf {
    let mut name = view.as_os_str().to_owned();
    name.push("-wal");
    PathBuf::from(name)
}

/// What the file holds, table by table, but for how ids are batched.
pub(super) fn contents(view: &Path) -> Vec<String> {
    let connection = rusqlite::Connection::open(view).unwrap();
    let mut all = Vec::new();
    for sql in [
        "SELECT * FROM progress",
        "SELECT * FROM account ORDER BY number",
        "SELECT * FROM head ORDER BY number",
        "SELECT * FROM block ORDER BY first",
        "SELECT * FROM mark",
    ] {
        let mut statement = connection.prepare(sql).unwrap();
        let columns = statement.column_count();
        let mut rows = statement.query(()).unwrap();
        while let Some(row) = rows.next().unwrap() {
            let value = |at| row.get::<_, rusqlite::types::Value>(at).unwrap();
            all.push(format!("{sql}: {:?}", (0..columns).map(value).collect::<Vec<_>>()));
        }
    }
    all
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn ended_after_any_record_and_begun_again_it_comes_to_the_same(
        seed: u64, stops in proptest::collection::vec(1..8_u64, 1..20),
    ) {
        let (written, at_once, bit_by_bit) = (Written::by(seed, 60), Kept::new(), Kept::new());
        at_once.follow(&written.log);
        for stop in stops {
            let mut follower = Follower::open(&bit_by_bit.place, &written.log).unwrap();
            let mut left = stop;
            follower.catch_up(&written.log, &mut |_| { left -= 1; left > 0 }).unwrap();
        }
        bit_by_bit.follow(&written.log);
        prop_assert_eq!(contents(bit_by_bit.path()), contents(at_once.path()));
        prop_assert!(bit_by_bit.verified(&written.log).is_ok());
    }
}

#[test]
fn killed_within_any_write_it_goes_on_from_the_one_before() {
    let (written, whole, kept) = (Written::by(3, 40), Kept::new(), Kept::new());
    whole.follow(&written.log);
    let mut follower = Follower::open(&kept.place, &written.log).unwrap();
    // Every record is a write of its own.
    while follower.through().seq < written.log.durable_head().unwrap().seq {
        follower.catch_up(&written.log, &mut |_| false).unwrap();
    }
    let (file, log) = (fs::read(kept.path()).unwrap(), fs::read(wal(kept.path())).unwrap());
    drop(follower);
    let mut seen = std::collections::BTreeSet::new();
    for part in 0..60 {
        let cut = log.len() * part / 60 + part;
        let torn = Kept::new();
        fs::write(torn.path(), &file).unwrap();
        fs::write(wal(torn.path()), log.get(..cut).unwrap()).unwrap();
        let follower = Follower::open(&torn.place, &written.log).unwrap();
        seen.insert(follower.through().seq);
        drop(follower);
        torn.follow(&written.log);
        assert_eq!(contents(torn.path()), contents(whole.path()), "cut at {cut}");
        assert!(torn.verified(&written.log).is_ok());
    }
    assert!(seen.len() > 20, "{seen:?}");
}

#[test]
fn of_two_followers_only_one_writes() {
    let (written, kept) = (Written::by(1, 10), Kept::new());
    let mut one = Follower::open(&kept.place, &written.log).unwrap();
    let other = Follower::open(&kept.place, &written.log).err().unwrap();
    assert_eq!(other.code(), "views.other_follower");
    let other = crate::rebuild(&kept.place, &written.log, &mut |_| {}).err().unwrap();
    assert_eq!(other.code(), "views.other_follower");
    // Whoever writes all the same, on a disk that knows no locks, is found out.
    one.catch_up(&written.log, &mut |folded| folded.seq.get() < 3).unwrap();
    let sql = "UPDATE progress SET seq = seq + 1";
    rusqlite::Connection::open(kept.path()).unwrap().execute(sql, ()).unwrap();
    let refused = one.catch_up(&written.log, &mut |_| true).unwrap_err();
    assert_eq!(refused.code(), "views.other_follower");
}
