//! Credential types: their claims, how each is shown, and which population column it is from.

use crate::institution::Role;
use crate::number::Sex;
use crate::resident::{Column, is_over};
use crate::section::{Section, Span};
use crate::sector::read_sector;
use crate::text::{Text, read_text};
use jiff::civil::Date;
use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;
use yufu_base::{RESIDENT_NUMBER, SectorId};

/// What the id of a credential must not end in: so its other format is called where it is offered.
const MDOC: &str = "-mdoc";

/// A claim within a credential, by the names that lead to it: `address.locality` in the
/// profile, `["address","locality"]` in DCQL (OpenID4VP 1.0, section 7).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ClaimPath(Vec<String>);

impl ClaimPath {
    /// The names, outermost first; never empty.
    #[must_use]
    pub fn segments(&self) -> &[String] {
        &self.0
    }
}

impl FromStr for ClaimPath {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        let name = |s: &str| {
            !s.is_empty()
                && s.bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_-".contains(&b))
        };
        let segments: Vec<String> = text.split('.').map(str::to_owned).collect();
        if segments.iter().all(|s| name(s)) { Ok(Self(segments)) } else { Err(()) }
    }
}

impl fmt::Display for ClaimPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("."))
    }
}

/// A type of credential that an institution issues.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CredentialType {
    /// Its short name in the profile: `pid`.
    pub id: String,
    /// Its type identifier (SD-JWT VC `vct`).
    pub vct: String,
    /// Its type identifier as an ISO mdoc, if it is issued as one too.
    pub doctype: Option<String>,
    /// How it is shown.
    pub name: Text,
    /// Who issues it: every institution of this role, but of agencies only the one of the programme.
    pub issuer: Role,
    /// The programme whose members it is about, if an agency issues it.
    pub programme: Option<String>,
    /// How long one copy is valid, in days.
    pub validity_days: u32,
    /// For how many days the place of a copy in the status list is kept: longer than the copy is valid where somebody
    /// looks at it longer, as a bank at a guardianship.
    pub status_days: u32,
    /// How many copies, each bound to a key of its own, a wallet gets at once.
    pub batch: u32,
    /// Its claims, in the order shown.
    pub claims: Vec<Claim>,
}

/// One claim of a credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Its place in the credential.
    pub path: ClaimPath,
    /// How it is shown.
    pub label: Text,
    /// Where its value comes from.
    pub source: ClaimSource,
}

/// Where a claim's value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClaimSource {
    /// A column of the population register.
    Column(Column),
    /// Whether the person has completed so many years.
    AgeOver(u8),
    /// Whether the person lives where this column of the population register begins so: `locality`, and the name of a city.
    ResidentOf(Column, String),
    /// The same for everybody, such as the issuing country.
    Constant(String),
    /// The issuer's own records, under this name: not the population register.
    Record(String),
    /// The holder's own secret: the pseudonym under which this sector knows the person.
    Sector(SectorId),
}

/// The value of a claim.
#[derive(Clone, PartialEq, Eq)]
pub enum ClaimValue {
    /// A text.
    Text(String),
    /// A number: sex by ISO/IEC 5218.
    Number(u8),
    /// Whether something holds.
    Flag(bool),
}

impl fmt::Debug for ClaimValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClaimValue(hidden)")
    }
}

impl CredentialType {
    /// The population columns that its claims need: those an issuer must read, and no others.
    #[must_use]
    pub fn columns(&self) -> BTreeSet<Column> {
        self.claims.iter().filter_map(|claim| claim.source.column()).collect()
    }

    /// The claim that comes from a column of the population register, if one does.
    #[must_use]
    pub fn claim_from(&self, column: Column) -> Option<&ClaimPath> {
        let is = |claim: &&Claim| claim.source == ClaimSource::Column(column);
        self.claims.iter().find(is).map(|claim| &claim.path)
    }

    /// Its claims that are days, by the names that lead to them: `birthdate`.
    #[must_use]
    pub fn days(&self) -> Vec<String> {
        let is = |claim: &&Claim| claim.source == ClaimSource::Column(Column::BirthDate);
        self.claims.iter().filter(is).map(|claim| claim.path.to_string()).collect()
    }

    /// The issuer's own records that its claims need, by name.
    pub fn records(&self) -> impl Iterator<Item = &str> {
        self.claims.iter().filter_map(|claim| match &claim.source {
            ClaimSource::Record(name) => Some(name.as_str()),
            _ => None,
        })
    }

