//! Installs what the tests need, runs all of them, and says what ran, passed and was skipped.

use crate::run;
use anyhow::{Context, Result, bail};
use std::fs;
use std::process::Command;

/// Where nextest leaves its report (profile `default`, see `.config/nextest.toml`).
const REPORT: &str = "target/nextest/default/junit.xml";
/// The tests that need Node.js.
const FOREIGN: &str = "testing/foreign";
/// Programs of somebody else's crates, each in a workspace of its own, where each is built, and what it is for: a wallet of
/// notes, and an oracle for mdocs.
const CDK: (&str, &str, &str) = (
    "testing/foreign/cdk/Cargo.toml",
    "target/cdk",
    "yufu-foreign, binary cdk (notes held by the crate cdk)",
);
const ISOMDL: (&str, &str, &str) = (
    "testing/foreign/isomdl/Cargo.toml",
    "target/isomdl",
    "yufu-foreign, binary isomdl (mdocs held against the crate isomdl)",
);
/// Environments of Python, each with what is installed into it: libraries, and a wallet of somebody else's, which wants
/// other versions of the same packages.
const PYTHON: (&str, &str) = ("target/python", "testing/foreign/requirements.txt");
const NUTSHELL: (&str, &str) = ("target/nutshell", "testing/foreign/nutshell.txt");
/// The filters that leave out the tests that need those programs, Chromium, Python, systemd and Compose, PostgreSQL, strace.
const WITHOUT_CDK: &str = "not (package(yufu-foreign) and binary(cdk))";
const WITHOUT_ISOMDL: &str = "not (package(yufu-foreign) and binary(isomdl))";
const WITHOUT_BROWSER: &str = "not (package(yufu-foreign) and binary(browser))";
const WITHOUT_PYTHON: &str =
    "not (package(yufu-foreign) and (binary(sd_jwt_reference) or binary(status_lists)))";
const WITHOUT_NUTSHELL: &str = "not (package(yufu-foreign) and binary(nutshell))";
const WITHOUT_DEPLOY: &str = "not (package(yufu-foreign) and binary(deploy))";
const WITHOUT_POSTGRES: &str =
    "not test(/^postgres::tests::/) and not (binary(ledger_log) or binary(sweep))";
const WITHOUT_SOFTHSM: &str = "not (binary(softhsm) or binary(tokens))";
const WITHOUT_STRACE: &str = "not (binary(injected) or binary(disk))";

/// Tests that cannot run here, and why.
struct Skipped {
    tests: &'static str,
    reason: String,
}

