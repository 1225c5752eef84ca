//! Keysets of notes in time: the next one signs when it is due, notes of the one before are changed and redeemed until it
//! is over, and are worth nothing after.

use super::city::{BANK, TestCity};
use crate::wallet::{CashTerms, Holder};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use yufu_base::{Amount, Currency};
use yufu_ecash::{KeysetId, Token};
use yufu_engine::{Clock, ManualClock};

/// The base point of secp256k1: an output that nobody needs to open.
const POINT: &str = "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798";
const DAY: Duration = Duration::from_secs(86_400);

fn wallet(city: &TestCity, clock: &ManualClock, name: &str) -> Holder {
    let clock: Arc<dyn Clock> = Arc::new(clock.clone());
    city.open(&city.device(name), name).unwrap().with_clock(clock)
}

/// What the ledger has of the bank's keysets: whether each signs, and what is out of it.
async fn keysets(city: &TestCity) -> Vec<(bool, u64)> {
    let url = format!("{}/central-bank/v1/keysets", city.url);
    let known: Value = city.client.get(&url, None).await.unwrap();
    let minor = |keyset: &Value, name: &str| keyset[name].as_u64().unwrap();
    let own = known["keysets"].as_array().unwrap().iter().filter(|keyset| keyset["bank"] == BANK);
    own.map(|one| {
        (
            one["active"] == true,
            minor(one, "issued_minor").saturating_sub(minor(one, "redeemed_minor")),
        )
    })
    .collect()
}

async fn hand_over(from: &mut Holder, minor: u64) -> String {
    let terms = CashTerms { amount_minor: Some(minor), hurry: true, ..CashTerms::default() };
    from.pay_cash(&terms).await.unwrap().token.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn old_notes_are_changed_until_their_keyset_is_over_and_worth_nothing_after() {
    let (city, clock, _folder) =
        TestCity::start_changed("validity_days = 730", "validity_days = 4").await;
    let (mut mei, mut li) = (wallet(&city, &clock, "mei"), wallet(&city, &clock, "li"));
    li.find_institutions().await.unwrap();
    city.issue_identity(&mut mei).await;
    city.open_account(&mut mei).await;
    let amount = Amount::new(Currency::new("CNY").unwrap(), 10_000);
    mei.withdraw_cash(amount).await.unwrap();
    li.receive_cash(&hand_over(&mut mei, 2_000).await, None).await.unwrap();
    // Two that nobody takes in time, of which one is not even tried.
    let (late, never) = (hand_over(&mut mei, 100).await, hand_over(&mut mei, 200).await);
    assert_eq!(keysets(&city).await, [(true, 10_000)]);

    // Past half its time another one signs; what is hers is changed when she looks after it.
    clock.advance(DAY * 3);
    let settled = mei.settle_cash().await.unwrap();
    assert!(settled.refused.is_empty() && settled.unanswered.is_empty(), "{settled:?}");
    assert_eq!(keysets(&city).await, [(false, 2_300), (true, 7_700)]);
    // Notes of the old one still go from hand to hand, and come out as new ones.
    mei.receive_cash(&hand_over(&mut li, 500).await, None).await.unwrap();
    let [(false, old), (true, new)] = keysets(&city).await[..] else { panic!("two keysets") };
    assert!(old + new == 10_000 && (300..2_300).contains(&old), "{old} {new}");

    // Then it is over.
    clock.advance(DAY * 2);
    let refused = li.receive_cash(&late, None).await.unwrap_err();
    assert!(format!("{refused:#}").contains("whose time is over"), "{refused:#}");
    let mint = format!("{}/banks/{BANK}/mint/v1", city.url);
    let listed: Value = city.client.get(&format!("{mint}/keysets"), None).await.unwrap();
    let listed = listed["keysets"].as_array().unwrap();
    let active = listed.iter().find(|one| one["active"] == true).unwrap();
    let ids: Vec<KeysetId> =
        listed.iter().map(|one| one["id"].as_str().unwrap().parse().unwrap()).collect();
    let inputs = Token::parse(&never).unwrap().proofs(&ids).unwrap();
    let body = serde_json::to_vec(
        &json!({"inputs": inputs, "outputs": [{"amount": 1, "id": active["id"], "B_": POINT}]}),
    )
    .unwrap();
    let headers = [("content-type".to_owned(), "application/json".to_owned())];
    let answer = city.client.exchange("POST", &format!("{mint}/swap"), &headers, body).await;
    let (status, _, answer) = answer.unwrap();
    let answer: Value = serde_json::from_slice(&answer).unwrap();
    assert_eq!((status, &answer["code"]), (400, &json!(12003)), "{answer}");

    // What did not come back is no money any more, once the bank has said so.
    clock.advance(DAY);
    li.settle_cash().await.unwrap();
    assert_eq!(keysets(&city).await.iter().map(|(_, out)| out).sum::<u64>(), new);
}
