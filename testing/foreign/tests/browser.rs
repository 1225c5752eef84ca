//! A real browser asks on our page by `navigator.credentials.get`, and a wallet behind it answers what ours would: nothing
//! between the page and the verifier is played but the wallet's screen.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod node;
#[path = "../../../apps/yufu/tests/support/mod.rs"]
mod support;

use serde_json::{Value, json};
use support::institutions::SHOP;
use support::visits::Street;
use support::{Data, Resident, Server};

const BINARY: &str = env!("CARGO_BIN_EXE_yufu-under-test");

/// What the browser saw on a page, with a wallet that does this.
fn visit(begun: &Value, wallet: &Value) -> Value {
    let seen = node::run("browser.mjs", &json!({"page": begun["page"], "wallet": wallet}));
    assert_eq!(seen["ok"], true, "{seen}");
    seen
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_asks_its_wallet_on_our_page_and_the_verifier_has_its_result() {
    let data = Data::new();
    let server = Server::start(&data);
    let caller = server.caller();
    let mut street = Street::of(&caller).await;
    let batch = street.sd_jwts(&Resident::of(&caller, 1).number).await;
    let path = format!("/verifiers/{SHOP}/v1/desk/verifications");
    let on_page = async |more: Value| {
        let mut body = json!({"purpose": "check-age"});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        caller.post(&path, Some(&caller.desk(SHOP)), &body).await.done()
    };
    let begun = on_page(json!({"origin": caller.url})).await;
    let id = begun["verification"].as_str().unwrap();
    let declined = visit(&begun, &json!({"action": "decline"}));
    assert_eq!(
        (&declined["asked"], &declined["blocked"]),
        (&json!(true), &json!([])),
        "{declined}"
    );
    assert!(declined["said"].as_str().unwrap().starts_with("Nothing was shown:"), "{declined}");
    assert_eq!(street.state(SHOP, id).await["state"], "waiting", "the browser told nobody");

    // The wallet's answer to another page's request, in the hands of this page.
    let other = on_page(json!({"origin": caller.url})).await;
    let given = |credential: &Value| json!({"action": "respond", "protocol": credential["protocol"], "response": credential["data"]});
    let others = street.answer_page(&caller.url, &other, &batch[0]).await;
    let swapped = visit(&begun, &given(&others));
    assert!(swapped["said"].as_str().unwrap().starts_with("Nothing was shown:"), "{swapped}");
    assert_eq!(street.state(SHOP, id).await["refusal"], "presentation.rejected");

    let own = street.answer_page(&caller.url, &begun, &batch[1]).await;
    let shown = visit(&begun, &given(&own));
    assert_eq!(
        (&shown["said"], &shown["blocked"]),
        (&json!("Shown. You may close this page."), &json!([]))
    );
    assert_eq!(street.state(SHOP, id).await["state"], "yes");

    // Where nothing was started for a page, the link is all that is there.
    let linked = visit(&on_page(json!({})).await, &json!({"action": "decline"}));
    assert_eq!(linked["asked"], false, "{linked}");
    assert!(linked["link"].as_str().unwrap().starts_with("openid4vp://"), "{linked}");
    drop(server);
}
