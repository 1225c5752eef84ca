//! JSON that is read once and fast; what cannot be read is read again to say where it is wrong.

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, header};
use serde::de::DeserializeOwned;

/// A body of JSON, as [`Json`] takes and refuses it, without what a good one pays there for the path of a mistake.
pub(crate) struct Parsed<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Parsed<T> {
    type Rejection = JsonRejection;

    async fn from_request(request: Request, state: &S) -> Result<Self, JsonRejection> {
        if !is_json(request.headers()) {
            return Json::from_request(request, state).await.map(|Json(body)| Self(body));
        }
        Self::read(&Bytes::from_request(request, state).await?)
    }
}

impl<T: DeserializeOwned> Parsed<T> {
    /// A body that is there already, and the head that came with it.
    pub(crate) async fn of(headers: HeaderMap, body: Bytes) -> Result<Self, JsonRejection> {
        if is_json(&headers) {
            return Self::read(&body);
        }
        let mut request = Request::new(Body::from(body));
        *request.headers_mut() = headers;
        Json::from_request(request, &()).await.map(|Json(body)| Self(body))
    }

    fn read(body: &Bytes) -> Result<Self, JsonRejection> {
        match serde_json::from_slice(body) {
            Ok(body) => Ok(Self(body)),
            Err(_) => Json::from_bytes(body).map(|Json(body)| Self(body)),
        }
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind == "application/json")
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::Router;
    use axum::http::Method;
    use axum::routing::post;
    use tower::ServiceExt;

    async fn ask(path: &str, kind: Option<&str>, body: &'static str) -> (u16, String) {
        let parsed = |body: Result<Parsed<Vec<u8>>, JsonRejection>| async {
            body.map(|Parsed(body)| format!("{body:?}")).map_err(|refusal| refusal.body_text())
        };
        let framework = |body: Result<Json<Vec<u8>>, JsonRejection>| async {
            body.map(|Json(body)| format!("{body:?}")).map_err(|refusal| refusal.body_text())
        };
        let router = Router::new().route("/ours", post(parsed)).route("/axum", post(framework));
        let mut request = Request::builder().method(Method::POST).uri(path);
        if let Some(kind) = kind {
            request = request.header(header::CONTENT_TYPE, kind);
        }
        let answer = router.oneshot(request.body(Body::from(body)).unwrap()).await.unwrap();
        let status = answer.status().as_u16();
        let body = axum::body::to_bytes(answer.into_body(), 4096).await.unwrap();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn a_body_is_taken_and_refused_in_the_frameworks_words() {
        let json = Some("application/json");
        let rows = [
            (json, "[1,2]"),
            (Some("application/json; charset=utf-8"), "[1,2]"),
            (Some("application/ld+json"), "[1,2]"),
            (json, "[1,256]"),
            (json, "[1,2"),
            (json, "[1,2] "),
            (json, "[1,2]x"),
            (json, ""),
            (Some("text/plain"), "[1,2]"),
            (None, "[1,2]"),
        ];
        for (kind, body) in rows {
            assert_eq!(ask("/ours", kind, body).await, ask("/axum", kind, body).await, "{body}");
        }
        assert_eq!(ask("/ours", json, "[1,2]").await, (200, "[1, 2]".to_owned()));
        assert!(ask("/ours", json, "[1,256]").await.1.contains("[1]"), "the path is told");
    }
}
