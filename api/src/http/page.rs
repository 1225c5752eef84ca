//! Pages that a person meets on the way between a wallet and an institution: one look in light and dark, no script but
//! the institution's own where a page says so, nothing loaded from elsewhere, shown in no frame.

use super::{Language, page_words};
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
/// The same for a page that runs a script of this very server, which may ask this server and the browser's wallets.
const RUNNING_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// A page.
#[derive(Debug)]
pub(crate) struct Page {
    text: String,
    policy: &'static str,
}

impl Page {
    /// A page with this title, which is also its heading, and this markup below it.
    pub(crate) fn new(language: Language, title: &str, markup: &str) -> Self {
        let text = format!(
            "<!doctype html><html lang=\"{language}\"><head><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\
             <title>{title}</title><style>{STYLE}</style></head>\
             <body><h1>{title}</h1>{markup}</body></html>",
            language = language.tag(),
            title = escape(title),
        );
        Self { text, policy: POLICY }
    }

    /// The page, running the script at this address of the same server.
    pub(crate) fn running(mut self, script: &str) -> Self {
        let script = format!("<script src=\"{}\"></script></body></html>", escape(script));
        self.text = self.text.replace("</body></html>", &script);
        self.policy = RUNNING_POLICY;
        self
    }

    /// The page as it is sent.
    #[cfg(test)]
    pub(crate) fn text(&self) -> &str {
        &self.text
    }
}

impl IntoResponse for Page {
    fn into_response(self) -> Response {
        let headers = [
            (header::CONTENT_SECURITY_POLICY, self.policy),
            (header::REFERRER_POLICY, "no-referrer"),
        ];
        (headers, Html(self.text)).into_response()
    }
}

/// A page that leads to a presentation: what it asks, the link, and whether the page goes on by itself afterwards.
pub(crate) fn confirmation(language: Language, asks: &str, link: &str, goes_on: bool) -> Page {
    let words = &page_words(language).confirmation;
    let then = if goes_on {
        format!("<p>{} <a href=\"\">{}</a></p>", words.then, words.back)
    } else {
        String::new()
    };
    let markup = format!(
        "<p>{asks}</p><p><a href=\"{link}\">{open}</a></p>{then}",
        link = escape(link),
        open = words.open,
    );
    Page::new(language, &words.title, &markup)
}

/// Text that becomes no markup, also between quotation marks.
pub(crate) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
