//! Banks, agencies and the railway issue to attested wallets as the authority does (OpenID4VCI 1.0 under HAIP 1.0); wallets
//! begin there without an offer, and their holders sign in with what each institution knows them by and nothing else.
//! Test names end in the section of the standard that they hold.
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
use support::attested::{AttestedWallet, Changed, parameter, state_of};
use support::institutions::{PROVIDER, RAILWAY, SHOP};
use support::visits::Street;
use support::{Account, Caller, Data, JIANGCHENG, LIANGHU, Resident, Server, now, takings};
use yufu::wallet::{Got, Received, Wanted};
use yufu_jose::Unverified;
use yufu_payment::RequestToken;
use yufu_trust::{Status, StatusBits, StatusList};
use yufu_wallet::presentation::Consent;

const BINARY: &str = env!("CARGO_BIN_EXE_yufu");
const PAY: &str = "Jiangcheng Pay";
const PENSIONS: &str = "pension-agency";
const DESK: &str = "identity-authority";

/// A resident with an identity, an account and a pension, whose wallet is a provider's. Born in 1962.
async fn known(caller: &Caller) -> (Resident, Account) {
    let mut she = Resident::of(caller, 1);
    she.wallet.of_provider(PROVIDER).unwrap();
    let (offer, code) = she.offer(caller).await;
    she.wallet.get(&offer, Some(&code)).await.unwrap();
    let account = she.open_account(caller, 100_000).await;
    she.wallet.enrol(PENSIONS, "basic-pension", &mut |_| true).await.unwrap();
    (she, account)
}

fn received(got: Got) -> Received {
    let Got::Received(received) = got else { panic!("{got:?}") };
    received
}

/// What a wallet obtains, and what it showed for it: the purpose, the claims and what else was signed.
async fn obtained(resident: &mut Resident, from: &str, called: &str) -> (Received, Vec<String>) {
    let mut asked = Vec::new();
    let got = resident
        .wallet
        .obtain(from, called, &mut |consent: &Consent| {
            asked.extend(consent.claims().map(|(path, _)| path.to_string()));
            assert_eq!(consent.transactions.len(), 1, "she signs what she signs in for");
            true
        })
        .await
        .unwrap();
    (received(got), asked)
}

/// The status of each copy of a type that a wallet has.
async fn statuses(caller: &Caller, copies: &[Value]) -> Vec<Status> {
    let mut all = Vec::new();
    for status in copies {
        let text = caller.client.get_text(status["uri"].as_str().unwrap()).await.unwrap();
        let claims: Value = Unverified::parse(&text).unwrap().unverified_claims().unwrap();
        let lst = claims["status_list"]["lst"].as_str().unwrap();
        let list = StatusList::from_lst(StatusBits::Two, lst).unwrap();
        all.push(list.get(status["idx"].as_u64().unwrap()).unwrap());
    }
    all
}

