//! What is under way goes on, what nobody took comes back.

use super::refusing::PurseFault;
use crate::wallet::holder::Holder;
use crate::words::text;
use anyhow::{Context, Error, Result, bail};
use std::collections::BTreeSet;
use yufu_purse::{OperationId, Outcome, Progress, Waiting};

/// How soon notes are changed for newer ones before they end, in seconds: a month.
const RENEWED_BEFORE: u64 = 30 * 86_400;

/// What came of going on with everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settled {
    /// How many operations are still under way.
    pub left: usize,
    /// The preimages that payees showed for hash locks, in hexadecimal, each with its payment's number.
    pub opened: Vec<(u64, String)>,
    /// What was refused, and why.
    pub refused: Vec<String>,
    /// Who did not answer, and what to do about it: what waits for them is as it was.
    pub unanswered: Vec<String>,
}

impl Settled {
    /// Takes a step that came to nothing.
    fn failed(&mut self, holder: &Holder, error: &Error) {
        let into = match error.downcast_ref::<PurseFault>() {
            Some(_) => &mut self.refused,
            None => &mut self.unanswered,
        };
        into.push(holder.told(error));
    }
}

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
        self.go_on_checking(id).await
    }

    /// Goes on; what was given is asked for, a few notes at a time, for as long as more of it was taken.
    async fn go_on_checking(&mut self, id: OperationId) -> Result<Progress> {
        loop {
            let left = self.purse()?.given(id).map(|given| given.left);
            let progress = self.go_on(id).await?;
            match progress {
                Progress::Waiting(Waiting::Taking { left: now })
                    if left.is_none_or(|before| now < before) => {}
                other => return Ok(other),
            }
        }
    }

    /// Goes on with everything that is under way, collects what was taken without network, and changes notes that
    /// end soon. A bank that does not answer keeps nobody else's notes waiting.
    ///
    /// # Errors
    /// If there are no notes, or the wallet cannot be saved.
    pub async fn settle_cash(&mut self) -> Result<Settled> {
        let mut settled = Settled::default();
        let now = self.now().seconds();
        let mints: Vec<String> = self.purse()?.holdings(now).into_iter().map(|h| h.mint).collect();
        for mint in mints {
            if let Err(error) = self.renew_cash(&mint, now).await {
                settled.failed(self, &error);
            }
        }
        let seed = self.cash_seed()?;
        self.cash()?.purse.collect(&seed, now);
        self.file.save()?;
        let under_way: Vec<OperationId> = self.purse()?.under_way().collect();
        let mut silent = BTreeSet::new();
        for id in under_way {
            let mint = self.purse()?.mint_of(id).unwrap_or_default().to_owned();
            if silent.contains(&mint) {
                continue;
            }
            match self.go_on_checking(id).await {
                Ok(Progress::Done(Outcome::Taken { preimage: Some(preimage), .. })) => {
                    settled.opened.push((id.0, preimage));
                }
                Ok(_) => {}
                Err(error) => {
                    if error.downcast_ref::<PurseFault>().is_none() {
                        silent.insert(mint);
                    }
                    settled.failed(self, &error);
                }
            }
        }
        settled.left = self.purse()?.under_way().count();
        Ok(settled)
    }

    /// Learns a mint's keysets, and begins to change notes that end soon.
    async fn renew_cash(&mut self, mint: &str, now: u64) -> Result<()> {
        let mint = self.learn_mint(&self.bank_of(mint)?).await?;
        let (seed, before) = (self.cash_seed()?, now.saturating_add(RENEWED_BEFORE));
        self.with_purse(|purse| purse.renew(&seed, &mint, before, now))?;
        Ok(())
    }
}
