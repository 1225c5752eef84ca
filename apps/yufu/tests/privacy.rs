//! Privacy, looked for in bytes: after a journey nothing personal lies readable in any institution's
//! files, and none of it reached the program's logs.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const RESIDENTS: &str = include_str!("../../../profiles/china/residents.csv");

/// What everybody may read: purposes and names of institutions, in which a name can stand by chance
/// (明健 in 证明健在, "show that you are alive").
const PUBLIC: [&str; 2] = [
    include_str!("../../../profiles/china/profile.toml"),
    include_str!("../../../profiles/china/institutions.toml"),
];

/// Numbers, given names and streets of every resident, by their length in bytes.
fn personal_values() -> BTreeMap<usize, BTreeSet<&'static [u8]>> {
    let (header, rows) = RESIDENTS.split_once('\n').unwrap();
    let column = |name: &str| header.split(',').position(|h| h.trim() == name).unwrap();
    let columns = [column("resident_number"), column("given_name"), column("street")];
    let mut values: BTreeMap<usize, BTreeSet<&[u8]>> = BTreeMap::new();
    for row in rows.lines() {
        let fields: Vec<&str> = row.split(',').collect();
        // A name of one character is three bytes, which chance alone would find.
        let personal = columns.map(|c| fields[c].trim()).into_iter().filter(|v| v.len() >= 6);
        for value in personal.filter(|value| !PUBLIC.iter().any(|text| text.contains(value))) {
            values.entry(value.len()).or_default().insert(value.as_bytes());
        }
    }
    values
}

/// The first personal value that stands readable in `bytes`.
fn found(bytes: &[u8], values: &BTreeMap<usize, BTreeSet<&[u8]>>) -> Option<String> {
    let hit = values
        .iter()
        .find_map(|(length, set)| bytes.windows(*length).find(|window| set.contains(window)));
    hit.map(|bytes| String::from_utf8_lossy(bytes).into_owned())
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files(&path, found) } else { found.push(path) }
    }
}

#[test]
fn nothing_personal_lies_readable_in_an_institutions_files_or_in_the_logs() {
    let folder = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_yufu"))
        .args(["demo", "--once", "--json", "--listen", "127.0.0.1:0", "--data"])
        .arg(folder.path())
        .env("YUFU_LANG", "en")
        .env("YUFU_LOG", "yufu=trace,yufu_api=trace,yufu_engine=trace,yufu_onboarding=trace,info")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));

    let values = personal_values();
    let people = values.get(&18).map_or(0, BTreeSet::len);
    assert!(people >= 1000, "{people} numbers are looked for");
    assert!(found(RESIDENTS.as_bytes(), &values).is_some(), "what is readable is found");

    let mut paths = Vec::new();
    files(folder.path(), &mut paths);
    // What people hold is theirs: wallets, and the chip cards in their hands.
    let peoples = ["wallets", "cards"].map(|name| folder.path().join(name));
    paths.retain(|path| !peoples.iter().any(|own| path.starts_with(own)));
    for expected in ["ledger.sqlite", "population.sqlite", "onboarding.sqlite", "programmes.sqlite"]
    {
        assert!(paths.iter().any(|path| path.ends_with(expected)), "{expected} was looked at");
    }
    for path in paths {
        let value = found(&fs::read(&path).unwrap(), &values);
        assert_eq!(value, None, "{} holds a personal value readably", path.display());
    }
    for stream in [&output.stdout, &output.stderr] {
        assert_eq!(found(stream, &values), None, "a personal value was printed or logged");
    }
}
