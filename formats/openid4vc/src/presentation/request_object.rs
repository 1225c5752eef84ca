//! The request object (OpenID4VP 1.0, section 5; RFC 9101; HAIP 1.0, section 5.1): what a
//! verifier asks, in the one form that is accepted: `vp_token`, DCQL, answered by `direct_post.jwt` or, through a
//! browser, by `dc_api.jwt` or `dc_api`.

use super::reply::{BROWSER, BROWSER_CLEAR, ClientMetadata, POSTED, Reply, are_origins};
use super::wallet_metadata::formats_supported;
use super::{EncodedTransaction, TransactionError};
use crate::dcql::DcqlQuery;
use crate::{Endpoint, EndpointError};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use yufu_base::{Signer, Timestamp};
use yufu_jose::jwe::ContentEncryption;
use yufu_jose::{Chain, Header, Jwk, JwkSet, SignError, parse_json};

/// The `typ` of a request object.
pub const REQUEST_TYPE: &str = "oauth-authz-req+jwt";
/// The media type of a request object.
pub const REQUEST_MEDIA_TYPE: &str = "application/oauth-authz-req+jwt";
/// The audience of a request to a wallet that was not looked up (section 5.8).
pub const SELF_ISSUED: &str = "https://self-issued.me/v2";
/// The `format` of a registration certificate in `verifier_info` (ETSI TS 119 472-2).
pub const REGISTRATION_CERTIFICATE_FORMAT: &str = "registration_cert";

/// The `format` in `verifier_info` of an address at which the wallet gets the receipt of what it showed to a page: a word
/// of this house, which other wallets overlook.
pub const RECEIPT_ADDRESS_FORMAT: &str = "yufu_receipt_address";

/// The most entries of `verifier_info` and of `transaction_data`.
const MAX_ENTRIES: usize = 8;

/// A request, checked as far as it can be without knowing whom it is from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Value", into = "Value")]
pub struct RequestObject {
    /// Whom it is from, with its prefix: `x509_hash:...`.
    pub client_id: String,
    /// Which way the answer goes, and how it is encrypted.
    pub reply: Reply,
    /// The challenge the holder signs.
    pub nonce: String,
    /// What the answer repeats.
    pub state: Option<String>,
    /// The wallet's own challenge, repeated.
    pub wallet_nonce: Option<String>,
    /// What is asked.
    pub dcql_query: DcqlQuery,
    /// What others attest of the verifier.
    pub verifier_info: Vec<VerifierInfo>,
    /// What else the holder is to sign.
    pub transaction_data: Vec<EncodedTransaction>,
    /// When it was made.
    pub issued_at: Option<Timestamp>,
    /// Until when it may be answered.
    pub expires_at: Timestamp,
}

/// Something another party attests of the verifier (section 5.11).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerifierInfo {
    /// The format of the attestation.
    pub format: String,
    /// The attestation: for a registration certificate, its JWT.
    pub data: Value,
    /// The queries it is about; if absent, all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credential_ids: Option<Vec<String>>,
}

