//! Pages that a person meets on the way between a wallet and an institution: one look in light and dark, no script,
//! nothing loaded, shown in no frame.

use super::Language;
use axum::http::header;
use axum::response::{Html, IntoResponse, Response};

const STYLE: &str = "\
:root{color-scheme:light dark;--ink:#1b1b1a;--paper:#fbfaf7;--mark:#8c2f1b}\
@media(prefers-color-scheme:dark){:root{--ink:#ece9e2;--paper:#181816;--mark:#e2866f}}\
body{margin:3rem auto;max-width:30rem;padding:0 1rem;background:var(--paper);color:var(--ink);\
font:1rem/1.55 system-ui,'Noto Sans SC','PingFang SC',sans-serif}h1{font-size:1.5rem;margin:0}a{color:var(--mark)}\
input{font-size:1.4rem;width:9rem;letter-spacing:.2rem}button{font-size:1rem;padding:.4rem 1rem;margin-right:.6rem}";
/// No script, nothing from elsewhere, and nobody frames it.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'";

/// A page.
#[derive(Debug)]
pub(crate) struct Page(String);

impl Page {
    /// A page with this title, which is also its heading, and this markup below it.
    pub(crate) fn new(language: Language, title: &str, markup: &str) -> Self {
        Self(format!(
            "<!doctype html><html lang=\"{language}\"><head><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\
             <title>{title}</title><style>{STYLE}</style></head>\
             <body><h1>{title}</h1>{markup}</body></html>",
            language = language.tag(),
            title = escape(title),
        ))
    }

    /// The page as it is sent.
    #[cfg(test)]
    pub(crate) fn text(&self) -> &str {
        &self.0
    }
}

impl IntoResponse for Page {
    fn into_response(self) -> Response {
        let headers =
            [(header::CONTENT_SECURITY_POLICY, POLICY), (header::REFERRER_POLICY, "no-referrer")];
        (headers, Html(self.0)).into_response()
    }
}

/// Text that becomes no markup, also between quotation marks.
pub(crate) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
