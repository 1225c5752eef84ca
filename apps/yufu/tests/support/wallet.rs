//! A resident with a wallet: the program's own for the ordinary way, and its sessions alone where a test
//! keeps what was sent.

use super::{Account, Answer, Caller, JIANGCHENG, LIANGHU, now};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs;
use std::sync::Arc;
use yufu::wallet::{Holder, Passphrase};
use yufu_base::{PublicKey, Signer as _, Timestamp};
use yufu_jose::{Jwk, SoftwareKey, decode_base64url};
use yufu_keys::{KeyStore, random};
use yufu_openid4vc::{Endpoint, HttpRequest, HttpResponse, Method, RESPONSE_HEADERS};
use yufu_trust::{EnrolledKey, Enrolment, TrustList};
use yufu_wallet::HeldCredential;
use yufu_wallet::presentation::{AnswerEntropy, Presenting, Reviewed, StatusLists, open};

const RESIDENTS: &str = include_str!("../../../../profiles/china/residents.csv");

/// A resident of the city.
pub struct Resident {
    pub name: String,
    pub number: String,
    pub wallet: Holder,
    data: std::path::PathBuf,
}

/// What a wallet sends to answer a presentation request.
pub struct Presentation(HttpRequest);

impl Resident {
    /// The resident in row `row` of the city's register, with an empty wallet.
    pub fn of(caller: &Caller, row: usize) -> Self {
        let line = RESIDENTS.lines().nth(row).unwrap();
        let number = line.split(',').next().unwrap().to_owned();
        let name = format!("row-{row}");
        let folder = caller.data().join("wallets");
        fs::create_dir_all(&folder).unwrap();
        let wallet = Holder::open(
            &folder,
            &name,
            &Passphrase::of_the_demo(),
            &caller.url,
            trust_key(caller),
        )
        .unwrap();
        Self { name, number, wallet, data: caller.data().to_owned() }
    }

    /// An officer's offer, and its code.
    pub async fn offer(&self, caller: &Caller) -> (String, String) {
        let body = json!({
            "resident_number": self.number,
            "evidence": "card and portrait compared",
            "credential": "pid",
        });
        let desk = caller.desk("identity-authority");
        let path = "/authority/v1/officer/authentications";
        let made = caller.post(path, Some(&desk), &body).await.done();
        let text = |name: &str| made[name].as_str().unwrap().to_owned();
        (text("offer"), text("transaction_code"))
    }

    /// Gets an identity.
    pub async fn identified(caller: &Caller, row: usize) -> Self {
        let mut resident = Self::of(caller, row);
        let (offer, code) = resident.offer(caller).await;
        resident.wallet.get(&offer, Some(&code)).await.unwrap();
        resident
    }

    /// Opens a class III account and puts `minor` into it.
    pub async fn open_account(&mut self, caller: &Caller, minor: u64) -> Account {
        self.wallet.open_account(JIANGCHENG, "III", &mut |_| true).await.unwrap();
        let stored = &self.file()["accounts"][0];
        let account = Account {
            bank: JIANGCHENG.to_owned(),
            id: stored["account"].as_str().unwrap().parse().unwrap(),
            key: Arc::new(key(&stored["key"])),
        };
        caller.fund(&account, minor).await.done();
        account
    }

    /// Fetches the request at `link` and checks the verifier, as the wallet does before it asks.
    pub async fn review(&self, caller: &Caller, link: &str) -> Reviewed {
        let list = caller.client.get_text(&format!("{}/trust-list/v1/list", caller.url)).await;
        let trust = TrustList::verify(&list.unwrap(), &trust_key(caller), now(), None).unwrap();
        let (fetching, request) = open(link, &random()).unwrap();
        let response = carry(caller, &request).await;
        let checking = fetching.handle(&response, &trust, &BTreeSet::new(), now()).unwrap();
        let mut lists = StatusLists::default();
        let list = carry(caller, &checking.request(&lists, now()).unwrap()).await;
        checking.handle(Some(&list), &mut lists, &trust, now()).unwrap()
    }

    /// The wallet's first credential, and the key it is bound to. It stays in the wallet.
    pub fn credential(&self) -> (HeldCredential, SoftwareKey) {
        self.credentials().remove(0)
    }

    /// The wallet's credentials, and the keys they are bound to. They stay in the wallet.
    pub fn credentials(&self) -> Vec<(HeldCredential, SoftwareKey)> {
        let all = self.file()["credentials"].as_array().unwrap().clone();
        let one = |stored: &Value| {
            (serde_json::from_value(stored["held"].clone()).unwrap(), key(&stored["key"]))
        };
        all.iter().map(one).collect()
    }

