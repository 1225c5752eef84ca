//! Which way an answer goes, and how it is encrypted on it (OpenID4VP 1.0, sections 8.2, 8.3 and A.2).

use crate::{Endpoint, EndpointError};
use serde_json::{Value, json};
use yufu_jose::Jwk;
use yufu_jose::jwe::ContentEncryption;

/// The response mode of an answer that is posted, encrypted (section 8.3.1).
pub(super) const POSTED: &str = "direct_post.jwt";
/// The response mode of an encrypted answer that goes through the browser (section A.2).
pub(super) const BROWSER: &str = "dc_api.jwt";
/// The same in the clear.
pub(super) const BROWSER_CLEAR: &str = "dc_api";

/// The most origins that a request may name.
const MAX_ORIGINS: usize = 16;
/// Schemes that no origin of a request may have (section A.2); `http` is another matter: to this machine it may.
const UNSAFE_SCHEMES: [&str; 5] = ["ftp", "javascript", "data", "ws", "wss"];

/// Which way an answer goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// It is posted to an address, encrypted.
    Posted {
        /// The address.
        to: Endpoint,
        /// How it is encrypted.
        encryption: ClientMetadata,
    },
    /// It goes back through the browser or the platform, by the Digital Credentials API.
    Browser {
        /// Whose pages may have asked: `https://shop.example`. Compared as text.
        expected_origins: Vec<String>,
        /// How it is encrypted; none if the page, and whatever runs in it, is to read it.
        encryption: Option<ClientMetadata>,
    },
}

/// How the answer is to be encrypted (section 8.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientMetadata {
    /// The first key for encryption by ECDH-ES on P-256, with its `kid`.
    pub encryption_key: Jwk,
    /// The content encryption to use: A256GCM where it is accepted, else A128GCM.
    pub content_encryption: ContentEncryption,
}

impl Reply {
    /// How the answer is encrypted, if it is.
    #[must_use]
    pub const fn encryption(&self) -> Option<&ClientMetadata> {
        match self {
            Self::Posted { encryption, .. } => Some(encryption),
            Self::Browser { encryption, .. } => encryption.as_ref(),
        }
    }

    /// Where the answer is posted, if it is.
    #[must_use]
    pub const fn address(&self) -> Option<&Endpoint> {
        match self {
            Self::Posted { to, .. } => Some(to),
            Self::Browser { .. } => None,
        }
    }

    /// The response mode.
    #[must_use]
    pub const fn mode(&self) -> &'static str {
        match self {
            Self::Posted { .. } => POSTED,
            Self::Browser { encryption: Some(_), .. } => BROWSER,
            Self::Browser { encryption: None, .. } => BROWSER_CLEAR,
        }
    }

    /// The members of a request that say it, but for the formats.
    pub(super) fn members(&self) -> Vec<(&'static str, Value)> {
        let mut members = vec![("response_mode", Value::from(self.mode()))];
        members.push(match self {
            Self::Posted { to, .. } => ("response_uri", json!(to)),
            Self::Browser { expected_origins, .. } => ("expected_origins", json!(expected_origins)),
        });
        members
    }
}

impl ClientMetadata {
    /// The names of the content encryptions that are accepted, the best liked first.
    pub(super) const fn accepted(&self) -> &'static [&'static str] {
        match self.content_encryption {
            ContentEncryption::A256Gcm => &["A256GCM", "A128GCM"],
            ContentEncryption::A128Gcm => &["A128GCM"],
        }
    }
}

/// Whether these may be the origins of a request.
pub(super) fn are_origins(origins: &[String]) -> bool {
    (1..=MAX_ORIGINS).contains(&origins.len()) && origins.iter().all(|origin| may_be_origin(origin))
}

/// An origin may be a page's or an application's, whose form is the platform's affair.
fn may_be_origin(origin: &str) -> bool {
    let Some((scheme, rest)) = origin.split_once(':') else { return false };
    let scheme = scheme.to_ascii_lowercase();
    if rest.is_empty() || UNSAFE_SCHEMES.contains(&scheme.as_str()) {
        return false;
    }
    match scheme.as_str() {
        "http" | "https" => web_origin(origin).is_ok(),
        _ => true,
    }
}

/// A page's origin as an address, if it is one, written as browsers do: `https://shop.example`.
///
/// # Errors
/// [`EndpointError`], also if it says more than an origin.
pub fn web_origin(origin: &str) -> Result<Endpoint, EndpointError> {
    let endpoint = Endpoint::parse(origin)?;
    if endpoint.origin() == origin {
        Ok(endpoint)
    } else {
        Err(EndpointError::Url(origin.to_owned()))
    }
}

/// Whom a presentation through the browser is for: the page's origin, whoever signed the request (section A.4).
#[must_use]
pub fn audience_of_origin(origin: &str) -> String {
    format!("origin:{origin}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_of_pages_or_applications_and_never_of_an_unsafe_scheme_a_2() {
        for good in [
            "https://shop.example",
            "https://shop.example:8443",
            "http://localhost:8080",
            "android:apk-key-hash:sYkwnVvKQPR",
        ] {
            assert!(are_origins(&[good.to_owned()]), "{good}");
        }
        for bad in [
            "http://shop.example",
            "https://shop.example/",
            "https://shop.example/page",
            "https://SHOP.example",
            "javascript:alert(1)",
            "data:text/html,x",
            "wss://shop.example",
            "ftp://shop.example",
            "shop.example",
            "https:",
            "",
        ] {
            assert!(!are_origins(&[bad.to_owned()]), "{bad}");
        }
        assert!(!are_origins(&[]), "none is nobody");
        let many = vec!["https://shop.example".to_owned(); MAX_ORIGINS + 1];
        assert!(!are_origins(&many));
    }
}
