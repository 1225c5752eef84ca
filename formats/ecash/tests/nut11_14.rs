//! The vectors of NUT-11 and NUT-14, and each rule of spending by its own name.
#![allow(
    clippy::unwrap_used,
    clippy::string_slice,
    missing_docs,
    reason = "test code: to fail loudly"
)]

use serde::Deserialize;
use serde_json::{Value, json};
use yufu_ecash::message::{BlindedMessage, MeltRequest, Proof, SwapRequest};
use yufu_ecash::spend::{
    Lock, LockError, Pathway, SecretError, SigFlag, SpendRule, Transaction, Witness, WitnessError,
    check_spend, shown_preimages, sig_all_message, unlock,
};
use yufu_ecash::{Point, SecretScalar, hash_to_curve};

const NOW: u64 = 1_800_000_000;
const SWAP: Transaction<'static> = Transaction { outputs: &[], quote: None };

#[derive(Deserialize)]
struct Vector {
    case: String,
    proof: Option<Proof>,
    request: Option<Value>,
}

fn vectors() -> Vec<Vector> {
    serde_json::from_str(include_str!("vectors/nut11.json")).unwrap()
}

fn run(vector: &Vector) -> Result<(), SpendRule> {
    if let Some(proof) = &vector.proof {
        return check_spend(std::slice::from_ref(proof), SWAP, NOW).map_err(|e| e.rule);
    }
    let request = vector.request.clone().unwrap();
    if request.get("quote").is_some() {
        let melt: MeltRequest = serde_json::from_value(request).unwrap();
        let outputs = melt.outputs.unwrap_or_default();
        let to = Transaction { outputs: &outputs, quote: Some(&melt.quote) };
        return check_spend(&melt.inputs, to, NOW).map_err(|e| e.rule);
    }
    let swap: SwapRequest = serde_json::from_value(request).unwrap();
    let to = Transaction { outputs: &swap.outputs, quote: None };
    check_spend(&swap.inputs, to, NOW).map_err(|e| e.rule)
}

#[test]
fn nut11_every_vector_is_spendable_or_not_as_it_says() {
    let short = |needed, valid| Err(SpendRule::Signatures { needed, valid });
    let expected = [
        short(1, 0), // no witness yet
        Ok(()),      // two of data and pubkeys, after the locktime
        Ok(()),      // one of refund
        Ok(()),
        short(1, 0), // over another secret
        Ok(()),      // two of three
        short(2, 1),
        Ok(()),      // refund, locktime past
        short(1, 0), // refund, locktime to come
        Ok(()),
        Ok(()),
        Err(SpendRule::Mixed),
        Ok(()),
        Ok(()),
        Ok(()),      // NUT-14, preimage and key
        short(1, 0), // NUT-14, refund key too early
        Ok(()),      // NUT-14, refund by two keys
        Ok(()),      // redeemed
        Ok(()),
        Ok(()),
    ];
    let vectors = vectors();
    assert_eq!(vectors.len(), expected.len());
    for (index, (vector, expected)) in vectors.iter().zip(&expected).enumerate() {
        assert_eq!(run(vector), *expected, "{index}: {}", vector.case);
    }
}

