//! How a request asks, where it does not simply ask for everything at once: alternatives, certain values, several
//! credentials (DCQL; OpenID4VP 1.0, section 6), in the profile's own names and within what the request may ask.

use crate::credential::{ClaimPath, CredentialType};
use crate::institution::{Request, Role};
use crate::section::{Section, Span};
use std::collections::BTreeSet;
use toml::Spanned;
use toml::de::DeValue;
use yufu_base::RESIDENT_NUMBER;

/// The most queries, sets, options and values of a request.
const MOST: usize = 16;

/// A question in the words of DCQL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// What is asked for.
    pub credentials: Vec<AskedCredential>,
    /// Alternatives among them; empty if all are wanted.
    pub sets: Vec<AskedSet>,
}

/// One credential that is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AskedCredential {
    /// What the answer calls it.
    pub id: String,
    /// Its id in the profile.
    pub credential: String,
    /// The wanted claims.
    pub claims: Vec<AskedClaim>,
    /// Alternatives among the claims, the best liked first; empty if all are wanted.
    pub claim_sets: Vec<Vec<ClaimPath>>,
    /// Whether several may answer.
    pub multiple: bool,
    /// Whether the question itself names the authorities that the trust list has for its issuers.
    pub trusted_authorities: bool,
}

/// A claim that is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AskedClaim {
    /// The claim.
    pub path: ClaimPath,
    /// The values one of which it must have; any, if there are none.
    pub values: Vec<AskedValue>,
}

/// A value that a claim may have to have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AskedValue {
    /// A text.
    Text(String),
    /// A whole number.
    Number(u32),
    /// Whether something holds.
    Flag(bool),
}

/// Alternatives among what is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AskedSet {
    /// Sets of ids, the best liked first.
    pub options: Vec<Vec<String>>,
    /// Whether one has to be answered.
    pub required: bool,
}

/// What a request may ask.
struct Within<'a> {
    known: &'a [CredentialType],
    credentials: &'a [String],
    claims: &'a BTreeSet<ClaimPath>,
}

/// Reads `ask` and `sets` of a request that may ask for `claims` of `credentials`; none if it has neither.
#[expect(clippy::option_option, reason = "wrong, or right and absent, as for other fields")]
pub(crate) fn read_query(
    section: &mut Section<'_, '_, '_>,
    known: &[CredentialType],
    credentials: &[String],
    claims: &BTreeSet<ClaimPath>,
) -> Option<Option<Query>> {
    if !section.has("ask") {
        section.optional("ask");
        return Some(None);
    }
    let within = Within { known, credentials, claims };
    let mut ids = BTreeSet::new();
    let asked = section.tables("ask", |one| read_asked(one, &within, &mut ids));
    let sets = if section.has("sets") {
        section.tables("sets", |set| read_set(set, &ids))
    } else {
        section.optional("sets");
        Some(Vec::new())
    };
    let (asked, sets) = (asked?, sets?);
    let span = section.span();
    for unasked in credentials.iter().filter(|id| asked.iter().all(|one| one.credential != **id)) {
        let what = format!("`ask` does not ask for the credential `{unasked}`");
        section.report(&span, what, "each of `credentials`, and no more is registered");
    }
    if asked.len() > MOST || sets.len() > MOST {
        section.report(&span, "more is asked than a query may hold", "at most 16 and 16");
    }
    Some(Some(Query { credentials: asked, sets }))
}

/// The number that names a resident is asked for only where a law demands it.
pub(crate) fn check_number(
    section: &Section<'_, '_, '_>,
    claims: &BTreeSet<ClaimPath>,
    by_law: bool,
) {
    let is_number = |path: &&ClaimPath| {
        path.segments().last().is_some_and(|name| name.as_str() == RESIDENT_NUMBER)
    };
    if let Some(number) = claims.iter().find(is_number)
        && !by_law
    {
        let what = format!("the request asks for `{number}`, and no law demands it");
        section.report(
            &section.span(),
            what,
            "`by_law = true` with a law as `basis`, or another claim",
        );
    }
}

/// Banks, hotels and others ask what their next step needs, all of it; who only asks may put it otherwise.
pub(crate) fn check_queries(
    section: &Section<'_, '_, '_>,
    requests: &[Request],
    role: Option<Role>,
) {
    let asked = requests.iter().find(|request| request.query.is_some());
    if let (Some(request), Some(role)) = (asked, role)
        && role != Role::Merchant
    {
        let what = format!("`{}` has `ask`, and is of a {}", request.id, role.word());
        section.report(&section.span(), what, "`ask` in requests of a merchant alone");
    }
}

