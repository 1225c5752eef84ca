//! The allowance: blind tokens for whoever shows to be one person, and cash paid in with them at a counter. Who gives
//! out the tokens learns a pseudonym and no amount; the bank that signs them cannot tell whose it gets back.

use super::refusing::PurseFault;
use crate::wallet::holder::{Decide, Holder};
use crate::words::text;
use anyhow::{Context, Result, bail, ensure};
use serde::de::DeserializeOwned;
use yufu_api::openid_provider::TokenKeysets;
use yufu_base::Amount;
use yufu_ecash::KeysetId;
use yufu_ecash::message::MintInfo;
use yufu_keys::random;
use yufu_openid4vc::Endpoint;
use yufu_openid4vc::device::{DeviceAuthorization, DeviceError, GRANT_DEVICE_CODE};
use yufu_openid4vc::issuance::TokenResponse;
use yufu_purse::delay::standard_part;
use yufu_purse::{Outcome, Progress, Purse, Request, Waiting};

/// The word of the directory for an OpenID provider.
const PROVIDER: &str = "openid-provider";

/// Cash that is to be paid in at a counter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PayingIn {
    /// What the counter needs to see.
    pub quote: String,
    /// Until when, in Unix seconds.
    pub until: Option<u64>,
}

impl Holder {
    /// Gets a batch of tokens for a bank: shows the OpenID provider a pseudonym, then has the bank sign blindly. How
    /// many tokens there are now.
    ///
    /// # Errors
    /// If nobody gives out tokens, the person declines, the allowance is used, or the bank refuses.
    pub async fn get_tokens(&mut self, bank: &str, decide: Decide<'_>) -> Result<usize> {
        let mint = self.learn_mint(bank).await?;
        if self.purse()?.batches().any(|begun| begun == mint) {
            return self.finish_tokens(&mint).await;
        }
        let mut entries = self.directory().iter();
        let provider = entries.find(|entry| entry.kind == PROVIDER);
        let provider =
            provider.with_context(|| text!("nobody gives out tokens in this country"))?;
        let at = format!("{}/openid/{}", provider.url, provider.id);
        let begun: DeviceAuthorization =
            self.post_form(&format!("{at}/device_authorization"), &[("client_id", bank)]).await?;
        let asked = begun.yufu_authorization_request.with_context(|| {
            text!("no tokens were given out: {why}", why = "there is no presentation request")
        })?;
        self.present(&asked, decide).await?;
        let fields = [
            ("grant_type", GRANT_DEVICE_CODE),
            ("device_code", begun.device_code.as_str()),
            ("client_id", bank),
        ];
        let access: TokenResponse = self.post_form(&format!("{at}/token"), &fields).await?;
        // What the bank is asked from here on goes over connections of its own.
        let known: TokenKeysets = self.client.get(&format!("{at}/v1/keysets"), None).await?;
        let published: Option<KeysetId> = known.keysets.get(bank).and_then(|id| id.parse().ok());
        let published = published.with_context(|| {
            text!("{bank} signs no tokens that are known to everybody", bank = bank)
        })?;
        let info = self.ask_mint(&mint, &Request::get("/v1/info".to_owned())).await?;
        let info: MintInfo = serde_json::from_slice(&info.body)?;
        let batch = info.nuts.blind_auth.map_or(0, |settings| settings.bat_max_mint);
        ensure!(
            batch > 0,
            text!("{bank} signs no tokens that are known to everybody", bank = bank)
        );
        let keys = self.ask_mint(&mint, &Purse::ask_token_keys()).await?;
        let (seed, count) = (self.cash_seed()?, u32::try_from(batch).unwrap_or(u32::MAX));
        let access = access.access_token;
        self.with_purse(|purse| {
            purse.begin_tokens(&seed, &mint, (&published, count), &access, &keys)
        })?;
        self.finish_tokens(&mint).await
    }

    /// Has the batch that is under way at a mint signed.
    async fn finish_tokens(&mut self, mint: &str) -> Result<usize> {
        let seed = self.cash_seed()?;
        let request = self.purse()?.tokens_request(&seed, mint).map_err(PurseFault::from)?;
        let reply = self.ask_mint(mint, &request).await?;
        let taken = self.cash()?.purse.take_tokens(&seed, mint, &reply);
        self.file.save()?;
        Ok(taken.map_err(PurseFault::from)?)
    }

    /// Begins to pay in cash at a counter of a bank, with a token: what the counter needs to see. Once it is paid,
    /// [`Holder::settle_cash`] takes the notes.
    ///
    /// # Errors
    /// If there is no token, or whatever the mint refused.
    pub async fn pay_in_cash(&mut self, bank: &str, amount: Amount) -> Result<PayingIn> {
        let mint = self.learn_mint(bank).await?;
        let digits = self.decimals().get(amount.currency().code()).copied().unwrap_or_default();
        let (now, randomness) = (self.now().seconds(), u64::from_be_bytes(random()));
        let (part, minor) = (standard_part(digits), amount.minor());
        let id = self.with_purse(|purse| purse.top_up(&mint, minor, part, randomness, now))?;
        match self.go_on(id).await? {
            Progress::Waiting(Waiting::Funding { quote, until, .. }) => {
                Ok(PayingIn { quote, until })
            }
            Progress::Done(Outcome::Lapsed) => bail!(text!("nobody paid in time: begin anew")),
            _ => bail!(text!("the mint is still about it: `yufu wallet cash settle` goes on")),
        }
    }

    /// How many tokens there are for a bank.
    ///
    /// # Errors
    /// If the wallet has no notes.
    pub fn tokens_for(&self, bank: &str) -> Result<usize> {
        Ok(self.purse()?.tokens(&self.mint_of(bank), self.now().seconds()))
    }

    async fn post_form<T: DeserializeOwned>(
        &self,
        url: &str,
        fields: &[(&str, &str)],
    ) -> Result<T> {
        Endpoint::parse(url)?;
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.extend_pairs(fields);
        let kind = "application/x-www-form-urlencoded".to_owned();
        let headers = [("content-type".to_owned(), kind)];
        let body = form.finish().into_bytes();
        let answer = self.client.exchange_whole("POST", url, &headers, body).await?;
        let answer = answer.looked_at(url)?;
        if (200..300).contains(&answer.status) {
            return Ok(answer.json(url)?);
        }
        let refused: DeviceError = answer.json(url)?;
        let why = refused.error_description;
        let why = why.unwrap_or_else(|| format!("{:?}", refused.error));
        bail!(text!("no tokens were given out: {why}", why = why))
    }
}
