//! What was paid from each wallet on each day and in each year, by a calendar of its own
//! (jiff's civil dates, not the machine's arithmetic).

use jiff::tz::Offset;
use std::collections::BTreeMap;
use yufu_base::{AccountId, Timestamp};
use yufu_machine::PolicyTerms;

#[derive(Default)]
pub(super) struct Spent(BTreeMap<AccountId, Counted>);

/// What counts in the day and the year of a wallet's last payment; earlier ones limit nothing any more.
#[derive(Clone, Copy)]
struct Counted {
    day: i32,
    year: i16,
    on_day: u128,
    in_year: u128,
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
        let (on_day, in_year, _) = self.counted(terms, at, wallet);
        (on_day, in_year)
    }

    pub(super) fn add(
        &mut self,
        terms: &PolicyTerms,
        at: Timestamp,
        wallet: AccountId,
        minor: u64,
    ) {
        let minor = u128::from(minor);
        let (on_day, in_year, (day, year)) = self.counted(terms, at, wallet);
        let (on_day, in_year) = (on_day.saturating_add(minor), in_year.saturating_add(minor));
        self.0.insert(wallet, Counted { day, year, on_day, in_year });
    }

    /// The day and year in which a wallet's last payment counts.
    pub(super) fn period_of(&self, wallet: AccountId) -> Option<Period> {
        self.0.get(&wallet).map(|counted| (counted.day, counted.year))
    }

    /// Of what counted in a period, `minor` was not paid after all: it counts no more in that day
    /// and that year, and makes room in no other.
    pub(super) fn give_back(&mut self, wallet: AccountId, counted: Option<Period>, minor: u64) {
        let (Some((day, year)), Some(found)) = (counted, self.0.get_mut(&wallet)) else { return };
        let minor = u128::from(minor);
        if found.day == day {
            found.on_day = found.on_day.saturating_sub(minor);
        }
        if found.year == year {
            found.in_year = found.in_year.saturating_sub(minor);
        }
    }

    /// Takes over what another one counts for a wallet.
    pub(super) fn copy(&mut self, wallet: AccountId, from: &Self) {
        if let Some(counted) = from.0.get(&wallet) {
            self.0.insert(wallet, *counted);
        }
    }

    /// What counts in the local day and year of `at`, and which those are: never before those of the
    /// wallet's last payment, for a calendar that steps back renews no allowance.
    fn counted(
        &self,
        terms: &PolicyTerms,
        at: Timestamp,
        wallet: AccountId,
    ) -> (u128, u128, Period) {
        let (day, year) = local(terms, at);
        let Some(last) = self.0.get(&wallet) else { return (0, 0, (day, year)) };
        let on_day = if day <= last.day { last.on_day } else { 0 };
        let in_year = if year <= last.year { last.in_year } else { 0 };
        (on_day, in_year, (day.max(last.day), year.max(last.year)))
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
