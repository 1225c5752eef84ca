//! An attested wallet that can misbehave at every step: the messages of the authorization code flow one by one.

use super::third_party::{ThirdParty, fresh};
use super::{Answer, Caller, Resident, now};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use yufu_base::{Signer, Timestamp};
use yufu_jose::{Jwk, SoftwareKey};
use yufu_keys::{random, random_text};
use yufu_openid4vc::Endpoint;
use yufu_openid4vc::attestation::AttestationPop;
use yufu_openid4vc::issuance::{
    DpopTarget, OfferLink, pkce_challenge, sign_attested_proof, sign_dpop,
};

/// Where its browser comes back to.
pub const CALLBACK: &str = "https://wallet.example/cb";
/// Its verifier.
pub const VERIFIER: &str = "a-verifier-of-at-least-forty-three-characters-0123";

/// An answer with the header that matters.
pub struct Heard {
    pub answer: Answer,
    pub location: Option<String>,
    pub authenticate: Option<String>,
}

/// A wallet, its keys, and what servers gave it.
pub struct AttestedWallet {
    pub caller: Caller,
    pub provider: ThirdParty,
    pub instance: SoftwareKey,
    pub dpop: SoftwareKey,
    pub attestation: String,
    pub dpop_nonce: String,
    pub challenge: String,
    at: String,
}

/// A code, and a token that it was exchanged for.
pub struct Tokens {
    pub access: String,
    pub refresh: String,
}

/// Parts of a request that a test may replace.
#[derive(Default)]
pub struct Changed {
    pub pop: Option<String>,
    pub attestation: Option<String>,
    pub dpop: Option<String>,
    pub authorization: Option<String>,
}

impl AttestedWallet {
    /// A wallet of the provider with this name on the trust list, at the authority.
    pub async fn of(caller: &Caller, provider: &str) -> Self {
        Self::at(caller, provider, "/authority").await
    }

    /// The same at another institution, by its path.
    pub async fn at(caller: &Caller, provider: &str, institution: &str) -> Self {
        let mut provider = ThirdParty::install(caller, provider).await;
        let (instance, dpop) = (fresh(), fresh());
        let attestation = attestation(&mut provider, &instance).await;
        let mut wallet = Self {
            caller: caller.clone(),
            provider,
            instance,
            dpop,
            attestation,
            dpop_nonce: String::new(),
            challenge: String::new(),
            at: format!("{institution}/haip"),
        };
        wallet.greet().await;
        wallet
    }

    /// Fetches a challenge, and a nonce for DPoP.
    pub async fn greet(&mut self) {
        let body = self.send("challenge", &[], Vec::new()).await.answer.done();
        let challenge = body["attestation_challenge"].as_str().unwrap().to_owned();
        self.nonce().await;
        self.challenge = challenge;
    }

    /// A nonce for proofs of keys.
    pub async fn nonce(&mut self) -> String {
        let body = self.send("nonce", &[], Vec::new()).await.answer.done();
        body["c_nonce"].as_str().unwrap().to_owned()
    }

    pub fn url(&self, below: &str) -> Endpoint {
        Endpoint::parse(&format!("{}{}/{below}", self.caller.url, self.at)).unwrap()
    }

    /// The issuer's identifier.
    pub fn issuer(&self) -> Endpoint {
        Endpoint::parse(&format!("{}{}", self.caller.url, self.at)).unwrap()
    }

