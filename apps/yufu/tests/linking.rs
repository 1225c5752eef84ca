//! The collusion: two verifiers and the host of the status lists put together everything that they stored and
//! logged, and guess which presentations are of the same person. They are real: rows of two verifiers' databases,
//! opened with their own keys, the signed presentations among them, and what the running program logged. The attack
//! learns on some residents what two presentations of one have in common, and is judged on others. Reported is the
//! area under its curve (AUC): the chance that it puts a pair of the same person above a pair of two; 0.5 is chance.
//! With the issuer's rows it is 1: each credential's place in the status list leads to whom it was issued. If the first
//! look finds more than chance, a second one at three times as many others decides.
//!
//! `YUFU_RESIDENTS=400 cargo nextest run -p yufu --test linking --no-capture` is a longer look.
#![allow(
    clippy::unwrap_used,
    clippy::string_slice,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::float_arithmetic,
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::as_conversions,
    reason = "test code"
)]

#[path = "linking/attack.rs"]
mod attack;
#[path = "linking/seen.rs"]
mod seen;
mod support;

use attack::{CHANCE, Pool, SHOWN, looks, visits};
use seen::Seen;
use std::collections::BTreeMap;
use std::fs;
use support::country::country_with;
use support::visits::Street;
use support::{Data, Server};

const BINARY: &str = env!("CARGO_BIN_EXE_yufu");
const CINEMA: &str = "lakeside-cinema";
const CLUB: &str = "riverside-club";
/// Those who are looked at unless `YUFU_RESIDENTS` says otherwise.
const RESIDENTS: usize = 160;

/// A party that may ask whether somebody is of age, and keeps the signed answers.
fn party(id: &str) -> String {
    format!(
        r#"[[institutions]]
id = "{id}"
role = "merchant"
name = {{ zh = "{id}", en = "{id}" }}
retention_days = 30
privacy_policy = {{ zh = "保存证据三十天。", en = "Keeps evidence for thirty days." }}
support = "desk@{id}.example"
[institutions.merchant]
category = 7832
bank = "bank-of-lianghu"
[[institutions.requests]]
id = "of-age"
purpose = {{ zh = "核验是否成年", en = "Check that you are of age" }}
basis = {{ zh = "未成年人保护法", en = "Protection of minors" }}
claims = ["age_equal_or_over.18"]
evidence = true
"#
    )
}

/// Everybody whose number is named shows her credentials at both verifiers; what those have of it.
async fn look(street: &mut Street, people: &[String], data: &Data) -> Pool {
    let mut batches = Vec::new();
    for number in people {
        let batch = street.sd_jwts(number).await;
        assert!(batch.len() >= 2 * SHOWN, "{}", batch.len());
        batches.push(batch);
    }
    let mut who = BTreeMap::new();
    for (person, verifier) in visits(people.len(), [CINEMA, CLUB]) {
        let credential = batches[person].pop().unwrap();
        who.insert(street.show(verifier, "of-age", &credential).await, person);
    }
    let shown = who.len();
    let mut pool = Pool { residents: people.len(), seen: Vec::new(), who };
    for verifier in [CINEMA, CLUB] {
        pool = pool.with(seen::rows(street, verifier, data).await);
    }
    assert_eq!(pool.seen.len(), shown, "each row that they kept is in the pool");
    pool
}

#[tokio::test(flavor = "multi_thread")]
async fn two_verifiers_and_the_status_host_link_no_better_than_chance_and_the_issuer_always() {
    let data = Data::new();
    let country = country_with(&data.beside(""), &(party(CINEMA) + &party(CLUB)));
    let log = data.beside("log");
    let options = ["--profile", country.to_str().unwrap()];
    let server = Server::start_logging_with(&data, &options, &log);
    let caller = server.caller();
    let mut street = Street::of(&caller).await;
    let [first, others] = looks(RESIDENTS, 3);
    let mut pool = look(&mut street, &first, &data).await;
    let mut together = pool.found();
    if together > CHANCE {
        pool = look(&mut street, &others, &data).await;
        together = pool.found();
    }
    drop(server);
    pool.look_at_log(&fs::read_to_string(&log).unwrap());
    assert!(together <= CHANCE, "{together}");

    let issued = seen::issued(&data);
    let of = |seen: &Seen| issued[&seen.place].clone();
    let linked = pool.area(|one, other| f64::from(u8::from(of(one) == of(other))));
    eprintln!("with the issuer's rows: AUC {linked:.3}");
    assert!(linked > 0.999, "{linked}");

    // The attack finds what there is to be found: a mark that a batch shared.
    let pool = pool.marked();
    let marked = pool.judge(&pool.learn()).last().unwrap().1;
    eprintln!("with a mark in each batch: AUC {marked:.3}");
    assert!(marked > 0.95, "{marked}");
}
