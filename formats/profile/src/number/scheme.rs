//! A resident-number scheme: which characters stand where, what they say, and the check rule.

use super::{CheckRule, ResidentNumber, Sex};
use jiff::civil::Date;
use std::collections::BTreeSet;

/// A part of a number, in the order they stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Field {
    /// The administrative division of first registration, beginning with one of the scheme's
    /// region prefixes.
    Region {
        /// How many characters.
        length: usize,
        /// Capital letters instead of digits.
        letters: bool,
    },
    /// Eight digits, `YYYYMMDD`.
    BirthDate,
    /// A running number among those born on one day in one region; if `parity_is_sex`, odd
    /// means male and even female.
    Sequence {
        /// How many digits.
        length: usize,
        /// Whether the last digit tells the sex.
        parity_is_sex: bool,
    },
    /// Characters of an alphabet that say nothing.
    Plain {
        /// How many characters.
        length: usize,
        /// Those allowed.
        alphabet: Vec<char>,
    },
    /// The check characters.
    Check {
        /// How many, as the check rule has it.
        length: usize,
    },
}

impl Field {
    /// How many characters the field has.
    #[must_use]
    pub const fn length(&self) -> usize {
        match self {
            Self::Region { length, .. }
            | Self::Sequence { length, .. }
            | Self::Plain { length, .. }
            | Self::Check { length } => *length,
            Self::BirthDate => 8,
        }
    }
}

/// A resident-number scheme. Made from a profile, never in code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NumberScheme {
    pub(super) standard: String,
    pub(super) fields: Vec<Field>,
    pub(super) check: CheckRule,
    pub(super) region_prefixes: BTreeSet<String>,
}

/// What a number says about its holder; `None` where the scheme does not say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// The region's characters.
    pub region: Option<String>,
    /// The date of birth.
    pub birth_date: Option<Date>,
    /// The sex.
    pub sex: Option<Sex>,
}

/// Why a text is not a number of the scheme; the first broken rule in this order.
/// Messages never hold the number itself.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NumberError {
    /// Too short or too long.
    #[error("the number has {found} characters, expected {expected}: enter all of them")]
    Length {
        /// Characters found.
        found: usize,
        /// Characters of the scheme.
        expected: usize,
    },
    /// A character that cannot stand there.
    #[error("character {position} is not allowed there, expected {expected}: correct it")]
    Character {
        /// From 1.
        position: usize,
        /// Which characters are.
        expected: String,
    },
    /// The region begins with no known prefix.
    #[error("the region code is unknown, expected one of the scheme's: compare with the card")]
    Region,
    /// The date of birth is not in the calendar.
    #[error("the date of birth is not a day of the calendar: compare with the card")]
    BirthDate,
    /// The check characters do not follow from the rest.
    #[error("check character is {found}, expected {expected}: a character is mistyped")]
    CheckCharacter {
        /// What was found.
        found: String,
        /// What follows from the others.
        expected: String,
    },
}

impl NumberError {
    /// What is wrong and what was expected, apart, for a report with a place.
    pub(crate) fn finding(&self, standard: &str) -> (String, String) {
        match self {
            Self::Length { found, expected } => {
                (format!("the number has {found} characters"), format!("{expected} ({standard})"))
            }
            Self::Character { position, expected } => {
                (format!("character {position} of the number is not allowed"), expected.clone())
            }
            Self::Region => ("the number's region is unknown".into(), "a region prefix".into()),
            Self::BirthDate => {
                ("the number's date of birth is no day".into(), "a day of the calendar".into())
            }
            Self::CheckCharacter { found, expected } => {
                (format!("check character is {found}"), format!("{expected} ({standard})"))
            }
        }
    }
}

impl NumberScheme {
    /// The standard it is written in, such as `GB 11643-1999`.
    #[must_use]
    pub fn standard(&self) -> &str {
        &self.standard
    }

    /// The fields in order.
    #[must_use]
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// How many characters a number has.
    #[must_use]
    pub fn length(&self) -> usize {
        self.fields.iter().map(Field::length).fold(0, usize::saturating_add)
    }

