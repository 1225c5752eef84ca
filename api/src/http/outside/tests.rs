//! Names that lead inside, and one that changes between two looks: nobody inside is connected to.

use crate::http::{Client, ClientError, Language};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};

/// Somewhere outside that is nobody's (RFC 5737).
const OUTSIDE: &str = "203.0.113.7";

/// What names lead to: each look gives the next answer, the last one again and again.
#[derive(Clone, Default)]
struct Names {
    answers: BTreeMap<&'static str, Vec<Vec<IpAddr>>>,
    looks: Arc<Mutex<BTreeMap<String, usize>>>,
}

impl Names {
    fn with(mut self, name: &'static str, answers: &[&[&str]]) -> Self {
        let read = |all: &&[&str]| all.iter().map(|one| one.parse().unwrap()).collect();
        self.answers.insert(name, answers.iter().map(read).collect());
        self
    }

    fn looks(&self, name: &str) -> usize {
        self.looks.lock().unwrap().get(name).copied().unwrap_or(0)
    }
}

impl Resolve for Names {
    fn resolve(&self, name: Name) -> Resolving {
        let mut looks = self.looks.lock().unwrap();
        let count = looks.entry(name.as_str().to_owned()).or_insert(0);
        let answers = self.answers.get(name.as_str()).cloned().unwrap_or_default();
        let answer = answers.get(*count).or(answers.last()).cloned().unwrap_or_default();
        *count = count.saturating_add(1);
        let found = answer.into_iter().map(|ip| SocketAddr::new(ip, 0));
        Box::pin(async move { Ok(Box::new(found) as Addrs) })
    }
}

/// A client that stays outside, and looks names up here.
fn by(names: &Names) -> Client {
    Client::connecting(Language::default(), Some(Arc::new(names.clone()))).unwrap()
}

/// A machine inside that answers nobody, and notes who comes.
fn inside() -> (TcpListener, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

fn nobody_came(listener: &TcpListener) -> bool {
    listener.accept().is_err_and(|error| error.kind() == ErrorKind::WouldBlock)
}

#[tokio::test]
async fn a_name_that_leads_inside_is_not_connected_to() {
    let (listener, port) = inside();
    let names = Names::default()
        .with("metadata-1.example", &[&["169.254.169.254"]])
        .with("loopback-1.example", &[&["127.0.0.1"]])
        .with("mapped-1.example", &[&["::ffff:127.0.0.1"]])
        .with("local-1.example", &[&["fd00::1"]])
        .with("both-1.example", &[&[OUTSIDE, "127.0.0.1"]]);
    let client = by(&names);
    for name in ["metadata", "loopback", "mapped", "local", "both"] {
        let refused = client.get_text(&format!("http://{name}-1.example:{port}/")).await;
        assert!(matches!(refused, Err(ClientError::Inside { .. })), "{name}: {refused:?}");
        let url = format!("http://{name}-1.example:{port}/");
        let refused = client.exchange("GET", &url, &[], Vec::new()).await;
        assert!(matches!(refused, Err(ClientError::Inside { .. })), "{name}: {refused:?}");
    }
    assert!(nobody_came(&listener));
    let nowhere = client.get_text("http://unknown.example/").await;
    assert!(matches!(nowhere, Err(ClientError::Unreachable { .. })), "{nowhere:?}");
}

#[tokio::test]
async fn a_name_that_changes_after_it_was_judged_is_judged_again() {
    let (listener, port) = inside();
    let names = Names::default().with("rebind-1.example", &[&[OUTSIDE], &["127.0.0.1"]]);
    let guard = super::OutsideOnly(Arc::new(names.clone()));
    let first: Vec<SocketAddr> =
        guard.resolve("rebind-1.example".parse().unwrap()).await.unwrap().collect();
    assert_eq!(first, [SocketAddr::new(OUTSIDE.parse().unwrap(), 0)], "judged: outside");
    let client = by(&names);
    let refused = client.get_text(&format!("http://rebind-1.example:{port}/")).await;
    assert!(matches!(refused, Err(ClientError::Inside { .. })), "{refused:?}");
    assert_eq!(
        names.looks("rebind-1.example"),
        2,
        "one look for each connection, and no third one"
    );
    assert!(nobody_came(&listener));
}

#[tokio::test]
async fn an_address_inside_needs_no_name_to_be_refused_and_no_name_of_this_machine_is_taken() {
    let (listener, port) = inside();
    let client = Client::outside(Language::default()).unwrap();
    for host in ["127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "2130706433", "localhost"] {
        let refused = client.get_text(&format!("http://{host}:{port}/")).await;
        assert!(matches!(refused, Err(ClientError::Inside { .. })), "{host}: {refused:?}");
    }
    assert!(nobody_came(&listener));
    // Whoever calls institutions at their own addresses is not held to that.
    let anywhere = Client::new().unwrap();
    let tried = anywhere.get_text("http://127.0.0.1:1/").await;
    assert!(matches!(tried, Err(ClientError::Unreachable { .. })), "{tried:?}");
}

#[test]
fn who_is_listed_may_be_inside_by_name_and_in_development_everybody() {
    use super::may_lead_inside as may;
    let (home, bank) = ("https://trust.city.example", "https://bank.city.example/banks/a");
    for url in ["https://trust.city.example/list", "https://bank.city.example/banks/a/status/1"] {
        assert!(may(url, home, [bank]), "{url}");
    }
    for url in [
        "https://hotel.example/request",
        "https://bank.city.example:8443/",
        "https://127.0.0.1/",
        "http://localhost:1/",
        "no address",
    ] {
        assert!(!may(url, home, [bank]), "{url}");
    }
    // Not even if the list says so.
    assert!(!may("http://localhost:1/x", home, ["http://localhost:1"]));
    assert!(may("http://localhost:1/x", "http://localhost:2", []));
    assert!(may("https://hotel.example", "http://127.0.0.1:2", []));
}
