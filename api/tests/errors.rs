//! The error catalogue in `docs/errors.md` is complete: every code that the sources can answer
//! with is documented with its status, and nothing is documented that cannot happen. The tests
//! that the documents name as evidence exist.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "test code: a missing file or a torn table is to fail loudly"
)]

#[path = "errors/messages.rs"]
mod messages;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

const HERE: &str = env!("CARGO_MANIFEST_DIR");

/// The protocols' own codes: section of the catalogue, source file, enum.
const PROTOCOLS: [(&str, &str, &str); 4] = [
    ("Device authorization", "formats/openid4vc/src/device.rs", "DeviceErrorCode"),
    ("Token endpoint", "formats/openid4vc/src/issuance/token.rs", "TokenErrorCode"),
    ("Credential endpoint", "formats/openid4vc/src/issuance/credential.rs", "CredentialErrorCode"),
    (
        "From the wallet to the verifier",
        "formats/openid4vc/src/presentation/response.rs",
        "AuthorizationErrorCode",
    ),
];

type Statuses = BTreeMap<String, BTreeSet<u16>>;

#[test]
fn every_problem_code_is_documented_with_its_status_and_no_other_is() {
    let found = codes_in_sources();
    assert!(found.len() > 40, "only {} codes were found: has their form changed?", found.len());
    let documented = documented(&["Requests and servers", "Steps at institutions", "The ledger"]);
    let names = |codes: &Statuses| codes.keys().cloned().collect::<BTreeSet<_>>();
    let missing: Vec<_> = names(&found).difference(&names(&documented)).cloned().collect();
    assert!(missing.is_empty(), "docs/errors.md lacks {missing:?}");
    let stale: Vec<_> = names(&documented).difference(&names(&found)).cloned().collect();
    assert!(stale.is_empty(), "docs/errors.md has codes that no source gives: {stale:?}");
    for (code, statuses) in &found {
        let said = &documented[code];
        assert!(statuses.is_subset(said), "{code} is sent with {statuses:?}, documented {said:?}");
    }
}

#[test]
fn every_code_of_the_protocols_is_documented_and_no_other_is() {
    for (section, file, name) in PROTOCOLS {
        let found = variants(&read(&Path::new(HERE).join("..").join(file)), name);
        assert!(found.len() > 4, "{name}: {found:?}");
        let said: BTreeSet<String> = documented(&[section]).into_keys().collect();
        assert_eq!(found, said, "{section} of docs/errors.md against {file}");
    }
}

#[test]
fn codes_are_found_with_the_status_they_are_sent_with() {
    let source = r#"
        /// "doc.comment"
        Problem::forbidden("a.forbidden", detail)
        Problem::new(
            StatusCode::GONE,
            "a.gone",
        )
        Self::refused(refusal.code(), "x"); _ => "a.unknown_status", "no code", "v.1",
        #[cfg(test)]
        mod tests { "in.tests" }"#;
    let found = codes(source, None);
    let expected = [("a.forbidden", 403), ("a.gone", 410)];
    for (code, status) in expected {
        assert_eq!(found.get(code), Some(&BTreeSet::from([status])), "{code}");
    }
    assert_eq!(found.get("a.unknown_status"), Some(&BTreeSet::new()));
    assert_eq!(found.len(), 3, "{found:?}");
}

#[test]
fn every_test_that_the_documents_name_exists() {
    let root = Path::new(HERE).join("..");
    let mut all = String::new();
    for layer in ["api", "apps", "base", "formats", "records", "runtime", "sessions", "state"] {
        sources(&root.join(layer)).iter().for_each(|path| all.push_str(&read(path)));
    }
    let mut named = 0;
    for document in ["conformance", "privacy", "threats"] {
        let text = read(&root.join(format!("docs/{document}.md")));
        for word in text.split('`').skip(1).step_by(2) {
            if let Some((file, test)) = word.split_once(".rs::") {
                let source = read(&root.join(format!("{file}.rs")));
                assert!(source.contains(&format!("fn {test}(")), "{document}.md: {word}");
                named += 1;
            } else if word.matches('_').count() > 3 && word.bytes().all(|b| b != b'/') {
                assert!(all.contains(&format!("fn {word}(")), "{document}.md: {word}");
                named += 1;
            }
        }
    }
    assert!(named > 100, "only {named} tests were found: has their form changed?");
}

