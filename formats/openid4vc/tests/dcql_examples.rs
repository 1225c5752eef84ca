//! The worked examples of OpenID4VP 1.0 that are queries (sections 5 to 8, appendices B and D): each is read, and finds in
//! wallets that answer it, and in wallets that do not, what the rules of section 6.4 say. The wallets are ours. `dcql` is
//! asked the same in `testing/foreign/tests/dcql.rs`.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    missing_docs,
    reason = "test code: a wrong fixture is to fail loudly"
)]

use serde_json::{Value, json};
use yufu_openid4vc::dcql::{Candidate, DcqlQuery};

const EXAMPLES: &str = include_str!("dcql_examples.json");

/// The identifiers of the authorities behind a credential.
fn authorities(held: &Value) -> Vec<String> {
    held["authority"].as_str().map(str::to_owned).into_iter().collect()
}

#[test]
fn each_example_finds_what_answers_it_and_nothing_else_6_4() {
    let examples: Vec<Value> = serde_json::from_str(EXAMPLES).unwrap();
    assert!(examples.len() >= 20);
    for example in &examples {
        let query: DcqlQuery = serde_json::from_value(example["query"].clone())
            .unwrap_or_else(|error| panic!("{}: {error}", example["name"]));
        let mut unanswered = 0;
        for wallet in example["wallets"].as_array().unwrap() {
            let said = format!("{}: {}", example["name"], wallet["name"]);
            let all = wallet["credentials"].as_array().unwrap();
            let ids: Vec<Vec<String>> = all.iter().map(authorities).collect();
            let held = all.iter().zip(&ids);
            let candidates: Vec<Candidate<'_>> = held
                .map(|(held, authority_key_ids)| Candidate {
                    format: held["format"].as_str().unwrap(),
                    vct: held["type"].as_str().unwrap(),
                    claims: held["claims"].as_object().unwrap(),
                    authority_key_ids,
                    holder_bound: true,
                })
                .collect();
            for asked in query.credentials() {
                let found = candidates.iter().enumerate();
                let found: Vec<_> = found
                    .filter_map(|(place, one)| Some((place, asked.matches(one).ok()?)))
                    .collect();
                let places: Vec<usize> = found.iter().map(|(place, _)| *place).collect();
                let expected = wallet["matches"].get(&asked.id).cloned().unwrap_or(json!([]));
                assert_eq!(json!(places), expected, "{said}: {}", asked.id);
                if let Some(shows) = wallet["shows"].get(&asked.id) {
                    assert_eq!(json!(found[0].1), *shows, "{said}: {}", asked.id);
                }
            }
            let evaluation = query.evaluate(&candidates);
            assert_eq!(json!(evaluation.is_ok()), wallet["satisfied"], "{said}");
            if let (Ok(evaluation), Some(answer)) = (&evaluation, wallet.get("answer")) {
                assert_eq!(json!(evaluation.answer), *answer, "{said}");
            }
            unanswered += usize::from(evaluation.is_err());
        }
        assert!(unanswered > 0, "{}: no wallet that does not answer it", example["name"]);
    }
}
