//! What the types of credentials say: published by each issuer, the same for everybody and for ever under its digest; fetched
//! by wallets when credentials come, held against them, and by nobody when they are shown.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "test code: a wrong fixture is to fail loudly"
)]

mod support;

use rusqlite::Connection;
use serde_json::Value;
use std::collections::BTreeSet;
use support::attested::authenticated;
use support::institutions::{AUTHORITY, PROVIDER, SHOP};
use support::terminal::{Terminal, resident};
use support::visits::Street;
use support::{Caller, Data, Resident, Server};
use yufu::wallet::{Got, Wanted};
use yufu_credential::Integrity;

const BINARY: &str = env!("CARGO_BIN_EXE_yufu");
const PURPOSE: &str = "check-age";
const PID: &str = "urn:yufu:pid:cn:1";

/// How often anybody asked any issuer for a document, as the server counts.
async fn fetches(caller: &Caller) -> u64 {
    let metrics = caller.get("/metrics", None).await.body;
    let counts = metrics.as_str().unwrap().lines().filter(|line| {
        line.starts_with("yufu_http_requests_total") && line.contains("/types/{id}\"")
    });
    counts.map(|line| line.rsplit(' ').next().unwrap().parse::<u64>().unwrap()).sum()
}

/// A document as it is served: what it says, and for how long it may be kept.
async fn served(caller: &Caller, address: &str) -> (Vec<u8>, String) {
    let got = caller.client.exchange_whole("GET", address, &[], Vec::new()).await.unwrap();
    assert_eq!(got.status, 200, "{address}");
    assert_eq!(got.content_type, "application/json");
    let header = |name: &str| got.headers[name].to_str().unwrap().to_owned();
    assert_eq!(header("x-content-type-options"), "nosniff");
    assert_eq!(header("content-security-policy"), "default-src 'none'");
    let kept = header("cache-control");
    (got.body, kept)
}

/// The authority's own records.
fn records(data: &Data) -> Connection {
    let file = data.path().join(AUTHORITY).join("credentials.sqlite");
    let records = Connection::open(file).unwrap();
    records.busy_timeout(std::time::Duration::from_secs(10)).unwrap();
    records
}

/// The documents in a wallet, by their names.
fn documents(wallet: &Resident) -> BTreeSet<String> {
    let types = wallet.file()["types"].clone();
    types.as_object().into_iter().flatten().map(|(name, _)| name.clone()).collect()
}

/// An offer for attested wallets, and its digits.
async fn attested_offer(caller: &Caller, resident: &Resident) -> (String, String) {
    let made = authenticated(caller, resident, "pid").await;
    let text = |name: &str| made[name].as_str().unwrap().to_owned();
    (text("haip_offer"), text("transaction_code"))
}

