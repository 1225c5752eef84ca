//! Two countries, two cities, two servers: a resident of each in the other, and what happens when one
//! country no longer recognises the other.

use super::city::{STATUS_SECONDS, lists_age, phrase};
use crate::city::{City, Plan};
use crate::data::DataFolder;
use crate::profile::{self, Country};
use crate::wallet::{Holder, WalletFault};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use yufu_api::authority::{IssuedOffer, Revoked};
use yufu_api::bank::OpenedAccount;
use yufu_api::http::{Client, Limits};
use yufu_api::recognition::Recognised;
use yufu_api::relying_party::{CheckIn, CheckInState, TakingsAccount};
use yufu_base::{PublicKey, Signer, Timestamp};
use yufu_engine::{Clock, SystemClock};
use yufu_jose::Jwk;
use yufu_profile::{Evidence, ForeignIdentity, Institution, Role};
use yufu_trust::TrustList;
use yufu_wallet::presentation::Consent;

/// A country with its city, which can be stopped and started again at the same address.
pub(super) struct Land {
    pub(super) folder: TempDir,
    data: DataFolder,
    pub(super) country: Country,
    port: u16,
    pub(super) trust_key: PublicKey,
    client: Client,
    running: Option<(oneshot::Sender<()>, JoinHandle<anyhow::Result<()>>)>,
}

impl Land {
    /// Founds a country of a profile: it has an address and a key for its trust list, and serves nothing.
    async fn found(name: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = DataFolder::choose(Some(folder.path().join("city")), "demo").unwrap();
        let profiles = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../profiles");
        let country = profile::load(Some(&profiles.join(name)), now()).unwrap();
        let operator = country.profile.institutions_of(Role::TrustListOperator).next().unwrap();
        let key = data.keys(&operator.id).unwrap().signer("trust-list").unwrap().public_key();
        let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
        let client = Client::new().unwrap();
        Self { folder, data, country, port, trust_key: key, client, running: None }
    }

    pub(super) fn url(&self) -> String {
        format!("http://localhost:{}", self.port)
    }

    async fn start(&mut self, recognised: Vec<Recognised>) {
        let listener = TcpListener::bind(("127.0.0.1", self.port)).await.unwrap();
        let (country, data, url) = (&self.country, &self.data, self.url());
        let clock = Arc::new(SystemClock::new());
        let whole = Plan::whole(country, data, url, clock);
        let plan = Plan { recognised, status_seconds: STATUS_SECONDS, ..whole };
        let city = Box::pin(City::open(&plan, |_| {})).await.unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let served = tokio::spawn(city.serve(listener, Limits::default(), async {
            let _ = stopped.await;
        }));
        self.running = Some((stop, served));
    }

    pub(super) async fn stop(&mut self) {
        let (stop, served) = self.running.take().unwrap();
        stop.send(()).unwrap();
        served.await.unwrap().unwrap();
    }

    /// What another country's operator is told of this one.
    fn to_be_recognised(&self) -> Recognised {
        Recognised {
            country: self.country.profile.country.clone(),
            url: format!("{}/trust-list/v1/list", self.url()),
            key: self.trust_key.into(),
            roles: [yufu_trust::Role::PidIssuer].into(),
        }
    }

    async fn list(&self) -> TrustList {
        let text = self.client.get_text(&self.to_be_recognised().url).await.unwrap();
        TrustList::verify(&text, &self.trust_key, now(), None).unwrap()
    }

