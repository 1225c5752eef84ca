//! A text in the languages the product is shown in.

use crate::section::Section;

/// The same text in Chinese and in English (BCP 47 `zh` and `en`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    /// Chinese.
    pub zh: String,
    /// English.
    pub en: String,
}

pub(crate) fn read_text(section: &mut Section<'_, '_, '_>, key: &'static str) -> Option<Text> {
    let mut table = section.table(key)?;
    let (zh, en) = (table.text("zh"), table.text("en"));
    table.finish();
    Some(Text { zh: zh?.0, en: en?.0 })
}
