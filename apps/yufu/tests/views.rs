//! The history of the ledger, over HTTP and on the terminal: for the bank whose account it is, and nobody else.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code: a wrong fixture is to fail loudly"
)]

mod support;

use rusqlite::Connection;
use serde_json::Value;
use std::fs;
use std::path::PathBuf;
use support::{Account, Answer, Caller, Data, JIANGCHENG, LIANGHU, Server, now, run, text};
use yufu_base::{CommandId, InstitutionId};
use yufu_keys::KeyStore;
use yufu_machine::{AccountKind, institution_account};
use yufu_payment::RequestToken;

const BINARY: &str = env!("CARGO_BIN_EXE_yufu");

/// A question to the central bank as `signer` signs it in the name of `name`.
async fn ask(caller: &Caller, (signer, name): (&str, &str), path: &str, query: &str) -> Answer {
    let keys = KeyStore::open(&caller.data().join(signer).join("keys")).unwrap();
    let token = RequestToken {
        iss: name.to_owned(),
        aud: "central-bank".to_owned(),
        htm: "GET".to_owned(),
        htu: path.to_owned(),
        iat: now(),
    };
    let token = token.sign(&*keys.signer("commands").unwrap()).unwrap();
    caller.get(&format!("{path}{query}"), Some(&token)).await
}

fn entries(account: &Account) -> String {
    format!("/central-bank/v1/accounts/{}/entries", account.id)
}

fn history(data: &Data) -> PathBuf {
    data.path().join("central-bank/history.sqlite")
}

/// A payer with 1,000 who paid 1 to 5; the ids of its payments.
async fn played(caller: &Caller) -> (Account, Account, Vec<CommandId>) {
    let payer = caller.business(JIANGCHENG, 1_000).await;
    let payee = caller.business(LIANGHU, 0).await;
    let mut ids = Vec::new();
    for minor in 1..=5 {
        let order = payer.order(payee.id, minor, caller.id());
        caller.pay(&payer, &order).await.unwrap().done();
        ids.push(order.id);
    }
    (payer, payee, ids)
}

fn views(data: &Data, arguments: &[&str]) -> (Option<i32>, String) {
    let path = data.path();
    let output = run(&[&["views"], arguments, &["--data", path.to_str().unwrap()]].concat());
    (output.status.code(), format!("{}{}", text(&output.stdout), text(&output.stderr)))
}

/// Amount and balance of each entry.
fn amounts(page: &Value) -> Vec<(u64, u64)> {
    let entries = page["entries"].as_array().unwrap().iter();
    let of = |entry: &Value, name: &str| entry[name].as_u64().unwrap();
    entries.map(|entry| (of(entry, "amount_minor"), of(entry, "balance_minor"))).collect()
}

