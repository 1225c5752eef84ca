//! The steps with bearer notes: she withdraws some, pays noodles with them, and nobody can tell that it was her.

use super::cash_words::{noodles, withdrawn};
use super::name::{her_notes, her_wallet, the_shops_notes};
use super::report::Told;
use super::story::Story;
use crate::wallet::CashTerms;
use anyhow::{Context, Result, ensure};

impl Story<'_> {
    /// Her account pays for notes that the bank signs without seeing them.
    pub(super) async fn withdraw_cash(&mut self) -> Result<Told> {
        let amount = self.major(100);
        let (before, out) = (self.balance().await?, self.supply().await?.digital_in_notes);
        let rests = self.wallet.withdraw_cash(amount).await?;
        ensure!(rests.is_some(), "withdrawn notes do not rest");
        let paid = before.checked_sub(self.balance().await?);
        let more = self.supply().await?.digital_in_notes.checked_sub(out);
        ensure!(
            (paid, more) == (Some(amount.minor()), Some(amount.minor())),
            "what left the account is not what is in notes"
        );
        Ok(Told::new(withdrawn(&self.words(amount))).moved(her_wallet(), her_notes(), amount))
    }

    /// Noodles from the notes, as the shop's request asks; the shop changes them at once, and has them paid to its
    /// account at another bank.
    pub(super) async fn noodles(&mut self) -> Result<Told> {
        self.merchant_account().await?;
        let amount = self.major(18);
        let mut shop = self.open_wallet(self.merchant.id.as_str())?;
        let request = shop.request_cash(Some(amount.minor()), true).await?;
        // The rest of up to a day is what hides her by the time: a demonstration does not wait for it, and says so.
        let terms = CashTerms { request: Some(request), hurry: true, ..CashTerms::default() };
        let paid = self.wallet.pay_cash(&terms).await?;
        let token = paid.token.context("the payment gave no token")?;
        ensure!(shop.receive_cash(&token, None).await? == amount.minor(), "the shop got less");
        ensure!(shop.receive_cash(&token, None).await.is_err(), "a note was spent twice");
        let takings = shop.accounts().await?;
        let before = takings.first().context("the shop has no account")?.wallet.balance_minor;
        shop.redeem_cash(amount.minor()).await?;
        let takings = shop.accounts().await?;
        let after = takings.first().context("the shop has no account")?.wallet.balance_minor;
        ensure!(
            after.checked_sub(before) == Some(amount.minor()),
            "the shop's account was not paid for its notes"
        );
        let (mint, bank) = (self.tell(&self.bank.name), self.tell(&self.other_bank.name));
        Ok(Told::new(noodles(&self.words(amount), mint, bank))
            .moved(her_notes(), the_shops_notes(), amount)
            .moved(the_shops_notes(), self.tell(&self.merchant.name), amount))
    }
}
