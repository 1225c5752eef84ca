//! Reading a document, member by member: what is there must be right, and what is unknown is passed over.

use super::integrity::Integrity;
use super::locale::Locale;
use super::metadata::{
    ClaimDisplay, ClaimMetadata, Extends, MAX_CLAIMS, MAX_DEPTH, MAX_DESCRIPTION, MAX_LOCALES,
    MAX_NAME, MAX_TYPE_METADATA, MAX_VCT, Rendering, SelectiveDisclosure, TypeDisplay,
    TypeMetadata, TypeMetadataError,
};
use serde_json::{Map, Value};
use std::collections::BTreeSet;
use yufu_jose::{ClaimPath, PathStep, parse_json_object};

type Read<T> = Result<T, TypeMetadataError>;

pub(super) fn document(bytes: &[u8]) -> Read<TypeMetadata> {
    if bytes.len() > MAX_TYPE_METADATA {
        return Err(TypeMetadataError::TooLong(bytes.len()));
    }
    let members = parse_json_object(bytes)?;
    if members.values().any(|value| !is_within(value, MAX_DEPTH.saturating_sub(1))) {
        return Err(TypeMetadataError::TooDeep);
    }
    let all = Members { at: "the document", members: &members };
    let vct = identifier(all.required("vct", "a string", Value::as_str)?)?;
    let name = all.text("name", MAX_NAME)?;
    let description = all.text("description", MAX_DESCRIPTION)?;
    let extends = extends(&all)?;
    let display = all.entries("display", "display", MAX_LOCALES, type_display)?;
    let display = once_each(display, "display", |one| &one.locale)?;
    let claims = all.entries("claims", "claims", MAX_CLAIMS, claim)?.unwrap_or_default();
    check_claims(&claims)?;
    Ok(TypeMetadata { vct, name, description, extends, display, claims })
}

/// The members of an object, and where it stands.
struct Members<'a> {
    at: &'a str,
    members: &'a Map<String, Value>,
}

impl Members<'_> {
    /// A member of a kind, if it is there.
    fn optional<'v, T>(
        &'v self,
        member: &'static str,
        expected: &'static str,
        of: impl Fn(&'v Value) -> Option<T>,
    ) -> Read<Option<T>> {
        let wrong = || TypeMetadataError::Kind { at: self.at.to_owned(), member, expected };
        self.members.get(member).map(|value| of(value).ok_or_else(wrong)).transpose()
    }

    fn required<'v, T>(
        &'v self,
        member: &'static str,
        expected: &'static str,
        of: impl Fn(&'v Value) -> Option<T>,
    ) -> Read<T> {
        let missing = || TypeMetadataError::Missing { at: self.at.to_owned(), member };
        self.optional(member, expected, of)?.ok_or_else(missing)
    }

    /// A text for people, if it is there.
    fn text(&self, member: &'static str, most: usize) -> Read<Option<String>> {
        let text = self.optional(member, "a string", Value::as_str)?;
        let wrong = || TypeMetadataError::Text { at: self.at.to_owned(), member };
        match text {
            Some(text) if !is_shown(text, most) => Err(wrong()),
            text => Ok(text.map(str::to_owned)),
        }
    }

    fn required_text(&self, member: &'static str, most: usize) -> Read<String> {
        let missing = || TypeMetadataError::Missing { at: self.at.to_owned(), member };
        self.text(member, most)?.ok_or_else(missing)
    }

    /// An array of objects, if it is there; each is read as standing `at` with its number.
    fn entries<T>(
        &self,
        member: &'static str,
        at: &str,
        most: usize,
        read: impl Fn(&Members<'_>) -> Read<T>,
    ) -> Read<Option<Vec<T>>> {
        let Some(entries) = self.optional(member, "an array", Value::as_array)? else {
            return Ok(None);
        };
        if entries.len() > most {
            return Err(TypeMetadataError::TooMany { at: at.to_owned(), most });
        }
        let read = |(place, entry): (usize, &Value)| {
            let at = format!("{at}[{place}]");
            let expected = "an array of objects";
            let wrong = || TypeMetadataError::Kind { at: at.clone(), member, expected };
            read(&Members { at: &at, members: entry.as_object().ok_or_else(wrong)? })
        };
        entries.iter().enumerate().map(read).collect::<Read<Vec<T>>>().map(Some)
    }

    fn locale(&self) -> Read<Locale> {
        let text = self.required("locale", "a string", Value::as_str)?;
        let wrong =
            || TypeMetadataError::Locale { at: self.at.to_owned(), locale: text.to_owned() };
        Locale::parse(text).ok_or_else(wrong)
    }

    fn colour(&self, member: &'static str) -> Read<Option<String>> {
        let Some(text) = self.optional(member, "a string", Value::as_str)? else { return Ok(None) };
        let digits = text.strip_prefix('#').unwrap_or_default();
        let is = [3, 6].contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_hexdigit());
        let wrong =
            || TypeMetadataError::Colour { at: self.at.to_owned(), colour: text.to_owned() };
        if is { Ok(Some(text.to_owned())) } else { Err(wrong()) }
    }
}

fn extends(all: &Members<'_>) -> Read<Option<Extends>> {
    let integrity = all.optional("extends#integrity", "a string", Value::as_str)?;
    match (all.optional("extends", "a string", Value::as_str)?, integrity) {
        (None, None) => Ok(None),
        (None, Some(_)) => Err(TypeMetadataError::IntegrityAlone),
        (Some(vct), integrity) => Ok(Some(Extends {
            vct: identifier(vct)?,
            integrity: integrity.map(Integrity::parse).transpose()?,
        })),
    }
}

