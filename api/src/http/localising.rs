//! Says every refusal in the language that was asked for, in one place: around all routes. A request
//! that is not refused pays for one look at its headers.

use super::problem::Unworded;
use super::{Language, messages};
use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;
use yufu_profile::CurrencyProfile;

/// In which languages whoever asks wants to be refused: read only if there is something to say.
pub(super) struct Wishes(Vec<HeaderValue>);

impl Wishes {
    pub(super) fn of(headers: &HeaderMap) -> Self {
        Self(headers.get_all(header::ACCEPT_LANGUAGE).into_iter().cloned().collect())
    }
}

/// Puts the words for people into a problem. Amounts in them are of `currency`.
pub(super) fn localise(
    mut response: Response,
    wishes: &Wishes,
    currency: &CurrencyProfile,
) -> Response {
    let Some(Unworded(mut body)) = response.extensions_mut().remove() else { return response };
    let language = Language::preferred(&wishes.0);
    messages::word(&mut body, language, currency);
    let (mut parts, plain) = response.into_parts();
    let content = serde_json::to_vec(&body).map_or(plain, Body::from);
    parts.headers.remove(header::CONTENT_LENGTH);
    let tag = HeaderValue::from_static(language.tag());
    parts.headers.insert(header::CONTENT_LANGUAGE, tag);
    parts.headers.append(header::VARY, HeaderValue::from_static("accept-language"));
    Response::from_parts(parts, content)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::{Limits, Problem, Routes, layers};
    use axum::Router;
    use axum::extract::Request;
    use axum::http::StatusCode;
    use axum::routing::{get, post};
    use serde_json::{Value, json};
    use std::sync::Arc;
    use yufu_base::Currency;

    fn currency() -> CurrencyProfile {
        let code = Currency::new("CNY").unwrap();
        CurrencyProfile { code, decimals: 2, minor_unit: "fen".to_owned(), sign: "¥".to_owned() }
    }

    fn daily() -> Problem {
        Problem::refused("transfer.limit_exceeded.daily", "300000 asked, at most 200000")
            .with("limit_minor", 200_000)
            .with("remaining_minor", 150_050)
            .with("requested_minor", 300_000)
            .with("step_up", json!({"kind": "presentation"}))
    }

    fn router() -> Routes {
        let router = Router::new()
            .route("/fine", get(|| async { "fine" }))
            .route("/daily", get(|| async { daily() }))
            .route("/only-post", post(|| async { "posted" }))
            .route("/desk", get(|| async { Problem::unauthenticated("send a token") }))
            .route("/later", get(|| async { Problem::refused("code.of_a_later_version", "new") }))
            .route("/broken", get(|| async { Problem::internal("the disk is full") }))
            .route(
                "/bare",
                get(|| async { Problem::refused("transfer.limit_exceeded.daily", "no members") }),
            )
            .route(
                "/protocol",
                get(|| async {
                    (StatusCode::BAD_REQUEST, axum::Json(json!({"error": "invalid_grant"})))
                }),
            );
        layers(router, Vec::new(), Limits::default(), Arc::default(), currency())
    }

    async fn ask(path: &str, wishes: &[&[u8]]) -> (Response<()>, Value) {
        let mut request = Request::builder().uri(path);
        for wish in wishes {
            let value = HeaderValue::from_bytes(wish).unwrap();
            request = request.header(header::ACCEPT_LANGUAGE, value);
        }
        let response = router().answer(request.body(Body::empty()).unwrap()).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = axum::body::to_bytes(body, 65_536).await.unwrap();
        let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        (Response::from_parts(parts, ()), body)
    }

    fn language(response: &Response<()>) -> &str {
        response.headers()[header::CONTENT_LANGUAGE].to_str().unwrap()
    }

    #[tokio::test]
    async fn a_refusal_is_said_in_the_language_that_is_preferred() {
        let rows: [(&[&[u8]], &str); 8] = [
            (&[], "en"),
            (&[b"zh"], "zh"),
            (&[b"zh-Hans-CN, en;q=0.9"], "zh"),
            (&[b"en-US, zh;q=0.9"], "en"),
            (&[b"en;q=0.2, zh;q=0.7, fr"], "zh"),
            (&[b"fr"], "en"),
            (&[b"en;q=0.1", b"zh;q=0.9"], "zh"),
            (&[b"*"], "en"),
        ];
        for (wishes, expected) in rows {
            let (response, body) = ask("/daily", wishes).await;
            assert_eq!(response.status(), 422, "{wishes:?}");
            assert_eq!(language(&response), expected, "{wishes:?}");
            assert_eq!(response.headers()[header::VARY], "accept-language");
            let title = body["title"].as_str().unwrap();
            assert!(title.contains("¥3,000.00"), "{title}");
            assert_eq!(title.contains("限额"), expected == "zh", "{title}");
            assert_eq!(body["detail"], "300000 asked, at most 200000");
            assert_eq!(body["limit_minor"], 200_000);
        }
    }

    #[tokio::test]
    async fn a_malformed_wish_changes_neither_the_status_nor_the_code() {
        for wish in [b"zh;q=abc".as_slice(), b"\xff\xfe", b";;;,,q=", b"zh;q=1;q=1"] {
            let (response, body) = ask("/daily", &[wish]).await;
            assert_eq!((response.status().as_u16(), language(&response)), (422, "en"), "{wish:?}");
            assert_eq!(body["code"], "transfer.limit_exceeded.daily");
            assert_eq!(ask("/fine", &[wish]).await.0.status(), 200);
        }
    }

    #[tokio::test]
    async fn the_frameworks_refusals_are_worded_too_and_keep_their_headers() {
        let rows = [
            ("/nowhere", 404, "request.not_found"),
            ("/only-post", 405, "request.method_not_allowed"),
            ("/desk", 401, "request.unauthenticated"),
            ("/broken", 500, "server.internal"),
        ];
        for (path, status, code) in rows {
            let (response, body) = ask(path, &[b"zh"]).await;
            assert_eq!((response.status().as_u16(), &body["code"]), (status, &json!(code)));
            assert_eq!(language(&response), "zh");
            assert_eq!(response.headers()[header::CONTENT_TYPE], "application/problem+json");
            assert!(body["title"].is_string() && body["remedy"].is_string(), "{body}");
        }
        assert_eq!(ask("/only-post", &[b"zh"]).await.0.headers()[header::ALLOW], "POST");
        let (response, _) = ask("/desk", &[b"zh"]).await;
        assert_eq!(response.headers()[header::WWW_AUTHENTICATE], "Bearer");
        assert_eq!(response.headers()[header::CACHE_CONTROL], "no-store");
    }

    #[tokio::test]
    async fn a_text_that_cannot_be_filled_is_left_out_and_the_detail_stays() {
        for path in ["/later", "/bare"] {
            let (_, body) = ask(path, &[b"zh"]).await;
            assert!(body.get("title").is_none(), "{body}");
            assert!(body["detail"].is_string(), "{body}");
        }
    }

    #[tokio::test]
    async fn what_is_no_problem_document_is_left_as_it_is() {
        for path in ["/fine", "/protocol"] {
            let (response, body) = ask(path, &[b"zh"]).await;
            assert!(!response.headers().contains_key(header::CONTENT_LANGUAGE), "{path}");
            assert!(!response.headers().contains_key(header::VARY), "{path}");
            assert!(body.is_null() || body == json!({"error": "invalid_grant"}), "{body}");
        }
    }

    #[tokio::test]
    async fn what_another_institution_said_is_said_anew() {
        let (_, english) = ask("/daily", &[b"en"]).await;
        let passed_on =
            move || async { Problem::passed_on(serde_json::from_value(english).unwrap()) };
        let router = Router::new().route("/", get(passed_on));
        let request = Request::builder().header(header::ACCEPT_LANGUAGE, "zh");
        let request = request.body(Body::empty()).unwrap();
        let router = layers(router, Vec::new(), Limits::default(), Arc::default(), currency());
        let body = router.answer(request).await.unwrap().into_body();
        let body = axum::body::to_bytes(body, 65_536).await.unwrap();
        let body: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(body, ask("/daily", &[b"zh"]).await.1);
    }

    #[tokio::test]
    async fn complete_problems_in_chinese_are_as_they_were() {
        let (_, daily) = ask("/daily", &[b"zh"]).await;
        let (_, unknown) = ask("/nowhere", &[b"zh-CN"]).await;
        let (_, desk) = ask("/desk", &[b"zh"]).await;
        insta::assert_json_snapshot!([daily, unknown, desk]);
    }
}
