//! What a sample city is generated from: districts, names, ages. Read from `city.toml`.

use crate::number::{Field, NumberScheme};
use crate::section::Section;
use std::collections::BTreeSet;

/// The sample city of a profile. Weights are relative to one another within their list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CityData {
    /// The province or state, as addresses show it.
    pub region: String,
    /// How a house is written, with `{number}`, `{building}` and `{flat}` to be filled in.
    pub house: String,
    /// Its districts.
    pub districts: Vec<District>,
    /// Family names with weights.
    pub family_names: Vec<(String, u32)>,
    /// Characters of given names, by sex.
    pub given_female: Vec<String>,
    /// Characters of given names, by sex.
    pub given_male: Vec<String>,
    /// How many of a hundred given names have one character; the others have two.
    pub single_character_percent: u32,
    /// The age pyramid.
    pub ages: Vec<AgeBand>,
}

/// A district.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct District {
    /// Its code, with which resident numbers begin.
    pub code: String,
    /// City and district, as addresses show them.
    pub locality: String,
    /// Its share of the residents.
    pub weight: u32,
    /// Some of its streets.
    pub streets: Vec<String>,
}

/// The people of some ages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AgeBand {
    /// The youngest, in years.
    pub from: u8,
    /// The oldest, in years.
    pub to: u8,
    /// Weight of the women.
    pub female: u32,
    /// Weight of the men.
    pub male: u32,
}

pub(crate) fn read_city(mut root: Section<'_, '_, '_>, scheme: &NumberScheme) -> Option<CityData> {
    let region = root.text("region");
    let house = root.text("house");
    let mut codes = BTreeSet::new();
    let districts = root.tables("districts", |s| read_district(s, scheme, &mut codes));
    let family_names = root.tables("family_names", read_name);
    let given_female = read_characters(&mut root, "given_female");
    let given_male = read_characters(&mut root, "given_male");
    let single_character_percent = root.whole("single_character_percent");
    let mut next = 0;
    let ages = root.tables("ages", |s| read_band(s, &mut next));
    let span = root.span();
    if single_character_percent.is_some_and(|percent: u32| percent > 100) {
        root.report(&span, "`single_character_percent` is over 100", "0 to 100");
    }
    root.finish();
    Some(CityData {
        region: region?.0,
        house: house?.0,
        districts: districts?,
        family_names: family_names?,
        given_female: given_female?,
        given_male: given_male?,
        single_character_percent: single_character_percent?,
        ages: ages?,
    })
}

fn read_district(
    mut section: Section<'_, '_, '_>,
    scheme: &NumberScheme,
    codes: &mut BTreeSet<String>,
) -> Option<District> {
    let code = section.unique_text("code", codes);
    let locality = section.text("locality");
    let weight = read_weight(&mut section, "weight");
    let streets = section.texts("streets");
    let span = section.span();
    let length = scheme.fields().iter().find_map(|field| match field {
        Field::Region { length } => Some(*length),
        _ => None,
    });
    if let (Some(code), Some(length)) = (&code, length)
        && (code.len() != length || !scheme.knows_region(code))
    {
        let expected = format!("{length} digits that begin with a region prefix of the scheme");
        section.report(&span, format!("`code` is {code:?}"), &expected);
    }
    if streets.as_ref().is_some_and(Vec::is_empty) {
        section.report(&span, "`streets` is empty", "at least one");
    }
    section.finish();
    let streets = streets?.into_iter().map(|(street, _)| street).collect();
    Some(District { code: code?, locality: locality?.0, weight: weight?, streets })
}

fn read_name(mut section: Section<'_, '_, '_>) -> Option<(String, u32)> {
    let name = section.text("name");
    let weight = read_weight(&mut section, "weight");
    section.finish();
    Some((name?.0, weight?))
}

fn read_weight(section: &mut Section<'_, '_, '_>, key: &'static str) -> Option<u32> {
    let weight = section.whole::<u32>(key)?;
    if weight == 0 {
        let span = section.span();
        section.report(&span, format!("`{key}` is 0"), "at least 1, or no entry");
    }
    Some(weight)
}

fn read_characters(section: &mut Section<'_, '_, '_>, key: &'static str) -> Option<Vec<String>> {
    let (text, span) = section.text(key)?;
    let characters: BTreeSet<char> = text.chars().collect();
    if characters.len() != text.chars().count() || characters.len() < 2 {
        section.report(&span, format!("`{key}` repeats a character"), "two or more, each once");
    }
    Some(text.chars().map(String::from).collect())
}

fn read_band(mut section: Section<'_, '_, '_>, next: &mut u8) -> Option<AgeBand> {
    let (from, to) = (section.whole::<u8>("from"), section.whole::<u8>("to"));
    let female = read_weight(&mut section, "female");
    let male = read_weight(&mut section, "male");
    let span = section.span();
    if let (Some(from), Some(to)) = (from, to) {
        if from != *next || to < from || to > 120 {
            let expected = format!("from {next}, to at least that and at most 120");
            section.report(&span, format!("ages {from} to {to}"), &expected);
        }
        *next = to.saturating_add(1);
    }
    section.finish();
    Some(AgeBand { from: from?, to: to?, female: female?, male: male? })
}
