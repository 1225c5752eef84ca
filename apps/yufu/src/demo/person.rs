//! The steps about what is hers alone: her history, with receipts that hold without anybody's help, and
//! a backup from which a spare phone goes on.

use super::name::her_wallet;
use super::report::Told;
use super::story::Story;
use super::wallet_words::{self, Entries};
use crate::wallet::{Bill, Event, Paid, Passphrase, restore};
use anyhow::{Context, Result, ensure};
use yufu_engine::{Clock, SystemClock};

impl Story<'_> {
    pub(super) fn history(&self) -> Result<Told> {
        let history = self.wallet.history();
        let count = |is: fn(&Event) -> bool| history.iter().filter(|e| is(&e.event)).count();
        let disclosed = count(|event| matches!(event, Event::Disclosed { .. }));
        let paid = count(|event| matches!(event, Event::Paid { .. }));
        ensure!(disclosed > 0 && paid > 0, "the history misses what she showed and paid");
        let receipts = self.wallet.check_receipts();
        let holding = receipts.iter().filter(|receipt| receipt.holds).count();
        let signed =
            |event: &Event| matches!(event, Event::Disclosed { signed_receipt: Some(_), .. });
        ensure!(holding == count(signed), "a signed receipt does not hold");
        let entries = Entries { all: history.len(), disclosed, paid, receipts: holding };
        Ok(Told::new(wallet_words::history(&entries, Passphrase::OF_THE_DEMO)))
    }

    pub(super) async fn spare_phone(&mut self) -> Result<Told> {
        let folder = self.data.wallets()?;
        let name = format!("spare-{}", self.run);
        let backup = folder.join(format!("{name}.backup"));
        self.wallet.back_up(&backup)?;
        let (phrase, now) = (Passphrase::of_the_demo(), SystemClock::new().read().wall);
        let restored = restore(&folder, &name, &backup, &phrase, false, now)?;
        ensure!(restored.usable == 0 && restored.resting > 0, "a one-time credential was copied");
        let mut spare = self.open_wallet(&name)?;
        let earlier = self.noodles.clone().context("nothing was paid before")?;
        let amount = self.major(1);
        let bill = Bill { amount, id: spare.fresh_order_id(), ..earlier };
        let paid = spare.pay(&bill).await?;
        ensure!(matches!(paid, Paid::Done(_)), "the spare phone could not pay");
        Ok(Told::new(wallet_words::spare(restored.resting)).moved(
            her_wallet(),
            bill.payee_name.as_str(),
            amount,
        ))
    }
}
