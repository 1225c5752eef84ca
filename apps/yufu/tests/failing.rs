//! A wallet against servers that are away, busy, broken or lie, and networks that answer in their place: it says who, what
//! and what to do next, in the person's language; a silent bank keeps nobody else's money waiting, and nothing is done
//! twice.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "test code: a wrong fixture is to fail loudly"
)]

mod support;

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;
use support::terminal::{Terminal, resident};
use support::{Caller, Data, JIANGCHENG, Server, text};
use yufu_verify::{Outcome, Verify, VerifyError};

const BINARY: &str = env!("CARGO_BIN_EXE_yufu");

/// What comes instead of an answer.
#[derive(Clone, Copy)]
enum Fault {
    /// These bytes.
    Answers(&'static str),
    /// Nothing: the connection ends.
    Breaks,
}

/// Part of an address, and what comes from there.
type Faults = Arc<Mutex<Vec<(&'static str, Fault)>>>;

/// Stands before a server, under the address that everybody knows.
struct Front {
    url: String,
    faults: Faults,
}

impl Front {
    /// Before whoever will listen on a port.
    fn before(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let faults = Faults::default();
        let known = Arc::clone(&faults);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (stream, known) = (stream.unwrap(), Arc::clone(&known));
                thread::spawn(move || answer(stream, port, &known));
            }
        });
        Self { url, faults }
    }

    fn fails(&self, part: &'static str, fault: Fault) {
        self.faults.lock().unwrap().push((part, fault));
    }

    fn mends(&self) {
        self.faults.lock().unwrap().clear();
    }
}

/// One request, answered by the server or by a fault.
fn answer(mut client: TcpStream, port: u16, faults: &Faults) -> Option<()> {
    let request = read_request(&mut client)?;
    let head = String::from_utf8_lossy(&request).into_owned();
    let target = head.split(' ').nth(1)?.to_owned();
    let fault = faults.lock().unwrap().iter().find(|(part, _)| target.contains(part)).copied();
    match fault {
        Some((_, Fault::Breaks)) => return None,
        Some((_, Fault::Answers(bytes))) => return client.write_all(bytes.as_bytes()).ok(),
        None => {}
    }
    let mut server = TcpStream::connect(("127.0.0.1", port)).ok()?;
    let first = request.windows(2).position(|two| two == b"\r\n")? + 2;
    server.write_all(&request[..first]).ok()?;
    server.write_all(b"connection: close\r\n").ok()?;
    server.write_all(&request[first..]).ok()?;
    let mut answer = Vec::new();
    server.read_to_end(&mut answer).ok()?;
    client.write_all(&answer).ok()
}

/// A request whole: its head, and as much of a body as it says.
fn read_request(client: &mut TcpStream) -> Option<Vec<u8>> {
    let (mut request, mut chunk) = (Vec::new(), [0; 4096]);
    loop {
        if let Some(end) = request.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&request[..end]).to_ascii_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
            let length: usize = length.map_or(0, |length| length.trim().parse().unwrap());
            if request.len() >= end + 4 + length {
                return Some(request);
            }
        }
        match client.read(&mut chunk) {
            Ok(read @ 1..) => request.extend_from_slice(&chunk[..read]),
            _ => return None,
        }
    }
}

/// A city behind a front.
fn city(data: &Data) -> (Server, Front, Caller) {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let front = Front::before(port);
    let server = Server::start_at_with(data, port, &["--url", &front.url]);
    let caller = Caller::new(&front.url, &data.path());
    (server, front, caller)
}

const BUSY: Fault = Fault::Answers(
    "HTTP/1.1 503 Service Unavailable\r\nretry-after: 7\r\ncontent-type: text/html\r\ncontent-length: 13\r\nconnection: close\r\n\r\n<p>later</p>\n",
);
const GATEWAY: Fault =
    Fault::Answers("HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
const LOG_IN: Fault = Fault::Answers(
    "HTTP/1.1 302 Found\r\nlocation: http://wifi.example/\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
);
const PAGE: Fault = Fault::Answers(
    "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 21\r\nconnection: close\r\n\r\n<html>Welcome!</html>",
);
const OTHER: Fault = Fault::Answers(
    "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 9\r\nconnection: close\r\n\r\n{\"a\": []}",
);
const GONE: Fault = Fault::Answers(
    "HTTP/1.1 404 Not Found\r\ncontent-type: text/html\r\ncontent-length: 9\r\nconnection: close\r\n\r\n<p>no</p>",
);
/// A refusal that would clear the screen, and write what it likes there.
const LIE: Fault = Fault::Answers(
    "HTTP/1.1 403 Forbidden\r\ncontent-type: application/problem+json\r\ncontent-length: 112\r\nconnection: close\r\n\r\n{\"type\":\"x\",\"code\":\"a.b\",\"status\":403,\"title\":\"no\\u001b[2J\\u202e\",\"detail\":\"Paid!\\u0007\\rPaid!\",\"remedy\":\"x\"}   ",
);

/// Which requests fail how; what is typed, and what is said of it in English and in Chinese.
type Row<'r> = (&'static str, Fault, &'static [&'static str], Vec<&'r str>, &'static str);

