//! Purses without identity, and steps at a branch, end to end over HTTP.

use super::city::{BANK, TestCity};
use crate::wallet::{Bill, Holder, Paid};
use serde_json::{Value, json};
use std::path::Path;
use yufu_api::bank::CodeMessage;
use yufu_base::{Amount, CommandId, Currency, Signer, Timestamp};
use yufu_engine::{Clock, SystemClock};
use yufu_jose::{Jwk, SoftwareKey};
use yufu_payment::{SubWalletOrder, SubWalletStep};

const PHONE: &str = "+99900000001";
const OTHER_BANK: &str = "bank-of-lianghu";

/// What a desk answers an officer: the status, and the body.
async fn officer(city: &TestCity, name: &str, path: &str, body: &Value) -> (u16, Value) {
    officer_of(city, BANK, name, path, body).await
}

async fn officer_of(
    city: &TestCity,
    bank: &str,
    name: &str,
    path: &str,
    body: &Value,
) -> (u16, Value) {
    let token = city.data.keys(&bank.parse().unwrap()).unwrap().secret("desk").unwrap();
    let mut headers = vec![
        ("authorization".to_owned(), format!("Bearer {token}")),
        ("content-type".to_owned(), "application/json".to_owned()),
    ];
    if !name.is_empty() {
        headers.push(("operator".to_owned(), name.to_owned()));
    }
    let url = format!("{}/banks/{bank}/v1/desk/{path}", city.url);
    let body = Some(serde_json::to_vec(body).unwrap());
    send(city, "POST", &url, &headers, body).await
}

async fn open(city: &TestCity, path: &str, body: &Value) -> (u16, Value) {
    let headers = [("content-type".to_owned(), "application/json".to_owned())];
    let url = format!("{}/banks/{BANK}/v1/{path}", city.url);
    send(city, "POST", &url, &headers, Some(serde_json::to_vec(body).unwrap())).await
}

async fn send(
    city: &TestCity,
    method: &str,
    url: &str,
    headers: &[(String, String)],
    body: Option<Vec<u8>>,
) -> (u16, Value) {
    let (status, _, body) =
        city.client.exchange(method, url, headers, body.unwrap_or_default()).await.unwrap();
    (status, serde_json::from_slice(&body).unwrap())
}

fn key(seed: u8) -> Jwk {
    SoftwareKey::from_seed(&[seed; 32]).unwrap().public_key().into()
}

async fn code(city: &TestCity) -> String {
    let token = city.data.keys(&BANK.parse().unwrap()).unwrap().secret("desk").unwrap();
    let url = format!("{}/banks/{BANK}/v1/desk/messages?purpose=test", city.url);
    let messages: Vec<CodeMessage> = city.client.get(&url, Some(&token)).await.unwrap();
    let message = messages.iter().rfind(|message| message.phone == PHONE).unwrap();
    message.text.split(':').next().unwrap().to_owned()
}

pub(super) async fn purse(city: &TestCity) -> (Holder, String) {
    let mut wallet = city.open(&city.device("purse"), "somebody").unwrap();
    let begun = wallet.begin_purse(BANK, "IV", PHONE).await.unwrap();
    let code = code(city).await;
    let account = wallet.finish_purse(&begun, &code).await.unwrap();
    (wallet, account)
}

async fn exchange(city: &TestCity, account: &str, direction: &str, minor: u64) -> (u16, Value) {
    let request = json!({"direction": direction, "account": account, "amount_minor": minor});
    officer(city, "", "exchanges", &request).await
}

fn bill(wallet: &Holder, payee: &str, minor: u64) -> Bill {
    Bill {
        payee: payee.parse().unwrap(),
        payee_name: "Noodle shop".to_owned(),
        amount: Amount::new(Currency::new("CNY").unwrap(), minor),
        id: wallet.fresh_order_id(),
    }
}

