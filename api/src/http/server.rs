//! The HTTP server: bounded in connections, header time, body size and request time from the start,
//! so that slow or huge requests cannot take it away from everybody else.

use crate::http::{Problem, Starting};
use axum::Router;
use axum::extract::{MatchedPath, Request};
use axum::http::{StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::timeout::TimeoutLayer;

/// The longest reason of the framework's that is passed on, in bytes.
const LONGEST_REASON: usize = 4096;

/// Bounds that hold for every request.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Connections open at once; further ones wait in the kernel's queue.
    pub connections: usize,
    /// How long a client may take to send a request's head, idle keep-alive included.
    pub header_read: Duration,
    /// How long a request may take from its head to its answer.
    pub request: Duration,
    /// The largest body, in bytes.
    pub body: usize,
    /// How long running requests may go on after shutdown was asked for.
    pub drain: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 512,
            header_read: Duration::from_secs(5),
            request: Duration::from_secs(30),
            body: 256 * 1024,
            drain: Duration::from_secs(5),
        }
    }
}

/// Why serving ended other than by being asked to.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The listening socket failed for good.
    #[error("connections can no longer be accepted: {0}")]
    Accept(std::io::Error),
}

/// Serves `router` on `listener` until `shutdown` resolves, then lets running requests finish.
///
/// # Errors
/// [`ServeError::Accept`] if the listening socket fails.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    limits: Limits,
    shutdown: impl Future<Output = ()>,
) -> Result<(), ServeError> {
    let slots = Arc::new(Semaphore::new(limits.connections));
    let (stop, stopping) = watch::channel(());
    let mut http = hyper::server::conn::http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(limits.header_read);
    let mut shutdown = std::pin::pin!(shutdown);
    loop {
        let Ok(slot) = Arc::clone(&slots).acquire_owned().await else { break };
        let stream = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                Err(error) if is_passing(&error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
                Err(error) => return Err(ServeError::Accept(error)),
            },
            () = &mut shutdown => break,
        };
        let _ = stream.set_nodelay(true);
        let service = TowerToHyperService::new(router.clone());
        // An upgraded connection (a WebSocket) is not of this number any more: whoever upgrades bounds it.
        let connection = http.serve_connection(TokioIo::new(stream), service).with_upgrades();
        let mut stopping = stopping.clone();
        tokio::spawn(async move {
            let mut connection = std::pin::pin!(connection);
            // A connection that breaks off is the client's affair; its requests were answered or not.
            tokio::select! {
                _ = connection.as_mut() => {}
                _ = stopping.changed() => {
                    connection.as_mut().graceful_shutdown();
                    let _ = connection.await;
                }
            }
            drop(slot);
        });
    }
    drop(stopping);
    drop(listener);
    stop.send_replace(());
    let _ = tokio::time::timeout(limits.drain, stop.closed()).await;
    Ok(())
}

/// Errors of one connection, or of a moment without descriptors, do not end the server.
fn is_passing(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    const OUT_OF_DESCRIPTORS: [i32; 2] = [23, 24]; // ENFILE, EMFILE
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
        || error.raw_os_error().is_some_and(|code| OUT_OF_DESCRIPTORS.contains(&code))
}

/// Puts the per-request bounds, the request log and the answer for unknown paths around `router`.
pub(crate) fn layers(router: Router, limits: Limits, starting: Arc<Starting>) -> Router {
    router
        .fallback(move || {
            let waits = starting.waits_for();
            std::future::ready(match waits {
                Some(what) => Problem::unavailable("server.starting", what),
                None => Problem::not_found("address; see /docs"),
            })
        })
        .layer(middleware::from_fn(observe))
        .layer(TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, limits.request))
        .layer(RequestBodyLimitLayer::new(limits.body))
        .layer(CatchPanicLayer::custom(|_| Problem::internal("a handler panicked").into_response()))
        .layer(middleware::map_response(in_one_shape))
}

