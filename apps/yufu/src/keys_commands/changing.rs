//! `yufu keys rotate`, `retire` and `replace`. The first two beside a server or without one; the last without, because
//! what it changes was lost.

use super::listing::{day, time};
use super::terms;
use crate::city::Plan;
use crate::words::{say, text};
use anyhow::{Context, Result, bail, ensure};
use yufu_base::{Timestamp, TokenFault};
use yufu_keys::{KeyStore, KeyUse};
use yufu_profile::Institution;

/// Makes the next generation. A server that runs uses it from its time on; so does the next start. What nobody else has
/// to be told of is used at once where no server runs.
pub(super) fn rotate(
    plan: &Plan<'_>,
    institution: &Institution,
    key: &str,
    lead: Option<u64>,
) -> Result<()> {
    let kind = kind(key)?;
    let (keys, now) = (plan.data.keys(&institution.id)?, plan.clock.read().wall);
    let lock = if plan.data.is_served() { None } else { Some(plan.data.lock()?) };
    if lock.is_some() && lead.is_none() && !terms::NAMED.contains(&key) {
        let end = next(plan, institution, &keys, (key, kind))?;
        say!(
            "{key} of {institution}: a new one from the next start on; what the former one made counts until {day}",
            key = key,
            institution = institution.id,
            day = day(end)
        );
        return Ok(());
    }
    let usual = if lock.is_some() { 0 } else { terms::lead(key) };
    let from = now.plus_seconds(lead.unwrap_or(usual));
    keys.announce(key, kind, from, terms::counts(plan, institution, key))?;
    if lock.is_some() {
        say!(
            "{key} of {institution}: the next one is made; the next start makes it known, and uses it from {time} on",
            key = key,
            institution = institution.id,
            time = time(from)
        );
    } else {
        say!(
            "{key} of {institution}: the next one is made; the running server makes it known now, and uses it from {time} on",
            key = key,
            institution = institution.id,
            time = time(from)
        );
    }
    Ok(())
}

pub(super) fn retire(
    plan: &Plan<'_>,
    institution: &Institution,
    key: &str,
    compromised: Option<&str>,
) -> Result<()> {
    kind(key)?;
    reason(compromised)?;
    let served = plan.data.is_served();
    let keys = plan.data.keys(&institution.id)?;
    let (ring, now) = (keys.ring(key)?, plan.clock.read().wall);
    let over: Vec<u32> = ring.over(now).map(|one| one.number).collect();
    let good: Vec<_> = ring.former(now).cloned().collect();
    let mut numbers = over;
    if compromised.is_some() {
        numbers.extend(good.iter().map(|one| one.number));
    }
    if numbers.is_empty() {
        let ends = good.first().and_then(|one| one.ends).map(Timestamp::from_seconds);
        let Some(ends) = ends else {
            bail!(text!(
                "{key} of {institution} has no former generation to retire",
                key = key,
                institution = institution.id
            ))
        };
        bail!(text!(
            "what the former {key} of {institution} made counts until {day}: retire it then, or with --compromised now, which voids it",
            key = key,
            institution = institution.id,
            day = day(ends)
        ));
    }
    for number in numbers {
        keys.retire(key, number, compromised, now)?;
        if served {
            say!(
                "{key} {number} of {institution} is retired: the running server makes it known now that what it made counts no more",
                key = key,
                number = number,
                institution = institution.id
            );
        } else {
            say!(
                "{key} {number} of {institution} is retired: what it made counts no more from the next start on",
                key = key,
                number = number,
                institution = institution.id
            );
        }
    }
    Ok(())
}

/// Every key that was in a token, and is not in the one that is named, gets its next generation there.
pub(super) fn replace(
    plan: &Plan<'_>,
    institution: &Institution,
    compromised: Option<&str>,
) -> Result<()> {
    reason(compromised)?;
    let _lock = plan.data.lock()?;
    let keys = plan.data.keys(&institution.id)?;
    let token = keys.token().cloned();
    let token = token.with_context(|| {
        text!(
            "no token is named: initialise a new one and name it in the setting keys (pkcs11:...)"
        )
    })?;
    let now = plan.clock.read().wall;
    let mut count = 0_usize;
    for (key, kind) in terms::all().filter(|(_, kind)| *kind == KeyUse::Signs) {
        let lost = keys.ring(key)?.current();
        let Some(named) = keys.generation_in_token(key, lost)? else { continue };
        match token.keeps_inside(&named) {
            Ok(_) => continue,
            Err(error) if error.fault == TokenFault::KeyAbsent => {}
            Err(error) => return Err(error.into()),
        }
        // One that was ahead in the lost token nobody used.
        keys.drop_ahead(key)?;
        let end = next(plan, institution, &keys, (key, kind))?;
        count = count.saturating_add(1);
        if compromised.is_some() {
            keys.retire(key, lost, compromised, now)?;
            say!(
                "{key} of {institution}: a new one in the token; what the lost one made is void from the next start on",
                key = key,
                institution = institution.id
            );
        } else {
            say!(
                "{key} of {institution}: a new one in the token; what the lost one made counts until {day}",
                key = key,
                institution = institution.id,
                day = day(end)
            );
        }
    }
    ensure!(
        count > 0,
        text!("{institution} lost no key: the token has all of them", institution = institution.id)
    );
    Ok(())
}

/// Makes the next generation; until when what the former one made counts.
fn next(
    plan: &Plan<'_>,
    institution: &Institution,
    keys: &KeyStore,
    (key, kind): (&str, KeyUse),
) -> Result<Timestamp> {
    let now = plan.clock.read().wall;
    let end = now.plus_seconds(terms::counts(plan, institution, key));
    keys.rotate(key, kind, (now, end))?;
    Ok(end)
}

fn kind(key: &str) -> Result<KeyUse> {
    let found = terms::all().find(|(name, _)| *name == key);
    let names = || terms::all().map(|(name, _)| name).collect::<Vec<_>>().join(", ");
    let found = found.with_context(|| {
        text!("{key} has no generations: name one of {keys}", key = key, keys = names())
    })?;
    Ok(found.1)
}

fn reason(why: Option<&str>) -> Result<()> {
    ensure!(
        why.is_none_or(|why| !why.trim().is_empty()),
        text!("--compromised: say why, it is kept with the key")
    );
    Ok(())
}
