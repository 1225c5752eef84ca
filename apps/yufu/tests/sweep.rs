//! A person with marks of her own in every field of the register lives through the city, is erased, and then nothing of
//! her can be read in anything that is left: databases, logs, a PostgreSQL server's files, backups. Before, it can.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::too_many_lines,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "test code: a wrong fixture is to fail loudly"
)]

mod support;

use flate2::Compression;
use flate2::read::GzEncoder;
use ruzstd::encoding::{CompressionLevel, compress_to_vec};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs::{self, Permissions};
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;
use support::institutions::{AUTHORITY, HOTEL};
use support::{Answer, Caller, Data, JIANGCHENG, LIANGHU, Resident, Server, run, takings, text};
use yufu_jose::encode_base64url;
use yufu_log::scratch;

const BINARY: &str = env!("CARGO_BIN_EXE_yufu");
/// Her row in the register.
const ROW: usize = 2;
/// What stands in her fields and nowhere else; her telephone; and her name as a chip card writes it.
const MARKS: [&str; 7] =
    ["鹮鹮翯", "翀瀼鵷", "瑞鹮州沅芷县", "渌瀼巷", "九七三幢壹零捌", "+99900097308", "HUANHUANHE"];

/// A profile in which she stands, and in which nobody may keep anything for longer than it is needed.
fn profile(data: &Data) -> (PathBuf, String) {
    let folder = support::changed_profile(data, "country", |main| main);
    let file = folder.join("residents.csv");
    let all = fs::read_to_string(&file).unwrap();
    let mut rows: Vec<String> = all.lines().map(str::to_owned).collect();
    let mut fields: Vec<&str> = rows[ROW].split(',').collect();
    let number = fields[0].to_owned();
    (fields[1], fields[2], fields[7]) = (MARKS[0], MARKS[1], MARKS[2]);
    (fields[8], fields[9]) = (MARKS[3], MARKS[4]);
    // A household of her own: an address is all of a household's.
    (fields[10], fields[11]) = ("9999", "head");
    rows[ROW] = fields.join(",");
    fs::write(&file, rows.join("\n") + "\n").unwrap();
    let file = folder.join("institutions.toml");
    let institutions = fs::read_to_string(&file).unwrap();
    let short = |line: &str| match line.trim_start().split_once(" = ") {
        Some(("retention_days", days)) if days.starts_with("3653") || days.starts_with("90") => {
            "retention_days = 0".to_owned()
        }
        _ => line.to_owned(),
    };
    let changed: Vec<String> = institutions.lines().map(short).collect();
    fs::write(&file, changed.join("\n") + "\n").unwrap();
    (folder, number)
}

/// A database server with an empty database `ledger`, in a folder. It lives as long as the thread that started it, which
/// lives as long as the test does.
fn database(folder: PathBuf) -> scratch::Server {
    let (tell, told) = mpsc::channel();
    thread::spawn(move || {
        let server = scratch::Server::start(&folder.join("pg"), &[]).unwrap();
        server.execute("CREATE DATABASE ledger").unwrap();
        tell.send(server).unwrap();
        thread::park();
    });
    told.recv().unwrap()
}

fn sweep(values: &Path, paths: &[&Path]) -> (Option<i32>, Value) {
    let mut arguments = vec!["sweep", "--json", "--values", values.to_str().unwrap()];
    arguments.extend(paths.iter().map(|path| path.to_str().unwrap()));
    let Output { status, stdout, stderr } = run(&arguments);
    assert!(text(&stderr).is_empty(), "{}", text(&stderr));
    (status.code(), serde_json::from_slice(&stdout).unwrap())
}

/// Where she can be read, as `table.column`; `open` where nothing had to be opened.
fn places(report: &Value) -> BTreeSet<String> {
    let place = |found: &Value| match (found["opened_with"].as_str(), found["column"].as_str()) {
        (Some(_), Some(column)) => column.to_owned(),
        _ => format!("open: {found}"),
    };
    report["found"].as_array().unwrap().iter().map(place).collect()
}

async fn officer(caller: &Caller, of: &str, path: &str, body: &Value) -> Value {
    officer_with(caller, (&caller.desk(of), "officer-7"), path, body).await.done()
}

/// What an officer with this token, and of this name, is answered.
async fn officer_with(
    caller: &Caller,
    (token, name): (&str, &str),
    path: &str,
    body: &Value,
) -> Answer {
    let bearer = format!("Bearer {token}");
    let headers = [
        ("content-type", "application/json"),
        ("authorization", bearer.as_str()),
        ("operator", name),
    ];
    let body = serde_json::to_vec(body).unwrap();
    caller.send("POST", path, &headers, body).await.unwrap()
}

