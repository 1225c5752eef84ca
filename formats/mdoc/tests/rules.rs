//! Each rule of an mdoc refuses what breaks it, by its own name.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    missing_docs,
    reason = "test code: to fail loudly"
)]

mod support;

use proptest::prelude::*;
use support::{DOC_TYPE, NOW, expected, held, issue, path, shown, transcript};
use yufu_base::Signer as _;
use yufu_fixtures::{key, party};
use yufu_mdoc::cbor::{CborError, ShapeError, Value, decode};
use yufu_mdoc::cose::CoseError;
use yufu_mdoc::{
    DeviceAuthError, DeviceResponse, DeviceSigned, Document, IssuedMdoc, IssuerSigned,
    IssuerSignedError, MdocError, MdocIssueError, MdocTimeError, SessionTranscript, ShowError,
    VerifiedMdoc,
};

/// The answer with `change` made to its CBOR.
fn changed(answer: &[u8], change: impl FnOnce(&mut Value)) -> Vec<u8> {
    let mut value = decode(answer).unwrap();
    change(&mut value);
    value.encode()
}

fn member<'a>(value: &'a mut Value, name: &str) -> &'a mut Value {
    let Value::Map(members) = value else { unreachable!("a map was expected") };
    &mut members.iter_mut().find(|(key, _)| *key == Value::text(name)).unwrap().1
}

fn item(value: &mut Value, index: usize) -> &mut Value {
    let Value::Array(items) = value else { unreachable!("a list was expected") };
    &mut items[index]
}

fn items(answer: &mut Value) -> &mut Vec<Value> {
    let document = item(member(answer, "documents"), 0);
    let namespaces = member(member(document, "issuerSigned"), "nameSpaces");
    let Value::Array(items) = member(namespaces, DOC_TYPE) else { unreachable!() };
    items
}

fn seen(answer: &[u8]) -> Result<VerifiedMdoc, MdocError> {
    let transcript = transcript();
    let document = DeviceResponse::decode(answer)?.into_document()?;
    document.verify(&support::issuer().key.public_key(), &expected(&transcript))
}

fn verify(answer: &[u8]) -> Result<(), MdocError> {
    seen(answer).map(|_| ())
}

#[test]
fn what_is_shown_is_what_was_chosen_and_nothing_else() {
    let transcript = transcript();
    let document = shown(&["given_name"], &transcript);
    let answer = DeviceResponse::of(vec![document]).encode();
    assert_eq!(verify(&answer), Ok(()));
    for hidden in ["王", "1991-05-04", "family_name", "age_over_18"] {
        let bytes = hidden.as_bytes();
        assert!(!answer.windows(bytes.len()).any(|w| w == bytes), "{hidden}");
    }
}

#[test]
fn bytes_that_are_not_canonical_cbor_are_refused_wherever_they_stand() {
    let answer = DeviceResponse::of(vec![shown(&["given_name"], &transcript())]).encode();
    let shape = |error| MdocError::Shape(ShapeError::Cbor { of: "device response", error });
    let trailing = [answer.clone(), vec![0xf6]].concat();
    assert_eq!(verify(&trailing), Err(shape(CborError::Trailing(1))));
    let cut = &answer[..answer.len() - 1];
    assert_eq!(verify(cut), Err(shape(CborError::Truncated)));
    let deep = [vec![0x81; 64], vec![0xf6]].concat();
    assert_eq!(verify(&deep), Err(shape(CborError::TooDeep)));
    // The map of three members as one of indefinite length, and with a length that is too long.
    let indefinite = [vec![0xbf], answer[1..].to_vec(), vec![0xff]].concat();
    assert_eq!(verify(&indefinite), Err(shape(CborError::Indefinite(0))));
    let long = [vec![0xb8, 3], answer[1..].to_vec()].concat();
    assert_eq!(verify(&long), Err(shape(CborError::NotShortest(0))));
    let twice = changed(&answer, |value| {
        let Value::Map(members) = value else { unreachable!() };
        members.push((Value::text("status"), Value::Unsigned(0)));
    });
    assert!(matches!(
        verify(&twice),
        Err(MdocError::Shape(ShapeError::Cbor { error: CborError::DuplicateKey(_), .. }))
    ));
    // Within an element, which is a byte string on the outside.
    let inside = changed(&answer, |value| {
        let embedded = items(value)[0].clone().into_embedded().unwrap();
        items(value)[0] = Value::embedded([embedded, vec![0]].concat());
    });
    let expected = ShapeError::Cbor { of: "issuer-signed item", error: CborError::Trailing(1) };
    assert_eq!(verify(&inside), Err(MdocError::Issuer(IssuerSignedError::Shape(expected))));
}

