//! What is looked for: each value as it is, and as programs write it down in other ways.

use crate::words::text;
use aho_corasick::{AhoCorasick, MatchKind};
use anyhow::{Context, Result, ensure};
use serde::Serialize;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;
use yufu_jose::encode_base64url;

/// A value of fewer bytes is found everywhere by chance.
const LEAST: usize = 6;

/// A value that was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(super) struct Hit {
    /// Which, by its number in the file of values, from 1.
    pub(super) value: usize,
    /// How it was written.
    pub(super) encoding: &'static str,
}

/// Everything that is looked for, at once.
pub(super) struct Needles {
    automaton: AhoCorasick,
    hits: Vec<Hit>,
    values: usize,
}

impl Needles {
    /// From a file with one value a line.
    pub(super) fn read(file: &Path) -> Result<Self> {
        let cannot = || text!("{path} cannot be read", path = file.display());
        let read = fs::read_to_string(file).with_context(cannot)?;
        let values: Vec<&str> =
            read.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        Self::of(&values)
    }

    pub(super) fn of(values: &[&str]) -> Result<Self> {
        ensure!(!values.is_empty(), text!("there is no value to look for: one a line"));
        let (mut patterns, mut hits) = (Vec::new(), Vec::new());
        for (value, number) in values.iter().zip(1..) {
            ensure!(
                value.len() >= LEAST,
                text!(
                    "value {number} is too short to say anything: {least} bytes at least",
                    number = number,
                    least = LEAST
                )
            );
            for (encoding, pattern) in written(value) {
                patterns.push(pattern);
                hits.push(Hit { value: number, encoding });
            }
        }
        let mut builder = AhoCorasick::builder();
        // Hexadecimal digits and percent signs come in both cases, and so do some letters of numbers.
        builder.ascii_case_insensitive(true).match_kind(MatchKind::Standard);
        let automaton = builder
            .build(&patterns)
            .with_context(|| text!("there are too many values to look for at once"))?;
        Ok(Self { automaton, hits, values: values.len() })
    }

    /// How many values are looked for.
    pub(super) const fn values(&self) -> usize {
        self.values
    }

    /// What stands in these bytes.
    pub(super) fn in_bytes(&self, bytes: &[u8]) -> BTreeSet<Hit> {
        let found = self.automaton.find_overlapping_iter(bytes);
        found.filter_map(|found| self.hits.get(found.pattern().as_usize()).copied()).collect()
    }

    /// What stands in a file, whatever its size.
    pub(super) fn in_file(&self, path: &Path) -> io::Result<BTreeSet<Hit>> {
        self.in_stream(File::open(path)?)
    }

    /// What stands in whatever is read, to its end.
    pub(super) fn in_stream(&self, read: impl Read) -> io::Result<BTreeSet<Hit>> {
        let mut found = BTreeSet::new();
        for hit in self.automaton.stream_find_iter(read) {
            found.extend(self.hits.get(hit?.pattern().as_usize()).copied());
        }
        Ok(found)
    }
}

/// The ways in which a value is written, with their names.
fn written(value: &str) -> Vec<(&'static str, Vec<u8>)> {
    let bytes = value.as_bytes();
    let mut all = vec![("text", bytes.to_vec())];
    let mut hexadecimal = String::new();
    let mut percent = String::new();
    for byte in bytes {
        let _ = write!(hexadecimal, "{byte:02x}");
        let plain = byte.is_ascii_alphanumeric();
        let _ = if plain {
            write!(percent, "{}", char::from(*byte))
        } else {
            write!(percent, "%{byte:02x}")
        };
    }
    let (mut escaped, mut little, mut big) = (String::new(), Vec::new(), Vec::new());
    for unit in value.encode_utf16() {
        little.extend(unit.to_le_bytes());
        big.extend(unit.to_be_bytes());
        let ascii = u8::try_from(unit).ok().filter(u8::is_ascii);
        let _ = match ascii {
            Some(byte) => write!(escaped, "{}", char::from(byte)),
            None => write!(escaped, "\\u{unit:04x}"),
        };
    }
    all.extend([
        ("hexadecimal", hexadecimal.into_bytes()),
        ("UTF-16LE", little),
        ("UTF-16BE", big),
        ("JSON escapes", escaped.into_bytes()),
        ("percent-encoded", percent.into_bytes()),
    ]);
    for before in 0..3 {
        let url = within_base64(bytes, before);
        all.push(("base64url", url.clone().into_bytes()));
        all.push(("base64", url.replace('-', "+").replace('_', "/").into_bytes()));
    }
    // What is as in the text says nothing new.
    all.dedup_by(|one, other| one.1 == other.1);
    all.retain(|(name, pattern)| *name == "text" || pattern != bytes);
    all
}

