//! An office with records in memory, officers and a programme.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "test code: a wrong fixture is to fail loudly; each test uses a part of it"
)]

use std::sync::atomic::{AtomicU64, Ordering};
use uuid::Uuid;
use yufu_base::{CommandId, Timestamp};
use yufu_database::Database;
use yufu_programmes::{
    Decision, Enrolment, Envelope, Item, Life, Member, Payout, Programmes, ProgrammesError,
};

pub const MONTH: &str = "2026-11";
pub const AMOUNT: u64 = 14_300;

pub struct Office {
    pub records: Programmes,
    pub database: Database,
    drawn: AtomicU64,
}

/// So many seconds after the beginning of these tests.
pub fn at(seconds: u64) -> Timestamp {
    Timestamp::from_seconds(1_795_000_000 + seconds)
}

pub fn payout(name: &str, seconds: u64) -> Payout {
    let (bank, account) = ("bank".to_owned(), format!("account-of-{name}"));
    Payout { bank, account, signed_at: at(seconds) }
}

pub fn life(seconds: u64) -> Life {
    Life {
        status_uri: "https://authority.example/status/1".to_owned(),
        status_index: 7,
        says_until: at(seconds + 90 * 86_400),
        shown_at: at(seconds),
    }
}

impl Office {
    pub async fn open() -> Self {
        let database = Database::in_memory().await.unwrap();
        let records = Programmes::open(database.clone()).await.unwrap();
        Self { records, database, drawn: AtomicU64::new(0) }
    }

    pub fn fresh(&self) -> CommandId {
        self.fresh_at(at(0))
    }

    pub fn fresh_at(&self, now: Timestamp) -> CommandId {
        CommandId::at(now, u128::from(self.drawn.fetch_add(1, Ordering::Relaxed)))
    }

    pub async fn begin(&self, name: &str, seconds: u64) -> Enrolment {
        let new = Enrolment {
            id: format!("request-{}", self.drawn.fetch_add(1, Ordering::Relaxed)),
            programme: "basic-pension".to_owned(),
            pseudonym: name.to_owned(),
            key: "{}".to_owned(),
            payout: payout(name, seconds),
            session: "{\"secret\":1}".to_owned(),
            expires_at: at(seconds + 600),
            answered: false,
        };
        self.records.begin_enrolment(new.clone()).await.unwrap();
        new
    }

    pub async fn enrol(&self, name: &str, seconds: u64) -> Member {
        let begun = self.begin(name, seconds).await;
        let month = MONTH.parse().unwrap();
        self.records.enrol(&begun, "receipt", &life(seconds), month).await.unwrap();
        self.records.member("basic-pension", name).await.unwrap()
    }

    pub async fn prepare(&self, month: &str) -> Result<(Envelope, bool), ProgrammesError> {
        let for_month = ("basic-pension", month.parse().unwrap());
        self.records.prepare(for_month, AMOUNT, "li", at(1), || self.fresh()).await
    }

    pub async fn approve(&self, envelope: Uuid) -> Envelope {
        self.records.approve(envelope, "wu", at(1)).await.unwrap()
    }

    /// An approved envelope of everybody.
    pub async fn approved(&self) -> Uuid {
        let (envelope, _) = self.prepare(MONTH).await.unwrap();
        self.approve(envelope.id).await.id
    }

    /// Marks everything pending as sent.
    pub async fn send(&self, envelope: Uuid) -> Vec<Item> {
        let due = self.records.due(envelope, None, 100).await.unwrap();
        let send = |due: &yufu_programmes::Due| {
            let (payee, command) = (due.member.payout.account.clone(), due.item.command);
            (due.item.id, Decision::Send { payee, command })
        };
        let decisions: Vec<(Uuid, Decision)> = due.iter().map(send).collect();
        self.records.decide(envelope, &decisions, at(2)).await.unwrap()
    }

    pub async fn reissue(&self, item: Uuid) -> Result<Item, ProgrammesError> {
        self.records.reissue(item, "li", self.fresh(), at(5)).await
    }
}