    /// The sectors whose pseudonyms it carries, in the order of its claims.
    pub fn sectors(&self) -> impl Iterator<Item = &SectorId> {
        self.claims.iter().filter_map(|claim| claim.source.sector())
    }

    /// Its claims' values for a person whose columns `value` gives, on the day `today`, without
    /// those that the holder brings (pseudonyms). `record` gives what the issuer's own records say.
    /// `None` if a needed column or record is not given, or does not hold what it should.
    #[must_use]
    pub fn values<'a>(
        &self,
        value: impl Fn(Column) -> Option<&'a str>,
        record: impl Fn(&str) -> Option<String>,
        today: Date,
    ) -> Option<Vec<(ClaimPath, ClaimValue)>> {
        let of = |source: &ClaimSource| match source {
            ClaimSource::Record(name) => record(name).map(ClaimValue::Text),
            other => other.value(&value, today),
        };
        let claims = self.claims.iter().filter(|claim| claim.source.sector().is_none());
        claims.map(|c| Some((c.path.clone(), of(&c.source)?))).collect()
    }
}

impl ClaimSource {
    /// The population column it needs, if any.
    #[must_use]
    pub fn column(&self) -> Option<Column> {
        match self {
            Self::Column(column) => Some(*column),
            Self::AgeOver(_) => Some(Column::BirthDate),
            Self::ResidentOf(column, _) => Some(*column),
            Self::Constant(_) | Self::Record(_) | Self::Sector(_) => None,
        }
    }

    /// The sector whose pseudonym it is, if it is one.
    #[must_use]
    pub const fn sector(&self) -> Option<&SectorId> {
        match self {
            Self::Sector(sector) => Some(sector),
            _ => None,
        }
    }

    fn value<'a>(
        &self,
        value: &impl Fn(Column) -> Option<&'a str>,
        today: Date,
    ) -> Option<ClaimValue> {
        match self {
            Self::Column(Column::Sex) => {
                Some(ClaimValue::Number(Sex::from_letter(value(Column::Sex)?)?.iso_5218()))
            }
            Self::Column(column) => Some(ClaimValue::Text(value(*column)?.to_owned())),
            Self::AgeOver(years) => {
                let birth = value(Column::BirthDate)?.parse().ok()?;
                Some(ClaimValue::Flag(is_over(birth, *years, today)))
            }
            Self::ResidentOf(column, place) => {
                Some(ClaimValue::Flag(value(*column)?.starts_with(place.as_str())))
            }
            Self::Constant(text) => Some(ClaimValue::Text(text.clone())),
            Self::Record(_) | Self::Sector(_) => None,
        }
    }
}

/// The credential that says who somebody is, of those a profile has.
pub(crate) fn identity(credentials: &[CredentialType]) -> Option<&CredentialType> {
    // Made of the register alone: a guardianship holds a number too, and says more than who somebody is.
    let of_register = |claim: &Claim| !matches!(claim.source, ClaimSource::Record(_));
    credentials.iter().find(|kind| {
        kind.issuer == Role::IdentityAuthority
            && kind.claim_from(Column::ResidentNumber).is_some()
            && kind.claims.iter().all(of_register)
    })
}

pub(crate) fn read_credential(
    mut section: Section<'_, '_, '_>,
    sectors: &[SectorId],
    ids: &mut BTreeSet<String>,
) -> Option<CredentialType> {
    let id = section.unique_text("id", ids);
    if let Some(id) = id.as_ref().filter(|id| id.ends_with(MDOC)) {
        let what = format!("the credential `{id}`");
        section.report(&section.span(), what, "an id that does not end in -mdoc");
    }
    let vct = section.text("vct");
    let doctype = if section.has("doctype") { section.text("doctype") } else { None };
    let name = read_text(&mut section, "name");
    let issuer = section.word("issuer", &Role::WORDS);
    let programme = if section.has("programme") { section.text("programme") } else { None };
    let by_agency = issuer.as_ref().is_some_and(|(role, _)| *role == Role::Agency);
    if issuer.is_some() && by_agency != programme.is_some() {
        let what = "`programme` of a credential".to_owned();
        section.report(&section.span(), what, "exactly what `issuer = \"agency\"` has");
    }
    let validity_days = section.whole("validity_days");
    let status_days = read_status_days(&mut section, validity_days);
    let batch = section.whole("batch");
    let mut seen = BTreeSet::new();
    let claims = if section.has("claims") {
        section.tables("claims", |claim| read_claim(claim, sectors, &mut seen))
    } else {
        // A credential may say nothing but that its holder has its key.
        section.optional("claims");
        Some(Vec::new())
    };
    section.finish();
    Some(CredentialType {
        id: id?,
        vct: vct?.0,
        doctype: doctype.map(|(doctype, _)| doctype),
        name: name?,
        issuer: issuer?.0,
        programme: programme.map(|(programme, _)| programme),
        validity_days: validity_days?,
        status_days: status_days?,
        batch: batch?,
        claims: claims?,
    })
}

