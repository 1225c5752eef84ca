//! `yufu keys list`.

use super::terms;
use crate::city::Plan;
use crate::words::text;
use anyhow::Result;
use serde::Serialize;
use yufu_base::Timestamp;
use yufu_keys::{Ahead, Generation, KeyStore, KeyUse};

/// A generation of a key, as it is listed.
#[derive(Serialize)]
struct Line {
    institution: String,
    key: &'static str,
    #[serde(flatten)]
    generation: Generation,
    /// `token` or `file`.
    place: &'static str,
    /// `in_use`, `ahead` (known and not used yet), `former`, `over` (its time is over, and it may be retired) or `retired`.
    state: &'static str,
    /// From when on one that is ahead is used, in seconds since the epoch.
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<u64>,
}

pub(super) fn list(plan: &Plan<'_>, json: bool) -> Result<()> {
    let lines = lines(plan)?;
    if json {
        println!("{}", serde_json::to_string_pretty(&lines)?);
        return Ok(());
    }
    for line in &lines {
        let Line { institution, key, generation, place, state, from } = line;
        let until = generation.ends.map_or_else(String::new, |ends| {
            text!("until {day}", day = day(Timestamp::from_seconds(ends)))
        });
        let until = from
            .map_or(until, |from| text!("from {time}", time = time(Timestamp::from_seconds(from))));
        let number = generation.number;
        println!("{institution:24} {key:20} {number:>3}  {place:6} {state:8} {until}");
        if let Some(why) = generation.retired.as_ref().and_then(|retired| retired.why.as_ref()) {
            println!("{:24} {}", "", text!("retired: {why}", why = why));
        }
    }
    Ok(())
}

fn lines(plan: &Plan<'_>) -> Result<Vec<Line>> {
    let now = plan.clock.read().wall;
    let mut lines = Vec::new();
    let here = plan.profile().institutions.values().filter(|one| plan.serves(&one.id));
    for institution in here {
        if !plan.data.root().join(institution.id.as_str()).join("keys").is_dir() {
            continue;
        }
        let keys = plan.data.keys(&institution.id)?;
        for (key, kind) in terms::all() {
            let ring = keys.ring(key)?;
            let first = Generation::first();
            let all = if ring.generations().is_empty() {
                std::slice::from_ref(&first)
            } else {
                ring.generations()
            };
            if !keys.has(key, ring.current(), kind)? {
                continue;
            }
            for generation in all {
                let state = match generation {
                    one if one.retired.is_some() => "retired",
                    one if one.number == ring.current() => "in_use",
                    one if one.ends.is_some_and(|ends| now.seconds() >= ends) => "over",
                    _ => "former",
                };
                lines.push(Line {
                    institution: institution.id.to_string(),
                    key,
                    generation: generation.clone(),
                    place: place(&keys, key, generation.number, kind)?,
                    state,
                    from: None,
                });
            }
            if let Some(Ahead { number, thumbprint, from, .. }) = ring.ahead() {
                let (number, thumbprint) = (*number, thumbprint.clone());
                lines.push(Line {
                    institution: institution.id.to_string(),
                    key,
                    generation: Generation { number, thumbprint, ..Generation::first() },
                    place: place(&keys, key, number, kind)?,
                    state: "ahead",
                    from: Some(*from),
                });
            }
        }
    }
    Ok(lines)
}

fn place(keys: &KeyStore, key: &str, number: u32, kind: KeyUse) -> Result<&'static str> {
    let in_token = kind == KeyUse::Signs && keys.generation_in_token(key, number)?.is_some();
    Ok(if in_token { "token" } else { "file" })
}

/// A moment to the second, UTC.
pub(super) fn time(at: Timestamp) -> String {
    let at = i64::try_from(at.seconds()).ok();
    let at = at.and_then(|seconds| jiff::Timestamp::from_second(seconds).ok());
    at.map_or_else(String::new, |at| at.to_string())
}

/// The day of a moment, UTC.
pub(super) fn day(at: Timestamp) -> String {
    let at = i64::try_from(at.seconds()).ok();
    let at = at.and_then(|seconds| jiff::Timestamp::from_second(seconds).ok());
    at.map_or_else(String::new, |at| at.to_zoned(jiff::tz::TimeZone::UTC).date().to_string())
}