    /// The number, if `text` is one, exactly as written: no spaces, letters upper case.
    ///
    /// # Errors
    /// [`NumberError`], the first rule broken.
    pub fn parse(&self, text: &str) -> Result<ResidentNumber, NumberError> {
        self.characters(text)?;
        let facts = self.facts_of(text);
        if facts.region.as_ref().is_some_and(|region| !self.knows_region(region)) {
            return Err(NumberError::Region);
        }
        if self.fields.contains(&Field::BirthDate) && facts.birth_date.is_none() {
            return Err(NumberError::BirthDate);
        }
        self.check_character(text)?;
        Ok(ResidentNumber(text.to_owned()))
    }

    /// What a number says about its holder.
    #[must_use]
    pub fn facts(&self, number: &ResidentNumber) -> Facts {
        self.facts_of(number.as_str())
    }

    /// Appends the check characters to everything before them.
    ///
    /// # Errors
    /// [`NumberError`] if the result is not a number of the scheme.
    pub fn complete(&self, body: &str) -> Result<ResidentNumber, NumberError> {
        let check = self.check.characters(body).unwrap_or_default();
        self.parse(&format!("{body}{check}"))
    }

    /// Whether a region begins with a prefix of the scheme.
    #[must_use]
    pub fn knows_region(&self, region: &str) -> bool {
        self.region_prefixes.iter().any(|prefix| region.starts_with(prefix))
    }

    fn characters(&self, text: &str) -> Result<(), NumberError> {
        let (found, expected) = (text.chars().count(), self.length());
        if found != expected {
            return Err(NumberError::Length { found, expected });
        }
        let allowed = self.fields.iter().flat_map(|f| std::iter::repeat_n(f, f.length()));
        for (index, (character, field)) in text.chars().zip(allowed).enumerate() {
            let (fits, expected) = match field {
                Field::Plain { alphabet, .. } => one_of(character, alphabet),
                Field::Check { .. } => match &self.check {
                    CheckRule::WeightedModulus { alphabet, .. } => one_of(character, alphabet),
                    CheckRule::Luhn | CheckRule::Mod97 | CheckRule::None => a_digit(character),
                },
                Field::Region { letters: true, .. } => a_letter(character),
                _ => a_digit(character),
            };
            if !fits {
                return Err(NumberError::Character { position: index.saturating_add(1), expected });
            }
        }
        Ok(())
    }

    fn check_character(&self, text: &str) -> Result<(), NumberError> {
        // Numbers are ASCII by now, so bytes are characters.
        let at = text.len().saturating_sub(self.check.length());
        let Some((body, found)) = text.split_at_checked(at) else { return Ok(()) };
        match self.check.characters(body) {
            Some(expected) if expected != found => {
                Err(NumberError::CheckCharacter { found: found.to_owned(), expected })
            }
            _ => Ok(()),
        }
    }

    fn facts_of(&self, text: &str) -> Facts {
        let mut facts = Facts::default();
        let mut rest = text;
        for field in &self.fields {
            // Non-ASCII plain alphabets are refused at load, so bytes are characters here.
            let Some((part, after)) = rest.split_at_checked(field.length()) else { break };
            match field {
                Field::Region { .. } => facts.region = Some(part.to_owned()),
                Field::BirthDate => facts.birth_date = date(part),
                Field::Sequence { parity_is_sex: true, .. } => facts.sex = sex(part),
                Field::Sequence { .. } | Field::Plain { .. } | Field::Check { .. } => {}
            }
            rest = after;
        }
        facts
    }
}

fn one_of(character: char, alphabet: &[char]) -> (bool, String) {
    (alphabet.contains(&character), format!("one of {}", String::from_iter(alphabet)))
}

fn a_digit(character: char) -> (bool, String) {
    (character.is_ascii_digit(), "a digit".to_owned())
}

fn a_letter(character: char) -> (bool, String) {
    (character.is_ascii_uppercase(), "a capital letter".to_owned())
}

fn date(digits: &str) -> Option<Date> {
    let (year, rest) = digits.split_at_checked(4)?;
    let (month, day) = rest.split_at_checked(2)?;
    Date::new(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?).ok()
}

fn sex(digits: &str) -> Option<Sex> {
    let last = digits.chars().next_back()?.to_digit(10)?;
    Some(if last % 2 == 1 { Sex::Male } else { Sex::Female })
}
