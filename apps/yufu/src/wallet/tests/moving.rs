//! An account moves to another wallet, handed over or recovered: the same account, another key,
//! and the old key stops at once.

use super::city::{BANK, TestCity, lists_age};
use super::purses::purse;
use super::services::{agree, begin_check_in, guest};
use crate::wallet::{Bill, Event, Holder, Paid};
use serde_json::{Value, json};
use yufu_api::bank::{HandOverRequest, KeyChanged, Recovery};
use yufu_base::{AccountId, Amount, CommandId, Currency, Signer, Timestamp};
use yufu_engine::{Clock, SystemClock};
use yufu_jose::{Jwk, SoftwareKey};
use yufu_openid4vc::presentation::KeyChangeOf;
use yufu_payment::{HandOverOrder, RequestToken};

const OTHER_BANK: &str = "bank-of-lianghu";

fn class(name: &str) -> KeyChangeOf {
    KeyChangeOf::Class(name.to_owned())
}

fn bill(wallet: &Holder, payee: &str, minor: u64) -> Bill {
    Bill {
        payee: payee.parse().unwrap(),
        payee_name: "Noodle shop".to_owned(),
        amount: Amount::new(Currency::new("CNY").unwrap(), minor),
        id: wallet.fresh_order_id(),
    }
}

fn now() -> Timestamp {
    SystemClock::new().read().wall
}

fn software_key(seed: u8) -> SoftwareKey {
    SoftwareKey::from_seed(&[seed; 32]).unwrap()
}

/// An account with 500.00 in a wallet, and a shop.
async fn holder(city: &TestCity) -> (Holder, String, String) {
    let mut wallet = city.open(&city.device("phone"), "mei").unwrap();
    city.issue_identity(&mut wallet).await;
    let account = city.open_account(&mut wallet).await;
    (wallet, account, city.shop().await)
}

/// The key that commands the first account of a wallet.
fn key_of(wallet: &Holder) -> SoftwareKey {
    wallet.file.contents.accounts[0].key.key().unwrap()
}

fn proof(bank: &str, path: &str, key: &SoftwareKey) -> String {
    let token = RequestToken {
        iss: Jwk::from(key.public_key()).thumbprint_base64url(),
        aud: bank.to_owned(),
        htm: "POST".to_owned(),
        htu: path.to_owned(),
        iat: now(),
    };
    token.sign(key).unwrap()
}

/// Posts as anybody would: the status and the code of the answer.
async fn post(city: &TestCity, path: &str, bearer: Option<&str>, body: &Value) -> (u16, String) {
    let mut headers = vec![("content-type".to_owned(), "application/json".to_owned())];
    headers.extend(bearer.map(|token| ("authorization".to_owned(), format!("Bearer {token}"))));
    let url = format!("{}{path}", city.url);
    let body = serde_json::to_vec(body).unwrap();
    let (status, _, answer) = city.client.exchange("POST", &url, &headers, body).await.unwrap();
    let answer: Value = serde_json::from_slice(&answer).unwrap();
    (status, answer["code"].as_str().unwrap_or("none").to_owned())
}

async fn hand_over(city: &TestCity, order: &str, key: &SoftwareKey) -> (u16, String) {
    let path = format!("/banks/{BANK}/v1/hand-overs");
    let body = json!({ "order": order });
    post(city, &path, Some(&proof(BANK, &path, key)), &body).await
}

