//! What surrounds every route: the bounds of a request, its trace in the log, the one shape of refusals.

use super::direct::{Direct, Routes};
use super::localising::{Wishes, localise};
use super::{Limits, Problem, Starting};
use axum::Router;
use axum::body::Body;
use axum::extract::{MatchedPath, Request};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::Route;
use http_body_util::Limited;
use metrics::{Counter, Histogram};
use std::convert::Infallible;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};
use tower::{Service, layer::layer_fn};
use yufu_profile::CurrencyProfile;

/// When to ask again whoever cannot answer now, in seconds, unless the refusal says so itself: what waits inside is tried
/// again about as often.
const RETRY_SECONDS: u16 = 5;
/// The longest reason of the framework's that is passed on, in bytes.
const LONGEST_REASON: usize = 4096;

/// The most kinds of answers of one route that are looked up once.
const MOST_ANSWERS: usize = 64;

/// Puts the per-request bounds, the request log, the words for people and the answer for unknown paths around
/// `router` and what is answered before it. One layer: each further one costs every request a boxed service and a boxed
/// future.
pub(crate) fn layers(
    router: Router,
    direct: Vec<Direct>,
    limits: Limits,
    starting: Arc<Starting>,
    currency: CurrencyProfile,
) -> Routes {
    let edge = Arc::new(Edge { limits, currency });
    let around = Arc::clone(&edge);
    let router = router
        .fallback(move || {
            let waits = starting.waits_for();
            std::future::ready(match waits {
                Some(what) => Problem::unavailable("server.starting", what),
                None => Problem::not_found("address; see /docs"),
            })
        })
        .layer(layer_fn(move |inner| Edged {
            inner,
            edge: Arc::clone(&around),
            tally: Arc::default(),
        }));
    Routes::new(router, direct, edge)
}

/// What surrounds every route.
pub(super) struct Edge {
    limits: Limits,
    /// What amounts in the words for people are of.
    currency: CurrencyProfile,
}

impl Edge {
    /// The largest body that is taken, in bytes.
    pub(super) const fn largest(&self) -> usize {
        self.limits.body
    }

    /// The answer to a request that was seen to come, if it comes in time and nothing panics; `None` for a body that
    /// says of itself that it is too large.
    pub(super) async fn around<F: Future<Output = Response>>(
        &self,
        (seen, wishes): (Seen, Wishes),
        tally: &Tally,
        answer: Option<F>,
    ) -> Response {
        let response = match answer {
            Some(answer) => in_time(answer, self.limits.request).await,
            None => StatusCode::PAYLOAD_TOO_LARGE.into_response(),
        };
        let response =
            if is_shaped(&response) { response } else { Box::pin(in_one_shape(response)).await };
        let response = localise(response, &wishes, &self.currency);
        seen.answered(response, tally)
    }
}

/// A route with what surrounds it.
#[derive(Clone)]
struct Edged {
    inner: Route,
    edge: Arc<Edge>,
    tally: Arc<Tally>,
}

impl Service<Request> for Edged {
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Service::<Request>::poll_ready(&mut self.inner, context)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let matched = request.extensions().get::<MatchedPath>().cloned();
        let asked =
            (Seen::of(&request, matched.map(Template::Matched)), Wishes::of(request.headers()));
        let (edge, tally) = (Arc::clone(&self.edge), Arc::clone(&self.tally));
        let answer = (!too_large(request.headers(), edge.largest())).then(|| {
            let bounded = |body| Body::new(Limited::new(body, edge.largest()));
            self.inner.call(request.map(bounded))
        });
        Box::pin(async move {
            let answer = answer.map(|answer| async {
                let Ok(response) = answer.await;
                response
            });
            Ok(edge.around(asked, &tally, answer).await)
        })
    }
}

/// Whether a body says of itself that it is larger than is taken.
pub(super) fn too_large(headers: &HeaderMap, most: usize) -> bool {
    let length = headers.get(header::CONTENT_LENGTH);
    let length = length.and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    length.is_some_and(|length| length > most)
}

/// The answer, if it comes in time and nothing panics.
async fn in_time(answer: impl Future<Output = Response>, time: Duration) -> Response {
    let mut answer = std::pin::pin!(tokio::time::timeout(time, answer));
    let answered = std::future::poll_fn(|context| {
        match catch_unwind(AssertUnwindSafe(|| answer.as_mut().poll(context))) {
            Ok(polled) => polled.map(Ok),
            Err(_) => Poll::Ready(Err(Problem::internal("a handler panicked"))),
        }
    });
    match answered.await {
        Ok(Ok(response)) => response,
        Ok(Err(_)) => StatusCode::REQUEST_TIMEOUT.into_response(),
        Err(problem) => problem.into_response(),
    }
}

/// Whether an answer is no refusal, or has the shape that all refusals have.
fn is_shaped(response: &Response) -> bool {
    let status = response.status();
    let refused = status.is_client_error() || status.is_server_error();
    let kind = response.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    !refused || kind.is_some_and(|kind| kind.contains("json"))
}

