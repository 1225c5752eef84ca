//! Withdrawing, paying, receiving, redeeming, restoring: against the rules of the mint.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "test code"
)]

mod support;

use support::{MINT, Person, TestMint};
use yufu_ecash::spend::Lock;
use yufu_ecash::{PaymentRequest, Point, RequestedLock, Token};
use yufu_purse::delay::MOST_REST;
use yufu_purse::{
    CHECKED_AT_ONCE, OfflineRefusal, OfflineTerms, Outcome, PayError, PayTerms, Progress, Purse,
    ReceiveError, RedeemError, Standing, Waiting,
};

fn rested(mint: &mut TestMint) {
    mint.now += MOST_REST;
}

/// Somebody with 100 that have rested, and somebody with nothing.
fn two(fee: u64) -> (TestMint, Person, Person) {
    let mut mint = TestMint::new(fee);
    let mut payer = Person::new(1, &mut mint);
    let payee = Person::new(2, &mut mint);
    payer.withdraw(100, &mut mint);
    rested(&mut mint);
    (mint, payer, payee)
}

fn to_bearer(amount: u64) -> PayTerms {
    PayTerms::to_bearer(MINT.to_owned(), amount)
}

fn pay(payer: &mut Person, terms: PayTerms, mint: &mut TestMint) -> Token {
    let id = payer.purse.pay(&payer.seed, terms, mint.now).unwrap();
    let left = payer.run(id, mint);
    assert!(matches!(left, Progress::Waiting(Waiting::Taking { .. })), "{left:?}");
    let text = payer.purse.handing(id).unwrap().text().unwrap();
    Token::parse(&text).unwrap()
}

fn receive(payee: &mut Person, token: &Token, mint: &mut TestMint) -> Progress {
    let id = payee.purse.receive(&payee.seed, token, None, mint.now).unwrap();
    payee.run(id, mint)
}

#[test]
fn withdrawn_notes_rest_and_are_spent_before_only_in_a_hurry() {
    let mut mint = TestMint::new(0);
    let mut payer = Person::new(1, &mut mint);
    payer.withdraw(100, &mut mint);
    let refused = payer.purse.pay(&payer.seed, to_bearer(18), mint.now).unwrap_err();
    let rested_at = Some(mint.now + 3_600);
    assert_eq!(refused, PayError::Insufficient { ready: 0, resting: 100, rested_at });
    let hurry = PayTerms { hurry: true, ..to_bearer(18) };
    payer.purse.pay(&payer.seed, hurry, mint.now).unwrap();
}

#[test]
fn what_is_paid_is_received_and_redeemed_and_nothing_is_made_or_lost() {
    for fee in [0, 100, 1000] {
        let (mut mint, mut payer, mut payee) = two(fee);
        let token = pay(&mut payer, to_bearer(18), &mut mint);
        assert_eq!(token.total().unwrap(), 18);
        assert!(token.notes.iter().all(|note| note.dleq.is_none() && note.witness.is_none()));
        let Progress::Done(Outcome::Received(received)) = receive(&mut payee, &token, &mut mint)
        else {
            panic!("not received");
        };
        let id = payee.purse.redeem(MINT, 10, "7", mint.now).unwrap();
        assert_eq!(payee.run(id, &mut mint), Progress::Done(Outcome::Redeemed(10)), "fee {fee}");
        assert_eq!(mint.redeemed[&7], 10);
        let held = u128::from(payer.purse.balance()) + u128::from(payee.purse.balance());
        assert_eq!(held, mint.outstanding(), "fee {fee}");
        if fee == 0 {
            assert_eq!((received, payer.purse.balance(), payee.purse.balance()), (18, 82, 8));
        }
        let given = payer.purse.under_way().next().unwrap();
        let done = payer.run(given, &mut mint);
        assert!(matches!(done, Progress::Done(Outcome::Taken { amount: 18, .. })), "{done:?}");
    }
}

#[test]
fn a_token_received_twice_is_lost_to_the_second() {
    let (mut mint, mut payer, mut payee) = two(0);
    let token = pay(&mut payer, to_bearer(18), &mut mint);
    receive(&mut payee, &token, &mut mint);
    let mut late = Person::new(3, &mut mint);
    assert_eq!(receive(&mut late, &token, &mut mint), Progress::Done(Outcome::Lost(18)));
    assert_eq!(late.purse.balance(), 0);
}

