//! The pages of the authorization endpoint: what is asked for, by whom it is issued, and a field for digits; or, without
//! an offer, the way to the wallet.

use crate::http::{Language, Page, confirmation, escape, page_words};
use yufu_openid4vc::issuance::Display;

/// The page for a request: the issuer's name and the credentials', whose request it is, whether digits are needed.
pub(super) fn page<'d>(
    (issuer, credentials): (&[Display], impl Iterator<Item = &'d [Display]>),
    (client_id, request_uri): (&str, &str),
    digits: bool,
    language: Language,
) -> Page {
    let words = &page_words(language).authorization;
    let items: String =
        credentials.map(|names| format!("<li>{}</li>", escape(named(names, language)))).collect();
    let field = if digits {
        format!(
            "<p><label>{} <input name=\"tx_code\" inputmode=\"numeric\" autocomplete=\"off\" required></label></p>",
            words.digits
        )
    } else {
        String::new()
    };
    let markup = format!(
        "<p>{issuer}</p><p>{asks}</p><ul>{items}</ul><form method=\"post\">\
         <input type=\"hidden\" name=\"client_id\" value=\"{client_id}\">\
         <input type=\"hidden\" name=\"request_uri\" value=\"{request_uri}\">{field}\
         <p><button name=\"decision\" value=\"agree\">{agree}</button>\
         <button name=\"decision\" value=\"decline\" formnovalidate>{decline}</button></p></form>",
        asks = words.asks,
        agree = words.agree,
        decline = words.decline,
        issuer = escape(named(issuer, language)),
        client_id = escape(client_id),
        request_uri = escape(request_uri),
    );
    Page::new(language, &words.title, &markup)
}

/// The page that leads to the presentation of a sign-in, and goes on by itself.
pub(super) fn signing_in(link: &str, language: Language) -> Page {
    confirmation(language, &page_words(language).authorization.sign_in, link, true)
}

/// A name in the language, or the first one.
fn named(names: &[Display], language: Language) -> &str {
    let fits = |entry: &&Display| {
        entry.locale.as_deref().is_some_and(|locale| language.tag().starts_with(locale))
    };
    names.iter().find(fits).or(names.first()).map_or("", |entry| entry.name.as_str())
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
            page((&issuer, credentials), ("\"><script>", "urn:x"), true, language)
        };
        let (zh, en) = (page(Language::Zh), page(Language::En));
        let (zh, en) = (zh.text(), en.text());
        assert!(zh.contains("身份局") && zh.contains("身份证") && zh.contains("不领取"));
        assert!(en.contains("&lt;b&gt;Authority") && en.contains("Identity"));
        assert!(!en.contains("<script>") && en.contains("name=\"tx_code\""));
    }
}
