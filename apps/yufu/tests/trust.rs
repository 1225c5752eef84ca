//! The trust list while it is served: it says who issues what, and an institution that its operator takes off counts
//! nowhere from the next list on, whoever restarts, until it is put back.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code: a wrong fixture is to fail loudly"
)]

mod support;

use serde_json::{Value, json};
use std::collections::BTreeMap;
use support::institutions::AUTHORITY;
use support::visits::Street;
use support::{Answer, Caller, Data, Resident, Server, begin_opening, run, text};
use yufu_trust::{Role, TrustList};

const BINARY: &str = env!("CARGO_BIN_EXE_yufu");

const OPERATOR: &str = "trust-list-operator";
const REMOVALS: &str = "/trust-list/v1/desk/removals";

async fn list(caller: &Caller) -> TrustList {
    Street::of(caller).await.trust
}

fn names(list: &TrustList, id: &str) -> bool {
    let part = format!("/{id}");
    let entry = list.entries.iter().any(|entry| entry.identifier.ends_with(&part));
    entry || list.address(id).is_some()
}

/// A POST at the operator's desk, by an officer if one is named.
async fn desk(caller: &Caller, path: &str, officer: Option<&str>, body: &Value) -> Answer {
    let bearer = format!("Bearer {}", caller.desk(OPERATOR));
    let mut headers =
        vec![("content-type", "application/json"), ("authorization", bearer.as_str())];
    headers.extend(officer.map(|officer| ("operator", officer)));
    caller.send("POST", path, &headers, serde_json::to_vec(body).unwrap()).await.unwrap()
}

/// The operator's desk on the command line: whether it was done, and what was said.
fn trust(data: &Data, url: &str, arguments: &[&str]) -> (bool, String) {
    let folder = data.path();
    let mut all = vec!["trust"];
    all.extend(arguments);
    all.extend(["--url", url, "--data", folder.to_str().unwrap()]);
    let output = run(&all);
    (output.status.success(), text(&output.stdout) + &text(&output.stderr))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_list_says_which_types_each_issuer_may_issue_as_the_profile_has_it() {
    let data = Data::new();
    let server = Server::start(&data);
    let list = list(&server.caller()).await;
    let mut issues: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for entry in &list.entries {
        let named = entry.identifier.rsplit('/').next().unwrap().to_owned();
        issues.entry(named).or_default().extend(entry.issues.iter().map(String::as_str));
    }
    let pensioner = ["urn:yufu:pensioner:cn:1", "org.yufu.pensioner.cn.1"];
    let student = ["urn:yufu:student:cn:1", "org.yufu.student.cn.1"];
    let of = |kinds: &[&str]| {
        let mut found =
            issues.iter().filter(|(_, issued)| issued.iter().any(|k| kinds.contains(k)));
        let one = found.next().map(|(_, issued)| issued.clone());
        assert!(found.next().is_none(), "one agency alone issues {kinds:?}: {issues:?}");
        one.unwrap()
    };
    assert!(of(&pensioner).iter().all(|kind| !student.contains(kind)), "{issues:?}");
    assert!(of(&student).iter().all(|kind| !pensioner.contains(kind)), "{issues:?}");
    assert!(issues["authority"].contains(&"urn:yufu:pid:cn:1"));
    for role in [Role::Registrar, Role::AccessCa, Role::WalletProvider, Role::OpenidProvider] {
        let entries = list.entries.iter().filter(|entry| entry.role == role);
        assert!(entries.into_iter().all(|entry| entry.issues.is_empty()), "{role:?}");
    }
    drop(server);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_institution_taken_off_counts_nowhere_and_enrols_no_more_until_it_is_put_back() {
    let data = Data::new();
    let server = Server::start(&data);
    let caller = server.caller();
    let port = server.url.rsplit(':').next().unwrap().parse().unwrap();
    let resident = Resident::identified(&caller, 4).await;
    let before = list(&caller).await;
    assert!(names(&before, "authority"));

    let remove = ["remove", AUTHORITY, "--why", "key copied", "--officer", "li"];
    let (done, said) = trust(&data, &server.url, &remove);
    assert!(done && said.contains("not on the list any more"), "{said}");
    let off = list(&caller).await;
    assert!(off.sequence > before.sequence, "{} after {}", off.sequence, before.sequence);
    assert!(!names(&off, "authority") && off.address(AUTHORITY).is_none());
    let (_, said) = trust(&data, &server.url, &["list"]);
    assert!(said.contains(&format!("off the list   {AUTHORITY}: li")), "{said}");

    // It starts again, in the same process as the operator, and is off.
    server.terminate();
    assert!(server.ended().success());
    let server = Server::start_at(&data, port);
    let caller = server.caller();
    let still = list(&caller).await;
    assert!(still.sequence >= off.sequence && !names(&still, "authority"));
    // What it issued is taken by nobody.
    let (link, _) = begin_opening(&caller).await;
    let answer = resident.answer(&caller, &link).await.send(&caller).await;
    answer.refused("an issuer that was taken off", 422, "issuer.not_recognised");

    let restore = ["restore", AUTHORITY, "--why", "keys replaced", "--officer", "wang"];
    let (done, said) = trust(&data, &server.url, &restore);
    assert!(done && said.contains("on the list"), "{said}");
    let back = list(&caller).await;
    assert!(back.sequence > still.sequence && names(&back, "authority"));
    let (_, said) = trust(&data, &server.url, &["list", "--json"]);
    let all: Value = serde_json::from_str(said.trim()).unwrap();
    let of = all.as_array().unwrap().iter().find(|one| one["institution"] == AUTHORITY).unwrap();
    assert_eq!(of["removals"][0]["removed"]["officer"], "li");
    assert_eq!(of["removals"][0]["lifted"]["reason"], "keys replaced");
    drop(server);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_operators_desk_refuses_what_breaks_a_rule_and_the_list_stays_as_it_was() {
    let data = Data::new();
    let server = Server::start(&data);
    let caller = server.caller();
    let before = list(&caller).await;
    let good = json!({"institution": AUTHORITY, "reason": "key copied"});
    let refused = caller.post(REMOVALS, None, &good).await;
    refused.refused("no token", 401, "request.unauthenticated");
    let refused = desk(&caller, REMOVALS, None, &good).await;
    refused.refused("no officer", 400, "request.malformed");
    let silent = json!({"institution": AUTHORITY, "reason": " "});
    let refused = desk(&caller, REMOVALS, Some("li"), &silent).await;
    refused.refused("no reason", 400, "request.malformed");
    for unknown in ["nobody", "../keys", ""] {
        let body = json!({"institution": unknown, "reason": "x"});
        let refused = desk(&caller, REMOVALS, Some("li"), &body).await;
        refused.refused(unknown, 404, "request.not_found");
    }
    let own = json!({"institution": OPERATOR, "reason": "x"});
    let refused = desk(&caller, REMOVALS, Some("li"), &own).await;
    refused.refused("itself", 409, "trust.operator_stays");
    // Putting back whoever is on the list changes nothing.
    let path = format!("{REMOVALS}/{AUTHORITY}/lift");
    desk(&caller, &path, Some("li"), &json!({"reason": "x"})).await.done();
    assert_eq!(list(&caller).await, before);
    drop(server);
}
