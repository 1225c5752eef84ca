//! Carrying what the purse wants sent: saved before each request, and each on a connection of its own, in no
//! person's language, so that requests are not told to be one person's by how they come.

use super::refusing::PurseFault;
use crate::wallet::holder::Holder;
use crate::words::text;
use anyhow::{Result, bail};
use yufu_api::http::Client;
use yufu_openid4vc::Endpoint;
use yufu_purse::{OperationId, Progress, Purse, Reply, Request};

/// More steps than any operation takes.
const MOST_STEPS: usize = 10_000;

impl Holder {
    /// Sends a request to a mint.
    pub(super) async fn ask_mint(&self, mint: &str, request: &Request) -> Result<Reply> {
        let url = format!("{mint}{}", request.path);
        Endpoint::parse(&url)?;
        let client = Client::new()?;
        let method = if request.body.is_some() { "POST" } else { "GET" };
        let mut headers = request.headers.clone();
        if request.body.is_some() {
            headers.push(("content-type".to_owned(), "application/json".to_owned()));
        }
        let body = request.body.clone().unwrap_or_default();
        let (status, _, body) = client.exchange(method, &url, &headers, body).await?;
        Ok(Reply { status, body })
    }

    /// Goes on with an operation until it is over or waits for somebody.
    pub(super) async fn carry(&mut self, id: OperationId) -> Result<Progress> {
        let seed = self.cash_seed()?;
        for _ in 0..MOST_STEPS {
            // Before anything depends on it.
            self.file.save()?;
            let purse = &self.cash()?.purse;
            let request = purse.request(&seed, id).map_err(PurseFault::from)?;
            let mint = purse.mint_of(id).unwrap_or_default().to_owned();
            let reply = self.ask_mint(&mint, &request).await?;
            let now = self.now().seconds();
            let progress = self.cash()?.purse.handle(&seed, id, &reply, now);
            let progress = progress.map_err(PurseFault::from)?;
            self.file.save()?;
            if progress != Progress::Next {
                return Ok(progress);
            }
        }
        bail!(text!("the mint leads in a circle: try again later"))
    }

    /// Changes the purse, and saves the wallet.
    pub(super) fn with_purse<T, E: Into<PurseFault>>(
        &mut self,
        change: impl FnOnce(&mut Purse) -> Result<T, E>,
    ) -> Result<T> {
        let changed = change(&mut self.cash()?.purse).map_err(Into::<PurseFault>::into)?;
        self.file.save()?;
        Ok(changed)
    }
}
