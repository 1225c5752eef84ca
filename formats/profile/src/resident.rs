//! A resident as the population register knows one.

use crate::number::{ResidentNumber, Sex};
use jiff::civil::Date;
use std::fmt;

/// One person of the population register. `Debug` shows only the household.
#[derive(Clone, PartialEq, Eq)]
pub struct Resident {
    /// The number that names the person for life.
    pub number: ResidentNumber,
    /// Family name.
    pub family_name: String,
    /// Given name.
    pub given_name: String,
    /// Sex.
    pub sex: Sex,
    /// Date of birth.
    pub birth_date: Date,
    /// The administrative division of first registration; the number may hold it. It need not be
    /// where the person lives now.
    pub address_code: String,
    /// The province or state lived in.
    pub region: String,
    /// The city and district lived in.
    pub locality: String,
    /// The street lived in.
    pub street: String,
    /// House, building and flat.
    pub house: String,
    /// The household; who shares one shares an address. Unique in a file, without meaning.
    pub household_id: u32,
    /// The place in the household.
    pub relation: Relation,
}

/// What a person is to the head of the household.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Relation {
    /// The head; each household has one.
    Head,
    /// Married to the head.
    Spouse,
    /// A child of the head.
    Child,
    /// A parent of the head or of the head's spouse.
    Parent,
}

impl Relation {
    const WORDS: [(&'static str, Self); 4] = [
        ("head", Self::Head),
        ("spouse", Self::Spouse),
        ("child", Self::Child),
        ("parent", Self::Parent),
    ];

    /// The word for it in `residents.csv`.
    #[must_use]
    pub fn word(self) -> &'static str {
        Self::WORDS.iter().find(|(_, r)| *r == self).map_or("", |(word, _)| word)
    }

    /// From [`Relation::word`].
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::WORDS.iter().find(|(w, _)| *w == word).map(|(_, relation)| *relation)
    }
}

/// A column of `residents.csv` and of the population register.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Column {
    /// [`Resident::number`].
    ResidentNumber,
    /// [`Resident::family_name`].
    FamilyName,
    /// [`Resident::given_name`].
    GivenName,
    /// [`Resident::sex`], `F` or `M`.
    Sex,
    /// [`Resident::birth_date`], ISO 8601.
    BirthDate,
    /// [`Resident::address_code`].
    AddressCode,
    /// [`Resident::region`].
    Region,
    /// [`Resident::locality`].
    Locality,
    /// [`Resident::street`].
    Street,
    /// [`Resident::house`].
    House,
    /// [`Resident::household_id`].
    HouseholdId,
    /// [`Resident::relation`].
    Relation,
}

impl Column {
    /// Every column with its name, in the order of the file.
    pub const WORDS: [(&'static str, Self); 12] = [
        ("resident_number", Self::ResidentNumber),
        ("family_name", Self::FamilyName),
        ("given_name", Self::GivenName),
        ("sex", Self::Sex),
        ("birth_date", Self::BirthDate),
        ("address_code", Self::AddressCode),
        ("region", Self::Region),
        ("locality", Self::Locality),
        ("street", Self::Street),
        ("house", Self::House),
        ("household_id", Self::HouseholdId),
        ("relation", Self::Relation),
    ];

    /// The column's name in the header.
    #[must_use]
    pub fn word(self) -> &'static str {
        Self::WORDS.iter().find(|(_, c)| *c == self).map_or("", |(word, _)| word)
    }
}

impl Resident {
    /// The value of a column, as written in the file.
    #[must_use]
    pub fn value(&self, column: Column) -> String {
        match column {
            Column::ResidentNumber => self.number.as_str().to_owned(),
            Column::FamilyName => self.family_name.clone(),
            Column::GivenName => self.given_name.clone(),
            Column::Sex => self.sex.letter().to_owned(),
            Column::BirthDate => self.birth_date.to_string(),
            Column::AddressCode => self.address_code.clone(),
            Column::Region => self.region.clone(),
            Column::Locality => self.locality.clone(),
            Column::Street => self.street.clone(),
            Column::House => self.house.clone(),
            Column::HouseholdId => self.household_id.to_string(),
            Column::Relation => self.relation.word().to_owned(),
        }
    }

    /// Whether the person has completed `years` years on `day`. Someone born on 29 February
    /// completes a year on 1 March of a common year.
    #[must_use]
    pub fn is_over(&self, years: u8, day: Date) -> bool {
        is_over(self.birth_date, years, day)
    }
}

/// See [`Resident::is_over`].
pub(crate) fn is_over(birth: Date, years: u8, day: Date) -> bool {
    let Some(year) = birth.year().checked_add(i16::from(years)) else { return false };
    (day.year(), day.month(), day.day()) >= (year, birth.month(), birth.day())
}

impl fmt::Debug for Resident {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resident").field("household_id", &self.household_id).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_year_is_completed_on_the_birthday_and_on_1_march_for_29_february() {
        let day = |year, month, day| jiff::civil::date(year, month, day);
        for (birth, today, over) in [
            (day(2008, 5, 2), day(2026, 5, 1), false),
            (day(2008, 5, 2), day(2026, 5, 2), true),
            (day(2008, 2, 29), day(2026, 2, 28), false),
            (day(2008, 2, 29), day(2026, 3, 1), true),
        ] {
            assert_eq!(is_over(birth, 18, today), over, "{birth} {today}");
        }
    }

    #[test]
    fn every_column_has_its_word() {
        for (word, column) in Column::WORDS {
            assert_eq!(column.word(), word);
        }
        for relation in [Relation::Head, Relation::Spouse, Relation::Child, Relation::Parent] {
            assert_eq!(Relation::from_word(relation.word()), Some(relation));
        }
    }
}
