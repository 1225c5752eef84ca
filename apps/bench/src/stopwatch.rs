//! Time as measurements read it: on the wall, and of the processor.

use anyhow::{Context, Result};
use rustix::time::{ClockId, Timespec, clock_gettime};
use std::thread;
use std::time::{Duration, Instant};

/// Runs from when it is made.
pub(crate) struct Stopwatch {
    wall: Moment,
    cpu: Duration,
}

impl Stopwatch {
    pub(crate) fn start() -> Self {
        Self { wall: Moment::now(), cpu: cpu() }
    }

    /// Seconds on the wall.
    pub(crate) fn seconds(&self) -> f64 {
        self.wall.seconds()
    }

    /// Seconds of the processor, of all threads of this process.
    pub(crate) fn cpu_seconds(&self) -> f64 {
        cpu().saturating_sub(self.cpu).as_secs_f64()
    }
}

/// A moment, on the wall alone: the processor's time is asked of the kernel, which is too dear for every request.
#[derive(Clone, Copy)]
pub(crate) struct Moment(Instant);

impl Moment {
    #[expect(clippy::disallowed_methods, reason = "a measurement reads the monotonic clock")]
    pub(crate) fn now() -> Self {
        Self(Instant::now())
    }

    /// Seconds since then.
    pub(crate) fn seconds(self) -> f64 {
        self.0.elapsed().as_secs_f64()
    }
}

fn cpu() -> Duration {
    let Timespec { tv_sec, tv_nsec } = clock_gettime(ClockId::ProcessCPUTime);
    let (seconds, nanos) = (u64::try_from(tv_sec), u32::try_from(tv_nsec));
    Duration::new(seconds.unwrap_or(0), nanos.unwrap_or(0))
}

/// Seconds of the processor that `work` takes with each of `made`, all at once: with one for each core, as a server has it
/// that keeps all of them busy. Two of them may be halves of one.
pub(crate) fn cpu_at_once<M: Sync>(
    made: &[M],
    work: impl Fn(&M) -> Result<()> + Sync,
) -> Result<f64> {
    let watch = Stopwatch::start();
    thread::scope(|scope| {
        let workers: Vec<_> = made.iter().map(|made| scope.spawn(|| work(made))).collect();
        workers
            .into_iter()
            .try_for_each(|worker| worker.join().ok().context("a worker ended early")?)
    })?;
    Ok(watch.cpu_seconds())
}

/// Bare work that is measured in between what it is held against, a slice at a time: whatever slows the machine for a while
/// slows both.
pub(crate) struct Between<'w> {
    slice: Box<dyn Fn() -> Result<f64> + 'w>,
    micros: Vec<f64>,
}

impl<'w> Between<'w> {
    /// Of work whose `slice` says what it took each time, in microseconds.
    pub(crate) fn new(slice: impl Fn() -> Result<f64> + 'w) -> Self {
        Self { slice: Box::new(slice), micros: Vec::new() }
    }

    /// Measures one slice more.
    pub(crate) fn measure(&mut self) -> Result<()> {
        self.micros.push((self.slice)()?);
        Ok(())
    }

    /// The mean of all slices, in microseconds.
    pub(crate) fn mean(&self) -> f64 {
        self.micros.iter().sum::<f64>() / number(self.micros.len().max(1))
    }
}

/// A count as a number to divide by.
pub(crate) fn number(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}
