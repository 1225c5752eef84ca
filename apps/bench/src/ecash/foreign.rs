//! A mint of somebody else, measured by the same clients in the same way: one whose quotes of method `bolt11` are paid
//! by themselves, as those of a mint with a wallet that only pretends are.

use super::purse::Purse;
use crate::http::{Connection, Prepared, Target, text};
use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use std::thread;
use std::time::Duration;
use url::Url;
use yufu_ecash::{KeysResponse, Keyset};

/// How often, and how many times, a quote is looked at until it is paid.
const LOOKS: (u32, Duration) = (600, Duration::from_millis(100));

/// Somebody who withdraws without paying.
pub(super) struct Guest {
    pub(super) purse: Purse,
    pub(super) target: Target,
    below: String,
}

impl Guest {
    /// At the mint of this address, which is what wallets append `/v1/...` to.
    pub(super) fn open(mint: &Url, process: Option<u32>) -> Result<Self> {
        let port = mint.port_or_known_default().context("a port")?;
        let address = format!("{}:{port}", mint.host_str().context("a host")?);
        let below = mint.path().trim_end_matches('/').to_owned();
        let mut connection = Connection::open(&address)?;
        let mut get = |path: &str| -> Result<Value> {
            let request = Prepared::get(&address, &format!("{below}/v1/{path}"));
            Ok(serde_json::from_slice(&connection.answer(&request)?)?)
        };
        let keys: KeysResponse = serde_json::from_value(get("keys")?)?;
        let usual =
            |keyset: &Keyset| keyset.input_fee_ppk.unwrap_or(0) == 0 && keyset.key(1).is_some();
        let keyset = keys.keysets.into_iter().find(usual);
        let keyset = keyset.context("a keyset without fees that has notes of 1")?;
        let purse = Purse::new(connection, address.clone(), below.clone(), keyset);
        Ok(Self { purse, target: Target { address, process }, below })
    }

    /// Withdraws until there are `count` notes.
    pub(super) fn fill(&mut self, count: usize) -> Result<()> {
        while let Some(wanted) = self.purse.lacks(count) {
            let asked = json!({"amount": wanted, "unit": self.purse.unit()});
            let quote = self.purse.ask("mint/quote/bolt11", &asked)?;
            let quote = text(&quote, "quote")?.to_owned();
            self.wait(&quote)?;
            self.purse.take("bolt11", &quote, wanted)?;
        }
        Ok(())
    }

    fn wait(&self, quote: &str) -> Result<()> {
        let mut connection = Connection::open(&self.target.address)?;
        let path = format!("{}/v1/mint/quote/bolt11/{quote}", self.below);
        for _ in 0..LOOKS.0 {
            let request = Prepared::get(&self.target.address, &path);
            let state: Value = serde_json::from_slice(&connection.answer(&request)?)?;
            if text(&state, "state")? == "PAID" {
                return Ok(());
            }
            thread::sleep(LOOKS.1);
        }
        bail!("the quote was not paid: this needs a mint whose quotes are paid by themselves")
    }
}
