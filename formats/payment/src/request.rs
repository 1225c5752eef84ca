//! A request token: a key proves, for one method and address and for one minute, that its holder asks.

use serde::{Deserialize, Serialize};
use yufu_base::{PublicKey, Signer, Timestamp};
use yufu_jose::{Header, JwsError, SignError, Unverified};

const TYPE: &str = "yufu-request+jwt";
/// How long a token may be used, and how far the two clocks may differ, in seconds.
const WINDOW: u64 = 60;

/// What a request token says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RequestToken {
    /// Who asks: an account id, an institution's id, or the thumbprint of a key that no account has yet.
    pub iss: String,
    /// Who is asked: an institution's id.
    pub aud: String,
    /// The HTTP method.
    pub htm: String,
    /// The path of the address asked for, without query.
    pub htu: String,
    /// When it was signed, in seconds since the epoch.
    #[serde(with = "yufu_jose::numeric_date")]
    pub iat: Timestamp,
}

/// Why a request token does not authenticate. Checked in this order.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// Not such a token, or not signed by the asker's key.
    #[error("the request token: {0}")]
    Jws(#[from] JwsError),
    /// Meant for another institution, method or address.
    #[error("the request token is for {found}, this is {expected}: sign one for this request")]
    Misdirected {
        /// Audience, method and path in the token.
        found: String,
        /// Those of the request.
        expected: String,
    },
    /// Too old, or from the future.
    #[error(
        "the request token was signed at {0} s since the epoch, more than a minute from now: check the clock, sign a new one"
    )]
    Stale(u64),
}

impl RequestToken {
    /// Signs the token: a compact JWS of type `yufu-request+jwt`, for `Authorization: Bearer`.
    ///
    /// # Errors
    /// [`SignError`] if the key does not sign.
    pub fn sign(&self, signer: &dyn Signer) -> Result<String, SignError> {
        let json = serde_json::to_vec(self).map_err(|e| SignError::Json(e.to_string()))?;
        yufu_jose::sign(&Header::typed(TYPE), &json, signer)
    }

    /// Who a token says is asking, before it is verified: whose key to look up.
    ///
    /// # Errors
    /// [`RequestError::Jws`] if it is no such token.
    pub fn unverified_issuer(text: &str) -> Result<String, RequestError> {
        Ok(Unverified::parse_bounded(text, 2048)?
            .expect_type(TYPE)?
            .unverified_claims::<Self>()?
            .iss)
    }

    /// Verifies a token for a request to `audience` by `method` on `path` at `now`, signed by `key`.
    ///
    /// # Errors
    /// [`RequestError`], the first rule broken.
    pub fn verify(
        text: &str,
        key: &PublicKey,
        (audience, method, path): (&str, &str, &str),
        now: Timestamp,
    ) -> Result<Self, RequestError> {
        let verified = Unverified::parse_bounded(text, 2048)?.expect_type(TYPE)?.verify(key)?;
        let token: Self = verified.claims()?;
        if (token.aud.as_str(), token.htm.as_str(), token.htu.as_str()) != (audience, method, path)
        {
            return Err(RequestError::Misdirected {
                found: format!("{} {} {}", token.aud, token.htm, token.htu),
                expected: format!("{audience} {method} {path}"),
            });
        }
        if now > token.iat.plus_seconds(WINDOW) || token.iat > now.plus_seconds(WINDOW) {
            return Err(RequestError::Stale(token.iat.seconds()));
        }
        Ok(token)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use yufu_jose::SoftwareKey;

    #[test]
    fn a_token_holds_for_one_address_and_one_minute() {
        let key = SoftwareKey::from_seed(&[1; 32]).unwrap();
        let now = Timestamp::from_seconds(1_700_000_000);
        let token = RequestToken {
            iss: "a".to_owned(),
            aud: "bank".to_owned(),
            htm: "GET".to_owned(),
            htu: "/x".to_owned(),
            iat: now,
        };
        let text = token.sign(&key).unwrap();
        let at =
            |key: &SoftwareKey, to, now| RequestToken::verify(&text, &key.public_key(), to, now);
        assert_eq!(at(&key, ("bank", "GET", "/x"), now).unwrap(), token);
        assert_eq!(RequestToken::unverified_issuer(&text).unwrap(), "a");
        for to in [("other", "GET", "/x"), ("bank", "POST", "/x"), ("bank", "GET", "/y")] {
            assert!(matches!(at(&key, to, now), Err(RequestError::Misdirected { .. })), "{to:?}");
        }
        for late in [now.plus_seconds(61), now.minus_seconds(61)] {
            assert!(matches!(at(&key, ("bank", "GET", "/x"), late), Err(RequestError::Stale(_))));
        }
        let other = SoftwareKey::from_seed(&[2; 32]).unwrap();
        assert!(matches!(at(&other, ("bank", "GET", "/x"), now), Err(RequestError::Jws(_))));
    }
}
