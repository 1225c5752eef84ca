//! A business of the sample city with much money: withdraws notes, and prepares what is measured.

use super::purse::Purse;
use crate::http::{Connection, Prepared, Server, text};
use anyhow::{Context, Result};
use serde_json::{Value, json};
use yufu_base::{AccountId, Amount, CommandId, Currency, Signer as _, Timestamp};
use yufu_ecash::{KeysResponse, Keyset};
use yufu_jose::{Jwk, SoftwareKey};
use yufu_payment::PaymentOrder;

pub(super) struct Customer {
    /// Its notes, at its bank's mint.
    pub(super) purse: Purse,
    /// Its bank, and the ledger's name.
    bank: String,
    ledger: String,
    key: SoftwareKey,
    account: AccountId,
    currency: Currency,
}

impl Customer {
    pub(super) fn open(server: &Server) -> Result<Self> {
        let address = server.target.address.clone();
        let mut connection = Connection::open(&address)?;
        let bank = server.bank()?;
        let desk = server.desk(&bank)?;
        let get = |connection: &mut Connection, path: &str| -> Result<Value> {
            let answer = connection.answer(&Prepared::get(&address, path))?;
            Ok(serde_json::from_slice(&answer)?)
        };
        let ledger = get(&mut connection, "/central-bank/v1/ledger")?;
        let ledger = text(&ledger, "ledger")?.to_owned();
        // The class of registered payees: what a business has.
        let published = get(&mut connection, "/central-bank/v1/keysets")?;
        let class = published.pointer("/rules/payees/0").and_then(Value::as_str);
        let class = class.context("the country has bearer notes")?.to_owned();
        let key = SoftwareKey::from_seed(&[9; 32])?;
        let mut post = |path: &str, body: &Value| -> Result<Value> {
            let path = format!("/banks/{bank}/v1/desk/{path}");
            let request = Prepared::post(&address, &path, Some(&desk), &serde_json::to_vec(body)?);
            Ok(serde_json::from_slice(&connection.answer(&request)?)?)
        };
        let wallet_key = Jwk::from(key.public_key());
        let opened = post("accounts", &json!({"class": class, "wallet_key": wallet_key}))?;
        let account = text(&opened, "account")?.parse()?;
        let amount = 4_000_000;
        post(
            "exchanges",
            &json!({"direction": "paper_to_digital", "account": text(&opened, "account")?, "amount_minor": amount}),
        )?;
        let keys = format!("/banks/{bank}/mint/v1/keys");
        let keys = connection.answer(&Prepared::get(&address, &keys))?;
        let keys: KeysResponse = serde_json::from_slice(&keys)?;
        let keyset: Keyset = keys.keysets.into_iter().next().context("a keyset that signs")?;
        let currency = Currency::new(&keyset.unit.to_ascii_uppercase())?;
        let below = format!("/banks/{bank}/mint");
        let purse = Purse::new(connection, address, below, keyset);
        Ok(Self { purse, bank, ledger, key, account, currency })
    }

    /// A quote for so many minor units, paid for.
    fn quote(&mut self, amount: u64) -> Result<String> {
        let asked = json!({"amount": amount, "unit": self.purse.unit()});
        let quote = self.purse.ask("mint/quote/bank", &asked)?;
        let request = text(&quote, "request")?;
        let payee = request.split("payee=").nth(1).and_then(|rest| rest.split('&').next());
        let number = self.purse.next();
        let now = now()?;
        let order = PaymentOrder {
            ledger: self.ledger.clone(),
            id: CommandId::at(now, number),
            payer: self.account,
            payee: payee.context("a payee")?.parse()?,
            payee_name: text(&quote, "quote")?.to_owned(),
            amount: Amount::new(self.currency, amount),
            expires: Timestamp::from_seconds(now.plus_seconds(3_600).seconds()),
        };
        let signed = order.sign(&self.key)?;
        let withdrawal = format!("/banks/{}/v1/withdrawals", self.bank);
        self.purse.post(&withdrawal, &json!({"order": signed}))?;
        Ok(text(&quote, "quote")?.to_owned())
    }

    /// Withdraws until there are `count` notes of one minor unit.
    pub(super) fn fill(&mut self, count: usize) -> Result<()> {
        while let Some(wanted) = self.purse.lacks(count) {
            let quote = self.quote(u64::try_from(wanted)?)?;
            self.purse.take("bank", &quote, wanted)?;
        }
        Ok(())
    }

    /// Withdrawals of one note each, their quotes paid for.
    pub(super) fn withdrawals(&mut self, count: usize) -> Result<Vec<Prepared>> {
        let mut withdrawals = Vec::with_capacity(count);
        for _ in 0..count {
            let quote = self.quote(1)?;
            withdrawals.push(self.purse.taking("bank", &quote, 1)?.0);
        }
        Ok(withdrawals)
    }

    /// Redemptions of one note each.
    pub(super) fn redemptions(&mut self, count: usize) -> Result<Vec<Prepared>> {
        self.fill(count)?;
        let mut redemptions = Vec::with_capacity(count);
        let account = self.account.to_string();
        let asked = json!({"request": account, "unit": self.purse.unit(), "amount": 1});
        for note in self.purse.notes(count)? {
            let quote = self.purse.ask("melt/quote/bank", &asked)?;
            let melt = json!({"quote": text(&quote, "quote")?, "inputs": [note]});
            redemptions.push(self.purse.prepared("melt/bank", &melt)?);
        }
        Ok(redemptions)
    }
}

#[expect(clippy::disallowed_methods, reason = "orders are made now, by the clock of the machine")]
fn now() -> Result<Timestamp> {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?;
    Ok(Timestamp::from_millis(u64::try_from(since.as_millis())?))
}
