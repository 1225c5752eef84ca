//! What the cryptography of notes costs, in microseconds for each operation, the best of several
//! rounds: ours, the bare operations of the curve beneath, and the crate `cashu`, in one run.
//! `cargo run --release -p yufu-ecash --example crypto`
#![expect(clippy::arithmetic_side_effects, reason = "operators of curve points, and small numbers")]

use cashu::dhke;
use k256::elliptic_curve::PrimeField;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use secp256k1::{PublicKey, SECP256K1, Scalar, SecretKey};
use std::hint::black_box;
use std::time::Instant;
use yufu_ecash::{
    Claim, KeysetPlan, KeysetSigner, MintKey, MintKeys, Note, Point, SecretScalar, blind,
    hash_to_curve, verify_batch,
};

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

/// Prints the time of one `work`, the best of a hundred rounds of about half a millisecond.
#[expect(clippy::disallowed_methods, reason = "this measures")]
#[expect(clippy::float_arithmetic, reason = "microseconds are shown with decimals")]
fn time<T>(name: &str, items: u32, mut work: impl FnMut() -> T) {
    let mut best = f64::MAX;
    let mut rounds = 1;
    for _ in 0..100 {
        let start = Instant::now();
        for _ in 0..rounds {
            black_box(work());
        }
        let each = start.elapsed().as_secs_f64() * 1e6 / f64::from(rounds);
        best = best.min(each / f64::from(items));
        rounds = ((500.0 / each).clamp(1.0, 10_000.0)).round().to_string().parse().unwrap_or(1);
    }
    println!("{name:<52} {best:8.2}");
}

fn main() -> Outcome<()> {
    println!("{:<52} {:>8}", "operation", "us");
    bare()?;
    ours()?;
    batches()?;
    foreign()
}

fn bare() -> Outcome<()> {
    println!("-- bare: libsecp256k1 and k256");
    let secret = SecretKey::from_byte_array([7; 32])?;
    let point = SecretKey::from_byte_array([9; 32])?.public_key(SECP256K1);
    let other = secret.public_key(SECP256K1);
    let bytes = point.serialize();
    time("libsecp256k1: read a compressed point", 1, || PublicKey::from_slice(&bytes));
    time("libsecp256k1: secret times generator, constant time", 1, || secret.public_key(SECP256K1));
    time("libsecp256k1: secret times point, constant time", 1, || {
        secp256k1::ecdh::shared_secret_point(&point, &secret)
    });
    time("libsecp256k1: number times point, variable time", 1, || {
        point.mul_tweak(SECP256K1, &Scalar::from(secret))
    });
    time("libsecp256k1: add two points", 1, || point.combine(&other));
    let number = k256::Scalar::from_repr([7; 32].into());
    let number = Option::<k256::Scalar>::from(number).ok_or("no number")?;
    let product = k256::ProjectivePoint::GENERATOR * number;
    time("k256: secret times point, constant time", 1, || product * number);
    time("yufu-jose: SHA-256 of 36 bytes", 1, || yufu_jose::sha256(&[1; 36]));
    Ok(())
}

fn ours() -> Outcome<()> {
    println!("-- ours");
    let key = MintKey::from_bytes(&[7; 32])?;
    let factor = SecretScalar::from_bytes(&[5; 32])?;
    let bytes = key.public().to_bytes();
    time("read a compressed point", 1, || Point::from_bytes(&bytes));
    let mut counter = 0_u64;
    time("hash a secret to a point", 1, || {
        counter = counter.wrapping_add(1);
        hash_to_curve(&counter.to_be_bytes())
    });
    let secret = "0123456789abcdef".repeat(4);
    let message = blind(secret.as_bytes(), &factor)?;
    let hashed = hash_to_curve(secret.as_bytes())?;
    let promise = key.sign(&message)?;
    let signature = yufu_ecash::unblind(&promise.signature, &factor, &key.public())?;
    time("sign with proof (NUT-12), key cached", 1, || key.sign(&message));
    for count in [2, 8, 16, 32, 64] {
        let message = |n: u32| hash_to_curve(&n.to_be_bytes()).map(|point| (&key, point));
        let messages = (0..count).map(message).collect::<Result<Vec<_>, _>>()?;
        let name = format!("sign {count} with proofs beside each other");
        time(&name, count, || MintKey::sign_all(&messages));
    }
    time("verify a signature, secret hashed before", 1, || key.verifies(&hashed, &signature));
    time("hash and verify a signature", 1, || {
        hash_to_curve(secret.as_bytes()).map(|hashed| key.verifies(&hashed, &signature))
    });
    time("wallet: blind", 1, || blind(secret.as_bytes(), &factor));
    time("wallet: unblind", 1, || yufu_ecash::unblind(&promise.signature, &factor, &key.public()));
    time("wallet: verify a proof (NUT-12)", 1, || {
        promise.dleq.verify(&key.public(), &message, &promise.signature)
    });
    Ok(())
}

