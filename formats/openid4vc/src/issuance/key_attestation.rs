//! Key attestations (OpenID4VCI 1.0, appendix D): a wallet provider says of which kind the storage is
//! in which keys of one of its wallets lie.

use serde::{Deserialize, Serialize};
use yufu_base::{PublicKey, Signer, Timestamp};
use yufu_jose::{
    Chain, ChainError, Header, Jwk, JwsError, SignError, Unverified, numeric_date,
    optional_numeric_date,
};

/// The value of `key_storage` that keys in software may claim, and no more (appendix D.2).
pub const STORAGE_BASIC: &str = "iso_18045_basic";

/// The `typ`.
const TYPE: &str = "key-attestation+jwt";
/// The largest that is read, in bytes.
const MAX: usize = 32 * 1024;
/// The most keys in one.
pub const MAX_ATTESTED_KEYS: usize = 100;
/// How far a provider's clock may be ahead, in seconds.
const AHEAD_SECONDS: u64 = 60;

/// What a wallet provider says of keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyAttestation {
    /// The provider: its address, as the trust list has it.
    pub provider: String,
    /// When it was made.
    pub issued: Timestamp,
    /// From when it must no longer be taken; one that is a proof by itself may leave it open, and is then good for
    /// its nonce alone.
    pub expires: Option<Timestamp>,
    /// The keys, all in one storage.
    pub keys: Vec<Jwk>,
    /// What the storage resists.
    pub key_storage: Vec<String>,
    /// The issuer's challenge: for one request.
    pub nonce: Option<String>,
}

/// A key attestation as it came, its signature not verified: its chain says whose key to trust.
pub struct SignedKeyAttestation {
    jws: Unverified,
}

/// Why a key attestation is not taken. Checked in this order.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyAttestationError {
    /// Not a key attestation, or not signed by the key of its chain.
    #[error("the key attestation: {0}")]
    Jws(#[from] JwsError),
    /// It carries no certificate chain.
    #[error("the key attestation: {0}")]
    Chain(#[from] ChainError),
    /// Made by another provider than its signer is.
    #[error("the key attestation is by {found}, and signed by {signer}")]
    Provider {
        /// The provider it names.
        found: String,
        /// The provider that signed.
        signer: String,
    },
    /// Its time has passed.
    #[error("the key attestation has expired: get a fresh one from the wallet provider")]
    Expired,
    /// It is in the header of a proof, and does not say until when it is good.
    #[error("the key attestation does not say when it expires (`exp`), as one in a proof has to")]
    Unending,
    /// From the future.
    #[error("the key attestation was made later than now: set the provider's clock right")]
    Future,
    /// No key, too many, or one twice.
    #[error("the key attestation is not about 1 to {MAX_ATTESTED_KEYS} different keys")]
    Keys,
    /// The storage is of no accepted kind.
    #[error(
        "the keys lie in a storage that is not accepted: expected one of {expected}, found {found}"
    )]
    Storage {
        /// What the attestation says.
        found: String,
        /// What is accepted.
        expected: String,
    },
    /// It is for another request.
    #[error(
        "the key attestation does not carry the nonce of the proof: have one made for this request"
    )]
    Nonce,
}

#[derive(Serialize, Deserialize)]
struct Wire {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    iss: Option<String>,
    #[serde(with = "numeric_date")]
    iat: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "optional_numeric_date")]
    exp: Option<Timestamp>,
    attested_keys: Vec<Jwk>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    key_storage: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    nonce: Option<String>,
}

impl KeyAttestation {
    /// Signs the attestation as its provider: a compact JWS with the provider's chain.
    ///
    /// # Errors
    /// [`SignError`] if the key does not sign.
    pub fn sign(&self, chain: &Chain, signer: &dyn Signer) -> Result<String, SignError> {
        let wire = Wire {
            iss: Some(self.provider.clone()),
            iat: self.issued,
            exp: self.expires,
            attested_keys: self.keys.clone(),
            key_storage: self.key_storage.clone(),
            nonce: self.nonce.clone(),
        };
        let json = serde_json::to_vec(&wire).map_err(|e| SignError::Json(e.to_string()))?;
        yufu_jose::sign(&Header::typed(TYPE).with_chain(chain), &json, signer)
    }
}

