//! Issuer metadata signed by the issuer (OpenID4VCI 1.0, 12.2.3): a wallet that knows the issuer by a trust list
//! need not believe the connection.

use super::{IssuerMetadata, MetadataError};
use crate::Endpoint;
use serde_json::{Map, Value};
use yufu_base::{PublicKey, Signer, Timestamp};
use yufu_jose::{Chain, ChainError, Header, JwsError, SignError, Unverified};

/// Its media type, as `Accept` and `Content-Type` have it.
pub const SIGNED_METADATA_MEDIA_TYPE: &str = "application/jwt";

const TYPE: &str = "openidvci-issuer-metadata+jwt";
/// For how long signed metadata are good, in seconds.
const SECONDS: u64 = 86_400;

/// Why signed metadata are refused. Checked in this order.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignedMetadataError {
    /// Not signed metadata, or not by the key of their chain.
    #[error("the signed metadata: {0}")]
    Jws(#[from] JwsError),
    /// Without a chain.
    #[error("the signed metadata: {0}")]
    Chain(#[from] ChainError),
    /// About another issuer.
    #[error("the signed metadata are about {found}, expected {expected}")]
    Subject {
        /// Whom they name.
        found: String,
        /// For whom they were fetched.
        expected: String,
    },
    /// Too old, or from the future.
    #[error("the signed metadata are not of today: fetch them again")]
    Time,
    /// A rule of metadata.
    #[error(transparent)]
    Metadata(#[from] MetadataError),
}

/// Signed metadata as they came: their chain says whose key to trust.
pub struct SignedMetadata {
    jws: Unverified,
}

impl IssuerMetadata {
    /// Signs the document with the key whose certificate is `chain`'s leaf.
    ///
    /// # Errors
    /// [`SignError`] if the key does not sign.
    pub fn sign(
        &self,
        chain: &Chain,
        signer: &dyn Signer,
        now: Timestamp,
    ) -> Result<String, SignError> {
        let json = |error: serde_json::Error| SignError::Json(error.to_string());
        let mut members = match serde_json::to_value(self).map_err(json)? {
            Value::Object(members) => members,
            _ => Map::new(),
        };
        members.insert("sub".to_owned(), self.credential_issuer.as_str().into());
        members.insert("iat".to_owned(), now.seconds().into());
        members.insert("exp".to_owned(), now.plus_seconds(SECONDS).seconds().into());
        let payload = serde_json::to_vec(&members).map_err(json)?;
        yufu_jose::sign(&Header::typed(TYPE).with_chain(chain), &payload, signer)
    }
}

impl SignedMetadata {
    /// Reads signed metadata.
    ///
    /// # Errors
    /// [`SignedMetadataError::Jws`].
    pub fn parse(text: &str) -> Result<Self, SignedMetadataError> {
        Ok(Self { jws: Unverified::parse(text)?.expect_type(TYPE)? })
    }

    /// The chain of their signer, to be held against a trust list.
    ///
    /// # Errors
    /// [`SignedMetadataError::Chain`] without one.
    pub fn chain(&self) -> Result<Chain, SignedMetadataError> {
        Ok(self.jws.header().chain()?)
    }

    /// The metadata, once they are known to be signed by `key`, for `issuer`, at `now`.
    ///
    /// # Errors
    /// [`SignedMetadataError`], the first rule that is broken.
    pub fn verify(
        self,
        key: &PublicKey,
        issuer: &Endpoint,
        now: Timestamp,
    ) -> Result<IssuerMetadata, SignedMetadataError> {
        let verified = self.jws.verify(key)?;
        let claims: Map<String, Value> = verified.claims()?;
        let found = claims.get("sub").and_then(Value::as_str).unwrap_or_default();
        if found != issuer.as_str() {
            let (found, expected) = (found.to_owned(), issuer.to_string());
            return Err(SignedMetadataError::Subject { found, expected });
        }
        let moment = |name: &str| claims.get(name).and_then(Value::as_u64);
        let issued = moment("iat").is_some_and(|at| at <= now.plus_seconds(60).seconds());
        let ended = moment("exp").is_some_and(|end| end <= now.seconds());
        if !issued || ended {
            return Err(SignedMetadataError::Time);
        }
        let metadata: IssuerMetadata = verified.claims()?;
        metadata.check(issuer)?;
        Ok(metadata)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;
    use yufu_jose::SoftwareKey;

    const NOW: Timestamp = Timestamp::from_seconds(1_790_000_000);

    fn issuer() -> Endpoint {
        Endpoint::parse("https://id.example/haip").unwrap()
    }

    fn key(seed: u8) -> SoftwareKey {
        SoftwareKey::from_seed(&[seed; 32]).unwrap()
    }

    fn signed(change: impl FnOnce(&mut Value)) -> String {
        let mut claims = json!({
            "sub": "https://id.example/haip", "iat": NOW.seconds(), "exp": NOW.plus_seconds(60).seconds(),
            "credential_issuer": "https://id.example/haip",
            "credential_endpoint": "https://id.example/haip/credential",
            "credential_configurations_supported": {},
        });
        change(&mut claims);
        yufu_jose::sign(&Header::typed(TYPE), claims.to_string().as_bytes(), &key(1)).unwrap()
    }

    fn verify(text: &str, seed: u8) -> Result<IssuerMetadata, SignedMetadataError> {
        SignedMetadata::parse(text)?.verify(&key(seed).public_key(), &issuer(), NOW)
    }

    #[test]
    fn each_rule_of_signed_metadata_is_refused_by_its_own_name_12_2_3() {
        use SignedMetadataError as E;
        let with = |name: &'static str, value: Value| verify(&signed(|c| c[name] = value), 1);
        assert_eq!(verify(&signed(|_| ()), 1).unwrap().credential_issuer, issuer());
        assert_eq!(verify(&signed(|_| ()), 2), Err(E::Jws(JwsError::Signature)));
        let untyped = yufu_jose::sign(&Header::typed("JWT"), b"{}", &key(1)).unwrap();
        assert!(matches!(verify(&untyped, 1), Err(E::Jws(JwsError::Type { .. }))));
        assert!(matches!(with("sub", "https://x.example".into()), Err(E::Subject { .. })));
        assert_eq!(with("exp", NOW.seconds().into()), Err(E::Time));
        assert_eq!(with("iat", (NOW.seconds() + 61).into()), Err(E::Time));
        assert_eq!(with("iat", Value::Null), Err(E::Time));
        let other = with("credential_issuer", "https://x.example".into());
        assert!(matches!(other, Err(E::Metadata(MetadataError::Identifier { .. }))));
        let chainless = SignedMetadata::parse(&signed(|_| ())).unwrap().chain();
        assert!(matches!(chainless, Err(E::Chain(_))));
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in ".{0,120}") {
            prop_assert!(verify(&text, 1).is_err());
        }
    }
}
