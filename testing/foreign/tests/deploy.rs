//! What an operator is given to run it with is read by the programs that it is for: systemd and Compose.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

const BINARY: &str = env!("CARGO_BIN_EXE_yufu-under-test");
const DEPLOY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy");
/// A public key: whose does not matter to a check.
const SOME_KEY: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../../apps/yufu/tests/support/some-key.json");
/// The exposure that `systemd-analyze security` may find, in tenths: up to 2 it calls a service OK.
const EXPOSURE: &str = "--threshold=20";

fn said(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

#[test]
fn systemd_accepts_the_unit_and_finds_the_service_shut_in() {
    let folder = tempfile::tempdir().unwrap();
    let unit = folder.path().join("yufu.service");
    let text = fs::read_to_string(format!("{DEPLOY}/yufu.service")).unwrap();
    // The program as it is here: systemd looks whether it is there.
    fs::write(&unit, text.replace("/usr/bin/yufu", BINARY)).unwrap();
    let analyze = |arguments: &[&str]| {
        Command::new("systemd-analyze").args(arguments).arg(&unit).output().unwrap()
    };
    let verified = analyze(&["verify", "--man=no"]);
    assert!(verified.status.success() && verified.stderr.is_empty(), "{}", said(&verified));
    let judged = analyze(&["security", "--offline=true", "--no-pager", EXPOSURE]);
    assert!(judged.status.success(), "{}", said(&judged));

    // The settings that it names are settings.
    let lines = text.lines().filter_map(|line| line.strip_prefix("Environment="));
    let settings: BTreeMap<_, _> = lines.filter_map(|line| line.split_once('=')).collect();
    assert!(settings.keys().all(|name| documented(name)), "{settings:?}");
}

#[test]
fn systemd_accepts_the_timer_that_renews_and_its_service_is_a_command_of_ours() {
    let folder = tempfile::tempdir().unwrap();
    let [service, timer] = ["service", "timer"].map(|kind| {
        let name = format!("yufu-wallet-renew.{kind}");
        let text = fs::read_to_string(format!("{DEPLOY}/{name}")).unwrap();
        fs::write(folder.path().join(&name), text.replace("/usr/bin/yufu", BINARY)).unwrap();
        (folder.path().join(name), text)
    });
    let verified = Command::new("systemd-analyze")
        .args(["verify", "--man=no"])
        .args([&service.0, &timer.0])
        .output()
        .unwrap();
    assert!(verified.status.success() && verified.stderr.is_empty(), "{}", said(&verified));
    // Drawn each day, and a time at which the machine was off is left out.
    for line in ["OnCalendar=daily", "RandomizedDelaySec=24h", "Persistent=no"] {
        assert!(timer.1.lines().any(|found| found == line), "{line}");
    }
    let command = service.1.lines().find_map(|line| line.strip_prefix("ExecStart=/usr/bin/yufu "));
    let words: Vec<&str> = command.unwrap().split(' ').chain(["--help"]).collect();
    let understood = Command::new(BINARY).args(words).output().unwrap();
    assert!(understood.status.success(), "{}", said(&understood));
}

/// Compose, in whichever form it is there.
fn compose(arguments: &[&str]) -> Output {
    let plugin = Command::new("docker").args(["compose", "version"]).output();
    let mut command = if plugin.is_ok_and(|output| output.status.success()) {
        let mut docker = Command::new("docker");
        docker.arg("compose");
        docker
    } else {
        Command::new("docker-compose")
    };
    command.args(["-f", &format!("{DEPLOY}/compose.yaml")]).args(arguments).output().unwrap()
}

/// The environment of each service, from the file as Compose understood it.
fn services(config: &str) -> BTreeMap<String, BTreeMap<String, String>> {
    let mut services: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    let (mut inside, mut service) = (false, String::new());
    for line in config.lines() {
        let text = line.trim_start();
        match line.len().saturating_sub(text.len()) {
            0 => inside = text == "services:",
            2 if inside => service = text.trim_end_matches(':').to_owned(),
            6 if inside && text.starts_with("YUFU_") => {
                let (name, value) = text.split_once(": ").unwrap();
                let value = value.trim_matches(['"', '\'']).to_owned();
                services.entry(service.clone()).or_default().insert(name.to_owned(), value);
            }
            _ => {}
        }
    }
    services
}

#[test]
fn compose_accepts_the_file_and_every_service_in_it_has_settings_that_are_good() {
    let config = compose(&["config"]);
    assert!(config.status.success(), "{}", said(&config));
    let services = services(&String::from_utf8_lossy(&config.stdout));
    let folder = tempfile::tempdir().unwrap();
    let names: Vec<&str> = services.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        institutions(folder.path()),
        "every institution of the sample city is a service"
    );
    for (name, settings) in services {
        assert_eq!(settings["YUFU_INSTITUTIONS"], name);
        assert!(settings.keys().all(|name| documented(name)), "{settings:?}");
        let mut check = Command::new(BINARY);
        check.args(["config", "check"]).envs(&settings);
        check.env("YUFU_DATA", folder.path().join(&name)).env("YUFU_TRUST_LIST_KEY", SOME_KEY);
        let checked = check.output().unwrap();
        assert!(checked.status.success(), "{name}: {}", said(&checked));
    }
}

/// The institutions that a process serves if none is named, by their ids.
fn institutions(folder: &Path) -> Vec<String> {
    let checked = Command::new(BINARY)
        .args(["config", "check", "--data"])
        .arg(folder.join("none"))
        .output()
        .unwrap();
    let good = String::from_utf8_lossy(&checked.stdout).into_owned();
    let names = good.strip_prefix("good: ").and_then(|rest| rest.split_once(" at ")).unwrap().0;
    names.split(", ").map(str::to_owned).collect()
}

/// Whether `yufu serve --help` names a variable.
fn documented(variable: &str) -> bool {
    let help = Command::new(BINARY).args(["serve", "--help"]).output().unwrap();
    String::from_utf8_lossy(&help.stdout).contains(&format!("{variable}="))
}
