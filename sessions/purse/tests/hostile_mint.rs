//! A mint that lies: what it signs wrongly is not taken, what it answers beside the question changes nothing.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "test code"
)]

mod support;

use serde_json::{Value, json};
use support::{MINT, Person, TestMint};
use yufu_purse::delay::MOST_REST;
use yufu_purse::{OperationId, Outcome, PayTerms, Progress, Reply};

fn rich() -> (TestMint, Person) {
    let mut mint = TestMint::new(0);
    let mut person = Person::new(1, &mut mint);
    person.withdraw(100, &mut mint);
    mint.now += MOST_REST;
    (mint, person)
}

fn paying(mint: &TestMint, person: &mut Person) -> OperationId {
    let terms = PayTerms { offline: true, ..PayTerms::to_bearer(MINT.to_owned(), 18) };
    person.purse.pay(&person.seed, terms, mint.now).unwrap()
}

fn body(reply: &Reply) -> Value {
    serde_json::from_slice(&reply.body).unwrap()
}

fn done(content: &Value) -> Reply {
    Reply { status: 200, body: serde_json::to_vec(content).unwrap() }
}

#[test]
fn what_a_mint_signs_wrongly_is_not_taken_and_the_step_is_kept() {
    let (mut mint, mut person) = rich();
    let id = paying(&mint, &mut person);
    let request = person.purse.request(&person.seed, id).unwrap();
    let honest = mint.ask(&request);
    let altered = |alter: &dyn Fn(&mut Vec<Value>)| {
        let mut content = body(&honest);
        alter(content["signatures"].as_array_mut().unwrap());
        done(&content)
    };
    let rows = [
        ("fewer", altered(&|all| drop(all.pop()))),
        ("more", altered(&|all| all.push(all[0].clone()))),
        ("in another order", altered(&|all| all.reverse())),
        ("of another amount", altered(&|all| all[0]["amount"] = json!(1_024))),
        ("without a proof", altered(&|all| drop(all[0].as_object_mut().unwrap().remove("dleq")))),
        ("with the proof of another", altered(&|all| all[0]["dleq"] = all[1]["dleq"].clone())),
        ("another's signature", altered(&|all| all[0]["C_"] = all[1]["C_"].clone())),
        ("another keyset", altered(&|all| all[0]["id"] = json!(format!("01{}", "00".repeat(32))))),
    ];
    let before = person.purse.clone();
    for (case, reply) in rows {
        let refused = person.purse.handle(&person.seed, id, &reply, mint.now).unwrap_err();
        assert_eq!(refused.code(), "purse.signature", "{case}");
        assert_eq!(person.purse, before, "{case}");
    }
    for garbage in [&b""[..], b"{}", b"[]", b"{\"signatures\":[{}]}"] {
        let reply = Reply { status: 200, body: garbage.to_vec() };
        let refused = person.purse.handle(&person.seed, id, &reply, mint.now).unwrap_err();
        assert_eq!(refused.code(), "purse.unanswered");
        assert_eq!(person.purse, before);
    }
    person.purse.handle(&person.seed, id, &honest, mint.now).unwrap();
    assert_eq!(person.purse.given(id).unwrap().amount, 18);
}

#[test]
fn a_mint_that_says_spent_of_what_is_not_cannot_make_a_purse_forget_notes() {
    let (mut mint, mut person) = rich();
    let id = paying(&mint, &mut person);
    let spent = json!({"detail": "Proofs already spent", "code": 11001});
    let refused = Reply { status: 400, body: serde_json::to_vec(&spent).unwrap() };
    let progress = person.purse.handle(&person.seed, id, &refused, mint.now).unwrap();
    assert_eq!(progress, Progress::Next);
    // Asked about these notes, it answers about others, or too few.
    let before = person.purse.clone();
    for lie in
        [json!({"states": []}), json!({"states": [{"Y": "02".repeat(33), "state": "SPENT"}]})]
    {
        assert!(person.purse.handle(&person.seed, id, &done(&lie), mint.now).is_err());
        assert_eq!(person.purse, before);
    }
    // The truth is that nothing happened: the notes are back.
    let progress = person.run(id, &mut mint);
    assert!(matches!(progress, Progress::Done(Outcome::Refused(_))), "{progress:?}");
    assert_eq!(person.purse.balance(), 100);
}

#[test]
fn a_restore_takes_no_note_that_was_not_asked_for() {
    let (mut mint, mut person) = rich();
    let stranger = Person::new(2, &mut mint);
    let id = person.purse.restore(MINT, mint.now).unwrap();
    let asked = person.purse.request(&person.seed, id).unwrap();
    let mut content = body(&mint.ask(&asked));
    assert!(!content["outputs"].as_array().unwrap().is_empty());
    let mut other = stranger.purse.clone();
    let theirs = other.restore(MINT, mint.now).unwrap();
    let theirs = other.request(&stranger.seed, theirs).unwrap();
    let theirs: Value = serde_json::from_slice(&theirs.body.unwrap()).unwrap();
    content["outputs"][0] = theirs["outputs"][0].clone();
    let before = person.purse.clone();
    assert!(person.purse.handle(&person.seed, id, &done(&content), mint.now).is_err());
    assert_eq!(person.purse, before);
}

#[test]
fn quotes_that_ask_more_or_lead_elsewhere_are_refused() {
    let (mut mint, mut person) = rich();
    let id = person.purse.redeem(MINT, 10, "7", mint.now).unwrap();
    let request = person.purse.request(&person.seed, id).unwrap();
    for (member, value) in
        [("amount", json!(11)), ("fee_reserve", json!(1)), ("quote", json!("../x"))]
    {
        let mut person = Person { purse: person.purse.clone(), ..Person::new(1, &mut mint) };
        let mut quote = body(&mint.ask(&request));
        quote[member] = value;
        let progress = person.purse.handle(&person.seed, id, &done(&quote), mint.now).unwrap();
        assert!(matches!(progress, Progress::Done(Outcome::Refused(_))), "{member}: {progress:?}");
        assert_eq!(person.purse.balance(), 100);
    }
    let id = person.purse.withdraw(MINT, 10, 50, 0, mint.now).unwrap();
    let request = person.purse.request(&person.seed, id).unwrap();
    for (member, value) in [("amount", json!(11)), ("quote", json!("a/b")), ("quote", json!(""))] {
        let mut quote = body(&mint.ask(&request));
        quote[member] = value;
        assert!(
            person.purse.handle(&person.seed, id, &done(&quote), mint.now).is_err(),
            "{member}"
        );
    }
}
