//! `yufu demo`: a whole city on this machine, and the first journey played in it over HTTP, as
//! anybody else would.

mod allowance;
mod apart;
mod cash;
mod cash_words;
mod closing;
mod counter;
mod guardian;
mod identity;
mod identity_words;
mod learned;
mod money;
mod money_words;
mod name;
mod neighbour;
mod pension;
mod pension_words;
mod people_words;
mod person;
mod platform;
mod purse;
mod report;
mod services;
mod services_words;
mod speed;
mod stage;
mod step;
mod story;
mod synergy;
mod visitor;
mod wallet_words;

use crate::command_line;
use crate::data::DataFolder;
use crate::profile::{self, Country};
use crate::serve::start_logging;
use crate::settings::LogFormat;
use crate::stopping::Stop;
use crate::words;
use anyhow::Result;
use report::{Report, StepReport};
use speed::Speed;
use stage::Stage;
use std::process::ExitCode;
use std::sync::Arc;
use story::Story;
use yufu_engine::{Clock, SystemClock};

pub(crate) fn run(options: command_line::Demo) -> Result<ExitCode> {
    if std::env::var_os("YUFU_LOG").is_some() {
        start_logging(LogFormat::Text);
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(demo(options))
}

async fn demo(options: command_line::Demo) -> Result<ExitCode> {
    #[expect(clippy::disallowed_methods, reason = "a measurement of how long the start takes")]
    let started = std::time::Instant::now();
    let stop = Stop::on_signals(false)?;
    let clock = Arc::new(SystemClock::new());
    let country = profile::load(options.profile.as_deref(), clock.read().wall)?;
    let data = DataFolder::choose(options.data.data.clone(), "demo")?;
    if options.fresh {
        data.start_over()?;
    }
    let say = |line: &str| if options.json { eprintln!("{line}") } else { println!("{line}") };
    let names: Vec<&str> = country.profile.name.iter().map(|(_, name)| name).collect();
    say(&format!("鱼符 Yufu · {}", names.join(" · ")));
    let stage = tokio::select! {
        stage = Stage::set(&options, &country, data, clock, &say) => stage?,
        () = stop.asked() => return Ok(ExitCode::FAILURE),
    };
    let speed = Speed::started(started.elapsed(), country.residents.len());
    let report = tokio::select! {
        report = play(&country, &stage, &options, speed) => report,
        () = stop.asked() => Err(anyhow::anyhow!("stopped before the last step")),
    };
    if let Ok(report) = &report {
        if options.json {
            println!("{}", serde_json::to_string_pretty(report)?);
        } else {
            closing::tell(report, &options, &country, &stage)?;
        }
    }
    if !options.once && report.is_ok() {
        stop.asked().await;
    }
    stage.strike().await?;
    let ok = report?.ok;
    Ok(if ok { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Plays the journey as often as asked for; the report is of the last time, its speeds of all.
async fn play(
    country: &Country,
    stage: &Stage,
    options: &command_line::Demo,
    mut speed: Speed,
) -> Result<Report> {
    let list = stage.trust_list().await?;
    let decimals = country.profile.currency.decimals;
    for left in (0..options.rounds.get()).rev() {
        let asked = (stage.url.as_str(), words::tag_spoken());
        let mut story = Story::new(country, &stage.data, asked, stage.trust_key, list.clone())?;
        story.neighbour = stage.neighbour.as_ref();
        speed.round();
        let told = |number: usize, step: &StepReport| {
            if !options.json && (left == 0 || !step.ok) {
                step.print(number, decimals);
            }
        };
        // Many steps: not on the stack of whoever plays it.
        let steps = Box::pin(story.play(&mut speed, told)).await;
        let ok = steps.iter().all(|step| step.ok);
        if left == 0 || !ok {
            let supply = Some(story.supply().await?);
            let (synergy, speed) = (story.synergy, speed.report());
            return Ok(Report { ok, steps, supply, synergy, speed });
        }
    }
    anyhow::bail!("the journey was not played")
}
