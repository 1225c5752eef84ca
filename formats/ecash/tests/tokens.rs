//! Tokens (NUT-00) and payment requests (NUT-18): the vectors, each rule, and that no bytes do harm.
#![allow(
    clippy::unwrap_used,
    clippy::string_slice,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    missing_docs,
    reason = "test code: to fail loudly"
)]

use proptest::prelude::*;
use serde_json::{Value, json};
use yufu_ecash::message::{AuthProof, AuthTokenError, Proof};
use yufu_ecash::spend::Lock;
use yufu_ecash::{
    CborError, KeysetId, MAX_TOKEN, MintKey, Payment, PaymentError, PaymentRequest, ProofDleq,
    RequestError, RequestedLock, SecretScalar, Token, TokenError, TokenKeyset, blind,
    hash_to_curve,
};

fn vectors() -> Value {
    serde_json::from_str(include_str!("vectors/nut00.json")).unwrap()
}

fn texts(value: &Value) -> Vec<String> {
    serde_json::from_value(value.clone()).unwrap()
}

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|i| u8::from_str_radix(&hex[i..i + 2], 16).unwrap()).collect()
}

#[test]
fn nut00_v3_tokens_of_the_vectors_are_read() {
    let vectors = vectors();
    let token = Token::parse(vectors["v3"].as_str().unwrap()).unwrap();
    let json = &vectors["v3_json"];
    assert_eq!(token.mint, json["token"][0]["mint"]);
    assert_eq!(json!(token.unit), json["unit"]);
    assert_eq!(json!(token.memo), json["memo"]);
    assert_eq!(json!(token.proofs(&[]).unwrap()), json["token"][0]["proofs"]);
    assert_eq!(token.total(), Ok(10));
    for text in texts(&vectors["v3_valid"]).iter().chain(&texts(&vectors["v3_padding"])) {
        assert!(Token::parse(text).is_ok());
    }
    for text in texts(&vectors["v3_wrong"]) {
        assert_eq!(Token::parse(&text), Err(TokenError::Prefix));
    }
}

#[test]
fn nut00_v4_tokens_of_the_vectors_are_read_and_written_to_the_byte() {
    let vectors = vectors();
    for (name, keysets, total) in [("v4_single", 1, 1), ("v4_multiple", 2, 4)] {
        let text = vectors[name].as_str().unwrap();
        let token = Token::parse(text).unwrap();
        assert_eq!(token.mint, "http://localhost:3338");
        assert_eq!(token.unit.as_deref(), Some("sat"));
        assert_eq!(token.total(), Ok(total));
        let mut ids: Vec<TokenKeyset> = token.notes.iter().map(|note| note.keyset).collect();
        ids.dedup();
        assert_eq!(ids.len(), keysets);
        assert_eq!(token.to_text().unwrap(), text.trim_end_matches('='));
        assert_eq!(Token::parse(&format!("cashu:{text}")), Ok(token));
    }
    let raw = bytes(vectors["v4_raw"].as_str().unwrap());
    let token = Token::from_bytes(&raw).unwrap();
    assert_eq!(Ok(&token), Token::parse(vectors["v4_single"].as_str().unwrap()).as_ref());
    assert_eq!(token.to_bytes().unwrap(), raw);
}

fn proof(id: KeysetId, secret: &str) -> Proof {
    let key = MintKey::from_bytes(&[3; 32]).unwrap();
    let r = SecretScalar::from_bytes(&[4; 32]).unwrap();
    let promise = key.sign(&blind(secret.as_bytes(), &r).unwrap()).unwrap();
    Proof {
        amount: 8,
        id,
        secret: secret.to_owned(),
        signature: promise.signature,
        witness: Some("{}".to_owned()),
        dleq: Some(ProofDleq { proof: promise.dleq, r }),
    }
}

fn v2(byte: u8) -> KeysetId {
    KeysetId::from_bytes(&[&[1], [byte; 32].as_slice()].concat()).unwrap()
}

