//! Who learned what: the demo's report, computed from what every institution in fact stored, against the table
//! in docs/privacy.md of what each step needs at the least; and that no column is stored without a word for it.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "test code: a wrong fixture is to fail loudly"
)]

mod support;

use rusqlite::Connection;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use support::{Data, demo, text};

const BINARY: &str = env!("CARGO_BIN_EXE_yufu");

const PRIVACY: &str = include_str!("../../../docs/privacy.md");
const COLUMNS: &str = include_str!("../src/demo/learned/columns.txt");
/// Parties that are no institutions: the person herself.
const HERSELF: [&str; 2] = ["her wallet", "she"];

/// A row of the table: what a party needs at a step, and what it gets beyond that.
#[derive(Debug)]
struct Row {
    needs: BTreeSet<String>,
    beyond: BTreeSet<String>,
}

type Table = BTreeMap<(String, String), Row>;

fn list(cell: &str) -> BTreeSet<String> {
    cell.split(',').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

/// The table under "Measured, step by step".
fn table() -> Table {
    let section = PRIVACY.split("## Measured, step by step").nth(1).unwrap();
    let section = section.split("\n## ").next().unwrap();
    let lines = section.lines().filter(|line| line.starts_with("| ")).skip(1);
    let mut rows = Table::new();
    for line in lines {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [step, party, needs, beyond] = cells[..] else { panic!("four cells: {line}") };
        let beyond = match beyond.split_once(':') {
            Some((names, reason)) => {
                assert!(reason.trim().len() > 10, "no reason is given: {line}");
                list(names)
            }
            None => {
                assert_eq!(beyond, "", "a reason follows a colon: {line}");
                BTreeSet::new()
            }
        };
        let row = Row { needs: list(needs), beyond };
        assert!(row.needs.is_disjoint(&row.beyond), "needed and beyond: {line}");
        assert!(rows.insert((step.to_owned(), party.to_owned()), row).is_none(), "twice: {line}");
    }
    rows
}

/// What the report says, by step and party.
fn learned(report: &Value) -> BTreeMap<(String, String), BTreeSet<String>> {
    let steps = report["steps"].as_array().unwrap().iter();
    let pairs = steps.flat_map(|step| {
        let id = step["id"].as_str().unwrap().to_owned();
        step["learned"].as_object().unwrap().iter().map(move |(party, names)| {
            let names = names.as_array().unwrap().iter().map(|n| n.as_str().unwrap().to_owned());
            ((id.clone(), party.clone()), names.collect())
        })
    });
    pairs.filter(|((_, party), _)| !HERSELF.contains(&party.as_str())).collect()
}

#[test]
fn every_party_stores_at_every_step_what_it_needs_and_what_the_table_admits_beyond_and_no_more() {
    let data = Data::new();
    let output = demo(&data.path(), &["--json"]);
    assert_eq!(output.status.code(), Some(0), "{}{}", text(&output.stdout), text(&output.stderr));
    let learned = learned(&serde_json::from_slice(&output.stdout).unwrap());
    let mut table = table();
    let mut wrong = Vec::new();
    for ((step, party), names) in &learned {
        let row = table.remove(&(step.clone(), party.clone()));
        let stated = row.map_or_else(BTreeSet::new, |row| &row.needs | &row.beyond);
        if stated != *names {
            let more: Vec<_> = names.difference(&stated).collect();
            let less: Vec<_> = stated.difference(names).collect();
            wrong.push(format!(
                "{step} | {party}: stored beyond the table {more:?}, not stored {less:?}"
            ));
        }
    }
    wrong.extend(table.keys().map(|(step, party)| format!("{step} | {party}: stored nothing")));
    assert!(wrong.is_empty(), "docs/privacy.md, \"Measured, step by step\":\n{}", wrong.join("\n"));
}

#[test]
fn every_column_of_every_institution_has_a_word_and_every_word_a_column() {
    let data = Data::new();
    assert_eq!(demo(&data.path(), &["--json"]).status.code(), Some(0));
    let mut stored = BTreeSet::new();
    for folder in fs::read_dir(data.path()).unwrap() {
        let folder = folder.unwrap().path();
        let Ok(files) = fs::read_dir(&folder) else { continue };
        for file in files {
            let path = file.unwrap().path();
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            let database = path.extension().is_some_and(|extension| extension == "sqlite");
            if database && !["person-keys", "ledger", "history"].contains(&name.as_str()) {
                columns(&Connection::open(&path).unwrap(), &name, &mut stored);
            }
        }
    }
    let words = COLUMNS.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let explained: BTreeSet<String> = words
        .map(|line| line.split_once('=').unwrap().0.trim())
        .map(|place| place.split('.').take(3).collect::<Vec<_>>().join("."))
        .collect();
    let missing: Vec<_> = stored.difference(&explained).collect();
    let idle: Vec<_> = explained.difference(&stored).collect();
    assert!(missing.is_empty() && idle.is_empty(), "no word: {missing:?}; no column: {idle:?}");
}

fn columns(database: &Connection, name: &str, stored: &mut BTreeSet<String>) {
    let sql = "SELECT m.name, c.name FROM sqlite_schema m, pragma_table_info(m.name) c
               WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' AND m.name <> 'migration'";
    let mut statement = database.prepare(sql).unwrap();
    let found =
        statement.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)));
    stored.extend(found.unwrap().map(|row| {
        let (table, column) = row.unwrap();
        format!("{name}.{table}.{column}")
    }));
}