/// Gives the framework's own refusals (another method, too large, too slow, an address that cannot be
/// read) the shape that all refusals have.
async fn in_one_shape(response: Response) -> Response {
    let status = response.status();
    let (parts, body) = response.into_parts();
    let problem = match status {
        StatusCode::METHOD_NOT_ALLOWED => Problem::new(
            status,
            "request.method_not_allowed",
            "this address takes another method: see /docs",
        ),
        StatusCode::PAYLOAD_TOO_LARGE => {
            Problem::new(status, "request.too_large", "the body is larger than is taken: send less")
        }
        StatusCode::REQUEST_TIMEOUT => Problem::new(
            status,
            "request.timeout",
            "no answer came in time, and what was asked may have been done: repeat it with the same id",
        ),
        status if status.is_server_error() => Problem::internal(status),
        _ => {
            let said = axum::body::to_bytes(body, LONGEST_REASON).await.unwrap_or_default();
            Problem::new(status, "request.malformed", String::from_utf8_lossy(&said))
        }
    };
    let mut shaped = problem.into_response();
    shaped.headers_mut().extend(
        parts
            .headers
            .into_iter()
            .filter_map(|(name, value)| Some((name?, value)))
            .filter(|(name, _)| *name != header::CONTENT_TYPE && *name != header::CONTENT_LENGTH),
    );
    shaped
}

/// A request as it is counted and logged, by its route template: ids and queries, which may be personal, are left out.
pub(super) struct Seen {
    started: Instant,
    method: Method,
    route: Option<Template>,
}

/// A route's template.
pub(super) enum Template {
    /// Of the router's.
    Matched(MatchedPath),
    /// Of one that is answered before the router.
    Direct(&'static str),
}

impl Template {
    fn as_str(&self) -> &str {
        match self {
            Self::Matched(path) => path.as_str(),
            Self::Direct(template) => template,
        }
    }
}

impl Seen {
    pub(super) fn of<B>(request: &Request<B>, route: Option<Template>) -> Self {
        #[expect(clippy::disallowed_methods, reason = "a measurement of how long an answer took")]
        let started = Instant::now();
        Self { started, method: request.method().clone(), route }
    }

    /// Counts and logs the answer, and adds the headers that every answer has.
    fn answered(self, mut response: Response, tally: &Tally) -> Response {
        let elapsed = self.started.elapsed();
        let route = self.route.as_ref().map_or("none", Template::as_str);
        let status = response.status().as_u16();
        tally.count(route, &self.method, status, elapsed);
        let method = self.method.as_str();
        tracing::debug!(method, route, status, micros = elapsed.as_micros(), "request");
        let unauthorized = response.status() == StatusCode::UNAUTHORIZED;
        let later = matches!(status, 429 | 503);
        let headers = response.headers_mut();
        headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        if later {
            // RFC 9110, section 10.2.3.
            headers.entry(header::RETRY_AFTER).or_insert(HeaderValue::from(RETRY_SECONDS));
        }
        if unauthorized {
            // RFC 9110, section 15.5.2; RFC 6750, section 3.
            let scheme = HeaderValue::from_static("Bearer");
            headers.entry(header::WWW_AUTHENTICATE).or_insert(scheme);
        }
        response
    }
}

/// What is counted of a route, looked up once: by its labels alone it costs a request more than many an answer does.
#[derive(Default)]
pub(super) struct Tally(OnceLock<Counted>);

struct Counted {
    route: String,
    seconds: Histogram,
    answers: RwLock<Vec<(Method, u16, Counter)>>,
}

impl Tally {
    fn count(&self, route: &str, method: &Method, status: u16, elapsed: Duration) {
        let counted = self.0.get_or_init(|| Counted {
            route: route.to_owned(),
            seconds: seconds(route),
            answers: RwLock::default(),
        });
        if counted.route == route {
            counted.seconds.record(elapsed);
            counted.answered(method, status);
        } else {
            // The same handler at another address.
            seconds(route).record(elapsed);
            answers(route, method, status).increment(1);
        }
    }
}

impl Counted {
    fn answered(&self, method: &Method, status: u16) {
        let known = self.answers.read().unwrap_or_else(PoisonError::into_inner);
        let same = |(by, with, _): &&(Method, u16, Counter)| by == method && *with == status;
        if let Some((_, _, counter)) = known.iter().find(same) {
            counter.increment(1);
            return;
        }
        drop(known);
        let counter = answers(&self.route, method, status);
        counter.increment(1);
        let mut known = self.answers.write().unwrap_or_else(PoisonError::into_inner);
        // Methods that are not of HTTP could be without number.
        if known.len() < MOST_ANSWERS {
            known.push((method.clone(), status, counter));
        }
    }
}

fn answers(route: &str, method: &Method, status: u16) -> Counter {
    let (method, route) = (method.as_str().to_owned(), route.to_owned());
    let labels = [("method", method), ("route", route), ("status", status.to_string())];
    metrics::counter!("yufu_http_requests_total", &labels)
}

fn seconds(route: &str) -> Histogram {
    metrics::histogram!("yufu_http_request_seconds", "route" => route.to_owned())
}
