//! A country's texts as they go over the wire.

use yufu_profile::Text;
use yufu_trust::Localized;

/// A text of the profile with all its languages.
#[must_use]
pub fn localized(text: &Text) -> Localized {
    let mut texts = text.iter();
    let (language, first) = texts.next().unwrap_or_default();
    texts.fold(Localized::new(language, first), |all, (language, text)| all.with(language, text))
}
