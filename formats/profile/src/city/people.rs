//! People without names yet: sex and date of birth, drawn from the age pyramid.

use super::data::CityData;
use super::draw::{Draw, Weighted};
use crate::number::Sex;
use jiff::ToSpan;
use jiff::civil::Date;

/// The youngest age at which somebody heads a household.
pub(super) const ADULT: u8 = 22;

#[derive(Clone, Copy)]
pub(super) struct Person {
    pub(super) sex: Sex,
    pub(super) birth: Date,
    /// Completed years.
    pub(super) age: u8,
}

pub(super) fn draw_people(
    city: &CityData,
    count: usize,
    as_of: Date,
    draw: &mut Draw,
) -> Vec<Person> {
    let bands = city.ages.iter().flat_map(|band| {
        [(band.female, (Sex::Female, band)), (band.male, (Sex::Male, band))].into_iter()
    });
    let bands = Weighted::new(bands);
    let person = |_| {
        let (sex, band) = bands.draw(draw)?;
        let years = u32::from(band.to.saturating_sub(band.from)).saturating_add(1);
        let age = band.from.saturating_add(u8::try_from(draw.below(years)).unwrap_or(0));
        Some(Person { sex, birth: birth(age, as_of, draw), age })
    };
    (0..count).filter_map(person).collect()
}

/// A day on which somebody of `age` completed years on `as_of` may have been born.
pub(super) fn birth(age: u8, as_of: Date, draw: &mut Draw) -> Date {
    let birthday = as_of.saturating_sub(i64::from(age).years());
    let earliest = as_of.saturating_sub(i64::from(age).saturating_add(1).years());
    // From the day after the one that would make a year more, to today's birthday.
    let days = birthday.since(earliest).map_or(365, |span| span.get_days());
    let back = draw.below(u32::try_from(days).unwrap_or(365));
    birthday.saturating_sub(i64::from(back).days())
}
