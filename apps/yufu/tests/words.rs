//! What the terminal says: every text and fault has Chinese words, nothing is said past them, and the
//! program speaks the language that it is told to.
#![expect(
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    clippy::string_slice,
    reason = "a test fails by panicking, and its file has the form that it checks"
)]

use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use yufu_api::http::fill;

const FILE: &str = "apps/yufu/messages/zh.toml";
/// Those whose texts stay English: the help, and this program's parts themselves.
const ENGLISH: [&str; 2] = ["src/command_line.rs", "src/words.rs"];
/// Where the reasons for which a step failed are English: the story is told in every language, its faults to those who
/// mend it.
const STORY: &str = "src/demo/";
/// Where the names in the demo's report stand.
const STEPS: &str = "src/demo/step.rs";
const NAMES: &str = "src/demo/name.rs";
const LEDGER: &str = "src/demo/learned/ledger.rs";
const COLUMNS: &str = include_str!("../src/demo/learned/columns.txt");
/// Those whose faults have codes.
const FAULTS: [&str; 6] = [
    "src/wallet/fault.rs",
    "src/wallet/not_issued.rs",
    "src/wallet/refusing.rs",
    "src/wallet/cash/refusing.rs",
    "../../sessions/card/src/error.rs",
    "../../sessions/wallet/src/issuance/types.rs",
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Words {
    money: BTreeMap<String, String>,
    faults: BTreeMap<String, Fault>,
    texts: BTreeMap<String, String>,
    demo: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fault {
    title: String,
    remedy: String,
}

#[test]
fn every_text_has_chinese_words_and_all_words_are_of_a_text() {
    let words = words();
    let said: BTreeSet<String> = words.texts.keys().cloned().collect();
    let mut texts = BTreeSet::new();
    // Said by `words.rs` itself.
    let mut literals = BTreeSet::from([": ".to_owned(), ", ".to_owned()]);
    for path in sources() {
        let source = fs::read_to_string(&path).unwrap();
        let product = source.split("#[cfg(test)]").next().unwrap();
        texts.extend(literals_after(product, &["text!(", "noted!(", "say!("]));
        literals.extend(literals_after(product, &[""]));
    }
    assert!(texts.len() > 90, "only {} texts were found: has their form changed?", texts.len());
    let missing: Vec<&String> = texts.difference(&said).collect();
    assert!(
        missing.is_empty(),
        "{FILE} lacks, under [texts], a line \"English text\" = \"中文。\" for each of {missing:#?}"
    );
    let stale: Vec<&String> = said.iter().filter(|text| !literals.contains(*text)).collect();
    assert!(stale.is_empty(), "{FILE} has words for texts that nothing says: {stale:#?}");
    for (english, chinese) in &words.texts {
        assert_eq!(placeholders(english), placeholders(chinese), "{FILE}: {english}");
    }
}

#[test]
fn nothing_is_said_to_the_person_but_as_a_text() {
    let speaking = [
        "println!(",
        "print!(",
        "eprintln!(",
        "bail!(",
        "anyhow!(",
        ".context(",
        "ensure!(",
        "with_context(|| format!(",
        "ok_or_else(|| format!(",
    ];
    // No words for people: a path, a name, a key.
    let allowed = ["yufu{}{}", "--url", "metrics", "{}.p8", "{} = \"{print}\""];
    let in_the_story = ["println!(", "print!(", "eprintln!(", "say(", "tell(say,", "Told::new("];
    let mut past = Vec::new();
    for path in sources() {
        let source = fs::read_to_string(&path).unwrap();
        let product = source.split("#[cfg(test)]").next().unwrap();
        let story = path.starts_with(here(STORY));
        for text in literals_after(product, if story { &in_the_story } else { &speaking }) {
            let own =
                text.split('{').map(|piece| piece.split_once('}').map_or(piece, |(_, own)| own));
            if own.flat_map(str::chars).any(char::is_alphabetic)
                && !allowed.contains(&text.as_str())
            {
                past.push(format!("{}: {text:?}", path.display()));
            }
        }
    }
    assert!(
        past.is_empty(),
        "say these as text!(\"...\", name = value), or say!, and put the Chinese into {FILE}: {past:#?}"
    );
}

#[test]
fn every_name_in_the_demos_report_has_chinese_words_and_all_are_of_a_name() {
    let literals = |file: &str, openings: &[&str]| {
        let source = fs::read_to_string(here(file)).unwrap();
        literals_after(source.split("#[cfg(test)]").next().unwrap(), openings)
    };
    let mut names: BTreeSet<String> = literals(STEPS, &["(", ","]).into_iter().collect();
    names.extend(literals(NAMES, &["Name::words(", "Name::part(bank,"]));
    names.extend(literals(LEDGER, &["[", ","]));
    let columns = COLUMNS.lines().filter(|line| !line.starts_with('#'));
    let meanings = columns.filter_map(|line| Some(line.split_once('=')?.1.trim().to_owned()));
    // The rest is nothing, or claims, which their credentials name.
    let words =
        |name: &String| name != "-" && !name.starts_with('@') && !name.contains("_pseudonym.");
    names.extend(meanings.filter(words));
    assert!(names.len() > 150, "only {} were found: has their form changed?", names.len());
    let said: BTreeSet<String> = self::words().demo.into_keys().collect();
    assert_eq!(
        said, names,
        "{FILE} under [demo], left, against {STEPS}, {NAMES}, {LEDGER} and columns.txt"
    );
}

#[test]
fn every_fault_has_chinese_words_with_what_it_carries_and_all_are_of_a_fault() {
    let mut codes = BTreeSet::new();
    let mut members = BTreeSet::from(["detail".to_owned()]);
    for file in FAULTS {
        let source = fs::read_to_string(here(file)).unwrap();
        for literal in literals_after(&source, &[""]) {
            let is_word = |word: &str| word.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
            match literal.split_once('.') {
                Some((area, rule)) if is_word(area) && is_word(rule) => codes.insert(literal),
                None if is_word(&literal) => members.insert(literal),
                _ => false,
            };
        }
    }
    let words = words();
    let said: BTreeSet<String> = words.faults.keys().cloned().collect();
    assert_eq!(said, codes, "{FILE} under [faults], left, against {FAULTS:?}");
    for (code, fault) in words.faults {
        for text in [fault.title, fault.remedy] {
            assert!(placeholders(&text).is_subset(&members.iter().map(String::as_str).collect()));
            assert!(text.ends_with('。'), "{code}: {text}");
        }
    }
    assert_eq!(fill(&words.money["CNY"], |_| Some("18.00".to_owned())).unwrap(), "18.00元");
}

#[test]
fn the_language_is_the_one_named_else_the_environments_else_that_of_the_locale() {
    let chinese = "trust-list-key.json 不存在";
    let english = "trust-list-key.json is missing";
    type Row = (&'static [&'static str], &'static [(&'static str, &'static str)], &'static str);
    let rows: [Row; 11] = [
        (&["--language", "zh-CN"], &[], chinese),
        (&["--lang", "eo"], &[("LANG", "zh_CN.UTF-8")], english),
        (&[], &[], english),
        (&["--lang", "zh"], &[("LANG", "en_US.UTF-8")], chinese),
        (&["--lang", "zh-Hans"], &[], chinese),
        (&["--lang", "en"], &[("YUFU_LANG", "zh"), ("LANG", "zh_CN.UTF-8")], english),
        (&[], &[("YUFU_LANG", "zh"), ("LC_ALL", "en_US.UTF-8")], chinese),
        (&[], &[("LC_ALL", "zh_CN.UTF-8"), ("LANG", "en_US.UTF-8")], chinese),
        (&[], &[("LC_MESSAGES", "zh_SG"), ("LANG", "en_US.UTF-8")], chinese),
        (&[], &[("LANG", "zh_CN.UTF-8")], chinese),
        (&[], &[("LC_ALL", "C.UTF-8"), ("LANG", "zh_CN.UTF-8")], english),
    ];
    for (options, environment, expected) in rows {
        let empty = tempfile::tempdir().unwrap();
        let data = empty.path().to_str().unwrap();
        let mut arguments = options.to_vec();
        arguments.extend(["wallet", "--data", data, "show"]);
        let output = yufu(&arguments, environment);
        assert_eq!(output.status.code(), Some(1), "{}", said(&output));
        assert!(said(&output).contains(expected), "{options:?} {environment:?}: {}", said(&output));
    }
    let unknown = yufu(&["--lang", "no language", "wallet", "show"], &[]);
    assert_eq!(unknown.status.code(), Some(2));
    assert!(said(&unknown).contains("expected such as zh or en"), "{}", said(&unknown));
}

#[test]
fn faults_and_texts_of_a_wallet_come_in_both_languages() {
    let data = tempfile::tempdir().unwrap();
    let key = yufu_jose::SoftwareKey::from_seed(&[1; 32]).unwrap();
    let jwk = yufu_jose::Jwk::from(yufu_base::Signer::public_key(&key));
    fs::write(data.path().join("trust-list-key.json"), serde_json::to_vec(&jwk).unwrap()).unwrap();
    let folder = data.path().to_str().unwrap();
    let run = |language: &str, passphrase: &str, arguments: &[&str]| {
        let nobody = ["--url", "http://localhost:1"];
        let start = ["--lang", language, "wallet", "--data", folder, "--as", "mei"];
        let all: Vec<&str> = start.iter().chain(&nobody).chain(arguments).copied().collect();
        said(&yufu(&all, &[("YUFU_WALLET_PASSPHRASE", passphrase)]))
    };
    let backup = data.path().join("mei.backup");
    let backup = backup.to_str().unwrap();
    let rows = [
        ("zh", "short", vec!["history"], "口令太短。请使用至少8个字符的口令。"),
        ("en", "short", vec!["history"], "the passphrase is too short: a wallet takes one of 8 "),
        ("zh", "long enough", vec!["history"], ""),
        ("zh", "long enough", vec!["backup", backup], "的口令可以打开"),
        ("en", "long enough", vec!["history"], "backed_up"),
        ("zh", "long enough", vec!["history"], "已备份"),
        ("zh", "long enough", vec!["backup", backup], "已经存在，不会覆盖。请指定其他文件。"),
        ("en", "long enough", vec!["backup", backup], "exists and is not overwritten"),
        ("zh", "long enough", vec!["report", "7", "x"], "没有答复"),
        ("zh", "another one", vec!["history"], "yufu：口令不能打开该钱包，或者钱包文件已被改动。"),
    ];
    for (language, passphrase, arguments, expected) in rows {
        let told = run(language, passphrase, &arguments);
        assert!(told.contains(expected), "{language} {arguments:?}: {told}");
    }
}

#[test]
fn literals_are_found_where_they_are_said() {
    let source = r#"
        // bail!("in a comment")
        bail!(
            "on a line of its own, with \"quotes\" and {name}"
        );
        let quote = '"'; bail!(text!("wrapped")); other("not said")"#;
    let found = literals_after(source, &["bail!("]);
    assert_eq!(found, ["on a line of its own, with \"quotes\" and {name}"]);
    assert_eq!(literals_after(source, &["text!("]), ["wrapped"]);
}

/// Runs the program with nothing of this environment's languages.
fn yufu(arguments: &[&str], environment: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_yufu"));
    for name in ["YUFU_LANG", "LC_ALL", "LC_MESSAGES", "LANG", "YUFU_WALLET_PASSPHRASE"] {
        command.env_remove(name);
    }
    command.env("YUFU_WALLET_PASSPHRASE", "long enough").stdin(Stdio::null());
    command.args(arguments).envs(environment.iter().copied()).output().unwrap()
}

fn said(output: &Output) -> String {
    let (out, err) = (&output.stdout, &output.stderr);
    format!("{}{}", String::from_utf8_lossy(out), String::from_utf8_lossy(err))
}

fn words() -> Words {
    toml::from_str(&fs::read_to_string(here("messages/zh.toml")).unwrap()).unwrap()
}

fn placeholders(text: &str) -> BTreeSet<&str> {
    text.split('{').skip(1).filter_map(|piece| Some(piece.split_once('}')?.0)).collect()
}

/// The string literals of `source` that come right after one of `openings`.
fn literals_after(source: &str, openings: &[&str]) -> Vec<String> {
    let lines = source.lines().filter(|line| !line.trim_start().starts_with("//"));
    let text = lines.collect::<Vec<_>>().join("\n").replace("'\"'", "");
    let mut found = Vec::new();
    let (mut before, mut rest) = (String::new(), text.as_str());
    while let Some((skipped, after)) = rest.split_once('"') {
        before.push_str(skipped);
        let (literal, after) = literal(after);
        let trimmed = before.trim_end();
        if openings.iter().any(|opening| trimmed.ends_with(opening)) {
            found.push(literal);
        }
        before.clear();
        rest = after;
    }
    found
}

/// A literal's text up to its closing quote, and what follows.
fn literal(source: &str) -> (String, &str) {
    let mut text = String::new();
    let mut characters = source.char_indices();
    while let Some((place, character)) = characters.next() {
        match character {
            '"' => return (text, &source[place + 1..]),
            '\\' => match characters.next() {
                Some((_, 'n')) => text.push('\n'),
                Some((_, other)) => text.push(other),
                None => {}
            },
            other => text.push(other),
        }
    }
    (text, "")
}

/// The program's sources, but for tests and those that stay English.
fn sources() -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![here("src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                found.push(path);
            }
        }
    }
    let name = |path: &Path| path.strip_prefix(here("")).unwrap().display().to_string();
    found.retain(|path| {
        let name = name(path);
        let english = ENGLISH.iter().any(|english| name.starts_with(english));
        !name.contains("tests") && !english
    });
    found.sort();
    found
}

fn here(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}
