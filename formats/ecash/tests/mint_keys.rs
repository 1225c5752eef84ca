//! A mint's keys: what determines them, and what they refuse.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    missing_docs,
    reason = "test code: to fail loudly"
)]

use yufu_ecash::{
    BatchError, KeysetId, KeysetPlan, KeysetSigner, MintKeys, Note, PlanError, SigningError,
    hash_to_curve,
};

fn plan() -> KeysetPlan {
    KeysetPlan {
        unit: "xts".to_owned(),
        generation: 1,
        denominations: 64,
        input_fee_ppk: 0,
        final_expiry: Some(1_900_000_000),
    }
}

fn id(seed: u8, plan: &KeysetPlan) -> KeysetId {
    MintKeys::derive(&[seed; 32], plan).unwrap().keyset().id
}

#[test]
fn the_same_seed_and_plan_give_the_same_keys_and_any_other_gives_others() {
    let first = id(1, &plan());
    assert_eq!(id(1, &plan()), first);
    assert_ne!(id(2, &plan()), first);
    let changes: [fn(&mut KeysetPlan); 5] = [
        |p| p.unit = "xtt".to_owned(),
        |p| p.generation = 2,
        |p| p.denominations = 63,
        |p| p.input_fee_ppk = 1,
        |p| p.final_expiry = None,
    ];
    for change in changes {
        let mut other = plan();
        change(&mut other);
        assert_ne!(id(1, &other), first);
    }
}

#[test]
fn a_unit_or_generation_of_its_own_has_keys_of_its_own() {
    let keys = |plan: &KeysetPlan| MintKeys::derive(&[1; 32], plan).unwrap().keyset().keys.clone();
    let first = keys(&plan());
    for other in
        [KeysetPlan { unit: "xtt".to_owned(), ..plan() }, KeysetPlan { generation: 2, ..plan() }]
    {
        assert!(keys(&other).iter().all(|(amount, key)| first[amount] != *key));
    }
}

#[test]
fn a_published_keyset_passes_a_wallets_check_and_has_powers_of_two() {
    let mint = MintKeys::derive(&[1; 32], &plan()).unwrap();
    mint.keyset().check().unwrap();
    let amounts: Vec<u64> = mint.keyset().keys.keys().copied().collect();
    assert_eq!(amounts, (0..64).map(|bit| 1_u64 << bit).collect::<Vec<_>>());
    assert!(!mint.keyset().expired(1_899_999_999) && mint.keyset().expired(1_900_000_000));
    assert!(!format!("{mint:?}").contains("0101"));
}

#[test]
fn plans_that_are_none_are_refused_by_name() {
    let derive = |plan: &KeysetPlan| MintKeys::derive(&[1; 32], plan).unwrap_err();
    for denominations in [0, 65] {
        let plan = KeysetPlan { denominations, ..plan() };
        assert_eq!(derive(&plan), PlanError::Denominations(denominations));
    }
    for unit in ["", "XTS", "x|t"] {
        assert_eq!(derive(&KeysetPlan { unit: unit.to_owned(), ..plan() }), PlanError::Unit);
    }
}

#[test]
fn an_amount_without_a_key_and_a_batch_without_weights_are_refused() {
    let mint = MintKeys::derive(&[1; 32], &KeysetPlan { denominations: 4, ..plan() }).unwrap();
    let hashed = hash_to_curve(b"x").unwrap();
    assert_eq!(mint.sign(16, &hashed), Err(SigningError::Amount(16)));
    assert_eq!(mint.sign(3, &hashed), Err(SigningError::Amount(3)));
    let signature = mint.sign(8, &hashed).unwrap().signature;
    let note = Note { amount: 8, hashed, signature };
    assert_eq!(mint.verify(&[note], &[]), Err(SigningError::Batch(BatchError::Weights)));
    assert_eq!(mint.verify(&[note, Note { amount: 4, ..note }], &[1, 2]), Ok(vec![1]));
}
