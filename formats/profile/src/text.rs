//! A text in the languages of its profile.

use crate::section::Section;

/// The same text in every language of the profile, the default language first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text(Vec<(String, String)>);

impl Text {
    /// The text in `language` (a BCP 47 tag); else in that language without its region; else in the
    /// profile's default language.
    #[must_use]
    pub fn get(&self, language: &str) -> &str {
        let primary = language.split('-').next().unwrap_or_default();
        let find = |wanted: &str| self.0.iter().find(|(tag, _)| tag == wanted);
        let found = find(language).or_else(|| find(primary)).or_else(|| self.0.first());
        found.map_or("", |(_, text)| text.as_str())
    }

    /// The text in English; else in the profile's default language.
    #[must_use]
    pub fn en(&self) -> &str {
        self.get("en")
    }

    /// Each language's tag with the text, the default language first.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(tag, text)| (tag.as_str(), text.as_str()))
    }
}

/// Reads `languages`: BCP 47 tags, the first is the default.
pub(crate) fn read_languages(root: &mut Section<'_, '_, '_>) -> Option<Vec<String>> {
    let mut languages = Vec::new();
    for (tag, span) in root.texts("languages")? {
        if !is_tag(&tag) || languages.contains(&tag) {
            let expected = "BCP 47 tags such as en or pt-BR, each once";
            root.report(&span, format!("`languages` holds {tag:?}"), expected);
            return None;
        }
        languages.push(tag);
    }
    if languages.is_empty() {
        let span = root.span();
        root.report(&span, "`languages` is empty", "at least one, the default first");
        return None;
    }
    root.speak(languages.clone());
    Some(languages)
}

/// A language of two or three letters, and subtags.
fn is_tag(tag: &str) -> bool {
    let mut parts = tag.split('-');
    let language = parts.next().unwrap_or_default();
    (2..=3).contains(&language.len())
        && language.bytes().all(|b| b.is_ascii_lowercase())
        && parts.all(|part| {
            (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric())
        })
}

/// Reads a text: all languages of the profile, and no others.
pub(crate) fn read_text(section: &mut Section<'_, '_, '_>, key: &'static str) -> Option<Text> {
    let languages = section.languages();
    let mut table = section.table(key)?;
    let texts: Vec<Option<(String, String)>> =
        languages.iter().map(|tag| table.text(tag).map(|(text, _)| (tag.clone(), text))).collect();
    table.finish();
    texts.into_iter().collect::<Option<Vec<_>>>().map(Text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_language_falls_back_to_its_primary_and_then_to_the_default() {
        let entry = |tag: &str, text: &str| (tag.to_owned(), text.to_owned());
        let text = Text(vec![entry("eo", "gastejo"), entry("de", "Gasthaus")]);
        for (asked, shown) in
            [("de", "Gasthaus"), ("de-AT", "Gasthaus"), ("eo", "gastejo"), ("fr", "gastejo")]
        {
            assert_eq!(text.get(asked), shown, "{asked}");
        }
        assert_eq!(text.en(), "gastejo", "a profile need not speak English");
    }

    #[test]
    fn a_language_is_a_tag() {
        assert!(["en", "zh", "pt-BR", "zh-Hant-TW"].into_iter().all(is_tag));
        assert!(!["", "e", "EN", "english", "en_GB", "en-"].into_iter().any(is_tag));
    }
}
