//! The client by which institutions (and the terminal wallet) call other institutions,
//! always through their public interfaces.

use crate::http::outside::{BySystem, OutsideOnly, led_inside, names_inside};
use crate::http::{Language, Problem, ProblemBody};
use axum::http::header::{ACCEPT_LANGUAGE, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use reqwest::dns::Resolve;
use reqwest::{RequestBuilder, Response};
use serde::Serialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The longest answer that is read, in bytes.
const LONGEST: usize = 4 * 1024 * 1024;
/// How long a connection waits to be used again: less than the five seconds after which our servers close one, so
/// that no request goes into a connection that is being closed.
const IDLE: Duration = Duration::from_secs(3);
/// The longest that somebody is believed who says when to ask again, in seconds: a day.
const LONGEST_RETRY: u64 = 86_400;
/// How much of an answer that is of no use is told, in characters.
const EXCERPT: usize = 200;

/// Calls other institutions. Clones share their connections.
#[derive(Clone, Debug)]
pub struct Client {
    http: reqwest::Client,
    times: Option<AnswerTimes>,
    /// Whether it calls nobody inside this machine or its network.
    outside: bool,
}

/// How long answers took, from sending to their head; collected for whoever reports on it. Clones collect together.
#[derive(Clone, Debug, Default)]
pub struct AnswerTimes(Arc<Mutex<Vec<Duration>>>);

impl AnswerTimes {
    /// What was collected since the last call, in the order of the answers.
    #[must_use]
    pub fn take(&self) -> Vec<Duration> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn collect(&self, took: Duration) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(took);
    }
}

/// An answer, whatever it is.
#[derive(Clone, Debug)]
pub struct Exchanged {
    /// Its status.
    pub status: u16,
    /// Its media type.
    pub content_type: String,
    /// Its header.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Vec<u8>,
}

/// Why a call gave no answer of the expected kind.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Not reached, or broken off: whether the request was carried out is unknown.
    #[error("{url} did not answer: {cause}")]
    Unreachable {
        /// The address.
        url: String,
        /// What went wrong.
        cause: String,
        /// Whether it was reached, and took too long.
        slow: bool,
    },
    /// Not asked: whoever named the address has no business there.
    #[error("nothing was asked of {url}: it leads inside this machine or its network")]
    Inside {
        /// The address.
        url: String,
    },
    /// Refused, with a reason.
    #[error("{}: {}", .0.code, .0.detail)]
    Refused(Box<ProblemBody>),
    /// Answered with something else than expected.
    #[error("{url} answered {status} with something unexpected: {cause}")]
    Unexpected {
        /// The address.
        url: String,
        /// The HTTP status.
        status: u16,
        /// What was wrong with it.
        cause: String,
        /// In how many seconds to ask again, if it said so (RFC 9110, section 10.2.3).
        retry_after: Option<u64>,
        /// Whether no document came at all: a page for people, or nothing.
        page: bool,
    },
}

impl Exchanged {
    /// The answer, if somebody looked at the request: a success, a browser sent on (303), or a refusal that is no problem
    /// document and yet one that a protocol has.
    ///
    /// # Errors
    /// [`ClientError::Refused`] for a problem document (RFC 9457); [`ClientError::Unexpected`] for an answer that says that
    /// nobody can look at it now, or that comes from something else in between.
    pub fn looked_at(self, url: &str) -> Result<Self, ClientError> {
        let refusal = (400..500).contains(&self.status) && !matches!(self.status, 408 | 425 | 429);
        let document = self.body.is_empty() || is_json(&self.body);
        let problem = self.content_type.starts_with("application/problem+json");
        match self.status {
            200..=299 | 303 => Ok(self),
            _ if refusal && document && !problem => Ok(self),
            status => Err(unanswered(url, status, &self.headers, &self.body)),
        }
    }

    /// Reads the answer as JSON.
    ///
    /// # Errors
    /// [`ClientError::Unexpected`].
    pub fn json<T: DeserializeOwned>(&self, url: &str) -> Result<T, ClientError> {
        serde_json::from_slice(&self.body).map_err(|error| ClientError::Unexpected {
            url: url.to_owned(),
            status: self.status,
            cause: error.to_string(),
            retry_after: None,
            page: !is_json(&self.body),
        })
    }
}

