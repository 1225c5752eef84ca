//! A caller over HTTP: desks with their tokens, accounts with their keys, and refusals held against their shape.

use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use yufu_api::http::{Client, ClientError};
use yufu_base::{AccountId, Amount, CommandId, Currency, Signer, Timestamp};
use yufu_engine::{Clock, SystemClock};
use yufu_jose::{Jwk, SoftwareKey};
use yufu_keys::random;
use yufu_payment::{PaymentOrder, RequestToken};

/// The bank of residents in these tests.
pub const JIANGCHENG: &str = "bank-of-jiangcheng";
/// Another bank.
pub const LIANGHU: &str = "bank-of-lianghu";

pub fn now() -> Timestamp {
    SystemClock::new().read().wall
}

/// An amount from yuan.
pub fn fen(yuan: u64) -> u64 {
    yuan * 100
}

/// An account and the key that gives its orders.
#[derive(Clone)]
pub struct Account {
    pub bank: String,
    pub id: AccountId,
    pub key: Arc<SoftwareKey>,
}

impl Account {
    /// An order to pay `minor` to `payee`, good for ten minutes; its contents follow from its id.
    pub fn order(&self, payee: AccountId, minor: u64, id: CommandId) -> PaymentOrder {
        PaymentOrder {
            ledger: "central-bank".to_owned(),
            id,
            payer: self.id,
            payee,
            payee_name: "Payee".to_owned(),
            amount: Amount::new(Currency::new("CNY").unwrap(), minor),
            expires: Timestamp::from_seconds(id.created().plus_seconds(600).seconds()),
        }
    }

    /// A token that its key signs for a GET of `path`.
    pub fn token(&self, path: &str) -> String {
        self.token_at(path, now())
    }

    pub fn token_at(&self, path: &str, iat: Timestamp) -> String {
        let token = RequestToken {
            iss: self.id.to_string(),
            aud: self.bank.clone(),
            htm: "GET".to_owned(),
            htu: path.to_owned(),
            iat,
        };
        token.sign(&*self.key).unwrap()
    }

    pub fn path(&self) -> String {
        format!("/banks/{}/v1/accounts/{}", self.bank, self.id)
    }
}

/// An answer, whatever it is.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub kind: String,
    pub body: Value,
}

impl Answer {
    /// The body of a success.
    #[track_caller]
    pub fn done(self) -> Value {
        assert!((200..300).contains(&self.status), "{self:?}");
        self.body
    }

    /// Holds a refusal against the one shape that refusals have (RFC 9457).
    #[track_caller]
    pub fn refused(self, case: &str, status: u16, code: &str) -> Value {
        assert_eq!((self.status, &self.body["code"]), (status, &json!(code)), "{case}: {self:?}");
        assert_eq!(self.kind, "application/problem+json", "{case}");
        assert_eq!(self.body["status"], status, "{case}");
        assert_eq!(self.body["type"], format!("urn:yufu:problem:{code}"), "{case}");
        let detail = self.body["detail"].as_str().unwrap_or_default();
        assert!(detail.len() > 10, "{case}: {detail:?} does not say what to do");
        let worded = ["title", "remedy"].iter().all(|name| self.body[name].is_string());
        assert!(worded, "{case}: {:?} lacks the words for people", self.body);
        self.body
    }

    /// Holds a refusal against the shape of OAuth's.
    #[track_caller]
    pub fn oauth(self, case: &str, status: u16, error: &str) {
        assert_eq!((self.status, &self.body["error"]), (status, &json!(error)), "{case}: {self:?}");
        assert!(self.kind.starts_with("application/json"), "{case}: {}", self.kind);
    }
}

/// Calls one server.
#[derive(Clone)]
pub struct Caller {
    pub url: String,
    pub client: Client,
    data: PathBuf,
}

impl Caller {
    pub fn new(url: &str, data: &Path) -> Self {
        Self { url: url.to_owned(), client: Client::new().unwrap(), data: data.to_owned() }
    }

    pub fn data(&self) -> &Path {
        &self.data
    }

