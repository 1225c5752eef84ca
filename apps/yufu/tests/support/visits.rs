//! Wallets without a file: they get a batch from the running authority and answer verifiers, by the sessions of
//! the product alone, so that many of them are quick.

use super::{Caller, carry, now, trust_key};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use yufu_base::Signer;
use yufu_jose::SoftwareKey;
use yufu_keys::random;
use yufu_openid4vc::presentation::SIGNED_PROTOCOL;
use yufu_openid4vc::{FORMAT_SD_JWT_VC, HttpRequest};
use yufu_trust::TrustList;
use yufu_wallet::HeldCredential;
use yufu_wallet::issuance::{Scanned, scan};
use yufu_wallet::presentation::{AnswerEntropy, Presenting, Reviewed, StatusLists, open, take};

/// What wallets have in common: the trust list, and the registrar's list.
pub struct Street {
    pub caller: Caller,
    pub trust: TrustList,
    pub lists: StatusLists,
}

impl Street {
    pub async fn of(caller: &Caller) -> Self {
        let list = caller.client.get_text(&format!("{}/trust-list/v1/list", caller.url)).await;
        let trust = TrustList::verify(&list.unwrap(), &trust_key(caller), now(), None).unwrap();
        Self { caller: caller.clone(), trust, lists: StatusLists::default() }
    }

    /// As many credentials of the resident as the authority gives at once, each with its key.
    pub async fn batch(&self, number: &str, format: &str) -> Vec<(HeldCredential, SoftwareKey)> {
        let caller = &self.caller;
        let body = json!({"resident_number": number, "evidence": "card", "credential": "pid"});
        let desk = caller.desk("identity-authority");
        let path = "/authority/v1/officer/authentications";
        let made = caller.post(path, Some(&desk), &body).await.done();
        let Scanned::Value(step, request) =
            scan(made["offer"].as_str().unwrap(), &self.trust).unwrap()
        else {
            panic!("an offer by reference")
        };
        let answer = carry(caller, &request).await;
        let (step, request) = step.handle_preferring(&answer, format).unwrap();
        let ready = step.handle(&carry(caller, &request).await).unwrap();
        let (step, request) = ready.accept(made["transaction_code"].as_str()).unwrap();
        let (step, request) = step.handle(&carry(caller, &request).await).unwrap();
        let mut keys: Vec<SoftwareKey> =
            (0..step.batch_size()).map(|_| SoftwareKey::from_seed(&random()).unwrap()).collect();
        let signers: Vec<&dyn Signer> = keys.iter().map(|key| key as &dyn Signer).collect();
        let answer = carry(caller, &request).await;
        let (step, request) = step.handle(&answer, &signers, now()).unwrap();
        let held = step.handle(&carry(caller, &request).await, &self.trust, now()).unwrap();
        let mut batch = Vec::new();
        for held in held {
            let place = keys.iter().position(|key| key.public_key() == *held.holder_key());
            batch.push((held, keys.remove(place.unwrap())));
        }
        batch
    }

    pub async fn sd_jwts(&self, number: &str) -> Vec<(HeldCredential, SoftwareKey)> {
        self.batch(number, FORMAT_SD_JWT_VC).await
    }

    /// Starts a verification at a verifier's desk.
    pub async fn begin(&self, verifier: &str, purpose: &str) -> Value {
        let path = format!("/verifiers/{verifier}/v1/desk/verifications");
        let body = json!({"purpose": purpose});
        self.caller.post(&path, Some(&self.caller.desk(verifier)), &body).await.done()
    }

    /// How a verification stands.
    pub async fn state(&self, verifier: &str, id: &str) -> Value {
        let path = format!("/verifiers/{verifier}/v1/desk/verifications/{id}");
        self.caller.get(&path, Some(&self.caller.desk(verifier))).await.done()
    }

    /// Fetches the request at `link`, and checks who asks, as every wallet does.
    pub async fn review(&mut self, link: &str) -> Reviewed {
        let (fetching, request) = open(link, &random()).unwrap();
        let response = carry(&self.caller, &request).await;
        let checking = fetching.handle(&response, &self.trust, &BTreeSet::new(), now()).unwrap();
        let list = match checking.request(&self.lists, now()) {
            Some(request) => Some(carry(&self.caller, &request).await),
            None => None,
        };
        checking.handle(list.as_ref(), &mut self.lists, &self.trust, now()).unwrap()
    }

    /// What a wallet with this credential sends to whoever asks at `link`.
    pub async fn answer(
        &mut self,
        link: &str,
        (held, key): &(HeldCredential, SoftwareKey),
    ) -> HttpRequest {
        let reviewed = self.review(link).await;
        let consent = reviewed.consent(std::slice::from_ref(held)).unwrap();
        let asked = consent.credentials.iter().find(|one| one.selected).unwrap();
        let presenting = [Presenting { query_id: &asked.query_id, held, signer: key }];
        let entropy = AnswerEntropy { ephemeral: random(), iv: random() };
        reviewed.approve(&presenting, &entropy, now()).unwrap().1
    }

    /// Checks the request of a page of `origin`, as every wallet does.
    pub async fn review_of_page(&mut self, origin: &str, begun: &Value) -> Reviewed {
        let request = serde_json::from_value(begun["digital_credential"].clone()).unwrap();
        let checking = take(origin, &request, &self.trust, &BTreeSet::new(), now()).unwrap();
        let list = match checking.request(&self.lists, now()) {
            Some(request) => Some(carry(&self.caller, &request).await),
            None => None,
        };
        checking.handle(list.as_ref(), &mut self.lists, &self.trust, now()).unwrap()
    }

    /// What a page of `origin` gets of a wallet with this credential.
    pub async fn answer_page(
        &mut self,
        origin: &str,
        begun: &Value,
        (held, key): &(HeldCredential, SoftwareKey),
    ) -> Value {
        let reviewed = self.review_of_page(origin, begun).await;
        let consent = reviewed.consent(std::slice::from_ref(held)).unwrap();
        let asked = consent.credentials.iter().find(|one| one.selected).unwrap();
        let presenting = [Presenting { query_id: &asked.query_id, held, signer: key }];
        let entropy = AnswerEntropy { ephemeral: random(), iv: random() };
        let (_, answer) = reviewed.approve_for_page(&presenting, &entropy, now()).unwrap();
        json!({"protocol": SIGNED_PROTOCOL, "data": answer.to_data()})
    }

    /// Shows a credential at a verifier, to the end; the verification's id.
    pub async fn show(
        &mut self,
        verifier: &str,
        purpose: &str,
        credential: &(HeldCredential, SoftwareKey),
    ) -> String {
        let begun = self.begin(verifier, purpose).await;
        let link = begun["authorization_request"].as_str().unwrap();
        let request = self.answer(link, credential).await;
        let answer = carry(&self.caller, &request).await;
        assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
        begun["verification"].as_str().unwrap().to_owned()
    }
}
