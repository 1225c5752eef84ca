//! The front page in each language: which one a visitor is shown.

use crate::http::weighted;
use std::collections::BTreeMap;

/// One page in several languages.
pub struct Pages {
    /// The language of whoever asks for none that there is.
    default: String,
    /// The page by language (BCP 47).
    by_language: BTreeMap<String, String>,
}

impl Pages {
    /// The page in its languages; `default` is one of them.
    #[must_use]
    pub fn new(default: String, by_language: BTreeMap<String, String>) -> Self {
        Self { default, by_language }
    }

    /// The page in the language `asked` for by name, else in the first of those that the browser
    /// prefers (RFC 9110, section 12.5.4), else in the default language.
    pub(super) fn choose(&self, asked: Option<&str>, accepted: Option<&str>) -> &str {
        let preferred = asked.into_iter().map(str::to_owned).chain(by_preference(accepted));
        let found = preferred.into_iter().find_map(|language| self.in_language(&language));
        found.or_else(|| self.in_language(&self.default)).unwrap_or_default()
    }

    fn in_language(&self, tag: &str) -> Option<&str> {
        let primary = tag.split('-').next().unwrap_or_default();
        self.by_language.get(tag).or_else(|| self.by_language.get(primary)).map(String::as_str)
    }
}

/// The languages of an `Accept-Language` header, the most wanted first; those refused (`q=0`) left out.
fn by_preference(header: Option<&str>) -> Vec<String> {
    let elements = header.unwrap_or_default().split(',').filter_map(weighted);
    let mut wanted: Vec<(&str, u16)> = elements.filter(|(_, quality)| *quality > 0).collect();
    wanted.sort_by_key(|(_, quality)| std::cmp::Reverse(*quality));
    wanted.into_iter().map(|(range, _)| range.to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_visitor_is_shown_the_language_asked_for_then_the_browsers_then_the_default() {
        let page = |tag: &str| (tag.to_owned(), format!("page {tag}"));
        let pages = Pages::new("eo".to_owned(), [page("eo"), page("de"), page("en")].into());
        for (asked, accepted, shown) in [
            (None, None, "page eo"),
            (Some("de"), Some("en"), "page de"),
            (Some("de-CH"), None, "page de"),
            (Some("fr"), Some("fr, en;q=0.5"), "page en"),
            (None, Some("fr, en;q=0.2, de;q=0.75"), "page de"),
            (None, Some("de;q=0, *"), "page eo"),
            (None, Some("de;q=0.0000, en;q=9"), "page eo"),
        ] {
            assert_eq!(pages.choose(asked, accepted), shown, "{asked:?} {accepted:?}");
        }
    }
}
