//! A page for whoever has none of their own: it shows the link to the wallet, and where a wallet is behind the browser
//! (the Digital Credentials API) a button that asks it. Without its script the link remains.

use super::waiting::Ways;
use super::{VerifyingParties, VerifyingParty, named};
use crate::http::{Language, Page, Problem, ProblemBody, escape, page_words};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use std::sync::Arc;

/// What the page runs: it asks, and hands the answer over.
const SCRIPT: &str = include_str!("./page.js");

/// A page that leads to the wallet.
#[utoipa::path(get, path = "/verifiers/{verifier}/openid4vp/{id}/page", tag = "verifier",
    params(("verifier" = String, Path, description = "the verifier"), ("id" = String, Path, description = "the verification")),
    responses((status = 200, description = "a page with a link, and a button where the browser can ask", body = String, content_type = "text/html"), (status = 404, body = ProblemBody), (status = 409, description = "answered before", body = ProblemBody)))]
pub(super) async fn page(
    State(parties): State<Arc<VerifyingParties>>,
    Path((verifier, id)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Page, Problem> {
    let language = Language::preferred(headers.get_all(header::ACCEPT_LANGUAGE));
    named(&parties, &verifier)?.page(&id, language)
}

/// What that page runs.
#[utoipa::path(get, path = "/verifiers/{verifier}/openid4vp/page.js", tag = "verifier",
    params(("verifier" = String, Path, description = "the verifier")),
    responses((status = 200, description = "a script", body = String, content_type = "text/javascript"), (status = 404, body = ProblemBody)))]
pub(super) async fn script(
    State(parties): State<Arc<VerifyingParties>>,
    Path(verifier): Path<String>,
) -> Result<Response, Problem> {
    named(&parties, &verifier)?;
    let kind = [(header::CONTENT_TYPE, "text/javascript; charset=utf-8")];
    Ok((kind, SCRIPT).into_response())
}

impl VerifyingParty {
    fn page(&self, id: &str, language: Language) -> Result<Page, Problem> {
        let (request, ways) = self.at_work.waiting.open(id)?;
        let party = self.party.get();
        let certificate = party.verifier(&request.purpose)?.certificate();
        let Ways { page, shown, .. } = &*ways;
        let words = &page_words(language).verification;
        let asking = page.as_ref().map(|(_, request)| {
            let request = json!({"protocol": request.protocol, "data": request.data}).to_string();
            format!(
                "<p><button id=\"ask\" hidden data-request=\"{request}\">{ask}</button></p>\
                 <p id=\"said\" role=\"status\" data-done=\"{done}\" data-refused=\"{refused}\" data-none=\"{none}\"></p>",
                request = escape(&request),
                ask = escape(&words.ask),
                done = escape(&words.done),
                refused = escape(&words.refused),
                none = escape(&words.none),
            )
        });
        let markup = format!(
            "<p>{party}</p><p>{purpose}</p>{asking}<p><a href=\"{link}\">{open}</a></p>",
            party = escape(certificate.name.get(language.tag())),
            purpose = escape(certificate.purpose.get(language.tag())),
            asking = asking.as_deref().unwrap_or_default(),
            link = escape(shown),
            open = escape(&words.open),
        );
        Ok(Page::new(language, &words.title, &markup).running("../page.js"))
    }
}
