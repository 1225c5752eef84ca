//! `yufu config`, and what `yufu serve` refuses: each finding says what to do, and nothing is made by looking.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "test code: a wrong fixture is to fail loudly"
)]

mod support;

use std::fs;
use std::process::{Output, Stdio};
use support::{Data, demo, ended, run, text, yufu};

const BINARY: &str = env!("CARGO_BIN_EXE_yufu");

/// Settings in a file.
fn settings(data: &Data, lines: &str) -> String {
    let file = data.beside("yufu.toml");
    fs::write(&file, lines).unwrap();
    file.to_str().unwrap().to_owned()
}

fn with_data(data: &Data, lines: &str) -> String {
    settings(data, &format!("data = {:?}\n{lines}", data.path()))
}

fn check(data: &Data, lines: &str) -> Output {
    run(&["config", "check", "--config", &with_data(data, lines)])
}

#[track_caller]
fn finds(output: &Output, parts: &[&str]) {
    let said = format!("{}{}", text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(1), "{said}");
    for part in parts {
        assert!(said.contains(part), "{part:?} is not in: {said}");
    }
}

#[test]
fn the_template_is_a_file_to_begin_with() {
    let data = Data::new();
    let template = run(&["config", "template"]);
    let file = settings(&data, &text(&template.stdout));
    let path = data.path();
    let checked = run(&["config", "check", "--config", &file, "--data", path.to_str().unwrap()]);
    assert_eq!(checked.status.code(), Some(0), "{}", text(&checked.stdout));
    assert!(text(&checked.stdout).contains("bank-of-jiangcheng"), "{}", text(&checked.stdout));
    assert!(!path.exists(), "a check makes nothing");
}

#[test]
fn each_finding_names_the_setting_and_the_remedy() {
    let data = Data::new();
    let alone = "institutions = [\"bank-of-jiangcheng\"]\n";
    for (lines, parts) in [
        ("listen_adress = \"x\"", &["listen_adress"][..]),
        ("url = \"http://bank.example\"", &["https"]),
        ("url = \"https://bank.example/path\"", &["without a path"]),
        ("listen = \"0.0.0.0:8080\"", &["listen is 0.0.0.0:8080", "TLS"]),
        ("institutions = [\"bank-of-nowhere\"]", &["no institution bank-of-nowhere"]),
        ("[addresses]\nregistrar = \"https://r.example\"", &["registrar is served here"]),
        ("[admitted]\nregistrar = \"short\"", &["no fingerprint"]),
        (alone, &["registrar runs elsewhere", "[addresses]", "trust-list-key.json is missing"]),
        ("profile = \"/nowhere\"", &["/nowhere/profile.toml"]),
        ("wait_seconds = \"long\"", &["wait_seconds"]),
    ] {
        finds(&check(&data, lines), parts);
        assert!(!data.path().exists(), "a check makes nothing");
    }
}

#[test]
fn keys_that_others_can_read_or_that_do_not_fit_are_found_and_not_served() {
    let data = Data::new();
    let config = with_data(&data, "listen = \"127.0.0.1:0\"");
    let printed = run(&["config", "fingerprint", "--config", &config]);
    assert_eq!(printed.status.code(), Some(0), "{}", text(&printed.stderr));
    assert!(text(&printed.stdout).contains("bank-of-lianghu = \""));
    assert_eq!(run(&["config", "check", "--config", &config]).status.code(), Some(0));

    let keys = data.path().join("registrar").join("keys");
    let key = keys.join("institution.p8");
    set_mode(&key, 0o644);
    finds(&run(&["config", "check", "--config", &config]), &["chmod -R go="]);
    finds(&run(&["serve", "--config", &config]), &["chmod -R go="]);
    set_mode(&key, 0o600);

    fs::write(keys.join("access-anchor.der"), "no certificate").unwrap();
    set_mode(&keys.join("access-anchor.der"), 0o600);
    finds(&run(&["config", "check", "--config", &config]), &["restore access-anchor.p8"]);
    fs::remove_file(keys.join("access-anchor.der")).unwrap();
    fs::write(&key, "torn").unwrap();
    finds(&run(&["config", "check", "--config", &config]), &["institution.p8", "restore it"]);
}

#[cfg(unix)]
fn set_mode(path: &std::path::Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn the_demos_state_and_an_open_administration_are_not_served() {
    let data = Data::new();
    assert_eq!(demo(&data.path(), &["--json"]).status.code(), Some(0));
    let path = data.path();
    let folder = path.to_str().unwrap();
    let serve = |more: &[&str]| run(&[&["serve", "--data", folder], more].concat());
    finds(&serve(&["--listen", "127.0.0.1:0"]), &["is the demo's folder", "--data"]);
    let fresh = data.beside("fresh");
    let public = ["serve", "--data", fresh.to_str().unwrap(), "--listen", "0.0.0.0:0"];
    finds(&run(&public), &["url is not https", "readable on the way"]);
    finds(&run(&[&public[..], &["--url", "http://city.example"]].concat()), &["https"]);
    assert!(!fresh.exists(), "state was made by a server that was refused");
}

#[test]
fn the_environment_overrides_the_file_and_an_option_both() {
    let data = Data::new();
    let config = with_data(&data, "institutions = [\"registrar\"]\nlisten = \"0.0.0.0:1\"");
    let mut command = yufu();
    command
        .args(["config", "check", "--config", &config, "--listen", "127.0.0.1:0"])
        .env("YUFU_INSTITUTIONS", "trust-list-operator,central-bank")
        .env("YUFU_LISTEN", "0.0.0.0:2")
        .env("YUFU_ADDRESSES", "registrar=https://registrar.example")
        .env("YUFU_WAIT_SECONDS", "7")
        .env("YUFU_CONNECTIONS", "9")
        .env("YUFU_LOG_FORMAT", "json")
        .stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let status = ended(&mut child);
    let said = text(&child.wait_with_output().unwrap().stdout);
    assert_eq!(status.code(), Some(0), "{said}");
    assert!(said.starts_with("good: central-bank, trust-list-operator at"), "{said}");
}

#[test]
fn completions_and_manual_pages_know_every_command() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = run(&["completions", shell]);
        assert_eq!(script.status.code(), Some(0));
        assert!(text(&script.stdout).contains("completions"), "{shell}");
    }
    assert!(text(&run(&["man"]).stdout).starts_with(".ie \\n(.g"), "no manual page");
    let data = Data::new();
    let folder = data.beside("man1");
    let written = run(&["man", "--out", folder.to_str().unwrap()]);
    assert_eq!(written.status.code(), Some(0), "{}", text(&written.stderr));
    for page in ["yufu.1", "yufu-serve.1", "yufu-config-check.1", "yufu-wallet-ticket-buy.1"] {
        assert!(folder.join(page).exists(), "{page}");
    }
}