    /// Posts below the issuer, and takes the nonces of the answer.
    pub async fn send(&mut self, below: &str, headers: &[(&str, &str)], body: Vec<u8>) -> Heard {
        let headers: Vec<(String, String)> =
            headers.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        let url = self.url(below);
        let sent = self.caller.client.exchange_whole("POST", url.as_str(), &headers, body);
        let sent = sent.await.unwrap();
        let named =
            |name: &str| sent.headers.get(name).map(|value| value.to_str().unwrap().to_owned());
        if let Some(nonce) = named("dpop-nonce") {
            self.dpop_nonce = nonce;
        }
        if let Some(challenge) = named("oauth-client-attestation-challenge") {
            self.challenge = challenge;
        }
        let body = serde_json::from_slice(&sent.body)
            .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&sent.body).into_owned()));
        let answer = Answer { status: sent.status, kind: sent.content_type.clone(), body };
        Heard { answer, location: named("location"), authenticate: named("www-authenticate") }
    }

    pub fn pop(&self, audience: &str, challenge: Option<&str>, at: Timestamp) -> String {
        let pop = AttestationPop {
            client: None,
            audience: audience.to_owned(),
            id: random_text(),
            issued: at,
            challenge: challenge.map(str::to_owned),
        };
        pop.sign(&self.instance).unwrap()
    }

    pub fn proof(&self, below: &str, access_token: Option<&str>) -> String {
        let url = self.url(below);
        let target = DpopTarget { method: "POST", url: &url, access_token };
        sign_dpop(target, Some(&self.dpop_nonce), &random_text(), now(), &self.dpop).unwrap()
    }

    /// Posts a form as an attested client, with a DPoP proof.
    pub async fn form(
        &mut self,
        below: &str,
        fields: &BTreeMap<&str, String>,
        changed: Changed,
    ) -> Heard {
        let issuer = self.issuer();
        let challenge = self.challenge.clone();
        let pop = changed.pop.unwrap_or_else(|| self.pop(issuer.as_str(), Some(&challenge), now()));
        let attestation = changed.attestation.unwrap_or_else(|| self.attestation.clone());
        let dpop = changed.dpop.unwrap_or_else(|| self.proof(below, None));
        let mut headers = vec![("content-type", "application/x-www-form-urlencoded")];
        let more = [
            ("oauth-client-attestation", attestation.as_str()),
            ("oauth-client-attestation-pop", pop.as_str()),
            ("dpop", dpop.as_str()),
        ];
        headers.extend(more.into_iter().filter(|(_, value)| !value.is_empty()));
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.extend_pairs(fields.iter().map(|(name, value)| (*name, value.as_str())));
        self.send(below, &headers, form.finish().into_bytes()).await
    }

    /// What is pushed for an offer.
    pub fn pushed(&self, scope: &str, issuer_state: &str) -> BTreeMap<&'static str, String> {
        BTreeMap::from([
            ("response_type", "code".to_owned()),
            ("client_id", self.provider.provider.clone()),
            ("redirect_uri", CALLBACK.to_owned()),
            ("scope", scope.to_owned()),
            ("state", "my-state".to_owned()),
            ("code_challenge", pkce_challenge(VERIFIER)),
            ("code_challenge_method", "S256".to_owned()),
            ("issuer_state", issuer_state.to_owned()),
        ])
    }

    /// Pushes, and gives the request URI.
    pub async fn push(&mut self, fields: &BTreeMap<&str, String>) -> String {
        let heard = self.form("par", fields, Changed::default()).await;
        assert_eq!(heard.answer.status, 201, "{:?}", heard.answer);
        heard.answer.body["request_uri"].as_str().unwrap().to_owned()
    }

    /// The person types digits: what the browser hears.
    pub async fn typed(&mut self, request_uri: &str, digits: &str) -> Heard {
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.append_pair("client_id", &self.provider.provider.clone());
        form.append_pair("request_uri", request_uri).append_pair("tx_code", digits);
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        self.send("authorize", &headers, form.finish().into_bytes()).await
    }

    /// What the page of a request says or where it leads, for this wallet playing the browser.
    pub async fn looked(&self, request_uri: &str) -> Heard {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.append_pair("client_id", &self.provider.provider);
        query.append_pair("request_uri", request_uri);
        let url = format!("{}?{}", self.url("authorize").as_str(), query.finish());
        let headers = [("accept".to_owned(), "application/json".to_owned())];
        let sent =
            self.caller.client.exchange_whole("GET", &url, &headers, Vec::new()).await.unwrap();
        let location = sent.headers.get("location").map(|to| to.to_str().unwrap().to_owned());
        let body = serde_json::from_slice(&sent.body).unwrap_or_default();
        let answer = Answer { status: sent.status, kind: sent.content_type.clone(), body };
        Heard { answer, location, authenticate: None }
    }

    /// What is pushed without an offer.
    pub fn pushed_alone(&self, scope: &str) -> BTreeMap<&'static str, String> {
        let mut fields = self.pushed(scope, "");
        fields.remove("issuer_state");
        fields
    }

    /// A code for a request, by the digits of its offer.
    pub async fn code(&mut self, request_uri: &str, digits: &str) -> String {
        let heard = self.typed(request_uri, digits).await;
        let location = heard.location.unwrap_or_else(|| panic!("{:?}", heard.answer));
        parameter(&location, "code").unwrap_or_else(|| panic!("{location}"))
    }

    pub fn exchange(&self, code: &str) -> BTreeMap<&'static str, String> {
        BTreeMap::from([
            ("grant_type", "authorization_code".to_owned()),
            ("code", code.to_owned()),
            ("redirect_uri", CALLBACK.to_owned()),
            ("code_verifier", VERIFIER.to_owned()),
        ])
    }

    /// Tokens for an offer to this resident.
    pub async fn tokens(&mut self, resident: &Resident, credential: &str) -> Tokens {
        let caller = self.caller.clone();
        let (state, digits) = offered(&caller, resident, credential).await;
        let request_uri = self.push(&self.pushed(credential, &state)).await;
        let code = self.code(&request_uri, &digits).await;
        let fields = self.exchange(&code);
        let body = self.form("token", &fields, Changed::default()).await.answer.done();
        let text = |name: &str| body[name].as_str().unwrap().to_owned();
        assert_eq!(text("token_type"), "DPoP");
        Tokens { access: text("access_token"), refresh: text("refresh_token") }
    }

    /// What the provider says of keys.
    pub async fn attested_keys(&mut self, keys: &[&SoftwareKey], nonce: &str) -> String {
        let keys: Vec<Jwk> = keys.iter().map(|key| Jwk::from(key.public_key())).collect();
        let body = json!({"keys": keys, "nonce": nonce});
        let answer = self.provider.ask_provider("key-attestations", &body).await.done();
        answer["key_attestation"].as_str().unwrap().to_owned()
    }

    /// A proof by `key`, with an attestation.
    pub fn key_proof(&self, key: &SoftwareKey, nonce: &str, attestation: &str) -> String {
        let issuer = self.issuer();
        let by = (&issuer, self.provider.provider.as_str());
        sign_attested_proof(by, nonce, attestation, now(), key).unwrap()
    }

    /// Posts JSON under a token.
    pub async fn under(
        &mut self,
        below: &str,
        access: &str,
        body: &Value,
        changed: Changed,
    ) -> Heard {
        let dpop = changed.dpop.unwrap_or_else(|| self.proof(below, Some(access)));
        let authorization = changed.authorization.unwrap_or_else(|| format!("DPoP {access}"));
        let mut headers = vec![("content-type", "application/json")];
        let more = [("authorization", authorization.as_str()), ("dpop", dpop.as_str())];
        headers.extend(more.into_iter().filter(|(_, value)| !value.is_empty()));
        self.send(below, &headers, serde_json::to_vec(body).unwrap()).await
    }

    /// A good request for `count` credentials.
    pub async fn request(&mut self, configuration: &str, count: usize) -> Value {
        let nonce = self.nonce().await;
        let keys: Vec<SoftwareKey> = (0..count).map(|_| fresh()).collect();
        let all: Vec<&SoftwareKey> = keys.iter().collect();
        let attestation = self.attested_keys(&all, &nonce).await;
        let proof = self.key_proof(&keys[0], &nonce, &attestation);
        json!({"credential_configuration_id": configuration, "proofs": {"jwt": [proof]}})
    }
}