/// Why a request object is refused. Checked in this order.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RequestObjectError {
    /// Not the JSON of a request, the query included.
    #[error("the request cannot be read: {0}")]
    Json(String),
    /// Another response type than `vp_token`.
    #[error("response_type is {0:?}, expected vp_token")]
    ResponseType(String),
    /// Another response mode: a posted answer would not be encrypted.
    #[error("response_mode is {0:?}, expected direct_post.jwt, or through a browser dc_api.jwt")]
    ResponseMode(String),
    /// A redirect URI beside the response URI (section 8.2).
    #[error("redirect_uri must not be given with direct_post.jwt")]
    RedirectUri,
    /// No response URI, or not a permitted one.
    #[error("response_uri: {0}")]
    ResponseUri(EndpointError),
    /// No origins, too many, or one of an unsafe scheme (section A.2).
    #[error(
        "expected_origins must name the origins of the verifier's pages, such as https://shop.example"
    )]
    Origins,
    /// Not made for wallets.
    #[error("aud is {0:?}, expected {SELF_ISSUED}")]
    Audience(String),
    /// A nonce that is short or has characters that are not URL-safe.
    #[error("the nonce must be 16 to 512 URL-safe characters")]
    Nonce,
    /// A scope beside, or instead of, the query.
    #[error("the request must ask by dcql_query, without a scope")]
    Scope,
    /// No key to encrypt the answer to.
    #[error("client_metadata has no key with a kid for ECDH-ES on P-256")]
    EncryptionKey,
    /// No content encryption in common.
    #[error("the verifier accepts neither A256GCM nor A128GCM")]
    ContentEncryption,
    /// The verifier asks for a format that it does not say to accept.
    #[error("vp_formats_supported does not name {0}, which is asked for")]
    Formats(String),
    /// Too many, or an empty array of, attestations or transaction data.
    #[error("{0} must have 1 to {MAX_ENTRIES} entries if it is given")]
    Entries(&'static str),
    /// Transaction data that are not understood (`invalid_transaction_data`).
    #[error(transparent)]
    Transaction(#[from] TransactionError),
    /// Transaction data for an mdoc, which could not carry the holder's word on them.
    #[error("transaction data are signed with an SD-JWT VC: {0:?} is a query for another format")]
    TransactionFormat(String),
    /// Transaction data, or an attestation, about a query that is not there.
    #[error("{what} names the unknown query {id:?}")]
    UnknownQuery {
        /// Which member.
        what: &'static str,
        /// The name.
        id: String,
    },
    /// Transaction data that a credential without a key would sign (section B.3.3).
    #[error("transaction data need a credential that is bound to a key")]
    Unbound,
}

#[derive(Deserialize)]
struct Wire {
    client_id: String,
    #[serde(default)]
    response_type: String,
    #[serde(default)]
    response_mode: String,
    #[serde(default)]
    response_uri: String,
    redirect_uri: Option<Value>,
    #[serde(default)]
    expected_origins: Vec<String>,
    aud: Option<String>,
    #[serde(default)]
    nonce: String,
    state: Option<String>,
    wallet_nonce: Option<String>,
    scope: Option<Value>,
    dcql_query: DcqlQuery,
    #[serde(default)]
    client_metadata: MetadataWire,
    verifier_info: Option<Vec<VerifierInfo>>,
    transaction_data: Option<Vec<String>>,
    iat: Option<u64>,
    exp: u64,
}

#[derive(Default, Deserialize)]
struct MetadataWire {
    #[serde(default)]
    jwks: JwkSet,
    encrypted_response_enc_values_supported: Option<Vec<String>>,
    #[serde(default)]
    vp_formats_supported: serde_json::Map<String, Value>,
}

impl RequestObject {
    /// Reads the payload of a request object.
    ///
    /// # Errors
    /// [`RequestObjectError`], the first rule that is broken.
    pub fn from_json(payload: &[u8]) -> Result<Self, RequestObjectError> {
        let mut wire: Wire =
            parse_json(payload).map_err(|e| RequestObjectError::Json(e.to_string()))?;
        if wire.response_type != "vp_token" {
            return Err(RequestObjectError::ResponseType(wire.response_type));
        }
        let way = wire.way()?;
        // The Digital Credentials API leaves it open (section A.2): the platform finds the wallet.
        let needs_audience = matches!(way, Way::Post(_));
        if wire.aud.as_deref().map_or(needs_audience, |aud| aud != SELF_ISSUED) {
            return Err(RequestObjectError::Audience(wire.aud.unwrap_or_default()));
        }
        let safe = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
        if !(16..=512).contains(&wire.nonce.len()) || !wire.nonce.bytes().all(safe) {
            return Err(RequestObjectError::Nonce);
        }
        if wire.scope.is_some() {
            return Err(RequestObjectError::Scope);
        }
        let reply = wire.client_metadata.reply(way, &wire.dcql_query)?;
        let verifier_info = entries("verifier_info", wire.verifier_info)?;
        let transaction_data = entries("transaction_data", wire.transaction_data)?
            .iter()
            .map(|text| EncodedTransaction::parse(text))
            .collect::<Result<Vec<_>, _>>()?;
        let request = Self {
            client_id: wire.client_id,
            reply,
            nonce: wire.nonce,
            state: wire.state,
            wallet_nonce: wire.wallet_nonce,
            dcql_query: wire.dcql_query,
            verifier_info,
            transaction_data,
            issued_at: wire.iat.map(Timestamp::from_seconds),
            expires_at: Timestamp::from_seconds(wire.exp),
        };
        request.check_references()?;
        Ok(request)
    }

    /// The payload.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut metadata = json!({
            "vp_formats_supported": formats_supported(),
        });
        if let (Some(encryption), Value::Object(members)) = (self.reply.encryption(), &mut metadata)
        {
            let accepted = json!(encryption.accepted());
            members.insert("jwks".to_owned(), json!({"keys": [encryption.encryption_key]}));
            members.insert("encrypted_response_enc_values_supported".to_owned(), accepted);
        }
        let mut document = json!({
            "response_type": "vp_token",
            "aud": SELF_ISSUED,
            "client_id": self.client_id,
            "nonce": self.nonce,
            "dcql_query": self.dcql_query,
            "client_metadata": metadata,
            "exp": self.expires_at.seconds(),
        });
        let Value::Object(members) = &mut document else { return document };
        let mut add = |name: &str, value: Option<Value>| {
            members.extend(value.map(|value| (name.to_owned(), value)));
        };
        for (name, value) in self.reply.members() {
            add(name, Some(value));
        }
        add("state", self.state.clone().map(Value::from));
        add("wallet_nonce", self.wallet_nonce.clone().map(Value::from));
        add("iat", self.issued_at.map(|at| at.seconds().into()));
        let info = &self.verifier_info;
        add("verifier_info", (!info.is_empty()).then(|| json!(info)));
        let transactions: Vec<&str> =
            self.transaction_data.iter().map(EncodedTransaction::text).collect();
        add("transaction_data", (!transactions.is_empty()).then(|| json!(transactions)));
        document
    }

    /// Signs the request with the key of the leaf of `chain` (`x509_hash`, section 5.9.3).
    ///
    /// # Errors
    /// [`SignError`] if the key does not sign.
    pub fn sign(&self, chain: &Chain, key: &dyn Signer) -> Result<String, SignError> {
        let header = Header::typed(REQUEST_TYPE).with_chain(chain);
        yufu_jose::sign(&header, self.to_json().to_string().as_bytes(), key)
    }

    /// The registration certificate among the attestations, as a JWT.
    #[must_use]
    pub fn registration_certificate(&self) -> Option<&str> {
        let mut attestations = self.verifier_info.iter();
        let found = attestations.find(|info| info.format == REGISTRATION_CERTIFICATE_FORMAT);
        found.and_then(|info| info.data.as_str())
    }

    /// Where the wallet gets the receipt of what it shows to a page.
    #[must_use]
    pub fn receipt_address(&self) -> Option<&str> {
        let found = self.verifier_info.iter().find(|info| info.format == RECEIPT_ADDRESS_FORMAT);
        found.and_then(|info| info.data.as_str())
    }

    fn check_references(&self) -> Result<(), RequestObjectError> {
        let query = |what: &'static str, id: &String| {
            let unknown = || RequestObjectError::UnknownQuery { what, id: id.clone() };
            self.dcql_query.credential(id).ok_or_else(unknown)
        };
        for info in &self.verifier_info {
            for id in info.credential_ids.iter().flatten() {
                query("verifier_info", id)?;
            }
        }
        for transaction in &self.transaction_data {
            for id in transaction.data().credential_ids() {
                let asked = query("transaction_data", id)?;
                if asked.format != crate::FORMAT_SD_JWT_VC {
                    return Err(RequestObjectError::TransactionFormat(id.clone()));
                }
                if !asked.require_cryptographic_holder_binding {
                    return Err(RequestObjectError::Unbound);
                }
            }
        }
        Ok(())
    }
}

