//! Being asked to stop: Ctrl-C or SIGTERM. The first time everything taken is finished, the second time
//! the process ends at once.

use crate::words::text;
use anyhow::Result;
use std::io::Read;
use tokio::sync::watch;

/// The exit status of a process that did not finish what it had taken.
const CUT_OFF: i32 = 130;

/// Whether the process was asked to stop.
#[derive(Clone)]
pub(crate) struct Stop(watch::Receiver<bool>);

impl Stop {
    /// Listens for signals from now on; `with_input` also for the end of standard input, which comes when
    /// whoever started this process is gone.
    pub(crate) fn on_signals(with_input: bool) -> Result<Self> {
        let (tell, told) = watch::channel(false);
        let mut signals = Signals::listen()?;
        let by_signal = tell.clone();
        tokio::spawn(async move {
            signals.next().await;
            let said = text!(
                "stopping: what was taken is finished, then the state is closed; again to end at once"
            );
            eprintln!("{said}");
            by_signal.send_replace(true);
            signals.next().await;
            eprintln!("{}", text!("ended at once: the next start settles what was under way"));
            std::process::exit(CUT_OFF);
        });
        if with_input {
            // A thread of its own: a read that waits would keep the runtime from ending.
            std::thread::spawn(move || {
                let mut ignored = [0; 64];
                while matches!(std::io::stdin().read(&mut ignored), Ok(count) if count > 0) {}
                tell.send_replace(true);
            });
        }
        Ok(Self(told))
    }

    /// Resolves when the process is asked to stop, now or before.
    pub(crate) fn asked(&self) -> impl Future<Output = ()> + Send + 'static {
        let mut told = self.0.clone();
        async move {
            // Without a sender nobody will ever ask; the sender lives as long as the process.
            if told.wait_for(|asked| *asked).await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }
}

#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn listen() -> Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn listen() -> Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) {
        drop(tokio::signal::ctrl_c().await);
    }
}
