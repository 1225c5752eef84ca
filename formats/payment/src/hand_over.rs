//! A hand-over order: an account's key signs that another key commands the account from then on.

use serde::{Deserialize, Serialize};
use yufu_base::{AccountId, CommandId, PublicKey, Signer, Timestamp};
use yufu_jose::{Header, Jwk, JwsError, SignError, Unverified};

const TYPE: &str = "yufu-hand-over-order+jwt";

/// One change of an account's key, by the key that commands it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HandOverOrder {
    /// The bank that keeps the account: its id.
    pub bank: String,
    /// Its id, chosen by the wallet; repeating the order with it changes the key once.
    pub id: CommandId,
    /// The account.
    pub account: AccountId,
    /// The key that is to command it.
    pub key: Jwk,
    /// From when the order must no longer be taken.
    pub expires: Timestamp,
}

/// An order as it came, its signature not verified.
pub struct SignedHandOver {
    jws: Unverified,
    order: HandOverOrder,
}

/// Why a hand-over is not taken. Checked in this order.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HandOverError {
    /// Not a signed hand-over, or not signed by the account's key.
    #[error("the hand-over: {0}")]
    Jws(#[from] JwsError),
    /// A member is not what it should be.
    #[error("the hand-over's {member}: {cause}")]
    Member {
        /// Its name.
        member: &'static str,
        /// What is wrong.
        cause: String,
    },
    /// Meant for another bank.
    #[error("the hand-over is for the bank {found:?}, this one is {expected:?}")]
    Bank {
        /// The bank named.
        found: String,
        /// This one.
        expected: String,
    },
    /// It could be taken for longer than a hand-over may.
    #[error(
        "the hand-over could be taken for more than {MOST_SECONDS} s: sign one that lapses sooner"
    )]
    TooLong,
    /// Its time has passed.
    #[error("the hand-over expired: have the old wallet sign a new one with a new id")]
    Expired,
}

/// For how long a hand-over may be taken at the most, in seconds, counted from its id's time.
const MOST_SECONDS: u64 = 86_400;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    bank: String,
    order_id: String,
    account: String,
    key: Jwk,
    #[serde(with = "yufu_jose::numeric_date")]
    exp: Timestamp,
}

impl HandOverOrder {
    /// Signs the order with the account's key: a compact JWS of type `yufu-hand-over-order+jwt`.
    ///
    /// # Errors
    /// [`SignError`] if the key does not sign.
    pub fn sign(&self, wallet: &dyn Signer) -> Result<String, SignError> {
        let wire = Wire {
            bank: self.bank.clone(),
            order_id: self.id.to_string(),
            account: self.account.to_string(),
            key: self.key.clone(),
            exp: self.expires,
        };
        let json = serde_json::to_vec(&wire).map_err(|e| SignError::Json(e.to_string()))?;
        yufu_jose::sign(&Header::typed(TYPE), &json, wallet)
    }
}

impl SignedHandOver {
    /// Reads an order.
    ///
    /// # Errors
    /// [`HandOverError::Jws`] or [`HandOverError::Member`].
    pub fn parse(text: &str) -> Result<Self, HandOverError> {
        let jws = Unverified::parse_bounded(text, 4096)?.expect_type(TYPE)?;
        let wire: Wire = jws.unverified_claims()?;
        let wrong = |member, cause: String| HandOverError::Member { member, cause };
        let order = HandOverOrder {
            id: wire.order_id.parse().map_err(|e| wrong("order_id", format!("{e}")))?,
            account: wire.account.parse().map_err(|e| wrong("account", format!("{e}")))?,
            bank: wire.bank,
            key: wire.key,
            expires: wire.exp,
        };
        Ok(Self { jws, order })
    }

    /// What it says, which anyone may have written: enough to look up whose key it needs.
    #[must_use]
    pub const fn unverified(&self) -> &HandOverOrder {
        &self.order
    }

    /// The order, once it is known to be signed by `key`, for `bank`, and not expired at `now`.
    ///
    /// # Errors
    /// [`HandOverError`], the first rule broken.
    pub fn verify(
        self,
        key: &PublicKey,
        bank: &str,
        now: Timestamp,
    ) -> Result<HandOverOrder, HandOverError> {
        self.jws.verify(key)?;
        if self.order.bank != bank {
            let expected = bank.to_owned();
            return Err(HandOverError::Bank { found: self.order.bank, expected });
        }
        if self.order.expires > self.order.id.created().plus_seconds(MOST_SECONDS) {
            return Err(HandOverError::TooLong);
        }
        if self.order.expires <= now {
            return Err(HandOverError::Expired);
        }
        Ok(self.order)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use yufu_jose::SoftwareKey;

    fn now() -> Timestamp {
        Timestamp::from_seconds(1_700_000_000)
    }

    fn key(seed: u8) -> SoftwareKey {
        SoftwareKey::from_seed(&[seed; 32]).unwrap()
    }

    fn order() -> HandOverOrder {
        HandOverOrder {
            bank: "bank-of-jiangcheng".to_owned(),
            id: CommandId::at(now(), 7),
            account: AccountId::new(1),
            key: key(3).public_key().into(),
            expires: now().plus_seconds(600),
        }
    }

    fn read(
        text: &str,
        seed: u8,
        bank: &str,
        at: Timestamp,
    ) -> Result<HandOverOrder, HandOverError> {
        SignedHandOver::parse(text)
            .and_then(|signed| signed.verify(&key(seed).public_key(), bank, at))
    }

    #[test]
    fn a_hand_over_is_refused_by_the_first_rule_it_breaks() {
        let (here, late) = ("bank-of-jiangcheng", now().plus_seconds(600));
        let long = HandOverOrder { expires: now().plus_seconds(MOST_SECONDS + 1), ..order() };
        let (text, long) = (order().sign(&key(1)).unwrap(), long.sign(&key(1)).unwrap());
        assert_eq!(read(&text, 1, here, now()).unwrap(), order());
        assert_eq!(read(&text, 2, "x", late), Err(HandOverError::Jws(JwsError::Signature)));
        assert!(matches!(read(&long, 1, "x", late), Err(HandOverError::Bank { .. })));
        let very_late = now().plus_seconds(MOST_SECONDS + 1);
        assert_eq!(read(&long, 1, here, very_late), Err(HandOverError::TooLong));
        assert_eq!(read(&text, 1, here, late), Err(HandOverError::Expired));
        let last = HandOverOrder { expires: now().plus_seconds(MOST_SECONDS), ..order() };
        assert!(read(&last.sign(&key(1)).unwrap(), 1, here, now()).is_ok());
    }

    #[test]
    fn another_kind_of_order_is_no_hand_over() {
        let json = br#"{"bank":"b"}"#;
        let other = Header::typed("yufu-payment-order+jwt");
        let other = yufu_jose::sign(&other, json, &key(1)).unwrap();
        let refused = SignedHandOver::parse(&other);
        assert!(matches!(refused, Err(HandOverError::Jws(JwsError::Type { .. }))));
    }

    proptest! {
        #[test]
        fn no_text_makes_the_reader_panic(text: String) {
            let _ = SignedHandOver::parse(&text);
        }

        #[test]
        fn a_changed_byte_is_noticed(at in 0usize..200, to in 33u8..127) {
            let mut bytes = order().sign(&key(1)).unwrap().into_bytes();
            prop_assume!(bytes[at] != to);
            bytes[at] = to;
            let changed = String::from_utf8(bytes).unwrap();
            prop_assert!(read(&changed, 1, "bank-of-jiangcheng", now()).is_err());
        }
    }
}
