//! Opening an account remotely. The key and the bank's id of the opening are stored before anything is
//! shown, so that a crash, or an answer that got lost, leaves no account without its key.

use super::contents::{StoredAccount, StoredKey, StoredOpening};
use super::holder::{Awaited, Decide, Holder};
use super::paying::QUERY;
use super::showing::Shown;
use crate::words::text;
use anyhow::{Context, Result, bail};
use yufu_api::bank::{OpenedClass, Opening, OpeningRequest, OpeningStatus};
use yufu_base::Signer;
use yufu_jose::{Jwk, SoftwareKey};
use yufu_keys::random;
use yufu_openid4vc::presentation::{AccountOpening, TransactionData};

/// After how long an opening that the bank still waits for is given up, in seconds: its request lapsed long before.
const GIVEN_UP: u64 = 3600;

/// An account that was opened.
#[derive(Debug)]
pub struct Opened {
    /// Its id.
    pub account: String,
    /// What was shown to open it.
    pub shown: Shown,
}

impl Holder {
    /// `named`, or else the class of wallet that `bank` opens by `way` (`identity`, `phone_or_token`,
    /// `linked_account`).
    ///
    /// # Errors
    /// If the bank does not answer, or opens none by it, or several: then one is to be named.
    pub async fn class_at(&self, bank: &str, way: &str, named: Option<String>) -> Result<String> {
        if let Some(named) = named {
            return Ok(named);
        }
        let url = format!("{}/banks/{bank}/v1/classes", self.address(bank));
        let classes: Vec<OpenedClass> = self.client.get(&url, None).await?;
        let by_it: Vec<&str> =
            classes.iter().filter(|one| one.by == way).map(|one| one.class.as_str()).collect();
        match by_it.as_slice() {
            [class] => Ok((*class).to_owned()),
            [] => bail!(text!(
                "{bank} gives no class of wallet by {way} here: ask at a branch",
                bank = bank,
                way = way
            )),
            several => bail!(text!(
                "{bank} gives several classes: name one of {classes}",
                bank = bank,
                classes = several.join(", ")
            )),
        }
    }

    /// Opens an account of `class` at `bank` with a fresh key.
    ///
    /// # Errors
    /// Whatever the bank refused, or the wallet refused of the bank.
    pub async fn open_account(
        &mut self,
        bank: &str,
        class: &str,
        decide: Decide<'_>,
    ) -> Result<Opened> {
        self.open_at(bank, class, "openings", decide).await
    }

    /// Opens an account where a bank has openings of one kind begun.
    pub(super) async fn open_at(
        &mut self,
        bank: &str,
        class: &str,
        below: &str,
        decide: Decide<'_>,
    ) -> Result<Opened> {
        self.settle_openings().await?;
        let key = SoftwareKey::from_seed(&random())?;
        let wallet_key: Jwk = key.public_key().into();
        let awaited = TransactionData::AccountOpening(AccountOpening {
            credential_ids: vec![QUERY.to_owned()],
            bank: bank.to_owned(),
            class: class.to_owned(),
            wallet_key_thumbprint: wallet_key.thumbprint_base64url(),
        });
        let request = OpeningRequest { class: class.to_owned(), wallet_key };
        let begun: Opening = self.post_for_key(bank, below, &key, &request).await?;
        self.file.contents.openings.push(StoredOpening {
            bank: bank.to_owned(),
            country: self.country(),
            opening: begun.opening.clone(),
            class: class.to_owned(),
            key: StoredKey::of(&key)?,
            begun: self.now().seconds(),
        });
        self.file.save()?;
        let awaited = Awaited::Transaction(Box::new(awaited));
        let link = &begun.authorization_request;
        let shown = self.present_for(link, &awaited, decide).await?;
        self.bring_back(link, &shown).await?;
        let account = self.settle(&begun.opening).await?;
        let account = account.with_context(|| {
            text!("the bank has not opened the account yet: `yufu wallet show` takes it up once it has")
        })?;
        self.learn_currency().await?;
        Ok(Opened { account, shown })
    }

    /// Takes up accounts whose opening was begun here and whose end was not heard of.
    ///
    /// # Errors
    /// If a bank does not answer, or the wallet cannot be saved.
    pub async fn settle_openings(&mut self) -> Result<()> {
        let here = self.country();
        let openings = self.file.contents.openings.iter().filter(|known| known.country == here);
        let waiting: Vec<String> = openings.map(|known| known.opening.clone()).collect();
        for opening in waiting {
            self.settle(&opening).await?;
        }
        Ok(())
    }

    /// Asks where an opening stands: an open account is kept, a refused or lapsed one forgotten.
    async fn settle(&mut self, opening: &str) -> Result<Option<String>> {
        let known = self.file.contents.openings.iter().find(|known| known.opening == opening);
        let Some(known) = known.cloned() else { return Ok(None) };
        let url =
            format!("{}/banks/{}/v1/openings/{opening}", self.address(&known.bank), known.bank);
        let status: OpeningStatus = self.client.get(&url, None).await?;
        let lapsed = self.now().seconds() > known.begun.saturating_add(GIVEN_UP);
        let account = status.account.filter(|_| status.state == "open");
        let over = status.state == "refused" || (status.state == "waiting" && lapsed);
        if account.is_none() && !over {
            return Ok(None);
        }
        self.file.contents.openings.retain(|other| other.opening != opening);
        if let Some(account) = &account {
            self.keep(StoredAccount {
                bank: known.bank,
                country: known.country,
                account: account.clone(),
                class: known.class,
                key: known.key,
            });
        }
        self.file.save()?;
        Ok(account)
    }
}
