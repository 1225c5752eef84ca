//! The messages of the NUTs, held against their JSON; signed quotes (NUT-20, NUT-29); the error list.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    missing_docs,
    reason = "test code: to fail loudly"
)]

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use yufu_ecash::message::*;
use yufu_ecash::{KeysResponse, KeysetsResponse, Point, SecretScalar};

const POINT: &str = "02a9acc1e48c25eeeb9289b5031cc57da9fe72f3fe2861d264bdc074209b107ba2";
const ID: &str = "009a1f293253e41e";

/// Reads and writes the same.
fn same<T: DeserializeOwned + Serialize>(json: Value) -> T {
    let read: T = serde_json::from_value(json.clone()).unwrap();
    assert_eq!(serde_json::to_value(&read).unwrap(), json);
    read
}

fn output(amount: u64) -> Value {
    json!({"amount": amount, "id": ID, "B_": POINT})
}

fn signature(amount: u64) -> Value {
    json!({"amount": amount, "id": ID, "C_": POINT, "dleq": {"e": "01".repeat(32), "s": "02".repeat(32)}})
}

fn proof() -> Value {
    json!({"amount": 2, "id": ID, "secret": "s", "C": POINT})
}

#[test]
fn nut01_02_keysets_are_as_on_the_wire() {
    same::<KeysResponse>(json!({"keysets": [{
        "id": ID, "unit": "sat", "active": true, "input_fee_ppk": 100, "final_expiry": 1_896_187_313,
        "keys": {"1": POINT, "2": POINT, "9223372036854775808": POINT}
    }]}));
    same::<KeysetsResponse>(json!({"keysets": [
        {"id": ID, "unit": "sat", "active": false, "input_fee_ppk": null, "final_expiry": null}
    ]}));
    let sparse = json!({"keysets": [{"id": ID, "unit": "auth", "keys": {"1": POINT}}]});
    let keys: KeysResponse = serde_json::from_value(sparse).unwrap();
    assert!(keys.keysets[0].info().active);
}

#[test]
fn nut03_a_swap_is_read_with_its_points_in_order_and_the_first_that_is_none_is_named() {
    let keys: Vec<Point> =
        (1..=9).map(|n| SecretScalar::from_bytes(&[n; 32]).unwrap().to_point()).collect();
    let of = |n: usize, name: &str| {
        let mut one = json!({"amount": 2, "id": ID, "secret": n.to_string()});
        one[name] = keys[n].to_string().into();
        one
    };
    for (inputs, outputs) in [(0, 0), (1, 1), (4, 5), (5, 2), (3, 0)] {
        let given: Vec<_> = (0..inputs).map(|n| of(n, "C")).collect();
        let asked: Vec<_> = (0..outputs).map(|n| of(inputs + n, "B_")).collect();
        let swap = json!({"inputs": given, "outputs": asked});
        let read: SwapRequest = serde_json::from_value(swap.clone()).unwrap();
        let points = read.inputs.iter().map(|proof| proof.signature);
        let points: Vec<_> = points.chain(read.outputs.iter().map(|out| out.blinded)).collect();
        assert_eq!(points, keys[..inputs + outputs]);
        // 5 is the x of no point.
        let none = format!("02{}05", "00".repeat(31));
        for bad in 0..inputs + outputs {
            let mut swap = swap.clone();
            let place = match bad.checked_sub(inputs) {
                None => format!("inputs[{bad}].C"),
                Some(place) => format!("outputs[{place}].B_"),
            };
            for later in bad..inputs + outputs {
                let (list, at, name) = match later.checked_sub(inputs) {
                    None => ("inputs", later, "C"),
                    Some(at) => ("outputs", at, "B_"),
                };
                swap[list][at][name] = none.clone().into();
            }
            let error = serde_json::from_value::<SwapRequest>(swap).unwrap_err().to_string();
            assert_eq!(error, format!("{place}: the bytes are no point of secp256k1"));
        }
    }
}

#[test]
fn nut03_07_09_swap_state_and_restore_are_as_on_the_wire() {
    same::<SwapRequest>(json!({"inputs": [proof()], "outputs": [output(2)]}));
    same::<Signatures>(json!({"signatures": [signature(2)]}));
    same::<CheckStateRequest>(json!({"Ys": [POINT]}));
    same::<CheckStateResponse>(json!({"states": [
        {"Y": POINT, "state": "SPENT", "witness": "{\"signatures\":[]}"},
        {"Y": POINT, "state": "UNSPENT", "witness": null},
        {"Y": POINT, "state": "PENDING", "witness": null}
    ]}));
    same::<RestoreRequest>(json!({"outputs": [output(0)]}));
    same::<RestoreResponse>(json!({"outputs": [output(0)], "signatures": [signature(2)]}));
}

