//! Wallet classes: their names, and the limits a policy gives them.

use borsh::{BorshDeserialize, BorshSerialize};
use std::fmt;
use std::io;
use std::str::FromStr;

/// The short name of a wallet class in a policy: 1 to 16 of `A-Z a-z 0-9` and hyphen.
/// Kept inline (zero-padded), because every wallet carries one.
#[derive(Clone, Copy, PartialEq, Eq, Hash, BorshSerialize)]
pub struct ClassId([u8; 16]);

/// In the order of the bytes, compared as one number: a payment looks two classes up.
impl Ord for ClassId {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        u128::from_be_bytes(self.0).cmp(&u128::from_be_bytes(other.0))
    }
}

impl PartialOrd for ClassId {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

/// Why a text is not the name of a wallet class.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a wallet class: expected 1 to 16 letters, digits and hyphens of ASCII")]
pub struct ClassIdError(pub String);

impl ClassId {
    /// Parses a class name.
    ///
    /// # Errors
    /// [`ClassIdError`] unless it is 1 to 16 of `A-Z a-z 0-9` and hyphen.
    pub fn new(text: &str) -> Result<Self, ClassIdError> {
        let allowed = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
        let mut padded = [0; 16];
        match padded.get_mut(..text.len()) {
            Some(head) if !text.is_empty() && text.bytes().all(allowed) => {
                head.copy_from_slice(text.as_bytes());
                Ok(Self(padded))
            }
            _ => Err(ClassIdError(text.to_owned())),
        }
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        let end = self.0.iter().position(|b| *b == 0).unwrap_or(self.0.len());
        self.0.get(..end).and_then(|name| std::str::from_utf8(name).ok()).unwrap_or_default()
    }
}

impl BorshDeserialize for ClassId {
    fn deserialize_reader<R: io::Read>(reader: &mut R) -> io::Result<Self> {
        let read = Self(<[u8; 16]>::deserialize_reader(reader)?);
        match Self::new(read.as_str()) {
            Ok(class) if class == read => Ok(class),
            _ => Err(io::Error::new(io::ErrorKind::InvalidData, "not the name of a wallet class")),
        }
    }
}

impl FromStr for ClassId {
    type Err = ClassIdError;
    fn from_str(text: &str) -> Result<Self, ClassIdError> {
        Self::new(text)
    }
}

impl fmt::Display for ClassId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for ClassId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The limits of one wallet, in minor units of the ledger's currency. `None` is no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Limits {
    /// The most one payment may be.
    pub per_payment: Option<u64>,
    /// The most that may be paid in one calendar day of the policy.
    pub per_day: Option<u64>,
    /// The most that may be paid in one calendar year of the policy.
    pub per_year: Option<u64>,
    /// The most the wallet may hold. It binds the wallet that receives, so only the one among a
    /// class's ordinary limits counts: who receives presents nothing.
    pub balance: Option<u64>,
}

/// What a policy says of one class of wallets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct WalletClass {
    /// The limits of a payment that its wallet key alone authorises.
    pub ordinary: Limits,
    /// The limits of a payment that a presentation of an identity authorises, if the class has any.
    pub stepped_up: Option<Limits>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_is_a_short_name() {
        assert_eq!(ClassId::new("IV").unwrap().as_str(), "IV");
        assert_eq!(ClassId::new("abcdefghijklmnop").unwrap().as_str(), "abcdefghijklmnop");
        for bad in ["", "a b", "四类", "a\0", "abcdefghijklmnopq"] {
            assert!(ClassId::new(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_class_decodes_only_from_its_one_encoding() {
        let class = ClassId::new("IV").unwrap();
        let bytes = borsh::to_vec(&class).unwrap();
        assert_eq!(borsh::from_slice::<ClassId>(&bytes).unwrap(), class);
        let mut trailing = bytes;
        trailing[15] = b'x';
        assert!(borsh::from_slice::<ClassId>(&trailing).is_err());
        assert!(borsh::from_slice::<ClassId>(&[0; 16]).is_err());
    }
}
