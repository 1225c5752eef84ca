//! Sectors: the parts of public life within which a person is known by one pseudonym, and
//! between which by none in common.

use crate::IdError;
use crate::id::is_short_name;
use std::fmt;
use std::str::FromStr;

/// The claim of a credential that names a resident for life, wherever in it it stands: what only a law lets anybody
/// ask for.
pub const RESIDENT_NUMBER: &str = "personal_administrative_number";

/// The member of an identity credential below which each sector's pseudonym stands:
/// `sector_pseudonym.pension`.
pub const SECTOR_PSEUDONYM: &str = "sector_pseudonym";

/// The name of a sector, unique in a profile: `pension`. 1 to 40 of `a-z`, `0-9` and hyphen.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SectorId(String);

impl SectorId {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for SectorId {
    type Err = IdError;
    fn from_str(text: &str) -> Result<Self, IdError> {
        if is_short_name(text) {
            Ok(Self(text.to_owned()))
        } else {
            Err(IdError::Sector(text.to_owned()))
        }
    }
}

impl fmt::Display for SectorId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for SectorId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sector_is_a_short_lower_case_name() {
        assert_eq!("social-assistance".parse::<SectorId>().unwrap().as_str(), "social-assistance");
        for bad in ["", "Pension", "a.b", "养老", &"a".repeat(41)] {
            assert!(bad.parse::<SectorId>().is_err(), "{bad}");
        }
    }
}
