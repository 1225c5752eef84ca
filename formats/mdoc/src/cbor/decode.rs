//! Bytes to values, strictly: whatever has two encodings is refused but for one.

use super::Value;
use std::collections::BTreeSet;

/// How many bytes are read: a portrait fits.
pub const MAX_CBOR: usize = 1024 * 1024;
/// How deep items may nest.
pub const MAX_DEPTH: u8 = 24;
/// How many items are read, each of which costs more in memory than its byte.
const MAX_ITEMS: u32 = 1 << 16;

/// Why bytes are not CBOR as it is read here. The first that is met.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CborError {
    /// Longer than the reader allows.
    #[error("{found} bytes of CBOR: at most {most} are read")]
    TooLong {
        /// Bytes found.
        found: usize,
        /// Bytes allowed.
        most: usize,
    },
    /// Ends in the middle of an item.
    #[error("the CBOR ends in the middle of an item")]
    Truncated,
    /// A length or number that could be written shorter.
    #[error(
        "the CBOR is not canonical: at byte {0} a length or number is not as short as it can be"
    )]
    NotShortest(usize),
    /// An item of indefinite length.
    #[error("the CBOR is not canonical: at byte {0} an item has no definite length")]
    Indefinite(usize),
    /// A fraction, `undefined`, or a simple value without a meaning.
    #[error("at byte {0} the CBOR has a fraction or a simple value: expected true, false or null")]
    Unsupported(usize),
    /// A text that is not UTF-8.
    #[error("at byte {0} a text is not UTF-8")]
    Utf8(usize),
    /// A key stands twice in one map.
    #[error("at byte {0} a map names a key twice")]
    DuplicateKey(usize),
    /// Items nest too deeply.
    #[error("the CBOR nests more than {MAX_DEPTH} levels deep")]
    TooDeep,
    /// More items than are read.
    #[error("more than {MAX_ITEMS} CBOR items")]
    TooMany,
    /// Something follows the item.
    #[error("{0} bytes follow the CBOR item")]
    Trailing(usize),
}

/// Reads exactly one item.
///
/// # Errors
/// [`CborError`], the first that is met.
pub fn decode(bytes: &[u8]) -> Result<Value, CborError> {
    decode_within(bytes, MAX_CBOR)
}

