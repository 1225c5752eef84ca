//! The one page of the authorization endpoint: what is asked for, by whom it is issued, and a field for digits. It
//! needs no script, loads nothing, and is shown in no frame.

use axum::http::header;
use axum::response::{Html, IntoResponse, Response};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::LazyLock;
use yufu_openid4vc::issuance::Display;

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:30rem;margin:3rem auto;padding:0 1rem}input{font-size:1.4rem;width:9rem;letter-spacing:.2rem}button{font-size:1rem;padding:.4rem 1rem;margin-right:.6rem}";

/// The page.
pub(crate) struct Page(String);

/// The words of one language, as the file of messages holds them.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Words {
    title: String,
    asks: String,
    digits: String,
    agree: String,
    decline: String,
}

static WORDS: LazyLock<BTreeMap<String, Words>> = LazyLock::new(|| {
    toml::from_str(include_str!("../../../messages/authorization.toml")).unwrap_or_else(|error| {
        tracing::error!(%error, "the words of the authorization page were not understood");
        BTreeMap::new()
    })
});

impl Page {
    /// The page for a request: the issuer's name and the credentials', whose request it is, whether digits are needed.
    pub(super) fn new<'d>(
        (issuer, credentials): (&[Display], impl Iterator<Item = &'d [Display]>),
        (client_id, request_uri): (&str, &str),
        digits: bool,
        language: &str,
    ) -> Self {
        let none = Words::default();
        let words = WORDS.get(language).or_else(|| WORDS.get("en")).unwrap_or(&none);
        let items: String = credentials
            .map(|names| format!("<li>{}</li>", escape(named(names, language))))
            .collect();
        let field = if digits {
            format!(
                "<p><label>{} <input name=\"tx_code\" inputmode=\"numeric\" autocomplete=\"off\" required></label></p>",
                words.digits
            )
        } else {
            String::new()
        };
        Self(format!(
            "<!doctype html><html lang=\"{language}\"><head><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\
             <title>{title}</title><style>{STYLE}</style></head><body><h1>{title}</h1>\
             <p>{issuer}</p><p>{asks}</p><ul>{items}</ul><form method=\"post\">\
             <input type=\"hidden\" name=\"client_id\" value=\"{client_id}\">\
             <input type=\"hidden\" name=\"request_uri\" value=\"{request_uri}\">{field}\
             <p><button name=\"decision\" value=\"agree\">{agree}</button>\
             <button name=\"decision\" value=\"decline\" formnovalidate>{decline}</button></p>\
             </form></body></html>",
            language = escape(language),
            title = words.title,
            asks = words.asks,
            agree = words.agree,
            decline = words.decline,
            issuer = escape(named(issuer, language)),
            client_id = escape(client_id),
            request_uri = escape(request_uri),
        ))
    }
}

impl IntoResponse for Page {
    fn into_response(self) -> Response {
        let policy = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'";
        let headers =
            [(header::CONTENT_SECURITY_POLICY, policy), (header::REFERRER_POLICY, "no-referrer")];
        (headers, Html(self.0)).into_response()
    }
}

/// A name in the language, or the first one.
fn named<'d>(names: &'d [Display], language: &str) -> &'d str {
    let fits = |entry: &&Display| {
        entry.locale.as_deref().is_some_and(|locale| language.starts_with(locale))
    };
    names.iter().find(fits).or(names.first()).map_or("", |entry| entry.name.as_str())
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn display(name: &str, locale: &str) -> Display {
        Display { name: name.to_owned(), locale: Some(locale.to_owned()) }
    }

    #[test]
    fn the_page_speaks_the_persons_language_and_nothing_in_it_becomes_markup() {
        let issuer = [display("身份局", "zh"), display("<b>Authority", "en")];
        let pid = [display("身份证", "zh"), display("Identity", "en")];
        let page = |language| {
            let credentials = std::iter::once(pid.as_slice());
            Page::new((&issuer, credentials), ("\"><script>", "urn:x"), true, language).0
        };
        let (zh, en) = (page("zh"), page("en"));
        assert!(zh.contains("身份局") && zh.contains("身份证") && zh.contains("不领取"));
        assert!(en.contains("&lt;b&gt;Authority") && en.contains("Identity"));
        assert!(!en.contains("<script>") && en.contains("name=\"tx_code\""));
    }
}
