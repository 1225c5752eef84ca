//! Transaction data (OpenID4VP 1.0, sections 5.1 and B.3.3): what else the holder signs
//! with a presentation. Four types are defined here; all others are refused.

use super::key_change::{KeyChange, KeyChangeWire};
use super::sign_in::{SignIn, SignInWire};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use yufu_base::{AccountId, Amount, Currency, Timestamp};
use yufu_jose::{decode_base64url, encode_base64url, parse_json_object, sha256};

/// The longest encoded entry that is read, in bytes.
const MAX_ENCODED: usize = 8 * 1024;
/// The longest text member, in characters.
const MAX_TEXT: usize = 200;
/// The one hash algorithm that is used.
pub(super) const SHA_256: &str = "sha-256";

/// What the holder is asked to authorise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TransactionData {
    /// Type `yufu_payment`.
    Payment(Payment),
    /// Type `yufu_account_opening`.
    AccountOpening(AccountOpening),
    /// Type `yufu_key_change`.
    KeyChange(KeyChange),
    /// Type `yufu_sign_in`.
    SignIn(SignIn),
}

/// Exactly one payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payment {
    /// The queries one of whose credentials may authorise it.
    pub credential_ids: Vec<String>,
    /// The name of the ledger it is made in.
    pub ledger: String,
    /// How much; more than nothing.
    pub amount: Amount,
    /// To which account.
    pub payee_account: AccountId,
    /// To whom, as the holder is to read it.
    pub payee_name: String,
    /// The payee's order.
    pub order_id: String,
    /// Until when it may be made.
    pub expires: Timestamp,
}

/// The opening of a wallet or an account at a bank.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountOpening {
    /// The queries one of whose credentials may authorise it.
    pub credential_ids: Vec<String>,
    /// The bank's id.
    pub bank: String,
    /// The class of the account.
    pub class: String,
    /// RFC 7638 thumbprint of the key that is to command the account, in base64url.
    pub wallet_key_thumbprint: String,
}

/// An entry as it came or goes over the wire: its hash is over exactly this text. In JSON it is that text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EncodedTransaction {
    text: String,
    data: TransactionData,
}

