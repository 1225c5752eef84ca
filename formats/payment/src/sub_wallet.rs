//! A sub-wallet order: what a wallet's key signs to push a smaller wallet to a merchant, fill it, and
//! close it again.

use crate::order::OrderError;
use serde::{Deserialize, Serialize};
use yufu_base::{AccountId, CommandId, Digest, PublicKey, Signer, Timestamp};
use yufu_jose::{Header, Jwk, SignError, Unverified};

const TYPE: &str = "yufu-sub-wallet-order+jwt";
const CONTEXT: &str = "yufu.sub-wallet-order.v1";

/// One order about the wallets below a wallet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubWalletOrder {
    /// The ledger that is to carry it out: the id of its central bank.
    pub ledger: String,
    /// Its id, chosen by the wallet; repeating the order with it does it once.
    pub id: CommandId,
    /// The holder's wallet, whose key signs.
    pub parent: AccountId,
    /// What is to be done.
    pub step: SubWalletStep,
    /// From when the order must no longer be taken.
    pub expires: Timestamp,
}

/// What is to be done with a sub-wallet. Amounts are in minor units of the ledger's currency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "step", deny_unknown_fields)]
pub enum SubWalletStep {
    /// Opens one.
    Open {
        /// The key that may pay from it: the merchant's.
        key: Jwk,
        /// The one account it may pay.
        payee: String,
        /// The payee's name as the holder saw it.
        payee_name: String,
        /// The most one payment may be.
        per_payment_minor: u64,
        /// The most that may be paid in a day.
        per_day_minor: u64,
        /// The most it may hold.
        balance_minor: u64,
    },
    /// Moves money into one.
    Fund {
        /// Which.
        account: String,
        /// How much.
        amount_minor: u64,
    },
    /// Closes one; what is left comes back.
    Close {
        /// Which.
        account: String,
    },
}

/// An order as it came, its signature not verified.
pub struct SignedSubWalletOrder {
    text: String,
    jws: Unverified,
    order: SubWalletOrder,
}

#[derive(Serialize, Deserialize)]
struct Wire {
    ledger: String,
    order_id: String,
    parent: String,
    #[serde(flatten)]
    step: SubWalletStep,
    #[serde(with = "yufu_jose::numeric_date")]
    exp: Timestamp,
}

impl SubWalletOrder {
    /// Signs the order with the parent's wallet key: a compact JWS of type `yufu-sub-wallet-order+jwt`.
    ///
    /// # Errors
    /// [`SignError`] if the key does not sign.
    pub fn sign(&self, wallet: &dyn Signer) -> Result<String, SignError> {
        let wire = Wire {
            ledger: self.ledger.clone(),
            order_id: self.id.to_string(),
            parent: self.parent.to_string(),
            step: self.step.clone(),
            exp: self.expires,
        };
        let json = serde_json::to_vec(&wire).map_err(|e| SignError::Json(e.to_string()))?;
        yufu_jose::sign(&Header::typed(TYPE), &json, wallet)
    }
}

impl SignedSubWalletOrder {
    /// Reads an order.
    ///
    /// # Errors
    /// [`OrderError::Jws`] or [`OrderError::Member`].
    pub fn parse(text: &str) -> Result<Self, OrderError> {
        let jws = Unverified::parse_bounded(text, 4096)?.expect_type(TYPE)?;
        let wire: Wire = jws.unverified_claims()?;
        let wrong = |member, cause: String| OrderError::Member { member, cause };
        let id = wire.order_id.parse().map_err(|e| wrong("order_id", format!("{e}")))?;
        let parent = wire.parent.parse().map_err(|e| wrong("parent", format!("{e}")))?;
        let (ledger, step, expires) = (wire.ledger, wire.step, wire.exp);
        let order = SubWalletOrder { ledger, id, parent, step, expires };
        Ok(Self { text: text.to_owned(), jws, order })
    }

    /// What it says, which anyone may have written.
    #[must_use]
    pub const fn unverified(&self) -> &SubWalletOrder {
        &self.order
    }

    /// The order, once it is known to be signed by `key`, for `ledger`, and not expired at `now`.
    ///
    /// # Errors
    /// [`OrderError::Jws`], [`OrderError::Ledger`], [`OrderError::Expired`], in this order.
    pub fn verify(
        self,
        key: &PublicKey,
        ledger: &str,
        now: Timestamp,
    ) -> Result<SubWalletOrder, OrderError> {
        self.jws.verify(key)?;
        if self.order.ledger != ledger {
            let expected = ledger.to_owned();
            return Err(OrderError::Ledger { found: self.order.ledger, expected });
        }
        if self.order.expires <= now {
            return Err(OrderError::Expired);
        }
        Ok(self.order)
    }

    /// The commitment that the ledger carries: a digest of the signed text.
    #[must_use]
    pub fn commitment(&self) -> Digest {
        Digest::derive(CONTEXT, self.text.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use yufu_jose::{JwsError, SoftwareKey};

    #[test]
    fn an_order_is_refused_by_the_first_rule_it_breaks() {
        let now = Timestamp::from_seconds(1_700_000_000);
        let key = SoftwareKey::from_seed(&[1; 32]).unwrap();
        let other = SoftwareKey::from_seed(&[2; 32]).unwrap().public_key();
        let order = SubWalletOrder {
            ledger: "central-bank".to_owned(),
            id: CommandId::at(now, 7),
            parent: AccountId::new(1),
            step: SubWalletStep::Open {
                key: key.public_key().into(),
                payee: AccountId::new(2).to_string(),
                payee_name: "面馆".to_owned(),
                per_payment_minor: 1,
                per_day_minor: 2,
                balance_minor: 3,
            },
            expires: now.plus_seconds(60),
        };
        let text = order.sign(&key).unwrap();
        let read = |key: &PublicKey, ledger, at| {
            SignedSubWalletOrder::parse(&text).and_then(|signed| signed.verify(key, ledger, at))
        };
        let (key, late) = (key.public_key(), now.plus_seconds(60));
        assert_eq!(read(&key, "central-bank", now).unwrap(), order);
        assert_eq!(read(&other, "x", late), Err(OrderError::Jws(JwsError::Signature)));
        assert!(matches!(read(&key, "x", late), Err(OrderError::Ledger { .. })));
        assert_eq!(read(&key, "central-bank", late), Err(OrderError::Expired));
    }
}