#[test]
fn an_element_that_the_issuer_did_not_sign_is_refused_9_3_1() {
    let answer = DeviceResponse::of(vec![shown(&["given_name", "sex"], &transcript())]).encode();
    let digest = Err(MdocError::Issuer(IssuerSignedError::Digest(DOC_TYPE.to_owned())));
    // Another value, another number, another salt, one of the two items twice under its number.
    let changes: [(&str, Value); 3] = [
        ("elementValue", Value::text("英")),
        ("digestID", Value::Unsigned(900)),
        ("random", Value::Bytes(vec![9; 32])),
    ];
    for (name, new) in changes {
        let altered = changed(&answer, |value| {
            let embedded = items(value)[0].clone().into_embedded().unwrap();
            let item = changed(&embedded, |item| *member(item, name) = new);
            items(value)[0] = Value::embedded(item);
        });
        assert_eq!(verify(&altered), digest, "{name}");
    }
    // The digest of one under the number of another.
    let swapped = changed(&answer, |value| {
        let all: Vec<Vec<u8>> =
            items(value).iter().map(|item| item.clone().into_embedded().unwrap()).collect();
        let number = |item: &[u8]| member(&mut decode(item).unwrap(), "digestID").clone();
        let (first, second) = (number(&all[0]), number(&all[1]));
        for (place, new) in [(0, second), (1, first)] {
            let item = changed(&all[place], |item| *member(item, "digestID") = new);
            items(value)[place] = Value::embedded(item);
        }
    });
    assert_eq!(verify(&swapped), digest);
    let doubled = changed(&answer, |value| {
        let again = items(value)[0].clone();
        items(value).push(again);
    });
    let repeated = IssuerSignedError::Repeated(DOC_TYPE.to_owned());
    assert_eq!(verify(&doubled), Err(MdocError::Issuer(repeated)));
    // The same elements of another copy of the same person: other salts.
    let others = || {
        let elements = vec![
            ("given_name".to_owned(), Value::text("芳")),
            ("sex".to_owned(), Value::Unsigned(2)),
        ];
        let (by, mut salt) = (support::issuer(), 0);
        let mut salts = || {
            salt += 1;
            [salt; 32]
        };
        let copy = support::issuance(elements).sign(&by.key, &by.chain, &mut salts).unwrap();
        let mut copy = decode(&copy.encode()).unwrap();
        let Value::Array(items) = member(member(&mut copy, "nameSpaces"), DOC_TYPE).clone() else {
            unreachable!()
        };
        items
    };
    let of_another = changed(&answer, |value| *items(value) = others());
    assert_eq!(verify(&of_another), digest);
    // In which order they stand says nothing, and changes nothing.
    let turned = changed(&answer, |value| items(value).reverse());
    assert_eq!(seen(&turned).unwrap().elements, seen(&answer).unwrap().elements);
}

#[test]
fn a_salt_that_hides_nothing_is_refused_9_1_2_5() {
    let answer = DeviceResponse::of(vec![shown(&["sex"], &transcript())]).encode();
    let altered = changed(&answer, |value| {
        let embedded = items(value)[0].clone().into_embedded().unwrap();
        let item = changed(&embedded, |item| *member(item, "random") = Value::Bytes(vec![1; 15]));
        items(value)[0] = Value::embedded(item);
    });
    assert_eq!(verify(&altered), Err(MdocError::Issuer(IssuerSignedError::Salt(15))));
}

#[test]
fn another_issuers_signature_and_another_documents_type_are_refused() {
    let transcript = transcript();
    let document = shown(&["sex"], &transcript);
    let refused = document.verify(&party().key.public_key(), &expected(&transcript));
    let signature = IssuerSignedError::Signature(CoseError::Invalid);
    assert_eq!(refused, Err(MdocError::Issuer(signature)));
    let renamed = Document { doc_type: "org.example.other".to_owned(), ..document };
    let refused = renamed.verify(&support::issuer().key.public_key(), &expected(&transcript));
    assert!(matches!(refused, Err(MdocError::DocType { .. })));
}

