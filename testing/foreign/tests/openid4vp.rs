//! `@openid4vc/openid4vp` as a wallet against our running verifier, and as a verifier against our wallet: requests,
//! answers, and what each refuses of the other.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test fails by panicking"
)]

mod node;
#[path = "../../../apps/yufu/tests/support/mod.rs"]
mod support;

use serde_json::{Value, json};
use std::collections::BTreeSet;
use support::institutions::SHOP;
use support::visits::Street;
use support::{Caller, Data, Resident, Server, enrol, now};
use yufu_base::Signer;
use yufu_jose::{Jwk, SoftwareKey, encode_base64url};
use yufu_keys::KeyStore;
use yufu_openid4vc::presentation::{DigitalRequest, REQUEST_MEDIA_TYPE};
use yufu_openid4vc::{FORMAT_MSO_MDOC, HttpResponse};
use yufu_wallet::HeldCredential;
use yufu_wallet::presentation::{AnswerEntropy, Presenting, RequestRefused, Reviewed, open, take};

const BINARY: &str = env!("CARGO_BIN_EXE_yufu-under-test");

/// A credential of a wallet and its holder's key, as PKCS#8 in base64url.
fn held(resident: &Resident, place: usize) -> (String, Value) {
    let stored = &resident.file()["credentials"][place];
    let held: HeldCredential = serde_json::from_value(stored["held"].clone()).unwrap();
    (held.credential.issued(), stored["key"].clone())
}

/// A holder's key, as the library for mdocs takes it.
fn private(key: &SoftwareKey) -> Value {
    let mut jwk = serde_json::to_value(Jwk::from(key.public_key())).unwrap();
    jwk["d"] = encode_base64url(*key.to_scalar().unwrap()).into();
    jwk["kid"] = "1".into();
    jwk
}

