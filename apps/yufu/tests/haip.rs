//! The authority issues to attested wallets over HTTP (OpenID4VCI 1.0 under HAIP 1.0): the whole way, and every attack
//! on it. Test names end in the section of the standard that they hold.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::too_many_lines,
    reason = "test code: a wrong fixture is to fail loudly, and attacks stand in flat lists"
)]

mod support;

use serde_json::{Value, json};
use std::collections::BTreeSet;
use support::attested::{
    AttestedWallet, CALLBACK, Changed, authenticated, noise, offered, parameter,
};
use support::institutions::PROVIDER;
use support::third_party::fresh;
use support::{Caller, Data, JIANGCHENG, Resident, Server, now};
use yufu::wallet::{Got, Wanted};
use yufu_base::Signer;
use yufu_jose::{Chain, Header, Jwk, SoftwareKey, Unverified, encode_base64url};
use yufu_keys::{KeyStore, random_text};
use yufu_openid4vc::issuance::{DpopTarget, pkce_challenge, sign_dpop};

const BINARY: &str = env!("CARGO_BIN_EXE_yufu");
const PAY: &str = "Jiangcheng Pay";
const CHUTIAN: &str = "Chutian Wallet";
const DESK: &str = "identity-authority";

/// A resident whose wallet is a provider's.
fn attested(caller: &Caller, row: usize) -> Resident {
    let mut resident = Resident::of(caller, row);
    resident.wallet.of_provider(PROVIDER).unwrap();
    resident
}

