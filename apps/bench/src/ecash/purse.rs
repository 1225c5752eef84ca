//! Notes of one minor unit at a mint, and what is asked of it with them: whichever mint it is.

use crate::http::{Connection, Prepared, Target};
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use yufu_ecash::message::{BlindedMessage, Proof, Signatures};
use yufu_ecash::{Keyset, SecretScalar, blind, unblind};
use yufu_keys::random;

/// Notes made at once: as many as mints let a request ask for.
const TOGETHER: usize = 250;

pub(super) struct Purse {
    connection: Connection,
    address: String,
    /// Where the mint is, below the address.
    below: String,
    keyset: Keyset,
    notes: Vec<Proof>,
    /// Secrets are numbered, from a start of this purse's own.
    start: [u8; 16],
    number: u128,
}

/// What unblinds outputs, in their order.
pub(super) type Secrets = Vec<(String, SecretScalar)>;

impl Purse {
    pub(super) fn new(
        connection: Connection,
        address: String,
        below: String,
        keyset: Keyset,
    ) -> Self {
        let (notes, start) = (Vec::new(), random());
        Self { connection, address, below, keyset, notes, start, number: 0 }
    }

    /// Takes a new connection: a server closes one that waited while something else was measured.
    pub(super) fn reconnect(&mut self, target: &Target) -> Result<()> {
        self.connection = Connection::open(&target.address)?;
        Ok(())
    }

    pub(super) fn unit(&self) -> &str {
        &self.keyset.unit
    }

    /// The next number: of a secret, or of an order.
    pub(super) const fn next(&mut self) -> u128 {
        self.number = self.number.saturating_add(1);
        self.number
    }

    pub(super) fn post(&mut self, path: &str, body: &Value) -> Result<Value> {
        let request = Prepared::post(&self.address, path, None, &serde_json::to_vec(body)?);
        Ok(serde_json::from_slice(&self.connection.answer(&request)?)?)
    }

    pub(super) fn prepared(&self, path: &str, body: &Value) -> Result<Prepared> {
        let path = format!("{}/v1/{path}", self.below);
        Ok(Prepared::post(&self.address, &path, None, &serde_json::to_vec(body)?))
    }

    /// Asks the mint.
    pub(super) fn ask(&mut self, path: &str, asked: &Value) -> Result<Value> {
        let request = self.prepared(path, asked)?;
        Ok(serde_json::from_slice(&self.connection.answer(&request)?)?)
    }

    /// How many notes to take next, if there are less than `count`.
    pub(super) fn lacks(&self, count: usize) -> Option<usize> {
        let lacking = count.checked_sub(self.notes.len()).filter(|lacking| *lacking > 0);
        lacking.map(|lacking| lacking.min(TOGETHER))
    }

    /// Outputs of one minor unit each.
    fn blank(&mut self, count: usize) -> Result<(Vec<BlindedMessage>, Secrets)> {
        let (mut messages, mut secrets) = (Vec::new(), Vec::new());
        for _ in 0..count {
            let number = self.next();
            let start = u128::from_be_bytes(self.start);
            let mut factor = [7; 32];
            let digits = start.to_be_bytes().into_iter().skip(1).chain(number.to_be_bytes());
            for (byte, of) in factor.iter_mut().skip(1).zip(digits) {
                *byte = of;
            }
            let factor = SecretScalar::from_bytes(&factor)?;
            let secret = format!("{start:032x}{number:032x}");
            let blinded = blind(secret.as_bytes(), &factor)?;
            messages.push(BlindedMessage { amount: 1, id: self.keyset.id, blinded });
            secrets.push((secret, factor));
        }
        Ok((messages, secrets))
    }

    /// Asks for so many notes of a paid quote.
    pub(super) fn taking(
        &mut self,
        method: &str,
        quote: &str,
        count: usize,
    ) -> Result<(Prepared, Secrets)> {
        let (messages, secrets) = self.blank(count)?;
        let asked = json!({"quote": quote, "outputs": messages});
        Ok((self.prepared(&format!("mint/{method}"), &asked)?, secrets))
    }

    /// Takes so many notes of a paid quote.
    pub(super) fn take(&mut self, method: &str, quote: &str, count: usize) -> Result<()> {
        let (request, secrets) = self.taking(method, quote, count)?;
        let answer = self.connection.answer(&request)?;
        let signed = serde_json::from_slice::<Signatures>(&answer)?.signatures;
        ensure!(signed.len() == count, "the mint signed less than it was asked");
        for (signature, (secret, factor)) in signed.iter().zip(secrets) {
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
        Ok(())
    }

    /// Takes notes out.
    pub(super) fn notes(&mut self, count: usize) -> Result<Vec<Proof>> {
        ensure!(self.notes.len() >= count, "there are not so many notes");
        Ok(self.notes.drain(..count).collect())
    }

    /// Swaps of `inputs` notes for as many.
    pub(super) fn swaps(&mut self, count: usize, inputs: usize) -> Result<Vec<Prepared>> {
        let notes = self.notes(count.checked_mul(inputs).context("too many notes")?)?;
        let mut swaps = Vec::with_capacity(count);
        for notes in notes.chunks(inputs) {
            let (messages, _) = self.blank(inputs)?;
            let asked = json!({"inputs": notes, "outputs": messages});
            swaps.push(self.prepared("swap", &asked)?);
        }
        Ok(swaps)
    }
}
