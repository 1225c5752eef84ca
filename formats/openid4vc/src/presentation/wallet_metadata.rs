//! What a wallet says that it takes, when it fetches a request (OpenID4VP 1.0, sections 5.10 and 10).

use super::reply::POSTED;
use crate::dcql::DcqlQuery;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use yufu_jose::jwe::ContentEncryption;
use yufu_jose::{Jwk, JwkSet, parse_json};

/// The longest metadata that are read, in bytes.
const MAX_LENGTH: usize = 16 * 1024;
/// The one signature algorithm, in JOSE's words and in COSE's.
const SIGNATURE: (&str, i64) = ("ES256", -7);
/// The one key agreement.
const AGREEMENT: &str = "ECDH-ES";

/// What a wallet takes. Of what it does not say nothing is known.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct WalletMetadata {
    /// The formats, each with the algorithms that it takes there.
    vp_formats_supported: Map<String, Value>,
    client_id_prefixes_supported: Option<Vec<String>>,
    response_types_supported: Option<Vec<String>>,
    response_modes_supported: Option<Vec<String>>,
    request_object_signing_alg_values_supported: Option<Vec<String>>,
    request_object_encryption_enc_values_supported: Option<Vec<String>>,
    authorization_encryption_alg_values_supported: Option<Vec<String>>,
    authorization_encryption_enc_values_supported: Option<Vec<String>>,
    jwks: Option<JwkSet>,
}

/// What follows for a request to this wallet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WalletTerms {
    /// How the answer is to be encrypted.
    pub answer: ContentEncryption,
    /// The key to which the request is to be encrypted, and how, if the wallet gave one.
    pub request: Option<(Jwk, ContentEncryption)>,
}

/// Why no request can be made for a wallet. Checked in this order.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WalletMetadataError {
    /// Longer than 16 KiB.
    #[error("wallet_metadata are longer than {MAX_LENGTH} bytes")]
    TooLong,
    /// Not the JSON of metadata, the formats included.
    #[error("wallet_metadata cannot be read: {0}")]
    Json(String),
    /// None of the formats that are asked for, with the algorithm that is used there.
    #[error("the wallet takes none of the formats that are asked for, signed by {}", SIGNATURE.0)]
    Formats,
    /// Not the prefix by which this verifier goes.
    #[error("the wallet does not know verifiers by {0}")]
    ClientIdPrefix(String),
    /// Another response type or mode.
    #[error("the wallet does not answer vp_token by {POSTED}")]
    Response,
    /// Another algorithm for signed requests.
    #[error("the wallet does not verify requests signed by {}", SIGNATURE.0)]
    RequestSignature,
    /// No encryption of answers in common.
    #[error("the wallet encrypts answers neither by {AGREEMENT} with A256GCM nor with A128GCM")]
    AnswerEncryption,
    /// Keys to encrypt the request to, and none that can be used.
    #[error(
        "the wallet wants the request encrypted, and gives no key with a kid for {AGREEMENT} on P-256, with A256GCM or A128GCM"
    )]
    RequestEncryption,
}

impl WalletMetadataError {
    /// Whether the metadata can be read, and the two have nothing in common.
    #[must_use]
    pub const fn is_disagreement(&self) -> bool {
        !matches!(self, Self::TooLong | Self::Json(_))
    }
}

/// The formats that both sides of this house take, and how they are signed there: `vp_formats_supported`.
pub(super) fn formats_supported() -> Value {
    let (jose, cose) = SIGNATURE;
    json!({
        "dc+sd-jwt": {"sd-jwt_alg_values": [jose], "kb-jwt_alg_values": [jose]},
        "mso_mdoc": {"issuerauth_alg_values": [cose], "deviceauth_alg_values": [cose]},
    })
}

impl WalletMetadata {
    /// What the wallet of this house sends: the same of everyone, so that it tells none from another.
    #[must_use]
    pub fn ours() -> String {
        Value::Object(common()).to_string()
    }

    /// The same, with a key to which the request is to be encrypted (OpenID4VP 1.0, 5.10.1): made for this one request,
    /// so that it tells no wallet from another either.
    #[must_use]
    pub fn ours_with(key: &Jwk) -> String {
        let mut said = common();
        said.insert("jwks".to_owned(), json!({"keys": [key]}));
        let encryption = [("alg", json!([AGREEMENT])), ("enc", json!(["A256GCM", "A128GCM"]))];
        for (kind, values) in encryption {
            said.insert(format!("request_object_encryption_{kind}_values_supported"), values);
        }
        Value::Object(said).to_string()
    }

