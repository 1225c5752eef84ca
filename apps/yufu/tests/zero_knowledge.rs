//! The collusion of `linking.rs`, with anonymous credentials: two verifiers put together everything that they stored and
//! logged, and this time the issuer helps them with everything that it was sent, answered, stored and logged. There is no
//! status host: nobody fetches a list. The attack learns as there, and is judged as there (AUC; 0.5 is chance). It finds
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

use attack::Pool;
use pooled::Issuances;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha12Rng;
use seen::Seen;
use std::collections::BTreeMap;
use std::fs;
use support::country::country_with;
use support::visits::Street;
use support::{Data, Server};
use wallets::Anonymous;

const BINARY: &str = env!("CARGO_BIN_EXE_yufu");
const PARTIES: [&str; 2] = ["lakeside-forum", "riverside-club"];
/// Those who are looked at unless `YUFU_RESIDENTS` says otherwise.
const RESIDENTS: usize = 100;
/// How often each shows the one credential at each verifier.
const SHOWN: usize = 5;

/// The sample country, whose authority issues anonymous credentials, and two parties that ask for an age.
fn country(data: &Data) -> std::path::PathBuf {
    let country = country_with(&data.beside(""), include_str!("zero_knowledge/parties.toml"));
    let file = country.join("institutions.toml");
    let mut text = fs::read_to_string(&file).unwrap();
    let at = text.find("[[institutions]]\nid = \"registrar\"").unwrap();
    text.insert_str(at, include_str!("zero_knowledge/authority.toml"));
    fs::write(&file, text).unwrap();
    country
}

/// Numbers of residents who are of age: what is asked does not tell them apart.
fn adults(count: usize) -> Vec<String> {
    let residents = include_str!("../../../profiles/china/residents.csv");
    let numbers = residents.lines().skip(1).filter_map(|line| line.split(',').next());
    let adults = numbers.filter(|number| number[6..10].parse::<u16>().unwrap() < 2000);
    adults.take(count).map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn two_verifiers_and_an_issuer_that_logged_everything_link_no_better_than_chance() {
    let residents = std::env::var("YUFU_RESIDENTS").ok().map_or(RESIDENTS, |n| n.parse().unwrap());
    let data = Data::new();
    let profile = country(&data);
    let log = data.beside("log");
    let server = Server::start_logging_with(&data, &["--profile", profile.to_str().unwrap()], &log);
    let mut street = Street::of(&server.caller()).await;
    let mut issuances = Issuances::default();
    let mut wallets: Vec<Anonymous> = Vec::new();
    for number in adults(residents) {
        wallets.push(Anonymous::issued(&mut street, &number, &mut issuances).await);
    }
    let once = 0..residents * SHOWN * PARTIES.len();
    let mut visits: Vec<(usize, &str)> =
        once.map(|n| (n % residents, PARTIES[n / residents % PARTIES.len()])).collect();
    // Who comes when has nothing to do with who came before.
    visits.shuffle(&mut ChaCha12Rng::seed_from_u64(7));
    let mut who = BTreeMap::new();
    for (person, verifier) in &visits {
        let id = wallets[*person].show(&mut street, verifier).await;
        who.insert(id, *person);
    }
    let mut pool = Pool { residents, seen: Vec::new(), who };
    for verifier in PARTIES {
        pool.seen.extend(pooled::rows(&street, verifier, &data).await);
    }
    assert_eq!(pool.seen.len(), visits.len(), "each row that they kept is in the pool");
    drop(server);
    issuances.add_rows(&data);
    pooled::look_at_log(&pool.seen, &fs::read_to_string(&log).unwrap());

    let areas = pool.judge(&pool.learn());
    let together = areas.last().unwrap().1;
    let each: Vec<String> = areas.iter().map(|(sign, area)| format!("{sign} {area:.3}")).collect();
    eprintln!("{residents} residents, {} presentations: {}", visits.len(), each.join(", "));
    assert!(together <= 0.52, "{together}: {each:?}");

    let with_issuer = pool.area(issuances.joining(&pool.seen));
    eprintln!("with all that the issuer has: AUC {with_issuer:.3}");
    assert!(with_issuer <= 0.52, "{with_issuer}");

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
