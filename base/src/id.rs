//! Ids: 128-bit, written as UUIDs; command ids carry the time they were made.

use crate::Timestamp;
use borsh::{BorshDeserialize, BorshSerialize};
use std::fmt;
use std::str::FromStr;

/// Why a text is not an id.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// Not 32 hexadecimal digits, grouped 8-4-4-4-12 by hyphens.
    #[error("{0:?} is not an id: expected a UUID such as 0192f0c1-2b3d-7e4f-8a5b-6c7d8e9f0a1b")]
    Uuid(String),
    /// A command id that is not a UUID of version 7 (RFC 9562, section 5.7).
    #[error("{0} carries no creation time: command ids are UUIDs of version 7")]
    NotTimed(String),
    /// Not a lower-case name.
    #[error("{0:?} is not an institution: expected 1 to 40 of a-z, 0-9 and hyphen")]
    Institution(String),
    /// Not a lower-case name.
    #[error("{0:?} is not a sector: expected 1 to 40 of a-z, 0-9 and hyphen")]
    Sector(String),
}

/// Whether a text is 1 to 40 of `a-z`, `0-9` and hyphen.
pub(crate) fn is_short_name(text: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    (1..=40).contains(&text.len()) && text.bytes().all(allowed)
}

fn parse_uuid(text: &str) -> Result<u128, IdError> {
    let bad = || IdError::Uuid(text.to_owned());
    let groups: Vec<&str> = text.split('-').collect();
    let shape = groups.iter().map(|g| g.len()).eq([8, 4, 4, 4, 12]);
    if !shape || !text.bytes().all(|b| b == b'-' || b.is_ascii_hexdigit()) {
        return Err(bad());
    }
    u128::from_str_radix(&groups.concat(), 16).map_err(|_| bad())
}

fn write_uuid(id: u128, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let part = |shift: u32, mask: u128| (id >> shift) & mask;
    write!(
        f,
        "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
        part(96, 0xffff_ffff),
        part(80, 0xffff),
        part(64, 0xffff),
        part(48, 0xffff),
        part(0, 0xffff_ffff_ffff)
    )
}

/// An account in the ledger: opaque, drawn at random by the institution that opens it,
/// so that the log holds nothing about who stands behind it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize)]
pub struct AccountId(u128);

impl AccountId {
    /// From its 128 bits.
    #[must_use]
    pub const fn new(bits: u128) -> Self {
        Self(bits)
    }

    /// Its 128 bits.
    #[must_use]
    pub const fn bits(self) -> u128 {
        self.0
    }
}

impl FromStr for AccountId {
    type Err = IdError;
    fn from_str(text: &str) -> Result<Self, IdError> {
        parse_uuid(text).map(Self)
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_uuid(self.0, f)
    }
}

impl fmt::Debug for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_uuid(self.0, f)
    }
}

/// A client-chosen id of a command (a payment, an exchange, an account opening):
/// a UUID of version 7 (RFC 9562), whose first 48 bits are its creation time in
/// milliseconds since the epoch. Repeating a command with its id gets the first answer.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize)]
pub struct CommandId(u128);

impl CommandId {
    /// From 128 bits of a version 7 UUID.
    ///
    /// # Errors
    /// [`IdError::NotTimed`] for another version or variant.
    pub fn new(bits: u128) -> Result<Self, IdError> {
        let version = (bits >> 76) & 0xf;
        let variant = (bits >> 62) & 0b11;
        if version == 7 && variant == 0b10 {
            Ok(Self(bits))
        } else {
            Err(IdError::NotTimed(AccountId(bits).to_string()))
        }
    }

    /// A command id made at `at`, its remaining bits taken from `random`.
    #[must_use]
    pub fn at(at: Timestamp, random: u128) -> Self {
        let millis = u128::from(at.millis() & ((1 << 48) - 1));
        let rest = random & ((1_u128 << 80) - 1) & !(0xf << 76) & !(0b11 << 62);
        Self((millis << 80) | (7 << 76) | (0b10 << 62) | rest)
    }

    /// When the client made it.
    #[must_use]
    pub fn created(self) -> Timestamp {
        Timestamp::from_millis(u64::try_from(self.0 >> 80).unwrap_or(0))
    }

    /// Its 128 bits.
    #[must_use]
    pub const fn bits(self) -> u128 {
        self.0
    }
}

impl FromStr for CommandId {
    type Err = IdError;
    fn from_str(text: &str) -> Result<Self, IdError> {
        parse_uuid(text).and_then(Self::new)
    }
}

impl fmt::Display for CommandId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_uuid(self.0, f)
    }
}

impl fmt::Debug for CommandId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_uuid(self.0, f)
    }
}

/// The short public name of an institution, unique in a profile: `central-bank`, `bank-of-jiangcheng`.
/// 1 to 40 of `a-z`, `0-9` and hyphen.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize)]
pub struct InstitutionId(String);

impl InstitutionId {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for InstitutionId {
    type Err = IdError;
    fn from_str(text: &str) -> Result<Self, IdError> {
        if is_short_name(text) {
            Ok(Self(text.to_owned()))
        } else {
            Err(IdError::Institution(text.to_owned()))
        }
    }
}

impl fmt::Display for InstitutionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for InstitutionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_command_id_is_a_version_7_uuid() {
        let id: CommandId = "0192f0c1-2b3d-7e4f-8a5b-6c7d8e9f0a1b".parse().unwrap();
        assert_eq!(id.created().millis(), 0x0192_f0c1_2b3d);
        assert!(matches!(
            "0192f0c1-2b3d-4e4f-8a5b-6c7d8e9f0a1b".parse::<CommandId>(),
            Err(IdError::NotTimed(_))
        ));
        for bad in [
            "",
            "0192f0c12b3d7e4f8a5b6c7d8e9f0a1b",
            "0192f0c1-2b3d-7e4f-8a5b-6c7d8e9f0a1g",
            "+192f0c1-2b3d-7e4f-8a5b-6c7d8e9f0a1b",
        ] {
            assert!(matches!(bad.parse::<CommandId>(), Err(IdError::Uuid(_))), "{bad}");
        }
    }

    #[test]
    fn an_institution_is_a_short_lower_case_name() {
        assert!("bank-1".parse::<InstitutionId>().is_ok());
        for bad in ["", "Bank", "a b", "银行", &"a".repeat(41)] {
            assert!(bad.parse::<InstitutionId>().is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn command_ids_carry_their_time_and_print_what_parses(millis in 0u64..(1 << 48), random: u128) {
            let id = CommandId::at(Timestamp::from_millis(millis), random);
            prop_assert_eq!(id.created(), Timestamp::from_millis(millis));
            prop_assert_eq!(id.to_string().parse::<CommandId>().unwrap(), id);
        }
    }
}
