//! A small mint for tests: the keys of `yufu-ecash` and the rules of `yufu-mint`, spoken to in the bytes that go
//! over the wire. It keeps a log of all that it sees.
#![allow(dead_code, reason = "each test binary uses a part of this support")]

use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use yufu_base::{Digest, Timestamp};
use yufu_ecash::message::{
    BlindSignature, BlindedMessage, CheckStateRequest, CheckStateResponse, ErrorBody, ErrorCode,
    MeltQuote, MeltQuoteRequest, MeltQuoteState, MeltRequest, MintQuote, MintQuoteRequest,
    MintQuoteState, MintRequest, NoteState, NoteStatus, Proof, RestoreRequest, RestoreResponse,
    Signatures, SwapRequest,
};
use yufu_ecash::spend::{Transaction, check_spend};
use yufu_ecash::{
    KeysResponse, KeysetId, KeysetPlan, KeysetSigner, KeysetsResponse, MintKeys, Note, Point, Seed,
};
use yufu_mint::{
    Input, KeysetNumber, KeysetTerms, Mint, NoteError, Output, Payees, Point as LogPoint,
};
use yufu_purse::{OperationId, Outcome, Progress, Published, Purse, Reply, Request, Waiting};

pub(crate) const MINT: &str = "https://bank.example/banks/some-bank/mint";
pub(crate) const UNIT: &str = "xts";

/// A thing that the mint saw.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) at: u64,
    pub(crate) what: &'static str,
    /// The account that paid or got it, where there is one.
    pub(crate) account: Option<u64>,
    pub(crate) inputs: Vec<(KeysetId, u64)>,
    pub(crate) outputs: Vec<(KeysetId, u64)>,
    /// The blinded messages of the outputs.
    pub(crate) blinded: Vec<Point>,
    /// How many notes were asked about.
    pub(crate) asked: usize,
}

struct Issuing {
    keys: MintKeys,
    number: KeysetNumber,
}

pub(crate) struct TestMint {
    keysets: Vec<Issuing>,
    rules: Mint,
    mint_quotes: BTreeMap<String, (MintQuote, Option<u64>)>,
    melt_quotes: BTreeMap<String, MeltQuote>,
    witnesses: BTreeMap<[u8; 33], String>,
    answers: BTreeMap<(String, Vec<u8>), Reply>,
    /// Whether a repeated request is refused as one done before, as mints do that keep no answers.
    pub(crate) forgetful: bool,
    /// What accounts got in return for notes.
    pub(crate) redeemed: BTreeMap<u64, u64>,
    pub(crate) log: Vec<Seen>,
    pub(crate) now: u64,
    next_quote: u64,
}

type Answer<T> = Result<T, ErrorBody>;

fn refuse<T>(code: ErrorCode) -> Answer<T> {
    Err(ErrorBody::new(code, code.text()))
}

fn no_quote() -> ErrorBody {
    ErrorBody { detail: "there is no such quote".to_owned(), code: 0 }
}

impl TestMint {
    pub(crate) fn new(input_fee_ppk: u64) -> Self {
        let mut mint = Self {
            keysets: Vec::new(),
            rules: Mint::default(),
            mint_quotes: BTreeMap::new(),
            melt_quotes: BTreeMap::new(),
            witnesses: BTreeMap::new(),
            answers: BTreeMap::new(),
            forgetful: false,
            redeemed: BTreeMap::new(),
            log: Vec::new(),
            now: 1_000_000,
            next_quote: 0,
        };
        mint.add_keyset(input_fee_ppk, 5_000_000);
        mint
    }

