//! A bank's records with a customer in them.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    reason = "test code: a wrong fixture is to fail loudly; each test uses a part of it"
)]

use serde_json::json;
use std::sync::Arc;
use uuid::Uuid;
use yufu_base::{AccountId, CommandId, Timestamp};
use yufu_database::{Database, MasterKey, Sealer};
use yufu_onboarding::{
    Account, AccountState, Enrolment, NewCustomer, Onboarding, OutboxEntry, Verification,
};

pub const NUMBER: &str = "11010519491231002X";
pub const ACCOUNT: AccountId = AccountId::new(1);

pub fn at() -> Timestamp {
    Timestamp::from_seconds(1_800_000_000)
}

pub async fn sealer(keys: &Database) -> Sealer {
    Sealer::open(keys.clone(), &MasterKey::new([7; 32])).await.unwrap()
}

/// Empty records, and the database of data keys.
pub async fn records() -> (Onboarding, Database) {
    let keys = Database::in_memory().await.unwrap();
    let sealer = Arc::new(sealer(&keys).await);
    (Onboarding::open(Database::in_memory().await.unwrap(), sealer).await.unwrap(), keys)
}

pub fn command(random: u128, subject: &str) -> OutboxEntry {
    OutboxEntry {
        command: CommandId::at(at(), random),
        subject: subject.to_owned(),
        submission: vec![1],
        outcome: None,
    }
}

pub async fn ask(records: &Onboarding, id: &str) {
    let verification = Verification {
        id: id.to_owned(),
        purpose: "change-key".to_owned(),
        subject: "{}".to_owned(),
        session: "{}".to_owned(),
        expires_at: at().plus_seconds(300),
        answered: false,
    };
    records.start_verification(verification).await.unwrap();
}

/// A customer's account, commanded by the key `a`, through the wallet provider `provider`.
pub async fn enrol(
    records: &Onboarding,
    verification: &str,
    account: AccountId,
    provider: Option<&str>,
) -> Uuid {
    ask(records, verification).await;
    let opening = command(account.bits(), &format!("account:{account}"));
    let enrolment = Enrolment {
        customer: NewCustomer {
            id: Uuid::now_v7(),
            number: NUMBER.to_owned(),
            claims: json!({"family_name": "王"}).as_object().cloned().unwrap(),
            retained_until: at().plus_seconds(60),
        },
        account: Account {
            id: account,
            customer: None,
            class: "III".to_owned(),
            wallet_key: "a".to_owned(),
            state: AccountState::Opening,
        },
        at_most: 1,
        command: opening.clone(),
        verification: verification.to_owned(),
        receipt: "receipt".to_owned(),
        provider: provider.map(str::to_owned),
    };
    let customer = records.enrol(enrolment, at()).await.unwrap();
    records.record_outcome(opening.command, "{}", true).await.unwrap();
    customer
}
