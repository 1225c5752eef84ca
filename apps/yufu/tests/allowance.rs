//! The allowance of anonymous cash: tokens for whoever shows to be one person, charged to a quota that holds over all
//! banks; cash paid in with them; and what each party stores, which does not join a token with a person.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "test code: a wrong fixture is to fail loudly"
)]

mod support;

use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs;
use support::notes::{MintOf, hex, split};
use support::terminal::{Terminal, account_in, code, resident};
use support::{Answer, Caller, Data, JIANGCHENG, LIANGHU, Resident, Server, run, text};
use yufu_ecash::message::{AuthProof, BlindSignature};
use yufu_ecash::{Keyset, KeysetPlan, KeysetSigner as _, MintKeys, SecretScalar, blind, unblind};
use yufu_keys::random;
use yufu_openid4vc::device::GRANT_DEVICE_CODE;
use yufu_openid4vc::issuance::pkce_challenge;

const BINARY: &str = env!("CARGO_BIN_EXE_yufu");
const PROVIDER: &str = "/openid/cash-allowance";
/// As the sample profile has it.
const BATCH: usize = 10;
const BATCHES: usize = 2;
const TOP_UP: u64 = 50_000;

/// A batch that a bank is asked to sign.
struct Batch {
    keyset: Keyset,
    secrets: Vec<(String, SecretScalar)>,
    body: Value,
}

impl Batch {
    async fn of(caller: &Caller, bank: &str, count: usize) -> Self {
        let keys = caller.get(&auth(bank, "keys"), None).await.done();
        let keyset: Keyset = serde_json::from_value(keys["keysets"][0].clone()).unwrap();
        keyset.check().unwrap();
        let one = |_| (hex(&random::<32>()), SecretScalar::from_bytes(&random()).unwrap());
        let secrets: Vec<(String, SecretScalar)> = (0..count).map(one).collect();
        let output = |(secret, factor): &(String, SecretScalar)| {
            let blinded = blind(secret.as_bytes(), factor).unwrap();
            json!({"amount": 1, "id": keyset.id, "B_": blinded.to_hex()})
        };
        let outputs: Vec<Value> = secrets.iter().map(output).collect();
        Self { keyset, secrets, body: json!({"outputs": outputs}) }
    }

    /// Sends it with an access token.
    async fn send(&self, caller: &Caller, bank: &str, access: Option<&str>) -> Answer {
        let mut headers = vec![("content-type", "application/json")];
        headers.extend(access.map(|access| ("Clear-auth", access)));
        let body = serde_json::to_vec(&self.body).unwrap();
        caller.send("POST", &auth(bank, "mint"), &headers, body).await.unwrap()
    }

    /// The tokens that signatures make of it, each proven to be of the published key, as headers.
    fn tokens(&self, signed: &Value) -> Vec<String> {
        let signatures: Vec<BlindSignature> =
            serde_json::from_value(signed["signatures"].clone()).unwrap();
        let key = self.keyset.key(1).unwrap();
        let all = signatures.iter().zip(&self.secrets);
        all.map(|(signed, (secret, factor))| {
            let blinded = blind(secret.as_bytes(), factor).unwrap();
            signed.dleq.as_ref().unwrap().verify(key, &blinded, &signed.signature).unwrap();
            let signature = unblind(&signed.signature, factor, key).unwrap();
            let (id, secret) = (self.keyset.id, secret.clone());
            AuthProof { id, secret, signature, dleq: None }.to_header().unwrap()
        })
        .collect()
    }
}

fn auth(bank: &str, below: &str) -> String {
    format!("/banks/{bank}/mint/v1/auth/blind/{below}")
}

/// Begins to ask for an access token for a bank: the device code, and what the wallet is to answer.
async fn begin(caller: &Caller, bank: &str) -> (String, String) {
    let path = format!("{PROVIDER}/device_authorization");
    let begun = caller.post_form(&path, &[("client_id", bank)]).await.done();
    let text = |name: &str| begun[name].as_str().unwrap().to_owned();
    let link = text("yufu_authorization_request");
    let page = text("verification_uri_complete");
    let page = caller.get(page.strip_prefix(&caller.url).unwrap(), None).await.done();
    assert!(page.as_str().unwrap().contains(&link.replace('&', "&amp;")), "{page}");
    (text("device_code"), link)
}