async fn got(resident: &mut Resident, caller: &Caller, credential: &str, wanted: Wanted) -> Got {
    let made = authenticated(caller, resident, credential).await;
    let (offer, digits) = (made["haip_offer"].as_str().unwrap(), &made["transaction_code"]);
    resident.wallet.get_attested(offer, digits.as_str(), wanted).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attested_wallet_gets_an_identity_in_either_format_uses_it_and_renews_it_haip_4() {
    let data = Data::new();
    let server = Server::start(&data);
    let caller = server.caller();
    let mut resident = attested(&caller, 1);
    let Got::Received(received) = got(&mut resident, &caller, "pid", Wanted::default()).await
    else {
        panic!("an identity waits for nobody")
    };
    assert_eq!((received.vct.as_str(), received.count), ("urn:yufu:pid:cn:1", 10));
    let mut apart = BTreeSet::new();
    for (held, _) in resident.credentials() {
        let claims = held.credential.claims();
        assert_eq!(claims["iss"], format!("{}/authority", caller.url));
        apart.insert(claims["cnf"].to_string());
        apart.insert(claims["status"].to_string());
        assert_eq!(claims["iat"].as_u64().unwrap() % 86_400, 0, "whole days");
    }
    assert_eq!(apart.len(), 20, "each copy has a key and a place of its own");
    resident.wallet.open_account(JIANGCHENG, "III", &mut |_| true).await.unwrap();

    // Nothing runs out; then all but one are used up.
    assert!(resident.wallet.renew().await.unwrap().is_empty());
    while resident.wallet.credentials_left() > 1 {
        resident.wallet.who_read(&mut |_| true).await.unwrap();
    }
    let renewed = resident.wallet.renew().await.unwrap();
    assert!(matches!(&renewed[..], [Got::Received(received)] if received.count == 10));
    assert_eq!(resident.wallet.credentials_left(), 11);

    let mdoc = Wanted { mdoc: true, ..Wanted::default() };
    let Got::Received(received) = got(&mut resident, &caller, "pid", mdoc).await else {
        panic!("an identity waits for nobody")
    };
    assert_eq!(received.vct, "org.yufu.pid.cn.1");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_officer_has_to_look_at_waits_and_comes_once_approved_9() {
    let data = Data::new();
    let server = Server::start(&data);
    let caller = server.caller();
    let desk = caller.desk(DESK);
    let mut resident = attested(&caller, 2);
    let waits = got(&mut resident, &caller, "residence", Wanted::default()).await;
    assert!(matches!(waits, Got::Waits(60)), "{waits:?}");
    let again = resident.wallet.renew().await.unwrap();
    assert!(matches!(again[..], [Got::Waits(60)]), "{again:?}");

    let checks = "/authority/v1/officer/checks";
    caller.get(checks, None).await.refused("no token", 401, "request.unauthenticated");
    let waiting = caller.get(checks, Some(&desk)).await.done();
    assert_eq!(waiting.as_array().unwrap().len(), 1);
    assert_eq!(waiting[0]["credential"], "residence");
    assert!(!waiting.to_string().contains(&resident.number), "the list names nobody");
    let check = format!("{checks}/{}", waiting[0]["check"].as_str().unwrap());
    let seen = caller.get(&check, Some(&desk)).await.done();
    assert_eq!(seen["claims"]["address"]["region"], "湖北省");
    let number = json!({"resident_number": resident.number});
    let accesses = "/authority/v1/officer/accesses";
    let read = caller.post(accesses, Some(&desk), &number).await.done();
    assert!(read.to_string().contains("an officer's check before"), "the look is recorded");
    let silent = json!({"approve": true, "evidence": " "});
    let refused = caller.post(&check, Some(&desk), &silent).await;
    refused.refused("no evidence", 400, "request.malformed");
    let decision = json!({"approve": true, "evidence": "the paper file agrees"});
    assert_eq!(caller.post(&check, Some(&desk), &decision).await.status, 204);
    let twice = caller.post(&check, Some(&desk), &decision).await;
    twice.refused("decided before", 409, "issuance.already_passed");
    let brought = resident.wallet.renew().await.unwrap();
    assert!(matches!(&brought[..], [Got::Received(one)] if one.vct == "urn:yufu:residence:cn:1"));

    // Another one is declined, and not asked for again.
    let mut other = attested(&caller, 3);
    got(&mut other, &caller, "residence", Wanted::default()).await;
    let waiting = caller.get(checks, Some(&desk)).await.done();
    let check = format!("{checks}/{}", waiting[0]["check"].as_str().unwrap());
    let decision = json!({"approve": false, "evidence": "moved away"});
    assert_eq!(caller.post(&check, Some(&desk), &decision).await.status, 204);
    let refused = other.wallet.renew().await.unwrap_err().to_string();
    assert!(refused.contains("refused (credential_request_denied): "), "{refused}");
    let file = other.file();
    for what in ["waiting", "grants"] {
        assert!(file.get(what).is_none(), "what was declined is not asked for again");
    }

    // A third is waited for no longer: it is not asked for under what is gone.
    let mut third = attested(&caller, 4);
    got(&mut third, &caller, "residence", Wanted::default()).await;
    third.wallet.speak("en");
    third.wallet.discard("Proof of registered residence").await.unwrap();
    assert!(third.wallet.renew().await.unwrap().is_empty());
    assert!(third.file().get("waiting").is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn who_pushes_is_an_attested_wallet_with_a_live_challenge_haip_4_4() {
    let data = Data::new();
    let server = Server::start(&data);
    let caller = server.caller();
    let resident = Resident::of(&caller, 4);
    let mut wallet = AttestedWallet::of(&caller, PAY).await;
    let other = AttestedWallet::of(&caller, CHUTIAN).await;
    let (state, _) = offered(&caller, &resident, "pid").await;
    let fields = wallet.pushed("pid", &state);
    let issuer = wallet.issuer().to_string();
    let challenge = wallet.challenge.clone();
    let unknown = {
        let key = fresh();
        let header = Header::typed("oauth-client-attestation+jwt");
        let claims = json!({"iss": wallet.provider.provider, "sub": wallet.provider.provider,
            "exp": now().seconds() + 600, "cnf": {"jwk": Jwk::from(wallet.instance.public_key())}});
        yufu_jose::sign(&header, claims.to_string().as_bytes(), &key).unwrap()
    };
    let expired = wallet.pop(&issuer, Some(&challenge), now().minus_seconds(120));
    let elsewhere = format!("{}/banks/{JIANGCHENG}", caller.url);
    let elsewhere = wallet.pop(&elsewhere, Some(&challenge), now());
    let unchallenged = wallet.pop(&issuer, None, now());
    let made_up = wallet.pop(&issuer, Some(&noise()), now());
    let of_other = other.pop(&issuer, Some(&challenge), now());
    let none = |text: &str| algorithm(text, "none");
    let rows = [
        (
            "no attestation",
            Changed { attestation: Some(String::new()), ..Changed::default() },
            "invalid_client",
        ),
        ("no proof", Changed { pop: Some(String::new()), ..Changed::default() }, "invalid_client"),
        (
            "an unknown provider",
            Changed { attestation: Some(unknown), ..Changed::default() },
            "invalid_client_attestation",
        ),
        (
            "alg none",
            Changed { attestation: Some(none(&wallet.attestation)), ..Changed::default() },
            "invalid_client_attestation",
        ),
        (
            "an HMAC",
            Changed {
                attestation: Some(algorithm(&wallet.attestation, "HS256")),
                ..Changed::default()
            },
            "invalid_client_attestation",
        ),
        (
            "an old proof",
            Changed { pop: Some(expired), ..Changed::default() },
            "invalid_client_attestation",
        ),
        (
            "a proof for a bank",
            Changed { pop: Some(elsewhere), ..Changed::default() },
            "invalid_client_attestation",
        ),
        (
            "a proof by another wallet",
            Changed { pop: Some(of_other), ..Changed::default() },
            "invalid_client_attestation",
        ),
        (
            "no challenge",
            Changed { pop: Some(unchallenged), ..Changed::default() },
            "use_attestation_challenge",
        ),
        (
            "a challenge of nobody",
            Changed { pop: Some(made_up), ..Changed::default() },
            "use_attestation_challenge",
        ),
    ];
    for (case, changed, error) in rows {
        wallet.form("par", &fields, changed).await.answer.oauth(case, 400, error);
    }
    // With a challenge comes a nonce for DPoP (draft 11, 6.3): one request is enough for both.
    wallet.dpop_nonce.clear();
    wallet.send("challenge", &[], Vec::new()).await.answer.done();
    let pop = wallet.pop(&issuer, Some(&wallet.challenge), now());
    let once = || Changed { pop: Some(pop.clone()), ..Changed::default() };
    assert_eq!(wallet.form("par", &fields, once()).await.answer.status, 201);
    let replayed = wallet.form("par", &fields, once()).await;
    replayed.answer.oauth("a proof twice", 400, "invalid_client_attestation");
    // In the name of another wallet.
    let mut named = fields.clone();
    named.insert("client_id", other.provider.provider.clone());
    let refused = wallet.form("par", &named, Changed::default()).await;
    refused.answer.oauth("another client_id", 400, "invalid_client");
    // The attestation outlives no quarter of an hour, and no instance is named in it.
    let payload = wallet.attestation.split('.').nth(1).unwrap();
    let payload = yufu_jose::decode_base64url(payload).unwrap();
    let payload: Value = serde_json::from_slice(&payload).unwrap();
    let members: Vec<&String> = payload.as_object().unwrap().keys().collect();
    assert_eq!(members, ["cnf", "exp", "iss", "sub"]);
    assert!(payload["exp"].as_u64().unwrap() <= now().seconds() + 900);
}

/// A token whose header names another algorithm.
fn algorithm(token: &str, name: &str) -> String {
    let (header, rest) = token.split_once('.').unwrap();
    let header = yufu_jose::decode_base64url(header).unwrap();
    let mut header: Value = serde_json::from_slice(&header).unwrap();
    header["alg"] = name.into();
    format!("{}.{rest}", encode_base64url(header.to_string()))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_pushed_is_whole_and_leads_to_one_code_for_its_own_wallet_haip_4_3() {
    let data = Data::new();
    let server = Server::start(&data);
    let caller = server.caller();
    let resident = Resident::of(&caller, 4);
    let mut wallet = AttestedWallet::of(&caller, PAY).await;
    let (state, digits) = offered(&caller, &resident, "pid").await;
    let good = wallet.pushed("pid", &state);
    let details = r#"[{"type":"openid_credential","credential_configuration_id":"passport"}]"#;
    for (name, value, error) in [
        ("code_challenge", None, "invalid_request"),
        ("code_challenge_method", Some("plain"), "invalid_request"),
        ("redirect_uri", Some("http://evil.example/cb"), "invalid_request"),
        ("response_type", Some("token"), "unsupported_response_type"),
        ("scope", Some("passport"), "invalid_scope"),
        ("request_uri", Some("urn:ietf:params:oauth:request_uri:x"), "invalid_request"),
        ("authorization_details", Some(details), "invalid_authorization_details"),
        ("dpop_jkt", Some("another"), "invalid_dpop_proof"),
    ] {
        let mut fields = good.clone();
        fields.remove(name);
        if let Some(value) = value {
            fields.insert(name, value.to_owned());
        }
        let refused = wallet.form("par", &fields, Changed::default()).await;
        refused.answer.oauth(name, 400, error);
    }

    let request_uri = wallet.push(&good).await;
    let page = format!(
        "/authority/haip/authorize?client_id={}&request_uri={request_uri}",
        wallet.provider.provider
    );
    let shown = caller.get(&page, None).await;
    assert!(shown.kind.starts_with("text/html") && shown.body.to_string().contains("tx_code"));
    // Brought by another wallet, it leads nowhere: nobody is sent to an address that another gave.
    let stolen = format!("/authority/haip/authorize?client_id=x&request_uri={request_uri}");
    let answer = caller.get(&stolen, None).await;
    answer.refused("another wallet", 400, "authorization.request_unknown");
    let answer = wallet.typed(&format!("{request_uri}x"), &digits).await.answer;
    answer.refused("not pushed here", 400, "authorization.request_unknown");

    let wrong = wallet.typed(&request_uri, "000000").await.answer;
    let said = wrong.refused("wrong digits", 422, "authorization.code_wrong");
    assert_eq!(said["left"], 4);
    let missing = wallet.typed(&request_uri, "").await.answer;
    missing.refused("no digits", 422, "authorization.code_missing");
    let heard = wallet.typed(&request_uri, &digits).await;
    let location = heard.location.unwrap();
    assert!(location.starts_with(CALLBACK));
    assert_eq!(parameter(&location, "state").unwrap(), "my-state");
    assert_eq!(parameter(&location, "iss").unwrap(), wallet.issuer().to_string(), "RFC 9207");
    // The same request again: the offer is used up.
    let again = wallet.typed(&request_uri, &digits).await;
    let location = again.location.unwrap();
    assert_eq!(parameter(&location, "error").unwrap(), "access_denied");
    // And the same offer cannot be taken up with its code either: one permission.
    let grant = "urn:ietf:params:oauth:grant-type:pre-authorized_code";
    let fields = [
        ("grant_type", grant),
        ("pre-authorized_code", state.as_str()),
        ("tx_code", digits.as_str()),
    ];
    let refused = caller.post_form("/authority/token", &fields).await;
    refused.oauth("taken up", 400, "invalid_grant");
}

#[tokio::test(flavor = "multi_thread")]
async fn guesses_of_digits_are_counted_across_a_restart_and_end_the_offer() {
    let data = Data::new();
    let server = Server::start(&data);
    let caller = server.caller();
    let resident = Resident::of(&caller, 4);
    let mut wallet = AttestedWallet::of(&caller, PAY).await;
    let (state, digits) = offered(&caller, &resident, "pid").await;
    let request_uri = wallet.push(&wallet.pushed("pid", &state)).await;
    let wrong = if digits == "000000" { "000001" } else { "000000" };
    for left in [4, 3, 2] {
        let said = wallet.typed(&request_uri, wrong).await.answer;
        assert_eq!(said.refused("a guess", 422, "authorization.code_wrong")["left"], left);
    }
    let port = server.url.rsplit(':').next().unwrap().parse().unwrap();
    server.kill();
    let server = Server::start_at(&data, port);
    let caller = server.caller();
    wallet.caller = caller.clone();
    let said = wallet.typed(&request_uri, wrong).await.answer;
    assert_eq!(said.refused("a guess after a restart", 422, "authorization.code_wrong")["left"], 1);
    let last = wallet.typed(&request_uri, wrong).await;
    assert_eq!(parameter(&last.location.unwrap(), "error").unwrap(), "access_denied");
    let late = wallet.typed(&request_uri, &digits).await;
    assert_eq!(parameter(&late.location.unwrap(), "error").unwrap(), "access_denied");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_is_exchanged_once_by_whoever_asked_for_it_haip_4_4_rfc_9449_10() {
    let data = Data::new();
    let server = Server::start(&data);
    let caller = server.caller();
    let resident = Resident::of(&caller, 4);
    let mut wallet = AttestedWallet::of(&caller, PAY).await;
    let mut other = AttestedWallet::of(&caller, PAY).await;
    let (state, digits) = offered(&caller, &resident, "pid").await;
    let request_uri = wallet.push(&wallet.pushed("pid", &state)).await;
    let code = wallet.code(&request_uri, &digits).await;
    let good = wallet.exchange(&code);
    for (name, value) in [
        ("code", "made-up".to_owned()),
        ("redirect_uri", "https://wallet.example/other".to_owned()),
        ("code_verifier", "another-verifier-of-at-least-forty-three-chars-".to_owned()),
        ("code_verifier", pkce_challenge(support::attested::VERIFIER)),
    ] {
        let mut fields = good.clone();
        fields.insert(name, value);
        let refused = wallet.form("token", &fields, Changed::default()).await;
        refused.answer.oauth(name, 400, "invalid_grant");
    }
    let mut without = good.clone();
    without.remove("code_verifier");
    let refused = wallet.form("token", &without, Changed::default()).await;
    refused.answer.oauth("no verifier", 400, "invalid_request");
    // Another installation of the same provider's wallet, and the right one with another key.
    let refused = other.form("token", &good, Changed::default()).await;
    refused.answer.oauth("a stolen code", 400, "invalid_grant");
    let own = std::mem::replace(&mut wallet.dpop, fresh());
    let refused = wallet.form("token", &good, Changed::default()).await;
    refused.answer.oauth("another DPoP key than was pushed with", 400, "invalid_grant");
    wallet.dpop = own;
    let url = wallet.url("token");
    let made = |method: &str, url, nonce: Option<&str>, at| {
        let target = DpopTarget { method, url, access_token: None };
        sign_dpop(target, nonce, &random_text(), at, &wallet.dpop).unwrap()
    };
    let nonce = Some(wallet.dpop_nonce.clone());
    let nonce = nonce.as_deref();
    let par = wallet.url("par");
    let rows = [
        ("no proof", String::new(), "invalid_dpop_proof"),
        ("another method", made("GET", &url, nonce, now()), "invalid_dpop_proof"),
        ("another address", made("POST", &par, nonce, now()), "invalid_dpop_proof"),
        ("an old proof", made("POST", &url, nonce, now().minus_seconds(301)), "invalid_dpop_proof"),
        ("no nonce", made("POST", &url, None, now()), "use_dpop_nonce"),
        ("a nonce of nobody", made("POST", &url, Some(&noise()), now()), "use_dpop_nonce"),
        ("alg none", algorithm(&made("POST", &url, nonce, now()), "none"), "invalid_dpop_proof"),
    ];
    for (case, dpop, error) in rows {
        let changed = Changed { dpop: Some(dpop), ..Changed::default() };
        wallet.form("token", &good, changed).await.answer.oauth(case, 400, error);
    }
    let proof = wallet.proof("token", None);
    let once = || Changed { dpop: Some(proof.clone()), ..Changed::default() };
    let tokens = wallet.form("token", &good, once()).await.answer.done();
    let access = tokens["access_token"].as_str().unwrap().to_owned();
    let replayed = wallet.form("token", &good, once()).await;
    replayed.answer.oauth("a DPoP proof twice", 400, "invalid_dpop_proof");
    // The code again: refused, and what it was exchanged for is ended.
    let replayed = wallet.form("token", &good, Changed::default()).await;
    replayed.answer.oauth("a code twice", 400, "invalid_grant");
    let request = wallet.request("pid", 1).await;
    let dead = wallet.under("credential", &access, &request, Changed::default()).await;
    dead.answer.oauth("a token of a replayed code", 401, "invalid_token");
    let refresh = tokens["refresh_token"].as_str().unwrap().to_owned();
    let fields = [("grant_type", "refresh_token".to_owned()), ("refresh_token", refresh)].into();
    let dead = wallet.form("token", &fields, Changed::default()).await;
    dead.answer.oauth("a refresh token of a replayed code", 400, "invalid_grant");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_works_in_the_hands_of_its_key_and_brings_one_batch_rfc_9449_7() {
    let data = Data::new();
    let server = Server::start(&data);
    let caller = server.caller();
    let resident = Resident::of(&caller, 4);
    let mut wallet = AttestedWallet::of(&caller, PAY).await;
    let tokens = wallet.tokens(&resident, "pid").await;
    let access = tokens.access.clone();
    let request = wallet.request("pid", 2).await;
    let changed = |dpop: Option<String>, authorization: Option<String>| Changed {
        dpop,
        authorization,
        ..Changed::default()
    };
    let bearer = Some(format!("Bearer {access}"));
    let stranger = {
        let url = wallet.url("credential");
        let target = DpopTarget { method: "POST", url: &url, access_token: Some(&access) };
        let nonce = wallet.dpop_nonce.clone();
        sign_dpop(target, Some(&nonce), &random_text(), now(), &fresh()).unwrap()
    };
    let unbound = wallet.proof("credential", None);
    let of_other = wallet.proof("credential", Some("another token"));
    let rows = [
        ("as a bearer token", changed(None, bearer), "invalid_token"),
        ("no token", changed(None, Some(String::new())), "invalid_token"),
        ("no proof", changed(Some(String::new()), None), "invalid_dpop_proof"),
        ("a proof without ath", changed(Some(unbound), None), "invalid_dpop_proof"),
        ("a proof for another token", changed(Some(of_other), None), "invalid_dpop_proof"),
        ("another key", changed(Some(stranger), None), "invalid_token"),
    ];
    for (case, changed, error) in rows {
        let heard = wallet.under("credential", &access, &request, changed).await;
        assert!(heard.authenticate.unwrap().starts_with("DPoP error="), "{case}");
        heard.answer.oauth(case, 401, error);
    }
    let proof = wallet.proof("credential", Some(&access));
    let once = || changed(Some(proof.clone()), None);
    let issued = wallet.under("credential", &access, &request, once()).await.answer.done();
    assert_eq!(issued["credentials"].as_array().unwrap().len(), 2);
    let replay = wallet.under("credential", &access, &request, once()).await;
    replay.answer.oauth("the same proof", 401, "invalid_dpop_proof");
    let spent = wallet.under("credential", &access, &request, Changed::default()).await;
    spent.answer.oauth("the same nonce", 400, "invalid_nonce");
    let another = wallet.request("pid", 1).await;
    let spent = wallet.under("credential", &access, &another, Changed::default()).await;
    spent.answer.oauth("the same token", 401, "invalid_token");

    // A refresh token: the same wallet, the same key; then another batch.
    let fields =
        [("grant_type", "refresh_token".to_owned()), ("refresh_token", tokens.refresh)].into();
    let mut other = AttestedWallet::of(&caller, PAY).await;
    let stolen = other.form("token", &fields, Changed::default()).await;
    stolen.answer.oauth("a stolen refresh token", 400, "invalid_grant");
    let own = std::mem::replace(&mut wallet.dpop, fresh());
    let stolen = wallet.form("token", &fields, Changed::default()).await;
    stolen.answer.oauth("a refresh token with another key", 400, "invalid_grant");
    wallet.dpop = own;
    let again = wallet.form("token", &fields, Changed::default()).await.answer.done();
    let access = again["access_token"].as_str().unwrap().to_owned();
    let issued = wallet.under("credential", &access, &another, Changed::default()).await;
    let id = issued.answer.done()["notification_id"].as_str().unwrap().to_owned();

    // What became of them: a failure voids that batch alone.
    let notify = |event: &str| json!({"notification_id": id, "event": event});
    let path = "notification";
    let unknown = json!({"notification_id": "x", "event": "credential_accepted"});
    let refused = wallet.under(path, &access, &unknown, Changed::default()).await;
    refused.answer.oauth("no such id", 400, "invalid_notification_id");
    let refused = wallet.under(path, &access, &notify("eaten"), Changed::default()).await;
    refused.answer.oauth("no such event", 400, "invalid_notification_request");
    for event in ["credential_accepted", "credential_failure", "credential_failure"] {
        let noted = wallet.under(path, &access, &notify(event), Changed::default()).await;
        assert_eq!(noted.answer.status, 204);
    }
    let body = json!({"resident_number": resident.number, "reason": "phone lost"});
    let desk = caller.desk(DESK);
    let answer = caller.post("/authority/v1/officer/revocations", Some(&desk), &body).await;
    assert_eq!(answer.done()["revoked"], 2, "one of three was void already");
    let lost = wallet.form("token", &fields, Changed::default()).await;
    lost.answer.oauth("after a revocation", 400, "invalid_grant");
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_attested_for_this_request_by_the_wallets_own_provider_d_and_f_1() {
    let data = Data::new();
    let server = Server::start(&data);
    let caller = server.caller();
    let resident = Resident::of(&caller, 4);
    let mut wallet = AttestedWallet::of(&caller, PAY).await;
    let mut chutian = AttestedWallet::of(&caller, CHUTIAN).await;
    let access = wallet.tokens(&resident, "pid").await.access;
    let nonce = wallet.nonce().await;
    let (one, two) = (fresh(), fresh());
    let covered = wallet.attested_keys(&[&one], &nonce).await;
    let stale = wallet.attested_keys(&[&one], "another-nonce").await;
    let of_other = chutian.attested_keys(&[&one], &nonce).await;
    let many: Vec<SoftwareKey> = (0..11).map(|_| fresh()).collect();
    let all: Vec<&SoftwareKey> = many.iter().collect();
    let too_many = wallet.attested_keys(&all, &nonce).await;
    let nobody = noise();
    let of_nobody = wallet.attested_keys(&[&one], &nobody).await;
    let unattested =
        yufu_openid4vc::issuance::sign_proof(&wallet.issuer(), &nonce, now(), &one).unwrap();
    let high = {
        let header = Header::typed("key-attestation+jwt");
        let claims = json!({"iss": wallet.provider.provider, "iat": now().seconds(),
            "exp": now().seconds() + 600, "attested_keys": [Jwk::from(one.public_key())],
            "key_storage": ["iso_18045_high"], "nonce": nonce});
        yufu_jose::sign(&header, claims.to_string().as_bytes(), &fresh()).unwrap()
    };
    let proof = |wallet: &AttestedWallet, key: &SoftwareKey, nonce: &str, attestation: &str| json!({"jwt": [wallet.key_proof(key, nonce, attestation)]});
    let rows = [
        ("no attestation", json!({"jwt": [unattested]}), "invalid_proof"),
        ("another key", proof(&wallet, &two, &nonce, &covered), "invalid_proof"),
        ("another request's", proof(&wallet, &one, &nonce, &stale), "invalid_nonce"),
        ("another provider's", proof(&wallet, &one, &nonce, &of_other), "invalid_proof"),
        ("nobody's", proof(&wallet, &one, &nonce, &high), "invalid_proof"),
        ("alg none", proof(&wallet, &one, &nonce, &algorithm(&covered, "none")), "invalid_proof"),
        ("eleven keys", proof(&wallet, &many[0], &nonce, &too_many), "invalid_credential_request"),
        ("a nonce of nobody", proof(&wallet, &one, &nobody, &of_nobody), "invalid_nonce"),
        (
            "in another's name",
            json!({"jwt": [chutian.key_proof(&one, &nonce, &covered)]}),
            "invalid_proof",
        ),
    ];
    for (case, proofs, error) in rows {
        let body = json!({"credential_configuration_id": "pid", "proofs": proofs});
        let heard = wallet.under("credential", &access, &body, Changed::default()).await;
        heard.answer.oauth(case, 400, error);
    }
    for (case, body, error) in [
        (
            "by identifier, after a scope",
            json!({"credential_identifier": "pid.1", "proofs": {"attestation": [covered]}}),
            "unknown_credential_identifier",
        ),
        (
            "not granted",
            json!({"credential_configuration_id": "age", "proofs": {"attestation": [covered]}}),
            "unknown_credential_configuration",
        ),
        (
            "an answer's key in the clear",
            json!({"credential_configuration_id": "pid", "proofs": {"attestation": [covered]},
            "credential_response_encryption": {"jwk": {"kty": "EC", "crv": "P-256"}, "enc": "A256GCM"}}),
            "invalid_encryption_parameters",
        ),
    ] {
        let heard = wallet.under("credential", &access, &body, Changed::default()).await;
        heard.answer.oauth(case, 400, error);
    }
    // The proof type `attestation`: no key signs, and each attested key gets a credential.
    let body = json!({"credential_configuration_id": "pid", "proofs": {"attestation": [covered]}});
    let heard = wallet.under("credential", &access, &body, Changed::default()).await;
    assert_eq!(heard.answer.done()["credentials"].as_array().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn authorization_details_are_answered_with_identifiers_and_asked_for_by_them_5_1_1() {
    let data = Data::new();
    let server = Server::start(&data);
    let caller = server.caller();
    let resident = Resident::of(&caller, 4);
    let mut wallet = AttestedWallet::of(&caller, PAY).await;
    let (state, digits) = offered(&caller, &resident, "pid").await;
    let mut fields = wallet.pushed("", &state);
    fields.remove("scope");
    let details = json!([{"type": "openid_credential", "credential_configuration_id": "pid"}]);
    fields.insert("authorization_details", details.to_string());
    let request_uri = wallet.push(&fields).await;
    let code = wallet.code(&request_uri, &digits).await;
    let fields = wallet.exchange(&code);
    let tokens = wallet.form("token", &fields, Changed::default()).await.answer.done();
    let given = &tokens["authorization_details"][0];
    assert_eq!(given["credential_configuration_id"], "pid");
    let access = tokens["access_token"].as_str().unwrap().to_owned();
    let mut body = wallet.request("pid", 1).await;
    let refused = wallet.under("credential", &access, &body, Changed::default()).await;
    refused.answer.oauth("by configuration", 400, "invalid_credential_request");
    body.as_object_mut().unwrap().remove("credential_configuration_id");
    body["credential_identifier"] = given["credential_identifiers"][0].clone();
    let issued = wallet.under("credential", &access, &body, Changed::default()).await;
    assert_eq!(issued.answer.done()["credentials"].as_array().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_lies_in_the_issuers_records_holds_no_key_code_or_token_and_ends_with_the_person() {
    let data = Data::new();
    let server = Server::start(&data);
    let caller = server.caller();
    let resident = Resident::of(&caller, 4);
    let mut wallet = AttestedWallet::of(&caller, PAY).await;
    let tokens = wallet.tokens(&resident, "pid").await;
    let number = json!({"resident_number": resident.number, "evidence": "certificate 7"});
    let path = "/authority/v1/officer/deaths";
    caller.post(path, Some(&caller.desk(DESK)), &number).await.done();
    let fields =
        [("grant_type", "refresh_token".to_owned()), ("refresh_token", tokens.refresh.clone())]
            .into();
    let dead = wallet.form("token", &fields, Changed::default()).await;
    dead.answer.oauth("after a death", 400, "invalid_grant");
    server.kill();
    let stored = data.issuances(DESK);
    let instance = Jwk::from(wallet.instance.public_key()).thumbprint_base64url();
    let dpop = Jwk::from(wallet.dpop.public_key()).thumbprint_base64url();
    let cut = |text: &str| text.get(..40).unwrap().to_owned();
    for secret in [cut(&tokens.access), cut(&tokens.refresh), instance, dpop, PAY.to_owned()] {
        let holds = stored.windows(secret.len()).any(|window| window == secret.as_bytes());
        assert!(!holds, "{secret} lies in the records");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_provider_is_asked_for_keys_and_a_nonce_and_not_told_for_whom() {
    let data = Data::new();
    let server = Server::start(&data);
    let caller = server.caller();
    let mut wallet = AttestedWallet::of(&caller, PAY).await;
    let api = caller.get("/openapi.json", None).await.done();
    let asked = &api["components"]["schemas"]["KeyAttestationRequest"]["properties"];
    let members: Vec<&String> = asked.as_object().unwrap().keys().collect();
    assert_eq!(members, ["keys", "nonce"], "keys and a nonce, and for whom not");
    let twice = json!({"keys": [Jwk::from(wallet.dpop.public_key()), Jwk::from(wallet.dpop.public_key())], "nonce": "n"});
    for (case, body) in [("none", json!({"keys": [], "nonce": "n"})), ("one twice", twice)] {
        let answer = wallet.provider.ask_provider("key-attestations", &body).await;
        answer.refused(case, 400, "request.malformed");
    }
}

/// The provider's word signed by its own key again, with its authority behind its certificate: what it never sends.
fn carrying_anchor(data: &Data, token: &str) -> String {
    let keys = KeyStore::open(&data.path().join(PROVIDER).join("keys")).unwrap();
    let anchor = keys.find("credential-anchor", "der").unwrap().unwrap();
    let read = Unverified::parse(token).unwrap();
    let mut chain: Vec<Vec<u8>> =
        read.header().chain().unwrap().certificates().map(<[u8]>::to_vec).collect();
    chain.push(anchor);
    let header = read.header().clone().with_chain(&Chain::from_der(chain).unwrap());
    let signer = keys.signer("attestations").unwrap();
    yufu_jose::sign(&header, read.unverified_payload(), &*signer).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attestation_whose_chain_carries_the_authority_is_refused_haip_4_4_1_and_4_5_1() {
    let data = Data::new();
    let server = Server::start(&data);
    let caller = server.caller();
    let resident = Resident::of(&caller, 4);
    let mut wallet = AttestedWallet::of(&caller, PAY).await;
    let (state, _) = offered(&caller, &resident, "pid").await;
    let fields = wallet.pushed("pid", &state);
    let attestation = Some(carrying_anchor(&data, &wallet.attestation));
    let refused = wallet.form("par", &fields, Changed { attestation, ..Changed::default() }).await;
    refused.answer.oauth("of the wallet", 400, "invalid_client_attestation");

    let access = wallet.tokens(&resident, "pid").await.access;
    let (key, nonce) = (fresh(), wallet.nonce().await);
    let good = wallet.attested_keys(&[&key], &nonce).await;
    let body = |attestation: &str| json!({"credential_configuration_id": "pid", "proofs": {"attestation": [attestation]}});
    let carrying = body(&carrying_anchor(&data, &good));
    let refused = wallet.under("credential", &access, &carrying, Changed::default()).await;
    refused.answer.oauth("of keys", 400, "invalid_proof");
    // As it is sent, it is taken.
    let heard = wallet.under("credential", &access, &body(&good), Changed::default()).await;
    assert_eq!(heard.answer.done()["credentials"].as_array().unwrap().len(), 1);
}
