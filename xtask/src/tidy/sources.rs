//! Rules for source files: size, an opening that says what the file is for, nothing unfinished.

use crate::run;
use anyhow::Result;
use std::fs;

/// No file is longer than this, tests included.
const LONGEST: usize = 800;
/// Nine files in ten have at most this many production lines.
const NINE_IN_TEN: usize = 400;
/// Half of the files have at most this many production lines.
const MEDIAN: usize = 150;

/// Words that mark unfinished work. Written in two halves, so that this file passes its own rule.
const UNFINISHED: [&str; 6] = [
    concat!("todo", "!("),
    concat!("unimplemented", "!("),
    concat!("#[", "ignore"),
    concat!("FIX", "ME"),
    concat!("XX", "X:"),
    concat!("TO", "DO"),
];

pub(crate) fn breaches() -> Result<Vec<String>> {
    let files =
        run::output("git", &["ls-files", "--cached", "--others", "--exclude-standard", "*.rs"])?;
    let mut breaches = Vec::new();
    let mut lengths = Vec::new();
    for file in files.lines() {
        let Ok(text) = fs::read_to_string(file) else { continue };
        breaches.extend(file_breaches(file, &text));
        if !file.contains("/tests/") {
            lengths.push((production_lines(&text), file.to_owned()));
        }
    }
    lengths.sort();
    let at = |tenths: usize| lengths.get(lengths.len().saturating_mul(tenths) / 10);
    for (tenths, bound) in [(5, MEDIAN), (9, NINE_IN_TEN)] {
        if let Some((lines, file)) = at(tenths).filter(|(lines, _)| *lines > bound) {
            breaches.push(format!("{tenths} files in ten are to have at most {bound} production lines; {file} at that place has {lines}: split the long ones"));
        }
    }
    Ok(breaches)
}

fn file_breaches(file: &str, text: &str) -> Vec<String> {
    let mut breaches = Vec::new();
    let lines = text.lines().count();
    if lines > LONGEST {
        breaches.push(format!(
            "{file} has {lines} lines, more than {LONGEST}: where would its parts feel at home?"
        ));
    }
    if !text.starts_with("//!") {
        breaches.push(format!("{file} does not open with //! and what it is for"));
    }
    for (number, line) in text.lines().enumerate() {
        if let Some(word) = UNFINISHED.iter().find(|word| line.contains(**word)) {
            breaches.push(format!(
                "{file}:{}: {word}: unfinished work does not land",
                number.saturating_add(1)
            ));
        }
    }
    breaches
}

fn production_lines(text: &str) -> usize {
    text.lines().take_while(|line| !line.starts_with("#[cfg(test)]")).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_silent_and_unfinished_files_are_found() {
        let long = format!("//! x\n{}", "\n".repeat(LONGEST));
        assert_eq!(file_breaches("a.rs", &long).len(), 1);
        assert_eq!(file_breaches("a.rs", "fn main() {}").len(), 1);
        assert_eq!(file_breaches("a.rs", &format!("//! x\n{}x)", UNFINISHED[0])).len(), 1);
        assert!(file_breaches("a.rs", "//! x\nfn main() {}").is_empty());
    }

    #[test]
    fn tests_are_not_production() {
        assert_eq!(production_lines("//! x\nfn a() {}\n#[cfg(test)]\nmod tests {}\n"), 2);
    }
}
