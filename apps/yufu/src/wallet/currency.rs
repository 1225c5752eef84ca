//! How amounts of a currency are typed and shown: the ledger says how many digits stand after the
//! point, once; the wallet keeps it.

use super::holder::Holder;
use crate::words::text;
use anyhow::{Context, Result};
use std::collections::BTreeMap;
use yufu_api::central_bank::Ledger;
use yufu_base::{Amount, Currency};

/// Digits after the point, by currency (ISO 4217).
pub(super) type Decimals = BTreeMap<String, u8>;

/// An amount for a person to read; in minor units if the wallet does not know the currency.
pub(super) fn money(amount: Amount, decimals: &Decimals) -> String {
    match decimals.get(amount.currency().code()) {
        Some(digits) => format!("{} {}", amount.to_major(*digits), amount.currency()),
        None => format!("{} minor units of {}", amount.minor(), amount.currency()),
    }
}

impl Holder {
    /// Asks the ledger of the country in which the wallet acts for its currency, once.
    ///
    /// # Errors
    /// If it does not answer.
    pub(super) async fn learn_currency(&mut self) -> Result<()> {
        let here = self.country();
        if self.file.contents.currencies.contains_key(&here.clone().unwrap_or_default()) {
            return Ok(());
        }
        let central_bank = self.ledger().await?;
        let url = format!("{}/central-bank/v1/ledger", self.address(&central_bank));
        let ledger: Ledger = self.client.get(&url, None).await?;
        let contents = &mut self.file.contents;
        contents.decimals.insert(ledger.currency.clone(), ledger.decimals);
        contents.currencies.insert(here.unwrap_or_default(), ledger.currency);
        Ok(self.file.save()?)
    }

    /// The currencies that the wallet knows.
    pub(super) fn decimals(&self) -> &Decimals {
        &self.file.contents.decimals
    }

    /// So many minor units of the currency here, for a person to read.
    pub(super) fn money_here(&self, minor: u64) -> Result<String> {
        Ok(money(Amount::new(self.currency_here()?, minor), self.decimals()))
    }

    /// The currency of the country in which the wallet acts.
    pub(super) fn currency_here(&self) -> Result<Currency> {
        let here = self.country().unwrap_or_default();
        let currency = self.file.contents.currencies.get(&here);
        let currency =
            currency.with_context(|| text!("the ledger did not say which currency it has"))?;
        Ok(Currency::new(currency)?)
    }

    /// An amount typed in major units of the currency here: `18.00`.
    pub(super) fn parse_amount(&self, text: &str) -> Result<Amount> {
        let currency = self.currency_here()?;
        let digits = self.decimals().get(currency.code()).copied().unwrap_or_default();
        Ok(Amount::parse_major(text, currency, digits)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_has_the_digits_of_its_currency() {
        let known = Decimals::from([("XTS".to_owned(), 3), ("XXX".to_owned(), 0)]);
        let amount = |code| Amount::new(Currency::new(code).unwrap(), 18_500);
        assert_eq!(money(amount("XTS"), &known), "18.500 XTS");
        assert_eq!(money(amount("XXX"), &known), "18500 XXX");
        assert_eq!(money(amount("XAG"), &known), "18500 minor units of XAG");
    }
}
