//! Every refusal over HTTP, one row each: status, code, shape, and that nothing changed.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "test code: a wrong fixture is to fail loudly"
)]

mod support;

use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;
use support::{
    Account, Answer, Caller, Data, JIANGCHENG, LIANGHU, Resident, Server, begin_opening, fen, now,
};
use yufu_base::{AccountId, Amount, CommandId, Currency, InstitutionId, Signer, Timestamp};
use yufu_jose::{Jwk, SoftwareKey, encode_base64url};
use yufu_keys::{KeyStore, random};
use yufu_machine::{Action, ClassId, Order, Submission};
use yufu_openid4vc::Endpoint;
use yufu_openid4vc::issuance::{OfferLink, sign_proof};
use yufu_payment::{PaymentOrder, RequestToken};

const BINARY: &str = env!("CARGO_BIN_EXE_yufu");
/// The grant of an offer.
const GRANT: &str = "urn:ietf:params:oauth:grant-type:pre-authorized_code";

/// What refusals must leave as it was.
#[derive(Debug, PartialEq)]
struct Books {
    supply: Value,
    balances: Vec<u64>,
    /// The newest record, where refusals are not to reach the ledger at all.
    head: Option<u64>,
}

impl Books {
    async fn untouched(caller: &Caller, accounts: &[&Account]) -> Self {
        let head = Some(caller.head().await);
        Self { head, ..Self::unmoved(caller, accounts).await }
    }

    /// The ledger may keep the refusal, and nothing else.
    async fn unmoved(caller: &Caller, accounts: &[&Account]) -> Self {
        let mut balances = Vec::new();
        for account in accounts {
            balances.push(caller.balance(account).await);
        }
        Self { supply: caller.supply().await, balances, head: None }
    }
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "a flat list of rules")]
async fn what_cannot_be_understood_is_refused_in_the_one_shape_of_refusals() {
    let data = Data::new();
    let server = Server::start(&data);
    let caller = server.caller();
    let before = Books::untouched(&caller, &[]).await;
    let payments = format!("/banks/{JIANGCHENG}/v1/payments");
    let json = [("content-type", "application/json")];
    type Row<'a> = (&'a str, &'a str, &'a str, &'a [(&'a str, &'a str)], Vec<u8>, u16, &'a str);
    let rows: [Row<'_>; 10] = [
        ("unknown address", "GET", "/nowhere", &[], vec![], 404, "request.not_found"),
        (
            "unknown bank",
            "POST",
            "/banks/no-bank/v1/payments",
            &json,
            b"{\"order\":\"x\"}".to_vec(),
            404,
            "request.not_found",
        ),
        (
            "malformed JSON",
            "POST",
            &payments,
            &json,
            b"{\"order\":".to_vec(),
            400,
            "request.malformed",
        ),
        (
            "an unknown member",
            "POST",
            &payments,
            &json,
            b"{\"order\":\"x\",\"tip\":1}".to_vec(),
            400,
            "request.malformed",
        ),
        (
            "a member of another kind",
            "POST",
            &payments,
            &json,
            b"{\"order\":1}".to_vec(),
            400,
            "request.malformed",
        ),
        (
            "not JSON",
            "POST",
            &payments,
            &[("content-type", "text/plain")],
            b"x".to_vec(),
            415,
            "request.media_type",
        ),
        (
            "not an order",
            "POST",
            &payments,
            &json,
            b"{\"order\":\"x.y.z\"}".to_vec(),
            400,
            "request.malformed",
        ),
        ("another method", "DELETE", &payments, &[], vec![], 405, "request.method_not_allowed"),
        (
            "an id that is none",
            "GET",
            &format!("/banks/{JIANGCHENG}/v1/accounts/mine"),
            &[],
            vec![],
            400,
            "request.malformed",
        ),
        (
            "a number that is none",
            "GET",
            "/authority/status/first",
            &[],
            vec![],
            404,
            "request.not_found",
        ),
    ];
    for (case, method, path, headers, body, status, code) in rows {
        caller.send(method, path, headers, body).await.unwrap().refused(case, status, code);
    }
    assert_eq!(Books::untouched(&caller, &[]).await, before);
}