    /// Reads what a wallet sent; members that are not known are ignored.
    ///
    /// # Errors
    /// [`WalletMetadataError::TooLong`] and [`WalletMetadataError::Json`].
    pub fn parse(text: &str) -> Result<Self, WalletMetadataError> {
        if text.len() > MAX_LENGTH {
            return Err(WalletMetadataError::TooLong);
        }
        parse_json(text.as_bytes()).map_err(|error| WalletMetadataError::Json(error.to_string()))
    }

    /// What follows for the request of a client that asks `query` by `direct_post.jwt`.
    ///
    /// # Errors
    /// [`WalletMetadataError`], the first rule that keeps the two apart.
    pub fn terms(
        &self,
        query: &DcqlQuery,
        client_id: &str,
    ) -> Result<WalletTerms, WalletMetadataError> {
        use WalletMetadataError as E;
        if !query.credentials().iter().any(|asked| self.takes(&asked.format)) {
            return Err(E::Formats);
        }
        let prefix = client_id.split(':').next().unwrap_or_default();
        if !names(self.client_id_prefixes_supported.as_ref(), prefix) {
            return Err(E::ClientIdPrefix(prefix.to_owned()));
        }
        if !names(self.response_types_supported.as_ref(), "vp_token")
            || !names(self.response_modes_supported.as_ref(), POSTED)
        {
            return Err(E::Response);
        }
        let signing = self.request_object_signing_alg_values_supported.as_ref();
        if !names(signing, SIGNATURE.0) {
            return Err(E::RequestSignature);
        }
        let agreements = self.authorization_encryption_alg_values_supported.as_ref();
        let answer = content(self.authorization_encryption_enc_values_supported.as_ref());
        let answer = answer.filter(|_| names(agreements, AGREEMENT)).ok_or(E::AnswerEncryption)?;
        Ok(WalletTerms { answer, request: self.request_key()? })
    }

    /// Whether it takes a format, with the one algorithm wherever it names any.
    fn takes(&self, format: &str) -> bool {
        let Some(said) = self.vp_formats_supported.get(format) else { return false };
        let (jose, cose) = (json!(SIGNATURE.0), json!(SIGNATURE.1));
        let mut lists = said.as_object().into_iter().flatten().filter_map(|(name, algorithms)| {
            let algorithms = name.ends_with("alg_values").then(|| algorithms.as_array());
            algorithms.flatten()
        });
        lists.all(|algorithms| algorithms.iter().any(|one| *one == jose || *one == cose))
    }

    fn request_key(&self) -> Result<Option<(Jwk, ContentEncryption)>, WalletMetadataError> {
        let Some(jwks) = &self.jwks else { return Ok(None) };
        let usable = |key: &&Jwk| {
            key.kid.is_some()
                && key.alg.as_deref().is_none_or(|alg| alg == AGREEMENT)
                && key.usage.as_deref().is_none_or(|usage| usage == "enc")
        };
        let content = content(self.request_object_encryption_enc_values_supported.as_ref());
        let key = jwks.keys.iter().find(usable).cloned();
        key.zip(content).map(Some).ok_or(WalletMetadataError::RequestEncryption)
    }
}

/// What every wallet of this house says.
fn common() -> Map<String, Value> {
    let said = json!({
        "vp_formats_supported": formats_supported(),
        "client_id_prefixes_supported": ["x509_hash", "x509_san_dns"],
        "response_types_supported": ["vp_token"],
        "response_modes_supported": [POSTED],
        "request_object_signing_alg_values_supported": [SIGNATURE.0],
        "authorization_encryption_alg_values_supported": [AGREEMENT],
        "authorization_encryption_enc_values_supported": ["A256GCM", "A128GCM"],
    });
    match said {
        Value::Object(said) => said,
        _ => Map::new(),
    }
}

/// Whether a list names something; a list that is not there keeps nobody apart.
fn names(list: Option<&Vec<String>>, name: &str) -> bool {
    list.is_none_or(|list| list.iter().any(|one| one == name))
}