#[test]
fn nut00_a_v4_token_carries_everything_of_its_notes() {
    let notes =
        vec![proof(v2(5), "a"), proof("009a1f293253e41e".parse().unwrap(), "b"), proof(v2(5), "c")];
    let token = Token::new("https://mint.example//", "xts", Some("for you".to_owned()), notes);
    assert_eq!(token.mint, "https://mint.example");
    let back = Token::parse(&token.to_text().unwrap()).unwrap();
    let secrets: Vec<&str> = back.notes.iter().map(|note| note.secret.as_str()).collect();
    assert_eq!(secrets, ["a", "c", "b"], "grouped by keyset");
    assert_eq!(back.notes[0], token.notes[0]);
    assert_eq!(Token::parse(&back.to_text().unwrap()), Ok(back));
}

#[test]
fn nut00_a_short_keyset_id_is_resolved_and_refused_if_unknown_or_ambiguous() {
    let mut token = Token::new("https://m", "xts", None, vec![proof(v2(5), "a")]);
    token.notes[0].keyset = TokenKeyset::Short(v2(5).short());
    let read = Token::parse(&token.to_text().unwrap()).unwrap();
    assert_eq!(read, token);
    assert_eq!(read.proofs(&[v2(6), v2(5), v2(5)]).unwrap()[0].id, v2(5));
    assert_eq!(read.proofs(&[v2(6)]), Err(TokenError::UnknownKeyset));
    let mut twin = v2(5).to_bytes();
    twin[32] = 0;
    let twin = KeysetId::from_bytes(&twin).unwrap();
    assert_eq!(read.proofs(&[v2(5), twin]), Err(TokenError::AmbiguousKeyset));
}

fn cbor(hex: &str) -> Result<Token, TokenError> {
    Token::from_bytes(&[b"crawB", bytes(hex).as_slice()].concat())
}

#[test]
fn nut00_each_rule_of_a_token_is_refused_by_its_own_name() {
    assert_eq!(Token::parse(&"a".repeat(MAX_TOKEN + 1)), Err(TokenError::TooLong));
    assert_eq!(Token::parse("cashuC"), Err(TokenError::Prefix));
    assert_eq!(Token::parse("cashuB!"), Err(TokenError::Base64));
    assert_eq!(Token::from_bytes(b"crawA"), Err(TokenError::Prefix));
    assert!(matches!(cbor(""), Err(TokenError::Cbor(CborError::Form(_)))));
    assert_eq!(cbor("a0"), Err(TokenError::Cbor(CborError::Missing("t"))));
    assert_eq!(
        cbor("a16174 80".replace(' ', "").as_str()),
        Err(TokenError::Cbor(CborError::Missing("m")))
    );
    assert_eq!(
        cbor("a261748061 6d6161".replace(' ', "").as_str()),
        Err(TokenError::Cbor(CborError::Missing("u")))
    );
    assert_eq!(cbor("a3617480616d61616175 6173".replace(' ', "").as_str()), Err(TokenError::Empty));
    assert_eq!(
        cbor("a2616d6161616d6161"),
        Err(TokenError::Cbor(CborError::Repeated("m".to_owned())))
    );
    assert_eq!(
        cbor("a3617480616d6161617561730 0".replace(' ', "").as_str()),
        Err(TokenError::Cbor(CborError::Trailing))
    );
    let bad_keyset = "a16174 81 a1 6169 41 07".replace(' ', "");
    assert!(matches!(
        cbor(&bad_keyset),
        Err(TokenError::Cbor(CborError::Member { name: "i", .. }))
    ));
    let bad_point = "a16174 81 a1 6170 81 a1 6163 41 00".replace(' ', "");
    assert!(matches!(cbor(&bad_point), Err(TokenError::Cbor(CborError::Member { name: "c", .. }))));
    let v3 = |json: &Value| {
        Token::parse(&format!("cashuA{}", yufu_jose::encode_base64url(json.to_string())))
    };
    assert_eq!(v3(&json!({"token": []})), Err(TokenError::Empty));
    assert!(matches!(v3(&json!({})), Err(TokenError::Json(_))));
    let entry = |mint: &str| json!({"mint": mint, "proofs": []});
    assert_eq!(v3(&json!({"token": [entry("a"), entry("b")]})), Err(TokenError::SeveralMints));
    let mut huge = vec![proof(v2(5), "a"), proof(v2(5), "b")];
    huge.iter_mut().for_each(|p| p.amount = u64::MAX);
    let token = Token::new("m", "xts", None, huge);
    assert!(matches!(Token::parse(&token.to_text().unwrap()), Err(TokenError::Sum(_))));
    assert_eq!(Token { notes: vec![], ..token.clone() }.to_text(), Err(TokenError::Empty));
    assert_eq!(Token { unit: None, ..token }.to_text(), Err(TokenError::NoUnit));
}