    /// Answers `link` with the wallet's first credential, without sending the answer.
    pub async fn answer(&self, caller: &Caller, link: &str) -> Presentation {
        let reviewed = self.review(caller, link).await;
        let (held, signer) = self.credential();
        let presenting = [Presenting { query_id: "pid", held: &held, signer: &signer }];
        let entropy = AnswerEntropy { ephemeral: random(), iv: random() };
        let (_, request) = reviewed.approve(&presenting, &entropy, now()).unwrap();
        Presentation(request)
    }

    /// The wallet's contents.
    pub fn file(&self) -> Value {
        self.wallet.secrets().unwrap()
    }
}

/// What comes of an answer that is sent by whoever began: they come back with the code, where it is wanted.
pub async fn send_and_come_back(caller: &Caller, request: &HttpRequest) -> HttpResponse {
    let answer = carry(caller, request).await;
    let said: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let own = request.url.as_str().replace("/response", "/return");
    let back = said["redirect_uri"].as_str().and_then(|to| to.strip_prefix(&own));
    let Some(code) = back.and_then(|rest| rest.strip_prefix("?response_code=")) else {
        return answer;
    };
    let coming = json!({"response_code": code});
    carry(caller, &HttpRequest::post_json(Endpoint::parse(&own).unwrap(), &coming)).await
}

impl Presentation {
    pub async fn send(&self, caller: &Caller) -> Answer {
        let answer = send_and_come_back(caller, &self.0).await;
        let body = serde_json::from_slice(&answer.body).unwrap_or_default();
        Answer { status: answer.status, kind: answer.content_type.unwrap_or_default(), body }
    }
}

/// Begins to open a class III account: the link that the wallet is to answer, and the opening.
pub async fn begin_opening(caller: &Caller) -> (String, String) {
    let key = SoftwareKey::from_seed(&random()).unwrap();
    let body = json!({
        "class": "III",
        "wallet_key": Jwk::from(yufu_base::Signer::public_key(&key)),
    });
    let path = format!("/banks/{JIANGCHENG}/v1/openings");
    let begun = caller.post(&path, None, &body).await.done();
    let text = |name: &str| begun[name].as_str().unwrap().to_owned();
    (text("authorization_request"), text("opening"))
}

pub async fn carry(caller: &Caller, request: &HttpRequest) -> HttpResponse {
    let method = match request.method {
        Method::Get => "GET",
        Method::Post => "POST",
    };
    let headers: Vec<(String, String)> = request.headers.clone().into_iter().collect();
    let answer =
        caller.client.exchange_whole(method, request.url.as_str(), &headers, request.body.clone());
    let answer = answer.await.unwrap();
    let named = |name: &&str| {
        let value = answer.headers.get(*name)?;
        Some(((*name).to_owned(), value.to_str().unwrap().to_owned()))
    };
    HttpResponse {
        status: answer.status,
        headers: RESPONSE_HEADERS.iter().filter_map(named).collect(),
        content_type: Some(answer.content_type),
        body: answer.body,
    }
}

fn key(stored: &Value) -> SoftwareKey {
    SoftwareKey::from_pkcs8(&decode_base64url(stored.as_str().unwrap()).unwrap()).unwrap()
}

pub fn trust_key(caller: &Caller) -> PublicKey {
    let text = fs::read(caller.data().join("trust-list-key.json")).unwrap();
    let jwk: Jwk = serde_json::from_slice(&text).unwrap();
    jwk.key
}

/// Gives a party an account for its takings.
pub async fn takings(caller: &Caller, party: &str) {
    let keys = KeyStore::open(&caller.data().join(party).join("keys")).unwrap();
    let key = Jwk::from(keys.signer("wallet").unwrap().public_key());
    let body = json!({"class": "I", "wallet_key": key});
    let path = format!("/banks/{LIANGHU}/v1/desk/accounts");
    let opened = caller.post(&path, Some(&caller.desk(LIANGHU)), &body).await.done();
    let path = format!("/parties/{party}/v1/desk/account");
    let account = json!({"account": opened["account"]});
    caller.post(&path, Some(&caller.desk(party)), &account).await.done();
}

/// A party's enrolment at the registrar, as its own process would send it.
pub async fn enrol(caller: &Caller, party: &str) -> Answer {
    let keys = KeyStore::open(&caller.data().join(party).join("keys")).unwrap();
    let iat = Timestamp::from_seconds(now().seconds());
    let access = keys.signer("access").unwrap();
    let enrolment = Enrolment {
        iss: party.to_owned(),
        aud: "registrar".to_owned(),
        url: caller.url.clone(),
        iat,
        key: Some(EnrolledKey::prove(&*access, (party, "registrar"), iat).unwrap()),
        anchors: Vec::new(),
        former: Vec::new(),
        withdrawn: Vec::new(),
    };
    let signed = enrolment.sign(&*keys.signer("institution").unwrap()).unwrap();
    caller.post("/registrar/v1/enrolments", None, &json!({"enrolment": signed})).await
}
