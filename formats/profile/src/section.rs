//! Reads a TOML table strictly: every missing, unknown or wrong field is reported with its
//! place, and reading goes on, so that one run shows everything.

use crate::error::{Findings, ProfileErrors};
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::ops::Range;
use std::rc::Rc;
use std::str::FromStr;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Where a value stands in the text, in bytes.
pub(crate) type Span = Range<usize>;

/// A table that is being read. Each field is asked for once by name;
/// [`Section::finish`] reports those nobody asked for.
pub(crate) struct Section<'t, 'f, 'a> {
    findings: &'t RefCell<Findings<'f>>,
    table: &'t DeTable<'a>,
    span: Span,
    asked: BTreeSet<String>,
    languages: Rc<Vec<String>>,
}

/// Parses `text` and hands its root table to `read`; the value counts only if nothing is wrong.
/// Texts are read in `languages`.
pub(crate) fn read_toml<T>(
    file: &str,
    text: &str,
    languages: &[String],
    read: impl FnOnce(Section<'_, '_, '_>) -> Option<T>,
) -> Result<T, ProfileErrors> {
    let mut findings = Findings::new(file, text);
    let (root, errors) = DeTable::parse_recoverable(text);
    for error in &errors {
        let span = error.span().unwrap_or(0..0);
        findings.at(&span, format!("not TOML: {}", error.message()), "TOML 1.0");
    }
    if !findings.is_clean() {
        return findings.conclude(None);
    }
    let findings = RefCell::new(findings);
    let value = read(Section {
        findings: &findings,
        table: root.get_ref(),
        span: root.span(),
        asked: BTreeSet::new(),
        languages: Rc::new(languages.to_vec()),
    });
    findings.into_inner().conclude(value)
}

impl<'t, 'f, 'a> Section<'t, 'f, 'a> {
    /// Where this table stands.
    pub(crate) fn span(&self) -> Span {
        self.span.clone()
    }

    /// The languages that texts are to be in, the default first.
    pub(crate) fn languages(&self) -> Rc<Vec<String>> {
        Rc::clone(&self.languages)
    }

    /// Texts from here on are to be in `languages`.
    pub(crate) fn speak(&mut self, languages: Vec<String>) {
        self.languages = Rc::new(languages);
    }

    /// Reports at `span`.
    pub(crate) fn report(&self, span: &Span, what: impl Into<String>, expected: &str) {
        self.findings.borrow_mut().at(span, what, expected);
    }

    /// A field that may be left out.
    pub(crate) fn optional(&mut self, key: &str) -> Option<&'t Spanned<DeValue<'a>>> {
        self.asked.insert(key.to_owned());
        self.table.get(key)
    }

    /// Whether a field is there; it still has to be asked for.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// Whether a field is there and is a text.
    pub(crate) fn is_text(&self, key: &str) -> bool {
        self.table.get(key).is_some_and(|value| value.get_ref().is_str())
    }

    fn required(&mut self, key: &str, kind: &str) -> Option<&'t Spanned<DeValue<'a>>> {
        let value = self.optional(key);
        if value.is_none() {
            let (span, expected) = (self.span(), format!("`{key}`, {kind}"));
            self.report(&span, format!("`{key}` is missing"), &expected);
        }
        value
    }

    fn wrong(&self, key: &str, value: &Spanned<DeValue<'a>>, kind: &str) {
        let what = format!("`{key}` is a {}", value.get_ref().type_str());
        self.report(&value.span(), what, kind);
    }

    /// A text, not empty.
    pub(crate) fn text(&mut self, key: &str) -> Option<(String, Span)> {
        let value = self.required(key, "a text")?;
        self.as_text(key, value)
    }

    /// A text that may be empty.
    pub(crate) fn any_text(&mut self, key: &str) -> Option<String> {
        let value = self.required(key, "a text")?;
        let text = value.get_ref().as_str().map(str::to_owned);
        if text.is_none() {
            self.wrong(key, value, "a text");
        }
        text
    }

    fn as_text(&self, key: &str, value: &Spanned<DeValue<'a>>) -> Option<(String, Span)> {
        match value.get_ref().as_str() {
            Some(text) if !text.trim().is_empty() => Some((text.to_owned(), value.span())),
            Some(_) => {
                self.report(&value.span(), format!("`{key}` is empty"), "a text");
                None
            }
            None => {
                self.wrong(key, value, "a text");
                None
            }
        }
    }

    /// A text that no sibling has; those seen are in `seen`.
    pub(crate) fn unique_text(&mut self, key: &str, seen: &mut BTreeSet<String>) -> Option<String> {
        let (text, span) = self.text(key)?;
        if !seen.insert(text.clone()) {
            self.report(&span, format!("`{key}` {text:?} is given twice"), "each once");
        }
        Some(text)
    }

    /// A text that parses as a `T`; `expected` says what one is.
    pub(crate) fn parsed<T: FromStr>(&mut self, key: &str, expected: &str) -> Option<(T, Span)> {
        let (text, span) = self.text(key)?;
        match text.parse() {
            Ok(value) => Some((value, span)),
            Err(_) => {
                self.report(&span, format!("`{key}` is {text:?}"), expected);
                None
            }
        }
    }

    /// Whether something holds; it does not if it is left out.
    pub(crate) fn flag(&mut self, key: &str) -> bool {
        let Some(value) = self.optional(key) else { return false };
        let flag = value.get_ref().as_bool();
        if flag.is_none() {
            self.wrong(key, value, "true or false");
        }
        flag.unwrap_or(false)
    }

    /// One of a closed set of words.
    pub(crate) fn word<T: Copy>(&mut self, key: &str, words: &[(&str, T)]) -> Option<(T, Span)> {
        let (text, span) = self.text(key)?;
        let found = words.iter().find(|(word, _)| *word == text);
        if found.is_none() {
            let allowed: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            let expected = format!("one of {}", allowed.join(", "));
            self.report(&span, format!("`{key}` is {text:?}"), &expected);
        }
        found.map(|(_, value)| (*value, span))
    }

    /// A whole number that fits `T` (which is unsigned, so that a negative one is refused).
    pub(crate) fn whole<T: TryFrom<i64>>(&mut self, key: &str) -> Option<T> {
        let value = self.required(key, "a whole number, not negative")?;
        self.as_whole(key, value)
    }

    pub(crate) fn as_whole<T: TryFrom<i64>>(
        &self,
        key: &str,
        value: &Spanned<DeValue<'a>>,
    ) -> Option<T> {
        let Some(number) = value.get_ref().as_integer() else {
            self.wrong(key, value, "a whole number, not negative");
            return None;
        };
        let parsed = i64::from_str_radix(number.as_str(), number.radix()).ok();
        let fits = parsed.and_then(|n| T::try_from(n).ok());
        if fits.is_none() {
            let what = format!("`{key}` is {}, out of range", number.as_str());
            self.report(&value.span(), what, "a whole number, not negative");
        }
        fits
    }

    /// A date and time with offset, as milliseconds since the epoch.
    pub(crate) fn moment(&mut self, key: &str) -> Option<(yufu_base::Timestamp, Span)> {
        const KIND: &str = "a date and time with offset since 1970, 1991-09-15T02:00:00+09:00";
        let value = self.required(key, KIND)?;
        let moment = value.get_ref().as_datetime().map(ToString::to_string);
        let parsed = moment.and_then(|text| text.parse::<jiff::Timestamp>().ok());
        match parsed.and_then(|at| u64::try_from(at.as_millisecond()).ok()) {
            Some(millis) => Some((yufu_base::Timestamp::from_millis(millis), value.span())),
            None => {
                self.wrong(key, value, KIND);
                None
            }
        }
    }

    /// A list whose elements `read` turns into values; a list of tables included.
    pub(crate) fn list<T>(
        &mut self,
        key: &str,
        mut read: impl FnMut(&Self, &'t Spanned<DeValue<'a>>) -> Option<T>,
    ) -> Option<Vec<T>> {
        let value = self.required(key, "a list")?;
        let Some(items) = value.get_ref().as_array() else {
            self.wrong(key, value, "a list");
            return None;
        };
        let read: Vec<Option<T>> = items.iter().map(|item| read(self, item)).collect();
        read.into_iter().collect()
    }

    /// A list of texts.
    pub(crate) fn texts(&mut self, key: &str) -> Option<Vec<(String, Span)>> {
        self.list(key, |section, item| section.as_text(key, item))
    }

    /// A list of tables; an empty one is refused.
    pub(crate) fn tables<T>(
        &mut self,
        key: &str,
        mut read: impl FnMut(Self) -> Option<T>,
    ) -> Option<Vec<T>> {
        let list = self.list(key, |section, item| read(section.as_table(key, item)?))?;
        if list.is_empty() {
            let span = self.span();
            self.report(&span, format!("`{key}` is empty"), "at least one");
            return None;
        }
        Some(list)
    }

    /// A table within this one.
    pub(crate) fn table(&mut self, key: &str) -> Option<Self> {
        let value = self.required(key, "a table")?;
        self.as_table(key, value)
    }

    fn as_table(&self, key: &str, value: &'t Spanned<DeValue<'a>>) -> Option<Self> {
        let Some(table) = value.get_ref().as_table() else {
            self.wrong(key, value, "a table");
            return None;
        };
        let asked = BTreeSet::new();
        let languages = Rc::clone(&self.languages);
        Some(Section { findings: self.findings, table, span: value.span(), asked, languages })
    }

    /// Reports every field that nobody asked for.
    pub(crate) fn finish(self) {
        for (key, _) in self.table.iter() {
            if !self.asked.contains(key.get_ref().as_ref()) {
                let known: Vec<&str> = self.asked.iter().map(String::as_str).collect();
                let expected = format!("only {}", known.join(", "));
                self.report(&key.span(), format!("`{}` is unknown", key.get_ref()), &expected);
            }
        }
    }
}