#[test]
fn a_body_that_is_too_large_is_refused_before_it_is_sent() {
    let data = Data::new();
    let server = Server::start(&data);
    let host = server.url.strip_prefix("http://").unwrap();
    let mut connection = TcpStream::connect(host).unwrap();
    connection.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let head = format!(
        "POST /banks/{JIANGCHENG}/v1/payments HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\
         content-type: application/json\r\ncontent-length: 300000\r\n\r\n"
    );
    connection.write_all(head.as_bytes()).unwrap();
    let mut said = String::new();
    connection.read_to_string(&mut said).unwrap();
    let (head, body) = said.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 413 "), "{head}");
    let kind = head.lines().find_map(|line| line.strip_prefix("content-type: ")).unwrap();
    let body = serde_json::from_str(body).unwrap();
    let answer = Answer { status: 413, kind: kind.to_owned(), body };
    answer.refused("too large", 413, "request.too_large");
}

#[tokio::test]
async fn a_desk_opens_to_its_own_token_alone() {
    let data = Data::new();
    let server = Server::start(&data);
    let caller = server.caller();
    let account = caller.business(JIANGCHENG, fen(100)).await;
    let before = Books::untouched(&caller, &[&account]).await;
    let number = json!({"resident_number": "420104196209208811"});
    let bank = |path: &str| format!("/banks/{JIANGCHENG}/v1/desk/{path}");
    let exchange = json!({"direction": "paper_to_digital", "account": account.id.to_string(), "amount_minor": 100});
    let rows = [
        ("identity-authority", "/authority/v1/officer/authentications".to_owned(), number.clone()),
        ("identity-authority", "/authority/v1/officer/accesses".to_owned(), number.clone()),
        ("identity-authority", "/authority/v1/officer/revocations".to_owned(), number),
        (
            "central-bank",
            "/central-bank/v1/operations".to_owned(),
            json!({"kind": "issue", "bank": JIANGCHENG, "amount_minor": 100}),
        ),
        ("central-bank", "/central-bank/v1/clock/confirm".to_owned(), json!({})),
        (JIANGCHENG, bank("exchanges"), exchange),
        (JIANGCHENG, bank("deposits"), json!({"amount_minor": 100})),
        (
            JIANGCHENG,
            bank("accounts"),
            json!({"class": "I", "wallet_key": Jwk::from(account.key.public_key())}),
        ),
    ];
    let of_another = caller.desk(LIANGHU);
    for (institution, path, body) in rows {
        let own = caller.desk(institution);
        let cut = own.get(1..).unwrap().to_owned();
        for token in [None, Some(""), Some("guess"), Some(&*cut), Some(&*of_another)] {
            let case = format!("{path} with {token:?}");
            let answer = caller.post(&path, token, &body).await;
            answer.refused(&case, 401, "request.unauthenticated");
        }
    }
    let file = bank(&format!("accounts/{}/customer?purpose=x&fields=family_name", account.id));
    let unexplained = bank(&format!("accounts/{}/customer?fields=family_name", account.id));
    let answer = caller.get(&unexplained, Some(&caller.desk(JIANGCHENG))).await;
    answer.refused("a look without a purpose", 400, "request.malformed");
    caller.get(&file, Some("guess")).await.refused("file", 401, "request.unauthenticated");
    assert_eq!(Books::untouched(&caller, &[&account]).await, before);
}

#[tokio::test]
async fn whoever_has_no_desk_does_not_learn_which_numbers_are_in_the_register() {
    let data = Data::new();
    let server = Server::start(&data);
    let caller = server.caller();
    let of_another = caller.desk(JIANGCHENG);
    for path in [
        "authentications",
        "accesses",
        "revocations",
        "deaths",
        "deaths/withdrawals",
        "cards",
        "cards/checks",
        "guardianships",
        "pseudonym-replacements",
    ] {
        let path = format!("/authority/v1/officer/{path}");
        for token in [None, Some("guess"), Some(&*of_another)] {
            let mut said = Vec::new();
            // One of a resident, one that is right in form and nobody's, and none at all.
            for number in ["420104196209208811", "11010519491231002X", "4201"] {
                let body = json!({
                    "resident_number": number, "evidence": "x", "credential": "pid", "reason": "x",
                });
                let answer = caller.post(&path, token, &body).await;
                said.push((answer.status, answer.kind, answer.body));
            }
            assert!(said.iter().all(|one| *one == said[0]), "{path}, {token:?}: {said:?}");
            assert_eq!(said[0].0, 401, "{path}: {said:?}");
        }
    }
    drop(server);
}

