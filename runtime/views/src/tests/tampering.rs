//! What is not as it was written is found, and named.

use super::crashes::contents;
use super::support::{Kept, Written};
use crate::{Follower, ViewError, rebuild};
use rusqlite::Connection;
use std::fs;
use yufu_log::Log as _;

#[test]
fn every_value_that_is_changed_is_found() {
    let (written, kept) = (Written::by(5, 300), Kept::new());
    kept.follow(&written.log);
    kept.verified(&written.log).unwrap();
    let good = fs::read(kept.path()).unwrap();
    for change in [
        "UPDATE progress SET at = at + 1",
        "UPDATE progress SET rows = rows - 1",
        "UPDATE account SET opened = opened + 1 WHERE number = 14",
        "UPDATE account SET opening = 5 WHERE number = 14",
        "UPDATE account SET id = zeroblob(16) WHERE number = 14",
        "UPDATE account SET debit_balanced = 1 - debit_balanced WHERE number = 14",
        "DELETE FROM account WHERE number = 14",
        "UPDATE head SET balance = balance + 1 WHERE number = 14",
        "UPDATE head SET entries = entries - 1 WHERE number = 14",
        "UPDATE head SET newest = newest - 1 WHERE number = 14",
        "DELETE FROM head WHERE number = 14",
        "UPDATE block SET at = at + 1 WHERE first = (SELECT max(first) FROM block)",
        "UPDATE block SET seq = seq + 1 WHERE first = (SELECT max(first) FROM block)",
        "DELETE FROM block WHERE first = (SELECT max(first) FROM block)",
        "UPDATE mark SET row = row + 1 WHERE entry = 64",
        "DELETE FROM mark WHERE entry = 64",
        "DELETE FROM ids WHERE number = 3",
        "UPDATE ids SET created = created + 1 WHERE number = 3",
        "UPDATE ids SET first = first + 1 WHERE number = 3",
        "INSERT INTO ids SELECT 1000000, created, first, list FROM ids WHERE number = 3",
        "UPDATE block SET rows = CAST(substr(rows, 2) AS BLOB) WHERE first = 1",
    ] {
        let connection = Connection::open(kept.path()).unwrap();
        assert!(connection.execute(change, ()).unwrap() > 0, "{change}");
        drop(connection);
        let found = kept.verified(&written.log).unwrap_err();
        assert!(
            matches!(
                found,
                ViewError::Damaged(_) | ViewError::Mismatch(_) | ViewError::OtherLog { .. }
            ),
            "{change}: {found:?}"
        );
        fs::write(kept.path(), &good).unwrap();
    }
    kept.verified(&written.log).unwrap();
}

#[test]
fn a_flipped_bit_is_found_wherever_it_matters() {
    let (written, kept) = (Written::by(6, 60), Kept::new());
    kept.follow(&written.log);
    let good = fs::read(kept.path()).unwrap();
    let expected = contents(kept.path());
    let used: Vec<usize> = (0..good.len()).filter(|place| good[*place] != 0).collect();
    let (mut found, mut harmless) = (0, 0);
    for place in used.iter().step_by(used.len() / 300) {
        let mut bad = good.clone();
        bad[*place] ^= 1 << (place % 8);
        fs::write(kept.path(), &bad).unwrap();
        match kept.verified(&written.log) {
            Err(_) => found += 1,
            // What SQLite does not use, or only to know whether somebody else wrote.
            Ok(_) => {
                let found = contents(kept.path());
                let other = found.iter().zip(&expected).find(|(one, other)| one != other);
                assert_eq!(other, None, "the flip at {place} was not found");
                assert_eq!(found.len(), expected.len());
                harmless += 1;
            }
        }
    }
    assert!(found > 250, "{found} found, {harmless} harmless");
}

#[test]
fn a_flipped_bit_in_any_block_is_found_also_by_whoever_asks() {
    let (written, kept) = (Written::by(7, 30), Kept::new());
    kept.follow(&written.log);
    let connection = Connection::open(kept.path()).unwrap();
    let (first, rows): (i64, Vec<u8>) = connection
        .query_row("SELECT first, rows FROM block LIMIT 1", (), |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .unwrap();
    for place in 0..rows.len() {
        let mut bad = rows.clone();
        bad[place] ^= 0x10;
        connection.execute("UPDATE block SET rows = ?1 WHERE first = ?2", (&bad, first)).unwrap();
        let reading = crate::store::Reading::of(&connection);
        let read = reading.blocks().row(first.cast_unsigned());
        assert!(matches!(read, Err(ViewError::Damaged(_))), "byte {place}: {read:?}");
    }
}

#[test]
fn another_logs_view_is_refused_and_made_anew() {
    let (written, other, kept) = (Written::by(8, 30), Written::by(9, 30), Kept::new());
    kept.follow(&written.log);
    let refused = Follower::open(&kept.place, &other.log).err().unwrap();
    assert!(matches!(refused, ViewError::OtherLog { .. }), "{refused:?}");
    assert!(refused.to_string().contains("yufu views rebuild"));
    assert!(matches!(kept.verified(&other.log), Err(ViewError::OtherLog { .. })));
    // As if the log were cut off: a shorter one of the same beginning.
    let shorter = Written::by(8, 20);
    let refused = Follower::open(&kept.place, &shorter.log).err().unwrap();
    assert!(matches!(refused, ViewError::OtherLog { .. }), "{refused:?}");
    let made = rebuild(&kept.place, &other.log, &mut |_| {}).unwrap();
    assert_eq!(made.through().seq, other.log.durable_head().unwrap().seq);
    drop(made);
    kept.verified(&other.log).unwrap();
}

#[test]
fn a_file_of_another_kind_or_format_is_named() {
    let (written, kept) = (Written::by(10, 3), Kept::new());
    let missing = kept.verified(&written.log).unwrap_err();
    assert!(matches!(missing, ViewError::Missing(_)), "{missing:?}");
    kept.follow(&written.log);
    let set = |sql: &str| Connection::open(kept.path()).unwrap().execute_batch(sql).unwrap();
    set("PRAGMA user_version = 7");
    let refused = Follower::open(&kept.place, &written.log).err().unwrap();
    assert_eq!(refused, ViewError::Format { found: 7, known: 1 });
    set("PRAGMA application_id = 7");
    let refused = Follower::open(&kept.place, &written.log).err().unwrap();
    assert_eq!(refused.code(), "views.not_a_view");
    fs::write(kept.path(), b"a thesis").unwrap();
    let refused = Follower::open(&kept.place, &written.log).err().unwrap();
    assert!(matches!(refused, ViewError::Damaged(_) | ViewError::Storage(_)), "{refused:?}");
}
