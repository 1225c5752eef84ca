//! The transaction data of a key change: the holder of an account, known by an identity, puts
//! another key in command of it.

use super::transaction::{
    SHA_256, TransactionData, TransactionError, check_common, check_thumbprint, readable,
};
use serde::{Deserialize, Serialize};
use yufu_base::AccountId;

/// A change of the key that commands an account at a bank.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyChange {
    /// The queries one of whose credentials may authorise it.
    pub credential_ids: Vec<String>,
    /// The bank's id.
    pub bank: String,
    /// Which of the holder's accounts there.
    pub account: KeyChangeOf,
    /// RFC 7638 thumbprint of the key that is to command the account, in base64url.
    pub wallet_key_thumbprint: String,
}

/// How the account is named: who lost a phone may know its class only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyChangeOf {
    /// This one.
    Account(AccountId),
    /// The holder's one account of this class.
    Class(String),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KeyChangeWire {
    #[serde(rename = "type")]
    kind: String,
    credential_ids: Vec<String>,
    transaction_data_hashes_alg: Option<Vec<String>>,
    bank: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    account: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    class: Option<String>,
    wallet_key_thumbprint: String,
}

impl KeyChange {
    pub(super) fn from_wire(wire: KeyChangeWire) -> Result<Self, TransactionError> {
        check_thumbprint(&wire.wallet_key_thumbprint)?;
        check_common(&wire.credential_ids, wire.transaction_data_hashes_alg.as_deref())?;
        let wrong = TransactionError::Value { member: "account" };
        let account = match (wire.account, wire.class) {
            (Some(id), None) => KeyChangeOf::Account(id.parse().map_err(|_| wrong)?),
            (None, Some(class)) => KeyChangeOf::Class(readable("class", class)?),
            _ => return Err(wrong),
        };
        Ok(Self {
            credential_ids: wire.credential_ids,
            bank: readable("bank", wire.bank)?,
            account,
            wallet_key_thumbprint: wire.wallet_key_thumbprint,
        })
    }

    pub(super) fn to_wire(&self) -> KeyChangeWire {
        let (account, class) = match &self.account {
            KeyChangeOf::Account(id) => (Some(id.to_string()), None),
            KeyChangeOf::Class(class) => (None, Some(class.clone())),
        };
        KeyChangeWire {
            kind: TransactionData::KEY_CHANGE.to_owned(),
            credential_ids: self.credential_ids.clone(),
            transaction_data_hashes_alg: Some(vec![SHA_256.to_owned()]),
            bank: self.bank.clone(),
            account,
            class,
            wallet_key_thumbprint: self.wallet_key_thumbprint.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::transaction::EncodedTransaction;
    use super::*;
    use serde_json::{Value, json};
    use yufu_jose::encode_base64url;

    fn parse(document: &Value) -> Result<TransactionData, TransactionError> {
        let encoded = EncodedTransaction::parse(&encode_base64url(document.to_string()))?;
        Ok(encoded.data().clone())
    }

    #[test]
    fn a_key_change_names_one_account_or_one_class_and_survives_the_wire() {
        for account in [KeyChangeOf::Account(AccountId::new(7)), KeyChangeOf::Class("III".into())] {
            let change = TransactionData::KeyChange(KeyChange {
                credential_ids: vec!["pid".into()],
                bank: "bank-of-jiangcheng".into(),
                account,
                wallet_key_thumbprint: encode_base64url([7; 32]),
            });
            let encoded = change.encode().unwrap();
            assert_eq!(*EncodedTransaction::parse(encoded.text()).unwrap().data(), change);
        }
        let wire = |account: Value, class: Value| {
            let thumbprint = encode_base64url([7; 32]);
            json!({"type": "yufu_key_change", "credential_ids": ["pid"], "bank": "b",
                "account": account, "class": class, "wallet_key_thumbprint": thumbprint})
        };
        let neither = TransactionError::Value { member: "account" };
        let id = json!(AccountId::new(7).to_string());
        assert_eq!(parse(&wire(Value::Null, Value::Null)).unwrap_err(), neither);
        assert_eq!(parse(&wire(id.clone(), json!("III"))).unwrap_err(), neither);
        assert_eq!(parse(&wire(json!("x"), Value::Null)).unwrap_err(), neither);
        let mut short = wire(id, Value::Null);
        short["wallet_key_thumbprint"] = json!("short");
        let refused = parse(&short).unwrap_err();
        assert_eq!(refused, TransactionError::Value { member: "wallet_key_thumbprint" });
    }
}
