//! Loss and theft: one step from a second device, or at a counter, stops everything a wallet had; the sheet frees nothing.

use super::city::{BANK, TestCity, lists_age};
use super::purses::{officer, purse};
use super::services::agree;
use crate::wallet::{Bill, Event, Holder, Wanted};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use yufu_api::authority::IdentityFrozen;
use yufu_base::{Amount, Currency, Signer, Timestamp};
use yufu_engine::{Clock, ManualClock, SystemClock};
use yufu_jose::{Jwk, SoftwareKey};
use yufu_openid4vc::presentation::KeyChangeOf;
use yufu_payment::RequestToken;

const OTHER_BANK: &str = "bank-of-lianghu";
const PROVIDER: &str = "jiangcheng-pay";
const AUTHORITY: &str = "identity-authority";
const SEEN: &str = "ID card and portrait compared, form 311";

fn bill(wallet: &Holder, payee: &str) -> Bill {
    Bill {
        payee: payee.parse().unwrap(),
        payee_name: "Noodle shop".to_owned(),
        amount: Amount::new(Currency::new("CNY").unwrap(), 1_800),
        id: wallet.fresh_order_id(),
    }
}

/// A person's telephone with an identity, an account and payment credentials; the sheet of it; and a shop.
struct Stolen {
    city: TestCity,
    phone: Holder,
    account: String,
    sheet: PathBuf,
    shop: String,
}

async fn stolen() -> Stolen {
    stolen_in(TestCity::start().await).await
}

async fn stolen_in(city: TestCity) -> Stolen {
    let mut phone = city.open(&city.device("phone"), "mei").unwrap();
    phone.of_provider(PROVIDER).unwrap();
    city.issue_identity(&mut phone).await;
    let account = city.open_account(&mut phone).await;
    phone.get_payment_credential().await.unwrap();
    let sheet = city.folder.path().join("mei.sheet");
    let written = phone.write_sheet(&sheet).await.unwrap();
    let places: BTreeSet<&str> = written.institutions.iter().map(String::as_str).collect();
    assert_eq!(places, BTreeSet::from([AUTHORITY, BANK, PROVIDER]));
    assert!(written.left_out.is_empty());
    let shop = city.shop().await;
    Stolen { city, phone, account, sheet, shop }
}