impl Client {
    /// A client with bounded times. Calls go straight to the address, through no proxy.
    ///
    /// # Errors
    /// [`ClientError::Unreachable`] if the TLS library cannot be set up.
    pub fn new() -> Result<Self, ClientError> {
        Self::speaking(Language::default())
    }

    /// A client for a person who reads `language`: refusals come in it.
    ///
    /// # Errors
    /// [`ClientError::Unreachable`] if the TLS library cannot be set up.
    pub fn speaking(language: Language) -> Result<Self, ClientError> {
        Self::connecting(language, None)
    }

    /// A client for addresses that others name: it connects to nobody inside this machine or its network, whatever a name
    /// leads to at that moment.
    ///
    /// # Errors
    /// [`ClientError::Unreachable`] if the TLS library cannot be set up.
    pub fn outside(language: Language) -> Result<Self, ClientError> {
        Self::connecting(language, Some(Arc::new(BySystem)))
    }

    /// A client that connects anywhere, or only outside, by what this gives for a name.
    pub(super) fn connecting(
        language: Language,
        judged: Option<Arc<dyn Resolve>>,
    ) -> Result<Self, ClientError> {
        let mut headers = HeaderMap::new();
        // The default need not be asked for.
        if language != Language::default() {
            headers.insert(ACCEPT_LANGUAGE, HeaderValue::from_static(language.tag()));
        }
        let outside = judged.is_some();
        let mut building = reqwest::Client::builder();
        if let Some(names) = judged {
            building = building.dns_resolver(Arc::new(OutsideOnly(names)));
        }
        let http = building
            .default_headers(headers)
            .connect_timeout(Duration::from_secs(3))
            .timeout(Duration::from_secs(20))
            .pool_idle_timeout(IDLE)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .map_err(|e| ClientError::Unreachable {
                url: String::new(),
                cause: e.to_string(),
                slow: false,
            })?;
        Ok(Self { http, times: None, outside })
    }

    /// The same client, collecting how long answers take.
    #[must_use]
    pub fn timed(mut self, times: AnswerTimes) -> Self {
        self.times = Some(times);
        self
    }

    /// GETs JSON, with a bearer token if one is given.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn get<T: DeserializeOwned>(
        &self,
        url: &str,
        bearer: Option<&str>,
    ) -> Result<T, ClientError> {
        json(url, self.call(url, authorised(self.http.get(url), bearer)).await?).await
    }

    /// GETs text (a signed document).
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn get_text(&self, url: &str) -> Result<String, ClientError> {
        let response = self.call(url, self.http.get(url)).await?;
        let status = response.status().as_u16();
        String::from_utf8(body(url, response).await?).map_err(|e| ClientError::Unexpected {
            url: url.to_owned(),
            status,
            cause: e.to_string(),
            retry_after: None,
            page: true,
        })
    }

    /// POSTs JSON and reads JSON, with a bearer token if one is given.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn post<B: Serialize + Sync, T: DeserializeOwned>(
        &self,
        url: &str,
        bearer: Option<&str>,
        content: &B,
    ) -> Result<T, ClientError> {
        json(url, self.call(url, authorised(self.http.post(url), bearer).json(content)).await?)
            .await
    }

    /// As [`Client::post`], with more headers.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn post_with<B: Serialize + Sync, T: DeserializeOwned>(
        &self,
        url: &str,
        bearer: Option<&str>,
        headers: &[(String, String)],
        content: &B,
    ) -> Result<T, ClientError> {
        let mut request = authorised(self.http.post(url), bearer);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        json(url, self.call(url, request.json(content)).await?).await
    }

    /// Sends a request as given and returns status, content type and body, whatever the status.
    ///
    /// # Errors
    /// [`ClientError::Unreachable`], or [`ClientError::Unexpected`] for an answer that is too long.
    pub async fn exchange(
        &self,
        method: &str,
        url: &str,
        headers: &[(String, String)],
        content: Vec<u8>,
    ) -> Result<(u16, String, Vec<u8>), ClientError> {
        let whole = self.exchange_whole(method, url, headers, content).await?;
        Ok((whole.status, whole.content_type, whole.body))
    }

    /// As [`Client::exchange`], with the header of the answer.
    ///
    /// # Errors
    /// As [`Client::exchange`].
    pub async fn exchange_whole(
        &self,
        method: &str,
        url: &str,
        headers: &[(String, String)],
        content: Vec<u8>,
    ) -> Result<Exchanged, ClientError> {
        let method = method.parse().map_err(|_| ClientError::Unreachable {
            url: url.to_owned(),
            cause: format!("{method} is no HTTP method"),
            slow: false,
        })?;
        let mut request = self.http.request(method, url);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let response = self.send(url, request.body(content)).await?;
        let kind = response.headers().get(reqwest::header::CONTENT_TYPE);
        let kind = kind.and_then(|v| v.to_str().ok()).unwrap_or_default().to_owned();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Ok(Exchanged { status, content_type: kind, headers, body: body(url, response).await? })
    }

    /// Sends, and turns refusals into errors.
    async fn call(&self, url: &str, request: RequestBuilder) -> Result<Response, ClientError> {
        let response = self.send(url, request).await?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let headers = response.headers().clone();
        let bytes = body(url, response).await?;
        Err(unanswered(url, status.as_u16(), &headers, &bytes))
    }

    async fn send(&self, url: &str, request: RequestBuilder) -> Result<Response, ClientError> {
        if self.outside && names_inside(url) {
            return Err(ClientError::Inside { url: url.to_owned() });
        }
        #[expect(clippy::disallowed_methods, reason = "a measurement of how long an answer took")]
        let started = self.times.is_some().then(Instant::now);
        let response = request.send().await;
        if let (Some(times), Some(started)) = (&self.times, started) {
            times.collect(started.elapsed());
        }
        response.map_err(|error| match led_inside(&error) {
            true => ClientError::Inside { url: url.to_owned() },
            false => unreached(url, &error),
        })
    }
}

