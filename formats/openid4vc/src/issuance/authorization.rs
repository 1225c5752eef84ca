//! Pushed authorization requests (RFC 9126) as OpenID4VCI 1.0, section 5, and HAIP 1.0 use them, and
//! the answer that comes back by way of the person's browser (RFC 9207).

use super::form::Form;
use super::pkce::is_challenge;
use super::{PKCE_S256, TokenErrorCode, TokenRequestError};
use crate::Endpoint;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use url::Url;

/// The type of an authorization detail about credentials.
pub const DETAIL_TYPE: &str = "openid_credential";
/// What a request URI begins with (RFC 9126, section 2.2).
pub const REQUEST_URI: &str = "urn:ietf:params:oauth:request_uri:";

/// The most credentials that are asked for at once.
const MOST: usize = 16;
/// The longest state that is carried, in bytes.
const MAX_STATE: usize = 512;
/// The longest redirect URI, in bytes.
const MAX_REDIRECT: usize = 1024;

/// One credential that is asked for by authorization details.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthorizationDetail {
    /// `openid_credential`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Which credential.
    pub credential_configuration_id: String,
    /// In a token response: what is asked for at the credential endpoint.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub credential_identifiers: Vec<String>,
}

/// What a wallet pushes before it sends the person's browser.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PushedRequest {
    /// Which wallet: the `sub` of its attestation.
    pub client_id: String,
    /// Where the browser is sent afterwards.
    pub redirect_uri: String,
    /// The scopes; those that the issuer does not know count for nothing.
    pub scopes: Vec<String>,
    /// The credentials asked for by authorization details.
    pub details: Vec<AuthorizationDetail>,
    /// What comes back as it was.
    pub state: Option<String>,
    /// The S256 challenge of the wallet's verifier.
    pub code_challenge: String,
    /// What the offer said, if there was one.
    pub issuer_state: Option<String>,
    /// The thumbprint of the key to which the code is to be bound (RFC 9449, section 10).
    pub dpop_jkt: Option<String>,
}

/// What the wallet gets for it (RFC 9126, section 2.2); sent with status 201.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PushedResponse {
    /// What the browser brings.
    pub request_uri: String,
    /// For how long, in seconds.
    pub expires_in: u64,
}

/// Why a form is not a request. Checked in this order.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PushedRequestError {
    /// A parameter is missing or repeated, or the form is too large.
    #[error(transparent)]
    Form(#[from] TokenRequestError),
    /// A request URI may not be pushed (RFC 9126, section 2.1).
    #[error("request_uri must not be pushed: push the parameters themselves")]
    RequestUri,
    /// Another response type.
    #[error("response_type must be code")]
    ResponseType,
    /// No S256 challenge.
    #[error(
        "code_challenge must be the S256 digest of a verifier, with code_challenge_method S256"
    )]
    Challenge,
    /// A redirect URI that nobody is sent to.
    #[error(
        "redirect_uri must be https, http to the device itself, or of a scheme of the wallet's own with a dot in it; without fragment"
    )]
    RedirectUri,
    /// Authorization details that cannot be read, or of another type.
    #[error("authorization_details must be 1 to {MOST} objects of type openid_credential: {0}")]
    Details(String),
    /// Neither scope nor details.
    #[error("neither scope nor authorization_details says which credential is wanted")]
    Nothing,
    /// Too long.
    #[error("state is longer than {MAX_STATE} bytes")]
    State,
}

impl PushedRequestError {
    /// The code to answer with.
    #[must_use]
    pub const fn code(&self) -> TokenErrorCode {
        match self {
            Self::ResponseType => TokenErrorCode::UnsupportedResponseType,
            Self::Details(_) => TokenErrorCode::InvalidAuthorizationDetails,
            Self::Nothing => TokenErrorCode::InvalidScope,
            Self::Form(error) => error.code(),
            Self::RequestUri | Self::Challenge | Self::RedirectUri | Self::State => {
                TokenErrorCode::InvalidRequest
            }
        }
    }
}

