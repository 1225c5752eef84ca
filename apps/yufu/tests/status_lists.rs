//! Status lists over the running program: all of an issuer's are named at one address, copies of one batch stand in
//! several of them, verifiers have them at hand, and nobody's presentation is seen by an issuer.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "test code: a wrong fixture is to fail loudly"
)]

mod support;

use std::collections::BTreeSet;
use std::time::Duration;
use support::institutions::SHOP;
use support::visits::Street;
use support::{Caller, Data, Server};
use yufu_trust::StatusListToken;

const BINARY: &str = env!("CARGO_BIN_EXE_yufu");
const PURPOSE: &str = "check-age";

/// How often status lists of the authority were answered, as the server counts.
async fn fetches(caller: &Caller) -> u64 {
    let metrics = caller.get("/metrics", None).await.body;
    let counts = metrics.as_str().unwrap().lines().filter(|line| {
        line.starts_with("yufu_http_requests_total")
            && line.contains("\"/authority/status/{list}\"")
    });
    counts.map(|line| line.rsplit(' ').next().unwrap().parse::<u64>().unwrap()).sum()
}

/// The residents' numbers.
fn numbers() -> impl Iterator<Item = String> {
    let residents = include_str!("../../../profiles/china/residents.csv").lines().skip(1);
    residents.map(|line| line.split(',').next().unwrap().to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn many_presentations_cost_the_issuer_no_fetch_of_a_list() {
    let data = Data::new();
    let server = Server::start(&data);
    let caller = server.caller();
    let mut street = Street::of(&caller).await;
    let mut numbers = numbers();
    // Lists are renewed by the clock: a window in which they were says nothing, and is looked at again.
    let mut windows = Vec::new();
    for _ in 0..6 {
        let batch = street.sd_jwts(&numbers.next().unwrap()).await;
        street.show(SHOP, PURPOSE, &batch[0]).await;
        let before = fetches(&caller).await;
        for copy in &batch[1..] {
            street.show(SHOP, PURPOSE, copy).await;
        }
        let during = fetches(&caller).await - before;
        if during == 0 {
            assert!(before >= 4, "the lists were fetched before they were needed: {before}");
            return;
        }
        windows.push(during);
        tokio::time::sleep(Duration::from_secs(2)).await;
    }
    panic!("nine presentations, and so many fetches: {windows:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_issuer_names_all_its_lists_and_a_batch_is_scattered_over_them_9() {
    let data = Data::new();
    let server = Server::start(&data);
    let caller = server.caller();
    let street = Street::of(&caller).await;
    let path = "/.well-known/oauth-authorization-server/authority";
    let metadata = caller.get(path, None).await.done();
    let named = format!("{}/authority/status", caller.url);
    assert_eq!(metadata["status_list_aggregation_endpoint"], named);
    let all = caller.get("/authority/status", None).await.done();
    let all: BTreeSet<String> = serde_json::from_value(all["status_lists"].clone()).unwrap();
    let expected: BTreeSet<String> = (1..=4).map(|list| format!("{named}/{list}")).collect();
    assert_eq!(all, expected);
    for issuer in
        ["banks/bank-of-jiangcheng", "parties/jingguang-railway", "agencies/pension-agency"]
    {
        let lists = caller.get(&format!("/{issuer}/status"), None).await.done();
        assert_eq!(lists["status_lists"][0], format!("{}/{issuer}/status/1", caller.url));
    }
    caller.get("/parties/yellow-crane-hotel/status", None).await.refused(
        "hotel",
        404,
        "request.not_found",
    );

    let (mut in_lists, mut places) = (BTreeSet::new(), BTreeSet::new());
    for number in numbers().take(3) {
        for (held, _) in street.sd_jwts(&number).await {
            let status = held.credential.status().unwrap().clone();
            let jwt = caller.client.get_text(&status.uri).await.unwrap();
            let list = StatusListToken::verify_of(
                &jwt,
                &street.trust,
                &held.issuer,
                &status.uri,
                support::now(),
            );
            let list = list.unwrap().list;
            assert!(list.get(status.index).is_some() && list.get((1 << 17) - 1).is_some());
            assert_eq!(list.get(1 << 17), None, "all lists have one size");
            in_lists.insert(status.uri.clone());
            places.insert((status.uri, status.index));
        }
    }
    assert_eq!(places.len(), 30, "each copy has a place of its own");
    assert_eq!(in_lists, expected, "30 copies in four lists");
    for other in ["0", "5", "01", "x", "-1"] {
        let missing = caller.get(&format!("/authority/status/{other}"), None).await;
        missing.refused(other, 404, "request.not_found");
    }
}
