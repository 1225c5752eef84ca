//! Check characters: weighted sums to a modulus (ISO/IEC 7064 MOD 11-2 among them), Luhn, and
//! ISO/IEC 7064 MOD 97-10.

/// How the end of a number follows from what is before it.
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
    /// ISO/IEC 7064 MOD 97-10: two digits, with which the whole number, letters read as 10 to 35,
    /// leaves 1 when divided by 97.
    Mod97,
    /// The scheme has no check character.
    None,
}

impl CheckRule {
    /// How many check characters there are.
    #[must_use]
    pub const fn length(&self) -> usize {
        match self {
            Self::WeightedModulus { .. } | Self::Luhn => 1,
            Self::Mod97 => 2,
            Self::None => 0,
        }
    }

    /// The check characters for what comes before them. `None` if the rule has none, or a
    /// character before them has no value (letters count from ten: A is 10).
    #[must_use]
    pub fn characters(&self, body: &str) -> Option<String> {
        match self {
            Self::WeightedModulus { weights, alphabet } => {
                weighted(body, weights, alphabet).map(String::from)
            }
            Self::Luhn => luhn(body).map(String::from),
            Self::Mod97 => mod_97(body),
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

fn mod_97(body: &str) -> Option<String> {
    let mut remainder = 0_u32;
    let places = body.chars().map(|character| character.to_digit(36));
    for value in places.chain([Some(0), Some(0)]) {
        let value = value?;
        let shift = if value < 10 { 10 } else { 100 };
        remainder = remainder.checked_mul(shift)?.checked_add(value)? % 97;
    }
    Some(format!("{:02}", 98_u32.saturating_sub(remainder)))
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
        assert_eq!(gb.characters("11010519491231002").as_deref(), Some("X"));
        assert_eq!(gb.characters("44052418800101001").as_deref(), Some("4"));
        // ISO/IEC 7812-1's usual example.
        assert_eq!(CheckRule::Luhn.characters("7992739871").as_deref(), Some("3"));
        // ISO/IEC 7064: 794 has 44; letters read as 10 to 35 (as in ISO 13616).
        assert_eq!(CheckRule::Mod97.characters("794").as_deref(), Some("44"));
        assert_eq!(
            CheckRule::Mod97.characters("A1").as_deref(),
            CheckRule::Mod97.characters("101").as_deref()
        );
        assert_eq!(CheckRule::None.characters("1"), None);
    }

    #[test]
    fn a_character_without_value_has_no_check() {
        assert_eq!(CheckRule::Luhn.characters("12a"), None);
        assert_eq!(CheckRule::Mod97.characters("1-2"), None);
    }
}
