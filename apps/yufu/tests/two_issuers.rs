//! One attested wallet at several issuers: what each sees of its attestations, and what the wallet's provider is told,
//! as it goes over the wire.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code: a wrong fixture is to fail loudly"
)]

mod support;

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::net::TcpListener as Port;
use std::sync::{Arc, Mutex};
use support::attested::authenticated;
use support::institutions::PROVIDER;
use support::{Data, JIANGCHENG, LIANGHU, Resident, Server};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use yufu::wallet::{Got, Wanted};
use yufu_jose::Unverified;

const BINARY: &str = env!("CARGO_BIN_EXE_yufu");

/// Everything that went to the server, one text for each connection.
type Wire = Arc<Mutex<Vec<Vec<u8>>>>;

/// A relay before the server at `port`, which notes what goes there: the address, and the notes.
async fn relay(port: u16) -> (String, Wire) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://localhost:{}", listener.local_addr().unwrap().port());
    let wire = Wire::default();
    let notes = Arc::clone(&wire);
    tokio::spawn(async move {
        while let Ok((near, _)) = listener.accept().await {
            let notes = Arc::clone(&notes);
            tokio::spawn(async move {
                let Ok(far) = TcpStream::connect(("127.0.0.1", port)).await else { return };
                let place = {
                    let mut all = notes.lock().unwrap();
                    all.push(Vec::new());
                    all.len().saturating_sub(1)
                };
                let ((mut from, mut back), (mut answers, mut to)) =
                    (near.into_split(), far.into_split());
                let answering = tokio::spawn(async move {
                    let _ = tokio::io::copy(&mut answers, &mut back).await;
                });
                let mut read = vec![0; 16_384];
                while let Ok(count) = from.read(&mut read).await {
                    if count == 0 || to.write_all(&read[..count]).await.is_err() {
                        break;
                    }
                    notes.lock().unwrap()[place].extend_from_slice(&read[..count]);
                }
                let _ = to.shutdown().await;
                let _ = answering.await;
            });
        }
    });
    (url, wire)
}

/// The requests of the wire: path, headers and what follows until the next, as text.
fn requests(wire: &Wire) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for connection in wire.lock().unwrap().iter() {
        let text = String::from_utf8_lossy(connection);
        let mut at: Option<(String, String)> = None;
        for line in text.split("\r\n") {
            // A body without a line's end at its end is followed at once by the next request.
            let begins = ["GET /", "POST /"].iter().find_map(|method| line.find(method));
            let ends = line.ends_with(" HTTP/1.1");
            match (begins.filter(|_| ends), &mut at) {
                (Some(begin), _) => {
                    let (before, request) = line.split_at(begin);
                    if let Some((path, mut rest)) = at.take() {
                        rest.push_str(before);
                        found.push((path, rest));
                    }
                    let path = request.split(' ').nth(1).unwrap().to_owned();
                    at = Some((path, String::new()));
                }
                (None, Some((_, rest))) => {
                    rest.push_str(line);
                    rest.push('\n');
                }
                (None, None) => {}
            }
        }
        found.extend(at);
    }
    found
}

/// The attestations that each issuer was shown, by the path that it has for itself.
fn shown(requests: &[(String, String)]) -> BTreeMap<String, BTreeSet<String>> {
    let mut all: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (path, rest) in requests {
        let header = |line: &str| {
            let (name, value) = line.split_once(':')?;
            let named = name.eq_ignore_ascii_case("oauth-client-attestation");
            named.then(|| value.trim().to_owned())
        };
        let issuer: Vec<&str> = path.split('/').take(3).collect();
        for token in rest.lines().filter_map(header) {
            all.entry(issuer.join("/")).or_default().insert(token);
        }
    }
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn one_wallet_shows_each_issuer_an_attestation_of_its_own_and_tells_the_provider_of_none() {
    let data = Data::new();
    let port = Port::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let (url, wire) = relay(port).await;
    let server = Server::start_at_with(&data, port, &["--url", &url]);
    let mut caller = server.caller();
    caller.url.clone_from(&url);
    let mut resident = Resident::of(&caller, 1);
    resident.wallet.of_provider(PROVIDER).unwrap();
    let made = authenticated(&caller, &resident, "pid").await;
    let (offer, digits) = (made["haip_offer"].as_str().unwrap(), &made["transaction_code"]);

    // The same wallet gets an identity from one, and opens an account at two others.
    let wallet = &mut resident.wallet;
    let got = wallet.get_attested(offer, digits.as_str(), Wanted::default()).await.unwrap();
    assert!(matches!(got, Got::Received(_)), "{got:?}");
    for bank in [JIANGCHENG, LIANGHU] {
        wallet.open_account(bank, "III", &mut |_| true).await.unwrap();
    }
    let requests = requests(&wire);
    let shown = shown(&requests);
    let issuers: Vec<&String> = shown.keys().collect();
    let banks = [JIANGCHENG, LIANGHU].map(|bank| format!("/banks/{bank}"));
    assert_eq!(issuers, ["/authority/haip", &banks[0], &banks[1]]);

    let (mut seen, mut keys, mut said) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for (issuer, tokens) in &shown {
        for token in tokens {
            assert!(seen.insert(token.clone()), "{issuer} sees what another saw");
            let claims: Value = Unverified::parse(token).unwrap().unverified_claims().unwrap();
            let members: Vec<&String> = claims.as_object().unwrap().keys().collect();
            assert_eq!(members, ["cnf", "exp", "iss", "sub"], "no instance, no wallet");
            said.insert((claims["iss"].to_string(), claims["sub"].to_string()));
            keys.insert((issuer.clone(), claims["cnf"].to_string()));
        }
    }
    let distinct: BTreeSet<&String> = keys.iter().map(|(_, key)| key).collect();
    assert_eq!(distinct.len(), keys.len(), "no key is attested to two of them");
    assert_eq!(said.len(), 1, "what they have in common is the provider, and its client id");

    // The provider was asked for each, and no request says for whom.
    let path = format!("/wallet-providers/{PROVIDER}");
    let asked: Vec<&(String, String)> =
        requests.iter().filter(|(at, _)| at.starts_with(&path)).collect();
    let attested = asked.iter().filter(|(at, _)| at.ends_with("/attestations")).count();
    assert!(attested >= shown.len(), "{attested}");
    for (at, rest) in asked {
        for named in ["authority", JIANGCHENG, LIANGHU, &resident.number] {
            assert!(!rest.contains(named), "{at} names {named}");
        }
    }
    drop(server);
}
