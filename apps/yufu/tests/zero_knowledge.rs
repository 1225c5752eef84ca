//! The collusion of `linking.rs`, with anonymous credentials: two verifiers put together everything that they stored and
//! logged, and this time the issuer helps them with everything that it was sent, answered, stored and logged. There is no
//! status host: nobody fetches a list. The attack learns as there, and is judged as there (AUC; 0.5 is chance), if need be
//! by a second look at five times as many others. It finds
//! what there is to be found: a mark that all credentials of a person had, and secrets that the issuer knew.
//!
//! `YUFU_RESIDENTS=400 cargo nextest run -p yufu --features zero-knowledge --test zero_knowledge --no-capture` is a longer
//! look.
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
#[path = "zero_knowledge/pooled.rs"]
mod pooled;
#[path = "linking/seen.rs"]
mod seen;
mod support;
#[path = "zero_knowledge/wallets.rs"]
mod wallets;

use attack::{CHANCE, Pool, looks, visits};
use pooled::Issuances;
use seen::Seen;
use std::collections::BTreeMap;
use std::fs;
use support::country::anonymous_country;
use support::visits::Street;
use support::{Data, Server};
use wallets::Anonymous;

const BINARY: &str = env!("CARGO_BIN_EXE_yufu");
const PARTIES: [&str; 2] = ["lakeside-forum", "riverside-club"];
/// Those who are looked at unless `YUFU_RESIDENTS` says otherwise.
const RESIDENTS: usize = 100;

/// Everybody whose number is named gets a credential, and shows it at both verifiers; the wallets, and what those have.
async fn look(
    street: &mut Street,
    people: &[String],
    issuances: &mut Issuances,
    data: &Data,
) -> (Vec<Anonymous>, Pool) {
    let mut wallets: Vec<Anonymous> = Vec::new();
    for number in people {
        wallets.push(Anonymous::issued(street, number, issuances).await);
    }
    let mut who = BTreeMap::new();
    for (person, verifier) in visits(people.len(), PARTIES) {
        who.insert(wallets[person].show(street, verifier).await, person);
    }
    let shown = who.len();
    let mut pool = Pool { residents: people.len(), seen: Vec::new(), who };
    for verifier in PARTIES {
        pool = pool.with(pooled::rows(street, verifier, data).await);
    }
    assert_eq!(pool.seen.len(), shown, "each row that they kept is in the pool");
    (wallets, pool)
}

#[tokio::test(flavor = "multi_thread")]
async fn two_verifiers_and_an_issuer_that_logged_everything_link_no_better_than_chance() {
    let data = Data::new();
    let profile = anonymous_country(&data.beside(""));
    let log = data.beside("log");
    let server = Server::start_logging_with(&data, &["--profile", profile.to_str().unwrap()], &log);
    let mut street = Street::of(&server.caller()).await;
    let mut issuances = Issuances::default();
    let [first, others] = looks(RESIDENTS, 5);
    let (mut wallets, mut pool) = look(&mut street, &first, &mut issuances, &data).await;
    let mut together = pool.found();
    if together > CHANCE {
        (wallets, pool) = look(&mut street, &others, &mut issuances, &data).await;
        together = pool.found();
    }
    drop(server);
    issuances.add_rows(&data);
    pooled::look_at_log(&pool.seen, &fs::read_to_string(&log).unwrap());
    assert!(together <= CHANCE, "{together}");

    let with_issuer = pool.area(issuances.joining(&pool.seen));
    eprintln!("with all that the issuer has: AUC {with_issuer:.3}");
    assert!(with_issuer <= CHANCE, "{with_issuer}");

    // The same search, had the wallets shown the issuer's signature as it is.
    let mut bare = pool.clone();
    for seen in &mut bare.seen {
        let signature = wallets[bare.who[&seen.id]].signature();
        seen.tokens.insert(format!("signature={signature}"));
    }
    let shown = bare.area(issuances.joining(&bare.seen));
    eprintln!("had the signature been shown: AUC {shown:.3}");
    assert!(shown > 0.999, "{shown}");

    // Had the wallets' secrets come from something that the issuer knows, it would know every pseudonym.
    let known: Vec<[String; 2]> =
        wallets.iter().map(|wallet| PARTIES.map(|party| wallet.pseudonym(party))).collect();
    let named = |seen: &Seen| {
        let has = |name: &String| seen.tokens.contains(&format!("pseudonym=\"{name}\""));
        known.iter().position(|names| names.iter().any(has))
    };
    let named: BTreeMap<&str, Option<usize>> =
        pool.seen.iter().map(|seen| (seen.id.as_str(), named(seen))).collect();
    let joined = |one: &Seen, other: &Seen| {
        let (one, other) = (named[one.id.as_str()], named[other.id.as_str()]);
        f64::from(u8::from(one.is_some() && one == other))
    };
    let guessable = pool.area(joined);
    eprintln!("had the issuer known the secrets: AUC {guessable:.3}");
    assert!(guessable > 0.999, "{guessable}");

    let pool = pool.marked();
    let marked = pool.judge(&pool.learn()).last().unwrap().1;
    eprintln!("with a mark in each credential: AUC {marked:.3}");
    assert!(marked > 0.95, "{marked}");
}
