//! Whose notes the wallet takes: those of banks in the trust list, of keysets that the central bank published
//! under its signature for everybody.

use super::refusing::PurseFault;
use crate::wallet::holder::Holder;
use crate::words::text;
use anyhow::{Context, Result, bail};
use serde::Deserialize;
use std::collections::BTreeMap;
use yufu_api::central_bank::{Keysets, Ledger};
use yufu_base::Digest;
use yufu_ecash::{KeysetId, KeysetsResponse};
use yufu_jose::{Jwk, Unverified};
use yufu_purse::{Published, Purse};
use yufu_trust::TrustPin;

/// The type of the signed list.
const TYPE: &str = "yufu-keysets+jwt";
/// The longest list that is read.
const LONGEST: usize = 1 << 20;
/// By what the ledger knows a keyset: a digest of its id.
const CONTEXT: &str = "yufu keyset v1";
/// The word of the directory for a bank.
const BANK: &str = "commercial-bank";

/// What the central bank signs.
#[derive(Deserialize)]
struct Claims {
    iss: String,
    exp: u64,
    keysets: Vec<PublishedKeyset>,
    #[serde(default)]
    rules: Option<Rules>,
}

#[derive(Deserialize)]
struct PublishedKeyset {
    bank: String,
    keys: String,
    outputs: u64,
}

#[derive(Deserialize)]
struct Rules {
    least_promised: u32,
    #[serde(default)]
    per_withdrawal_minor: Option<u64>,
}

impl Holder {
    /// The address of a bank's mint.
    pub(super) fn mint_of(&self, bank: &str) -> String {
        format!("{}/banks/{bank}/mint", self.address(bank))
    }

    /// The banks whose mints there may be, as the trust list has them.
    pub(super) fn mint_banks(&self) -> Vec<String> {
        let banks = self.directory().iter().filter(|entry| entry.kind == BANK);
        banks.map(|entry| entry.id.clone()).collect()
    }

    /// The bank whose mint has an address, or had it.
    pub(super) fn bank_of(&self, mint: &str) -> Result<String> {
        let mint = mint.trim_end_matches('/');
        let now = self.mint_banks().into_iter().find(|bank| self.mint_of(bank) == mint);
        let before = || self.file.contents.cash.as_ref()?.mints.get(mint).cloned();
        now.or_else(before).with_context(|| {
            text!(
                "{mint} is the mint of no bank in the trust list: its notes are not taken",
                mint = mint
            )
        })
    }

    /// Goes along where banks have moved, as the trust list says: their notes are the same.
    pub(super) fn follow_mints(&mut self) -> Result<()> {
        let Some(cash) = &self.file.contents.cash else { return Ok(()) };
        let banks = self.mint_banks();
        let known = cash.mints.iter().filter(|(_, bank)| banks.contains(bank));
        let moves: Vec<(String, String)> =
            known.map(|(mint, bank)| (mint.clone(), self.mint_of(bank))).collect();
        for (from, to) in moves.into_iter().filter(|(from, to)| from != to) {
            self.cash()?.purse.moved(&from, &to);
        }
        Ok(self.file.save()?)
    }

    /// Learns which keysets a bank's mint has, and takes those that are published. Its address.
    pub(super) async fn learn_mint(&mut self, bank: &str) -> Result<String> {
        self.learn_currency().await?;
        self.follow_mints()?;
        let mint = self.mint_of(bank);
        let list = self.ask_mint(&mint, &Purse::ask_keysets()).await?;
        let ids: Vec<KeysetId> = serde_json::from_slice::<KeysetsResponse>(&list.body)
            .map(|list| list.keysets.iter().map(|info| info.id).collect())
            .unwrap_or_default();
        let published = self.published(bank, &ids).await?;
        let unit = self.currency_here()?.code().to_ascii_lowercase();
        self.cash()?.mints.insert(mint.clone(), bank.to_owned());
        let purse = &mut self.cash()?.purse;
        let learnt = purse.take_keysets(&mint, &unit, &published, &list);
        let learnt = learnt.map_err(PurseFault::from)?;
        for wanted in &learnt.wanted {
            let keys = self.ask_mint(&mint, wanted).await?;
            let purse = &mut self.cash()?.purse;
            purse.take_keys(&mint, &published, &keys).map_err(PurseFault::from)?;
        }
        self.file.save()?;
        match learnt.refused.into_iter().next() {
            Some(refusal) if !self.cash()?.purse.knows(&mint) => {
                Err(PurseFault::from(refusal).into())
            }
            _ => Ok(mint),
        }
    }