async fn fetch(caller: &Caller, bank: &str, code: &str) -> Answer {
    let fields = [("grant_type", GRANT_DEVICE_CODE), ("device_code", code), ("client_id", bank)];
    caller.post_form(&format!("{PROVIDER}/token"), &fields).await
}

/// An access token for a bank, for whoever holds the wallet.
async fn access(caller: &Caller, resident: &mut Resident, bank: &str) -> String {
    let (code, link) = begin(caller, bank).await;
    fetch(caller, bank, &code).await.oauth("nothing shown yet", 400, "authorization_pending");
    resident.wallet.present(&link, &mut |_| true).await.unwrap();
    let fetched = fetch(caller, bank, &code).await.done();
    fetched["access_token"].as_str().unwrap().to_owned()
}

/// A batch of tokens for a bank.
async fn tokens(caller: &Caller, resident: &mut Resident, bank: &str) -> Vec<String> {
    let access = access(caller, resident, bank).await;
    let batch = Batch::of(caller, bank, BATCH).await;
    batch.tokens(&batch.send(caller, bank, Some(&access)).await.done())
}

async fn ask_top_up(caller: &Caller, mint: &MintOf, token: Option<&str>, amount: u64) -> Answer {
    let mut headers = vec![("content-type", "application/json")];
    headers.extend(token.map(|token| ("Blind-auth", token)));
    let body = serde_json::to_vec(&json!({"amount": amount, "unit": "cny"})).unwrap();
    caller.send("POST", &mint.path("mint/quote/cash"), &headers, body).await.unwrap()
}

/// Cash over the counter for a quote.
async fn pay_in(caller: &Caller, bank: &str, quote: &Value, amount: u64) -> Answer {
    let body = json!({"quote": quote["quote"], "amount_minor": amount});
    let path = format!("/banks/{bank}/v1/desk/top-ups");
    caller.post(&path, Some(&caller.desk(bank)), &body).await
}

#[tokio::test(flavor = "multi_thread")]
async fn cash_is_paid_in_with_a_token_as_people_type_it_and_every_fen_is_accounted_for() {
    let data = Data::new();
    let server = Server::start(&data);
    let caller = server.caller();
    let (name, _) = resident(&caller, 7).await;
    let mei = Terminal::of(&caller, &name);
    mei.refused(&["cash", "top-up", JIANGCHENG, "200"], "there is no token for this bank");
    let told = mei.says(&["cash", "allowance", JIANGCHENG]);
    assert!(told.contains("10 tokens for bank-of-jiangcheng"), "{told}");
    let history = mei.says(&["history"]);
    assert!(history.contains("Pseudonym for this sector (anonymous-cash)"), "{history}");
    mei.refused(&["cash", "top-up", JIANGCHENG, "501"], "a token is good for 1 to 50000");
    let quote = mei.says(&["cash", "top-up", JIANGCHENG, "200"]);
    mei.says(&["cash", "settle"]);
    assert_eq!(caller.supply().await["digital_in_notes"], 0, "nobody has paid yet");
    let before = caller.supply().await["paper_in_circulation"].as_u64().unwrap();
    let quote = json!({"quote": quote});
    pay_in(&caller, JIANGCHENG, &quote, 19_900).await.refused("short", 422, "top_up.amount");
    for _ in 0..2 {
        pay_in(&caller, JIANGCHENG, &quote, 20_000).await.done();
    }
    let paid = caller.supply().await;
    assert_eq!(before - paid["paper_in_circulation"].as_u64().unwrap(), 20_000, "paid in once");
    assert_eq!(mei.says(&["cash", "settle"]), "0 steps are still under way.");
    let listed = mei.says(&["cash", "list"]);
    assert!(listed.contains("200.00 CNY resting"), "{listed}");
    assert_eq!(caller.supply().await["digital_in_notes"], 20_000);
    assert_eq!(caller.supply().await["balanced"], true);
    server.kill();
    let audited = run(&["audit", "--data", data.path().to_str().unwrap()]);
    assert!(audited.status.success(), "{}", text(&audited.stdout));
}

const CALLBACK: &str = "http://localhost:33388/callback";
const VERIFIER: &str = "a-verifier-of-at-least-forty-three-characters-0123";