impl PushedRequest {
    /// Reads the form; unknown parameters are ignored.
    ///
    /// # Errors
    /// [`PushedRequestError`], the first rule that is broken.
    pub fn from_form(body: &[u8]) -> Result<Self, PushedRequestError> {
        let form = Form::read(body)?;
        if form.field("request_uri")?.is_some() {
            return Err(PushedRequestError::RequestUri);
        }
        let client_id = form.needed("client_id")?;
        if form.needed("response_type")? != "code" {
            return Err(PushedRequestError::ResponseType);
        }
        let method = form.field("code_challenge_method")?;
        let code_challenge = form.field("code_challenge")?.filter(|text| is_challenge(text));
        let code_challenge = code_challenge.filter(|_| method.as_deref() == Some(PKCE_S256));
        let code_challenge = code_challenge.ok_or(PushedRequestError::Challenge)?;
        let redirect_uri = form.needed("redirect_uri")?;
        if !is_redirect(&redirect_uri) {
            return Err(PushedRequestError::RedirectUri);
        }
        let details =
            form.field("authorization_details")?.map(|text| details(&text)).transpose()?;
        let scopes = form.field("scope")?.unwrap_or_default();
        let scopes: Vec<String> = scopes.split_ascii_whitespace().map(str::to_owned).collect();
        let details = details.unwrap_or_default();
        if scopes.is_empty() && details.is_empty() {
            return Err(PushedRequestError::Nothing);
        }
        let state = form.field("state")?;
        if state.as_ref().is_some_and(|state| state.len() > MAX_STATE) {
            return Err(PushedRequestError::State);
        }
        Ok(Self {
            client_id,
            redirect_uri,
            scopes,
            details,
            state,
            code_challenge,
            issuer_state: form.field("issuer_state")?,
            dpop_jkt: form.field("dpop_jkt")?,
        })
    }

    /// The fields of the form.
    ///
    /// # Errors
    /// [`serde_json::Error`] if the details cannot be written, which their type rules out.
    pub fn fields(&self) -> Result<Vec<(&'static str, String)>, serde_json::Error> {
        let mut fields = vec![
            ("response_type", "code".to_owned()),
            ("client_id", self.client_id.clone()),
            ("redirect_uri", self.redirect_uri.clone()),
            ("code_challenge", self.code_challenge.clone()),
            ("code_challenge_method", PKCE_S256.to_owned()),
        ];
        if !self.scopes.is_empty() {
            fields.push(("scope", self.scopes.join(" ")));
        }
        if !self.details.is_empty() {
            fields.push(("authorization_details", serde_json::to_string(&self.details)?));
        }
        let optional = [
            ("state", &self.state),
            ("issuer_state", &self.issuer_state),
            ("dpop_jkt", &self.dpop_jkt),
        ];
        let optional =
            optional.into_iter().filter_map(|(name, value)| Some((name, value.clone()?)));
        fields.extend(optional);
        Ok(fields)
    }
}

/// What the browser brings back to the wallet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AuthorizationAnswer {
    /// The code.
    Code(String),
    /// A refusal.
    Refused {
        /// Its code, in words of RFC 6749, section 4.1.2.1.
        error: String,
        /// Its words.
        description: String,
    },
}

/// Why an answer is not taken. Checked in this order.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AnswerError {
    /// Not at the wallet's address.
    #[error("the answer did not come to the address that the wallet gave")]
    Address,
    /// A parameter twice, or neither code nor error.
    #[error("the answer holds neither one code nor an error")]
    Parameters,
    /// Another state than the wallet gave: an answer to another request.
    #[error("the answer is to another request: its state differs")]
    State,
    /// Another server than was asked, or it does not say which (RFC 9207, section 2.4).
    #[error("the answer is by {found:?}, expected {expected}")]
    Issuer {
        /// Whom it names.
        found: String,
        /// Who was asked.
        expected: String,
    },
}

/// The address to which the browser is sent with an answer.
#[must_use]
pub fn redirect_with(redirect_uri: &str, parameters: &[(&str, &str)]) -> Option<String> {
    let mut url = Url::parse(redirect_uri).ok()?;
    url.query_pairs_mut().extend_pairs(parameters);
    Some(url.to_string())
}

