//! What goes through a browser or a platform by the Digital Credentials API (OpenID4VP 1.0, appendix A): a signed
//! request on its way to the wallet, and the answer on its way back to the page.

use super::response::{AuthorizationErrorCode, AuthorizationResponse, DirectPostError};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// The protocol of a request that one verifier signed (section A.1).
pub const SIGNED_PROTOCOL: &str = "openid4vp-v1-signed";
/// The protocol of a request that nobody signed.
const UNSIGNED_PROTOCOL: &str = "openid4vp-v1-unsigned";
/// The largest request and the largest answer that are read, in bytes.
const MAX_LENGTH: usize = 1 << 20;

/// A request as a page gives it to `navigator.credentials.get`, and as the platform gives it to a wallet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DigitalRequest {
    /// Which protocol: ours is [`SIGNED_PROTOCOL`].
    pub protocol: String,
    /// What that protocol says.
    pub data: Value,
}

/// Why a request that came through the browser is not one that is read. Checked in this order.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DigitalRequestError {
    /// Nobody signed it: nobody is certified to ask, and nobody registered for what it asks.
    #[error(
        "the request is not signed, so nobody stands behind it: the page has to ask with {SIGNED_PROTOCOL}"
    )]
    Unsigned,
    /// Another protocol, or one of other versions.
    #[error("the page asks by the protocol {0:?}: this wallet answers {SIGNED_PROTOCOL}")]
    Protocol(String),
    /// Not the object of a signed request.
    #[error("the data of a signed request are an object with the request as a text")]
    Data,
    /// Larger than 1 MiB.
    #[error("the request is larger than {MAX_LENGTH} bytes")]
    TooLarge,
}

/// What a wallet gives back to the page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DigitalAnswer {
    /// An encrypted answer, as a JWE (`dc_api.jwt`).
    Encrypted(String),
    /// An answer in the clear (`dc_api`).
    Clear(AuthorizationResponse),
    /// A refusal.
    Error(AuthorizationErrorCode),
}

impl DigitalRequest {
    /// A signed request object, for the page.
    #[must_use]
    pub fn signed(request_object: &str) -> Self {
        Self { protocol: SIGNED_PROTOCOL.to_owned(), data: json!({"request": request_object}) }
    }

    /// The signed request object in it. Whatever stands beside it is ignored: only what is signed counts.
    ///
    /// # Errors
    /// [`DigitalRequestError`], the first rule that is broken.
    pub fn request_object(&self) -> Result<&str, DigitalRequestError> {
        match self.protocol.as_str() {
            SIGNED_PROTOCOL => {}
            UNSIGNED_PROTOCOL => return Err(DigitalRequestError::Unsigned),
            other => return Err(DigitalRequestError::Protocol(other.to_owned())),
        }
        let request = self.data.get("request").and_then(Value::as_str);
        let request = request.ok_or(DigitalRequestError::Data)?;
        if request.len() > MAX_LENGTH {
            return Err(DigitalRequestError::TooLarge);
        }
        Ok(request)
    }
}

impl DigitalAnswer {
    /// The member `data` of what the page gets.
    #[must_use]
    pub fn to_data(&self) -> Value {
        match self {
            Self::Encrypted(jwe) => json!({"response": jwe}),
            Self::Clear(answer) => json!({"vp_token": answer.vp_token}),
            Self::Error(code) => json!({"error": code}),
        }
    }

    /// Reads the member `data` of what a page got; unknown members are ignored.
    ///
    /// # Errors
    /// [`DirectPostError`], the first rule that is broken.
    pub fn from_data(data: &Map<String, Value>) -> Result<Self, DirectPostError> {
        let given = |name: &str| data.get(name).filter(|value| !value.is_null());
        match (given("response"), given("vp_token"), given("error")) {
            (Some(Value::String(jwe)), None, None) if jwe.len() > MAX_LENGTH => {
                Err(DirectPostError::TooLarge)
            }
            (Some(Value::String(jwe)), None, None) => Ok(Self::Encrypted(jwe.clone())),
            (None, Some(token), None) => {
                let answer = json!({"vp_token": token}).to_string();
                AuthorizationResponse::from_json(answer.as_bytes()).map(Self::Clear)
            }
            (None, None, Some(Value::String(code))) => serde_json::from_value(json!(code))
                .map(Self::Error)
                .map_err(|_| DirectPostError::ErrorCode(code.clone())),
            _ => Err(DirectPostError::Parameters),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn request(protocol: &str, data: Value) -> DigitalRequest {
        DigitalRequest { protocol: protocol.to_owned(), data }
    }

    #[test]
    fn only_a_signed_request_is_read_and_nothing_beside_it_counts_a_3_2() {
        use DigitalRequestError as E;
        let made = DigitalRequest::signed("a.b.c");
        assert_eq!(json!(made)["protocol"], "openid4vp-v1-signed");
        assert_eq!(made.request_object(), Ok("a.b.c"));
        let beside = json!({"request": "a.b.c", "client_id": "x509_hash:other", "nonce": "n"});
        assert_eq!(request(SIGNED_PROTOCOL, beside).request_object(), Ok("a.b.c"));
        let unsigned = json!({"client_id": "x509_hash:a", "response_type": "vp_token"});
        assert_eq!(request("openid4vp-v1-unsigned", unsigned).request_object(), Err(E::Unsigned));
        for other in
            ["openid4vp-v1-multisigned", "openid4vp", "org-iso-mdoc", "openid4vp-v2-signed"]
        {
            let refused = request(other, json!({"request": "a.b.c"}));
            assert_eq!(refused.request_object(), Err(E::Protocol(other.to_owned())));
        }
        for data in [json!({}), json!("a.b.c"), json!({"request": 7}), Value::Null] {
            assert_eq!(request(SIGNED_PROTOCOL, data).request_object(), Err(E::Data));
        }
        let large = request(SIGNED_PROTOCOL, json!({"request": "a".repeat(MAX_LENGTH + 1)}));
        assert_eq!(large.request_object(), Err(E::TooLarge));
    }

    #[test]
    fn an_answer_is_one_of_three_and_survives_the_page_a_4() {
        let vp_token = BTreeMap::from([("pid".to_owned(), vec!["x".to_owned()])]);
        for answer in [
            DigitalAnswer::Encrypted("a.b.c.d.e".into()),
            DigitalAnswer::Clear(AuthorizationResponse { vp_token, state: None }),
            DigitalAnswer::Error(AuthorizationErrorCode::AccessDenied),
        ] {
            let data = answer.to_data();
            assert_eq!(DigitalAnswer::from_data(data.as_object().unwrap()), Ok(answer));
        }
        use DirectPostError as E;
        let error = |data: Value| DigitalAnswer::from_data(data.as_object().unwrap()).unwrap_err();
        assert_eq!(error(json!({})), E::Parameters);
        assert_eq!(error(json!({"response": 7})), E::Parameters);
        assert_eq!(error(json!({"response": "a", "error": "access_denied"})), E::Parameters);
        assert_eq!(error(json!({"response": "a", "vp_token": {}})), E::Parameters);
        assert_eq!(error(json!({"response": "a".repeat(MAX_LENGTH + 1)})), E::TooLarge);
        assert_eq!(error(json!({"error": "teapot"})), E::ErrorCode("teapot".into()));
        assert!(matches!(error(json!({"vp_token": {"a": "b"}})), E::Json(_)));
    }
}