/// The provider's word for a key.
pub async fn attestation(provider: &mut ThirdParty, key: &SoftwareKey) -> String {
    let body = json!({"key": Jwk::from(key.public_key())});
    let answer = provider.ask_provider("attestations", &body).await.done();
    answer["attestation"].as_str().unwrap().to_owned()
}

/// An officer's answer: offers of both kinds, and digits.
pub async fn authenticated(caller: &Caller, resident: &Resident, credential: &str) -> Value {
    let body = json!({
        "resident_number": resident.number,
        "evidence": "card and portrait compared",
        "credential": credential,
    });
    let desk = caller.desk("identity-authority");
    caller.post("/authority/v1/officer/authentications", Some(&desk), &body).await.done()
}

/// What an offer for attested wallets says the authorization endpoint knows it by, and its digits.
pub async fn offered(caller: &Caller, resident: &Resident, credential: &str) -> (String, String) {
    let made = authenticated(caller, resident, credential).await;
    (
        state_of(made["haip_offer"].as_str().unwrap()),
        made["transaction_code"].as_str().unwrap().to_owned(),
    )
}

/// What an offer for attested wallets says the authorization endpoint knows it by.
pub fn state_of(haip_offer: &str) -> String {
    let OfferLink::Value(offer) = OfferLink::parse(haip_offer).unwrap() else {
        panic!("by reference")
    };
    offer.grants.authorization_code.unwrap().issuer_state.unwrap()
}

/// A parameter of an address.
pub fn parameter(address: &str, name: &str) -> Option<String> {
    let url = url::Url::parse(address).unwrap();
    url.query_pairs().find(|(n, _)| n == name).map(|(_, value)| value.into_owned())
}

/// A text that is random.
pub fn noise() -> String {
    yufu_jose::encode_base64url(random::<32>())
}