/// Gives the framework's own refusals (another method, too large, too slow, an address that cannot be
/// read) the shape that all refusals have.
async fn in_one_shape(response: Response) -> Response {
    let status = response.status();
    let refused = status.is_client_error() || status.is_server_error();
    let kind = response.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    if !refused || kind.is_some_and(|kind| kind.contains("json")) {
        return response;
    }
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

/// Counts and logs a request by its route template: ids and queries, which may be personal, are left out.
async fn observe(request: Request, next: Next) -> Response {
    #[expect(clippy::disallowed_methods, reason = "a measurement of how long an answer took")]
    let started = std::time::Instant::now();
    let route =
        request.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str).to_owned();
    let method = request.method().to_string();
    let mut response = next.run(request).await;
    let elapsed = started.elapsed();
    let status = response.status().as_u16();
    let labels =
        [("method", method.clone()), ("route", route.clone()), ("status", status.to_string())];
    metrics::counter!("yufu_http_requests_total", &labels).increment(1);
    metrics::histogram!("yufu_http_request_seconds", "route" => route.clone()).record(elapsed);
    tracing::debug!(method, route, status, micros = elapsed.as_micros(), "request");
    let headers = response.headers_mut();
    headers.entry(header::CACHE_CONTROL).or_insert(header::HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, header::HeaderValue::from_static("nosniff"));
    if response.status() == StatusCode::UNAUTHORIZED {
        // RFC 9110, section 15.5.2; RFC 6750, section 3.
        let scheme = header::HeaderValue::from_static("Bearer");
        response.headers_mut().entry(header::WWW_AUTHENTICATE).or_insert(scheme);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::routing::{get, post};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;

    fn tight() -> Limits {
        Limits {
            connections: 4,
            header_read: Duration::from_millis(200),
            request: Duration::from_millis(300),
            body: 1024,
            drain: Duration::from_millis(200),
        }
    }

    async fn start(limits: Limits) -> std::net::SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new()
            .route("/quick", get(|| async { "quick" }))
            .route("/slow", get(|| async { tokio::time::sleep(Duration::from_secs(60)).await }))
            .route("/echo", post(|body: String| async { body }))
            .route("/desk", get(|| async { Problem::unauthenticated("send a token") }));
        let router = layers(router, limits, Arc::default());
        tokio::spawn(serve(listener, router, limits, std::future::pending()));
        address
    }

    async fn ask(address: std::net::SocketAddr, request: &str) -> String {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        String::from_utf8_lossy(&answer).into_owned()
    }

    #[tokio::test]
    async fn half_open_connections_do_not_take_the_server_away() {
        let address = start(tight()).await;
        let mut held = Vec::new();
        for _ in 0..16 {
            let mut stream = TcpStream::connect(address).await.unwrap();
            stream.write_all(b"GET /quick HTTP/1.1\r\nHost: a\r\nX-Slow: ").await.unwrap();
            held.push(stream);
        }
        let answer =
            ask(address, "GET /quick HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }

    #[tokio::test]
    async fn a_body_over_the_bound_is_refused() {
        let address = start(tight()).await;
        let head =
            "POST /echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 2000\r\n\r\n";
        let answer = ask(address, &format!("{head}{}", "x".repeat(2000))).await;
        assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    }

    #[tokio::test]
    async fn a_request_over_its_time_is_ended() {
        let address = start(tight()).await;
        let answer =
            ask(address, "GET /slow HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await;
        assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    }

    #[tokio::test]
    async fn an_unknown_address_is_a_problem_with_a_code() {
        let address = start(tight()).await;
        let answer =
            ask(address, "GET /nowhere HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await;
        assert!(answer.contains("\"code\":\"request.not_found\""), "{answer}");
    }

    #[tokio::test]
    async fn the_frameworks_refusals_have_the_one_shape_and_keep_their_headers() {
        let address = start(tight()).await;
        let rows = [
            ("GET /echo HTTP/1.1", "405 ", "allow: POST", "request.method_not_allowed"),
            ("GET /slow HTTP/1.1", "408 ", "content-type: application/problem", "request.timeout"),
            ("GET /desk HTTP/1.1", "401 ", "www-authenticate: Bearer", "request.unauthenticated"),
        ];
        for (request, status, header, code) in rows {
            let request = format!("{request}\r\nHost: a\r\nConnection: close\r\n\r\n");
            let answer = ask(address, &request).await;
            for part in [status, header, "application/problem+json", code] {
                assert!(answer.contains(part), "{part:?} is not in {answer}");
            }
        }
    }
}
