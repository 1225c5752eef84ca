//! What each side knows without a network: a trust list, and status lists that were fetched before. All
//! of it fails closed: what is too old is as good as not there.

use std::collections::BTreeMap;
use yufu_base::Timestamp;
use yufu_credential::StatusReference;
use yufu_trust::{Status, StatusListError, StatusListToken, TrustEntry, TrustList};

/// What one knows, and how old it may be.
#[derive(Clone, Copy, Debug)]
pub struct Offline<'a> {
    /// Who is trusted.
    pub trust: &'a TrustList,
    /// Status list tokens by their addresses, as they were fetched.
    pub lists: &'a BTreeMap<String, String>,
    /// For how long after it was signed a status list is relied on, in seconds; never beyond its own end.
    pub max_age_seconds: u64,
    /// Now.
    pub now: Timestamp,
}

/// Why a status does not let it pass. Whatever is not known to be valid is refused. Checked in this order.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OfflineStatusError {
    /// There is no list at hand.
    #[error("the status list {0} is not at hand: fetch it while there is a network")]
    Missing(String),
    /// The list does not hold, or has ended.
    #[error("the status list {uri}: {error}")]
    List {
        /// Which list.
        uri: String,
        /// Why.
        error: Box<StatusListError>,
    },
    /// The list is older than is accepted here.
    #[error("the status list {uri} is {age} s old, at most {most} s are accepted: fetch it anew")]
    Old {
        /// Which list.
        uri: String,
        /// How old it is.
        age: u64,
        /// How old it may be.
        most: u64,
    },
    /// The list has no such entry.
    #[error("the status list {uri} has no entry {index}")]
    NoEntry {
        /// Which list.
        uri: String,
        /// Which entry.
        index: u64,
    },
    /// Revoked, suspended, or another status that is not valid.
    #[error("it is no longer valid: {0:?}")]
    NotValid(Status),
}

impl Offline<'_> {
    /// Whether `place` is known to be valid, by a list of `party` alone.
    pub(crate) fn check(
        &self,
        place: &StatusReference,
        party: &TrustEntry,
    ) -> Result<(), OfflineStatusError> {
        let uri = || place.uri.clone();
        let jwt = self.lists.get(&place.uri).ok_or_else(|| OfflineStatusError::Missing(uri()))?;
        let (trust, now) = (self.trust, self.now);
        let token = StatusListToken::verify_of(jwt, trust, party, &place.uri, now)
            .map_err(|error| OfflineStatusError::List { uri: uri(), error: Box::new(error) })?;
        let (age, most) =
            (now.seconds().saturating_sub(token.issued_at.seconds()), self.max_age_seconds);
        if age > most {
            return Err(OfflineStatusError::Old { uri: uri(), age, most });
        }
        match token.list.get(place.index) {
            Some(Status::Valid) => Ok(()),
            Some(status) => Err(OfflineStatusError::NotValid(status)),
            None => Err(OfflineStatusError::NoEntry { uri: uri(), index: place.index }),
        }
    }
}
