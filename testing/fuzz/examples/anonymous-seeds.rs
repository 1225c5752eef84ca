//! Writes the seeds of the target `anonymous`: each message as it should be, and broken in one place.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a tool of this crate: to fail loudly"
)]

use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::Path;
use yufu_anonymous::{Bound, ClaimValue, Claims, Context, Entropy, HolderSecret, IssuerKey, Terms};
use yufu_base::Timestamp;
use yufu_jose::{decode_base64url, encode_base64url};
use yufu_pseudonym::Kept;

const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

fn main() {
    // Another issuer than that of the target: what is good here is believed nowhere there.
    let key = IssuerKey::from_seed(&[9; 32]).unwrap();
    let names = vec!["age_equal_or_over.18".to_owned(), "address.locality".to_owned()];
    let terms = Terms::new("https://id.example", "urn:example:1", names, 7, key.public()).unwrap();
    let secret = HolderSecret::derive(&[8; 32]).unwrap();
    let (commitment, blinding) = secret.commit().unwrap();
    let claims = Claims::from([
        ("age_equal_or_over.18".to_owned(), ClaimValue::Flag(true)),
        ("address.locality".to_owned(), ClaimValue::Text("江城".to_owned())),
    ]);
    let entropy = Entropy::derive(&[3; 32]).unwrap();
    let issued = key.issue(&terms, terms.epoch(NOW), claims, &commitment, &entropy).unwrap();
    let kept = Kept::fresh(&terms, &secret).unwrap();
    let held = issued.clone().hold(terms.clone(), &secret, blinding, NOW).unwrap();
    let bound = Bound { audience: "a", nonce: "n", request: &[0; 32] };
    let names = BTreeSet::from(["age_equal_or_over.18".to_owned()]);
    let shown = json!(held.show(&secret, &names, &Context::of_party("p"), &bound).unwrap());
    for (name, document) in [
        ("terms", json!(terms)),
        ("issued", json!(issued)),
        ("kept", json!(kept)),
        ("held", json!(held)),
        ("request", json!({"commitment": commitment})),
        ("shown", shown.clone()),
    ] {
        write(name, document.to_string().as_bytes());
    }
    let broken = |member: &str, change: fn(&mut Vec<u8>)| -> Value {
        let mut document = shown.clone();
        let mut bytes = decode_base64url(shown[member].as_str().unwrap()).unwrap();
        change(&mut bytes);
        document[member] = encode_base64url(bytes).into();
        document
    };
    for (name, document) in [
        ("proof-short", broken("proof", |all| all.truncate(47))),
        ("proof-empty", broken("proof", Vec::clear)),
        ("proof-long", broken("proof", |all| all.push(0))),
        ("proof-flipped", broken("proof", |all| all[60] ^= 1)),
        ("proof-unreduced", broken("proof", |all| all[144..176].fill(0xff))),
        (
            "proof-neutral",
            broken("proof", |all| {
                all[..96].fill(0);
                all[0] = 0xc0;
                all[48] = 0xc0;
            }),
        ),
        (
            "pseudonym-neutral",
            broken("pseudonym", |all| {
                all.fill(0);
                all[0] = 0xc0;
            }),
        ),
        ("pseudonym-short", broken("pseudonym", |all| all.truncate(40))),
    ] {
        write(name, document.to_string().as_bytes());
    }
    write("commitment-neutral", &neutral(commitment.as_bytes()));
    write("commitment-short", &commitment.as_bytes()[..100]);
    let mut other = commitment.as_bytes().to_vec();
    other[100] ^= 1;
    write("commitment-flipped", &other);
}

fn neutral(bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[..48].fill(0);
    bytes[0] = 0xc0;
    bytes
}

fn write(name: &str, bytes: &[u8]) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus/anonymous");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join(name), bytes).unwrap();
}
