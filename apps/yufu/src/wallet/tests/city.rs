//! A city that serves over HTTP for a test, with one resident who has a wallet and an account.

use crate::city::{City, Plan};
use crate::data::DataFolder;
use crate::profile::{self, Country};
use crate::wallet::{Holder, Passphrase};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tempfile::TempDir;
use tokio::net::TcpListener;
use yufu_api::authority::IssuedOffer;
use yufu_api::bank::OpenedAccount;
use yufu_api::http::{Client, Limits};
use yufu_base::{PublicKey, Signer};
use yufu_engine::{Clock, ManualClock, SystemClock};
use yufu_jose::{Jwk, SoftwareKey};
use yufu_profile::Resident;

pub(super) const BANK: &str = "bank-of-jiangcheng";

/// How old status lists at hand become in a city that reads the system's clock, in seconds.
pub(super) const STATUS_SECONDS: u64 = 1;

/// Waits until no list is used any more that was at hand before.
pub(super) async fn lists_age() {
    tokio::time::sleep(std::time::Duration::from_millis(1_000 * STATUS_SECONDS + 50)).await;
}

pub(super) struct TestCity {
    pub(super) folder: TempDir,
    pub(super) data: DataFolder,
    pub(super) url: String,
    pub(super) client: Client,
    pub(super) trust_key: PublicKey,
    pub(super) country: Country,
}

impl TestCity {
    pub(super) async fn start() -> Self {
        Self::start_in(None).await
    }

    /// A city of the profile in a folder.
    pub(super) async fn start_in(profile: Option<&Path>) -> Self {
        Self::start_aged(profile, Arc::new(SystemClock::new()), STATUS_SECONDS).await
    }

    /// A city whose institutions read this clock, and have status lists at hand for a minute.
    pub(super) async fn start_at(profile: Option<&Path>, clock: Arc<dyn Clock>) -> Self {
        Self::start_aged(profile, clock, 60).await
    }

    async fn start_aged(
        profile: Option<&Path>,
        clock: Arc<dyn Clock>,
        status_seconds: u64,
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = DataFolder::choose(Some(folder.path().join("city")), "demo").unwrap();
        let country = profile::load(profile, clock.read().wall).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://localhost:{}", listener.local_addr().unwrap().port());
        let whole = Plan::whole(&country, &data, url.clone(), clock);
        let plan = Plan { status_seconds, ..whole };
        let city = Box::pin(City::open(&plan, |_| {})).await.unwrap();
        let trust_key = city.trust_key;
        tokio::spawn(city.serve(listener, Limits::default(), std::future::pending::<()>()));
        Self { folder, data, url, client: Client::new().unwrap(), trust_key, country }
    }

    /// A city of the sample country in which something else holds, with the clock that its institutions read.
    pub(super) async fn start_changed(holds: &str, instead: &str) -> (Self, ManualClock, TempDir) {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../profiles/china");
        let folder = tempfile::tempdir().unwrap();
        for entry in std::fs::read_dir(source).unwrap() {
            let entry = entry.unwrap();
            let text = std::fs::read_to_string(entry.path()).unwrap();
            std::fs::write(folder.path().join(entry.file_name()), text.replace(holds, instead))
                .unwrap();
        }
        let clock = ManualClock::new(SystemClock::new().read().wall);
        let shared: Arc<dyn Clock> = Arc::new(clock.clone());
        (Self::start_at(Some(folder.path()), shared).await, clock, folder)
    }

    /// A folder of wallets on another device.
    pub(super) fn device(&self, name: &str) -> PathBuf {
        let folder = self.folder.path().join(name);
        std::fs::create_dir_all(&folder).unwrap();
        folder
    }

    pub(super) fn open(&self, folder: &Path, name: &str) -> anyhow::Result<Holder> {
        Holder::open(folder, name, &phrase(), &self.url, self.trust_key)
    }