/// As long as the credential is valid, or longer.
fn read_status_days(section: &mut Section<'_, '_, '_>, validity: Option<u32>) -> Option<u32> {
    if !section.has("status_days") {
        return validity;
    }
    let days: Option<u32> = section.whole("status_days");
    if days < validity {
        let what = format!("`status_days` {}", days.unwrap_or_default());
        section.report(&section.span(), what, "no fewer days than `validity_days`");
    }
    days
}

fn read_claim(
    mut section: Section<'_, '_, '_>,
    sectors: &[SectorId],
    seen: &mut BTreeSet<ClaimPath>,
) -> Option<Claim> {
    let path = section.parsed::<ClaimPath>("path", "names joined by dots: address.locality");
    let label = read_text(&mut section, "label");
    let source = if section.has("age_over") {
        section.whole("age_over").map(ClaimSource::AgeOver)
    } else if section.has("resident_of") {
        read_place(&mut section)
    } else if section.has("constant") {
        section.text("constant").map(|(value, _)| ClaimSource::Constant(value))
    } else if section.has("record") {
        section.text("record").map(|(name, _)| ClaimSource::Record(name))
    } else if section.has("sector") {
        read_sector(&mut section, sectors, path.as_ref()).map(ClaimSource::Sector)
    } else {
        section.word("column", &Column::WORDS).map(|(column, _)| ClaimSource::Column(column))
    };
    if let Some(source) = &source {
        check_number(&section, path.as_ref(), source);
    }
    if let Some((path, span)) = &path
        && !seen.insert(path.clone())
    {
        section.report(span, format!("claim `{path}` is given twice"), "each claim once");
    }
    section.finish();
    Some(Claim { path: path?.0, label: label?, source: source? })
}

/// Reads `resident_of`, a place, with `column`, which begins with it where somebody lives there.
fn read_place(section: &mut Section<'_, '_, '_>) -> Option<ClaimSource> {
    const PLACES: [(&str, Column); 2] =
        [("region", Column::Region), ("locality", Column::Locality)];
    let place = section.text("resident_of");
    let column = section.word("column", &PLACES);
    Some(ClaimSource::ResidentOf(column?.0, place?.0))
}

/// A wallet knows the number that names a resident by the name of its claim.
fn check_number(
    section: &Section<'_, '_, '_>,
    path: Option<&(ClaimPath, Span)>,
    source: &ClaimSource,
) {
    let Some((path, span)) = path else { return };
    let named = path.segments().last().is_some_and(|name| name.as_str() == RESIDENT_NUMBER);
    if *source == ClaimSource::Column(Column::ResidentNumber) && !named {
        let what = format!("the resident number at `{path}`");
        section.report(span, what, "a path that ends in personal_administrative_number");
    }
}

/// Reads `claims`, a list of paths of which each must be one that is issued.
pub(crate) fn read_claim_paths(
    section: &mut Section<'_, '_, '_>,
    known: &BTreeSet<ClaimPath>,
) -> Option<BTreeSet<ClaimPath>> {
    let texts: Vec<(String, Span)> = section.texts("claims")?;
    let mut paths = BTreeSet::new();
    for (text, span) in texts {
        match text.parse::<ClaimPath>() {
            Ok(path) if !known.contains(&path) => {
                let expected = "a claim of a credential in profile.toml";
                section.report(&span, format!("claim `{path}` is issued by nobody"), expected);
            }
            Ok(path) => {
                if !paths.insert(path) {
                    section.report(&span, format!("claim `{text}` is given twice"), "once");
                }
            }
            Err(()) => {
                section.report(&span, format!("{text:?}"), "names joined by dots");
            }
        }
    }
    Some(paths)
}