/// Reads the address to which the browser was sent.
///
/// # Errors
/// [`AnswerError`], the first rule that is broken.
pub fn read_answer(
    address: &str,
    redirect_uri: &str,
    state: &str,
    server: &Endpoint,
) -> Result<AuthorizationAnswer, AnswerError> {
    let (url, own) = (Url::parse(address), Url::parse(redirect_uri));
    let (Ok(url), Ok(own)) = (url, own) else { return Err(AnswerError::Address) };
    let place = |url: &Url| {
        (
            url.scheme().to_owned(),
            url.host_str().map(str::to_owned),
            url.port(),
            url.path().to_owned(),
        )
    };
    if place(&url) != place(&own) {
        return Err(AnswerError::Address);
    }
    let one = |name: &str| {
        let mut found = url.query_pairs().filter(|(n, _)| n == name).map(|(_, v)| v.into_owned());
        match (found.next(), found.next()) {
            (first, None) => Ok(first),
            _ => Err(AnswerError::Parameters),
        }
    };
    let (code, error) = (one("code")?, one("error")?);
    if code.is_some() == error.is_some() {
        return Err(AnswerError::Parameters);
    }
    if one("state")?.as_deref() != Some(state) {
        return Err(AnswerError::State);
    }
    let found = one("iss")?.unwrap_or_default();
    if found != server.as_str() {
        return Err(AnswerError::Issuer { found, expected: server.to_string() });
    }
    let description = one("error_description")?.unwrap_or_default();
    Ok(match code {
        Some(code) => AuthorizationAnswer::Code(code),
        None => AuthorizationAnswer::Refused { error: error.unwrap_or_default(), description },
    })
}

fn details(text: &str) -> Result<Vec<AuthorizationDetail>, PushedRequestError> {
    let read: Result<Vec<AuthorizationDetail>, _> = serde_json::from_str(text);
    let details = read.map_err(|error| PushedRequestError::Details(error.to_string()))?;
    let refused = |why: &str| Err(PushedRequestError::Details(why.to_owned()));
    if details.is_empty() || details.len() > MOST {
        return refused("none, or too many");
    }
    if details.iter().any(|detail| detail.kind != DETAIL_TYPE) {
        return refused("another type");
    }
    let ids = details.iter().map(|detail| &detail.credential_configuration_id);
    if ids.collect::<BTreeSet<_>>().len() != details.len() {
        return refused("one credential twice");
    }
    Ok(details)
}

fn is_redirect(text: &str) -> bool {
    let Ok(url) = Url::parse(text) else { return false };
    if text.len() > MAX_REDIRECT || url.fragment().is_some() {
        return false;
    }
    match url.scheme() {
        "https" | "http" => Endpoint::parse(text).is_ok(),
        own => own.contains('.'),
    }
}

#[cfg(test)]
mod tests {
    use super::super::pkce_challenge;
    use super::*;
    use proptest::prelude::*;

    fn request() -> PushedRequest {
        PushedRequest {
            client_id: "https://pay.example/wallet-providers/p".into(),
            redirect_uri: "https://wallet.example/cb".into(),
            scopes: vec!["pid".into()],
            details: vec![],
            state: Some("s".into()),
            code_challenge: pkce_challenge("v"),
            issuer_state: Some("i".into()),
            dpop_jkt: None,
        }
    }

    fn form(fields: &[(&str, String)]) -> Vec<u8> {
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.extend_pairs(fields.iter().map(|(name, value)| (*name, value.as_str())));
        form.finish().into_bytes()
    }

    fn with(name: &'static str, value: Option<&str>) -> Result<PushedRequest, PushedRequestError> {
        let mut fields = request().fields().unwrap();
        fields.retain(|(n, _)| *n != name);
        fields.extend(value.map(|value| (name, value.to_owned())));
        PushedRequest::from_form(&form(&fields))
    }

