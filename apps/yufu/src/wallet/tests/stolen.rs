//! A sheet freezes at the railway and abroad too, and says what cannot be frozen.

use super::city::{BANK, phrase};
use super::recognition::{Land, two_countries};
use super::services::{RAILWAY, add_departure, agree, guest, pass};
use crate::wallet::Holder;
use serde_json::{Value, json};
use std::fs;
use yufu_api::freezing::{Freed, Remains};
use yufu_profile::Role;

/// The number of the ticket in a wallet.
fn ticket(wallet: &Holder) -> String {
    let all = wallet.file.contents.credentials.iter();
    let mut numbers = all.filter_map(|stored| stored.held.credential.claims().get("ticket"));
    numbers.next().and_then(Value::as_str).unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frozen_ticket_opens_no_gate_until_the_railways_desk_frees_it() {
    let (city, mut wallet, _) = guest().await;
    add_departure(&city, "G1", 2).await;
    wallet.buy_ticket(RAILWAY, "G1", &mut agree).await.unwrap();
    let number = ticket(&wallet);
    let sheet = city.folder.path().join("mei.sheet");
    let written = wallet.write_sheet(&sheet).await.unwrap();
    assert!(written.institutions.iter().any(|one| one == RAILWAY), "{written:?}");
    let mut friend = city.open(&city.device("friend"), "friend").unwrap();
    friend.find_institutions().await.unwrap();
    let outcomes = friend.freeze(Some(&fs::read(&sheet).unwrap())).await.unwrap();
    assert!(outcomes.iter().all(|outcome| outcome.fault.is_none()), "{outcomes:?}");
    let of = |id: &str| outcomes.iter().find(|one| one.institution == id).unwrap();
    assert!(of(RAILWAY).remains.is_empty());
    assert_eq!(of(BANK).remains, [Remains::BearerNotes, Remains::Purses]);

    let refused = pass(&city, &mut wallet).await.unwrap_err();
    assert!(refused.contains("credential.revoked"), "{refused}");
    let refused = wallet.return_ticket(RAILWAY, &mut agree).await.unwrap_err().to_string();
    assert!(refused.contains("credential.revoked"), "it is paid back to nobody: {refused}");
    let path = format!("/parties/{RAILWAY}/v1/desk/tickets/{number}/freezes/lift");
    let url = format!("{}{path}", city.url);
    let guessed = city.client.post::<_, Value>(&url, Some("guessed"), &json!({})).await;
    assert!(guessed.unwrap_err().to_string().contains("request.unauthenticated"));
    let _: Freed = city.desk(RAILWAY, &path, &json!({})).await;
    // The copies that were shown meanwhile are used up; there are three of a ticket.
    pass(&city, &mut wallet).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_abroad_is_frozen_with_the_rest_and_what_is_abroad_holds_nothing_up_at_home() {
    let [mut china, plain] = two_countries().await;
    let mut wallet = plain.resident().await;
    let home = plain.the(Role::CommercialBank).id.to_string();
    plain.open_account(plain.the(Role::CommercialBank), &mut wallet).await.unwrap();
    wallet.go_abroad("CN").await.unwrap();
    let there = china.the(Role::CommercialBank).id.to_string();
    china.open_account(china.the(Role::CommercialBank), &mut wallet).await.unwrap();
    let sheet = plain.folder.path().join("visitor.sheet");
    let written = wallet.write_sheet(&sheet).await.unwrap();
    assert!(written.unreached.is_empty() && written.left_out.is_empty(), "{written:?}");
    for bank in [&home, &there] {
        assert!(written.institutions.contains(bank), "{bank}: {written:?}");
    }
    // Still abroad, where it was.
    assert_eq!(wallet.frozen().await.unwrap(), []);
    let sheet = fs::read(&sheet).unwrap();
    let mut friend = friend(&plain);
    let outcomes = friend.freeze(Some(&sheet)).await.unwrap();
    assert!(outcomes.iter().all(|outcome| outcome.fault.is_none()), "{outcomes:?}");
    assert_eq!(wallet.frozen().await.unwrap().len(), 1, "abroad");
    wallet.come_home();
    assert_eq!(wallet.frozen().await.unwrap().len(), 1, "at home");

    // With the other country out of reach, everything at home is frozen all the same, and it is said.
    china.stop().await;
    let outcomes = friend.freeze(Some(&sheet)).await.unwrap();
    for outcome in outcomes {
        assert_eq!(outcome.fault.is_some(), outcome.institution == there, "{outcome:?}");
    }
}

/// Somebody else's wallet, on another device.
fn friend(land: &Land) -> Holder {
    let folder = land.folder.path().join("friend");
    fs::create_dir_all(&folder).unwrap();
    Holder::open(&folder, "friend", &phrase(), &land.url(), land.trust_key).unwrap()
}
