//! Which keys have generations, and how long what a key made counts after the next one took its place.

use crate::city::{Plan, issued_by};
use yufu_base::Timestamp;
use yufu_keys::{IN_TOKEN, KeyUse, LEAF_DAYS};
use yufu_profile::Institution;

const DAY: u64 = 86_400;
/// Attestations live for minutes, access tokens for a day at most; metadata that names a key is read anew within one.
const SHORT: u64 = 1;

/// The keys that seal what others carry, or open what is sealed to an institution.
pub(super) const SEALING: [&str; 2] = ["requests", "sessions"];

/// The keys that have generations, and what each is for.
pub(super) fn all() -> impl Iterator<Item = (&'static str, KeyUse)> {
    let signing = IN_TOKEN.into_iter().map(|name| (name, KeyUse::Signs));
    signing.chain(SEALING.into_iter().map(|name| (name, KeyUse::Seals)))
}

/// When the last thing ends that a key makes until `now`.
pub(super) fn end(
    plan: &Plan<'_>,
    institution: &Institution,
    key: &str,
    now: Timestamp,
) -> Timestamp {
    let issued = issued_by(plan, institution).into_iter();
    let longest = issued.map(|kind| u64::from(kind.validity_days)).max().unwrap_or(0);
    let days = match key {
        "credentials" | "credential-anchor" => longest.max(SHORT),
        "sessions" => {
            let haip = plan.profile().haip.as_ref();
            haip.map_or(0, |haip| u64::from(haip.refresh_days)).max(SHORT)
        }
        "attestations" | "access-tokens" | "requests" => SHORT,
        // What an authority of the registrar's certified is used for as long as its certificates last.
        _ => LEAF_DAYS,
    };
    now.plus_seconds(days.saturating_mul(DAY))
}