/// Another bank, another bank in this one's name, and nobody.
async fn refused_to_strangers(caller: &Caller, path: &str, query: &str) {
    let other = ask(caller, (LIANGHU, LIANGHU), path, query).await;
    other.refused(path, 404, "request.not_found");
    let forged = ask(caller, (LIANGHU, JIANGCHENG), path, query).await;
    forged.refused(path, 401, "request.unauthenticated");
    let nobody = caller.get(&format!("{path}{query}"), None).await;
    nobody.refused(path, 401, "request.unauthenticated");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bank_reads_what_moved_in_its_own_accounts_and_a_stranger_is_refused() {
    let data = Data::new();
    let server = Server::start(&data);
    let caller = server.caller();
    let (payer, payee, ids) = played(&caller).await;
    let own = (JIANGCHENG, JIANGCHENG);
    let after = format!("after_seq={}", caller.head().await);

    let path = entries(&payer);
    let page = ask(&caller, own, &path, &format!("?limit=2&{after}")).await.done();
    assert!(page["through"]["seq"].as_u64().unwrap() >= caller.head().await);
    assert_eq!(amounts(&page), [(5, 985), (4, 990)]);
    let newest = &page["entries"][0];
    assert_eq!((&newest["direction"], &newest["kind"]), (&"out".into(), &"payment".into()));
    assert_eq!(newest["counterparty"], payee.id.to_string());
    let next = page["next"].as_u64().unwrap();
    let rest = ask(&caller, own, &path, &format!("?cursor={next}")).await.done();
    assert_eq!(amounts(&rest), [(3, 994), (2, 997), (1, 999), (1_000, 1_000)]);
    assert!(rest["next"].is_null());
    let oldest = ask(&caller, own, &path, "?order=oldest_first&limit=1").await.done();
    assert_eq!(amounts(&oldest), [(1_000, 1_000)]);
    let paid_at = rest["entries"][0]["at"].as_u64().unwrap();
    let before = ask(&caller, own, &path, &format!("?until={paid_at}&limit=1")).await.done();
    assert_eq!(amounts(&before), [(2, 997)]);

    let balance = format!("/central-bank/v1/accounts/{}/balance", payer.id);
    let then = ask(&caller, own, &balance, &format!("?at={}", paid_at - 1)).await.done();
    assert_eq!((&then["balance_minor"], &then["settled"]), (&997.into(), &true.into()));
    let latest = ask(&caller, own, &balance, "?at=9999999999999").await.done();
    assert_eq!((&latest["balance_minor"], &latest["settled"]), (&985.into(), &false.into()));
    let vault =
        institution_account(&JIANGCHENG.parse::<InstitutionId>().unwrap(), AccountKind::Vault);
    let vaults = format!("/central-bank/v1/accounts/{vault}/entries");
    assert_eq!(
        ask(&caller, own, &vaults, "?limit=1").await.done()["entries"][0]["kind"],
        "exchange"
    );

    // Each of the two banks sees its own side of it.
    assert_eq!(newest["command"], ids[4].to_string());
    let transfer = format!("/central-bank/v1/transfers/{}", ids[4]);
    let mine = ask(&caller, own, &transfer, "").await.done();
    assert_eq!(
        (&mine["legs"][0]["amount_minor"], &mine["legs"][0]["debit_balance_minor"]),
        (&5.into(), &985.into())
    );
    assert!(mine["legs"][0]["credit_balance_minor"].is_null());
    let theirs = ask(&caller, (LIANGHU, LIANGHU), &transfer, "").await.done();
    assert_eq!(theirs["legs"][0]["credit_balance_minor"], 15);
    assert!(theirs["legs"][0]["debit_balance_minor"].is_null());
    let exchange = rest["entries"][3]["command"].as_str().unwrap();
    let exchange = format!("/central-bank/v1/transfers/{exchange}");
    assert_eq!(ask(&caller, own, &exchange, "").await.done()["legs"].as_array().unwrap().len(), 2);

    for (path, query) in [(&path, ""), (&balance, "?at=1"), (&exchange, ""), (&vaults, "")] {
        refused_to_strangers(&caller, path, query).await;
    }
    for query in ["?limit=0", "?limit=1001", "?from=yesterday", "?order=random", "?colour=red"] {
        ask(&caller, own, &path, query).await.refused(query, 400, "request.malformed");
    }
    let unknown = format!("/central-bank/v1/transfers/{}", caller.id());
    ask(&caller, own, &unknown, "").await.refused("nobody's id", 404, "request.not_found");
    let early = ask(&caller, own, &path, "?after_seq=1000000").await;
    let early = early.refused("a record that is not there", 503, "views.behind");
    assert_eq!(early["through_seq"], caller.head().await);
    let metrics = caller.get("/metrics", None).await.body;
    let metrics = metrics.as_str().unwrap();
    assert!(metrics.contains("yufu_views_lag_records 0"), "{metrics}");
    assert!(metrics.contains("yufu_views_transfers_total"), "{metrics}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_history_that_is_killed_lost_or_damaged_never_touches_the_ledger() {
    let data = Data::new();
    let server = Server::start(&data);
    let caller = server.caller();
    let (payer, payee, _) = played(&caller).await;
    let path = entries(&payer);
    let own = (JIANGCHENG, JIANGCHENG);
    server.kill();

    // Killed, it goes on; lost, it is made anew.
    for lost in [false, true] {
        if lost {
            fs::remove_file(history(&data)).unwrap();
        }
        let server = Server::start(&data);
        let caller = server.caller();
        let after = format!("?after_seq={}", caller.head().await);
        let page = ask(&caller, own, &path, &after).await.done();
        assert_eq!(page["entries"].as_array().unwrap().len(), 6);
        server.terminate();
        assert!(server.ended().success());
        let (code, said) = views(&data, &["verify"]);
        assert_eq!(code, Some(0), "{said}");
        assert!(said.contains("the history is what the log leads to"), "{said}");
    }

    // Damaged, it is refused and says what to do; the ledger goes on.
    let change = "UPDATE head SET balance = balance + 1 WHERE entries = 6";
    let changed = Connection::open(history(&data)).unwrap().execute(change, ()).unwrap();
    assert!(changed > 0);
    let (code, said) = views(&data, &["verify"]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("yufu views rebuild"), "{said}");
    let server = Server::start(&data);
    let caller = server.caller();
    let stopped = ask(&caller, own, &path, "").await.refused("damaged", 503, "views.stopped");
    assert!(stopped["detail"].as_str().unwrap().contains("yufu views rebuild"));
    let order = payer.order(payee.id, 1, caller.id());
    caller.pay(&payer, &order).await.unwrap().done();
    assert_eq!(caller.get("/readyz", None).await.status, 200);
    server.terminate();
    assert!(server.ended().success());

    let (code, said) = views(&data, &["rebuild"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("the history is made anew"), "{said}");
    let account = payer.id.to_string();
    let (code, said) = views(&data, &["statement", &account, "--limit", "2"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("-1  holds 984  payment"), "{said}");
    assert!(said.contains("there is more: --cursor 6"), "{said}");
    let (code, said) = views(&data, &["balance", &account, "--at", "2000-01-01T00:00:00Z"]);
    assert_eq!((code, said.contains("held        0")), (Some(0), true), "{said}");
    assert_eq!(views(&data, &["verify"]).0, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn another_process_may_keep_it_up() {
    let data = Data::new();
    let server = Server::start_with(&data, &["--history", "apart"]);
    let caller = server.caller();
    let (payer, _, _) = played(&caller).await;
    let (path, own) = (entries(&payer), (JIANGCHENG, JIANGCHENG));
    ask(&caller, own, &path, "").await.refused("nobody keeps it up", 503, "views.stopped");
    let folder = data.path();
    let follow = ["views", "follow", "--data", folder.to_str().unwrap()];
    let follower = support::yufu().args(follow).env("YUFU_LOG", "warn").spawn().unwrap();
    let mut follower = support::Running(follower);
    let after = format!("?after_seq={}", caller.head().await);
    let mut answer = ask(&caller, own, &path, &after).await;
    for _ in 0..50 {
        if answer.status == 200 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        answer = ask(&caller, own, &path, &after).await;
    }
    assert_eq!(answer.done()["entries"].as_array().unwrap().len(), 6);
    let (code, said) = views(&data, &["rebuild"]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("another process keeps up this history"), "{said}");
    support::terminate(&follower.0);
    assert!(support::ended(&mut follower.0).success());
    assert_eq!(views(&data, &["verify"]).0, Some(0));
}