#[tokio::test]
async fn an_order_that_is_not_the_accounts_own_does_not_reach_the_ledger() {
    let data = Data::new();
    let server = Server::start(&data);
    let caller = server.caller();
    let payer = caller.business(JIANGCHENG, fen(100)).await;
    let payee = caller.business(LIANGHU, 0).await;
    let good = |id: CommandId| payer.order(payee.id, fen(1), id);
    let paid = good(caller.id());
    caller.pay(&payer, &paid).await.unwrap().done();

    let before = Books::untouched(&caller, &[&payer, &payee]).await;
    let stranger = Account { key: payee.key.clone(), ..payer.clone() };
    let elsewhere = Account { bank: LIANGHU.to_owned(), ..payer.clone() };
    let other_ledger = PaymentOrder { ledger: "old-central-bank".to_owned(), ..good(caller.id()) };
    let expired = PaymentOrder { expires: now().minus_seconds(1), ..good(caller.id()) };
    let unknown = PaymentOrder { payer: AccountId::new(7), ..good(caller.id()) };
    let reused = PaymentOrder { amount: cny(fen(2)), ..paid.clone() };
    let renamed = PaymentOrder { payee_name: "Somebody".to_owned(), ..paid.clone() };
    let rows = [
        ("another's key", &stranger, good(caller.id()), 401, "request.unauthenticated"),
        ("another ledger", &payer, other_ledger, 401, "request.unauthenticated"),
        ("expired", &payer, expired, 401, "request.unauthenticated"),
        ("no account", &payer, unknown, 404, "request.not_found"),
        ("at another bank", &elsewhere, good(caller.id()), 404, "request.not_found"),
        ("an id with another amount", &payer, reused, 409, "order.id_reused"),
        ("an id with another name", &payer, renamed, 409, "order.id_reused"),
    ];
    for (case, signer, order, status, code) in rows {
        caller.pay(signer, &order).await.unwrap().refused(case, status, code);
    }
    assert_eq!(Books::untouched(&caller, &[&payer, &payee]).await, before);
    let answer = caller.pay(&payer, &paid).await.unwrap().done();
    assert_eq!(answer["state"], "settled", "the order whose id was abused is still itself");
}

#[tokio::test]
async fn the_ledger_refuses_a_payment_by_its_rules_and_moves_nothing() {
    let data = Data::new();
    let server = Server::start(&data);
    let caller = server.caller();
    let payer = caller.business(JIANGCHENG, fen(100)).await;
    let payee = caller.business(LIANGHU, 0).await;
    let before = Books::unmoved(&caller, &[&payer, &payee]).await;
    let to = |payee: AccountId, minor: u64| payer.order(payee, minor, caller.id());
    let dollars =
        PaymentOrder { amount: Amount::new(Currency::new("USD").unwrap(), 100), ..to(payee.id, 0) };
    let aged = |created: Timestamp| PaymentOrder {
        expires: now().plus_seconds(60),
        ..payer.order(payee.id, 100, CommandId::at(created, u128::from_be_bytes(random())))
    };
    let rows = [
        ("zero", to(payee.id, 0), "transfer.amount_zero"),
        ("to nobody", to(AccountId::new(7), 100), "account.unknown"),
        ("to oneself", to(payer.id, 100), "transfer.same_account"),
        ("more than there is", to(payee.id, fen(100) + 1), "transfer.insufficient_funds"),
        ("all there can be", to(payee.id, u64::MAX), "transfer.insufficient_funds"),
        ("another currency", dollars, "transfer.currency_differs"),
        ("an id of last week", aged(now().minus_seconds(8 * 86_400)), "command.id_expired"),
        ("an id of tomorrow", aged(now().plus_seconds(86_400)), "command.id_from_future"),
    ];
    for (case, order, code) in rows {
        let answer = caller.pay(&payer, &order).await.unwrap();
        let body = answer.refused(case, 422, code);
        if code == "transfer.insufficient_funds" {
            assert_eq!(body["available_minor"], fen(100), "{case}");
            assert_eq!(body["requested_minor"], order.amount.minor(), "{case}");
        }
        let again = caller.pay(&payer, &order).await.unwrap().refused(case, 422, code);
        assert_eq!(again, body, "{case}: a repeat gets the first answer");
        let state = caller.payment(&payer, order.id).await.done();
        assert_eq!(state["state"], "refused", "{case}");
    }
    assert_eq!(Books::unmoved(&caller, &[&payer, &payee]).await, before);
}

