//! Resident numbers: a scheme is data (a layout of fields and a check rule), and a number
//! is valid under exactly one.

mod check;
mod read;
mod scheme;

pub use check::CheckRule;
pub(crate) use read::read_scheme;
pub use scheme::{Facts, Field, NumberError, NumberScheme};

use std::fmt;

/// A resident number that its scheme accepted ([`NumberScheme::parse`]).
/// It names a person: `Debug` hides it and there is no `Display`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResidentNumber(String);

impl ResidentNumber {
    /// The number as written on the card. Give it away only where the law demands it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ResidentNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ResidentNumber(hidden)")
    }
}

/// Sex as recorded in the civil register.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sex {
    /// `F`.
    Female,
    /// `M`.
    Male,
}

impl Sex {
    /// `F` or `M`, as in `residents.csv`.
    #[must_use]
    pub const fn letter(self) -> &'static str {
        match self {
            Self::Female => "F",
            Self::Male => "M",
        }
    }

    /// ISO/IEC 5218: 1 male, 2 female.
    #[must_use]
    pub const fn iso_5218(self) -> u8 {
        match self {
            Self::Male => 1,
            Self::Female => 2,
        }
    }

    /// From [`Sex::letter`].
    #[must_use]
    pub fn from_letter(letter: &str) -> Option<Self> {
        match letter {
            "F" => Some(Self::Female),
            "M" => Some(Self::Male),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests;
