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
use support::{Caller, Data, Resident, Server, carry, now, takings};
use yufu::wallet::Wanted;
use yufu_api::authority::AccessEntry;
use yufu_jose::ClaimPath;
use yufu_keys::random;
use yufu_wallet::presentation::{AnswerEntropy, Consent, Presenting};

const BINARY: &str = env!("CARGO_BIN_EXE_yufu");
const HOTEL: &str = "yellow-crane-hotel";
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
        shown.extend(consent.credentials.iter().flat_map(|c| c.claims.clone()));
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
    let refused = resident.wallet.who_read(&mut |_| true).await.unwrap_err();
    assert!(format!("{refused:#}").contains("no longer valid"), "{refused:#}");
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
