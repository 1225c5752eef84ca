//! Blind tokens in the purse: a batch is asked for in the same words until it is answered, of published keys alone; a
//! token is spent by a top-up that comes to something, and stays otherwise.
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
use yufu_ecash::message::{
    AuthProof, BlindAuthMintRequest, BlindSignature, ErrorCode, MintQuote, MintQuoteState,
    Signatures,
};
use yufu_ecash::{KeysResponse, KeysetPlan, KeysetSigner, MintKeys, Note};
use yufu_purse::{Outcome, Progress, Purse, Reply, Request, TokensError, Waiting, WithdrawError};

/// When the tokens' keyset ends.
const ENDS: u64 = 2_000_000;

fn keys(generation: u64) -> MintKeys {
    let plan = KeysetPlan {
        unit: "auth".to_owned(),
        generation,
        denominations: 1,
        input_fee_ppk: 0,
        final_expiry: Some(ENDS),
    };
    MintKeys::derive(&[9; 32], &plan).unwrap()
}

fn reply(status: u16, body: &impl serde::Serialize) -> Reply {
    Reply { status, body: serde_json::to_vec(body).unwrap() }
}

fn shown(keys: &MintKeys) -> Reply {
    reply(200, &KeysResponse { keysets: vec![keys.keyset().clone()] })
}

fn refusal(code: ErrorCode) -> Reply {
    reply(400, &json!({"code": code.number(), "detail": "no"}))
}

fn signed(keys: &MintKeys, request: &Request) -> Signatures {
    let asked: BlindAuthMintRequest =
        serde_json::from_slice(request.body.as_ref().unwrap()).unwrap();
    let one = |output: &yufu_ecash::message::BlindedMessage| {
        let promise = keys.sign(1, &output.blinded).unwrap();
        let (signature, dleq) = (promise.signature, Some(promise.dleq));
        BlindSignature { amount: 1, id: output.id, signature, dleq }
    };
    Signatures { signatures: asked.outputs.iter().map(one).collect() }
}

fn begin(person: &mut Person, keys: &MintKeys, count: u32) {
    let published = keys.keyset().id;
    let begun =
        person.purse.begin_tokens(&person.seed, MINT, (&published, count), "access", &shown(keys));
    begun.unwrap();
}

/// Somebody with `count` tokens.
fn with_tokens(count: u32) -> (TestMint, Person) {
    let mut mint = TestMint::new(0);
    let mut person = Person::new(1, &mut mint);
    let keys = keys(7);
    begin(&mut person, &keys, count);
    let request = person.purse.tokens_request(&person.seed, MINT).unwrap();
    let answer = reply(200, &signed(&keys, &request));
    let had = person.purse.take_tokens(&person.seed, MINT, &answer).unwrap();
    assert_eq!(had, usize::try_from(count).unwrap());
    (mint, person)
}

#[test]
fn a_batch_is_asked_for_in_the_same_words_until_it_is_answered_and_goes_with_the_access_token() {
    let mut mint = TestMint::new(0);
    let mut person = Person::new(1, &mut mint);
    let keys = keys(7);
    begin(&mut person, &keys, 10);
    assert_eq!(person.purse.batches().collect::<Vec<_>>(), [MINT]);
    let request = person.purse.tokens_request(&person.seed, MINT).unwrap();
    assert_eq!(request.headers, [("Clear-auth".to_owned(), "access".to_owned())]);
    person.reopened();
    assert_eq!(person.purse.tokens_request(&person.seed, MINT).unwrap(), request);
    // Nobody answered, or something else did.
    for status in [500, 503, 429] {
        let unclear = person.purse.take_tokens(&person.seed, MINT, &reply(status, &Value::Null));
        assert_eq!(unclear, Err(TokensError::Unclear(status)));
    }
    // Signed with other keys, or one too few: not taken, and the batch is kept.
    let mut few = signed(&keys, &request);
    few.signatures.pop();
    for wrong in [signed(&self::keys(8), &request), few] {
        let answer = reply(200, &wrong);
        let refused = person.purse.take_tokens(&person.seed, MINT, &answer);
        assert!(matches!(refused, Err(TokensError::Signature(_))), "{refused:?}");
    }
    let answer = reply(200, &signed(&keys, &request));
    assert_eq!(person.purse.take_tokens(&person.seed, MINT, &answer), Ok(10));
    assert_eq!(person.purse.batches().count(), 0);
    assert_eq!(person.purse.tokens(MINT, mint.now), 10);
    assert_eq!(person.purse.tokens(MINT, ENDS), 0, "they are over with their keyset");
    assert_eq!(person.purse.balance(), 0, "tokens are no money");
    // A refusal ends a batch: another access token is needed.
    begin(&mut person, &keys, 10);
    let refused = refusal(ErrorCode::BlindAuthRateLimited);
    let refused = person.purse.take_tokens(&person.seed, MINT, &refused);
    assert!(matches!(refused, Err(TokensError::Refused(_))), "{refused:?}");
    let gone = person.purse.tokens_request(&person.seed, MINT);
    assert_eq!(gone, Err(TokensError::NoBatch));
}

