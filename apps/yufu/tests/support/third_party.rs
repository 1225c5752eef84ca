//! A wallet that is not ours: plain HTTP by what the OpenAPI, the trust list and the metadata say, and
//! the protocols' messages. It knows no more than the address of the API and the key of the trust list.

use super::{Answer, Caller, now};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use yufu_base::{AccountId, Amount, CommandId, Currency, Signer, Timestamp};
use yufu_jose::{Jwk, SoftwareKey};
use yufu_keys::{random, random_text};
use yufu_openid4vc::attestation::AttestationPop;
use yufu_payment::{HandOverOrder, PaymentOrder, RequestToken};
use yufu_trust::{Role, TrustList};
use yufu_wallet::HeldCredential;
use yufu_wallet::issuance::{Scanned, scan};
use yufu_wallet::presentation::{AnswerEntropy, Presenting, StatusLists, open};

/// One installation of a wallet provider's wallet.
pub struct ThirdParty {
    pub caller: Caller,
    /// The provider's address, from the trust list.
    pub provider: String,
    instance: SoftwareKey,
    credentials: Vec<(HeldCredential, SoftwareKey)>,
}

/// What goes with a request about a key.
pub struct Attested {
    pub attestation: String,
    pub pop: String,
}

/// A key of one's own.
pub fn fresh() -> SoftwareKey {
    SoftwareKey::from_seed(&random()).unwrap()
}

/// A token by which `key` asks `of` for `method` on `path`, in the name `iss`.
pub fn asks(key: &SoftwareKey, iss: &str, of: &str, method: &str, path: &str) -> String {
    let (aud, htm, htu) = (of.to_owned(), method.to_owned(), path.to_owned());
    RequestToken { iss: iss.to_owned(), aud, htm, htu, iat: now() }.sign(key).unwrap()
}

pub fn thumbprint(key: &SoftwareKey) -> String {
    Jwk::from(key.public_key()).thumbprint_base64url()
}

/// The path of an address, and its last part: the id of the institution there.
fn path_and_id(identifier: &str) -> (String, String) {
    let url = url::Url::parse(identifier).unwrap();
    let path = url.path().to_owned();
    let id = path.rsplit('/').next().unwrap().to_owned();
    (path, id)
}

impl ThirdParty {
    /// Installs the wallet of the provider with this name on the trust list; it registers its key.
    pub async fn install(caller: &Caller, name: &str) -> Self {
        let api = caller.get("/openapi.json", None).await.done();
        for path in [
            "/wallet-providers/{provider}/v1/instances",
            "/wallet-providers/{provider}/v1/attestations",
            "/banks/{bank}/v1/onboarding",
            "/banks/{bank}/v1/openings",
            "/banks/{bank}/v1/hand-overs",
            "/banks/{bank}/v1/key-recoveries",
            "/banks/{bank}/v1/payments",
        ] {
            assert!(api["paths"].get(path).is_some(), "{path} is not described");
        }
        let provider = identifier(&trust(caller).await, Role::WalletProvider, name);
        let instance = fresh();
        let mut installed =
            Self { caller: caller.clone(), provider, instance, credentials: Vec::new() };
        let key = Jwk::from(installed.instance.public_key());
        let body = json!({ "instance_key": key });
        installed.ask_provider("instances", &body).await.done();
        installed
    }

    /// Posts to the provider as this instance.
    pub async fn ask_provider(&mut self, below: &str, body: &Value) -> Answer {
        let (path, id) = path_and_id(&self.provider);
        let path = format!("{path}/v1/{below}");
        let token = asks(&self.instance, &thumbprint(&self.instance), &id, "POST", &path);
        self.caller.post(&path, Some(&token), body).await
    }

    /// The key by which the provider knows this instance.
    pub fn instance(&self) -> &SoftwareKey {
        &self.instance
    }

    /// What the provider knows of this instance.
    pub async fn known(&self) -> Value {
        let (path, id) = path_and_id(&self.provider);
        let path = format!("{path}/v1/instance");
        let token = asks(&self.instance, &thumbprint(&self.instance), &id, "GET", &path);
        self.caller.get(&path, Some(&token)).await.done()
    }

