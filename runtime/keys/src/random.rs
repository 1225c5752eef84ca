//! The source of randomness: everything that must be unpredictable is drawn here, at the edge,
//! and handed down as an argument.

use yufu_jose::encode_base64url;

/// `N` unpredictable bytes from the cryptographic library's generator.
#[must_use]
pub fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    #[expect(
        clippy::expect_used,
        reason = "INVARIANT: the operating system has randomness; going on without it would be worse than stopping"
    )]
    aws_lc_rs::rand::fill(&mut bytes).expect("the operating system gives randomness");
    bytes
}

/// An unguessable text of 256 bits in base64url: 43 characters.
#[must_use]
pub fn random_text() -> String {
    encode_base64url(random::<32>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_draws_are_alike() {
        assert_ne!(random::<16>(), random::<16>());
        assert_eq!(random_text().len(), 43);
    }
}
