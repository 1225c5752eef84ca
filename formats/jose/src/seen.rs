//! Signatures that were verified before: what the same party shows at each of its steps is verified once.

use crate::{SignatureInvalid, sha256, verify};
use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Mutex, PoisonError};
use yufu_base::{PublicKey, Signature};

/// The most signatures that are remembered; beyond it all are verified anew.
const MOST: usize = 65_536;

/// Signatures that were found good, by digests. That a signature is good is a matter of its key and its message alone, so
/// that it stays so; whether the message still counts is for whoever reads it. Refusals are not remembered.
#[derive(Default)]
pub struct SeenSignatures(Mutex<BTreeSet<[u8; 32]>>);

impl SeenSignatures {
    /// As [`verify`], which is asked the first time only.
    ///
    /// # Errors
    /// [`SignatureInvalid`].
    pub fn verify(
        &self,
        key: &PublicKey,
        message: &[u8],
        signature: &Signature,
    ) -> Result<(), SignatureInvalid> {
        // Key and signature have one length each, so that no two of these run together into the same bytes.
        let all = [key.as_bytes().as_slice(), &signature.0, message].concat();
        let seen = sha256(&all);
        if self.all(|known| known.contains(&seen)) {
            return Ok(());
        }
        verify(key, message, signature)?;
        self.all(|known| {
            if known.len() >= MOST {
                known.clear();
            }
            known.insert(seen);
        });
        Ok(())
    }

    fn all<T>(&self, work: impl FnOnce(&mut BTreeSet<[u8; 32]>) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl fmt::Debug for SeenSignatures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SeenSignatures")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SoftwareKey;
    use yufu_base::Signer as _;

    fn key(seed: u8) -> SoftwareKey {
        SoftwareKey::from_seed(&[seed; 32]).unwrap()
    }

    #[test]
    fn a_good_signature_is_remembered_and_a_bad_one_is_refused_each_time() {
        let (seen, signer) = (SeenSignatures::default(), key(1));
        let (public, other) = (signer.public_key(), key(2).public_key());
        let good = signer.sign(b"message").unwrap();
        for _ in 0..2 {
            assert_eq!(seen.verify(&public, b"message", &good), Ok(()));
            assert_eq!(seen.verify(&public, b"messagf", &good), Err(SignatureInvalid));
            assert_eq!(seen.verify(&other, b"message", &good), Err(SignatureInvalid));
            let mut altered = good;
            altered.0[63] ^= 1;
            assert_eq!(seen.verify(&public, b"message", &altered), Err(SignatureInvalid));
            assert_eq!(seen.all(|known| known.len()), 1);
        }
        // What is remembered is what is asked: without the entry it would be verified again.
        let forged = [public.as_bytes().as_slice(), &[7; 64], b"x"].concat();
        seen.all(|known| known.insert(sha256(&forged)));
        assert_eq!(seen.verify(&public, b"x", &Signature([7; 64])), Ok(()));
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let (seen, signer) = (SeenSignatures::default(), key(1));
        seen.all(|known| {
            known.extend((0..MOST).map(|number| sha256(&number.to_be_bytes())));
        });
        let good = signer.sign(b"message").unwrap();
        assert_eq!(seen.verify(&signer.public_key(), b"message", &good), Ok(()));
        assert_eq!(seen.all(|known| known.len()), 1);
    }
}