    pub(crate) fn add_keyset(&mut self, input_fee_ppk: u64, final_expiry: u64) -> KeysetId {
        let generation = self.keysets.len() as u64;
        let plan = KeysetPlan {
            unit: UNIT.to_owned(),
            generation,
            denominations: 20,
            input_fee_ppk,
            final_expiry: Some(final_expiry),
        };
        let keys = MintKeys::derive(&[7; 32], &plan).unwrap();
        let terms = KeysetTerms {
            denominations: 20,
            input_fee_ppk: u32::try_from(input_fee_ppk).unwrap(),
            final_expiry: Timestamp::from_seconds(final_expiry),
            payees: Payees::Anyone,
        };
        let now = Timestamp::from_seconds(self.now);
        let digest = Digest([u8::try_from(generation).unwrap(); 32]);
        let number = self.rules.register(0, digest, terms, now).unwrap();
        let id = keys.keyset().id;
        self.keysets.push(Issuing { keys, number });
        id
    }

    /// The keyset that signed until now signs no more, and a new one does.
    pub(crate) fn rotate(&mut self) -> KeysetId {
        let last = self.keysets.last().unwrap().number;
        self.rules.deactivate(0, last).unwrap();
        self.add_keyset(0, 9_000_000)
    }

    pub(crate) fn outstanding(&self) -> u128 {
        self.rules.outstanding(0)
    }

    pub(crate) fn published(&self) -> Published {
        let of = |issuing: &Issuing| {
            let promised = self.rules.keyset(issuing.number).unwrap().promised_outputs() as u64;
            (issuing.keys.keyset().id, promised)
        };
        Published { keysets: self.keysets.iter().map(of).collect(), least_outputs: 0 }
    }

    /// An account pays a quote.
    pub(crate) fn fund(&mut self, quote: &str, account: u64) {
        let (quote, payer) = self.mint_quotes.get_mut(quote).unwrap();
        assert_eq!(quote.state, Some(MintQuoteState::Unpaid));
        quote.state = Some(MintQuoteState::Paid);
        *payer = Some(account);
    }

    /// Forgets quotes that came to nothing.
    pub(crate) fn forget_quotes(&mut self) {
        self.mint_quotes.retain(|_, (quote, _)| quote.state == Some(MintQuoteState::Issued));
        self.melt_quotes.retain(|_, quote| quote.state == MeltQuoteState::Paid);
    }

    pub(crate) fn ask(&mut self, request: &Request) -> Reply {
        let key = (request.path.clone(), request.body.clone().unwrap_or_default());
        if let Some(answer) = self.answers.get(&key).filter(|_| !self.forgetful) {
            return answer.clone();
        }
        let reply = self.answer(request);
        let kept = ["/v1/swap", "/v1/mint/bank", "/v1/melt/bank"];
        if reply.status == 200 && kept.contains(&request.path.as_str()) {
            self.answers.insert(key, reply.clone());
        }
        reply
    }

    fn answer(&mut self, request: &Request) -> Reply {
        let path = request.path.as_str();
        let body = request.body.as_deref().unwrap_or_default();
        match path {
            "/v1/keysets" => reply(&Ok(self.list())),
            "/v1/mint/quote/bank" => reply(&self.mint_quote(read(body))),
            "/v1/mint/bank" => reply(&self.mint(&read(body))),
            "/v1/swap" => reply(&self.swap(&read(body))),
            "/v1/melt/quote/bank" => reply(&self.melt_quote(read(body))),
            "/v1/melt/bank" => reply(&self.melt(&read(body))),
            "/v1/checkstate" => reply(&Ok(self.states(&read(body)))),
            "/v1/restore" => reply(&Ok(self.restore(&read(body)))),
            _ => {
                let name = path.rsplit('/').next().unwrap();
                if path.starts_with("/v1/keys/") {
                    let found = self.issuing(&name.parse().unwrap()).unwrap().keys.keyset().clone();
                    reply(&Ok(KeysResponse { keysets: vec![found] }))
                } else if path.starts_with("/v1/mint/quote/bank/") {
                    reply(
                        &self
                            .mint_quotes
                            .get(name)
                            .map(|known| known.0.clone())
                            .ok_or_else(no_quote),
                    )
                } else {
                    reply(&self.melt_quotes.get(name).cloned().ok_or_else(no_quote))
                }
            }
        }
    }

