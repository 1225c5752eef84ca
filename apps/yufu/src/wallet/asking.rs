//! Asking the person: for the passphrase, without echo, and whether to show what is asked.

use super::currency::{Decimals, money};
use super::sector::pseudonym_label;
use super::vault::Passphrase;
use crate::words::{comma, say, sum, text};
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
        bail!(text!(
            "the wallet {name} needs its passphrase and nobody can be asked here: set {variable}",
            name = name,
            variable = VARIABLE
        ));
    }
    let ask = |prompt: String| {
        rpassword::prompt_password(prompt).with_context(|| text!("the passphrase cannot be read"))
    };
    if !is_new {
        return Ok(Passphrase::new(ask(text!("Passphrase of the wallet {name}: ", name = name))?)?);
    }
    say!(
        "The wallet {name} is new. Without its passphrase nobody can open it: not you, not us.",
        name = name
    );
    let first = ask(text!("New passphrase: "))?;
    let again = zeroize::Zeroizing::new(ask(text!("Once more: "))?);
    let passphrase = Passphrase::new(first)?;
    if !passphrase.is(&again) {
        bail!(text!("the two differ: nothing was written, try again"));
    }
    Ok(passphrase)
}

/// Shows who asks for what and why, and asks the person. Without a terminal, only `--yes` agrees.
pub(super) fn agree(consent: &Consent, language: &str, decimals: &Decimals, yes: bool) -> bool {
    say!("{party} asks:", party = consent.party.get(language));
    say!("  purpose   {purpose}", purpose = consent.purpose.get(language));
    for credential in consent.credentials.iter().filter(|credential| credential.selected) {
        for (path, values) in &credential.claims {
            let values: Vec<String> = values.iter().map(ToString::to_string).collect();
            let name = pseudonym_label(path).unwrap_or_else(|| path.to_string());
            say!("  shows     {path} = {values}", path = name, values = values.join(&comma()));
        }
    }
    consent.transactions.iter().for_each(|transaction| signing(transaction, decimals));
    keeping(consent);
    for warning in &consent.warnings {
        match warning {
            Warning::LongRetention { days } => {
                say!("  warning   kept for {days} days", days = days);
            }
            Warning::Unprotected => {
                say!("  warning   the answer goes to this machine without TLS")
            }
            Warning::Unencrypted => {
                say!("  warning   the answer is not encrypted: whatever runs in the page reads it")
            }
            Warning::LastOne { .. } => {
                say!("  warning   this is your last copy: get a new batch soon")
            }
        }
    }
    if yes {
        return true;
    }
    if !std::io::stdin().is_terminal() {
        eprintln!("{}", text!("nobody can be asked here: use --yes to agree beforehand"));
        return false;
    }
    print!("{}", text!("Agree? [y/N] "));
    let _ = std::io::stdout().flush();
    let mut answer = String::new();
    let read = std::io::stdin().read_line(&mut answer).is_ok();
    read && text!("y Y yes").split(' ').any(|yes| yes == answer.trim())
}

/// What else would be signed.
fn signing(transaction: &TransactionData, decimals: &Decimals) {
    match transaction {
        TransactionData::Payment(payment) => say!(
            "  signs     payment of {amount} to {payee} ({account}), order {order}",
            amount = sum(&money(payment.amount, decimals)),
            payee = payment.payee_name,
            account = payment.payee_account,
            order = payment.order_id
        ),
        TransactionData::AccountOpening(opening) => {
            say!(
                "  signs     opening an account of class {class} at {bank}",
                class = opening.class,
                bank = opening.bank
            );
        }
        TransactionData::KeyChange(change) => {
            let which = match &change.account {
                KeyChangeOf::Account(id) => text!("the account {account}", account = id),
                KeyChangeOf::Class(class) => {
                    text!("your account of class {class}", class = class)
                }
            };
            say!(
                "  signs     that this wallet commands {which} at {bank}, and no other any more",
                which = which,
                bank = change.bank
            );
        }
        TransactionData::SignIn(sign_in) => say!(
            "  signs     that this wallet gets credentials at {issuer} for you",
            issuer = sign_in.issuer
        ),
    }
}

/// What the other side keeps, and where to complain.
fn keeping(consent: &Consent) {
    say!(
        "  keeps     {days} days; complaints: {address}",
        days = consent.retention_days,
        address = consent.report_uri
    );
    if consent.keeps_evidence {
        say!("  keeps     your signed answer as well, as evidence");
    }
}
