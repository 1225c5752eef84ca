//! The server is killed in the midst of payments, again and again: what it acknowledged stays, nothing
//! is paid twice, and what it did not answer is settled once when it is sent again.
#![allow(
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "test code: a wrong fixture is to fail loudly"
)]

mod support;

use serde_json::{Value, json};
use std::time::Duration;
use support::{Account, Caller, Data, JIANGCHENG, LIANGHU, Server, run};
use yufu_base::{AccountId, CommandId};

const BINARY: &str = env!("CARGO_BIN_EXE_yufu");

/// Kills in every run of the suite; `YUFU_KILLS` sets another number for a long run by hand.
const KILLS: u64 = 5;
/// After so many kills the log is audited: after each in a short run, seldom in a long one.
const AUDITED: u64 = 50;
const FUNDS: u64 = 100_000_000;
/// Senders for each payer, so that orders of one account are in flight together.
const SENDERS: usize = 4;

/// An order that was sent, and what was answered.
#[derive(Clone)]
struct Sent {
    payer: Account,
    payee: AccountId,
    id: CommandId,
    minor: u64,
    answer: Option<Value>,
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_amid_payments_it_keeps_what_it_acknowledged_and_pays_nothing_twice() {
    let data = Data::new();
    let mut server = start(&data);
    let caller = server.caller();
    let mut payers = Vec::new();
    for _ in 0..3 {
        payers.push(caller.business(JIANGCHENG, FUNDS).await);
    }
    payers.push(caller.business(LIANGHU, FUNDS).await);
    let payees = [caller.business(LIANGHU, 0).await, caller.business(JIANGCHENG, 0).await];

    let kills = std::env::var("YUFU_KILLS").map_or(KILLS, |kills| kills.parse().unwrap());
    let mut all: Vec<Sent> = Vec::new();
    for kill in 0..kills {
        // Uneven, so that kills fall anywhere.
        let flow = 230 + kill * 163 % 367;
        let sent = pay_until_killed(server, &payers, &payees, flow).await;
        if kills < AUDITED || kill % AUDITED == 0 {
            passes_the_audit(&data);
        }
        server = start(&data);
        let caller = server.caller();
        let mut unanswered = 0;
        for mut order in sent {
            if order.answer.is_none() {
                unanswered += 1;
                order.answer = Some(repeat(&caller, &order).await);
            }
            all.push(order);
        }
        eprintln!("kill {kill}: {} orders, {unanswered} without an answer", all.len());
    }
    assert!(all.len() as u64 > 10 * kills, "only {} orders: too few to show anything", all.len());

    let caller = server.caller();
    every_answer_still_holds(&caller, &all).await;
    balances_are_the_sum_of_what_was_settled(&caller, &payers, &payees, &all).await;
    for bank in [JIANGCHENG, LIANGHU] {
        outbox_drains(&data, bank).await;
    }
    server.kill();
    passes_the_audit(&data);
    let verified = run(&["log", "verify", "--data", data.path().to_str().unwrap()]);
    let said = support::text(&verified.stdout);
    assert_eq!(verified.status.code(), Some(0), "{said}{}", support::text(&verified.stderr));
    assert!(said.contains("snapshots   2"), "{said}");
}

/// A server that makes snapshots so often that kills fall into them too.
fn start(data: &Data) -> Server {
    Server::start_with(data, &["--snapshot-records", "15"])
}

/// Sends orders as fast as they are answered, until the server is killed under them.
async fn pay_until_killed(
    server: Server,
    payers: &[Account],
    payees: &[Account],
    milliseconds: u64,
) -> Vec<Sent> {
    let caller = server.caller();
    let mut senders = Vec::new();
    for sender in 0..SENDERS {
        for payer in payers {
            let (caller, payer) = (caller.clone(), payer.clone());
            let payee = payees[sender % payees.len()].id;
            senders.push(tokio::spawn(send_until_cut_off(caller, payer, payee)));
        }
    }
    tokio::time::sleep(Duration::from_millis(milliseconds)).await;
    server.kill();
    let mut sent = Vec::new();
    for sender in senders {
        sent.extend(sender.await.unwrap());
    }
    sent
}

async fn send_until_cut_off(caller: Caller, payer: Account, payee: AccountId) -> Vec<Sent> {
    let mut sent: Vec<Sent> = Vec::new();
    loop {
        let minor = 1 + u64::try_from(sent.len()).unwrap() % 97;
        let id = caller.id();
        let order = payer.order(payee, minor, id);
        let answer = caller.pay(&payer, &order).await.ok();
        let answered = answer.is_some();
        let answer = answer.map(|answer| answer.done());
        sent.push(Sent { payer: payer.clone(), payee, id, minor, answer });
        if !answered {
            return sent;
        }
    }
}

/// Sends an order again, with its id: whether it was taken before or not, it is settled.
async fn repeat(caller: &Caller, sent: &Sent) -> Value {
    let order = sent.payer.order(sent.payee, sent.minor, sent.id);
    caller.pay(&sent.payer, &order).await.unwrap().done()
}

/// Every order that was answered is settled, and is said to be so in the words of the first answer.
async fn every_answer_still_holds(caller: &Caller, all: &[Sent]) {
    for sent in all {
        let found = caller.payment(&sent.payer, sent.id).await.done();
        assert_eq!(found["state"], "settled", "{}", sent.id);
        assert_eq!(Some(&found), sent.answer.as_ref(), "another answer than the first");
    }
    // Once more, each: an order is paid once, however often it is sent.
    for sent in all.iter().rev().take(50) {
        assert_eq!(Some(repeat(caller, sent).await), sent.answer, "another answer to a repeat");
    }
}

async fn balances_are_the_sum_of_what_was_settled(
    caller: &Caller,
    payers: &[Account],
    payees: &[Account],
    all: &[Sent],
) {
    let sum = |of: &dyn Fn(&&Sent) -> bool| all.iter().filter(of).map(|s| s.minor).sum::<u64>();
    for payer in payers {
        let paid = sum(&|sent| sent.payer.id == payer.id);
        assert_eq!(caller.balance(payer).await, FUNDS - paid, "payer {}", payer.id);
    }
    for payee in payees {
        let received = sum(&|sent| sent.payee == payee.id);
        assert_eq!(caller.balance(payee).await, received, "payee {}", payee.id);
    }
    let supply = caller.supply().await;
    assert_eq!(supply["balanced"], true, "{supply}");
    assert_eq!(supply["digital_in_wallets"], json!(FUNDS * 4), "{supply}");
}

/// Nothing waits for an answer of the ledger, after at most ten seconds.
async fn outbox_drains(data: &Data, bank: &str) {
    let path = data.path().join(bank).join("onboarding.sqlite");
    let mut waiting = u64::MAX;
    for _ in 0..100 {
        let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY;
        let records = rusqlite::Connection::open_with_flags(&path, flags).unwrap();
        let (all, left): (u64, u64) = records
            .query_row("SELECT count(*), count(*) - count(outcome) FROM outbox", (), |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .unwrap();
        assert!(all > 0, "{bank} has no outbox");
        waiting = left;
        if waiting == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(waiting, 0, "{bank} has commands without an answer");
}

fn passes_the_audit(data: &Data) {
    let audited = run(&["audit", "--json", "--data", data.path().to_str().unwrap()]);
    let out = support::text(&audited.stdout);
    assert_eq!(audited.status.code(), Some(0), "{out}{}", support::text(&audited.stderr));
}