    fn issuing(&self, id: &KeysetId) -> Option<&Issuing> {
        self.keysets.iter().find(|issuing| issuing.keys.keyset().id == *id)
    }

    fn list(&self) -> KeysetsResponse {
        let of = |issuing: &Issuing| {
            let active = self.rules.keyset(issuing.number).unwrap().active;
            let mut info = issuing.keys.keyset().info();
            info.active = active;
            info
        };
        KeysetsResponse { keysets: self.keysets.iter().map(of).collect() }
    }

    fn mint_quote(&mut self, wanted: MintQuoteRequest) -> Answer<MintQuote> {
        self.next_quote += 1;
        let quote = MintQuote {
            quote: format!("w{}", self.next_quote),
            request: format!("pay quote w{}", self.next_quote),
            method: Some("bank".to_owned()),
            amount: wanted.amount,
            unit: wanted.unit,
            state: Some(MintQuoteState::Unpaid),
            amount_paid: None,
            amount_issued: None,
            updated_at: None,
            expiry: Some(self.now + 600),
            pubkey: wanted.pubkey,
        };
        self.mint_quotes.insert(quote.quote.clone(), (quote.clone(), None));
        Ok(quote)
    }

    fn mint(&mut self, wanted: &MintRequest) -> Answer<Signatures> {
        let known = self.mint_quotes.get(&wanted.quote);
        let (quote, account) = known.ok_or_else(no_quote)?.clone();
        match quote.state {
            Some(MintQuoteState::Unpaid) => return refuse(ErrorCode::QuoteUnpaid),
            Some(MintQuoteState::Issued) => return refuse(ErrorCode::QuoteIssued),
            _ => {}
        }
        if wanted.check_signature(quote.pubkey.as_ref()).is_err() {
            return refuse(ErrorCode::QuoteSignatureInvalid);
        }
        let sum: u64 = wanted.outputs.iter().map(|output| output.amount).sum();
        if Some(sum) != quote.amount {
            return refuse(ErrorCode::NotBalanced);
        }
        let signatures = self.exchange("mint", account, &[], &wanted.outputs, -i128::from(sum))?;
        self.mint_quotes.get_mut(&wanted.quote).unwrap().0.state = Some(MintQuoteState::Issued);
        Ok(signatures)
    }

    fn swap(&mut self, wanted: &SwapRequest) -> Answer<Signatures> {
        self.verify(&wanted.inputs, Transaction { outputs: &wanted.outputs, quote: None })?;
        self.exchange("swap", None, &wanted.inputs, &wanted.outputs, 0)
    }

    fn melt_quote(&mut self, wanted: MeltQuoteRequest) -> Answer<MeltQuote> {
        self.next_quote += 1;
        let quote = MeltQuote {
            quote: format!("r{}", self.next_quote),
            request: Some(wanted.request),
            method: Some("bank".to_owned()),
            amount: wanted.amount.unwrap(),
            unit: Some(wanted.unit),
            fee_reserve: 0,
            state: MeltQuoteState::Unpaid,
            expiry: self.now + 600,
            payment_preimage: None,
            change: None,
        };
        self.melt_quotes.insert(quote.quote.clone(), quote.clone());
        Ok(quote)
    }

    fn melt(&mut self, wanted: &MeltRequest) -> Answer<MeltQuote> {
        let quote = self.melt_quotes.get(&wanted.quote).ok_or_else(no_quote)?.clone();
        if quote.state == MeltQuoteState::Paid {
            return refuse(ErrorCode::InvoicePaid);
        }
        let transaction = Transaction { outputs: &[], quote: Some(&wanted.quote) };
        self.verify(&wanted.inputs, transaction)?;
        let account: u64 = quote.request.as_ref().unwrap().parse().unwrap();
        let left = i128::from(quote.amount);
        self.exchange("melt", Some(account), &wanted.inputs, &[], left)?;
        *self.redeemed.entry(account).or_default() += quote.amount;
        let quote = self.melt_quotes.get_mut(&wanted.quote).unwrap();
        quote.state = MeltQuoteState::Paid;
        Ok(quote.clone())
    }

