//! Notes come back from their words: every bank's mint is asked what it signed.

use crate::wallet::holder::Holder;
use anyhow::Result;
use yufu_purse::{Outcome, Progress};

impl Holder {
    /// Restores notes at the mints of these banks (all of the trust list, if none is named), from `words` or from
    /// those of this wallet. How much is unspent, in minor units.
    ///
    /// # Errors
    /// If a mint does not answer, or the words are of other notes than this wallet's.
    pub async fn restore_cash(&mut self, words: Option<&str>, banks: &[String]) -> Result<u64> {
        if let Some(words) = words {
            self.cash_from(words)?;
        }
        let banks = if banks.is_empty() { self.mint_banks() } else { banks.to_vec() };
        let mut sum = 0_u64;
        for bank in banks {
            let mint = self.learn_mint(&bank).await?;
            let now = self.now().seconds();
            let id = self.with_purse(|purse| purse.restore(&mint, now))?;
            if let Progress::Done(Outcome::Restored(amount)) = self.go_on(id).await? {
                sum = sum.saturating_add(amount);
            }
        }
        Ok(sum)
    }
}