pub(crate) fn test(strict: bool) -> Result<()> {
    ensure_nextest()?;
    let foreign = ensure_foreign_libraries().err();
    let cdk = ensure_foreign_program(CDK).err();
    let isomdl = ensure_foreign_program(ISOMDL).err();
    let browser = ensure_browser().err();
    let python = ensure_python(PYTHON, "yufu-foreign, binaries sd_jwt_reference and status_lists (SD-JWTs of the reference implementation, PyPI sd-jwt, and status lists read by PyPI cwt)").err();
    let nutshell = ensure_python(
        NUTSHELL,
        "yufu-foreign, binary nutshell (notes held by nutshell's wallet, PyPI cashu)",
    )
    .err();
    let deploy = ensure_deploy_tools().err();
    let postgres = ensure_postgres().err();
    let strace = ensure_strace().err();
    let softhsm = ensure_softhsm().err();
    let cards = ensure_card_service().err();
    let reads_cards = cards.is_none();

    let _ = fs::remove_file(REPORT);
    let mut arguments = vec!["nextest", "run", "--workspace", "--locked", "--no-fail-fast"];
    if foreign.is_some() {
        arguments.extend(["--exclude", "yufu-foreign"]);
    }
    let filters = [
        (foreign.is_none() && cdk.is_some()).then_some(WITHOUT_CDK),
        (foreign.is_none() && isomdl.is_some()).then_some(WITHOUT_ISOMDL),
        (foreign.is_none() && browser.is_some()).then_some(WITHOUT_BROWSER),
        (foreign.is_none() && python.is_some()).then_some(WITHOUT_PYTHON),
        (foreign.is_none() && nutshell.is_some()).then_some(WITHOUT_NUTSHELL),
        (foreign.is_none() && deploy.is_some()).then_some(WITHOUT_DEPLOY),
        postgres.is_some().then_some(WITHOUT_POSTGRES),
        strace.is_some().then_some(WITHOUT_STRACE),
        softhsm.is_some().then_some(WITHOUT_SOFTHSM),
    ];
    let filter = filters.into_iter().flatten().collect::<Vec<_>>().join(" and ");
    if !filter.is_empty() {
        arguments.extend(["--filterset", &filter]);
    }
    let skipped =
        [foreign, cdk, isomdl, browser, python, nutshell, deploy, postgres, strace, softhsm, cards];
    let skipped: Vec<Skipped> = skipped.into_iter().flatten().collect();
    let nextest = run::loud("cargo", &arguments);
    let report = fs::read_to_string(REPORT)
        .context("the test runner left no report: the tests did not build (see above)")?;
    let mut suites = suites(&report);
    let cards = if reads_cards { card_service_tests(&mut suites) } else { Ok(()) };
    let anonymous = anonymous_credential_tests(&mut suites);
    let documentation = documentation_tests()?;

    println!();
    for suite in &suites {
        println!("{:>5} ran, {:>3} failed  {}", suite.ran, suite.failed, suite.name);
    }
    println!("{:>5} ran, {:>3} failed  documentation examples", documentation.0, documentation.1);
    for skip in &skipped {
        println!("SKIPPED {}: {}", skip.tests, skip.reason);
    }
    let ran = suites.iter().map(|s| s.ran).sum::<usize>().saturating_add(documentation.0);
    let failed = suites.iter().map(|s| s.failed).sum::<usize>().saturating_add(documentation.1);
    println!("{} passed, {failed} failed, {} skipped", ran.saturating_sub(failed), skipped.len());

    nextest?;
    cards?;
    anonymous?;
    if failed > 0 {
        bail!("{failed} tests failed");
    }
    if strict && !skipped.is_empty() {
        bail!("tests were skipped, which counts as a failure here");
    }
    Ok(())
}

/// Runs the tests over the system's card service: they are built with a feature that needs a C library.
fn card_service_tests(ran: &mut Vec<Suite>) -> Result<()> {
    let _ = fs::remove_file(REPORT);
    let arguments =
        ["nextest", "run", "-p", "yufu-foreign-cards", "--features", "pcsc", "--locked"];
    let done = run::loud("cargo", &[&arguments[..], &["--test", "daemon"]].concat());
    let report = fs::read_to_string(REPORT)
        .context("the test runner left no report: the tests of cards did not build (see above)")?;
    ran.extend(suites(&report));
    done
}

/// Runs the tests of what is built with the feature `zero-knowledge` only: the formats and sessions are tested without it.
fn anonymous_credential_tests(ran: &mut Vec<Suite>) -> Result<()> {
    let _ = fs::remove_file(REPORT);
    let arguments = ["nextest", "run", "-p", "yufu", "--locked"];
    let feature = ["--features", "zero-knowledge", "--lib"];
    let files = ["--test", "zero_knowledge", "--test", "anonymous_terminal"];
    let only = [
        "--filterset",
        "test(/anonymous/) or binary(zero_knowledge) or binary(anonymous_terminal)",
    ];
    let done = run::loud("cargo", &[&arguments[..], &feature, &files, &only].concat());
    let report = fs::read_to_string(REPORT).context(
        "the test runner left no report: the tests of anonymous credentials did not build (see above)",
    )?;
    ran.extend(suites(&report));
    done
}

/// Runs the simulator, built for speed.
pub(crate) fn simulate(seeds: u64, from: u64) -> Result<()> {
    let (seeds, from) = (seeds.to_string(), from.to_string());
    let run = ["run", "--release", "--quiet", "--locked", "-p", "yufu-simulator", "--"];
    run::loud("cargo", &[&run[..], &["--seeds", &seeds, "--from", &from]].concat())
}

