//! What was paid from each wallet on each day and in each year, by a calendar of its own
//! (jiff's civil dates, not the machine's arithmetic).

use jiff::tz::Offset;
use std::collections::BTreeMap;
use yufu_base::{AccountId, Timestamp};
use yufu_machine::PolicyTerms;

#[derive(Default)]
pub(super) struct Spent {
    by_day: BTreeMap<(AccountId, i32), u128>,
    by_year: BTreeMap<(AccountId, i16), u128>,
}

/// The local day and year a payment counts in.
pub(super) type Period = (i32, i16);

impl Spent {
    /// Paid so far on the day, and in the year, of `at`.
    pub(super) fn so_far(
        &self,
        terms: &PolicyTerms,
        at: Timestamp,
        wallet: AccountId,
    ) -> (u128, u128) {
        let (day, year) = self.period(terms, at, wallet);
        let on_day = self.by_day.get(&(wallet, day)).copied().unwrap_or(0);
        (on_day, self.by_year.get(&(wallet, year)).copied().unwrap_or(0))
    }

    pub(super) fn add(
        &mut self,
        terms: &PolicyTerms,
        at: Timestamp,
        wallet: AccountId,
        minor: u64,
    ) {
        let (day, year) = self.period(terms, at, wallet);
        let minor = u128::from(minor);
        let on_day = self.by_day.entry((wallet, day)).or_default();
        *on_day = on_day.saturating_add(minor);
        let in_year = self.by_year.entry((wallet, year)).or_default();
        *in_year = in_year.saturating_add(minor);
    }

    /// The day and year in which a wallet's last payment counts.
    pub(super) fn period_of(&self, wallet: AccountId) -> Option<Period> {
        let days = self.by_day.range((wallet, i32::MIN)..=(wallet, i32::MAX));
        let years = self.by_year.range((wallet, i16::MIN)..=(wallet, i16::MAX));
        let last_day = days.map(|((_, day), _)| *day).next_back()?;
        let last_year = years.map(|((_, year), _)| *year).next_back()?;
        Some((last_day, last_year))
    }

    /// Of what counted in a period, `minor` was not paid after all: it counts no more in that day
    /// and that year, and makes room in no other.
    pub(super) fn give_back(&mut self, wallet: AccountId, counted: Option<Period>, minor: u64) {
        let Some((day, year)) = counted else { return };
        let minor = u128::from(minor);
        if let Some(on_day) = self.by_day.get_mut(&(wallet, day)) {
            *on_day = on_day.saturating_sub(minor);
        }
        if let Some(in_year) = self.by_year.get_mut(&(wallet, year)) {
            *in_year = in_year.saturating_sub(minor);
        }
    }

    /// Takes over what another one counts for a wallet.
    pub(super) fn copy(&mut self, wallet: AccountId, from: &Self) {
        let days = from.by_day.range((wallet, i32::MIN)..=(wallet, i32::MAX));
        self.by_day.extend(days.map(|(of, minor)| (*of, *minor)));
        let years = from.by_year.range((wallet, i16::MIN)..=(wallet, i16::MAX));
        self.by_year.extend(years.map(|(of, minor)| (*of, *minor)));
    }

    /// The local day and year of `at`, but never before those of the wallet's last payment: a
    /// calendar that steps back renews no allowance.
    fn period(&self, terms: &PolicyTerms, at: Timestamp, wallet: AccountId) -> Period {
        let (day, year) = local(terms, at);
        let (last_day, last_year) = self.period_of(wallet).unwrap_or((day, year));
        (last_day.max(day), last_year.max(year))
    }
}

/// The local day since 1970-01-01 and year. Times beyond the year 9999 count as its last day.
fn local(terms: &PolicyTerms, at: Timestamp) -> (i32, i16) {
    let instant = i64::try_from(at.millis())
        .ok()
        .and_then(|millis| jiff::Timestamp::from_millisecond(millis).ok())
        .unwrap_or(jiff::Timestamp::MAX);
    let in_force = terms.offsets.iter().rfind(|offset| offset.from <= at);
    let offset = in_force.and_then(|offset| Offset::from_seconds(offset.seconds_east).ok());
    let date = offset.unwrap_or(Offset::UTC).to_datetime(instant).date();
    let since = date.since(jiff::civil::Date::constant(1970, 1, 1));
    (since.map_or(i32::MAX, |span| span.get_days()), date.year())
}
