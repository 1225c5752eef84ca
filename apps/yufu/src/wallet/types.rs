//! What the types of credentials say: learned when credentials come, kept with them, and read from there ever after. Nothing
//! here asks anybody when a credential is shown.

use super::asking::claim_name;
use super::contents::Contents;
use super::holder::Holder;
use super::sector::pseudonym_label;
use crate::words;
use crate::words::text;
use anyhow::{Result, ensure};
use std::collections::{BTreeMap, BTreeSet};
use yufu_jose::ClaimPath;
use yufu_trust::Receipt;
use yufu_wallet::HeldCredential;
use yufu_wallet::issuance::{Described, FetchingType, KnownType, TypeError, TypeStep};

/// What credentials and their claims are called, in one language.
#[derive(Clone, Debug, Default)]
pub(super) struct Names {
    language: String,
    types: BTreeMap<String, KnownType>,
    /// What issuers' metadata say, where types say nothing.
    described: BTreeMap<String, Described>,
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

    /// Remembers what the issuer calls a batch that came.
    pub(super) fn learn_names(&mut self, described: Option<Described>, held: &[HeldCredential]) {
        if let (Some(described), Some(first)) = (described, held.first()) {
            let kind = first.credential.kind().to_owned();
            self.file.contents.described.insert(kind, described);
        }
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
        let described = contents.described.clone();
        Names { language: self.language.clone(), types, described }
    }

    /// The type of credentials that somebody means who calls it as it is shown here, or by its technical name.
    ///
    /// # Errors
    /// If several types are called so.
    pub(super) fn kind_called(&self, called: &str) -> Result<String> {
        let names = self.names();
        let contents = &self.file.contents;
        let held = contents.credentials.iter().map(|stored| stored.held.credential.kind());
        let granted = contents.grants.iter().map(|stored| stored.grant.credential_type());
        let kinds: BTreeSet<&str> = held.chain(granted).collect();
        let found: Vec<&str> = match kinds.get(called) {
            Some(kind) => vec![*kind],
            None => kinds.into_iter().filter(|kind| names.kind(kind) == called).collect(),
        };
        ensure!(
            found.len() < 2,
            text!(
                "several types are called {kind}: say which, {types}",
                kind = called,
                types = found.join(&words::comma())
            )
        );
        Ok(found.first().copied().unwrap_or(called).to_owned())
    }

    /// How many credentials there are of each type that can be shown, by what it is called; with its technical name
    /// beside it if another is called the same, as an identity in two formats.
    pub(super) fn kinds_left(&self) -> Vec<(String, usize)> {
        let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
        for (_, stored) in self.file.contents.usable() {
            let count = kinds.entry(stored.held.credential.kind()).or_default();
            *count = count.saturating_add(1);
        }
        let names = self.names();
        let alike =
            |called: &String| kinds.keys().filter(|kind| names.kind(kind) == *called).count();
        let told = |(kind, count): (&&str, &usize)| {
            let called = names.kind(kind);
            let apart = if alike(&called) > 1 { format!("{called} ({kind})") } else { called };
            (apart, *count)
        };
        kinds.iter().map(told).collect()
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
        let described = || self.described.get(vct).and_then(|one| one.called(&self.language));
        called.or_else(described).unwrap_or(vct).to_owned()
    }

    /// What a claim of a credential of this type is called, if its issuer said. A pseudonym has a name of the wallet's own.
    pub(super) fn claim(&self, vct: &str, path: &ClaimPath) -> Option<String> {
        if pseudonym_label(path).is_some() {
            return None;
        }
        let called = self.types.get(vct).and_then(|known| known.claim(path, &self.language));
        let described = || self.described.get(vct).and_then(|one| one.claim(path, &self.language));
        called.or_else(described).map(str::to_owned)
    }
}

impl Names {
    /// What a member of a credential's claims is called: of an mdoc the element that it was made of. Its own name, if its
    /// issuer called it nothing.
    pub(super) fn own_claim(&self, vct: &str, claim: &str) -> String {
        let element = ClaimPath::members([vct, claim]).ok();
        let named = self.claim(vct, &ClaimPath::member(claim));
        let named = named.or_else(|| self.claim(vct, &element?));
        named.unwrap_or_else(|| claim.to_owned())
    }

    /// What was shown, as its issuers call it; by its own name what they call nothing.
    pub(super) fn shown(&self, receipt: &Receipt) -> Vec<String> {
        let all = receipt.disclosed.iter();
        let paths = all.flat_map(|one| one.claims.iter().map(move |path| (&one.vct, path)));
        paths.map(|(vct, path)| self.claim(vct, path).unwrap_or_else(|| claim_name(path))).collect()
    }
}

/// Why a credential is not kept for what its type says, in the person's language. English is the session's own.
pub(crate) fn said(error: &TypeError) -> String {
    let detail = [("detail", error.to_string())];
    words::fault(error.code(), &detail).unwrap_or_else(|| error.to_string())
}