fn read_asked(
    mut section: Section<'_, '_, '_>,
    within: &Within<'_>,
    ids: &mut BTreeSet<String>,
) -> Option<AskedCredential> {
    let (credential, span) = section.text("credential")?;
    let kind = within.known.iter().find(|kind| kind.id == credential);
    if !within.credentials.contains(&credential) {
        let what = format!("`ask` names the credential `{credential}`");
        section.report(&span, what, "one of the request's `credentials`");
    }
    let id = if section.has("id") { section.text("id")? } else { (credential.clone(), span) };
    check_id(&section, &id, ids);
    let of_kind = |path: &&ClaimPath| {
        kind.is_some_and(|kind| kind.claims.iter().any(|claim| claim.path == **path))
    };
    let may: Vec<ClaimPath> = within.claims.iter().filter(of_kind).cloned().collect();
    let paths = if section.has("claims") {
        read_paths(&mut section, "claims", &may)?
    } else {
        section.optional("claims");
        may
    };
    let mut claims: Vec<AskedClaim> =
        paths.iter().map(|path| AskedClaim { path: path.clone(), values: Vec::new() }).collect();
    if section.has("values") {
        for (path, values) in section.tables("values", |one| read_values(one, &paths))? {
            claims.iter_mut().filter(|claim| claim.path == path).for_each(|claim| {
                claim.values.clone_from(&values);
            });
        }
    }
    let claim_sets = if section.has("claim_sets") {
        section.list("claim_sets", |section, item| as_paths(section, item, &paths))?
    } else {
        Vec::new()
    };
    let (multiple, trusted_authorities) =
        (section.flag("multiple"), section.flag("trusted_authorities"));
    section.optional("values");
    section.optional("claim_sets");
    section.optional("id");
    section.finish();
    let id = id.0;
    Some(AskedCredential { id, credential, claims, claim_sets, multiple, trusted_authorities })
}

/// An id is one in DCQL, given once, and none that the other format of a credential is called by.
fn check_id(
    section: &Section<'_, '_, '_>,
    (id, span): &(String, Span),
    ids: &mut BTreeSet<String>,
) {
    let fits = id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
    if !fits || id.len() > 40 || id.ends_with("-mdoc") {
        let expected = "1 to 40 of letters, digits, _ and -, not ending in -mdoc";
        section.report(span, format!("`ask` is called {id:?}"), expected);
    }
    if !ids.insert(id.clone()) {
        section.report(span, format!("`{id}` is asked twice"), "each under an `id` of its own");
    }
}

fn read_values(
    mut section: Section<'_, '_, '_>,
    known: &[ClaimPath],
) -> Option<(ClaimPath, Vec<AskedValue>)> {
    let (path, span) = section.parsed::<ClaimPath>("claim", "one of the claims asked")?;
    if !known.contains(&path) {
        section.report(&span, format!("values of `{path}`"), "of one of the claims asked");
    }
    let values = section.list("one_of", |section, item| as_value(section, item))?;
    if values.is_empty() || values.len() > MOST {
        section.report(&span, format!("{} values of `{path}`", values.len()), "1 to 16");
    }
    section.finish();
    Some((path, values))
}

fn as_value<'a>(section: &Section<'_, '_, 'a>, item: &Spanned<DeValue<'a>>) -> Option<AskedValue> {
    let value = item.get_ref();
    if let Some(flag) = value.as_bool() {
        return Some(AskedValue::Flag(flag));
    }
    if let Some(text) = value.as_str() {
        return Some(AskedValue::Text(text.to_owned()));
    }
    section.as_whole("one_of", item).map(AskedValue::Number)
}

/// Paths, each of those that are `known`.
fn read_paths(
    section: &mut Section<'_, '_, '_>,
    key: &'static str,
    known: &[ClaimPath],
) -> Option<Vec<ClaimPath>> {
    section.list(key, |section, item| as_path(section, item, known))
}

fn as_paths<'a>(
    section: &Section<'_, '_, 'a>,
    item: &Spanned<DeValue<'a>>,
    known: &[ClaimPath],
) -> Option<Vec<ClaimPath>> {
    let items = item.get_ref().as_array().filter(|items| !items.is_empty());
    let Some(items) = items else {
        let what = "an alternative among claims that is none".to_owned();
        section.report(&item.span(), what, "a list of claims");
        return None;
    };
    items.iter().map(|item| as_path(section, item, known)).collect()
}

fn as_path<'a>(
    section: &Section<'_, '_, 'a>,
    item: &Spanned<DeValue<'a>>,
    known: &[ClaimPath],
) -> Option<ClaimPath> {
    let path = item.get_ref().as_str().and_then(|text| text.parse::<ClaimPath>().ok());
    let found = path.filter(|path| known.contains(path));
    if found.is_none() {
        let what = "a claim that is not asked of this credential".to_owned();
        section.report(&item.span(), what, "one of the request's `claims` that it has");
    }
    found
}

fn read_set(mut section: Section<'_, '_, '_>, ids: &BTreeSet<String>) -> Option<AskedSet> {
    let options = section.list("options", |section, item| as_ids(section, item, ids))?;
    if options.is_empty() || options.len() > MOST {
        section.report(&section.span(), format!("{} options", options.len()), "1 to 16");
    }
    let required = !section.flag("optional");
    section.finish();
    Some(AskedSet { options, required })
}

fn as_ids<'a>(
    section: &Section<'_, '_, 'a>,
    item: &Spanned<DeValue<'a>>,
    ids: &BTreeSet<String>,
) -> Option<Vec<String>> {
    let items = item.get_ref().as_array();
    let texts = items.map(|items| items.iter().map(|one| one.get_ref().as_str()).collect());
    let texts: Option<Vec<&str>> =
        texts.and_then(|texts: Vec<Option<&str>>| texts.into_iter().collect());
    let known = texts.filter(|texts| !texts.is_empty() && texts.iter().all(|id| ids.contains(*id)));
    if known.is_none() {
        let what = "an option that is none".to_owned();
        section.report(&item.span(), what, "a list of ids that are given under `ask` above");
    }
    known.map(|texts| texts.into_iter().map(str::to_owned).collect())
}
