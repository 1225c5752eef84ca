//! The ledger's log in a PostgreSQL database: served, killed, started again, audited; a second process on
//! it is refused; and `yufu config check` tells what it finds there.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code: a wrong fixture is to fail loudly"
)]

mod support;

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::process::Output;
use support::{Data, JIANGCHENG, LIANGHU, Server, run, text};
use yufu_log::scratch;

const BINARY: &str = env!("CARGO_BIN_EXE_yufu");

/// A database server with an empty database `ledger`.
fn database() -> (scratch::Server, tempfile::TempDir) {
    let directory = tempfile::tempdir().unwrap();
    let server = scratch::Server::start(&directory.path().join("a"), &[]).unwrap();
    server.execute("CREATE DATABASE ledger").unwrap();
    (server, directory)
}

/// Settings with a log, readable by their owner alone.
fn settings(data: &Data, log: &str) -> String {
    let file = data.beside("yufu.toml");
    fs::write(&file, format!("[central_bank]\nlog = {log:?}\n")).unwrap();
    fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
    file.to_str().unwrap().to_owned()
}

fn check(data: &Data, log: &str) -> Output {
    let folder = data.path();
    let config = settings(data, log);
    run(&["config", "check", "--config", &config, "--data", folder.to_str().unwrap()])
}

fn said(output: &Output) -> String {
    format!("{}{}", text(&output.stdout), text(&output.stderr))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ledger_in_a_database_is_killed_started_again_and_audited() {
    let (database, _directory) = tokio::task::spawn_blocking(database).await.unwrap();
    let log = database.address("ledger");
    let data = Data::new();
    let config = settings(&data, &log);
    let server = Server::start_with(&data, &["--config", &config]);
    server.caller().business(JIANGCHENG, 1_000).await;
    assert!(!data.log().exists(), "the log is in the database alone");

    let other = Data::new();
    let second = run(&[
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--config",
        &config,
        "--data",
        other.path().to_str().unwrap(),
    ]);
    assert_eq!(second.status.code(), Some(1));
    let refused = said(&second);
    assert!(
        refused.contains("written by another process (yufu log from its own machine"),
        "{refused}"
    );

    server.kill();
    let server = Server::start_with(&data, &["--config", &config]);
    server.caller().business(LIANGHU, 2_000).await;
    let audited = run(&["audit", "--log", &log]);
    assert_eq!(audited.status.code(), Some(0), "{}", said(&audited));
    assert!(text(&audited.stdout).contains("everything agrees"));
    server.terminate();
    assert!(server.ended().success());
    tokio::task::spawn_blocking(move || drop(database)).await.unwrap();
}

#[test]
fn a_check_tells_what_it_finds_at_the_logs_address_and_makes_nothing() {
    let (database, _directory) = database();
    let log = database.address("ledger");
    let data = Data::new();
    let good = check(&data, &log);
    assert_eq!(good.status.code(), Some(0), "{}", said(&good));
    assert!(said(&good).contains("which waits for no standby"), "{}", said(&good));
    let schema = "SELECT count(*) FROM pg_namespace WHERE nspname = 'yufu_log'";
    let count: i64 = database.client("ledger").unwrap().query_one(schema, &[]).unwrap().get(0);
    assert_eq!(count, 0, "a check makes nothing");

    database.execute("ALTER SYSTEM SET synchronous_standby_names = 'ANY 1 (b, c)'").unwrap();
    database.execute("SELECT pg_reload_conf()").unwrap();
    std::thread::sleep(std::time::Duration::from_millis(300));
    assert!(said(&check(&data, &log)).contains("which waits for ANY 1 (b, c)"));

    for (log, finding) in [
        ("postgres://yufu@db.example/ledger", "without TLS"),
        ("postgres://yufu@localhost", "no user or no database"),
        ("ledger.sqlite", "does not begin with postgres://"),
        (&log.replace("/ledger", "/elsewhere"), "database \"elsewhere\" does not exist"),
    ] {
        let found = check(&data, log);
        assert_eq!(found.status.code(), Some(1), "{log}: {}", said(&found));
        assert!(said(&found).contains(finding), "{log}: {}", said(&found));
    }

    let secret = log.replace("yufu@", "yufu:s3cret@");
    let config = settings(&data, &secret);
    fs::set_permissions(&config, Permissions::from_mode(0o644)).unwrap();
    let folder = data.path();
    for command in [&["config", "check"][..], &["serve"][..]] {
        let options = ["--config", &config, "--data", folder.to_str().unwrap()];
        let found = run(&[command, &options].concat());
        assert_eq!(found.status.code(), Some(1));
        let told = said(&found);
        assert!(told.contains("holds the password of the log"), "{told}");
        assert!(!told.contains("s3cret"), "{told}");
    }
}