impl TryFrom<Value> for RequestObject {
    type Error = RequestObjectError;
    fn try_from(document: Value) -> Result<Self, RequestObjectError> {
        Self::from_json(document.to_string().as_bytes())
    }
}

impl From<RequestObject> for Value {
    fn from(request: RequestObject) -> Self {
        request.to_json()
    }
}

/// Which way an answer goes, before it is known how it is encrypted.
enum Way {
    Post(Endpoint),
    Encrypted(Vec<String>),
    Clear(Vec<String>),
}

impl Wire {
    fn way(&mut self) -> Result<Way, RequestObjectError> {
        if ![POSTED, BROWSER, BROWSER_CLEAR].contains(&self.response_mode.as_str()) {
            return Err(RequestObjectError::ResponseMode(self.response_mode.clone()));
        }
        if self.response_mode == POSTED {
            if self.redirect_uri.is_some() {
                return Err(RequestObjectError::RedirectUri);
            }
            let uri = Endpoint::parse(&self.response_uri);
            return uri.map(Way::Post).map_err(RequestObjectError::ResponseUri);
        }
        if !are_origins(&self.expected_origins) {
            return Err(RequestObjectError::Origins);
        }
        // Neither is a parameter of this API: they are ignored, as all that is not known is.
        (self.state, self.wallet_nonce) = (None, None);
        let origins = std::mem::take(&mut self.expected_origins);
        let encrypted = self.response_mode == BROWSER;
        Ok(if encrypted { Way::Encrypted(origins) } else { Way::Clear(origins) })
    }
}