#[test]
fn a_document_is_good_within_its_dates_only() {
    let transcript = transcript();
    let document = shown(&["sex"], &transcript);
    let issuer = support::issuer().key.public_key();
    let at = |seconds: u64| {
        let now = yufu_base::Timestamp::from_seconds(seconds);
        let expected = yufu_mdoc::MdocExpected { now, ..expected(&transcript) };
        document.verify(&issuer, &expected).map(|_| ())
    };
    let early = MdocTimeError::SignedInFuture(NOW);
    assert_eq!(at(NOW - 31), Err(MdocError::Time(early)));
    assert_eq!(at(NOW - 30), Ok(()));
    let until = NOW + 86_400;
    assert_eq!(at(until + 29), Ok(()));
    assert_eq!(at(until + 30), Err(MdocError::Time(MdocTimeError::Expired(until))));
}

#[test]
fn a_devices_word_for_another_conversation_or_by_another_key_is_refused_9_1_3() {
    let (own, issuer) = (transcript(), support::issuer().key.public_key());
    let foreign = DeviceAuthError::Cose(CoseError::Invalid);
    let others = [
        SessionTranscript::openid4vp("x509_hash:other", "n", Some(&[1; 32]), "https://v.example/r"),
        SessionTranscript::openid4vp("x509_hash:v", "m", Some(&[1; 32]), "https://v.example/r"),
        SessionTranscript::openid4vp("x509_hash:v", "n", Some(&[2; 32]), "https://v.example/r"),
        SessionTranscript::openid4vp("x509_hash:v", "n", Some(&[1; 32]), "https://w.example/r"),
        SessionTranscript::digital_credentials("https://v.example", "n", Some(&[1; 32])),
    ];
    for other in &others {
        let refused = shown(&["sex"], other).verify(&issuer, &expected(&own));
        assert_eq!(refused, Err(MdocError::Device(foreign.clone())));
    }
    let document = shown(&["sex"], &own);
    let device_signed = DeviceSigned::sign(DOC_TYPE, &own, &key(77)).unwrap();
    let stolen = Document { device_signed, ..document.clone() };
    assert_eq!(stolen.verify(&issuer, &expected(&own)), Err(MdocError::Device(foreign.clone())));
    let device_signed = DeviceSigned::sign("org.example.other", &own, &key(2)).unwrap();
    let other_type = Document { device_signed, ..document };
    assert_eq!(other_type.verify(&issuer, &expected(&own)), Err(MdocError::Device(foreign)));
}

#[test]
fn only_es256_is_a_signature_and_it_must_be_protected() {
    let answer = DeviceResponse::of(vec![shown(&["sex"], &transcript())]).encode();
    let auth = |value: &mut Value, header: Value| {
        let document = item(member(value, "documents"), 0);
        *item(member(member(document, "issuerSigned"), "issuerAuth"), 0) =
            Value::Bytes(header.encode());
    };
    let header = |alg: i64| Value::Map(vec![(Value::integer(1), Value::integer(alg))]);
    for (alg, named) in [(-35, Some(-35)), (5, Some(5)), (-8, Some(-8)), (0, Some(0))] {
        let refused = verify(&changed(&answer, |value| auth(value, header(alg))));
        let expected = CoseError::Algorithm { found: named, expected: -7 };
        assert_eq!(refused, Err(MdocError::Issuer(IssuerSignedError::Signature(expected))));
    }
    let refused = verify(&changed(&answer, |value| auth(value, Value::Map(vec![]))));
    let expected = CoseError::Algorithm { found: None, expected: -7 };
    assert_eq!(refused, Err(MdocError::Issuer(IssuerSignedError::Signature(expected))));
    let critical = Value::Map(vec![
        (Value::integer(1), Value::integer(-7)),
        (Value::integer(2), Value::Array(vec![Value::integer(1)])),
    ]);
    let refused = verify(&changed(&answer, |value| auth(value, critical)));
    assert_eq!(refused, Err(MdocError::Issuer(IssuerSignedError::Signature(CoseError::Critical))));
}

