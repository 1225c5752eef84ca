//! Proof Key for Code Exchange (RFC 7636), S256 alone: whoever brings the code is who asked for it.

use yufu_jose::{encode_base64url, sha256};

/// The one method.
pub const PKCE_S256: &str = "S256";

/// Whether a verifier has the form of section 4.1: 43 to 128 unreserved characters.
#[must_use]
pub fn is_verifier(verifier: &str) -> bool {
    let unreserved = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
    (43..=128).contains(&verifier.len()) && verifier.bytes().all(unreserved)
}

/// The challenge of a verifier.
#[must_use]
pub fn pkce_challenge(verifier: &str) -> String {
    encode_base64url(sha256(verifier.as_bytes()))
}

/// Whether a text can be a challenge: a SHA-256 digest in base64url.
#[must_use]
pub fn is_challenge(challenge: &str) -> bool {
    yufu_jose::decode_base64url(challenge).is_ok_and(|digest| digest.len() == 32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_appendix_b_gives_its_challenge_rfc_7636() {
        let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        assert!(is_verifier(verifier));
        assert_eq!(pkce_challenge(verifier), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
        assert!(is_challenge(&pkce_challenge(verifier)) && !is_challenge("plain"));
    }

    #[test]
    fn a_verifier_that_is_short_long_or_of_other_characters_is_none_rfc_7636_4_1() {
        for bad in ["a".repeat(42), "a".repeat(129), format!("{} ", "a".repeat(42))] {
            assert!(!is_verifier(&bad));
        }
    }
}