    /// Has the provider vouch for a key, for a bank that is told by the bank alone.
    pub async fn attest(&mut self, bank: &str, key: &SoftwareKey) -> Attested {
        let body = json!({ "key": Jwk::from(key.public_key()) });
        let answer = self.ask_provider("attestations", &body).await.done();
        let attestation = answer["attestation"].as_str().unwrap().to_owned();
        let rules = self.caller.get(&format!("/banks/{bank}/v1/onboarding"), None).await.done();
        let audience = rules["audience"].as_str().unwrap();
        Attested { attestation, pop: pop(audience, key, now()) }
    }

    /// Takes up an officer's offer: credentials bound to keys of this wallet.
    pub async fn take_credentials(&mut self, offer: &str, code: &str) {
        let trust = trust(&self.caller).await;
        let caller = self.caller.clone();
        let send = async |request| super::wallet::carry(&caller, &request).await;
        let (fetching, request) = match scan(offer, &trust).unwrap() {
            Scanned::Value(fetching, request) => (*fetching, request),
            Scanned::Reference(fetching, request) => {
                fetching.handle(&send(request).await, &trust).unwrap()
            }
        };
        let (fetching, request) = fetching.handle(&send(request).await).unwrap();
        let ready = fetching.handle(&send(request).await).unwrap();
        let (exchanging, request) = ready.accept(Some(code)).unwrap();
        let (nonce, request) = exchanging.handle(&send(request).await).unwrap();
        let keys: Vec<SoftwareKey> = (0..3).map(|_| fresh()).collect();
        let signers: Vec<&dyn Signer> = keys.iter().map(|key| key as &dyn Signer).collect();
        let (requesting, request) = nonce.handle(&send(request).await, &signers, now()).unwrap();
        let held = requesting.handle(&send(request).await, &trust, now()).unwrap();
        let own = |held: HeldCredential| {
            let key = keys.iter().find(|key| key.public_key() == *held.holder_key()).unwrap();
            let key = SoftwareKey::from_pkcs8(&key.to_pkcs8().unwrap()).unwrap();
            (held, key)
        };
        self.credentials.extend(held.into_iter().map(own));
    }

    /// Verifies who asks, and answers with one credential, used up.
    pub async fn show(&mut self, link: &str) -> Answer {
        let trust = trust(&self.caller).await;
        let (fetching, request) = open(link, &random()).unwrap();
        let response = super::wallet::carry(&self.caller, &request).await;
        let checking = fetching.handle(&response, &trust, &BTreeSet::new(), now()).unwrap();
        let mut lists = StatusLists::default();
        let request = checking.request(&lists, now()).unwrap();
        let list = super::wallet::carry(&self.caller, &request).await;
        let reviewed = checking.handle(Some(&list), &mut lists, &trust, now()).unwrap();
        let (held, signer) = self.credentials.pop().unwrap();
        let presenting = [Presenting { query_id: "pid", held: &held, signer: &signer }];
        let entropy = AnswerEntropy { ephemeral: random(), iv: random() };
        let (_, request) = reviewed.approve(&presenting, &entropy, now()).unwrap();
        let answer = super::wallet::send_and_come_back(&self.caller, &request).await;
        let body = serde_json::from_slice(&answer.body).unwrap_or_default();
        Answer { status: answer.status, kind: answer.content_type.unwrap_or_default(), body }
    }

    /// Opens an account in the holder's name, for its bank: its id, and the key that commands it.
    pub async fn open_account(&mut self, bank: &str, class: &str) -> (String, SoftwareKey) {
        let key = fresh();
        let attested = self.attest(bank, &key).await;
        let body = json!({"class": class, "wallet_key": Jwk::from(key.public_key())});
        let path = format!("/banks/{bank}/v1/openings");
        let begun = self.post(&path, &key, bank, Some(&attested), &body).await.done();
        self.show(begun["authorization_request"].as_str().unwrap()).await.done();
        let path = format!("{path}/{}", begun["opening"].as_str().unwrap());
        let status = self.caller.get(&path, None).await.done();
        assert_eq!(status["state"], "open");
        (status["account"].as_str().unwrap().to_owned(), key)
    }

