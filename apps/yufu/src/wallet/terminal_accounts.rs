//! `yufu wallet`, the part about whole accounts: purses, moving to another wallet, recovery, linked
//! accounts, sub-wallets.

use super::currency::money;
use super::holder::{Decide, Holder};
use super::sub_wallets::SubWalletTerms;
use crate::command_line::{AccountAction, PurseAction, SubWalletAction, SubWalletOpening};
use crate::words::{say, sum, text};
use anyhow::{Context, Result};
use yufu_base::{Amount, CommandId, Currency};
use yufu_openid4vc::presentation::KeyChangeOf;

/// Opens an account with an identity.
pub(super) async fn open(
    holder: &mut Holder,
    bank: &str,
    class: Option<String>,
    decide: Decide<'_>,
) -> Result<()> {
    let class = holder.class_at(bank, "identity", class).await?;
    let opened = holder.open_account(bank, &class, decide).await?;
    say!(
        "Account {account} is open at {bank}, class {class}.",
        account = opened.account,
        bank = bank,
        class = class
    );
    Ok(())
}

pub(super) async fn act(
    holder: &mut Holder,
    action: AccountAction,
    decide: Decide<'_>,
) -> Result<()> {
    match action {
        AccountAction::Purse(action) => purse(holder, action).await?,
        AccountAction::Invite => {
            println!("{}", holder.invite()?);
            eprintln!(
                "{}",
                text!("Show this to the old wallet: `yufu wallet hand-over INVITATION`.")
            );
        }
        AccountAction::HandOver { invitation } => {
            println!("{}", holder.move_account_to(&invitation)?);
            let said = text!(
                "Good for an hour, once: the new wallet takes over with `yufu wallet take-over ORDER`."
            );
            eprintln!("{said}");
        }
        AccountAction::TakeOver { order } => {
            let taken = holder.take_account(&order).await?;
            say!(
                "Account {account} is commanded from here; class {class}.",
                account = taken.account,
                class = taken.class
            );
        }
        AccountAction::Recover { bank, class, account } => {
            let which = match account {
                Some(id) => KeyChangeOf::Account(id.parse()?),
                None => KeyChangeOf::Class(holder.class_at(&bank, "identity", class).await?),
            };
            let recovered = holder.recover_account(&bank, &which, decide).await?;
            say!(
                "Account {account} is back; the lost wallet's key stopped.",
                account = recovered.account
            );
        }
        AccountAction::Link { statement: None, .. } => {
            println!("{}", holder.key_thumbprint()?);
            let said =
                text!("Have your other bank state this for the bank of this account, at a branch.");
            eprintln!("{said}");
        }
        AccountAction::Link { statement: Some(statement), class } => {
            let bank = holder.acting()?.bank.clone();
            let class = holder.class_at(&bank, "linked_account", class).await?;
            holder.link_account(&class, &statement).await?;
            say!("Linked: the account is of class {class} now.", class = class);
        }
        AccountAction::SubWallet(action) => sub_wallet(holder, action).await?,
    }
    Ok(())
}

async fn purse(holder: &mut Holder, action: PurseAction) -> Result<()> {
    match action {
        PurseAction::Open { bank, phone: Some(phone), class, .. } => {
            let class = holder.class_at(&bank, "phone_or_token", class).await?;
            holder.begin_purse(&bank, &class, &phone).await?;
            say!(
                "A code was sent to {phone}: answer it with `yufu wallet purse code CODE`.",
                phone = phone
            );
        }
        PurseAction::Open { bank, token, class, .. } => {
            let token = token.with_context(|| text!("give a telephone number or a token"))?;
            let class = holder.class_at(&bank, "phone_or_token", class).await?;
            let account = holder.open_purse(&bank, &class, &token).await?;
            say!(
                "Purse {account} is open at {bank}, class {class}.",
                account = account,
                bank = bank,
                class = class
            );
        }
        PurseAction::Code { code } => {
            let begun = holder.waiting_purse()?;
            let account = holder.finish_purse(&begun, &code).await?;
            say!("Purse {account} is open.", account = account);
        }
    }
    Ok(())
}

async fn sub_wallet(holder: &mut Holder, action: SubWalletAction) -> Result<()> {
    match action {
        SubWalletAction::Open(opening) => {
            let (terms, id) = terms(holder, opening)?;
            let account = holder.open_sub_wallet(&terms, id).await?;
            say!(
                "Sub-wallet {account} is open for {payee}.",
                account = account,
                payee = terms.payee_name
            );
        }
        SubWalletAction::Fund { account, amount, id } => {
            let minor = holder.parse_amount(&amount)?.minor();
            let id = order_id(holder, id)?;
            let balance = holder.fund_sub_wallet(&account, minor, id).await?;
            let balance = holder.money_here(balance.unwrap_or(minor))?;
            say!("The sub-wallet holds {balance}.", balance = sum(&balance));
        }
        SubWalletAction::List => {
            for known in holder.sub_wallets().await? {
                let currency = Currency::new(&known.state.currency)?;
                let balance = Amount::new(currency, known.state.balance_minor);
                println!(
                    "{}  {}  {}",
                    known.account,
                    known.payee_name,
                    sum(&money(balance, holder.decimals()))
                );
            }
        }
        SubWalletAction::Close { account, id } => {
            let id = order_id(holder, id)?;
            holder.close_sub_wallet(&account, id).await?;
            say!("The sub-wallet is closed; what it held came back.");
        }
        SubWalletAction::Take { bank, account } => {
            let state = holder.take_sub_wallet(&bank, &account).await?;
            let currency = Currency::new(&state.wallet.currency)?;
            let balance = Amount::new(currency, state.wallet.balance_minor);
            say!(
                "Sub-wallet {account} is here, and holds {balance}.",
                account = account,
                balance = sum(&money(balance, holder.decimals()))
            );
        }
    }
    Ok(())
}

fn terms(holder: &Holder, opening: SubWalletOpening) -> Result<(SubWalletTerms, CommandId)> {
    let minor = |text: &str| Ok::<_, anyhow::Error>(holder.parse_amount(text)?.minor());
    let terms = SubWalletTerms {
        key: opening.key,
        payee: opening.payee,
        payee_name: opening.payee_name,
        per_payment_minor: minor(&opening.per_payment)?,
        per_day_minor: minor(&opening.per_day)?,
        balance_minor: minor(&opening.balance)?,
    };
    Ok((terms, order_id(holder, opening.id)?))
}

/// The id that was given, or a fresh one.
pub(super) fn order_id(holder: &Holder, given: Option<String>) -> Result<CommandId> {
    Ok(given.map_or_else(|| Ok(holder.fresh_order_id()), |id| id.parse())?)
}
