//! Verify a person's wallet from a program of one's own: one call to start, one to get a typed result.
#![doc = ""]
#![doc = include_str!("../README.md")]

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::time::Duration;
use url::Url;
use yufu_api::http::{Client, ClientError};
use yufu_api::verifying::{Begun, VerificationRequest, VerificationState};
use yufu_openid4vc::{Endpoint, EndpointError};

pub use yufu_api::verifying::{PageRequest, ReaderPapers};

/// How often the service is asked while a person decides.
const ASK_EVERY: Duration = Duration::from_millis(500);

/// A party's verifying service.
#[derive(Clone)]
pub struct Verify {
    client: Client,
    desk: String,
    token: String,
}

/// A verification that waits for a wallet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Started {
    /// Its id.
    pub id: String,
    /// What the wallet opens: show it as a QR code, or as a link on the person's own device.
    pub link: String,
    /// A page that shows the link, for whoever has none of their own.
    pub page: String,
    /// What a page of the origin that was named gives to `navigator.credentials.get`; see [`Verify::start_on_page`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digital_credential: Option<PageRequest>,
    /// Until when it may be answered, in seconds since the epoch.
    pub expires: u64,
}

/// What a verification came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "result", rename_all = "snake_case")]
pub enum Outcome {
    /// Verified, and everything asked holds.
    Yes(Answered),
    /// Verified, and something asked does not hold: too young, for example.
    No(Answered),
    /// The person declined. She may still change her mind until the request ends.
    Declined,
    /// Nobody answered in time: start another one.
    Expired,
    /// Nobody has answered yet.
    Waiting {
        /// Why the last answer did not count, if one did not: a code such as `credential.revoked`.
        refusal: Option<String>,
    },
}

/// A verified answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answered {
    /// When, in seconds since the epoch.
    pub at: u64,
    /// Until when it, and what is kept with it, is kept, in seconds since the epoch.
    pub retained_until: u64,
    /// The receipt that the person has too: which claims were shown, no values.
    pub receipt: String,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// The service's address is none.
    #[error("{0:?} is no address of a verifier such as https://hotel.example/verifiers/NAME")]
    Address(String),
    /// The service's address is another machine's and without TLS: the desk's token would be readable on the way.
    #[error(
        "{0:?} is another machine's address without TLS, and the desk's token would be readable on the way: take its https address"
    )]
    Unprotected(String),
    /// The desk's token is none: empty, or with characters that no token has.
    #[error(
        "the desk's token is none: it is the one line of the file keys/desk.token, without spaces"
    )]
    Token,
    /// The service did not answer, or refused.
    #[error(transparent)]
    Service(#[from] ClientError),
    /// The verification was started for a link alone.
    #[error("the verification was not started for a page: start it with the page's origin")]
    NotOnPage,
    /// The service answered with a state that this version does not know.
    #[error("the service says {0:?}, which this version does not know: bring it up to date")]
    State(String),
}

impl VerifyError {
    /// Whether the same may be answered in a moment: nobody answered, or nobody could look at it.
    fn passes(&self) -> bool {
        match self {
            Self::Service(ClientError::Unreachable { .. }) => true,
            Self::Service(ClientError::Unexpected { status, .. }) => *status >= 500,
            Self::Service(ClientError::Refused(problem)) => problem.status >= 500,
            _ => false,
        }
    }
}

