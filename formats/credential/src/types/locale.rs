//! Language tags (RFC 5646, section 2.1, by their form alone), and the one of several texts that a person reads best
//! (RFC 4647, section 3.4).

use serde::{Deserialize, Serialize};
use std::fmt;

/// The longest tag that is read, in bytes.
const MAX_LENGTH: usize = 35;
/// What is read by most who read none of what there is.
const COMMON: &str = "en";

/// A language tag: `zh`, `en`, `zh-Hans-CN`. Compared without regard to case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Locale(String);

impl Locale {
    /// Reads a tag; `None` if it has not the form of one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('-');
        let fits = |part: &str, least: usize, byte: fn(&u8) -> bool| {
            (least..=8).contains(&part.len()) && part.bytes().all(|one| byte(&one))
        };
        let language = parts.next().is_some_and(|first| fits(first, 2, u8::is_ascii_alphabetic));
        let rest = parts.all(|part| fits(part, 1, u8::is_ascii_alphanumeric));
        (text.len() <= MAX_LENGTH && language && rest).then(|| Self(text.to_owned()))
    }

    /// As it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether two tags are the same.
    #[must_use]
    pub fn is(&self, other: &str) -> bool {
        self.0.eq_ignore_ascii_case(other)
    }

    /// Whether it is `range`, or that with more behind it: `zh-Hant-TW` of `zh`.
    fn is_within(&self, range: &str) -> bool {
        let rest =
            self.0.get(range.len()..).filter(|rest| rest.is_empty() || rest.starts_with('-'));
        rest.is_some()
            && self.0.get(..range.len()).is_some_and(|own| own.eq_ignore_ascii_case(range))
    }
}

/// Of several entries the one for somebody who reads `wanted`: that language as exactly as there is one, then with less
/// and less said of it (`zh-Hant-HK`, `zh-Hant`, `zh`), then English, then whatever comes first.
pub(super) fn best<'a, T>(
    entries: &'a [T],
    locale: impl Fn(&T) -> &Locale,
    wanted: &str,
) -> Option<&'a T> {
    let mut range = wanted;
    loop {
        let exact = entries.iter().find(|entry| locale(entry).is(range));
        if let Some(found) = exact {
            return Some(found);
        }
        match range.rsplit_once('-') {
            Some((shorter, _)) => range = shorter,
            None => break,
        }
    }
    let within = |range: &str| entries.iter().find(|entry| locale(entry).is_within(range));
    within(range).or_else(|| within(COMMON)).or_else(|| entries.first())
}

impl TryFrom<String> for Locale {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text).ok_or_else(|| format!("{text:?} is no language tag"))
    }
}

impl From<Locale> for String {
    fn from(locale: Locale) -> Self {
        locale.0
    }
}

impl fmt::Display for Locale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(wanted: &str, tags: &[&str]) -> String {
        let tags: Vec<Locale> = tags.iter().map(|tag| Locale::parse(tag).unwrap()).collect();
        best(&tags, |tag| tag, wanted).map(ToString::to_string).unwrap_or_default()
    }

    #[test]
    fn a_person_reads_her_language_then_one_like_it_then_english_then_the_first() {
        let both = ["zh", "en"];
        for (wanted, expected) in [
            ("zh", "zh"),
            ("zh-CN", "zh"),
            ("ZH-Hans-CN", "zh"),
            ("en-GB", "en"),
            ("fr", "en"),
            ("", "en"),
        ] {
            assert_eq!(chosen(wanted, &both), expected, "{wanted}");
        }
        assert_eq!(
            chosen("zh", &["en", "zh-CN", "zh-TW"]),
            "zh-CN",
            "a range finds what is within"
        );
        assert_eq!(chosen("zh-TW", &["zh-CN", "zh-tw", "en"]), "zh-tw");
        assert_eq!(chosen("zh-Hant-HK", &["zh", "zh-Hant", "en"]), "zh-Hant");
        assert_eq!(chosen("fr", &["de", "eo"]), "de");
        assert_eq!(chosen("z", &["zh", "de"]), "zh", "nobody speaks z: the first");
        assert_eq!(chosen("en", &[]), "");
    }

    #[test]
    fn a_range_is_no_prefix_of_letters() {
        assert!(Locale::parse("zh-CN").unwrap().is_within("ZH"));
        assert!(!Locale::parse("zhx").unwrap().is_within("zh"));
        assert!(!Locale::parse("zh").unwrap().is_within("zh-CN"));
    }

    #[test]
    fn only_what_has_the_form_of_a_tag_is_one() {
        for good in ["zh", "en-US", "zh-Hans-CN", "de-1996", "xay"] {
            assert!(Locale::parse(good).is_some(), "{good}");
        }
        for bad in ["", "z", "zh_CN", "zh-", "-zh", "12", "zh CN", "zh-\u{4e2d}", "abcdefghi"] {
            assert!(Locale::parse(bad).is_none(), "{bad:?}");
        }
        assert!(Locale::parse(&format!("zh{}", "-abcdefgh".repeat(4))).is_none(), "too long");
    }
}
