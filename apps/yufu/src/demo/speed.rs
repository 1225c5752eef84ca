//! How fast the journey was: each answer and each step, over all rounds.

use crate::words::text;
use serde::Serialize;
use std::collections::BTreeMap;
use std::time::Duration;

/// Times, collected.
#[derive(Default)]
pub(super) struct Speed {
    rounds: usize,
    start: Duration,
    residents: usize,
    answers: Vec<Duration>,
    steps: BTreeMap<&'static str, Times>,
}

/// Of one step.
#[derive(Default)]
struct Times {
    whole: Vec<Duration>,
    answers: Vec<Duration>,
}

/// As it stands in the report. Times in microseconds.
#[derive(Serialize)]
pub(super) struct SpeedReport {
    /// How often the journey was played, each time with another resident.
    rounds: usize,
    /// From the start of the program until every institution answered, the import of the residents included.
    start_us: u128,
    /// How many residents the city has.
    residents: usize,
    /// Every answer that somebody of the journey waited for.
    answers: Percentiles,
    /// By step: the answers in it, and the whole of it, of which many are several answers and work in the wallet.
    steps: BTreeMap<&'static str, StepSpeed>,
}

#[derive(Serialize)]
struct StepSpeed {
    answers: Percentiles,
    whole: Percentiles,
}

#[derive(Serialize)]
struct Percentiles {
    count: usize,
    p50_us: u128,
    p99_us: u128,
    slowest_us: u128,
}

impl Speed {
    /// A city of so many residents answered after `start`.
    pub(super) fn started(start: Duration, residents: usize) -> Self {
        Self { start, residents, ..Self::default() }
    }

    /// The journey begins once more.
    pub(super) const fn round(&mut self) {
        self.rounds = self.rounds.saturating_add(1);
    }

    /// A step was played.
    pub(super) fn step(&mut self, id: &'static str, whole: Duration, answers: Vec<Duration>) {
        let times = self.steps.entry(id).or_default();
        times.whole.push(whole);
        times.answers.extend(&answers);
        self.answers.extend(answers);
    }

    /// What it came to.
    pub(super) fn report(self) -> SpeedReport {
        let step = |(id, times): (&'static str, Times)| {
            let (answers, whole) = (Percentiles::of(times.answers), Percentiles::of(times.whole));
            (id, StepSpeed { answers, whole })
        };
        SpeedReport {
            rounds: self.rounds,
            start_us: self.start.as_micros(),
            residents: self.residents,
            answers: Percentiles::of(self.answers),
            steps: self.steps.into_iter().map(step).collect(),
        }
    }
}

impl SpeedReport {
    /// For a person.
    pub(super) fn told(&self) -> String {
        let answers = &self.answers;
        text!(
            "The city was there after {start} ms. {count} answers were waited for: half came within {half} ms, 99 of 100 within {most} ms.",
            start = tenths(self.start_us),
            count = answers.count,
            half = tenths(answers.p50_us),
            most = tenths(answers.p99_us)
        )
    }
}

/// Milliseconds with one digit after the point, rounded down.
fn tenths(us: u128) -> String {
    let tenths = us.checked_div(100).unwrap_or(0);
    let (whole, rest) = (tenths.checked_div(10), tenths.checked_rem(10));
    format!("{}.{}", whole.unwrap_or(0), rest.unwrap_or(0))
}

impl Percentiles {
    fn of(mut times: Vec<Duration>) -> Self {
        times.sort_unstable();
        let at = |percent: usize| {
            let rank = times.len().saturating_mul(percent).div_ceil(100).saturating_sub(1);
            times.get(rank).copied().unwrap_or_default().as_micros()
        };
        Self { count: times.len(), p50_us: at(50), p99_us: at(99), slowest_us: at(100) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_the_time_that_so_many_of_a_hundred_did_not_exceed() {
        let times = (1..=200).rev().map(Duration::from_micros).collect();
        let found = Percentiles::of(times);
        assert_eq!((found.p50_us, found.p99_us, found.slowest_us), (100, 198, 200));
        assert_eq!([0, 99, 880, 20_613].map(tenths), ["0.0", "0.0", "0.8", "20.6"]);
        assert_eq!(Percentiles::of(Vec::new()).slowest_us, 0);
        assert_eq!(Percentiles::of(vec![Duration::from_micros(7)]).p50_us, 7);
    }
}
