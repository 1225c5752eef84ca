//! `yufu config`: a template, a check before anything is started, and the fingerprints of keys.

use crate::city::{INSTITUTION_KEY, Plan, fingerprint};
use crate::command_line::{Config, ConfigAction, Serve};
use crate::data::DataFolder;
use crate::explaining::explain;
use crate::ledger_log::LedgerLog;
use crate::profile::{self, Country};
use crate::settings::{Settings, TEMPLATE};
use crate::words::{say, text};
use crate::{safety, trust_key};
use anyhow::{Context, Result};
use std::process::ExitCode;
use std::sync::Arc;
use yufu_engine::{Clock, SystemClock};
use yufu_keys::KeyUse;
use yufu_profile::{Institution, Role};

pub(crate) fn run(options: Config) -> Result<ExitCode> {
    match options.action {
        ConfigAction::Template => print!("{TEMPLATE}"),
        ConfigAction::Check(options) => return check(options),
        ConfigAction::Fingerprint(options) => fingerprints(options)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Tells each finding; whether there are any is the exit status.
fn check(options: Serve) -> Result<ExitCode> {
    let settings = Settings::load(options)?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let country = profile::load(settings.profile.as_deref(), clock.read().wall)?;
    let data = DataFolder::choose(settings.data.clone(), "city")?.with_token(settings.keys.clone());
    let plan = plan(&settings, &country, &data, clock);
    let mut found = plan.findings();
    found.extend(safety::demo_state(&data));
    found.extend(safety::open_address(&settings));
    found.extend(safety::readable_keys(&data));
    found.extend(safety::readable_settings(&settings));
    found.extend(data.unwritable());
    found.extend(data.of_another_profile(country.digest));
    found.extend(data.token().and_then(|token| token.ready().err()).map(|why| why.to_string()));
    for institution in here(&plan) {
        found.extend(keys(&plan, institution));
    }
    let operator = &plan.the(Role::TrustListOperator)?.id;
    if !plan.serves(operator) {
        let key = trust_key::read_at(plan.trust_key_file());
        let told = |why| {
            text!("{why}; it is that of {operator}", why = explain(&why), operator = operator)
        };
        found.extend(key.err().map(told));
    }
    let log = settings.log.as_ref().map(LedgerLog::described).transpose();
    found.extend(log.as_ref().err().map(explain));
    for line in &found {
        say!("FOUND  {finding}", finding = line);
    }
    if found.is_empty() {
        let served: Vec<&str> = here(&plan).map(|one| one.id.as_str()).collect();
        say!(
            "good: {institutions} at {address}, state in {folder}",
            institutions = served.join(", "),
            address = plan.url,
            folder = data.root().display()
        );
        if let Ok(Some(log)) = log {
            println!("{log}");
        }
    }
    Ok(if found.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Prints what others are to admit; makes the keys that are missing.
fn fingerprints(options: Serve) -> Result<()> {
    let settings = Settings::load(options)?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let country = profile::load(settings.profile.as_deref(), clock.read().wall)?;
    let data = DataFolder::choose(settings.data.clone(), "city")?.with_token(settings.keys.clone());
    let plan = plan(&settings, &country, &data, clock);
    plan.check()?;
    data.claim(country.digest)?;
    for institution in here(&plan) {
        let print = fingerprint(&plan, &institution.id)?;
        println!("{} = \"{print}\"", institution.id);
        if institution.role == Role::TrustListOperator {
            let signer = data.keys(&institution.id)?.signer("trust-list")?;
            trust_key::write(&data, signer.public_key())?;
        }
    }
    Ok(())
}

pub(crate) fn plan<'a>(
    settings: &Settings,
    country: &'a Country,
    data: &'a DataFolder,
    clock: Arc<dyn Clock>,
) -> Plan<'a> {
    let local = || format!("http://localhost:{}", settings.listen.port());
    let url = settings.url.clone().unwrap_or_else(local);
    Plan {
        country,
        data,
        url,
        clock,
        apart: settings.apart.clone(),
        recognised: settings.recognised.clone(),
        snapshots: settings.snapshots,
        log: settings.log.clone(),
        history: settings.history,
        status_seconds: settings.status_seconds,
    }
}

/// The institutions that are served here.
fn here<'a>(plan: &'a Plan<'_>) -> impl Iterator<Item = &'a Institution> {
    let all = plan.profile().institutions.values();
    all.filter(|one| {
        plan.serves(&one.id) && (one.role != Role::Merchant || !one.requests.is_empty())
    })
}

/// What is wrong with the keys that an institution has: a folder that is new has none, and that is right.
fn keys(plan: &Plan<'_>, institution: &Institution) -> Vec<String> {
    let folder = plan.data.root().join(institution.id.as_str()).join("keys");
    if !folder.exists() {
        return Vec::new();
    }
    let mut found = Vec::new();
    let mut note = |outcome: Result<()>| found.extend(outcome.err().map(|why| explain(&why)));
    let named = |ending: &str| {
        let entries = std::fs::read_dir(&folder).into_iter().flatten().flatten();
        let files = entries.map(|entry| entry.path());
        let files = files.filter(|path| path.extension().is_some_and(|found| found == ending));
        let stems = files.filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned()));
        stems.collect::<Vec<_>>()
    };
    let store = match plan.data.keys(&institution.id) {
        Ok(store) => store,
        Err(why) => return vec![explain(&why)],
    };
    let (keys, certificates) = ([named("p8"), named("p11")].concat(), named("der"));
    for key in &keys {
        note(store.signer(key).map(drop).map_err(Into::into));
    }
    let now = plan.clock.read().wall;
    for anchor in certificates.iter().filter(|name| name.ends_with("-anchor")) {
        let ring = store.ring(anchor);
        let there = ring.and_then(|ring| store.has(anchor, ring.current(), KeyUse::Signs));
        note(match there {
            Ok(true) => {
                store.anchor(anchor, institution.name.en(), now).map(drop).map_err(Into::into)
            }
            Ok(false) => missing(institution, anchor),
            Err(why) => Err(why.into()),
        });
    }
    let alone = plan.apart.institutions.is_some();
    if alone && !keys.is_empty() && !keys.iter().any(|key| key == INSTITUTION_KEY) {
        note(missing(institution, INSTITUTION_KEY));
    }
    found
}

fn missing(institution: &Institution, key: &str) -> Result<()> {
    Err(anyhow::anyhow!(text!("{key}.p8 is missing", key = key))).with_context(|| {
        text!(
            "{institution}: restore {key}.p8 from the backup of keys; a new one is trusted by nobody",
            institution = institution.id,
            key = key
        )
    })
}
