//! The HTTP server: bounded in connections, header time, body size and request time from the start,
//! so that slow or huge requests cannot take it away from everybody else.

use crate::http::Switch;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};

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

/// Serves routes, or some that are exchanged, on `listener` until `shutdown` resolves, then lets running requests finish.
///
/// # Errors
/// [`ServeError::Accept`] if the listening socket fails.
pub async fn serve(
    listener: TcpListener,
    routes: impl Into<Switch>,
    limits: Limits,
    shutdown: impl Future<Output = ()>,
) -> Result<(), ServeError> {
    let slots = Arc::new(Semaphore::new(limits.connections));
    let (stop, stopping) = watch::channel(());
    let mut http = hyper::server::conn::http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(limits.header_read);
    let routes = routes.into();
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
        let routes = routes.clone();
        let service = service_fn(move |request| routes.answer(request));
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::{Direct, Problem, layers};
    use axum::Router;
    use axum::http::StatusCode;
    use axum::response::IntoResponse;
    use axum::routing::{get, post};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;

    fn yuan() -> yufu_profile::CurrencyProfile {
        let code = yufu_base::Currency::new("CNY").unwrap();
        yufu_profile::CurrencyProfile {
            code,
            decimals: 2,
            minor_unit: "fen".to_owned(),
            sign: "¥".to_owned(),
        }
    }

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
            .route("/{what}/direct", post(|| async { "by the router" }))
            .route("/panics", get(|| async { panic!("on purpose") as String }))
            .route("/desk", get(|| async { Problem::unauthenticated("send a token") }))
            .route("/busy", get(|| async { Problem::unavailable("server.starting", "it starts") }))
            .route(
                "/early",
                get(|| async {
                    let early =
                        Problem::new(StatusCode::TOO_MANY_REQUESTS, "code.too_soon", "wait");
                    early.with("retry_after_seconds", 41)
                }),
            );
        let direct = Direct::post("/{what}/direct", "/a/direct".to_owned(), |_, body| async move {
            match &*body {
                b"slow" => tokio::time::sleep(Duration::from_secs(60)).await,
                b"panics" => panic!("on purpose"),
                b"refused" => return Problem::unauthenticated("send a token").into_response(),
                _ => {}
            }
            body.into_response()
        });
        let router = layers(router, vec![direct], limits, Arc::default(), yuan());
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
    async fn a_handler_that_panics_is_an_internal_error_and_the_server_goes_on() {
        let address = start(tight()).await;
        for _ in 0..2 {
            let request = "GET /panics HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
            let answer = ask(address, request).await;
            assert!(answer.starts_with("HTTP/1.1 500"), "{answer}");
            assert!(answer.contains("\"code\":\"server.internal\""), "{answer}");
        }
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
            ("GET /busy HTTP/1.1", "503 ", "retry-after: 5", "server.starting"),
            ("GET /early HTTP/1.1", "429 ", "retry-after: 41", "code.too_soon"),
        ];
        for (request, status, header, code) in rows {
            let request = format!("{request}\r\nHost: a\r\nConnection: close\r\n\r\n");
            let answer = ask(address, &request).await;
            for part in [status, header, "application/problem+json", code] {
                assert!(answer.contains(part), "{part:?} is not in {answer}");
            }
        }
    }

    /// An answer to a body that is posted.
    async fn post_to(address: std::net::SocketAddr, path: &str, body: &str) -> String {
        let head = format!("POST {path} HTTP/1.1\r\nHost: a\r\nConnection: close");
        ask(address, &format!("{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len())).await
    }

    #[tokio::test]
    async fn a_direct_route_has_the_bounds_and_the_refusals_of_every_route() {
        let address = start(tight()).await;
        let too_much = "x".repeat(2000);
        let rows = [
            ("fine", "200 ", "x-content-type-options: nosniff", "fine"),
            ("fine", "200 ", "cache-control: no-store", "fine"),
            (&too_much, "413 ", "content-type: application/problem+json", "request.too_large"),
            ("slow", "408 ", "content-type: application/problem+json", "request.timeout"),
            ("panics", "500 ", "content-type: application/problem+json", "server.internal"),
            ("refused", "401 ", "www-authenticate: Bearer", "request.unauthenticated"),
        ];
        for (body, status, header, content) in rows {
            let answer = post_to(address, "/a/direct", body).await;
            for part in [status, header, content] {
                assert!(answer.contains(part), "{part:?} is not in {answer}");
            }
        }
    }

    #[tokio::test]
    async fn a_body_of_unknown_length_is_bounded_at_a_direct_route() {
        let address = start(tight()).await;
        let head =
            "POST /a/direct HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked";
        let whole = format!("{head}\r\n\r\n4\r\nhere\r\n0\r\n\r\n");
        assert!(ask(address, &whole).await.ends_with("here"));
        let much = format!("{head}\r\n\r\n7d0\r\n{}\r\n0\r\n\r\n", "x".repeat(2000));
        assert!(ask(address, &much).await.contains("request.too_large"));
    }

    #[tokio::test]
    async fn the_router_answers_what_is_not_posted_to_the_address_of_a_direct_route() {
        let address = start(tight()).await;
        for path in ["/b/direct", "/%61/direct"] {
            assert!(post_to(address, path, "x").await.ends_with("by the router"), "{path}");
        }
        assert!(post_to(address, "/a/direct?query=1", "x").await.ends_with("\r\n\r\nx"));
        let answer = ask(address, "GET /a/direct HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        assert!(answer.await.contains("request.method_not_allowed"));
    }
}
