//! Bearer notes against the real binary: withdrawn, swapped, paid to another bank's customer, redeemed; the same
//! answer to the same request also after a kill; and every attack refused with the protocol's number.
#![allow(
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "test code: a wrong fixture is to fail loudly"
)]

mod support;

use serde_json::{Value, json};
use std::sync::Arc;
use support::notes::{self, MintOf, split};
use support::{Account, Caller, Data, JIANGCHENG, LIANGHU, Server, run};
use tokio::sync::Semaphore;
use yufu_ecash::message::{Proof, sign_quote};
use yufu_ecash::{KeysetPlan, KeysetSigner as _, MintKeys, SecretScalar, blind, unblind};
use yufu_keys::random;

const BINARY: &str = env!("CARGO_BIN_EXE_yufu");
const FUNDS: u64 = 10_000_000;

/// A running city with two funded accounts at two banks, and both mints.
struct City {
    data: Data,
    server: Server,
    caller: Caller,
    payer: Account,
    shop: Account,
    mint: MintOf,
    other: MintOf,
}

impl City {
    async fn start() -> Self {
        let data = Data::new();
        let server = Server::start(&data);
        let caller = server.caller();
        let payer = caller.business(JIANGCHENG, FUNDS).await;
        let shop = caller.business(LIANGHU, 0).await;
        let mint = MintOf::at(&caller, JIANGCHENG).await;
        let other = MintOf::at(&caller, LIANGHU).await;
        Self { data, server, caller, payer, shop, mint, other }
    }

    async fn withdraw(&self, amounts: &[u64]) -> Vec<Proof> {
        self.mint.withdraw(&self.caller, &self.payer, amounts).await
    }

    /// After a kill, on the same state.
    fn restarted(self) -> Self {
        self.server.kill();
        let server = Server::start(&self.data);
        let caller = server.caller();
        Self { server, caller, ..self }
    }

