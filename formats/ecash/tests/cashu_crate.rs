//! The crate `cashu` as a foreign peer: what we make it reads and verifies, what it makes we do.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    missing_docs,
    reason = "test code: to fail loudly"
)]

use cashu::secret::Secret;
use cashu::{dhke, nuts};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use yufu_ecash::message::{
    BlindedMessage, MintQuote, MintRequest, Proof, SwapRequest, sign_quote, sign_quote_plain,
};
use yufu_ecash::spend::{Lock, Pathway, SigFlag, Transaction, check_spend, unlock};
use yufu_ecash::{
    KeysetPlan, KeysetSigner, MintKey, MintKeys, PaymentRequest, Point, ProofDleq, RequestedLock,
    SecretScalar, Seed, Token, Transport, blind, hash_to_curve, unblind,
};

const NOW: u64 = 1_800_000_000;

fn across<T: DeserializeOwned>(value: &impl Serialize) -> T {
    serde_json::from_value(serde_json::to_value(value).unwrap()).unwrap()
}

fn mint() -> MintKeys {
    let plan = KeysetPlan {
        unit: "sat".to_owned(),
        generation: 1,
        denominations: 8,
        input_fee_ppk: 100,
        final_expiry: Some(2_000_000_000),
    };
    MintKeys::derive(&[1; 32], &plan).unwrap()
}

/// A note of 4 withdrawn from `mint`, with its proof.
fn note(mint: &MintKeys, secret: &str) -> Proof {
    let r = SecretScalar::from_bytes(&[5; 32]).unwrap();
    let promise = mint.sign(4, &blind(secret.as_bytes(), &r).unwrap()).unwrap();
    Proof {
        amount: 4,
        id: mint.keyset().id,
        secret: secret.to_owned(),
        signature: unblind(&promise.signature, &r, &mint.keyset().keys[&4]).unwrap(),
        witness: None,
        dleq: Some(ProofDleq { proof: promise.dleq, r }),
    }
}

#[test]
fn both_hash_blind_sign_and_prove_to_the_same_bytes() {
    for n in 0..64_u8 {
        let secret = [n.wrapping_add(1); 32];
        let (ours, theirs) =
            (MintKey::from_bytes(&secret).unwrap(), cashu::SecretKey::from_slice(&secret).unwrap());
        assert_eq!(ours.public().to_hex(), theirs.public_key().to_hex());
        assert_eq!(
            hash_to_curve(&[n]).unwrap().to_hex(),
            dhke::hash_to_curve(&[n]).unwrap().to_hex()
        );
        let r = SecretScalar::from_bytes(&[n.wrapping_add(9); 32]).unwrap();
        let their_r = cashu::SecretKey::from_slice(&[n.wrapping_add(9); 32]).unwrap();
        let message = blind(&[n], &r).unwrap();
        let (their_message, _) = dhke::blind_message(&[n], Some(their_r.clone())).unwrap();
        assert_eq!(message.to_hex(), their_message.to_hex());
        let promise = ours.sign(&message).unwrap();
        let signature = dhke::sign_message(&theirs, &their_message).unwrap();
        assert_eq!(promise.signature.to_hex(), signature.to_hex());
        let id: cashu::Id = "009a1f293253e41e".parse().unwrap();
        let theirs_signed = cashu::BlindSignature::new(
            cashu::Amount::from(4),
            signature,
            id,
            &their_message,
            &theirs,
        )
        .unwrap();
        let dleq = serde_json::to_value(promise.dleq).unwrap();
        assert_eq!(
            serde_json::to_value(&theirs_signed.dleq).unwrap(),
            dleq,
            "the nonce is the same"
        );
        let unblinded = dhke::unblind_message(&signature, &their_r, &theirs.public_key()).unwrap();
        assert_eq!(
            unblind(&promise.signature, &r, &ours.public()).unwrap().to_hex(),
            unblinded.to_hex()
        );
        assert!(dhke::verify_message(&theirs, unblinded, &[n]).is_ok());
        assert!(ours.verifies(&hash_to_curve(&[n]).unwrap(), &unblinded.to_hex().parse().unwrap()));
    }
}

#[test]
fn keysets_and_offline_proofs_of_ours_are_verified_by_it() {
    let mint = mint();
    let keyset: cashu::KeySet = across(mint.keyset());
    keyset.verify_id().unwrap();
    let note = note(&mint, "a secret");
    let theirs: cashu::Proof = across(&note);
    let key = cashu::PublicKey::from_hex(mint.keyset().keys[&4].to_hex()).unwrap();
    theirs.verify_dleq(key).unwrap();
    let other = cashu::PublicKey::from_hex(mint.keyset().keys[&8].to_hex()).unwrap();
    assert!(theirs.verify_dleq(other).is_err());
    assert_eq!(across::<Proof>(&theirs), note);
}