    fn verify(&self, inputs: &[Proof], transaction: Transaction<'_>) -> Answer<()> {
        for proof in inputs {
            assert!(proof.dleq.is_none(), "a proof of a signature reached the mint");
            let Some(issuing) = self.issuing(&proof.id) else {
                return refuse(ErrorCode::KeysetUnknown);
            };
            let hashed = proof.hashed().unwrap();
            let note = Note { amount: proof.amount, hashed, signature: proof.signature };
            if !issuing.keys.verify(&[note], &[3]).is_ok_and(|bad| bad.is_empty()) {
                return refuse(ErrorCode::ProofInvalid);
            }
        }
        check_spend(inputs, transaction, self.now)
            .map_err(|error| ErrorBody::new(error.code(), error.to_string()))
    }

    fn exchange(
        &mut self,
        what: &'static str,
        account: Option<u64>,
        inputs: &[Proof],
        outputs: &[BlindedMessage],
        left: i128,
    ) -> Answer<Signatures> {
        let number = |id: &KeysetId| self.issuing(id).unwrap().number;
        let spent: Vec<Input> = inputs
            .iter()
            .map(|proof| Input {
                keyset: number(&proof.id),
                amount: proof.amount,
                point: LogPoint(proof.hashed().unwrap().to_bytes()),
            })
            .collect();
        let wanted: Vec<Output> = outputs
            .iter()
            .map(|output| Output {
                keyset: number(&output.id),
                amount: output.amount,
                blinded: LogPoint(output.blinded.to_bytes()),
            })
            .collect();
        let now = Timestamp::from_seconds(self.now);
        let checked = self.rules.check(&spent, &wanted, now).map_err(|error| {
            let code = match error {
                NoteError::Spent { .. } => ErrorCode::ProofsSpent,
                NoteError::Promised { .. } => ErrorCode::OutputsSigned,
                NoteError::KeysetInactive(_) => ErrorCode::KeysetInactive,
                NoteError::KeysetUnknown(_) => ErrorCode::KeysetExpired,
                _ => ErrorCode::ProofInvalid,
            };
            ErrorBody::new(code, error.to_string())
        })?;
        if checked.left() != left {
            return refuse(ErrorCode::NotBalanced);
        }
        // `checked` borrows the rules no longer: it is good for this state, which nothing has changed.
        self.rules.commit(checked);
        for proof in inputs {
            if let Some(witness) = &proof.witness {
                self.witnesses.insert(proof.hashed().unwrap().to_bytes(), witness.clone());
            }
        }
        self.log.push(Seen {
            at: self.now,
            what,
            account,
            inputs: inputs.iter().map(|proof| (proof.id, proof.amount)).collect(),
            outputs: outputs.iter().map(|output| (output.id, output.amount)).collect(),
            blinded: outputs.iter().map(|output| output.blinded).collect(),
            asked: 0,
        });
        Ok(Signatures { signatures: outputs.iter().map(|output| self.sign(output)).collect() })
    }

    fn sign(&self, output: &BlindedMessage) -> BlindSignature {
        let issuing = self.issuing(&output.id).unwrap();
        let promise = issuing.keys.sign(output.amount, &output.blinded).unwrap();
        BlindSignature {
            amount: output.amount,
            id: output.id,
            signature: promise.signature,
            dleq: Some(promise.dleq),
        }
    }

