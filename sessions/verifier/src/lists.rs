//! Status lists that were verified once, for all answers that come while they are good: fetching one for each
//! answer would tell its issuer when somebody is shown to whom.

use crate::authenticated::{Authenticated, StatusError};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use yufu_base::Timestamp;
use yufu_trust::{Role, StatusListToken, TrustEntry, TrustList};

/// Where a list stands, and whose signers may sign it: one party's alone.
type Place = (String, Role, String, Option<String>);

/// Verified status lists. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct StatusLists(BTreeMap<Place, Arc<StatusListToken>>);

impl StatusLists {
    /// The list at `uri` of an issuer, if it is here and has not expired.
    #[must_use]
    pub fn get(&self, uri: &str, issuer: &TrustEntry, now: Timestamp) -> Option<&StatusListToken> {
        let found = self.0.get(&place(uri, issuer));
        found.map(Arc::as_ref).filter(|token| now < token.expires_at)
    }

    /// Whether that list is here and so new that none newer needs to be asked for: within its ttl.
    fn is_fresh(&self, uri: &str, issuer: &TrustEntry, now: Timestamp) -> bool {
        self.get(uri, issuer, now).is_some_and(|token| match token.ttl_seconds {
            Some(ttl) => now < token.issued_at.plus_seconds(ttl),
            None => true,
        })
    }

    /// Whether the list at `uri` is here for each issuer that an answer names it of, fresh or not.
    #[must_use]
    pub fn holds(&self, answer: &Authenticated, uri: &str, now: Timestamp) -> bool {
        let mut named = answer.lists().filter(|(named, _)| *named == uri);
        named.all(|(uri, issuer)| self.get(uri, issuer, now).is_some())
    }

    /// The lists that an answer needs and that are not here, or not fresh any more: to be fetched, whole.
    #[must_use]
    pub fn wanted<'a>(&self, answer: &'a Authenticated, now: Timestamp) -> BTreeSet<&'a str> {
        let stale = answer.lists().filter(|(uri, issuer)| !self.is_fresh(uri, issuer, now));
        stale.map(|(uri, _)| uri).collect()
    }

    /// Verifies the list at `uri` for each issuer that an answer names it of, and takes it over from any older one.
    ///
    /// # Errors
    /// [`StatusError::List`] if it does not hold: then what was here stays.
    pub fn take(
        &mut self,
        answer: &Authenticated,
        uri: &str,
        jwt: &str,
        trust: &TrustList,
        now: Timestamp,
    ) -> Result<(), StatusError> {
        for (_, issuer) in answer.lists().filter(|(named, _)| *named == uri) {
            let token = StatusListToken::verify_of(jwt, trust, issuer, uri, now);
            let token = token.map_err(|error| StatusError::List {
                uri: uri.to_owned(),
                error: Box::new(error),
            })?;
            self.0.insert(place(uri, issuer), Arc::new(token));
        }
        Ok(())
    }

    /// Forgets lists that have expired.
    pub fn forget_expired(&mut self, now: Timestamp) {
        self.0.retain(|_, token| now < token.expires_at);
    }
}

fn place(uri: &str, issuer: &TrustEntry) -> Place {
    let country = issuer.country().map(str::to_owned);
    (uri.to_owned(), issuer.role, issuer.identifier.clone(), country)
}
