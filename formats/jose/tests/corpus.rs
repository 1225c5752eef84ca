//! Every nasty input we met or thought of, one per line: none may panic or be accepted.
#![allow(clippy::unwrap_used, missing_docs, reason = "test code: to fail loudly")]

use yufu_base::Signer as _;
use yufu_jose::jwe::{DecryptionKey, decrypt};
use yufu_jose::{SoftwareKey, Unverified};

#[test]
fn the_corpus_is_refused_without_panic() {
    let key = SoftwareKey::from_seed(&[1; 32]).unwrap().public_key();
    let secret = DecryptionKey::from_seed(&[1; 32]).unwrap();
    for (number, line) in include_str!("corpus/tokens.txt").lines().enumerate() {
        let verified = Unverified::parse(line).and_then(|token| {
            let _ = token.header().chain();
            token.verify(&key)
        });
        assert!(verified.is_err(), "line {number}");
        assert!(decrypt(line, &secret).is_err(), "line {number}");
    }
}