/// Every code in the sources, with the statuses that are evident where it stands.
fn codes_in_sources() -> Statuses {
    let root = Path::new(HERE);
    let mut all = Statuses::new();
    let machine = read(&root.join("../state/machine/src/refusal/code.rs"));
    let tokens = read(&root.join("../base/src/signer.rs"));
    let mut found = vec![codes(&machine, Some(422)), codes(&tokens, Some(503))];
    let mint = sources(&root.join("../state/mint/src"));
    found.extend(mint.iter().map(|path| codes(&read(path), Some(422))));
    found.extend(sources(&root.join("src")).iter().map(|path| codes(&read(path), None)));
    for (code, statuses) in found.into_iter().flatten() {
        all.entry(code).or_default().extend(statuses);
    }
    all
}

/// Codes are string literals of lower-case words with dots between. Their status is that of the
/// nearest constructor or status before them on the way, unless one is given.
fn codes(source: &str, status: Option<u16>) -> Statuses {
    let product = source.split("#[cfg(test)]").next().unwrap_or_default();
    let lines: Vec<&str> = product
        .lines()
        .filter(|line| !line.trim_start().starts_with("//") && !line.contains("#[schema"))
        .collect();
    let text = lines.join("\n");
    let mut found = Statuses::new();
    let mut parts = text.split('"');
    let mut before = parts.next().unwrap_or_default().to_owned();
    while let (Some(literal), Some(after)) = (parts.next(), parts.next()) {
        if is_code(literal) {
            let evident = status.or_else(|| evident_status(&before));
            found.entry(literal.to_owned()).or_default().extend(evident);
        }
        before = after.to_owned();
    }
    found
}

fn is_code(literal: &str) -> bool {
    let words: Vec<&str> = literal.split('.').collect();
    let word = |w: &&str| !w.is_empty() && w.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    words.len() > 1 && words.iter().all(word)
}

/// The status named in the text between the literal before and this one.
fn evident_status(before: &str) -> Option<u16> {
    const NAMED: [(&str, u16); 12] = [
        ("refused(", 422),
        ("conflict(", 409),
        ("forbidden(", 403),
        ("unavailable(", 503),
        ("StatusCode::BAD_REQUEST", 400),
        ("StatusCode::UNAUTHORIZED", 401),
        ("StatusCode::NOT_FOUND", 404),
        ("StatusCode::GONE", 410),
        ("StatusCode::PAYLOAD_TOO_LARGE", 413),
        ("StatusCode::UNSUPPORTED_MEDIA_TYPE", 415),
        ("StatusCode::TOO_MANY_REQUESTS", 429),
        ("StatusCode::BAD_GATEWAY", 502),
    ];
    let internal = ("StatusCode::INTERNAL_SERVER_ERROR", 500);
    if before.trim_end().ends_with("_ =>") {
        return None;
    }
    let named = NAMED.into_iter().chain([internal]);
    let last = named.filter_map(|(word, status)| before.rfind(word).map(|at| (at, status))).max();
    last.map(|(_, status)| status)
}

/// The codes of the tables in `sections` of the catalogue, with their statuses. Every row has a
/// meaning and a remedy.
fn documented(sections: &[&str]) -> Statuses {
    let text = read(&Path::new(HERE).join("../docs/errors.md"));
    let mut codes = Statuses::new();
    let mut wanted = false;
    for line in text.lines() {
        if let Some(title) = line.strip_prefix("## ") {
            wanted = sections.contains(&title);
        }
        let Some(row) = line.strip_prefix("| `").filter(|_| wanted) else { continue };
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        assert!(cells.len() == 5 && cells[..4].iter().all(|c| !c.is_empty()), "{line}");
        let code = cells[0].trim_end_matches('`').to_owned();
        let statuses = cells[1].split(',').filter_map(|s| s.trim().parse().ok()).collect();
        assert!(codes.insert(code, statuses).is_none(), "documented twice: {line}");
    }
    codes
}

/// The variants of an enum, as the wire has them.
fn variants(source: &str, name: &str) -> BTreeSet<String> {
    let body = source.split(&format!("pub enum {name} {{")).nth(1).unwrap_or_default();
    let body = body.split('}').next().unwrap_or_default();
    let names = body.lines().map(str::trim).filter_map(|line| line.strip_suffix(','));
    names.filter(|line| !line.starts_with("//")).map(snake_case).collect()
}

fn snake_case(variant: &str) -> String {
    let mut text = String::new();
    for character in variant.chars() {
        if character.is_ascii_uppercase() && !text.is_empty() {
            text.push('_');
        }
        text.push(character.to_ascii_lowercase());
    }
    text
}

/// All Rust sources under `folder`.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
    found
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