    fn passes_the_audit(self) -> Value {
        self.server.kill();
        let audited = run(&["audit", "--json", "--data", self.data.path().to_str().unwrap()]);
        assert!(audited.status.success(), "{audited:?}");
        serde_json::from_slice(&audited.stdout).unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn money_becomes_notes_changes_hands_and_comes_back_and_every_fen_is_accounted_for() {
    let city = City::start().await;
    let City { caller, payer, shop, mint, other, .. } = &city;
    let quote = mint.quote(caller, 1_800).await;
    assert_eq!(quote["state"], "UNPAID");
    let early = json!({"quote": quote["quote"], "outputs": mint.blank(&split(1_800)).messages});
    mint.post(caller, "mint/bank", &early).await.mint_refused("unpaid", 20001);
    mint.fund(caller, payer, &quote).await.done();
    let path = mint.path(&format!("mint/quote/bank/{}", quote["quote"].as_str().unwrap()));
    assert_eq!(caller.get(&path, None).await.done()["state"], "PAID");
    assert_eq!(caller.balance(payer).await, FUNDS, "nothing has moved yet");
    let blank = mint.blank(&split(1_800));
    let asked = json!({"quote": quote["quote"], "outputs": blank.messages});
    let made = mint.post(caller, "mint/bank", &asked).await.done();
    let notes = mint.notes(&blank, &made["signatures"]);
    assert_eq!(caller.get(&path, None).await.done()["state"], "ISSUED");
    assert_eq!(caller.balance(payer).await, FUNDS - 1_800);
    assert_eq!(caller.supply().await["digital_in_notes"], 1_800);

    // A mint looks for keysets that it does not know at most every two seconds.
    tokio::time::sleep(std::time::Duration::from_secs(3)).await;
    // Swapped at the other bank for its own notes: settled between the banks in the same command.
    let blank = other.blank(&split(1_800));
    let swapped = other.swap(caller, &notes, &blank).await.done();
    let theirs = other.notes(&blank, &swapped["signatures"]);
    let again = other.swap(caller, &notes, &blank).await.done();
    assert_eq!(again, swapped, "asked once more, it signs the same");
    let used = mint.swap(caller, &notes, &mint.blank(&split(1_800))).await;
    used.mint_refused("spent at the other bank", 11001);

    // Paid into the shop's account; what is too much comes back as notes.
    let quote = other.melt_quote(caller, shop, 1_750).await;
    let blank = other.blank(&[1; 4]);
    let asked = json!({"quote": quote["quote"], "inputs": theirs, "outputs": blank.messages});
    let paid = other.post(caller, "melt/bank", &asked).await.done();
    assert_eq!(paid["state"], "PAID");
    assert_eq!(caller.balance(shop).await, 1_750);
    let change: u64 =
        paid["change"].as_array().unwrap().iter().map(|c| c["amount"].as_u64().unwrap()).sum();
    assert_eq!(change, 50);
    assert_eq!(other.post(caller, "melt/bank", &asked).await.done(), paid);
    assert_eq!(caller.supply().await["digital_in_notes"], 50);
    assert_eq!(caller.supply().await["balanced"], true);

    let published = caller.get("/central-bank/v1/keysets", None).await.done();
    assert_eq!(published["statement"].as_str().unwrap().split('.').count(), 3);
    let report = city.passes_the_audit();
    let out = |bank: &str| {
        let all = report["keysets"].as_array().unwrap().iter();
        let own = all.filter(|keyset| keyset["bank"] == bank);
        own.map(|k| k["outstanding"].as_str().unwrap().parse::<u64>().unwrap()).sum::<u64>()
    };
    assert_eq!((out(JIANGCHENG), out(LIANGHU)), (0, 50));
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_kill_the_same_request_has_the_same_answer_and_signatures_are_restored() {
    let city = City::start().await;
    let quote = city.mint.quote(&city.caller, 96).await;
    city.mint.fund(&city.caller, &city.payer, &quote).await.done();
    let blank = city.mint.blank(&[64, 32]);
    let minting = json!({"quote": quote["quote"], "outputs": blank.messages});
    let made = city.mint.post(&city.caller, "mint/bank", &minting).await.done();
    let notes = city.mint.notes(&blank, &made["signatures"]);
    let halves = city.mint.blank(&[32, 32]);
    let swapped = city.mint.swap(&city.caller, &notes[..1], &halves).await.done();
    let quote = city.mint.melt_quote(&city.caller, &city.shop, 32).await;
    let melted = city.mint.melt(&city.caller, &quote, &notes[1..]).await.done();

    let city = city.restarted();
    let City { caller, mint, .. } = &city;
    assert_eq!(mint.post(caller, "mint/bank", &minting).await.done(), made);
    assert_eq!(mint.swap(caller, &notes[..1], &halves).await.done(), swapped);
    assert_eq!(mint.melt(caller, &quote, &notes[1..]).await.done(), melted);
    let lost = mint.blank(&[8]);
    let asked: Vec<_> = halves.messages.iter().chain(&lost.messages).collect();
    let restored = mint.post(caller, "restore", &json!({"outputs": asked})).await.done();
    assert_eq!(restored["outputs"], json!(halves.messages));
    assert_eq!(restored["signatures"], swapped["signatures"]);
    let fresh = mint.notes(&halves, &swapped["signatures"]);
    let points: Vec<_> = notes.iter().chain(&fresh).map(|note| note.hashed().unwrap()).collect();
    let states = mint.post(caller, "checkstate", &json!({"Ys": points})).await.done();
    let states: Vec<_> =
        states["states"].as_array().unwrap().iter().map(|one| one["state"].clone()).collect();
    assert_eq!(states, ["SPENT", "SPENT", "UNSPENT", "UNSPENT"]);
    city.passes_the_audit();
}

/// Tries to spend a note in one round, of which one may succeed.
const RACERS: usize = 96;
const NOTES: usize = 24;
/// Tries under way at once.
const TOGETHER: usize = 192;

/// `YUFU_DOUBLE_SPENDS` sets another number of tries than one round's for a long run by hand.
#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_spend_a_note_at_once_exactly_one_does_and_a_restart_forgets_nothing() {
    let mut city = City::start().await;
    let wanted = std::env::var("YUFU_DOUBLE_SPENDS").map_or(1, |tries| tries.parse().unwrap());
    let rounds = usize::div_ceil(wanted, RACERS * NOTES);
    for round in 1..=rounds {
        let notes = city.withdraw(&[4; NOTES]).await;
        race_for(&city, &notes).await;
        if round % 50 == 1 {
            city = city.restarted();
        }
        for note in &notes {
            let (note, blank) = (std::slice::from_ref(note), city.mint.blank(&[4]));
            let refused = city.mint.swap(&city.caller, note, &blank).await;
            refused.mint_refused("afterwards", 11001);
        }
        if rounds > 1 {
            println!("round {round} of {rounds}: {} tries", round * RACERS * NOTES);
        }
    }
    let report = city.passes_the_audit();
    assert_eq!(report["keysets"][0]["redeemed"], (4 * NOTES * rounds).to_string());
}

/// Spends each note many times at once, by swaps and by melts of one quote: each is spent once.
async fn race_for(city: &City, notes: &[Proof]) {
    let quote = city.mint.melt_quote(&city.caller, &city.shop, 4).await;
    let turns = Arc::new(Semaphore::new(TOGETHER));
    let mut races = Vec::new();
    for note in notes {
        for racer in 0..RACERS {
            let (caller, bank) = (city.caller.clone(), city.mint.bank);
            // Some melt while others swap.
            let body = if melts(racer) {
                ("melt/bank", json!({"quote": quote["quote"], "inputs": [note]}))
            } else {
                let blank = city.mint.blank(&[4]);
                ("swap", json!({"inputs": [note], "outputs": blank.messages}))
            };
            let turns = Arc::clone(&turns);
            races.push(tokio::spawn(async move {
                let _turn = turns.acquire().await.unwrap();
                let path = format!("/banks/{bank}/mint/v1/{}", body.0);
                caller.post(&path, None, &body.1).await
            }));
        }
    }
    let (mut swapped, mut melted) = (vec![0; notes.len()], vec![0; notes.len()]);
    for (place, race) in races.into_iter().enumerate() {
        let answer = race.await.unwrap();
        if answer.status == 200 {
            // The same quote paid with the same note once more is the same payment.
            let note = place / RACERS;
            if melts(place % RACERS) { melted[note] = 1 } else { swapped[note] += 1 }
        } else {
            let code = answer.body["code"].as_u64().unwrap();
            assert!([11001, 20006].contains(&code), "{answer:?}");
        }
    }
    // One quote is paid once: who melts for it again with another note is refused, and that note is not spent.
    let once = swapped.iter().zip(&melted).all(|(swaps, melts)| swaps + melts == 1);
    assert!(once, "{swapped:?} {melted:?}");
    assert!(melted.iter().sum::<i32>() <= 1, "{melted:?}");
}

const fn melts(racer: usize) -> bool {
    racer % 8 == 7
}

/// A note that some other mint signed, with this keyset's name on it.
fn forged(mint: &MintOf) -> Proof {
    let plan = KeysetPlan {
        unit: "cny".to_owned(),
        generation: 1,
        denominations: 10,
        input_fee_ppk: 0,
        final_expiry: None,
    };
    let keys = MintKeys::derive(&[9; 32], &plan).unwrap();
    let (secret, factor) = ("00".repeat(32), SecretScalar::from_bytes(&random()).unwrap());
    let promise = keys.sign(4, &blind(secret.as_bytes(), &factor).unwrap()).unwrap();
    let signature = unblind(&promise.signature, &factor, &keys.keyset().keys[&4]).unwrap();
    Proof { amount: 4, id: mint.keyset.id, secret, signature, witness: None, dleq: None }
}

#[tokio::test(flavor = "multi_thread")]
async fn attacks_on_swaps_are_refused_with_the_protocols_number_and_spend_nothing() {
    let city = City::start().await;
    let City { caller, mint, other, .. } = &city;
    let notes = city.withdraw(&[4, 4, 8]).await;
    let (four, eight) = (&notes[..1], &notes[2..]);
    let used = mint.blank(&[4]);
    mint.swap(caller, &notes[1..2], &used).await.done();
    let swap = |inputs: &[Proof], outputs: Value| json!({"inputs": inputs, "outputs": outputs});
    let out = |amounts: &[u64]| json!(mint.blank(amounts).messages);
    let twice = {
        let blank = mint.blank(&[4]).messages[0];
        json!([blank, blank])
    };
    let huge = 1_u64 << 63;
    let worth_more = Proof { amount: 8, ..four[0].clone() };
    let strange = Proof { amount: 3, ..four[0].clone() };
    let locked =
        Proof { secret: r#"["P2PK",{"nonce":"0","data":"02"}]"#.to_owned(), ..four[0].clone() };
    let unknown = {
        let mut blank = json!(mint.blank(&[4]).messages);
        blank[0]["id"] = json!(format!("01{}", "ab".repeat(32)));
        blank
    };
    let rows = [
        ("twice the same note", swap(&[four[0].clone(), four[0].clone()], out(&[8])), 11007),
        ("the same output twice", swap(eight, twice), 11008),
        ("more out than in", swap(four, out(&[8])), 11005),
        ("less out than in", swap(eight, out(&[4])), 11005),
        ("sums that overflow", swap(four, out(&[huge, huge])), 11006),
        ("an amount that is none", swap(four, out(&[3, 1])), 11006),
        ("no notes", swap(&[], out(&[4])), 11005),
        ("no outputs", swap(four, json!([])), 11005),
        ("a note said to be worth more", swap(&[worth_more], out(&[8])), 10001),
        ("a note of no denomination", swap(&[strange], out(&[2, 1])), 10001),
        ("a note of another mint's keys", swap(&[forged(mint)], out(&[4])), 10001),
        ("a condition nobody can meet", swap(&[locked], out(&[4])), 10001),
        ("a keyset of nobody", swap(four, unknown), 12001),
        ("outputs of another bank", swap(four, json!(other.blank(&[4]).messages)), 12001),
        ("an output that was signed", swap(four, json!(used.messages)), 11003),
        ("too many notes", swap(&vec![four[0].clone(); 251], out(&[4])), 11014),
        ("too many outputs", swap(four, out(&[1; 251])), 11015),
    ];
    for (case, body, code) in rows {
        mint.post(caller, "swap", &body).await.mint_refused(case, code);
    }
    // Points that are none, or not in their one form, and what is no JSON of the protocol.
    let mut bad_points = json!(mint.blank(&[4]).messages);
    for point in
        ["02".to_owned() + &"00".repeat(32), "04".repeat(33), "00".repeat(33), "zz".repeat(33)]
    {
        bad_points[0]["B_"] = json!(point);
        let answer = mint.post(caller, "swap", &swap(four, bad_points.clone())).await;
        assert!([400, 422].contains(&answer.status), "{point}: {answer:?}");
    }
    let mut over = json!(four);
    over[0]["amount"] = json!(-4);
    let answer = mint.post(caller, "swap", &json!({"inputs": over, "outputs": out(&[4])})).await;
    assert!([400, 422].contains(&answer.status), "{answer:?}");
    // None of it spent the notes.
    mint.swap(caller, four, &mint.blank(&[4])).await.done();
    mint.swap(caller, eight, &mint.blank(&[8])).await.done();
    city.passes_the_audit();
}

#[tokio::test(flavor = "multi_thread")]
async fn attacks_on_quotes_are_refused_and_nobody_takes_another_ones() {
    let city = City::start().await;
    let City { caller, payer, shop, mint, other, .. } = &city;
    // Units, amounts, ways.
    let asked = |amount: u64, unit: &str| json!({"amount": amount, "unit": unit});
    mint.post(caller, "mint/quote/bank", &asked(1, "usd")).await.mint_refused("unit", 11013);
    mint.post(caller, "mint/quote/bank", &asked(0, "cny")).await.mint_refused("nothing", 11006);
    mint.post(caller, "mint/quote/bank", &asked(u64::MAX, "cny")).await.mint_refused("all", 11006);
    mint.post(caller, "mint/quote/bank", &asked(200_001, "cny")).await.mint_refused("limit", 11006);
    let way = mint.post(caller, "mint/quote/bolt11", &asked(1, "cny")).await;
    assert_eq!(way.status, 400);

    // A quote that only its asker's key takes.
    let key = SecretScalar::from_bytes(&[7; 32]).unwrap();
    let locked = json!({"amount": 8, "unit": "cny", "pubkey": key.to_point()});
    let quote = mint.post(caller, "mint/quote/bank", &locked).await.done();
    let id = quote["quote"].as_str().unwrap();
    mint.fund(caller, payer, &quote).await.done();
    let blank = mint.blank(&[8]);
    let take = |signature: Option<String>, outputs: &notes::Blank| json!({"quote": id, "outputs": outputs.messages, "signature": signature});
    mint.post(caller, "mint/bank", &take(None, &blank)).await.mint_refused("unsigned", 20008);
    let thief = SecretScalar::from_bytes(&[8; 32]).unwrap();
    let stolen = sign_quote(&thief, id, &blank.messages, &[1; 32]);
    mint.post(caller, "mint/bank", &take(Some(stolen), &blank)).await.mint_refused("thief", 20008);
    let signature = sign_quote(&key, id, &blank.messages, &[1; 32]);
    let swapped = mint.blank(&[8]);
    let altered = take(Some(signature.clone()), &swapped);
    mint.post(caller, "mint/bank", &altered).await.mint_refused("altered outputs", 20008);
    let wrong = mint.blank(&[4]);
    let less = take(Some(sign_quote(&key, id, &wrong.messages, &[1; 32])), &wrong);
    mint.post(caller, "mint/bank", &less).await.mint_refused("another amount", 11005);
    mint.post(caller, "mint/bank", &take(Some(signature), &blank)).await.done();
    let again = take(Some(sign_quote(&key, id, &swapped.messages, &[1; 32])), &swapped);
    mint.post(caller, "mint/bank", &again).await.mint_refused("taken before", 20002);

    // Whose order pays, and for what.
    let quote = mint.quote(caller, 64).await;
    let mut dearer = quote.clone();
    dearer["amount"] = json!(65);
    mint.fund(caller, payer, &dearer).await.refused("dearer", 422, "notes.order_differs");
    let poor = caller.business(JIANGCHENG, 10).await;
    mint.fund(caller, &poor, &quote).await.refused("poor", 422, "transfer.insufficient_funds");
    let elsewhere = other.fund(caller, shop, &quote).await;
    elsewhere.refused("another bank's quote", 404, "request.not_found");
    mint.fund(caller, payer, &quote).await.done();
    mint.fund(caller, payer, &quote).await.refused("another order", 409, "notes.quote_paid");

    // Redemptions: too little, the wrong notes, a quote paid twice.
    let notes = city.withdraw(&[4, 8, 16]).await;
    let quote = mint.melt_quote(caller, shop, 8).await;
    mint.melt(caller, &quote, &notes[..1]).await.mint_refused("too little", 11005);
    mint.melt(caller, &quote, &notes[2..]).await.mint_refused("no room for change", 11005);
    other.melt(caller, &quote, &notes[1..2]).await;
    mint.melt(caller, &quote, &notes[1..2]).await.done();
    mint.melt(caller, &quote, &notes[2..]).await.mint_refused("paid before", 20006);
    mint.swap(caller, &notes[2..], &mint.blank(&[16])).await.done();
    let notes = city.withdraw(&split(150_000)).await;
    let more = city.withdraw(&split(60_000)).await;
    let large = mint.melt_quote(caller, shop, 210_000).await;
    let all: Vec<Proof> = notes.into_iter().chain(more).collect();
    let refused = mint.melt(caller, &large, &all).await;
    refused.mint_refused("more than a registered payee may be paid at once", 11006);
    city.passes_the_audit();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_of_what_is_asked_for_is_refused_and_not_paid_whole() {
    let city = City::start().await;
    let asked = json!({
        "request": city.shop.id.to_string(), "unit": "cny", "amount": 700,
        "options": {"mpp": {"amount": 300_000}},
    });
    let refused = city.mint.post(&city.caller, "melt/quote/bank", &asked).await;
    refused.mint_refused("a payment in parts", 20004);
    let info = city.caller.get(&city.mint.path("info"), None).await.done();
    assert!(info["nuts"]["15"].is_null(), "it is announced for no method: {info}");
}
