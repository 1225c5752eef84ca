//! Sectors: which there are, who issues their pseudonyms, and that no request joins two of them,
//! or one with a person's number.

use crate::credential::{Claim, ClaimPath, ClaimSource, CredentialType};
use crate::institution::Request;
use crate::resident::Column;
use crate::section::{Section, Span};
use std::collections::BTreeSet;
use yufu_base::{SECTOR_PSEUDONYM, SectorId, Timestamp};

/// The most sectors of a profile.
const MOST: usize = 32;
const DAY: u64 = 86_400;

/// The time within which nobody gets two pseudonyms for one sector: windows of whole days (UTC),
/// counted from 1 January 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PseudonymEpoch {
    days: u32,
}

impl PseudonymEpoch {
    /// An epoch of so many days; `None` if of none.
    #[must_use]
    pub const fn new(days: u32) -> Option<Self> {
        if days == 0 { None } else { Some(Self { days }) }
    }

    /// How many days it has.
    #[must_use]
    pub const fn days(self) -> u32 {
        self.days
    }

    /// Which epoch it is, counted from 1970.
    #[must_use]
    pub fn number(self, now: Timestamp) -> u64 {
        now.seconds().checked_div(u64::from(self.days).saturating_mul(DAY)).unwrap_or(0)
    }

    /// When the epoch after that of `now` begins: midnight, UTC.
    #[must_use]
    pub fn next_after(self, now: Timestamp) -> Timestamp {
        let length = u64::from(self.days).saturating_mul(DAY);
        let passed = now.seconds().checked_div(length).unwrap_or(0);
        Timestamp::from_seconds(passed.saturating_add(1).saturating_mul(length))
    }
}

/// Reads `sectors`; none if the profile has no such list.
pub(crate) fn read_sectors(root: &mut Section<'_, '_, '_>) -> Option<Vec<SectorId>> {
    if !root.has("sectors") {
        root.optional("sectors");
        return Some(Vec::new());
    }
    let mut sectors = Vec::new();
    for (text, span) in root.texts("sectors")? {
        match text.parse::<SectorId>() {
            Ok(sector) if sectors.contains(&sector) => {
                root.report(&span, format!("sector `{sector}` is given twice"), "each once");
            }
            Ok(sector) => sectors.push(sector),
            Err(_) => {
                root.report(&span, format!("sector {text:?}"), "1 to 40 of a-z, 0-9 and hyphen");
            }
        }
    }
    if sectors.len() > MOST {
        let span = root.span();
        root.report(&span, format!("{} sectors", sectors.len()), "at most 32");
    }
    Some(sectors)
}

/// Reads `pseudonym_epoch_days`, which a profile has exactly if it has sectors.
#[expect(clippy::option_option, reason = "wrong, or right and absent, as for other fields")]
pub(crate) fn read_epoch(
    root: &mut Section<'_, '_, '_>,
    sectors: Option<&[SectorId]>,
) -> Option<Option<PseudonymEpoch>> {
    if sectors.is_some_and(<[SectorId]>::is_empty) {
        return Some(None);
    }
    let days = root.whole("pseudonym_epoch_days")?;
    let epoch = PseudonymEpoch::new(days);
    if epoch.is_none() {
        let span = span_of(root, "pseudonym_epoch_days");
        root.report(&span, "`pseudonym_epoch_days` is 0", "a number of days, 1 or more");
    }
    epoch.map(Some)
}

/// Reads `sector` of a claim: one of the profile's, at the path that goes with it.
pub(crate) fn read_sector(
    section: &mut Section<'_, '_, '_>,
    sectors: &[SectorId],
    path: Option<&(ClaimPath, Span)>,
) -> Option<SectorId> {
    let (sector, span) =
        section.parsed::<SectorId>("sector", "the name of a sector in `sectors`")?;
    if !sectors.contains(&sector) {
        section.report(&span, format!("`{sector}` is not among `sectors`"), "one of them");
    }
    let wanted = format!("{SECTOR_PSEUDONYM}.{sector}");
    if let Some((path, span)) = path.filter(|(path, _)| path.to_string() != wanted) {
        section.report(span, format!("the pseudonym of a sector at `{path}`"), &wanted);
    }
    Some(sector)
}