/// She gets an identity, opens accounts, pays, sleeps at a hotel, asks who read her record, and has a counter wallet
/// and a purse.
async fn live(caller: &Caller, number: &str) {
    let mut she = Resident::of(caller, ROW);
    assert_eq!(she.number, number);
    let (offer, code) = she.offer(caller).await;
    she.wallet.get(&offer, Some(&code)).await.unwrap();
    let account = she.open_account(caller, 100_000).await;
    let shop = caller.business(LIANGHU, 0).await;
    caller.pay(&account, &account.order(shop.id, 1_800, caller.id())).await.unwrap().done();
    she.wallet.get_payment_credential().await.unwrap();
    takings(caller, HOTEL).await;
    let room = json!({"room": "302", "nights": 1, "amount_minor": 10_000});
    let path = format!("/parties/{HOTEL}/v1/desk/check-ins");
    let asked = caller.post(&path, Some(&caller.desk(HOTEL)), &room).await.done();
    let link = asked["authorization_request"].as_str().unwrap();
    she.wallet.present(link, &mut |_| true).await.unwrap();
    she.wallet.who_read(&mut |_| true).await.unwrap();
    let counter = json!({
        "class": "III", "number": number, "family_name": MARKS[0], "given_name": MARKS[1],
        "birthdate": "1965-12-04", "evidence": "ID card and portrait compared, form 118",
    });
    let path = format!("/banks/{LIANGHU}/v1/desk/counter-wallets");
    let opened = officer(caller, LIANGHU, &path, &counter).await;
    let counter = opened["account"].as_str().unwrap().to_owned();
    she.wallet.begin_purse(JIANGCHENG, "IV", MARKS[5]).await.unwrap();
    officer(
        caller,
        "identity-authority",
        "/authority/v1/officer/cards",
        &json!({"resident_number": number, "evidence": "portrait compared", "in_person": true}),
    )
    .await;

    // The accounts are emptied and closed, which is what the banks wait for.
    let all = json!({
        "direction": "digital_to_paper", "account": account.id.to_string(),
        "amount_minor": caller.balance(&account).await,
    });
    let path = format!("/banks/{JIANGCHENG}/v1/desk/exchanges");
    officer(caller, JIANGCHENG, &path, &all).await;
    for (bank, account) in [(JIANGCHENG, account.id.to_string()), (LIANGHU, counter)] {
        let close = json!({"step": "close", "evidence": "form 2026-119"});
        let path = format!("/banks/{bank}/v1/desk/accounts/{account}/steps");
        officer(caller, bank, &path, &close).await;
    }
}

/// One officer asks for her erasure, another one confirms it.
async fn erase(caller: &Caller, number: &str) {
    let ground = json!({"resident_number": number, "evidence": "decision 2026-88"});
    let path = "/authority/v1/officer/erasures";
    let desk = caller.desk(AUTHORITY);
    let unfounded = json!({"resident_number": number, "evidence": " "});
    for (case, body) in [("no ground", &unfounded), ("no officer", &ground)] {
        let refused = caller.post(path, Some(&desk), body).await;
        refused.refused(case, 400, "request.malformed");
    }
    let asked = officer(caller, AUTHORITY, path, &ground).await;
    let path = format!("{path}/{}/confirmation", asked["erasure"].as_str().unwrap());
    let approver = caller.secret(AUTHORITY, "approver");
    let confirmed = officer_with(caller, (&approver, "officer-8"), &path, &json!({})).await;
    let erased = confirmed.done();
    assert!(erased["revoked"].as_u64().unwrap() > 0);
    let path = "/authority/v1/officer/erasures";
    let again = officer_with(caller, (&desk, "officer-7"), path, &ground).await;
    again.refused("twice", 404, "request.not_found");
}

fn backup(data: &Data, to: &Path, more: &[&str]) {
    let (from, to) = (data.path(), to.to_str().unwrap());
    let output = run(&[&["backup", "--data", from.to_str().unwrap(), "--to", to], more].concat());
    assert!(output.status.success(), "{}", text(&output.stderr));
}

