//! Whoever began a step comes back with the code that the wallet was given (OpenID4VP 1.0, 13.3; HAIP 1.0, 5.1): until
//! then its answer counts nothing. So nobody has another person answer what he began himself.
//!
//! What waits is in memory, for as long as its request stands: what a restart cuts off is begun again. Behind several
//! processes of one institution it must stay with the process that was answered.

use super::Party;
use crate::http::Problem;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use url::Url;
use utoipa::ToSchema;
use yufu_base::Timestamp;
use yufu_openid4vc::presentation::DirectPostResponse;
use yufu_verifier::Verified;

/// The parameter by which whoever began is known again (OpenID4VP 1.0, 13.3).
pub(crate) const RESPONSE_CODE: &str = "response_code";

/// Who has to come back before an answer counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Returns<'a> {
    /// Nobody: another device shows the request, such as a desk's or a gate's, and has no session with the wallet.
    Nobody,
    /// Whoever began, with the code, to the request's own address.
    Here,
    /// The browser that began, to this address.
    To(&'a str),
}

/// The code with which whoever began comes back.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ComingBack {
    /// What the wallet's answer got, in `redirect_uri`.
    pub response_code: String,
}

/// Answers that wait, by their code.
pub(crate) struct Returning<T>(Mutex<BTreeMap<String, (Timestamp, T)>>);

/// A verified answer that waits, and what the wallet was told.
pub(crate) type Held = (Verified, DirectPostResponse);

impl<T> Default for Returning<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T> Returning<T> {
    fn all(&self) -> MutexGuard<'_, BTreeMap<String, (Timestamp, T)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets something wait for whoever has the code.
    pub(crate) fn hold(&self, code: String, what: T, (now, until): (Timestamp, Timestamp)) {
        let mut all = self.all();
        all.retain(|_, (until, _)| *until > now);
        all.insert(code, (until, what));
    }

    /// What waits for this code, once and in time.
    pub(crate) fn take(&self, code: &str, now: Timestamp) -> Option<T> {
        let found = self.all().remove(code).filter(|(until, _)| *until > now);
        found.map(|(_, what)| what)
    }
}

impl<T: Clone> Returning<T> {
    /// What waits for this code. It stays: a step that was cut off is repeated.
    fn get(&self, code: &str, now: Timestamp) -> Option<T> {
        let all = self.all();
        all.get(code).filter(|(until, _)| *until > now).map(|(_, what)| what.clone())
    }
}

impl Party {
    /// Lets the answer to the request `id` wait for this code.
    pub(super) fn hold(&self, id: &str, code: &str, held: Held, until: (Timestamp, Timestamp)) {
        self.returning.hold(key(id, code), held, until);
    }

    /// The answer to the request `id` that waits for this code.
    pub(crate) fn came_back(&self, id: &str, code: &str, now: Timestamp) -> Result<Held, Problem> {
        self.returning.get(&key(id, code), now).ok_or_else(|| {
            let detail = format!(
                "no answer to this request waits for this {RESPONSE_CODE}: it is given to the wallet that answers, and brought by whoever began; begin again"
            );
            Problem::forbidden("presentation.other_session", detail)
        })
    }
}

/// A code is good for its own request.
fn key(id: &str, code: &str) -> String {
    format!("{id} {code}")
}

/// Where the wallet sends the person: back to where she began, with the code that nobody else gets.
pub(crate) fn with_code(to: &str, code: &str) -> Result<String, Problem> {
    let mut to = Url::parse(to).map_err(Problem::internal)?;
    to.query_pairs_mut().append_pair(RESPONSE_CODE, code);
    Ok(to.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_is_had_with_its_code_alone_and_in_time() {
        let (now, until) = (Timestamp::from_seconds(100), Timestamp::from_seconds(700));
        let waiting: Returning<u8> = Returning::default();
        waiting.hold("a".to_owned(), 1, (now, until));
        assert_eq!((waiting.get("b", now), waiting.get("a", until)), (None, None));
        // A step that was cut off is repeated.
        assert_eq!((waiting.get("a", now), waiting.get("a", now)), (Some(1), Some(1)));
        assert_eq!((waiting.take("a", now), waiting.take("a", now)), (Some(1), None));
        waiting.hold("c".to_owned(), 2, (now, until));
        waiting.hold("d".to_owned(), 3, (until, until.plus_seconds(1)));
        assert_eq!(waiting.all().len(), 1, "what has lapsed makes room");
    }

    #[test]
    fn a_code_is_one_more_parameter_of_the_address() {
        for (to, back) in [
            ("https://inn.example/done", "https://inn.example/done?response_code=x"),
            ("https://inn.example/?stay=7", "https://inn.example/?stay=7&response_code=x"),
        ] {
            assert_eq!(with_code(to, "x").unwrap(), back);
        }
    }
}