/// What the wallet's credentials name.
fn named(wallet: &Resident) -> BTreeSet<String> {
    let name = |held: &yufu_wallet::HeldCredential| {
        let credential = held.credential.as_sd_jwt().unwrap().credential();
        credential.type_integrity.as_ref().unwrap().name()
    };
    wallet.credentials().iter().map(|(held, _)| name(held)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_issuer_publishes_its_types_where_its_metadata_say_by_name_and_by_digest() {
    let data = Data::new();
    let server = Server::start(&data);
    let caller = server.caller();
    for (issuer, id, vct, chinese) in [
        ("authority", "pid", PID, "居民身份证（数字）"),
        ("banks/bank-of-jiangcheng", "payment", "urn:yufu:payment:cn:1", "数字人民币付款凭证"),
        ("parties/jingguang-railway", "ticket", "urn:yufu:rail-ticket:cn:1", "铁路电子客票"),
        ("agencies/pension-agency", "pensioner", "urn:yufu:pensioner:cn:1", "养老金领取证明"),
    ] {
        for flow in ["", "/haip"] {
            let path = format!("/.well-known/openid-credential-issuer/{issuer}{flow}");
            let metadata = caller.get(&path, None).await.done();
            assert_eq!(metadata["credential_configurations_supported"][id]["vct"], vct);
            let place = metadata["yufu_type_metadata_endpoint"].as_str().unwrap();
            assert_eq!(place, format!("{}/{issuer}/types", caller.url), "one place for both");
        }
        let place = format!("{}/{issuer}/types", caller.url);
        let (newest, kept) = served(&caller, &format!("{place}/{vct}")).await;
        assert_eq!(kept, "public, max-age=3600");
        let name = Integrity::of(&newest).name();
        let (same, kept) = served(&caller, &format!("{place}/{name}")).await;
        assert_eq!(same, newest);
        assert_eq!(kept, "public, max-age=31536000, immutable");
        let read: Value = serde_json::from_slice(&newest).unwrap();
        assert_eq!(read["vct"], vct);
        assert_eq!(read["display"][0]["name"], chinese);
        // And its keys, for whoever finds them by the credential's `iss` (SD-JWT VC, section 4).
        let keys = caller.get(&format!("/.well-known/jwt-vc-issuer/{issuer}"), None).await.done();
        assert_eq!(keys["issuer"], format!("{}/{issuer}", caller.url));
        assert!(keys["jwks"]["keys"].as_array().is_some_and(|keys| !keys.is_empty()), "{keys}");
        let unknown = format!("/{issuer}/types/{}", Integrity::of(b"another").name());
        caller.get(&unknown, None).await.refused("another digest", 404, "request.not_found");
    }
    let hotel = "/parties/yellow-crane-hotel/types/urn:yufu:rail-ticket:cn:1";
    caller.get(hotel, None).await.refused("no issuer", 404, "request.not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_type_is_fetched_once_when_credentials_come_and_never_when_they_are_shown() {
    let data = Data::new();
    let server = Server::start(&data);
    let caller = server.caller();
    let street = Street::of(&caller).await;
    assert_eq!(fetches(&caller).await, 0);
    let mut she = Resident::identified(&caller, 1).await;
    assert_eq!(fetches(&caller).await, 1, "one for the batch");
    assert_eq!(named(&she).len(), 1, "one for all copies");
    assert_eq!(documents(&she), named(&she));
    let another = Resident::identified(&caller, 2).await;
    assert_eq!(named(&another), named(&she), "and for all holders");
    let (offer, code) = she.offer(&caller).await;
    she.wallet.get(&offer, Some(&code)).await.unwrap();
    assert_eq!(fetches(&caller).await, 2, "what is kept is not fetched again");

    she.open_account(&caller, 1_000).await;
    let before = fetches(&caller).await;
    for _ in 0..3 {
        let begun = street.begin(SHOP, PURPOSE).await;
        let link = begun["authorization_request"].as_str().unwrap();
        she.wallet.present(link, &mut |_| true).await.unwrap();
        let id = begun["verification"].as_str().unwrap();
        assert_eq!(street.state(SHOP, id).await["state"], "yes");
    }
    she.wallet.who_read(&mut |_| true).await.unwrap();
    assert_eq!(fetches(&caller).await, before, "neither wallet nor verifier asked the issuer");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_credential_whose_document_was_swapped_is_not_kept_in_either_flow() {
    let data = Data::new();
    let server = Server::start(&data);
    let caller = server.caller();
    let records = records(&data);
    let swap = |from: &str, to: &str| {
        let sql = "UPDATE type_documents SET document = replace(document, ?1, ?2) WHERE vct = ?3";
        assert_eq!(records.execute(sql, (from, to, PID)).unwrap(), 1);
    };
    swap("Resident identity number", "Favourite colour");
    let mut she = Resident::of(&caller, 1);
    let (offer, code) = she.offer(&caller).await;
    let refused = she.wallet.get(&offer, Some(&code)).await.unwrap_err();
    assert!(refused.to_string().contains("is not the one that the credential names"), "{refused}");
    assert!(she.credentials().is_empty() && documents(&she).is_empty());

    she.wallet.of_provider(PROVIDER).unwrap();
    let (haip_offer, digits) = attested_offer(&caller, &she).await;
    let wanted = Wanted::default();
    let refused = she.wallet.get_attested(&haip_offer, Some(&digits), wanted).await.unwrap_err();
    assert!(refused.to_string().contains("is not the one that the credential names"), "{refused}");
    assert!(she.credentials().is_empty() && documents(&she).is_empty());

    swap("Favourite colour", "Resident identity number");
    let (haip_offer, digits) = attested_offer(&caller, &she).await;
    let got = she.wallet.get_attested(&haip_offer, Some(&digits), wanted).await.unwrap();
    assert!(matches!(got, Got::Received(_)), "{got:?}");
    assert_eq!(documents(&she), named(&she));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_of_before_is_served_for_as_long_as_somebody_may_hold_what_names_it() {
    let data = Data::new();
    let server = Server::start(&data);
    // As another profile, or an earlier version of the program, would have had it.
    let former = format!("{{\"vct\":\"{PID}\",\"name\":\"Citizen card\"}}");
    let name = Integrity::of(former.as_bytes()).name();
    records(&data)
        .execute("INSERT INTO type_documents VALUES (?1, ?2, ?3, 0)", (&name, PID, &former))
        .unwrap();
    server.terminate();
    assert!(server.ended().success());

    let server = Server::start(&data);
    let caller = server.caller();
    let place = format!("{}/authority/types", caller.url);
    let (kept, _) = served(&caller, &format!("{place}/{name}")).await;
    assert_eq!(kept, former.into_bytes(), "to the byte");
    let (newest, _) = served(&caller, &format!("{place}/{PID}")).await;
    let newest = Integrity::of(&newest).name();
    assert_ne!(newest, name);
    let she = Resident::identified(&caller, 1).await;
    assert_eq!(named(&she), BTreeSet::from([newest.clone()]));
    assert_eq!(documents(&she), BTreeSet::from([newest]));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_wallet_names_credentials_and_claims_in_the_language_of_its_holder() {
    let data = Data::new();
    let server = Server::start(&data);
    let caller = server.caller();
    let (name, _) = resident(&caller, 1).await;
    let mut terminal = Terminal::of(&caller, &name);
    let street = Street::of(&caller).await;
    for (language, kind, claim) in [
        ("en", "9 of Resident identity card", "16 or older = yes"),
        ("zh", "居民身份证（数字）：8份", "已满16岁 = 是"),
    ] {
        terminal.environment = vec![("YUFU_LANG", language.to_owned())];
        let said = terminal.says(&["show"]);
        assert!(said.contains(kind), "{said}");
        let begun = street.begin(SHOP, PURPOSE).await;
        let said = terminal.says(&["present", begun["authorization_request"].as_str().unwrap()]);
        assert!(said.contains(claim), "{said}");
        assert!(!said.contains("age_equal_or_over.16 ="), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_history_names_credentials_and_claims_of_either_format_even_when_they_are_gone() {
    let data = Data::new();
    let server = Server::start(&data);
    let caller = server.caller();
    let street = Street::of(&caller).await;
    let she = Resident::identified(&caller, 1).await;
    let (offer, code) = she.offer(&caller).await;
    let mut terminal = Terminal::of(&caller, &she.name);
    drop(she);
    // A slip of the finger is told in her words.
    let slip = if code == "000000" { "000001" } else { "000000" };
    terminal.refused(&["get", &offer, "--code", slip], "the transaction code is wrong; 4 attempts");
    terminal.environment = vec![("YUFU_LANG", "zh".to_owned())];
    terminal.refused(&["get", &offer, "--code", slip], "请核对工作人员给您的数字");
    terminal.environment.clear();
    let said = terminal.says(&["get", &offer, "--code", &code, "--mdoc"]);
    assert!(said.contains("10 credentials of Resident identity card from"), "{said}");
    assert!(said.contains("Each holds: ") && said.contains("Family name"), "{said}");
    let begun = street.begin(SHOP, PURPOSE).await;
    terminal.says(&["present", begun["authorization_request"].as_str().unwrap()]);
    // Two kinds of one name are told apart where they stand side by side, and have to be where one is deleted.
    let said = terminal.says(&["show"]);
    for kind in ["urn:yufu:pid:cn:1", "org.yufu.pid.cn.1"] {
        assert!(said.contains(&format!("of Resident identity card ({kind})")), "{said}");
    }
    terminal.refused(&["discard", "Resident identity card"], "org.yufu.pid.cn.1, urn:yufu:pid");
    terminal.says(&["discard", "urn:yufu:pid:cn:1"]);
    terminal.says(&["discard", "Resident identity card"]);
    assert!(terminal.says(&["show"]).starts_with("0 credentials left"));

    let gone = |terminal: &Terminal<'_>| terminal.says(&["history"]);
    let english = gone(&terminal);
    assert_eq!(english.matches("(10 of Resident identity card)").count(), 3, "{english}");
    assert_eq!(english.matches("(9 of Resident identity card)").count(), 1, "{english}");
    assert!(english.contains("16 or older"), "{english}");
    terminal.environment = vec![("YUFU_LANG", "zh".to_owned())];
    let chinese = gone(&terminal);
    assert_eq!(chinese.matches("(居民身份证（数字），10份)").count(), 3, "{chinese}");
    assert!(chinese.contains("已满16岁"), "{chinese}");
    for said in [english, chinese] {
        for technical in ["urn:", "org.yufu", "age_equal_or_over"] {
            assert!(!said.contains(technical), "{technical}: {said}");
        }
    }
    // For programs it stands by the technical name.
    let json: Value = serde_json::from_str(&terminal.says(&["history", "--json"])).unwrap();
    assert_eq!(json[0]["purpose"], format!("10 of {PID}"));
}
