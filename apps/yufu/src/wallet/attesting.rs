//! A wallet of a wallet provider: it has the provider vouch for each key that is to command an
//! account, and proves to the bank that it holds the key. The provider is told the key, and neither
//! the bank nor the person.

use super::contents::StoredProvider;
use super::fault::WalletFault;
use super::holder::Holder;
use crate::words::text;
use anyhow::{Context, Result};
use serde::Serialize;
use serde::de::DeserializeOwned;
use yufu_api::wallet_provider::{
    Attestation, AttestationRequest, AttestedKeys, InstanceRequest, KeyAttestationRequest,
    KnownInstance,
};
use yufu_base::Signer;
use yufu_jose::{Jwk, SoftwareKey};
use yufu_keys::random_text;
use yufu_openid4vc::attestation::{ATTESTATION_HEADER, ATTESTATION_POP_HEADER, AttestationPop};
use yufu_payment::RequestToken;

impl Holder {
    /// Makes this a wallet of `provider`, for good. Again is harmless.
    ///
    /// # Errors
    /// [`WalletFault::OtherProvider`] if it is another one's, or was used without one.
    pub fn of_provider(&mut self, provider: &str) -> Result<()> {
        let contents = &mut self.file.contents;
        let other = |of: &str| WalletFault::OtherProvider { of: of.to_owned() };
        match &contents.provider {
            Some(known) if known.id == provider => return Ok(()),
            Some(known) => return Err(other(&known.id).into()),
            None if !contents.history.is_empty() || !contents.accounts.is_empty() => {
                return Err(other("no provider").into());
            }
            None => {}
        }
        let (_, key) = Self::fresh_key()?;
        let id = provider.to_owned();
        self.file.contents.provider = Some(StoredProvider { id, key, registered: false });
        Ok(self.file.save()?)
    }

    /// The wallet provider whose wallet this is, if it is one's.
    #[must_use]
    pub fn provider(&self) -> Option<&str> {
        self.file.contents.provider.as_ref().map(|provider| provider.id.as_str())
    }

    /// What the wallet provider knows of this wallet: all of it.
    ///
    /// # Errors
    /// If there is no provider, or it does not answer.
    pub async fn known_to_provider(&mut self) -> Result<KnownInstance> {
        self.find_institutions().await?;
        self.register().await?;
        let provider = self.file.contents.provider.as_ref();
        let provider = provider.with_context(no_provider)?;
        let key = provider.key.key()?;
        let path = format!("/wallet-providers/{}/v1/instance", provider.id);
        let token = self.proof(&provider.id, "GET", &path, &key)?;
        let url = format!("{}{path}", self.address(&provider.id));
        Ok(self.client.get(&url, Some(&token)).await?)
    }

    /// Posts to a bank what is about a key that is to command an account, and proves that it is held
    /// here; through the wallet provider, if there is one.
    pub(super) async fn post_for_key<B: Serialize + Sync, T: DeserializeOwned>(
        &mut self,
        bank: &str,
        below: &str,
        key: &SoftwareKey,
        content: &B,
    ) -> Result<T> {
        self.find_institutions().await?;
        let headers = self.attested(bank, key).await?;
        let path = format!("/banks/{bank}/v1/{below}");
        let token = self.proof(bank, "POST", &path, key)?;
        let url = format!("{}{path}", self.address(bank));
        Ok(self.client.post_with(&url, Some(&token), &headers, content).await?)
    }

    /// The headers by which the wallet provider vouches for `key` at `bank`; none without a provider.
    async fn attested(&mut self, bank: &str, key: &SoftwareKey) -> Result<Vec<(String, String)>> {
        if self.file.contents.provider.is_none() {
            return Ok(Vec::new());
        }
        let attestation = self.attestation_of(key).await?;
        let pop = AttestationPop {
            client: Some(self.provider_address()?),
            // Where this wallet sends it, and not what somebody there says: a proof is for one bank.
            audience: format!("{}/banks/{bank}", self.address(bank)),
            id: random_text(),
            issued: self.now(),
            challenge: None,
        };
        Ok(vec![
            (ATTESTATION_HEADER.to_owned(), attestation),
            (ATTESTATION_POP_HEADER.to_owned(), pop.sign(key)?),
        ])
    }

    /// The wallet provider's address, which is also as whom its wallets are known to issuers.
    pub(super) fn provider_address(&self) -> Result<String> {
        let provider = self.file.contents.provider.as_ref();
        let provider = provider.with_context(no_provider)?;
        Ok(format!("{}/wallet-providers/{}", self.address(&provider.id), provider.id))
    }

    /// The wallet provider's word for a key, which is to be seen by one party alone.
    pub(super) async fn attestation_of(&mut self, key: &SoftwareKey) -> Result<String> {
        let request = AttestationRequest { key: key.public_key().into() };
        let attested: Attestation = self.ask_provider("attestations", &request).await?;
        Ok(attested.attestation)
    }

    /// The wallet provider's word for where keys lie, for an issuer's nonce.
    pub(super) async fn attestation_of_keys(
        &mut self,
        keys: &[SoftwareKey],
        nonce: &str,
    ) -> Result<String> {
        let request = KeyAttestationRequest {
            keys: keys.iter().map(|key| Jwk::from(key.public_key())).collect(),
            nonce: nonce.to_owned(),
        };
        let attested: AttestedKeys = self.ask_provider("key-attestations", &request).await?;
        Ok(attested.key_attestation)
    }

    /// Asks the wallet provider as one of its instances.
    pub(super) async fn ask_provider<B: Serialize + Sync, T: DeserializeOwned>(
        &mut self,
        below: &str,
        content: &B,
    ) -> Result<T> {
        self.find_institutions().await?;
        self.register().await?;
        let provider = self.file.contents.provider.as_ref();
        let provider = provider.with_context(no_provider)?;
        let path = format!("/wallet-providers/{}/v1/{below}", provider.id);
        let token = self.proof(&provider.id, "POST", &path, &provider.key.key()?)?;
        let url = format!("{}{path}", self.address(&provider.id));
        Ok(self.client.post(&url, Some(&token), content).await?)
    }

    /// Registers this wallet with its provider, at its first start.
    async fn register(&mut self) -> Result<()> {
        let known = self.file.contents.provider.as_ref().filter(|provider| !provider.registered);
        let Some(provider) = known.cloned() else { return Ok(()) };
        let key = provider.key.key()?;
        let path = format!("/wallet-providers/{}/v1/instances", provider.id);
        let token = self.proof(&provider.id, "POST", &path, &key)?;
        let request = InstanceRequest { instance_key: key.public_key().into() };
        let url = format!("{}{path}", self.address(&provider.id));
        let _: KnownInstance = self.client.post(&url, Some(&token), &request).await?;
        self.file.contents.provider = Some(StoredProvider { registered: true, ..provider });
        Ok(self.file.save()?)
    }

    /// A token by which `key` proves that its holder asks.
    fn proof(&self, of: &str, method: &str, path: &str, key: &SoftwareKey) -> Result<String> {
        let token = RequestToken {
            iss: Jwk::from(key.public_key()).thumbprint_base64url(),
            aud: of.to_owned(),
            htm: method.to_owned(),
            htu: path.to_owned(),
            iat: self.now(),
        };
        Ok(token.sign(key)?)
    }
}

fn no_provider() -> String {
    text!(
        "this wallet is of no wallet provider: make a new one that is with `yufu wallet --as NAME --provider PROVIDER`, and get your identity into it"
    )
}
