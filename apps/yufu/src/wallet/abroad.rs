//! In another country: the parties there are verified by that country's trust list, which the list of
//! the wallet's own country names with its address and key. Nothing is trusted on first sight.

use super::contents::{StoredAccount, StoredForeign};
use super::fault::WalletFault;
use super::holder::Holder;
use super::pins::{self, StoredPin};
use crate::words::text;
use anyhow::{Context, Result};
use url::Url;
use yufu_jose::encode_base64url;
use yufu_trust::{DirectoryEntry, RecognisedList, Role, TrustList};

/// Another country, in which a wallet acts.
pub(super) struct Abroad {
    /// ISO 3166-1 alpha-2.
    pub(super) country: String,
    /// The address of its city, without a slash at the end.
    pub(super) url: String,
}

impl Holder {
    /// Acts in `country` from here on, until [`Holder::come_home`]: with the accounts opened there, and
    /// with the parties on its trust list, which the own country's list is to name.
    ///
    /// # Errors
    /// [`WalletFault::CountryNotRecognised`] if it does not; else if either list is refused.
    pub async fn go_abroad(&mut self, country: &str) -> Result<()> {
        self.come_home();
        let home = self.trust().await?;
        let there = recognised(&home, country)?;
        self.connect_for(Some(country));
        let arrived = self.arrive(&there).await;
        if arrived.is_err() {
            self.come_home();
        }
        arrived
    }

    async fn arrive(&mut self, there: &RecognisedList) -> Result<()> {
        let list = self.foreign_trust(there).await?;
        let url = Url::parse(&list.operator)
            .with_context(|| text!("the other country's list names no address"))?;
        let url = url.origin().ascii_serialization();
        self.abroad = Some(Abroad { country: there.country.clone(), url });
        Ok(())
    }

    /// Acts at home again.
    pub fn come_home(&mut self) {
        self.abroad = None;
        self.connect_for(None);
    }

    /// In which other country the wallet acts.
    pub(super) fn country(&self) -> Option<String> {
        self.abroad.as_ref().map(|abroad| abroad.country.clone())
    }

    /// The accounts of the country in which the wallet acts.
    pub(super) fn accounts_here(&self) -> impl Iterator<Item = &StoredAccount> {
        let here = self.country();
        self.file.contents.accounts.iter().filter(move |account| account.country == here)
    }

    /// Who is reached where in the country in which the wallet acts.
    pub(super) fn directory(&self) -> &[DirectoryEntry] {
        let contents = &self.file.contents;
        match self.abroad.as_ref() {
            None => &contents.directory,
            Some(abroad) => {
                contents.foreign.get(&abroad.country).map_or(&[], |there| &there.directory)
            }
        }
    }

    /// The list of the country in which the wallet acts, if the own country's `home` list still
    /// recognises it.
    pub(super) async fn trust_abroad(&mut self, home: TrustList) -> Result<TrustList> {
        match self.country() {
            None => Ok(home),
            Some(country) => self.foreign_trust(&recognised(&home, &country)?).await,
        }
    }

    /// Another country's list; never one older than was seen before.
    async fn foreign_trust(&mut self, there: &RecognisedList) -> Result<TrustList> {
        let text = self.client.get_text(&there.url).await?;
        let before = self.file.contents.foreign.get(&there.country);
        let known = before.map(|known| known.sequence);
        let pin = pins::known(before.and_then(|known| known.pin.as_ref()), there.key.key);
        let verified = TrustList::verify_by(&text, &pin, self.now(), known);
        let (list, next) = verified.with_context(|| {
            text!("the trust list of {country} is refused", country = there.country)
        })?;
        let anchors = list.anchors(Role::AccessCa);
        let seen = StoredForeign {
            sequence: list.sequence,
            pin: Some(StoredPin::new(there.key.key, next)),
            access_anchors: anchors.iter().map(encode_base64url).collect(),
            directory: list.directory.clone(),
        };
        if self.file.contents.foreign.get(&there.country) != Some(&seen) {
            self.file.contents.foreign.insert(there.country.clone(), seen);
            self.file.save()?;
        }
        Ok(list)
    }
}

fn recognised(home: &TrustList, country: &str) -> Result<RecognisedList, WalletFault> {
    let found = home.recognised(country).cloned();
    found.ok_or_else(|| WalletFault::CountryNotRecognised(country.to_owned()))
}