/// Everything in the server's database, as an operator dumps it.
fn dump(database: &scratch::Server, to: &Path) {
    let folders = fs::read_dir("/usr/lib/postgresql").unwrap().map(|entry| entry.unwrap().path());
    let program = folders.map(|folder| folder.join("bin/pg_dump")).find(|path| path.exists());
    let output = Command::new(program.expect("apt-get install postgresql"))
        .arg(database.address("ledger"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    fs::write(to, output.stdout).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_a_person_can_be_read_in_anything_that_is_left_of_her_after_an_erasure() {
    let directory = tempfile::tempdir().unwrap();
    let folder = directory.path().to_owned();
    let database = tokio::task::spawn_blocking(move || database(folder)).await.unwrap();
    let data = Data::new();
    let (country, number) = profile(&data);
    let config = data.beside("yufu.toml");
    let log = database.address("ledger");
    fs::write(&config, format!("[central_bank]\nlog = {log:?}\n")).unwrap();
    fs::set_permissions(&config, Permissions::from_mode(0o600)).unwrap();
    let more = ["--profile", country.to_str().unwrap(), "--config", config.to_str().unwrap()];
    let (values, logs, backups) =
        (data.beside("erased.txt"), data.beside("logs"), data.beside("backups"));
    fs::create_dir(&logs).unwrap();
    fs::create_dir(&backups).unwrap();
    fs::write(&values, format!("{number}\n{}\n", MARKS.join("\n"))).unwrap();

    let server = Server::start_logging_with(&data, &more, &logs.join("first.log"));
    let caller = server.caller();
    live(&caller, &number).await;
    backup(&data, &backups.join("all"), &["--with-keys"]);
    backup(&data, &backups.join("state"), &[]);
    backup(&data, &backups.join("keys"), &["--only-keys"]);

    // As long as her keys are there she can be read, and nowhere but where she is sealed.
    let everything = [data.path(), logs.clone(), directory.path().to_owned()];
    let everything: Vec<&Path> = everything.iter().map(PathBuf::as_path).collect();
    let sealed =
        ["customers.sealed_claims", "person.sealed", "phones.sealed_number", "stays.sealed_guest"];
    let before = sweep(&values, &everything);
    let mut expected: BTreeSet<String> = sealed.iter().map(|&place| place.to_owned()).collect();
    expected.insert("phone_messages.sealed_text".to_owned());
    let found = places(&before.1);
    assert!(
        found.is_subset(&expected) && sealed.iter().all(|&place| found.contains(place)),
        "{found:?}"
    );
    assert_eq!(before.0, Some(1));

    erase(&caller, &number).await;
    server.terminate();
    assert!(server.ended().success());

    // At the next start, as every hour, banks and hotel erase what they may keep no longer. The number behind a purse
    // that nobody opened goes after a day: it is the one thing of her that is still there.
    let server = Server::start_logging_with(&data, &more, &logs.join("second.log"));
    let number_waits = BTreeSet::from(["phones.sealed_number".to_owned()]);
    let mut left = BTreeSet::new();
    for _ in 0..100 {
        left = places(&sweep(&values, &everything).1);
        left.remove("phone_messages.sealed_text");
        if left == number_waits {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(left, number_waits);
    fs::write(&values, format!("{number}\n{}\n", [&MARKS[..5], &MARKS[6..]].concat().join("\n")))
        .unwrap();
    dump(&database, &logs.join("ledger.sql"));
    let after = sweep(&values, &everything);
    assert_eq!((after.0, places(&after.1)), (Some(0), BTreeSet::new()), "{}", after.1);
    assert!(after.1["databases"].as_u64().unwrap() > 10 && after.1["keys"].as_u64().unwrap() > 900);
    drop(server);

    // A backup that holds her keys brings her back, for thirty days; then not, though all else is there.
    let with = [everything.clone(), vec![backups.as_path()]].concat();
    let report = sweep(&values, &with);
    assert_eq!(report.0, Some(1));
    assert!(places(&report.1).contains("person.sealed"));
    assert_eq!(sweep(&values, &[&backups.join("state")]).0, Some(0), "a backup without keys");
    let within = backups.to_str().unwrap();
    assert!(run(&["forget-keys", "--within", within]).status.success());
    assert_eq!(sweep(&values, &with).0, Some(1), "they are young");
    assert!(run(&["forget-keys", "--within", within, "--days", "0"]).status.success());
    let after = sweep(&values, &with);
    assert_eq!((after.0, places(&after.1)), (Some(0), BTreeSet::new()), "{}", after.1);
    // What is left of the backup is still one.
    let again = data.beside("restored");
    let from = backups.join("all");
    let restored =
        run(&["restore", "--from", from.to_str().unwrap(), "--to", again.to_str().unwrap()]);
    assert!(restored.status.success(), "{}", text(&restored.stderr));

    // And a mark that somebody left lying about would be found.
    let planted = logs.join("planted.log");
    fs::write(&planted, format!("order by {}", encode_base64url(format!("x{}", MARKS[1]))))
        .unwrap();
    let (status, report) = sweep(&values, &with);
    assert_eq!((status, report["found"].as_array().unwrap().len()), (Some(1), 1), "{report}");
    assert_eq!(report["found"][0]["value"], 3);
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packed = Vec::new();
    GzEncoder::new(bytes, Compression::default()).read_to_end(&mut packed).unwrap();
    packed
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    compress_to_vec(bytes, CompressionLevel::Fastest)
}

#[test]
fn what_was_compressed_is_searched_too_with_the_keys_that_were() {
    let data = Data::new();
    let (country, number) = profile(&data);
    let server = Server::start_with(&data, &["--profile", country.to_str().unwrap()]);
    server.terminate();
    assert!(server.ended().success());
    let values = data.beside("values.txt");
    fs::write(&values, format!("{number}\n{}\n", MARKS.join("\n"))).unwrap();
    let packed = data.beside("packed");
    fs::create_dir(&packed).unwrap();

    // A log that was rotated: found in either form, and nowhere if there is nothing.
    let line = format!("{}guest {} came\n", "nobody came\n".repeat(9_000), MARKS[0]);
    for (name, bytes) in [("a.log.gz", gzip(line.as_bytes())), ("b.log.zst", zstd(line.as_bytes()))]
    {
        let file = packed.join(name);
        fs::write(&file, bytes).unwrap();
        let (status, report) = sweep(&values, &[&packed]);
        assert_eq!((status, &report["found"][0]["value"]), (Some(1), &json!(2)), "{report}");
        assert_eq!(report["found"][0]["file"], json!(file), "{report}");
        fs::write(&file, gzip(b"nobody came")).unwrap();
        let (status, report) = sweep(&values, &[&packed]);
        assert_eq!((status, &report["packed"]), (Some(0), &json!(1)), "{report}");
        fs::remove_file(&file).unwrap();
    }
    // A register that was packed says nothing without its keys, packed or not, and all of her with them.
    let authority = data.path().join(AUTHORITY);
    let pack = |from: &Path, to: &str, by: fn(&[u8]) -> Vec<u8>| {
        // Whole in one file: a server that ends may leave its last rows in the log beside it.
        if from.extension().is_some_and(|kind| kind == "sqlite") {
            let whole = rusqlite::Connection::open(from).unwrap();
            whole.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
        }
        fs::write(packed.join(to), by(&fs::read(from).unwrap())).unwrap();
    };
    pack(&authority.join("population.sqlite"), "population.sqlite.zst", zstd);
    assert_eq!(sweep(&values, &[&packed]).0, Some(0));
    pack(&authority.join("person-keys.sqlite"), "person-keys.sqlite.gz", gzip);
    assert_eq!(sweep(&values, &[&packed]).0, Some(0), "no master key");
    pack(&authority.join("keys").join("records.key"), "records.key.gz", gzip);
    let (status, report) = sweep(&values, &[&packed]);
    assert_eq!((status, places(&report)), (Some(1), BTreeSet::from(["person.sealed".to_owned()])));
    // Of what cannot be unpacked nothing is claimed.
    let whole = fs::read(packed.join("population.sqlite.zst")).unwrap();
    fs::remove_dir_all(&packed).unwrap();
    fs::create_dir(&packed).unwrap();
    fs::write(packed.join("cut.zst"), &whole[..whole.len() / 2]).unwrap();
    let (status, report) = sweep(&values, &[&packed]);
    assert_eq!(
        (status, &report["unread"]),
        (Some(1), &json!([packed.join("cut.zst")])),
        "{report}"
    );
}

#[test]
fn data_keys_older_than_thirty_days_are_not_restored_and_are_forgotten() {
    let data = Data::new();
    let server = Server::start(&data);
    let backups = data.beside("backups");
    backup(&data, &backups.join("state"), &[]);
    backup(&data, &backups.join("keys"), &["--only-keys"]);
    drop(server);
    let manifest = backups.join("keys").join("manifest.json");
    let mut old: Value = serde_json::from_slice(&fs::read(&manifest).unwrap()).unwrap();
    old["made_at"] = json!(old["made_at"].as_u64().unwrap() - 30 * 86_400);
    fs::write(&manifest, serde_json::to_vec(&old).unwrap()).unwrap();
    let restore = |to: &str| {
        let (to, state, keys) = (data.beside(to), backups.join("state"), backups.join("keys"));
        let [to, state, keys] = [&to, &state, &keys].map(|path| path.to_str().unwrap());
        run(&["restore", "--from", state, "--keys", keys, "--to", to])
    };
    let refused = restore("one");
    let said = text(&refused.stderr);
    assert!(!refused.status.success() && said.contains("older than 30 days"), "{said}");
    assert!(!data.beside("one").exists());
    let forgotten = run(&["forget-keys", "--within", backups.to_str().unwrap()]);
    assert!(forgotten.status.success(), "{}", text(&forgotten.stderr));
    let people = backups.join("keys").join("identity-authority").join("person-keys.sqlite");
    assert!(!people.exists());
    assert!(
        backups.join("keys").join("identity-authority").join("keys").join("records.key").exists()
    );
    // The signing keys are there, and the rest with them.
    let restored = restore("two");
    assert!(restored.status.success(), "{}", text(&restored.stderr));
}
