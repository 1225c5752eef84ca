//! A disk beneath the ledger that fails or fills: system calls of the real binary that strace makes fail.
#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "test code: a wrong fixture is to fail loudly"
)]

mod support;

use support::{Account, Caller, Data, JIANGCHENG, LIANGHU, Server};

const BINARY: &str = env!("CARGO_BIN_EXE_yufu");

const FUNDS: u64 = 100_000;

/// A ledger with two accounts, closed.
async fn prepared() -> (Data, Account, Account) {
    let data = Data::new();
    let server = Server::start(&data);
    let caller = server.caller();
    let payer = caller.business(JIANGCHENG, FUNDS).await;
    let payee = caller.business(LIANGHU, 0).await;
    server.terminate();
    assert!(server.ended().success());
    (data, payer, payee)
}

/// Pays 1; the code of the refusal, `None` if it was paid.
async fn pay(caller: &Caller, payer: &Account, payee: &Account) -> Option<String> {
    let order = payer.order(payee.id, 1, caller.id());
    let answer = caller.pay(payer, &order).await.unwrap();
    (answer.status != 200).then(|| answer.body["code"].as_str().unwrap().to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_of_fsync_ends_the_process_and_what_was_acknowledged_is_there_after() {
    let (data, payer, payee) = prepared().await;
    let server = Server::start_failing(&data, "fsync,fdatasync:error=EIO:when=12+");
    let caller = server.caller();
    let mut paid = 0;
    let code = loop {
        match pay(&caller, &payer, &payee).await {
            None => paid += 1,
            Some(code) => break code,
        }
        assert!(paid < 100, "no fault fired");
    };
    assert_eq!(code, "ledger.outcome_unknown");
    assert_eq!(server.ended().code(), Some(1));
    let again = Server::start(&data);
    let caller = again.caller();
    // The bank submits again what it had no answer to, maybe between two questions.
    let (mut had, mut left) = (0, 0);
    for _ in 0..3 {
        (had, left) = (caller.balance(&payee).await, caller.balance(&payer).await);
        if left == FUNDS - had {
            break;
        }
    }
    assert!(had == paid || had == paid + 1, "{had} arrived, {paid} were acknowledged");
    assert_eq!(left, FUNDS - had);
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_disk_is_full_the_ledger_refuses_writes_and_answers_reads_and_then_goes_on() {
    let (data, payer, payee) = prepared().await;
    let mut server = Server::start_failing(&data, "pwrite64:error=ENOSPC:when=40..90");
    let caller = server.caller();
    let (mut paid, mut refused) = (0, 0);
    for _ in 0..400 {
        match pay(&caller, &payer, &payee).await {
            None if refused > 0 => break,
            None => {}
            Some(code) => {
                assert_eq!(code, "ledger.not_writable");
                refused += 1;
                assert_eq!(caller.balance(&payee).await, paid, "it is read all the while");
                assert_eq!(caller.supply().await["balanced"], true);
                continue;
            }
        }
        paid += 1;
    }
    assert!(refused > 0 && paid > 0, "{paid} paid, {refused} refused");
    server.let_go();
    assert!(server.ended().success());
}
