//! An access token (RFC 9068) by which an OpenID provider tells a bank that somebody may have one batch of blind
//! tokens, and nothing else of who it is.

use serde::{Deserialize, Serialize};
use yufu_base::{PublicKey, Signer, Timestamp};
use yufu_jose::{Chain, ChainError, Header, JwsError, SignError, Unverified, numeric_date};

const TYPE: &str = "at+jwt";
/// The largest token that is read, in bytes.
const MAX: usize = 8 * 1024;
/// What it is good for.
pub const ALLOWANCE_SCOPE: &str = "cash-allowance";

/// What an access token says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessToken {
    /// The OpenID provider: its address, as the trust list has it.
    pub iss: String,
    /// The bank it is for: its id.
    pub aud: String,
    /// Whom it is for: another name at every bank and in every epoch.
    pub sub: String,
    /// As what it was asked for: the bank's id again.
    pub client_id: String,
    /// Its own id: good for one batch.
    pub jti: String,
    /// [`ALLOWANCE_SCOPE`].
    pub scope: String,
    /// When it was made.
    #[serde(with = "numeric_date")]
    pub iat: Timestamp,
    /// From when it must no longer be taken.
    #[serde(with = "numeric_date")]
    pub exp: Timestamp,
    /// The epoch whose quota it was charged to.
    pub yufu_epoch: u64,
}

/// An access token as it came, its signature not verified: its chain says whose key to trust.
pub struct SignedAccessToken {
    jws: Unverified,
}

/// Why an access token is not taken. Checked in this order.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AccessError {
    /// Not such a token, or not signed by the key of its chain.
    #[error("the access token: {0}")]
    Jws(#[from] JwsError),
    /// It carries no certificate chain.
    #[error("the access token: {0}")]
    Chain(#[from] ChainError),
    /// It was made by another provider than its signer is.
    #[error("the access token is by {found}, and signed by {signer}")]
    Issuer {
        /// The provider it names.
        found: String,
        /// The provider that signed.
        signer: String,
    },
    /// It is for another bank.
    #[error("the access token is for {found}, this is {expected}: get one for this bank")]
    Audience {
        /// The bank it names.
        found: String,
        /// This one.
        expected: String,
    },
    /// It is good for something else.
    #[error("the access token is not good for an allowance")]
    Scope,
    /// Its time has passed.
    #[error("the access token has expired: get a new one from the OpenID provider")]
    Expired,
}

impl AccessToken {
    /// Signs the token: a compact JWS of type `at+jwt` with its chain.
    ///
    /// # Errors
    /// [`SignError`] if the key does not sign.
    pub fn sign(&self, chain: &Chain, signer: &dyn Signer) -> Result<String, SignError> {
        let json = serde_json::to_vec(self).map_err(|e| SignError::Json(e.to_string()))?;
        yufu_jose::sign(&Header::typed(TYPE).with_chain(chain), &json, signer)
    }
}

impl SignedAccessToken {
    /// Reads a token.
    ///
    /// # Errors
    /// [`AccessError::Jws`].
    pub fn parse(text: &str) -> Result<Self, AccessError> {
        Ok(Self { jws: Unverified::parse_bounded(text, MAX)?.expect_type(TYPE)? })
    }

    /// The chain of its signer, to be held against a trust list.
    ///
    /// # Errors
    /// [`AccessError::Chain`] without one.
    pub fn chain(&self) -> Result<Chain, AccessError> {
        Ok(self.jws.header().chain()?)
    }

    /// The token, once it is known to be `provider`'s (address and key), for `bank`, and good at `now`.
    ///
    /// # Errors
    /// [`AccessError`], the first rule broken.
    pub fn verify(
        self,
        provider: (&str, &PublicKey),
        bank: &str,
        now: Timestamp,
    ) -> Result<AccessToken, AccessError> {
        let token: AccessToken = self.jws.verify(provider.1)?.claims()?;
        if token.iss != provider.0 {
            let signer = provider.0.to_owned();
            return Err(AccessError::Issuer { found: token.iss, signer });
        }
        if token.aud != bank {
            let expected = bank.to_owned();
            return Err(AccessError::Audience { found: token.aud, expected });
        }
        if token.scope != ALLOWANCE_SCOPE {
            return Err(AccessError::Scope);
        }
        if token.exp <= now {
            return Err(AccessError::Expired);
        }
        Ok(token)
    }
}
