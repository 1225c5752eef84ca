//! What anonymous credentials cost: the time of one processor core, and bytes.
//! `cargo run --release -p yufu-anonymous --example cost`
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::arithmetic_side_effects,
    reason = "a measurement"
)]

use rustix::time::{ClockId, clock_gettime};
use std::collections::BTreeSet;
use std::time::Duration;
use yufu_anonymous::*;
use yufu_base::Timestamp;

const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);
const TIMES: u32 = 100;

/// The processor's time for one of many.
fn each<T>(mut what: impl FnMut() -> T) -> Duration {
    what();
    let begun = processor();
    for _ in 0..TIMES {
        std::hint::black_box(what());
    }
    (processor() - begun) / TIMES
}

fn processor() -> Duration {
    clock_gettime(ClockId::ProcessCPUTime).try_into().unwrap()
}

fn main() {
    let names: Vec<String> = (0..7).map(|n| format!("claim.{n}")).collect();
    let claims: Claims = names.iter().map(|name| (name.clone(), ClaimValue::Flag(true))).collect();
    let key = IssuerKey::from_seed(&[1; 32]).unwrap();
    let terms = Terms::new("https://id.example", "kind", names, 7, key.public()).unwrap();
    let (secret, epoch) = (HolderSecret::derive(&[2; 32]).unwrap(), terms.epoch(NOW));
    let (commitment, blinding) = secret.commit().unwrap();
    let entropy = Entropy::derive(&[3; 32]).unwrap();
    let issue = || key.issue(&terms, epoch, claims.clone(), &commitment, &entropy).unwrap();
    let hold = || issue().hold(terms.clone(), &secret, blinding.clone(), NOW).unwrap();
    let held = hold();
    let one = BTreeSet::from(["claim.1".to_owned()]);
    let context = Context::of_party("cinema");
    let bound = Bound { audience: "x509_hash:cinema", nonce: "nonce", request: &[0; 32] };
    let show = || held.show(&secret, &one, &context, &bound).unwrap();
    let shown = show();
    println!(
        "{} claims, {SECRETS} secret numbers, one claim shown, µs of one core:",
        terms.claims().len()
    );
    let micros = |time: Duration| time.as_micros();
    println!("commit (wallet)        {:>7}", micros(each(|| secret.commit().unwrap())));
    println!("issue (authority)      {:>7}", micros(each(issue)));
    println!("issue and take (both)  {:>7}", micros(each(hold)));
    println!("show (wallet)          {:>7}", micros(each(show)));
    let verify = || shown.verify(&terms, &context, &bound, NOW).unwrap();
    println!("verify (party)         {:>7}", micros(each(verify)));
    println!(
        "bytes: commitment {}, proof {}, pseudonym 48",
        commitment.as_bytes().len(),
        shown.proof_length()
    );
}
