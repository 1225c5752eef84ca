//! What is drawn for a new card: its own number, and the six digits on its face.

use super::Card;

/// The letters and digits of a document number: none that looks like another.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKLMNPRTUVWXYZ";

impl Card {
    /// A new card of an issuer with a last day, its numbers from a source of 32 unpredictable bytes.
    pub fn draw(issuer: String, expiry: String, mut random: impl FnMut() -> [u8; 32]) -> Self {
        let letter = |byte: u8| ALPHABET.get(usize::from(byte & 0x1F)).copied().unwrap_or(b'0');
        let drawn = random().into_iter().take(8).map(|byte| char::from(letter(byte)));
        let number = std::iter::once('E').chain(drawn).collect();
        let mut can = String::new();
        while can.len() < 6 {
            // 250 is the last multiple of ten below 256: what lies above would favour small digits.
            for byte in random().into_iter().filter(|byte| *byte < 250) {
                let digit = byte.checked_rem(10).unwrap_or(0);
                can.push(char::from(b'0'.saturating_add(digit)));
            }
        }
        can.truncate(6);
        Self { issuer, number, can, expiry }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_of_the_form_that_zones_and_faces_have() {
        let mut drawn = 0_u8;
        let card = Card::draw("UTO".to_owned(), "2036-09-20".to_owned(), || {
            drawn = drawn.wrapping_add(51);
            [drawn; 32]
        });
        assert_eq!(card.number.len(), 9);
        assert!(card.number.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit()));
        assert!(card.can.len() == 6 && card.can.bytes().all(|b| b.is_ascii_digit()));
    }
}
