//! What a client of ours puts up with from whoever it is led to: no redirect is followed, no body is read without
//! end, no answer is waited for without end. (Where it may be led at all: `Endpoint` and the wallet.)
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "test code: a wrong fixture is to fail loudly"
)]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;
use yufu_api::http::{Client, ClientError};

/// A server that reads the head of each request and then does `answer`; how many came.
fn server(
    answer: impl Fn(&mut TcpStream) + Send + Sync + 'static,
) -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let asked = Arc::new(AtomicUsize::new(0));
    let (counted, answer) = (Arc::clone(&asked), Arc::new(answer));
    thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut stream, answer) = (stream.unwrap(), Arc::clone(&answer));
            counted.fetch_add(1, Ordering::SeqCst);
            thread::spawn(move || {
                let mut head = [0; 4096];
                let _ = stream.read(&mut head);
                answer(&mut stream);
            });
        }
    });
    (address, asked)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redirect_is_not_followed() {
    let (inside, reached) = server(|_| ());
    let (address, _) = server(move |stream| {
        let _ = write!(
            stream,
            "HTTP/1.1 302 Found\r\nlocation: http://{inside}/secret\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
        );
    });
    let client = Client::new().unwrap();
    let url = format!("http://{address}/request");
    let (status, _, body) = client.exchange("GET", &url, &[], Vec::new()).await.unwrap();
    assert_eq!((status, body.len()), (302, 0));
    let text = client.get_text(&url).await.unwrap_err();
    assert!(matches!(text, ClientError::Unexpected { status: 302, .. }), "{text}");
    assert_eq!(reached.load(Ordering::SeqCst), 0, "nobody was asked where it leads");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_without_end_is_read_to_a_bound() {
    for head in ["content-length: 999999999999", "transfer-encoding: chunked", "connection: close"]
    {
        let (address, _) = server(move |stream| {
            let _ = write!(stream, "HTTP/1.1 200 OK\r\n{head}\r\n\r\n");
            let chunk = vec![b'a'; 65_536];
            loop {
                let framed = if head.starts_with("transfer") { "10000\r\n" } else { "" };
                let end = if head.starts_with("transfer") { "\r\n" } else { "" };
                let sent =
                    stream.write_all(framed.as_bytes()).and_then(|()| stream.write_all(&chunk));
                if sent.and_then(|()| stream.write_all(end.as_bytes())).is_err() {
                    return;
                }
            }
        });
        let url = format!("http://{address}/request");
        let refused =
            Client::new().unwrap().exchange("GET", &url, &[], Vec::new()).await.unwrap_err();
        assert!(matches!(refused, ClientError::Unexpected { .. }), "{head}: {refused}");
        assert!(refused.to_string().contains("longer than"), "{head}: {refused}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_trickles_is_given_up() {
    let (address, _) = server(|stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n");
        while stream.write_all(b"a").is_ok() {
            thread::sleep(Duration::from_millis(500));
        }
    });
    let url = format!("http://{address}/request");
    let client = Client::new().unwrap();
    let asked = client.exchange("GET", &url, &[], Vec::new());
    let given_up = tokio::time::timeout(Duration::from_secs(40), asked).await;
    let given_up = given_up.unwrap().unwrap_err();
    assert!(matches!(given_up, ClientError::Unreachable { slow: true, .. }), "{given_up}");
}
