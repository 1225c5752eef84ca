//! A view beside a server: kept up by a thread of its own, or by another process, and asked by
//! many. Whatever befalls it, the ledger goes on.

use crate::error::{QueryError, ViewError};
use crate::follower::{Follower, Place, Through};
use crate::query::View;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;
use yufu_engine::OpenLog;
use yufu_log::{Log, Seq};

/// How often the log is looked at while nobody asks.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// How long to wait after something failed that may pass.
const RETRY_AFTER: Duration = Duration::from_secs(5);
/// Connections that are kept for the next question.
const KEPT: usize = 8;

/// A view, and whoever keeps it up.
pub struct Views {
    place: Place,
    shared: Arc<Shared>,
    /// Whether another process keeps it up.
    apart: bool,
    thread: Mutex<Option<JoinHandle<()>>>,
    kept: Mutex<Vec<View>>,
}

/// Why a question has no answer now.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AskError {
    /// It has not come so far.
    #[error(
        "the history has come to record {}: ask again in a moment; the ledger itself is not affected",
        .through.seq
    )]
    Behind {
        /// How far it has come.
        through: Through,
    },
    /// It is not kept up any more, or not yet.
    #[error("the history is not kept up ({0}); the ledger itself is not affected")]
    Stopped(ViewError),
    /// There is no answer.
    #[error(transparent)]
    Query(#[from] QueryError),
}

#[derive(Default)]
struct State {
    through: Through,
    /// Whether it was opened and has come to the log's end once.
    arrived: bool,
    /// Why it is not kept up.
    failed: Option<ViewError>,
    /// Somebody waits for news.
    woken: bool,
    stop: bool,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        // Every change is a few assignments.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state());
        self.changed.notify_all();
    }

    fn stops(&self) -> bool {
        self.state().stop
    }

    /// Waits until somebody asks, at most `time`.
    fn rest(&self, time: Duration) {
        let rested = self
            .changed
            .wait_timeout_while(self.state(), time, |state| !state.stop && !state.woken);
        let (mut state, _) = rested.unwrap_or_else(PoisonError::into_inner);
        state.woken = false;
    }
}

impl Views {
    /// Keeps the view up in a thread, behind the log that `open` opens for reading.
    ///
    /// # Errors
    /// [`ViewError::Storage`] if the system gives no thread.
    pub fn start(place: Place, open: OpenLog) -> Result<Self, ViewError> {
        let shared = Arc::<Shared>::default();
        let (of_thread, following) = (place.clone(), Arc::clone(&shared));
        let thread = std::thread::Builder::new()
            .name("yufu-views".to_owned())
            .spawn(move || follow(&of_thread, &open, &following))
            .map_err(|error| ViewError::Storage(error.to_string()))?;
        let (thread, kept) = (Mutex::new(Some(thread)), Mutex::default());
        Ok(Self { place, shared, apart: false, thread, kept })
    }

    /// Answers from a view that another process keeps up.
    #[must_use]
    pub fn apart(place: Place) -> Self {
        let (thread, kept) = (Mutex::new(None), Mutex::default());
        Self { place, shared: Arc::default(), apart: true, thread, kept }
    }

    /// Asks the view. Blocks: not for an asynchronous task. If `after` is named, the answer is given
    /// once the view has come to that record, if that is within `patience`.
    ///
    /// # Errors
    /// [`AskError`].
    pub fn ask<R>(
        &self,
        (after, patience): (Option<Seq>, Duration),
        ask: impl FnOnce(&View) -> Result<R, QueryError>,
    ) -> Result<R, AskError> {
        self.shared.change(|state| state.woken = true);
        if self.apart {
            // Opened each time: whoever keeps it up may have made it anew.
            return Ok(ask(&self.arrive_apart(after, patience)?)?);
        }
        self.arrive(after, patience)?;
        let view = match self.kept().pop() {
            Some(view) => view,
            None => View::open(&self.place.view).map_err(QueryError::from)?,
        };
        let answer = ask(&view)?;
        let mut kept = self.kept();
        if kept.len() < KEPT {
            kept.push(view);
        }
        Ok(answer)
    }

