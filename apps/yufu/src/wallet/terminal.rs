//! `yufu wallet`: asks before anything is shown, and says what was.

use super::holder::Holder;
use super::paying::{Bill, Paid};
use super::{Entry, Event};
use crate::command_line::{Wallet, WalletAction};
use crate::data::DataFolder;
use crate::trust_key;
use anyhow::{Context, Result, bail};
use std::io::{IsTerminal, Write};
use std::process::ExitCode;
use yufu_base::{Amount, Currency};
use yufu_openid4vc::presentation::TransactionData;
use yufu_wallet::presentation::{Consent, Warning};

/// Digits after the point of the amounts that are typed and shown.
const DECIMALS: u8 = 2;

pub(crate) fn run(options: Wallet) -> Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(act(options))
}

async fn act(options: Wallet) -> Result<ExitCode> {
    let data = DataFolder::choose(options.data.data, "demo")?;
    let key = trust_key::read(&data)?;
    let mut holder = Holder::open(&data.wallets()?, &options.name, &options.url, key)?;
    let yes = options.yes;
    let mut decide = move |consent: &Consent| agree(consent, yes);
    match options.action {
        WalletAction::Get { offer, code } => {
            let received = holder.get(&offer, code.as_deref()).await?;
            println!(
                "{} credentials of {} from {}, each for one use.",
                received.count, received.vct, received.issuer
            );
            println!("Each holds: {}", received.claims.join(", "));
        }
        WalletAction::Open { bank, class } => {
            let opened = holder.open_account(&bank, &class, &mut decide).await?;
            println!("Account {} is open at {bank}, class {class}.", opened.account);
        }
        WalletAction::Present { request } => {
            let shown = holder.present(&request, &mut decide).await?;
            println!("Shown to {}: {}", shown.party, shown.claims.join(", "));
        }
        WalletAction::Pay { payee, amount, payee_name, id, no_step_up } => {
            let bill = Bill {
                payee: payee.parse()?,
                payee_name,
                amount: Amount::parse_major(&amount, currency(&holder).await?, DECIMALS)?,
                id: id.map_or_else(|| Ok(holder.fresh_order_id()), |id| id.parse())?,
            };
            return pay(&mut holder, &bill, no_step_up, &mut decide).await;
        }
        WalletAction::Show => show(&holder).await?,
    }
    Ok(ExitCode::SUCCESS)
}

async fn pay(
    holder: &mut Holder,
    bill: &Bill,
    no_step_up: bool,
    decide: super::Decide<'_>,
) -> Result<ExitCode> {
    let paid = holder.pay(bill).await?;
    match &paid {
        Paid::Done(done) => {
            let balance =
                done.balance_minor.map(|minor| Amount::new(bill.amount.currency(), minor));
            println!("Paid {} to {}, order {}.", money(bill.amount), bill.payee_name, bill.id);
            if let Some(balance) = balance {
                println!("{} remain.", money(balance));
            }
            Ok(ExitCode::SUCCESS)
        }
        Paid::Refused(problem) => {
            println!("Refused ({}): {}", problem.code, problem.detail);
            match paid.step_up().filter(|_| !no_step_up) {
                Some(link) => {
                    println!("Your identity would lift this for this one payment.");
                    holder.step_up(bill, link, decide).await?;
                    println!(
                        "Paid {} to {}, order {}.",
                        money(bill.amount),
                        bill.payee_name,
                        bill.id
                    );
                    Ok(ExitCode::SUCCESS)
                }
                None => Ok(ExitCode::FAILURE),
            }
        }
    }
}

/// Shows who asks for what and why, and asks the person. Without a terminal, only `--yes` agrees.
fn agree(consent: &Consent, yes: bool) -> bool {
    println!("{} / {} asks:", consent.party.get("zh"), consent.party.get("en"));
    println!("  purpose   {} / {}", consent.purpose.get("zh"), consent.purpose.get("en"));
    for credential in consent.credentials.iter().filter(|credential| credential.selected) {
        for (path, values) in &credential.claims {
            let values: Vec<String> = values.iter().map(ToString::to_string).collect();
            println!("  shows     {path} = {}", values.join(", "));
        }
    }
    for transaction in &consent.transactions {
        match transaction {
            TransactionData::Payment(payment) => println!(
                "  signs     payment of {} to {} ({}), order {}",
                money(payment.amount),
                payment.payee_name,
                payment.payee_account,
                payment.order_id
            ),
            TransactionData::AccountOpening(opening) => {
                println!(
                    "  signs     opening an account of class {} at {}",
                    opening.class, opening.bank
                );
            }
        }
    }
    println!("  keeps     {} days; complaints: {}", consent.retention_days, consent.report_uri);
    for warning in &consent.warnings {
        match warning {
            Warning::LongRetention { days } => println!("  warning   kept for {days} days"),
            Warning::Unprotected => {
                println!("  warning   the answer goes to this machine without TLS")
            }
            Warning::LastOne { .. } => {
                println!("  warning   this is your last copy: get a new batch soon")
            }
        }
    }
    if yes {
        return true;
    }
    if !std::io::stdin().is_terminal() {
        eprintln!("nobody can be asked here: use --yes to agree beforehand");
        return false;
    }
    print!("Agree? [y/N] ");
    let _ = std::io::stdout().flush();
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer).is_ok() && matches!(answer.trim(), "y" | "Y" | "yes")
}

async fn show(holder: &Holder) -> Result<()> {
    println!("{} credentials left, each for one use.", holder.credentials_left());
    for account in holder.accounts().await? {
        let currency = Currency::new(&account.wallet.currency)?;
        let balance = Amount::new(currency, account.wallet.balance_minor);
        println!(
            "{}  {}  class {}  {}",
            account.account,
            account.bank,
            account.wallet.class,
            money(balance)
        );
    }
    for entry in holder.history() {
        println!("{}", line(entry)?);
    }
    Ok(())
}

fn line(entry: &Entry) -> Result<String> {
    let at = jiff::Timestamp::from_second(i64::try_from(entry.at)?)?;
    Ok(match &entry.event {
        Event::Received { issuer, vct, count } => {
            format!("{at}  received  {count} of {vct} from {issuer}")
        }
        Event::Disclosed { party, purpose, claims, signed_receipt, .. } => {
            let receipt = if signed_receipt.is_some() { "receipt signed" } else { "no receipt" };
            format!("{at}  showed    {} to {party} ({purpose}; {receipt})", claims.join(", "))
        }
        Event::Declined { party, reason } => format!("{at}  declined  {party}: {reason}"),
        Event::Paid { payee, amount_minor, order, stepped_up, .. } => {
            let how = if *stepped_up { ", confirmed with identity" } else { "" };
            format!("{at}  paid      {} minor units to {payee}{how}, order {order}", amount_minor)
        }
    })
}

async fn currency(holder: &Holder) -> Result<Currency> {
    let accounts = holder.accounts().await?;
    let Some(account) = accounts.first() else {
        bail!("the wallet has no account yet: open one with `yufu wallet open`");
    };
    Currency::new(&account.wallet.currency).context("the bank named no currency")
}

fn money(amount: Amount) -> String {
    format!("{} {}", amount.to_major(DECIMALS), amount.currency())
}
