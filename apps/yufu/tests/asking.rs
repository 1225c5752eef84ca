//! DCQL whole, over the running program with its own wallet: alternatives and what is optional, several credentials, certain
//! values, alternatives among claims, certain authorities; a query of a purpose and one of the desk's own, both within the
//! registration; a party that goes by its DNS name; a claim of where somebody lives.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "test code: a wrong fixture is to fail loudly"
)]

mod support;

use serde_json::{Value, json};
use std::net::TcpListener;
use std::thread;
use std::time::Duration;
use support::country::{country_with, merchant};
use support::institutions::{RAILWAY, SHOP};
use support::visits::Street;
use support::{Answer, Caller, Data, Resident, Server, carry, fen, takings};
use yufu_jose::Unverified;
use yufu_openid4vc::presentation::{PresentationLink, RequestObject};
use yufu_wallet::presentation::Consent;

const BINARY: &str = env!("CARGO_BIN_EXE_yufu");
const CINEMA: &str = "lake-cinema";
const PID: &str = "urn:yufu:pid:cn:1";
const TICKET: &str = "urn:yufu:rail-ticket:cn:1";
/// In the register: born in 1965.
const ADULT: usize = 2;

const REQUEST: &str = r#"[[institutions.requests]]
id = "let-in"
purpose = { zh = "入场", en = "Let you in" }
basis = { zh = "合同", en = "Contract" }
credentials = ["pid", "ticket"]
claims = ["age_equal_or_over.18", "birthdate", "family_name", "address.locality", "train", "class"]
"#;

/// The cinema.
fn cinema() -> String {
    merchant(CINEMA, ("湖滨影院", "Lake Cinema"), 30, REQUEST)
}

/// A city with a cinema, which goes by its certificate's hash.
fn city() -> (Data, Server) {
    let data = Data::new();
    let country = country_with(&data.beside(""), &cinema());
    let server = Server::start_with(&data, &["--profile", country.to_str().unwrap()]);
    (data, server)
}

fn query(id: &str, vct: &str, claims: Value) -> Value {
    json!({"id": id, "format": "dc+sd-jwt", "meta": {"vct_values": [vct]}, "claims": claims})
}

async fn begin(caller: &Caller, dcql_query: &Value) -> Answer {
    let body = json!({"purpose": "let-in", "dcql_query": dcql_query});
    let desk = caller.desk(CINEMA);
    caller.post(&format!("/verifiers/{CINEMA}/v1/desk/verifications"), Some(&desk), &body).await
}

fn link(begun: &Value) -> &str {
    begun["authorization_request"].as_str().unwrap()
}

fn id(begun: &Value) -> &str {
    begun["verification"].as_str().unwrap()
}

