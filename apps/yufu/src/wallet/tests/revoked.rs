//! A registration that is revoked while wallets have the registrar's list at hand, and a list that is not
//! to be had.

use super::city::TestCity;
use super::services::{HOTEL, agree, begin_check_in, guest_in};
use crate::wallet::Event;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use yufu_base::Timestamp;
use yufu_engine::{Clock, ManualClock, SystemClock};

async fn revoke(city: &TestCity) {
    let token = city.data.keys(&"registrar".parse().unwrap()).unwrap().secret("desk").unwrap();
    let headers = vec![
        ("content-type".to_owned(), "application/json".to_owned()),
        ("authorization".to_owned(), format!("Bearer {token}")),
        ("operator".to_owned(), "wang".to_owned()),
    ];
    let url = format!("{}/registrar/v1/desk/revocations", city.url);
    let body = json!({"party": HOTEL, "reason": "misuse"}).to_string().into_bytes();
    let (status, _, body) = city.client.exchange("POST", &url, &headers, body).await.unwrap();
    assert_eq!(status, 200, "{:?}", serde_json::from_slice::<Value>(&body));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wallet_that_has_the_list_at_hand_refuses_a_minute_after_the_revocation() {
    let clock = ManualClock::new(Timestamp::from_seconds(SystemClock::new().read().wall.seconds()));
    let city = TestCity::start_at(None, Arc::new(clock.clone())).await;
    let (city, wallet, _) = guest_in(city).await;
    let mut wallet = wallet.with_clock(Arc::new(clock.clone()));
    // With a trust list and a list of revocations of this very second.
    clock.advance(Duration::from_secs(61));
    let first = begin_check_in(&city, 1_000).await;
    wallet.present(&first.authorization_request, &mut agree).await.unwrap();
    revoke(&city).await;
    clock.advance(Duration::from_secs(59));
    let within = begin_check_in(&city, 1_000).await;
    wallet.present(&within.authorization_request, &mut agree).await.unwrap();
    clock.advance(Duration::from_secs(1));
    let after = begin_check_in(&city, 1_000).await;
    let refused = wallet.present(&after.authorization_request, &mut |_| panic!("asked")).await;
    let refused = refused.unwrap_err().to_string();
    assert!(refused.contains("the registrar revoked this registration"), "{refused}");
    let last = &wallet.history().last().unwrap().event;
    assert!(matches!(last, Event::Refused { request: Some(_), .. }), "{last:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_list_nothing_is_shown_and_nobody_is_blamed() {
    let clock = ManualClock::new(Timestamp::from_seconds(SystemClock::new().read().wall.seconds()));
    let city = TestCity::start_at(None, Arc::new(clock.clone())).await;
    let (city, wallet, _) = guest_in(city).await;
    let mut wallet = wallet.with_clock(Arc::new(clock.clone()));
    let check_in = begin_check_in(&city, 1_000).await;
    let key =
        city.data.of(&"registrar".parse().unwrap()).unwrap().join("keys").join("registration.p8");
    let kept = std::fs::read(&key).unwrap();
    std::fs::write(&key, b"damaged").unwrap();
    // Until then the registrar serves the list that it signed before.
    clock.advance(Duration::from_secs(61));
    let entries = wallet.history().len();
    let refused = wallet.present(&check_in.authorization_request, &mut |_| panic!("asked")).await;
    let refused = refused.unwrap_err().to_string();
    assert!(
        refused.contains("nothing was shown: whether the registration still stands"),
        "{refused}"
    );
    assert_eq!(wallet.history().len(), entries, "it is not the party's doing");
    std::fs::write(&key, kept).unwrap();
    wallet.present(&check_in.authorization_request, &mut agree).await.unwrap();
}
