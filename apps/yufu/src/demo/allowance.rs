//! The steps with the allowance: tokens for whoever shows to be one person, and paper paid in with one of them by somebody
//! who stays unnamed.

use super::cash_words::{Granted, granted, no_allowance, one_more_refused, topped_up};
use super::identity::Asked;
use super::name::{her_notes, the_publics_paper};
use super::report::Told;
use super::story::Story;
use crate::words::sentences;
use anyhow::{Context, Result, ensure};
use yufu_api::bank::{TopUp, TopUpPaid};
use yufu_wallet::presentation::Consent;

/// How many batches are fetched, one at each of two banks.
const PLAYED: u32 = 2;

impl Story<'_> {
    /// She shows the OpenID provider her pseudonym for anonymous cash, and has tokens signed until her quota is used.
    pub(super) async fn get_allowance(&mut self) -> Result<Told> {
        let Some(allowance) = self.country.profile.allowance.clone() else {
            return Ok(Told::new(no_allowance()));
        };
        let mut asked = Asked { language: self.language.clone(), ..Asked::default() };
        let batch = usize::try_from(allowance.batch)?;
        let (own, other) = (self.bank, self.other_bank);
        let first = self.wallet.get_tokens(own.id.as_str(), &mut |c| asked.agree(c)).await?;
        let second = self.wallet.get_tokens(other.id.as_str(), &mut |c| asked.agree(c)).await?;
        ensure!(first == batch && second >= batch, "{first} and {second} tokens, not {batch}");
        let used = allowance.batches == PLAYED;
        if used {
            let mut agree = |_: &Consent| true;
            let more = self.wallet.get_tokens(own.id.as_str(), &mut agree).await;
            let refusal = more.err().context("more was granted than the allowance")?.to_string();
            ensure!(refusal.contains("allowance.used"), "refused for another reason: {refusal}");
        }
        let told = granted(&Granted {
            party: &asked.party,
            purpose: &asked.purpose,
            batch: allowance.batch,
            batches: allowance.batches,
            banks: (self.tell(&own.name), self.tell(&other.name)),
        });
        Ok(Told::new(if used { sentences(&told, &one_more_refused()) } else { told }))
    }

    /// She pays in paper at a counter with one of them, and takes notes for it.
    pub(super) async fn top_up(&mut self) -> Result<Told> {
        let Some(allowance) = self.country.profile.allowance.clone() else {
            return Ok(Told::new(no_allowance()));
        };
        let (bank, amount) = (self.bank, self.major(200));
        let before = self.wallet.tokens_for(bank.id.as_str())?;
        let (balance, out) = (self.balance().await?, self.supply().await?.digital_in_notes);
        let paying = self.wallet.pay_in_cash(bank.id.as_str(), amount).await?;
        let counted = TopUp { quote: paying.quote, amount_minor: amount.minor() };
        let url = format!("{}/banks/{}/v1/desk/top-ups", self.address(&bank.id), bank.id);
        let paid: TopUpPaid = self.client.post(&url, Some(&self.desk(&bank.id)?), &counted).await?;
        ensure!(paid.amount_minor == amount.minor(), "other cash was counted");
        let settled = self.wallet.settle_cash().await?;
        ensure!(settled.refused.is_empty() && settled.unanswered.is_empty(), "{settled:?}");
        let more = self.supply().await?.digital_in_notes.checked_sub(out);
        ensure!(more == Some(amount.minor()), "what was paid in is not what is in notes");
        ensure!(balance == self.balance().await?, "her account was touched");
        let left = self.wallet.tokens_for(bank.id.as_str())?;
        ensure!(left.checked_add(1) == Some(before), "{left} tokens of {before} are left");
        let told =
            topped_up(&self.words(amount), &self.words(allowance.top_up), self.tell(&bank.name));
        Ok(Told::new(told).moved(the_publics_paper(), her_notes(), amount))
    }
}