/// The characters that stand for `bytes` in base64, whatever comes before and after, with `before` bytes left over from
/// the last group of three.
fn within_base64(bytes: &[u8], before: usize) -> String {
    let padded = [vec![0; before], bytes.to_vec()].concat();
    let whole = encode_base64url(&padded);
    // 6 bits a character: those that hold a bit of what is before, or after, are not the value's alone.
    let first = before.saturating_mul(8).div_ceil(6);
    let last = padded.len().saturating_mul(8).checked_div(6).unwrap_or(0);
    whole.get(first..last).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAME: &str = "欧阳-Quillon";

    fn found(bytes: &[u8]) -> Vec<&'static str> {
        let needles = Needles::of(&[NAME]).unwrap();
        needles.in_bytes(bytes).into_iter().map(|hit| hit.encoding).collect()
    }

    #[test]
    fn a_value_is_found_however_it_is_written() {
        assert_eq!(found(format!("x{NAME}y").as_bytes()), ["text"]);
        let hexadecimal: String = NAME.bytes().map(|byte| format!("{byte:02X}")).collect();
        assert_eq!(found(hexadecimal.as_bytes()), ["hexadecimal"]);
        let units: Vec<u16> = NAME.encode_utf16().collect();
        let little: Vec<u8> = units.iter().flat_map(|unit| unit.to_le_bytes()).collect();
        let big: Vec<u8> = units.iter().flat_map(|unit| unit.to_be_bytes()).collect();
        assert_eq!((found(&little), found(&big)), (vec!["UTF-16LE"], vec!["UTF-16BE"]));
        assert_eq!(found(br#""\u6B27\u9633-Quillon""#), ["JSON escapes"]);
        assert_eq!(found(b"?n=%E6%AC%A7%E9%98%B3%2DQuillon"), ["percent-encoded"]);
        assert!(found(b"something else").is_empty());
    }

    #[test]
    fn a_value_is_found_in_base64_at_every_alignment_and_with_anything_around_it() {
        for before in 0..6 {
            for after in 0..4 {
                let text = format!("{}{NAME}{}", "q".repeat(before), "z".repeat(after));
                let url = encode_base64url(&text);
                assert!(!found(url.as_bytes()).is_empty(), "{before} before, {after} after");
                let standard = url.replace('-', "+").replace('_', "/");
                assert!(!found(standard.as_bytes()).is_empty(), "{before} before, {after} after");
            }
        }
    }

    #[test]
    fn what_is_too_short_is_refused() {
        assert!(Needles::of(&["Li Hua"]).is_ok());
        assert!(Needles::of(&["Li"]).is_err() && Needles::of(&[]).is_err());
    }

    #[test]
    fn a_file_is_searched_across_the_bounds_of_what_is_read_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        let needles = Needles::of(&[NAME]).unwrap();
        for before in (65_500..65_560).chain([8_180, 200_000]) {
            fs::write(&file, format!("{}{NAME}{}", ".".repeat(before), ".".repeat(100))).unwrap();
            assert_eq!(needles.in_file(&file).unwrap().len(), 1, "after {before} bytes");
        }
    }
}