    /// Waits until the list names the issuer of another country's identities.
    async fn until_it_recognises(&self) {
        for _ in 0..200 {
            let list = self.list().await;
            if list.entries.iter().any(|e| e.role == yufu_trust::Role::ForeignPidIssuer) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("the other country's list was not taken over");
    }

    pub(super) fn the(&self, role: Role) -> &Institution {
        self.country.profile.institutions_of(role).next().unwrap()
    }

    async fn desk<B: Serialize + Sync, T: DeserializeOwned>(
        &self,
        institution: &Institution,
        path: &str,
        body: &B,
    ) -> T {
        let token = self.data.keys(&institution.id).unwrap().secret("desk").unwrap();
        self.client.post(&format!("{}{path}", self.url()), Some(&token), body).await.unwrap()
    }

    async fn file(&self, institution: &Institution, path: &str) -> Map<String, Value> {
        let token = self.data.keys(&institution.id).unwrap().secret("desk").unwrap();
        self.client.get(&format!("{}{path}", self.url()), Some(&token)).await.unwrap()
    }

    /// A resident's number.
    fn number(&self) -> &str {
        let born_before = |r: &&yufu_profile::Resident| r.birth_date.year() < 2000;
        self.country.residents.iter().find(born_before).unwrap().number.as_str()
    }

    /// That resident, with an identity.
    pub(super) async fn resident(&self) -> Holder {
        let folder = self.folder.path().join("phone");
        std::fs::create_dir_all(&folder).unwrap();
        let mut wallet =
            Holder::open(&folder, "visitor", &phrase(), &self.url(), self.trust_key).unwrap();
        let request = json!({
            "resident_number": self.number(),
            "evidence": "card and portrait compared",
            "credential": self.country.profile.identity().unwrap().id,
        });
        let path = "/authority/v1/officer/authentications";
        let authority = self.the(Role::IdentityAuthority);
        let offer: IssuedOffer = self.desk(authority, path, &request).await;
        wallet.get(&offer.offer, Some(&offer.transaction_code)).await.unwrap();
        wallet
    }

    async fn revoke(&self) {
        let request = json!({"resident_number": self.number(), "reason": "phone lost"});
        let path = "/authority/v1/officer/revocations";
        let _: Revoked = self.desk(self.the(Role::IdentityAuthority), path, &request).await;
    }

    fn class(&self, evidence: Evidence) -> &str {
        &self.country.profile.class_by(evidence).unwrap().name
    }

    /// Opens an account at a bank here, for somebody who came here; which, or why not.
    pub(super) async fn open_account(
        &self,
        bank: &Institution,
        wallet: &mut Holder,
    ) -> Result<String, String> {
        let class = self.class(Evidence::Identity);
        let opened = wallet.open_account(bank.id.as_str(), class, &mut agree).await;
        opened.map(|opened| opened.account).map_err(|error| format!("{error:#}"))
    }

    /// Puts money into an account.
    async fn fund(&self, bank: &Institution, account: &str, minor: u64) {
        let issue = json!({"kind": "issue", "bank": bank.id.as_str(), "amount_minor": minor});
        let path = "/central-bank/v1/operations";
        let _: Value = self.desk(self.the(Role::CentralBank), path, &issue).await;
        let exchange =
            json!({"direction": "paper_to_digital", "account": account, "amount_minor": minor});
        let path = format!("/banks/{}/v1/desk/exchanges", bank.id);
        let _: Value = self.desk(bank, &path, &exchange).await;
    }

    /// The hotel here, with an account that takes its payments.
    async fn hotel(&self) -> &Institution {
        let hotel = self.the(Role::Hotel);
        let bank = &hotel.merchant.as_ref().unwrap().bank;
        let bank = &self.country.profile.institutions[bank];
        let key = self.data.keys(&hotel.id).unwrap().signer("wallet").unwrap().public_key();
        let request =
            json!({"class": self.class(Evidence::InPerson), "wallet_key": Jwk::from(key)});
        let path = format!("/banks/{}/v1/desk/accounts", bank.id);
        let opened: OpenedAccount = self.desk(bank, &path, &request).await;
        let account = json!({"account": opened.account});
        let path = format!("/parties/{}/v1/desk/account", hotel.id);
        let _: TakingsAccount = self.desk(hotel, &path, &account).await;
        hotel
    }

    async fn begin_check_in(&self, hotel: &Institution, amount_minor: u64) -> CheckIn {
        let request = json!({"room": "7", "nights": 1, "amount_minor": amount_minor});
        self.desk(hotel, &format!("/parties/{}/v1/desk/check-ins", hotel.id), &request).await
    }
}

fn now() -> Timestamp {
    SystemClock::new().read().wall
}

fn agree(_: &Consent) -> bool {
    true
}

/// China and Plain, each recognising the other.
pub(super) async fn two_countries() -> [Land; 2] {
    let mut lands = [Land::found("china").await, Land::found("plain").await];
    let [china, plain] = &mut lands;
    let (of_china, of_plain) = (china.to_be_recognised(), plain.to_be_recognised());
    china.start(vec![of_plain]).await;
    plain.start(vec![of_china]).await;
    china.until_it_recognises().await;
    plain.until_it_recognises().await;
    lands
}

/// A resident of `home` in `host`: an account at its bank, a night at its hotel.
async fn visit(home: &Land, host: &Land) {
    let mut wallet = home.resident().await;
    let (there, number) = (host.country.profile.country.as_str(), home.number());
    wallet.go_abroad(there).await.unwrap();
    let bank = host.the(Role::CommercialBank);
    let account = host.open_account(bank, &mut wallet).await.unwrap();
    let path = format!(
        "/banks/{}/v1/desk/accounts/{account}/customer?purpose=test&fields=issuing_country+personal_administrative_number",
        bank.id
    );
    let file = host.file(bank, &path).await;
    let country = json!(home.country.profile.country);
    assert_eq!(file["issuing_country"], country, "the bank knows whose number it is");
    assert_eq!(file["personal_administrative_number"], json!(number));
    host.fund(bank, &account, 90_000).await;
    wallet.get_payment_credential().await.unwrap();
    let hotel = host.hotel().await;
    let check_in = host.begin_check_in(hotel, 60_000).await;
    let shown = wallet.present(&check_in.authorization_request, &mut agree).await.unwrap();
    assert!(shown.receipt);
    let path = format!("/parties/{}/v1/desk/check-ins/{}", hotel.id, check_in.check_in);
    let state = host.file(hotel, &path).await;
    let state: CheckInState = serde_json::from_value(state.into()).unwrap();
    assert_eq!(state.state, "checked_in");
    assert_eq!(wallet.accounts().await.unwrap()[0].wallet.balance_minor, 30_000);
    let path =
        format!("{path}/guest?purpose=test&fields=issuing_country+personal_administrative_number");
    assert_eq!(host.file(hotel, &path).await["issuing_country"], country);
    let receipts = wallet.check_receipts();
    assert!(receipts.len() == 2 && receipts.iter().all(|receipt| receipt.holds), "{receipts:?}");
    // What belongs to the other country is not offered at home.
    wallet.come_home();
    assert!(wallet.first_account().is_none() && wallet.accounts().await.unwrap().is_empty());
    // One and the same person there, one account of a class.
    wallet.go_abroad(there).await.unwrap();
    let again = host.open_account(bank, &mut wallet).await.unwrap_err();
    assert!(again.contains("account.too_many"), "{again}");
    home.revoke().await;
    lists_age().await;
    let mut banks = host.country.profile.institutions_of(Role::CommercialBank);
    let refused = host.open_account(banks.nth(1).unwrap(), &mut wallet).await.unwrap_err();
    assert!(refused.contains("credential.revoked"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_resident_of_each_country_opens_an_account_and_checks_in_in_the_other() {
    let [china, plain] = two_countries().await;
    visit(&plain, &china).await;
    visit(&china, &plain).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn recognition_takes_over_who_issues_identities_and_nobody_else() {
    let [china, plain] = two_countries().await;
    let list = china.list().await;
    let foreign: Vec<_> = list.entries.iter().filter(|e| e.country().is_some()).collect();
    let of = |e: &&yufu_trust::TrustEntry| (e.role, e.country().unwrap().to_owned());
    let expected = (yufu_trust::Role::ForeignPidIssuer, "XP".to_owned());
    assert_eq!(foreign.iter().map(of).collect::<Vec<_>>(), [expected]);
    assert_eq!(foreign[0].identifier, format!("{}/authority", plain.url()));
    assert_eq!(list.recognised("XP").unwrap().url, plain.to_be_recognised().url);
    // A wallet that is at home shows nothing to another country's bank.
    let mut wallet = china.resident().await;
    let bank = plain.the(Role::CommercialBank);
    let key: Jwk = yufu_jose::SoftwareKey::from_seed(&[3; 32]).unwrap().public_key().into();
    let request = json!({"class": plain.class(Evidence::Identity), "wallet_key": key});
    let url = format!("{}/banks/{}/v1/openings", plain.url(), bank.id);
    let begun: Value = plain.client.post(&url, None, &request).await.unwrap();
    let link = begun["authorization_request"].as_str().unwrap();
    let refused = wallet.present(link, &mut agree).await.unwrap_err().to_string();
    assert!(refused.contains("not certified by anyone trusted as AccessCa"), "{refused}");
    // Nor does it take up what another country's bank or authority offers.
    let authority = plain.the(Role::IdentityAuthority);
    let identity = &plain.country.profile.identity().unwrap().id;
    let request =
        json!({"resident_number": plain.number(), "evidence": "card", "credential": identity});
    let path = "/authority/v1/officer/authentications";
    let offer: IssuedOffer = plain.desk(authority, path, &request).await;
    let refused = wallet.get(&offer.offer, Some(&offer.transaction_code)).await.unwrap_err();
    assert!(refused.to_string().contains("not an issuer the trust list knows"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_recognised_no_longer_is_refused() {
    let [mut china, mut plain] = two_countries().await;
    let mut wallet = plain.resident().await;
    wallet.go_abroad("CN").await.unwrap();
    // China withdraws: its parties accept Plain's identities no longer, and say so.
    china.stop().await;
    china.start(Vec::new()).await;
    let bank = china.the(Role::CommercialBank);
    let refused = china.open_account(bank, &mut wallet).await.unwrap_err();
    assert!(refused.contains("issuer.not_recognised"), "{refused}");
    // Plain withdraws: its residents' wallets show nothing in China any more.
    plain.stop().await;
    plain.start(Vec::new()).await;
    let shown = wallet.history().len();
    let refused = china.open_account(bank, &mut wallet).await.unwrap_err();
    assert!(refused.contains("does not name that of \"CN\""), "{refused}");
    assert_eq!(wallet.history().len(), shown, "nothing was shown");
    let refused = wallet.go_abroad("CN").await.unwrap_err();
    let fault = refused.downcast::<WalletFault>().unwrap();
    assert_eq!(fault.code(), "wallet.country_not_recognised");
}

#[tokio::test(flavor = "multi_thread")]
async fn where_policy_refuses_foreigners_a_bank_opens_them_no_account() {
    let mut china = Land::found("china").await;
    let mut plain = Land::found("plain").await;
    plain.country.profile.foreign_identity = ForeignIdentity::Refuse;
    let (of_china, of_plain) = (china.to_be_recognised(), plain.to_be_recognised());
    china.start(vec![of_plain]).await;
    plain.start(vec![of_china]).await;
    plain.until_it_recognises().await;
    let mut wallet = china.resident().await;
    wallet.go_abroad("XP").await.unwrap();
    let bank = plain.the(Role::CommercialBank);
    let refused = plain.open_account(bank, &mut wallet).await.unwrap_err();
    assert!(refused.contains("account.foreign_identity"), "{refused}");
    let residents: BTreeMap<_, _> = [(china.number(), "CN"), (plain.number(), "XP")].into();
    assert_eq!(residents.len(), 2);
}
