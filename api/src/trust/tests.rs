//! A list that is rolled back or over fails closed: within a process and after a restart.

use super::*;
use axum::Router;
use axum::routing::get;
use tempfile::TempDir;
use yufu_base::Signer as _;
use yufu_jose::SoftwareKey;
use yufu_keys::KeyStore;
use yufu_trust::{GoodPaths, Succession};

const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);
const DAY: u64 = 86_400;
const OPERATOR: &str = "https://trust.example";

/// An operator that publishes whatever a test says, and a reader's memory.
struct Published {
    text: Arc<Mutex<String>>,
    url: String,
    key: SoftwareKey,
    folder: TempDir,
}

impl Published {
    async fn start() -> Self {
        let text = Arc::new(Mutex::new(String::new()));
        let said = Arc::clone(&text);
        let answer = move || {
            let said = said.lock().unwrap().clone();
            async move { said }
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://localhost:{}/list", listener.local_addr().unwrap().port());
        let router = Router::new().route("/list", get(answer));
        tokio::spawn(async move { axum::serve(listener, router).await });
        let (key, folder) =
            (SoftwareKey::from_seed(&[5; 32]).unwrap(), tempfile::tempdir().unwrap());
        Self { text, url, key, folder }
    }

    /// Publishes list `sequence`, good for `seconds` from now on.
    fn say(&self, sequence: u64, seconds: u64) {
        self.say_by(&self.key, sequence, seconds);
    }

    fn say_by(&self, key: &SoftwareKey, sequence: u64, seconds: u64) {
        let list = TrustList {
            operator: OPERATOR.to_owned(),
            sequence,
            issued_at: NOW,
            expires_at: NOW.plus_seconds(seconds),
            entries: Vec::new(),
            recognised: Vec::new(),
            directory: Vec::new(),
            good_paths: GoodPaths::default(),
        };
        *self.text.lock().unwrap() = list.sign(key).unwrap();
    }

    /// Publishes list `sequence` of `at`, by a key that others followed by these words.
    fn say_after(&self, words: &[String], key: &SoftwareKey, sequence: u64, at: Timestamp) {
        let list = TrustList {
            operator: OPERATOR.to_owned(),
            sequence,
            issued_at: at,
            expires_at: at.plus_seconds(DAY),
            entries: Vec::new(),
            recognised: Vec::new(),
            directory: Vec::new(),
            good_paths: GoodPaths::default(),
        };
        *self.text.lock().unwrap() = list.sign_after(key, words).unwrap();
    }

    fn fall_silent(&self) {
        self.text.lock().unwrap().clear();
    }

    /// The reader as it starts.
    fn reader(&self) -> TrustSource {
        self.reader_of(&self.key)
    }

    fn reader_of(&self, key: &SoftwareKey) -> TrustSource {
        let seen = SeenLists::new(KeyStore::open(self.folder.path()).unwrap());
        let (client, pin) = (Client::new().unwrap(), TrustPin::given(key.public_key()));
        TrustSource::new(client, self.url.clone(), SharedPin::new(pin), seen).unwrap()
    }
}

fn rolled_back(found: u64, known: u64, error: &TrustSourceError) -> bool {
    matches!(error, TrustSourceError::Refused(refused)
        if *refused == TrustListError::RolledBack { found, known })
}

#[tokio::test]
async fn an_older_list_is_refused_by_a_running_reader_and_after_its_restart() {
    let operator = Published::start().await;
    operator.say(7, DAY);
    let running = operator.reader();
    assert_eq!(running.list(NOW).await.unwrap().sequence, 7);
    // The same signer, the same week: nothing but the memory tells.
    operator.say(6, DAY);
    let later = NOW.plus_seconds(FRESH_SECONDS);
    for reader in [&running, &operator.reader()] {
        let error = reader.list(later).await.unwrap_err();
        assert!(rolled_back(6, 7, &error), "{error}");
    }
    operator.say(8, DAY);
    assert_eq!(operator.reader().list(later).await.unwrap().sequence, 8);
    operator.say(7, DAY);
    let much_later = later.plus_seconds(FRESH_SECONDS);
    let error = running.list(much_later).await.unwrap_err();
    assert!(rolled_back(7, 8, &error), "what another start saw counts too: {error}");
}

#[tokio::test]
async fn once_a_key_followed_no_list_by_the_former_one_and_none_older_is_taken_also_after_a_restart()
 {
    let operator = Published::start().await;
    let (former, next) = (&operator.key, SoftwareKey::from_seed(&[6; 32]).unwrap());
    operator.say(7, DAY);
    let reader = operator.reader();
    reader.list(NOW).await.unwrap();
    let from = NOW.plus_seconds(FRESH_SECONDS);
    let jwk = next.public_key().into();
    let word = Succession { iss: OPERATOR.to_owned(), jwk, iat: NOW, from };
    let words = [word.sign(former).unwrap()];
    operator.say_after(&words, &next, 8, from);
    assert_eq!(reader.list(from).await.unwrap().sequence, 8);
    operator.say_after(&words, &next, 7, from);
    let later = from.plus_seconds(FRESH_SECONDS);
    for reader in [&reader, &operator.reader()] {
        let error = reader.list(later).await.unwrap_err();
        assert!(rolled_back(7, 8, &error), "{error}");
    }
    operator.say_after(&[], former, 9, later);
    let error = reader.list(later).await.unwrap_err();
    assert!(matches!(error, TrustSourceError::Refused(TrustListError::Token(_))), "{error}");
}

#[tokio::test]
async fn a_list_that_is_over_is_gone_on_with_by_nobody() {
    let operator = Published::start().await;
    operator.say(7, 30);
    let reader = operator.reader();
    assert!(reader.list(NOW).await.is_ok());
    // The operator says nothing newer, within the minute for which nobody asks again.
    let over = NOW.plus_seconds(30 + yufu_trust::LEEWAY_SECONDS);
    assert!(over < NOW.plus_seconds(2 * FRESH_SECONDS));
    for now in [over, over.plus_seconds(DAY)] {
        let error = reader.list(now).await.unwrap_err();
        let expired = TrustListError::Time(yufu_jose::TimeError::Expired(NOW.seconds() + 30));
        assert!(
            matches!(&error, TrustSourceError::Refused(refused) if *refused == expired),
            "{error}"
        );
    }
    let fresh = operator.reader();
    assert!(fresh.list(over).await.is_err(), "nor by one that starts");
    operator.fall_silent();
    assert!(reader.list(over).await.is_err(), "nor if nothing can be had");
}

#[tokio::test]
async fn a_list_at_hand_serves_a_minute_and_not_a_second_beyond_its_end() {
    let operator = Published::start().await;
    operator.say(7, 30);
    let reader = operator.reader();
    reader.list(NOW).await.unwrap();
    operator.say(8, DAY);
    assert_eq!(reader.list(NOW.plus_seconds(29)).await.unwrap().sequence, 7, "at hand");
    assert_eq!(reader.list(NOW.plus_seconds(30)).await.unwrap().sequence, 8, "over, so asked for");
}

#[tokio::test]
async fn a_memory_that_cannot_be_read_is_not_an_empty_one() {
    let operator = Published::start().await;
    operator.say(7, DAY);
    operator.reader().list(NOW).await.unwrap();
    let file = operator.folder.path().join("newest-trust-list.json");
    assert!(file.is_file());
    std::fs::write(&file, b"{").unwrap();
    let error = operator.reader().list(NOW).await.unwrap_err();
    assert!(matches!(error, TrustSourceError::Memory(_)), "{error}");
}

#[tokio::test]
async fn another_operators_sequence_is_another() {
    let operator = Published::start().await;
    operator.say(7, DAY);
    operator.reader().list(NOW).await.unwrap();
    let successor = SoftwareKey::from_seed(&[6; 32]).unwrap();
    operator.say_by(&successor, 1, DAY);
    assert_eq!(operator.reader_of(&successor).list(NOW).await.unwrap().sequence, 1);
    assert!(operator.reader().list(NOW).await.is_err(), "and the former one's key signs no more");
}
