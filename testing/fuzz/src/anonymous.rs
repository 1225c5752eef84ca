//! Hostile bytes for what reads anonymous credentials: presentations, commitments, what an issuer answers, its terms.

use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt::Debug;
use std::sync::LazyLock;
use yufu_anonymous::{
    Blinding, Bound, Claims, Commitment, Context, Entropy, HeldCredential, HolderSecret, Issued,
    IssuerKey, Presentation, Terms,
};
use yufu_base::Timestamp;
use yufu_jose::parse_json;
use yufu_pseudonym::{CredentialRequest, Kept};

const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

/// An issuer whose credentials nobody has.
struct World {
    key: IssuerKey,
    terms: Terms,
    secret: HolderSecret,
}

static WORLD: LazyLock<Option<World>> = LazyLock::new(|| {
    let key = IssuerKey::from_seed(&[1; 32]).ok()?;
    let names = vec!["age_equal_or_over.18".to_owned(), "address.locality".to_owned()];
    let terms = Terms::new("https://id.example", "urn:example:1", names, 7, key.public()).ok()?;
    let secret = HolderSecret::derive(&[2; 32]).ok()?;
    Some(World { key, terms, secret })
});

/// Takes `bytes` for each message about anonymous credentials.
///
/// # Panics
/// If a message that is read and written again is read as another, or something that nobody made is believed.
pub fn anonymous(bytes: &[u8]) {
    let Some(world) = &*WORLD else { return };
    if let Some(shown) = read::<Presentation>(bytes) {
        let bound = Bound { audience: "a", nonce: "n", request: &[0; 32] };
        let verified = shown.verify(&world.terms, &Context::of_party("p"), &bound, NOW);
        assert!(verified.is_err(), "nobody made this proof");
    }
    if let Some(issued) = read::<Issued>(bytes)
        && let Ok((_, blinding)) = world.secret.commit()
    {
        let held = issued.hold(world.terms.clone(), &world.secret, blinding, NOW);
        assert!(held.is_err(), "nobody signed this");
    }
    if let Some(request) = read::<CredentialRequest>(bytes) {
        drop(signed(world, &request.commitment));
    }
    if let Ok(commitment) = Commitment::from_bytes(bytes) {
        let again = Commitment::from_bytes(commitment.as_bytes());
        assert_eq!(again.as_ref(), Ok(&commitment), "a commitment is read as another");
        assert!(signed(world, &commitment).is_none(), "its bytes came without its secret");
    }
    drop(read::<Terms>(bytes));
    drop(read::<Kept>(bytes));
    drop(read::<HeldCredential>(bytes));
    drop(read::<Blinding>(bytes));
}

/// What the issuer answers, if it does.
fn signed(world: &World, commitment: &Commitment) -> Option<Issued> {
    let entropy = Entropy::derive(&[3; 32]).ok()?;
    let claims: Claims = world
        .terms
        .claims()
        .iter()
        .map(|name| (name.clone(), yufu_anonymous::ClaimValue::Flag(true)))
        .collect();
    world.key.issue(&world.terms, world.terms.epoch(NOW), claims, commitment, &entropy).ok()
}

/// A message, which is the same after it was written and read again.
fn read<T: Serialize + DeserializeOwned + PartialEq + Debug>(bytes: &[u8]) -> Option<T> {
    let message: T = parse_json(bytes).ok()?;
    let written = serde_json::to_vec(&message).unwrap_or_default();
    let again: Option<T> = parse_json(&written).ok();
    assert_eq!(again.as_ref(), Some(&message), "a message is read as another");
    Some(message)
}