#[test]
fn nut00_unknown_members_and_lists_without_a_length_are_read() {
    let plain = vectors()["v4_raw"].as_str().unwrap()[10..].to_owned();
    let with_more = format!("a5{}{}", "617a8201a0", &plain[2..]);
    assert_eq!(cbor(&with_more), cbor(&plain));
    let endless = format!("bf{}ff", &plain[2..]);
    assert_eq!(cbor(&endless), cbor(&plain));
}

#[test]
fn nut00_a_length_that_is_claimed_and_not_there_costs_nothing() {
    for hex in [
        "9bffffffffffffffff",
        "bbffffffffffffffff",
        "a161749bffffffffffffffff",
        "a1616d7bffffffffffffffff",
    ] {
        assert!(matches!(cbor(hex), Err(TokenError::Cbor(CborError::Form(_)))), "{hex}");
    }
    let nested = format!("a1617a{}", "81".repeat(100_000));
    assert!(cbor(&nested).is_err());
}

fn requests() -> Vec<Value> {
    serde_json::from_str(include_str!("vectors/nut18.json")).unwrap()
}

fn to_json(request: &PaymentRequest) -> Value {
    let mut out = json!({});
    let mut put = |name: &str, value: Value| {
        if !value.is_null() {
            out[name] = value;
        }
    };
    let tags = |tags: &Vec<Vec<String>>| if tags.is_empty() { Value::Null } else { json!(tags) };
    put("i", json!(request.id));
    put("a", json!(request.amount));
    put("u", json!(request.unit));
    put("s", json!(request.single_use));
    put("m", if request.mints.is_empty() { Value::Null } else { json!(request.mints) });
    put("d", json!(request.description));
    let transports = request.transports.iter().map(|t| {
        let mut out = json!({"t": t.kind, "a": t.target});
        if !t.tags.is_empty() {
            out["g"] = tags(&t.tags);
        }
        out
    });
    let transports: Vec<Value> = transports.collect();
    put("t", if transports.is_empty() { Value::Null } else { json!(transports) });
    if let Some(lock) = &request.lock {
        put("nut10", json!({"k": lock.kind, "d": lock.data, "t": lock.tags}));
    }
    out
}

#[test]
fn nut18_requests_of_the_vectors_are_read_and_come_again() {
    let vectors = requests();
    assert_eq!(vectors.len(), 6);
    for (index, vector) in vectors.iter().enumerate() {
        let text = vector["encoded"].as_str().unwrap();
        let request = PaymentRequest::parse(text).unwrap();
        if index == 0 {
            // The text of the first vector is that of the NUT's own example, its JSON another's.
            assert_eq!(request.mints, ["https://nofees.testnut.cashu.space"]);
            assert_eq!(request.id.as_deref(), Some("b7a90176"));
        } else {
            assert_eq!(to_json(&request), vector["json"], "{}", vector["case"]);
        }
        let written = request.to_text().unwrap();
        assert_eq!(PaymentRequest::parse(&written), Ok(request));
        if ![1, 2].contains(&index) {
            assert_eq!(written, text, "to the byte, except where the vector writes undefined");
        }
    }
}

#[test]
fn nut18_each_rule_of_a_request_is_refused_by_its_own_name() {
    let request = |hex: &str| {
        PaymentRequest::parse(&format!("creqA{}", yufu_jose::encode_base64url(bytes(hex))))
    };
    assert_eq!(PaymentRequest::parse("creqB"), Err(RequestError::Prefix));
    assert_eq!(PaymentRequest::parse("creqA!"), Err(RequestError::Base64));
    assert_eq!(PaymentRequest::parse(&"a".repeat(20_000)), Err(RequestError::TooLong));
    assert_eq!(request("a1616105"), Err(RequestError::NoUnit));
    assert!(
        matches!(request("a1616120"), Err(RequestError::Cbor(CborError::Form(_)))),
        "an amount below nothing"
    );
    assert_eq!(
        request("a16174 81a0".replace(' ', "").as_str()),
        Err(RequestError::Cbor(CborError::Missing("t")))
    );
    let open = PaymentRequest { amount: Some(1), ..PaymentRequest::default() };
    assert_eq!(open.to_text(), Err(RequestError::NoUnit));
}

