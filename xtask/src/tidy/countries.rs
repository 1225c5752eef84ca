//! A country is data: product code holds nothing of the one in `profiles/china`. Tests, examples,
//! profiles and documents may.

use crate::run;
use anyhow::Result;
use std::fs;

/// Where product code lies.
const PRODUCT: [&str; 7] =
    ["base/", "formats/", "sessions/", "state/", "runtime/", "records/", "apps/"];
/// The same, of a folder without layers below.
const API: &str = "api/";
/// Files with the program's own words in Chinese, as one of the languages that the program has.
const OWN_WORDS: [&str; 1] = ["apps/yufu/src/city/front_words.rs"];
/// The program's own name.
const NAME: &str = "鱼符";
/// Words of the one country: its currency, and its name.
const WORDS: [&str; 5] = ["CNY", "fen", "yuan", "China", "RMB"];
/// Texts of the one country: its code, and its wallet classes.
const TEXTS: [&str; 6] = ["\"CN\"", "\"I\"", "\"II\"", "\"III\"", "\"IV\"", "¥"];

pub(crate) fn breaches() -> Result<Vec<String>> {
    let files =
        run::output("git", &["ls-files", "--cached", "--others", "--exclude-standard", "*.rs"])?;
    let mut breaches = Vec::new();
    for file in files.lines().filter(|file| is_product(file)) {
        let Ok(text) = fs::read_to_string(file) else { continue };
        breaches.extend(file_breaches(file, &text));
    }
    Ok(breaches)
}

fn is_product(file: &str) -> bool {
    let product = PRODUCT.iter().any(|folder| file.starts_with(folder)) || file.starts_with(API);
    let test = ["/tests/", "/tests.rs", "/examples/"].iter().any(|part| file.contains(part));
    product && !test
}

fn file_breaches(file: &str, text: &str) -> Vec<String> {
    let production = text.lines().take_while(|line| !line.starts_with("#[cfg(test)]"));
    let found = production.enumerate().filter_map(|(index, line)| {
        let what = of_one_country(line, OWN_WORDS.contains(&file))?;
        Some(format!(
            "{file}:{}: {what}: what one country has is data in its profile",
            index.saturating_add(1)
        ))
    });
    found.collect()
}

/// What on a line is of the one country alone.
fn of_one_country(line: &str, own_words: bool) -> Option<String> {
    let plain = line.replace(NAME, "");
    let chinese = |c: &char| matches!(c, '\u{2e80}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{ff00}'..='\u{ffef}');
    if let Some(character) = plain.chars().find(chinese).filter(|_| !own_words) {
        return Some(format!("the character {character}"));
    }
    let mut words = plain.split(|c: char| !c.is_alphanumeric());
    let word = words.find(|word| WORDS.contains(word)).map(str::to_owned);
    word.or_else(|| TEXTS.iter().find(|text| plain.contains(**text)).map(|text| (*text).to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_country_has_is_found_in_product_code_and_not_in_tests() {
        let lines =
            ["//! x", "let sign = \"¥\";", "// minor units (fen)", "#[cfg(test)]", "\"CNY\""];
        let found = file_breaches("base/src/a.rs", &lines.join("\n"));
        assert_eq!(found.len(), 2, "{found:?}");
        for line in ["\"III\"", "\"CN\"", "银行", "1 yuan", "in China"] {
            assert!(of_one_country(line, false).is_some(), "{line}");
        }
        for line in ["鱼符 Yufu", "\"CNX\"", "class III", "deferred", "profiles/china", "\"V1\""]
        {
            assert_eq!(of_one_country(line, false), None, "{line}");
        }
        assert_eq!(of_one_country("\"机构\"", true), None);
    }

    #[test]
    fn product_code_is_what_lies_in_the_layers() {
        assert!(is_product("api/src/bank/mod.rs") && is_product("apps/yufu/src/lib.rs"));
        for other in [
            "xtask/src/main.rs",
            "apps/yufu/tests/demo.rs",
            "testing/fixtures/src/lib.rs",
            "state/machine/src/tests/wire.rs",
        ] {
            assert!(!is_product(other), "{other}");
        }
    }
}
