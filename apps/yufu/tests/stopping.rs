//! Being asked to stop: what was taken is finished and nothing is lost; asked twice, the process ends at once.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "test code: a wrong fixture is to fail loudly"
)]

mod support;

use serde_json::Value;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Stdio;
use std::time::Duration;
use support::{Data, JIANGCHENG, Running, Server, ended, run, terminate, text, yufu};

const BINARY: &str = env!("CARGO_BIN_EXE_yufu");

/// A request to issue money, of which the server has the head and half the body.
struct UnderWay {
    stream: TcpStream,
    rest: Vec<u8>,
}

impl UnderWay {
    fn begin(server: &Server) -> Self {
        let address = server.url.strip_prefix("http://").unwrap();
        let token = server.caller().desk("central-bank");
        let body =
            format!(r#"{{"kind":"issue","bank":"{JIANGCHENG}","amount_minor":100}}"#).into_bytes();
        let (half, rest) = body.split_at(body.len() / 2);
        let head = format!(
            "POST /central-bank/v1/operations HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(&[head.as_bytes(), half].concat()).unwrap();
        // Time for the server to have read the head.
        std::thread::sleep(Duration::from_millis(200));
        Self { stream, rest: rest.to_vec() }
    }

    fn finish(mut self) -> String {
        self.stream.write_all(&self.rest).unwrap();
        let mut answer = String::new();
        self.stream.read_to_string(&mut answer).unwrap();
        answer
    }
}

/// Commands of the log but for those by which the mints make their keysets, which they do on their own.
fn commands(data: &Data) -> u64 {
    let audited = run(&["audit", "--json", "--data", data.path().to_str().unwrap()]);
    assert_eq!(audited.status.code(), Some(0), "{}", text(&audited.stdout));
    let report: Value = serde_json::from_slice(&audited.stdout).unwrap();
    let keysets = u64::try_from(report["keysets"].as_array().unwrap().len()).unwrap();
    report["commands"].as_u64().unwrap().checked_sub(keysets).unwrap()
}

#[test]
fn a_request_under_way_is_answered_before_the_server_ends_and_the_log_has_it() {
    let data = Data::new();
    let server = Server::start(&data);
    let before = commands(&data);
    let request = UnderWay::begin(&server);
    server.terminate();
    std::thread::sleep(Duration::from_millis(300));
    let address = server.url.strip_prefix("http://").unwrap().to_owned();
    assert!(TcpStream::connect(address).is_err(), "a server that stops takes nothing new");
    let answer = request.finish();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert_eq!(server.ended().code(), Some(0));
    let leftover = data.path().join("central-bank").join("ledger.sqlite-wal");
    assert!(!leftover.exists(), "the log was not closed");
    assert_eq!(commands(&data), before.saturating_add(1));
}

#[test]
fn a_second_signal_ends_the_server_at_once() {
    let data = Data::new();
    let server = Server::start(&data);
    let request = UnderWay::begin(&server);
    server.terminate();
    std::thread::sleep(Duration::from_millis(300));
    server.terminate();
    assert_eq!(server.ended().code(), Some(130));
    drop(request);
    let again = Server::start(&data);
    again.terminate();
    assert_eq!(again.ended().code(), Some(0));
}

#[test]
fn a_start_that_waits_for_others_can_be_stopped() {
    let data = Data::new();
    let path = data.path();
    let child = yufu()
        .args(["serve", "--listen", "127.0.0.1:0", "--institutions", "registrar"])
        .args(["--addresses", "trust-list-operator=http://localhost:9"])
        .args(["--trust-list-key", "tests/support/some-key.json"])
        .args(["--data", path.to_str().unwrap()])
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let mut process = Running(child);
    std::thread::sleep(Duration::from_millis(500));
    terminate(&process.0);
    assert_eq!(ended(&mut process.0).code(), Some(0));
}
