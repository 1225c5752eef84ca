//! The steps about money: issued, exchanged, paid, refused, stepped up, redeemed, audited.

use super::money_words;
use super::name::{
    gone, her_deposit, her_wallet, new_money, paper_of, reserve_of, the_publics_paper,
    the_shops_deposit, vault_of,
};
use super::report::Told;
use super::story::Story;
use crate::explaining::for_people;
use crate::wallet::{Bill, Paid};
use crate::words::sentences;
use anyhow::{Context, Result, bail, ensure};
use yufu_api::CommandDone;
use yufu_api::bank::{Exchange, ExchangeDirection, NewAccount, OpenedAccount};
use yufu_api::central_bank::{Operation, OperationKind};
use yufu_base::{AccountId, Amount, Signer};
use yufu_profile::{Evidence, Institution, Role};
use yufu_wallet::presentation::Consent;

impl Story<'_> {
    pub(super) async fn issue_money(&mut self) -> Result<Told> {
        let central_bank = self.the(Role::CentralBank)?;
        let amount = self.major(1_000_000);
        let operation = Operation {
            kind: OperationKind::Issue,
            bank: self.bank.id.to_string(),
            amount_minor: amount.minor(),
        };
        let url = format!("{}/central-bank/v1/operations", self.address(&central_bank.id));
        let desk = self.desk(&central_bank.id)?;
        let _: CommandDone = self.client.post(&url, Some(&desk), &operation).await?;
        let bank = self.tell(&self.bank.name);
        Ok(Told::new(money_words::issued(bank)).moved(reserve_of(bank), vault_of(bank), amount))
    }

    pub(super) async fn cash_in(&mut self) -> Result<Told> {
        let amount = self.major(3_000);
        self.exchange(ExchangeDirection::PaperToDigital, amount).await?;
        let bank = self.tell(&self.bank.name);
        Ok(Told::new(money_words::paid_in())
            .moved(the_publics_paper(), paper_of(bank), amount)
            .moved(vault_of(bank), her_wallet(), amount))
    }

    pub(super) async fn draw_deposit(&mut self) -> Result<Told> {
        let amount = self.major(15_000);
        self.exchange(ExchangeDirection::DepositToDigital, amount).await?;
        let bank = self.tell(&self.bank.name);
        let (more, class) = (self.major(3_000), self.class(Evidence::Identity)?);
        let too_much = self.exchange(ExchangeDirection::DepositToDigital, more).await;
        let refusal =
            too_much.err().context("a wallet holds more than its class allows")?.to_string();
        ensure!(
            refusal.contains("transfer.limit_exceeded.balance"),
            "unexpected refusal: {refusal}"
        );
        Ok(Told::new(money_words::drawn(&self.words(more), class))
            .moved(her_deposit(), gone(), amount)
            .moved(vault_of(bank), her_wallet(), amount))
    }

    pub(super) async fn pay(&mut self) -> Result<Told> {
        let shop = self.merchant_account().await?;
        let amount = self.major(18);
        let bill = self.bill(shop, amount);
        let Paid::Done(done) = self.wallet.pay(&bill).await? else {
            bail!("{} were refused", self.words(amount))
        };
        let balance = done.balance_minor.context("the payment gave no balance")?;
        let left = Amount::new(amount.currency(), balance);
        self.noodles = Some(bill);
        let banks = (self.tell(&self.bank.name), self.tell(&self.other_bank.name));
        Ok(Told::new(money_words::paid(banks.0, banks.1, &self.words(left))).moved(
            her_wallet(),
            self.tell(&self.merchant.name),
            amount,
        ))
    }

    pub(super) async fn pay_again(&mut self) -> Result<Told> {
        let bill = self.noodles.clone().context("nothing was paid yet")?;
        let before = self.balance().await?;
        let Paid::Done(_) = self.wallet.pay(&bill).await? else { bail!("a repeat was refused") };
        let after = self.balance().await?;
        ensure!(before == after, "a repeated order was paid twice: {before} then {after}");
        Ok(Told::new(money_words::repeated()))
    }

    pub(super) async fn pay_above_limit(&mut self) -> Result<Told> {
        let shop = self.merchant_account().await?;
        let amount = self.major(5_600);
        let bill = self.bill(shop, amount);
        let before = self.balance().await?;
        let paid = self.wallet.pay(&bill).await?;
        let Paid::Refused(problem) = &paid else {
            bail!("{} passed the limit", self.words(amount))
        };
        ensure!(problem.code == "transfer.limit_exceeded.single", "unexpected: {}", problem.code);
        ensure!(before == self.balance().await?, "a refused payment moved money");
        let link = paid.step_up().context("the refusal offers no step-up")?.to_owned();
        let said = money_words::above_limit(&self.words(amount), &problem.code);
        let said = sentences(&said, &for_people(problem));
        self.bicycle = Some((bill, link));
        Ok(Told::new(said))
    }

    pub(super) async fn step_up(&mut self) -> Result<Told> {
        let (bill, link) = self.bicycle.clone().context("nothing was refused")?;
        let mut agree = |_: &Consent| true;
        let shown = self.wallet.step_up(&bill, &link, &mut agree).await?;
        ensure!(shown.receipt, "the bank signed no receipt");
        let before = self.balance().await?;
        let replayed = self.wallet.present(&link, &mut agree).await;
        ensure!(replayed.is_err(), "a request was answered twice");
        let Paid::Done(_) = self.wallet.pay(&bill).await? else {
            bail!("a paid order was refused")
        };
        ensure!(before == self.balance().await?, "a stepped-up order was paid twice");
        Ok(Told::new(money_words::stepped_up(&self.words(bill.amount))).moved(
            her_wallet(),
            self.tell(&self.merchant.name),
            bill.amount,
        ))
    }

    pub(super) async fn cash_out(&mut self) -> Result<Told> {
        let amount = self.major(200);
        self.exchange(ExchangeDirection::DigitalToPaper, amount).await?;
        let bank = self.tell(&self.bank.name);
        Ok(Told::new(money_words::paid_out()).moved(her_wallet(), vault_of(bank), amount).moved(
            paper_of(bank),
            the_publics_paper(),
            amount,
        ))
    }

    pub(super) async fn merchant_redeems(&mut self) -> Result<Told> {
        let shop = self.merchant_account().await?;
        let amount = self.major(5_000);
        self.exchange_at(self.other_bank, ExchangeDirection::DigitalToDeposit, shop, amount)
            .await?;
        let bank = self.tell(&self.other_bank.name);
        Ok(Told::new(money_words::redeemed())
            .moved(self.tell(&self.merchant.name), vault_of(bank), amount)
            .moved(new_money(), the_shops_deposit(bank), amount))
    }

    pub(super) fn audit(&self) -> Result<Told> {
        let central_bank = self.the(Role::CentralBank)?;
        let path = self.data.database(&central_bank.id, "ledger")?;
        let log = yufu_log::SqliteLog::open_read_only(&path)?;
        let report = yufu_audit::audit(&log)?;
        ensure!(report.ok, "the audit found {} differences", report.findings.len());
        Ok(Told::new(money_words::audited(
            &report.records.to_string(),
            &report.commands.to_string(),
            &report.state_hash.to_string(),
        )))
    }

    fn bill(&self, payee: AccountId, amount: Amount) -> Bill {
        Bill {
            payee,
            payee_name: self.tell(&self.merchant.name).to_owned(),
            amount,
            id: self.wallet.fresh_order_id(),
        }
    }

    pub(super) async fn balance(&self) -> Result<u64> {
        let accounts = self.wallet.accounts().await?;
        Ok(accounts.first().context("she has no account")?.wallet.balance_minor)
    }

    /// The shop's account: opened at a branch once, and kept for the runs that follow.
    pub(super) async fn merchant_account(&mut self) -> Result<AccountId> {
        if let Some(known) = self.merchant_account {
            return Ok(known);
        }
        let account = self.business_account(self.merchant).await?;
        self.merchant_account = Some(account);
        Ok(account)
    }

    /// An institution's account at its bank: opened at a branch once per data folder.
    pub(super) async fn business_account(&self, institution: &Institution) -> Result<AccountId> {
        let trade = institution.merchant.as_ref().context("it has no bank")?;
        let mut wallet = self.open_wallet(institution.id.as_str())?;
        if let Some((_, account)) = wallet.first_account() {
            return Ok(account.parse()?);
        }
        let key = self.data.keys(&institution.id)?.software_key("wallet")?;
        let class = self.class(Evidence::InPerson)?;
        let request = NewAccount { class: class.to_owned(), wallet_key: key.public_key().into() };
        let url = format!("{}/banks/{}/v1/desk/accounts", self.address(&trade.bank), trade.bank);
        let desk = self.desk(&trade.bank)?;
        let opened: OpenedAccount = self.client.post(&url, Some(&desk), &request).await?;
        wallet.keep_account(trade.bank.as_str(), &opened.account, class, &key)?;
        Ok(opened.account.parse()?)
    }

    async fn exchange(&self, direction: ExchangeDirection, amount: Amount) -> Result<CommandDone> {
        let (_, account) = self.wallet.first_account().context("she has no account")?;
        self.exchange_at(self.bank, direction, account.parse()?, amount).await
    }

    pub(super) async fn exchange_at(
        &self,
        bank: &Institution,
        direction: ExchangeDirection,
        account: AccountId,
        amount: Amount,
    ) -> Result<CommandDone> {
        let request = Exchange {
            id: None,
            direction,
            account: Some(account.to_string()),
            amount_minor: amount.minor(),
        };
        let url = format!("{}/banks/{}/v1/desk/exchanges", self.address(&bank.id), bank.id);
        Ok(self.client.post(&url, Some(&self.desk(&bank.id)?), &request).await?)
    }
}
