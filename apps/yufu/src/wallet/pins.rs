//! By which keys others are known to this wallet: the ones that it was given, and those that followed them by their word.

use super::contents::Contents;
use serde::{Deserialize, Serialize};
use yufu_base::PublicKey;
use yufu_jose::Jwk;
use yufu_trust::TrustPin;

/// What is known of a key that was given to the wallet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct StoredPin {
    /// The key that was given: another one that is given counts anew.
    given: Jwk,
    /// What followed it.
    pin: TrustPin,
}

impl StoredPin {
    pub(super) fn new(given: PublicKey, pin: TrustPin) -> Self {
        Self { given: given.into(), pin }
    }
}

impl Contents {
    /// By which key the own country's trust list is known.
    pub(super) fn trust_pin(&self, given: PublicKey) -> TrustPin {
        known(self.trust_pin.as_ref(), given)
    }
}

/// What followed a given key, as far as it is known.
pub(super) fn known(stored: Option<&StoredPin>, given: PublicKey) -> TrustPin {
    let known = stored.filter(|stored| stored.given.key == given);
    known.map_or_else(|| TrustPin::given(given), |stored| stored.pin.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use yufu_base::Signer as _;
    use yufu_jose::SoftwareKey;

    #[test]
    fn another_key_that_is_given_counts_anew() {
        let key = |seed| SoftwareKey::from_seed(&[seed; 32]).unwrap().public_key();
        let followed = TrustPin::given(key(2));
        let stored = StoredPin::new(key(1), followed.clone());
        assert_eq!(known(Some(&stored), key(1)), followed);
        assert_eq!(known(Some(&stored), key(3)), TrustPin::given(key(3)));
        assert_eq!(known(None, key(1)), TrustPin::given(key(1)));
    }
}