#[test]
fn what_nobody_takes_is_taken_back_and_what_was_taken_is_not() {
    let (mut mint, mut payer, mut payee) = two(0);
    let id = payer.purse.pay(&payer.seed, to_bearer(18), mint.now).unwrap();
    payer.run(id, &mut mint);
    let token = payer.purse.handing(id).unwrap().token;
    assert!(payer.purse.take_back(&payer.seed, id, mint.now));
    assert_eq!(payer.run(id, &mut mint), Progress::Done(Outcome::TakenBack(18)));
    assert_eq!(payer.purse.balance(), 100);
    assert_eq!(receive(&mut payee, &token, &mut mint), Progress::Done(Outcome::Lost(18)));
    let id = payer.purse.pay(&payer.seed, to_bearer(18), mint.now).unwrap();
    payer.run(id, &mut mint);
    let token = payer.purse.handing(id).unwrap().token;
    receive(&mut payee, &token, &mut mint);
    assert!(payer.purse.take_back(&payer.seed, id, mint.now));
    let done = payer.run(id, &mut mint);
    assert!(matches!(done, Progress::Done(Outcome::Taken { amount: 18, .. })), "{done:?}");
}

fn locked(payee: &mut Person, amount: u64, until: u64) -> (PayTerms, Point) {
    let key = payee.purse.fresh_key(&payee.seed).unwrap();
    (PayTerms::to_key(MINT.to_owned(), amount, key, until), key)
}

#[test]
fn what_a_payee_without_network_and_its_mint_put_together_is_a_swap_and_no_withdrawal() {
    let (mut mint, mut payer, mut till) = two(0);
    // 4 is among the notes that were withdrawn, and is changed all the same.
    let (terms, _) = locked(&mut till, 4, mint.now + 1_000);
    let token = pay(&mut payer, terms, &mut mint);
    let unlocked = PayTerms { offline: true, ..to_bearer(32) };
    let unlocked = pay(&mut payer, unlocked, &mut mint);
    for note in token.notes.iter().chain(&unlocked.notes) {
        let factor = &note.dleq.as_ref().unwrap().r;
        let blinded = yufu_ecash::blind(note.secret.as_bytes(), factor).unwrap();
        let signed = mint.log.iter().find(|seen| seen.blinded.contains(&blinded)).unwrap();
        assert_eq!(signed.what, "swap");
    }
}

#[test]
fn states_are_asked_for_a_few_notes_at_once_and_not_again_for_spent_ones() {
    let (mut mint, mut payer, mut payee) = two(0);
    payer.withdraw(163, &mut mint);
    rested(&mut mint);
    // 255 is in eight notes.
    let terms = to_bearer(255);
    let id = payer.purse.pay(&payer.seed, terms, mint.now).unwrap();
    payer.run(id, &mut mint);
    let handing = payer.purse.handing(id).unwrap();
    receive(&mut payee, &handing.token, &mut mint);
    let mut rounds = 0;
    while payer.purse.given(id).is_some() {
        payer.run(id, &mut mint);
        rounds += 1;
    }
    let asked: Vec<usize> =
        mint.log.iter().filter(|s| s.what == "states").map(|s| s.asked).collect();
    assert!(asked.iter().all(|count| *count <= CHECKED_AT_ONCE), "{asked:?}");
    assert_eq!((rounds, asked.iter().sum::<usize>()), (2, handing.token.notes.len()));
}

