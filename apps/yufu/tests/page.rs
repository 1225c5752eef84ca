//! A verification on a web page, over the running program: the desk starts it, the page hands request and answer over
//! (the Digital Credentials API; OpenID4VP 1.0, appendix A), and what is refused on the way.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code: a wrong fixture is to fail loudly"
)]

mod support;

use serde_json::{Value, json};
use support::institutions::SHOP;
use support::terminal::Terminal;
use support::visits::Street;
use support::{Answer, Caller, Data, Resident, Server};
use yufu::wallet::Paged;
use yufu_openid4vc::presentation::DigitalRequest;
use yufu_openid4vc::{FORMAT_MSO_MDOC, FORMAT_SD_JWT_VC};

const BINARY: &str = env!("CARGO_BIN_EXE_yufu");
const DESK: &str = "/verifiers/donghu-bicycles/v1/desk/verifications";

async fn begin(caller: &Caller, more: Value) -> Answer {
    let mut body = json!({"purpose": "check-age"});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    caller.post(DESK, Some(&caller.desk(SHOP)), &body).await
}

/// Starts a verification for the shop's own page.
async fn on_page(caller: &Caller) -> Value {
    begin(caller, json!({"origin": caller.url})).await.done()
}

/// Hands in what a page got, for a verification.
async fn hand_in(caller: &Caller, begun: &Value, credential: &Value) -> Answer {
    let address = begun["digital_credential"]["answer_to"].as_str().unwrap();
    caller.post(address.strip_prefix(&caller.url).unwrap(), None, credential).await
}

