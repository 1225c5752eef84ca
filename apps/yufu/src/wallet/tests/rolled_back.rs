//! The wallet's trust list: one that is older than one seen before, or over, is refused, whenever that was.

use crate::wallet::{Holder, Passphrase};
use std::path::Path;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use yufu_base::{Signer as _, Timestamp};
use yufu_engine::{Clock as _, ManualClock, SystemClock};
use yufu_jose::SoftwareKey;
use yufu_trust::{GoodPaths, RecognisedList, TrustList};

const DAY: u64 = 86_400;

/// Somewhere that a list is published.
struct Published {
    text: Arc<Mutex<String>>,
    url: String,
    key: SoftwareKey,
}

impl Published {
    async fn start(seed: u8) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://localhost:{}", listener.local_addr().unwrap().port());
        let text = Arc::new(Mutex::new(String::new()));
        let said = Arc::clone(&text);
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut asked = [0; 4096];
                match stream.read(&mut asked).await {
                    Ok(1..) => {}
                    Ok(0) | Err(_) => continue,
                }
                let body = said.lock().unwrap().clone();
                let head = format!(
                    "HTTP/1.1 200 OK\r\ncontent-type: application/jwt\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
                    body.len()
                );
                let _ = stream.write_all(format!("{head}{body}").as_bytes()).await;
            }
        });
        Self { text, url, key: SoftwareKey::from_seed(&[seed; 32]).unwrap() }
    }

    fn list(&self, sequence: u64) -> TrustList {
        let now = now();
        TrustList {
            operator: format!("{}/trust-list", self.url),
            sequence,
            issued_at: now,
            expires_at: now.plus_seconds(DAY),
            entries: Vec::new(),
            recognised: Vec::new(),
            directory: Vec::new(),
            good_paths: GoodPaths::default(),
        }
    }

    fn say(&self, list: &TrustList) {
        *self.text.lock().unwrap() = list.sign(&self.key).unwrap();
    }

    fn wallet(&self, folder: &Path) -> Holder {
        let passphrase = Passphrase::of_the_demo();
        Holder::open(folder, "mei", &passphrase, &self.url, self.key.public_key()).unwrap()
    }
}

fn now() -> Timestamp {
    SystemClock::new().read().wall
}

#[tokio::test]
async fn an_older_list_is_refused_by_an_open_wallet_and_by_one_that_is_opened_again() {
    let (operator, folder) = (Published::start(1).await, tempfile::tempdir().unwrap());
    operator.say(&operator.list(7));
    let mut wallet = operator.wallet(folder.path());
    assert_eq!(wallet.trust().await.unwrap().sequence, 7);
    operator.say(&operator.list(6));
    let refused = wallet.trust().await.unwrap_err();
    assert!(format!("{refused:#}").contains("older than list 7"), "{refused:#}");
    drop(wallet);
    let mut again = operator.wallet(folder.path());
    let refused = again.trust().await.unwrap_err();
    assert!(format!("{refused:#}").contains("older than list 7"), "{refused:#}");
    operator.say(&operator.list(8));
    assert_eq!(again.trust().await.unwrap().sequence, 8);
}

#[tokio::test]
async fn a_list_that_is_over_is_gone_on_with_by_no_wallet() {
    let (operator, folder) = (Published::start(1).await, tempfile::tempdir().unwrap());
    operator.say(&operator.list(7));
    operator.wallet(folder.path()).trust().await.unwrap();
    let clock = ManualClock::new(now().plus_seconds(2 * DAY));
    let mut late = operator.wallet(folder.path()).with_clock(Arc::new(clock));
    let refused = late.trust().await.unwrap_err();
    assert!(format!("{refused:#}").contains("expired"), "{refused:#}");
    operator.text.lock().unwrap().clear();
    assert!(late.trust().await.is_err(), "nor if nothing comes");
}

#[tokio::test]
async fn an_older_list_of_another_country_is_refused_too() {
    let (home, there) = (Published::start(1).await, Published::start(2).await);
    let folder = tempfile::tempdir().unwrap();
    let mut list = home.list(3);
    list.recognised = vec![RecognisedList {
        country: "XP".to_owned(),
        url: there.url.clone(),
        key: there.key.public_key().into(),
    }];
    home.say(&list);
    there.say(&there.list(7));
    home.wallet(folder.path()).go_abroad("XP").await.unwrap();
    there.say(&there.list(6));
    let refused = home.wallet(folder.path()).go_abroad("XP").await.unwrap_err();
    assert!(format!("{refused:#}").contains("older than list 7"), "{refused:#}");
}