/// Checks that each sector's pseudonym is a claim of exactly one credential.
pub(crate) fn check_issued(
    root: &mut Section<'_, '_, '_>,
    sectors: &[SectorId],
    credentials: &[CredentialType],
) {
    for sector in sectors {
        let count = credentials.iter().flat_map(CredentialType::sectors);
        let count = count.filter(|issued| *issued == sector).count();
        if count != 1 {
            let span = span_of(root, "sectors");
            let what = format!("{count} claims are the pseudonym of the sector `{sector}`");
            root.report(&span, what, "exactly one, with `sector` as its source");
        }
    }
}

/// Checks that one request asks for one pseudonym at the most, and for none with the number: what
/// is shown together can be joined.
pub(crate) fn check_request(
    section: &mut Section<'_, '_, '_>,
    known: &[CredentialType],
    claims: &BTreeSet<ClaimPath>,
) {
    let asked = sectors_of(known, claims);
    let span = span_of(section, "claims");
    if let [first, second, ..] = asked.as_slice() {
        let what = format!("the request joins the sectors `{first}` and `{second}`");
        section.report(&span, what, "the pseudonym of one sector only");
    }
    let is_number = |claim: &&Claim| claim.source == ClaimSource::Column(Column::ResidentNumber);
    let number = claims_of(known, claims).find(is_number);
    if let (Some(sector), Some(number)) = (asked.first(), number) {
        let what = format!("the request joins the sector `{sector}` with `{}`", number.path);
        section.report(&span, what, "the pseudonym or the number, not both");
    }
}

/// Checks that an institution's requests are all of one sector, if of any.
pub(crate) fn check_requests(
    section: &Section<'_, '_, '_>,
    known: &[CredentialType],
    requests: &[Request],
) {
    let asked = requests.iter().flat_map(|request| sectors_of(known, &request.claims));
    let asked: Vec<&SectorId> = asked.collect::<BTreeSet<_>>().into_iter().collect();
    let within_one = requests.iter().any(|r| sectors_of(known, &r.claims).len() > 1);
    if let ([first, second, ..], false) = (asked.as_slice(), within_one) {
        let what = format!("the institution asks in the sectors `{first}` and `{second}`");
        section.report(&section.span(), what, "requests within one sector");
    }
}

fn sectors_of<'a>(known: &'a [CredentialType], claims: &BTreeSet<ClaimPath>) -> Vec<&'a SectorId> {
    claims_of(known, claims).filter_map(|claim| claim.source.sector()).collect()
}

fn claims_of<'a>(
    known: &'a [CredentialType],
    claims: &BTreeSet<ClaimPath>,
) -> impl Iterator<Item = &'a Claim> {
    known.iter().flat_map(|kind| &kind.claims).filter(|claim| claims.contains(&claim.path))
}

fn span_of(section: &mut Section<'_, '_, '_>, key: &'static str) -> Span {
    section.optional(key).map_or_else(|| section.span(), toml::Spanned::span)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_epoch_ends_at_midnight_after_whole_days_and_the_next_begins_then() {
        let epoch = PseudonymEpoch::new(30).unwrap();
        let thirty = 30 * DAY;
        for (now, next) in
            [(0, thirty), (thirty - 1, thirty), (thirty, 2 * thirty), (thirty + 5, 2 * thirty)]
        {
            let next_epoch = epoch.next_after(Timestamp::from_seconds(now));
            assert_eq!(next_epoch, Timestamp::from_seconds(next), "{now}");
        }
        assert_eq!(PseudonymEpoch::new(0), None);
    }
}
