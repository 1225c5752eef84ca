//! Every code has a message for people in every language, every message a code, and every placeholder
//! a member to be filled from. `docs/messages.md` shows them side by side.

use super::{HERE, codes_in_sources, is_code, read, sources};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use yufu_api::http::{Language, fill};

/// A file of `api/messages`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Messages {
    step_up: BTreeMap<String, String>,
    messages: BTreeMap<String, Message>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Message {
    title: String,
    remedy: String,
}

/// Members by code.
type Members = BTreeMap<String, BTreeSet<String>>;

#[test]
fn every_code_has_a_message_in_every_language_and_every_message_a_code() {
    let codes: BTreeSet<String> = codes_in_sources().into_keys().collect();
    for language in Language::ALL {
        let file = format!("api/messages/{language}.toml");
        let said: BTreeSet<String> = messages(language).messages.into_keys().collect();
        let missing: Vec<_> = codes.difference(&said).collect();
        assert!(
            missing.is_empty(),
            "{file} lacks {missing:?}: add one line for each, \
             \"the.code\" = {{ title = \"What is wrong.\", remedy = \"What to do next.\" }}, \
             then run `cargo xtask messages` (see docs/how-to/add-an-endpoint.md)"
        );
        let stale: Vec<_> = said.difference(&codes).collect();
        assert!(stale.is_empty(), "{file} has messages for codes that no source gives: {stale:?}");
    }
}

#[test]
fn every_placeholder_names_a_member_that_the_codes_problems_carry() {
    let carried = members_in_sources();
    for language in Language::ALL {
        for (code, message) in messages(language).messages {
            let none = BTreeSet::new();
            let has = carried.get(&code).unwrap_or(&none);
            for text in [&message.title, &message.remedy] {
                let sample = fill(text, |name| has.contains(name).then(|| "1".to_owned()));
                assert!(
                    sample.is_some(),
                    "api/messages/{language}.toml, {code}: {text:?} has a placeholder that is none of \
                     the members that the sources add to this code by .with(\"...\"): {has:?}"
                );
            }
        }
    }
}

#[test]
fn the_languages_say_the_same_members_in_whole_sentences() {
    let english = messages(Language::En);
    let chinese = messages(Language::Zh);
    assert_eq!(
        english.step_up.keys().collect::<Vec<_>>(),
        chinese.step_up.keys().collect::<Vec<_>>()
    );
    for (code, en) in &english.messages {
        let Some(zh) = chinese.messages.get(code) else { continue };
        for (en, zh) in [(&en.title, &zh.title), (&en.remedy, &zh.remedy)] {
            assert_eq!(placeholders(en), placeholders(zh), "{code}");
            assert!(en.is_ascii() && en.ends_with('.'), "{code}: {en:?} is no English sentence");
            assert!(zh.ends_with('。'), "{code}: {zh:?} is no Chinese sentence");
            assert!(!zh.contains([',', ';']), "{code}: {zh:?} has punctuation that is not Chinese");
        }
    }
}

#[test]
fn the_page_of_messages_is_what_the_files_say() {
    let page = page();
    let file = Path::new(HERE).join("../docs/messages.md");
    if std::env::var_os("YUFU_REGENERATE").is_some() {
        fs::write(&file, &page).unwrap();
    }
    assert!(
        fs::read_to_string(&file).unwrap_or_default() == page,
        "docs/messages.md differs from api/messages: run `cargo xtask messages` and commit the difference"
    );
}

#[test]
fn members_are_found_with_the_code_that_carries_them() {
    let source = r#"
        Problem::refused("a.b", x).with("one", 1).with("two_minor", 2);
        let plain = Problem::refused("c.d", x);
        plain.with("nobodys", 3);
        match refusal { Refusal::Known(x) => problem.with("three", 3), Refusal::Other => problem }"#;
    let variants = BTreeMap::from([("Known".to_owned(), vec!["e.f".to_owned()])]);
    let found = members(source, &variants);
    let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let expected: Members =
        [("a.b".to_owned(), set(&["one", "two_minor"])), ("e.f".to_owned(), set(&["three"]))]
            .into();
    assert_eq!(found, expected);
}

fn messages(language: Language) -> Messages {
    let file = Path::new(HERE).join(format!("messages/{language}.toml"));
    toml::from_str(&read(&file)).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

fn placeholders(text: &str) -> BTreeSet<&str> {
    text.split('{').skip(1).filter_map(|piece| Some(piece.split_once('}')?.0)).collect()
}

/// Both languages side by side.
fn page() -> String {
    let mut text = "\
# Messages

What refusals say to people, by code: `title` and `remedy` in the language that `Accept-Language` asks for. Generated from
`api/messages` by `cargo xtask messages`; what the codes mean to a program is in [Errors](errors.md).

| code | English | 中文 |
|---|---|---|
"
    .to_owned();
    let chinese = messages(Language::Zh).messages;
    for (code, en) in messages(Language::En).messages {
        let zh = chinese.get(&code).map(|zh| format!("{}{}", zh.title, zh.remedy));
        let zh = zh.unwrap_or_default();
        text.push_str(&format!("| `{code}` | {} {} | {zh} |\n", en.title, en.remedy));
    }
    text
}

/// What `Problem::with` adds to which code.
fn members_in_sources() -> Members {
    let root = Path::new(HERE);
    let machine = read(&root.join("../state/machine/src/refusal/code.rs"));
    let variants = codes_by_variant(&machine);
    let mut all = Members::new();
    for path in sources(&root.join("src")) {
        for (code, names) in members(&read(&path), &variants) {
            all.entry(code).or_default().extend(names);
        }
    }
    all
}

/// The codes of each variant of the machine's refusals.
fn codes_by_variant(source: &str) -> BTreeMap<String, Vec<String>> {
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut variant = String::new();
    let mut parts = source.split('"');
    while let (Some(before), Some(literal)) = (parts.next(), parts.next()) {
        if let Some(name) = word_after(before, "Self::") {
            variant = name;
        }
        if is_code(literal) {
            found.entry(variant.clone()).or_default().push(literal.to_owned());
        }
    }
    found
}

/// A member belongs to the code, or to the machine's refusal, that is named before it in the same statement.
fn members(source: &str, variants: &BTreeMap<String, Vec<String>>) -> Members {
    let product = source.split("#[cfg(test)]").next().unwrap_or_default();
    let mut found = Members::new();
    let mut owners: Vec<String> = Vec::new();
    let mut parts = product.split('"');
    while let (Some(before), Some(literal)) = (parts.next(), parts.next()) {
        let (ended, named) = (before.rfind(';'), before.rfind("Refusal::"));
        if ended.is_some() {
            owners.clear();
        }
        if named > ended {
            let variant = word_after(before, "Refusal::");
            owners = variant.and_then(|name| variants.get(&name)).cloned().unwrap_or_default();
        }
        if before.trim_end().ends_with(".with(") {
            for owner in &owners {
                found.entry(owner.clone()).or_default().insert(literal.to_owned());
            }
        } else if is_code(literal) {
            owners = vec![literal.to_owned()];
        }
    }
    found
}

/// The word behind the last `prefix`.
fn word_after(text: &str, prefix: &str) -> Option<String> {
    let (_, rest) = text.rsplit_once(prefix)?;
    Some(rest.chars().take_while(|c| c.is_alphanumeric()).collect())
}