/// Notes of `denominations` denominations in turn, and weights.
fn notes(mint: &MintKeys, count: u32, denominations: u32) -> Outcome<(Vec<Note>, Vec<u128>)> {
    let mut random = ChaCha20Rng::seed_from_u64(1);
    let mut notes = Vec::new();
    let mut weights = Vec::new();
    for index in 0..count {
        let amount = 1_u64 << (index % denominations);
        let hashed = hash_to_curve(&index.to_be_bytes())?;
        notes.push(Note { amount, hashed, signature: mint.sign(amount, &hashed)?.signature });
        weights.push((u128::from(random.next_u64()) << 64) | u128::from(random.next_u64()));
    }
    Ok((notes, weights))
}

fn batches() -> Outcome<()> {
    println!("-- ours, in batches: for each note, secrets hashed before");
    let plan = KeysetPlan {
        unit: "xts".to_owned(),
        generation: 1,
        denominations: 20,
        input_fee_ppk: 0,
        final_expiry: None,
    };
    let mint = MintKeys::derive(&[1; 32], &plan)?;
    for denominations in [1, 4, 8, 16] {
        for count in [4, 16, 64, 256, 1024] {
            let (notes, weights) = notes(&mint, count, denominations)?;
            let name = format!("verify {count} notes of {denominations} denominations");
            time(&name, count, || mint.verify(&notes, &weights));
        }
    }
    let (mut bad, weights) = notes(&mint, 64, 4)?;
    if let Some(note) = bad.get_mut(9) {
        note.signature = note.hashed;
    }
    time("verify 64 notes of 4 denominations, one bad", 64, || mint.verify(&bad, &weights));
    let key = MintKey::from_bytes(&[7; 32])?;
    let claims: Vec<Claim<'_>> = (0..64_u32)
        .map(|index| {
            let hashed = hash_to_curve(&index.to_be_bytes())?;
            Ok(Claim { key: &key, hashed, signature: key.sign(&hashed)?.signature })
        })
        .collect::<Outcome<_>>()?;
    time("verify 64 notes of one key, hashing included", 64, || {
        let hashed: Vec<Point> =
            (0..64_u32).filter_map(|i| hash_to_curve(&i.to_be_bytes()).ok()).collect();
        (hashed, verify_batch(&claims, &weights))
    });
    Ok(())
}

fn foreign() -> Outcome<()> {
    println!("-- the crate cashu 0.18.3");
    let secret = cashu::SecretKey::from_slice(&[7; 32])?;
    let mut counter = 0_u64;
    time("hash_to_curve", 1, || {
        counter = counter.wrapping_add(1);
        dhke::hash_to_curve(&counter.to_be_bytes())
    });
    let message = dhke::hash_to_curve(b"message")?;
    let signature = dhke::sign_message(&secret, &message)?;
    time("sign_message (no proof)", 1, || dhke::sign_message(&secret, &message));
    let id: cashu::nuts::Id = "009a1f293253e41e".parse()?;
    let sign = || {
        let signature = dhke::sign_message(&secret, &message)?;
        let amount = cashu::Amount::from(1);
        Ok::<_, Box<dyn std::error::Error>>(cashu::BlindSignature::new(
            amount, signature, id, &message, &secret,
        )?)
    };
    time("sign_message and BlindSignature::new (NUT-12)", 1, sign);
    time("verify_message (hashes)", 1, || dhke::verify_message(&secret, signature, b"message"));
    let promise = sign()?;
    let key = secret.public_key();
    time("BlindSignature::verify_dleq", 1, || promise.verify_dleq(key, message));
    Ok(())
}
