//! The collusion: two verifiers and the host of the status lists put together everything that they stored and
//! logged, and guess which presentations are of the same person. They are real: rows of two verifiers' databases,
//! opened with their own keys, the signed presentations among them, in either format, and what the running program logged:
//! also when status lists, the trust list and fresh copies were fetched. The attack
//! learns on some residents what two presentations of one have in common, and is judged on others. Reported is the
//! area under its curve (AUC): the chance that it puts a pair of the same person above a pair of two; 0.5 is chance.
//! With the issuer's rows it is 1: each credential's place in the status list leads to whom it was issued. If the first
//! look finds more than chance, a second one at three times as many others decides. Wallets that show a copy twice, or
//! that fetch something because they show something, it finds.
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
#[path = "linking/fetches.rs"]
mod fetches;
#[path = "linking/mdocs.rs"]
mod mdocs;
#[path = "linking/seen.rs"]
mod seen;
mod support;

use attack::{CHANCE, Pool, SHOWN, looks, visits};
use fetches::Fetches;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha12Rng;
use seen::Seen;
use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;
use support::country::{adults, country_with, merchant};
use support::visits::Street;
use support::{Data, Server};
use yufu_openid4vc::{FORMAT_MSO_MDOC, FORMAT_SD_JWT_VC};

const BINARY: &str = env!("CARGO_BIN_EXE_yufu");
const CINEMA: &str = "lakeside-cinema";
const CLUB: &str = "riverside-club";
/// Those who are looked at unless `YUFU_RESIDENTS` says otherwise.
const RESIDENTS: usize = 160;
/// Those whose wallets misbehave.
const CARELESS: usize = 32;
/// Between two of their visits.
const PAUSE: Duration = Duration::from_millis(150);
/// Between two visits somebody fetches fresh copies, once in so many times: at a moment that has nothing to do with either.
const RENEWS: u32 = 16;

/// What wallets do beside showing a copy of their own each time.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Habit {
    /// As the product's: the trust list is fetched first; fresh copies at moments that were drawn.
    Kept,
    /// One copy is shown again and again.
    OneCopy,
    /// Every other wallet fetches a status list before it shows something, and, of either half, every other one fresh copies
    /// right after.
    FetchingOnUse,
}

/// A party that may ask whether somebody is of age, and keeps the signed answers.
fn party(id: &str) -> String {
    let request = r#"[[institutions.requests]]
id = "of-age"
purpose = { zh = "核验是否成年", en = "Check that you are of age" }
basis = { zh = "未成年人保护法", en = "Protection of minors" }
claims = ["age_equal_or_over.18"]
evidence = true
"#;
    merchant(id, (id, id), 30, request)
}

/// A city in which both verifiers ask, and what it logs.
struct Colluding {
    data: Data,
    log: PathBuf,
    server: Server,
    street: Street,
    format: &'static str,
}

impl Colluding {
    async fn begin(format: &'static str) -> Self {
        let data = Data::new();
        let country = country_with(&data.beside(""), &(party(CINEMA) + &party(CLUB)));
        let log = data.beside("log");
        let options = ["--profile", country.to_str().unwrap()];
        let server = Server::start_logging_with(&data, &options, &log);
        let street = Street::of(&server.caller()).await;
        Self { data, log, server, street, format }
    }