#[tokio::test]
async fn limits_say_what_they_are_what_remains_and_what_lifts_them() {
    let data = Data::new();
    let server = Server::start(&data);
    let caller = server.caller();
    let mut resident = Resident::identified(&caller, 1).await;
    let payer = resident.open_account(&caller, fen(20_000)).await;
    let shop = caller.business(LIANGHU, fen(30_000)).await;
    let accounts = [&payer, &shop];
    let pay = async |yuan: u64| {
        let order = payer.order(shop.id, fen(yuan), caller.id());
        caller.pay(&payer, &order).await.unwrap()
    };
    let limits = |body: &Value| {
        let of = |name: &str| body[name].as_u64().unwrap();
        (of("limit_minor"), of("remaining_minor"), of("requested_minor"))
    };
    let liftable = |body: &Value| {
        assert_eq!(body["step_up"]["kind"], "presentation", "{body}");
        let link = body["step_up"]["authorization_request"].as_str().unwrap();
        assert!(link.starts_with("openid4vp://"), "{link}");
    };

    let before = Books::unmoved(&caller, &accounts).await;
    let single = pay(5_001).await.refused("single", 422, "transfer.limit_exceeded.single");
    assert_eq!(limits(&single), (fen(5_000), fen(5_000), fen(5_001)));
    liftable(&single);
    assert_eq!(Books::unmoved(&caller, &accounts).await, before);

    for _ in 0..2 {
        pay(4_000).await.done();
    }
    let before = Books::unmoved(&caller, &accounts).await;
    let daily = pay(2_001).await.refused("daily", 422, "transfer.limit_exceeded.daily");
    assert_eq!(limits(&daily), (fen(10_000), fen(2_000), fen(2_001)));
    liftable(&daily);

    let balance = caller.fund(&payer, fen(8_001)).await;
    let balance = balance.refused("balance", 422, "transfer.limit_exceeded.balance");
    assert_eq!(limits(&balance), (fen(20_000), fen(8_000), fen(8_001)));

    let order = shop.order(payer.id, fen(8_001), caller.id());
    caller.pay(&shop, &order).await.unwrap().refused("payee", 422, "transfer.payee_full");
    assert_eq!(Books::unmoved(&caller, &accounts).await, before);

    pay(2_000).await.done();
    assert_eq!(caller.balance(&payer).await, fen(10_000));
}

