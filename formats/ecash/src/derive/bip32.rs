//! Private keys of BIP-32, child by child: what secrets of version 1 are made of.

use crate::curve::SecretScalar;
use aws_lc_rs::hmac;
use secp256k1::Scalar;
use zeroize::Zeroizing;

/// From here on an index asks for a hardened child.
pub(super) const HARDENED: u32 = 1 << 31;

/// A private key with its chain code.
pub(super) struct ExtendedKey {
    key: SecretScalar,
    chain: Zeroizing<[u8; 32]>,
}

impl ExtendedKey {
    /// The key that a seed begins with. `None` for seeds that nobody finds.
    pub(super) fn master(seed: &[u8; 64]) -> Option<Self> {
        let (left, chain) = halves(b"Bitcoin seed", &[seed])?;
        Some(Self { key: SecretScalar::from_bytes(&left).ok()?, chain })
    }

    /// A child. `None` for indices that nobody finds.
    pub(super) fn child(&self, index: u32) -> Option<Self> {
        let index_bytes = index.to_be_bytes();
        let (left, chain) = if index >= HARDENED {
            halves(&*self.chain, &[&[0], self.key.to_bytes().as_slice(), &index_bytes])?
        } else {
            halves(&*self.chain, &[&self.key.to_point().to_bytes(), &index_bytes])?
        };
        let key = self.key.0.add_tweak(&Scalar::from_be_bytes(*left).ok()?).ok()?;
        Some(Self { key: SecretScalar(key), chain })
    }

    /// The private key.
    pub(super) const fn key(&self) -> &SecretScalar {
        &self.key
    }
}

type Half = Zeroizing<[u8; 32]>;

fn halves(key: &[u8], parts: &[&[u8]]) -> Option<(Half, Half)> {
    let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA512, key));
    for part in parts {
        context.update(part);
    }
    let tag = context.sign();
    let (left, right) = tag.as_ref().split_first_chunk::<32>()?;
    Some((Zeroizing::new(*left), Zeroizing::new(right.try_into().ok()?)))
}
