//! Algorithm confusion in COSE: keys of every type that is registered, and every algorithm, against what reads them here.
//! One key type is taken, with one algorithm for each purpose (RFC 8725, 3.1; RFC 9053, 7).
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "test code: to fail loudly"
)]

mod support;

use support::{issue, issuer};
use yufu_base::Signer as _;
use yufu_fixtures::key;
use yufu_jose::encode_base64url;
use yufu_mdoc::cbor::{Value, decode};
use yufu_mdoc::cose::{CoseError, MAC_KEY, Mac0, Payload, Sign1, key_from_value, key_to_value};
use yufu_mdoc::{DeviceEngagement, EngagementError, IssuedMdoc, IssuerSigned, IssuerSignedError};

/// A COSE_Key of integer labels.
fn cose_key(members: &[(i64, Value)]) -> Value {
    Value::Map(members.iter().map(|(label, v)| (Value::integer(*label), v.clone())).collect())
}

fn ours() -> Vec<(i64, Value)> {
    let Value::Map(members) = key_to_value(&key(1).public_key()) else { unreachable!() };
    members.into_iter().map(|(label, value)| (label.as_integer().unwrap(), value)).collect()
}

/// Our key with one member put, or left out.
fn with(label: i64, value: Option<Value>) -> Value {
    let mut members = ours();
    members.retain(|(found, _)| *found != label);
    members.extend(value.map(|value| (label, value)));
    cose_key(&members)
}

/// A key of every other type and curve, made of our coordinates where it has such; and ours, spoilt.
fn others() -> Vec<(&'static str, Value)> {
    let int = Value::integer;
    let x = ours()[2].1.clone();
    let bytes = |length: usize| Value::Bytes(vec![7; length]);
    let okp = |crv| cose_key(&[(1, int(1)), (-1, int(crv)), (-2, x.clone())]);
    vec![
        ("reserved", with(1, Some(int(0)))),
        ("X25519", okp(4)),
        ("X448", okp(5)),
        ("Ed25519", okp(6)),
        ("Ed448", okp(7)),
        ("OKP on P-256", with(1, Some(int(1)))),
        ("P-384", with(-1, Some(int(2)))),
        ("P-521", with(-1, Some(int(3)))),
        ("EC2 on X25519", with(-1, Some(int(4)))),
        ("secp256k1", with(-1, Some(int(8)))),
        ("brainpoolP256r1", with(-1, Some(int(256)))),
        ("RSA", cose_key(&[(1, int(3)), (-1, bytes(256)), (-2, Value::Bytes(vec![1, 0, 1]))])),
        ("symmetric", cose_key(&[(1, int(4)), (-1, x.clone())])),
        ("symmetric with a curve", cose_key(&[(1, int(4)), (-1, int(1)), (-2, x.clone())])),
        ("HSS-LMS", cose_key(&[(1, int(5)), (-1, bytes(60))])),
        ("WalnutDSA", cose_key(&[(1, int(6)), (-1, int(2))])),
        ("AKP", cose_key(&[(1, int(7)), (3, int(-48)), (-1, bytes(1312))])),
        ("a type by name", with(1, Some(Value::text("EC2")))),
        ("a curve by name", with(-1, Some(Value::text("P-256")))),
        ("no type", with(1, None)),
        ("no curve", with(-1, None)),
        ("no x", with(-2, None)),
        ("no y", with(-3, None)),
        ("compressed", with(-3, Some(Value::Bool(true)))),
        ("short", with(-2, Some(bytes(31)))),
        ("long", with(-2, Some(bytes(33)))),
        ("off the curve", with(-2, Some(bytes(32)))),
        (
            "at infinity",
            cose_key(&[
                (1, int(2)),
                (-1, int(1)),
                (-2, Value::Bytes(vec![0; 32])),
                (-3, Value::Bytes(vec![0; 32])),
            ]),
        ),
        ("for ES384", with(3, Some(int(-35)))),
        ("for EdDSA", with(3, Some(int(-8)))),
        ("for HMAC", with(3, Some(int(5)))),
        ("for none", with(3, Some(int(0)))),
        ("for ES256 by name", with(3, Some(Value::text("ES256")))),
        ("no map", x),
    ]
}

fn member<'a>(value: &'a mut Value, key: &Value) -> &'a mut Value {
    let Value::Map(members) = value else { unreachable!("a map was expected") };
    &mut members.iter_mut().find(|(found, _)| found == key).unwrap().1
}