#[tokio::test]
async fn a_step_up_lets_one_order_through_once_for_its_holder_alone() {
    let data = Data::new();
    let server = Server::start(&data);
    let caller = server.caller();
    let mut holder = Resident::identified(&caller, 1).await;
    let payer = holder.open_account(&caller, fen(20_000)).await;
    let other = Resident::identified(&caller, 2).await;
    let shop = caller.business(LIANGHU, 0).await;
    let order = payer.order(shop.id, fen(6_000), caller.id());
    let ask = async || {
        let answer = caller.pay(&payer, &order).await.unwrap();
        let body = answer.refused("single", 422, "transfer.limit_exceeded.single");
        body["step_up"]["authorization_request"].as_str().unwrap().to_owned()
    };
    let (older, newer) = (ask().await, ask().await);

    let before = Books::unmoved(&caller, &[&payer, &shop]).await;
    let answer = other.answer(&caller, &newer).await.send(&caller).await;
    answer.refused("another's identity", 403, "presentation.not_the_holder");
    assert_eq!(Books::unmoved(&caller, &[&payer, &shop]).await, before);

    holder.answer(&caller, &newer).await.send(&caller).await.done();
    assert_eq!(caller.balance(&shop).await, fen(6_000));
    let before = Books::unmoved(&caller, &[&payer, &shop]).await;
    // An older request for the same order: answered, and paid already.
    let answer = holder.answer(&caller, &older).await;
    answer.send(&caller).await.done();
    let replay = answer.send(&caller).await;
    replay.refused("the same answer again", 409, "presentation.already_answered");
    caller.pay(&payer, &order).await.unwrap().done();
    assert_eq!(caller.payment(&payer, order.id).await.done()["state"], "settled");
    assert_eq!(Books::unmoved(&caller, &[&payer, &shop]).await, before);
}

#[tokio::test]
async fn the_central_bank_takes_commands_that_registered_banks_signed() {
    let data = Data::new();
    let server = Server::start(&data);
    let caller = server.caller();
    let account = caller.business(JIANGCHENG, fen(100)).await;
    let before = Books::unmoved(&caller, &[&account]).await;
    let bank_key = KeyStore::open(&data.path().join(JIANGCHENG).join("keys")).unwrap();
    let bank_key = bank_key.software_key("commands").unwrap();
    let own_key = SoftwareKey::from_seed(&random()).unwrap();
    let new_wallet = || Action::OpenWallet {
        account: AccountId::new(u128::from_be_bytes(random())),
        class: ClassId::new("I").unwrap(),
    };
    let bank: InstitutionId = JIANGCHENG.parse().unwrap();
    let issue = Action::Issue { bank, amount: cny(100) };
    let mut forged = submission(JIANGCHENG, &*bank_key, new_wallet(), &caller);
    forged.order.action = Action::CreditDeposits { amount: cny(100) };
    let rows = [
        ("another order's signature", forged, 401, "command.signature_invalid"),
        (
            "an unregistered institution",
            submission("bank-of-nowhere", &own_key, new_wallet(), &caller),
            422,
            "command.submitter_unknown",
        ),
        (
            "a bank's name with another key",
            submission(JIANGCHENG, &own_key, new_wallet(), &caller),
            422,
            "command.key_not_current",
        ),
        (
            "a bank that issues money",
            submission(JIANGCHENG, &*bank_key, issue, &caller),
            422,
            "command.not_permitted",
        ),
    ];
    for (case, submission, status, code) in rows {
        submit(&caller, &borsh::to_vec(&submission).unwrap()).await.refused(case, status, code);
    }
    submit(&caller, b"not borsh").await.refused("not borsh", 400, "request.malformed");
    assert_eq!(Books::unmoved(&caller, &[&account]).await, before);
}