    /// A desk's POST.
    pub(super) async fn desk<B: Serialize + Sync, T: DeserializeOwned>(
        &self,
        institution: &str,
        path: &str,
        body: &B,
    ) -> T {
        let id = institution.parse().unwrap();
        let token = self.data.keys(&id).unwrap().secret("desk").unwrap();
        self.client.post(&format!("{}{path}", self.url), Some(&token), body).await.unwrap()
    }

    /// A desk's GET.
    pub(super) async fn desk_get<T: DeserializeOwned>(&self, institution: &str, path: &str) -> T {
        let id = institution.parse().unwrap();
        let token = self.data.keys(&id).unwrap().secret("desk").unwrap();
        self.client.get(&format!("{}{path}", self.url), Some(&token)).await.unwrap()
    }

    pub(super) async fn issue_identity(&self, wallet: &mut Holder) {
        self.issue_identity_of(0, wallet).await;
    }

    /// The number of an adult resident.
    pub(super) fn number(&self, adult: usize) -> &str {
        let adults = self.country.residents.iter().filter(|r| r.birth_date.year() < 2000);
        adults.map(|resident| resident.number.as_str()).nth(adult).unwrap()
    }

    /// The identity of another adult than the first.
    pub(super) async fn issue_identity_of(&self, adult: usize, wallet: &mut Holder) {
        self.identify(wallet, self.number(adult)).await;
    }

    /// Gives somebody of the city an identity.
    pub(super) async fn identify(&self, wallet: &mut Holder, number: &str) {
        let offer = self.offer_to(number).await;
        wallet.get(&offer.offer, Some(&offer.transaction_code)).await.unwrap();
    }

    /// Gives the first adult an identity on another device, without the pseudonyms of the first one's secret.
    pub(super) async fn issue_identity_again(&self, wallet: &mut Holder) {
        let offer = self.offer_identity(0).await;
        let code = Some(offer.transaction_code.as_str());
        wallet.get_without_pseudonyms(&offer.offer, code).await.unwrap();
    }

    pub(super) async fn offer_identity(&self, adult: usize) -> IssuedOffer {
        self.offer_to(self.number(adult)).await
    }

    async fn offer_to(&self, number: &str) -> IssuedOffer {
        let request = json!({
            "resident_number": number, "evidence": "card and portrait compared", "credential": "pid",
        });
        self.desk("identity-authority", "/authority/v1/officer/authentications", &request).await
    }

    /// Residents of a kind, in the order of the register.
    pub(super) fn residents(&self, are: impl Fn(&Resident) -> bool) -> Vec<&Resident> {
        self.country.residents.iter().filter(|resident| are(resident)).collect()
    }

    /// An account with 500.00 in it, for a wallet that has an identity.
    pub(super) async fn open_account(&self, wallet: &mut Holder) -> String {
        let opened = wallet.open_account(BANK, "III", &mut |_| true).await.unwrap();
        let issue = json!({"kind": "issue", "bank": BANK, "amount_minor": 100_000});
        let path = "/central-bank/v1/operations";
        let _: serde_json::Value = self.desk("central-bank", path, &issue).await;
        let exchange = json!({
            "direction": "paper_to_digital", "account": opened.account, "amount_minor": 50_000,
        });
        let path = format!("/banks/{BANK}/v1/desk/exchanges");
        let _: serde_json::Value = self.desk(BANK, &path, &exchange).await;
        opened.account
    }

    pub(super) async fn shop(&self) -> String {
        let key: Jwk = SoftwareKey::from_seed(&[9; 32]).unwrap().public_key().into();
        let path = format!("/banks/{BANK}/v1/desk/accounts");
        let request = json!({"class": "I", "wallet_key": key});
        let opened: OpenedAccount = self.desk(BANK, &path, &request).await;
        opened.account
    }
}

pub(super) fn phrase() -> Passphrase {
    Passphrase::cheap("correct horse")
}