#[test]
fn tokens_go_both_ways_in_both_versions() {
    let mint = mint();
    let notes = vec![note(&mint, "one"), note(&mint, "two")];
    let ours = Token::new("https://mint.example", "sat", Some("memo".to_owned()), notes.clone());
    let read: nuts::Token = ours.to_text().unwrap().parse().unwrap();
    assert_eq!(read.value().unwrap(), cashu::Amount::from(8));
    let info: cashu::KeySetInfo = across(&mint.keyset().info());
    let proofs = read.proofs(&[info]).unwrap();
    assert_eq!(across::<Vec<Proof>>(&proofs), notes);
    let raw = nuts::Token::try_from(&ours.to_bytes().unwrap()).unwrap();
    assert_eq!(raw.memo(), &Some("memo".to_owned()));

    let url: cashu::MintUrl = "https://mint.example".parse().unwrap();
    let theirs = nuts::Token::new(url, across(&notes), None, nuts::CurrencyUnit::Sat);
    for text in [theirs.to_string(), theirs.to_v3_string()] {
        let read = Token::parse(&text).unwrap();
        assert_eq!(read.mint, "https://mint.example");
        assert_eq!(read.unit.as_deref(), Some("sat"));
        assert_eq!(read.proofs(&[mint.keyset().id]).unwrap(), notes);
    }
    assert_eq!(Token::from_bytes(&theirs.to_raw_bytes().unwrap()).unwrap().total(), Ok(8));
}

#[test]
fn secrets_of_a_seed_are_the_same_for_both_versions_of_keysets() {
    let bytes = [7; 64];
    let seed = Seed::from_bytes(bytes);
    for id in
        ["009a1f293253e41e", "015ba18a8adcd02e715a58358eb618da4a4b3791151a4bee5e968bb88406ccf76a"]
    {
        let theirs: cashu::Id = id.parse().unwrap();
        for counter in [0, 1, 5, 1000, 100_000] {
            let note = seed.note(&id.parse().unwrap(), counter.into()).unwrap();
            assert_eq!(
                *note.secret,
                Secret::from_seed(&bytes, theirs, counter).unwrap().to_string()
            );
            let r = cashu::SecretKey::from_seed(&bytes, theirs, counter).unwrap();
            assert_eq!(*note.factor.to_bytes(), r.to_secret_bytes());
        }
    }
}

fn key(n: u8) -> (SecretScalar, Point) {
    let secret = SecretScalar::from_bytes(&[n; 32]).unwrap();
    let point = secret.to_point();
    (secret, point)
}

#[test]
fn locks_are_opened_and_checked_by_each_for_the_other() {
    let mint = mint();
    let to = Transaction { outputs: &[], quote: None };
    let mut lock = Lock::to_key(key(1).1, 2_100_000_000, key(2).1);
    lock.receivers = Pathway { keys: vec![key(1).1, key(3).1], needed: 2 };
    let secret = lock.to_conditions(&[9; 16]).unwrap().to_text().unwrap();
    let fresh = note(&mint, &secret);

    let mut ours = [fresh.clone()];
    unlock(&mut ours, to, &[key(1).0, key(3).0], None, &[0; 32]).unwrap();
    across::<cashu::Proof>(&ours[0]).verify_p2pk().unwrap();
    let mut half = [fresh.clone()];
    unlock(&mut half, to, &[key(1).0], None, &[0; 32]).unwrap();
    assert!(across::<cashu::Proof>(&half[0]).verify_p2pk().is_err());

    let mut theirs: cashu::Proof = across(&fresh);
    for n in [1, 3] {
        theirs.sign_p2pk(cashu::SecretKey::from_slice(&[n; 32]).unwrap()).unwrap();
    }
    assert_eq!(check_spend(&[across(&theirs)], to, NOW), Ok(()));

    let preimage = [4; 32];
    lock.hash = Some(yufu_jose::sha256(&preimage));
    let secret = lock.to_conditions(&[9; 16]).unwrap().to_text().unwrap();
    let mut hashed = [note(&mint, &secret)];
    unlock(&mut hashed, to, &[key(1).0, key(3).0], Some(&preimage), &[0; 32]).unwrap();
    across::<cashu::Proof>(&hashed[0]).verify_htlc().unwrap();
}

