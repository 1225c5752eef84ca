//! Wallets that listen to a mint over a WebSocket: so many at once and no more, apart from other connections; and cut
//! off when the server stops, which waits for none of them.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "test code: a wrong fixture is to fail loudly"
)]

mod support;

use serde_json::json;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;
use support::{Data, JIANGCHENG, LIANGHU, Server, now};

const BINARY: &str = env!("CARGO_BIN_EXE_yufu");
/// As docs/operations.md says.
const PLACES: usize = 256;

/// A wallet that listens.
struct Listener(TcpStream);

/// Asks to listen to a bank's mint: what the server answers first, and the connection.
fn knock(server: &Server, bank: &str) -> (String, TcpStream) {
    let address = server.url.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let request = format!(
        "GET /banks/{bank}/mint/v1/ws HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap() == 1 {
        head.push(byte[0]);
    }
    (String::from_utf8(head).unwrap(), stream)
}

fn listen(server: &Server, bank: &str) -> Listener {
    let (head, stream) = knock(server, bank);
    assert!(head.starts_with("HTTP/1.1 101"), "{head}");
    Listener(stream)
}

impl Listener {
    /// Sends a text, as clients send it, masked; the first answer.
    fn ask(&mut self, text: &str) -> String {
        let length = u8::try_from(text.len()).unwrap();
        assert!(length < 126);
        let mask = [1, 2, 3, 4];
        let mut frame = vec![0x81, 0x80 | length];
        frame.extend(mask);
        frame.extend(text.bytes().zip(mask.into_iter().cycle()).map(|(b, m)| b ^ m));
        self.0.write_all(&frame).unwrap();
        let mut head = [0; 2];
        self.0.read_exact(&mut head).unwrap();
        let mut length = usize::from(head[1]);
        if length == 126 {
            let mut long = [0; 2];
            self.0.read_exact(&mut long).unwrap();
            length = usize::from(u16::from_be_bytes(long));
        }
        let mut answer = vec![0; length];
        self.0.read_exact(&mut answer).unwrap();
        String::from_utf8(answer).unwrap()
    }

    /// Whether the other side has ended it, within some time.
    fn ends(mut self) -> bool {
        let mut rest = Vec::new();
        match self.0.read_to_end(&mut rest) {
            Ok(_) => true,
            Err(error) => !matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn so_many_wallets_listen_at_once_and_no_more_and_a_stop_waits_for_none() {
    let data = Data::new();
    // Fewer connections than places: who listens is not counted among them.
    let server = Server::start_with(&data, &["--connections", "64"]);
    let mut all: Vec<Listener> = (0..PLACES).map(|_| listen(&server, JIANGCHENG)).collect();
    let (head, _) = knock(&server, JIANGCHENG);
    assert!(head.starts_with("HTTP/1.1 429"), "one too many: {head}");
    // Each bank has places of its own, and everything else is answered.
    let elsewhere = listen(&server, LIANGHU);
    let caller = server.caller();
    caller.get(&format!("/banks/{JIANGCHENG}/mint/v1/info"), None).await.done();
    let unknown =
        json!({"jsonrpc": "2.0", "id": 7, "method": "unsubscribe", "params": {"subId": "x"}});
    for at in [0, PLACES - 1] {
        assert!(all[at].ask(&unknown.to_string()).contains("no such subscription"));
    }
    // Whoever leaves makes room.
    drop(all.pop());
    let mut tries = 0;
    let mut last = loop {
        let (head, stream) = knock(&server, JIANGCHENG);
        if head.starts_with("HTTP/1.1 101") {
            break Listener(stream);
        }
        tries += 1;
        assert!(tries < 100, "the place did not become free");
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    assert!(last.ask(&unknown.to_string()).contains("no such subscription"));

    let stopped = now().seconds();
    server.terminate();
    assert_eq!(server.ended().code(), Some(0));
    assert!(now().seconds() - stopped < 30, "it waited for who listens");
    all.push(last);
    all.push(elsewhere);
    assert!(all.into_iter().all(Listener::ends), "a listener was left");
}
