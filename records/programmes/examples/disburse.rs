//! How fast an agency's records take a disbursement: payments written down as sent, then as paid, in
//! batches, on a file, every commit synced. The yardstick, measured in the same run: the bare number of
//! synced commits a second that the same disk gives, times the payments in a batch, halved, as a
//! batch needs two.
//!
//! `cargo run --release -p yufu-programmes --example disburse [members] [batch]`

#![allow(
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    clippy::float_arithmetic,
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::cast_precision_loss,
    reason = "a measurement: it is to fail loudly, and reads the monotonic clock"
)]

use sea_orm::ConnectionTrait;
use std::path::Path;
use std::time::{Duration, Instant};
use uuid::Uuid;
use yufu_base::{CommandId, Timestamp};
use yufu_database::Database;
use yufu_programmes::{Decision, Enrolment, Life, Outcome, Payout, Programmes};

const AMOUNT: u64 = 14_300;

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args().skip(1).map(|text| text.parse::<u64>().unwrap());
    let members = arguments.next().unwrap_or(10_000);
    let batch = arguments.next().unwrap_or(64);
    let folder = tempfile::tempdir().unwrap();
    let records = open(&folder.path().join("programmes.sqlite")).await;
    enrol(&records, members).await;

    let at = Timestamp::from_seconds(1_795_000_000);
    let mut drawn = 0_u128;
    let started = Instant::now();
    let month = ("pension", "2026-11".parse().unwrap());
    let fresh = || {
        drawn += 1;
        CommandId::at(at, drawn)
    };
    let (envelope, _) = records.prepare(month, AMOUNT, "li", at, fresh).await.unwrap();
    let prepared = started.elapsed();
    records.approve(envelope.id, "wu", at).await.unwrap();

    let started = Instant::now();
    let batches = pay(&records, envelope.id, batch, at).await;
    let paid = started.elapsed();
    let found = records.envelope(envelope.id).await.unwrap();
    assert_eq!((found.totals.paid, found.totals.pending.count), (found.totals.items, 0));

    let commits = commits_per_second(&folder.path().join("bare.sqlite")).await;
    let rate = members as f64 / paid.as_secs_f64();
    let bound = commits * batch as f64 / 2.0;
    println!("members             {members}");
    println!("prepared            {:.0} ms", prepared.as_secs_f64() * 1e3);
    println!(
        "paid                {:.0} ms in {batches} batches of {batch}",
        paid.as_secs_f64() * 1e3
    );
    println!("payments a second   {rate:.0}");
    println!("synced commits      {commits:.0} a second: a bound of {bound:.0} payments a second");
    println!("of the bound        {:.2}", rate / bound);
}

async fn open(path: &Path) -> Programmes {
    Programmes::open(Database::open(path).await.unwrap()).await.unwrap()
}

async fn enrol(records: &Programmes, members: u64) {
    let at = Timestamp::from_seconds(1_794_000_000);
    for index in 0..members {
        let begun = Enrolment {
            id: format!("request-{index}"),
            programme: "pension".to_owned(),
            pseudonym: format!("member-{index}"),
            key: "{}".to_owned(),
            payout: Payout { bank: "bank".to_owned(), account: index.to_string(), signed_at: at },
            session: String::new(),
            expires_at: at.plus_seconds(600),
            answered: false,
        };
        let life = Life {
            status_uri: "https://authority.example/status/1".to_owned(),
            status_index: index,
            says_until: at.plus_seconds(90 * 86_400),
            shown_at: at,
        };
        records.begin_enrolment(begun.clone()).await.unwrap();
        records.enrol(&begun, "receipt", &life, "2026-11".parse().unwrap()).await.unwrap();
    }
}

async fn pay(records: &Programmes, envelope: Uuid, batch: u64, at: Timestamp) -> u64 {
    let (mut after, mut batches) = (None, 0);
    loop {
        let due = records.due(envelope, after, batch).await.unwrap();
        let Some(last) = due.last() else { return batches };
        after = Some(last.item.id);
        let send = |due: &yufu_programmes::Due| {
            let (payee, command) = (due.member.payout.account.clone(), due.item.command);
            (due.item.id, Decision::Send { payee, command })
        };
        let decisions: Vec<(Uuid, Decision)> = due.iter().map(send).collect();
        let sent = records.decide(envelope, &decisions, at).await.unwrap();
        let paid = |item: &yufu_programmes::Item| (item.id, item.command, Outcome::Paid);
        let outcomes: Vec<(Uuid, CommandId, Outcome)> = sent.iter().map(paid).collect();
        records.settle(envelope, &outcomes, at).await.unwrap();
        batches += 1;
    }
}

/// One row written in a transaction of its own, for two seconds.
async fn commits_per_second(path: &Path) -> f64 {
    let database = Database::open(path).await.unwrap();
    database.connection().execute_unprepared("CREATE TABLE one (n BIGINT)").await.unwrap();
    let (started, mut count) = (Instant::now(), 0_u64);
    while started.elapsed() < Duration::from_secs(2) {
        let transaction = database.begin().await.unwrap();
        transaction.execute_unprepared("INSERT INTO one VALUES (1)").await.unwrap();
        transaction.commit().await.unwrap();
        count += 1;
    }
    count as f64 / started.elapsed().as_secs_f64()
}
