//! The wallet's own rule on pseudonyms: never two sectors' in one answer.

use std::collections::BTreeSet;
use yufu_base::SECTOR_PSEUDONYM;
use yufu_jose::PathStep;
use yufu_openid4vc::dcql::DcqlQuery;

/// Whether the answer would show pseudonyms of more than one sector: by name, or all of them by a
/// path that ends above them.
pub(super) fn joins_sectors(query: &DcqlQuery) -> bool {
    let claims = query.credentials().iter().flat_map(|credential| credential.claims());
    let mut sectors = BTreeSet::new();
    let below = format!("{SECTOR_PSEUDONYM}.");
    for claim in claims {
        match claim.path.steps() {
            [PathStep::Name(first), within @ ..] if first == SECTOR_PSEUDONYM => {
                match within.first() {
                    Some(PathStep::Name(sector)) => sectors.insert(sector.as_str()),
                    _ => return true,
                };
            }
            // As an element of an mdoc.
            [PathStep::Name(_), PathStep::Name(element)] => {
                sectors.extend(element.strip_prefix(&below));
            }
            _ => {}
        }
    }
    sectors.len() > 1
}
