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
    /// How many of a hundred spouses bear the head's family name; the others keep their own.
    pub shared_family_name_percent: u32,
    /// Parts of given names, by sex: names, or characters that names are made of.
    pub given_female: Vec<String>,
    /// Parts of given names, by sex.
    pub given_male: Vec<String>,
    /// How many of a hundred given names have one part; the others have two.
    pub single_given_percent: u32,
    /// What stands between two parts; may be empty.
    pub given_joiner: String,
    /// The age pyramid.
    pub ages: Vec<AgeBand>,
    /// What the demonstration needs of the city.
    pub story: StoryData,
}

/// What the demonstration's story needs of a city: how dear things are, which trains go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoryData {
    /// What one unit of the story's prices costs here, in minor units: noodles are 18 units.
    pub price_unit: u64,
    /// Two trains of the railway: one to book, one to change to.
    pub trains: [String; 2],
    /// The class travelled in.
    pub travel_class: String,
    /// The room in the hotel.
    pub room: String,
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
    let shared_family_name_percent = read_percent(&mut root, "shared_family_name_percent");
    let given_female = read_parts(&mut root, "given_female");
    let given_male = read_parts(&mut root, "given_male");
    let single_given_percent = read_percent(&mut root, "single_given_percent");
    let given_joiner = root.any_text("given_joiner");
    let mut next = 0;
    let ages = root.tables("ages", |s| read_band(s, &mut next));
    let story = root.table("story").and_then(read_story);
    root.finish();
    Some(CityData {
        region: region?.0,
        house: house?.0,
        districts: districts?,
        family_names: family_names?,
        given_female: given_female?,
        given_male: given_male?,
        shared_family_name_percent: shared_family_name_percent?,
        single_given_percent: single_given_percent?,
        given_joiner: given_joiner?,
        ages: ages?,
        story: story?,
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
        Field::Region { length, letters } => Some((*length, *letters)),
        _ => None,
    });
    if let (Some(code), Some((length, letters))) = (&code, length)
        && (code.len() != length || !scheme.knows_region(code))
    {
        let kind = if letters { "letters" } else { "digits" };
        let expected = format!("{length} {kind} that begin with a region prefix of the scheme");
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

fn read_percent(section: &mut Section<'_, '_, '_>, key: &'static str) -> Option<u32> {
    let percent = section.whole::<u32>(key)?;
    if percent > 100 {
        let span = section.span();
        section.report(&span, format!("`{key}` is over 100"), "0 to 100");
    }
    Some(percent)
}

/// Parts of names: a list of them, or a text whose characters they are.
fn read_parts(section: &mut Section<'_, '_, '_>, key: &'static str) -> Option<Vec<String>> {
    let parts: Vec<String> = if section.is_text(key) {
        section.text(key)?.0.chars().map(String::from).collect()
    } else {
        section.texts(key)?.into_iter().map(|(part, _)| part).collect()
    };
    let distinct: BTreeSet<&String> = parts.iter().collect();
    if distinct.len() != parts.len() || parts.len() < 2 {
        let span = section.span();
        section.report(&span, format!("`{key}` repeats a part"), "two or more, each once");
    }
    Some(parts)
}

fn read_story(mut section: Section<'_, '_, '_>) -> Option<StoryData> {
    let price_unit = read_weight(&mut section, "price_unit");
    let trains = section.texts("trains");
    let travel_class = section.text("travel_class");
    let room = section.text("room");
    let span = section.span();
    let trains = trains.map(|list| list.into_iter().map(|(train, _)| train).collect::<Vec<_>>());
    let trains = trains.and_then(|list| {
        let two = <[String; 2]>::try_from(list).ok().filter(|[first, second]| first != second);
        if two.is_none() {
            section.report(&span, "`trains` are not two", "two trains that differ");
        }
        two
    });
    section.finish();
    Some(StoryData {
        price_unit: u64::from(price_unit?),
        trains: trains?,
        travel_class: travel_class?.0,
        room: room?.0,
    })
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
