//! One number, one content; and never a lower one.

use super::*;
use tempfile::TempDir;
use yufu_trust::{DirectoryEntry, GoodPaths, Localized};

const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

/// A list that names these institutions, before it has its sequence.
fn list(named: &[&str]) -> TrustList {
    let entry = |id: &&str| DirectoryEntry {
        id: (*id).to_owned(),
        name: Localized::new("en", *id),
        kind: "commercial-bank".to_owned(),
        url: format!("https://{id}.example"),
    };
    TrustList {
        operator: "https://trust.example".to_owned(),
        sequence: 0,
        issued_at: NOW,
        expires_at: NOW.plus_seconds(7 * RENEWAL_SECONDS),
        entries: Vec::new(),
        recognised: Vec::new(),
        directory: named.iter().map(entry).collect(),
        good_paths: GoodPaths::default(),
    }
}

fn open(folder: &TempDir) -> ListSequence {
    ListSequence::open(KeyStore::open(folder.path()).unwrap()).unwrap()
}

/// What is to be said by the one key there is.
fn saying(named: &[&str], at: Timestamp) -> Saying {
    Saying { list: list(named), at, keys: vec!["key".to_owned()] }
}

fn said(sequence: &ListSequence, named: &[&str], now: Timestamp) -> u64 {
    sequence.stamp(|| saying(named, now)).unwrap().sequence
}

#[test]
fn taking_an_institution_off_gives_a_higher_sequence_at_once_and_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let sequence = open(&folder);
    let both = said(&sequence, &["a", "b"], NOW);
    assert_eq!(said(&sequence, &["a", "b"], NOW.plus_seconds(9)), both, "the same, said again");
    let one = said(&sequence, &["a"], NOW);
    assert!(one > both, "in the same second");
    // What was off comes back: that is another list, not the former one.
    let again = said(&sequence, &["a", "b"], NOW);
    assert!(again > one);
    drop(sequence);
    let restarted = open(&folder);
    assert_eq!(said(&restarted, &["a", "b"], NOW), again, "nothing changed");
    assert!(said(&restarted, &["b"], NOW) > again);
}

#[test]
fn a_clock_that_runs_back_does_not_take_the_sequence_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let first = said(&open(&folder), &["a"], NOW);
    let earlier = NOW.minus_seconds(30 * RENEWAL_SECONDS);
    let stamped = open(&folder).stamp(|| saying(&["b"], earlier)).unwrap();
    assert!(stamped.sequence > first);
    assert_eq!(stamped.issued_at, earlier, "the dates are the clock's");
}

#[test]
fn each_day_has_a_list_of_its_own_that_lasts_as_long() {
    let folder = tempfile::tempdir().unwrap();
    let sequence = open(&folder);
    let first = sequence.stamp(|| saying(&["a"], NOW)).unwrap();
    let next = NOW.plus_seconds(RENEWAL_SECONDS);
    let second = sequence.stamp(|| saying(&["a"], next)).unwrap();
    assert!(second.sequence > first.sequence);
    assert_eq!(second.issued_at, next);
    let lasts =
        |list: &TrustList| list.expires_at.seconds().saturating_sub(list.issued_at.seconds());
    assert_eq!(lasts(&second), lasts(&first));
}

#[test]
fn one_sequence_is_signed_once() {
    let folder = tempfile::tempdir().unwrap();
    let sequence = open(&folder);
    let sign = |named: &'static [&'static str]| {
        let mut signed = false;
        let text = sequence.signed(
            || (saying(named, NOW), ()),
            |list, ()| {
                signed = true;
                Ok::<_, KeyStoreError>(list.sequence.to_string())
            },
        );
        (text.unwrap(), signed)
    };
    let (first, anew) = sign(&["a"]);
    assert!(anew);
    assert_eq!(sign(&["a"]), (first.clone(), false));
    let (second, anew) = sign(&["b"]);
    assert!(second != first && anew);
}

#[test]
fn what_the_former_key_said_is_said_anew_by_the_one_that_follows() {
    let folder = tempfile::tempdir().unwrap();
    let sequence = open(&folder);
    let by = |key: &'static str, at| {
        let saying = || (Saying { keys: vec![key.to_owned()], ..saying(&["a"], at) }, key);
        let sign =
            |list: &TrustList, by: &&str| Ok::<_, KeyStoreError>(format!("{by} {}", list.sequence));
        sequence.signed(saying, sign).unwrap()
    };
    let number = |text: &str| text.split(' ').nth(1).unwrap().parse::<u64>().unwrap();
    let former = by("former", NOW);
    assert_eq!(by("former", NOW.plus_seconds(9)), former);
    let next = by("next", NOW.plus_seconds(10));
    assert!(next.starts_with("next ") && number(&next) > number(&former));
}

#[test]
fn what_was_said_last_and_cannot_be_read_is_not_forgotten() {
    let folder = tempfile::tempdir().unwrap();
    said(&open(&folder), &["a"], NOW);
    std::fs::write(folder.path().join(format!("{DOCUMENT}.json")), b"{").unwrap();
    let opened = ListSequence::open(KeyStore::open(folder.path()).unwrap());
    assert!(matches!(opened, Err(KeyStoreError::Unreadable(_))));
}
