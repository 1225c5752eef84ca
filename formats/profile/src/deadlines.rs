//! How long what is pending on the ledger may stay so, in days.

use crate::section::Section;

/// The longest any of them may last: a year.
const MOST_DAYS: u32 = 366;

/// How long what is pending on the ledger may stay so, in days: 1 to 366.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadlines {
    /// A payment whose amount is not final yet.
    pub hold_days: u32,
    /// What is held while a payment is disputed.
    pub dispute_days: u32,
    /// A freeze that one authority ordered and another has not confirmed.
    pub freeze_confirm_days: u32,
    /// A freeze in force.
    pub freeze_days: u32,
}

/// The deadlines; `None` if nothing may be pending in this country.
pub(crate) fn read_deadlines(root: &mut Section<'_, '_, '_>) -> Option<Option<Deadlines>> {
    if !root.has("deadlines") {
        return Some(None);
    }
    let mut section = root.table("deadlines")?;
    let hold_days = days(&mut section, "hold_days");
    let dispute_days = days(&mut section, "dispute_days");
    let freeze_confirm_days = days(&mut section, "freeze_confirm_days");
    let freeze_days = days(&mut section, "freeze_days");
    section.finish();
    Some(Some(Deadlines {
        hold_days: hold_days?,
        dispute_days: dispute_days?,
        freeze_confirm_days: freeze_confirm_days?,
        freeze_days: freeze_days?,
    }))
}

fn days(section: &mut Section<'_, '_, '_>, key: &str) -> Option<u32> {
    let days = section.whole::<u32>(key)?;
    if !(1..=MOST_DAYS).contains(&days) {
        let span = section.span();
        section.report(&span, format!("`{key}` is {days}"), "1 to 366 days");
    }
    Some(days)
}