    /// Sends anything; an answer of any kind, or none.
    pub async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> Result<Answer, ClientError> {
        let headers: Vec<(String, String)> =
            headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let url = format!("{}{path}", self.url);
        let (status, kind, bytes) = self.client.exchange(method, &url, &headers, body).await?;
        let body = serde_json::from_slice(&bytes)
            .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&bytes).into_owned()));
        Ok(Answer { status, kind, body })
    }

    /// What a browser gets at an address: the status, and where it is sent, or the page.
    pub async fn browse(&self, url: &str) -> (u16, String) {
        let got = self.client.exchange_whole("GET", url, &[], Vec::new()).await.unwrap();
        let to = got.headers.get("location").map(|to| to.to_str().unwrap().to_owned());
        (got.status, to.unwrap_or_else(|| String::from_utf8(got.body).unwrap()))
    }

    pub async fn get(&self, path: &str, bearer: Option<&str>) -> Answer {
        let bearer = bearer.map(|token| format!("Bearer {token}"));
        let headers: Vec<(&str, &str)> =
            bearer.iter().map(|value| ("authorization", value.as_str())).collect();
        self.send("GET", path, &headers, Vec::new()).await.unwrap()
    }

    pub async fn post(&self, path: &str, bearer: Option<&str>, body: &Value) -> Answer {
        self.try_post(path, bearer, body).await.unwrap()
    }

    pub async fn try_post(
        &self,
        path: &str,
        bearer: Option<&str>,
        body: &Value,
    ) -> Result<Answer, ClientError> {
        let bearer = bearer.map(|token| format!("Bearer {token}"));
        let mut headers = vec![("content-type", "application/json")];
        headers.extend(bearer.iter().map(|value| ("authorization", value.as_str())));
        self.send("POST", path, &headers, serde_json::to_vec(body).unwrap()).await
    }

    pub async fn post_form(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.extend_pairs(fields);
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        self.send("POST", path, &headers, form.finish().into_bytes()).await.unwrap()
    }

    /// The token of an institution's desk.
    pub fn desk(&self, institution: &str) -> String {
        self.secret(institution, "desk")
    }

    /// A token of an institution.
    pub fn secret(&self, institution: &str, name: &str) -> String {
        let path = self.data.join(institution).join("keys").join(format!("{name}.token"));
        fs::read_to_string(path).unwrap().trim().to_owned()
    }

    /// A business account without limits, with `minor` in it.
    pub async fn business(&self, bank: &str, minor: u64) -> Account {
        let key = SoftwareKey::from_seed(&random()).unwrap();
        let body = json!({"class": "I", "wallet_key": Jwk::from(key.public_key())});
        let path = format!("/banks/{bank}/v1/desk/accounts");
        let opened = self.post(&path, Some(&self.desk(bank)), &body).await.done();
        let id = opened["account"].as_str().unwrap().parse().unwrap();
        let account = Account { bank: bank.to_owned(), id, key: Arc::new(key) };
        if minor > 0 {
            self.fund(&account, minor).await.done();
        }
        account
    }

    /// Notes into the account, at its bank's desk.
    pub async fn fund(&self, account: &Account, minor: u64) -> Answer {
        let body = json!({
            "direction": "paper_to_digital",
            "account": account.id.to_string(),
            "amount_minor": minor,
        });
        let path = format!("/banks/{}/v1/desk/exchanges", account.bank);
        self.post(&path, Some(&self.desk(&account.bank)), &body).await
    }

    /// Hands in an order at the payer's bank.
    pub async fn pay(&self, payer: &Account, order: &PaymentOrder) -> Result<Answer, ClientError> {
        let signed = order.sign(&*payer.key).unwrap();
        let path = format!("/banks/{}/v1/payments", payer.bank);
        self.try_post(&path, None, &json!({"order": signed})).await
    }

    /// Where an order stands.
    pub async fn payment(&self, payer: &Account, id: CommandId) -> Answer {
        let path = format!("/banks/{}/v1/payments/{id}", payer.bank);
        self.get(&path, Some(&payer.token(&path))).await
    }

    pub async fn balance(&self, account: &Account) -> u64 {
        let path = account.path();
        let state = self.get(&path, Some(&account.token(&path))).await.done();
        state["balance_minor"].as_u64().unwrap()
    }

    /// How much money there is, and where.
    pub async fn supply(&self) -> Value {
        self.get("/central-bank/v1/supply", None).await.done()
    }

    /// Waits until every bank's mint has its keyset in the log, which it registers when it starts.
    async fn mints_are_there(&self) {
        let is_mint = |entry: &fs::DirEntry| entry.path().join("keys").join("mint.key").exists();
        for _ in 0..200 {
            let published = self.get("/central-bank/v1/keysets", None).await.done();
            let there = published["keysets"].as_array().unwrap().len();
            let entries = fs::read_dir(&self.data).unwrap().map(Result::unwrap);
            if there >= entries.filter(is_mint).count() {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        panic!("the mints have not registered their keysets");
    }

    /// The newest record of the log, once all that a start puts into it is there.
    pub async fn head(&self) -> u64 {
        self.mints_are_there().await;
        let ledger = self.get("/central-bank/v1/ledger", None).await.done();
        ledger["seq"].as_u64().unwrap()
    }

    /// A fresh order id.
    pub fn id(&self) -> CommandId {
        CommandId::at(now(), u128::from_be_bytes(random()))
    }
}