fn id(begun: &Value) -> &str {
    begun["verification"].as_str().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_verifies_its_visitor_in_either_format_and_one_answer_counts_whichever_way_it_comes()
{
    let data = Data::new();
    let server = Server::start(&data);
    let caller = server.caller();
    let mut street = Street::of(&caller).await;
    let number = Resident::of(&caller, 1).number;
    for format in [FORMAT_SD_JWT_VC, FORMAT_MSO_MDOC] {
        let batch = street.batch(&number, format).await;
        let begun = on_page(&caller).await;
        assert_eq!(begun["digital_credential"]["protocol"], "openid4vp-v1-signed");
        let given = street.answer_page(&caller.url, &begun, &batch[0]).await;
        let said = hand_in(&caller, &begun, &given).await.done();
        let state = street.state(SHOP, id(&begun)).await;
        assert_eq!((&state["state"], &state["receipt"]), (&json!("yes"), &said["receipt"]));
        let again = hand_in(&caller, &begun, &given).await;
        again.refused("again", 409, "presentation.already_answered");
        // The link of the same verification is answered no more.
        let path = format!("/verifiers/{SHOP}/openid4vp/{}/request", id(&begun));
        caller.get(&path, None).await.refused("its link", 404, "request.not_found");
    }
    drop(server);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_to_another_page_request_or_in_the_clear_counts_nothing() {
    let data = Data::new();
    let server = Server::start(&data);
    let caller = server.caller();
    let mut street = Street::of(&caller).await;
    let batch = street.sd_jwts(&Resident::of(&caller, 1).number).await;
    for (case, origin) in [
        ("another's page", "https://evil.example"),
        ("no origin", "evil"),
        ("more than an origin", "https://evil.example/page"),
    ] {
        let refused = begin(&caller, json!({"origin": origin})).await;
        refused.refused(case, 403, "verification.other_origin");
    }
    let (first, second) = (on_page(&caller).await, on_page(&caller).await);
    let given = street.answer_page(&caller.url, &first, &batch[0]).await;
    let swapped = hand_in(&caller, &second, &given).await;
    swapped.refused("to another request", 400, "presentation.rejected");
    let clear = json!({"protocol": "openid4vp-v1-signed", "data": {"vp_token": {"pid": ["x"]}}});
    let refused = hand_in(&caller, &second, &clear).await;
    let refused = refused.refused("in the clear", 400, "presentation.rejected");
    assert!(refused["detail"].as_str().unwrap().contains("not encrypted"), "{refused}");
    let other = json!({"protocol": "openid4vp-v1-unsigned", "data": given["data"]});
    let refused = hand_in(&caller, &second, &other).await;
    refused.refused("another protocol", 400, "request.malformed");
    let state = street.state(SHOP, id(&second)).await;
    assert_eq!(
        (&state["state"], &state["refusal"]),
        (&json!("waiting"), &json!("presentation.rejected"))
    );
    // Declining is told, and the first request is still good.
    let declined = json!({"protocol": "openid4vp-v1-signed", "data": {"error": "access_denied"}});
    hand_in(&caller, &second, &declined).await.done();
    assert_eq!(street.state(SHOP, id(&second)).await["state"], "declined");
    hand_in(&caller, &first, &given).await.done();
    // A verification that was started for a link has no page that could answer.
    let linked = begin(&caller, json!({})).await.done();
    assert!(linked.get("digital_credential").is_none());
    let path = format!("/verifiers/{SHOP}/openid4vp/{}/digital-credential", id(&linked));
    caller.post(&path, None, &given).await.refused("a link's", 404, "request.not_found");
    drop(server);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_has_no_page_shows_ours_which_runs_only_its_own_script_and_keeps_the_link() {
    let data = Data::new();
    let server = Server::start(&data);
    let caller = server.caller();
    let begun = on_page(&caller).await;
    let page = begun["page"].as_str().unwrap();
    let heard = caller.client.exchange_whole("GET", page, &[], Vec::new()).await.unwrap();
    let text = String::from_utf8(heard.body).unwrap();
    let policy = heard.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.starts_with("default-src 'none'") && policy.contains("script-src 'self'"));
    assert!(!policy.contains("unsafe-eval") && !policy.contains("script-src 'unsafe"), "{policy}");
    assert!(text.contains("openid4vp://?client_id=") && text.contains("<button id=\"ask\" hidden"));
    assert!(text.contains("<script src=\"../page.js\"></script>") && !text.contains("onclick"));
    let script = url::Url::parse(page).unwrap().join("../page.js").unwrap();
    let heard =
        caller.client.exchange_whole("GET", script.as_str(), &[], Vec::new()).await.unwrap();
    assert!(heard.content_type.starts_with("text/javascript") && heard.status == 200);
    // A link's page has no button.
    let linked = begin(&caller, json!({})).await.done();
    let text = caller.client.get_text(linked["page"].as_str().unwrap()).await.unwrap();
    assert!(text.contains("openid4vp://") && !text.contains("<button"));
    drop(server);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_terminals_wallet_answers_a_page_and_refuses_what_another_page_took_from_it() {
    let data = Data::new();
    let server = Server::start(&data);
    let caller = server.caller();
    let Resident { name, .. } = Resident::identified(&caller, 1).await;
    let wallet = Terminal::of(&caller, &name);
    let begun = on_page(&caller).await;
    let request = begun["digital_credential"].to_string();
    let elsewhere =
        wallet.type_in(&["present-to-page", "--origin", "https://evil.example", &request]);
    assert!(!elsewhere.status.success(), "{elsewhere:?}");
    let said = String::from_utf8(elsewhere.stdout).unwrap();
    let answer: Value = serde_json::from_str(said.lines().last().unwrap()).unwrap();
    assert_eq!(answer["data"], json!({"error": "invalid_request"}));
    let why = String::from_utf8(elsewhere.stderr).unwrap();
    assert!(why.contains("https://evil.example") && why.contains("nothing was shown"), "{why}");
    let said = wallet.says(&["present-to-page", "--origin", &caller.url, &request]);
    let answer: Value = serde_json::from_str(said.lines().last().unwrap()).unwrap();
    hand_in(&caller, &begun, &answer).await.done();
    let street = Street::of(&caller).await;
    assert_eq!(street.state(SHOP, id(&begun)).await["state"], "yes");
    let history = wallet.says(&["history", "--json"]);
    assert!(history.contains("age_equal_or_over.16"), "{history}");
    // Through the page nothing came back: the wallet asks for its receipt, and deletion and complaint work with it.
    let receipts = wallet.says(&["receipts", "--json"]);
    let receipts: Vec<Value> = serde_json::from_str(&receipts).unwrap();
    assert_eq!((receipts.len(), &receipts[0]["holds"]), (1, &json!(true)), "{receipts:?}");
    let path = format!("/verifiers/{SHOP}/openid4vp/{}/receipt?request=another", id(&begun));
    caller.get(&path, None).await.refused("another's request", 404, "request.not_found");
    let entry = receipts[0]["entry"].to_string();
    let deleted = wallet.says(&["ask-deletion", &entry]);
    assert!(deleted.contains("has erased it"), "{deleted}");
    wallet.says(&["report", &entry, "asked for an age that the law does not name"]);
    // What is erased cannot be asked for any more, and the receipt at hand holds.
    assert!(wallet.says(&["receipts"]).contains("1 of 1 receipts hold."));
    drop(server);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_hears_nothing_before_the_person_was_asked_and_a_refusal_after_15_9_1() {
    let data = Data::new();
    let server = Server::start(&data);
    let caller = server.caller();
    let begun = on_page(&caller).await;
    let request: DigitalRequest =
        serde_json::from_value(begun["digital_credential"].clone()).unwrap();
    // A wallet that has nothing of what is asked: the page does not learn that, but hears what it would if its owner
    // declined, and not before she was asked.
    let mut empty = Resident::of(&caller, 2);
    let mut asked = false;
    let mut decide = |_: &_| {
        asked = true;
        true
    };
    let paged = empty.wallet.present_to_page(&caller.url, &request, &mut decide).await.unwrap();
    let Paged::Refused(nothing, _) = paged else { panic!("{paged:?}") };
    assert!(asked, "an answer before the person was asked");
    // One whose owner was asked, and declined.
    let mut resident = Resident::identified(&caller, 3).await;
    let paged = resident.wallet.present_to_page(&caller.url, &request, &mut |_| false).await;
    let Paged::Refused(answer, _) = paged.unwrap() else { panic!("she was asked") };
    assert_eq!(answer["data"], json!({"error": "access_denied"}));
    assert_eq!(answer, nothing);
    drop(server);
}

/// The sample country, its bicycle shop with pages at these origins.
fn with_pages(data: &Data, origins: &str) -> std::path::PathBuf {
    let country = support::country::country_with(&data.beside("profile"), "");
    let file = country.join("institutions.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let shop = "support = \"shop@donghu-bicycles.example\"\n";
    assert!(text.contains(shop));
    let changed = text.replace(shop, &format!("{shop}page_origins = {origins}\n"));
    std::fs::write(&file, changed).unwrap();
    country
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_at_another_origin_of_the_party_asks_once_that_is_registered() {
    let data = Data::new();
    let country = with_pages(&data, "[\"https://bicycles.example\", \"http://localhost:3000\"]");
    let server = Server::start_with(&data, &["--profile", country.to_str().unwrap()]);
    let caller = server.caller();
    let mut street = Street::of(&caller).await;
    let batch = street.sd_jwts(&Resident::of(&caller, 1).number).await;
    for (origin, held) in ["https://bicycles.example", "http://localhost:3000"].iter().zip(&batch) {
        let begun = begin(&caller, json!({"origin": origin})).await.done();
        let given = street.answer_page(origin, &begun, held).await;
        hand_in(&caller, &begun, &given).await.done();
        assert_eq!(street.state(SHOP, id(&begun)).await["state"], "yes");
    }
    let refused = begin(&caller, json!({"origin": "https://other.example"})).await;
    refused.refused("not registered", 403, "verification.other_origin");
    drop(server);
}

#[test]
fn an_origin_that_is_none_or_somebody_elses_is_refused_where_it_stands() {
    for (origins, told) in [
        ("[\"https://bicycles.example/shop\"]", "`page_origins` names"),
        ("[\"http://bicycles.example\"]", "`page_origins` names"),
        ("[\"https://a.example\", \"https://a.example\"]", "is given twice"),
    ] {
        let data = Data::new();
        let country = with_pages(&data, origins);
        let (state, profile) = (data.path(), country.to_str().unwrap().to_owned());
        let done = support::run(&[
            "config",
            "check",
            "--data",
            state.to_str().unwrap(),
            "--profile",
            &profile,
        ]);
        let said = format!("{}{}", support::text(&done.stdout), support::text(&done.stderr));
        assert!(!done.status.success() && said.contains(told), "{said}");
        assert!(said.contains("institutions.toml"), "{said}");
    }
}