#[tokio::test]
async fn an_account_is_read_with_a_fresh_token_of_its_own_key_for_this_address() {
    let data = Data::new();
    let server = Server::start(&data);
    let caller = server.caller();
    let mine = caller.business(JIANGCHENG, fen(100)).await;
    let other = caller.business(JIANGCHENG, 0).await;
    let path = mine.path();
    let with_other_key = Account { key: other.key.clone(), ..mine.clone() };
    let at_other_bank = Account { bank: LIANGHU.to_owned(), ..mine.clone() };
    let rows = [
        ("stale", mine.token_at(&path, now().minus_seconds(120))),
        ("from the future", mine.token_at(&path, now().plus_seconds(120))),
        ("another's key", with_other_key.token(&path)),
        ("for another account", mine.token(&other.path())),
        ("for another bank", at_other_bank.token(&path)),
        ("not a token", "x.y.z".to_owned()),
    ];
    for (case, token) in rows {
        let answer = caller.get(&path, Some(&token)).await;
        answer.refused(case, 401, "request.unauthenticated");
    }
    caller.get(&path, None).await.refused("no token", 401, "request.unauthenticated");
    let absent = format!("/banks/{JIANGCHENG}/v1/accounts/{}", AccountId::new(7));
    let answer = caller.get(&absent, Some(&mine.token(&absent))).await;
    answer.refused("no such account", 404, "request.not_found");
    let order = mine.order(other.id, 100, caller.id());
    caller.pay(&mine, &order).await.unwrap().done();
    let path = format!("/banks/{JIANGCHENG}/v1/payments/{}", order.id);
    let answer = caller.get(&path, Some(&other.token(&path))).await;
    answer.refused("the payee asks for the order", 401, "request.unauthenticated");

    let path = format!("/central-bank/v1/accounts/{}", mine.id);
    let rows = [
        ("the account's own bank", JIANGCHENG, JIANGCHENG, None),
        ("another bank", LIANGHU, LIANGHU, Some((404, "request.not_found"))),
        ("another bank in its name", LIANGHU, JIANGCHENG, Some((401, "request.unauthenticated"))),
        ("nobody", LIANGHU, "bank-of-nowhere", Some((401, "request.unauthenticated"))),
    ];
    for (case, signer, name, refusal) in rows {
        let keys = KeyStore::open(&data.path().join(signer).join("keys")).unwrap();
        let token = RequestToken {
            iss: name.to_owned(),
            aud: "central-bank".to_owned(),
            htm: "GET".to_owned(),
            htu: path.clone(),
            iat: now(),
        };
        let token = token.sign(&*keys.signer("commands").unwrap()).unwrap();
        let answer = caller.get(&path, Some(&token)).await;
        match refusal {
            Some((status, code)) => drop(answer.refused(case, status, code)),
            None => assert_eq!(answer.done()["balance_minor"], fen(99), "{case}"),
        }
    }
}

#[tokio::test]
async fn an_account_is_opened_by_one_presentation_that_holds() {
    let data = Data::new();
    let server = Server::start(&data);
    let caller = server.caller();
    let openings = format!("/banks/{JIANGCHENG}/v1/openings");
    let wallet_key = Jwk::from(SoftwareKey::from_seed(&random()).unwrap().public_key());
    let before = Books::untouched(&caller, &[]).await;
    for class in ["I", "II", "IV", "V"] {
        let body = json!({"class": class, "wallet_key": wallet_key});
        let answer = caller.post(&openings, None, &body).await;
        answer.refused(class, 422, "account.class_not_remote");
    }
    let body =
        json!({"class": "III", "wallet_key": {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}});
    caller.post(&openings, None, &body).await.refused("no key", 400, "request.malformed");
    let absent = "ffffffffffffffffffffffffffffffff";
    for path in
        [format!("{openings}/{absent}"), format!("/banks/{JIANGCHENG}/openid4vp/{absent}/request")]
    {
        caller.get(&path, None).await.refused(&path, 404, "request.not_found");
    }
    let path = format!("/banks/{JIANGCHENG}/openid4vp/{absent}/response");
    let answer = caller.post_form(&path, &[("response", "x")]).await;
    answer.refused("an answer to no request", 404, "request.not_found");

    let resident = Resident::identified(&caller, 3).await;
    let (link, opening) = begin_opening(&caller).await;
    let path = format!("/banks/{JIANGCHENG}/openid4vp/{opening}/response");
    for garbage in ["", "x", "a.b.c.d.e"] {
        let answer = caller.post_form(&path, &[("response", garbage)]).await;
        answer.refused(garbage, 400, "presentation.rejected");
    }
    let waiting = caller.get(&format!("{openings}/{opening}"), None).await.done();
    assert_eq!(waiting["state"], "waiting", "garbage does not use the request up");
    assert_eq!(Books::untouched(&caller, &[]).await, before);

    let presentation = resident.answer(&caller, &link).await;
    presentation.send(&caller).await.done();
    let open = caller.get(&format!("{openings}/{opening}"), None).await.done();
    assert_eq!(open["state"], "open");
    let before = Books::untouched(&caller, &[]).await;
    let replay = presentation.send(&caller).await;
    replay.refused("the same answer again", 409, "presentation.already_answered");
    let (link, _) = begin_opening(&caller).await;
    let second = resident.answer(&caller, &link).await.send(&caller).await;
    second.refused("a second account", 422, "account.too_many");
    assert_eq!(Books::untouched(&caller, &[]).await, before);
}

