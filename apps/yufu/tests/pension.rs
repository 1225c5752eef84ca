//! A month is paid to hundreds of members, and the server is killed in the midst of it, again and again:
//! the run is taken up, everybody is paid once, and the sums are right at every look.
#![allow(
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "test code: a wrong fixture is to fail loudly"
)]

mod support;

use serde_json::{Value, json};
use std::path::Path;
use std::time::Duration;
use support::{Account, Caller, Data, JIANGCHENG, LIANGHU, Server, now, run};
use yufu_base::Signer;
use yufu_database::Database;
use yufu_keys::KeyStore;
use yufu_programmes::{Enrolment, Life, Month, Payout, Programmes};

const BINARY: &str = env!("CARGO_BIN_EXE_yufu");

const AGENCY: &str = "pension-agency";
const PROGRAMME: &str = "basic-pension";
const MONTHLY: u64 = 16_300;
const MEMBERS: usize = 240;
/// How long a run goes on before each kill once more is written down as paid, in milliseconds: uneven,
/// so that kills fall anywhere.
const FLOWS: [u64; 3] = [0, 13, 29];

/// The agency's own account, at its bank, with money for all members and one more.
async fn fund(caller: &Caller, data: &Path) -> Account {
    let keys = KeyStore::open(&data.join(AGENCY).join("keys")).unwrap();
    let key = keys.software_key("wallet").unwrap();
    let jwk: yufu_jose::Jwk = key.public_key().into();
    let body = json!({"class": "I", "wallet_key": jwk});
    let path = format!("/banks/{LIANGHU}/v1/desk/accounts");
    let opened = caller.post(&path, Some(&caller.desk(LIANGHU)), &body).await.done();
    let id = opened["account"].as_str().unwrap().parse().unwrap();
    let account = Account { bank: LIANGHU.to_owned(), id, key };
    caller.fund(&account, (MEMBERS as u64 + 1) * MONTHLY).await.done();
    let path = format!("/agencies/{AGENCY}/v1/desk/account");
    let body = json!({"account": account.id.to_string()});
    caller.post(&path, Some(&caller.desk(AGENCY)), &body).await.done();
    account
}

/// Members as enrolments leave them; their credentials have places in the authority's list.
async fn enrol(data: &Path, url: &str, accounts: &[Account]) -> Month {
    let path = data.join(AGENCY).join("programmes.sqlite");
    let records = Programmes::open(Database::open(&path).await.unwrap()).await.unwrap();
    let china = now().plus_seconds(8 * 3600).seconds();
    let today = jiff::Timestamp::from_second(i64::try_from(china).unwrap()).unwrap();
    let today = today.to_zoned(jiff::tz::TimeZone::UTC).date();
    let (year, month) =
        (u16::try_from(today.year()).unwrap(), u8::try_from(today.month()).unwrap());
    let month = Month::new(year, month).unwrap();
    for (index, account) in accounts.iter().enumerate() {
        let payout = Payout {
            bank: account.bank.clone(),
            account: account.id.to_string(),
            signed_at: now(),
        };
        let begun = Enrolment {
            id: format!("request-{index}"),
            programme: PROGRAMME.to_owned(),
            pseudonym: format!("member-{index}"),
            key: "{}".to_owned(),
            payout,
            session: "{}".to_owned(),
            expires_at: now().plus_seconds(600),
            answered: false,
        };
        let life = Life {
            status_uri: format!("{url}/authority/status/1"),
            status_index: index as u64,
            says_until: now().plus_seconds(90 * 86_400),
            shown_at: now(),
        };
        records.begin_enrolment(begun.clone()).await.unwrap();
        records.enrol(&begun, "receipt", &life, month).await.unwrap();
    }
    month
}

async fn officer(caller: &Caller, token: &str, name: &str, path: &str) -> Value {
    let bearer = format!("Bearer {}", caller.secret(AGENCY, token));
    let headers = [
        ("authorization", bearer.as_str()),
        ("operator", name),
        ("content-type", "application/json"),
    ];
    let path = format!("/agencies/{AGENCY}/v1/desk/{path}");
    caller.send("POST", &path, &headers, b"{}".to_vec()).await.unwrap().done()
}

/// The report of an envelope; it adds up at every look.
async fn report(caller: &Caller, envelope: &str) -> Value {
    let path = format!("/agencies/{AGENCY}/v1/desk/envelopes/{envelope}");
    let report = caller.get(&path, Some(&caller.desk(AGENCY))).await.done();
    let of = |part: &str, what: &str| report[part][what].as_u64().unwrap();
    for what in ["count", "minor"] {
        let parts = of("paid", what) + of("returned", what) + of("pending", what);
        assert_eq!(of("items", what), parts, "{report}");
    }
    report
}

async fn paid(caller: &Caller, envelope: &str) -> u64 {
    report(caller, envelope).await["paid"]["count"].as_u64().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_amid_a_disbursement_it_is_taken_up_and_pays_everybody_once() {
    let data = Data::new();
    // One address for all starts: a credential names its status list by it.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut server = Server::start_at(&data, port);
    let caller = server.caller();
    let agency = fund(&caller, &data.path()).await;
    let mut accounts = Vec::new();
    for index in 0..MEMBERS {
        let bank = if index % 2 == 0 { JIANGCHENG } else { LIANGHU };
        accounts.push(caller.business(bank, 0).await);
    }
    let month = enrol(&data.path(), &server.url, &accounts).await;
    let path = format!("programmes/{PROGRAMME}/months/{month}");
    let envelope = officer(&caller, "desk", "li", &path).await["envelope"].clone();
    let envelope = envelope.as_str().unwrap().to_owned();
    officer(&caller, "approver", "wu", &format!("envelopes/{envelope}/approval")).await;
    let runs = format!("envelopes/{envelope}/runs");
    let mut seen = Vec::new();
    for flow in FLOWS {
        officer(&caller, "desk", "li", &runs).await;
        let before = seen.last().copied().unwrap_or(0);
        while paid(&caller, &envelope).await <= before {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        tokio::time::sleep(Duration::from_millis(flow)).await;
        server.kill();
        server = Server::start_at(&data, port);
        seen.push(paid(&caller, &envelope).await);
    }
    let all = MEMBERS as u64;
    eprintln!("paid at each kill: {seen:?} of {all}");
    assert!(
        seen.iter().any(|paid| (1..all).contains(paid)),
        "no kill fell into the midst: {seen:?}"
    );
    for _ in 0..2 {
        officer(&caller, "desk", "li", &runs).await;
        let last = loop {
            let report = report(&caller, &envelope).await;
            if report["running"] == false {
                break report;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        };
        assert_eq!((&last["stopped"], &last["state"]), (&Value::Null, &json!("closed")), "{last}");
        assert_eq!(last["paid"], json!({"count": all, "minor": all * MONTHLY}));
    }
    for account in &accounts {
        assert_eq!(caller.balance(account).await, MONTHLY, "{}", account.id);
    }
    assert_eq!(caller.balance(&agency).await, MONTHLY);
    server.kill();
    let audited = run(&["audit", "--json", "--data", data.path().to_str().unwrap()]);
    assert_eq!(audited.status.code(), Some(0), "{}", support::text(&audited.stdout));
}
