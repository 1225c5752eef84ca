//! An issuer, and people with credentials of it.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, reason = "test code: to fail loudly")]

use std::collections::BTreeSet;
use yufu_anonymous::*;
use yufu_base::Timestamp;

pub const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);
pub const AUDIENCE: &str = "x509_hash:cinema";
pub const DIGEST: [u8; 32] = [5; 32];

pub struct World {
    pub key: IssuerKey,
    pub terms: Terms,
}

/// Somebody with a wallet.
pub struct Person {
    pub secret: HolderSecret,
    pub held: HeldCredential,
}

impl World {
    pub fn new() -> Self {
        Self::of(1)
    }

    pub fn of(seed: u8) -> Self {
        let key = IssuerKey::from_seed(&[seed; 32]).unwrap();
        let names = ["address.locality", "age_equal_or_over.18", "number"].map(str::to_owned);
        let issuer = "https://id.example/authority";
        let terms = Terms::new(issuer, "urn:example:1", names.into(), 7, key.public()).unwrap();
        Self { key, terms }
    }

    pub fn claims(of_age: bool) -> Claims {
        Claims::from([
            ("age_equal_or_over.18".to_owned(), ClaimValue::Flag(of_age)),
            ("address.locality".to_owned(), ClaimValue::Text("江城".to_owned())),
            ("number".to_owned(), ClaimValue::Number(7)),
        ])
    }

    pub fn person(&self, seed: u8) -> Person {
        let secret = HolderSecret::derive(&[seed; 32]).unwrap();
        let (commitment, blinding) = secret.commit().unwrap();
        let entropy = Entropy::derive(&[seed ^ 0x55; 32]).unwrap();
        let epoch = self.terms.epoch(NOW);
        let claims = Self::claims(seed.is_multiple_of(2));
        let issued = self.key.issue(&self.terms, epoch, claims, &commitment, &entropy).unwrap();
        let held = issued.hold(self.terms.clone(), &secret, blinding, NOW).unwrap();
        Person { secret, held }
    }
}

impl Person {
    pub fn shows(&self, names: &[&str], party: &str, bound: &Bound<'_>) -> Presentation {
        let names: BTreeSet<String> = names.iter().map(|name| (*name).to_owned()).collect();
        self.held.show(&self.secret, &names, &Context::of_party(party), bound).unwrap()
    }
}

pub fn bound(nonce: &str) -> Bound<'_> {
    Bound { audience: AUDIENCE, nonce, request: &DIGEST }
}
