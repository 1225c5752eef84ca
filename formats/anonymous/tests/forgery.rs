//! Why neutral points are refused before the library sees them: `zkryptium` 0.8.0 takes them, and with them anybody
//! proves anything under any key, without a credential. The proof is made here, and the library's own verifier believes
//! it; ours does not. (draft-irtf-cfrg-bbs-signatures, 4.2.4.5: a verifier must refuse the identity.)
#![allow(
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "test code: to fail loudly"
)]

mod support;

use bls12_381_plus::elliptic_curve::hash2curve::ExpandMsgXmd;
use bls12_381_plus::group::Curve;
use bls12_381_plus::{G1Projective, Scalar};
use serde_json::json;
use support::*;
use yufu_anonymous::*;
use yufu_jose::{decode_base64url, encode_base64url};
use zkryptium::bbsplus::ciphersuites::{BbsCiphersuite, Bls12381Sha256};
use zkryptium::bbsplus::generators::Generators;
use zkryptium::bbsplus::keys::BBSplusPublicKey;
use zkryptium::bbsplus::pseudonym::BBSplusPseudonym;
use zkryptium::schemes::algorithms::BbsBls12381Sha256;
use zkryptium::schemes::generics::PoKSignature;
use zkryptium::utils::util::bbsplus_utils::hash_to_scalar;

const API: &[u8] = Bls12381Sha256::API_ID_NYM;

fn scalar(bytes: &[u8], suffix: &[u8]) -> Scalar {
    hash_to_scalar::<Bls12381Sha256>(bytes, &[API, suffix].concat()).unwrap()
}

fn counted(bytes: &[u8]) -> Vec<u8> {
    [&(bytes.len() as u64).to_be_bytes(), bytes].concat()
}

/// What is public about a credential, and what is to be proven of it.
struct Target<'a> {
    key: &'a [u8],
    header: &'a [u8],
    disclosed: &'a [(usize, Vec<u8>)],
    total: usize,
    context: &'a [u8],
    bound: &'a [u8],
}

/// A proof without a credential, and the pseudonym that goes with it.
fn forge(target: &Target<'_>) -> (Vec<u8>, Vec<u8>) {
    let blind = [b"BLIND_", API].concat();
    let signed = Generators::create::<Bls12381Sha256>(target.total + 1, Some(API));
    let hidden = Generators::create::<Bls12381Sha256>(SECRETS + 1, Some(&blind));
    let all: Vec<G1Projective> = [signed.values.clone(), hidden.values].concat();
    let compressed = |point: &G1Projective| point.to_affine().to_compressed();

    let header = [target.header, &(SECRETS as u64).to_be_bytes()].concat();
    let mut domain = target.key.to_vec();
    domain.extend_from_slice(&(all.len() as u64 - 1).to_be_bytes());
    all.iter().for_each(|point| domain.extend_from_slice(&compressed(point)));
    domain.extend_from_slice(API);
    domain.extend_from_slice(&counted(&header));
    let domain = scalar(&domain, b"H2S_");

    let mut point = signed.g1_base_point + all[0] * domain;
    let mut challenge = (target.disclosed.len() as u64).to_be_bytes().to_vec();
    for (place, message) in target.disclosed {
        let message = scalar(message, b"MAP_MSG_TO_SCALAR_AS_HASH_");
        point += all[place + 1] * message;
        challenge.extend_from_slice(&(*place as u64).to_be_bytes());
        challenge.extend_from_slice(&message.to_be_bytes());
    }
    let places = (0..all.len() - 1).filter(|at| target.disclosed.iter().all(|(d, _)| d != at));
    let hidden: Vec<usize> = places.collect();
    let number = |n: usize| Scalar::from(n as u64 + 3);
    let (values, masks): (Vec<Scalar>, Vec<Scalar>) =
        hidden.iter().map(|at| (number(*at), number(at + 1_000))).unzip();
    // With the neutral point for both, the equation of pairings says nothing, and this is all that is to be known.
    let neutral = G1Projective::IDENTITY;
    let mut third = point;
    let (one, two) = (number(5_000), number(6_000));
    let mut second = G1Projective::IDENTITY;
    for ((at, value), mask) in hidden.iter().zip(&values).zip(&masks) {
        third += all[at + 1] * value;
        second += all[at + 1] * mask;
    }
    second += third * two;
    let first = third * one;

    let base = G1Projective::hash::<ExpandMsgXmd<sha2_bls::Sha256>>(target.context, API);
    let z = scalar(target.context, b"VECT_NYM_SECRETS");
    let power = |values: &[Scalar]| {
        let last = values[values.len() - SECRETS..].iter().rev();
        last.fold(Scalar::ZERO, |sum, value| sum * z + value)
    };
    let (pseudonym, witness) = (base * power(&values), base * power(&masks));
    for point in [&neutral, &neutral, &third, &first, &second, &pseudonym, &witness] {
        challenge.extend_from_slice(&compressed(point));
    }
    challenge.extend_from_slice(&domain.to_be_bytes());
    challenge.extend_from_slice(&counted(target.bound));
    challenge.extend_from_slice(&counted(target.context));
    let challenge = scalar(&challenge, b"H2S_");

    let mut proof: Vec<u8> =
        [&neutral, &neutral, &third].into_iter().flat_map(compressed).collect();
    let responses = values.iter().zip(&masks).map(|(value, mask)| mask + value * challenge);
    // For the exponent that does not matter, for the zero that makes the second point neutral, for the one.
    for response in
        [number(1), one, two - challenge].into_iter().chain(responses).chain([challenge])
    {
        proof.extend_from_slice(&response.to_be_bytes());
    }
    (proof, compressed(&pseudonym).to_vec())
}