/// Where the copies of a type have their places.
fn places(resident: &Resident, vct: &str) -> Vec<Value> {
    let all = resident.credentials();
    let own = all.iter().filter(|(held, _)| held.credential.kind() == vct);
    own.map(|(held, _)| held.credential.claims()["status"]["status_list"].clone()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_institution_that_attests_issues_to_attested_wallets_under_signed_metadata_of_its_own_haip_4()
 {
    let data = Data::new();
    let server = Server::start(&data);
    let caller = server.caller();
    let (mut she, _) = Box::pin(known(&caller)).await;
    takings(&caller, RAILWAY).await;
    for (issuer, path, credential, most) in [
        (JIANGCHENG, format!("banks/{JIANGCHENG}"), "account-holder", 10),
        (PENSIONS, format!("agencies/{PENSIONS}"), "pensioner", 10),
    ] {
        let wanted = Wanted::default();
        let got = she.wallet.get_attestation(issuer, credential, wanted).await.unwrap();
        assert!((1..=most).contains(&got.count), "{credential}: {}", got.count);
        let kind = got.vct.clone();
        let own = she.credentials().into_iter().filter(|(held, _)| held.credential.kind() == kind);
        for (held, _) in own {
            let named = held.credential.claims()["iss"].as_str().unwrap().to_owned();
            assert_eq!(named, format!("{}/{path}", caller.url), "verifiers see no difference");
        }
        let mdoc = Wanted { mdoc: true, ..wanted };
        let got = she.wallet.get_attestation(issuer, credential, mdoc).await.unwrap();
        assert!(got.vct.starts_with("org.yufu."), "{}", got.vct);
        // Who signs them is who the trust list knows, for this identifier.
        let url = format!("/.well-known/openid-credential-issuer/{path}/haip");
        let accept = [("accept", "application/jwt")];
        let signed = caller.send("GET", &url, &accept, Vec::new()).await.unwrap();
        let text = signed.body.as_str().unwrap().to_owned();
        let claims: Value = Unverified::parse(&text).unwrap().unverified_claims().unwrap();
        assert_eq!(claims["sub"], format!("{}/{path}/haip", caller.url));
        let server = format!("/.well-known/oauth-authorization-server/{path}/haip");
        let server = caller.get(&server, None).await.done();
        assert_eq!(server["require_pushed_authorization_requests"], true);
        assert_eq!(server["issuer"], format!("{}/{path}/haip", caller.url));
        let scopes: Vec<&str> = server["scopes_supported"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(Value::as_str)
            .collect();
        assert!(scopes.contains(&credential), "{scopes:?}");
    }
    // They came under grants, which bring fresh copies without the person and without another offer.
    let grants = she.file()["grants"].as_array().unwrap().len();
    assert_eq!(grants, 4, "one for each type");
    // A ticket is issued the same way, and no grant of it stays.
    let departure = json!({"id": "G1", "train": "G1", "date": "2030-01-01", "class": "second",
        "price_minor": 1_000, "seats": 5});
    let path = format!("/parties/{RAILWAY}/v1/desk/departures");
    caller.post(&path, Some(&caller.desk(RAILWAY)), &departure).await.done();
    she.wallet.get_payment_credential().await.unwrap();
    let bought = she.wallet.buy_ticket(RAILWAY, "G1", &mut |_| true).await.unwrap();
    assert_eq!(bought.ticket.count, 3);
    let path = format!("/parties/{RAILWAY}/v1/bookings/{}", bought.booking);
    let state = caller.get(&path, None).await.done();
    assert!(state["haip_offer"].as_str().unwrap().starts_with("haip-vci://"), "{state}");
    assert_eq!(she.file()["grants"].as_array().unwrap().len(), 4);
    let (shown, asked) = obtained(&mut she, RAILWAY, "ticket-mdoc").await;
    assert_eq!((shown.vct.as_str(), shown.count), ("org.yufu.rail-ticket.cn.1", 3));
    assert!(asked.is_empty(), "of the ticket nothing is asked but that it is one: {asked:?}");
    she.wallet.return_ticket(RAILWAY, &mut |_| true).await.unwrap();
    let refused = she.wallet.obtain(RAILWAY, "ticket", &mut |_| true).await.unwrap_err();
    assert!(!format!("{refused:#}").is_empty());
    drop(server);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wallet_begins_without_an_offer_and_shows_what_the_issuer_knows_her_by_and_nothing_else_5()
 {
    let data = Data::new();
    let server = Server::start(&data);
    let caller = server.caller();
    let (mut she, _) = Box::pin(known(&caller)).await;
    let none = she.wallet.obtain(JIANGCHENG, "passport", &mut |_| panic!("asked")).await;
    let none = none.unwrap_err().to_string();
    assert!(none.contains("passport; of it can be had: account-holder"), "{none}");
    let (got, asked) = obtained(&mut she, JIANGCHENG, "account-holder").await;
    assert_eq!(asked, ["personal_administrative_number"]);
    assert!(got.claims.contains(&"family_name".to_owned()), "{:?}", got.claims);
    // By its type, and by the issuer's own identifier.
    let identifier = format!("{}/banks/{JIANGCHENG}/haip", caller.url);
    let (again, _) = obtained(&mut she, &identifier, "urn:yufu:account-holder:cn:1").await;
    assert_eq!(again.vct, got.vct);
    let (got, asked) = obtained(&mut she, PENSIONS, "pensioner").await;
    assert_eq!(asked, ["sector_pseudonym.pension"]);
    assert_eq!(got.claims, ["member_since", "programme"]);
    // The authority asks for nothing: its own identity's place says whose it is.
    let before = she.wallet.credentials_left();
    let (got, asked) = obtained(&mut she, DESK, "pid").await;
    assert_eq!((got.vct.as_str(), got.count), ("urn:yufu:pid:cn:1", 10));
    assert!(asked.is_empty(), "{asked:?}");
    assert_eq!(she.wallet.credentials_left(), before + 9, "one was shown, ten came");
    // What an officer has to look at waits here too.
    let waits = she.wallet.obtain(DESK, "residence", &mut |_| true).await.unwrap();
    assert!(matches!(waits, Got::Waits(60)), "{waits:?}");
    // She sees that the bank read her file for it, and that the authority issued to her.
    let looks = she.wallet.who_read_at_banks().await.unwrap().remove(0).accesses;
    assert!(looks.iter().any(|look| look.purpose.contains("account-holder")));
    // Only somebody whom the trust list knows is begun at.
    for from in ["nobody", "https://stranger.example/haip"] {
        let refused = she.wallet.obtain(from, "pid", &mut |_| true).await.unwrap_err();
        assert!(format!("{refused:#}").contains("trust list knows"), "{refused:#}");
    }
    let refused = she.wallet.obtain(JIANGCHENG, "passport", &mut |_| true).await.unwrap_err();
    assert!(format!("{refused:#}").contains("passport"), "{refused:#}");
    drop(server);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_gets_by_signing_in_what_she_may_not_have_or_what_is_not_hers() {
    let data = Data::new();
    let server = Server::start(&data);
    let caller = server.caller();
    let (mut she, _) = Box::pin(known(&caller)).await;
    for (from, called, code) in [
        (JIANGCHENG, "payment", "sign_in.not_for_this"),
        (LIANGHU, "account-holder", "sign_in.no_account"),
        (DESK, "guardianship", "sign_in.not_for_this"),
        ("education-bureau", "student", "request.not_found"),
    ] {
        let refused = she.wallet.obtain(from, called, &mut |_| true).await.unwrap_err();
        assert!(format!("{refused:#}").contains(code), "{called}: {refused:#}");
    }
    let declined = she.wallet.obtain(JIANGCHENG, "account-holder", &mut |_| false).await;
    assert!(format!("{:#}", declined.unwrap_err()).contains("declined"));
    // Several accounts: which one is meant is said by its key.
    let counter = json!({"class": "I", "number": she.number, "family_name": "罗",
        "given_name": "龙轩", "birthdate": "1962-09-20", "evidence": "card compared, form 118"});
    let bearer = format!("Bearer {}", caller.desk(JIANGCHENG));
    let headers = [
        ("content-type", "application/json"),
        ("authorization", bearer.as_str()),
        ("operator", "teller-3"),
    ];
    let path = format!("/banks/{JIANGCHENG}/v1/desk/counter-wallets");
    let body = serde_json::to_vec(&counter).unwrap();
    let opened = caller.send("POST", &path, &headers, body).await.unwrap().done();
    assert_eq!(opened["state"], "open");
    let refused = she.wallet.obtain(JIANGCHENG, "account-holder", &mut |_| true).await;
    assert!(format!("{:#}", refused.unwrap_err()).contains("sign_in.several_accounts"));
    // An identity that was revoked signs nobody in.
    let body = json!({"resident_number": she.number, "reason": "phone lost"});
    let desk = caller.desk(DESK);
    caller.post("/authority/v1/officer/revocations", Some(&desk), &body).await.done();
    let refused = she.wallet.obtain(DESK, "pid", &mut |_| true).await.unwrap_err();
    assert!(format!("{refused:#}").contains("credential.revoked"), "{refused:#}");
    drop(server);
}

/// A sign-in that somebody's wallet began at the bank: its request, and the link to what is to be shown.
async fn begun(wallet: &mut AttestedWallet, scope: &str) -> (String, String) {
    let request_uri = wallet.push(&wallet.pushed_alone(scope)).await;
    let asked = wallet.looked(&request_uri).await.answer.done();
    (request_uri, asked["authorization_request"].as_str().unwrap().to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_is_for_the_wallet_that_began_it_and_is_answered_once() {
    let data = Data::new();
    let server = Server::start(&data);
    let caller = server.caller();
    let (mut she, _) = Box::pin(known(&caller)).await;
    let bank = format!("/banks/{JIANGCHENG}");
    let mut thief = AttestedWallet::at(&caller, PAY, &bank).await;
    let (request_uri, link) = begun(&mut thief, "account-holder").await;
    // Looked at again, it is the same one.
    let again = thief.looked(&request_uri).await.answer.done();
    assert_eq!(again["authorization_request"], link);
    // The page of a browser leads to it, in the person's language, and looks again by itself.
    let query = format!("client_id={}&request_uri={request_uri}", thief.provider.provider);
    let path = format!("{bank}/haip/authorize?{query}");
    let page = caller.send("GET", &path, &[("accept-language", "zh")], Vec::new()).await.unwrap();
    let page = page.body.as_str().unwrap().to_owned();
    assert!(page.contains("openid4vp://") && page.contains("lang=\"zh\""), "{page}");
    // Whoever is sent the thief's link signs nothing: her wallet did not begin it.
    let refused = she.wallet.present(&link, &mut |_| true).await.unwrap_err();
    assert!(format!("{refused:#}").contains("began with another wallet"), "{refused:#}");
    // She declined, so nothing comes of it any more.
    let heard = thief.looked(&request_uri).await;
    let location = heard.location.unwrap();
    assert_eq!(parameter(&location, "error").unwrap(), "access_denied");
    assert!(parameter(&location, "code").is_none());

    // A wallet that would sign anything: what is signed names the request, and the answer counts once.
    let mut own = AttestedWallet::at(&caller, PAY, &bank).await;
    let (request_uri, link) = begun(&mut own, "account-holder").await;
    let answer = she.answer(&caller, &link).await;
    answer.send(&caller).await.done();
    let twice = answer.send(&caller).await;
    twice.refused("answered before", 409, "presentation.already_answered");
    let location = own.looked(&request_uri).await.location.unwrap();
    assert_eq!(parameter(&location, "iss").unwrap(), own.issuer().to_string(), "RFC 9207");
    let code = parameter(&location, "code").unwrap();
    // The code comes once.
    let over = own.looked(&request_uri).await.answer;
    over.refused("the code went out", 409, "authorization.over");
    // In the hands of another wallet it is nothing.
    let stolen = thief.form("token", &thief.exchange(&code), Changed::default()).await;
    stolen.answer.oauth("a stolen code", 400, "invalid_grant");
    let tokens = own.form("token", &own.exchange(&code), Changed::default()).await.answer.done();
    assert_eq!(tokens["scope"], "account-holder");
    let access = tokens["access_token"].as_str().unwrap().to_owned();
    let request = own.request("account-holder", 2).await;
    let issued = own.under("credential", &access, &request, Changed::default()).await.answer.done();
    assert_eq!(issued["credentials"].as_array().unwrap().len(), 2);
    for path in [
        format!("{bank}/haip/openid4vp/nothing/request"),
        "/banks/nobody/haip/nonce".to_owned(),
        "/agencies/nobody/haip/nonce".to_owned(),
        "/parties/yellow-crane-hotel/haip/nonce".to_owned(),
    ] {
        let answer = caller.post(&path, None, &json!({})).await;
        answer.refused(&path, 404, "request.not_found");
    }
    drop(server);
}

/// A token of the account's key for a POST.
fn token(account: &Account, path: &str) -> String {
    let token = RequestToken {
        iss: account.id.to_string(),
        aud: account.bank.clone(),
        htm: "POST".to_owned(),
        htu: path.to_owned(),
        iat: now(),
    };
    token.sign(&*account.key).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_issuer_gave_opens_nothing_at_another_and_each_asks_for_its_own_proofs_haip_4_4() {
    let data = Data::new();
    let server = Server::start(&data);
    let caller = server.caller();
    let (_she, account) = Box::pin(known(&caller)).await;
    let bank = format!("/banks/{JIANGCHENG}");
    let mut wallet = AttestedWallet::at(&caller, PAY, &bank).await;
    let mut elsewhere = AttestedWallet::at(&caller, PAY, &format!("/agencies/{PENSIONS}")).await;
    let path = format!("{}/credentials/account-holder", account.path());
    let made = caller.post(&path, Some(&token(&account, &path)), &json!({})).await.done();
    let state = state_of(made["haip_offer"].as_str().unwrap());

    // By details, which are answered with identifiers.
    let details =
        r#"[{"type":"openid_credential","credential_configuration_id":"account-holder"}]"#;
    let mut fields = wallet.pushed("", &state);
    fields.remove("scope");
    fields.insert("authorization_details", details.to_owned());
    // With another issuer's proof, challenge or scope nothing is pushed.
    let challenge = wallet.challenge.clone();
    let pop = wallet.pop(elsewhere.issuer().as_str(), Some(&challenge), now());
    let changed = Changed { pop: Some(pop), ..Changed::default() };
    let refused = wallet.form("par", &fields, changed).await;
    refused.answer.oauth("a proof for an agency", 400, "invalid_client_attestation");
    let foreign = elsewhere.challenge.clone();
    let pop = wallet.pop(wallet.issuer().as_str(), Some(&foreign), now());
    let changed = Changed { pop: Some(pop), ..Changed::default() };
    let refused = wallet.form("par", &fields, changed).await;
    refused.answer.oauth("an agency's challenge", 400, "use_attestation_challenge");
    let mut pension = fields.clone();
    pension.remove("authorization_details");
    pension.insert("scope", "pensioner".to_owned());
    let refused = wallet.form("par", &pension, Changed::default()).await;
    refused.answer.oauth("an agency's scope", 400, "invalid_scope");
    let nothing = caller.send("POST", &format!("{bank}/haip/par"), &[], Vec::new()).await.unwrap();
    nothing.oauth("no attestation", 400, "invalid_client");

    let request_uri = wallet.push(&fields).await;
    let code = wallet.code(&request_uri, "").await;
    let exchange = wallet.exchange(&code);
    let refused = elsewhere.form("token", &exchange, Changed::default()).await;
    refused.answer.oauth("a bank's code at an agency", 400, "invalid_grant");
    let tokens = wallet.form("token", &exchange, Changed::default()).await.answer.done();
    let given = &tokens["authorization_details"][0];
    assert_eq!(given["credential_configuration_id"], "account-holder");
    let access = tokens["access_token"].as_str().unwrap().to_owned();
    let mut body = wallet.request("account-holder", 1).await;
    let refused = elsewhere.under("credential", &access, &body, Changed::default()).await;
    refused.answer.oauth("a bank's token at an agency", 401, "invalid_token");
    let nonce = elsewhere.nonce().await;
    let key = support::third_party::fresh();
    let attestation = wallet.attested_keys(&[&key], &nonce).await;
    let proof = wallet.key_proof(&key, &nonce, &attestation);
    body["proofs"] = json!({"jwt": [proof]});
    body.as_object_mut().unwrap().remove("credential_configuration_id");
    body["credential_identifier"] = given["credential_identifiers"][0].clone();
    let refused = wallet.under("credential", &access, &body, Changed::default()).await;
    refused.answer.oauth("an agency's nonce", 400, "invalid_nonce");
    let good = wallet.request("account-holder", 1).await;
    body["proofs"] = good["proofs"].clone();
    let issued = wallet.under("credential", &access, &body, Changed::default()).await.answer.done();
    assert_eq!(issued["credentials"].as_array().unwrap().len(), 1);
    drop(server);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_offer_by_reference_is_read_once_and_lies_sealed_until_then_4_1_3() {
    let data = Data::new();
    let server = Server::start(&data);
    let caller = server.caller();
    let mut resident = Resident::of(&caller, 4);
    resident.wallet.of_provider(PROVIDER).unwrap();
    let body = json!({"resident_number": resident.number, "evidence": "card", "credential": "pid"});
    let desk = caller.desk(DESK);
    let path = "/authority/v1/officer/authentications?by_reference=true";
    let made = caller.post(path, Some(&desk), &body).await.done();
    let links = [made["offer"].as_str().unwrap(), made["haip_offer"].as_str().unwrap()];
    for link in links {
        assert!(link.contains("credential_offer_uri") && link.len() < 200, "{link}");
        assert!(!link.contains("credential_issuer"), "the code is not in the link: {link}");
    }
    assert!(links[1].starts_with("haip-vci://"), "{}", links[1]);
    let digits = made["transaction_code"].as_str();
    let got = resident.wallet.get_attested(links[1], digits, Wanted::default()).await.unwrap();
    assert_eq!(received(got).count, 10);
    // Whoever sees the link later has nothing.
    let uri = parameter(links[1], "credential_offer_uri").unwrap();
    let path = uri.strip_prefix(&caller.url).unwrap().to_owned();
    caller.get(&path, None).await.refused("read before", 404, "request.not_found");
    caller.get("/authority/offers/made-up", None).await.refused(
        "no offer",
        404,
        "request.not_found",
    );
    let refused = resident.wallet.get_attested(links[1], digits, Wanted::default()).await;
    assert!(refused.is_err());
    // The other link is of the same permission, which is used: the offer can be read, its code exchanged no more.
    let refused = resident.wallet.get(links[0], digits).await.unwrap_err();
    assert!(format!("{refused:#}").contains("invalid_grant"), "{refused:#}");
    // And a wallet without a provider takes the simpler one.
    let mut other = Resident::of(&caller, 5);
    let body = json!({"resident_number": other.number, "evidence": "card", "credential": "pid"});
    let path = "/authority/v1/officer/authentications?by_reference=true";
    let made = caller.post(path, Some(&desk), &body).await.done();
    let link = made["offer"].as_str().unwrap().to_owned();
    other.wallet.get(&link, made["transaction_code"].as_str()).await.unwrap();
    // Nothing is fetched from a stranger, whatever the link says.
    for host in ["https://stranger.example/offers/x", "http://127.0.0.1:1/authority/offers/x"] {
        let query: String = url::form_urlencoded::byte_serialize(host.as_bytes()).collect();
        let link = format!("haip-vci://?credential_offer_uri={query}");
        let refused = resident.wallet.get_attested(&link, None, Wanted::default()).await;
        let refused = format!("{:#}", refused.unwrap_err());
        assert!(refused.contains("not an issuer the trust list knows"), "{refused}");
    }
    // What lies there holds neither the offer nor its code.
    let body = json!({"resident_number": other.number, "evidence": "card", "credential": "age"});
    let path = "/authority/v1/officer/authentications?by_reference=true";
    let made = caller.post(path, Some(&desk), &body).await.done();
    let secret = parameter(made["offer"].as_str().unwrap(), "credential_offer_uri").unwrap();
    let secret = secret.rsplit('/').next().unwrap().to_owned();
    server.kill();
    let stored = data.issuances(DESK);
    for text in [secret.as_str(), "pre-authorized_code"] {
        let holds = stored.windows(text.len()).any(|window| window == text.as_bytes());
        assert!(!holds, "{text} lies in the records");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_in_the_wallet_is_void_at_its_issuer_11() {
    let data = Data::new();
    let server = Server::start(&data);
    let caller = server.caller();
    let (mut she, _) = Box::pin(known(&caller)).await;
    let kind = "urn:yufu:account-holder:cn:1";
    let wanted = Wanted::default();
    she.wallet.get_attestation(JIANGCHENG, "account-holder", wanted).await.unwrap();
    let copies = places(&she, kind);
    let valid: BTreeSet<Status> = statuses(&caller, &copies).await.into_iter().collect();
    assert_eq!(valid, BTreeSet::from([Status::Valid]));
    let discarded = she.wallet.discard(kind).await.unwrap();
    assert_eq!((discarded.count, discarded.told), (copies.len(), true));
    assert!(places(&she, kind).is_empty());
    let void: BTreeSet<Status> = statuses(&caller, &copies).await.into_iter().collect();
    assert_eq!(void, BTreeSet::from([Status::Invalid]), "deleted: void at the bank");
    let file = she.file();
    assert!(file.get("grants").is_none_or(|all| all.as_array().unwrap().is_empty()));
    let nothing = she.wallet.discard(kind).await.unwrap_err();
    assert!(format!("{nothing:#}").contains("nothing of the type"), "{nothing:#}");
    assert!(she.wallet.renew().await.unwrap().is_empty(), "nothing brings them back");

    // A batch that failed, at the agency: void, and only that one.
    let mut wallet = AttestedWallet::at(&caller, PAY, &format!("/banks/{JIANGCHENG}")).await;
    let (request_uri, link) = begun(&mut wallet, "account-holder").await;
    she.answer(&caller, &link).await.send(&caller).await.done();
    let location = wallet.looked(&request_uri).await.location.unwrap();
    let code = parameter(&location, "code").unwrap();
    let tokens = wallet.form("token", &wallet.exchange(&code), Changed::default()).await;
    let access = tokens.answer.done()["access_token"].as_str().unwrap().to_owned();
    let request = wallet.request("account-holder", 1).await;
    let issued = wallet.under("credential", &access, &request, Changed::default()).await;
    let issued = issued.answer.done();
    let jwt = issued["credentials"][0]["credential"].as_str().unwrap();
    let claims: Value =
        Unverified::parse(jwt.split('~').next().unwrap()).unwrap().unverified_claims().unwrap();
    let place = [claims["status"]["status_list"].clone()];
    assert_eq!(statuses(&caller, &place).await, [Status::Valid]);
    let said = json!({"notification_id": issued["notification_id"], "event": "credential_failure"});
    let noted = wallet.under("notification", &access, &said, Changed::default()).await;
    assert_eq!(noted.answer.status, 204);
    assert_eq!(statuses(&caller, &place).await, [Status::Invalid]);
    let metrics = caller.client.get_text(&format!("{}/metrics", caller.url)).await.unwrap();
    for event in ["failure", "deleted"] {
        let named =
            |line: &&str| line.starts_with("yufu_batches_not_kept_total") && line.contains(event);
        assert!(metrics.lines().any(|line| named(&line)), "{event} is counted");
    }
    drop(server);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_granted_ends_with_its_ground_and_the_wallet_says_so() {
    let data = Data::new();
    let server = Server::start(&data);
    let caller = server.caller();
    let (mut she, _) = Box::pin(known(&caller)).await;
    let wanted = Wanted::default();
    she.wallet.get_attestation(PENSIONS, "pensioner", wanted).await.unwrap();
    she.wallet.get_attestation(JIANGCHENG, "account-holder", wanted).await.unwrap();
    let street = Street::of(&caller).await;
    let (pensioner, holder) = ("urn:yufu:pensioner:cn:1", "urn:yufu:account-holder:cn:1");
    for (kind, purpose) in [(pensioner, "pensioner-price"), (holder, "hire-on-account")] {
        while places(&she, kind).len() > 1 {
            let begun = street.begin(SHOP, purpose).await;
            let link = begun["authorization_request"].as_str().unwrap();
            she.wallet.present(link, &mut |_| true).await.unwrap();
        }
    }
    let copies = places(&she, pensioner);
    she.wallet.leave_programme(PENSIONS, "basic-pension").await.unwrap();
    assert_eq!(statuses(&caller, &copies).await, [Status::Invalid]);
    // The wallet hears of it when it asks for fresh ones; what others granted comes all the same.
    let renewed = she.wallet.renew().await.unwrap();
    let ended = |got: &Got| matches!(got, Got::Ended { kind, .. } if kind == pensioner);
    assert_eq!(renewed.iter().filter(|got| ended(got)).count(), 1, "{renewed:?}");
    let came = |got: &Got| matches!(got, Got::Received(received) if received.vct == holder);
    assert_eq!(renewed.iter().filter(|got| came(got)).count(), 1, "{renewed:?}");
    assert!(she.wallet.renew().await.unwrap().is_empty(), "it is said once");
    let refused = she.wallet.obtain(PENSIONS, "pensioner", &mut |_| true).await.unwrap_err();
    assert!(format!("{refused:#}").contains("member.left"), "{refused:#}");
    drop(server);
}