#[test]
fn a_lock_is_on_notes_of_a_swap_alone_with_a_fresh_refund_key_each_time() {
    let (mut mint, mut payer, mut payee) = two(0);
    let until = mint.now + 1_000;
    let mut refunds = Vec::new();
    for _ in 0..2 {
        let before = mint.log.iter().filter(|seen| seen.what == "swap").count();
        // 4 is among the notes of 100, and is changed all the same.
        let (terms, key) = locked(&mut payee, 4, until);
        let token = pay(&mut payer, terms, &mut mint);
        assert_eq!(mint.log.iter().filter(|seen| seen.what == "swap").count(), before + 1);
        let lock = Lock::parse(&token.notes[0].secret).unwrap().unwrap();
        assert_eq!((lock.receivers.keys, lock.locktime), (vec![key], Some(until)));
        refunds.extend(lock.refund.keys);
        let mut thief = Person::new(3, &mut mint);
        let refused = thief.purse.receive(&thief.seed, &token, None, mint.now).unwrap_err();
        assert_eq!(refused, ReceiveError::NotOurs(0));
        assert_eq!(receive(&mut payee, &token, &mut mint), Progress::Done(Outcome::Received(4)));
    }
    assert_eq!(refunds.len(), 2);
    assert_ne!(refunds[0], refunds[1]);
}

#[test]
fn a_locked_note_comes_back_after_its_time_and_not_before() {
    let (mut mint, mut payer, mut payee) = two(0);
    let until = mint.now + 1_000;
    let (terms, _) = locked(&mut payee, 5, until);
    let id = payer.purse.pay(&payer.seed, terms, mint.now).unwrap();
    payer.run(id, &mut mint);
    assert!(!payer.purse.take_back(&payer.seed, id, until));
    assert_eq!(payer.purse.given(id).unwrap().refundable_after, Some(until));
    mint.now = until + 1;
    assert!(payer.purse.take_back(&payer.seed, id, mint.now));
    assert_eq!(payer.run(id, &mut mint), Progress::Done(Outcome::TakenBack(5)));
    assert_eq!(payer.purse.balance(), 100);
}

#[test]
fn a_hash_lock_opens_with_its_preimage_which_the_payer_learns() {
    let (mut mint, mut payer, mut payee) = two(0);
    let (preimage, key) = ([9; 32], payee.purse.fresh_key(&payee.seed).unwrap());
    let hash = yufu_jose::sha256(&preimage);
    let until = mint.now + 1_000;
    let terms = PayTerms::to_hash(MINT.to_owned(), 6, hash, Some(key), until);
    let token = pay(&mut payer, terms, &mut mint);
    let refused = payee.purse.receive(&payee.seed, &token, None, mint.now).unwrap_err();
    assert_eq!(refused, ReceiveError::Hash(0));
    let id = payee.purse.receive(&payee.seed, &token, Some(preimage), mint.now).unwrap();
    assert_eq!(payee.run(id, &mut mint), Progress::Done(Outcome::Received(6)));
    let given = payer.purse.under_way().next().unwrap();
    let shown = Some("09".repeat(32));
    let done = payer.run(given, &mut mint);
    assert_eq!(done, Progress::Done(Outcome::Taken { amount: 6, preimage: shown }));
}

#[test]
fn a_withdrawal_whose_order_was_refused_is_given_up_and_one_that_was_paid_is_not() {
    let (mut mint, mut payer, _) = two(0);
    let begin = |payer: &mut Person, mint: &mut TestMint| {
        let id = payer.purse.withdraw(MINT, 50, 50, 0, mint.now).unwrap();
        assert!(!payer.purse.give_up(id), "there is no quote yet");
        let request = payer.purse.request(&payer.seed, id).unwrap();
        let quoted = payer.purse.handle(&payer.seed, id, &mint.ask(&request), mint.now).unwrap();
        let Progress::Waiting(Waiting::Funding { quote, .. }) = quoted else {
            panic!("{quoted:?}")
        };
        (id, quote)
    };
    let (refused, _) = begin(&mut payer, &mut mint);
    assert!(payer.purse.give_up(refused));
    assert_eq!(payer.purse.under_way().count(), 0);
    let (paid, quote) = begin(&mut payer, &mut mint);
    mint.fund(&quote, payer.account);
    let request = payer.purse.request(&payer.seed, paid).unwrap();
    let answer = mint.ask(&request);
    assert_eq!(payer.purse.handle(&payer.seed, paid, &answer, mint.now), Ok(Progress::Next));
    assert!(!payer.purse.give_up(paid));
    assert_eq!(payer.run(paid, &mut mint), Progress::Done(Outcome::Withdrawn(50)));
}

