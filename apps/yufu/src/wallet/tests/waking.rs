//! Dormant wallets woken from afar: by an identity, by a code, and not by anybody else.

use super::city::{BANK, TestCity};
use super::purses::{bill, code, code_of, exchange, officer};
use crate::wallet::{Holder, Paid, Woken};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use yufu_engine::{Clock, ManualClock};

/// The sample country, where a wallet may rest after a day, and its clock.
async fn city() -> (TestCity, ManualClock, TempDir) {
    TestCity::start_changed("dormant_after_days = 1825", "dormant_after_days = 1").await
}

fn wallet(city: &TestCity, clock: &ManualClock, name: &str) -> Holder {
    let clock: Arc<dyn Clock> = Arc::new(clock.clone());
    city.open(&city.device(name), name).unwrap().with_clock(clock)
}

async fn rests(city: &TestCity, account: &str) {
    let rest = json!({"step": "flag_dormant", "evidence": "yearly list"});
    let flagged = officer(city, "teller-3", &format!("accounts/{account}/steps"), &rest).await;
    assert_eq!(flagged.0, 200, "{}", flagged.1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dormant_account_is_woken_by_its_holders_identity_and_by_no_other() {
    let (city, clock, _folder) = city().await;
    let shop = city.shop().await;
    let mut mei = wallet(&city, &clock, "mei");
    city.issue_identity(&mut mei).await;
    let account = city.open_account(&mut mei).await;
    let left = mei.credentials_left();
    let early = mei.wake(&mut |_| true).await.unwrap_err().to_string();
    assert!(early.contains("account.not_dormant"), "{early}");
    assert_eq!(mei.credentials_left(), left, "nothing was shown for nothing");

    clock.advance(Duration::from_secs(86_400));
    rests(&city, &account).await;
    let noodles = bill(&mei, &shop, 1_800);
    let Paid::Refused(problem) = mei.pay(&noodles).await.unwrap() else { panic!("it paid") };
    assert_eq!(problem.code, "account.dormant");

    // The account's key in a wallet with somebody else's identity does not do.
    let stored = mei.secrets().unwrap()["accounts"][0].clone();
    let mut thief = wallet(&city, &clock, "thief");
    let other = city.residents(|_| true).into_iter().rfind(|r| r.birth_date.year() < 2000).unwrap();
    city.identify(&mut thief, other.number.as_str()).await;
    thief.file.contents.accounts.push(serde_json::from_value(stored).unwrap());
    let refused = thief.wake(&mut |_| true).await.unwrap_err().to_string();
    assert!(refused.contains("presentation.not_the_holder"), "{refused}");

    assert!(matches!(mei.wake(&mut |_| true).await.unwrap(), Woken::Awake));
    let noodles = bill(&mei, &shop, 1_800);
    assert!(matches!(mei.pay(&noodles).await.unwrap(), Paid::Done(_)));
    let shown = serde_json::to_string(mei.history()).unwrap();
    assert!(shown.contains("Wake your dormant wallet"), "it stands in the history");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dormant_purse_is_woken_by_the_code_to_its_number_and_one_of_a_token_at_a_branch() {
    let (city, clock, _folder) = city().await;
    let mut purse = wallet(&city, &clock, "somebody");
    let begun = purse.begin_purse(BANK, "IV", super::purses::PHONE).await.unwrap();
    let opening = code(&city).await;
    let account = purse.finish_purse(&begun, &opening).await.unwrap();
    assert_eq!(exchange(&city, &account, "deposit_to_digital", 1_000).await.0, 200);
    let (_, token) = officer(&city, "teller-3", "tokens", &json!({"class": "IV"})).await;
    let (key, stored) = Holder::fresh_key().unwrap();
    drop(stored);
    let wish = json!({
        "class": "IV", "wallet_key": yufu_jose::Jwk::from(yufu_base::Signer::public_key(&key)),
        "token": token["token"],
    });
    let url = format!("{}/banks/{BANK}/v1/anonymous-openings", city.url);
    let opened: serde_json::Value = city.client.post(&url, None, &wish).await.unwrap();
    let nameless = opened["account"].as_str().unwrap().to_owned();
    let mut unnumbered = wallet(&city, &clock, "unnumbered");
    unnumbered.keep_account(BANK, &nameless, "IV", &key).unwrap();

    clock.advance(Duration::from_secs(86_400));
    rests(&city, &account).await;
    rests(&city, &nameless).await;
    let nobody = unnumbered.wake(&mut |_| true).await.unwrap_err().to_string();
    assert!(nobody.contains("account.wake_at_branch"), "{nobody}");

    let Woken::CodeSent(waking) = purse.wake(&mut |_| true).await.unwrap() else {
        panic!("an identity woke a purse")
    };
    let wrong = purse.answer_waking(&waking, "x").await.unwrap_err().to_string();
    assert!(wrong.contains("code.wrong"), "{wrong}");
    clock.advance(Duration::from_secs(1));
    let sent = code(&city).await;
    assert_ne!(sent, opening);
    purse.answer_waking(&waking, &sent).await.unwrap();
    let again = purse.answer_waking(&waking, &sent).await.unwrap_err().to_string();
    assert!(again.contains("presentation.already_answered"), "{again}");
    let back = exchange(&city, &account, "digital_to_deposit", 1_000).await;
    assert_eq!(code_of(&back).0, 200, "it is awake");
    // A code to wake opens no purse, and one to open wakes none.
    let url = format!("{}/banks/{BANK}/v1/anonymous-openings/{waking}/code", city.url);
    let refused: Result<serde_json::Value, _> =
        city.client.post(&url, None, &json!({"code": sent})).await;
    assert!(refused.unwrap_err().to_string().contains("request.not_found"));
}