/// The content encryption to use with whoever takes those of a list.
fn content(list: Option<&Vec<String>>) -> Option<ContentEncryption> {
    let both = [ContentEncryption::A256Gcm, ContentEncryption::A128Gcm];
    both.into_iter().find(|enc| names(list, enc.name()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dcql::CredentialQuery;
    use yufu_jose::jwe::DecryptionKey;

    fn query() -> DcqlQuery {
        DcqlQuery::new(vec![CredentialQuery::sd_jwt_vc("id", "urn:pid", &[])], None).unwrap()
    }

    fn terms(metadata: &Value) -> Result<WalletTerms, WalletMetadataError> {
        WalletMetadata::parse(&metadata.to_string())?.terms(&query(), "x509_hash:abc")
    }

    fn ours() -> Value {
        serde_json::from_str(&WalletMetadata::ours()).unwrap()
    }

    #[test]
    fn the_wallets_own_metadata_agree_with_the_verifiers_own_requests_10_1() {
        let agreed = terms(&ours()).unwrap();
        assert_eq!(agreed, WalletTerms { answer: ContentEncryption::A256Gcm, request: None });
        let silent = json!({"vp_formats_supported": {"dc+sd-jwt": {}}, "more": 1});
        assert_eq!(terms(&silent).unwrap(), agreed, "what it does not say keeps nobody apart");
    }

    #[test]
    fn what_a_wallet_takes_is_chosen_5_10() {
        let mut slower = ours();
        slower["authorization_encryption_enc_values_supported"] =
            json!(["A128CBC-HS256", "A128GCM"]);
        assert_eq!(terms(&slower).unwrap().answer, ContentEncryption::A128Gcm);
        let key = DecryptionKey::from_seed(&[7; 32]).unwrap().public_jwk("w1");
        let mut hidden = ours();
        hidden["jwks"] =
            json!({"keys": [{"kty": "RSA", "kid": "r", "n": "AQAB", "e": "AQAB"}, key]});
        hidden["request_object_encryption_enc_values_supported"] = json!(["A128GCM"]);
        let expected = Some((key, ContentEncryption::A128Gcm));
        assert_eq!(terms(&hidden).unwrap().request, expected);
    }

    #[test]
    fn a_wallet_offers_a_key_for_the_request_and_nothing_else_of_itself_5_10_1() {
        let key = DecryptionKey::from_seed(&[8; 32]).unwrap().public_jwk("1");
        let offered: Value = serde_json::from_str(&WalletMetadata::ours_with(&key)).unwrap();
        let expected = Some((key, ContentEncryption::A256Gcm));
        assert_eq!(terms(&offered).unwrap().request, expected);
        let mut rest = offered;
        for more in [
            "jwks",
            "request_object_encryption_alg_values_supported",
            "request_object_encryption_enc_values_supported",
        ] {
            assert!(rest.as_object_mut().unwrap().remove(more).is_some(), "{more}");
        }
        assert_eq!(rest, ours());
    }

    #[test]
    fn each_rule_of_wallet_metadata_is_refused_by_its_own_name_5_10() {
        use WalletMetadataError as E;
        let error = |change: fn(&mut Value)| {
            let mut metadata = ours();
            change(&mut metadata);
            terms(&metadata).unwrap_err()
        };
        let long = format!("{{\"x\": \"{}\"}}", "a".repeat(MAX_LENGTH));
        assert_eq!(WalletMetadata::parse(&long), Err(E::TooLong));
        assert!(matches!(WalletMetadata::parse("{}"), Err(E::Json(_))));
        assert!(matches!(WalletMetadata::parse("[]"), Err(E::Json(_))));
        let formats: [fn(&mut Value); 2] = [
            |m| m["vp_formats_supported"] = json!({"jwt_vc_json": {}}),
            |m| m["vp_formats_supported"]["dc+sd-jwt"]["sd-jwt_alg_values"] = json!(["ES384"]),
        ];
        for change in formats {
            assert_eq!(error(change), E::Formats);
        }
        assert_eq!(
            error(|m| m["client_id_prefixes_supported"] = json!(["decentralized_identifier"])),
            E::ClientIdPrefix("x509_hash".into())
        );
        assert_eq!(error(|m| m["response_types_supported"] = json!(["code"])), E::Response);
        assert_eq!(error(|m| m["response_modes_supported"] = json!(["fragment"])), E::Response);
        assert_eq!(
            error(|m| m["request_object_signing_alg_values_supported"] = json!(["EdDSA"])),
            E::RequestSignature
        );
        let encryption: [fn(&mut Value); 2] = [
            |m| m["authorization_encryption_alg_values_supported"] = json!(["RSA-OAEP"]),
            |m| m["authorization_encryption_enc_values_supported"] = json!(["A128CBC-HS256"]),
        ];
        for change in encryption {
            assert_eq!(error(change), E::AnswerEncryption);
        }
        assert_eq!(error(|m| m["jwks"] = json!({"keys": []})), E::RequestEncryption);
        assert!(E::Formats.is_disagreement() && !E::TooLong.is_disagreement());
    }
}