    /// Everybody whose number is named shows her credentials at both verifiers; what those have of it, and when what was
    /// fetched around it.
    async fn look(&mut self, people: &[String], habit: Habit) -> Pool {
        let mut batches = Vec::new();
        for number in people {
            let batch = self.street.batch(number, self.format).await;
            assert!(batch.len() >= 2 * SHOWN, "{}", batch.len());
            batches.push(batch);
        }
        let mut who = BTreeMap::new();
        let mut random = ChaCha12Rng::seed_from_u64(11);
        for (person, verifier) in visits(people.len(), [CINEMA, CLUB]) {
            self.fetch("/trust-list/v1/list").await;
            if habit == Habit::FetchingOnUse && person % 2 == 1 {
                self.fetch("/authority/status/1").await;
            }
            let place = if habit == Habit::OneCopy { 0 } else { batches[person].len() - 1 };
            let id = self.street.show(verifier, "of-age", &batches[person][place]).await;
            who.insert(id, person);
            if habit != Habit::OneCopy {
                batches[person].truncate(place);
            }
            let renewing = match habit {
                Habit::FetchingOnUse => (person / 2 % 2 == 1).then_some(person),
                _ => (random.random_range(0..RENEWS) == 0)
                    .then(|| random.random_range(0..people.len())),
            };
            if let Some(person) = renewing {
                let fresh = self.street.batch(&people[person], self.format).await;
                batches[person].extend(fresh);
            }
            if habit == Habit::FetchingOnUse {
                // Whoever comes next does not come at once.
                tokio::time::sleep(PAUSE).await;
            }
        }
        let shown = who.len();
        let mut pool = Pool { residents: people.len(), seen: Vec::new(), who };
        let apart: (&str, fn(&str) -> Seen) = match self.format {
            FORMAT_MSO_MDOC => ("pid-mdoc", mdocs::presentation),
            _ => ("pid", seen::presentation),
        };
        for verifier in [CINEMA, CLUB] {
            // Of those alone whom this look is about: others showed the other format, or nothing any more.
            pool = pool.with(seen::rows_with(&self.street, verifier, &self.data, apart).await);
        }
        assert_eq!(pool.seen.len(), shown, "each row that they kept is in the pool");
        let fetches = Fetches::in_log(&fs::read_to_string(&self.log).unwrap());
        let counts = fetches.counts();
        assert!(counts[1] >= shown && counts[0] > 4 && counts[2] >= people.len(), "{counts:?}");
        fetches.around(pool)
    }

    async fn fetch(&self, path: &str) {
        let caller = &self.street.caller;
        caller.client.get_text(&format!("{}{path}", caller.url)).await.unwrap();
    }
}

/// Two verifiers and the status host find nothing, in this format; the issuer finds all.
async fn at_chance(format: &'static str) -> Colluding {
    let mut colluding = Colluding::begin(format).await;
    let [first, others] = looks(RESIDENTS, 3);
    let mut pool = colluding.look(&first, Habit::Kept).await;
    let mut together = pool.found();
    if together > CHANCE {
        pool = colluding.look(&others, Habit::Kept).await;
        together = pool.found();
    }
    pool.look_at_log(&fs::read_to_string(&colluding.log).unwrap());
    assert!(together <= CHANCE, "{together}");

    let issued = seen::issued(&colluding.data);
    let of = |seen: &Seen| issued[&seen.place].clone();
    let linked = pool.area(|one, other| f64::from(u8::from(of(one) == of(other))));
    eprintln!("with the issuer's rows: AUC {linked:.3}");
    assert!(linked > 0.999, "{linked}");

    // The attack finds what there is to be found: a mark that a batch shared.
    let pool = pool.marked();
    let marked = pool.judge(&pool.learn()).last().unwrap().1;
    eprintln!("with a mark in each batch: AUC {marked:.3}");
    assert!(marked > 0.95, "{marked}");
    colluding
}

/// The same attack finds one copy that is shown again and again.
async fn finds_one_copy(colluding: &mut Colluding) {
    let people: Vec<String> = adults().into_iter().rev().take(CARELESS).collect();
    let pool = colluding.look(&people, Habit::OneCopy).await;
    let found = pool.found();
    assert!(found > 0.95, "one copy, shown again and again, was not found: {found}");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_verifiers_and_the_status_host_link_no_better_than_chance_and_the_issuer_always() {
    let mut colluding = at_chance(FORMAT_SD_JWT_VC).await;
    finds_one_copy(&mut colluding).await;
    drop(colluding.server);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_verifiers_and_the_status_host_link_mdocs_no_better_than_chance() {
    let mut colluding = at_chance(FORMAT_MSO_MDOC).await;
    finds_one_copy(&mut colluding).await;
    drop(colluding.server);
}

#[tokio::test(flavor = "multi_thread")]
async fn wallets_that_fetch_because_they_show_are_found_by_the_times_alone() {
    let mut colluding = Colluding::begin(FORMAT_SD_JWT_VC).await;
    let people: Vec<String> = adults().into_iter().take(CARELESS).collect();
    let pool = colluding.look(&people, Habit::FetchingOnUse).await;
    let areas: BTreeMap<&str, f64> = pool.judge(&pool.learn()).into_iter().collect();
    eprintln!("fetching on use: {areas:.3?}");
    for sign in ["status lists fetched before", "fresh copies fetched after", "together"] {
        assert!(areas[sign] > 0.6, "{sign}: {areas:?}");
    }
    drop(colluding.server);
}
