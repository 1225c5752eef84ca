//! What the types of credentials say: learned when credentials come, kept with them, and read from there ever after. Nothing
//! here asks anybody when a credential is shown.

use super::contents::Contents;
use super::holder::Holder;
use super::sector::pseudonym_label;
use crate::words;
use anyhow::Result;
use std::collections::{BTreeMap, BTreeSet};
use yufu_jose::ClaimPath;
use yufu_wallet::HeldCredential;
use yufu_wallet::issuance::{FetchingType, KnownType, TypeError, TypeStep};

/// What credentials and their claims are called, in one language.
#[derive(Clone, Debug, Default)]
pub(super) struct Names {
    language: String,
    types: BTreeMap<String, KnownType>,
}

impl Holder {
    /// Learns what the type of a batch says, from what is kept or else from its issuer, and holds the batch against it.
    ///
    /// # Errors
    /// A [`TypeError`]: the batch is not to be kept.
    pub(super) async fn learn_type(
        &mut self,
        fetching: Option<FetchingType>,
        held: &[HeldCredential],
    ) -> Result<()> {
        let Some(fetching) = fetching else { return Ok(()) };
        let types = &self.file.contents.types;
        let kept = fetching.names().find_map(|name| KnownType::read(types.get(&name)?).ok());
        let known = match kept {
            Some(known) => Some(known),
            None => Box::pin(self.fetch_type(fetching)).await?,
        };
        let Some(known) = known else { return Ok(()) };
        known.check(held)?;
        self.file.contents.types.insert(known.name(), known.documents().to_vec());
        Ok(())
    }

    /// Fetches a type and all that it extends; nothing if some of that is not at its issuer.
    async fn fetch_type(&self, mut fetching: FetchingType) -> Result<Option<KnownType>> {
        loop {
            let response = self.send(fetching.request()).await?;
            match fetching.handle(&response)? {
                TypeStep::Extends(next) => fetching = *next,
                TypeStep::Known(known) => return Ok(Some(*known)),
                TypeStep::Elsewhere => return Ok(None),
            }
        }
    }

    /// What the credentials here and their claims are called, in the language of whoever holds the wallet.
    pub(super) fn names(&self) -> Names {
        let contents = &self.file.contents;
        let known = |name: String| KnownType::read(contents.types.get(&name)?).ok();
        let types = contents.types_named().into_iter().filter_map(known);
        let types = types.map(|one| (one.vct().to_owned(), one)).collect();
        Names { language: self.language.clone(), types }
    }

    /// How many credentials there are of each type that can be shown, by what it is called.
    pub(super) fn kinds_left(&self) -> BTreeMap<String, usize> {
        let names = self.names();
        let mut kinds = BTreeMap::new();
        for (_, stored) in self.file.contents.usable() {
            let kind = names.kind(stored.held.credential.kind());
            let count: &mut usize = kinds.entry(kind).or_default();
            *count = count.saturating_add(1);
        }
        kinds
    }
}

impl Contents {
    /// Lets go of documents that no credential here names.
    pub(super) fn forget_types(&mut self) {
        let named = self.types_named();
        self.types.retain(|name, _| named.contains(name));
    }

    /// What the documents of the credentials here may be called, each once: copies of a batch have one.
    fn types_named(&self) -> BTreeSet<String> {
        self.credentials.iter().flat_map(|stored| pinned(&stored.held)).collect()
    }
}

/// What the document of a credential's type may be called.
fn pinned(held: &HeldCredential) -> Vec<String> {
    let registered = held.credential.as_sd_jwt().map(|credential| credential.credential());
    let integrity = registered.and_then(|registered| registered.type_integrity.as_ref());
    integrity.into_iter().flat_map(|integrity| integrity.names()).collect()
}

impl Names {
    /// What a credential of this type is called; the type itself, if nobody said.
    pub(super) fn kind(&self, vct: &str) -> String {
        let called = self.types.get(vct).and_then(|known| known.called(&self.language));
        called.unwrap_or(vct).to_owned()
    }

    /// What a claim of a credential of this type is called, if its issuer said. A pseudonym has a name of the wallet's own.
    pub(super) fn claim(&self, vct: &str, path: &ClaimPath) -> Option<String> {
        if pseudonym_label(path).is_some() {
            return None;
        }
        let called = self.types.get(vct).and_then(|known| known.claim(path, &self.language));
        called.map(str::to_owned)
    }
}

/// Why a credential is not kept for what its type says, in the person's language. English is the session's own.
pub(crate) fn said(error: &TypeError) -> String {
    let detail = [("detail", error.to_string())];
    words::fault(error.code(), &detail).unwrap_or_else(|| error.to_string())
}