/// The library's verifier.
fn library_believes(target: &Target<'_>, proof: &[u8], pseudonym: &[u8]) -> bool {
    let (places, messages): (Vec<usize>, Vec<Vec<u8>>) = target.disclosed.iter().cloned().unzip();
    let proof = PoKSignature::<BbsBls12381Sha256>::from_bytes(proof).unwrap();
    let verified = proof.proof_verify_with_nym(
        &BBSplusPublicKey::from_bytes(target.key).unwrap(),
        Some(target.header),
        Some(target.bound),
        &BBSplusPseudonym::from_bytes(pseudonym).unwrap(),
        target.context,
        SECRETS,
        Some(target.total),
        Some(&messages),
        None,
        Some(&places),
        None,
    );
    verified.is_ok()
}

#[test]
fn a_proof_of_neutral_points_is_believed_by_the_library_and_refused_here() {
    let world = World::new();
    let key = json!(world.key.public());
    let key = decode_base64url(key.as_str().unwrap()).unwrap();
    let disclosed = [(1, b"whatever is to be believed".to_vec())];
    let target = Target {
        key: &key,
        header: b"any header",
        disclosed: &disclosed,
        total: 3,
        context: b"any party",
        bound: b"any request",
    };
    let (proof, pseudonym) = forge(&target);
    assert!(
        library_believes(&target, &proof, &pseudonym),
        "the library refuses it now: say so here, in `encoding.rs` and in ADR 0037"
    );

    // As it would come over the wire, with the length that ours expects.
    let forged = json!({
        "epoch": world.terms.epoch(NOW),
        "disclosed": {"age_equal_or_over.18": true},
        "pseudonym": encode_base64url(&pseudonym),
        "proof": encode_base64url(&proof),
    });
    let forged: Presentation = serde_json::from_value(forged).unwrap();
    let refused = forged.verify(&world.terms, &Context::of_party("cinema"), &bound("n"), NOW);
    assert_eq!(refused, Err(ProofError::Encoding(EncodingError::Neutral("the proof"))));
}