    /// The most that one withdrawal may be by the rules for notes, in minor units; `None` if that is any amount.
    pub(super) async fn most_at_once(&mut self) -> Result<Option<u64>> {
        Ok(self.list_of_keysets().await?.rules.and_then(|rules| rules.per_withdrawal_minor))
    }

    /// Which of some keysets of a bank are published, by the central bank's signed list.
    async fn published(&mut self, bank: &str, ids: &[KeysetId]) -> Result<Published> {
        let claims = self.list_of_keysets().await?;
        let least_outputs = claims.rules.map_or(0, |rules| rules.least_promised.into());
        let of_bank = claims.keysets.into_iter().filter(|keyset| keyset.bank == bank);
        let by_digest: BTreeMap<String, u64> =
            of_bank.map(|keyset| (keyset.keys, keyset.outputs)).collect();
        let find = |id: &KeysetId| {
            let digest = Digest::derive(CONTEXT, id.to_string().as_bytes());
            Some((*id, *by_digest.get(&digest.to_string())?))
        };
        Ok(Published { keysets: ids.iter().filter_map(find).collect(), least_outputs })
    }

    /// The central bank's signed list, if it is of this ledger and of now.
    async fn list_of_keysets(&mut self) -> Result<Claims> {
        let ledger = self.ledger().await?;
        let at = self.address(&ledger).to_owned();
        let list: Keysets = self.client.get(&format!("{at}/central-bank/v1/keysets"), None).await?;
        let key = self.central_bank_key(&ledger, &at).await?;
        let claims = match read_statement(&list.statement, &key) {
            Ok(claims) => claims,
            // Another key may have followed the one that is known, by its word.
            Err(error) => match self.followed(&ledger, &at, &key).await? {
                Some(next) => read_statement(&list.statement, &next)?,
                None => return Err(error),
            },
        };
        if claims.iss != ledger || claims.exp <= self.now().seconds() {
            bail!(text!("the central bank's list of keysets is of another ledger, or too old"));
        }
        Ok(claims)
    }

    /// The key that followed a central bank's by the word of that key, if one did. It is kept from then on.
    async fn followed(&mut self, ledger: &str, at: &str, known: &Jwk) -> Result<Option<Jwk>> {
        let told: Ledger = self.client.get(&format!("{at}/central-bank/v1/ledger"), None).await?;
        let pin = TrustPin::given(known.key);
        let followed = pin.following(ledger, &told.succession, self.now())?;
        if followed.key.key == known.key {
            return Ok(None);
        }
        self.cash()?.central_banks.insert(ledger.to_owned(), followed.key.clone());
        self.file.save()?;
        Ok(Some(followed.key))
    }

    /// The key of a central bank: the first one that it named stays the one, until another follows by its word.
    async fn central_bank_key(&mut self, ledger: &str, at: &str) -> Result<Jwk> {
        if let Some(key) = self.cash()?.central_banks.get(ledger) {
            return Ok(key.clone());
        }
        let told: Ledger = self.client.get(&format!("{at}/central-bank/v1/ledger"), None).await?;
        let key = told.key.with_context(|| text!("the central bank names no key"))?;
        self.cash()?.central_banks.insert(ledger.to_owned(), key.clone());
        self.file.save()?;
        Ok(key)
    }
}

/// What a central bank says of keysets, if it signed that with `key`.
fn read_statement(text: &str, key: &Jwk) -> Result<Claims> {
    let signed = Unverified::parse_bounded(text, LONGEST)?.expect_type(TYPE)?;
    Ok(signed.verify(&key.key)?.claims()?)
}
