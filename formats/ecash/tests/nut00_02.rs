//! The vectors of NUT-00 (hash, blind, sign), NUT-01 and NUT-02.
#![allow(
    clippy::unwrap_used,
    clippy::string_slice,
    clippy::arithmetic_side_effects,
    missing_docs,
    reason = "test code: to fail loudly"
)]

use serde_json::Value;
use yufu_ecash::{Keyset, KeysetId, MintKey, Point, SecretScalar, blind, hash_to_curve, unblind};

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|i| u8::from_str_radix(&hex[i..i + 2], 16).unwrap()).collect()
}

fn key(hex: &str) -> MintKey {
    MintKey::from_bytes(&bytes(hex).try_into().unwrap()).unwrap()
}

#[test]
fn nut00_hash_to_curve_gives_the_points_of_the_vectors() {
    let cases = [
        ("00", "024cce997d3b518f739663b757deaec95bcd9473c30a14ac2fd04023a739d1a725"),
        ("01", "022e7158e11c9506f1aa4248bf531298daa7febd6194f003edcd9b93ade6253acf"),
        ("02", "026cdbe15362df59cd1dd3c9c11de8aedac2106eca69236ecd9fbe117af897be4f"),
    ];
    for (last, point) in cases {
        let message = bytes(&format!("{}{last}", "00".repeat(31)));
        assert_eq!(hash_to_curve(&message).unwrap().to_hex(), point);
    }
}

#[test]
fn nut00_blinded_messages_are_those_of_the_vectors() {
    let cases = [
        (
            "d341ee4871f1f889041e63cf0d3823c713eea6aff01e80f1719f08f9e5be98f6",
            "99fce58439fc37412ab3468b73db0569322588f62fb3a49182d67e23d877824a",
            "033b1a9737a40cc3fd9b6af4b723632b76a67a36782596304612a6c2bfb5197e6d",
        ),
        (
            "f1aaf16c2239746f369572c0784d9dd3d032d952c2d992175873fb58fae31a60",
            "f78476ea7cc9ade20f9e05e58a804cf19533f03ea805ece5fee88c8e2874ba50",
            "029bdf2d716ee366eddf599ba252786c1033f47e230248a4612a5670ab931f1763",
        ),
    ];
    for (secret, factor, blinded) in cases {
        let factor = SecretScalar::from_hex(factor).unwrap();
        assert_eq!(blind(&bytes(secret), &factor).unwrap().to_hex(), blinded);
    }
}

#[test]
fn nut00_blind_signatures_are_those_of_the_vectors() {
    let message = "02a9acc1e48c25eeeb9289b5031cc57da9fe72f3fe2861d264bdc074209b107ba2";
    let message = Point::from_hex(message).unwrap();
    let one = key(&format!("{}01", "00".repeat(31))).sign(&message).unwrap();
    assert_eq!(one.signature, message);
    let other = key(&"7f".repeat(32)).sign(&message).unwrap();
    assert_eq!(
        other.signature.to_hex(),
        "0398bc70ce8184d27ba89834d19f5199c84443c31131e48d3c1214db24247d005d"
    );
}

#[test]
fn nut00_what_is_blinded_signed_and_unblinded_verifies_and_nothing_else() {
    let mint = key(&"7f".repeat(32));
    let factor = SecretScalar::from_bytes(&[5; 32]).unwrap();
    let promise = mint.sign(&blind(b"a secret", &factor).unwrap()).unwrap();
    let signature = unblind(&promise.signature, &factor, &mint.public()).unwrap();
    let hashed = hash_to_curve(b"a secret").unwrap();
    assert!(mint.verifies(&hashed, &signature));
    assert!(!mint.verifies(&hash_to_curve(b"another").unwrap(), &signature));
    assert!(!mint.verifies(&hashed, &promise.signature));
    assert!(!key(&"7e".repeat(32)).verifies(&hashed, &signature));
}

fn keyset(id: &str, keys: &Value) -> Result<Keyset, serde_json::Error> {
    serde_json::from_value(serde_json::json!({ "id": id, "unit": "sat", "keys": keys }))
}

#[test]
fn nut01_keys_that_are_short_or_uncompressed_are_refused_and_the_others_taken() {
    let vectors: Vec<Value> = serde_json::from_str(include_str!("vectors/nut01.json")).unwrap();
    let taken: Vec<bool> =
        vectors.iter().map(|keys| keyset("00456a94ab4e1c46", keys).is_ok()).collect();
    assert_eq!(taken, [false, false, true, true]);
    let large = keyset("00456a94ab4e1c46", &vectors[3]).unwrap();
    assert!(large.key(1 << 63).is_some());
}

#[test]
fn nut02_keyset_ids_of_both_versions_are_those_of_the_vectors() {
    let vectors: Vec<Keyset> = serde_json::from_str(include_str!("vectors/nut02.json")).unwrap();
    assert_eq!(vectors.len(), 5);
    for keyset in vectors {
        keyset.check().unwrap();
    }
}

#[test]
fn nut02_a_keyset_with_any_property_changed_is_not_the_one_it_says() {
    let vectors: Vec<Keyset> = serde_json::from_str(include_str!("vectors/nut02.json")).unwrap();
    let first = vectors.iter().find(|k| matches!(k.id, KeysetId::V2(_))).unwrap();
    let changed: [fn(&mut Keyset); 4] = [
        |k| k.unit = "usd".to_owned(),
        |k| k.input_fee_ppk = None,
        |k| k.final_expiry = None,
        |k| k.keys.retain(|amount, _| *amount != 1),
    ];
    for change in changed {
        let mut keyset = first.clone();
        change(&mut keyset);
        assert!(keyset.check().is_err());
    }
}