async fn refusal<T>(step: impl Future<Output = anyhow::Result<T>>) -> String {
    step.await.err().map_or_else(|| "not refused".to_owned(), |error| format!("{error:#}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_is_frozen_in_one_step_from_a_second_device_and_freed_by_the_identity_alone() {
    let Stolen { city, mut phone, account, sheet, shop } = stolen().await;
    let mut tablet = city.open(&city.device("tablet"), "mei").unwrap();
    city.issue_identity_again(&mut tablet).await;
    assert_eq!(tablet.keep_sheet(&fs::read(&sheet).unwrap()).unwrap(), 3);
    phone.pay(&bill(&phone, &shop)).await.unwrap();

    for _ in 0..2 {
        let outcomes = tablet.freeze(None).await.unwrap();
        assert_eq!(outcomes.len(), 3);
        assert!(outcomes.iter().all(|outcome| outcome.fault.is_none()), "{outcomes:?}");
    }

    // The thief has the open wallet, and gets nowhere with it.
    let frozen = "account.frozen_by_holder";
    assert!(refusal(phone.pay(&bill(&phone, &shop))).await.contains(frozen));
    assert!(refusal(phone.get_payment_credential()).await.contains(frozen));
    assert!(phone.accounts().await.unwrap().is_empty(), "not even the balance is told");
    assert_eq!(phone.frozen().await.unwrap(), [(BANK.to_owned(), account.clone())]);
    let said = refusal(phone.who_read(&mut agree)).await;
    assert!(said.contains("credential.revoked"), "{said}");
    let said = refusal(phone.open_account(OTHER_BANK, "III", &mut agree)).await;
    assert!(said.contains("instance.stopped"), "{said}");
    let said = refusal(phone.unfreeze(&mut agree)).await;
    assert!(said.contains("instance.stopped"), "{said}");
    // Nor in another wallet program, with what he read out of this one.
    phone.file.contents.provider = None;
    lists_age().await;
    let said = refusal(phone.unfreeze(&mut agree)).await;
    assert!(said.contains("credential.revoked"), "the identity is suspended: {said}");

    // The other device of hers has an identity of its own, which stands: it takes the account back.
    let class = KeyChangeOf::Class("III".to_owned());
    let back = tablet.recover_account(BANK, &class, &mut agree).await.unwrap();
    assert_eq!(back.account, account);
    tablet.pay(&bill(&tablet, &shop)).await.unwrap();
    assert!(refusal(phone.pay(&bill(&phone, &shop))).await.contains("account.key_changed"));
    // What the lost one left at the bank went with its key.
    let outcomes = tablet.freeze(None).await.unwrap();
    let fault = outcomes.iter().find(|one| one.institution == BANK).unwrap().fault.clone();
    assert!(fault.unwrap().contains("freeze.key_unknown"));
    tablet.pay(&bill(&tablet, &shop)).await.unwrap();

    let froze =
        |event: &Event| matches!(event, Event::Froze { institutions } if institutions.len() == 3);
    assert!(tablet.history().iter().any(|entry| froze(&entry.event)));
    let who = tablet.who_read(&mut agree).await.unwrap();
    assert!(who.authority.iter().any(|access| access.purpose.contains("froze what a wallet had")));
    let told = |what: &str| who.banks[0].accesses.iter().any(|one| one.purpose.contains(what));
    assert!(told("frozen") && told("freed"), "{:?}", who.banks);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thief_frees_nothing_in_the_minute_in_which_lists_at_hand_do_not_say_yet_what_was_frozen()
{
    // No time passes: no party renews a list by itself.
    let now = Timestamp::from_seconds(SystemClock::new().read().wall.seconds());
    let city = TestCity::start_at(None, Arc::new(ManualClock::new(now))).await;
    let Stolen { city, mut phone, account, sheet, .. } = stolen_in(city).await;
    let mut friend = city.open(&city.device("friend"), "friend").unwrap();
    friend.find_institutions().await.unwrap();
    friend.freeze(Some(&fs::read(&sheet).unwrap())).await.unwrap();
    phone.file.contents.provider = None;
    let said = refusal(phone.unfreeze(&mut agree)).await;
    assert!(said.contains("credential.revoked"), "{said}");
    assert_eq!(phone.frozen().await.unwrap(), [(BANK.to_owned(), account)]);
    // Whoever has an identity that stands has it back at once.
    let mut tablet = city.open(&city.device("tablet"), "mei").unwrap();
    city.issue_identity_again(&mut tablet).await;
    let class = KeyChangeOf::Class("III".to_owned());
    tablet.recover_account(BANK, &class, &mut agree).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_telephone_that_is_found_again_is_freed_by_an_officer_and_then_frees_its_accounts() {
    let Stolen { city, mut phone, account, sheet, shop } = stolen().await;
    // Somebody else's device does, with the paper.
    let mut friend = city.open(&city.device("friend"), "friend").unwrap();
    friend.find_institutions().await.unwrap();
    friend.freeze(Some(&fs::read(&sheet).unwrap())).await.unwrap();

    let body = json!({"resident_number": city.number(0), "evidence": SEEN});
    let path = "/authority/v1/officer/freezes/lift";
    let lifted: IdentityFrozen = city.desk(AUTHORITY, path, &body).await;
    assert!(lifted.credentials > 0);
    lists_age().await;
    // The instance stays stopped: a fresh one is made, here within the same file.
    phone.file.contents.provider = None;
    let freed = phone.unfreeze(&mut agree).await.unwrap();
    assert_eq!(freed.iter().map(|one| one.account.as_str()).collect::<Vec<_>>(), [account]);
    phone.pay(&bill(&phone, &shop)).await.unwrap();
    assert!(phone.unfreeze(&mut agree).await.unwrap().is_empty());
    // A fresh sheet is good again.
    let again = city.folder.path().join("second.sheet");
    phone.write_sheet(&again).await.unwrap();
    let outcomes = friend.freeze(Some(&fs::read(&again).unwrap())).await.unwrap();
    assert!(outcomes.iter().all(|outcome| outcome.fault.is_none()), "{outcomes:?}");
    assert!(refusal(phone.pay(&bill(&phone, &shop))).await.contains("account.frozen_by_holder"));
}

#[tokio::test(flavor = "multi_thread")]
async fn at_a_counter_the_authority_freezes_all_of_a_persons_identity_and_the_bank_an_account() {
    let Stolen { city, mut phone, account, shop, .. } = stolen().await;
    let body = json!({"resident_number": city.number(0), "evidence": SEEN});
    let path = "/authority/v1/officer/freezes";
    let first: IdentityFrozen = city.desk(AUTHORITY, path, &body).await;
    let second: IdentityFrozen = city.desk(AUTHORITY, path, &body).await;
    assert_eq!((first.credentials, first), (10, second), "again is harmless");
    lists_age().await;
    let said = refusal(phone.open_account(OTHER_BANK, "III", &mut agree)).await;
    assert!(said.contains("credential.revoked"), "{said}");

    let below = |what: &str| format!("accounts/{account}/{what}");
    let evidence = json!({"evidence": SEEN});
    let (status, refused) = officer(&city, "", &below("freezes"), &evidence).await;
    assert_eq!((status, &refused["code"]), (400, &json!("request.malformed")), "no officer");
    let (status, refused) = officer(&city, "teller-3", &below("freezes/lift"), &evidence).await;
    assert_eq!((status, &refused["code"]), (409, &json!("account.not_frozen")));
    let (status, _) = officer(&city, "teller-3", &below("freezes"), &evidence).await;
    assert_eq!(status, 200);
    assert!(refusal(phone.pay(&bill(&phone, &shop))).await.contains("account.frozen_by_holder"));
    let (status, _) = officer(&city, "teller-3", &below("freezes/lift"), &evidence).await;
    assert_eq!(status, 200);
    phone.pay(&bill(&phone, &shop)).await.unwrap();

    let path = "/authority/v1/officer/freezes/lift";
    let lifted: IdentityFrozen = city.desk(AUTHORITY, path, &body).await;
    assert_eq!(lifted, first);
    lists_age().await;
    phone.open_account(OTHER_BANK, "III", &mut agree).await.unwrap();
    let who = phone.who_read(&mut agree).await.unwrap();
    let saw = |what: &str| who.authority.iter().any(|access| access.purpose.contains(what));
    assert!(
        saw("freezing the identity: ID card") && saw("lifting the freezes"),
        "{:?}",
        who.authority
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attested_wallet_that_is_frozen_gets_no_fresh_copies_and_its_copies_are_suspended() {
    let city = TestCity::start().await;
    let mut phone = city.open(&city.device("phone"), "mei").unwrap();
    phone.of_provider(PROVIDER).unwrap();
    let offer = city.offer_identity(0).await;
    let (link, digits) = (offer.haip_offer.unwrap(), offer.transaction_code);
    phone.find_institutions().await.unwrap();
    phone.get_attested(&link, Some(&digits), Wanted::default()).await.unwrap();
    let sheet = city.folder.path().join("mei.sheet");
    let written = phone.write_sheet(&sheet).await.unwrap();
    assert!(written.institutions.iter().any(|one| one == AUTHORITY), "{written:?}");
    let outcomes = phone.freeze(Some(&fs::read(&sheet).unwrap())).await.unwrap();
    assert!(outcomes.iter().all(|outcome| outcome.fault.is_none()), "{outcomes:?}");
    // Neither the provider nor, were it asked, the authority has anything more for it.
    phone.file.contents.credentials.truncate(1);
    assert!(refusal(phone.renew()).await.contains("instance.stopped"));
    phone.file.contents.provider = None;
    lists_age().await;
    let said = refusal(phone.open_account(BANK, "III", &mut agree)).await;
    assert!(said.contains("credential.revoked"), "{said}");
}

/// What a place answers to a token: the status and the code.
async fn ask(city: &TestCity, path: &str, token: &str) -> (u16, String) {
    let headers = [
        ("content-type".to_owned(), "application/json".to_owned()),
        ("authorization".to_owned(), format!("Bearer {token}")),
    ];
    let url = format!("{}{path}", city.url);
    let (status, _, body) =
        city.client.exchange("POST", &url, &headers, b"{}".to_vec()).await.unwrap();
    let body: Value = serde_json::from_slice(&body).unwrap();
    (status, body["code"].as_str().unwrap_or("none").to_owned())
}

fn token(key: &SoftwareKey, named: &str, institution: &str, path: &str) -> String {
    let token = RequestToken {
        iss: named.to_owned(),
        aud: institution.to_owned(),
        htm: "POST".to_owned(),
        htu: path.to_owned(),
        iat: SystemClock::new().read().wall,
    };
    token.sign(key).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_freeze_key_is_good_at_its_place_for_freezing_and_for_nothing_else() {
    let Stolen { city, mut phone, account, shop, .. } = stolen().await;
    let stranger = SoftwareKey::from_seed(&[7; 32]).unwrap();
    let thumbprint = |key: &SoftwareKey| Jwk::from(key.public_key()).thumbprint_base64url();
    let sheet = phone.file.contents.guard().unwrap().sheet();
    let place = sheet.places.iter().find(|place| place.institution == BANK).unwrap();
    let (key, path) = (sheet.key(place).unwrap(), place.path());
    let own = thumbprint(&key);
    let unknown = token(&stranger, &thumbprint(&stranger), BANK, &path);
    assert_eq!(ask(&city, &path, &unknown).await, (403, "freeze.key_unknown".to_owned()));
    let forged = token(&stranger, &own, BANK, &path);
    let elsewhere = token(&key, &own, OTHER_BANK, &path);
    let otherwise = token(&key, &own, BANK, "/authority/v1/freezes");
    for wrong in [forged, elsewhere, otherwise, "no token".to_owned()] {
        assert_eq!(ask(&city, &path, &wrong).await.0, 401);
    }
    // The other institutions know no such key.
    for other in sheet.places.iter().filter(|other| other.institution != BANK) {
        let asked = token(&key, &own, &other.institution, &other.path());
        let answer = ask(&city, &other.path(), &asked).await;
        assert_eq!(answer, (403, "freeze.key_unknown".to_owned()), "{}", other.institution);
    }
    // It gives no orders and reads nothing.
    for below in ["wakings", "payment-credentials", "freeze-handle"] {
        let path = format!("/banks/{BANK}/v1/accounts/{account}/{below}");
        assert_eq!(ask(&city, &path, &token(&key, &own, BANK, &path)).await.0, 401, "{below}");
    }
    phone.pay(&bill(&phone, &shop)).await.unwrap();
    // Without an access token nothing is left at an issuer.
    let path = "/authority/v1/freeze-handles";
    assert_eq!(ask(&city, path, "guessed").await.0, 400, "no key");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_purse_is_on_no_sheet_as_nobody_could_free_it() {
    let city = TestCity::start().await;
    let (mut wallet, _) = purse(&city).await;
    let sheet = city.folder.path().join("purse.sheet");
    let said = refusal(wallet.write_sheet(&sheet)).await;
    assert!(said.contains("nothing to freeze yet"), "{said}");
    assert!(!sheet.exists());
}

/// Every text and blob in an institution's databases.
fn stored(city: &TestCity, institution: &str) -> Vec<Vec<u8>> {
    let folder = city.folder.path().join("city").join(institution);
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    files.filter(|path| path.is_file()).map(|path| fs::read(path).unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn no_institution_stores_anything_by_which_it_finds_what_another_froze() {
    let Stolen { city, mut phone, .. } = stolen().await;
    let sheet = phone.file.contents.guard().unwrap().sheet();
    let keys: Vec<(String, String)> = sheet
        .places
        .iter()
        .map(|place| {
            let key = Jwk::from(sheet.key(place).unwrap().public_key());
            (place.institution.clone(), key.thumbprint_base64url())
        })
        .collect();
    assert_eq!(keys.iter().map(|(_, key)| key).collect::<BTreeSet<_>>().len(), keys.len());
    for (institution, _) in &keys {
        let files = stored(&city, institution);
        for (of, thumbprint) in &keys {
            let is_in = |bytes: &Vec<u8>| {
                bytes.windows(thumbprint.len()).any(|window| window == thumbprint.as_bytes())
            };
            assert_eq!(files.iter().any(is_in), of == institution, "{of} at {institution}");
        }
    }
}
