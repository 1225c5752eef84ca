//! The library gives the values of the draft that it and we say: draft-irtf-cfrg-bbs-per-verifier-linkability-03,
//! suite BLS12-381-SHA-256. Its proofs are drawn at random, so theirs are verified, and not made again.
#![allow(
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "test code: to fail loudly"
)]

use serde::Deserialize;
use zkryptium::bbsplus::commitment::BlindFactor;
use zkryptium::bbsplus::keys::{BBSplusPublicKey, BBSplusSecretKey};
use zkryptium::bbsplus::pseudonym::{BBSplusPseudonym, PseudonymSecret};
use zkryptium::schemes::algorithms::BbsBls12381Sha256;
use zkryptium::schemes::generics::{BlindSignature, PoKSignature};

#[derive(Deserialize)]
struct Vectors {
    signatures: Vec<Signature>,
    proofs: Vec<Proof>,
}

#[derive(Deserialize)]
struct Signature {
    name: String,
    secret_key: String,
    public_key: String,
    entropy: String,
    secrets: Vec<String>,
    blinding: String,
    commitment: String,
    header: String,
    messages: Vec<String>,
    signature: String,
    signed_secrets: Vec<String>,
}

#[derive(Deserialize)]
struct Proof {
    name: String,
    public_key: String,
    header: String,
    presentation_header: String,
    context: String,
    pseudonym: String,
    secrets: usize,
    messages: usize,
    shown: Vec<(usize, String)>,
    shown_committed: Vec<(usize, String)>,
    proof: String,
}

fn vectors() -> Vectors {
    serde_json::from_str(include_str!("vectors.json")).unwrap()
}

fn hex(text: &str) -> Vec<u8> {
    let byte = |at: usize| u8::from_str_radix(&text[at..at + 2], 16).unwrap();
    (0..text.len()).step_by(2).map(byte).collect()
}

fn number(text: &str) -> PseudonymSecret {
    PseudonymSecret::from_bytes(&hex(text).try_into().unwrap()).unwrap()
}

#[test]
fn commitments_are_signed_and_finished_as_the_draft_says() {
    for vector in vectors().signatures {
        let key = BBSplusPublicKey::from_bytes(&hex(&vector.public_key)).unwrap();
        let messages: Vec<Vec<u8>> = vector.messages.iter().map(|text| hex(text)).collect();
        let header = hex(&vector.header);
        let secrets: Vec<PseudonymSecret> =
            vector.secrets.iter().map(|text| number(text)).collect();
        let signature = BlindSignature::<BbsBls12381Sha256>::blind_sign_with_nym(
            &BBSplusSecretKey::from_bytes(&hex(&vector.secret_key)).unwrap(),
            &key,
            Some(&hex(&vector.commitment)),
            secrets.len(),
            Some(&header),
            &number(&vector.entropy),
            Some(&messages),
        );
        let signature = signature.unwrap();
        assert_eq!(signature.to_bytes().to_vec(), hex(&vector.signature), "{}", vector.name);
        let finished = signature.verify_finalize_with_nym(
            &key,
            Some(&header),
            Some(&messages),
            None,
            secrets,
            Some(&number(&vector.entropy)),
            Some(&BlindFactor::from_bytes(&hex(&vector.blinding).try_into().unwrap()).unwrap()),
        );
        let expected: Vec<PseudonymSecret> =
            vector.signed_secrets.iter().map(|text| number(text)).collect();
        assert_eq!(finished.unwrap(), expected, "{}", vector.name);
    }
}

#[test]
fn the_proofs_of_the_draft_are_believed_and_those_with_one_bit_changed_are_not() {
    for vector in vectors().proofs {
        let split = |shown: &[(usize, String)]| -> (Vec<usize>, Vec<Vec<u8>>) {
            shown.iter().map(|(place, text)| (*place, hex(text))).unzip()
        };
        let (places, messages) = split(&vector.shown);
        let (committed_places, committed) = split(&vector.shown_committed);
        let verify = |proof: &[u8]| {
            PoKSignature::<BbsBls12381Sha256>::from_bytes(proof)?.proof_verify_with_nym(
                &BBSplusPublicKey::from_bytes(&hex(&vector.public_key))?,
                Some(&hex(&vector.header)),
                Some(&hex(&vector.presentation_header)),
                &BBSplusPseudonym::from_bytes(&hex(&vector.pseudonym))?,
                &hex(&vector.context),
                vector.secrets,
                Some(vector.messages),
                Some(&messages),
                Some(&committed),
                Some(&places),
                Some(&committed_places),
            )
        };
        let mut proof = hex(&vector.proof);
        assert!(verify(&proof).is_ok(), "{}", vector.name);
        let end = proof.len() - 1;
        proof[end] ^= 1;
        assert!(verify(&proof).is_err(), "{}", vector.name);
    }
}
