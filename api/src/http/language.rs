//! The languages that people are addressed in, and which of them a request asks for.

use axum::http::HeaderValue;
use std::fmt;
use std::str::FromStr;

/// A language in which messages to people are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Language {
    /// English, for whoever asks for none of these.
    #[default]
    En,
    /// Chinese, in simplified characters.
    Zh,
}

/// Not the tag of a language that messages are written in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no language that is spoken here: expected zh or en")]
pub struct LanguageUnknown(String);

impl Language {
    /// All of them, the default first.
    pub const ALL: [Self; 2] = [Self::En, Self::Zh];

    /// The language's tag (RFC 5646).
    #[must_use]
    pub const fn tag(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Zh => "zh",
        }
    }

    /// The language that the values of `Accept-Language` prefer (RFC 9110, section 12.5.4): the one
    /// with the highest quality, of equals the one named first. Script and region are not looked at.
    /// What cannot be read is passed over, and where nothing fits English is given: words are no
    /// reason to refuse a request.
    #[must_use]
    pub fn preferred<'a>(values: impl IntoIterator<Item = &'a HeaderValue>) -> Self {
        let mut any = None;
        let mut named = Self::ALL.map(|language| (language, None));
        let mut place = 0_usize;
        for value in values {
            let Ok(text) = value.to_str() else { continue };
            for (range, quality) in text.split(',').filter_map(weighted) {
                place = place.saturating_add(1);
                let wish = Some(Wish { quality, place: std::cmp::Reverse(place) });
                if range == "*" {
                    any = any.max(wish);
                }
                for (language, best) in &mut named {
                    if language.is_meant_by(range) {
                        *best = (*best).max(wish);
                    }
                }
            }
        }
        let wishes = named.map(|(language, wish)| (wish.or(any), language));
        let wanted = wishes.into_iter().filter(|(wish, _)| wish.is_some_and(|w| w.quality > 0));
        // Of equals (both by `*`) the last would win: the default goes last.
        wanted.rev().max_by_key(|(wish, _)| *wish).map_or_else(Self::default, |(_, found)| found)
    }

    /// Whether a language range or the name of a locale begins with this language.
    fn is_meant_by(self, range: &str) -> bool {
        let primary = range.split(['-', '_', '.', '@']).next().unwrap_or_default();
        primary.eq_ignore_ascii_case(self.tag())
    }
}

impl FromStr for Language {
    type Err = LanguageUnknown;

    /// Reads a tag (`zh`, `zh-Hans-CN`) or the name of a locale (`zh_CN.UTF-8`).
    fn from_str(text: &str) -> Result<Self, LanguageUnknown> {
        let found = Self::ALL.into_iter().find(|language| language.is_meant_by(text));
        found.ok_or_else(|| LanguageUnknown(text.to_owned()))
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.tag())
    }
}

/// How much a language is wanted; of equal qualities the first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Wish {
    quality: u16,
    place: std::cmp::Reverse<usize>,
}

/// One element of the header: a language range and its quality in thousandths. `None` if it breaks the syntax.
pub(crate) fn weighted(element: &str) -> Option<(&str, u16)> {
    let mut parts = element.split(';').map(str::trim);
    let range = parts.next().filter(|range| !range.is_empty())?;
    let quality = match parts.next() {
        Some(weight) => thousandths(weight.strip_prefix("q=").or(weight.strip_prefix("Q="))?)?,
        None => 1000,
    };
    parts.next().is_none().then_some((range, quality))
}

/// A quality value (RFC 9110, section 12.4.2), in thousandths.
fn thousandths(text: &str) -> Option<u16> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = fraction.len() <= 3 && fraction.bytes().all(|digit| digit.is_ascii_digit());
    let whole: u16 = ["0", "1"].iter().position(|known| *known == whole)?.try_into().ok()?;
    let part: u16 = format!("{fraction:0<3}").parse().ok().filter(|_| digits)?;
    whole.checked_mul(1000)?.checked_add(part).filter(|quality| *quality <= 1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn preferred(header: &str) -> Language {
        Language::preferred([&HeaderValue::from_bytes(header.as_bytes()).unwrap()])
    }

    #[test]
    fn the_highest_quality_wins_and_of_equals_the_first() {
        let rows = [
            ("zh", Language::Zh),
            ("zh-CN,zh;q=0.9,en;q=0.8", Language::Zh),
            ("zh-Hans", Language::Zh),
            ("ZH-hans-CN", Language::Zh),
            ("en-GB,en;q=0.9,zh;q=0.8", Language::En),
            ("en;q=0.3, zh;q=0.301", Language::Zh),
            ("en , zh", Language::En),
            ("zh , en", Language::Zh),
            ("fr, de;q=0.9, zh;q=0.1", Language::Zh),
            ("zh;q=0.5, en;q=1.000", Language::En),
            ("en;q=0.1, *;q=0.5", Language::Zh),
            ("*;q=0.5, zh;q=0.4", Language::En),
            ("en;q=0, *", Language::Zh),
            ("zh;q=0", Language::En),
        ];
        for (header, expected) in rows {
            assert_eq!(preferred(header), expected, "{header}");
        }
    }

    #[test]
    fn what_is_unknown_or_malformed_is_passed_over() {
        for header in ["", "*", "fr", "zhx", "en;q=0", "zh;q=2", "zh;q=0.1234", "zh;q=-1", "zh;x"] {
            assert_eq!(preferred(header), Language::En, "{header}");
        }
        for header in [",,;;, zh", "en;q=NaN, zh;q=0.001", "en;q=1;q=1,zh;q=0.2", "e\u{301},zh"] {
            let expected = if header.is_ascii() { Language::Zh } else { Language::En };
            assert_eq!(preferred(header), expected, "{header}");
        }
        assert_eq!(Language::preferred([]), Language::En);
    }

    #[test]
    fn several_header_lines_count_as_one() {
        let lines = [HeaderValue::from_static("en;q=0.2"), HeaderValue::from_static("zh;q=0.4")];
        assert_eq!(Language::preferred(&lines), Language::Zh);
    }

    #[test]
    fn a_locale_names_its_language() {
        assert_eq!("zh_CN.UTF-8".parse(), Ok(Language::Zh));
        assert_eq!("en_GB".parse(), Ok(Language::En));
        assert!("C.UTF-8".parse::<Language>().is_err());
        assert!("".parse::<Language>().is_err());
    }
}