#[test]
fn whoever_takes_back_too_late_still_learns_the_preimage() {
    let (mut mint, mut payer, mut payee) = two(0);
    let (preimage, until) = ([9; 32], mint.now + 1_000);
    let hash = yufu_jose::sha256(&preimage);
    let terms = PayTerms::to_hash(MINT.to_owned(), 6, hash, None, until);
    let token = pay(&mut payer, terms, &mut mint);
    mint.now = until + 1;
    let id = payee.purse.receive(&payee.seed, &token, Some(preimage), mint.now).unwrap();
    assert_eq!(payee.run(id, &mut mint), Progress::Done(Outcome::Received(6)));
    let given = payer.purse.under_way().next().unwrap();
    assert!(payer.purse.take_back(&payer.seed, given, mint.now));
    let shown = Some("09".repeat(32));
    let done = payer.run(given, &mut mint);
    assert_eq!(done, Progress::Done(Outcome::Taken { amount: 6, preimage: shown }));
}

#[test]
fn a_payment_request_is_paid_as_it_asks() {
    let (mut mint, mut payer, mut payee) = two(0);
    let key = payee.purse.fresh_key(&payee.seed).unwrap();
    let tags = vec![
        vec!["sigflag".to_owned(), "SIG_INPUTS".to_owned()],
        vec!["locktime".to_owned(), (mint.now + 500).to_string()],
    ];
    let lock = RequestedLock { kind: "P2PK".to_owned(), data: key.to_hex(), tags };
    let request = PaymentRequest {
        id: Some("table 4".to_owned()),
        amount: Some(18),
        unit: Some("xts".to_owned()),
        mints: vec![format!("{MINT}/")],
        lock: Some(lock),
        ..PaymentRequest::default()
    };
    let request = PaymentRequest::parse(&request.to_text().unwrap()).unwrap();
    let terms = payer.purse.terms_of(&request, None, mint.now + 900, mint.now).unwrap();
    let id = payer.purse.pay(&payer.seed, terms, mint.now).unwrap();
    payer.run(id, &mut mint);
    let handing = payer.purse.handing(id).unwrap();
    request.check(&handing.payment).unwrap();
    assert!(handing.token.notes.iter().all(|note| note.dleq.is_none()), "proofs unmask");
    receive(&mut payee, &handing.token, &mut mint);
    assert_eq!(payee.purse.balance(), 18);
    // Whoever asks without network gets proofs along.
    let offline = PaymentRequest { offline: true, ..request.clone() };
    let offline = PaymentRequest::parse(&offline.to_text().unwrap()).unwrap();
    let terms = payer.purse.terms_of(&offline, None, mint.now + 900, mint.now).unwrap();
    let token = pay(&mut payer, terms, &mut mint);
    assert!(token.notes.iter().all(|note| note.dleq.is_some()));
    let other = PaymentRequest { mints: vec!["https://other.example".to_owned()], ..request };
    assert!(payer.purse.terms_of(&other, None, 0, mint.now).is_err());
}

const TILL: OfflineTerms = OfflineTerms { margin: 100, risk_limit: 0 };

#[test]
fn without_network_a_note_locked_to_the_till_is_pending_until_it_is_collected() {
    let (mut mint, mut payer, mut till) = two(0);
    let until = mint.now + 1_000;
    let (terms, _) = locked(&mut till, 5, until);
    let token = pay(&mut payer, terms, &mut mint);
    assert!(token.notes.iter().all(|note| note.dleq.is_some()));
    assert_eq!(till.purse.take_offline(&till.seed, &token, TILL, mint.now), Ok(5));
    till.reopened();
    for note in till.purse.offline() {
        assert_eq!(note.standing(mint.now), Standing::Pending { until });
        assert_eq!(note.standing(until + 1), Standing::AtRisk { since: Some(until) });
    }
    let again = till.purse.take_offline(&till.seed, &token, TILL, mint.now).unwrap_err();
    assert!(matches!(again, OfflineRefusal::Receive(ReceiveError::Repeated(0))), "{again:?}");
    let [id] = till.purse.collect(&till.seed, mint.now)[..] else { panic!("one token") };
    assert_eq!(till.run(id, &mut mint), Progress::Done(Outcome::Received(5)));
    assert_eq!((till.purse.balance(), till.purse.offline().len()), (5, 0));
    let again = till.purse.take_offline(&till.seed, &token, TILL, mint.now).unwrap_err();
    assert!(
        matches!(again, OfflineRefusal::Seen(0)),
        "what was collected is remembered: {again:?}"
    );
}

