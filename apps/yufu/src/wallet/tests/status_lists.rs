//! A revocation is seen within a minute by a party that has the lists at hand, and by the issuer itself at once.

use super::city::TestCity;
use super::services::{agree, begin_check_in, guest_in};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use yufu_base::Timestamp;
use yufu_engine::{Clock, ManualClock, SystemClock};

const OTHER_BANK: &str = "bank-of-lianghu";
const AUTHORITY: &str = "identity-authority";

#[tokio::test(flavor = "multi_thread")]
async fn a_revocation_is_refused_within_a_minute_by_whoever_has_the_list_at_hand() {
    let clock = ManualClock::new(Timestamp::from_seconds(SystemClock::new().read().wall.seconds()));
    let city = TestCity::start_at(None, Arc::new(clock.clone())).await;
    let (city, wallet, _) = guest_in(city).await;
    let mut wallet = wallet.with_clock(Arc::new(clock.clone()));
    let check_in = begin_check_in(&city, 1_000).await;
    wallet.present(&check_in.authorization_request, &mut agree).await.unwrap();

    let revoke = json!({"resident_number": city.number(0), "reason": "phone lost"});
    let _: Value = city.desk(AUTHORITY, "/authority/v1/officer/revocations", &revoke).await;
    // The authority itself knows at once.
    let said = wallet.who_read(&mut agree).await.unwrap_err().to_string();
    assert!(said.contains("credential.revoked"), "{said}");
    // The hotel has the list at hand, and asks nobody: as long as no time passes, nothing is renewed.
    let within = begin_check_in(&city, 1_000).await;
    wallet.present(&within.authorization_request, &mut agree).await.unwrap();
    clock.advance(Duration::from_secs(60));
    let after = begin_check_in(&city, 1_000).await;
    let said = wallet.present(&after.authorization_request, &mut agree).await.unwrap_err();
    assert!(said.to_string().contains("credential.revoked"), "{said:#}");
    let said = wallet.open_account(OTHER_BANK, "III", &mut agree).await.unwrap_err().to_string();
    assert!(said.contains("credential.revoked"), "{said}");
}
