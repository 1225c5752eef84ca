//! Verifying over the running program: the commands of the how-to page, results instead of data, evidence only where
//! a purpose keeps it, one answer each, the browser that began, revocation.
#![allow(
    clippy::unwrap_used,
    clippy::string_slice,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "test code: a wrong fixture is to fail loudly"
)]

mod support;

use rusqlite::Connection;
use serde_json::{Value, json};
use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::Duration;
use support::country::country_with;
use support::visits::Street;
use support::{Data, Resident, Server, carry, now, yufu};
use yufu::wallet::Event;
use yufu_openid4vc::{FORMAT_MSO_MDOC, FORMAT_SD_JWT_VC, HttpRequest};

const BINARY: &str = env!("CARGO_BIN_EXE_yufu");
const PAGE: &str = include_str!("../../../docs/how-to/verify-a-guest.md");
const INN: &str = "lakeside-inn";
/// In the register: a grown-up, and a child.
const ADULT: usize = 1;

/// A city with the inn of the how-to page.
fn city() -> (Data, Server) {
    city_with(&[])
}

/// The same, with further options.
fn city_with(options: &[&str]) -> (Data, Server) {
    let data = Data::new();
    let country = country_with(&data.beside(""), &blocks("toml").concat());
    let profile = ["--profile", country.to_str().unwrap()];
    let server = Server::start_with(&data, &[&profile, options].concat());
    (data, server)
}

/// What stands in the page's blocks of a language.
fn blocks(language: &str) -> Vec<String> {
    let mut parts = PAGE.split("```");
    parts.next();
    let blocks = parts.step_by(2).filter_map(|block| block.split_once('\n'));
    blocks.filter(|(name, _)| *name == language).map(|(_, text)| text.to_owned()).collect()
}

/// A command of the page, as it is typed here.
fn command(begins: &str, server: &Server, data: &Data) -> Command {
    let lines = blocks("console").concat();
    let mut lines = lines.lines().filter_map(|line| line.strip_prefix("$ "));
    let line = lines.find(|line| line.starts_with(begins)).unwrap();
    let line = line.replace("http://localhost:8080", &server.url);
    let line = line.replace("city/", &format!("{}/", data.path().display()));
    let mut command = Command::new("sh");
    // As a person's shell finds it, with the settings that the tests' wallets have.
    command.args(["-c", &line.replacen("yufu ", &format!("{BINARY} "), 1)]);
    command.envs(yufu().get_envs().filter_map(|(name, value)| Some((name, value?))));
    command.env("YUFU_DATA", data.path()).stdin(Stdio::null());
    command
}

/// The numbers of residents in the register.
fn number(row: usize) -> String {
    let residents = include_str!("../../../profiles/china/residents.csv");
    residents.lines().nth(row).unwrap().split(',').next().unwrap().to_owned()
}

