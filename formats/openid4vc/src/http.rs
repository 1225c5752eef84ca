//! HTTP as data: what a session wants sent, and what came back.

use crate::Endpoint;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The largest body that is read, in bytes.
pub const MAX_BODY: usize = 1 << 20;

/// The two methods the protocols use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    /// Fetch.
    Get,
    /// Send a body.
    Post,
}

/// A request a session wants sent. The carrier follows no redirects.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HttpRequest {
    /// GET or POST.
    pub method: Method,
    /// Where to.
    pub url: Endpoint,
    /// Header fields by lower-case name.
    pub headers: BTreeMap<String, String>,
    /// The body; empty for GET.
    pub body: Vec<u8>,
}

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HttpResponse {
    /// The status code.
    pub status: u16,
    /// The `Content-Type` header field.
    pub content_type: Option<String>,
    /// The body.
    pub body: Vec<u8>,
    /// Those other header fields that the protocols use, by lower-case name: [`RESPONSE_HEADERS`].
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
}

/// The header fields of a response that sessions read besides its type.
pub const RESPONSE_HEADERS: [&str; 3] =
    ["dpop-nonce", "location", "oauth-client-attestation-challenge"];

/// Why a response cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HttpError {
    /// Larger than [`MAX_BODY`].
    #[error("the answer has {0} bytes; at most {MAX_BODY} are read")]
    TooLarge(usize),
    /// Not the status that was expected; redirects are not followed.
    #[error("the other side answered with status {0}, expected 200")]
    Status(u16),
    /// Not the media type that was expected.
    #[error("the answer is {actual:?}, expected {expected:?}")]
    MediaType {
        /// What came.
        actual: String,
        /// What the specification asks for.
        expected: &'static str,
    },
    /// Not the document that was expected.
    #[error("the answer cannot be read: {0}")]
    Body(String),
}

impl HttpRequest {
    /// A GET that accepts `media_type`.
    #[must_use]
    pub fn get(url: Endpoint, media_type: &str) -> Self {
        let headers = BTreeMap::from([("accept".to_owned(), media_type.to_owned())]);
        Self { method: Method::Get, url, headers, body: Vec::new() }
    }

    /// A POST of a form (`application/x-www-form-urlencoded`) that accepts `media_type`.
    #[must_use]
    pub fn post_form(url: Endpoint, media_type: &str, fields: &[(&str, &str)]) -> Self {
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.extend_pairs(fields);
        let form_type = "application/x-www-form-urlencoded";
        Self::post(url, media_type, form_type, form.finish().into_bytes())
    }

    /// A POST of a JSON document that expects JSON back.
    #[must_use]
    pub fn post_json(url: Endpoint, document: &serde_json::Value) -> Self {
        Self::post(url, "application/json", "application/json", document.to_string().into_bytes())
    }

    /// A POST without a body that expects JSON back.
    #[must_use]
    pub fn post_empty(url: Endpoint) -> Self {
        let headers = BTreeMap::from([("accept".to_owned(), "application/json".to_owned())]);
        Self { method: Method::Post, url, headers, body: Vec::new() }
    }

    /// This request under a bearer token (RFC 6750, section 2.1).
    #[must_use]
    pub fn bearer(mut self, access_token: &str) -> Self {
        self.headers.insert("authorization".to_owned(), format!("Bearer {access_token}"));
        self
    }

    /// This request under a token that is bound to a key, with the proof for it (RFC 9449, section 7.1).
    #[must_use]
    pub fn dpop(mut self, access_token: &str, proof: &str) -> Self {
        self.headers.insert("authorization".to_owned(), format!("DPoP {access_token}"));
        self.header("dpop", proof)
    }

    /// This request with one more header field, named in lower case.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.insert(name.to_owned(), value.to_owned());
        self
    }

    /// A POST of a text of `content_type`, accepting `accept`.
    #[must_use]
    pub fn post_text(url: Endpoint, accept: &str, content_type: &str, text: String) -> Self {
        Self::post(url, accept, content_type, text.into_bytes())
    }

    fn post(url: Endpoint, accept: &str, content_type: &str, body: Vec<u8>) -> Self {
        let headers = BTreeMap::from([
            ("accept".to_owned(), accept.to_owned()),
            ("content-type".to_owned(), content_type.to_owned()),
        ]);
        Self { method: Method::Post, url, headers, body }
    }
}

