//! Algorithm confusion: every algorithm that is registered for JOSE, by every type of key, against what reads signed
//! and encrypted messages here. One pair of each is accepted; whatever else a message says of itself, its signature is
//! checked as ES256 with the key that is known, or not at all (RFC 8725, 2.1 and 3.1).
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    missing_docs,
    reason = "test code: to fail loudly"
)]

use aws_lc_rs::hmac;
use serde_json::{Value, json};
use yufu_base::Signer as _;
use yufu_jose::jwe::{self, ContentEncryption, DecryptError, DecryptionKey, Entropy};
use yufu_jose::{
    Header, Jwk, JwsError, SoftwareKey, Unverified, decode_base64url, encode_base64url, sign,
};

/// Those registered for signatures (RFC 7518, 8037, 8812, 9864 and none), and spellings of the one that is taken.
const SIGNATURES: [&str; 25] = [
    "none",
    "None",
    "NONE",
    "",
    "HS256",
    "HS384",
    "HS512",
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "PS384",
    "PS512",
    "ES384",
    "ES512",
    "ES256K",
    "EdDSA",
    "Ed25519",
    "Ed448",
    "ESP256",
    "ML-DSA-44",
    "es256",
    "ES256 ",
    " ES256",
    "ES256\u{0}",
];

/// Those registered for key management.
const AGREEMENTS: [&str; 17] = [
    "dir",
    "RSA1_5",
    "RSA-OAEP",
    "RSA-OAEP-256",
    "A128KW",
    "A192KW",
    "A256KW",
    "ECDH-ES+A128KW",
    "ECDH-ES+A192KW",
    "ECDH-ES+A256KW",
    "A128GCMKW",
    "A256GCMKW",
    "PBES2-HS256+A128KW",
    "none",
    "",
    "ecdh-es",
    "ECDH-ES ",
];

/// Those registered for content.
const CONTENTS: [&str; 8] =
    ["A128CBC-HS256", "A192CBC-HS384", "A256CBC-HS512", "A192GCM", "none", "", "a256gcm", "XC20P"];

fn key() -> SoftwareKey {
    SoftwareKey::from_seed(&[1; 32]).unwrap()
}

/// A key of each type, as a message may carry it; ours is the one that is known.
fn keys() -> Vec<Value> {
    let ours = serde_json::to_value(Jwk::from(key().public_key())).unwrap();
    vec![
        ours.clone(),
        json!({"kty": "oct", "k": ours["x"]}),
        json!({"kty": "RSA", "n": "AQAB", "e": "AQAB"}),
        json!({"kty": "OKP", "crv": "Ed25519", "x": ours["x"]}),
        json!({"kty": "OKP", "crv": "X25519", "x": ours["x"]}),
        json!({"kty": "EC", "crv": "P-384", "x": ours["x"], "y": ours["y"]}),
        json!({"kty": "EC", "crv": "secp256k1", "x": ours["x"], "y": ours["y"]}),
        json!({"kty": "AKP", "alg": "ML-DSA-44", "pub": ours["x"]}),
    ]
}

