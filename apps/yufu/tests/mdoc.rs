//! An identity and a ticket as ISO mdocs, in the running city: issued by the institutions that issue
//! them, shown over OpenID4VP to those that ask, and refused once they are revoked.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "test code: a wrong fixture is to fail loudly"
)]

mod support;

use serde_json::json;
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;
use support::institutions::{HOTEL, SHOP};
use support::{Caller, Data, Resident, Server, carry, enrol, now, takings, trust_key};
use yufu::wallet::Wanted;
use yufu_api::authority::AccessEntry;
use yufu_jose::{Chain, ClaimPath};
use yufu_keys::{KeyStore, random};
use yufu_mdoc::{DeviceEngagement, RetrievalMethod};
use yufu_nearby::{Channel, Listening, Tcp};
use yufu_openid4vc::{Endpoint, HttpRequest};
use yufu_proximity::{Engaged, Offline, OfflineStatusError, ReadError, ReaderIdentity, ask};
use yufu_trust::{STATUS_LIST_CWT_MEDIA_TYPE, Status, StatusListToken, TrustList};
use yufu_wallet::presentation::{AnswerEntropy, Consent, Presenting};

const BINARY: &str = env!("CARGO_BIN_EXE_yufu");
const SOON: Duration = Duration::from_secs(20);
const DOC_TYPE: &str = "org.yufu.pid.cn.1";
const MDOC: Wanted = Wanted { pseudonyms: true, mdoc: true };

/// A resident whose identity is an mdoc.
async fn with_mdoc(caller: &Caller, row: usize) -> Resident {
    let mut resident = Resident::of(caller, row);
    let (offer, code) = resident.offer(caller).await;
    let received = resident.wallet.get_as(&offer, Some(&code), MDOC).await.unwrap();
    assert_eq!((received.vct.as_str(), received.count), (DOC_TYPE, 10));
    resident
}