#[test]
fn nut18_a_payment_that_is_not_what_was_asked_for_is_refused_by_its_own_name() {
    let key = SecretScalar::from_bytes(&[9; 32]).unwrap().to_point();
    let lock = Lock::to_key(key, 5, key).to_conditions(&[1]).unwrap();
    let request = PaymentRequest {
        id: Some("i".to_owned()),
        amount: Some(8),
        unit: Some("xts".to_owned()),
        mints: vec!["https://a/".to_owned()],
        lock: Some(RequestedLock {
            kind: "P2PK".to_owned(),
            data: key.to_hex(),
            tags: vec![vec!["locktime".to_owned(), "5".to_owned()]],
        }),
        ..PaymentRequest::default()
    };
    let good = Payment {
        id: Some("i".to_owned()),
        memo: None,
        mint: "https://a".to_owned(),
        unit: "xts".to_owned(),
        proofs: vec![proof(v2(5), &lock.to_text().unwrap())],
    };
    assert_eq!(request.check(&good), Ok(()));
    assert_eq!(request.check(&Payment { id: None, ..good.clone() }), Err(PaymentError::Id));
    let elsewhere = Payment { mint: "https://b".to_owned(), ..good.clone() };
    assert_eq!(request.check(&elsewhere), Err(PaymentError::Mint("https://b".to_owned())));
    assert_eq!(
        request.check(&Payment { unit: "sat".to_owned(), ..good.clone() }),
        Err(PaymentError::Unit)
    );
    assert_eq!(
        request.check(&Payment { proofs: vec![], ..good.clone() }),
        Err(PaymentError::Amount)
    );
    let unlocked = Payment { proofs: vec![good.proofs[0].clone(), proof(v2(5), "a")], ..good };
    assert_eq!(request.check(&unlocked), Err(PaymentError::Lock(1)));
}

#[test]
fn nut22_a_blind_token_goes_through_its_header_without_the_factor() {
    let Proof { id, secret, signature, dleq, .. } = proof(v2(5), "a");
    let token = AuthProof { id, secret, signature, dleq };
    let header = token.to_header().unwrap();
    assert!(header.starts_with("authA"));
    let read = AuthProof::from_header(&format!("{header}=="))
        .unwrap_or_else(|_| AuthProof::from_header(&header).unwrap());
    assert_eq!(read, AuthProof { dleq: None, ..token.clone() });
    assert_eq!(read.to_proof().amount, 1);
    assert_eq!(AuthProof::from_header("authB"), Err(AuthTokenError::Prefix));
    assert_eq!(AuthProof::from_header("authA!"), Err(AuthTokenError::Base64));
    assert_eq!(AuthProof::from_header(&"a".repeat(5000)), Err(AuthTokenError::TooLong));
    let leaky =
        format!("authA{}", yufu_jose::encode_base64url(serde_json::to_vec(&token).unwrap()));
    assert_eq!(AuthProof::from_header(&leaky).unwrap().dleq, None);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn arbitrary_texts_and_bytes_never_panic(text: String, data: Vec<u8>) {
        let _ = Token::parse(&text);
        let _ = Token::from_bytes(&[b"crawB", data.as_slice()].concat());
        let encoded = yufu_jose::encode_base64url(&data);
        for prefix in ["cashuA", "cashuB", "creqA", "authA"] {
            let _ = Token::parse(&format!("{prefix}{encoded}"));
            let _ = PaymentRequest::parse(&format!("{prefix}{encoded}"));
            let _ = AuthProof::from_header(&format!("{prefix}{encoded}"));
        }
        let _ = Lock::parse(&text);
        let _ = hash_to_curve(&data);
    }

    #[test]
    fn a_token_with_any_byte_changed_never_panics_and_what_is_read_is_written_alike(
        place in 0_usize..10_000, value: u8,
    ) {
        let notes = vec![proof(v2(5), "a"), proof("009a1f293253e41e".parse().unwrap(), "b")];
        let token = Token::new("https://m", "xts", Some("memo".to_owned()), notes);
        let mut raw = token.to_bytes().unwrap();
        let place = 5 + place % (raw.len() - 5);
        raw[place] = value;
        if let Ok(read) = Token::from_bytes(&raw) {
            prop_assert_eq!(Token::parse(&read.to_text().unwrap()), Ok(read));
        }
    }
}
