//! Bearer notes: what may be withdrawn into them and paid with them, and what keysets are like.

use crate::section::Section;
use crate::wallet_class::{WalletClass, read_cap};
use std::collections::BTreeSet;
use yufu_base::{Amount, Currency};

/// The longest a keyset's notes are redeemed: twenty years.
const MOST_DAYS: u32 = 7_305;

/// Rules for bearer notes; `None` of a limit is any amount. Days and years are those of the
/// profile's calendar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BearerNotes {
    /// The most one withdrawal may be.
    pub per_withdrawal: Option<Amount>,
    /// The most that may be withdrawn from a wallet in a day.
    pub per_day: Option<Amount>,
    /// The most that may be withdrawn from a wallet in a year.
    pub per_year: Option<Amount>,
    /// The most a registered payee may be paid with notes in one order.
    pub per_redemption: Option<Amount>,
    /// The classes whose wallets are registered payees.
    pub payees: BTreeSet<String>,
    /// Whether notes are paid into accounts of registered payees alone.
    pub payees_alone: bool,
    /// How many outputs of a keyset are promised before wallets pay with its notes.
    pub least_promised: u32,
    /// How many denominations keysets have: 1, 2, 4, ... minor units. 1 to 64.
    pub denominations: u8,
    /// The fee of spending a note, in parts per thousand of a minor unit.
    pub input_fee_ppk: u32,
    /// For how many days a keyset's notes are redeemed; half as long it signs new ones.
    pub validity_days: u32,
    /// Whether mints also issue and take invoices in the form of Lightning's, for wallets that can nothing else.
    pub bolt11: bool,
}

/// The rules; `None` if there are no bearer notes in this country.
pub(crate) fn read_notes(
    root: &mut Section<'_, '_, '_>,
    currency: Currency,
    classes: &[WalletClass],
) -> Option<Option<BearerNotes>> {
    if !root.has("bearer_notes") {
        return Some(None);
    }
    let mut section = root.table("bearer_notes")?;
    let [per_withdrawal, per_day, per_year, per_redemption] =
        ["per_withdrawal", "per_day", "per_year", "per_redemption"]
            .map(|key| read_cap(&mut section, key, currency));
    let payees = read_payees(&mut section, classes);
    let payees_alone = section.flag("payees_alone");
    if payees_alone && payees.as_ref().is_some_and(BTreeSet::is_empty) {
        let span = section.span();
        let what = "with `payees_alone` nobody could redeem a note".to_owned();
        section.report(&span, what, "a wallet class in `payees`");
    }
    let least_promised = section.whole("least_promised");
    let denominations = bounded(&mut section, "denominations", 1, 64);
    let input_fee_ppk = bounded(&mut section, "input_fee_ppk", 0, 1_000_000);
    let validity_days = bounded(&mut section, "validity_days", 2, MOST_DAYS);
    let bolt11 = section.flag("bolt11");
    section.finish();
    Some(Some(BearerNotes {
        per_withdrawal: per_withdrawal?,
        per_day: per_day?,
        per_year: per_year?,
        per_redemption: per_redemption?,
        payees: payees?,
        payees_alone,
        least_promised: least_promised?,
        denominations: u8::try_from(denominations?).ok()?,
        input_fee_ppk: input_fee_ppk?,
        validity_days: validity_days?,
        bolt11,
    }))
}

fn read_payees(
    section: &mut Section<'_, '_, '_>,
    classes: &[WalletClass],
) -> Option<BTreeSet<String>> {
    let named = section.texts("payees")?;
    for (name, span) in &named {
        if !classes.iter().any(|class| class.name == *name) {
            section.report(span, format!("no wallet class is called {name:?}"), "one that is");
        }
    }
    Some(named.into_iter().map(|(name, _)| name).collect())
}

fn bounded(section: &mut Section<'_, '_, '_>, key: &str, least: u32, most: u32) -> Option<u32> {
    let number = section.whole::<u32>(key)?;
    if !(least..=most).contains(&number) {
        let span = section.span();
        section.report(&span, format!("`{key}` is {number}"), &format!("{least} to {most}"));
    }
    Some(number)
}