#[tokio::test(flavor = "multi_thread")]
async fn an_identity_as_an_mdoc_is_issued_shown_to_the_authority_and_refused_once_revoked() {
    let data = Data::new();
    let server = Server::start(&data);
    let caller = server.caller();
    let mut resident = with_mdoc(&caller, 1).await;
    let all = resident.credentials();
    let mdoc = all[0].0.credential.as_mdoc().unwrap();
    let claims = mdoc.claims();
    assert_eq!(claims["personal_administrative_number"], resident.number.as_str());
    assert!(claims["sector_pseudonym"].as_object().unwrap().contains_key("pension"));
    assert!(claims["address"]["locality"].is_string(), "as in an SD-JWT VC");
    assert_eq!(mdoc.elements()[DOC_TYPE]["age_equal_or_over.18"], json!(true));

    let mut shown = Vec::new();
    let mut look = |consent: &Consent| {
        shown.extend(consent.claims().cloned());
        true
    };
    let who = resident.wallet.who_read(&mut look).await.unwrap();
    let issuing = |entry: &&AccessEntry| entry.purpose.contains("issuing the credential pid");
    assert_eq!(who.authority.iter().filter(issuing).count(), 1, "a read as for any format");
    let number = ClaimPath::members([DOC_TYPE, "personal_administrative_number"]).unwrap();
    assert_eq!(shown, [(number, vec![resident.number.as_str().into()])]);
    assert_eq!(resident.wallet.credentials_left(), 9);

    let desk = caller.desk("identity-authority");
    let body = json!({"resident_number": resident.number, "reason": "reported lost"});
    let path = "/authority/v1/officer/revocations";
    let revoked = caller.post(path, Some(&desk), &body).await.done();
    assert_eq!(revoked["revoked"], 10);
    // The list says so as CWT too, for readers that have no JOSE.
    let uri = all[0].0.credential.status().unwrap().uri.clone();
    let asking = HttpRequest::get(Endpoint::parse(&uri).unwrap(), STATUS_LIST_CWT_MEDIA_TYPE);
    let list = carry(&caller, &asking).await;
    assert_eq!(list.content_type.as_deref(), Some(STATUS_LIST_CWT_MEDIA_TYPE));
    let text = caller.client.get_text(&format!("{}/trust-list/v1/list", caller.url)).await.unwrap();
    let trust = TrustList::verify(&text, &trust_key(&caller), now(), None).unwrap();
    let issuer = &all[0].0.issuer;
    let list = StatusListToken::verify_cwt_of(&list.body, &trust, issuer, &uri, now());
    let place = all[0].0.credential.status().unwrap().index;
    assert_eq!(list.unwrap().list.get(place), Some(Status::Invalid));
    let refused = resident.wallet.who_read(&mut |_| true).await.unwrap_err();
    assert!(format!("{refused:#}").contains("credential.revoked"), "{refused:#}");
    drop(server);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_checks_in_with_an_mdoc_and_pays_with_the_same_tap() {
    let data = Data::new();
    let server = Server::start(&data);
    let caller = server.caller();
    takings(&caller, HOTEL).await;
    let mut guest = Resident::identified(&caller, 2).await;
    guest.open_account(&caller, 50_000).await;
    guest.wallet.get_payment_credential().await.unwrap();
    let (offer, code) = guest.offer(&caller).await;
    guest.wallet.get_as(&offer, Some(&code), MDOC).await.unwrap();

    let body = json!({"room": "302", "nights": 1, "amount_minor": 1_000});
    let path = format!("/parties/{HOTEL}/v1/desk/check-ins");
    let begun = caller.post(&path, Some(&caller.desk(HOTEL)), &body).await.done();
    let reviewed = guest.review(&caller, begun["authorization_request"].as_str().unwrap()).await;
    let sets = reviewed.request().dcql_query.credential_sets().unwrap();
    assert_eq!(sets[0].options, [["pid"], ["pid-mdoc"]], "in either format");
    assert_eq!(sets[1].options, [["payment"]], "which signs the bill");
    let asked = reviewed.request().dcql_query.credential("pid-mdoc").unwrap();
    assert!(asked.claims().iter().all(|claim| claim.intent_to_retain == Some(true)));
    let all = guest.credentials();
    let of = |id: &str| all.iter().find(|(held, _)| held.configuration_id == id).unwrap();
    let (identity, payment) = (of("pid-mdoc"), of("payment"));
    let presenting = [
        Presenting { query_id: "pid-mdoc", held: &identity.0, signer: &identity.1 },
        Presenting { query_id: "payment", held: &payment.0, signer: &payment.1 },
    ];
    let entropy = AnswerEntropy { ephemeral: random(), iv: random() };
    let (answered, http) = reviewed.approve(&presenting, &entropy, now()).unwrap();
    let done = answered.handle(&carry(&caller, &http).await).unwrap();
    assert_eq!(done.receipt.disclosed[1].vct, DOC_TYPE);

    let id = begun["check_in"].as_str().unwrap();
    let state = caller.get(&format!("{path}/{id}"), Some(&caller.desk(HOTEL))).await.done();
    assert_eq!(state["state"], "checked_in");
    let fields = "purpose=police+enquiry&fields=personal_administrative_number+family_name";
    let guest_path = format!("{path}/{id}/guest?{fields}");
    let read = caller.get(&guest_path, Some(&caller.desk(HOTEL))).await.done();
    assert_eq!(read["personal_administrative_number"], guest.number.as_str());
    assert!(read["family_name"].is_string(), "the claims, whatever the format");
    drop(server);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gate_reads_an_age_side_by_side_while_the_whole_city_is_down() {
    let data = Data::new();
    let server = Server::start(&data);
    let caller = server.caller();
    let resident = with_mdoc(&caller, 1).await;
    // What both fetched while there was a network.
    let certified = enrol(&caller, SHOP).await.done();
    let registration = certified["registrations"]["check-age"].as_str().unwrap().to_owned();
    let access: Vec<String> = serde_json::from_value(certified["access"].clone()).unwrap();
    let text = caller.client.get_text(&format!("{}/trust-list/v1/list", caller.url)).await.unwrap();
    let trust = TrustList::verify(&text, &trust_key(&caller), now(), None).unwrap();
    let (mut lists, mut without) = (BTreeMap::new(), BTreeMap::new());
    let (held, key) = resident.credentials().remove(0);
    let own = held.credential.status().unwrap().uri.clone();
    let registrars = format!("{}/registrar/status/1", caller.url);
    for uri in [&own, &registrars] {
        let list = caller.client.get_text(uri).await.unwrap();
        without.extend((*uri == registrars).then(|| (uri.clone(), list.clone())));
        lists.insert(uri.clone(), list);
    }
    let keys = KeyStore::open(&caller.data().join(SHOP).join("keys")).unwrap();
    let signer = keys.signer("access").unwrap();
    server.terminate();
    server.ended();

    let read = async |lists: &BTreeMap<String, String>| {
        let known = Offline { trust: &trust, lists, max_age_seconds: 240, now: now() };
        let listening = Listening::at(IpAddr::V4(Ipv4Addr::LOCALHOST)).await.unwrap();
        let port = listening.address().port();
        let device =
            Engaged::new(&random(), vec![RetrievalMethod::tcp("127.0.0.1", port)]).unwrap();
        let qr = device.qr();
        let holder = async {
            let mut channel = listening.accept(SOON).await.unwrap();
            let known = Offline { lists: &without, ..known };
            let asked = device.handle(&channel.receive(SOON).await.unwrap(), &known).unwrap();
            assert_eq!(asked.certificate().name.get("en"), "Donghu Bicycles");
            let mdoc = held.credential.as_mdoc().unwrap();
            let (answer, receipt) = asked.approve(mdoc, &key, now()).unwrap();
            channel.send(&answer).await.unwrap();
            receipt
        };
        let reader = async {
            let engagement = DeviceEngagement::from_qr(&qr).unwrap();
            let (host, port) = engagement.methods[0].tcp_address().unwrap();
            let chain = Chain::from_x5c(&access).unwrap();
            let who =
                ReaderIdentity { chain: &chain, signer: &*signer, registration: &registration };
            let elements = vec![ClaimPath::members([DOC_TYPE, "age_equal_or_over.16"]).unwrap()];
            let doc_type = DOC_TYPE.to_owned();
            let role = yufu_trust::Role::PidIssuer;
            let wanted = yufu_proximity::Wanted { doc_type, elements, keep: false, role };
            let (waiting, message) = ask(&qr, wanted, who, &random()).unwrap();
            let mut channel = Tcp::connect(&host, port).await.unwrap();
            channel.send(&message).await.unwrap();
            waiting.handle(&channel.receive(SOON).await.unwrap(), &known)
        };
        tokio::join!(holder, reader)
    };
    let (receipt, seen) = read(&lists).await;
    assert_eq!(json!(seen.unwrap().claims), json!({"age_equal_or_over": {"16": true}}));
    assert_eq!(receipt.disclosed[0].vct, DOC_TYPE);
    // A reader that did not fetch the authority's list does not know, and so refuses.
    let (_, seen) = read(&without).await;
    let missing = OfflineStatusError::Missing(own);
    assert_eq!(seen.unwrap_err(), ReadError::Status(missing));
}