fn signed(header: &Value, signature: impl FnOnce(&str) -> Vec<u8>) -> String {
    let input =
        format!("{}.{}", encode_base64url(header.to_string()), encode_base64url(r#"{"sub":"a"}"#));
    let signature = signature(&input);
    format!("{input}.{}", encode_base64url(signature))
}

fn verified(text: &str) -> Result<(), JwsError> {
    Unverified::parse(text).and_then(|token| token.verify(&key().public_key())).map(|_| ())
}

/// What an attacker can make without the private key: a MAC under what is public, and every form of it.
fn forgeries() -> Vec<Vec<u8>> {
    let public = serde_json::to_string(&Jwk::from(key().public_key())).unwrap();
    let jwk: Value = serde_json::from_str(&public).unwrap();
    let x = decode_base64url(jwk["x"].as_str().unwrap()).unwrap();
    vec![public.into_bytes(), x, vec![0; 32], Vec::new()]
}

#[test]
fn no_algorithm_but_one_is_taken_with_a_key_of_whatever_type_rfc_8725_3_1() {
    for alg in SIGNATURES {
        for jwk in keys() {
            let header = json!({"alg": alg, "jwk": jwk, "typ": "test+jwt"});
            for secret in forgeries() {
                let mac = |input: &str| {
                    let secret = hmac::Key::new(hmac::HMAC_SHA256, &secret);
                    let tag = hmac::sign(&secret, input.as_bytes());
                    [tag.as_ref(), tag.as_ref()].concat()
                };
                assert_eq!(verified(&signed(&header, mac)), Err(JwsError::Algorithm(alg.into())));
            }
            // Even with a true ES256 signature under the name of another algorithm.
            let true_one = |input: &str| key().sign(input.as_bytes()).unwrap().0.to_vec();
            assert_eq!(verified(&signed(&header, true_one)), Err(JwsError::Algorithm(alg.into())));
        }
    }
}

#[test]
fn a_key_of_another_type_in_a_message_is_refused_and_ours_is_not_believed_rfc_8725_3_1() {
    let stranger = SoftwareKey::from_seed(&[2; 32]).unwrap();
    for (place, jwk) in keys().into_iter().enumerate() {
        let header = json!({"alg": "ES256", "jwk": jwk});
        let text = signed(&header, |input| stranger.sign(input.as_bytes()).unwrap().0.to_vec());
        match verified(&text) {
            Err(JwsError::Signature) => assert_eq!(place, 0, "only ours can be read"),
            Err(JwsError::Header(_)) => assert_ne!(place, 0),
            other => panic!("{jwk}: {other:?}"),
        }
    }
    // A key that the message brings along verifies nothing: only the known one does.
    let header = Header::default().with_jwk(stranger.public_key().into());
    let text = sign(&header, b"{}", &stranger).unwrap();
    assert_eq!(verified(&text), Err(JwsError::Signature));
}

#[test]
fn a_signature_of_another_form_or_of_nothing_is_refused() {
    let header = json!({"alg": "ES256"});
    let true_one = |input: &str| key().sign(input.as_bytes()).unwrap().0.to_vec();
    verified(&signed(&header, true_one)).unwrap();
    for length in [0, 32, 63, 65, 70, 71, 72, 96, 128] {
        let of_length = |_: &str| vec![1; length];
        assert_eq!(verified(&signed(&header, of_length)), Err(JwsError::SignatureLength(length)));
    }
    let order = [
        0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc,
        0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
    ];
    let (zero, one) = ([0; 32], [1; 32]);
    for (r, s) in
        [(zero, zero), (zero, one), (one, zero), (order, one), (one, order), (order, order)]
    {
        let degenerate = |_: &str| [r, s].concat();
        assert_eq!(verified(&signed(&header, degenerate)), Err(JwsError::Signature));
    }
}

#[test]
fn no_agreement_but_one_and_no_content_encryption_but_two_are_taken() {
    let ours = DecryptionKey::from_seed(&[1; 32]).unwrap();
    let entropy = Entropy { ephemeral: [3; 32], iv: [4; 12] };
    let parameters = ContentEncryption::A256Gcm.into();
    let good = jwe::encrypt(&ours.public_jwk("k"), &parameters, b"{}", &entropy).unwrap();
    jwe::decrypt(&good, &ours).unwrap();
    let (header, rest) = good.split_once('.').unwrap();
    let header: Value = serde_json::from_slice(&decode_base64url(header).unwrap()).unwrap();
    let with = |name: &str, value: Value| {
        let mut header = header.clone();
        header[name] = value;
        jwe::decrypt(&format!("{}.{rest}", encode_base64url(header.to_string())), &ours)
    };
    for alg in AGREEMENTS {
        assert_eq!(with("alg", alg.into()).unwrap_err(), DecryptError::Algorithm(alg.into()));
    }
    for enc in CONTENTS {
        assert_eq!(
            with("enc", enc.into()).unwrap_err(),
            DecryptError::ContentEncryption(enc.into())
        );
    }
    // The other one that is known does not fit: it is part of what is authenticated.
    assert_eq!(with("enc", "A128GCM".into()).unwrap_err(), DecryptError::Authentication);
    for epk in keys().into_iter().skip(1) {
        let refused = with("epk", epk.clone()).unwrap_err();
        assert!(matches!(refused, DecryptError::EphemeralKey(_)), "{epk}: {refused}");
    }
    for extension in ["zip", "crit"] {
        assert!(with(extension, json!("DEF")).is_err(), "{extension}");
    }
}
