//! `yufu serve`: the institutions, until asked to stop.

use crate::bars::Bars;
use crate::city::{City, Plan, Progress};
use crate::command_line;
use crate::data::DataFolder;
use crate::profile;
use crate::safety;
use crate::settings::{LogFormat, Settings};
use crate::stopping::Stop;
use crate::words::{say, text};
use anyhow::{Context, Result};
use std::io::IsTerminal;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use tokio::net::TcpListener;
use yufu_api::http::{self, Limits, Switch};
use yufu_engine::{Clock, SystemClock};

pub(crate) fn run(options: command_line::Serve) -> Result<ExitCode> {
    let of_demo = options.of_demo;
    let settings = Settings::load(options)?;
    start_logging(settings.log_format);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(serve(settings, of_demo))?;
    Ok(ExitCode::SUCCESS)
}

async fn serve(settings: Settings, of_demo: bool) -> Result<()> {
    let stop = Stop::on_signals(of_demo)?;
    let clock = Arc::new(SystemClock::new());
    let country = profile::load(settings.profile.as_deref(), clock.read().wall)?;
    let data = DataFolder::choose(settings.data.clone(), "city")?.with_token(settings.keys.clone());
    safety::refuse_openness(&settings, &data, of_demo)?;
    let listener = listen(settings.listen).await?;
    let url = match &settings.url {
        Some(url) => url.clone(),
        None => local_url(listener.local_addr()?),
    };
    let Settings { apart, recognised, snapshots, log, history, status_seconds, .. } = settings;
    let plan = Plan {
        country: &country,
        data: &data,
        url,
        clock,
        apart,
        recognised,
        snapshots,
        log,
        history,
        status_seconds,
    };
    plan.check()?;
    let limits = Limits { connections: settings.connections, ..Limits::default() };
    let switch = Switch::default();
    let served = tokio::spawn(http::serve(listener, switch.clone(), limits, stop.asked()));
    let mut bars = Bars::new(settings.log_format == LogFormat::Text);
    let mut progress =
        |progress: &Progress<'_>| bars.show(progress, &|progress| tracing::info!("{progress}"));
    let opened = City::open_under(&plan, Some((&switch, limits)), &mut progress);
    let city = tokio::select! {
        city = opened => city?,
        () = stop.asked() => {
            tracing::info!("stopped before everything was open");
            return Ok(served.await.with_context(|| text!("the server"))??);
        }
    };
    tracing::info!(url = city.url, data = %data.root().display(), "serving");
    say!(
        "yufu serves {address} (state in {folder})",
        address = city.url,
        folder = data.root().display()
    );
    let turning = city.turning(&plan)?;
    let served = async move { Ok(served.await.with_context(|| text!("the server"))??) };
    tokio::select! {
        done = city.accompany(served) => done?,
        never = Box::pin(turning.watch()) => match never {},
    }
    tracing::info!("stopped: what was taken is finished, the state is closed");
    Ok(())
}

/// Listens, or says who might be in the way.
pub(crate) async fn listen(address: SocketAddr) -> Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| {
        text!(
            "{address} cannot be listened on: is another server running? choose another with --listen",
            address = address
        )
    })
}

/// The address of a server on this machine.
pub(crate) fn local_url(address: SocketAddr) -> String {
    format!("http://localhost:{}", address.port())
}

/// Structured logs on standard error. The environment variable `YUFU_LOG` sets the level (default `info`).
pub(crate) fn start_logging(format: LogFormat) {
    use tracing_subscriber::EnvFilter;
    let filter = EnvFilter::try_from_env("YUFU_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    // A second start in one process (tests) keeps the first.
    let _ = match format {
        LogFormat::Text => builder.try_init(),
        LogFormat::Json => builder.json().try_init(),
    };
}
