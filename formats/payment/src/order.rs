//! A payment order: one payment that a wallet's key signs, exactly and once.

use serde::{Deserialize, Serialize};
use yufu_base::{AccountId, Amount, CommandId, Currency, Digest, PublicKey, Signer, Timestamp};
use yufu_jose::{Header, JwsError, SignError, Unverified};

const TYPE: &str = "yufu-payment-order+jwt";
const CONTEXT: &str = "yufu.payment-order.v1";

/// One payment from one account to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaymentOrder {
    /// The ledger that is to carry it out: the id of its central bank.
    pub ledger: String,
    /// Its id, chosen by the wallet; repeating the order with it pays once.
    pub id: CommandId,
    /// The account that pays.
    pub payer: AccountId,
    /// The account that is paid.
    pub payee: AccountId,
    /// The payee's name as the payer saw it.
    pub payee_name: String,
    /// How much, in minor units.
    pub amount: Amount,
    /// From when the order must no longer be taken.
    pub expires: Timestamp,
}

/// An order as it came, its signature not verified: it says whose key to look up.
pub struct SignedOrder {
    text: String,
    jws: Unverified,
    order: PaymentOrder,
}

/// Why an order is not taken. Checked in this order.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OrderError {
    /// Not a signed order, or not signed by the account's key.
    #[error("the order: {0}")]
    Jws(#[from] JwsError),
    /// A member is not what it should be.
    #[error("the order's {member}: {cause}")]
    Member {
        /// Its name.
        member: &'static str,
        /// What is wrong.
        cause: String,
    },
    /// Meant for another ledger.
    #[error("the order is for the ledger {found:?}, this one is {expected:?}")]
    Ledger {
        /// The ledger named.
        found: String,
        /// This one.
        expected: String,
    },
    /// Its time has passed.
    #[error("the order expired: sign a new one with a new id")]
    Expired,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    ledger: String,
    order_id: String,
    payer: String,
    payee: String,
    payee_name: String,
    amount_minor: u64,
    currency: String,
    #[serde(with = "yufu_jose::numeric_date")]
    exp: Timestamp,
}

impl PaymentOrder {
    /// Signs the order with the payer's wallet key: a compact JWS of type `yufu-payment-order+jwt`.
    ///
    /// # Errors
    /// [`SignError`] if the key does not sign.
    pub fn sign(&self, wallet: &dyn Signer) -> Result<String, SignError> {
        let wire = Wire {
            ledger: self.ledger.clone(),
            order_id: self.id.to_string(),
            payer: self.payer.to_string(),
            payee: self.payee.to_string(),
            payee_name: self.payee_name.clone(),
            amount_minor: self.amount.minor(),
            currency: self.amount.currency().code().to_owned(),
            exp: self.expires,
        };
        let json = serde_json::to_vec(&wire).map_err(|e| SignError::Json(e.to_string()))?;
        yufu_jose::sign(&Header::typed(TYPE), &json, wallet)
    }

    /// The id of the command that pays this order after a step-up.
    #[must_use]
    pub fn stepped_up_id(&self) -> CommandId {
        stepped_up_id(self.id)
    }
}

/// The id of the command that pays an order after a step-up: determined by the order's own id, so
/// that one order leads to at most one such payment.
#[must_use]
pub fn stepped_up_id(order: CommandId) -> CommandId {
    let digest = Digest::derive("yufu.step-up.v1", &order.bits().to_be_bytes());
    let random = digest.0.first_chunk().map_or(0, |bytes| u128::from_be_bytes(*bytes));
    CommandId::at(order.created(), random)
}