impl Verify {
    /// The service at `address`, whose desk's token is `token`.
    ///
    /// # Errors
    /// [`VerifyError::Address`]; [`VerifyError::Unprotected`]; [`VerifyError::Token`]; [`VerifyError::Service`] if TLS cannot be set up.
    pub fn at(address: &str, token: String) -> Result<Self, VerifyError> {
        Endpoint::identifier(address).map_err(|error| match error {
            EndpointError::Insecure(_) if address.starts_with("http:") => {
                VerifyError::Unprotected(address.to_owned())
            }
            _ => VerifyError::Address(address.to_owned()),
        })?;
        if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(VerifyError::Token);
        }
        let desk = format!("{}/v1/desk/verifications", address.trim_end_matches('/'));
        Ok(Self { client: Client::new()?, desk, token })
    }

    /// Starts a verification for a registered purpose, which another device shows to the wallet.
    ///
    /// # Errors
    /// [`VerifyError::Service`].
    pub async fn start(&self, purpose: &str) -> Result<Started, VerifyError> {
        self.begin(VerificationRequest::of(purpose)).await
    }

    /// As [`Verify::start`], by a query of one's own (DCQL; OpenID4VP 1.0, section 6): alternatives, certain values, several
    /// credentials, certain authorities. Whatever it asks for has to be registered for the purpose.
    ///
    /// # Errors
    /// [`VerifyError::Service`], with the code `registration.exceeded` if it asks for more.
    pub async fn start_query(&self, purpose: &str, query: Value) -> Result<Started, VerifyError> {
        let dcql_query = Some(query);
        self.begin(VerificationRequest { dcql_query, ..VerificationRequest::of(purpose) }).await
    }

    /// Starts a verification on a page of `origin` (`https://inn.example`), which asks the wallet behind the browser
    /// itself: it gives [`Started::digital_credential`] to `navigator.credentials.get`, and what it gets to
    /// [`Verify::hand_in`], or to the address in it. Where the browser cannot, the link is good all the same.
    ///
    /// # Errors
    /// [`VerifyError::Service`], with the code `verification.other_origin` if no page of that origin is registered.
    pub async fn start_on_page(&self, purpose: &str, origin: &str) -> Result<Started, VerifyError> {
        let origin = Some(origin.to_owned());
        self.begin(VerificationRequest { origin, ..VerificationRequest::of(purpose) }).await
    }

    /// Hands in what a page got of a wallet: an object with `protocol` and `data`. What it came to,
    /// [`Verify::result`] tells.
    ///
    /// # Errors
    /// [`VerifyError::Service`]; [`VerifyError::NotOnPage`] if the verification was not started for a page.
    pub async fn hand_in(&self, started: &Started, credential: &Value) -> Result<(), VerifyError> {
        let request = started.digital_credential.as_ref().ok_or(VerifyError::NotOnPage)?;
        let _: Value = self.client.post(&request.answer_to, None, credential).await?;
        Ok(())
    }

    /// Starts a verification that the person's own browser opens: the wallet sends it back to `return_to` with a
    /// `response_code`, without which [`Verify::result_for`] does not tell the result; until then the answer counts nothing.
    ///
    /// # Errors
    /// [`VerifyError::Service`].
    pub async fn start_here(&self, purpose: &str, return_to: &str) -> Result<Started, VerifyError> {
        let return_to = Some(return_to.to_owned());
        self.begin(VerificationRequest { return_to, ..VerificationRequest::of(purpose) }).await
    }

    async fn begin(&self, request: VerificationRequest) -> Result<Started, VerifyError> {
        let begun: Begun = self.client.post(&self.desk, Some(&self.token), &request).await?;
        let Begun {
            verification: id,
            authorization_request: link,
            page,
            digital_credential,
            expires,
        } = begun;
        Ok(Started { id, link, page, digital_credential, expires })
    }

    /// What a verification came to.
    ///
    /// # Errors
    /// [`VerifyError`].
    pub async fn result(&self, id: &str) -> Result<Outcome, VerifyError> {
        outcome(self.get(&[id], &[]).await?)
    }

    /// As [`Verify::result`], for the browser that came back with `response_code`.
    ///
    /// # Errors
    /// [`VerifyError`].
    pub async fn result_for(&self, id: &str, response_code: &str) -> Result<Outcome, VerifyError> {
        outcome(self.get(&[id], &[("response_code", response_code)]).await?)
    }

    /// Asks until there is an answer, the request ends, or `patience` does: then [`Outcome::Waiting`]. A service that is away
    /// or busy for a moment is asked again; the person answers meanwhile.
    ///
    /// # Errors
    /// [`VerifyError`]; of a service that is away, when `patience` ends.
    pub async fn wait(
        &self,
        started: &Started,
        patience: Duration,
    ) -> Result<Outcome, VerifyError> {
        let mut waited = Duration::ZERO;
        loop {
            match self.result(&started.id).await {
                Ok(Outcome::Waiting { .. }) if waited < patience => {}
                Err(error) if error.passes() && waited < patience => {}
                decided => return decided,
            }
            tokio::time::sleep(ASK_EVERY).await;
            waited = waited.saturating_add(ASK_EVERY);
        }
    }

    /// The papers of a reader that asks devices near by for a registered purpose, by itself.
    ///
    /// # Errors
    /// [`VerifyError::Service`].
    pub async fn reader(&self, purpose: &str) -> Result<ReaderPapers, VerifyError> {
        let desk = self.desk.trim_end_matches("/verifications");
        let url = Url::parse_with_params(&format!("{desk}/reader"), [("purpose", purpose)]);
        let url = url.map_err(|_| VerifyError::Address(self.desk.clone()))?;
        Ok(self.client.get(url.as_str(), Some(&self.token)).await?)
    }

    /// Claims that were shown, by name, where the purpose keeps them. `why` is recorded with the read.
    ///
    /// # Errors
    /// [`VerifyError::Service`], with the code `verification.not_kept` where a result is all there is.
    pub async fn claims(
        &self,
        id: &str,
        names: &[&str],
        why: &str,
    ) -> Result<Map<String, Value>, VerifyError> {
        self.get(&[id, "claims"], &[("purpose", why), ("fields", &names.join(" "))]).await
    }

    /// The signed answer with its request, where the purpose keeps it. `why` is recorded with the read.
    ///
    /// # Errors
    /// [`VerifyError::Service`], with the code `verification.not_kept` where none is kept.
    pub async fn evidence(&self, id: &str, why: &str) -> Result<Map<String, Value>, VerifyError> {
        self.get(&[id, "evidence"], &[("purpose", why)]).await
    }

    async fn get<T: DeserializeOwned>(
        &self,
        path: &[&str],
        query: &[(&str, &str)],
    ) -> Result<T, VerifyError> {
        let address = || VerifyError::Address(self.desk.clone());
        let mut url = Url::parse(&self.desk).map_err(|_| address())?;
        url.path_segments_mut().map_err(|()| address())?.extend(path);
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        Ok(self.client.get(url.as_str(), Some(&self.token)).await?)
    }
}

fn outcome(state: VerificationState) -> Result<Outcome, VerifyError> {
    let answered = || Answered {
        at: state.answered.unwrap_or_default(),
        retained_until: state.retained_until.unwrap_or_default(),
        receipt: state.receipt.clone().unwrap_or_default(),
    };
    Ok(match state.state.as_str() {
        "yes" => Outcome::Yes(answered()),
        "no" => Outcome::No(answered()),
        "declined" => Outcome::Declined,
        "expired" => Outcome::Expired,
        "waiting" => Outcome::Waiting { refusal: state.refusal },
        other => return Err(VerifyError::State(other.to_owned())),
    })
}
