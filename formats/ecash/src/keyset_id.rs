//! The id of a keyset: computed from its public keys by whoever holds them (NUT-02).

use crate::curve::Point;
use crate::encoding::{deserialize_text, read_hex, write_hex};
use borsh::{BorshDeserialize, BorshSerialize};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::BTreeMap;
use std::fmt;
use std::fmt::Write as _;
use yufu_jose::sha256;

/// The id of a keyset, without its version byte.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize)]
pub enum KeysetId {
    /// Version 1, `00` and 7 bytes: of keysets that others made. Covers the keys only.
    V1([u8; 7]),
    /// Version 2, `01` and 32 bytes: covers keys, unit, fee and expiry.
    V2([u8; 32]),
}

/// Why a text is not a keyset's id.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeysetIdError {
    /// Not hexadecimal.
    #[error("a keyset's id is written in hexadecimal")]
    Hex,
    /// A version that is not known here.
    #[error("keyset ids of version {0:02x} are not known here: versions 00 and 01 are")]
    Version(u8),
    /// The version has another length.
    #[error("a keyset's id of version 00 has 8 bytes, of version 01 33; this has {0}")]
    Length(usize),
}

impl KeysetId {
    /// From its bytes, the version first.
    ///
    /// # Errors
    /// [`KeysetIdError::Version`], [`KeysetIdError::Length`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, KeysetIdError> {
        let length = |_| KeysetIdError::Length(bytes.len());
        match bytes {
            [0, rest @ ..] => rest.try_into().map(Self::V1).map_err(length),
            [1, rest @ ..] => rest.try_into().map(Self::V2).map_err(length),
            [version, ..] => Err(KeysetIdError::Version(*version)),
            [] => Err(KeysetIdError::Length(0)),
        }
    }

    /// The bytes, the version first.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::V1(rest) => [&[0], rest.as_slice()].concat(),
            Self::V2(rest) => [&[1], rest.as_slice()].concat(),
        }
    }

    /// The first 8 bytes, by which a token may name it (NUT-00).
    #[must_use]
    pub fn short(&self) -> [u8; 8] {
        let bytes = self.to_bytes();
        bytes.first_chunk().copied().unwrap_or_default()
    }

    /// The id, version 2, of a keyset.
    #[must_use]
    pub fn derive(
        keys: &BTreeMap<u64, Point>,
        unit: &str,
        input_fee_ppk: u64,
        final_expiry: Option<u64>,
    ) -> Self {
        let pairs: Vec<String> =
            keys.iter().map(|(amount, key)| format!("{amount}:{key}")).collect();
        let mut text = format!("{}|unit:{}", pairs.join(","), unit.to_lowercase());
        if input_fee_ppk != 0 {
            let _ = write!(text, "|input_fee_ppk:{input_fee_ppk}");
        }
        if let Some(expiry) = final_expiry.filter(|expiry| *expiry != 0) {
            let _ = write!(text, "|final_expiry:{expiry}");
        }
        Self::V2(sha256(text.as_bytes()))
    }

    /// The id, version 1, of a keyset: to check those of other mints.
    #[must_use]
    pub fn derive_v1(keys: &BTreeMap<u64, Point>) -> Self {
        let bytes: Vec<u8> = keys.values().flat_map(Point::to_bytes).collect();
        let digest = sha256(&bytes);
        Self::V1(digest.first_chunk().copied().unwrap_or_default())
    }
}

impl fmt::Display for KeysetId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::V1(rest) => write_hex(f, &[0]).and_then(|()| write_hex(f, rest)),
            Self::V2(rest) => write_hex(f, &[1]).and_then(|()| write_hex(f, rest)),
        }
    }
}

impl fmt::Debug for KeysetId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::str::FromStr for KeysetId {
    type Err = KeysetIdError;

    fn from_str(text: &str) -> Result<Self, KeysetIdError> {
        if text.len() > 66 {
            return Err(KeysetIdError::Length(text.len() / 2));
        }
        Self::from_bytes(read_hex(text, &mut [0; 33]).ok_or(KeysetIdError::Hex)?)
    }
}

impl Serialize for KeysetId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for KeysetId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserialize_text(deserializer, str::parse)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_rule_of_an_id_is_refused_by_its_own_name() {
        let parse = str::parse::<KeysetId>;
        assert_eq!(parse(""), Err(KeysetIdError::Length(0)));
        assert_eq!(parse("00"), Err(KeysetIdError::Length(1)));
        assert_eq!(parse("0z"), Err(KeysetIdError::Hex));
        assert_eq!(parse("02456a94ab4e1c46"), Err(KeysetIdError::Version(2)));
        assert_eq!(parse("01456a94ab4e1c46"), Err(KeysetIdError::Length(8)), "a short id is no id");
        assert_eq!(parse(&"00".repeat(1000)), Err(KeysetIdError::Length(1000)));
        assert_eq!(parse("00456A94AB4E1C46").unwrap().to_string(), "00456a94ab4e1c46");
    }

    #[test]
    fn an_id_goes_through_borsh_and_names_itself_in_short() {
        for text in ["00456a94ab4e1c46", &format!("01{}", "ab".repeat(32))] {
            let id: KeysetId = text.parse().unwrap();
            assert_eq!(borsh::from_slice::<KeysetId>(&borsh::to_vec(&id).unwrap()).unwrap(), id);
            assert_eq!(id.to_string(), *text);
            assert!(text.starts_with(&crate::to_hex(&id.short())));
        }
    }
}