#[test]
fn tokens_are_taken_of_the_keyset_that_is_published_and_of_no_other() {
    let mut mint = TestMint::new(0);
    let mut person = Person::new(1, &mut mint);
    let (mine, everybodys) = (keys(1), keys(2));
    let published = everybodys.keyset().id;
    let begun =
        person.purse.begin_tokens(&person.seed, MINT, (&published, 10), "access", &shown(&mine));
    assert_eq!(begun, Err(TokensError::NotPublished));
    let both = vec![everybodys.keyset().clone(), mine.keyset().clone()];
    let both = reply(200, &KeysResponse { keysets: both });
    let begun = person.purse.begin_tokens(&person.seed, MINT, (&published, 10), "access", &both);
    assert_eq!(begun, Err(TokensError::NotPublished));
    assert_eq!(Purse::ask_token_keys().path, "/v1/auth/blind/keys");
}

#[test]
fn a_token_goes_with_the_quote_and_is_spent_when_the_notes_are_there() {
    let (mut mint, mut person) = with_tokens(2);
    let id = person.purse.top_up(MINT, 100, 50, 0, mint.now).unwrap();
    assert_eq!(person.purse.tokens(MINT, mint.now), 1);
    let request = person.purse.request(&person.seed, id).unwrap();
    assert_eq!(request.path, "/v1/mint/quote/cash");
    let [(name, header)] = request.headers.as_slice() else { panic!("one header") };
    assert_eq!(name, "Blind-auth");
    let token = AuthProof::from_header(header).unwrap();
    assert_eq!(token.dleq, None, "nothing that leads to the batch goes along");
    let hashed = token.to_proof().hashed().unwrap();
    let note = Note { amount: 1, hashed, signature: token.signature };
    assert_eq!(keys(7).verify(&[note], &[1]).unwrap(), Vec::<usize>::new());
    person.reopened();
    assert_eq!(person.purse.request(&person.seed, id).unwrap(), request, "the same every time");

    // The mint of these tests has one way; the quote and what follows are as for an account.
    let as_bank = |request: &Request| {
        let path = request.path.replace("/cash", "/bank");
        Request { path, headers: Vec::new(), ..request.clone() }
    };
    let step = |person: &mut Person, mint: &mut TestMint| {
        let request = person.purse.request(&person.seed, id).unwrap();
        let answer = mint.ask(&as_bank(&request));
        person.purse.handle(&person.seed, id, &answer, mint.now).unwrap()
    };
    let waiting = step(&mut person, &mut mint);
    let Progress::Waiting(Waiting::Funding { quote, cash: true, .. }) = waiting else {
        panic!("{waiting:?}")
    };
    mint.fund(&quote, 9);
    assert_eq!(step(&mut person, &mut mint), Progress::Next);
    assert_eq!(step(&mut person, &mut mint), Progress::Done(Outcome::Withdrawn(100)));
    assert_eq!((person.purse.balance(), person.purse.tokens(MINT, mint.now)), (100, 1));
}

#[test]
fn a_token_stays_if_its_quote_is_refused_or_lapses_and_goes_if_the_mint_does_not_take_it() {
    for (code, left) in [
        (ErrorCode::AmountOutsideLimits, 1),
        (ErrorCode::MintingDisabled, 1),
        (ErrorCode::BlindAuthFailed, 0),
    ] {
        let (mint, mut person) = with_tokens(1);
        let id = person.purse.top_up(MINT, 100, 50, 0, mint.now).unwrap();
        let done = person.purse.handle(&person.seed, id, &refusal(code), mint.now).unwrap();
        assert!(matches!(done, Progress::Done(Outcome::Refused(_))), "{done:?}");
        assert_eq!(person.purse.tokens(MINT, mint.now), left, "{code:?}");
    }
    let (mint, mut person) = with_tokens(1);
    let id = person.purse.top_up(MINT, 100, 50, 0, mint.now).unwrap();
    let none = person.purse.top_up(MINT, 100, 50, 0, mint.now);
    assert_eq!(none, Err(WithdrawError::NoToken), "it is in use");
    let quote = MintQuote {
        quote: "q".to_owned(),
        request: "r".to_owned(),
        method: None,
        amount: Some(100),
        unit: "xts".to_owned(),
        state: Some(MintQuoteState::Unpaid),
        amount_paid: None,
        amount_issued: None,
        updated_at: None,
        expiry: Some(mint.now + 60),
        pubkey: None,
    };
    person.purse.handle(&person.seed, id, &reply(200, &quote), mint.now).unwrap();
    let late = mint.now + 61;
    let lapsed = person.purse.handle(&person.seed, id, &reply(200, &quote), late).unwrap();
    assert_eq!(lapsed, Progress::Done(Outcome::Lapsed));
    assert_eq!(person.purse.tokens(MINT, late), 1, "the bank lets go of it, and so does the quote");
    assert_eq!(person.purse.top_up(MINT, 100, 50, 0, ENDS), Err(WithdrawError::NoToken));
}
