//! Which keys have generations, for how long the next one is only known, and how long what a key made counts after
//! another took its place.

use crate::city::{Plan, issued_by};
use yufu_keys::{IN_TOKEN, KeyUse, LEAF_DAYS};
use yufu_profile::Institution;

const DAY: u64 = 86_400;
/// Attestations live for minutes, access tokens for a day at most; metadata that names a key is read anew within one.
const SHORT: u64 = DAY;
/// How long a trust list lives: what the former key signed.
const LIST: u64 = 7 * DAY;
/// How long trust lists are relied on before they are fetched again, twice: until then nobody knows a new anchor.
const KNOWN_EVERYWHERE: u64 = 120;

/// The keys that seal what others carry, or open what is sealed to an institution.
pub(super) const SEALING: [&str; 2] = ["requests", "sessions"];
/// The keys that others know by name: one follows another by the word of the one before. They are in files.
pub(super) const NAMED: [&str; 3] = ["commands", "trust-list", "wallet"];

/// The keys that have generations, and what each is for.
pub(super) fn all() -> impl Iterator<Item = (&'static str, KeyUse)> {
    let signing = IN_TOKEN.into_iter().chain(NAMED).map(|name| (name, KeyUse::Signs));
    signing.chain(SEALING.into_iter().map(|name| (name, KeyUse::Seals)))
}

/// For how long the next key is only known before it is used, unless the operator says otherwise, in seconds.
pub(super) fn lead(key: &str) -> u64 {
    match key {
        "access-anchor" | "credential-anchor" | "registration-anchor" => KNOWN_EVERYWHERE,
        "trust-list" => DAY,
        _ => 0,
    }
}

/// For how long what a key made counts once another took its place, in seconds.
pub(super) fn counts(plan: &Plan<'_>, institution: &Institution, key: &str) -> u64 {
    let days = |days: u64| days.saturating_mul(DAY);
    let issued = issued_by(plan, institution).into_iter();
    let longest = issued.map(|kind| u64::from(kind.validity_days)).max().unwrap_or(0);
    match key {
        // The ledger, and the bank, take the former one's word no more.
        "commands" | "wallet" => 0,
        "trust-list" => LIST,
        "credentials" | "credential-anchor" => days(longest).max(SHORT),
        "sessions" => {
            let haip = plan.profile().haip.as_ref();
            haip.map_or(0, |haip| days(u64::from(haip.refresh_days))).max(SHORT)
        }
        "attestations" | "access-tokens" | "requests" => SHORT,
        // What an authority of the registrar's certified is used for as long as its certificates last.
        _ => days(LEAF_DAYS),
    }
}
