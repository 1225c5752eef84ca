//! An account statement: a bank says that the depositor behind a reference holds a wallet's key, so
//! that another bank may give that wallet a class which needs a linked account.

use serde::{Deserialize, Serialize};
use yufu_base::{PublicKey, Signer, Timestamp};
use yufu_jose::{Chain, ChainError, Header, JwsError, SignError, Unverified};

const TYPE: &str = "yufu-account-statement+jwt";

/// What a statement says. It names no person: the bank that states it answers for who that is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccountStatement {
    /// The bank that states it: its address as an issuer.
    pub iss: String,
    /// The bank it is for: its id.
    pub aud: String,
    /// The depositor's account at the stating bank, by a reference that bank chose for this.
    pub reference: String,
    /// The wallet's key: its thumbprint (RFC 7638) in base64url.
    pub wallet_key_thumbprint: String,
    /// From when it must no longer be taken.
    #[serde(with = "yufu_jose::numeric_date")]
    pub exp: Timestamp,
}

/// A statement as it came, its signature not verified: its chain says whose key to trust.
pub struct SignedStatement {
    jws: Unverified,
}

/// Why a statement is not taken. Checked in this order.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StatementError {
    /// Not such a token, or not signed by the key of its chain.
    #[error("the statement: {0}")]
    Jws(#[from] JwsError),
    /// It carries no certificate chain.
    #[error("the statement: {0}")]
    Chain(#[from] ChainError),
    /// It was made by another bank than its signer is.
    #[error("the statement is by {found}, and signed by {signer}: ask that bank to sign its own")]
    Issuer {
        /// The bank it names.
        found: String,
        /// The bank that signed.
        signer: String,
    },
    /// It is for another bank.
    #[error("the statement is for {found}, this is {expected}: ask for one for this bank")]
    Audience {
        /// The bank it names.
        found: String,
        /// This one.
        expected: String,
    },
    /// It is about another wallet.
    #[error("the statement is about another wallet's key: ask for one for this wallet")]
    OtherKey,
    /// Its time has passed.
    #[error("the statement has expired: ask the bank for a new one")]
    Expired,
}

impl AccountStatement {
    /// Signs the statement: a compact JWS of type `yufu-account-statement+jwt` with its chain.
    ///
    /// # Errors
    /// [`SignError`] if the key does not sign.
    pub fn sign(&self, chain: &Chain, signer: &dyn Signer) -> Result<String, SignError> {
        let json = serde_json::to_vec(self).map_err(|e| SignError::Json(e.to_string()))?;
        yufu_jose::sign(&Header::typed(TYPE).with_chain(chain), &json, signer)
    }
}

impl SignedStatement {
    /// Reads a statement.
    ///
    /// # Errors
    /// [`StatementError::Jws`].
    pub fn parse(text: &str) -> Result<Self, StatementError> {
        Ok(Self { jws: Unverified::parse_bounded(text, 8192)?.expect_type(TYPE)? })
    }

    /// The chain of its signer, to be held against a trust list.
    ///
    /// # Errors
    /// [`StatementError::Chain`] without one.
    pub fn chain(&self) -> Result<Chain, StatementError> {
        Ok(self.jws.header().chain()?)
    }

    /// The statement, once it is known to be `signer`'s (address and key), for `audience`, about
    /// the wallet key of this thumbprint, and not expired at `now`.
    ///
    /// # Errors
    /// [`StatementError`], the first rule broken.
    pub fn verify(
        self,
        signer: (&str, &PublicKey),
        audience: &str,
        thumbprint: &str,
        now: Timestamp,
    ) -> Result<AccountStatement, StatementError> {
        let statement: AccountStatement = self.jws.verify(signer.1)?.claims()?;
        if statement.iss != signer.0 {
            let signer = signer.0.to_owned();
            return Err(StatementError::Issuer { found: statement.iss, signer });
        }
        if statement.aud != audience {
            let expected = audience.to_owned();
            return Err(StatementError::Audience { found: statement.aud, expected });
        }
        if statement.wallet_key_thumbprint != thumbprint {
            return Err(StatementError::OtherKey);
        }
        if statement.exp <= now {
            return Err(StatementError::Expired);
        }
        Ok(statement)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use yufu_jose::SoftwareKey;

    #[test]
    fn a_statement_is_refused_by_the_first_rule_it_breaks() {
        let key = SoftwareKey::from_seed(&[1; 32]).unwrap();
        let other = SoftwareKey::from_seed(&[2; 32]).unwrap().public_key();
        let now = Timestamp::from_seconds(1_700_000_000);
        let statement = AccountStatement {
            iss: "https://a".to_owned(),
            aud: "bank-b".to_owned(),
            reference: "r-1".to_owned(),
            wallet_key_thumbprint: "t".to_owned(),
            exp: now.plus_seconds(60),
        };
        let json = serde_json::to_vec(&statement).unwrap();
        let text = yufu_jose::sign(&Header::typed(TYPE), &json, &key).unwrap();
        let key = key.public_key();
        let late = now.plus_seconds(60);
        let verify = |signer: (&str, &PublicKey), audience, thumbprint, at| {
            SignedStatement::parse(&text).unwrap().verify(signer, audience, thumbprint, at)
        };
        assert_eq!(verify(("https://a", &key), "bank-b", "t", now).unwrap(), statement);
        let refused = verify(("x", &other), "x", "x", late);
        assert_eq!(refused, Err(StatementError::Jws(JwsError::Signature)));
        assert!(matches!(verify(("x", &key), "x", "x", late), Err(StatementError::Issuer { .. })));
        let refused = verify(("https://a", &key), "x", "x", late);
        assert!(matches!(refused, Err(StatementError::Audience { .. })));
        let refused = verify(("https://a", &key), "bank-b", "x", late);
        assert_eq!(refused, Err(StatementError::OtherKey));
        let refused = verify(("https://a", &key), "bank-b", "t", late);
        assert_eq!(refused, Err(StatementError::Expired));
        let chain = SignedStatement::parse(&text).unwrap().chain();
        assert!(matches!(chain, Err(StatementError::Chain(_))));
        let token = yufu_jose::sign(
            &Header::typed("kb+jwt"),
            &json,
            &SoftwareKey::from_seed(&[1; 32]).unwrap(),
        );
        assert!(matches!(SignedStatement::parse(&token.unwrap()), Err(StatementError::Jws(_))));
    }
}
