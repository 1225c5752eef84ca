//! Backup and restore, receipts, who read my data, reports: each as its owner lives it.

use super::city::{BANK, TestCity, phrase};
use crate::wallet::{Bill, Event, Holder, Paid, restore};
use serde_json::{Value, json};
use std::path::Path;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use yufu_api::authority::{AccessEntry, Look};
use yufu_api::bank::Opening;
use yufu_api::http::ClientError;
use yufu_api::registrar::PartyReports;
use yufu_base::{Amount, Currency, Timestamp};
use yufu_jose::{Header, Jwk, SoftwareKey, Unverified, decode_base64url, sign};
use yufu_openid4vc::Endpoint;
use yufu_openid4vc::presentation::{
    PresentationLink, REQUEST_MEDIA_TYPE, REQUEST_TYPE, RequestUriMethod,
};

const NOW: Timestamp = Timestamp::from_seconds(1_000_000);

fn bill(wallet: &Holder, shop: &str) -> Bill {
    Bill {
        payee: shop.parse().unwrap(),
        payee_name: "Noodle shop".to_owned(),
        amount: Amount::new(Currency::new("CNY").unwrap(), 1_800),
        id: wallet.fresh_order_id(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_restored_on_another_device_pays_but_shows_no_credential_twice() {
    let city = TestCity::start().await;
    let (phone, new_phone) = (city.device("phone"), city.device("new-phone"));
    let mut wallet = city.open(&phone, "mei").unwrap();
    city.issue_identity(&mut wallet).await;
    let account = city.open_account(&mut wallet).await;
    let shop = city.shop().await;
    let backup = city.folder.path().join("mei.backup");
    wallet.back_up(&backup).unwrap();
    let bytes = std::fs::read(&backup).unwrap();
    assert!(!String::from_utf8_lossy(&bytes).contains(&account), "the backup is readable");
    assert_eq!(wallet.back_up(&backup).unwrap_err().code(), "wallet.file_exists");
    let left = wallet.credentials_left();
    drop(wallet);

    let taken = restore(&phone, "mei", &backup, &phrase(), false, NOW).unwrap_err();
    assert_eq!(taken.code(), "wallet.exists");
    let wrong = crate::wallet::Passphrase::cheap("wrong horse");
    let refused = restore(&new_phone, "mei", &backup, &wrong, false, NOW).unwrap_err();
    assert_eq!(refused.code(), "wallet.passphrase_wrong");
    let restored = restore(&new_phone, "mei", &backup, &phrase(), false, NOW).unwrap();
    assert_eq!((restored.accounts, restored.usable, restored.resting), (1, 0, left));

    let mut again = city.open(&new_phone, "mei").unwrap();
    let paid = again.pay(&bill(&again, &shop)).await.unwrap();
    assert!(matches!(paid, Paid::Done(done) if done.balance_minor == Some(48_200)));
    assert!(again.history().iter().any(|entry| matches!(entry.event, Event::Disclosed { .. })));
    assert!(again.check_receipts().iter().all(|receipt| receipt.holds));
    assert_eq!((again.credentials_left(), again.credentials_resting()), (0, left));
    let refused = again.who_read(&mut |_| true).await.unwrap_err().to_string();
    assert!(refused.contains("nothing was shown"), "{refused}");
    city.issue_identity(&mut again).await;
    again.who_read(&mut |_| true).await.unwrap();
    assert_eq!(again.credentials_resting(), left, "a resting credential was used");

    let third = city.device("third-phone");
    let restored = restore(&third, "mei", &backup, &phrase(), true, NOW).unwrap();
    assert_eq!((restored.usable, restored.resting), (left, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_holds_her_data_tells_her_who_read_them_and_nobody_else() {
    let city = TestCity::start().await;
    let mut wallet = city.open(&city.device("phone"), "mei").unwrap();
    city.issue_identity(&mut wallet).await;
    let account = city.open_account(&mut wallet).await;
    let path = format!(
        "{}/banks/{BANK}/v1/desk/accounts/{account}/customer?purpose=audit&fields=birthdate",
        city.url
    );
    let token = city.data.keys(&BANK.parse().unwrap()).unwrap().secret("desk").unwrap();
    let _: Value = city.client.get(&path, Some(&token)).await.unwrap();

    let mut asked = Vec::new();
    let who = wallet
        .who_read(&mut |consent| {
            asked.extend(consent.claims().cloned());
            true
        })
        .await
        .unwrap();
    let names: Vec<String> = asked.iter().map(|(path, _)| path.to_string()).collect();
    assert_eq!(names, ["personal_administrative_number"]);
    let last = who.authority.last().unwrap();
    assert_eq!((last.actor.as_str(), last.role.as_str()), ("the person", "subject"));
    assert!(who.authority.iter().any(|access| access.role == "officer"));
    let bank = who.banks.first().unwrap();
    let look = bank.accesses.first().unwrap();
    assert_eq!(
        (look.purpose.as_str(), look.fields.as_slice()),
        ("audit", &["birthdate".to_owned()][..])
    );

    // Neither without the account's key, nor with a code that was not handed to the wallet.
    let url = format!("{}/banks/{BANK}/v1/accounts/{account}/accesses", city.url);
    let refused = city.client.get::<Value>(&url, Some("guess")).await.unwrap_err();
    assert!(matches!(refused, ClientError::Refused(problem) if problem.status == 401));
    let look: Look =
        city.client.post(&format!("{}/authority/v1/looks", city.url), None, &()).await.unwrap();
    let fetch = format!("{}/authority/v1/looks/accesses", city.url);
    for code in [None, Some("guess"), Some(look.authorization_request.as_str())] {
        assert!(city.client.get::<Vec<AccessEntry>>(&fetch, code).await.is_err(), "{code:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_history_names_and_never_tells_values_and_its_receipts_are_verified_offline() {
    let city = TestCity::start().await;
    let mut wallet = city.open(&city.device("phone"), "mei").unwrap();
    city.issue_identity(&mut wallet).await;
    city.open_account(&mut wallet).await;
    let file = city.folder.path().join("history.json");
    wallet.export(&file).unwrap();
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.contains("family_name") && text.contains("Bank of Jiangcheng"), "{text}");
    for held in ["\"key\"", "disclosures", "resident_number"] {
        assert!(!text.contains(held), "{held} in the export");
    }
    assert!(wallet.check_receipts().iter().all(|receipt| receipt.holds));
    let faults = |wallet: &Holder| wallet.check_receipts()[0].fault.clone().unwrap();
    let entry = wallet
        .file
        .contents
        .history
        .iter_mut()
        .find(|entry| matches!(entry.event, Event::Disclosed { .. }))
        .unwrap();
    let Event::Disclosed { receipt, signed_receipt, .. } = &mut entry.event else { panic!() };
    let (claims, signed) = (receipt.disclosed.clone(), signed_receipt.clone());
    receipt.disclosed[0].claims.pop();
    assert!(faults(&wallet).contains("something else"));
    set(&mut wallet, |receipt, theirs| {
        receipt.disclosed = claims.clone();
        *theirs = None;
    });
    assert!(faults(&wallet).contains("no receipt"));
    set(&mut wallet, |_, theirs| *theirs = signed.clone().map(|jws| format!("{jws}x")));
    assert!(!wallet.check_receipts()[0].holds);
    set(&mut wallet, |receipt, theirs| {
        theirs.clone_from(&signed);
        receipt.request_digest = "another".to_owned();
    });
    assert!(faults(&wallet).contains("another request"));
    wallet.file.contents.access_anchors.clear();
    assert!(!wallet.check_receipts()[0].holds, "held without any certificate");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_sent_stands_in_the_history_even_if_it_was_then_refused() {
    let city = TestCity::start().await;
    let mut wallet = city.open(&city.device("phone"), "mei").unwrap();
    city.issue_identity(&mut wallet).await;
    city.open_account(&mut wallet).await;
    let left = wallet.credentials_left();
    let refused = wallet.open_account(BANK, "III", &mut |_| true).await.unwrap_err().to_string();
    assert!(refused.contains("account.too_many"), "{refused}");
    let last = wallet.history().last().unwrap();
    assert!(
        matches!(&last.event, Event::Disclosed { signed_receipt: Some(_), claims, .. } if claims.len() == 4),
        "{last:?}"
    );
    assert_eq!(wallet.credentials_left(), left - 1);
    // What was shown was verified, and is receipted, before the person came back and was refused.
    assert!(wallet.check_receipts().iter().all(|receipt| receipt.holds));
}

fn set(wallet: &mut Holder, change: impl Fn(&mut yufu_trust::Receipt, &mut Option<String>)) {
    for entry in &mut wallet.file.contents.history {
        if let Event::Disclosed { receipt, signed_receipt, .. } = &mut entry.event {
            change(receipt, signed_receipt);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_asks_too_much_is_refused_and_reported_with_their_own_signature() {
    let city = TestCity::start().await;
    let mut wallet = city.open(&city.device("phone"), "mei").unwrap();
    city.issue_identity(&mut wallet).await;
    let (link, _) = over_asking(&city).await;
    let refused = wallet.present(&link, &mut |_| panic!("the person was asked")).await.unwrap_err();
    let refused = refused.to_string();
    assert!(refused.contains("more than it may"), "{refused}");
    assert!(refused.contains("Bank of Jiangcheng"), "{refused}");
    assert!(refused.contains("yufu wallet report 2"), "{refused}");

    let file = city.folder.path().join("report.json");
    let reported = wallet.report(2, "asks for my portrait", Some(&file)).await.unwrap();
    let taken = reported.taken.unwrap();
    assert!(taken.over_asking);
    assert_eq!(taken.party, BANK);
    assert!(reported.document.asked.iter().any(|claim| claim.starts_with("nationalities")));
    let written: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    assert_eq!(written["format"], "yufu-report");
    // A second report of the same request gets the first number and is not counted again.
    assert_eq!(wallet.report(2, "again", None).await.unwrap().taken.unwrap().report, taken.report);
    let url = format!("{}/registrar/v1/reports", city.url);
    let tallies: Vec<PartyReports> = city.client.get(&url, None).await.unwrap();
    let tallies: Vec<_> =
        tallies.iter().map(|t| (t.party.as_str(), t.reports, t.over_asking)).collect();
    assert_eq!(tallies, [(BANK, 1, 1)]);
    let desk = format!("{}/registrar/v1/desk/reports/{BANK}", city.url);
    assert!(city.client.get::<Value>(&desk, None).await.is_err(), "the desk is open to all");

    let nothing = wallet.report(1, "no request in it", None).await.unwrap_err().to_string();
    assert!(nothing.contains("holds no request"), "{nothing}");
    assert!(wallet.report(99, "x", None).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_reported_for_what_they_did_not_sign() {
    let city = TestCity::start().await;
    let (_, request) = over_asking(&city).await;
    let mut parts: Vec<&str> = request.split('.').collect();
    let altered = parts[1].replacen('a', "b", 1);
    parts[1] = &altered;
    let url = format!("{}/registrar/v1/reports", city.url);
    for evidence in [parts.join("."), "x".to_owned()] {
        let report = json!({
            "format": "yufu-report", "version": 1, "request": evidence, "asked": [], "reason": "r",
        });
        let refused = city.client.post::<_, Value>(&url, None, &report).await.unwrap_err();
        assert!(
            matches!(&refused, ClientError::Refused(p) if p.code == "report.no_evidence"),
            "{refused}"
        );
    }
    let tallies: Vec<PartyReports> = city.client.get(&url, None).await.unwrap();
    assert!(tallies.is_empty());
}

/// A link to a request that a bank signed itself, which asks for a claim beyond its registration.
async fn over_asking(city: &TestCity) -> (String, String) {
    use yufu_base::Signer;
    let key: Jwk = SoftwareKey::from_seed(&[3; 32]).unwrap().public_key().into();
    let url = format!("{}/banks/{BANK}/v1/openings", city.url);
    let opening: Opening =
        city.client.post(&url, None, &json!({"class": "III", "wallet_key": key})).await.unwrap();
    let link = PresentationLink::parse(&opening.authorization_request).unwrap();
    let honest = city.client.get_text(link.request_uri.as_str()).await.unwrap();
    let payload = decode_base64url(honest.split('.').nth(1).unwrap()).unwrap();
    let mut request: Value = serde_json::from_slice(&payload).unwrap();
    let claims = request.pointer_mut("/dcql_query/credentials/0/claims").unwrap();
    claims.as_array_mut().unwrap().push(json!({"path": ["nationalities"]}));
    let chain = Unverified::parse(&honest).unwrap().header().chain().unwrap();
    let signer = city.data.keys(&BANK.parse().unwrap()).unwrap().signer("access").unwrap();
    let header = Header { typ: Some(REQUEST_TYPE.into()), ..Header::default() }.with_chain(&chain);
    let signed = sign(&header, &serde_json::to_vec(&request).unwrap(), &*signer).unwrap();
    let link = PresentationLink {
        client_id: link.client_id,
        request_uri: Endpoint::parse(&serve(signed.clone()).await).unwrap(),
        request_uri_method: RequestUriMethod::Get,
    };
    (link.to_link(), signed)
}

/// Answers every request with one document.
pub(super) async fn serve(document: String) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.read(&mut [0; 4096]).await;
            let answer = format!(
                "HTTP/1.1 200 OK\r\ncontent-type: {REQUEST_MEDIA_TYPE}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{document}",
                document.len()
            );
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    format!("http://localhost:{}/request", address.port())
}

#[test]
fn a_wallet_of_the_demo_opens_with_the_passphrase_that_the_demo_states() {
    let folder = tempfile::tempdir().unwrap();
    let key = {
        use yufu_base::Signer;
        SoftwareKey::from_seed(&[1; 32]).unwrap().public_key()
    };
    let open = |phrase: &crate::wallet::Passphrase, folder: &Path| {
        Holder::open(folder, "resident-0", phrase, "http://localhost", key).map(drop)
    };
    open(&crate::wallet::Passphrase::of_the_demo(), folder.path()).unwrap();
    let typed = crate::wallet::Passphrase::new("yufu-demo".to_owned()).unwrap();
    open(&typed, folder.path()).unwrap();
}
