//! A business of the sample city with much money: withdraws notes, and prepares what is measured.

use crate::http::{Connection, Prepared, Server, text};
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use yufu_base::{AccountId, Amount, CommandId, Currency, Signer as _, Timestamp};
use yufu_ecash::message::{BlindedMessage, Proof, Signatures};
use yufu_ecash::{KeysResponse, Keyset, SecretScalar, blind, unblind};
use yufu_jose::{Jwk, SoftwareKey};
use yufu_payment::PaymentOrder;

/// Notes made in one withdrawal: as many as a request may ask for.
const TOGETHER: usize = 250;

pub(super) struct Customer {
    /// Its bank, and the ledger's name.
    bank: String,
    ledger: String,
    connection: Connection,
    address: String,
    key: SoftwareKey,
    account: AccountId,
    currency: Currency,
    keyset: Keyset,
    notes: Vec<Proof>,
    /// Orders and secrets are numbered.
    number: u128,
}

/// Outputs with what unblinds them.
struct Blank {
    messages: Vec<BlindedMessage>,
    secrets: Vec<(String, SecretScalar)>,
}

impl Customer {
    pub(super) fn open(server: &Server) -> Result<Self> {
        let address = server.address.clone();
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
        let notes = Vec::new();
        Ok(Self {
            bank,
            ledger,
            connection,
            address,
            key,
            account,
            currency,
            keyset,
            notes,
            number: 0,
        })
    }

    /// Takes a new connection: the server closes one that waited while something else was measured.
    pub(super) fn fresh(&mut self, server: &Server) -> Result<()> {
        self.connection = Connection::open(&server.address)?;
        Ok(())
    }

    fn at(&self, path: &str) -> String {
        format!("/banks/{}/mint/v1/{path}", self.bank)
    }

    fn prepare(&self, path: &str, body: &Value) -> Result<Prepared> {
        Ok(Prepared::post(&self.address, path, None, &serde_json::to_vec(body)?))
    }

    fn post(&mut self, path: &str, body: &Value) -> Result<Value> {
        let request = self.prepare(path, body)?;
        Ok(serde_json::from_slice(&self.connection.answer(&request)?)?)
    }

    /// Asks the mint.
    fn ask(&mut self, path: &str, asked: &Value) -> Result<Value> {
        let path = self.at(path);
        self.post(&path, asked)
    }

    fn next(&mut self) -> u128 {
        self.number = self.number.saturating_add(1);
        self.number
    }

    /// Outputs of one minor unit each.
    fn blank(&mut self, count: usize) -> Result<Blank> {
        let (mut messages, mut secrets) = (Vec::new(), Vec::new());
        for _ in 0..count {
            let number = self.next();
            let mut factor = [7; 32];
            for (byte, of) in factor.iter_mut().zip(number.to_be_bytes()) {
                *byte = of;
            }
            let (secret, factor) = (format!("{number:064x}"), SecretScalar::from_bytes(&factor)?);
            let blinded = blind(secret.as_bytes(), &factor)?;
            messages.push(BlindedMessage { amount: 1, id: self.keyset.id, blinded });
            secrets.push((secret, factor));
        }
        Ok(Blank { messages, secrets })
    }

    /// A quote for so many minor units, paid for.
    fn quote(&mut self, amount: u64) -> Result<Value> {
        let asked = json!({"amount": amount, "unit": self.keyset.unit});
        let quote = self.ask("mint/quote/bank", &asked)?;
        let request = text(&quote, "request")?;
        let payee = request.split("payee=").nth(1).and_then(|rest| rest.split('&').next());
        let number = self.next();
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
        self.post(&format!("/banks/{}/v1/withdrawals", self.bank), &json!({"order": signed}))?;
        Ok(quote)
    }

    /// Withdraws until there are `count` notes of one minor unit.
    fn fill(&mut self, count: usize) -> Result<()> {
        while self.notes.len() < count {
            let wanted = TOGETHER.min(count.saturating_sub(self.notes.len()));
            let quote = self.quote(u64::try_from(wanted)?)?;
            let blank = self.blank(wanted)?;
            let asked = json!({"quote": text(&quote, "quote")?, "outputs": blank.messages});
            let made = self.ask("mint/bank", &asked)?;
            let signed = serde_json::from_value::<Signatures>(made)?.signatures;
            ensure!(signed.len() == wanted, "the mint signed less than it was asked");
            for (signature, (secret, factor)) in signed.iter().zip(blank.secrets) {
                let key = self.keyset.key(signature.amount).context("a key")?;
                let unblinded = unblind(&signature.signature, &factor, key)?;
                self.notes.push(Proof {
                    amount: signature.amount,
                    id: signature.id,
                    secret,
                    signature: unblinded,
                    witness: None,
                    dleq: None,
                });
            }
        }
        Ok(())
    }

    /// Swaps of `inputs` notes for as many.
    pub(super) fn swaps(&mut self, count: usize, inputs: usize) -> Result<Vec<Prepared>> {
        let needed = count.checked_mul(inputs).context("too many notes")?;
        self.fill(needed)?;
        let notes: Vec<Proof> = self.notes.drain(..needed).collect();
        let mut swaps = Vec::with_capacity(count);
        for notes in notes.chunks(inputs) {
            let blank = self.blank(inputs)?;
            let asked = json!({"inputs": notes, "outputs": blank.messages});
            swaps.push(self.prepare(&self.at("swap"), &asked)?);
        }
        Ok(swaps)
    }

    /// Withdrawals of one note each, their quotes paid for.
    pub(super) fn withdrawals(&mut self, count: usize) -> Result<Vec<Prepared>> {
        let mut withdrawals = Vec::with_capacity(count);
        for _ in 0..count {
            let quote = self.quote(1)?;
            let blank = self.blank(1)?;
            let asked = json!({"quote": text(&quote, "quote")?, "outputs": blank.messages});
            withdrawals.push(self.prepare(&self.at("mint/bank"), &asked)?);
        }
        Ok(withdrawals)
    }

    /// Redemptions of one note each.
    pub(super) fn redemptions(&mut self, count: usize) -> Result<Vec<Prepared>> {
        self.fill(count)?;
        let notes: Vec<Proof> = self.notes.drain(..count).collect();
        let mut redemptions = Vec::with_capacity(count);
        let asked =
            json!({"request": self.account.to_string(), "unit": self.keyset.unit, "amount": 1});
        for note in notes {
            let quote = self.ask("melt/quote/bank", &asked)?;
            let melt = json!({"quote": text(&quote, "quote")?, "inputs": [note]});
            redemptions.push(self.prepare(&self.at("melt/bank"), &melt)?);
        }
        Ok(redemptions)
    }
}

#[expect(clippy::disallowed_methods, reason = "orders are made now, by the clock of the machine")]
fn now() -> Result<Timestamp> {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?;
    Ok(Timestamp::from_millis(u64::try_from(since.as_millis())?))
}