/// Reads exactly one item, of at most `most` bytes.
///
/// # Errors
/// [`CborError`], the first that is met.
pub fn decode_within(bytes: &[u8], most: usize) -> Result<Value, CborError> {
    if bytes.len() > most {
        return Err(CborError::TooLong { found: bytes.len(), most });
    }
    let mut reader = Reader { bytes, at: 0, left: MAX_ITEMS };
    let value = reader.item(MAX_DEPTH)?;
    match bytes.len().saturating_sub(reader.at) {
        0 => Ok(value),
        more => Err(CborError::Trailing(more)),
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    left: u32,
}

impl<'a> Reader<'a> {
    fn item(&mut self, depth: u8) -> Result<Value, CborError> {
        let start = self.at;
        let below = depth.checked_sub(1).ok_or(CborError::TooDeep)?;
        self.left = self.left.checked_sub(1).ok_or(CborError::TooMany)?;
        let first = self.byte()?;
        let (major, info) = (first >> 5, first & 0b1_1111);
        if major == 7 {
            return match info {
                20 => Ok(Value::Bool(false)),
                21 => Ok(Value::Bool(true)),
                22 => Ok(Value::Null),
                _ => Err(CborError::Unsupported(start)),
            };
        }
        let argument = self.argument(start, info)?;
        match major {
            0 => Ok(Value::Unsigned(argument)),
            1 => Ok(Value::Negative(argument)),
            2 => Ok(Value::Bytes(self.take(argument)?.to_vec())),
            3 => {
                let text = std::str::from_utf8(self.take(argument)?);
                Ok(Value::text(text.map_err(|_| CborError::Utf8(start))?))
            }
            4 => self.array(argument, below),
            5 => self.map(argument, below),
            _ => Ok(Value::tagged(argument, self.item(below)?)),
        }
    }

    /// No room is made for what is only claimed: each item takes a byte at least.
    fn array(&mut self, count: u64, depth: u8) -> Result<Value, CborError> {
        let mut items = Vec::new();
        for _ in 0..count {
            items.push(self.item(depth)?);
        }
        Ok(Value::Array(items))
    }

    fn map(&mut self, count: u64, depth: u8) -> Result<Value, CborError> {
        let (mut members, mut keys) = (Vec::new(), BTreeSet::new());
        for _ in 0..count {
            let start = self.at;
            let key = self.item(depth)?;
            // An item has one encoding here: equal bytes, equal keys.
            if !keys.insert(self.bytes.get(start..self.at)) {
                return Err(CborError::DuplicateKey(start));
            }
            members.push((key, self.item(depth)?));
        }
        Ok(Value::Map(members))
    }

    fn argument(&mut self, start: usize, info: u8) -> Result<u64, CborError> {
        let (value, least) = match info {
            0..24 => return Ok(u64::from(info)),
            24 => (u64::from(self.byte()?), 24),
            25 => (u64::from(u16::from_be_bytes(self.array_of()?)), 1 << 8),
            26 => (u64::from(u32::from_be_bytes(self.array_of()?)), 1 << 16),
            27 => (u64::from_be_bytes(self.array_of()?), 1 << 32),
            _ => return Err(CborError::Indefinite(start)),
        };
        if value < least { Err(CborError::NotShortest(start)) } else { Ok(value) }
    }

    fn byte(&mut self) -> Result<u8, CborError> {
        self.array_of::<1>().map(|[byte]| byte)
    }

    fn array_of<const N: usize>(&mut self) -> Result<[u8; N], CborError> {
        let end = self.at.checked_add(N).ok_or(CborError::Truncated)?;
        let bytes = self.bytes.get(self.at..end).and_then(|bytes| bytes.try_into().ok());
        self.at = end;
        bytes.ok_or(CborError::Truncated)
    }

    fn take(&mut self, count: u64) -> Result<&'a [u8], CborError> {
        let count = usize::try_from(count).map_err(|_| CborError::Truncated)?;
        let end = self.at.checked_add(count).ok_or(CborError::Truncated)?;
        let bytes = self.bytes.get(self.at..end).ok_or(CborError::Truncated)?;
        self.at = end;
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn hex(text: &str) -> Vec<u8> {
        crate::hex::decode(text)
    }

    #[test]
    fn each_form_that_is_not_canonical_is_refused_by_its_own_name_rfc_8949_4_2() {
        let rows = [
            ("", CborError::Truncated),
            ("1817", CborError::NotShortest(0)),
            ("190018", CborError::NotShortest(0)),
            ("1a0000ffff", CborError::NotShortest(0)),
            ("1b00000000ffffffff", CborError::NotShortest(0)),
            ("3817", CborError::NotShortest(0)),
            ("580161", CborError::NotShortest(0)),
            ("780161", CborError::NotShortest(0)),
            ("9801f6", CborError::NotShortest(0)),
            ("b801f6f6", CborError::NotShortest(0)),
            ("d817f6", CborError::NotShortest(0)),
            ("5f4101ff", CborError::Indefinite(0)),
            ("7f6161ff", CborError::Indefinite(0)),
            ("9ff6ff", CborError::Indefinite(0)),
            ("bff6f6ff", CborError::Indefinite(0)),
            ("1c", CborError::Indefinite(0)),
            ("f7", CborError::Unsupported(0)),
            ("f818", CborError::Unsupported(0)),
            ("f93c00", CborError::Unsupported(0)),
            ("fb3ff0000000000000", CborError::Unsupported(0)),
            ("ff", CborError::Unsupported(0)),
            ("61ff", CborError::Utf8(0)),
            ("a2616100616101", CborError::DuplicateKey(4)),
            ("81a2010002f6f6", CborError::Trailing(1)),
            ("a201000100", CborError::DuplicateKey(3)),
            ("8201", CborError::Truncated),
            ("6261", CborError::Truncated),
            ("5bffffffffffffffff", CborError::Truncated),
            ("9bffffffffffffffff", CborError::Truncated),
            ("f6f6", CborError::Trailing(1)),
        ];
        for (bytes, expected) in rows {
            assert_eq!(decode(&hex(bytes)), Err(expected), "{bytes}");
        }
    }

    #[test]
    fn nesting_is_read_to_its_bound_and_no_deeper() {
        let nested = |depth: usize| [vec![0x81; depth], vec![0xf6]].concat();
        let most = usize::from(MAX_DEPTH);
        assert!(decode(&nested(most - 1)).is_ok());
        assert_eq!(decode(&nested(most)), Err(CborError::TooDeep));
        assert_eq!(decode(&vec![0xc0; 1_000_000]), Err(CborError::TooDeep));
        let many = [vec![0x9a, 0, 1, 0, 0], vec![0; 1 << 16]].concat();
        assert_eq!(decode(&many), Err(CborError::TooMany));
        let long = vec![0; MAX_CBOR + 1];
        let too_long = CborError::TooLong { found: MAX_CBOR + 1, most: MAX_CBOR };
        assert_eq!(decode(&long), Err(too_long));
    }

    #[test]
    fn the_examples_of_rfc_8949_appendix_a_read_and_come_again() {
        for text in [
            "00",
            "17",
            "1818",
            "1903e8",
            "1a000f4240",
            "1bffffffffffffffff",
            "20",
            "3863",
            "3bffffffffffffffff",
            "f4",
            "f5",
            "f6",
            "40",
            "4401020304",
            "60",
            "62c3bc",
            "64f0908591",
            "80",
            "83010203",
            "98190102030405060708090a0b0c0d0e0f101112131415161718181819",
            "a0",
            "a201020304",
            "a26161016162820203",
            "c074323031332d30332d32315432303a30343a30305a",
            "d818456449455446",
        ] {
            assert_eq!(decode(&hex(text)).unwrap().encode(), hex(text), "{text}");
        }
        for (number, text) in
            [(0, "00"), (-1, "20"), (-500, "3901f3"), (i64::MIN, "3b7fffffffffffffff")]
        {
            assert_eq!(Value::integer(number).encode(), hex(text));
            assert_eq!(decode(&hex(text)).unwrap().as_integer(), Some(number));
        }
    }

    proptest! {
        #[test]
        fn what_is_read_has_one_encoding(bytes: Vec<u8>) {
            if let Ok(value) = decode(&bytes) {
                prop_assert_eq!(value.encode(), bytes);
            }
        }
    }
}