fn child() -> String {
    let residents = include_str!("../../../profiles/china/residents.csv").lines().skip(1);
    let born = |line: &&str| line[6..10].parse::<u16>().unwrap() > 2012;
    residents.filter(|line| born(line)).map(|line| line[..18].to_owned()).next().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_commands_of_the_how_to_page_verify_a_guest_and_read_what_was_kept() {
    let (data, server) = city();
    let caller = server.caller();
    let guest = Resident::identified(&caller, ADULT).await;
    let name = guest.name.clone();
    drop(guest);
    for (begins, lines) in [("yufu verify may-check-in", 2), ("yufu verify register-guest", 3)] {
        let mut asking = command(begins, &server, &data).stdout(Stdio::piped()).spawn().unwrap();
        let mut out = BufReader::new(asking.stdout.take().unwrap()).lines();
        let first = out.next().unwrap().unwrap();
        let link = &first[first.find("openid4vp://").unwrap()..];
        let link = link.split('"').next().unwrap();
        let mut wallet = command("yufu wallet", &server, &data);
        let shell = wallet.get_args().nth(1).unwrap().to_str().unwrap();
        let typed = shell.replace("LINK", &format!("'{link}'")).replace("guest", &name);
        let typed = typed.replace(" --as", &format!(" --url {} --as", server.url));
        wallet = clone_with(&wallet, &typed);
        let shown = wallet.output().unwrap();
        assert!(shown.status.success(), "{typed}: {shown:?}");
        let rest: Vec<String> = out.map(Result::unwrap).collect();
        assert!(asking.wait().unwrap().success(), "{begins}: {rest:?}");
        assert_eq!(rest.len() + 1, lines, "{rest:?}");
        if begins.ends_with("may-check-in") {
            assert!(PAGE.contains(&rest[0]), "the page says something else than {:?}", rest[0]);
        } else {
            let claims: Value = serde_json::from_str(&rest[1]).unwrap();
            assert_eq!(claims.as_object().unwrap().len(), 2, "by name, and no other: {claims}");
            assert!(claims["family_name"].is_string(), "{claims}");
        }
    }
    drop(server);
}

fn clone_with(command: &Command, line: &str) -> Command {
    let mut again = Command::new("sh");
    again.args(["-c", line]);
    again.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    again
}

#[tokio::test(flavor = "multi_thread")]
async fn a_result_is_given_instead_of_data_in_both_formats_and_no_value_is_kept() {
    let (data, server) = city();
    let mut street = Street::of(&server.caller()).await;
    for (who, format, said) in [
        (number(ADULT), FORMAT_SD_JWT_VC, "yes"),
        (number(ADULT), FORMAT_MSO_MDOC, "yes"),
        (child(), FORMAT_SD_JWT_VC, "no"),
    ] {
        let batch = street.batch(&who, format).await;
        let id = street.show(INN, "may-check-in", &batch[0]).await;
        let state = street.state(INN, &id).await;
        assert_eq!((&state["state"], &state["purpose"]), (&json!(said), &json!("may-check-in")));
        assert!(state["receipt"].as_str().unwrap().len() > 100, "{state}");
        for what in ["claims?purpose=x&fields=age_equal_or_over", "evidence?purpose=x"] {
            let path = format!("/verifiers/{INN}/v1/desk/verifications/{id}/{what}");
            let desk = street.caller.desk(INN);
            let refused = street.caller.get(&path, Some(&desk)).await;
            refused.refused(what, 409, "verification.not_kept");
        }
    }
    drop(server);
    let rows = Connection::open(data.path().join(INN).join("verifications.sqlite")).unwrap();
    let sealed = "SELECT count(*) FROM verifications WHERE sealed_claims IS NOT NULL OR sealed_evidence IS NOT NULL OR key_id IS NOT NULL";
    assert_eq!(rows.query_row(sealed, [], |row| row.get::<_, u64>(0)).unwrap(), 0);
    let all = "SELECT count(*) FROM verifications";
    assert_eq!(rows.query_row(all, [], |row| row.get::<_, u64>(0)).unwrap(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn claims_and_evidence_are_kept_where_the_purpose_says_so_sealed_and_each_read_recorded() {
    let (data, server) = city();
    let mut street = Street::of(&server.caller()).await;
    let batch = street.sd_jwts(&number(ADULT)).await;
    let begun = street.begin(INN, "register-guest").await;
    let link = begun["authorization_request"].as_str().unwrap();
    assert!(street.review(link).await.certificate().evidence, "the wallet is told");
    let id = street.show(INN, "register-guest", &batch[0]).await;
    let desk = street.caller.desk(INN);
    let path = |what: &str| format!("/verifiers/{INN}/v1/desk/verifications/{id}/{what}");
    let claims = path("claims?purpose=register&fields=personal_administrative_number+given_name");
    let claims = street.caller.get(&claims, Some(&desk)).await.done();
    assert_eq!(claims["personal_administrative_number"], number(ADULT));
    assert!(claims.get("family_name").is_none(), "only what was named: {claims}");
    let evidence = street.caller.get(&path("evidence?purpose=police"), Some(&desk)).await.done();
    let shown = evidence["presentations"]["pid"][0].as_str().unwrap();
    assert!(shown.contains('~') && evidence["request_object"].is_string());
    street.caller.get(&path("evidence?purpose=x"), None).await.refused(
        "no token",
        401,
        "request.unauthenticated",
    );
    drop(server);
    let file = data.path().join(INN).join("verifications.sqlite");
    let rows = Connection::open(&file).unwrap();
    let read = "SELECT group_concat(purpose || ':' || fields, ' / ') FROM accesses";
    let read: String = rows.query_row(read, [], |row| row.get(0)).unwrap();
    assert_eq!(read, "register:personal_administrative_number given_name / police:evidence");
    let bytes = fs::read(&file).unwrap();
    let number = number(ADULT);
    assert!(!bytes.windows(number.len()).any(|found| found == number.as_bytes()), "sealed");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_counts_once_and_declining_is_told() {
    let (_data, server) = city();
    let mut street = Street::of(&server.caller()).await;
    let caller = street.caller.clone();
    let who = number(ADULT);
    let batch = street.sd_jwts(&who).await;

    let begun = street.begin(INN, "may-check-in").await;
    let id = begun["verification"].as_str().unwrap();
    let link = begun["authorization_request"].as_str().unwrap();
    assert_eq!(street.state(INN, id).await["state"], "waiting");
    let declined = street.review(link).await.decline().unwrap();
    assert_eq!(carry(&caller, &declined).await.status, 200);
    assert_eq!(street.state(INN, id).await["state"], "declined");
    let answer = street.answer(link, &batch[0]).await;
    assert_eq!(carry(&caller, &answer).await.status, 200, "she changed her mind");
    assert_eq!(street.state(INN, id).await["state"], "yes");
    assert_eq!(refusal(&street, &answer).await, "presentation.already_answered");

    let other = street.begin(INN, "may-check-in").await;
    let link = other["authorization_request"].as_str().unwrap();
    let elsewhere = street.answer(link, &batch[1]).await;
    let replayed = HttpRequest { url: answer.url.clone(), ..elsewhere };
    assert_eq!(refusal(&street, &replayed).await, "presentation.already_answered");
    let third = street.begin(INN, "may-check-in").await;
    let link = third["authorization_request"].as_str().unwrap();
    let fetched = street.answer(link, &batch[2]).await;
    let swapped = HttpRequest { body: answer.body.clone(), ..fetched };
    assert_eq!(refusal(&street, &swapped).await, "presentation.rejected", "to another request");
    let state = street.state(INN, third["verification"].as_str().unwrap()).await;
    assert_eq!(
        (&state["state"], &state["refusal"]),
        (&json!("waiting"), &json!("presentation.rejected"))
    );

    let unregistered = json!({"purpose": "sell-insurance"});
    let path = format!("/verifiers/{INN}/v1/desk/verifications");
    let refused = caller.post(&path, Some(&caller.desk(INN)), &unregistered).await;
    refused.refused("another purpose", 403, "registration.missing");
    drop(server);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_credential_is_refused_once_the_list_at_hand_is_old() {
    let (_data, server) = city_with(&["--status-seconds", "1"]);
    let mut street = Street::of(&server.caller()).await;
    let caller = street.caller.clone();
    let who = number(ADULT);
    let batch = street.sd_jwts(&who).await;
    // From now on the inn has the list at hand.
    street.show(INN, "may-check-in", &batch[0]).await;
    let body = json!({"resident_number": who, "reason": "phone lost"});
    let desk = caller.desk("identity-authority");
    caller.post("/authority/v1/officer/revocations", Some(&desk), &body).await.done();
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    for copy in &batch[1..4] {
        let begun = street.begin(INN, "may-check-in").await;
        let link = begun["authorization_request"].as_str().unwrap();
        let answer = street.answer(link, copy).await;
        assert_eq!(refusal(&street, &answer).await, "credential.revoked");
        let state = street.state(INN, begun["verification"].as_str().unwrap()).await;
        assert_eq!(state["refusal"], "credential.revoked");
    }
    drop(server);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_result_begun_in_a_browser_is_told_to_that_browser_alone() {
    let (_data, server) = city();
    let mut street = Street::of(&server.caller()).await;
    let caller = street.caller.clone();
    let batch = street.sd_jwts(&number(ADULT)).await;
    let path = format!("/verifiers/{INN}/v1/desk/verifications");
    let desk = caller.desk(INN);
    let body = json!({"purpose": "may-check-in", "return_to": "https://inn.example/done?stay=7"});
    let begun = caller.post(&path, Some(&desk), &body).await.done();
    let link = begun["authorization_request"].as_str().unwrap();
    let answer = street.answer(link, &batch[0]).await;
    let said: Value = serde_json::from_slice(&carry(&caller, &answer).await.body).unwrap();
    let back = said["redirect_uri"].as_str().unwrap();
    let code = back.strip_prefix("https://inn.example/done?stay=7&response_code=").unwrap();
    let at = format!("{path}/{}", begun["verification"].as_str().unwrap());
    for (case, asked) in [("no code", at.clone()), ("a guess", format!("{at}?response_code=x"))] {
        let refused = caller.get(&asked, Some(&desk)).await;
        refused.refused(case, 403, "verification.other_browser");
    }
    let told = caller.get(&format!("{at}?response_code={code}"), Some(&desk)).await.done();
    assert_eq!(told["state"], "yes");
    let nowhere = json!({"purpose": "may-check-in", "return_to": "javascript:alert(1)"});
    let refused = caller.post(&path, Some(&desk), &nowhere).await;
    refused.refused("an address that is none", 400, "request.malformed");
    drop(server);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wallet_that_says_what_it_takes_gets_that_or_a_refusal_5_10() {
    let (_data, server) = city();
    let street = Street::of(&server.caller()).await;
    let caller = &street.caller;
    let begun = street.begin(INN, "may-check-in").await;
    let path =
        format!("/verifiers/{INN}/openid4vp/{}/request", begun["verification"].as_str().unwrap());
    let takes = |format: &str| json!({"vp_formats_supported": {format: {}}}).to_string();
    let fields = |said: &str| [("wallet_metadata".to_owned(), said.to_owned())];
    for (case, said, status, code) in [
        ("another format", takes("jwt_vc_json"), 422, "presentation.wallet_lacks"),
        ("no metadata", "{}".to_owned(), 400, "request.malformed"),
    ] {
        let fields = fields(&said);
        let fields: Vec<(&str, &str)> = fields.iter().map(|(n, v)| (&**n, &**v)).collect();
        caller.post_form(&path, &fields).await.refused(case, status, code);
    }
    // The refusals took nothing from the request: another wallet answers it.
    let link = begun["authorization_request"].as_str().unwrap();
    let batch = street.sd_jwts(&number(ADULT)).await;
    let mut street = street;
    let answer = street.answer(link, &batch[0]).await;
    assert_eq!(carry(&street.caller, &answer).await.status, 200);
    drop(server);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_waits_survives_a_restart_and_is_answered_once() {
    let data = Data::new();
    let country = country_with(&data.beside(""), &blocks("toml").concat());
    let profile = ["--profile", country.to_str().unwrap()];
    let server = Server::start_with(&data, &profile);
    let port: u16 = server.url.rsplit(':').next().unwrap().parse().unwrap();
    let mut street = Street::of(&server.caller()).await;
    let batch = street.sd_jwts(&number(ADULT)).await;
    let begun = street.begin(INN, "may-check-in").await;
    let id = begun["verification"].as_str().unwrap();
    // Fetched before, and answered after.
    let answer = street.answer(begun["authorization_request"].as_str().unwrap(), &batch[0]).await;
    server.terminate();
    assert!(server.ended().success());
    let server = Server::start_at_with(&data, port, &profile);
    assert_eq!(street.state(INN, id).await["state"], "waiting");
    assert_eq!(carry(&street.caller, &answer).await.status, 200);
    assert_eq!(street.state(INN, id).await["state"], "yes");
    assert_eq!(refusal(&street, &answer).await, "presentation.already_answered");
    server.terminate();
    assert!(server.ended().success());
    // What was answered does not come back with the next start.
    let server = Server::start_at_with(&data, port, &profile);
    assert_eq!(refusal(&street, &answer).await, "presentation.already_answered");
    drop(server);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_shown_is_deleted_with_its_receipt_but_for_what_a_law_or_evidence_keeps() {
    let (data, server) = city();
    let street = Street::of(&server.caller()).await;
    let caller = street.caller.clone();
    let mut guest = Resident::identified(&caller, ADULT).await;
    guest.open_account(&caller, 1_000).await;
    let mut last = Value::Null;
    for purpose in ["may-check-in", "register-guest"] {
        let begun = street.begin(INN, purpose).await;
        let link = begun["authorization_request"].as_str().unwrap();
        guest.wallet.present(link, &mut |_| true).await.unwrap();
        last = begun["verification"].clone();
    }
    let shown = |event: &Event| matches!(event, Event::Disclosed { .. });
    let history = guest.wallet.history().iter().enumerate();
    let entries: Vec<usize> =
        history.filter(|(_, entry)| shown(&entry.event)).map(|(index, _)| index + 1).collect();
    let [account, result, register] = entries[..] else { panic!("{entries:?}") };
    // With the receipt she sees who looked, and at what was there; a bank is asked by the account's key.
    let id = last.as_str().unwrap();
    let path = format!("/verifiers/{INN}/v1/desk/verifications/{id}/claims");
    let path = format!("{path}?purpose=register&fields=given_name+never_asked");
    caller.get(&path, Some(&caller.desk(INN))).await.done();
    let looks = guest.wallet.who_looked(register).await.unwrap().accesses;
    let [look] = looks.as_slice() else { panic!("{looks:?}") };
    assert_eq!(
        (look.purpose.as_str(), look.fields.as_slice()),
        ("register", &["given_name".to_owned()][..])
    );
    assert!(guest.wallet.who_looked(result).await.unwrap().accesses.is_empty());
    let elsewhere = guest.wallet.who_looked(account).await.unwrap_err().to_string();
    assert!(elsewhere.contains("without `--shown`"), "{elsewhere}");
    let kept = guest.wallet.ask_deletion(account).await.unwrap().kept_until.unwrap();
    assert!(kept > now().seconds(), "the law has the bank keep it");
    let kept = guest.wallet.ask_deletion(register).await.unwrap().kept_until.unwrap();
    assert!(kept > now().seconds(), "evidence is kept for its time");
    assert_eq!(guest.wallet.ask_deletion(result).await.unwrap().kept_until, None);
    let gone = guest.wallet.ask_deletion(result).await.unwrap_err().to_string();
    assert!(gone.contains("request.not_found"), "{gone}");
    let none = guest.wallet.ask_deletion(1).await.unwrap_err().to_string();
    assert!(none.contains("no disclosure with a receipt"), "{none}");
    let asked = |event: &Event| matches!(event, Event::DeletionAsked { .. });
    let asked = guest.wallet.history().iter().filter(|entry| asked(&entry.event)).count();
    assert_eq!(asked, 3);

    // Nobody else has the receipt, and the request's id alone deletes nothing.
    let begun = street.begin(INN, "may-check-in").await;
    let link = begun["authorization_request"].as_str().unwrap();
    guest.wallet.present(link, &mut |_| true).await.unwrap();
    let body = json!({"request": begun["verification"], "receipt": "guessed"});
    let refused = caller.post(&format!("/verifiers/{INN}/v1/deletions"), None, &body).await;
    refused.refused("without the receipt", 404, "request.not_found");
    let refused = caller.post(&format!("/verifiers/{INN}/v1/looks"), None, &body).await;
    refused.refused("without the receipt", 404, "request.not_found");
    drop(server);
    let rows = Connection::open(data.path().join(INN).join("verifications.sqlite")).unwrap();
    let all = "SELECT count(*) FROM verifications";
    assert_eq!(rows.query_row(all, [], |row| row.get::<_, u64>(0)).unwrap(), 2);
}

/// With which code an answer is refused.
async fn refusal(street: &Street, request: &HttpRequest) -> String {
    let answer = carry(&street.caller, request).await;
    let body: Value = serde_json::from_slice(&answer.body).unwrap();
    assert!(answer.status >= 400, "{body}");
    body["code"].as_str().unwrap().to_owned()
}
