//! Another country's list at an address: what is taken over of it, what is refused, what is kept.

use super::*;
use axum::Router;
use axum::routing::get;
use std::sync::Arc;
use tempfile::TempDir;
use yufu_base::Signer;
use yufu_jose::SoftwareKey;
use yufu_keys::{AuthorityCertificate, Validity};
use yufu_trust::{GoodPaths, Localized};

const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);
const DAY: u64 = 86_400;

/// Another country's operator, who publishes whatever a test says.
struct Abroad {
    key: SoftwareKey,
    url: String,
    published: Arc<Mutex<String>>,
    /// Certificates by their authority's seed: each is made once.
    anchors: Mutex<BTreeMap<u8, Vec<u8>>>,
}

impl Abroad {
    async fn start() -> Self {
        let published = Arc::new(Mutex::new(String::new()));
        let text = Arc::clone(&published);
        let answer = move || {
            let text = text.lock().unwrap().clone();
            async move { text }
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://localhost:{}/list", listener.local_addr().unwrap().port());
        let router = Router::new().route("/list", get(answer));
        tokio::spawn(async move { axum::serve(listener, router).await });
        let (key, anchors) = (SoftwareKey::from_seed(&[5; 32]).unwrap(), Mutex::default());
        Self { key, url, published, anchors }
    }

    /// Publishes list `sequence`, which lapses after `lasts` seconds, of an authority of this seed.
    fn publish(&self, sequence: u64, lasts: u64, authority: u8) {
        self.publish_by(&self.key, sequence, lasts, authority);
    }

    fn publish_by(&self, key: &SoftwareKey, sequence: u64, lasts: u64, authority: u8) {
        let mut anchors = self.anchors.lock().unwrap();
        let anchor = anchors.entry(authority).or_insert_with(|| {
            let of = SoftwareKey::from_seed(&[authority; 32]).unwrap();
            let valid = Validity { from: NOW, until: NOW.plus_seconds(365 * DAY) };
            AuthorityCertificate::self_signed("Register", &of, valid).unwrap().der().to_vec()
        });
        let entry = |role| {
            let anchors = [anchor.clone()];
            let (name, url) = (Localized::new("en", "Register"), "https://register.example");
            TrustEntry::new(name, role, url, &anchors)
        };
        let list = TrustList {
            operator: "https://seals.example/trust-list".to_owned(),
            sequence,
            issued_at: NOW,
            expires_at: NOW.plus_seconds(lasts),
            entries: vec![entry(Role::PidIssuer), entry(Role::BankIssuer)],
            recognised: Vec::new(),
            directory: Vec::new(),
            good_paths: GoodPaths::default(),
        };
        *self.published.lock().unwrap() = list.sign(key).unwrap();
    }

    fn terms(&self) -> Vec<Recognised> {
        vec![Recognised {
            country: "XP".to_owned(),
            url: self.url.clone(),
            key: self.key.public_key().into(),
            roles: [Role::PidIssuer].into(),
        }]
    }
}

fn open(folder: &TempDir, terms: Vec<Recognised>, now: Timestamp) -> Recognition {
    let store = KeyStore::open(folder.path()).unwrap();
    Recognition::open(store, Client::new().unwrap(), terms, now).unwrap()
}

fn issuers(recognition: &Recognition, now: Timestamp) -> usize {
    let taken_over = recognition.taken_over(now).entries;
    assert!(taken_over.iter().all(|entry| entry.role == Role::ForeignPidIssuer));
    taken_over.len()
}

#[tokio::test]
async fn a_list_is_taken_over_and_kept_until_it_lapses() {
    let (abroad, folder) = (Abroad::start().await, tempfile::tempdir().unwrap());
    abroad.publish(7, DAY, 1);
    let recognition = open(&folder, abroad.terms(), NOW);
    assert!(issuers(&recognition, NOW) == 0 && !recognition.is_complete(NOW));
    assert!(recognition.refresh(NOW).await.is_empty());
    assert!(issuers(&recognition, NOW) == 1 && recognition.is_complete(NOW));
    // The other operator falls silent: what it said holds until then, across restarts, and no longer.
    abroad.published.lock().unwrap().clear();
    let recognition = open(&folder, abroad.terms(), NOW);
    let errors = recognition.refresh(NOW).await;
    assert!(matches!(errors[..], [RecognitionError::Refused(..)]), "{errors:?}");
    let last = NOW.plus_seconds(DAY - 1);
    assert!(issuers(&recognition, last) == 1 && recognition.is_complete(last));
    let late = NOW.plus_seconds(DAY);
    assert!(issuers(&recognition, late) == 0 && !recognition.is_complete(late));
}

#[tokio::test]
async fn an_older_list_and_one_of_another_key_are_refused() {
    let (abroad, folder) = (Abroad::start().await, tempfile::tempdir().unwrap());
    abroad.publish(7, DAY, 1);
    let recognition = open(&folder, abroad.terms(), NOW);
    assert!(recognition.refresh(NOW).await.is_empty());
    let taken_over = recognition.taken_over(NOW).entries;
    abroad.publish(6, 2 * DAY, 2);
    // After a restart, too.
    for recognition in [recognition, open(&folder, abroad.terms(), NOW)] {
        let errors = recognition.refresh(NOW).await;
        let rolled_back = TrustListError::RolledBack { found: 6, known: 7 };
        assert!(
            matches!(&errors[..], [RecognitionError::Refused(of, error)] if of == "XP" && *error == rolled_back),
            "{errors:?}"
        );
        assert_eq!(recognition.taken_over(NOW).entries, taken_over);
    }
    let recognition = open(&folder, abroad.terms(), NOW);
    abroad.publish_by(&SoftwareKey::from_seed(&[6; 32]).unwrap(), 8, DAY, 2);
    let errors = recognition.refresh(NOW).await;
    assert!(matches!(errors[..], [RecognitionError::Refused(_, TrustListError::Token(_))]));
    assert_eq!(recognition.taken_over(NOW).entries, taken_over);
}

#[tokio::test]
async fn what_is_withdrawn_there_ends_here_and_is_a_change_of_the_own_list() {
    let (abroad, folder) = (Abroad::start().await, tempfile::tempdir().unwrap());
    let at = |seconds| NOW.plus_seconds(seconds);
    abroad.publish(7, DAY, 1);
    let recognition = open(&folder, abroad.terms(), NOW);
    recognition.refresh(at(1)).await;
    assert_eq!(recognition.taken_over(at(1)).changed, at(1).seconds());
    // Signed anew: no change, but it lasts longer.
    abroad.publish(8, 2 * DAY, 1);
    recognition.refresh(at(2)).await;
    assert_eq!(recognition.taken_over(at(2)).changed, at(1).seconds());
    assert_eq!(issuers(&recognition, at(DAY + 1)), 1);
    // The authority there changed its anchor.
    abroad.publish(9, 2 * DAY, 2);
    recognition.refresh(at(3)).await;
    assert_eq!(recognition.taken_over(at(3)).changed, at(3).seconds());
    // The operator here recognises the country no longer, and then again: nothing is left of before.
    let recognition = open(&folder, Vec::new(), at(4));
    let none = recognition.taken_over(at(4));
    assert!(none.entries.is_empty() && none.lists.is_empty() && none.changed == at(4).seconds());
    let recognition = open(&folder, abroad.terms(), at(5));
    assert_eq!(issuers(&recognition, at(5)), 0);
    let unchanged = open(&folder, abroad.terms(), at(6));
    assert_eq!(unchanged.taken_over(at(6)).changed, at(5).seconds());
}
