//! A text in several languages, as ETSI TS 119 475 writes it: `[{"lang": ..., "value": ...}]`.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A text in at least one language, each named by its BCP 47 tag, such as `zh` or `en`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "Vec<Entry>", into = "Vec<Entry>")]
pub struct Localized(BTreeMap<String, String>);

impl Localized {
    /// A text in one language.
    #[must_use]
    pub fn new(lang: impl Into<String>, value: impl Into<String>) -> Self {
        Self(BTreeMap::from([(lang.into(), value.into())]))
    }

    /// The same with another language.
    #[must_use]
    pub fn with(mut self, lang: impl Into<String>, value: impl Into<String>) -> Self {
        self.0.insert(lang.into(), value.into());
        self
    }

    /// The text in `lang`; else in that language without its region, else in English, else in the first
    /// language there is.
    #[must_use]
    pub fn get(&self, lang: &str) -> &str {
        let primary = lang.split('-').next().unwrap_or_default();
        let asked = self.0.get(lang).or_else(|| self.0.get(primary));
        let found = asked.or_else(|| self.0.get("en")).or_else(|| self.0.values().next());
        found.map_or("", String::as_str)
    }

    /// All languages with their texts.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(lang, value)| (lang.as_str(), value.as_str()))
    }
}

#[derive(Clone, Serialize, Deserialize)]
struct Entry {
    lang: String,
    value: String,
}

impl TryFrom<Vec<Entry>> for Localized {
    type Error = &'static str;

    fn try_from(entries: Vec<Entry>) -> Result<Self, &'static str> {
        let mut texts = BTreeMap::new();
        for Entry { lang, value } in entries {
            if texts.insert(lang, value).is_some() {
                return Err("a text is given twice in one language");
            }
        }
        if texts.is_empty() { Err("a text is given in no language") } else { Ok(Self(texts)) }
    }
}

impl From<Localized> for Vec<Entry> {
    fn from(text: Localized) -> Self {
        text.0.into_iter().map(|(lang, value)| Entry { lang, value }).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_missing_language_falls_back_to_english_then_to_any() {
        let both = Localized::new("zh", "宾馆").with("en", "Hotel");
        assert_eq!((both.get("zh"), both.get("fr")), ("宾馆", "Hotel"));
        assert_eq!((both.get("zh-TW"), both.get("en-GB")), ("宾馆", "Hotel"));
        assert_eq!(Localized::new("zh", "宾馆").get("fr"), "宾馆");
    }

    #[test]
    fn no_language_and_one_language_twice_are_refused() {
        let twice = json!([{"lang": "en", "value": "a"}, {"lang": "en", "value": "b"}]);
        for bad in [json!([]), twice] {
            assert!(serde_json::from_value::<Localized>(bad).is_err());
        }
    }
}
