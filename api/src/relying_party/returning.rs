//! Whoever began a step comes back with the code that the wallet was given (OpenID4VP 1.0, 13.3; HAIP 1.0, 5.1): until
//! then its answer counts nothing. So nobody has another person answer what he began himself.
//!
//! What waits is in the institution's records, for as long as its request stands: a restart, and other processes of the same
//! institution, find it there. The code opens it, and is kept nowhere.

use super::party::not_valid;
use crate::http::{Language, Page, Problem, escape, page_words};
use crate::trust::TrustSource;
use axum::http::{HeaderMap, header};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use url::Url;
use utoipa::ToSchema;
use yufu_base::Timestamp;
use yufu_openid4vc::presentation::DirectPostResponse;
use yufu_returns::{Returns as Records, ReturnsError};
use yufu_verifier::Verified;
use zeroize::Zeroizing;

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

/// A verified answer that is to wait for its code, and what the wallet is told.
pub(crate) struct Held {
    pub(super) id: String,
    pub(super) code: String,
    pub(super) until: Timestamp,
    pub(super) verified: Verified,
    pub(super) response: DirectPostResponse,
}

/// Answers that wait for whoever began, in an institution's records.
pub struct HeldAnswers(Records);

impl HeldAnswers {
    /// Those in these records.
    #[must_use]
    pub const fn new(records: Records) -> Self {
        Self(records)
    }

    /// Lets a verified answer wait; what the wallet is told.
    pub(crate) async fn let_wait(
        &self,
        held: Box<Held>,
        now: Timestamp,
    ) -> Result<DirectPostResponse, Problem> {
        let Held { id, code, until, verified, response } = *held;
        let what = (verified, response);
        self.hold((&id, &code), &what, (now, until)).await?;
        Ok(what.1)
    }

    /// The answer to the request `id` that waits for this code, if what was shown still stands: it may have been revoked
    /// while the answer waited.
    pub(crate) async fn came_back(
        &self,
        (id, code): (&str, &str),
        trust: &TrustSource,
        now: Timestamp,
    ) -> Result<(Verified, DirectPostResponse), Problem> {
        let found: Option<(Verified, _)> = self.answer((id, code), now).await?;
        let (verified, response) = found.ok_or_else(|| {
            let detail = format!(
                "no answer to this request waits for this {RESPONSE_CODE}: it is given to the wallet that answers, and brought by whoever began; begin again"
            );
            Problem::forbidden("presentation.other_session", detail)
        })?;
        let list = trust.list(now).await?;
        let lists = trust.lists_for(verified.lists(), &list, now).await?;
        verified.must_stand(&lists, now).map_err(not_valid)?;
        Ok((verified, response))
    }

    /// Lets something wait for whoever brings this code of this request.
    pub(crate) async fn hold<T: Serialize + Sync>(
        &self,
        key: (&str, &str),
        what: &T,
        times: (Timestamp, Timestamp),
    ) -> Result<(), Problem> {
        let text = Zeroizing::new(serde_json::to_string(what).map_err(Problem::internal)?);
        Ok(self.0.hold(key, &text, times).await?)
    }

    /// What waits for this code of this request. It stays: a step that was cut off is repeated.
    pub(crate) async fn answer<T: DeserializeOwned>(
        &self,
        key: (&str, &str),
        now: Timestamp,
    ) -> Result<Option<T>, Problem> {
        let text = self.0.answer(key, now).await?;
        text.map(|text| serde_json::from_str(&text).map_err(Problem::internal)).transpose()
    }

    /// Whether anything waits for whoever began this request.
    pub(crate) async fn any(&self, id: &str, now: Timestamp) -> Result<bool, Problem> {
        Ok(self.0.any(id, now).await?)
    }

    /// One answer to a request counted: none waits any more. What cannot be forgotten now goes with its time.
    pub(crate) async fn over(&self, id: &str) {
        if let Err(error) = self.0.over(id).await {
            tracing::warn!(%error, "an answer that counted stays until its time");
        }
    }

    /// Forgets what nobody came back for in time; how many.
    pub(crate) async fn forget_lapsed(&self, now: Timestamp) -> Result<u64, Problem> {
        Ok(self.0.forget_lapsed(now).await?)
    }
}

impl From<ReturnsError> for Problem {
    fn from(error: ReturnsError) -> Self {
        match error {
            ReturnsError::Full => Self::conflict("presentation.already_answered", error),
            other => Self::internal(other),
        }
    }
}

/// What whoever opens an address in a browser sees to which only an app comes back. Nothing is done by it, for who opens it
/// need not be who began.
pub(crate) fn came_in_browser(headers: &HeaderMap) -> Page {
    let language = Language::preferred(headers.get_all(header::ACCEPT_LANGUAGE));
    let words = &page_words(language).returning;
    let said = [&words.came, &words.next, &words.other];
    let markup: String = said.iter().map(|text| format!("<p>{}</p>", escape(text))).collect();
    Page::new(language, &words.title, &markup)
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
    fn a_code_is_one_more_parameter_of_the_address() {
        for (to, back) in [
            ("https://inn.example/done", "https://inn.example/done?response_code=x"),
            ("https://inn.example/?stay=7", "https://inn.example/?stay=7&response_code=x"),
        ] {
            assert_eq!(with_code(to, "x").unwrap(), back);
        }
    }
}
