//! Programmes: what an agency pays each month, and what a member must show for it.

use crate::credential::{ClaimPath, ClaimSource, CredentialType};
use crate::institution::{Institution, Role};
use crate::section::{Section, Span};
use crate::text::{Text, read_text};
use std::collections::BTreeSet;
use yufu_base::{Amount, Currency, InstitutionId, SECTOR_PSEUDONYM, SectorId};

/// A programme that pays every member the same each month.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Programme {
    /// Its unique short name: `basic-pension`.
    pub id: String,
    /// How it is shown.
    pub name: Text,
    /// The agency that pays it.
    pub agency: InstitutionId,
    /// The sector whose pseudonym its members are known by.
    pub sector: SectorId,
    /// The agency's request that enrols a member.
    pub request: String,
    /// The claim that must be shown, and true.
    pub needs: ClaimPath,
    /// What a member gets each month.
    pub monthly: Amount,
    /// After how many days a member has to show again that it is alive.
    pub proof_of_life_days: u32,
    /// For how many days another account rests before it is paid.
    pub payout_rest_days: u32,
}

/// For how long another account rests where a profile does not say.
const PAYOUT_REST_DAYS: u32 = 7;

impl Programme {
    /// The claim that a member's pseudonym is.
    #[must_use]
    pub fn pseudonym_claim(&self) -> String {
        format!("{SECTOR_PSEUDONYM}.{}", self.sector)
    }
}

/// Reads `programmes`; none if the profile has no such list.
pub(crate) fn read_programmes(
    root: &mut Section<'_, '_, '_>,
    credentials: &[CredentialType],
    currency: Currency,
    institutions: Option<&[Institution]>,
) -> Option<Vec<Programme>> {
    let Some(institutions) = institutions.filter(|_| root.has("programmes")) else {
        // Without the institutions that they refer to, they are read once those are right.
        root.optional("programmes");
        return Some(Vec::new());
    };
    let mut ids = BTreeSet::new();
    let programmes = root.tables("programmes", |section| {
        read_one(section, credentials, currency, institutions, &mut ids)
    });
    let attested = credentials.iter().filter_map(|kind| Some((kind, kind.programme.as_ref()?)));
    for (kind, programme) in attested.filter(|(_, programme)| !ids.contains(*programme)) {
        let what = format!("the credential `{}` is about the programme `{programme}`", kind.id);
        root.report(&root.span(), what, "one of `programmes`");
    }
    programmes
}

fn read_one(
    mut section: Section<'_, '_, '_>,
    credentials: &[CredentialType],
    currency: Currency,
    institutions: &[Institution],
    ids: &mut BTreeSet<String>,
) -> Option<Programme> {
    // It stands in addresses: written as an institution's name is.
    let id = section.parsed::<InstitutionId>("id", "1 to 40 of a-z, 0-9 and hyphen");
    if let Some((id, span)) = id.as_ref().filter(|(id, _)| !ids.insert(id.to_string())) {
        section.report(span, format!("programme `{id}` is given twice"), "each id once");
    }
    let name = read_text(&mut section, "name");
    let agency = section.parsed::<InstitutionId>("agency", "the id of an agency");
    let sector = section.parsed::<SectorId>("sector", "the name of a sector in profile.toml");
    let request = section.text("request");
    let needs = section.parsed::<ClaimPath>("needs", "names joined by dots: address.locality");
    let monthly = positive::<u64>(&mut section, "monthly");
    let proof_of_life_days = positive::<u32>(&mut section, "proof_of_life_days");
    let payout_rest_days = match section.has("payout_rest_days") {
        true => positive::<u32>(&mut section, "payout_rest_days"),
        false => Some(PAYOUT_REST_DAYS),
    };
    if let Some((path, span)) = &needs {
        check_flag(&section, credentials, path, span);
    }
    if let (Some((agency, agency_at)), Some((request, request_at))) = (&agency, &request) {
        let known = institutions.iter().find(|known| known.id == *agency);
        match known.filter(|known| known.role == Role::Agency) {
            None => {
                let what = format!("`agency` is `{agency}`");
                section.report(agency_at, what, "the id of an institution with role agency");
            }
            Some(agency) => {
                let asked = (sector.as_ref().map(|s| &s.0), needs.as_ref().map(|n| &n.0));
                check_request(&section, agency, (request, request_at), asked);
            }
        }
    }
    section.finish();
    Some(Programme {
        id: id?.0.to_string(),
        name: name?,
        agency: agency?.0,
        sector: sector?.0,
        request: request?.0,
        needs: needs?.0,
        monthly: Amount::new(currency, monthly?),
        proof_of_life_days: proof_of_life_days?,
        payout_rest_days: payout_rest_days?,
    })
}

fn positive<T: TryFrom<i64> + Default + PartialEq>(
    section: &mut Section<'_, '_, '_>,
    key: &'static str,
) -> Option<T> {
    let number = section.whole::<T>(key)?;
    if number == T::default() {
        let span = section.optional(key).map_or_else(|| section.span(), toml::Spanned::span);
        section.report(&span, format!("`{key}` is 0"), "1 or more");
    }
    Some(number)
}

/// A member must show something that holds or does not.
fn check_flag(
    section: &Section<'_, '_, '_>,
    credentials: &[CredentialType],
    path: &ClaimPath,
    span: &Span,
) {
    let claims = credentials.iter().flat_map(|kind| &kind.claims);
    let flag = claims
        .filter(|claim| matches!(claim.source, ClaimSource::AgeOver(_)))
        .any(|claim| claim.path == *path);
    if !flag {
        let expected = "a claim that is true or false, with `age_over` as its source";
        section.report(span, format!("`needs` is `{path}`"), expected);
    }
}

/// The agency is registered to ask for exactly what the programme needs.
fn check_request(
    section: &Section<'_, '_, '_>,
    agency: &Institution,
    (request, span): (&str, &Span),
    (sector, needs): (Option<&SectorId>, Option<&ClaimPath>),
) {
    let Some(found) = agency.requests.iter().find(|known| known.id == request) else {
        let expected = format!("the id of a request of {}", agency.id);
        section.report(span, format!("`request` is {request:?}"), &expected);
        return;
    };
    let (Some(sector), Some(needs)) = (sector, needs) else { return };
    let wanted = BTreeSet::from([format!("{SECTOR_PSEUDONYM}.{sector}"), needs.to_string()]);
    let asked: BTreeSet<String> = found.claims.iter().map(ToString::to_string).collect();
    if asked != wanted {
        let list = |set: &BTreeSet<String>| set.iter().cloned().collect::<Vec<_>>().join(" and ");
        let what = format!("the request {request:?} asks for {}", list(&asked));
        section.report(span, what, &format!("one for {} and no more", list(&wanted)));
    }
}
