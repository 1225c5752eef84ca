//! What the program says on the terminal, in the language of the person before it. English stands where
//! it is said; other languages are data (`messages/zh.toml`), found by the English text or by a fault's code.

use serde::Deserialize;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::{LazyLock, OnceLock};
use textwrap::{Options, WordSeparator, WordSplitter, WrapAlgorithm};
use yufu_api::http::{Language, fill};

/// The language of this process, once it is known: of its words, and the tag for names that others give.
static SPOKEN: OnceLock<(Language, String)> = OnceLock::new();
static CHINESE: LazyLock<Words> = LazyLock::new(|| {
    toml::from_str(include_str!("../messages/zh.toml")).unwrap_or_else(|error| {
        eprintln!("messages/zh.toml is not understood, and English is spoken: {error}");
        Words::default()
    })
});

/// The words of a language other than English.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Words {
    /// How an amount of a currency is said.
    money: BTreeMap<String, String>,
    /// By code: what is wrong, and what to do next.
    faults: BTreeMap<String, Fault>,
    /// By the English text.
    texts: BTreeMap<String, String>,
    /// By the name in the demo's report: steps, who acts, places of money, what is learned.
    demo: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fault {
    title: String,
    remedy: String,
}

/// A text in the language of the person: English with named placeholders, and a value for each.
/// `messages/zh.toml` has it under the same English text, or a test says so.
macro_rules! text {
    ($english:literal $(, $name:ident = $value:expr)* $(,)?) => {{
        // With `concat!` a placeholder without a value does not compile.
        let english = std::format!(std::concat!($english), $($name = $value),*);
        let values = [$((std::stringify!($name), std::string::ToString::to_string(&$value))),*];
        $crate::words::translated($english, &values).unwrap_or(english)
    }};
}
/// A text that is kept in English and said later by [`known`].
macro_rules! noted {
    ($english:literal) => {
        $english
    };
}
/// Says a [`text!`] on a line of its own.
macro_rules! say {
    ($($text:tt)*) => { std::println!("{}", $crate::words::plain(&$crate::words::text!($($text)*))) };
}
pub(crate) use {noted, say, text};

/// Sets the language: the one named, else the one of the environment's locale, else English. Counts once.
/// Words that there are not in it are English.
pub(crate) fn speak(named: Option<&str>) {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let locale = || ["LC_ALL", "LC_MESSAGES", "LANG"].into_iter().find_map(variable);
    let of_locale = || tag(&locale()?).ok();
    let tag = named.map(str::to_owned).or_else(of_locale);
    let tag = tag.unwrap_or_else(|| Language::default().tag().to_owned());
    let _ = SPOKEN.set((tag.parse().unwrap_or_default(), tag));
}

/// Reads a language's tag (BCP 47), or the name of a locale: `zh`, `zh-Hans`, `zh_CN.UTF-8`.
pub(crate) fn tag(text: &str) -> Result<String, String> {
    let name = text.split(['.', '@']).next().unwrap_or_default();
    let parts: Vec<&str> = name.split(['-', '_']).collect();
    let fits = |part: &&str| {
        (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric())
    };
    let is_language = parts.first().is_some_and(|first| {
        (2..=3).contains(&first.len()) && first.bytes().all(|byte| byte.is_ascii_alphabetic())
    });
    if is_language && parts.iter().all(fits) {
        Ok(parts.join("-"))
    } else {
        Err(format!("{text:?} is no language's tag: expected such as zh or en"))
    }
}

/// The language of this process's words: English until [`speak`] says otherwise.
pub(crate) fn language() -> Language {
    SPOKEN.get().map(|(language, _)| *language).unwrap_or_default()
}

/// The tag of the language in which names and purposes are shown.
pub(crate) fn tag_spoken() -> &'static str {
    SPOKEN.get().map_or(Language::default().tag(), |(_, tag)| tag)
}

/// The words of the language, unless it is English.
fn words() -> Option<&'static Words> {
    match language() {
        Language::En => None,
        Language::Zh => Some(&CHINESE),
    }
}

/// The text for an English one, its placeholders filled. `None` in English, or if there is none.
pub(crate) fn translated(english: &str, values: &[(&str, String)]) -> Option<String> {
    filled(words()?.texts.get(english)?, values)
}

/// A text without placeholders that was [`noted!`] in English; as it is, if it was not.
pub(crate) fn known(english: &str) -> String {
    translated(english, &[]).unwrap_or_else(|| english.to_owned())
}

/// What persons are told for a name in the demo's report; as it is, if it is nobody's word.
pub(crate) fn in_demo(name: &str) -> String {
    words().and_then(|words| words.demo.get(name)).map_or_else(|| name.to_owned(), String::clone)
}

/// What is said for a fault's code. `None` in English: a fault's own words are English.
pub(crate) fn fault(code: &str, values: &[(&str, String)]) -> Option<String> {
    let fault = words()?.faults.get(code)?;
    Some(format!("{}{}", filled(&fault.title, values)?, filled(&fault.remedy, values)?))
}

/// An amount, its digits before its currency, as it is said.
pub(crate) fn sum(amount: &str) -> String {
    let said = amount.rsplit_once(' ').and_then(|(digits, currency)| {
        let form = words()?.money.get(currency)?;
        let plain = digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        let digits = Some(digits).filter(|_| plain)?;
        filled(form, &[("amount", digits.to_owned())])
    });
    said.unwrap_or_else(|| amount.to_owned())
}