impl SignedOrder {
    /// Reads an order.
    ///
    /// # Errors
    /// [`OrderError::Jws`] or [`OrderError::Member`].
    pub fn parse(text: &str) -> Result<Self, OrderError> {
        let jws = Unverified::parse_bounded(text, 4096)?.expect_type(TYPE)?;
        let wire: Wire = jws.unverified_claims()?;
        let order = PaymentOrder {
            id: member("order_id", wire.order_id.parse())?,
            payer: member("payer", wire.payer.parse())?,
            payee: member("payee", wire.payee.parse())?,
            amount: Amount::new(
                member("currency", Currency::new(&wire.currency))?,
                wire.amount_minor,
            ),
            ledger: wire.ledger,
            payee_name: wire.payee_name,
            expires: wire.exp,
        };
        Ok(Self { text: text.to_owned(), jws, order })
    }

    /// What it says, which anyone may have written: enough to look up whose key it needs.
    #[must_use]
    pub const fn unverified(&self) -> &PaymentOrder {
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
    ) -> Result<PaymentOrder, OrderError> {
        self.jws.verify(key)?;
        if self.order.ledger != ledger {
            return Err(OrderError::Ledger {
                found: self.order.ledger,
                expected: ledger.to_owned(),
            });
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

fn member<T, E: ToString>(member: &'static str, value: Result<T, E>) -> Result<T, OrderError> {
    value.map_err(|cause| OrderError::Member { member, cause: cause.to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use yufu_jose::SoftwareKey;

    fn now() -> Timestamp {
        Timestamp::from_seconds(1_700_000_000)
    }

    fn order() -> PaymentOrder {
        PaymentOrder {
            ledger: "central-bank".to_owned(),
            id: CommandId::at(now(), 7),
            payer: AccountId::new(1),
            payee: AccountId::new(2),
            payee_name: "面馆".to_owned(),
            amount: Amount::new(Currency::new("CNY").unwrap(), 1800),
            expires: now().plus_seconds(300),
        }
    }

    fn key(seed: u8) -> SoftwareKey {
        SoftwareKey::from_seed(&[seed; 32]).unwrap()
    }

    #[test]
    fn an_order_is_refused_by_the_first_rule_it_breaks() {
        let signed = order().sign(&key(1)).unwrap();
        let verify = |text: &str, ledger: &str, at| {
            SignedOrder::parse(text).and_then(|o| o.verify(&key(1).public_key(), ledger, at))
        };
        assert_eq!(verify(&signed, "central-bank", now()).unwrap(), order());
        let by_another = order().sign(&key(2)).unwrap();
        assert_eq!(
            verify(&by_another, "other", now().plus_seconds(900)),
            Err(OrderError::Jws(JwsError::Signature))
        );
        assert!(matches!(
            verify(&signed, "other", now().plus_seconds(900)),
            Err(OrderError::Ledger { .. })
        ));
        assert_eq!(
            verify(&signed, "central-bank", now().plus_seconds(300)),
            Err(OrderError::Expired)
        );
    }

    #[test]
    fn another_kind_of_token_is_no_order() {
        let json = br#"{"ledger":"central-bank"}"#;
        let other = yufu_jose::sign(&Header::typed("kb+jwt"), json, &key(1)).unwrap();
        assert!(matches!(SignedOrder::parse(&other), Err(OrderError::Jws(JwsError::Type { .. }))));
    }

    #[test]
    fn the_stepped_up_id_is_determined_and_different() {
        let order = order();
        assert_eq!(order.stepped_up_id(), order.stepped_up_id());
        assert_ne!(order.stepped_up_id(), order.id);
        assert_eq!(order.stepped_up_id().created(), order.id.created());
    }

    proptest! {
        #[test]
        fn no_text_makes_the_reader_panic(text: String) {
            let _ = SignedOrder::parse(&text);
        }

        #[test]
        fn a_changed_byte_is_noticed(at in 0usize..200, to in 33u8..127) {
            let signed = order().sign(&key(1)).unwrap();
            let mut bytes = signed.clone().into_bytes();
            prop_assume!(bytes[at] != to);
            bytes[at] = to;
            let changed = String::from_utf8(bytes).unwrap();
            let read = SignedOrder::parse(&changed)
                .and_then(|o| o.verify(&key(1).public_key(), "central-bank", now()));
            prop_assert!(read.is_err());
        }
    }
}
