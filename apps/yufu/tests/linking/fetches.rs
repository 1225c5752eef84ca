//! When what was fetched, by the log of whoever answered: status lists, the trust list, fresh copies.
#![allow(
    unreachable_pub,
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    reason = "test code"
)]

use super::attack::{BEFORE_AND_AFTER, Pool};

/// What is fetched, by the routes of the log. Nothing else of a fetch is in it: not which list, nor by whom.
const ROUTES: [&str; 3] =
    ["/authority/status/{list}", "/trust-list/v1/list", "/authority/credential"];

/// The times of all fetches, in milliseconds, by what was fetched.
pub struct Fetches([Vec<u64>; 3]);

impl Fetches {
    pub fn in_log(log: &str) -> Self {
        Self(ROUTES.map(|route| {
            let route = format!("\"{route}\"");
            let lines = log.lines().filter(|line| line.contains(&route));
            let mut times: Vec<u64> = lines.map(time).collect();
            times.sort_unstable();
            times
        }))
    }

    /// How many there were of each.
    pub fn counts(&self) -> [usize; 3] {
        [self.0[0].len(), self.0[1].len(), self.0[2].len()]
    }

    /// The pool, with how long before and after each presentation something was fetched.
    pub fn around(&self, mut pool: Pool) -> Pool {
        for seen in &mut pool.seen {
            for (times, [before, after]) in self.0.iter().zip(BEFORE_AND_AFTER) {
                let next = times.partition_point(|time| *time <= seen.at);
                let last = next.checked_sub(1).and_then(|last| times.get(last));
                let far = u64::from(u32::MAX);
                seen.numbers.insert(before, last.map_or(far, |last| seen.at - last));
                seen.numbers.insert(after, times.get(next).map_or(far, |next| next - seen.at));
            }
        }
        pool
    }
}

/// When a line was written, in milliseconds since the epoch.
fn time(line: &str) -> u64 {
    let at: jiff::Timestamp = line.split(' ').next().unwrap().parse().unwrap();
    at.as_millisecond().try_into().unwrap()
}
