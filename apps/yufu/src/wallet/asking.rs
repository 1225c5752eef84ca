//! Asking the person: for the passphrase, without echo, and whether to show what is asked.

use super::currency::{Decimals, money};
use super::sector::pseudonym_label;
use super::types::Names;
use super::vault::Passphrase;
use crate::words::{comma, one_line, say, sum, text};
use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::io::{IsTerminal, Write};
use yufu_jose::ClaimPath;
use yufu_openid4vc::presentation::{KeyChangeOf, TransactionData};
use yufu_wallet::presentation::{Consent, ConsentCredential, Warning};

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
pub(super) fn agree(
    consent: &Consent,
    names: &Names,
    (language, decimals): (&str, &Decimals),
    yes: bool,
) -> bool {
    say!("{party} asks:", party = consent.party.get(language));
    say!("  purpose   {purpose}", purpose = consent.purpose.get(language));
    allowing(consent, language);
    showing(consent, names);
    consent.transactions.iter().for_each(|transaction| signing(transaction, decimals));
    keeping(consent);
    consent.warnings.iter().for_each(warning);
    if let Some(why) = &consent.missing {
        return lacking(why, yes);
    }
    if yes {
        return true;
    }
    if !std::io::stdin().is_terminal() {
        eprintln!("{}", text!("nobody can be asked here: use --yes to agree beforehand"));
        return false;
    }
    let answer = line(&text!("Agree? [y/N] ")).unwrap_or_default();
    text!("y Y yes").split(' ').any(|yes| yes == answer)
}

/// What would be shown, by the names that the issuers gave to their credentials and claims.
fn showing(consent: &Consent, names: &Names) {
    for holding in consent.credentials.iter().flat_map(ConsentCredential::chosen) {
        let kind = names.kind(&holding.vct);
        if kind != holding.vct {
            say!("  of        {kind}", kind = kind);
        }
        for (path, values) in &holding.claims {
            let claim = names.claim(&holding.vct, path).unwrap_or_else(|| claim_name(path));
            let (claim, values) = (one_line(&claim), one_line(&said(values)));
            say!("  shows     {path} = {values}", path = claim, values = values);
        }
    }
}

/// Nothing here answers the request. The person is asked all the same, and the other side hears no sooner than if she
/// had declined something.
fn lacking(why: &str, yes: bool) -> bool {
    say!("  missing   {why}: nothing can be shown", why = why);
    if !yes && std::io::stdin().is_terminal() {
        let _ = line(&text!("Press Enter to decline: they learn nothing else. "));
    }
    false
}

/// Asks for a line; `None` if none can be read.
pub(super) fn line(prompt: &str) -> Option<String> {
    print!("{prompt}");
    let _ = std::io::stdout().flush();
    let mut answer = String::new();
    let read = std::io::stdin().read_line(&mut answer).is_ok_and(|length| length > 0);
    read.then(|| answer.trim().to_owned())
}

/// How a claim is named to the person.
pub(super) fn claim_name(path: &ClaimPath) -> String {
    pseudonym_label(path).unwrap_or_else(|| path.to_string())
}

/// Values in the person's words, joined.
pub(super) fn said(values: &[Value]) -> String {
    let one = |value: &Value| match value {
        Value::Bool(true) => text!("yes"),
        Value::Bool(false) => text!("no"),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    values.iter().map(one).collect::<Vec<_>>().join(&comma())
}

/// What allows the other side to ask; and if it gets the number that names the person for life, that it does.
fn allowing(consent: &Consent, language: &str) {
    match &consent.basis {
        Some(basis) if basis.law => say!("  by law    {law}", law = basis.text.get(language)),
        Some(basis) => say!("  basis     {basis}", basis = basis.text.get(language)),
        None => {}
    }
    if consent.shows_resident_number() {
        say!("  NUMBER    it gets the number that names you for life: that law demands it");
    }
}

fn warning(warning: &Warning) {
    match warning {
        Warning::LongRetention { days } => {
            say!("  warning   kept for {days} days", days = days);
        }
        Warning::Unprotected => say!("  warning   the answer goes to this machine without TLS"),
        Warning::Unencrypted => {
            say!("  warning   the answer is not encrypted: whatever runs in the page reads it")
        }
        Warning::LastOne { .. } => {
            say!("  warning   this is your last copy: get a new batch soon")
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_are_said_in_words_and_not_as_a_machine_writes_them() {
        assert_eq!(said(&[json!(true), json!(false)]), "yes, no");
        assert_eq!(said(&[json!("李"), json!(7), json!({"a": "b"})]), "李, 7, {\"a\":\"b\"}");
    }
}
