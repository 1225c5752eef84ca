//! Hexadecimal and the lenient base64 that Cashu's texts are written in.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde::{Deserializer, Serializer, de, ser};
use std::fmt;

/// With or without padding, stray bits tolerated (NUT-00 0.3).
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::URL_SAFE,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

const DIGITS: &[u8; 16] = b"0123456789abcdef";
/// The digits of a point, which is the longest that is written often.
const LONGEST: usize = 66;

/// `bytes` in lower-case hexadecimal.
#[must_use]
pub fn to_hex(bytes: &[u8]) -> String {
    let mut out = Vec::with_capacity(bytes.len().saturating_mul(2));
    append_hex(&mut out, bytes);
    // Digits are always text.
    String::from_utf8(out).unwrap_or_default()
}

/// Writes the digits of at most 33 bytes, in lower case, without room of its own on the heap.
pub(crate) fn write_hex(f: &mut fmt::Formatter<'_>, bytes: &[u8]) -> fmt::Result {
    f.write_str(text_of(bytes, &mut [0; LONGEST]).ok_or(fmt::Error)?)
}

/// The digits of at most 33 bytes, in `room`.
fn text_of<'r>(bytes: &[u8], room: &'r mut [u8; LONGEST]) -> Option<&'r str> {
    for (to, byte) in room.as_chunks_mut::<2>().0.iter_mut().zip(bytes) {
        *to = digits_of(*byte);
    }
    std::str::from_utf8(room.get(..bytes.len().saturating_mul(2))?).ok()
}

fn digits_of(byte: u8) -> [u8; 2] {
    [byte >> 4, byte & 15].map(|value| DIGITS.get(usize::from(value)).copied().unwrap_or_default())
}

/// Appends the digits of `bytes`, in lower case.
pub(crate) fn append_hex(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend(bytes.iter().flat_map(|byte| digits_of(*byte)));
}

/// The bytes behind hexadecimal of either case.
pub(crate) fn from_hex(text: &str) -> Option<Vec<u8>> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    pairs.iter().map(|[high, low]| Some((nibble(*high)? << 4) | nibble(*low)?)).collect()
}

/// Exactly `N` bytes behind hexadecimal.
pub(crate) fn fixed_from_hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    (read_hex(text, &mut bytes)?.len() == N).then_some(bytes)
}

/// The bytes behind hexadecimal, in `room`; none if it is too small.
pub(crate) fn read_hex<'r>(text: &str, room: &'r mut [u8]) -> Option<&'r [u8]> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let bytes = room.get_mut(..pairs.len()).filter(|_| rest.is_empty())?;
    for (to, [high, low]) in bytes.iter_mut().zip(pairs) {
        *to = (nibble(*high)? << 4) | nibble(*low)?;
    }
    Some(bytes)
}

const fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit.wrapping_sub(b'0')),
        b'a'..=b'f' => Some(digit.wrapping_sub(b'a').wrapping_add(10)),
        b'A'..=b'F' => Some(digit.wrapping_sub(b'A').wrapping_add(10)),
        _ => None,
    }
}

/// The bytes behind base64, padded or not. The URL alphabet is the specification's; the other one is
/// in its own vectors (NUT-18) and so is read too.
pub(crate) fn from_base64(text: &str) -> Option<Vec<u8>> {
    if text.contains(['+', '/']) {
        return LENIENT.decode(text.replace('+', "-").replace('/', "_")).ok();
    }
    LENIENT.decode(text).ok()
}

/// `bytes` in base64 of the URL alphabet, padded, as the vectors of NUT-18 are.
pub(crate) fn to_padded_base64(bytes: &[u8]) -> String {
    base64::engine::general_purpose::URL_SAFE.encode(bytes)
}

/// At most 33 `bytes` in hexadecimal, as serde writes it.
pub(crate) fn serialize_hex<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    let longer = || ser::Error::custom("at most 33 bytes are written in hexadecimal");
    serializer.serialize_str(text_of(bytes, &mut [0; LONGEST]).ok_or_else(longer)?)
}

/// Exactly `N` bytes from hexadecimal, as serde reads it.
pub(crate) fn deserialize_hex<'de, const N: usize, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<[u8; N], D::Error> {
    let expected = || format!("expected {N} bytes in hexadecimal");
    deserialize_text(deserializer, |text| fixed_from_hex(text).ok_or_else(expected))
}

/// What `read` makes of a text that is not kept.
pub(crate) fn deserialize_text<'de, T, E: fmt::Display, D: Deserializer<'de>>(
    deserializer: D,
    read: impl FnOnce(&str) -> Result<T, E>,
) -> Result<T, D::Error> {
    struct Text<F>(F);

    impl<T, E: fmt::Display, F: FnOnce(&str) -> Result<T, E>> de::Visitor<'_> for Text<F> {
        type Value = T;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a string")
        }

        fn visit_str<X: de::Error>(self, text: &str) -> Result<T, X> {
            (self.0)(text).map_err(X::custom)
        }
    }

    deserializer.deserialize_str(Text(read))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hexadecimal_of_either_case_is_read_and_lower_case_written() {
        assert_eq!(from_hex("00fFaB"), Some(vec![0, 255, 171]));
        assert_eq!(to_hex(&[0, 255, 171]), "00ffab");
        for bad in ["0", "0g", "é0", "+1"] {
            assert_eq!(from_hex(bad), None, "{bad}");
        }
        assert_eq!(fixed_from_hex::<2>("00"), None);
    }

    #[test]
    fn base64_is_read_with_and_without_padding() {
        assert_eq!(from_base64("AA=="), Some(vec![0]));
        assert_eq!(from_base64("AA"), Some(vec![0]));
        assert_eq!(from_base64("_-8"), from_base64("/+8="));
        assert_eq!(from_base64("A A"), None);
    }
}