    /// Recovers the holder's account of a class.
    pub async fn recover(&mut self, bank: &str, class: &str) -> (String, SoftwareKey) {
        let key = fresh();
        let attested = self.attest(bank, &key).await;
        let body = json!({"class": class, "wallet_key": Jwk::from(key.public_key())});
        let path = format!("/banks/{bank}/v1/key-recoveries");
        let begun = self.post(&path, &key, bank, Some(&attested), &body).await.done();
        self.show(begun["authorization_request"].as_str().unwrap()).await.done();
        let path = format!("{path}/{}", begun["recovery"].as_str().unwrap());
        let status = self.caller.get(&path, None).await.done();
        assert_eq!(status["state"], "recovered");
        (status["account"].as_str().unwrap().to_owned(), key)
    }

    /// Posts what is about a key, proven by it, with an attestation or without.
    pub async fn post(
        &self,
        path: &str,
        key: &SoftwareKey,
        bank: &str,
        attested: Option<&Attested>,
        body: &Value,
    ) -> Answer {
        let bearer = format!("Bearer {}", asks(key, &thumbprint(key), bank, "POST", path));
        let mut headers =
            vec![("content-type", "application/json"), ("authorization", bearer.as_str())];
        if let Some(attested) = attested {
            headers.push(("OAuth-Client-Attestation", &attested.attestation));
            headers.push(("OAuth-Client-Attestation-PoP", &attested.pop));
        }
        let body = serde_json::to_vec(body).unwrap();
        self.caller.send("POST", path, &headers, body).await.unwrap()
    }
}

/// A hand-over of `account` from the key that commands it to another, good for ten minutes.
pub fn hand_over(bank: &str, account: &str, from: &SoftwareKey, to: &SoftwareKey) -> String {
    let id = CommandId::at(now(), u128::from_be_bytes(random()));
    let order = HandOverOrder {
        bank: bank.to_owned(),
        id,
        account: account.parse().unwrap(),
        key: to.public_key().into(),
        expires: Timestamp::from_seconds(id.created().plus_seconds(600).seconds()),
    };
    order.sign(from).unwrap()
}

/// A signed order to pay.
pub fn pays(account: &str, payee: AccountId, minor: u64, key: &SoftwareKey) -> Value {
    let id = CommandId::at(now(), u128::from_be_bytes(random()));
    let order = PaymentOrder {
        ledger: "central-bank".to_owned(),
        id,
        payer: account.parse().unwrap(),
        payee,
        payee_name: "Payee".to_owned(),
        amount: Amount::new(Currency::new("CNY").unwrap(), minor),
        expires: Timestamp::from_seconds(id.created().plus_seconds(600).seconds()),
    };
    json!({ "order": order.sign(key).unwrap() })
}

/// A proof of possession of an attested key.
pub fn pop(audience: &str, key: &SoftwareKey, issued: Timestamp) -> String {
    let audience = audience.to_owned();
    let pop = AttestationPop { client: None, audience, id: random_text(), issued, challenge: None };
    pop.sign(key).unwrap()
}

/// The trust list, verified with the key that wallets are given.
pub async fn trust(caller: &Caller) -> TrustList {
    let list = caller.client.get_text(&format!("{}/trust-list/v1/list", caller.url)).await;
    TrustList::verify(&list.unwrap(), &super::wallet::trust_key(caller), now(), None).unwrap()
}

/// The address of the party of this name in this role.
pub fn identifier(list: &TrustList, role: Role, name: &str) -> String {
    let named =
        |entry: &&yufu_trust::TrustEntry| entry.role == role && entry.name.get("en") == name;
    list.entries.iter().find(named).unwrap().identifier.clone()
}
