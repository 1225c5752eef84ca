//! How a key that others were given by hand is followed by the next one: whoever has it signs with the key in use which
//! one follows it, and from when on. Whoever was given any of the keys gets from it to the one in use. A trust list
//! carries these words of its operator's; a central bank tells its own with what it says of its ledger.

use crate::{TRUST_LIST, TrustList, TrustListError};
use serde::{Deserialize, Serialize};
use yufu_base::{PublicKey, Signer, Timestamp};
use yufu_jose::{Header, Jwk, SignError, Unverified, numeric_date, sign};

/// The `typ` of the word on which key follows.
pub const NEXT_KEY: &str = "yufu-next-key+jwt";
/// How many of them a list may carry.
const MOST: usize = 64;

/// The word that a key is used after the one that signed this.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Succession {
    /// Whose key: the operator's address, as the list has it; a ledger's name.
    pub iss: String,
    /// The key that follows.
    pub jwk: Jwk,
    /// When this was signed.
    #[serde(with = "numeric_date")]
    pub iat: Timestamp,
    /// From when on it signs: a list of then or later is by nobody else.
    #[serde(rename = "nbf", with = "numeric_date")]
    pub from: Timestamp,
}

/// By which key a trust list is known to whoever relies on it: the one given by hand, or the last that followed it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrustPin {
    /// The key.
    pub key: Jwk,
    /// The key that is to follow, once that was said: no other one does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<NextKey>,
}

/// A key that is to follow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NextKey {
    /// The key.
    pub key: Jwk,
    /// From when on.
    #[serde(with = "numeric_date")]
    pub from: Timestamp,
}

/// What is read of a list before its key is known.
#[derive(Deserialize)]
struct Claimed {
    iss: String,
    #[serde(with = "numeric_date")]
    iat: Timestamp,
    #[serde(default)]
    keys: Vec<String>,
}

/// A list as it is signed once its key was followed by another.
#[derive(Serialize)]
struct WithKeys<'a> {
    #[serde(flatten)]
    list: &'a TrustList,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    keys: &'a [String],
}

impl Succession {
    /// Signs it by the key in use.
    ///
    /// # Errors
    /// [`SignError`] if the key does not sign.
    pub fn sign(&self, signer: &dyn Signer) -> Result<String, SignError> {
        let payload =
            serde_json::to_vec(self).map_err(|error| SignError::Json(error.to_string()))?;
        sign(&Header::typed(NEXT_KEY), &payload, signer)
    }

    /// Reads it, if `operator` signed it with `key`.
    #[must_use]
    pub fn by(text: &str, operator: &str, key: &PublicKey) -> Option<Self> {
        let token = Unverified::parse(text).ok()?.expect_type(NEXT_KEY).ok()?;
        let word: Self = token.verify(key).ok()?.claims().ok()?;
        (word.iss == operator).then_some(word)
    }
}

impl TrustPin {
    /// The key that was given by hand.
    #[must_use]
    pub fn given(key: PublicKey) -> Self {
        Self { key: key.into(), next: None }
    }

    /// By which key what `operator` signed at `at` has to be, and what is known after it.
    ///
    /// # Errors
    /// [`TrustListError::OtherSuccessor`], [`TrustListError::FormerKey`].
    pub fn following(
        &self,
        operator: &str,
        words: &[String],
        at: Timestamp,
    ) -> Result<Self, TrustListError> {
        let mut pin = self.clone();
        for text in words.iter().take(MOST) {
            let Some(word) = Succession::by(text, operator, &pin.key.key) else { continue };
            if pin.next.as_ref().is_some_and(|next| next.key != word.jwk) {
                return Err(TrustListError::OtherSuccessor);
            }
            pin = if word.from <= at {
                Self { key: word.jwk, next: None }
            } else {
                Self { next: Some(NextKey { key: word.jwk, from: word.from }), ..pin }
            };
        }
        match &pin.next {
            Some(next) if next.from <= at => {
                Err(TrustListError::FormerKey { from: next.from.seconds() })
            }
            _ => Ok(pin),
        }
    }
}

impl TrustList {
    /// Signs the list by the operator's key, with the words on which keys followed which, oldest first.
    ///
    /// # Errors
    /// [`SignError`] if the key does not sign.
    pub fn sign_after(&self, signer: &dyn Signer, words: &[String]) -> Result<String, SignError> {
        let whole = WithKeys { list: self, keys: words };
        let payload =
            serde_json::to_vec(&whole).map_err(|error| SignError::Json(error.to_string()))?;
        sign(&Header::typed(TRUST_LIST), &payload, signer)
    }

    /// Verifies a list at the moment `now` by whatever followed the key that `pin` has, and by that alone: a list of
    /// after a change is not taken from the former key. The pin to keep is answered with it.
    ///
    /// # Errors
    /// [`TrustListError`], the first rule broken.
    pub fn verify_by(
        jws: &str,
        pin: &TrustPin,
        now: Timestamp,
        previous_sequence: Option<u64>,
    ) -> Result<(Self, TrustPin), TrustListError> {
        let token = Unverified::parse(jws)?.expect_type(TRUST_LIST)?;
        let claimed: Claimed = token.unverified_claims()?;
        let pin = pin.following(&claimed.iss, &claimed.keys, claimed.iat)?;
        let list: Self = token.verify(&pin.key.key)?.claims()?;
        list.check(now, previous_sequence)?;
        Ok((list, pin))
    }
}
