//! Wallets that are pages of somebody else's site speak to a mint from a browser, which lets them only if the mint says
//! so (CORS, in the Fetch standard). A mint gives anybody the same answers and knows no cookies, so any
//! page may read them.

use axum::Router;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::MethodRouter;
use tower::util::MapResponseLayer;
use yufu_ecash::message::{BLIND_AUTH, CLEAR_AUTH};

/// How long a browser may go by the answer to what it asks beforehand, in seconds.
const ASKED_AGAIN_AFTER: u64 = 86_400;
const METHODS: &str = "GET, POST";

/// A route that answers what browsers ask before they send JSON, or tokens, from another site.
pub(super) fn asked_beforehand<S: Clone + Send + Sync + 'static>(
    route: MethodRouter<S>,
) -> MethodRouter<S> {
    route.options(allowed)
}

/// Has every answer of these routes be readable by pages of any site.
pub(super) fn all_readable<S: Clone + Send + Sync + 'static>(routes: Router<S>) -> Router<S> {
    routes.layer(MapResponseLayer::new(readable))
}

/// Has an answer be readable by pages of any site.
pub(super) fn readable(mut answer: Response) -> Response {
    let anybody = HeaderValue::from_static("*");
    answer.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, anybody);
    answer
}

async fn allowed() -> impl IntoResponse {
    let headers = format!("{}, {CLEAR_AUTH}, {BLIND_AUTH}", header::CONTENT_TYPE);
    let age = ASKED_AGAIN_AFTER.to_string();
    let said: [(HeaderName, String); 3] = [
        (header::ACCESS_CONTROL_ALLOW_METHODS, METHODS.to_owned()),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, headers),
        (header::ACCESS_CONTROL_MAX_AGE, age),
    ];
    (StatusCode::NO_CONTENT, said)
}