impl MetadataWire {
    fn reply(self, way: Way, query: &DcqlQuery) -> Result<Reply, RequestObjectError> {
        let accepted = &self.vp_formats_supported;
        let mut formats = query.credentials().iter().map(|query| &query.format);
        let other = formats.find(|format| !accepted.contains_key(*format)).cloned();
        let reply = match way {
            Way::Post(to) => Reply::Posted { to, encryption: self.encryption()? },
            Way::Encrypted(expected_origins) => {
                Reply::Browser { expected_origins, encryption: Some(self.encryption()?) }
            }
            Way::Clear(expected_origins) => Reply::Browser { expected_origins, encryption: None },
        };
        other.map_or(Ok(reply), |format| Err(RequestObjectError::Formats(format)))
    }

    fn encryption(self) -> Result<ClientMetadata, RequestObjectError> {
        let usable = |key: &Jwk| {
            key.kid.is_some()
                && key.alg.as_deref() == Some("ECDH-ES")
                && key.usage.as_deref().is_none_or(|usage| usage == "enc")
        };
        let encryption_key =
            self.jwks.keys.into_iter().find(usable).ok_or(RequestObjectError::EncryptionKey)?;
        let names = self.encrypted_response_enc_values_supported;
        let accepts = |enc: &ContentEncryption| match &names {
            Some(names) => names.iter().any(|name| name == enc.name()),
            None => *enc == ContentEncryption::A128Gcm,
        };
        let content_encryption = [ContentEncryption::A256Gcm, ContentEncryption::A128Gcm]
            .into_iter()
            .find(accepts)
            .ok_or(RequestObjectError::ContentEncryption)?;
        Ok(ClientMetadata { encryption_key, content_encryption })
    }
}