impl HttpResponse {
    /// A 200 with a JSON document.
    #[must_use]
    pub fn ok_json(document: &serde_json::Value) -> Self {
        Self::json_with(200, document)
    }

    /// Any status with a JSON document.
    #[must_use]
    pub fn json_with(status: u16, document: &serde_json::Value) -> Self {
        let content_type = Some("application/json".to_owned());
        let headers = BTreeMap::new();
        Self { status, content_type, body: document.to_string().into_bytes(), headers }
    }

    /// A header field, by its lower-case name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    /// Whether the status says success (2xx).
    #[must_use]
    pub const fn is_success(&self) -> bool {
        self.status >= 200 && self.status < 300
    }

    /// The body of a success as JSON.
    ///
    /// # Errors
    /// [`HttpError`], the first rule that is broken.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, HttpError> {
        let body = self.success("application/json")?;
        serde_json::from_slice(body).map_err(|e| HttpError::Body(e.to_string()))
    }

    /// The body of a success of `media_type` as text.
    ///
    /// # Errors
    /// [`HttpError`], the first rule that is broken.
    pub fn text(&self, media_type: &'static str) -> Result<&str, HttpError> {
        let body = self.success(media_type)?;
        std::str::from_utf8(body).map_err(|e| HttpError::Body(e.to_string()))
    }

    /// The body of a refusal as JSON, if it can be read.
    #[must_use]
    pub fn refusal<T: DeserializeOwned>(&self) -> Option<T> {
        if self.is_success() || self.body.len() > MAX_BODY {
            return None;
        }
        serde_json::from_slice(&self.body).ok()
    }

    fn success(&self, media_type: &'static str) -> Result<&[u8], HttpError> {
        if self.body.len() > MAX_BODY {
            return Err(HttpError::TooLarge(self.body.len()));
        }
        if !self.is_success() {
            return Err(HttpError::Status(self.status));
        }
        let actual = self.content_type.as_deref().unwrap_or_default();
        let essence = actual.split(';').next().unwrap_or_default().trim();
        if !essence.eq_ignore_ascii_case(media_type) {
            return Err(HttpError::MediaType { actual: actual.to_owned(), expected: media_type });
        }
        Ok(&self.body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn response(status: u16, content_type: &str, body: &str) -> HttpResponse {
        let content_type = Some(content_type.to_owned());
        HttpResponse {
            status,
            content_type,
            body: body.as_bytes().to_vec(),
            headers: BTreeMap::new(),
        }
    }

    #[test]
    fn a_success_is_read_only_with_its_media_type() {
        let json = |r: &HttpResponse| r.json::<Value>();
        assert_eq!(json(&response(200, "application/json; charset=utf-8", "{}")), Ok(json!({})));
        assert_eq!(json(&response(302, "application/json", "{}")), Err(HttpError::Status(302)));
        assert_eq!(json(&response(400, "application/json", "{}")), Err(HttpError::Status(400)));
        assert!(matches!(
            json(&response(200, "text/html", "{}")),
            Err(HttpError::MediaType { .. })
        ));
        assert!(matches!(json(&response(200, "application/json", "{")), Err(HttpError::Body(_))));
        let large = response(200, "application/json", &" ".repeat(MAX_BODY + 1));
        assert_eq!(json(&large), Err(HttpError::TooLarge(MAX_BODY + 1)));
    }

    #[test]
    fn a_form_is_percent_encoded() {
        let url = Endpoint::parse("https://v.example/r").unwrap();
        let request =
            HttpRequest::post_form(url, "application/json", &[("a", "1 &2"), ("b", "是")]);
        assert_eq!(request.body, b"a=1+%262&b=%E6%98%AF");
    }
}
