//! Hexadecimal texts, in which vectors are written.

/// The bytes of a text of hexadecimal digits; whatever else stands in it is skipped.
pub(crate) fn decode(text: &str) -> Vec<u8> {
    let digits: Vec<u8> =
        text.chars().filter_map(|c| c.to_digit(16)).filter_map(|d| u8::try_from(d).ok()).collect();
    digits.chunks(2).map(|pair| pair.iter().fold(0, |byte, digit| (byte << 4) | digit)).collect()
}