    fn states(&mut self, asked: &CheckStateRequest) -> CheckStateResponse {
        let count = asked.hashed.len();
        let at = self.now;
        let none = Vec::new;
        self.log.push(Seen {
            at,
            what: "states",
            account: None,
            inputs: none(),
            outputs: none(),
            blinded: Vec::new(),
            asked: count,
        });
        let of = |hashed: &Point| {
            let point = LogPoint(hashed.to_bytes());
            let spent = self.rules.keysets().any(|(_, keyset)| keyset.is_spent(&point));
            NoteStatus {
                hashed: *hashed,
                state: if spent { NoteState::Spent } else { NoteState::Unspent },
                witness: self.witnesses.get(&hashed.to_bytes()).filter(|_| spent).cloned(),
            }
        };
        CheckStateResponse { states: asked.hashed.iter().map(of).collect() }
    }

    fn restore(&self, asked: &RestoreRequest) -> RestoreResponse {
        let mut answer = RestoreResponse { outputs: Vec::new(), signatures: Vec::new() };
        for output in &asked.outputs {
            let Some(issuing) = self.issuing(&output.id) else { continue };
            let keyset = self.rules.keyset(issuing.number).unwrap();
            let Some(amount) = keyset.promised(&LogPoint(output.blinded.to_bytes())) else {
                continue;
            };
            let output = BlindedMessage { amount, ..*output };
            answer.outputs.push(output);
            answer.signatures.push(self.sign(&output));
        }
        answer
    }
}

fn read<T: DeserializeOwned>(body: &[u8]) -> T {
    serde_json::from_slice(body).unwrap()
}

fn reply<T: Serialize>(answer: &Answer<T>) -> Reply {
    let (status, body) = match answer {
        Ok(content) => (200, serde_json::to_vec(content)),
        Err(refused) => (400, serde_json::to_vec(refused)),
    };
    Reply { status, body: body.unwrap() }
}

/// A person: a purse that is saved as bytes, and its seed.
pub(crate) struct Person {
    pub(crate) purse: Purse,
    pub(crate) seed: Seed,
    pub(crate) account: u64,
}

impl Person {
    pub(crate) fn new(account: u64, mint: &mut TestMint) -> Self {
        let mut bytes = [0; 64];
        bytes[..8].copy_from_slice(&account.to_be_bytes());
        let seed = Seed::from_bytes(bytes);
        let mut person = Self { purse: Purse::default(), seed, account };
        person.learn(mint);
        person
    }

    pub(crate) fn learn(&mut self, mint: &mut TestMint) {
        let published = mint.published();
        let answer = mint.ask(&Purse::ask_keysets());
        let learnt = self.purse.take_keysets(MINT, UNIT, &published, &answer).unwrap();
        assert_eq!(learnt.refused, []);
        for wanted in learnt.wanted {
            let answer = mint.ask(&wanted);
            self.purse.take_keys(MINT, &published, &answer).unwrap();
        }
    }

    /// Goes on until the operation is over or waits for somebody; quotes are paid from the account.
    pub(crate) fn run(&mut self, id: OperationId, mint: &mut TestMint) -> Progress {
        for _ in 0..200 {
            let request = self.purse.request(&self.seed, id).unwrap();
            let answer = mint.ask(&request);
            let now = mint.now;
            match self.purse.handle(&self.seed, id, &answer, now).unwrap() {
                Progress::Next => {}
                Progress::Waiting(Waiting::Funding { quote, refused: None, .. }) => {
                    mint.fund(&quote, self.account);
                }
                Progress::Waiting(Waiting::Funding { .. }) => {}
                other => return other,
            }
        }
        panic!("no end");
    }

    pub(crate) fn withdraw(&mut self, amount: u64, mint: &mut TestMint) {
        let id = self.purse.withdraw(MINT, amount, 50, 0, mint.now).unwrap();
        let done = self.run(id, mint);
        assert_eq!(done, Progress::Done(Outcome::Withdrawn(amount)));
    }

    pub(crate) fn ready(&self, now: u64) -> u64 {
        self.purse.holdings(now).iter().map(|holding| holding.ready).sum()
    }

    /// As it would be found on the disk.
    pub(crate) fn reopened(&mut self) {
        let bytes = serde_json::to_vec(&self.purse).unwrap();
        self.purse = serde_json::from_slice(&bytes).unwrap();
    }
}
