//! Privacy, looked for in bytes: after a journey nothing personal lies readable in any institution's
//! files, and none of it reached the program's logs.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use yufu_jose::decode_base64url;

/// The values in the credentials that are left in a wallet: what its holder would not want found elsewhere.
fn personal_values(wallet: &Path) -> BTreeSet<String> {
    let contents: Value = serde_json::from_slice(&fs::read(wallet).unwrap()).unwrap();
    let mut values = BTreeSet::new();
    for stored in contents["credentials"].as_array().unwrap() {
        let text = stored["held"]["credential"].as_str().unwrap();
        for disclosure in text.split('~').skip(1) {
            let Ok(bytes) = decode_base64url(disclosure) else { continue };
            let Ok(Value::Array(parts)) = serde_json::from_slice(&bytes) else { continue };
            values.extend(parts.last().and_then(Value::as_str).map(str::to_owned));
        }
    }
    // One character says nothing; the country and the province stand in the profile.
    values.retain(|value| value.chars().count() > 1 && value != "CN" && value != "湖北省");
    values
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files(&path, found) } else { found.push(path) }
    }
}

fn contains(bytes: &[u8], value: &str) -> bool {
    bytes.windows(value.len()).any(|window| window == value.as_bytes())
}

#[test]
fn nothing_personal_lies_readable_in_an_institutions_files_or_in_the_logs() {
    let folder = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_yufu"))
        .args(["demo", "--once", "--json", "--listen", "127.0.0.1:0", "--data"])
        .arg(folder.path())
        .env("YUFU_LOG", "yufu=trace,yufu_api=trace,yufu_engine=trace,yufu_onboarding=trace,info")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));

    let values = personal_values(&folder.path().join("wallets/resident-0.json"));
    let number = values.iter().find(|v| v.len() == 18 && v.starts_with("42"));
    assert!(number.is_some() && values.len() >= 6, "the wallet holds {} values", values.len());

    let mut paths = Vec::new();
    files(folder.path(), &mut paths);
    let institutional: Vec<&PathBuf> =
        paths.iter().filter(|path| !path.starts_with(folder.path().join("wallets"))).collect();
    assert!(institutional.iter().any(|p| p.ends_with("central-bank/ledger.sqlite")));
    assert!(institutional.iter().any(|p| p.ends_with("identity-authority/population.sqlite")));
    for path in institutional {
        let bytes = fs::read(path).unwrap();
        for value in &values {
            assert!(!contains(&bytes, value), "{} holds {value:?} readably", path.display());
        }
    }
    for stream in [&output.stdout, &output.stderr] {
        for value in &values {
            assert!(!contains(stream, value), "{value:?} was printed or logged");
        }
    }
}
