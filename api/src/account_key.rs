//! The key with which a hotel, a railway or an agency commands its account, and the next one: handed over at its bank as
//! any wallet does it, by an order of the key in use.

use crate::bank::{AccountState, HandOverRequest, KeyChanged};
use crate::http::{Client, ClientError, Problem};
use crate::signing::HeldKey;
use std::sync::Arc;
use yufu_base::{AccountId, CommandId, InstitutionId, Signer, Timestamp};
use yufu_keys::random;
use yufu_payment::{HandOverOrder, RequestToken};

/// For how long a hand-over may be taken, in seconds.
const HAND_OVER_SECONDS: u64 = 600;
/// The refusal of a former key.
const CHANGED: &str = "account.key_changed";

/// Where an institution has its account.
#[derive(Clone, Copy)]
pub(crate) struct OwnBank<'a> {
    pub(crate) client: &'a Client,
    /// The bank, and the address below which it is reached.
    pub(crate) bank: &'a (InstitutionId, String),
    pub(crate) now: Timestamp,
}

/// An account, and the bank that keeps it.
struct AtBank<'a> {
    own: OwnBank<'a>,
    account: AccountId,
}

impl HeldKey {
    /// Has `next` command the account that the records name from now on, if they name one. If its bank cannot be told, the
    /// former key stays in use.
    pub(crate) async fn hand_over(
        &self,
        next: Arc<dyn Signer>,
        account: Option<String>,
        own: OwnBank<'_>,
    ) -> Result<(), Problem> {
        let account = account.map(|account| account.parse()).transpose();
        let at = account.map_err(Problem::internal)?.map(|account| AtBank { own, account });
        let told = |former: Arc<dyn Signer>, next: Arc<dyn Signer>| async move {
            match at {
                Some(at) => at.hand_over(&*former, &*next).await,
                None => Ok(()),
            }
        };
        self.change(next, told).await
    }
}

impl AtBank<'_> {
    async fn hand_over(&self, former: &dyn Signer, next: &dyn Signer) -> Result<(), Problem> {
        let OwnBank { client, bank: (bank, address), now } = self.own;
        let order = HandOverOrder {
            bank: bank.to_string(),
            id: CommandId::at(now, u128::from_be_bytes(random())),
            account: self.account,
            key: next.public_key().into(),
            expires: Timestamp::from_seconds(now.plus_seconds(HAND_OVER_SECONDS).seconds()),
        };
        let order = order.sign(former).map_err(Problem::internal)?;
        let path = format!("/banks/{bank}/v1/hand-overs");
        let token = self.token("POST", &path, next)?;
        let request = HandOverRequest { order };
        let url = format!("{address}{path}");
        let done: Result<KeyChanged, ClientError> = client.post(&url, Some(&token), &request).await;
        match done {
            Ok(_) => Ok(()),
            // Before a crash, perhaps: then the next one commands it already.
            Err(ClientError::Refused(body)) if body.code == CHANGED => self.commands(next).await,
            Err(error) => Err(error.into()),
        }
    }

    /// That a key commands the account.
    async fn commands(&self, key: &dyn Signer) -> Result<(), Problem> {
        let OwnBank { client, bank: (bank, address), .. } = self.own;
        let path = format!("/banks/{bank}/v1/accounts/{}", self.account);
        let token = self.token("GET", &path, key)?;
        let _: AccountState = client.get(&format!("{address}{path}"), Some(&token)).await?;
        Ok(())
    }

    fn token(&self, method: &str, path: &str, key: &dyn Signer) -> Result<String, Problem> {
        let token = RequestToken {
            iss: self.account.to_string(),
            aud: self.own.bank.0.to_string(),
            htm: method.to_owned(),
            htu: path.to_owned(),
            iat: self.own.now,
        };
        token.sign(key).map_err(Problem::internal)
    }
}