fn order(account: &str, key: &SoftwareKey, id: CommandId) -> HandOverOrder {
    HandOverOrder {
        bank: BANK.to_owned(),
        id,
        account: account.parse().unwrap(),
        key: key.public_key().into(),
        expires: Timestamp::from_seconds(now().plus_seconds(600).seconds()),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_handed_over_is_the_same_and_its_old_key_stops_at_once() {
    let (city, mut old, account) = guest().await;
    let shop = city.shop().await;
    let mut new = city.open(&city.device("new-phone"), "mei").unwrap();
    let before = old.accounts().await.unwrap().remove(0);
    assert_eq!((before.key_by.as_str(), before.served_through.as_deref()), ("opened", None));

    let signed = old.move_account_to(&new.invite().unwrap()).unwrap();
    let stranger = city.open(&city.device("strange-phone"), "eve").unwrap();
    let mut stranger = stranger;
    let refused = stranger.take_account(&signed).await.unwrap_err().to_string();
    assert!(refused.contains("another wallet"), "{refused}");
    let taken = new.take_account(&signed).await.unwrap();
    assert_eq!(taken.account, account);
    let after = new.accounts().await.unwrap().remove(0);
    assert_eq!(after.wallet, before.wallet, "balance, class and limits are the same");
    assert_eq!(after.key_by, "handed_over");
    assert!(after.key_since >= before.key_since);
    let first = new.pay(&bill(&new, &shop, 1_800)).await.unwrap();
    assert!(matches!(first, Paid::Done(done) if done.balance_minor == Some(48_200)));

    let refused = old.pay(&bill(&old, &shop, 1_800)).await.unwrap_err().to_string();
    assert!(refused.contains("account.key_changed"), "{refused}");
    assert!(refused.contains("use the wallet that took"), "says what to do: {refused}");
    // What was issued to the old key pays nothing any more.
    let check_in = begin_check_in(&city, 10_000).await;
    let refused = old.present(&check_in.authorization_request, &mut agree).await.unwrap_err();
    assert!(refused.to_string().contains("credential.revoked"), "{refused}");
    assert_eq!(new.accounts().await.unwrap()[0].wallet.balance_minor, 48_200);
    new.get_payment_credential().await.unwrap();

    assert_eq!(old.let_go_of_moved().await.unwrap(), 1);
    assert!(old.first_account().is_none());
    let moved = |event: &Event| matches!(event, Event::AccountMoved { .. });
    assert!(old.history().iter().any(|entry| moved(&entry.event)));
    // She sees it in the bank's list.
    let looks = new.who_read_at_banks().await.unwrap().remove(0).accesses;
    assert!(looks.iter().any(|look| look.purpose.contains("handed_over")), "{looks:?}");
    // Its history stayed with the account: the new key asks for an order that the old key gave.
    let repeated = new.take_account(&signed).await;
    assert!(repeated.unwrap_err().to_string().contains("another wallet"), "its key is used up");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hand_over_that_breaks_a_rule_changes_nothing() {
    let city = TestCity::start().await;
    let (wallet, account, shop) = holder(&city).await;
    let (old, new) = (key_of(&wallet), software_key(7));
    let path = format!("/banks/{BANK}/v1/hand-overs");
    let id = wallet.fresh_order_id();
    let good = order(&account, &new, id);
    let sign = |order: &HandOverOrder| order.sign(&old).unwrap();

    let text = sign(&good);
    let (none, other) = (None, proof(BANK, &path, &software_key(8)));
    for bearer in [none, Some(other.as_str())] {
        let refused = post(&city, &path, bearer, &json!({ "order": text })).await;
        assert_eq!(refused, (401, "request.unauthenticated".to_owned()), "not proven: {bearer:?}");
    }
    let expires = Timestamp::from_seconds(now().seconds());
    let expired = HandOverOrder { expires, ..good.clone() };
    let long = HandOverOrder { expires: now().plus_seconds(86_400 + 60), ..good.clone() };
    let elsewhere = HandOverOrder { bank: OTHER_BANK.to_owned(), ..good.clone() };
    // Signed by this account's key, for an account that it does not command.
    let others = HandOverOrder { account: shop.parse().unwrap(), ..good.clone() };
    for (what, wrong) in
        [("expired", expired), ("long", long), ("bank", elsewhere), ("account", others)]
    {
        let refused = hand_over(&city, &sign(&wrong), &new).await;
        assert_eq!(refused, (401, "request.unauthenticated".to_owned()), "{what}");
    }
    let nowhere = HandOverOrder { account: AccountId::new(1), ..good.clone() };
    let refused = hand_over(&city, &sign(&nowhere), &new).await;
    assert_eq!(refused, (404, "request.not_found".to_owned()));
    let refused = hand_over(&city, &good.sign(&new).unwrap(), &new).await;
    assert_eq!(refused, (401, "request.unauthenticated".to_owned()), "signed by the new key");
    let state = wallet.accounts().await.unwrap().remove(0);
    assert_eq!((state.key_by.as_str(), state.wallet.balance_minor), ("opened", 50_000));

    // Taken once; again, word for word or signed anew, it gives the first answer.
    let url = format!("{}{path}", city.url);
    let take = |text: String| {
        let (client, url, proof) = (&city.client, &url, proof(BANK, &path, &new));
        async move {
            client.post::<_, KeyChanged>(url, Some(&proof), &HandOverRequest { order: text }).await
        }
    };
    let first = take(text.clone()).await.unwrap();
    assert_eq!(take(text).await.unwrap(), first);
    assert_eq!(take(sign(&good)).await.unwrap(), first);
    let reused = order(&account, &software_key(9), id);
    let refused = hand_over(&city, &sign(&reused), &software_key(9)).await;
    assert_eq!(refused, (409, "order.id_reused".to_owned()));
    // The old key signs no further hand-over: it commands nothing any more.
    let late = order(&account, &software_key(9), wallet.fresh_order_id());
    let refused = hand_over(&city, &sign(&late), &software_key(9)).await;
    assert_eq!(refused, (403, "account.key_changed".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_hand_overs_at_once_one_wins_and_the_other_is_told() {
    let city = TestCity::start().await;
    let (wallet, account, _) = holder(&city).await;
    let old = key_of(&wallet);
    let race = |seed| {
        let (city, key) = (&city, software_key(seed));
        let signed = order(&account, &key, wallet.fresh_order_id()).sign(&old).unwrap();
        async move { hand_over(city, &signed, &key).await }
    };
    let (a, b, c, d) = tokio::join!(race(20), race(21), race(22), race(23));
    let answers = [a, b, c, d];
    let won = answers.iter().filter(|answer| answer.0 == 200).count();
    assert_eq!(won, 1, "{answers:?}");
    let told = (403, "account.key_changed".to_owned());
    assert_eq!(answers.iter().filter(|answer| **answer == told).count(), 3, "{answers:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_that_waits_for_an_identity_dies_with_the_key_that_signed_it() {
    let city = TestCity::start().await;
    let (mut old, account, shop) = holder(&city).await;
    let fund =
        json!({"direction": "deposit_to_digital", "account": account, "amount_minor": 600_000});
    let _: Value = city.desk(BANK, &format!("/banks/{BANK}/v1/desk/exchanges"), &fund).await;
    let bicycle = bill(&old, &shop, 500_001);
    let refused = old.pay(&bicycle).await.unwrap();
    let link = refused.step_up().unwrap().to_owned();
    let mut new = city.open(&city.device("new-phone"), "mei").unwrap();
    let signed = old.move_account_to(&new.invite().unwrap()).unwrap();
    new.take_account(&signed).await.unwrap();
    let refused = old.step_up(&bicycle, &link, &mut agree).await.unwrap_err().to_string();
    assert!(refused.contains("account.key_changed"), "{refused}");
    assert_eq!(new.accounts().await.unwrap()[0].wallet.balance_minor, 650_000);
    // Handed over by its own key, it does not rest: a step-up is offered as before.
    assert!(new.pay(&bill(&new, &shop, 500_001)).await.unwrap().step_up().is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_phones_account_is_recovered_by_identity_and_rests_from_large_payments() {
    let city = TestCity::start().await;
    let (mut lost, account, shop) = holder(&city).await;
    let fund =
        json!({"direction": "deposit_to_digital", "account": account, "amount_minor": 600_000});
    let _: Value = city.desk(BANK, &format!("/banks/{BANK}/v1/desk/exchanges"), &fund).await;
    let left = lost.credentials_left();
    let mut new = city.open(&city.device("new-phone"), "mei").unwrap();
    city.issue_identity_again(&mut new).await;
    let mut asked = Vec::new();
    let mut look = |consent: &yufu_wallet::presentation::Consent| {
        asked.extend(consent.claims().cloned());
        true
    };
    let recovered = new.recover_account(BANK, &class("III"), &mut look).await.unwrap();
    let names: Vec<String> = asked.iter().map(|(path, _)| path.to_string()).collect();
    assert_eq!(names, ["personal_administrative_number"]);
    assert_eq!(recovered.account, account);
    assert!(recovered.shown.receipt);
    let state = new.accounts().await.unwrap().remove(0);
    assert_eq!((state.key_by.as_str(), state.wallet.balance_minor), ("recovered", 650_000));
    let refused = lost.pay(&bill(&lost, &shop, 1_800)).await.unwrap_err().to_string();
    assert!(refused.contains("account.key_changed"), "{refused}");
    assert_eq!(lost.credentials_left(), left, "the old key was not needed");

    // To its ordinary limit, and not a fen above it, whatever is shown.
    let Paid::Refused(problem) = new.pay(&bill(&new, &shop, 500_001)).await.unwrap() else {
        panic!("paid above the ordinary limit with a recovered key")
    };
    assert_eq!(problem.code, "account.key_rests");
    assert!(!problem.more.contains_key("step_up"));
    let paid = new.pay(&bill(&new, &shop, 500_000)).await.unwrap();
    assert!(matches!(paid, Paid::Done(_)));
    let linked = new.link_account("II", "x.y.z").await.unwrap_err().to_string();
    assert!(linked.contains("account.key_rests"), "{linked}");
    let looks = new.who_read_at_banks().await.unwrap().remove(0).accesses;
    assert!(looks.iter().any(|look| look.purpose.contains("recovered")), "{looks:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_holders_valid_identity_recovers_an_account_and_only_what_was_begun_here() {
    let city = TestCity::start().await;
    let (wallet, account, _) = holder(&city).await;
    let id = KeyChangeOf::Account(account.parse().unwrap());
    let mut eve = city.open(&city.device("other-phone"), "eve").unwrap();
    city.issue_identity_of(1, &mut eve).await;
    let mut refused = async |which: &KeyChangeOf| {
        eve.recover_account(BANK, which, &mut agree).await.unwrap_err().to_string()
    };
    let cases = [
        (id.clone(), "presentation.not_the_holder"),
        (class("III"), "account.none_to_recover"),
        (KeyChangeOf::Account(AccountId::new(1)), "request.not_found"),
    ];
    for (which, code) in &cases {
        let said = refused(which).await;
        assert!(said.contains(code), "{which:?}: {said}");
    }
    let (_, anonymous) = purse(&city).await;
    let said = refused(&KeyChangeOf::Account(anonymous.parse().unwrap())).await;
    assert!(said.contains("account.no_customer") && said.contains("handed over"), "{said}");

    // Somebody sends her a link that would give her account to their key.
    let path = format!("/banks/{BANK}/v1/key-recoveries");
    let thief = software_key(66);
    let body = json!({"class": "III", "wallet_key": Jwk::from(thief.public_key())});
    let unproven = post(&city, &path, None, &body).await;
    assert_eq!(unproven, (401, "request.unauthenticated".to_owned()));
    let both =
        json!({"class": "III", "account": account, "wallet_key": Jwk::from(thief.public_key())});
    let refused = post(&city, &path, Some(&proof(BANK, &path, &thief)), &both).await;
    assert_eq!(refused, (400, "request.malformed".to_owned()));
    let url = format!("{}{path}", city.url);
    let begun: Recovery =
        city.client.post(&url, Some(&proof(BANK, &path, &thief)), &body).await.unwrap();
    let mut wallet = wallet;
    let said = wallet.present(&begun.authorization_request, &mut agree).await.unwrap_err();
    assert!(said.to_string().contains("nothing was shown"), "{said}");

    // A revoked identity recovers nothing, from whichever phone.
    let mut new = city.open(&city.device("new-phone"), "mei").unwrap();
    city.issue_identity_again(&mut new).await;
    let revoke = json!({"resident_number": city.number(0), "reason": "phone lost"});
    let path = "/authority/v1/officer/revocations";
    let _: Value = city.desk("identity-authority", path, &revoke).await;
    lists_age().await;
    let said = new.recover_account(BANK, &id, &mut agree).await.unwrap_err().to_string();
    assert!(said.contains("credential.revoked"), "{said}");
    let state = wallet.accounts().await.unwrap().remove(0);
    assert_eq!((state.key_by.as_str(), state.wallet.balance_minor), ("opened", 50_000));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recovery_begun_before_another_change_of_the_key_comes_too_late() {
    let city = TestCity::start().await;
    let (mut old, _, _) = holder(&city).await;
    let mut new = city.open(&city.device("new-phone"), "mei").unwrap();
    city.issue_identity_again(&mut new).await;
    let signed = old.move_account_to(&new.invite().unwrap()).unwrap();
    // The account is handed over between the request and the answer.
    let (url, key) = (format!("{}/banks/{BANK}/v1/hand-overs", city.url), key_of_taking(&new));
    let token = proof(BANK, &format!("/banks/{BANK}/v1/hand-overs"), &key);
    let client = city.client.clone();
    let mut agree_late = |_: &yufu_wallet::presentation::Consent| {
        let (client, url, token, order) = (&client, &url, &token, signed.clone());
        tokio::task::block_in_place(|| {
            tokio::runtime::Handle::current().block_on(async {
                let request = HandOverRequest { order };
                client.post::<_, KeyChanged>(url, Some(token), &request).await.unwrap();
            });
        });
        true
    };
    let said = new.recover_account(BANK, &class("III"), &mut agree_late).await.unwrap_err();
    assert!(said.to_string().contains("account.key_changed"), "{said}");
    new.take_account(&signed).await.unwrap();
    assert_eq!(new.accounts().await.unwrap()[0].key_by, "handed_over");
}

fn key_of_taking(wallet: &Holder) -> SoftwareKey {
    wallet.file.contents.takings[0].key.key().unwrap()
}
