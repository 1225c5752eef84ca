//! What is under way goes on, what nobody took comes back.

use super::refusing::PurseFault;
use crate::wallet::holder::Holder;
use crate::words::text;
use anyhow::{Context, Result, bail};
use yufu_purse::{OperationId, Progress, Waiting};

/// How soon notes are changed for newer ones before they end, in seconds: a month.
const RENEWED_BEFORE: u64 = 30 * 86_400;

impl Holder {
    /// Takes back what a payee has not taken.
    ///
    /// # Errors
    /// If it is locked yet, or the payee was faster.
    pub async fn take_back_cash(&mut self, number: u64) -> Result<Progress> {
        let id = OperationId(number);
        let mint = self.purse()?.mint_of(id).map(str::to_owned);
        let mint =
            mint.with_context(|| text!("no payment {number} is under way", number = number))?;
        self.learn_mint(&self.bank_of(&mint)?).await?;
        // What was taken meanwhile is not tried for.
        if let Progress::Done(done) = self.go_on_checking(id).await? {
            return Ok(Progress::Done(done));
        }
        let (seed, now) = (self.cash_seed()?, self.now().seconds());
        if !self.cash()?.purse.take_back(&seed, id, now) {
            bail!(text!("it is locked to the payee yet: `yufu wallet cash list` says until when"));
        }
        self.go_on(id).await
    }

    /// Goes on; what was given is asked for, a few notes at a time, for as long as more of it was taken.
    async fn go_on_checking(&mut self, id: OperationId) -> Result<Progress> {
        loop {
            let left = self.purse()?.given(id).map(|given| given.left);
            let progress = self.go_on(id).await?;
            match progress {
                Progress::Waiting(Waiting::Taking { left: now }) if Some(now) < left => {}
                other => return Ok(other),
            }
        }
    }

    /// Goes on with everything that is under way, collects what was taken without network, and changes notes that
    /// end soon. How many operations are still under way, and what was refused.
    ///
    /// # Errors
    /// If a mint does not answer.
    pub async fn settle_cash(&mut self) -> Result<(usize, Vec<String>)> {
        let mut refused = Vec::new();
        let now = self.now().seconds();
        let mints: Vec<String> = self.purse()?.holdings(now).into_iter().map(|h| h.mint).collect();
        for mint in mints {
            let mint = self.learn_mint(&self.bank_of(&mint)?).await?;
            let (seed, before) = (self.cash_seed()?, now.saturating_add(RENEWED_BEFORE));
            self.with_purse(|purse| purse.renew(&seed, &mint, before, now))?;
        }
        let seed = self.cash_seed()?;
        self.cash()?.purse.collect(&seed, now);
        self.file.save()?;
        let under_way: Vec<OperationId> = self.purse()?.under_way().collect();
        for id in under_way {
            if let Err(error) = self.go_on_checking(id).await {
                match error.downcast::<PurseFault>() {
                    Ok(fault) => refused.push(fault.said()),
                    Err(other) => return Err(other),
                }
            }
        }
        Ok((self.purse()?.under_way().count(), refused))
    }
}
