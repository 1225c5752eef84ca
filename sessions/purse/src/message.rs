//! What is sent to a mint and what comes back, as bytes: whoever calls carries them.

use serde::Serialize;
use serde::de::DeserializeOwned;
use yufu_ecash::message::{ErrorBody, ErrorCode};

/// A request to a mint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Below the mint's address: `/v1/swap`.
    pub path: String,
    /// JSON to be posted; none is a GET.
    pub body: Option<Vec<u8>>,
    /// Headers beside the usual ones: an access token, or a blind one.
    pub headers: Vec<(String, String)>,
}

/// What the mint answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: Vec<u8>,
}

/// What a mint refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The protocol's error, if it is one that the list knows.
    pub code: Option<ErrorCode>,
    /// The mint's words.
    pub detail: String,
}

/// A reply that is not what was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Unmet {
    /// The mint refused.
    Refused(Refusal),
    /// Whether anything was done is not known.
    Unclear(u16),
    /// The answer cannot be read.
    Malformed(String),
}

impl Request {
    /// A request without content.
    #[must_use]
    pub const fn get(path: String) -> Self {
        Self { path, body: None, headers: Vec::new() }
    }

    /// The same with a header.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn post<T: Serialize>(path: &str, content: &T) -> Self {
        // Messages of the protocol always have a JSON form.
        let body = serde_json::to_vec(content).unwrap_or_default();
        Self { path: path.to_owned(), body: Some(body), headers: Vec::new() }
    }
}

impl Reply {
    /// The content of an answer.
    pub(crate) fn read<T: DeserializeOwned>(&self) -> Result<T, Unmet> {
        match self.status {
            200..=299 => {
                serde_json::from_slice(&self.body).map_err(|e| Unmet::Malformed(e.to_string()))
            }
            // These say that the request was not looked at, now.
            408 | 425 | 429 => Err(Unmet::Unclear(self.status)),
            400..=499 => {
                let body: Option<ErrorBody> = serde_json::from_slice(&self.body).ok();
                let code = body.as_ref().and_then(ErrorBody::known);
                let detail = body.map(|body| body.detail).unwrap_or_default();
                Err(Unmet::Refused(Refusal { code, detail }))
            }
            other => Err(Unmet::Unclear(other)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_refusal_is_taken_for_one() {
        let reply = |status, body: &str| Reply { status, body: body.as_bytes().to_vec() };
        let refused = reply(400, r#"{"detail":"spent","code":11001}"#).read::<u8>();
        let expected = Refusal { code: Some(ErrorCode::ProofsSpent), detail: "spent".to_owned() };
        assert_eq!(refused, Err(Unmet::Refused(expected)));
        for unclear in [408, 429, 500, 502, 503, 301] {
            assert_eq!(reply(unclear, "{}").read::<u8>(), Err(Unmet::Unclear(unclear)));
        }
        assert!(matches!(reply(200, "{}").read::<u8>(), Err(Unmet::Malformed(_))));
        assert_eq!(reply(200, "7").read::<u8>(), Ok(7));
    }
}
