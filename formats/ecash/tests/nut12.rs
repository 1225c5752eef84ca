//! The vectors of NUT-12, and that a proof with anything changed does not convince.
#![allow(clippy::unwrap_used, missing_docs, reason = "test code: to fail loudly")]

use proptest::prelude::*;
use serde_json::json;
use yufu_ecash::message::{BlindSignature, OfflineError, Proof};
use yufu_ecash::{DleqError, MintKey, Point, ProofDleq, SecretScalar, blind, unblind};

const MESSAGE: &str = "02a9acc1e48c25eeeb9289b5031cc57da9fe72f3fe2861d264bdc074209b107ba2";
const G: &str = "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798";

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

#[test]
fn nut12_the_nonce_is_deterministic_and_gives_e_and_s_of_the_vector() {
    let mut secret = [0; 32];
    secret[31] = 2;
    let key = MintKey::from_bytes(&secret).unwrap();
    assert_eq!(
        key.public().to_hex(),
        "02c6047f9441ed7d6d3045406e95c07cd85c778e4b8cef3ca7abac09b95c709ee5"
    );
    let message = Point::from_hex(MESSAGE).unwrap();
    let promise = key.sign(&message).unwrap();
    assert_eq!(
        promise.signature.to_hex(),
        "0244eccfc7a348274458bb38044c7f3c389b3c2086c7ec18b5812d2877ab937787"
    );
    assert_eq!(
        hex(&promise.dleq.e),
        "2a16ffee280aff3c429045607f9b8e0bf8b35910c44c1b20b9dfaf01b263d7b3"
    );
    assert_eq!(
        hex(&promise.dleq.s),
        "9df27731238334718d120d4f74611a7c668233f988e687ac3fb188f0a34a2dab"
    );
    promise.dleq.verify(&key.public(), &message, &promise.signature).unwrap();
    assert_eq!(key.sign(&message).unwrap(), promise);
}

#[test]
fn nut12_the_blind_signature_of_the_vector_verifies() {
    let signature: BlindSignature = serde_json::from_value(json!({
        "amount": 8,
        "id": "00882760bfa2eb41",
        "C_": MESSAGE,
        "dleq": {
            "e": "9818e061ee51d5c8edc3342369a554998ff7b4381c8652d724cdf46429be73d9",
            "s": "9818e061ee51d5c8edc3342369a554998ff7b4381c8652d724cdf46429be73da"
        }
    }))
    .unwrap();
    let key = Point::from_hex(G).unwrap();
    let message = Point::from_hex(MESSAGE).unwrap();
    signature.dleq.unwrap().verify(&key, &message, &signature.signature).unwrap();
}

#[test]
fn nut12_the_proof_of_the_vector_verifies_offline() {
    let proof: Proof = serde_json::from_value(json!({
        "amount": 1,
        "id": "00882760bfa2eb41",
        "secret": "daf4dd00a2b68a0858a80450f52c8a7d2ccf87d375e43e216e0c571f089f63e9",
        "C": "024369d2d22a80ecf78f3937da9d5f30c1b9f74f0c32684d583cca0fa6a61cdcfc",
        "dleq": {
            "e": "b31e58ac6527f34975ffab13e70a48b6d2b0d35abc4b03f0151f09ee1a9763d4",
            "s": "8fbae004c59e754d71df67e392b6ae4e29293113ddc2ec86592a0431d16306d8",
            "r": "a6d13fcd7a18442e6076f5e1e7c887ad5de40a019824bdfa9fe740d302e8d861"
        }
    }))
    .unwrap();
    let key = Point::from_hex(G).unwrap();
    proof.verify_offline(&key).unwrap();
    assert_eq!(proof.stripped().verify_offline(&key), Err(OfflineError::NoProof));
}

/// A mint's key, a factor and a note withdrawn with them.
fn note(mint: &[u8; 32], factor: &[u8; 32], secret: &str) -> (MintKey, Proof) {
    let key = MintKey::from_bytes(mint).unwrap();
    let r = SecretScalar::from_bytes(factor).unwrap();
    let promise = key.sign(&blind(secret.as_bytes(), &r).unwrap()).unwrap();
    let proof = Proof {
        amount: 1,
        id: "00882760bfa2eb41".parse().unwrap(),
        secret: secret.to_owned(),
        signature: unblind(&promise.signature, &r, &key.public()).unwrap(),
        witness: None,
        dleq: Some(ProofDleq { proof: promise.dleq, r }),
    };
    (key, proof)
}

#[test]
fn nut12_numbers_that_are_zero_or_not_below_the_order_are_malformed() {
    let (key, proof) = note(&[3; 32], &[5; 32], "x");
    for (e, s) in
        [([0; 32], [1; 32]), ([1; 32], [0; 32]), ([255; 32], [1; 32]), ([1; 32], [255; 32])]
    {
        let mut bad = proof.clone();
        if let Some(dleq) = &mut bad.dleq {
            dleq.proof.e = e;
            dleq.proof.s = s;
        }
        assert_eq!(
            bad.verify_offline(&key.public()),
            Err(OfflineError::Proof(DleqError::Malformed))
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn nut12_a_note_verifies_at_its_mint_and_offline_and_its_bytes_come_again(
        mint in 1_u8..255, factor in 1_u8..255, secret in "[0-9a-f]{64}",
    ) {
        let (key, proof) = note(&[mint; 32], &[factor; 32], &secret);
        prop_assert!(key.verifies(&proof.hashed().unwrap(), &proof.signature));
        prop_assert!(proof.verify_offline(&key.public()).is_ok());
        prop_assert_eq!(note(&[mint; 32], &[factor; 32], &secret).1, proof);
    }

    #[test]
    fn nut12_any_changed_bit_of_a_proof_fails(
        mint in 1_u8..255, factor in 1_u8..255, place in 0_usize..4, bit in 0_usize..256,
    ) {
        let (key, mut proof) = note(&[mint; 32], &[factor; 32], "the secret");
        let dleq = proof.dleq.as_mut().unwrap();
        let flip = |bytes: &mut [u8]| bytes[bit / 8] ^= 1 << (bit % 8);
        match place {
            0 => flip(&mut dleq.proof.e),
            1 => flip(&mut dleq.proof.s),
            2 => {
                let mut r = *dleq.r.to_bytes();
                flip(&mut r);
                let Ok(r) = SecretScalar::from_bytes(&r) else { return Ok(()) };
                dleq.r = r;
            }
            _ => {
                let mut c = proof.signature.to_bytes();
                flip(&mut c[1..]);
                let Ok(c) = Point::from_bytes(&c) else { return Ok(()) };
                proof.signature = c;
            }
        }
        prop_assert!(proof.verify_offline(&key.public()).is_err());
    }
}