/// Why an entry is refused (`invalid_transaction_data`). Checked in this order.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TransactionError {
    /// Larger than 8 KiB, or not base64url of a JSON object.
    #[error(
        "the transaction data are not base64url of a JSON object of at most {MAX_ENCODED} bytes"
    )]
    Encoding,
    /// A type that is not known.
    #[error("the transaction type {0:?} is not known")]
    UnknownType(String),
    /// A member is missing, unknown, or of the wrong type.
    #[error("the transaction data of type {kind} cannot be read: {what}")]
    Members {
        /// The type.
        kind: &'static str,
        /// What is wrong.
        what: String,
    },
    /// The amount, an account, a name or a thumbprint is not one.
    #[error("{member} of the transaction data is not valid")]
    Value {
        /// Which member.
        member: &'static str,
    },
    /// It names no credential.
    #[error("the transaction data name no credential")]
    NoCredential,
    /// The hash algorithm is not `sha-256`.
    #[error("the transaction data must accept sha-256")]
    HashAlgorithm,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PaymentWire {
    #[serde(rename = "type")]
    kind: String,
    credential_ids: Vec<String>,
    transaction_data_hashes_alg: Option<Vec<String>>,
    ledger: String,
    currency: String,
    amount_minor: u64,
    payee_account: String,
    payee_name: String,
    order_id: String,
    expires: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct AccountOpeningWire {
    #[serde(rename = "type")]
    kind: String,
    credential_ids: Vec<String>,
    transaction_data_hashes_alg: Option<Vec<String>>,
    bank: String,
    class: String,
    wallet_key_thumbprint: String,
}

impl TransactionData {
    /// The type of payments.
    pub const PAYMENT: &'static str = "yufu_payment";
    /// The type of account openings.
    pub const ACCOUNT_OPENING: &'static str = "yufu_account_opening";
    /// The type of key changes.
    pub const KEY_CHANGE: &'static str = "yufu_key_change";
    /// The type of sign-ins.
    pub const SIGN_IN: &'static str = "yufu_sign_in";

    /// The queries one of whose credentials may authorise it.
    #[must_use]
    pub fn credential_ids(&self) -> &[String] {
        match self {
            Self::Payment(payment) => &payment.credential_ids,
            Self::AccountOpening(opening) => &opening.credential_ids,
            Self::KeyChange(change) => &change.credential_ids,
            Self::SignIn(sign_in) => &sign_in.credential_ids,
        }
    }

    /// Writes it for the wire.
    ///
    /// # Errors
    /// [`TransactionError`] if it breaks a rule of its type.
    pub fn encode(&self) -> Result<EncodedTransaction, TransactionError> {
        let document = match self {
            Self::Payment(payment) => serde_json::to_string(&payment.to_wire()),
            Self::AccountOpening(opening) => serde_json::to_string(&opening.to_wire()),
            Self::KeyChange(change) => serde_json::to_string(&change.to_wire()),
            Self::SignIn(sign_in) => serde_json::to_string(&sign_in.to_wire()),
        };
        let document = document.map_err(|_| TransactionError::Encoding)?;
        EncodedTransaction::parse(&encode_base64url(document))
    }
}

impl EncodedTransaction {
    /// Reads an entry of `transaction_data`.
    ///
    /// # Errors
    /// [`TransactionError`], the first rule that is broken.
    pub fn parse(text: &str) -> Result<Self, TransactionError> {
        if text.len() > MAX_ENCODED {
            return Err(TransactionError::Encoding);
        }
        let bytes = decode_base64url(text).map_err(|_| TransactionError::Encoding)?;
        let object = parse_json_object(&bytes).map_err(|_| TransactionError::Encoding)?;
        let data = match object.get("type").and_then(Value::as_str).unwrap_or_default() {
            TransactionData::PAYMENT => TransactionData::Payment(Payment::from_wire(read(
                object,
                TransactionData::PAYMENT,
            )?)?),
            TransactionData::ACCOUNT_OPENING => TransactionData::AccountOpening(
                AccountOpening::from_wire(read(object, TransactionData::ACCOUNT_OPENING)?)?,
            ),
            TransactionData::KEY_CHANGE => {
                let wire: KeyChangeWire = read(object, TransactionData::KEY_CHANGE)?;
                TransactionData::KeyChange(KeyChange::from_wire(wire)?)
            }
            TransactionData::SIGN_IN => {
                let wire: SignInWire = read(object, TransactionData::SIGN_IN)?;
                TransactionData::SignIn(SignIn::from_wire(wire)?)
            }
            other => return Err(TransactionError::UnknownType(other.to_owned())),
        };
        Ok(Self { text: text.to_owned(), data })
    }

    /// The text on the wire.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What it says.
    #[must_use]
    pub const fn data(&self) -> &TransactionData {
        &self.data
    }

    /// SHA-256 over the text on the wire, in base64url (section B.3.3.1).
    #[must_use]
    pub fn hash(&self) -> String {
        encode_base64url(sha256(self.text.as_bytes()))
    }
}

impl TryFrom<String> for EncodedTransaction {
    type Error = TransactionError;

    fn try_from(text: String) -> Result<Self, TransactionError> {
        Self::parse(&text)
    }
}

impl From<EncodedTransaction> for String {
    fn from(encoded: EncodedTransaction) -> Self {
        encoded.text
    }
}

impl Payment {
    fn from_wire(wire: PaymentWire) -> Result<Self, TransactionError> {
        let value = |member| TransactionError::Value { member };
        let currency = Currency::new(&wire.currency).map_err(|_| value("currency"))?;
        if wire.amount_minor == 0 {
            return Err(value("amount_minor"));
        }
        let payee_account = wire.payee_account.parse().map_err(|_| value("payee_account"))?;
        check_common(&wire.credential_ids, wire.transaction_data_hashes_alg.as_deref())?;
        Ok(Self {
            credential_ids: wire.credential_ids,
            ledger: readable("ledger", wire.ledger)?,
            amount: Amount::new(currency, wire.amount_minor),
            payee_account,
            payee_name: readable("payee_name", wire.payee_name)?,
            order_id: readable("order_id", wire.order_id)?,
            expires: Timestamp::from_seconds(wire.expires),
        })
    }

    fn to_wire(&self) -> PaymentWire {
        PaymentWire {
            kind: TransactionData::PAYMENT.to_owned(),
            credential_ids: self.credential_ids.clone(),
            transaction_data_hashes_alg: Some(vec![SHA_256.to_owned()]),
            ledger: self.ledger.clone(),
            currency: self.amount.currency().code().to_owned(),
            amount_minor: self.amount.minor(),
            payee_account: self.payee_account.to_string(),
            payee_name: self.payee_name.clone(),
            order_id: self.order_id.clone(),
            expires: self.expires.seconds(),
        }
    }
}

impl AccountOpening {
    fn from_wire(wire: AccountOpeningWire) -> Result<Self, TransactionError> {
        check_thumbprint(&wire.wallet_key_thumbprint)?;
        check_common(&wire.credential_ids, wire.transaction_data_hashes_alg.as_deref())?;
        Ok(Self {
            credential_ids: wire.credential_ids,
            bank: readable("bank", wire.bank)?,
            class: readable("class", wire.class)?,
            wallet_key_thumbprint: wire.wallet_key_thumbprint,
        })
    }

    fn to_wire(&self) -> AccountOpeningWire {
        AccountOpeningWire {
            kind: TransactionData::ACCOUNT_OPENING.to_owned(),
            credential_ids: self.credential_ids.clone(),
            transaction_data_hashes_alg: Some(vec![SHA_256.to_owned()]),
            bank: self.bank.clone(),
            class: self.class.clone(),
            wallet_key_thumbprint: self.wallet_key_thumbprint.clone(),
        }
    }
}

fn read<T: serde::de::DeserializeOwned>(
    object: Map<String, Value>,
    kind: &'static str,
) -> Result<T, TransactionError> {
    serde_json::from_value(Value::Object(object))
        .map_err(|e| TransactionError::Members { kind, what: e.to_string() })
}

/// RFC 7638: 32 bytes in base64url.
pub(super) fn check_thumbprint(text: &str) -> Result<(), TransactionError> {
    check_digest("wallet_key_thumbprint", text)
}

/// A digest of SHA-256, in base64url.
pub(super) fn check_digest(member: &'static str, text: &str) -> Result<(), TransactionError> {
    match decode_base64url(text) {
        Ok(bytes) if bytes.len() == 32 => Ok(()),
        _ => Err(TransactionError::Value { member }),
    }
}

pub(super) fn check_common(
    ids: &[String],
    algorithms: Option<&[String]>,
) -> Result<(), TransactionError> {
    if ids.is_empty() {
        return Err(TransactionError::NoCredential);
    }
    match algorithms {
        Some(names) if !names.iter().any(|name| name == SHA_256) => {
            Err(TransactionError::HashAlgorithm)
        }
        _ => Ok(()),
    }
}

/// A text a person will read: not empty, not long, on one line.
pub(super) fn readable(member: &'static str, text: String) -> Result<String, TransactionError> {
    let length = text.chars().count();
    if length == 0 || length > MAX_TEXT || text.chars().any(char::is_control) {
        return Err(TransactionError::Value { member });
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn payment() -> Value {
        json!({
            "type": "yufu_payment", "credential_ids": ["pay"],
            "transaction_data_hashes_alg": ["sha-256"], "ledger": "cny", "currency": "CNY",
            "amount_minor": 300_000, "payee_account": "0192f0c1-2b3d-7e4f-8a5b-6c7d8e9f0a1b",
            "payee_name": "飞鸽自行车行", "order_id": "B-17", "expires": 1_790_000_000,
        })
    }

    fn parse(document: &Value) -> Result<EncodedTransaction, TransactionError> {
        EncodedTransaction::parse(&encode_base64url(document.to_string()))
    }

    #[test]
    fn both_types_survive_the_wire() {
        let TransactionData::Payment(read) = parse(&payment()).unwrap().data().clone() else {
            panic!("a payment")
        };
        assert_eq!((read.amount.minor(), read.amount.currency().code()), (300_000, "CNY"));
        let opening = TransactionData::AccountOpening(AccountOpening {
            credential_ids: vec!["pid".into()],
            bank: "bank-of-jiangcheng".into(),
            class: "III".into(),
            wallet_key_thumbprint: encode_base64url([7; 32]),
        });
        for data in [TransactionData::Payment(read), opening] {
            let encoded = data.encode().unwrap();
            assert_eq!(*EncodedTransaction::parse(encoded.text()).unwrap().data(), data);
        }
    }

    #[test]
    fn each_rule_of_transaction_data_is_refused_by_its_own_name_8_5() {
        let error = |name: &str, value: Value| {
            let mut document = payment();
            document[name] = value;
            parse(&document).unwrap_err()
        };
        let value = |member| TransactionError::Value { member };
        let members = |e| matches!(e, TransactionError::Members { .. });
        assert_eq!(EncodedTransaction::parse("e30=").unwrap_err(), TransactionError::Encoding);
        assert_eq!(parse(&json!([])).unwrap_err(), TransactionError::Encoding);
        assert_eq!(error("type", json!("x")), TransactionError::UnknownType("x".into()));
        assert_eq!(error("type", json!(1)), TransactionError::UnknownType(String::new()));
        assert!(members(error("tip", json!(1))));
        assert!(members(error("amount_minor", json!(-1))));
        assert!(members(error("amount_minor", json!(1.5))));
        assert!(members(error("order_id", Value::Null)));
        assert_eq!(error("currency", json!("yuan")), value("currency"));
        assert_eq!(error("amount_minor", json!(0)), value("amount_minor"));
        assert_eq!(error("payee_account", json!("x")), value("payee_account"));
        assert_eq!(error("payee_name", json!("")), value("payee_name"));
        assert_eq!(error("payee_name", json!("a\nb")), value("payee_name"));
        assert_eq!(error("order_id", json!("x".repeat(201))), value("order_id"));
        assert_eq!(error("credential_ids", json!([])), TransactionError::NoCredential);
        assert_eq!(
            error("transaction_data_hashes_alg", json!(["sha-512"])),
            TransactionError::HashAlgorithm
        );
        let opening = json!({"type": "yufu_account_opening", "credential_ids": ["pid"],
            "bank": "b", "class": "III", "wallet_key_thumbprint": "short"});
        assert_eq!(parse(&opening).unwrap_err(), value("wallet_key_thumbprint"));
    }

    #[test]
    fn the_hash_is_over_the_text_on_the_wire_not_over_what_it_says_b_3_3_1() {
        let loose = encode_base64url(format!(" {}", payment()));
        let (a, b) = (parse(&payment()).unwrap(), EncodedTransaction::parse(&loose).unwrap());
        assert_eq!(a.data(), b.data());
        assert_ne!(a.hash(), b.hash());
        assert_eq!(b.hash(), encode_base64url(sha256(loose.as_bytes())));
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in ".{0,120}") {
            prop_assert!(EncodedTransaction::parse(&text).is_err());
            prop_assert!(EncodedTransaction::parse(&encode_base64url(&text)).is_err());
        }
    }
}