#[tokio::test]
async fn an_offer_is_taken_up_once_with_its_code_and_digits() {
    let data = Data::new();
    let server = Server::start(&data);
    let caller = server.caller();
    let resident = Resident::of(&caller, 4);
    let (code, digits) = offered(&resident, &caller).await;
    let wrong = if digits == "000000" { "000001" } else { "000000" };
    let grant = ("grant_type", GRANT);
    let with_code = ("pre-authorized_code", code.as_str());
    let right = vec![grant, with_code, ("tx_code", &digits)];
    let rows = [
        ("nothing", vec![], "invalid_request"),
        ("another grant", vec![("grant_type", "password")], "unsupported_grant_type"),
        ("no code", vec![grant], "invalid_request"),
        ("an unknown code", vec![grant, ("pre-authorized_code", "x")], "invalid_grant"),
        ("no digits", vec![grant, with_code], "invalid_request"),
        ("wrong digits", vec![grant, with_code, ("tx_code", wrong)], "invalid_grant"),
        ("twice", [right.clone(), vec![grant]].concat(), "invalid_request"),
    ];
    for (case, fields, error) in rows {
        caller.post_form("/authority/token", &fields).await.oauth(case, 400, error);
    }
    caller.post_form("/authority/token", &right).await.done();
    let again = caller.post_form("/authority/token", &right).await;
    again.oauth("the code again", 400, "invalid_grant");

    let (code, digits) = offered(&resident, &caller).await;
    let wrong = if digits == "000000" { "000001" } else { "000000" };
    let fields = |digits| [grant, ("pre-authorized_code", code.as_str()), ("tx_code", digits)];
    for _ in 0..5 {
        let guess = caller.post_form("/authority/token", &fields(wrong)).await;
        guess.oauth("a guess", 400, "invalid_grant");
    }
    let answer = caller.post_form("/authority/token", &fields(&digits)).await;
    answer.oauth("the right digits after five wrong ones", 400, "invalid_grant");
}

#[tokio::test]
async fn guesses_of_a_transaction_code_are_counted_across_a_restart_and_end_the_offer() {
    let data = Data::new();
    let mut server = Server::start(&data);
    let port = server.url.rsplit(':').next().unwrap().parse().unwrap();
    let resident = Resident::of(&server.caller(), 4);
    let (code, digits) = offered(&resident, &server.caller()).await;
    let (kept, kept_digits) = offered(&resident, &server.caller()).await;
    let wrong = |digits: &str| if digits == "000000" { "000001" } else { "000000" };
    let fields = |code: &str, digits: &str| {
        let of = |text: &str| text.to_owned();
        [("grant_type", of(GRANT)), ("pre-authorized_code", of(code)), ("tx_code", of(digits))]
    };
    let exchange = async |server: &Server, fields: [(&str, String); 3]| {
        let fields = fields.each_ref().map(|(name, value)| (*name, value.as_str()));
        server.caller().post_form("/authority/token", &fields).await
    };
    // Five guesses, the server killed after each: as if somebody could do that.
    for _ in 0..5 {
        let guess = exchange(&server, fields(&code, wrong(&digits))).await;
        guess.oauth("a guess", 400, "invalid_grant");
        server.kill();
        server = Server::start_at(&data, port);
    }
    let late = exchange(&server, fields(&code, &digits)).await;
    late.oauth("the right digits after five wrong ones", 400, "invalid_grant");
    // Another offer has its own count: four guesses leave it good.
    for _ in 0..4 {
        let guess = exchange(&server, fields(&kept, wrong(&kept_digits))).await;
        guess.oauth("a guess at another", 400, "invalid_grant");
    }
    exchange(&server, fields(&kept, &kept_digits)).await.done();
}