fn output(n: u8) -> BlindedMessage {
    BlindedMessage { amount: 4, id: mint().keyset().id, blinded: key(n).1 }
}

#[test]
fn a_signature_over_everything_goes_both_ways() {
    let mint = mint();
    let mut lock = Lock::to_key(key(1).1, 2_100_000_000, key(2).1);
    lock.sig_flag = SigFlag::All;
    let secret = |n| lock.to_conditions(&[n; 16]).unwrap().to_text().unwrap();
    let outputs = vec![output(8), output(9)];
    let fresh = vec![note(&mint, &secret(1)), note(&mint, &secret(2))];
    let to = Transaction { outputs: &outputs, quote: None };

    let mut theirs: nuts::SwapRequest =
        across(&SwapRequest { inputs: fresh.clone(), outputs: outputs.clone() });
    theirs.sign_sig_all(cashu::SecretKey::from_slice(&[1; 32]).unwrap()).unwrap();
    let read: SwapRequest = across(&theirs);
    assert_eq!(check_spend(&read.inputs, to, NOW), Ok(()));

    let mut ours = fresh;
    unlock(&mut ours, to, &[key(1).0], None, &[0; 32]).unwrap();
    use cashu::nuts::nut10::SpendingConditionVerification;
    let read: nuts::SwapRequest = across(&SwapRequest { inputs: ours, outputs: outputs.clone() });
    read.verify_spending_conditions().unwrap();
}

#[test]
fn signed_quotes_go_both_ways_in_both_forms() {
    let outputs = vec![output(8), BlindedMessage { amount: 256, ..output(9) }];
    let mut request =
        MintRequest { quote: "a-quote".to_owned(), outputs: outputs.clone(), signature: None };
    let mut theirs: nuts::MintRequest<String> = across(&request);
    let secret = cashu::SecretKey::from_slice(&[1; 32]).unwrap();
    theirs.sign(&secret).unwrap();
    assert_eq!(across::<MintRequest>(&theirs).check_signature(Some(&key(1).1)), Ok(()));
    theirs.sign_legacy(secret.clone()).unwrap();
    assert_eq!(across::<MintRequest>(&theirs).check_signature(Some(&key(1).1)), Ok(()));
    for sign in [sign_quote, sign_quote_plain] {
        request.signature = Some(sign(&key(1).0, "a-quote", &outputs, &[0; 32]));
        across::<nuts::MintRequest<String>>(&request)
            .verify_signature(secret.public_key())
            .unwrap();
    }
}

#[test]
fn payment_requests_go_both_ways() {
    let ours = PaymentRequest {
        id: Some("i".to_owned()),
        amount: Some(5),
        unit: Some("sat".to_owned()),
        single_use: Some(true),
        mints: vec!["https://mint.example".to_owned()],
        description: Some("noodles".to_owned()),
        transports: vec![Transport {
            kind: "post".to_owned(),
            target: "https://a.example/pay".to_owned(),
            tags: vec![vec!["n".to_owned(), "17".to_owned()]],
        }],
        lock: Some(RequestedLock {
            kind: "P2PK".to_owned(),
            data: key(1).1.to_hex(),
            tags: vec![vec!["locktime".to_owned(), "5".to_owned()]],
        }),
        offline: false,
    };
    // What it does not know it passes over.
    let offline = PaymentRequest { offline: true, ..ours.clone() };
    let passed: nuts::PaymentRequest = offline.to_text().unwrap().parse().unwrap();
    assert_eq!(PaymentRequest::parse(&passed.to_string()).as_ref(), Ok(&ours));
    let read: nuts::PaymentRequest = ours.to_text().unwrap().parse().unwrap();
    assert_eq!(read.payment_id.as_deref(), Some("i"));
    assert_eq!(read.amount, Some(cashu::Amount::from(5)));
    assert_eq!(PaymentRequest::parse(&read.to_string()), Ok(ours));
}

#[test]
fn quotes_of_the_method_bank_are_read_by_it() {
    let quote: MintQuote = serde_json::from_value(json!({
        "quote": "q", "request": "r", "method": "bank", "amount": 10, "unit": "sat", "state": "PAID",
        "amount_paid": 10, "amount_issued": 0, "updated_at": 5, "expiry": 6
    }))
    .unwrap();
    let read: nuts::MintQuoteCustomResponse<String> = across(&quote);
    assert_eq!(read.amount_paid, cashu::Amount::from(10));
    let back: Value = serde_json::to_value(&read).unwrap();
    assert_eq!(serde_json::from_value::<MintQuote>(back).unwrap(), quote);
}