#[test]
fn nut04_05_08_quotes_are_as_on_the_wire() {
    same::<MintQuoteRequest>(json!({"amount": 10, "unit": "sat", "pubkey": POINT}));
    same::<MintQuote>(json!({
        "quote": "q", "request": "r", "method": "bank", "amount": 10, "unit": "sat", "state": "ISSUED",
        "amount_paid": 10, "amount_issued": 10, "updated_at": 5, "expiry": null, "pubkey": POINT
    }));
    same::<MintRequest>(json!({"quote": "q", "outputs": [output(8)], "signature": "00"}));
    same::<MeltQuoteRequest>(
        json!({"request": "r", "unit": "sat", "options": {"mpp": {"amount": 5}}}),
    );
    same::<MeltQuoteRequest>(json!({"request": "r", "unit": "sat", "method": "bank"}));
    same::<MeltQuote>(json!({
        "quote": "q", "request": "r", "amount": 10, "unit": "sat", "fee_reserve": 2, "state": "PAID",
        "expiry": 1, "payment_preimage": "00", "change": [signature(2)]
    }));
    same::<MeltRequest>(
        json!({"quote": "q", "inputs": [proof()], "outputs": [output(0)], "prefer_async": true}),
    );
    let null: MeltRequest =
        serde_json::from_value(json!({"quote": "q", "inputs": [], "outputs": null, "more": 1}))
            .unwrap();
    assert_eq!(null.outputs, None);
}

#[test]
fn nut06_15_17_19_21_22_29_info_is_as_on_the_wire() {
    let supported = json!({"supported": true});
    let methods = json!({"methods": [
        {"method": "bank", "unit": "xts", "min_amount": 0, "max_amount": 9, "options": {"description": true}}
    ], "disabled": false});
    let info = same::<MintInfo>(json!({
        "name": "n", "pubkey": POINT, "version": "Yufu/1", "description": "d", "description_long": "l",
        "contact": [{"method": "email", "info": "a@b"}], "motd": "m", "icon_url": "i", "urls": ["u"],
        "time": 1, "tos_url": "t", "max_array_length": 100,
        "nuts": {
            "4": methods, "5": methods, "7": supported, "8": supported, "9": supported,
            "10": supported, "11": supported, "12": supported, "14": supported,
            "15": {"methods": [{"method": "bank", "unit": "xts"}]},
            "17": {"supported": [{"method": "bank", "unit": "xts", "commands": ["proof_state"]}]},
            "19": {"ttl": null, "cached_endpoints": [{"method": "POST", "path": "/v1/swap"}]},
            "20": supported,
            "21": {"openid_discovery": "o", "client_id": "c",
                "protected_endpoints": [{"method": "POST", "path": "/v1/auth/blind/mint"}]},
            "22": {"bat_max_mint": 50, "protected_endpoints": [{"method": "GET", "path": "/v1/mint/*"}]},
            "29": {"max_batch_size": 100, "methods": ["bank"]}
        }
    }));
    let endpoint = &info.nuts.blind_auth.unwrap().protected_endpoints[0];
    assert!(endpoint.covers("GET", "/v1/mint/bank"));
    assert!(!endpoint.covers("POST", "/v1/mint/bank"));
    assert!(!endpoint.covers("GET", "/v1/min"));
    let exact = ProtectedEndpoint { method: "GET".to_owned(), path: "/v1/.*t".to_owned() };
    assert!(
        !exact.covers("GET", "/v1/mint") && exact.covers("GET", "/v1/.*t"),
        "no regular expression"
    );
    assert_eq!(serde_json::from_value::<MintInfo>(json!({})).unwrap(), MintInfo::default());
    let open = json!({"method": "bank", "unit": "xts", "min_amount": null, "max_amount": null});
    let open: Method = serde_json::from_value(open).unwrap();
    let left_out = json!({"method": "bank", "unit": "xts"});
    assert_eq!(serde_json::to_value(open).unwrap(), left_out, "peers read no null there");
}

