//! A sample city: residents who do not exist, in households that could. The same profile,
//! seed, size and date give the same residents on every build.

pub(crate) mod data;
mod draw;
mod households;
mod identity;
mod people;

pub use data::{AgeBand, CityData, District, StoryData};

use crate::profile::Profile;
use crate::resident::Resident;
use draw::Draw;
use jiff::civil::Date;

/// Why a city could not be generated.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GenerateError {
    /// The day is too early for the oldest to have been born within the calendar.
    #[error("{0} is no day to generate for: expected a day from 1900 to 9000")]
    Day(Date),
    /// More were born on one day in one district than the scheme has numbers for.
    #[error("the numbers of one day and district are used up: generate fewer residents")]
    NumbersExhausted,
}

/// Generates `residents` people as of the day `as_of`: ages drawn from the profile's age
/// pyramid, couples, children with plausible parents, grandparents, addresses by household.
/// Residents of a household follow each other, the head first.
///
/// # Errors
/// [`GenerateError`]; how many fit depends on the number scheme.
pub fn generate(
    profile: &Profile,
    seed: u64,
    residents: usize,
    as_of: Date,
) -> Result<Vec<Resident>, GenerateError> {
    if !(1900..=9000).contains(&as_of.year()) {
        return Err(GenerateError::Day(as_of));
    }
    let mut draw = Draw::new(seed);
    let mut people = people::draw_people(&profile.city, residents, as_of, &mut draw);
    let families = households::form(&mut people, as_of, &mut draw);
    identity::name_and_number(profile, &people, &families, &mut draw)
}

#[cfg(test)]
mod tests;