#[test]
fn without_network_a_till_refuses_what_it_cannot_be_sure_of() {
    let (mut mint, mut payer, mut till) = two(0);
    let take = |till: &mut Person, token: &Token, terms, now| {
        till.purse.take_offline(&till.seed, token, terms, now).unwrap_err()
    };
    let bare = pay(&mut payer, to_bearer(5), &mut mint);
    assert!(matches!(take(&mut till, &bare, TILL, mint.now), OfflineRefusal::NoProof(0)));
    let unlocked = PayTerms { offline: true, ..to_bearer(5) };
    let unlocked = pay(&mut payer, unlocked, &mut mint);
    let refused = take(&mut till, &unlocked, TILL, mint.now);
    assert_eq!(refused, OfflineRefusal::Risk { unlocked: 5, limit: 0 });
    let limited = OfflineTerms { risk_limit: 6, ..TILL };
    assert_eq!(till.purse.take_offline(&till.seed, &unlocked, limited, mint.now), Ok(5));
    assert_eq!(till.purse.offline()[0].standing(mint.now), Standing::AtRisk { since: None });
    let more = PayTerms { offline: true, ..to_bearer(2) };
    let more = pay(&mut payer, more, &mut mint);
    let refused = take(&mut till, &more, limited, mint.now);
    assert_eq!(refused, OfflineRefusal::Risk { unlocked: 7, limit: 6 }, "the limit is of all held");
    let (soon, _) = locked(&mut till, 3, mint.now + 99);
    let soon = pay(&mut payer, soon, &mut mint);
    let until = mint.now + 99;
    assert_eq!(take(&mut till, &soon, TILL, mint.now), OfflineRefusal::TooSoon { note: 0, until });
    let (ending, _) = locked(&mut till, 3, 6_000_000);
    let ending = pay(&mut payer, ending, &mut mint);
    let refused = take(&mut till, &ending, TILL, 4_999_950);
    assert_eq!(refused, OfflineRefusal::Ending { note: 0, at: 5_000_000 }, "so does the keyset");
    let mut other = Person::new(3, &mut mint);
    let (elsewhere, _) = locked(&mut other, 3, mint.now + 1_000);
    let elsewhere = pay(&mut payer, elsewhere, &mut mint);
    assert_eq!(take(&mut till, &elsewhere, TILL, mint.now), OfflineRefusal::Lock(0));
    let (terms, _) = locked(&mut till, 3, mint.now + 1_000);
    let mut forged = pay(&mut payer, terms, &mut mint);
    forged.notes[0].amount *= 2;
    let refused = take(&mut till, &forged, TILL, mint.now);
    assert_eq!(refused, OfflineRefusal::Receive(ReceiveError::Forged(0)));
}

#[test]
fn notes_of_a_keyset_that_signs_no_more_are_renewed_and_their_end_is_shown() {
    let (mut mint, mut payer, _) = two(0);
    let old = payer.purse.expiring();
    assert_eq!((old.len(), old[0].amount, old[0].at), (1, 100, 5_000_000));
    let new = mint.rotate();
    payer.learn(&mut mint);
    let now = mint.now;
    let id = payer.purse.renew(&payer.seed, MINT, 0, now).unwrap().unwrap();
    assert_eq!(payer.run(id, &mut mint), Progress::Done(Outcome::Renewed(100)));
    let expiring = payer.purse.expiring();
    assert_eq!((expiring[0].keyset, expiring[0].at), (new, 9_000_000));
    assert_eq!(payer.purse.renew(&payer.seed, MINT, 0, now), Ok(None));
}