#[tokio::test]
async fn credentials_are_issued_once_for_a_token_and_fresh_proofs() {
    let data = Data::new();
    let server = Server::start(&data);
    let caller = server.caller();
    let resident = Resident::of(&caller, 4);
    let before = Books::untouched(&caller, &[]).await;
    let nonce = async || {
        let fresh = caller.post("/authority/nonce", None, &json!({})).await.done();
        fresh["c_nonce"].as_str().unwrap().to_owned()
    };
    let nonces = [nonce().await, nonce().await];
    let good = proofs(&caller, &nonces[0]);
    let with = |name: &str, value: Value| {
        let mut changed = good.clone();
        changed[name] = value;
        changed
    };
    let ask = async |token: Option<&str>, body: &Value| {
        caller.post("/authority/credential", token, body).await
    };
    ask(None, &good).await.oauth("no token", 401, "invalid_token");
    ask(Some("x"), &good).await.oauth("an unknown token", 401, "invalid_token");
    let token = access_token(&resident, &caller).await;
    let token = Some(token.as_str());
    let identifier = with("credential_identifier", json!("pid-1"));
    let encrypted = with("credential_response_encryption", json!({"alg": "ECDH-ES"}));
    let passport = with("credential_configuration_id", json!("passport"));
    let rows = [
        ("not a request", json!({}), "invalid_credential_request"),
        ("an unknown credential", passport, "unknown_credential_configuration"),
        ("by identifier", identifier, "unknown_credential_identifier"),
        ("encrypted", encrypted, "invalid_encryption_parameters"),
        ("no proofs", with("proofs", json!({})), "invalid_proof"),
        ("not a proof", with("proofs", json!({"jwt": ["x.y.z"]})), "invalid_proof"),
        ("a nonce that is none", proofs(&caller, "made-up"), "invalid_nonce"),
    ];
    for (case, body, error) in rows {
        ask(token, &body).await.oauth(case, 400, error);
    }
    ask(token, &good).await.done();
    let again = ask(token, &proofs(&caller, &nonces[1])).await;
    again.oauth("a spent token", 401, "invalid_token");

    let token = access_token(&resident, &caller).await;
    let spent = ask(Some(&token), &proofs(&caller, &nonces[0])).await;
    spent.oauth("a spent nonce", 400, "invalid_nonce");
    ask(Some(&token), &proofs(&caller, &nonces[1])).await.done();
    assert_eq!(Books::untouched(&caller, &[]).await, before, "an identity is no money");
}

fn cny(minor: u64) -> Amount {
    Amount::new(Currency::new("CNY").unwrap(), minor)
}

fn submission(name: &str, key: &dyn Signer, action: Action, caller: &Caller) -> Submission {
    let institution: InstitutionId = name.parse().unwrap();
    let order = Order { id: caller.id(), action };
    let signature = key.sign(&Submission::signing_bytes(&institution, &order)).unwrap();
    Submission { institution, key: key.public_key(), order, signature }
}

async fn submit(caller: &Caller, bytes: &[u8]) -> Answer {
    let body = json!({"submission": encode_base64url(bytes)});
    caller.post("/central-bank/v1/commands", None, &body).await
}

/// An officer's offer: its pre-authorized code, and its digits.
async fn offered(resident: &Resident, caller: &Caller) -> (String, String) {
    let (offer, digits) = resident.offer(caller).await;
    let OfferLink::Value(offer) = OfferLink::parse(&offer).unwrap() else {
        panic!("an offer by reference")
    };
    (offer.grants.pre_authorized.unwrap().pre_authorized_code, digits)
}

async fn access_token(resident: &Resident, caller: &Caller) -> String {
    let (code, digits) = offered(resident, caller).await;
    let fields = [("grant_type", GRANT), ("pre-authorized_code", &code), ("tx_code", &digits)];
    let token = caller.post_form("/authority/token", &fields).await.done();
    token["access_token"].as_str().unwrap().to_owned()
}

/// A request for one credential, with a proof for a fresh key.
fn proofs(caller: &Caller, nonce: &str) -> Value {
    let issuer = Endpoint::parse(&format!("{}/authority", caller.url)).unwrap();
    let key = SoftwareKey::from_seed(&random()).unwrap();
    let proof = sign_proof(&issuer, nonce, now(), &key).unwrap();
    json!({"credential_configuration_id": "pid", "proofs": {"jwt": [proof]}})
}