    fn arrive(&self, after: Option<Seq>, patience: Duration) -> Result<(), AskError> {
        let short =
            |state: &State| !state.arrived || after.is_some_and(|to| state.through.seq < to);
        let waited =
            self.shared.changed.wait_timeout_while(self.shared.state(), patience, |state| {
                state.failed.is_none() && !state.stop && short(state)
            });
        let (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        match &state.failed {
            Some(error) => Err(AskError::Stopped(error.clone())),
            None if short(&state) => Err(AskError::Behind { through: state.through }),
            None => Ok(()),
        }
    }

    fn arrive_apart(&self, after: Option<Seq>, patience: Duration) -> Result<View, AskError> {
        let step = Duration::from_millis(50);
        let mut waited = Duration::ZERO;
        loop {
            let view = View::open(&self.place.view).map_err(AskError::Stopped)?;
            let through = view.through().map_err(AskError::Stopped)?;
            if after.is_none_or(|to| through.seq >= to) {
                return Ok(view);
            }
            if waited >= patience {
                return Err(AskError::Behind { through });
            }
            std::thread::sleep(step);
            waited = waited.saturating_add(step);
        }
    }

    fn kept(&self) -> MutexGuard<'_, Vec<View>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until the view is not kept up any more, and says why if it failed for a cause that
    /// does not pass. Blocks.
    #[must_use]
    pub fn failed(&self) -> Option<ViewError> {
        let over = |state: &State| {
            state.stop || state.failed.as_ref().is_some_and(|error| !error.may_pass())
        };
        let waited = self.shared.changed.wait_while(self.shared.state(), |state| !over(state));
        let state = waited.unwrap_or_else(PoisonError::into_inner);
        state.failed.clone().filter(|_| !state.stop)
    }

    /// Writes what is folded, and ends the thread. Blocks.
    pub fn shutdown(&self) {
        self.shared.change(|state| state.stop = true);
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        // A panic in it is told by the state.
        drop(thread.map(JoinHandle::join));
    }
}

impl Drop for Views {
    fn drop(&mut self) {
        self.shutdown();
    }
}

/// Tells those who ask if the thread panics.
struct Panicked<'a>(&'a Shared);

impl Drop for Panicked<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let what = "its thread panicked".to_owned();
            self.0.change(|state| state.failed = Some(ViewError::Mismatch(what)));
        }
    }
}

fn follow(place: &Place, open: &OpenLog, shared: &Shared) {
    let _panicked = Panicked(shared);
    while !shared.stops() {
        let Err(error) = follow_once(place, open, shared) else { return };
        metrics::counter!("yufu_views_failures_total").increment(1);
        tracing::error!(code = error.code(), %error, "the history is not kept up");
        let passes = error.may_pass();
        shared.change(|state| state.failed = Some(error));
        if !passes {
            return;
        }
        let rested = shared.changed.wait_timeout_while(shared.state(), RETRY_AFTER, |s| !s.stop);
        drop(rested);
    }
}

/// Until it is stopped, or something fails.
fn follow_once(place: &Place, open: &OpenLog, shared: &Shared) -> Result<(), ViewError> {
    let log = open()?;
    let mut follower = Follower::open(place, log.as_ref())?;
    tracing::info!(seq = follower.through().seq.get(), "the history goes on from here");
    loop {
        keep_up(&mut follower, log.as_ref(), shared)?;
        if shared.stops() {
            return Ok(());
        }
        shared.rest(LOOK_EVERY);
    }
}

/// Comes to the log's end, telling on the way how far it is.
fn keep_up(follower: &mut Follower, log: &dyn Log, shared: &Shared) -> Result<(), ViewError> {
    let end = log.durable_head()?.seq;
    let mut told = follower.through();
    arrived(shared, told, end);
    follower.catch_up(log, &mut |folded| {
        if folded.written != told {
            told = folded.written;
            arrived(shared, told, end);
        }
        !shared.stops()
    })?;
    arrived(shared, follower.through(), end);
    Ok(())
}

/// Tells how far the view has come, and how far behind `end` that is.
fn arrived(shared: &Shared, through: Through, end: Seq) {
    #[expect(
        clippy::cast_precision_loss,
        reason = "a gauge, which is a floating-point number, of a number that is small"
    )]
    let behind = end.get().saturating_sub(through.seq.get()) as f64;
    metrics::gauge!("yufu_views_lag_records").set(behind);
    shared.change(|state| {
        state.through = through;
        state.arrived |= through.seq >= end;
        state.failed = None;
    });
}
