//! The transaction data of a sign-in: whoever holds the credential is the person for whom a wallet pushed this very
//! authorization request at this issuer. The wallet that pushed it knows it, and no other signs.

use super::transaction::{
    SHA_256, TransactionData, TransactionError, check_common, check_digest, readable,
};
use serde::{Deserialize, Serialize};
use yufu_jose::{encode_base64url, sha256};

/// A sign-in at an issuer, for one pushed authorization request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignIn {
    /// The queries one of whose credentials may authorise it.
    pub credential_ids: Vec<String>,
    /// The issuer's identifier.
    pub issuer: String,
    /// What the pushed request is known by: see [`SignIn::of`].
    pub request: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SignInWire {
    #[serde(rename = "type")]
    kind: String,
    credential_ids: Vec<String>,
    transaction_data_hashes_alg: Option<Vec<String>>,
    issuer: String,
    request: String,
}

impl SignIn {
    /// By what a pushed request is known here: SHA-256 of its `request_uri`, in base64url.
    #[must_use]
    pub fn of(request_uri: &str) -> String {
        encode_base64url(sha256(request_uri.as_bytes()))
    }

    pub(super) fn from_wire(wire: SignInWire) -> Result<Self, TransactionError> {
        check_digest("request", &wire.request)?;
        check_common(&wire.credential_ids, wire.transaction_data_hashes_alg.as_deref())?;
        Ok(Self {
            credential_ids: wire.credential_ids,
            issuer: readable("issuer", wire.issuer)?,
            request: wire.request,
        })
    }

    pub(super) fn to_wire(&self) -> SignInWire {
        SignInWire {
            kind: TransactionData::SIGN_IN.to_owned(),
            credential_ids: self.credential_ids.clone(),
            transaction_data_hashes_alg: Some(vec![SHA_256.to_owned()]),
            issuer: self.issuer.clone(),
            request: self.request.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::transaction::EncodedTransaction;
    use super::*;
    use serde_json::json;

    #[test]
    fn a_sign_in_names_one_issuer_and_one_pushed_request_and_survives_the_wire() {
        let sign_in = TransactionData::SignIn(SignIn {
            credential_ids: vec!["pid".into()],
            issuer: "https://bank.example/banks/one/haip".into(),
            request: SignIn::of("urn:ietf:params:oauth:request_uri:x"),
        });
        let encoded = sign_in.encode().unwrap();
        assert_eq!(*EncodedTransaction::parse(encoded.text()).unwrap().data(), sign_in);
        for (issuer, request, member) in [
            ("", SignIn::of("x"), "issuer"),
            ("https://bank.example", "short".to_owned(), "request"),
        ] {
            let document = json!({"type": "yufu_sign_in", "credential_ids": ["pid"],
                "issuer": issuer, "request": request});
            let refused = EncodedTransaction::parse(&encode_base64url(document.to_string()));
            assert_eq!(refused.unwrap_err(), TransactionError::Value { member });
        }
        assert_ne!(SignIn::of("x"), SignIn::of("y"));
    }
}