async fn claims(caller: &Caller, begun: &Value) -> Value {
    let all = "birthdate+age_equal_or_over+address+family_name+train+class";
    let path = format!(
        "/verifiers/{CINEMA}/v1/desk/verifications/{}/claims?purpose=test&fields={all}",
        id(begun)
    );
    caller.get(&path, Some(&caller.desk(CINEMA))).await.done()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_person_chooses_among_alternatives_and_what_is_optional_and_the_verifier_gets_no_more()
{
    let (_data, server) = city();
    let caller = server.caller();
    let mut guest = Resident::identified(&caller, ADULT).await;
    let wanted = json!({
        "credentials": [
            query("born", PID, json!([{"path": ["birthdate"]}])),
            query("adult", PID, json!([{"path": ["age_equal_or_over", "18"]}])),
            query("home", PID, json!([{"path": ["address", "locality"]}])),
        ],
        "credential_sets": [
            {"options": [["born"], ["adult"]]},
            {"options": [["home"]], "required": false},
        ],
    });
    // Whoever chooses nothing shows the verifier's first alternative, and nothing optional.
    let begun = begin(&caller, &wanted).await.done();
    guest.wallet.present(link(&begun), &mut |_| true).await.unwrap();
    let shown = claims(&caller, &begun).await;
    assert!(shown["birthdate"].is_string() && shown.as_object().unwrap().len() == 1, "{shown}");

    let left = guest.wallet.credentials_left();
    guest.wallet.choosing(Box::new(|consent| {
        assert_eq!(consent.choices.len(), 2);
        consent.take(0, Some(1)).unwrap();
        consent.take(1, Some(0)).unwrap();
    }));
    let begun = begin(&caller, &wanted).await.done();
    let mut agreed = Vec::new();
    let mut look = |consent: &Consent| {
        agreed.extend(consent.claims().map(|(path, _)| path.to_string()));
        true
    };
    guest.wallet.present(link(&begun), &mut look).await.unwrap();
    assert_eq!(agreed, ["age_equal_or_over.18", "address.locality"], "she agrees to her choice");
    let shown = claims(&caller, &begun).await;
    assert_eq!(shown["age_equal_or_over"], json!({"18": true}));
    assert!(shown["address"]["locality"].is_string() && shown.get("birthdate").is_none());
    // One copy for each, or the two could be linked to each other afterwards.
    assert_eq!(guest.wallet.credentials_left(), left - 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_several_are_asked_for_each_different_credential_is_shown_once_and_read_as_a_list() {
    let (_data, server) = city();
    let caller = server.caller();
    takings(&caller, RAILWAY).await;
    let mut guest = Resident::identified(&caller, ADULT).await;
    guest.open_account(&caller, fen(400)).await;
    guest.wallet.get_payment_credential().await.unwrap();
    for train in ["G1", "G3"] {
        let departure = json!({"id": train, "train": train, "date": "2026-12-01", "class": "second",
            "price_minor": 10_000, "seats": 5});
        let path = format!("/parties/{RAILWAY}/v1/desk/departures");
        caller.post(&path, Some(&caller.desk(RAILWAY)), &departure).await.done();
        guest.wallet.buy_ticket(RAILWAY, train, &mut |_| true).await.unwrap();
    }
    let left = guest.wallet.credentials_left();
    let ticket = |multiple: bool| {
        let mut query = query("seats", TICKET, json!([{"path": ["train"]}]));
        query["multiple"] = json!(multiple);
        json!({"credentials": [query]})
    };
    let begun = begin(&caller, &ticket(true)).await.done();
    guest.wallet.present(link(&begun), &mut |_| true).await.unwrap();
    assert_eq!(claims(&caller, &begun).await, json!({"train": ["G1", "G3"]}));
    assert_eq!(guest.wallet.credentials_left(), left - 2, "one of three copies of each");

    // One is asked for, and she picks which.
    guest.wallet.choosing(Box::new(|consent| consent.pick("seats", &[1]).unwrap()));
    let begun = begin(&caller, &ticket(false)).await.done();
    guest.wallet.present(link(&begun), &mut |_| true).await.unwrap();
    assert_eq!(claims(&caller, &begun).await, json!({"train": "G3"}));
}

#[tokio::test(flavor = "multi_thread")]
async fn whether_she_has_a_value_is_not_told_by_the_answer_nor_by_the_wait_for_it() {
    let (_data, server) = city();
    let caller = server.caller();
    let mut guest = Resident::identified(&caller, ADULT).await;
    let left = guest.wallet.credentials_left();
    let of = |values: Value| {
        let claims = json!([{"path": ["age_equal_or_over", "18"], "values": values}]);
        json!({"credentials": [query("adult", PID, claims)]})
    };
    let mut told = Vec::new();
    // She is no minor, so that nothing answers the second.
    for (values, has) in [(json!([true]), true), (json!([false]), false)] {
        let begun = begin(&caller, &of(values)).await.done();
        let street = Street::of(&caller).await;
        let verification = id(&begun).to_owned();
        let meanwhile = tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(700)).await;
            street.state(CINEMA, &verification).await
        });
        let mut missing = None;
        let mut think = |consent: &Consent| {
            missing = Some(consent.missing.is_some());
            thread::sleep(Duration::from_millis(1_500));
            // Where nothing answers, agreeing shows nothing either.
            !has
        };
        let refused = guest.wallet.present(link(&begun), &mut think).await.unwrap_err();
        assert!(refused.to_string().contains("nothing was shown"), "{refused}");
        assert_eq!(missing, Some(!has), "she is asked in any case");
        let meanwhile = meanwhile.await.unwrap();
        assert_eq!(meanwhile["state"], "waiting", "nobody hears before she has decided");
        told.push(Street::of(&caller).await.state(CINEMA, id(&begun)).await);
    }
    assert_eq!(told[0], told[1], "the same is told");
    assert_eq!(told[0]["state"], "declined");
    assert_eq!(guest.wallet.credentials_left(), left);
    let begun = begin(&caller, &of(json!([false, true]))).await.done();
    guest.wallet.present(link(&begun), &mut |_| true).await.unwrap();
    assert_eq!(claims(&caller, &begun).await["age_equal_or_over"], json!({"18": true}));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_claims_that_are_there_and_the_authority_that_is_named_decide() {
    let (_data, server) = city();
    let mut street = Street::of(&server.caller()).await;
    let caller = street.caller.clone();
    let number = Resident::of(&caller, ADULT).number;
    let batch = street.sd_jwts(&number).await;
    let with = |authority: &str| {
        let claims = json!([
            {"id": "child", "path": ["age_equal_or_over", "18"], "values": [false]},
            {"id": "name", "path": ["family_name"]},
            {"id": "place", "path": ["address", "locality"]},
        ]);
        let mut query = query("pid", PID, claims);
        query["claim_sets"] = json!([["child"], ["name"], ["place", "name"]]);
        query["trusted_authorities"] = json!([{"type": "aki", "values": [authority]}]);
        json!({"credentials": [query]})
    };
    let own = batch[0].0.authority_key_ids[0].clone();
    let begun = begin(&caller, &with(&own)).await.done();
    let answer = street.answer(link(&begun), &batch[0]).await;
    assert_eq!(carry(&caller, &answer).await.status, 200);
    let shown = claims(&caller, &begun).await;
    assert!(shown["family_name"].is_string() && shown.as_object().unwrap().len() == 1, "{shown}");

    let begun = begin(&caller, &with("AAAAAAAAAAAAAAAAAAAAAAAAAAA")).await.done();
    let reviewed = street.review(link(&begun)).await;
    let lacking = reviewed.consent(&[batch[1].0.clone()]).unwrap_err().to_string();
    assert!(lacking.contains("trusted authorities"), "{lacking}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_purpose_asks_by_its_own_query_and_a_desk_by_none_that_its_purpose_is_not_registered_for()
{
    let (_data, server) = city();
    let caller = server.caller();
    let mut elder = Resident::identified(&caller, ADULT).await;
    let street = Street::of(&caller).await;
    let begun = street.begin(SHOP, "reduced-price").await;
    let uri = PresentationLink::parse(link(&begun)).unwrap().request_uri;
    let signed = caller.client.get_text(uri.as_str()).await.unwrap();
    let token = Unverified::parse(&signed).unwrap();
    let asked = RequestObject::from_json(token.unverified_payload()).unwrap().dcql_query;
    let options = &asked.credential_sets().unwrap()[0].options;
    assert_eq!(options[0], ["pensioner"], "as the profile has it, in each format: {options:?}");
    assert!(options.contains(&vec!["pid-mdoc".to_owned()]), "{options:?}");
    let pid = asked.credential("pid").unwrap();
    let authority = &pid.trusted_authorities.as_ref().unwrap()[0];
    assert_eq!((authority.kind.as_str(), authority.values.len()), ("aki", 1));
    assert_eq!(pid.claims()[0].values, Some(vec![json!(true)]));
    elder.wallet.present(link(&begun), &mut |_| true).await.unwrap();
    assert_eq!(street.state(SHOP, id(&begun)).await["state"], "yes");

    let of = |claims: Value| json!({"credentials": [query("q", PID, claims)]});
    let sex = of(json!([{"path": ["sex"]}]));
    begin(&caller, &sex).await.refused("another claim", 403, "registration.exceeded");
    let bank =
        json!({"credentials": [query("q", "urn:yufu:payment:cn:1", json!([{"path": ["x"]}]))]});
    begin(&caller, &bank).await.refused("another type", 403, "registration.exceeded");
    let mixed = json!({"credentials": [{"id": "q", "format": "dc+sd-jwt",
        "meta": {"vct_values": [PID, TICKET]}}]});
    begin(&caller, &mixed).await.refused("two kinds of issuers", 400, "request.malformed");
    let nothing = json!({"credentials": []});
    begin(&caller, &nothing).await.refused("no query", 400, "request.malformed");
    let listed = json!({"credentials": [{"id": "q", "format": "dc+sd-jwt", "meta": {"vct_values": [PID]},
        "trusted_authorities": [{"type": "etsi_tl", "values": ["https://lotl.example"]}]}]});
    begin(&caller, &listed).await.refused("what nobody checks", 400, "request.malformed");
}

#[tokio::test(flavor = "multi_thread")]
async fn where_somebody_lives_is_a_yes_or_no_and_nothing_more() {
    let (_data, server) = city();
    let caller = server.caller();
    let mut resident = Resident::identified(&caller, ADULT).await;
    let street = Street::of(&caller).await;
    let begun = street.begin(SHOP, "resident-price").await;
    let shown = resident.wallet.present(link(&begun), &mut |_| true).await.unwrap();
    assert_eq!(shown.claims, ["resident_of.wuhan"]);
    assert_eq!(street.state(SHOP, id(&begun)).await["state"], "yes");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_party_that_chose_its_dns_name_is_known_and_answered_by_it_5_9_3() {
    let data = Data::new();
    let table = "[institutions.merchant]";
    let named = cinema().replace(table, &format!("client_id = \"x509_san_dns\"\n{table}"));
    let country = country_with(&data.beside(""), &named);
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url = format!("http://localhost:{port}");
    let more = ["--profile", country.to_str().unwrap(), "--url", &url];
    let server = Server::start_at_with(&data, port, &more);
    let caller = server.caller();
    let mut guest = Resident::identified(&caller, ADULT).await;
    let wanted = json!({"credentials": [query("q", PID, json!([{"path": ["family_name"]}]))]});
    let begun = begin(&caller, &wanted).await.done();
    assert!(link(&begun).contains("client_id=x509_san_dns%3Alocalhost"), "{begun}");
    guest.wallet.present(link(&begun), &mut |_| true).await.unwrap();
    assert!(claims(&caller, &begun).await["family_name"].is_string());
    // It is reported as any other, and not to itself.
    let reviewed = guest.review(&caller, link(&begin(&caller, &wanted).await.done())).await;
    assert_eq!(reviewed.certificate().report_uri, format!("{}/registrar/v1/reports", caller.url));
    let entry = guest.wallet.history().len();
    let reported = guest.wallet.report(entry, "not needed", None).await.unwrap();
    assert_eq!(reported.taken.unwrap().party, CINEMA);
}
