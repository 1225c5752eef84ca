//! Invoices, for those whose wallets can nothing else: the account pays for somebody's withdrawal, or is paid with
//! somebody's notes.

use crate::wallet::holder::Holder;
use crate::words::text;
use anyhow::{Context, Result, bail};
use yufu_api::bank::AccountInvoice;
use yufu_ecash::InvoiceKey;
use yufu_ecash::message::MintQuote;
use yufu_purse::Request;

impl Holder {
    /// Has the acting account pay for the withdrawal that an invoice of its bank's mint is for. How much that is, in
    /// minor units.
    ///
    /// # Errors
    /// If the bank does not know the invoice, or refuses the order.
    pub async fn pay_invoice(&mut self, invoice: &str) -> Result<u64> {
        let bank = self.acting()?.bank.clone();
        let (amount, described) = InvoiceKey::described(invoice)?;
        let quote = described.strip_prefix(&format!("yufu://{bank}/withdrawals/"));
        let quote = quote.with_context(|| {
            text!(
                "the invoice is for no withdrawal at {bank}: pay it from an account there",
                bank = bank
            )
        })?;
        if !quote.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)) {
            bail!(text!("the bank does not know the invoice: nothing was signed"));
        }
        let mint = self.mint_of(&bank);
        let asked = Request::get(format!("/v1/mint/quote/bolt11/{quote}"));
        let known = self.ask_mint(&mint, &asked).await?;
        let known = serde_json::from_slice::<MintQuote>(&known.body).ok();
        if !known.is_some_and(|known| known.request == invoice && known.amount == Some(amount)) {
            bail!(text!("the bank does not know the invoice: nothing was signed"));
        }
        self.order_withdrawal(&bank.parse()?, quote, amount).await?;
        Ok(amount)
    }

    /// An invoice that is paid into the acting account.
    ///
    /// # Errors
    /// If the bank makes none.
    pub async fn make_invoice(&self, minor: u64) -> Result<String> {
        let account = self.acting()?;
        let path = format!("/banks/{}/v1/accounts/{}/invoice", account.bank, account.account);
        let query = format!("amount_minor={minor}");
        let made: AccountInvoice = self.query_as_holder(account, path, &query).await?;
        Ok(made.invoice)
    }
}