impl SignedKeyAttestation {
    /// Reads a key attestation.
    ///
    /// # Errors
    /// [`KeyAttestationError::Jws`].
    pub fn parse(text: &str) -> Result<Self, KeyAttestationError> {
        Ok(Self { jws: Unverified::parse_bounded(text, MAX)?.expect_type(TYPE)? })
    }

    /// The chain of its signer, to be held against a trust list.
    ///
    /// # Errors
    /// [`KeyAttestationError::Chain`] without one.
    pub fn chain(&self) -> Result<Chain, KeyAttestationError> {
        Ok(self.jws.header().chain()?)
    }

    /// The attestation, once it is known to be `provider`'s (address and key), not over at `now`, of a
    /// storage that is accepted, and for a request: the one with this `nonce` of the proof that it comes in, or the one
    /// that its own nonce is for, if it is the proof. In a proof it has to say when it expires.
    ///
    /// # Errors
    /// [`KeyAttestationError`], the first rule broken.
    pub fn verify(
        self,
        provider: (&str, &PublicKey),
        accepted: &[String],
        nonce: Option<&str>,
        now: Timestamp,
    ) -> Result<KeyAttestation, KeyAttestationError> {
        let wire: Wire = self.jws.verify(provider.1)?.claims()?;
        if let Some(found) = wire.iss.filter(|named| named != provider.0) {
            let signer = provider.0.to_owned();
            return Err(KeyAttestationError::Provider { found, signer });
        }
        if wire.exp.is_some_and(|end| end <= now) {
            return Err(KeyAttestationError::Expired);
        }
        if wire.exp.is_none() && nonce.is_some() {
            return Err(KeyAttestationError::Unending);
        }
        if wire.iat > now.plus_seconds(AHEAD_SECONDS) {
            return Err(KeyAttestationError::Future);
        }
        let mut distinct: Vec<&[u8]> =
            wire.attested_keys.iter().map(|jwk| jwk.key.as_bytes().as_slice()).collect();
        distinct.sort_unstable();
        distinct.dedup();
        let count = wire.attested_keys.len();
        if !(1..=MAX_ATTESTED_KEYS).contains(&count) || distinct.len() != count {
            return Err(KeyAttestationError::Keys);
        }
        if !accepted.is_empty() && !wire.key_storage.iter().any(|kind| accepted.contains(kind)) {
            let (found, expected) = (wire.key_storage.join(", "), accepted.join(", "));
            return Err(KeyAttestationError::Storage { found, expected });
        }
        if wire.nonce.is_none() || nonce.is_some_and(|nonce| wire.nonce.as_deref() != Some(nonce)) {
            return Err(KeyAttestationError::Nonce);
        }
        Ok(KeyAttestation {
            provider: provider.0.to_owned(),
            issued: wire.iat,
            expires: wire.exp,
            keys: wire.attested_keys.iter().map(|jwk| Jwk::from(jwk.key)).collect(),
            key_storage: wire.key_storage,
            nonce: wire.nonce,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::Value;
    use yufu_jose::SoftwareKey;

    const PROVIDER: &str = "https://pay.example/wallet-providers/p";
    const NOW: Timestamp = Timestamp::from_seconds(1_790_000_000);

    fn key(seed: u8) -> SoftwareKey {
        SoftwareKey::from_seed(&[seed; 32]).unwrap()
    }

    fn signed(change: impl FnOnce(&mut Value)) -> String {
        let key_of = |seed: u8| serde_json::to_value(Jwk::from(key(seed).public_key())).unwrap();
        let mut claims = serde_json::json!({
            "iss": PROVIDER, "iat": NOW.seconds(), "exp": NOW.plus_seconds(600).seconds(),
            "attested_keys": [key_of(2), key_of(3)],
            "key_storage": [STORAGE_BASIC], "nonce": "n",
        });
        change(&mut claims);
        yufu_jose::sign(&Header::typed(TYPE), claims.to_string().as_bytes(), &key(1)).unwrap()
    }

    fn verify(text: &str, signer: u8) -> Result<KeyAttestation, KeyAttestationError> {
        let signer = key(signer).public_key();
        let accepted = [STORAGE_BASIC.to_owned()];
        SignedKeyAttestation::parse(text)?.verify((PROVIDER, &signer), &accepted, Some("n"), NOW)
    }

    #[test]
    fn each_rule_of_a_key_attestation_is_refused_by_its_own_name_d_1() {
        use KeyAttestationError as E;
        let with = |name: &'static str, value: Value| verify(&signed(|c| c[name] = value), 1);
        let good = verify(&signed(|_| ()), 1).unwrap();
        assert_eq!(good.keys.len(), 2);
        assert_eq!(good.keys[0].key, key(2).public_key());
        // The appendix asks for no `iss`: whose key signed it says the chain.
        let nameless =
            verify(&signed(|claims| drop(claims.as_object_mut().unwrap().remove("iss"))), 1);
        assert_eq!(nameless, Ok(good));
        assert_eq!(verify(&signed(|_| ()), 9), Err(E::Jws(JwsError::Signature)));
        let other = yufu_jose::sign(&Header::typed("JWT"), b"{}", &key(1)).unwrap();
        assert!(matches!(verify(&other, 1), Err(E::Jws(JwsError::Type { .. }))));
        assert!(matches!(with("iss", "https://x".into()), Err(E::Provider { .. })));
        assert_eq!(with("exp", NOW.seconds().into()), Err(E::Expired));
        assert_eq!(with("iat", (NOW.seconds() + AHEAD_SECONDS + 1).into()), Err(E::Future));
        assert_eq!(with("attested_keys", serde_json::json!([])), Err(E::Keys));
        let one = serde_json::to_value(Jwk::from(key(2).public_key())).unwrap();
        assert_eq!(with("attested_keys", serde_json::json!([one, one])), Err(E::Keys));
        for storage in [serde_json::json!([]), serde_json::json!(["iso_18045_high"])] {
            assert!(matches!(with("key_storage", storage), Err(E::Storage { .. })));
        }
        for nonce in [Value::Null, "m".into()] {
            assert_eq!(with("nonce", nonce), Err(E::Nonce));
        }
        assert!(matches!(
            SignedKeyAttestation::parse(&signed(|_| ())).unwrap().chain(),
            Err(E::Chain(_))
        ));
    }

    #[test]
    fn an_attestation_in_a_proof_says_when_it_expires_and_one_that_is_the_proof_need_not_d_1() {
        let year = NOW.plus_seconds(365 * 86_400);
        let long = verify(&signed(|claims| claims["exp"] = year.seconds().into()), 1).unwrap();
        assert_eq!(long.expires, Some(year), "its nonce says that it is fresh, not its end");
        let unending = signed(|claims| drop(claims.as_object_mut().unwrap().remove("exp")));
        assert_eq!(verify(&unending, 1), Err(KeyAttestationError::Unending));
        let provider = key(1).public_key();
        let as_proof = |text: &str| {
            SignedKeyAttestation::parse(text).unwrap().verify((PROVIDER, &provider), &[], None, NOW)
        };
        let proof = as_proof(&unending).unwrap();
        assert_eq!((proof.expires, proof.nonce.as_deref()), (None, Some("n")));
        let over = signed(|claims| claims["exp"] = NOW.seconds().into());
        assert_eq!(as_proof(&over), Err(KeyAttestationError::Expired));
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in ".{0,120}") {
            prop_assert!(verify(&text, 1).is_err());
        }
    }
}
