//! The words of the pages, in each language.

use super::Language;
use serde::Deserialize;
use std::sync::LazyLock;

/// What the page of an authorization endpoint says.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AuthorizationWords {
    pub(crate) title: String,
    pub(crate) asks: String,
    pub(crate) digits: String,
    pub(crate) sign_in: String,
    pub(crate) agree: String,
    pub(crate) decline: String,
}

/// What the page says that leads to a presentation.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ConfirmationWords {
    pub(crate) title: String,
    pub(crate) asks: String,
    pub(crate) open: String,
    pub(crate) then: String,
    pub(crate) back: String,
}

/// What the page of a verification says.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct VerificationWords {
    pub(crate) title: String,
    pub(crate) ask: String,
    pub(crate) open: String,
    pub(crate) done: String,
    pub(crate) refused: String,
    pub(crate) none: String,
}

/// What the page says that a browser finds where only an app comes back.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReturningWords {
    pub(crate) title: String,
    pub(crate) came: String,
    pub(crate) next: String,
    pub(crate) other: String,
}

/// All pages in one language.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PageWords {
    pub(crate) authorization: AuthorizationWords,
    pub(crate) confirmation: ConfirmationWords,
    pub(crate) verification: VerificationWords,
    pub(crate) returning: ReturningWords,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Every {
    en: PageWords,
    zh: PageWords,
}

static WORDS: LazyLock<Every> = LazyLock::new(|| {
    toml::from_str(include_str!("../../messages/pages.toml")).unwrap_or_else(|error| {
        tracing::error!(%error, "the words of the pages were not understood: they are blank");
        Every::default()
    })
});

/// The words in a language.
pub(crate) fn page_words(language: Language) -> &'static PageWords {
    match language {
        Language::En => &WORDS.en,
        Language::Zh => &WORDS.zh,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_page_has_words_in_every_language() {
        for language in Language::ALL {
            let words = page_words(language);
            assert!(!words.authorization.title.is_empty(), "{language:?}");
            assert!(!words.authorization.sign_in.is_empty(), "{language:?}");
            assert!(!words.confirmation.open.is_empty(), "{language:?}");
            assert!(!words.confirmation.back.is_empty(), "{language:?}");
            assert!(!words.verification.ask.is_empty(), "{language:?}");
            assert!(!words.returning.next.is_empty(), "{language:?}");
        }
    }
}
