//! Notes as a wallet holds them, made with nothing but the primitives of the protocol.

use super::{Account, Answer, Caller};
use serde_json::{Value, json};
use yufu_ecash::message::{BlindSignature, BlindedMessage, Proof};
use yufu_ecash::{Keyset, SecretScalar, blind, unblind};
use yufu_keys::random;

/// A mint that is spoken to, with its keyset that signs.
pub struct MintOf {
    pub bank: &'static str,
    pub keyset: Keyset,
}

/// Outputs with what unblinds them.
#[derive(Clone)]
pub struct Blank {
    pub messages: Vec<BlindedMessage>,
    pub secrets: Vec<(String, SecretScalar)>,
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// `amount` in powers of two.
pub fn split(amount: u64) -> Vec<u64> {
    (0..64).map(|bit| 1_u64 << bit).filter(|bit| amount & bit != 0).collect()
}

impl MintOf {
    pub async fn at(caller: &Caller, bank: &'static str) -> Self {
        let keys = caller.get(&format!("/banks/{bank}/mint/v1/keys"), None).await.done();
        let keyset: Keyset = serde_json::from_value(keys["keysets"][0].clone()).unwrap();
        keyset.check().unwrap();
        Self { bank, keyset }
    }

    pub fn path(&self, path: &str) -> String {
        format!("/banks/{}/mint/v1/{path}", self.bank)
    }

    pub async fn post(&self, caller: &Caller, path: &str, body: &Value) -> Answer {
        caller.post(&self.path(path), None, body).await
    }

    pub fn blank(&self, amounts: &[u64]) -> Blank {
        let one = |amount: &u64| {
            let (secret, factor) =
                (hex(&random::<32>()), SecretScalar::from_bytes(&random()).unwrap());
            let blinded = blind(secret.as_bytes(), &factor).unwrap();
            (BlindedMessage { amount: *amount, id: self.keyset.id, blinded }, (secret, factor))
        };
        let (messages, secrets) = amounts.iter().map(one).unzip();
        Blank { messages, secrets }
    }

    /// The notes that signatures make of blank outputs; each signature proven to be of the published key.
    pub fn notes(&self, blank: &Blank, signatures: &Value) -> Vec<Proof> {
        let signatures: Vec<BlindSignature> = serde_json::from_value(signatures.clone()).unwrap();
        assert_eq!(signatures.len(), blank.messages.len());
        let all = signatures.iter().zip(&blank.messages).zip(&blank.secrets);
        all.map(|((signed, message), (secret, factor))| {
            let key = self.keyset.key(signed.amount).unwrap();
            let proof = signed.dleq.as_ref().expect("a proof of the signature");
            proof.verify(key, &message.blinded, &signed.signature).unwrap();
            Proof {
                amount: signed.amount,
                id: signed.id,
                secret: secret.clone(),
                signature: unblind(&signed.signature, factor, key).unwrap(),
                witness: None,
                dleq: None,
            }
        })
        .collect()
    }

    pub async fn quote(&self, caller: &Caller, amount: u64) -> Value {
        let asked = json!({"amount": amount, "unit": "cny"});
        self.post(caller, "mint/quote/bank", &asked).await.done()
    }

    /// Has an account pay for a quote.
    pub async fn fund(&self, caller: &Caller, payer: &Account, quote: &Value) -> Answer {
        let request = url::Url::parse(quote["request"].as_str().unwrap()).unwrap();
        let payee = request.query_pairs().find(|(name, _)| name == "payee").unwrap().1;
        let amount = quote["amount"].as_u64().unwrap();
        let mut order = payer.order(payee.parse().unwrap(), amount, caller.id());
        order.payee_name = quote["quote"].as_str().unwrap().to_owned();
        let signed = order.sign(&*payer.key).unwrap();
        let path = format!("/banks/{}/v1/withdrawals", self.bank);
        caller.post(&path, None, &json!({"order": signed})).await
    }

    /// Notes of these amounts from an account.
    pub async fn withdraw(&self, caller: &Caller, payer: &Account, amounts: &[u64]) -> Vec<Proof> {
        let quote = self.quote(caller, amounts.iter().sum()).await;
        self.fund(caller, payer, &quote).await.done();
        let blank = self.blank(amounts);
        let asked = json!({"quote": quote["quote"], "outputs": blank.messages});
        let made = self.post(caller, "mint/bank", &asked).await.done();
        self.notes(&blank, &made["signatures"])
    }

    pub async fn swap(&self, caller: &Caller, notes: &[Proof], blank: &Blank) -> Answer {
        let asked = json!({"inputs": notes, "outputs": blank.messages});
        self.post(caller, "swap", &asked).await
    }

    pub async fn melt_quote(&self, caller: &Caller, payee: &Account, amount: u64) -> Value {
        let asked = json!({"request": payee.id.to_string(), "unit": "cny", "amount": amount});
        self.post(caller, "melt/quote/bank", &asked).await.done()
    }

    pub async fn melt(&self, caller: &Caller, quote: &Value, notes: &[Proof]) -> Answer {
        let asked = json!({"quote": quote["quote"], "inputs": notes});
        self.post(caller, "melt/bank", &asked).await
    }
}

impl Answer {
    /// Holds a mint's refusal against the protocol's shape and number.
    #[track_caller]
    pub fn mint_refused(self, case: &str, code: u32) -> Value {
        assert_eq!((self.status, &self.body["code"]), (400, &json!(code)), "{case}: {self:?}");
        assert!(self.body["detail"].as_str().is_some_and(|detail| detail.len() > 5), "{case}");
        self.body
    }
}
