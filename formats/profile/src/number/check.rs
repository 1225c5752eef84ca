//! Check characters: weighted sums to a modulus (ISO/IEC 7064 MOD 11-2 among them) and Luhn.

/// How the last character of a number follows from the ones before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CheckRule {
    /// The weighted sum of the characters before it, modulo the alphabet's length, indexes
    /// the alphabet. ISO/IEC 7064 MOD 11-2 has weights 2^(n-i) mod 11 and, for the
    /// complement, the alphabet `10X98765432`.
    WeightedModulus {
        /// One weight per character before the check character.
        weights: Vec<u32>,
        /// Check character by remainder; its length is the modulus.
        alphabet: Vec<char>,
    },
    /// ISO/IEC 7812-1 annex B: double every second digit from the right.
    Luhn,
    /// The scheme has no check character.
    None,
}

impl CheckRule {
    /// The check character for what comes before it. `None` if the rule has none, or a
    /// character before it has no value (letters count from ten: A is 10).
    #[must_use]
    pub fn character(&self, body: &str) -> Option<char> {
        match self {
            Self::WeightedModulus { weights, alphabet } => weighted(body, weights, alphabet),
            Self::Luhn => luhn(body),
            Self::None => None,
        }
    }
}

fn weighted(body: &str, weights: &[u32], alphabet: &[char]) -> Option<char> {
    let mut sum = 0_u64;
    for (character, weight) in body.chars().zip(weights) {
        let value = u64::from(character.to_digit(36)?);
        sum = sum.checked_add(value.checked_mul(u64::from(*weight))?)?;
    }
    let remainder = sum.checked_rem(u64::try_from(alphabet.len()).ok()?)?;
    alphabet.get(usize::try_from(remainder).ok()?).copied()
}

fn luhn(body: &str) -> Option<char> {
    let mut sum = 0_u32;
    for (index, character) in body.chars().rev().enumerate() {
        let digit = character.to_digit(10)?;
        let doubled = if index % 2 == 0 { digit.saturating_mul(2) } else { digit };
        sum = sum.checked_add(doubled / 10)?.checked_add(doubled % 10)?;
    }
    char::from_digit(10_u32.saturating_sub(sum % 10) % 10, 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_numbers_have_their_check_character() {
        let gb = CheckRule::WeightedModulus {
            weights: vec![7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2],
            alphabet: "10X98765432".chars().collect(),
        };
        // GB 11643-1999, the standard's own examples.
        assert_eq!(gb.character("11010519491231002"), Some('X'));
        assert_eq!(gb.character("44052418800101001"), Some('4'));
        // ISO/IEC 7812-1's usual example.
        assert_eq!(CheckRule::Luhn.character("7992739871"), Some('3'));
        assert_eq!(CheckRule::None.character("1"), None);
    }

    #[test]
    fn a_character_without_value_has_no_check() {
        assert_eq!(CheckRule::Luhn.character("12a"), None);
    }
}
