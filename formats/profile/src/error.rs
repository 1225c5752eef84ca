//! Where and why a profile is wrong: file, line, column, what was found, what was expected.

use std::fmt;
use std::ops::Range;

/// One thing wrong in a file of a profile. Lines and columns count from 1, columns in
/// characters, so that an editor jumps to the place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}:{column}: {what}, expected {expected}")]
pub struct ProfileError {
    /// The file as it was named by the caller, such as `my-country/residents.csv`.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// What is there.
    pub what: String,
    /// What should be there.
    pub expected: String,
}

/// Everything wrong in a profile, in the order found; never empty.
/// At most [`ProfileErrors::BOUND`] are kept per file, the rest only counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProfileErrors {
    errors: Vec<ProfileError>,
    further: usize,
}

impl ProfileErrors {
    /// How many errors of one file are kept.
    pub const BOUND: usize = 20;

    /// The errors kept, in the order found.
    #[must_use]
    pub fn errors(&self) -> &[ProfileError] {
        &self.errors
    }

    /// How many more there were.
    #[must_use]
    pub const fn further(&self) -> usize {
        self.further
    }

    /// One error about a file as a whole.
    pub(crate) fn whole_file(file: &str, what: String, expected: &str) -> Self {
        let expected = expected.to_owned();
        let error = ProfileError { file: file.to_owned(), line: 1, column: 1, what, expected };
        Self { errors: vec![error], further: 0 }
    }

    pub(crate) fn join(mut self, other: Self) -> Self {
        self.errors.extend(other.errors);
        self.further = self.further.saturating_add(other.further);
        self
    }
}

impl fmt::Display for ProfileErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.errors.iter().enumerate() {
            let separator = if index == 0 { "" } else { "\n" };
            write!(f, "{separator}{error}")?;
        }
        match self.further {
            0 => Ok(()),
            more => write!(f, "\nand {more} more: correct these first"),
        }
    }
}

impl std::error::Error for ProfileErrors {}

/// Collects what is wrong in one file, up to the bound.
#[derive(Debug)]
pub(crate) struct Findings<'a> {
    file: &'a str,
    text: &'a str,
    errors: Vec<ProfileError>,
    further: usize,
}

impl<'a> Findings<'a> {
    pub(crate) const fn new(file: &'a str, text: &'a str) -> Self {
        Self { file, text, errors: Vec::new(), further: 0 }
    }

    /// Reports at the start of a byte range of the text.
    pub(crate) fn at(&mut self, span: &Range<usize>, what: impl Into<String>, expected: &str) {
        let (line, column) = position(self.text, span.start);
        self.at_line(line, column, what, expected);
    }

    pub(crate) fn at_line(
        &mut self,
        line: usize,
        column: usize,
        what: impl Into<String>,
        expected: &str,
    ) {
        if self.errors.len() >= ProfileErrors::BOUND {
            self.further = self.further.saturating_add(1);
            return;
        }
        let (file, expected) = (self.file.to_owned(), expected.to_owned());
        self.errors.push(ProfileError { file, line, column, what: what.into(), expected });
    }

    pub(crate) const fn is_clean(&self) -> bool {
        self.errors.is_empty()
    }

    /// The value if nothing was found wrong, else the findings.
    pub(crate) fn conclude<T>(self, value: Option<T>) -> Result<T, ProfileErrors> {
        match value {
            Some(value) if self.errors.is_empty() => Ok(value),
            _ if self.errors.is_empty() => {
                // A reader that yields nothing reports why; this keeps that from being silent.
                let what = "the file could not be read".to_owned();
                Err(ProfileErrors::whole_file(self.file, what, "a complete profile"))
            }
            _ => Err(ProfileErrors { errors: self.errors, further: self.further }),
        }
    }
}

fn position(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.bytes().filter(|&b| b == b'\n').count().saturating_add(1);
    let start = before.rfind('\n').map_or(0, |at| at.saturating_add(1));
    let column = before.get(start..).map_or(0, |rest| rest.chars().count()).saturating_add(1);
    (line, column)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters_and_lines_count_from_one() {
        let text = "一二\n三 = 四";
        assert_eq!(position(text, 0), (1, 1));
        assert_eq!(position(text, text.find('四').unwrap()), (2, 5));
    }

    #[test]
    fn an_error_reads_as_file_line_column_what_expected() {
        let mut findings = Findings::new("a.toml", "x\ny");
        findings.at(&(2..3), "y is odd", "an even one");
        let errors = findings.conclude(Some(())).unwrap_err();
        assert_eq!(errors.to_string(), "a.toml:2:1: y is odd, expected an even one");
    }

    #[test]
    fn beyond_the_bound_errors_are_only_counted() {
        let mut findings = Findings::new("a", "x");
        for _ in 0..25 {
            findings.at(&(0..1), "w", "e");
        }
        let errors = findings.conclude(Some(())).unwrap_err();
        assert_eq!((errors.errors().len(), errors.further()), (20, 5));
        assert!(errors.to_string().ends_with("and 5 more: correct these first"));
    }
}