#[test]
fn nut17_messages_are_as_on_the_wire() {
    let request = same::<WsRequest>(json!({"jsonrpc": "2.0", "id": 0, "method": "subscribe",
        "params": {"kind": "proof_state", "filters": [POINT], "subId": "s"}}));
    assert!(matches!(request.call, WsCall::Subscribe(_)));
    same::<WsRequest>(
        json!({"jsonrpc": "2.0", "id": 1, "method": "unsubscribe", "params": {"subId": "s"}}),
    );
    let ok = same::<WsResponse>(
        json!({"jsonrpc": "2.0", "result": {"status": "OK", "subId": "s"}, "id": 0}),
    );
    assert_eq!(WsResponse::ok("s", 0), ok);
    let news = same::<WsNotification<NoteStatus>>(json!({"jsonrpc": "2.0", "method": "subscribe",
        "params": {"subId": "s", "payload": {"Y": POINT, "state": "UNSPENT", "witness": null}}}));
    assert_eq!(WsNotification::new("s", news.params.payload.clone()), news);
    same::<WsError>(
        json!({"jsonrpc": "2.0", "error": {"code": -32601, "message": "m"}, "id": "1"}),
    );
    let kinds = [
        ("proof_state", Some(SubscriptionKind::ProofState)),
        ("bank_mint_quote", Some(SubscriptionKind::MintQuote("bank".to_owned()))),
        ("bolt11_melt_quote", Some(SubscriptionKind::MeltQuote("bolt11".to_owned()))),
        ("_mint_quote", None),
        ("Bank_melt_quote", None),
        ("proof", None),
    ];
    for (text, kind) in kinds {
        assert_eq!(SubscriptionKind::parse(text), kind, "{text}");
    }
}

#[test]
fn nut22_requests_are_as_on_the_wire() {
    same::<BlindAuthMintRequest>(json!({"outputs": [output(1)]}));
    same::<AuthProof>(json!({"id": ID, "secret": "s", "C": POINT,
        "dleq": {"e": "01".repeat(32), "s": "02".repeat(32), "r": "03".repeat(32)}}));
}

fn quote_vectors() -> (Vec<MintRequest>, String) {
    let vectors: Value = serde_json::from_str(include_str!("vectors/nut20.json")).unwrap();
    (
        serde_json::from_value(vectors["requests"].clone()).unwrap(),
        vectors["message"].as_str().unwrap().to_owned(),
    )
}

#[test]
fn nut20_the_message_and_the_signatures_of_the_vectors_are_valid_and_not() {
    let (requests, message) = quote_vectors();
    let key = "03d56ce4e446a85bbdaa547b4ec2b073d40ff802831352b8272b7dd7a4de5a7cac"
        .parse::<Point>()
        .unwrap();
    assert_eq!(plain_quote_message(&requests[0].quote, &requests[0].outputs), message.as_bytes());
    assert_eq!(requests[0].check_signature(Some(&key)), Ok(()));
    assert_eq!(requests[1].check_signature(Some(&key)), Err(QuoteSignatureError::Invalid));
    assert_eq!(requests[1].check_signature(None), Ok(()));
    let unsigned = MintRequest { signature: None, ..requests[0].clone() };
    assert_eq!(unsigned.check_signature(Some(&key)), Err(QuoteSignatureError::Missing));
}

#[test]
fn nut20_a_signature_covers_quote_outputs_and_their_order() {
    let (requests, _) = quote_vectors();
    let key = SecretScalar::from_bytes(&[7; 32]).unwrap();
    let public = key.to_point();
    let mut request = requests[0].clone();
    request.signature = Some(sign_quote(&key, &request.quote, &request.outputs, &[1; 32]));
    assert_eq!(request.check_signature(Some(&public)), Ok(()));
    let changes: [fn(&mut MintRequest); 4] = [
        |r| r.quote.push('x'),
        |r| r.outputs.truncate(1),
        |r| r.outputs.reverse(),
        |r| r.outputs[0].amount = 2,
    ];
    for change in changes {
        let mut other = request.clone();
        change(&mut other);
        assert_eq!(other.check_signature(Some(&public)), Err(QuoteSignatureError::Invalid));
    }
}

const ONE: &str = "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798";

fn batch(quote: &str, id: &str, signature: &str) -> BatchMintRequest {
    same(json!({
        "quotes": [quote],
        "outputs": [
            {"amount": 1, "id": id,
             "B_": "036d6caac248af96f6afa7f904f550253a0f3ef3f5aa2fe6838a95b216691468e2"},
            {"amount": 1, "id": id,
             "B_": "021f8a566c205633d029094747d2e18f44e05993dda7a5f88f496078205f656e59"}
        ],
        "signatures": [signature]
    }))
}

fn digest(message: &[u8]) -> String {
    yufu_jose::sha256(message).iter().map(|b| format!("{b:02x}")).collect()
}

