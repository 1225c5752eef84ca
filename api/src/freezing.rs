//! Freezing what was stolen: each institution was left a key for it while the wallet was at hand, another one at each.
//! Whoever holds the key on a second device, or on paper, asks with it, and says nothing else of who asks.

use crate::http::{Problem, bearer};
use axum::http::HeaderMap;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use yufu_base::Timestamp;
use yufu_jose::Jwk;
use yufu_payment::RequestToken;

/// A key that may freeze, and can do nothing else.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FreezeHandle {
    /// The key: a P-256 JWK that the wallet made for this institution alone.
    #[schema(value_type = Object)]
    pub freeze_key: Jwk,
}

/// A key that was left.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FreezeHandleKept {
    /// Its thumbprint (RFC 7638): by it the institution finds again what it is to freeze.
    pub thumbprint: String,
}

/// What is free again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Freed {
    /// When it was freed, in seconds since the epoch.
    pub at: u64,
}

/// What is frozen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Frozen {
    /// Since when, in seconds since the epoch.
    pub since: u64,
    /// What the institution knows of that it cannot freeze.
    #[serde(default)]
    pub remains: Vec<Remains>,
}

/// What no institution can freeze.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Remains {
    /// Notes that lie on the device: like cash, they are whoever's who has them.
    BearerNotes,
    /// Purses that are in nobody's name: nobody could free them.
    Purses,
    /// Anonymous credentials: nobody knows whose they are; they lapse with their epoch.
    AnonymousCredentials,
    /// The key of a pseudonym: what it was is known to whoever has the device.
    PseudonymKey,
}

impl Frozen {
    /// Frozen since then, all of it.
    pub(crate) const fn since(at: Timestamp) -> Self {
        Self { since: at.seconds(), remains: Vec::new() }
    }

    /// The same, but for this.
    pub(crate) fn but(mut self, remains: impl IntoIterator<Item = Remains>) -> Self {
        self.remains.extend(remains);
        self
    }
}

/// What an officer does about a freeze at a counter, once the person was identified there.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FreezeStep {
    /// What the officer saw, and where it is filed: no personal data.
    #[schema(example = "ID card and portrait compared, form 2026-311")]
    pub evidence: String,
}

impl FreezeHandle {
    /// The key's thumbprint, and the bare key as it is kept: no name that the wallet might have given it.
    pub(crate) fn kept(self) -> Result<(String, String), Problem> {
        let key = Jwk::from(self.freeze_key.key);
        let text = serde_json::to_string(&key).map_err(Problem::internal)?;
        Ok((key.thumbprint_base64url(), text))
    }
}

/// A request to freeze, as it came.
pub(crate) struct Claimed<'a> {
    token: &'a str,
    /// The thumbprint of the key that it says it is signed by.
    pub(crate) thumbprint: String,
}

impl<'a> Claimed<'a> {
    /// Reads the request's token, which is not verified yet.
    pub(crate) fn read(headers: &'a HeaderMap) -> Result<Self, Problem> {
        let token = bearer(headers).ok_or_else(|| {
            Problem::unauthenticated(
                "send a request token signed by the freeze key as \"Authorization: Bearer ...\"",
            )
        })?;
        let thumbprint =
            RequestToken::unverified_issuer(token).map_err(Problem::unauthenticated)?;
        Ok(Self { token, thumbprint })
    }

    /// That the key which was left here signed it, for this address.
    pub(crate) fn proven(
        &self,
        key: Option<&str>,
        (institution, path): (&str, &str),
        now: Timestamp,
    ) -> Result<(), Problem> {
        let key = key.ok_or_else(|| {
            let detail = "nothing was left here that this key freezes: use the words of the newest sheet, or go to a counter with your identity card";
            Problem::forbidden("freeze.key_unknown", detail)
        })?;
        let key: Jwk = serde_json::from_str(key).map_err(Problem::internal)?;
        let here = (institution, "POST", path);
        RequestToken::verify(self.token, &key.key, here, now).map_err(Problem::unauthenticated)?;
        Ok(())
    }
}
