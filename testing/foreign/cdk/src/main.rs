//! A wallet of `cdk` does one step against a mint. Reads `{mint, unit, store, seed, step, ...}` on standard input:
//! `store` is the file of its database, `seed` 64 bytes in hexadecimal. Writes `{ok, balance, ...}` on standard output,
//! or `{ok: false, error}`.

use anyhow::{Context, Result, bail};
use cdk::Amount;
use cdk::nuts::nut00::ProofsMethods;
use cdk::nuts::{CurrencyUnit, PaymentMethod, PublicKey, SecretKey, SpendingConditions, Token};
use cdk::wallet::{ReceiveOptions, SendOptions, Wallet};
use cdk_sqlite::WalletSqliteDatabase;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::str::FromStr;
use std::sync::Arc;

#[tokio::main]
async fn main() -> Result<()> {
    let input: Value = serde_json::from_reader(std::io::stdin())?;
    let answer = match act(&input).await {
        Ok(mut answer) => {
            if let Some(members) = answer.as_object_mut() {
                members.insert("ok".to_owned(), true.into());
            }
            answer
        }
        Err(error) => json!({"ok": false, "error": format!("{error:#}")}),
    };
    println!("{answer}");
    Ok(())
}

async fn act(input: &Value) -> Result<Value> {
    let wallet = open(input).await?;
    let mut answer = step(&wallet, input).await?;
    let balance = u64::from(wallet.total_balance().await?);
    if let Some(members) = answer.as_object_mut() {
        members.insert("balance".to_owned(), balance.into());
    }
    Ok(answer)
}

async fn open(input: &Value) -> Result<Wallet> {
    let store = Arc::new(WalletSqliteDatabase::new(text(input, "store")?).await?);
    let unit = CurrencyUnit::from_str(text(input, "unit")?)?;
    let hex = text(input, "seed")?.as_bytes();
    let bytes: Result<Vec<u8>> =
        hex.chunks(2).map(|pair| Ok(u8::from_str_radix(std::str::from_utf8(pair)?, 16)?)).collect();
    let Ok(seed) = <[u8; 64]>::try_from(bytes?) else { bail!("a seed has 64 bytes") };
    Ok(Wallet::new(text(input, "mint")?, unit, store, seed, None)?)
}

async fn step(wallet: &Wallet, input: &Value) -> Result<Value> {
    let method = PaymentMethod::Custom("bank".to_owned());
    match text(input, "step")? {
        "quote" => {
            let amount = Some(amount(input)?);
            let quote = wallet.mint_quote(method, amount, None, None).await?;
            let amount = quote.amount.map(u64::from);
            Ok(json!({"quote": {"quote": quote.id, "request": quote.request, "amount": amount}}))
        }
        "mint" => {
            let quote = text(input, "quote")?;
            let state = wallet.check_mint_quote_status(quote).await?.state;
            let proofs = wallet.mint(quote, Default::default(), None).await?;
            Ok(json!({"state": state.to_string(), "worth": u64::from(proofs.total_amount()?)}))
        }
        "send" => {
            let conditions =
                input.get("lock").and_then(Value::as_str).map(PublicKey::from_str).transpose()?;
            let conditions = conditions.map(|key| SpendingConditions::new_p2pk(key, None));
            let options = SendOptions { conditions, ..SendOptions::default() };
            let token = wallet.prepare_send(amount(input)?, options).await?.confirm(None).await?;
            Ok(json!({"token": token.to_string()}))
        }
        "verify" => {
            wallet.verify_token_dleq(&Token::from_str(text(input, "token")?)?).await?;
            Ok(json!({}))
        }
        "receive" => {
            let key = input
                .get("privkey")
                .and_then(Value::as_str)
                .map(SecretKey::from_str)
                .transpose()?;
            let p2pk_signing_keys = key.into_iter().collect();
            let options = ReceiveOptions { p2pk_signing_keys, ..ReceiveOptions::default() };
            let received = wallet.receive(text(input, "token")?, options).await?;
            Ok(json!({"received": u64::from(received)}))
        }
        "restore" => {
            let found = wallet.restore().await?;
            let (spent, unspent) = (u64::from(found.spent), u64::from(found.unspent));
            Ok(json!({"spent": spent, "unspent": unspent}))
        }
        "melt" => {
            let request = text(input, "request")?;
            let quote = wallet.melt_quote(method, request, None, None).await?;
            let paid = wallet.prepare_melt(&quote.id, HashMap::new()).await?.confirm().await?;
            Ok(json!({"state": paid.state().to_string(), "paid": u64::from(paid.amount())}))
        }
        other => bail!("there is no step {other}"),
    }
}

fn text<'a>(input: &'a Value, name: &str) -> Result<&'a str> {
    input.get(name).and_then(Value::as_str).with_context(|| format!("{name} is missing"))
}

fn amount(input: &Value) -> Result<Amount> {
    let amount = input.get("amount").and_then(Value::as_u64).context("amount is missing")?;
    Ok(Amount::from(amount))
}