#[test]
fn nut20_the_message_with_lengths_and_its_signature_are_those_of_the_vector() {
    let request = batch(
        "0192d3c0-7e8a-7c3d-8e9f-1a2b3c4d5e6f",
        ID,
        "4881093a332ff7c79f3e598ce5b249d64978b47165a0b19c18adf0ced0246228e61e702f0abaf1bf27b92be4336bdbabacfbe4c914076386b3c66fdcd0b3480e",
    );
    assert_eq!(
        digest(&quote_message(&request.quotes[0], &request.outputs)),
        "c164fd384879f74ab6ea2e7cf13d90ed42e6df9d5de607eeb5c9cc7d36fb1c21"
    );
    assert_eq!(request.check_signatures(&[Some(ONE.parse().unwrap())]), Ok(()));
}

/// The vector of the specification's main branch signs neither of the two messages: its digest is of
/// another quote's id ("locked-quote"). This is the vector of the revision, with that id.
#[test]
fn nut29_the_signature_of_the_vector_is_valid_and_its_digest_right() {
    let key = ONE.parse::<Point>().unwrap();
    let id = format!("01{}", "00".repeat(32));
    let batch = batch(
        "locked-quote",
        &id,
        "a913e48177027d87e0e38c6f2021763c46997ff4866a4b63ebca800b0776b28519eab37377cf9bc1869e489d7b25747b7a998eaa1c33c2cac7fa168449d8267a",
    );
    assert_eq!(
        digest(&quote_message(&batch.quotes[0], &batch.outputs)),
        "03dc68d6617bba502d8648efd0965bf393841082cf04fd03e5de4bcb5777cdfc"
    );
    assert_eq!(batch.check_signatures(&[Some(key)]), Ok(()));
    assert_eq!(batch.check_signatures(&[None]), Err(QuoteSignatureError::NotLocked));
    let mut other = batch.clone();
    other.outputs.reverse();
    assert_eq!(other.check_signatures(&[Some(key)]), Err(QuoteSignatureError::Invalid));
    let unsigned = BatchMintRequest { signatures: None, ..batch };
    assert_eq!(unsigned.check_signatures(&[Some(key)]), Err(QuoteSignatureError::Missing));
    assert_eq!(unsigned.check_signatures(&[None]), Ok(()));
}

#[test]
fn nut29_each_rule_of_a_batch_is_refused_by_its_own_name() {
    let good = BatchMintRequest {
        quotes: vec!["a".to_owned(), "b".to_owned()],
        quote_amounts: Some(vec![5, 3]),
        outputs: vec![],
        signatures: Some(vec![None, None]),
    };
    assert_eq!(good.check_shape(2), Ok(()));
    assert_eq!(good.check_shape(1), Err(BatchShapeError::TooMany(1)));
    let none = BatchMintRequest { quotes: vec![], ..good.clone() };
    assert_eq!(none.check_shape(2), Err(BatchShapeError::Empty));
    let twice = BatchMintRequest { quotes: vec!["a".to_owned(); 2], ..good.clone() };
    assert_eq!(twice.check_shape(2), Err(BatchShapeError::Duplicate));
    let amounts = BatchMintRequest { quote_amounts: Some(vec![8]), ..good.clone() };
    assert_eq!(amounts.check_shape(2), Err(BatchShapeError::Lengths("quote_amounts")));
    let signatures = BatchMintRequest { signatures: Some(vec![None]), ..good };
    assert_eq!(signatures.check_shape(2), Err(BatchShapeError::Lengths("signatures")));
}

#[test]
fn the_error_list_is_that_of_the_specification() {
    let numbers: Vec<u32> = ErrorCode::ALL.iter().map(|code| code.number()).collect();
    let expected: Vec<u32> = [10001]
        .into_iter()
        .chain(11001..=11017)
        .chain(12001..=12003)
        .chain(20001..=20009)
        .chain(30001..=30002)
        .chain(31001..=31004)
        .collect();
    assert_eq!(numbers, expected);
    for code in ErrorCode::ALL {
        assert_eq!(ErrorCode::from_number(code.number()), Some(*code));
        assert!(!code.text().is_empty());
    }
    let body = same::<ErrorBody>(json!({"detail": "oops", "code": 11001}));
    assert_eq!(body.known(), Some(ErrorCode::ProofsSpent));
    assert_eq!(ErrorBody::new(ErrorCode::ProofsSpent, "oops"), body);
    assert_eq!(serde_json::from_value::<ErrorBody>(json!({"detail": "x"})).unwrap().known(), None);
}
