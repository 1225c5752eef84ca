//! The steps without identity: a purse opened by a code, and a bicycle refused from it.

use super::money_words;
use super::name::{paper_of, the_publics_paper, the_purse, vault_of};
use super::report::Told;
use super::story::Story;
use crate::wallet::{Bill, Holder, Paid};
use anyhow::{Context, Result, bail, ensure};
use yufu_api::CommandDone;
use yufu_api::bank::{CodeMessage, Exchange, ExchangeDirection};
use yufu_base::Amount;
use yufu_keys::random;
use yufu_profile::Evidence;

/// Somebody who shows nobody who they are.
pub(super) struct Purse {
    holder: Holder,
    account: String,
}

impl Story<'_> {
    /// The class without identity, and a number that no telephone has (+999 is not assigned).
    pub(super) async fn open_purse(&mut self) -> Result<Told> {
        let class = self.class(Evidence::PhoneOrToken)?;
        let drawn = u64::from_be_bytes(random()).checked_rem(100_000_000).unwrap_or(0);
        let phone = format!("+999{drawn:08}");
        let mut holder = self.open_wallet(&format!("purse-{drawn:08}"))?;
        let bank = self.bank.id.as_str();
        let begun = holder.begin_purse(bank, class, &phone).await?;
        let code = self.code_for(&phone).await?;
        let account = holder.finish_purse(&begun, &code).await?;
        self.purse = Some(Purse { holder, account });
        let amount = self.major(3_100);
        self.fill_purse(amount).await?;
        let name = self.tell(&self.bank.name);
        Ok(Told::new(money_words::purse_opened(class))
            .moved(the_publics_paper(), paper_of(name), amount)
            .moved(vault_of(name), the_purse(), amount))
    }

    pub(super) async fn bicycle_from_purse(&mut self) -> Result<Told> {
        let shop = self.merchant_account().await?;
        let (amount, payee_name) = (self.major(3_000), self.tell(&self.merchant.name).to_owned());
        let purse = self.purse.as_mut().context("there is no purse")?;
        let id = purse.holder.fresh_order_id();
        let bill = Bill { payee: shop, payee_name, amount, id };
        let paid = purse.holder.pay(&bill).await?;
        ensure!(paid.step_up().is_none(), "an identity would lift a purse's limit");
        let Paid::Refused(problem) = paid else { bail!("a bicycle was paid from the purse") };
        ensure!(problem.code == "transfer.limit_exceeded.single", "unexpected: {}", problem.code);
        let step_up = problem.more.get("step_up");
        let classes = step_up.and_then(|step_up| step_up.get("classes"));
        let classes = classes.and_then(|classes| classes.as_array());
        let classes = classes.context("the refusal names no class that would do")?;
        let names: Vec<&str> = classes.iter().filter_map(|class| class.as_str()).collect();
        Ok(Told::new(money_words::purse_limit(&self.words(amount), &problem.code, &names)))
    }

    /// The code that the bank laid down for a number: the demo plays its desk.
    async fn code_for(&self, phone: &str) -> Result<String> {
        let url = format!(
            "{}/banks/{}/v1/desk/messages?purpose=demo",
            self.address(&self.bank.id),
            self.bank.id
        );
        let desk = self.desk(&self.bank.id)?;
        let messages: Vec<CodeMessage> = self.client.get(&url, Some(&desk)).await?;
        let message = messages.iter().rfind(|message| message.phone == phone);
        let text = message.context("no code was laid down")?.text.clone();
        let code = text.split(':').next().context("the message holds no code")?;
        Ok(code.to_owned())
    }

    async fn fill_purse(&self, amount: Amount) -> Result<CommandDone> {
        let purse = self.purse.as_ref().context("there is no purse")?;
        let request = Exchange {
            id: None,
            direction: ExchangeDirection::PaperToDigital,
            account: Some(purse.account.clone()),
            amount_minor: amount.minor(),
        };
        let url =
            format!("{}/banks/{}/v1/desk/exchanges", self.address(&self.bank.id), self.bank.id);
        Ok(self.client.post(&url, Some(&self.desk(&self.bank.id)?), &request).await?)
    }
}