#[test]
fn a_seed_alone_brings_back_what_is_unspent_and_a_backup_must_ask_first() {
    let (mut mint, mut payer, mut payee) = two(0);
    let backup = payer.purse.clone();
    let token = pay(&mut payer, to_bearer(18), &mut mint);
    receive(&mut payee, &token, &mut mint);
    let mut lost = Person::new(1, &mut mint);
    let id = lost.purse.restore(MINT, mint.now).unwrap();
    assert_eq!(lost.run(id, &mut mint), Progress::Done(Outcome::Restored(82)));
    assert_eq!(lost.ready(mint.now), 82);
    // What is withdrawn next uses no secret again.
    lost.withdraw(50, &mut mint);
    lost.purse = backup;
    lost.purse.came_from_backup();
    let refused = lost.purse.pay(&lost.seed, to_bearer(1), mint.now).unwrap_err();
    assert!(matches!(refused, PayError::FromBackup(_)));
    let id = lost.purse.restore(MINT, mint.now).unwrap();
    assert_eq!(lost.run(id, &mut mint), Progress::Done(Outcome::Restored(132)));
    pay(&mut lost, to_bearer(1), &mut mint);
}

#[test]
fn no_more_notes_are_spent_at_once_than_a_mint_takes() {
    let mut mint = TestMint::new(0);
    let mut shop = Person::new(1, &mut mint);
    for _ in 0..2 {
        let id = shop.purse.withdraw(MINT, 150, 1, 0, mint.now).unwrap();
        shop.run(id, &mut mint);
    }
    rested(&mut mint);
    let refused = shop.purse.redeem(MINT, 201, "7", mint.now).unwrap_err();
    assert_eq!(refused, RedeemError::Amount { amount: 201, held: 300 });
    assert!(shop.purse.pay(&shop.seed, to_bearer(201), mint.now).is_err());
    let id = shop.purse.redeem(MINT, 200, "7", mint.now).unwrap();
    assert_eq!(shop.run(id, &mut mint), Progress::Done(Outcome::Redeemed(200)));
}

#[test]
fn a_mint_that_moves_keeps_its_notes_and_what_is_under_way() {
    let (mut mint, mut payer, mut payee) = two(0);
    let id = payer.purse.pay(&payer.seed, to_bearer(18), mint.now).unwrap();
    let there = "https://elsewhere.example/mint";
    payer.purse.moved(MINT, &format!("{there}/"));
    assert_eq!(payer.purse.mint_of(id), Some(there));
    payer.run(id, &mut mint);
    let token = payer.purse.handing(id).unwrap().token;
    assert_eq!(token.mint, there);
    assert!(payee.purse.receive(&payee.seed, &token, None, mint.now).is_err(), "not known there");
    payee.purse.moved(MINT, there);
    assert_eq!(receive(&mut payee, &token, &mut mint), Progress::Done(Outcome::Received(18)));
    let holdings = payer.purse.holdings(mint.now);
    assert_eq!((holdings.len(), holdings[0].mint.as_str(), holdings[0].ready), (1, there, 82));
}

#[test]
fn keysets_that_are_not_published_or_too_little_used_are_refused() {
    let mut mint = TestMint::new(0);
    let mut published = mint.published();
    let list = mint.ask(&Purse::ask_keysets());
    let mut purse = Purse::default();
    published.least_outputs = 10;
    let learnt = purse.take_keysets(MINT, "xts", &published, &list).unwrap();
    assert_eq!(learnt.refused[0].code(), "purse.keyset_too_new");
    published.keysets.clear();
    let learnt = purse.take_keysets(MINT, "xts", &published, &list).unwrap();
    assert_eq!((learnt.refused[0].code(), learnt.wanted.len()), ("purse.keyset_unpublished", 0));
    assert!(!purse.knows(MINT));
    assert!(purse.withdraw(MINT, 5, 50, 0, mint.now).is_err());
    // Keys that come all the same are not taken either.
    let id = mint.published().keysets.into_keys().next().unwrap();
    let request = yufu_purse::Request::get(format!("/v1/keys/{id}"));
    let keys = mint.ask(&request);
    let refused = purse.take_keys(MINT, &published, &keys).unwrap_err();
    assert_eq!(refused.code(), "purse.keyset_unpublished");
}
