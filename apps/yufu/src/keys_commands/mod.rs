//! `yufu keys`: the generations of the keys that institutions sign, seal and open with.

mod changing;
mod listing;
mod terms;

use crate::city::Plan;
use crate::command_line::{self, KeysAction, Serve};
use crate::config;
use crate::data::DataFolder;
use crate::profile::{self, Country};
use crate::settings::Settings;
use crate::words::text;
use anyhow::{Context, Result, ensure};
use std::process::ExitCode;
use std::sync::Arc;
use yufu_engine::{Clock, SystemClock};
use yufu_profile::Institution;

/// The keys that have generations.
pub(crate) fn rotated() -> impl Iterator<Item = &'static str> {
    terms::all().map(|(name, _)| name)
}

pub(crate) fn run(options: command_line::Keys) -> Result<ExitCode> {
    match options.action {
        KeysAction::List { serve, json } => with_plan(*serve, |plan| listing::list(plan, json)),
        KeysAction::Rotate { serve, institution, key, lead } => {
            with_plan(*serve, |plan| changing::rotate(plan, named(plan, &institution)?, &key, lead))
        }
        KeysAction::Retire { serve, institution, key, compromised } => with_plan(*serve, |plan| {
            changing::retire(plan, named(plan, &institution)?, &key, compromised.as_deref())
        }),
        KeysAction::Replace { serve, institution, compromised } => with_plan(*serve, |plan| {
            changing::replace(plan, named(plan, &institution)?, compromised.as_deref())
        }),
    }?;
    Ok(ExitCode::SUCCESS)
}

/// What a server with these settings would be started from.
fn with_plan(options: Serve, act: impl FnOnce(&Plan<'_>) -> Result<()>) -> Result<()> {
    let settings = Settings::load(options)?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let country: Country = profile::load(settings.profile.as_deref(), clock.read().wall)?;
    let data = DataFolder::choose(settings.data.clone(), "city")?.with_token(settings.keys.clone());
    ensure!(
        data.root().join("profile").is_file(),
        text!("{folder} is no data folder: name it with --data", folder = data.root().display())
    );
    act(&config::plan(&settings, &country, &data, clock))
}

fn named<'a>(plan: &'a Plan<'_>, name: &str) -> Result<&'a Institution> {
    let found = plan.profile().institutions.values().find(|one| one.id.as_str() == name);
    let found = found.filter(|one| plan.serves(&one.id));
    found.with_context(|| {
        text!("{institution} is not served here: name one that is", institution = name)
    })
}