fn type_display(entry: &Members<'_>) -> Read<TypeDisplay> {
    Ok(TypeDisplay {
        locale: entry.locale()?,
        name: entry.required_text("name", MAX_NAME)?,
        description: entry.text("description", MAX_DESCRIPTION)?,
        rendering: rendering(entry)?,
    })
}

/// The colours of the method `simple`; other methods are passed over.
fn rendering(entry: &Members<'_>) -> Read<Option<Rendering>> {
    let Some(methods) = entry.optional("rendering", "an object", Value::as_object)? else {
        return Ok(None);
    };
    let methods = Members { at: entry.at, members: methods };
    let Some(simple) = methods.optional("simple", "an object", Value::as_object)? else {
        return Ok(None);
    };
    let simple = Members { at: entry.at, members: simple };
    let (background_color, text_color) =
        (simple.colour("background_color")?, simple.colour("text_color")?);
    let any = background_color.is_some() || text_color.is_some();
    Ok(any.then_some(Rendering { background_color, text_color }))
}

fn claim(entry: &Members<'_>) -> Read<ClaimMetadata> {
    let at = || entry.at.to_owned();
    let path = entry.required("path", "an array", |path| path.is_array().then_some(path))?;
    let path: Option<ClaimPath> = serde_json::from_value(path.clone()).ok();
    let path = path.filter(|path| matches!(path.steps().first(), Some(PathStep::Name(_))));
    let path = path.ok_or_else(|| TypeMetadataError::Path { at: at() })?;
    let below = format!("{}.display", entry.at);
    let display = entry.entries("display", &below, MAX_LOCALES, claim_display)?;
    let display = once_each(display, &below, |one| &one.locale)?;
    let mandatory = entry.optional("mandatory", "true or false", Value::as_bool)?;
    let sd = match entry.optional("sd", "a string", Value::as_str)? {
        None => None,
        Some("always") => Some(SelectiveDisclosure::Always),
        Some("allowed") => Some(SelectiveDisclosure::Allowed),
        Some("never") => Some(SelectiveDisclosure::Never),
        Some(other) => return Err(TypeMetadataError::Sd { at: at(), sd: other.to_owned() }),
    };
    let svg_id = entry.optional("svg_id", "a string", Value::as_str)?;
    match svg_id.filter(|id| !is_svg_id(id)) {
        Some(id) => Err(TypeMetadataError::SvgId { at: at(), id: id.to_owned() }),
        None => {
            Ok(ClaimMetadata { path, display, mandatory, sd, svg_id: svg_id.map(str::to_owned) })
        }
    }
}

fn claim_display(entry: &Members<'_>) -> Read<ClaimDisplay> {
    Ok(ClaimDisplay {
        locale: entry.locale()?,
        label: entry.required_text("label", MAX_NAME)?,
        description: entry.text("description", MAX_DESCRIPTION)?,
    })
}

/// One entry for each language.
fn once_each<T>(
    entries: Option<Vec<T>>,
    at: &str,
    locale: impl Fn(&T) -> &Locale,
) -> Read<Option<Vec<T>>> {
    let mut seen = BTreeSet::new();
    for entry in entries.iter().flatten() {
        let locale = locale(entry);
        if !seen.insert(locale.as_str().to_ascii_lowercase()) {
            let (at, locale) = (at.to_owned(), locale.clone());
            return Err(TypeMetadataError::LocaleTwice { at, locale });
        }
    }
    Ok(entries)
}

/// Each path once, and each name for templates.
fn check_claims(claims: &[ClaimMetadata]) -> Read<()> {
    let (mut paths, mut ids) = (BTreeSet::new(), BTreeSet::new());
    for claim in claims {
        if !paths.insert(&claim.path) {
            return Err(TypeMetadataError::PathTwice(claim.path.clone()));
        }
        if let Some(id) = claim.svg_id.as_ref().filter(|id| !ids.insert(id.as_str())) {
            return Err(TypeMetadataError::SvgIdTwice(id.clone()));
        }
    }
    Ok(())
}

fn identifier(text: &str) -> Read<String> {
    let fits = |character: char| !character.is_control() && !character.is_whitespace();
    if text.is_empty() || text.len() > MAX_VCT || !text.chars().all(fits) {
        return Err(TypeMetadataError::Vct(text.chars().take(MAX_NAME).collect()));
    }
    Ok(text.to_owned())
}

fn is_svg_id(id: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    id.bytes().all(fits) && id.bytes().next().is_some_and(|first| !first.is_ascii_digit())
}

/// Whether a text can be shown as it is: at most `most` characters, no controls, and nothing that turns what is around it.
#[must_use]
pub fn is_shown(text: &str, most: usize) -> bool {
    let turns = |c: char| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let fits = |c: char| !c.is_control() && !turns(c);
    !text.trim().is_empty() && text.chars().count() <= most && text.chars().all(fits)
}

/// Whether a value nests no more than so many levels.
fn is_within(value: &Value, levels: usize) -> bool {
    let below = levels.checked_sub(1);
    match (value, below) {
        (Value::Array(_) | Value::Object(_), None) => false,
        (Value::Array(items), Some(below)) => items.iter().all(|item| is_within(item, below)),
        (Value::Object(members), Some(below)) => {
            members.values().all(|member| is_within(member, below))
        }
        _ => true,
    }
}