/// What the foreign wallet makes of the request at a link, with one of the wallet's credentials.
fn answer(resident: &Resident, place: usize, link: &str, content: &str) -> Value {
    let (sd_jwt, key) = held(resident, place);
    node::run(
        "openid4vp.mjs",
        &json!({
            "as": "wallet", "link": link, "sd_jwt": sd_jwt, "key": key, "content": content,
            "frame": {"age_equal_or_over": {"16": true}},
        }),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn their_wallet_answers_our_verifier_in_both_encryptions_and_only_the_request_it_was_asked() {
    let data = Data::new();
    let server = Server::start(&data);
    let caller = server.caller();
    let street = Street::of(&caller).await;
    let resident = Resident::identified(&caller, 1).await;
    for (place, content) in ["A128GCM", "A256GCM"].into_iter().enumerate() {
        let begun = street.begin(SHOP, "check-age").await;
        let link = begun["authorization_request"].as_str().unwrap();
        let said = answer(&resident, place, link, content);
        assert_eq!((&said["ok"], &said["status"]), (&json!(true), &json!(200)), "{said}");
        assert_eq!(said["prefix"], "x509_hash", "it checked who asks");
        let state = street.state(SHOP, begun["verification"].as_str().unwrap()).await;
        assert_eq!(state["state"], "yes", "{state}");
        assert_eq!(state["receipt"], said["body"]["receipt"], "it has the receipt too");
        let again = answer(&resident, place, link, content);
        assert!(again["ok"] == json!(false) || again["status"] == json!(409), "{again}");
    }
    // A link that names somebody else than who signed is not answered.
    let begun = street.begin(SHOP, "check-age").await;
    let link = begun["authorization_request"].as_str().unwrap();
    let other = link.replacen("x509_hash%3A", "x509_hash%3AAAAA", 1);
    let said = answer(&resident, 3, &other, "A256GCM");
    assert_eq!(said["ok"], false, "{said}");
    drop(server);
}

#[tokio::test(flavor = "multi_thread")]
async fn their_wallet_shows_our_verifier_an_mdoc_of_the_running_authority_in_both_encryptions() {
    let data = Data::new();
    let server = Server::start(&data);
    let caller = server.caller();
    let street = Street::of(&caller).await;
    let batch = street.batch(&Resident::of(&caller, 1).number, FORMAT_MSO_MDOC).await;
    let shown = async |place: usize, key: &SoftwareKey, content: &str| {
        let begun = street.begin(SHOP, "check-age").await;
        let said = node::run(
            "openid4vp.mjs",
            &json!({
                "as": "wallet", "link": begun["authorization_request"], "content": content,
                "mdoc": {
                    "issuer_signed": batch[place].0.credential.issued(), "doc_type": "org.yufu.pid.cn.1",
                    "elements": ["age_equal_or_over.16"], "key": private(key),
                },
            }),
        );
        let state = street.state(SHOP, begun["verification"].as_str().unwrap()).await;
        (said, state)
    };
    for (place, content) in ["A128GCM", "A256GCM"].into_iter().enumerate() {
        let (said, state) = shown(place, &batch[place].1, content).await;
        assert_eq!((&said["ok"], &said["status"]), (&json!(true), &json!(200)), "{said}");
        assert_eq!(state["state"], "yes", "{state}");
        assert_eq!(state["receipt"], said["body"]["receipt"], "it has the receipt too");
    }
    let (said, state) = shown(2, &batch[3].1, "A256GCM").await;
    assert_ne!(said["status"], 200, "another copy's key: {said}");
    assert_ne!(state["state"], "yes", "{state}");
    drop(server);
}

#[tokio::test(flavor = "multi_thread")]
async fn their_wallet_answers_our_page_in_both_encryptions_and_refuses_it_from_another_origin() {
    let data = Data::new();
    let server = Server::start(&data);
    let caller = server.caller();
    let street = Street::of(&caller).await;
    let resident = Resident::identified(&caller, 1).await;
    let path = format!("/verifiers/{SHOP}/v1/desk/verifications");
    let body = json!({"purpose": "check-age", "origin": caller.url});
    for (place, content) in ["A128GCM", "A256GCM"].into_iter().enumerate() {
        let begun = caller.post(&path, Some(&caller.desk(SHOP)), &body).await.done();
        let (sd_jwt, key) = held(&resident, place);
        let asked = |origin: &str| {
            json!({
                "as": "page", "request": begun["digital_credential"], "origin": origin,
                "sd_jwt": sd_jwt, "key": key, "content": content,
                "frame": {"age_equal_or_over": {"16": true}},
            })
        };
        let elsewhere = node::run("openid4vp.mjs", &asked("https://evil.example"));
        assert_eq!(elsewhere["ok"], false, "{elsewhere}");
        let given = node::run("openid4vp.mjs", &asked(&caller.url));
        assert_eq!(
            (&given["ok"], &given["prefix"]),
            (&json!(true), &json!("x509_hash")),
            "{given}"
        );
        let address = begun["digital_credential"]["answer_to"].as_str().unwrap();
        let address = address.strip_prefix(&caller.url).unwrap();
        caller.post(address, None, &given["credential"]).await.done();
        let state = street.state(SHOP, begun["verification"].as_str().unwrap()).await;
        assert_eq!(state["state"], "yes", "{state}");
    }
    drop(server);
}

/// Our shop's key, certificate and registration, for whoever asks in its name.
struct Shop {
    key: String,
    x5c: Vec<String>,
    registration: String,
    client_id: String,
    url: String,
}

impl Shop {
    async fn of(caller: &Caller) -> Self {
        let certified = enrol(caller, SHOP).await.done();
        let path = caller.data().join(SHOP).join("keys").join("access.p8");
        let x5c: Vec<String> = serde_json::from_value(certified["access"].clone()).unwrap();
        let chain = yufu_jose::Chain::from_x5c(&x5c).unwrap();
        let hash = encode_base64url(yufu_jose::sha256(chain.unverified_leaf()));
        Self {
            key: encode_base64url(std::fs::read(path).unwrap()),
            x5c,
            registration: certified["registrations"]["check-age"].as_str().unwrap().to_owned(),
            client_id: format!("x509_hash:{hash}"),
            url: caller.url.clone(),
        }
    }

    fn link(&self) -> String {
        let client_id = self.client_id.replace(':', "%3A");
        format!("openid4vp://?client_id={client_id}&request_uri=https%3A%2F%2Fshop.example%2Fr")
    }

    /// What it asks: whether somebody is sixteen.
    fn payload(&self) -> Value {
        json!({
            "response_type": "vp_token", "response_mode": "direct_post.jwt",
            "client_id": self.client_id, "response_uri": format!("{}/theirs", self.url),
            "nonce": "n-0S6_WzA2Mj0123", "state": "af0ifjsldkj",
            "dcql_query": {"credentials": [{
                "id": "pid", "format": "dc+sd-jwt",
                "meta": {"vct_values": ["urn:yufu:pid:cn:1"]},
                "claims": [{"path": ["age_equal_or_over", "16"]}],
            }]},
            "verifier_info": [{"format": "registration_cert", "data": self.registration}],
        })
    }

    /// The same through a page of its own.
    fn page(&self) -> Value {
        let mut payload = self.payload();
        let members = payload.as_object_mut().unwrap();
        members.remove("response_uri");
        members.remove("state");
        members.insert("response_mode".to_owned(), "dc_api.jwt".into());
        members.insert("expected_origins".to_owned(), json!([self.url]));
        payload
    }

    /// The request that the foreign verifier makes of a payload, signed with `key`.
    fn asks(&self, key: &str, payload: &Value, content: &str) -> Value {
        let asked = json!({
            "as": "asks", "key": key, "x5c": self.x5c, "payload": payload, "content": content,
        });
        let asked = node::run("openid4vp.mjs", &asked);
        assert_eq!(asked["ok"], true, "{asked}");
        asked
    }
}

/// What the foreign verifier makes of an answer to a request of its own, with the key of `opened`.
fn received(asked: &Value, response: &str, opened: &Value, issuer: &Value) -> Value {
    node::run(
        "openid4vp.mjs",
        &json!({
            "as": "receives", "request": asked["payload"], "response": response,
            "private_key": opened["private_key"], "issuer_jwk": issuer["jwks"]["keys"][0],
            "origin": asked["payload"]["expected_origins"][0],
        }),
    )
}

/// What our wallet makes of a request object.
async fn review(street: &mut Street, link: &str, request: &str) -> Result<Reviewed, String> {
    let (fetching, _) = open(link, &[7; 16]).unwrap();
    let response = HttpResponse {
        status: 200,
        content_type: Some(REQUEST_MEDIA_TYPE.to_owned()),
        body: request.as_bytes().to_vec(),
        headers: std::collections::BTreeMap::new(),
    };
    let checking = fetching.handle(&response, &street.trust, &BTreeSet::new(), now());
    let checking = checking.map_err(|error| error.to_string())?;
    let list = match checking.request(&street.lists, now()) {
        Some(request) => Some(support::carry(&street.caller, &request).await),
        None => None,
    };
    let reviewed = checking.handle(list.as_ref(), &mut street.lists, &street.trust, now());
    reviewed.map_err(|error| error.to_string())
}

#[tokio::test(flavor = "multi_thread")]
async fn our_wallet_answers_their_verifier_in_both_encryptions_and_no_other_can_read_it() {
    let data = Data::new();
    let server = Server::start(&data);
    let caller = server.caller();
    let mut street = Street::of(&caller).await;
    let batch = street.sd_jwts(&Resident::of(&caller, 1).number).await;
    let shop = Shop::of(&caller).await;
    let issuer = format!("{}/.well-known/jwt-vc-issuer/authority", caller.url);
    let issuer = caller.client.get_text(&issuer).await.unwrap();
    let issuer: Value = serde_json::from_str(&issuer).unwrap();
    for (place, content) in ["A128GCM", "A256GCM"].into_iter().enumerate() {
        let asked = shop.asks(&shop.key, &shop.payload(), content);
        let request = asked["request"].as_str().unwrap();
        let reviewed = review(&mut street, &shop.link(), request).await.unwrap();
        let (held, signer) = &batch[place];
        let presenting = [Presenting { query_id: "pid", held, signer }];
        let entropy = AnswerEntropy { ephemeral: yufu_keys::random(), iv: yufu_keys::random() };
        let (_, http) = reviewed.approve(&presenting, &entropy, now()).unwrap();
        let mut form = url::form_urlencoded::parse(&http.body).into_owned();
        let response = form.find(|(name, _)| name == "response").unwrap().1;
        let read = received(&asked, &response, &asked, &issuer);
        assert_eq!(read["ok"], true, "{read}");
        assert_eq!(read["payload"]["age_equal_or_over"], json!({"16": true}), "{read}");
        assert!(read["payload"].get("family_name").is_none(), "{read}");
        assert_eq!(read["key_binding"]["aud"], shop.client_id.as_str());
        let other = shop.asks(&shop.key, &shop.payload(), content);
        let to_another = received(&asked, &response, &other, &issuer);
        assert_eq!(to_another["ok"], false, "encrypted to another request's key: {to_another}");
    }
    drop(server);
}

#[tokio::test(flavor = "multi_thread")]
async fn our_wallet_answers_their_page_and_refuses_it_from_another_origin() {
    let data = Data::new();
    let server = Server::start(&data);
    let caller = server.caller();
    let mut street = Street::of(&caller).await;
    let batch = street.sd_jwts(&Resident::of(&caller, 1).number).await;
    let shop = Shop::of(&caller).await;
    let issuer = format!("{}/.well-known/jwt-vc-issuer/authority", caller.url);
    let issuer = caller.client.get_text(&issuer).await.unwrap();
    let issuer: Value = serde_json::from_str(&issuer).unwrap();
    for (place, content) in ["A128GCM", "A256GCM"].into_iter().enumerate() {
        let asked = shop.asks(&shop.key, &shop.page(), content);
        let request = DigitalRequest::signed(asked["request"].as_str().unwrap());
        let begun = json!({"digital_credential": request});
        let given = street.answer_page(&shop.url, &begun, &batch[place]).await;
        let response = given["data"]["response"].as_str().unwrap();
        let read = received(&asked, response, &asked, &issuer);
        assert_eq!(read["ok"], true, "{read}");
        assert_eq!(read["payload"]["age_equal_or_over"], json!({"16": true}), "{read}");
        assert_eq!(read["key_binding"]["aud"], format!("origin:{}", shop.url));
        let refused =
            take("https://evil.example", &request, &street.trust, &BTreeSet::new(), now());
        assert!(matches!(refused, Err(RequestRefused::Origin(_))), "{refused:?}");
    }
    drop(server);
}

#[tokio::test(flavor = "multi_thread")]
async fn our_wallet_refuses_of_their_verifier_what_it_must() {
    let data = Data::new();
    let server = Server::start(&data);
    let caller = server.caller();
    let mut street = Street::of(&caller).await;
    let shop = Shop::of(&caller).await;
    let mut more = shop.payload();
    more["dcql_query"]["credentials"][0]["claims"] = json!([{"path": ["family_name"]}]);
    let mut elsewhere = shop.payload();
    elsewhere["response_uri"] = "https://elsewhere.example/a".into();
    let mut unregistered = shop.payload();
    unregistered.as_object_mut().unwrap().remove("verifier_info");
    // Another's key under the shop's certificate: who signed is not who is certified.
    let stranger = KeyStore::open(&data.beside("stranger")).unwrap();
    stranger.signer("access").unwrap();
    let stranger = std::fs::read(data.beside("stranger").join("access.p8")).unwrap();
    let stranger = encode_base64url(stranger);
    for (case, key, payload, why) in [
        ("over-asking", &shop.key, more, "more than it may"),
        ("an answer to elsewhere", &shop.key, elsewhere, "not registered to receive"),
        ("no registration", &shop.key, unregistered, "no registration certificate"),
        ("another's key", &stranger, shop.payload(), "signature"),
    ] {
        let asked = shop.asks(key, &payload, "A256GCM");
        let refused = review(&mut street, &shop.link(), asked["request"].as_str().unwrap()).await;
        let refused = refused.unwrap_err();
        assert!(refused.contains(why), "{case}: {refused}");
    }
    drop(server);
}