fn rows(bank: &str) -> Vec<Row<'_>> {
    vec![
        (
            "/mint/v1/",
            BUSY,
            &["cash", "withdraw", "50"],
            vec![bank, "cannot answer now (status 503): try again in 7 seconds"],
            "暂时无法答复（状态码503）：请7秒后重试",
        ),
        (
            "/mint/v1/",
            GONE,
            &["cash", "withdraw", "50"],
            vec![bank, "does not do what was asked there (status 404): check the address"],
            "不办理此处所请求的事（状态码404）",
        ),
        (
            "/central-bank/v1/keysets",
            Fault::Breaks,
            &["cash", "withdraw", "50"],
            vec!["Central Bank at ", "did not answer (", "check the network"],
            "没有答复（",
        ),
        (
            "/trust-list/",
            LOG_IN,
            &["cash", "prepare"],
            vec!["something else answered in place of", "(status 302)", "log in first"],
            "答复的不是",
        ),
        (
            "/trust-list/",
            PAGE,
            &["cash", "prepare"],
            vec!["something else answered in place of", "log in first"],
            "请用浏览器登录后重试",
        ),
        (
            "/v1/accounts/",
            OTHER,
            &["show"],
            vec![bank, "gave an answer that this program does not understand"],
            "的答复本程序无法识别",
        ),
        ("/v1/accounts/", LIE, &["show"], vec!["no [2J x", "a.b: Paid!  Paid!"], "a.b: Paid!"),
        (
            "/openid/",
            BUSY,
            &["cash", "allowance", JIANGCHENG],
            vec!["Cash Allowance Service at", "try again in 7 seconds"],
            "匿名现金额度服务",
        ),
        // What a session wants fetched: here, whom to show what.
        (
            "openid4vp",
            GATEWAY,
            &["open", "bank-of-lianghu"],
            vec![
                "Bank of Lianghu at",
                "cannot answer now (status 502): try again in a few minutes",
            ],
            "请几分钟后重试",
        ),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn who_gave_no_answer_of_use_is_named_with_what_to_do_next_in_either_language() {
    let data = Data::new();
    let (_server, front, caller) = city(&data);
    let (name, _) = resident(&caller, 7).await;
    let mut mei = Terminal::of(&caller, &name);
    mei.says(&["cash", "withdraw", "50"]);
    let bank = format!("Bank of Jiangcheng at {}", front.url);
    for (part, fault, arguments, english, chinese) in rows(&bank) {
        front.fails(part, fault);
        for (language, expected) in [("en", english), ("zh", vec![chinese])] {
            mei.environment = vec![("YUFU_LANG", language.to_owned())];
            let output = mei.type_in(arguments);
            let said = text(&output.stderr);
            assert!(!output.status.success(), "{part}: {said}");
            for words in expected {
                assert!(said.contains(words), "{part} {arguments:?}: {words:?} is not in {said}");
            }
            let commands = said.chars().any(|c| (c.is_control() && c != '\n') || c == '\u{202e}');
            assert!(!commands, "{said:?} commands the terminal");
        }
        front.mends();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_whose_answer_is_lost_is_kept_and_gone_on_with_and_nothing_is_done_twice() {
    let data = Data::new();
    let (_server, front, caller) = city(&data);
    let (name, _) = resident(&caller, 7).await;
    let mei = Terminal::of(&caller, &name);
    // The bank has the order; that the notes are signed nobody hears.
    front.fails("/mint/v1/mint/bank", GATEWAY);
    mei.refused(&["cash", "withdraw", "50"], "what was begun is kept: `yufu wallet cash settle`");
    mei.refused(&["cash", "settle"], "not everybody answered");
    assert_eq!(caller.supply().await["digital_in_notes"], 0);
    front.mends();
    assert_eq!(mei.says(&["cash", "settle"]), "0 steps are still under way.");
    assert!(mei.says(&["cash", "list"]).contains("50.00 CNY resting"));
    assert_eq!(caller.supply().await["digital_in_notes"], 5_000);
    // A page of the network's is no refusal either: the notes are not given up for it.
    front.fails("/mint/v1/swap", PAGE);
    mei.refused(&["cash", "pay", "18", "--hurry"], "something else answered in place of");
    front.mends();
    mei.says(&["cash", "settle"]);
    let listed = mei.says(&["cash", "list"]);
    assert!(listed.contains("paid, 18.00 CNY not taken yet"), "{listed}");
    assert!(listed.contains("32.00 CNY"), "{listed}");
    assert_eq!(caller.supply().await["digital_in_notes"], 5_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bank_that_is_silent_keeps_no_other_banks_notes_waiting() {
    let data = Data::new();
    let (_server, front, caller) = city(&data);
    let (name, _) = resident(&caller, 7).await;
    let (mei, shop) = (Terminal::of(&caller, &name), Terminal::of(&caller, "shop"));
    mei.says(&["cash", "withdraw", "50"]);
    shop.says(&["cash", "prepare"]);
    let request = shop.says(&["cash", "request", "4", "--offline"]);
    let token = mei.says(&["cash", "pay", "--request", &request, "--hurry"]);
    shop.says(&["cash", "receive", "--offline", &token]);
    front.fails("/banks/bank-of-lianghu/", BUSY);
    // It can be asked for in notes of those who answer.
    assert!(shop.says(&["cash", "request", "5"]).starts_with("creqA"));
    let settled = shop.type_in(&["cash", "settle"]);
    let (out, err) = (text(&settled.stdout), text(&settled.stderr));
    assert!(!settled.status.success(), "{out}{err}");
    let silent = format!("Bank of Lianghu at {} cannot answer now", front.url);
    assert!(out.contains(&silent) && out.contains("0 steps are still under way."), "{out}");
    assert!(err.contains("not everybody answered"), "{err}");
    let listed = shop.says(&["cash", "list"]);
    assert!(listed.contains("4.00 CNY ready") && !listed.contains("without network"), "{listed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_waits_for_a_guest_outlasts_a_service_that_is_away_for_a_moment() {
    let data = Data::new();
    let (_server, front, caller) = city(&data);
    let (name, _) = resident(&caller, 2).await;
    let mei = Terminal::of(&caller, &name);
    let address = format!("{}/verifiers/donghu-bicycles", front.url);
    let verify = Verify::at(&address, caller.desk("donghu-bicycles")).unwrap();
    let started = verify.start("check-age").await.unwrap();
    front.fails("/v1/desk/verifications/", GATEWAY);
    let patience = Duration::from_secs(60);
    let waits = tokio::spawn({
        let (verify, started) = (verify.clone(), started.clone());
        async move { verify.wait(&started, patience).await }
    });
    tokio::time::sleep(Duration::from_millis(800)).await;
    front.mends();
    mei.says(&["present", &started.link]);
    assert!(matches!(waits.await.unwrap().unwrap(), Outcome::Yes(_)));
    // One that stays away is told, and what is refused is not asked for again.
    front.fails("/v1/desk/verifications/", GATEWAY);
    let away = verify.wait(&started, Duration::ZERO).await.unwrap_err().to_string();
    assert!(away.contains("502"), "{away}");
    front.mends();
    let stranger = Verify::at(&address, "a-guess".to_owned()).unwrap();
    let refused = stranger.wait(&started, patience).await.unwrap_err().to_string();
    assert!(refused.contains("request.unauthenticated"), "{refused}");
}

#[test]
fn a_desks_token_is_sent_to_no_other_machine_without_tls() {
    let at = |address: &str| Verify::at(address, "token".to_owned()).map(|_| ());
    for open in ["http://inn.example/verifiers/inn", "http://10.0.0.7:8080/verifiers/inn"] {
        assert!(matches!(at(open), Err(VerifyError::Unprotected(_))), "{open}");
    }
    for none in ["", "inn", "ftp://inn.example/verifiers/inn", "https://inn.example/?x=1"] {
        assert!(matches!(at(none), Err(VerifyError::Address(_))), "{none}");
    }
    for good in ["https://inn.example/verifiers/inn", "http://localhost:8080/verifiers/inn"] {
        assert!(at(good).is_ok(), "{good}");
    }
    for token in ["", "two\nlines", "a token", "令牌"] {
        let refused = Verify::at("https://inn.example/verifiers/inn", token.to_owned());
        assert!(matches!(refused.map(|_| ()), Err(VerifyError::Token)), "{token:?}");
    }
}
