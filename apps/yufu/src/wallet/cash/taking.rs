//! A till: it gets ready while there is network, asks and takes without, and collects when there is network again.

use super::refusing::PurseFault;
use crate::wallet::history::Event;
use crate::wallet::holder::Holder;
use crate::words::text;
use anyhow::{Result, bail, ensure};
use yufu_ecash::{PaymentRequest, RequestedLock, Token};
use yufu_keys::random_text;
use yufu_purse::{OfflineNote, OfflineTerms, Standing};

/// How long before a lock ends a till without network will be online again, in seconds: a day.
const MARGIN_SECONDS: u64 = 86_400;

/// Notes taken without network, by how safe they are. Amounts are minor units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// Nobody else's, for good.
    pub safe: u64,
    /// Nobody else's, for a time.
    pub pending: u64,
    /// When the first of them can be had back by its payer, in Unix seconds.
    pub until: Option<u64>,
    /// Whoever is first has them.
    pub at_risk: u64,
}

/// Whose notes a till can take without network from now on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Prepared {
    /// These banks'.
    pub banks: Vec<String>,
    /// Not these, and why.
    pub unready: Vec<(String, String)>,
}

impl Taken {
    pub(super) fn of<'a>(notes: impl Iterator<Item = &'a OfflineNote>, now: u64) -> Self {
        let mut taken = Self::default();
        for note in notes {
            let worth = match note.standing(now) {
                Standing::Safe => &mut taken.safe,
                Standing::Pending { until } => {
                    taken.until = Some(taken.until.map_or(until, |first| first.min(until)));
                    &mut taken.pending
                }
                Standing::AtRisk { .. } => &mut taken.at_risk,
            };
            *worth = worth.saturating_add(note.amount());
        }
        taken
    }

    /// All of it.
    #[must_use]
    pub const fn sum(&self) -> u64 {
        self.safe.saturating_add(self.pending).saturating_add(self.at_risk)
    }
}

impl Holder {
    /// Learns whose notes are good, so that they can be taken without network.
    ///
    /// # Errors
    /// If the wallet cannot be saved.
    pub async fn prepare_till(&mut self) -> Result<Prepared> {
        let mut prepared = Prepared::default();
        for bank in self.mint_banks() {
            match self.learn_mint(&bank).await {
                Ok(_) => prepared.banks.push(bank),
                Err(error) => prepared.unready.push((bank, self.told(&error))),
            }
        }
        Ok(prepared)
    }

    /// Asks for a payment, with network: locked to a fresh key of this wallet if wanted.
    ///
    /// # Errors
    /// If no bank's mint answers, or the wallet cannot be saved.
    pub async fn request_cash(&mut self, minor: Option<u64>, locked: bool) -> Result<String> {
        let prepared = self.prepare_till().await?;
        if let (true, Some((bank, why))) =
            (prepared.banks.is_empty(), prepared.unready.into_iter().next())
        {
            bail!(text!("no bank's notes can be asked for: {bank}: {why}", bank = bank, why = why));
        }
        let mints = prepared.banks.iter().map(|bank| self.mint_of(bank)).collect();
        self.request_at(mints, minor, locked, false)
    }

    /// Whether notes of some bank can be taken without network.
    ///
    /// # Errors
    /// If there never was network to learn of one.
    pub(super) fn must_be_prepared(&self) -> Result<()> {
        let purse = self.file.contents.cash.as_ref().map(|cash| &cash.purse);
        let knows = |bank: &String| purse.is_some_and(|purse| purse.knows(&self.mint_of(bank)));
        let known = self.mint_banks().iter().any(knows);
        ensure!(known && self.currency_here().is_ok(), unprepared());
        Ok(())
    }

    /// Asks for a payment without network: locked to a fresh key of this wallet, in notes that it knows, with proofs.
    ///
    /// # Errors
    /// If no bank's notes are known here, or the wallet cannot be saved.
    pub fn request_cash_offline(&mut self, minor: Option<u64>) -> Result<String> {
        self.must_be_prepared()?;
        let mut mints: Vec<String> =
            self.mint_banks().iter().map(|bank| self.mint_of(bank)).collect();
        let purse = self.purse()?;
        mints.retain(|mint| purse.knows(mint));
        self.request_at(mints, minor, true, true)
    }

    fn request_at(
        &mut self,
        mints: Vec<String>,
        amount: Option<u64>,
        locked: bool,
        offline: bool,
    ) -> Result<String> {
        let lock = if locked { Some(self.cash_key()?) } else { None };
        let request = PaymentRequest {
            id: Some(random_text()),
            amount,
            unit: Some(self.currency_here()?.code().to_ascii_lowercase()),
            single_use: Some(true),
            mints,
            lock: lock.map(|data| RequestedLock {
                kind: "P2PK".to_owned(),
                data,
                tags: Vec::new(),
            }),
            offline,
            ..PaymentRequest::default()
        };
        Ok(request.to_text()?)
    }

    /// A fresh key of this wallet, to lock notes to.
    ///
    /// # Errors
    /// If the wallet cannot be saved.
    pub fn cash_key(&mut self) -> Result<String> {
        let seed = self.cash_seed()?;
        let key = self.cash()?.purse.fresh_key(&seed)?;
        self.file.save()?;
        Ok(key.to_hex())
    }

    /// Takes a token without network: of notes that are not locked to this wallet up to `risk_limit_minor` in all, or up to
    /// the limit that its owner set.
    ///
    /// # Errors
    /// Whatever the purse refused.
    pub fn receive_cash_offline(
        &mut self,
        token: &str,
        risk_limit_minor: Option<u64>,
    ) -> Result<Taken> {
        let mut token = Token::parse(token).map_err(PurseFault::from)?;
        self.must_be_prepared()?;
        let bank = self.bank_of(&token.mint)?;
        token.mint = self.mint_of(&bank);
        let (seed, now) = (self.cash_seed()?, self.now().seconds());
        ensure!(self.purse()?.knows(&token.mint), unprepared());
        let before = self.purse()?.offline().len();
        let risk_limit = risk_limit_minor.unwrap_or_else(|| self.risk_limit());
        let terms = OfflineTerms { margin: MARGIN_SECONDS, risk_limit };
        self.with_purse(|purse| purse.take_offline(&seed, &token, terms, now))?;
        let taken = Taken::of(self.purse()?.offline().iter().skip(before), now);
        let currency = self.currency_here()?.to_string();
        self.note(Event::CashTakenOffline { bank, amount_minor: taken.sum(), currency })?;
        Ok(taken)
    }

    /// How much is taken without network in notes that are not locked to this wallet, in minor units: nothing, until its
    /// owner says otherwise.
    #[must_use]
    pub fn risk_limit(&self) -> u64 {
        self.file.contents.cash.as_ref().map_or(0, |cash| cash.risk_limit)
    }

    /// Sets that.
    ///
    /// # Errors
    /// If the wallet cannot be saved.
    pub fn set_risk_limit(&mut self, minor: u64) -> Result<()> {
        self.cash()?.risk_limit = minor;
        Ok(self.file.save()?)
    }
}

/// What is said at a till that never had network.
fn unprepared() -> String {
    text!(
        "this wallet knows no bank's notes yet: run `yufu wallet cash prepare` once while there is network"
    )
}