/// A document that our issuer signed and that is bound to a key of that form.
fn bound_to(device_key: Value) -> Result<(), IssuerSignedError> {
    let mut document = decode(&issue().encode()).unwrap();
    let auth = member(&mut document, &Value::text("issuerAuth"));
    let signed = Sign1::from_value(auth.clone()).unwrap();
    let content = decode(signed.unverified_content().unwrap()).unwrap();
    let mut mso = decode(&content.into_embedded().unwrap()).unwrap();
    let info = member(&mut mso, &Value::text("deviceKeyInfo"));
    *member(info, &Value::text("deviceKey")) = device_key;
    let content = Value::embedded(mso.encode()).encode();
    let by = issuer();
    let resigned = Sign1::sign(Payload::Attached(&content), Some(&by.chain), &by.key).unwrap();
    *auth = resigned.to_value();
    let signed = IssuerSigned::decode(&document.encode())?;
    IssuedMdoc::verify(signed, &by.key.public_key()).map(drop)
}

#[test]
fn a_key_of_any_other_type_is_no_holders_key_and_no_sessions_rfc_9053_7() {
    assert_eq!(key_from_value(cose_key(&ours())), Ok(key(1).public_key()));
    assert_eq!(bound_to(cose_key(&ours())), Ok(()));
    for said in [-7, -9, -25] {
        let named = with(3, Some(Value::integer(said)));
        assert_eq!(key_from_value(named), Ok(key(1).public_key()), "{said}");
    }
    let engagement = DeviceEngagement::new(key(1).public_key(), Vec::new());
    for (what, other) in others() {
        assert!(key_from_value(other.clone()).is_err(), "{what}");
        assert!(matches!(bound_to(other.clone()), Err(IssuerSignedError::Shape(_))), "{what}");
        let mut shown = decode(engagement.bytes()).unwrap();
        let Value::Array(security) = member(&mut shown, &Value::integer(1)) else { panic!() };
        security[1] = Value::embedded(other.encode());
        let qr = format!("mdoc:{}", encode_base64url(shown.encode()));
        let read = DeviceEngagement::from_qr(&qr);
        assert!(matches!(read, Err(EngagementError::Shape(_))), "{what}");
    }
}

/// Those registered for signatures, codes and encryption (RFC 9053, 8152, 8812, 9864 and drafts that have numbers).
const ALGORITHMS: [i64; 33] = [
    -8, -9, -19, -25, -26, -27, -28, -29, -35, -36, -37, -38, -39, -46, -47, -48, -49, -50, -51,
    -52, -53, -257, -258, -259, -65_535, 0, 1, 3, 4, 6, 7, 14, 15,
];

fn protected(alg: Value) -> Value {
    Value::Bytes(Value::Map(vec![(Value::integer(1), alg)]).encode())
}

#[test]
fn no_algorithm_but_one_for_each_purpose_is_taken_rfc_9053_2_3() {
    let (signer, secret) = (key(1), [9_u8; MAC_KEY]);
    let signed = Sign1::sign(Payload::Attached(b"content"), None, &signer).unwrap().to_value();
    let coded = Mac0::make(Payload::Detached(b"content"), &secret).to_value();
    let relabelled = |message: &Value, headers: Value| {
        let Value::Array(mut parts) = message.clone() else { unreachable!() };
        parts[0] = headers;
        Value::Array(parts)
    };
    // Each as the other: what is signed as a code of the public key, and the code as a signature.
    for alg in ALGORITHMS.into_iter().chain([5]) {
        let refused = Sign1::from_value(relabelled(&signed, protected(Value::integer(alg))));
        let wanted = CoseError::Algorithm { found: Some(alg), expected: -7 };
        assert_eq!(refused, Err(wanted), "{alg}");
    }
    for alg in ALGORITHMS.into_iter().chain([-7]) {
        let refused = Mac0::from_value(relabelled(&coded, protected(Value::integer(alg))));
        let wanted = CoseError::Algorithm { found: Some(alg), expected: 5 };
        assert_eq!(refused, Err(wanted), "{alg}");
    }
    for headers in [protected(Value::text("ES256")), protected(Value::Null), Value::Bytes(vec![])] {
        let refused = Sign1::from_value(relabelled(&signed, headers));
        assert_eq!(refused, Err(CoseError::Algorithm { found: None, expected: -7 }));
    }
    // A code under what is public is no signature, whatever it calls itself.
    let public = *key(1).public_key().as_bytes();
    let known: [u8; MAC_KEY] = public[1..=MAC_KEY].try_into().unwrap();
    let Value::Array(code) = Mac0::make(Payload::Attached(b"content"), &known).to_value() else {
        unreachable!()
    };
    let Some(Value::Bytes(tag)) = code.last() else { unreachable!() };
    let mut forged = relabelled(&signed, protected(Value::integer(-7)));
    let Value::Array(parts) = &mut forged else { unreachable!() };
    parts[3] = Value::Bytes([tag.as_slice(), tag.as_slice()].concat());
    let verified = Sign1::from_value(forged).unwrap().verify(&signer.public_key()).map(drop);
    assert_eq!(verified, Err(CoseError::Invalid));
}
