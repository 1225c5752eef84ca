//! The steps about who provides the wallet: somebody else's wallet opens an account for a bank, another
//! one takes it over, and a lost phone's account comes back with the identity.

use super::name::{deposit_at, her_account, her_account_there};
use super::report::Told;
use super::story::Story;
use super::wallet_words;
use crate::wallet::{Holder, Paid};
use anyhow::{Context, Result, ensure};
use yufu_api::CommandDone;
use yufu_api::bank::{AccountState, Exchange, ExchangeDirection};
use yufu_base::{Amount, InstitutionId};
use yufu_openid4vc::presentation::KeyChangeOf;
use yufu_profile::{Evidence, Institution, Role};
use yufu_wallet::presentation::Consent;

/// Her account that a wallet provider opened for a bank.
pub(super) struct Platform<'a> {
    wallet: Holder,
    bank: &'a Institution,
    amount: Amount,
}

impl Story<'_> {
    pub(super) async fn platform(&mut self) -> Result<Told> {
        let mut banks = self.country.profile.institutions_of(Role::CommercialBank);
        let other =
            |bank: &&Institution| bank.id != self.bank.id && !bank.onboards_through.is_empty();
        let Some(bank) = banks.find(other) else {
            return Ok(Told::new(wallet_words::no_provider()));
        };
        let provider = bank.onboards_through.first().context("a bank without a provider")?;
        let mut wallet = self.open_wallet(&format!("platform-{}", self.run))?;
        wallet.of_provider(provider.as_str())?;
        self.identify(&mut wallet, self.resident).await?;
        let class = self.class(Evidence::Identity)?;
        let opened = wallet.open_account(bank.id.as_str(), class, &mut agree).await?;
        let amount = self.major(50);
        self.draw(bank, &opened.account, amount).await?;
        let known = wallet.known_to_provider().await?;
        let members = serde_json::to_value(&known)?;
        let members: Vec<&str> =
            members.as_object().into_iter().flat_map(|m| m.keys().map(String::as_str)).collect();
        let state = one(&wallet).await?;
        let through = state.served_through.as_deref().unwrap_or_default();
        ensure!(through == provider.as_str(), "the bank does not say through whom: {through:?}");
        let name = self.tell(&bank.name);
        let told = Told::new(wallet_words::provided(self.named(provider), name, &members)).moved(
            deposit_at(name),
            her_account_there(),
            amount,
        );
        self.platform = Some(Platform { wallet, bank, amount });
        Ok(told)
    }

    pub(super) async fn switch_platform(&mut self) -> Result<Told> {
        let Some(mut old) = self.platform.take() else {
            return Ok(Told::new(wallet_words::no_account_to_move()));
        };
        let before = one(&old.wallet).await?;
        let mut new = self.open_wallet(&format!("platform-{}-new", self.run))?;
        if let Some(provider) = old.bank.onboards_through.get(1) {
            new.of_provider(provider.as_str())?;
        }
        let order = old.wallet.move_account_to(&new.invite()?)?;
        let taken = new.take_account(&order).await?;
        let after = one(&new).await?;
        ensure!(taken.account == before.account, "another account was taken over");
        ensure!(after.wallet == before.wallet, "the account changed with its wallet");
        ensure!(after.wallet.balance_minor == old.amount.minor(), "the balance changed");
        refused_as_moved(&old.wallet.accounts().await)?;
        let through = after.served_through.as_deref();
        let through: Option<InstitutionId> = through.map(str::parse).transpose()?;
        let through = through.as_ref().map(|provider| self.named(provider));
        let (bank, amount) = (self.tell(&old.bank.name), self.words(old.amount));
        Ok(Told::new(wallet_words::moved(bank, &amount, through)))
    }

    pub(super) async fn recover_account(&mut self) -> Result<Told> {
        // The sheet was written while the telephone was at hand; it lay at home.
        let home = tempfile::tempdir()?;
        let sheet = home.path().join("sheet");
        self.wallet.write_sheet(&sheet).await?;
        let sheet = std::fs::read(&sheet)?;
        let mut phone = self.open_wallet(&format!("recovered-{}", self.run))?;
        let outcomes = phone.freeze(Some(&sheet)).await?;
        let faults: Vec<&str> = outcomes.iter().filter_map(|one| one.fault.as_deref()).collect();
        ensure!(faults.is_empty(), "not everything was frozen: {faults:?}");
        ensure!(self.wallet.frozen().await?.len() == 1, "the lost phone's account is not frozen");
        self.identify(&mut phone, self.resident).await?;
        let class = KeyChangeOf::Class(self.class(Evidence::Identity)?.to_owned());
        let bank = self.bank;
        let recovered = phone.recover_account(bank.id.as_str(), &class, &mut agree).await?;
        ensure!(recovered.shown.receipt, "the bank signed no receipt");
        let lost = self.wallet.first_account().map(|(_, account)| account.to_owned());
        ensure!(lost.as_ref() == Some(&recovered.account), "another account was recovered");
        refused_as_moved(&self.wallet.accounts().await)?;
        let earlier = self.noodles.clone().context("nothing was paid before")?;
        let bill =
            crate::wallet::Bill { amount: self.major(1), id: phone.fresh_order_id(), ..earlier };
        let paid = phone.pay(&bill).await?;
        ensure!(matches!(paid, Paid::Done(_)), "the recovered account could not pay");
        let hours = self.country.profile.key_change_rest_hours.to_string();
        let told = wallet_words::recovered(outcomes.len(), self.tell(&bank.name), &hours);
        Ok(Told::new(told).moved(her_account(), bill.payee_name.as_str(), bill.amount))
    }

    async fn draw(&self, bank: &Institution, account: &str, amount: Amount) -> Result<CommandDone> {
        let request = Exchange {
            id: None,
            direction: ExchangeDirection::DepositToDigital,
            account: Some(account.to_owned()),
            amount_minor: amount.minor(),
        };
        let url = format!("{}/banks/{}/v1/desk/exchanges", self.address(&bank.id), bank.id);
        Ok(self.client.post(&url, Some(&self.desk(&bank.id)?), &request).await?)
    }
}

fn agree(_: &Consent) -> bool {
    true
}

/// A wallet's one account, as its bank has it.
async fn one(wallet: &Holder) -> Result<AccountState> {
    wallet.accounts().await?.into_iter().next().context("the wallet has no account")
}

/// A wallet whose account moved hears so, and no more.
fn refused_as_moved(asked: &Result<Vec<AccountState>>) -> Result<()> {
    let said = asked.as_ref().err().map(ToString::to_string).unwrap_or_default();
    ensure!(said.contains("account.key_changed"), "the old key still commands the account: {said}");
    Ok(())
}