/// Writes `docs/openapi.json` anew.
pub(crate) fn regenerate_openapi() -> Result<()> {
    regenerate(&["openapi"])
}

/// Writes `docs/messages.md` anew.
pub(crate) fn regenerate_messages() -> Result<()> {
    regenerate(&["errors", "page_of_messages"])
}

/// The test that compares a document with its sources writes it when told to.
fn regenerate(test: &[&str]) -> Result<()> {
    let status = Command::new("cargo")
        .args(["test", "--quiet", "-p", "yufu-api", "--test"])
        .args(test)
        .env("YUFU_REGENERATE", "1")
        .status()?;
    if status.success() { Ok(()) } else { bail!("the document could not be generated") }
}

/// The profiles with a sample city, and how many residents it has.
const CITIES: [(&str, &str); 2] = [("profiles/china", "1000"), ("profiles/plain", "300")];

/// Writes the sample city of every profile anew, with its committed seed.
pub(crate) fn regenerate_city() -> Result<()> {
    for (profile, residents) in CITIES {
        let run = ["run", "-q", "-p", "yufu-profile", "--example", "generate-city", "--"];
        let options = ["--profile", profile, "--residents", residents];
        let csv = run::output("cargo", &[&run[..], &options[..]].concat())?;
        let file = format!("{profile}/residents.csv");
        fs::write(&file, csv).context(file)?;
    }
    Ok(())
}

fn ensure_nextest() -> Result<()> {
    if Command::new("cargo").args(["nextest", "--version"]).output()?.status.success() {
        return Ok(());
    }
    eprintln!("cargo-nextest is missing: installing it (some minutes, once)");
    run::loud("cargo", &["install", "cargo-nextest", "--locked"])
}

/// Node.js and the pinned packages that check our credentials and hold our notes from outside.
fn ensure_foreign_libraries() -> Result<(), Skipped> {
    let skip = |reason: String| Skipped {
        tests: "yufu-foreign (credentials verified by @sd-jwt/sd-jwt-vc, notes held by @cashu/cashu-ts)",
        reason,
    };
    if !(run::exists("node") && run::exists("npm")) {
        install_debian(&["nodejs", "npm"]).map_err(|e| skip(format!("Node.js 20.19 or newer with npm is missing, and could not be installed: {e:#}. Install both and run again")))?;
    }
    run::loud("npm", &["ci", "--prefix", FOREIGN, "--no-audit", "--no-fund", "--ignore-scripts"])
        .map_err(|e| skip(format!("`npm ci` in {FOREIGN} failed: {e:#}")))
}

