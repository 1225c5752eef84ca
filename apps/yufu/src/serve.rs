//! `yufu serve`: the institutions, until asked to stop.

use crate::city::{City, Plan};
use crate::command_line;
use crate::data::DataFolder;
use crate::settings::{LogFormat, Settings};
use crate::words::text;
use crate::{profile, trust_key};
use anyhow::{Context, Result};
use std::io::IsTerminal;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use tokio::net::TcpListener;
use yufu_api::http::Limits;
use yufu_engine::{Clock, SystemClock};

pub(crate) fn run(options: command_line::Serve) -> Result<ExitCode> {
    let settings = Settings::load(options)?;
    start_logging(settings.log_format);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(serve(settings))?;
    Ok(ExitCode::SUCCESS)
}

async fn serve(settings: Settings) -> Result<()> {
    let clock = Arc::new(SystemClock::new());
    let country = profile::load(settings.profile.as_deref(), clock.read().wall)?;
    let data = DataFolder::choose(settings.data, "city")?;
    let listener = listen(settings.listen).await?;
    let url = match &settings.url {
        Some(url) => url.as_str().trim_end_matches('/').to_owned(),
        None => local_url(listener.local_addr()?),
    };
    let plan = Plan { country: &country, data: &data, url, clock };
    let city = City::open(&plan, |progress| tracing::info!("{progress}")).await?;
    trust_key::write(&data, city.trust_key)?;
    tracing::info!(url = city.url, data = %data.root().display(), "serving");
    println!("yufu serves {} (state in {})", city.url, data.root().display());
    let limits = Limits { connections: settings.connections, ..Limits::default() };
    city.serve(listener, limits, stop_signal()).await
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

/// Resolves when the process is asked to stop: Ctrl-C, or SIGTERM.
pub(crate) async fn stop_signal() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    drop(tokio::signal::ctrl_c().await);
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
