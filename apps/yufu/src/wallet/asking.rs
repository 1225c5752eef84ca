//! Asking the person: for the passphrase, without echo, and whether to show what is asked.

use super::currency::{Decimals, money};
use super::sector::pseudonym_label;
use super::vault::Passphrase;
use anyhow::{Context, Result, bail};
use std::io::{IsTerminal, Write};
use yufu_openid4vc::presentation::{KeyChangeOf, TransactionData};
use yufu_wallet::presentation::{Consent, Warning};

/// Where scripts put the passphrase.
const VARIABLE: &str = "YUFU_WALLET_PASSPHRASE";

/// The passphrase of the wallet `name`: from the environment, else asked on the terminal; of a new
/// wallet twice, for nobody can find it again.
pub(super) fn passphrase(name: &str, is_new: bool) -> Result<Passphrase> {
    if let Ok(text) = std::env::var(VARIABLE) {
        return Ok(Passphrase::new(text)?);
    }
    if !std::io::stdin().is_terminal() {
        bail!(
            "the wallet {name:?} needs its passphrase and nobody can be asked here: set {VARIABLE}"
        );
    }
    let ask = |prompt: String| {
        rpassword::prompt_password(prompt).context("the passphrase cannot be read")
    };
    if !is_new {
        return Ok(Passphrase::new(ask(format!("Passphrase of the wallet {name}: "))?)?);
    }
    println!(
        "The wallet {name} is new. Without its passphrase nobody can open it: not you, not us."
    );
    let text = ask("New passphrase: ".to_owned())?;
    let again = zeroize::Zeroizing::new(ask("Once more: ".to_owned())?);
    let passphrase = Passphrase::new(text)?;
    if !passphrase.is(&again) {
        bail!("the two differ: nothing was written, try again");
    }
    Ok(passphrase)
}

/// Shows who asks for what and why, and asks the person. Without a terminal, only `--yes` agrees.
pub(super) fn agree(consent: &Consent, language: &str, decimals: &Decimals, yes: bool) -> bool {
    println!("{} asks:", consent.party.get(language));
    println!("  purpose   {}", consent.purpose.get(language));
    for credential in consent.credentials.iter().filter(|credential| credential.selected) {
        for (path, values) in &credential.claims {
            let values: Vec<String> = values.iter().map(ToString::to_string).collect();
            let name = pseudonym_label(path).unwrap_or_else(|| path.to_string());
            println!("  shows     {name} = {}", values.join(", "));
        }
    }
    for transaction in &consent.transactions {
        match transaction {
            TransactionData::Payment(payment) => println!(
                "  signs     payment of {} to {} ({}), order {}",
                money(payment.amount, decimals),
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
            TransactionData::KeyChange(change) => {
                let which = match &change.account {
                    KeyChangeOf::Account(id) => format!("the account {id}"),
                    KeyChangeOf::Class(class) => format!("your account of class {class}"),
                };
                println!(
                    "  signs     that this wallet commands {which} at {}, and no other any more",
                    change.bank
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