/// A program of somebody else's crate. It is built apart, so that the product is tested as it is built without it.
fn ensure_foreign_program(
    (manifest, target, tests): (&str, &str, &'static str),
) -> Result<(), Skipped> {
    let build = ["build", "--manifest-path", manifest, "--target-dir", target, "--locked"];
    run::loud("cargo", &build)
        .map_err(|e| Skipped { tests, reason: format!("its program could not be built: {e:#}") })
}

/// A browser that plays a wallet for the pages that it shows.
fn ensure_browser() -> Result<(), Skipped> {
    if run::exists("chromium") {
        return Ok(());
    }
    install_debian(&["chromium"]).map_err(|e| Skipped {
        tests: "yufu-foreign, binary browser (a page asks Chromium's wallet)",
        reason: format!(
            "chromium is missing, and could not be installed: {e:#}. Install it and run again"
        ),
    })
}

/// Other people's packages in Python, in an environment of their own.
fn ensure_python((folder, packages): (&str, &str), tests: &'static str) -> Result<(), Skipped> {
    let skip = |reason: String| Skipped { tests, reason };
    if !run::exists("python3") || run::output("python3", &["-m", "ensurepip", "--version"]).is_err()
    {
        install_debian(&["python3", "python3-venv"]).map_err(|e| skip(format!("Python 3.10 or newer with venv is missing, and could not be installed: {e:#}. Install it and run again")))?;
    }
    let pip = format!("{folder}/bin/pip");
    run::loud("python3", &["-m", "venv", folder])
        .and_then(|()| run::loud(&pip, &["install", "--quiet", "--no-deps", "-r", packages]))
        .map_err(|e| skip(format!("its packages could not be installed into {folder}: {e:#}")))
}

/// systemd and Compose, which read what lies in `deploy`.
fn ensure_deploy_tools() -> Result<(), Skipped> {
    let skip = |reason: String| Skipped {
        tests: "yufu-foreign, binary deploy (the systemd unit and the Compose file, read by their own programs)",
        reason,
    };
    let compose =
        run::exists("docker-compose") || run::output("docker", &["compose", "version"]).is_ok();
    let tools = [("systemd", run::exists("systemd-analyze")), ("docker-compose", compose)];
    let missing: Vec<&str> =
        tools.into_iter().filter(|(_, there)| !there).map(|(name, _)| name).collect();
    if missing.is_empty() {
        return Ok(());
    }
    install_debian(&missing).map_err(|e| {
        let missing = missing.join(" and ");
        skip(format!("{missing} missing, and could not be installed: {e:#}. Install and run again"))
    })
}

/// Servers that the log is tested on.
fn ensure_postgres() -> Result<(), Skipped> {
    let there = || {
        let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
        let mut folders = versions.map(|version| version.path().join("bin"));
        folders.any(|folder| folder.join("initdb").exists()) || run::exists("initdb")
    };
    if there() {
        return Ok(());
    }
    install_debian(&["postgresql"]).map_err(|e| Skipped {
        tests: "yufu-log (postgres::tests) and yufu, binary ledger_log (the log on real servers)",
        reason: format!(
            "PostgreSQL is missing, and could not be installed: {e:#}. Install it and run again"
        ),
    })
}

/// What makes a disk fail beneath a process.
fn ensure_strace() -> Result<(), Skipped> {
    let skip = |reason| Skipped {
        tests: "yufu-log, binary injected, and yufu, binary disk (a disk that fails and fills)",
        reason,
    };
    if !run::exists("strace") {
        install_debian(&["strace"])
            .map_err(|e| skip(format!("strace is missing, and could not be installed: {e:#}")))?;
    }
    let traced = Command::new("strace").args(["-o", "/dev/null", "true"]).output();
    if traced.is_ok_and(|done| done.status.success()) {
        return Ok(());
    }
    Err(skip("strace may not trace here: a container needs --cap-add SYS_PTRACE".to_owned()))
}

/// A token of keys in software, and somebody else's program that looks into it.
fn ensure_softhsm() -> Result<(), Skipped> {
    let packages = [
        ("softhsm2", run::exists("softhsm2-util")),
        ("opensc", fs::metadata("/usr/bin/pkcs11-tool").is_ok()),
    ];
    let missing: Vec<&str> =
        packages.into_iter().filter(|(_, there)| !there).map(|(name, _)| name).collect();
    if missing.is_empty() {
        return Ok(());
    }
    install_debian(&missing).map_err(|e| Skipped {
        tests: "yufu-keys, binary softhsm, and yufu, binary tokens (keys in a PKCS#11 token)",
        reason: format!(
            "{} missing, and could not be installed: {e:#}. Install and run again",
            missing.join(" and ")
        ),
    })
}

/// The system's service for readers of chip cards, with a virtual reader, in a network namespace.
fn ensure_card_service() -> Result<(), Skipped> {
    let skip = |reason| Skipped {
        tests: "yufu-foreign-cards, binaries daemon and eac (a chip card over the system's PC/SC service, and with libeac)",
        reason,
    };
    let driver = "/usr/lib/pcsc/drivers/serial/libifdvpcd.so";
    let library = run::output("pkg-config", &["--exists", "libpcsclite"]).is_ok();
    let packages = [
        ("pcscd", run::exists("pcscd")),
        ("vsmartcard-vpcd", fs::metadata(driver).is_ok()),
        ("opensc", fs::metadata("/usr/bin/opensc-tool").is_ok()),
        ("libpcsclite-dev", library),
        ("libeac-dev", fs::metadata("/usr/include/eac/pace.h").is_ok()),
        ("pkg-config", library),
        ("iproute2", run::output("ip", &["-V"]).is_ok()),
    ];
    let missing: Vec<&str> =
        packages.into_iter().filter(|(_, there)| !there).map(|(name, _)| name).collect();
    if !missing.is_empty() {
        install_debian(&missing).map_err(|e| {
            let missing = missing.join(", ");
            skip(format!(
                "{missing} missing, and could not be installed: {e:#}. Install and run again"
            ))
        })?;
    }
    run::output("unshare", &["--net", "--", "ip", "link", "set", "lo", "up"]).map(drop).map_err(|e| {
        skip(format!("no network namespace can be made, and the virtual reader listens on all addresses: {e:#}"))
    })
}

fn install_debian(packages: &[&str]) -> Result<()> {
    let root = run::output("id", &["-u"])?.trim() == "0";
    if !run::exists("apt-get") {
        bail!("this is not a Debian system");
    }
    if !root {
        bail!("not root; run: sudo apt-get install {}", packages.join(" "));
    }
    run::loud("apt-get", &["update", "-qq"])?;
    run::loud("apt-get", &[&["install", "-y", "-qq", "--no-install-recommends"], packages].concat())
}

/// Runs the examples in the documentation; (ran, failed).
fn documentation_tests() -> Result<(usize, usize)> {
    eprintln!("$ cargo test --doc --workspace --locked");
    let output =
        Command::new("cargo").args(["test", "--doc", "--workspace", "--locked"]).output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let mut counts = (0_usize, 0_usize);
    for line in text.lines().filter(|l| l.starts_with("test result:")) {
        counts.0 = counts.0.saturating_add(count_before(line, " passed"));
        counts.1 = counts.1.saturating_add(count_before(line, " failed"));
    }
    if !output.status.success() {
        eprintln!("{text}{}", String::from_utf8_lossy(&output.stderr));
        if counts.1 == 0 {
            bail!("the documentation examples did not build");
        }
    }
    Ok((counts.0.saturating_add(counts.1), counts.1))
}

fn count_before(line: &str, word: &str) -> usize {
    let before = line.split_once(word).map_or("", |(before, _)| before);
    before.rsplit(' ').next().and_then(|n| n.parse().ok()).unwrap_or(0)
}

struct Suite {
    name: String,
    ran: usize,
    failed: usize,
}

/// The suites of a JUnit report, as nextest writes it: one `<testsuite name= tests= failures= errors=>` each.
fn suites(report: &str) -> Vec<Suite> {
    report
        .lines()
        .filter(|line| line.trim_start().starts_with("<testsuite "))
        .map(|line| Suite {
            name: attribute(line, "name").unwrap_or_default().to_owned(),
            ran: number(line, "tests"),
            failed: number(line, "failures").saturating_add(number(line, "errors")),
        })
        .collect()
}

fn number(line: &str, name: &str) -> usize {
    attribute(line, name).and_then(|v| v.parse().ok()).unwrap_or(0)
}

fn attribute<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = line.split_once(&format!(" {name}=\""))?;
    rest.split_once('"').map(|(value, _)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_gives_its_suites() {
        let report = r#"<testsuites name="x" tests="3" failures="1" errors="0">
    <testsuite name="yufu-base" tests="3" disabled="0" errors="1" failures="1">"#;
        let found = suites(report);
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].name.as_str(), found[0].ran, found[0].failed), ("yufu-base", 3, 2));
    }

    #[test]
    fn a_result_line_gives_its_counts() {
        let line = "test result: FAILED. 4 passed; 2 failed; 0 ignored";
        assert_eq!((count_before(line, " passed"), count_before(line, " failed")), (4, 2));
    }
}
