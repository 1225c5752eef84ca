//! The wallet provider of all wallets of the bench: it knows one instance, and vouches for a key for each wallet.

use super::city::{City, now};
use crate::http::{Prepared, Server, text};
use anyhow::Result;
use serde_json::{Value, json};
use yufu_base::Signer as _;
use yufu_jose::{Jwk, SoftwareKey};
use yufu_keys::random;
use yufu_payment::RequestToken;

pub(super) struct Provider {
    id: String,
    /// The key of its instance.
    key: SoftwareKey,
    /// Its address, which is what wallets are called as clients.
    pub(super) client_id: String,
}

impl Provider {
    /// The provider, where the instance is registered.
    pub(super) fn register(server: &Server, city: &mut City) -> Result<Self> {
        let id = server.wallet_provider()?;
        let key = SoftwareKey::from_seed(&random())?;
        let client_id = format!("http://{}/wallet-providers/{id}", server.target.address);
        let provider = Self { id, key, client_id };
        let instance = json!({"instance_key": Jwk::from(provider.key.public_key())});
        provider.ask(city, "instances", &instance)?;
        Ok(provider)
    }

    /// Its word for a wallet's key, which one issuer sees.
    pub(super) fn vouch(&self, city: &mut City, key: &SoftwareKey) -> Result<String> {
        let asked = json!({"key": Jwk::from(key.public_key())});
        Ok(text(&self.ask(city, "attestations", &asked)?, "attestation")?.to_owned())
    }

    /// Its word for where a key lies, for an issuer's nonce.
    pub(super) fn vouch_for_key(
        &self,
        city: &mut City,
        key: &SoftwareKey,
        nonce: &str,
    ) -> Result<String> {
        let asked = json!({"keys": [Jwk::from(key.public_key())], "nonce": nonce});
        Ok(text(&self.ask(city, "key-attestations", &asked)?, "key_attestation")?.to_owned())
    }

    fn ask(&self, city: &mut City, below: &str, asked: &Value) -> Result<Value> {
        let path = format!("/wallet-providers/{}/v1/{below}", self.id);
        let token = RequestToken {
            iss: Jwk::from(self.key.public_key()).thumbprint_base64url(),
            aud: self.id.clone(),
            htm: "POST".to_owned(),
            htu: path.clone(),
            iat: now()?,
        };
        let token = token.sign(&self.key)?;
        let body = serde_json::to_vec(asked)?;
        let request = Prepared::post(city.address(), &path, Some(&token), &body);
        Ok(serde_json::from_slice(&city.answer(&request)?)?)
    }
}