    #[test]
    fn each_rule_of_a_pushed_request_is_refused_by_its_own_name_haip_4_3() {
        use PushedRequestError as E;
        use TokenErrorCode as Code;
        assert_eq!(PushedRequest::from_form(&form(&request().fields().unwrap())), Ok(request()));
        let refused = |name, value: Option<&str>| with(name, value).unwrap_err();
        let twice = r#"[{"type":"openid_credential","credential_configuration_id":"a"},{"type":"openid_credential","credential_configuration_id":"a"}]"#;
        let other = r#"[{"type":"x","credential_configuration_id":"a"}]"#;
        for (error, expected, code) in [
            (refused("request_uri", Some("urn:x")), E::RequestUri, Code::InvalidRequest),
            (
                refused("client_id", None),
                E::Form(TokenRequestError::Missing("client_id")),
                Code::InvalidRequest,
            ),
            (
                refused("response_type", Some("token")),
                E::ResponseType,
                Code::UnsupportedResponseType,
            ),
            (refused("code_challenge", None), E::Challenge, Code::InvalidRequest),
            (refused("code_challenge", Some("plain-text")), E::Challenge, Code::InvalidRequest),
            (refused("code_challenge_method", Some("plain")), E::Challenge, Code::InvalidRequest),
            (refused("code_challenge_method", None), E::Challenge, Code::InvalidRequest),
            (refused("scope", None), E::Nothing, Code::InvalidScope),
            (refused("state", Some(&"s".repeat(513))), E::State, Code::InvalidRequest),
        ] {
            assert_eq!((error.code(), error), (code, expected));
        }
        for bad in ["[]", "{}", twice, other] {
            let error = refused("authorization_details", Some(bad));
            assert_eq!(error.code(), Code::InvalidAuthorizationDetails, "{bad}: {error}");
        }
    }

    #[test]
    fn a_browser_is_sent_to_https_to_the_device_or_to_an_app_and_nowhere_else() {
        for good in ["https://w.example/cb", "http://127.0.0.1:9/cb", "com.example.wallet:/cb"] {
            assert!(with("redirect_uri", Some(good)).is_ok(), "{good}");
        }
        for bad in ["http://w.example/cb", "javascript:x", "data:,x", "https://w.example/#f", "cb"]
        {
            let refused = with("redirect_uri", Some(bad));
            assert_eq!(refused, Err(PushedRequestError::RedirectUri), "{bad}");
        }
    }

    #[test]
    fn an_answer_is_to_this_request_by_this_server_and_names_it_once_rfc_9207() {
        let server = Endpoint::parse("https://id.example/authority/haip").unwrap();
        let own = "https://wallet.example/cb?x=1";
        let answer = |parameters: &[(&str, &str)]| {
            let address = redirect_with(own, parameters).unwrap();
            read_answer(&address, own, "s", &server)
        };
        let iss = ("iss", server.as_str());
        let code = ("code", "c");
        assert_eq!(answer(&[code, ("state", "s"), iss]), Ok(AuthorizationAnswer::Code("c".into())));
        let refused = answer(&[("error", "access_denied"), ("state", "s"), iss]);
        assert!(matches!(refused, Ok(AuthorizationAnswer::Refused { .. })));
        assert_eq!(answer(&[code, ("state", "t"), iss]), Err(AnswerError::State));
        assert_eq!(answer(&[code, iss]), Err(AnswerError::State));
        for mixed_up in [vec![], vec![("iss", "https://id.example")]] {
            let parameters: Vec<_> = [code, ("state", "s")].into_iter().chain(mixed_up).collect();
            assert!(matches!(answer(&parameters), Err(AnswerError::Issuer { .. })));
        }
        assert_eq!(answer(&[code, code, ("state", "s"), iss]), Err(AnswerError::Parameters));
        assert_eq!(answer(&[("state", "s"), iss]), Err(AnswerError::Parameters));
        let elsewhere = read_answer("https://other.example/cb?code=c", own, "s", &server);
        assert_eq!(elsewhere, Err(AnswerError::Address));
    }

    proptest! {
        #[test]
        fn any_form_is_read_or_refused(body: Vec<u8>) {
            let _ = PushedRequest::from_form(&body);
        }
    }
}
