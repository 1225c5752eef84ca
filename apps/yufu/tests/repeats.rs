//! The same request, sent many times at once: done once, and everybody hears the same.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "test code: a wrong fixture is to fail loudly"
)]

mod support;

use serde_json::json;
use std::sync::Arc;
use support::{Answer, Data, JIANGCHENG, LIANGHU, Resident, Server, begin_opening, fen};

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

#[tokio::test(flavor = "multi_thread")]
async fn an_exchange_that_is_sent_many_times_at_once_is_made_once_and_its_id_is_its_own() {
    let data = Data::new();
    let server = Server::start(&data);
    let caller = server.caller();
    let account = caller.business(JIANGCHENG, 0).await;
    let path = format!("/banks/{JIANGCHENG}/v1/desk/exchanges");
    let desk = caller.desk(JIANGCHENG);
    let exchange = json!({
        "id": caller.id().to_string(),
        "direction": "deposit_to_digital",
        "account": account.id.to_string(),
        "amount_minor": fen(70),
    });
    let mut senders = Vec::new();
    for _ in 0..8 {
        let (caller, path, desk) = (caller.clone(), path.clone(), desk.clone());
        let exchange = exchange.clone();
        senders.push(tokio::spawn(async move { caller.post(&path, Some(&desk), &exchange).await }));
    }
    let mut answers = Vec::new();
    for sender in senders {
        answers.push(sender.await.unwrap().done());
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "different answers to one exchange: {answers:?}");
    let mut other = exchange;
    other["amount_minor"] = json!(fen(71));
    let answer = caller.post(&path, Some(&desk), &other).await;
    answer.refused("its id for another", 409, "command.id_reused");
    assert_eq!(caller.balance(&account).await, fen(70));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_presentation_that_is_sent_many_times_at_once_counts_once() {
    let data = Data::new();
    let server = Server::start(&data);
    let caller = server.caller();
    let resident = Resident::identified(&caller, 5).await;
    let (link, opening) = begin_opening(&caller).await;
    let presentation = Arc::new(resident.answer(&caller, &link).await);
    let before = caller.head().await;
    let mut senders = Vec::new();
    for _ in 0..8 {
        let (caller, presentation) = (caller.clone(), Arc::clone(&presentation));
        senders.push(tokio::spawn(async move { presentation.send(&caller).await }));
    }
    let mut accepted: Vec<Answer> = Vec::new();
    for sender in senders {
        let answer = sender.await.unwrap();
        if answer.status == 200 {
            accepted.push(answer);
        } else {
            answer.refused("once more", 409, "presentation.already_answered");
        }
    }
    assert_eq!(accepted.len(), 1);
    let path = format!("/banks/{JIANGCHENG}/v1/openings/{opening}");
    assert_eq!(caller.get(&path, None).await.done()["state"], "open");
    assert_eq!(caller.head().await, before + 1, "one account was opened");
}