/// What a wallet with a browser asks for: a code for a bank.
fn authorize(caller: &Caller, bank: &str, change: &[(&str, Option<&str>)]) -> String {
    let challenge = pkce_challenge(VERIFIER);
    let usual = [
        ("response_type", "code"),
        ("client_id", bank),
        ("redirect_uri", CALLBACK),
        ("code_challenge", challenge.as_str()),
        ("code_challenge_method", "S256"),
        ("state", "s&1"),
    ];
    let mut url = url::Url::parse(&format!("{}{PROVIDER}/authorize", caller.url)).unwrap();
    for (name, value) in usual {
        let changed = change.iter().find(|(changed, _)| *changed == name);
        if let Some(value) = changed.map_or(Some(value), |(_, value)| *value) {
            url.query_pairs_mut().append_pair(name, value);
        }
    }
    url.to_string()
}

/// A parameter of the address that a browser is sent to.
fn returned(to: &str, name: &str) -> Option<String> {
    assert!(to.starts_with(CALLBACK), "{to}");
    let to = url::Url::parse(to).unwrap();
    to.query_pairs().find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
}

async fn exchange(caller: &Caller, bank: &str, code: &str, change: (&str, &str)) -> Answer {
    let mut fields = [
        ("grant_type", "authorization_code"),
        ("code", code),
        ("client_id", bank),
        ("redirect_uri", CALLBACK),
        ("code_verifier", VERIFIER),
    ];
    for field in &mut fields {
        if field.0 == change.0 {
            field.1 = change.1;
        }
    }
    caller.post_form(&format!("{PROVIDER}/token"), &fields).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_brings_the_wallet_a_code_for_whoever_has_its_verifier_nut_21() {
    let data = Data::new();
    let server = Server::start(&data);
    let caller = server.caller();
    let mut mei = Resident::identified(&caller, 7).await;
    // Nobody is sent anywhere for a client or an address that is not known.
    for (name, value) in [("client_id", "x"), ("redirect_uri", "https://evil.example/")] {
        let (status, page) =
            caller.browse(&authorize(&caller, JIANGCHENG, &[(name, Some(value))])).await;
        assert_eq!(status, 400, "{page}");
    }
    let twice = format!("{}&state=2", authorize(&caller, JIANGCHENG, &[]));
    assert_eq!(caller.browse(&twice).await.0, 400, "which of two states is the wallet's?");
    // What else is wrong is told to the wallet.
    let wrong = [
        ("response_type", Some("token"), "unsupported_response_type"),
        ("code_challenge", None, "invalid_request"),
        ("code_challenge", Some(VERIFIER), "invalid_request"),
        ("code_challenge_method", Some("plain"), "invalid_request"),
    ];
    for (name, value, error) in wrong {
        let (status, to) = caller.browse(&authorize(&caller, JIANGCHENG, &[(name, value)])).await;
        assert_eq!((status, returned(&to, "error").as_deref()), (303, Some(error)), "{name}");
        assert_eq!(returned(&to, "state").as_deref(), Some("s&1"));
    }
    let (status, page) = caller.browse(&authorize(&caller, JIANGCHENG, &[])).await;
    assert_eq!(status, 303);
    let (status, shown) = caller.browse(&page).await;
    assert_eq!(status, 200, "nothing was shown yet: {shown}");
    let link = shown.split('"').find(|part| part.starts_with("openid4vp:")).unwrap();
    mei.wallet.present(&link.replace("&amp;", "&"), &mut |_| true).await.unwrap();
    let mut codes = Vec::new();
    for _ in 0..2 {
        let (status, to) = caller.browse(&page).await;
        assert_eq!((status, returned(&to, "state").as_deref()), (303, Some("s&1")));
        assert_eq!(returned(&to, "iss"), Some(format!("{}{PROVIDER}", caller.url)));
        codes.push(returned(&to, "code").unwrap());
    }
    let [before, code] = codes.as_slice() else { panic!("two codes") };
    exchange(&caller, JIANGCHENG, before, ("", "")).await.oauth("replaced", 400, "invalid_grant");
    let other = "another-verifier-of-at-least-forty-three-characters";
    for change in [("code_verifier", other), ("redirect_uri", "http://localhost:33388/")] {
        exchange(&caller, JIANGCHENG, code, change).await.oauth("altered", 400, "invalid_grant");
    }
    exchange(&caller, LIANGHU, code, ("", "")).await.oauth("another bank", 400, "invalid_grant");
    let fetched = fetch(&caller, JIANGCHENG, code).await;
    fetched.oauth("no device's code", 400, "invalid_grant");
    let token = exchange(&caller, JIANGCHENG, code, ("", "")).await.done();
    exchange(&caller, JIANGCHENG, code, ("", "")).await.oauth("used", 400, "invalid_grant");
    let access = token["access_token"].as_str().unwrap();
    let batch = Batch::of(&caller, JIANGCHENG, BATCH).await;
    let signed = batch.send(&caller, JIANGCHENG, Some(access)).await.done();
    assert_eq!(batch.tokens(&signed).len(), BATCH);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_gets_so_many_batches_over_all_banks_and_a_batch_for_each_access_token() {
    let data = Data::new();
    let server = Server::start(&data);
    let caller = server.caller();
    let mut mei = Resident::identified(&caller, 7).await;
    let mut li = Resident::identified(&caller, 8).await;
    let access_token = access(&caller, &mut mei, JIANGCHENG).await;
    let batch = Batch::of(&caller, JIANGCHENG, BATCH).await;
    let refused = batch.send(&caller, JIANGCHENG, None).await;
    refused.mint_refused("no access token", 30001);
    let forged = format!("{access_token}x");
    let refused = batch.send(&caller, JIANGCHENG, Some(&forged)).await;
    refused.mint_refused("a forged access token", 30002);
    let elsewhere = Batch::of(&caller, LIANGHU, BATCH).await;
    let refused = elsewhere.send(&caller, LIANGHU, Some(&access_token)).await;
    refused.mint_refused("another bank's access token", 30002);
    for count in [BATCH - 1, BATCH + 1] {
        let other = Batch::of(&caller, JIANGCHENG, count).await;
        let refused = other.send(&caller, JIANGCHENG, Some(&access_token)).await;
        refused.mint_refused("no whole batch", 31003);
    }
    let signed = batch.send(&caller, JIANGCHENG, Some(&access_token)).await.done();
    let again = batch.send(&caller, JIANGCHENG, Some(&access_token)).await.done();
    assert_eq!(again, signed, "asked once more, it signs the same");
    let second = Batch::of(&caller, JIANGCHENG, BATCH).await;
    let refused = second.send(&caller, JIANGCHENG, Some(&access_token)).await;
    refused.mint_refused("a second batch", 31004);

    // The quota is one, at whichever bank it is used.
    assert_eq!(tokens(&caller, &mut mei, LIANGHU).await.len(), BATCH);
    for bank in [JIANGCHENG, LIANGHU] {
        let (code, link) = begin(&caller, bank).await;
        let shown = mei.wallet.present(&link, &mut |_| true).await;
        let refused = format!("{:#}", shown.err().unwrap());
        assert!(refused.contains("allowance"), "{refused}");
        fetch(&caller, bank, &code).await.oauth("used", 400, "authorization_pending");
    }
    assert_eq!(BATCHES, 2, "both were granted");
    assert_eq!(
        tokens(&caller, &mut li, JIANGCHENG).await.len(),
        BATCH,
        "somebody else's is not used"
    );

    let path = format!("{PROVIDER}/device_authorization");
    let unknown = caller.post_form(&path, &[("client_id", "x")]).await;
    unknown.oauth("no bank", 400, "invalid_client");
    fetch(&caller, JIANGCHENG, "none").await.oauth("no code", 400, "invalid_grant");
    let (code, _) = begin(&caller, JIANGCHENG).await;
    fetch(&caller, LIANGHU, &code).await.oauth("another bank's code", 400, "invalid_grant");
    let fields = [("grant_type", "password"), ("device_code", "x"), ("client_id", JIANGCHENG)];
    let other = caller.post_form(&format!("{PROVIDER}/token"), &fields).await;
    other.oauth("another grant", 400, "unsupported_grant_type");
    let none = caller.post_form(&format!("{PROVIDER}/token"), &[("grant_type", "")]).await;
    none.oauth("no parameter", 400, "invalid_request");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_pays_in_once_and_stays_good_if_it_came_to_nothing() {
    let data = Data::new();
    let server = Server::start(&data);
    let caller = server.caller();
    let mut mei = Resident::identified(&caller, 7).await;
    let mint = MintOf::at(&caller, JIANGCHENG).await;
    let all = tokens(&caller, &mut mei, JIANGCHENG).await;
    let token = Some(all[0].as_str());
    let ask = |token, amount| ask_top_up(&caller, &mint, token, amount);
    let refused = ask(None, 100).await.mint_refused("no token", 31001);
    assert!(refused["detail"].as_str().unwrap().contains("a purse of the class without one"));
    ask(Some("authAx"), 100).await.mint_refused("no token at all", 31002);
    ask(token, TOP_UP + 1).await.mint_refused("more than a token is good for", 11006);
    ask(token, 0).await.mint_refused("nothing", 11006);
    // What was refused has not used it.
    let quote = ask(token, 700).await.done();
    assert_eq!((&quote["state"], &quote["amount"]), (&json!("UNPAID"), &json!(700)));
    assert_eq!(ask(token, 700).await.done(), quote, "the same again is the same quote");
    ask(token, 600).await.mint_refused("a token that waits for a quote", 31002);
    let payer = caller.business(JIANGCHENG, 10_000).await;
    let taken = mint.quote(&caller, 700).await;
    let disguised = json!({"quote": quote["quote"], "request": taken["request"], "amount": 700});
    let order = mint.fund(&caller, &payer, &disguised).await;
    order.refused("no account pays it", 422, "notes.order_differs");
    pay_in(&caller, LIANGHU, &quote, 700).await.refused(
        "at another bank",
        404,
        "request.not_found",
    );

    // A refusal of the ledger leaves it too: here, outputs that were promised before.
    pay_in(&caller, JIANGCHENG, &quote, 700).await.done();
    mint.fund(&caller, &payer, &taken).await.done();
    let blank = mint.blank(&split(700));
    let asked = |quote: &Value, blank: &support::notes::Blank| json!({"quote": quote["quote"], "outputs": blank.messages});
    mint.post(&caller, "mint/bank", &asked(&taken, &blank)).await.done();
    let used = mint.post(&caller, "mint/cash", &asked(&quote, &blank)).await;
    used.mint_refused("outputs of somebody else's", 11003);
    let fresh = mint.blank(&split(700));
    let made = mint.post(&caller, "mint/cash", &asked(&quote, &fresh)).await.done();
    let notes = mint.notes(&fresh, &made["signatures"]);
    let again = mint.post(&caller, "mint/cash", &asked(&quote, &fresh)).await.done();
    assert_eq!(again, made);
    mint.swap(&caller, &notes, &mint.blank(&split(700))).await.done();
    ask(token, 700).await.mint_refused("a used token", 31002);
    ask(token, 1).await.mint_refused("a used token", 31002);

    // Of another bank, and of an epoch that is over.
    let other = MintOf::at(&caller, LIANGHU).await;
    ask_top_up(&caller, &other, Some(&all[1]), 100).await.mint_refused("another bank's", 31002);
    let old = token_of_last_epoch(&data);
    ask(Some(&old), 100).await.mint_refused("of the epoch before", 31002);
    server.kill();
    let audited = run(&["audit", "--data", data.path().to_str().unwrap()]);
    assert!(audited.status.success(), "{}", text(&audited.stdout));
}

/// A token that the bank did sign, in the epoch before this one.
fn token_of_last_epoch(data: &Data) -> String {
    let seed = fs::read(data.path().join(JIANGCHENG).join("keys/mint.key")).unwrap();
    let length = 30 * 86_400;
    let epoch = support::now().seconds() / length;
    let keys = |generation: u64| {
        let plan = KeysetPlan {
            unit: "auth".to_owned(),
            generation,
            denominations: 1,
            input_fee_ppk: 0,
            final_expiry: Some((generation + 1) * length),
        };
        MintKeys::derive(&seed.clone().try_into().unwrap(), &plan).unwrap()
    };
    let old = keys(epoch - 1);
    let (secret, factor) = (hex(&random::<32>()), SecretScalar::from_bytes(&random()).unwrap());
    let promise = old.sign(1, &blind(secret.as_bytes(), &factor).unwrap()).unwrap();
    let signature = unblind(&promise.signature, &factor, old.keyset().key(1).unwrap()).unwrap();
    AuthProof { id: old.keyset().id, secret, signature, dleq: None }.to_header().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn without_an_identity_there_is_the_bounded_purse_and_no_token() {
    let data = Data::new();
    let server = Server::start(&data);
    let caller = server.caller();
    let nobody = Terminal::of(&caller, "nobody");
    nobody.refused(&["cash", "allowance", JIANGCHENG], "");
    nobody.says(&["purse", "open", JIANGCHENG, "+99900000001"]);
    let purse = account_in(&nobody.says(&["purse", "code", &code(&caller).await]));
    let account =
        json!({"direction": "paper_to_digital", "account": purse, "amount_minor": 300_000});
    let path = format!("/banks/{JIANGCHENG}/v1/desk/exchanges");
    caller.post(&path, Some(&caller.desk(JIANGCHENG)), &account).await.done();
    assert!(nobody.says(&["cash", "withdraw", "200"]).contains("Withdrawn: 200.00 CNY"));
    nobody.refused(&["cash", "withdraw", "2500"], "at most 2000.00 CNY can be withdrawn at once");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_provider_and_bank_stored_joins_no_token_with_a_person() {
    let data = Data::new();
    let log = data.beside("log");
    let server = Server::start_logging(&data, &log);
    let caller = server.caller();
    let mut mei = Resident::identified(&caller, 7).await;
    let access_token = access(&caller, &mut mei, JIANGCHENG).await;
    let batch = Batch::of(&caller, JIANGCHENG, BATCH).await;
    let all = batch.tokens(&batch.send(&caller, JIANGCHENG, Some(&access_token)).await.done());
    let mint = MintOf::at(&caller, JIANGCHENG).await;
    let quote = ask_top_up(&caller, &mint, Some(&all[3]), 700).await.done();
    pay_in(&caller, JIANGCHENG, &quote, 700).await.done();
    let blank = mint.blank(&split(700));
    let asked = json!({"quote": quote["quote"], "outputs": blank.messages});
    mint.post(&caller, "mint/cash", &asked).await.done();
    server.kill();

    let rows = |institution: &str, database: &str, table: &str| {
        let path = data.path().join(institution).join(format!("{database}.sqlite"));
        let database = rusqlite::Connection::open(path).unwrap();
        let mut all = database.prepare(&format!("SELECT * FROM {table}")).unwrap();
        let columns = all.column_count();
        let rows = all.query_map([], |row| {
            let values = (0..columns).map(|at| row.get_ref(at).map(|v| format!("{v:?}")));
            values.collect::<Result<Vec<_>, _>>()
        });
        rows.unwrap().flat_map(Result::unwrap).collect::<BTreeSet<String>>()
    };
    let tables = ["requests", "grants", "keysets"];
    let provider: BTreeSet<String> =
        tables.iter().flat_map(|table| rows("cash-allowance", "allowances", table)).collect();
    let signed = rows(JIANGCHENG, "onboarding", "blind_batches");
    let used: BTreeSet<String> = ["blind_tokens", "top_ups", "mint_quotes", "outbox"]
        .iter()
        .flat_map(|table| rows(JIANGCHENG, "onboarding", table))
        .collect();
    // Whole values, not numbers and words that recur everywhere.
    let telling = |all: &BTreeSet<String>| {
        let long = all.iter().filter(|value| value.len() > 30 && !value.contains("at a counter"));
        long.cloned().collect::<BTreeSet<_>>()
    };
    assert!(telling(&signed).len() == 2 && telling(&used).len() > 4, "{signed:?} {used:?}");
    assert!(telling(&used).is_disjoint(&telling(&signed)), "a used token leads to no batch");
    assert!(telling(&used).is_disjoint(&telling(&provider)), "nor to whom it was granted");
    // Provider and bank know one batch by one name, as they must, and the person by none.
    let shared: Vec<String> = telling(&signed).intersection(&telling(&provider)).cloned().collect();
    assert_eq!(shared.len(), 1, "the access token's id: {shared:?}");
    let pseudonyms = credential_pseudonyms(&mei);
    let logs = fs::read(&log).unwrap();
    for folder in ["cash-allowance", JIANGCHENG] {
        for file in fs::read_dir(data.path().join(folder)).unwrap() {
            let path = file.unwrap().path();
            if path.is_dir() {
                continue;
            }
            let bytes = [fs::read(&path).unwrap(), logs.clone()].concat();
            for personal in pseudonyms.iter().chain([&mei.number]) {
                let found = bytes.windows(personal.len()).any(|w| w == personal.as_bytes());
                assert!(!found, "{} holds {personal}", path.display());
            }
        }
    }
}

/// The pseudonyms in a wallet's identity.
fn credential_pseudonyms(resident: &Resident) -> Vec<String> {
    let (held, _) = resident.credential();
    let claims = held.credential.claims()["sector_pseudonym"].clone();
    let all: Vec<String> =
        claims.as_object().unwrap().values().map(|v| v.as_str().unwrap().to_owned()).collect();
    assert!(all.len() > 3, "{claims}");
    all
}