impl From<ClientError> for Problem {
    fn from(error: ClientError) -> Self {
        match error {
            ClientError::Refused(body) => Self::passed_on(*body),
            ClientError::Unreachable { .. } | ClientError::Inside { .. } => {
                Self::unavailable("institution.unreachable", error)
            }
            ClientError::Unexpected { .. } => {
                Self::new(StatusCode::BAD_GATEWAY, "institution.unexpected_answer", error)
            }
        }
    }
}

fn authorised(request: RequestBuilder, bearer: Option<&str>) -> RequestBuilder {
    match bearer {
        Some(token) => request.bearer_auth(token),
        None => request,
    }
}

async fn json<T: DeserializeOwned>(url: &str, response: Response) -> Result<T, ClientError> {
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let body = body(url, response).await?;
    Exchanged { status, content_type: String::new(), headers, body }.json(url)
}

/// An answer that is no success: a problem document, or something else.
fn unanswered(url: &str, status: u16, headers: &HeaderMap, body: &[u8]) -> ClientError {
    match serde_json::from_slice::<ProblemBody>(body) {
        Ok(problem) => ClientError::Refused(Box::new(problem)),
        Err(_) => ClientError::Unexpected {
            url: url.to_owned(),
            status,
            cause: String::from_utf8_lossy(body).chars().take(EXCERPT).collect(),
            retry_after: retry_after(headers),
            page: !is_json(body),
        },
    }
}

/// In how many seconds to ask again. A date is not read: whose clock would it be by?
fn retry_after(headers: &HeaderMap) -> Option<u64> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    value.parse().ok().filter(|seconds| *seconds <= LONGEST_RETRY)
}

fn is_json(bytes: &[u8]) -> bool {
    serde_json::from_slice::<IgnoredAny>(bytes).is_ok()
}

fn unreached(url: &str, error: &reqwest::Error) -> ClientError {
    let slow = error.is_timeout() && !error.is_connect();
    ClientError::Unreachable { url: url.to_owned(), cause: chain(error), slow }
}

/// Reads a body up to a bound, so that no institution can exhaust another's memory.
async fn body(url: &str, mut response: Response) -> Result<Vec<u8>, ClientError> {
    let status = response.status().as_u16();
    let mut bytes = Vec::new();
    loop {
        let chunk = response.chunk().await;
        match chunk.map_err(|e| unreached(url, &e))? {
            Some(chunk) if bytes.len().saturating_add(chunk.len()) <= LONGEST => {
                bytes.extend_from_slice(&chunk)
            }
            Some(_) => {
                return Err(ClientError::Unexpected {
                    url: url.to_owned(),
                    status,
                    cause: format!("the answer is longer than {LONGEST} bytes"),
                    retry_after: None,
                    page: false,
                });
            }
            None => return Ok(bytes),
        }
    }
}

/// An error with its causes: the outer one alone says little.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    text
}