fn code_of(answer: &(u16, Value)) -> (u16, &str) {
    (answer.0, answer.1["code"].as_str().unwrap_or("none"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_purse_pays_to_its_limit_is_closed_when_empty_and_its_number_is_erased() {
    let city = TestCity::start().await;
    let (mut wallet, account) = purse(&city).await;
    let shop = city.shop().await;
    assert_eq!(exchange(&city, &account, "deposit_to_digital", 300_000).await.0, 200);
    let over = bill(&wallet, &shop, 200_001);
    let paid = wallet.pay(&over).await.unwrap();
    assert!(paid.step_up().is_none());
    let Paid::Refused(problem) = paid else { panic!("paid above the limit") };
    assert_eq!(problem.code, "transfer.limit_exceeded.single");
    assert_eq!(problem.more["step_up"]["classes"], json!(["I", "II", "III"]));
    let at_limit = bill(&wallet, &shop, 200_000);
    assert!(matches!(wallet.pay(&at_limit).await.unwrap(), Paid::Done(_)));

    let path = format!("accounts/{account}/steps");
    let close = json!({"step": "close", "evidence": "asked for at the counter, form 7"});
    let unnamed = officer(&city, "", &path, &close).await;
    assert_eq!(code_of(&unnamed), (400, "request.malformed"));
    let silent = json!({"step": "close", "evidence": " "});
    assert_eq!(code_of(&officer(&city, "teller-3", &path, &silent).await).0, 400);
    let full = officer(&city, "teller-3", &path, &close).await;
    assert_eq!(code_of(&full), (422, "account.not_empty"));
    let up = json!({"step": "set_class", "class": "I", "evidence": "card seen"});
    let nameless = officer(&city, "teller-3", &path, &up).await;
    assert_eq!(code_of(&nameless), (422, "account.no_customer"));
    assert_eq!(exchange(&city, &account, "digital_to_deposit", 100_000).await.0, 200);
    assert_eq!(officer(&city, "teller-3", &path, &close).await.0, 200);
    let late = bill(&wallet, &shop, 1);
    let Paid::Refused(problem) = wallet.pay(&late).await.unwrap() else {
        panic!("a closed one paid")
    };
    assert_eq!(problem.code, "account.closed");
    let token = city.data.keys(&BANK.parse().unwrap()).unwrap().secret("desk").unwrap();
    let url = format!("{}/banks/{BANK}/v1/desk/messages?purpose=test", city.url);
    let left: Vec<CodeMessage> = city.client.get(&url, Some(&token)).await.unwrap();
    assert!(left.is_empty(), "the number can still be read");
}

#[tokio::test(flavor = "multi_thread")]
async fn openings_without_identity_are_refused_by_the_rule_they_break() {
    let city = TestCity::start().await;
    let wanted = |class: &str, phone: Value, token: Value| json!({"class": class, "wallet_key": key(3), "phone": phone, "token": token});
    let path = "anonymous-openings";
    for (body, expected) in [
        (wanted("III", json!(PHONE), Value::Null), (422, "account.class_needs_identity")),
        (wanted("IV", json!(PHONE), json!("t")), (400, "request.malformed")),
        (wanted("IV", Value::Null, Value::Null), (400, "request.malformed")),
        (wanted("IV", json!("12345"), Value::Null), (400, "request.malformed")),
        (wanted("IV", Value::Null, json!("t")), (422, "token.unknown")),
    ] {
        assert_eq!(code_of(&open(&city, path, &body).await), expected, "{body}");
    }
    let (status, begun) = open(&city, path, &wanted("IV", json!(PHONE), Value::Null)).await;
    assert_eq!((status, begun["state"].as_str()), (201, Some("code_sent")));
    let again = open(&city, path, &wanted("IV", json!(PHONE), Value::Null)).await;
    assert_eq!(code_of(&again), (429, "code.too_soon"));
    let answer = format!("{path}/{}/code", begun["opening"].as_str().unwrap());
    let wrong = open(&city, &answer, &json!({"code": "x"})).await;
    assert_eq!(code_of(&wrong), (422, "code.wrong"));
    assert_eq!(wrong.1["attempts_left"], 4);
    let soon = open(&city, &answer, &json!({"code": code(&city).await})).await;
    assert_eq!(code_of(&soon), (429, "code.too_soon"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_from_the_counter_opens_one_purse() {
    let city = TestCity::start().await;
    let unnamed = officer(&city, "", "tokens", &json!({"class": "IV"})).await;
    assert_eq!(code_of(&unnamed), (400, "request.malformed"));
    let other = officer(&city, "teller-3", "tokens", &json!({"class": "III"})).await;
    assert_eq!(code_of(&other), (422, "account.class_needs_identity"));
    let (status, given) = officer(&city, "teller-3", "tokens", &json!({"class": "IV"})).await;
    assert_eq!(status, 201);
    let body = json!({"class": "IV", "wallet_key": key(4), "token": given["token"]});
    let (status, opened) = open(&city, "anonymous-openings", &body).await;
    assert_eq!((status, opened["state"].as_str()), (201, Some("open")));
    let again = open(&city, "anonymous-openings", &body).await;
    assert_eq!(code_of(&again), (422, "token.used"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_identified_wallet_becomes_class_one_at_a_branch_and_goes_back_only_if_it_fits() {
    let city = TestCity::start().await;
    let mut wallet = city.open(&city.device("phone"), "mei").unwrap();
    city.issue_identity(&mut wallet).await;
    let account = city.open_account(&mut wallet).await;
    let path = format!("accounts/{account}/steps");
    let into =
        |class: &str| json!({"step": "set_class", "class": class, "evidence": "card seen, form 9"});
    let two = officer(&city, "teller-3", &path, &into("II")).await;
    assert_eq!(code_of(&two), (422, "account.class_not_in_person"));
    assert_eq!(officer(&city, "teller-3", &path, &into("I")).await.0, 200);
    assert_eq!(wallet.accounts().await.unwrap()[0].wallet.class, "I");
    assert_eq!(exchange(&city, &account, "deposit_to_digital", 2_500_000).await.0, 200);
    let back = officer(&city, "teller-3", &path, &into("III")).await;
    assert_eq!(code_of(&back), (422, "transfer.limit_exceeded.balance"));
    let rest = json!({"step": "flag_dormant", "evidence": "yearly list"});
    let lately = officer(&city, "teller-3", &path, &rest).await;
    assert_eq!(code_of(&lately), (422, "account.moved_lately"));
    let wake = json!({"step": "reactivate", "evidence": "card seen"});
    assert_eq!(
        code_of(&officer(&city, "teller-3", &path, &wake).await),
        (422, "account.not_dormant")
    );
}

/// The other bank's word on a deposit, for a wallet's key.
async fn statement(city: &TestCity, reference: &str, audience: &str, key: &str) -> String {
    let request = json!({
        "reference": reference, "audience": audience, "wallet_key_thumbprint": key,
    });
    let (status, given) = officer_of(city, OTHER_BANK, "clerk-1", "statements", &request).await;
    assert_eq!(status, 201);
    given["statement"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_linked_bank_account_gives_class_two_once_and_only_on_its_own_banks_word() {
    let city = TestCity::start().await;
    let mut wallet = city.open(&city.device("phone"), "mei").unwrap();
    city.issue_identity(&mut wallet).await;
    city.open_account(&mut wallet).await;
    let key = wallet.key_thumbprint().unwrap();
    let good = statement(&city, "r-1", BANK, &key).await;
    let elsewhere = statement(&city, "r-1", OTHER_BANK, &key).await;
    let another = statement(&city, "r-1", BANK, "another-key").await;
    let mut forged = good.clone();
    forged.replace_range(forged.len() - 4.., "AAAA");
    for (class, statement, code) in [
        ("I", &good, "account.class_not_by_link"),
        ("II", &elsewhere, "statement.refused"),
        ("II", &another, "statement.refused"),
        ("II", &forged, "statement.refused"),
    ] {
        let refused = wallet.link_account(class, statement).await.unwrap_err().to_string();
        assert!(refused.contains(code), "{refused}");
    }
    wallet.link_account("II", &good).await.unwrap();
    assert_eq!(wallet.accounts().await.unwrap()[0].wallet.class, "II");
    let again = wallet.link_account("II", &good).await.unwrap_err().to_string();
    assert!(again.contains("account.too_many"), "{again}");

    // The same deposit serves no second wallet, and a purse without identity none at all.
    let (mut purse, _) = purse(&city).await;
    let thumbprint = purse.key_thumbprint().unwrap();
    let second = statement(&city, "r-1", BANK, &thumbprint).await;
    let refused = purse.link_account("II", &second).await.unwrap_err().to_string();
    assert!(refused.contains("account.no_customer"), "{refused}");
}

fn ledger_order(parent: &str, seed: u128, step: SubWalletStep) -> SubWalletOrder {
    let now = SystemClock::new().read().wall;
    SubWalletOrder {
        ledger: "central-bank".to_owned(),
        id: CommandId::at(now, seed),
        parent: parent.parse().unwrap(),
        step,
        expires: Timestamp::from_seconds(now.plus_seconds(300).seconds()),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sub_wallet_pays_its_merchant_within_its_limits_and_gives_back_the_rest() {
    let city = TestCity::start().await;
    let shop = city.shop().await;
    let (holder, merchant) = ([5; 32], [6; 32]);
    let (holder, merchant) =
        (SoftwareKey::from_seed(&holder).unwrap(), SoftwareKey::from_seed(&merchant).unwrap());
    let (_, given) = officer(&city, "teller-3", "tokens", &json!({"class": "IV"})).await;
    let body = json!({"class": "IV", "wallet_key": key(5), "token": given["token"]});
    let (_, opened) = open(&city, "anonymous-openings", &body).await;
    let parent = opened["account"].as_str().unwrap();
    assert_eq!(exchange(&city, parent, "deposit_to_digital", 10_000).await.0, 200);
    let wish = |per_payment_minor| SubWalletStep::Open {
        key: merchant.public_key().into(),
        payee: shop.clone(),
        payee_name: "Noodle shop".to_owned(),
        per_payment_minor,
        per_day_minor: 3_000,
        balance_minor: 5_000,
    };
    let send = async |order: &SubWalletOrder, key: &SoftwareKey| {
        let order = json!({"order": order.sign(key).unwrap()});
        open(&city, "sub-wallets", &order).await
    };
    let order = ledger_order(parent, 1, wish(2_000));
    assert_eq!(send(&order, &merchant).await.0, 401);
    let wide = ledger_order(parent, 2, wish(200_001));
    assert_eq!(code_of(&send(&wide, &holder).await), (422, "sub_wallet.limit_wider"));
    let text = json!({"order": order.sign(&holder).unwrap()});
    let first = open(&city, "sub-wallets", &text).await;
    assert_eq!((first.0, &open(&city, "sub-wallets", &text).await), (200, &first));
    let below = first.1["account"].as_str().unwrap();
    let reused = SubWalletOrder { step: wish(1), ..order };
    assert_eq!(code_of(&send(&reused, &holder).await), (409, "order.id_reused"));
    let fund = |account: &str, amount_minor| SubWalletStep::Fund {
        account: account.to_owned(),
        amount_minor,
    };
    let funded = send(&ledger_order(parent, 3, fund(below, 4_000)), &holder).await;
    assert_eq!((funded.0, &funded.1["balance_minor"]), (200, &json!(4_000)));
    let strange = send(&ledger_order(parent, 4, fund(&shop, 1)), &holder).await;
    assert_eq!(code_of(&strange), (404, "request.not_found"));

    let mut wallet = city.open(&city.device("merchant"), "merchant").unwrap();
    wallet.keep_account(BANK, below, "IV", &merchant).unwrap();
    let over = bill(&wallet, &shop, 2_001);
    let Paid::Refused(problem) = wallet.pay(&over).await.unwrap() else { panic!("paid too much") };
    assert_eq!(problem.code, "sub_wallet.limit_exceeded.single");
    let elsewhere = bill(&wallet, parent, 1);
    let Paid::Refused(problem) = wallet.pay(&elsewhere).await.unwrap() else {
        panic!("paid another")
    };
    assert_eq!(problem.code, "sub_wallet.other_payee");
    let noodles = bill(&wallet, &shop, 1_800);
    assert!(matches!(wallet.pay(&noodles).await.unwrap(), Paid::Done(_)));
    assert_eq!(wallet.accounts().await.unwrap()[0].wallet.parent.as_deref(), Some(parent));

    let close = SubWalletStep::Close { account: below.to_owned() };
    assert_eq!(send(&ledger_order(parent, 5, close), &holder).await.0, 200);
    let late = bill(&wallet, &shop, 1);
    let Paid::Refused(problem) = wallet.pay(&late).await.unwrap() else {
        panic!("paid when closed")
    };
    assert_eq!(problem.code, "account.closed");
    let back = exchange(&city, parent, "digital_to_deposit", 8_200).await;
    assert_eq!((back.0, &back.1["balance_minor"]), (200, &json!(0)));
}

/// The sample country with another policy on where named wallets are opened.
async fn city_where(account_opening: &str) -> (TestCity, tempfile::TempDir) {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../profiles/china");
    let folder = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(source).unwrap() {
        let entry = entry.unwrap();
        let text = std::fs::read_to_string(entry.path()).unwrap();
        let policy = format!("account_opening = \"{account_opening}\"");
        let text = text.replace("account_opening = \"both\"", &policy);
        std::fs::write(folder.path().join(entry.file_name()), text).unwrap();
    }
    (TestCity::start_in(Some(folder.path())).await, folder)
}

#[tokio::test(flavor = "multi_thread")]
async fn where_named_wallets_are_opened_is_policy() {
    let (city, _folder) = city_where("in_person").await;
    let request = json!({"class": "III", "wallet_key": key(5)});
    assert_eq!(code_of(&open(&city, "openings", &request).await), (422, "account.remote_closed"));
    let (city, _folder) = city_where("remote").await;
    let mut wallet = city.open(&city.device("phone"), "mei").unwrap();
    city.issue_identity(&mut wallet).await;
    let account = city.open_account(&mut wallet).await;
    let up = json!({"step": "set_class", "class": "I", "evidence": "card seen"});
    let refused = officer(&city, "teller-3", &format!("accounts/{account}/steps"), &up).await;
    assert_eq!(code_of(&refused), (422, "account.in_person_closed"));
}