#[test]
fn elements_that_the_device_states_itself_are_refused_9_1_2_4() {
    let transcript = transcript();
    let own = Value::Map(vec![(
        Value::text("own"),
        Value::Map(vec![(Value::text("said"), Value::Bool(true))]),
    )]);
    let content = transcript.device_authentication(DOC_TYPE, &own.encode());
    let payload = yufu_mdoc::cose::Payload::Detached(&content);
    let signature = yufu_mdoc::cose::Sign1::sign(payload, None, &key(2)).unwrap();
    let answer = DeviceResponse::of(vec![shown(&["sex"], &transcript)]).encode();
    let stated = changed(&answer, |value| {
        let signed = member(item(member(value, "documents"), 0), "deviceSigned");
        *member(signed, "nameSpaces") = Value::embedded(own.encode());
        *member(member(signed, "deviceAuth"), "deviceSignature") = signature.to_value();
    });
    assert_eq!(verify(&stated), Err(MdocError::Device(DeviceAuthError::OwnElements)));
}

#[test]
fn an_answer_is_one_document_without_an_error() {
    let document = shown(&["sex"], &transcript());
    let two = DeviceResponse::of(vec![document.clone(), document.clone()]).encode();
    assert_eq!(verify(&two), Err(MdocError::Documents(2)));
    assert_eq!(verify(&DeviceResponse::of(vec![]).encode()), Err(MdocError::Documents(0)));
    let failed = DeviceResponse { documents: vec![document.clone()], status: 10 }.encode();
    assert_eq!(verify(&failed), Err(MdocError::Status(10)));
    let many = DeviceResponse::of(vec![document; 17]).encode();
    assert_eq!(DeviceResponse::decode(&many), Err(MdocError::Documents(17)));
}

#[test]
fn a_held_document_is_verified_again_when_it_is_read_back_and_shows_what_it_has() {
    let held = held();
    let stored = serde_json::to_value(&held).unwrap();
    assert_eq!(serde_json::from_value::<IssuedMdoc>(stored.clone()).unwrap(), held);
    let mut other = stored;
    other["issuer_key"] = serde_json::to_value(yufu_jose::Jwk::from(key(9).public_key())).unwrap();
    assert!(serde_json::from_value::<IssuedMdoc>(other).is_err());
    let none = path("portrait");
    let refused = held.show(std::slice::from_ref(&none), &transcript(), &key(2));
    assert_eq!(refused, Err(ShowError::NoSuchElement(none)));
    let refused = held.show(&[path("sex")], &transcript(), &key(3));
    assert_eq!(refused, Err(ShowError::OtherKey));
}

#[test]
fn neither_numbers_nor_order_say_which_elements_there_are_and_decoys_hide_how_many() {
    let issued = issue();
    let mso = issued.verify(&support::issuer().key.public_key()).unwrap();
    assert_eq!(mso.digests[DOC_TYPE].len(), 5 + 2);
    let twice = support::issuance(vec![
        ("sex".to_owned(), Value::Unsigned(2)),
        ("sex".to_owned(), Value::Unsigned(1)),
    ]);
    let issuer = support::issuer();
    let refused = twice.sign(&issuer.key, &issuer.chain, &mut support::salts());
    assert_eq!(refused.unwrap_err(), MdocIssueError::Twice("sex".to_owned()));
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes: Vec<u8>) {
        let _ = DeviceResponse::decode(&bytes);
        let _ = IssuerSigned::decode(&bytes);
        let _ = yufu_mdoc::DeviceRequest::decode(&bytes);
        let _ = yufu_mdoc::DeviceEngagement::decode(&bytes);
        let _ = yufu_mdoc::SessionEstablishment::decode(&bytes);
        let _ = yufu_mdoc::SessionData::decode(&bytes);
        let _ = yufu_mdoc::MobileSecurityObject::decode(&bytes);
    }

    #[test]
    fn a_byte_changed_shows_nothing_that_the_issuer_did_not_sign(
        place: prop::sample::Index,
        bit in 0..8_u8,
    ) {
        let answer = DeviceResponse::of(vec![shown(&["sex"], &transcript())]).encode();
        let mut altered = answer.clone();
        altered[place.index(answer.len())] ^= 1 << bit;
        // What nobody signs may change: the names of members that then count as left out, the
        // certificate, which the trust list is asked about.
        if let Ok(after) = seen(&altered) {
            let before = seen(&answer).unwrap();
            prop_assert!(after.elements == before.elements || after.elements.is_empty());
        }
    }
}