#[test]
fn nut11_the_message_of_sig_all_is_that_of_the_vectors() {
    let swap: SwapRequest = serde_json::from_value(vectors()[9].request.clone().unwrap()).unwrap();
    let to = Transaction { outputs: &swap.outputs, quote: None };
    let digest = |text: String| hex(&yufu_jose::sha256(text.as_bytes()));
    assert_eq!(
        digest(sig_all_message(&swap.inputs, to)),
        "de7f9e3ca0fcc5ed3258fcf83dbf1be7fa78a5ed6da7bf2aa60d61e9dc6eb09a"
    );
    let melt: MeltRequest = serde_json::from_value(vectors()[17].request.clone().unwrap()).unwrap();
    let outputs = melt.outputs.unwrap();
    let to = Transaction { outputs: &outputs, quote: Some(&melt.quote) };
    assert_eq!(
        digest(sig_all_message(&melt.inputs, to)),
        "9efa1067cc7dc870f4074f695115829c3cd817a6866c3b84e9814adf3c3cf262"
    );
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

fn secret_key(n: u8) -> SecretScalar {
    SecretScalar::from_bytes(&[n; 32]).unwrap()
}

fn key(n: u8) -> String {
    secret_key(n).to_point().to_hex()
}

/// The same key with the other parity.
fn twin(key: &str) -> String {
    format!("{}{}", if key.starts_with("02") { "03" } else { "02" }, &key[2..])
}

fn proof(secret: String) -> Proof {
    Proof {
        amount: 1,
        id: "00bfa73302d12ffd".parse().unwrap(),
        signature: hash_to_curve(secret.as_bytes()).unwrap(),
        secret,
        witness: None,
        dleq: None,
    }
}

fn locked(kind: &str, data: &str, tags: &Value) -> Proof {
    proof(json!([kind, {"nonce": "n", "data": data, "tags": tags}]).to_string())
}

fn spend(proof: &Proof, now: u64) -> Result<(), SpendRule> {
    check_spend(std::slice::from_ref(proof), SWAP, now).map_err(|e| e.rule)
}

fn opened(mut proof: Proof, keys: &[u8], preimage: Option<&[u8; 32]>) -> Proof {
    let keys: Vec<SecretScalar> = keys.iter().map(|n| secret_key(*n)).collect();
    unlock(std::slice::from_mut(&mut proof), SWAP, &keys, preimage, &[0; 32]).unwrap();
    proof
}

#[test]
fn nut11_each_malformed_condition_is_refused_by_its_own_name() {
    let (a, b) = (key(1), key(2));
    let cases = [
        (json!([["locktime", "1"], ["locktime", "2"]]), LockError::RepeatedTag("locktime")),
        (json!([["sigflag", "SIG_NONE"]]), LockError::SigFlag),
        (json!([["sigflag", "SIG_ALL", "SIG_INPUTS"]]), LockError::SigFlag),
        (json!([["sigflag"]]), LockError::SigFlag),
        (json!([["pubkeys", &b[2..]]]), LockError::Key),
        (json!([["pubkeys", a]]), LockError::RepeatedKey("pubkeys")),
        (json!([["pubkeys", twin(&a)]]), LockError::RepeatedKey("pubkeys")),
        (json!([["pubkeys", b.to_uppercase(), b]]), LockError::RepeatedKey("pubkeys")),
        (json!([["refund", b, twin(&b)]]), LockError::RepeatedKey("refund")),
        (json!([["n_sigs", "0"]]), LockError::Count("n_sigs")),
        (json!([["n_sigs", "+1"]]), LockError::Count("n_sigs")),
        (json!([["n_sigs", "2"]]), LockError::Count("n_sigs")),
        (json!([["n_sigs"]]), LockError::Count("n_sigs")),
        (json!([["n_sigs_refund", "1"]]), LockError::Count("n_sigs_refund")),
        (json!([["refund", b], ["n_sigs_refund", "2"]]), LockError::Count("n_sigs_refund")),
        (json!([["refund"]]), LockError::EmptyRefund),
        (json!([[]]), LockError::Secret(SecretError::Tag)),
    ];
    for (tags, expected) in cases {
        let found = spend(&locked("P2PK", &a, &tags), NOW);
        assert_eq!(found, Err(SpendRule::Malformed(expected)), "{tags}");
    }
    assert_eq!(
        spend(&locked("P2PK", "02", &json!([])), NOW),
        Err(SpendRule::Malformed(LockError::Key))
    );
    assert_eq!(
        spend(&locked("HTLC", &"a".repeat(62), &json!([])), NOW),
        Err(SpendRule::Malformed(LockError::Hash))
    );
    assert_eq!(
        spend(&locked("HTLC", &"a".repeat(64), &json!([["n_sigs", "1"]])), NOW),
        Err(SpendRule::Malformed(LockError::Count("n_sigs")))
    );
}

#[test]
fn nut11_a_key_of_either_parity_or_case_and_in_both_pathways_is_taken() {
    let tags = json!([["locktime", "5"], ["refund", key(1)]]);
    let proof = locked("P2PK", &twin(&key(1).to_uppercase()), &tags);
    assert_eq!(spend(&opened(proof, &[1], None), NOW), Ok(()));
}

#[test]
fn nut11_the_lock_is_active_until_its_time_expired_after_it_and_permanent_without_one() {
    let at = |time: &str| locked("P2PK", &key(1), &json!([["locktime", time]]));
    let unsigned = Err(SpendRule::Signatures { needed: 1, valid: 0 });
    assert_eq!(spend(&at("100"), 99), unsigned);
    assert_eq!(spend(&at("100"), 100), unsigned);
    assert_eq!(spend(&at("100"), 101), Ok(()), "nobody to refund: anybody's");
    for permanent in ["soon", "-1", "99999999999999999999999"] {
        assert_eq!(spend(&at(permanent), u64::MAX), unsigned, "{permanent}");
    }
    assert_eq!(spend(&locked("P2PK", &key(1), &json!([["locktime", "1", "2"]])), NOW), unsigned);
}

#[test]
fn nut11_after_the_locktime_receivers_and_refund_can_spend_but_not_half_of_each() {
    let tags = json!([
        ["locktime", "5"],
        ["pubkeys", key(2)],
        ["n_sigs", "2"],
        ["refund", key(3), key(4)],
        ["n_sigs_refund", "2"]
    ]);
    let proof = locked("P2PK", &key(1), &tags);
    assert_eq!(spend(&opened(proof.clone(), &[1, 2], None), NOW), Ok(()));
    assert_eq!(spend(&opened(proof.clone(), &[3, 4], None), NOW), Ok(()));
    assert!(spend(&opened(proof.clone(), &[1, 3], None), NOW).is_err());
    assert_eq!(spend(&opened(proof.clone(), &[1, 2], None), 4), Ok(()));
    assert!(spend(&opened(proof, &[3, 4], None), 4).is_err());
}

#[test]
fn nut11_one_key_that_signs_twice_is_one() {
    let tags = json!([["pubkeys", key(2)], ["n_sigs", "2"]]);
    let mut proof = locked("P2PK", &key(1), &tags);
    for auxiliary in [[0; 32], [1; 32]] {
        unlock(std::slice::from_mut(&mut proof), SWAP, &[secret_key(1)], None, &auxiliary).unwrap();
    }
    assert_eq!(spend(&proof, NOW), Err(SpendRule::Signatures { needed: 2, valid: 1 }));
}

#[test]
fn nut11_witnesses_that_cannot_be_read_or_are_too_many_are_refused() {
    let mut proof = locked("P2PK", &key(1), &json!([]));
    for bad in ["", "[]", "{\"signatures\":1}", "{\"signatures\":[],\"signatures\":[]}"] {
        proof.witness = Some(bad.to_owned());
        let found = spend(&proof, NOW);
        assert!(matches!(found, Err(SpendRule::Witness(WitnessError::Form(_)))), "{bad}");
    }
    proof.witness = Some(" ".repeat(10_000));
    assert_eq!(spend(&proof, NOW), Err(SpendRule::Witness(WitnessError::TooLong)));
    let many = Witness { preimage: None, signatures: vec!["00".repeat(64); 2] };
    proof.witness = Some(many.to_text().unwrap());
    assert_eq!(spend(&proof, NOW), Err(SpendRule::TooManySignatures));
    let garbage = Witness { preimage: None, signatures: vec!["zz".to_owned()] };
    proof.witness = Some(garbage.to_text().unwrap());
    assert_eq!(spend(&proof, NOW), Err(SpendRule::Signatures { needed: 1, valid: 0 }));
}

#[test]
fn nut11_a_witness_may_be_an_object_and_comes_back_as_text() {
    let text = opened(locked("P2PK", &key(1), &json!([])), &[1], None);
    let mut value = serde_json::to_value(&text).unwrap();
    value["witness"] = serde_json::from_str(text.witness.as_ref().unwrap()).unwrap();
    let object: Proof = serde_json::from_value(value).unwrap();
    assert_eq!(spend(&object, NOW), Ok(()));
}

fn output(n: u8) -> BlindedMessage {
    BlindedMessage {
        amount: 1,
        id: "00bfa73302d12ffd".parse().unwrap(),
        blinded: secret_key(n).to_point(),
    }
}

#[test]
fn nut11_sig_all_covers_inputs_outputs_their_order_and_the_quote() {
    let tags = json!([["sigflag", "SIG_ALL"]]);
    let one = |nonce: &str| {
        proof(json!(["P2PK", {"nonce": nonce, "data": key(1), "tags": tags}]).to_string())
    };
    let outputs = [output(8), output(9)];
    let to = Transaction { outputs: &outputs, quote: Some("q") };
    let mut inputs = [one("a"), one("b")];
    unlock(&mut inputs, to, &[secret_key(1)], None, &[0; 32]).unwrap();
    assert!(inputs[1].witness.is_none(), "the first input's witness is for all");
    assert_eq!(check_spend(&inputs, to, NOW), Ok(()));
    let swapped = [output(9), output(8)];
    for other in [
        Transaction { outputs: &swapped, quote: Some("q") },
        Transaction { outputs: &outputs[..1], quote: Some("q") },
        Transaction { outputs: &outputs, quote: None },
    ] {
        assert!(check_spend(&inputs, other, NOW).is_err());
    }
    let mut reversed = inputs.clone();
    reversed.swap(0, 1);
    assert!(check_spend(&reversed, to, NOW).is_err());
    let free = [inputs[0].clone(), proof("plain".to_owned())];
    assert_eq!(check_spend(&free, to, NOW).unwrap_err().rule, SpendRule::Mixed);
    assert_eq!(check_spend(&free, to, NOW).unwrap_err().input, 1);
    let first_plain = [proof("plain".to_owned()), inputs[0].clone()];
    assert_eq!(check_spend(&first_plain, to, NOW).unwrap_err().rule, SpendRule::Mixed);
}

#[test]
fn nut14_a_hash_lock_needs_preimage_and_keys_and_falls_back_after_its_time() {
    let preimage = [7; 32];
    let hash = hex(&yufu_jose::sha256(&preimage));
    let free = locked("HTLC", &hash, &json!([]));
    assert_eq!(spend(&free, NOW), Err(SpendRule::NoPreimage));
    assert_eq!(
        spend(&opened(free.clone(), &[], Some(&[8; 32])), NOW),
        Err(SpendRule::WrongPreimage)
    );
    assert_eq!(spend(&opened(free, &[], Some(&preimage)), NOW), Ok(()));
    let tags = json!([["pubkeys", key(1)], ["locktime", "50"], ["refund", key(2)]]);
    let keyed = locked("HTLC", &hash, &tags);
    let unsigned = Err(SpendRule::Signatures { needed: 1, valid: 0 });
    assert_eq!(spend(&opened(keyed.clone(), &[], Some(&preimage)), 10), unsigned);
    assert_eq!(spend(&opened(keyed.clone(), &[1], Some(&preimage)), 10), Ok(()));
    assert_eq!(spend(&opened(keyed.clone(), &[1], Some(&preimage)), NOW), Ok(()), "always");
    assert_eq!(spend(&opened(keyed.clone(), &[2], Some(&preimage)), 10), unsigned);
    assert_eq!(spend(&opened(keyed.clone(), &[2], None), NOW), Ok(()));
    assert_eq!(spend(&opened(keyed, &[1], None), NOW), unsigned);
    let long = Witness { preimage: Some("07".repeat(33)), signatures: vec![] };
    let mut proof = locked("HTLC", &hash, &json!([]));
    proof.witness = Some(long.to_text().unwrap());
    assert_eq!(spend(&proof, NOW), Err(SpendRule::WrongPreimage), "32 bytes exactly");
}

#[test]
fn nut14_what_is_shown_once_opens_every_note_that_asks_for_it_and_nothing_else_is_told() {
    let (preimage, other) = ([7; 32], [8; 32]);
    let note = |shown: &[u8; 32], tags| locked("HTLC", &hex(&yufu_jose::sha256(shown)), &tags);
    let free = |shown| note(shown, json!([]));
    let open = opened(free(&preimage), &[], Some(&preimage));
    assert_eq!(shown_preimages(&[]), []);
    assert_eq!(shown_preimages(&[free(&preimage)]), [], "nothing is shown");
    assert_eq!(shown_preimages(std::slice::from_ref(&open)), [(0, preimage)]);
    let wrong = opened(free(&other), &[], Some(&preimage));
    assert_eq!(shown_preimages(&[wrong]), [], "it opens nothing");
    let keyed = opened(locked("P2PK", &key(1), &json!([])), &[1], None);
    assert_eq!(shown_preimages(&[keyed, free(&other), open]), [(2, preimage)]);
    // Signed for all, the first witness is that of all.
    let for_all = || note(&preimage, json!([["pubkeys", key(1)], ["sigflag", "SIG_ALL"]]));
    let both = [opened(for_all(), &[1], Some(&preimage)), for_all()];
    assert_eq!(shown_preimages(&both), [(0, preimage), (1, preimage)]);
}

#[test]
fn nut11_a_lock_that_is_written_is_read_as_the_same() {
    let point = |n| Point::from_hex(&key(n)).unwrap();
    let mut lock = Lock::to_key(point(1), 1_900_000_000, point(2));
    let text = lock.to_conditions(&[1; 16]).unwrap().to_text().unwrap();
    assert_eq!(Lock::parse(&text), Ok(Some(lock.clone())));
    lock.hash = Some([3; 32]);
    lock.sig_flag = SigFlag::All;
    lock.receivers = Pathway { keys: vec![point(1), point(4)], needed: 2 };
    let text = lock.to_conditions(&[1; 16]).unwrap().to_text().unwrap();
    assert_eq!(Lock::parse(&text), Ok(Some(lock.clone())));
    lock.receivers.needed = 3;
    assert_eq!(lock.to_conditions(&[1; 16]), Err(LockError::Count("n_sigs")));
}