fn entries<T>(what: &'static str, list: Option<Vec<T>>) -> Result<Vec<T>, RequestObjectError> {
    match list {
        None => Ok(Vec::new()),
        Some(list) if (1..=MAX_ENTRIES).contains(&list.len()) => Ok(list),
        Some(_) => Err(RequestObjectError::Entries(what)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use yufu_jose::jwe::DecryptionKey;

    fn document() -> Value {
        let key = DecryptionKey::from_seed(&[1; 32]).unwrap().public_jwk("k1");
        json!({
            "client_id": "x509_hash:abc", "response_type": "vp_token",
            "response_mode": "direct_post.jwt", "response_uri": "https://v.example/r",
            "aud": SELF_ISSUED, "nonce": "0123456789abcdef", "state": "s", "exp": 1_790_000_300,
            "dcql_query": {"credentials": [
                {"id": "pid", "format": "dc+sd-jwt", "meta": {"vct_values": ["urn:pid"]}}]},
            "client_metadata": {
                "jwks": {"keys": [{"kty": "OKP", "kid": "x", "crv": "X25519", "x": "AA"}, key]},
                "encrypted_response_enc_values_supported": ["A256GCM", "A128GCM"],
                "vp_formats_supported": {"dc+sd-jwt": {}}},
            "iss": "ignored", "something": 1,
        })
    }

    fn read(document: &Value) -> Result<RequestObject, RequestObjectError> {
        RequestObject::from_json(document.to_string().as_bytes())
    }

    fn error(change: impl FnOnce(&mut Value)) -> RequestObjectError {
        let mut document = document();
        change(&mut document);
        read(&document).unwrap_err()
    }

    #[test]
    fn a_request_survives_the_wire_and_prefers_a256gcm() {
        let request = read(&document()).unwrap();
        let encryption = request.reply.encryption().unwrap();
        assert_eq!(encryption.content_encryption, ContentEncryption::A256Gcm);
        assert_eq!(encryption.encryption_key.kid.as_deref(), Some("k1"));
        assert_eq!(read(&request.to_json()).unwrap(), request);
    }

    #[test]
    fn without_a_list_the_content_encryption_is_a128gcm_5_1() {
        let mut document = document();
        document["client_metadata"]
            .as_object_mut()
            .unwrap()
            .remove("encrypted_response_enc_values_supported");
        let request = read(&document).unwrap();
        let content = request.reply.encryption().unwrap().content_encryption;
        assert_eq!(content, ContentEncryption::A128Gcm);
        let stored = serde_json::to_string(&request).unwrap();
        assert_eq!(serde_json::from_str::<RequestObject>(&stored).unwrap(), request);
    }

    /// The same request through a browser.
    fn browser(mode: &str) -> Value {
        let mut document = document();
        document["response_mode"] = mode.into();
        document["expected_origins"] = json!(["https://v.example"]);
        let members = document.as_object_mut().unwrap();
        members.remove("aud");
        members.remove("response_uri");
        document
    }

    #[test]
    fn a_request_through_the_browser_survives_the_wire_in_both_modes_a_2() {
        let origins = vec!["https://v.example".to_owned()];
        for (mode, encrypted) in [("dc_api.jwt", true), ("dc_api", false)] {
            let request = read(&browser(mode)).unwrap();
            assert_eq!(request.reply.mode(), mode);
            assert_eq!(request.reply.encryption().is_some(), encrypted);
            assert_eq!(request.reply.address(), None);
            assert!(request.state.is_none(), "not a parameter of this API");
            let Reply::Browser { expected_origins, .. } = &request.reply else { unreachable!() };
            assert_eq!(*expected_origins, origins);
            assert_eq!(read(&request.to_json()).unwrap(), request);
        }
        let mut clear = browser("dc_api");
        clear["client_metadata"].as_object_mut().unwrap().remove("jwks");
        assert!(read(&clear).is_ok(), "a key is for what is encrypted");
    }

    #[test]
    fn each_rule_of_a_request_through_the_browser_is_refused_by_its_own_name_a_2() {
        use RequestObjectError as E;
        let error = |change: fn(&mut Value)| {
            let mut document = browser("dc_api.jwt");
            change(&mut document);
            read(&document).unwrap_err()
        };
        assert_eq!(
            error(|d| d["response_mode"] = "fragment".into()),
            E::ResponseMode("fragment".into())
        );
        for origins in [json!([]), json!(["http://v.example"]), json!(["javascript:x"])] {
            let mut document = browser("dc_api.jwt");
            document["expected_origins"] = origins;
            assert_eq!(read(&document).unwrap_err(), E::Origins);
        }
        assert_eq!(error(|d| d["aud"] = "me".into()), E::Audience("me".into()));
        assert_eq!(error(|d| d["client_metadata"]["jwks"] = json!({"keys": []})), E::EncryptionKey);
        assert_eq!(error(|d| d["nonce"] = "short".into()), E::Nonce);
    }

    #[test]
    fn each_rule_of_a_request_is_refused_by_its_own_name_5() {
        use RequestObjectError as E;
        let unknown = |what| E::UnknownQuery { what, id: "x".into() };
        assert!(matches!(error(|d| d["exp"] = Value::Null), E::Json(_)));
        assert!(matches!(error(|d| d["dcql_query"]["credentials"] = json!([])), E::Json(_)));
        assert_eq!(error(|d| d["response_type"] = "code".into()), E::ResponseType("code".into()));
        assert_eq!(
            error(|d| d["response_mode"] = "direct_post".into()),
            E::ResponseMode("direct_post".into())
        );
        assert_eq!(error(|d| d["redirect_uri"] = "https://v.example".into()), E::RedirectUri);
        assert!(matches!(
            error(|d| d["response_uri"] = "http://v.example/r".into()),
            E::ResponseUri(EndpointError::Insecure(_))
        ));
        assert_eq!(error(|d| d["aud"] = "me".into()), E::Audience("me".into()));
        for nonce in ["short", "0123456789 abcdef", &"a".repeat(513)] {
            assert_eq!(error(|d| d["nonce"] = nonce.into()), E::Nonce);
        }
        assert_eq!(error(|d| d["scope"] = "pid".into()), E::Scope);
        assert_eq!(error(|d| d["client_metadata"]["jwks"] = json!({"keys": []})), E::EncryptionKey);
        assert_eq!(
            error(|d| d["client_metadata"]["jwks"]["keys"][1]["use"] = "sig".into()),
            E::EncryptionKey
        );
        assert_eq!(
            error(|d| {
                d["client_metadata"]["encrypted_response_enc_values_supported"] =
                    json!(["A128CBC-HS256"]);
            }),
            E::ContentEncryption
        );
        assert_eq!(
            error(|d| d["client_metadata"]["vp_formats_supported"] = json!({"mso_mdoc": {}})),
            E::Formats("dc+sd-jwt".into())
        );
        assert_eq!(error(|d| d["transaction_data"] = json!([])), E::Entries("transaction_data"));
        assert_eq!(error(|d| d["verifier_info"] = json!([])), E::Entries("verifier_info"));
        assert_eq!(
            error(|d| d["transaction_data"] = json!(["!"])),
            E::Transaction(TransactionError::Encoding)
        );
        assert_eq!(
            error(|d| {
                d["verifier_info"] = json!([{"format": "f", "data": "", "credential_ids": ["x"]}]);
            }),
            unknown("verifier_info")
        );
        let opening = |id: &str| {
            let document = json!({"type": "yufu_account_opening", "credential_ids": [id],
                "bank": "b", "class": "III",
                "wallet_key_thumbprint": yufu_jose::encode_base64url([7; 32])});
            json!([yufu_jose::encode_base64url(document.to_string())])
        };
        assert_eq!(error(|d| d["transaction_data"] = opening("x")), unknown("transaction_data"));
        assert_eq!(
            error(|d| {
                d["transaction_data"] = opening("pid");
                d["dcql_query"]["credentials"][0]["require_cryptographic_holder_binding"] =
                    false.into();
            }),
            E::Unbound
        );
    }
}
