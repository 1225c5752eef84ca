//! What a mint says of itself, and what it answers beside the plain cases: settings as they are, numbers of refusals,
//! what opened a hash lock, pages of other sites.
#![allow(
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "test code: a wrong fixture is to fail loudly"
)]

mod support;

use serde_json::{Value, json};
use support::notes::{Blank, MintOf, hex, split};
use support::{Account, Caller, Data, JIANGCHENG, LIANGHU, Server, run};
use yufu_api::http::{Client, Exchanged};
use yufu_base::AccountId;
use yufu_ecash::message::{BlindSignature, Proof, sign_quote};
use yufu_ecash::spend::Witness;
use yufu_ecash::{KeysetPlan, KeysetSigner as _, MintKeys, SecretScalar, blind};
use yufu_keys::random;

const BINARY: &str = env!("CARGO_BIN_EXE_yufu");
const FUNDS: u64 = 10_000_000;

async fn started(data: &Data) -> (Server, Caller, Account, MintOf) {
    let server = Server::start(data);
    let caller = server.caller();
    let payer = caller.business(JIANGCHENG, FUNDS).await;
    let mint = MintOf::at(&caller, JIANGCHENG).await;
    (server, caller, payer, mint)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mint_announces_what_it_does_and_nothing_else_nut06() {
    let data = Data::new();
    let (_server, caller, _, mint) = started(&data).await;
    let info = caller.get(&mint.path("info"), None).await.done();
    let nuts = info["nuts"].as_object().unwrap();
    let numbers: Vec<u32> = nuts.keys().map(|number| number.parse().unwrap()).collect();
    let mut sorted = numbers.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, [4, 5, 7, 8, 9, 10, 11, 12, 14, 17, 19, 20, 21, 22, 29]);
    let methods = |number: &str| {
        let all = nuts[number]["methods"].as_array().unwrap().iter();
        all.map(|one| one["method"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(
        (methods("4"), methods("5")),
        (vec!["bank".into(), "cash".into()], vec!["bank".to_owned()])
    );
    let listens = nuts["17"]["supported"].as_array().unwrap().iter();
    let commands: Vec<Value> = listens.map(|one| one["commands"].clone()).collect();
    assert_eq!(
        commands,
        [
            json!(["bank_mint_quote", "bank_melt_quote", "proof_state"]),
            json!(["cash_mint_quote", "proof_state"]),
        ]
    );
    assert_eq!(nuts["19"]["ttl"], 86_400);
    let repeated = nuts["19"]["cached_endpoints"].as_array().unwrap().iter();
    let repeated: Vec<String> =
        repeated.map(|one| format!("{} {}", one["method"], one["path"]).replace('"', "")).collect();
    assert_eq!(
        repeated,
        [
            "POST /v1/swap",
            "POST /v1/mint/bank",
            "POST /v1/mint/cash",
            "POST /v1/mint/bank/batch",
            "POST /v1/melt/bank",
        ]
    );
    // Each way is there, and none beside.
    for method in ["bank", "cash", "bolt11"] {
        let asked = json!({"amount": 1, "unit": "cny"});
        let answer = mint.post(&caller, &format!("mint/quote/{method}"), &asked).await;
        let code = answer.body["code"].as_u64();
        assert_eq!(
            (answer.status, code),
            match method {
                "bank" => (200, None),
                "cash" => (400, Some(31_001)),
                _ => (400, Some(0)),
            }
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn quotes_are_refused_with_the_number_of_what_is_wrong_with_them() {
    let data = Data::new();
    let (_server, caller, payer, mint) = started(&data).await;
    let keyed = |key: &str| json!({"amount": 8, "unit": "cny", "pubkey": key});
    for key in ["02".to_owned(), "zz".repeat(33), "02".to_owned() + &"00".repeat(32)] {
        mint.post(&caller, "mint/quote/bank", &keyed(&key)).await.mint_refused(&key, 20009);
    }
    let nobodys = json!({"quote": "nobodys", "outputs": mint.blank(&[8]).messages});
    mint.post(&caller, "mint/bank", &nobodys).await.mint_refused("no such quote", 0);

    // Several at once.
    let key = SecretScalar::from_bytes(&[7; 32]).unwrap();
    let own = mint.post(&caller, "mint/quote/bank", &keyed(&key.to_point().to_hex())).await.done();
    let free = mint.quote(&caller, 8).await;
    for quote in [&own, &free] {
        mint.fund(&caller, &payer, quote).await.done();
    }
    let (own, free) = (own["quote"].as_str().unwrap(), free["quote"].as_str().unwrap());
    let blank = mint.blank(&[16]);
    let signed = || json!(sign_quote(&key, own, &blank.messages, &[1; 32]));
    let batch = |quotes: Value, signatures: Value, blank: &Blank| json!({"quotes": quotes, "signatures": signatures, "outputs": blank.messages});
    let eight = mint.blank(&[8]);
    let for_eight = json!(sign_quote(&key, own, &eight.messages, &[1; 32]));
    let of_free = json!(sign_quote(&key, free, &blank.messages, &[1; 32]));
    let rows = [
        ("none", batch(json!([]), json!([]), &blank), 0),
        ("one twice", batch(json!([own, own]), json!([signed(), signed()]), &blank), 11016),
        ("too many", batch(json!(vec!["x"; 251]), Value::Null, &blank), 11017),
        ("too few signatures", batch(json!([own, free]), json!([signed()]), &blank), 20008),
        ("unsigned", batch(json!([own, free]), Value::Null, &blank), 20008),
        ("signed for nobody", batch(json!([own, free]), json!([signed(), of_free]), &blank), 20008),
        ("one of nobody's", batch(json!([own, "x"]), json!([signed(), Value::Null]), &blank), 0),
        (
            "signed for other outputs",
            batch(json!([own, free]), json!([signed(), Value::Null]), &mint.blank(&[16])),
            20008,
        ),
        ("less", batch(json!([own, free]), json!([for_eight, Value::Null]), &eight), 11005),
    ];
    for (case, body, code) in rows {
        mint.post(&caller, "mint/bank/batch", &body).await.mint_refused(case, code);
    }
    for (case, quotes, code) in [
        ("none", json!([]), 0),
        ("one twice", json!([own, own]), 11016),
        ("too many", json!(vec!["x"; 251]), 11017),
        ("one of nobody's", json!([own, "x"]), 0),
    ] {
        let asked = json!({"quotes": quotes});
        mint.post(&caller, "mint/quote/bank/check", &asked).await.mint_refused(case, code);
    }
    // Nothing of it took them.
    let all = batch(json!([own, free]), json!([signed(), Value::Null]), &blank);
    let made = mint.post(&caller, "mint/bank/batch", &all).await.done();
    assert_eq!(mint.notes(&blank, &made["signatures"]).len(), 1);
    assert_eq!(mint.post(&caller, "mint/bank/batch", &all).await.done(), made, "once more");
    assert_eq!(caller.balance(&payer).await, FUNDS - 16);
}

#[tokio::test(flavor = "multi_thread")]
async fn notes_for_an_account_that_cannot_be_paid_are_refused_as_a_failed_payment_and_not_spent() {
    let data = Data::new();
    let (_server, caller, payer, mint) = started(&data).await;
    let notes = mint.withdraw(&caller, &payer, &[8]).await;
    let nobody = json!({"request": AccountId::new(1).to_string(), "unit": "cny", "amount": 8});
    let quote = mint.post(&caller, "melt/quote/bank", &nobody).await.done();
    let told = mint.melt(&caller, &quote, &notes).await.mint_refused("nobody's account", 20004);
    assert!(told["detail"].as_str().unwrap().contains("account"), "{told}");
    mint.swap(&caller, &notes, &mint.blank(&[8])).await.done();
}

/// Notes of an amount locked to the hash of a preimage.
async fn locked(
    caller: &Caller,
    payer: &Account,
    mint: &MintOf,
    preimage: &[u8; 32],
) -> Vec<Proof> {
    let hash = hex(&yufu_jose::sha256(preimage));
    let amounts = split(6);
    let quote = mint.quote(caller, 6).await;
    mint.fund(caller, payer, &quote).await.done();
    let (mut blank, mut secrets) = (mint.blank(&amounts), Vec::new());
    for message in &mut blank.messages {
        let nonce = hex(&random::<32>());
        let secret = json!(["HTLC", {"nonce": nonce, "data": hash, "tags": []}]).to_string();
        let factor = SecretScalar::from_bytes(&random()).unwrap();
        message.blinded = blind(secret.as_bytes(), &factor).unwrap();
        secrets.push((secret, factor));
    }
    let asked = json!({"quote": quote["quote"], "outputs": blank.messages});
    let made = mint.post(caller, "mint/bank", &asked).await.done();
    let blank = Blank { secrets, ..blank };
    mint.notes(&blank, &made["signatures"])
}

/// How notes stand, and what the mint says opened them.
async fn states(caller: &Caller, mint: &MintOf, notes: &[Proof]) -> Vec<(String, Option<String>)> {
    let points: Vec<_> = notes.iter().map(|note| note.hashed().unwrap()).collect();
    let told = mint.post(caller, "checkstate", &json!({"Ys": points})).await.done();
    let told = told["states"].as_array().unwrap().iter();
    let preimage = |one: &Value| Witness::parse(one["witness"].as_str()?).unwrap().preimage;
    told.map(|one| (one["state"].as_str().unwrap().to_owned(), preimage(one))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_paid_with_a_hash_lock_learns_its_preimage_however_it_was_spent_nut07_nut14() {
    let data = Data::new();
    let (server, caller, payer, mint) = started(&data).await;
    let other = MintOf::at(&caller, LIANGHU).await;
    let shop = caller.business(LIANGHU, 0).await;
    // The banks learn of each other's keysets at most every two seconds.
    tokio::time::sleep(std::time::Duration::from_secs(3)).await;
    let (preimage, wrong) = ([9; 32], [8; 32]);
    let opened = |notes: &[Proof], shown: &[u8; 32]| {
        let witness = Witness { preimage: Some(hex(shown)), signatures: Vec::new() };
        let mut notes = notes.to_vec();
        notes.iter_mut().for_each(|note| note.witness = Some(witness.to_text().unwrap()));
        notes
    };
    let mut all = Vec::new();
    for way in ["swap", "other bank", "melt"] {
        let notes = locked(&caller, &payer, &mint, &preimage).await;
        let early = states(&caller, &mint, &notes).await;
        assert!(early.iter().all(|one| *one == ("UNSPENT".to_owned(), None)), "{early:?}");
        let refused = mint.swap(&caller, &opened(&notes, &wrong), &mint.blank(&[2, 4])).await;
        refused.mint_refused("another preimage", 10001);
        let (known, unspent) = (opened(&notes, &preimage), mint.blank(&[8]));
        mint.swap(&caller, &known, &unspent).await.mint_refused("not even", 11005);
        let early = states(&caller, &mint, &notes).await;
        assert!(early.iter().all(|one| *one == ("UNSPENT".to_owned(), None)), "{way}: {early:?}");
        match way {
            "swap" => drop(mint.swap(&caller, &known, &mint.blank(&[2, 4])).await.done()),
            "melt" => {
                let quote = mint.melt_quote(&caller, &shop, 6).await;
                mint.melt(&caller, &quote, &known).await.done();
            }
            _ => drop(other.swap(&caller, &known, &other.blank(&[2, 4])).await.done()),
        }
        let shown = ("SPENT".to_owned(), Some(hex(&preimage)));
        let told = states(&caller, &mint, &notes).await;
        assert!(told.iter().all(|one| *one == shown), "{way}: {told:?}");
        all.extend(notes);
    }
    // A restart forgets none of it, and what nothing locked says nothing.
    let plain = mint.withdraw(&caller, &payer, &[4]).await;
    mint.swap(&caller, &plain, &mint.blank(&[4])).await.done();
    server.kill();
    let server = Server::start(&data);
    let told = states(&server.caller(), &mint, &[all, plain].concat()).await;
    let (last, locked) = told.split_last().unwrap();
    assert_eq!(*last, ("SPENT".to_owned(), None));
    assert!(
        locked.len() == 6 && locked.iter().all(|one| one.1 == Some(hex(&preimage))),
        "{told:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_other_sites_may_speak_to_a_mint_and_to_nothing_else() {
    let data = Data::new();
    let (server, _, _, mint) = started(&data).await;
    let client = Client::new().unwrap();
    let ask = async |method: &str, path: &str, body: &str| {
        let headers = [("origin", "https://wallet.example"), ("content-type", "application/json")];
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let url = format!("{}{path}", server.url);
        client.exchange_whole(method, &url, &headers, body.into()).await.unwrap()
    };
    let header = |answer: &Exchanged, name: &str| {
        answer.headers.get(name).map(|value| value.to_str().unwrap().to_ascii_lowercase())
    };
    let anybody = Some("*".to_owned());
    for (method, path, body, status) in [
        ("GET", "info", "", 200),
        ("POST", "checkstate", r#"{"Ys": []}"#, 200),
        ("POST", "swap", r#"{"inputs": [], "outputs": []}"#, 400),
        ("POST", "swap", "no JSON", 400),
    ] {
        let answer = ask(method, &mint.path(path), body).await;
        assert_eq!(answer.status, status, "{path}");
        assert_eq!(header(&answer, "access-control-allow-origin"), anybody, "{path} {body}");
    }
    for path in ["swap", "mint/bank", "melt/quote/bank", "restore", "auth/blind/mint"] {
        let answer = ask("OPTIONS", &mint.path(path), "").await;
        assert_eq!(answer.status, 204, "{path}");
        assert_eq!(header(&answer, "access-control-allow-origin"), anybody);
        assert_eq!(header(&answer, "access-control-allow-methods").unwrap(), "get, post");
        let headers = header(&answer, "access-control-allow-headers").unwrap();
        assert_eq!(headers, "content-type, clear-auth, blind-auth");
    }
    for path in ["/central-bank/v1/keysets", &format!("/banks/{JIANGCHENG}/v1/accounts/x")] {
        let answer = ask("GET", path, "").await;
        assert_eq!(header(&answer, "access-control-allow-origin"), None, "{path}");
    }
}

/// Notes that whoever stole the mint's seed signs with its very keys.
fn counterfeits(data: &Data, mint: &MintOf, amount: u64, count: usize) -> Vec<Proof> {
    let file = data.path().join(JIANGCHENG).join("keys").join("mint.key");
    let seed: [u8; 32] = std::fs::read(file).unwrap().try_into().unwrap();
    let ends = mint.keyset.final_expiry.unwrap();
    let plan = KeysetPlan {
        unit: "cny".to_owned(),
        generation: ends * 2,
        denominations: u8::try_from(mint.keyset.keys.len()).unwrap(),
        input_fee_ppk: 0,
        final_expiry: Some(ends),
    };
    let keys = MintKeys::derive(&seed, &plan).unwrap();
    assert_eq!(keys.keyset().id, mint.keyset.id, "the thief has the keys themselves");
    let blank = mint.blank(&vec![amount; count]);
    let signed = blank.messages.iter().map(|message| {
        let promise = keys.sign(amount, &message.blinded).unwrap();
        let (signature, dleq) = (promise.signature, Some(promise.dleq));
        json!(BlindSignature { amount, id: message.id, signature, dleq })
    });
    mint.notes(&blank, &signed.collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn stolen_keys_redeem_what_is_out_and_no_fen_more_and_the_first_note_beyond_is_an_alarm() {
    let data = Data::new();
    let (server, caller, payer, mint) = started(&data).await;
    let honest = mint.withdraw(&caller, &payer, &[8, 8]).await;
    let alarms = async || {
        let metrics = caller.get("/metrics", None).await.body.as_str().unwrap().to_owned();
        let line = metrics.lines().find(|l| l.starts_with("yufu_notes_beyond_issued_total"));
        line.map_or("0", |line| line.rsplit(' ').next().unwrap()).to_owned()
    };
    let forged = counterfeits(&data, &mint, 8, 3);
    let melt = async |note: &Proof| {
        let quote = mint.melt_quote(&caller, &payer, 8).await;
        mint.melt(&caller, &quote, std::slice::from_ref(note)).await
    };
    melt(&forged[0]).await.done();
    melt(&forged[1]).await.done();
    assert_eq!(
        (alarms().await, caller.supply().await["digital_in_notes"].clone()),
        ("0".into(), json!(0))
    );
    // What comes now is more than went out, whoever brings it.
    melt(&forged[2]).await.mint_refused("beyond what went out", 10001);
    assert_eq!(alarms().await, "1");
    mint.swap(&caller, &honest[..1], &mint.blank(&[8])).await.mint_refused("also by a swap", 10001);
    assert_eq!(alarms().await, "2");
    assert_eq!(caller.balance(&payer).await, FUNDS);
    assert_eq!(caller.supply().await["balanced"], true);
    server.kill();
    let audited = run(&["audit", "--json", "--data", data.path().to_str().unwrap()]);
    assert!(audited.status.success(), "{audited:?}");
}
