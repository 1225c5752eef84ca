//! Whether the registration was withdrawn: the registrar's list is looked at before the person is asked.
//! Always the whole list, and seldom: the registrar does not learn whose request it is about.

use super::reviewed::{RequestRefused, Reviewed};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use yufu_base::Timestamp;
use yufu_credential::StatusReference;
use yufu_openid4vc::{Endpoint, HttpError, HttpRequest, HttpResponse};
use yufu_trust::{
    STATUS_LIST_MEDIA_TYPE, Status, StatusListError, StatusListToken, TrustEntry, TrustList,
};

/// A request that keeps every rule, of a party whose registration may have been withdrawn.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CheckingStatus {
    reviewed: Reviewed,
    registrar: TrustEntry,
    status: StatusReference,
    address: Endpoint,
}

/// Why it is not known whether a registration stands: then nothing is shown. Checked in this order.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StatusUnknown {
    /// No list came, and none is at hand that is fresh enough.
    #[error("the registrar's list cannot be fetched: try again later")]
    Unreachable,
    /// What came is no list.
    #[error("the registrar's list: {0}")]
    Http(#[from] HttpError),
    /// The list is expired, another one, or not that registrar's.
    #[error(transparent)]
    List(#[from] StatusListError),
    /// The list has no such place.
    #[error("the registrar's list has no place {0}")]
    NoPlace(u64),
}

/// The lists at hand, so that several requests cost one fetch.
#[derive(Clone, Debug, Default)]
pub struct StatusLists(BTreeMap<String, Fetched>);

#[derive(Clone, Debug)]
struct Fetched {
    token: String,
    until: Timestamp,
}

impl StatusLists {
    fn fresh(&self, uri: &str, now: Timestamp) -> Option<&str> {
        self.0.get(uri).filter(|known| now < known.until).map(|known| known.token.as_str())
    }

    /// Keeps a verified list for its ttl: from now, and from when it was signed, so that no cache on the
    /// way makes it older.
    fn keep(&mut self, token: String, list: &StatusListToken, now: Timestamp) {
        let seconds = list.ttl_seconds.unwrap_or(0);
        let until = now.min(list.issued_at).plus_seconds(seconds).min(list.expires_at);
        self.0.retain(|_, known| now < known.until);
        self.0.insert(list.uri.clone(), Fetched { token, until });
    }
}

impl CheckingStatus {
    pub(super) const fn new(
        reviewed: Reviewed,
        registrar: TrustEntry,
        status: StatusReference,
        address: Endpoint,
    ) -> Self {
        Self { reviewed, registrar, status, address }
    }

    /// The list to be fetched, whole; none if a fresh one is at hand.
    #[must_use]
    pub fn request(&self, lists: &StatusLists, now: Timestamp) -> Option<HttpRequest> {
        let known = lists.fresh(&self.status.uri, now);
        let ask = || HttpRequest::get(self.address.clone(), STATUS_LIST_MEDIA_TYPE);
        known.is_none().then(ask)
    }

    /// Looks at the list that came, or, if none did, at a fresh one at hand; keeps what came for its ttl.
    ///
    /// # Errors
    /// [`RequestRefused`]: fails closed.
    pub fn handle(
        self,
        response: Option<&HttpResponse>,
        lists: &mut StatusLists,
        trust: &TrustList,
        now: Timestamp,
    ) -> Result<Reviewed, RequestRefused> {
        let status = self.look(response, lists, trust, now);
        match status.map_err(|error| RequestRefused::StatusUnknown(Box::new(error)))? {
            Status::Valid => Ok(self.reviewed),
            Status::Invalid => Err(RequestRefused::Revoked),
            Status::Suspended | Status::Other(_) => Err(RequestRefused::Suspended),
        }
    }

    fn look(
        &self,
        response: Option<&HttpResponse>,
        lists: &mut StatusLists,
        trust: &TrustList,
        now: Timestamp,
    ) -> Result<Status, StatusUnknown> {
        let StatusReference { uri, index } = &self.status;
        let token = match response {
            Some(response) => response.text(STATUS_LIST_MEDIA_TYPE)?.trim(),
            None => lists.fresh(uri, now).ok_or(StatusUnknown::Unreachable)?,
        };
        // Verified each time, by the trust list of this moment.
        let list = StatusListToken::verify_of(token, trust, &self.registrar, uri, now)?;
        if response.is_some() {
            lists.keep(token.to_owned(), &list, now);
        }
        list.list.get(*index).ok_or(StatusUnknown::NoPlace(*index))
    }
}