/// `text` as it can stand on a terminal: others' words in it neither command the terminal nor turn what stands beside
/// them about.
pub(crate) fn plain(text: &str) -> String {
    let turns = |c: char| matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{200E}' | '\u{200F}');
    let harmless = |c: char| if c == '\t' || (c.is_control() && c != '\n') { ' ' } else { c };
    text.chars().filter(|c| !turns(*c)).map(harmless).collect()
}

/// `text` as [`plain`], on one line: what others wrote begins none of its own.
pub(crate) fn one_line(text: &str) -> String {
    plain(text).replace('\n', " ")
}

/// What stands between two clauses of one sentence.
pub(crate) fn colon() -> String {
    known(noted!(": "))
}

/// Two sentences, one after the other.
pub(crate) fn sentences(first: &str, second: &str) -> String {
    let space = if language() == Language::En { " " } else { "" };
    format!("{first}{space}{second}")
}

/// What stands between the members of a list.
pub(crate) fn comma() -> String {
    known(noted!(", "))
}

fn filled(text: &str, values: &[(&str, String)]) -> Option<String> {
    let value = |name: &str| values.iter().find(|(known, _)| *known == name);
    fill(text, |name| value(name).map(|(_, value)| value.clone()))
}

/// `text` with spaces up to `columns` of a terminal, in which a Chinese character takes two.
pub(crate) fn padded(text: &str, columns: usize) -> String {
    format!("{text}{}", " ".repeat(columns.saturating_sub(columns_of(text))))
}

/// How many columns of a terminal a text takes.
pub(crate) fn columns_of(text: &str) -> usize {
    textwrap::core::display_width(text)
}

/// The columns of a terminal that lines are kept to.
pub(crate) const WIDE: usize = 80;

/// `text` in lines that fit a terminal, the first after `head`, the others below it after `indent`. Lines break between
/// words, and between Chinese characters where their punctuation allows; what has no such place is left whole, as
/// an address or a command would be.
pub(crate) fn folded(head: &str, indent: &str, text: &str) -> Vec<String> {
    lines(text, folds().initial_indent(head).subsequent_indent(indent).break_words(false))
}

/// `text` as [`folded`], all of it after `indent`, and broken anywhere where it is too long: what others wrote.
pub(crate) fn broken(indent: &str, text: &str) -> Vec<String> {
    lines(text, folds().initial_indent(indent).subsequent_indent(indent))
}

fn folds<'a>() -> Options<'a> {
    Options::new(WIDE)
        .word_separator(WordSeparator::UnicodeBreakProperties)
        .word_splitter(WordSplitter::NoHyphenation)
        .wrap_algorithm(WrapAlgorithm::FirstFit)
}

fn lines(text: &str, options: Options<'_>) -> Vec<String> {
    textwrap::wrap(&plain(text), options).into_iter().map(Cow::into_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn until_a_language_is_set_english_is_spoken() {
        assert_eq!(text!("no city {name} at {place}", name = "x", place = 1), "no city x at 1");
        assert_eq!(sum("18.00 CNY"), "18.00 CNY");
        assert_eq!(fault("wallet.in_use", &[]), None);
    }

    #[test]
    fn others_words_neither_command_the_terminal_nor_turn_it_about() {
        assert_eq!(plain("a\u{1b}[2Jb\r\tc\nd\u{9b}"), "a [2Jb  c\nd ");
        assert_eq!(plain("pay \u{202E}001\u{202C} \u{2067}now\u{2069}"), "pay 001 now");
        assert_eq!(plain("付款给 Ḿéi, “18.00元”"), "付款给 Ḿéi, “18.00元”");
    }

    #[test]
    fn a_chinese_character_takes_two_columns() {
        assert_eq!(padded("paid", 6), "paid  ");
        assert_eq!(padded("付款", 6), "付款  ");
        assert_eq!(padded("付款付款", 6), "付款付款");
    }

    #[test]
    fn texts_are_folded_to_a_terminals_columns_whatever_they_are_written_in() {
        let english = "a reason that somebody wrote down at length ".repeat(5);
        let chinese = "银行知道她取了钱，如同在自动柜员机上一样；".repeat(8);
        let mixed = "（账户 0192f0c1，order 18.00元）。".repeat(9);
        for text in [english.trim_end(), &chinese, &mixed] {
            let lines = folded("  * ", "    ", text);
            assert!(lines.len() > 2 && lines.iter().all(|line| columns_of(line) <= WIDE));
            let full = lines.iter().rev().skip(1).all(|line| columns_of(line) > 60);
            assert!(full, "lines are filled: {lines:#?}");
            let shown: String = lines.concat().replace([' ', '*'], "");
            assert_eq!(shown, text.replace(' ', ""), "and nothing is lost");
            for line in lines.iter().skip(1) {
                let first = line.trim_start().chars().next().unwrap();
                assert!(!"。，、；：！？”）》".contains(first), "{line}");
            }
            assert!(lines.iter().all(|line| !line.ends_with(['（', '“', '《'])), "{lines:#?}");
        }
    }

    #[test]
    fn what_has_no_place_to_break_is_left_whole() {
        let long = "x".repeat(100);
        let lines = folded("  ", "    ", &format!("see {long} there"));
        assert_eq!(lines, ["  see".to_owned(), format!("    {long}"), "    there".to_owned()]);
        assert_eq!(folded("  ", "    ", ""), [""]);
    }
}
