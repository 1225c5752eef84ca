//! The same order, sent many times at once: paid once, and everybody hears the same.
#![allow(clippy::unwrap_used, reason = "test code: a wrong fixture is to fail loudly")]

mod support;

use support::{Data, JIANGCHENG, LIANGHU, Server, fen};

const BINARY: &str = env!("CARGO_BIN_EXE_yufu");

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_is_sent_many_times_at_once_is_paid_once_with_one_answer() {
    let data = Data::new();
    let server = Server::start(&data);
    let caller = server.caller();
    let payer = caller.business(JIANGCHENG, fen(1_000)).await;
    let payee = caller.business(LIANGHU, 0).await;
    for round in 1..=10 {
        let order = payer.order(payee.id, fen(1), caller.id());
        let mut senders = Vec::new();
        for _ in 0..8 {
            // Each signs anew: the contents are the same, the signature is not.
            let (caller, payer, order) = (caller.clone(), payer.clone(), order.clone());
            senders.push(tokio::spawn(async move { caller.pay(&payer, &order).await.unwrap() }));
        }
        let mut answers = Vec::new();
        for sender in senders {
            answers.push(sender.await.unwrap().done());
        }
        answers.dedup();
        assert_eq!(answers.len(), 1, "different answers to one order: {answers:?}");
        assert_eq!(caller.balance(&payee).await, fen(round));
    }
    assert_eq!(caller.balance(&payer).await, fen(990));
}
