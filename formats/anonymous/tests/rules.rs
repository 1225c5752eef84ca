//! What a credential shows and what it hides, and each rule that refuses, by its own name.
#![allow(
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "test code: to fail loudly"
)]

mod support;

use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use support::*;
use yufu_anonymous::*;
use yufu_jose::{decode_base64url, encode_base64url};

const AGE: &str = "age_equal_or_over.18";

fn cinema() -> Context {
    Context::of_party("cinema")
}

/// A presentation, changed as JSON.
fn changed(
    shown: &Presentation,
    change: impl FnOnce(&mut Value),
) -> Result<Presentation, serde_json::Error> {
    let mut document = json!(shown);
    change(&mut document);
    serde_json::from_value(document)
}

/// The bytes of a member, changed.
fn bytes(document: &mut Value, member: &str, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = decode_base64url(document[member].as_str().unwrap()).unwrap();
    change(&mut bytes);
    document[member] = encode_base64url(bytes).into();
}

#[test]
fn a_party_learns_that_somebody_is_of_age_and_nothing_else() {
    let world = World::new();
    let shown = world.person(2).shows(&[AGE], "cinema", &bound("n"));
    shown.verify(&world.terms, &cinema(), &bound("n"), NOW).unwrap();
    assert_eq!(json!(shown.claims()), json!({AGE: true}));
    let document = serde_json::to_string(&shown).unwrap();
    assert!(!document.contains("江城") && !document.contains("number"), "{document}");
    // As much is hidden of everybody: the length says nothing.
    let other = world.person(3).shows(&[AGE], "cinema", &bound("n"));
    assert_eq!(shown.proof_length(), other.proof_length());
    let nothing = world.person(2).shows(&[], "cinema", &bound("n"));
    nothing.verify(&world.terms, &cinema(), &bound("n"), NOW).unwrap();
}

#[test]
fn a_person_has_one_pseudonym_at_a_party_and_another_at_each_other_party() {
    let world = World::new();
    let (li, wang) = (world.person(2), world.person(4));
    let at = |who: &Person, party: &str, nonce: &str| {
        who.shows(&[AGE], party, &bound(nonce)).pseudonym()
    };
    assert_eq!(at(&li, "cinema", "1"), at(&li, "cinema", "2"));
    let all = [
        at(&li, "cinema", "1"),
        at(&li, "club", "1"),
        at(&wang, "cinema", "1"),
        at(&wang, "club", "1"),
    ];
    assert_eq!(BTreeSet::from(all).len(), 4);
}

#[test]
fn a_renewed_credential_keeps_the_pseudonym_and_nothing_else_in_common() {
    let world = World::new();
    let secret = HolderSecret::derive(&[2; 32]).unwrap();
    let (commitment, blinding) = secret.commit().unwrap();
    let entropy = Entropy::derive(&[9; 32]).unwrap();
    let mut shown = Vec::new();
    for weeks in [0, 1] {
        let now = NOW.plus_seconds(weeks * 7 * 86_400);
        let epoch = world.terms.epoch(now);
        let claims = World::claims(true);
        let issued = world.key.issue(&world.terms, epoch, claims, &commitment, &entropy).unwrap();
        let held = issued.hold(world.terms.clone(), &secret, blinding.clone(), now).unwrap();
        assert!(held.is_current(now) && !held.is_current(held.expires_at()));
        let person = Person { secret: secret.clone(), held };
        let one = person.shows(&[AGE], "cinema", &bound("n"));
        one.verify(&world.terms, &cinema(), &bound("n"), now).unwrap();
        let late = one.verify(&world.terms, &cinema(), &bound("n"), now.plus_seconds(7 * 86_400));
        assert_eq!(late, Err(ProofError::Epoch { found: epoch, current: epoch + 1 }));
        shown.push(json!(one));
    }
    assert_eq!(shown[0]["pseudonym"], shown[1]["pseudonym"]);
    assert_ne!(shown[0]["proof"], shown[1]["proof"]);
}

#[test]
fn the_secret_is_the_same_from_the_same_seed() {
    let first = HolderSecret::derive(&[7; 32]).unwrap();
    assert!(first == HolderSecret::derive(&[7; 32]).unwrap());
    assert!(first != HolderSecret::derive(&[8; 32]).unwrap());
    assert_eq!(format!("{first:?}"), "HolderSecret(…)");
    // Two commitments to one secret have nothing in common.
    let (one, two) = (first.commit().unwrap().0, first.commit().unwrap().0);
    assert_ne!(one.point(), two.point());
}

#[test]
fn a_proof_holds_for_one_verifier_one_nonce_one_request_and_one_context() {
    let world = World::new();
    let shown = world.person(2).shows(&[AGE], "cinema", &bound("n"));
    let refused = |context: &Context, bound: &Bound<'_>| {
        assert_eq!(shown.verify(&world.terms, context, bound, NOW), Err(ProofError::Invalid));
    };
    refused(&cinema(), &bound("another nonce"));
    refused(&cinema(), &Bound { audience: "x509_hash:club", ..bound("n") });
    refused(&cinema(), &Bound { request: &[6; 32], ..bound("n") });
    refused(&Context::of_party("club"), &bound("n"));
    // Neither do two members run together into the bytes of others.
    refused(&cinema(), &Bound { audience: "x509_hash:cineman", nonce: "", ..bound("n") });
}

#[test]
fn a_claim_that_was_altered_left_out_or_added_does_not_pass() {
    let world = World::new();
    let minor = world.person(3).shows(&[AGE], "cinema", &bound("n"));
    let verify = |shown: &Presentation| shown.verify(&world.terms, &cinema(), &bound("n"), NOW);
    verify(&minor).unwrap();
    assert_eq!(json!(minor.claims()), json!({AGE: false}));
    let of_age = changed(&minor, |d| d["disclosed"][AGE] = true.into()).unwrap();
    assert_eq!(verify(&of_age), Err(ProofError::Invalid));
    let text = changed(&minor, |d| d["disclosed"][AGE] = "false".into()).unwrap();
    assert_eq!(verify(&text), Err(ProofError::Invalid));
    let unknown = changed(&minor, |d| d["disclosed"] = json!({"is_king": true})).unwrap();
    assert_eq!(verify(&unknown), Err(ProofError::Claims));
    // Another number of hidden claims is another length.
    let more = changed(&minor, |d| d["disclosed"]["number"] = 7.into()).unwrap();
    assert!(matches!(verify(&more), Err(ProofError::Encoding(EncodingError::Length { .. }))));
    let other = changed(&minor, |d| d["disclosed"] = json!({"number": 7})).unwrap();
    assert_eq!(verify(&other), Err(ProofError::Invalid));
    let epoch = changed(&minor, |d| d["epoch"] = 1.into()).unwrap();
    assert!(matches!(verify(&epoch), Err(ProofError::Epoch { found: 1, .. })));
}

#[test]
fn two_people_cannot_pool_what_they_have() {
    let world = World::new();
    let (li, wang) = (world.person(2), world.person(4));
    let names = BTreeSet::from([AGE.to_owned()]);
    // One's credential, the other's secret.
    let mixed = li.held.show(&wang.secret, &names, &cinema(), &bound("n")).unwrap();
    let verified = mixed.verify(&world.terms, &cinema(), &bound("n"), NOW);
    assert_eq!(verified, Err(ProofError::Invalid));
    // One's proof, the other's pseudonym; one's proof, the other's claims.
    let (mine, hers) =
        (li.shows(&[AGE], "cinema", &bound("n")), wang.shows(&[AGE], "cinema", &bound("n")));
    let other = json!(hers);
    let swapped = changed(&mine, |d| d["pseudonym"] = other["pseudonym"].clone()).unwrap();
    let verified = swapped.verify(&world.terms, &cinema(), &bound("n"), NOW);
    assert_eq!(verified, Err(ProofError::Invalid));
    // A pseudonym of one's own at another party.
    let elsewhere = json!(li.shows(&[AGE], "club", &bound("n")));
    let moved = changed(&mine, |d| d["pseudonym"] = elsewhere["pseudonym"].clone()).unwrap();
    let verified = moved.verify(&world.terms, &cinema(), &bound("n"), NOW);
    assert_eq!(verified, Err(ProofError::Invalid));
}

#[test]
fn a_credential_of_another_issuer_or_under_other_terms_does_not_count() {
    let (world, other) = (World::new(), World::of(8));
    let shown = other.person(2).shows(&[AGE], "cinema", &bound("n"));
    let verified = shown.verify(&world.terms, &cinema(), &bound("n"), NOW);
    assert_eq!(verified, Err(ProofError::Invalid));
    let mine = world.person(2).shows(&[AGE], "cinema", &bound("n"));
    let mut terms = json!(world.terms);
    for (member, value) in [
        ("issuer", json!("https://other.example")),
        ("kind", json!("urn:example:2")),
        ("claims", json!(["number", AGE, "address.locality"])),
    ] {
        let before = terms[member].take();
        terms[member] = value;
        let changed: Terms = serde_json::from_value(terms.clone()).unwrap();
        let verified = mine.verify(&changed, &cinema(), &bound("n"), NOW);
        assert_eq!(verified, Err(ProofError::Invalid), "{member}");
        terms[member] = before;
    }
}

#[test]
fn an_issuer_signs_only_its_terms_and_only_for_who_knows_the_secret() {
    let world = World::new();
    let secret = HolderSecret::derive(&[2; 32]).unwrap();
    let (commitment, blinding) = secret.commit().unwrap();
    let entropy = Entropy::derive(&[9; 32]).unwrap();
    let sign = |terms: &Terms, claims: Claims, commitment: &Commitment| {
        world.key.issue(terms, terms.epoch(NOW), claims, commitment, &entropy)
    };
    let all = World::claims(true);
    assert_eq!(sign(&World::of(8).terms, all.clone(), &commitment), Err(IssueError::Key));
    let mut fewer = all.clone();
    fewer.remove("number");
    assert_eq!(sign(&world.terms, fewer.clone(), &commitment), Err(IssueError::Claims));
    fewer.insert("another".to_owned(), ClaimValue::Flag(true));
    assert_eq!(sign(&world.terms, fewer, &commitment), Err(IssueError::Claims));
    // Somebody else's commitment with a proof of one's own.
    let (other, _) = secret.commit().unwrap();
    let point = commitment.point();
    let mixed = [point, &other.as_bytes()[point.len()..]].concat();
    let mixed = Commitment::from_bytes(&mixed).unwrap();
    assert_eq!(sign(&world.terms, all.clone(), &mixed), Err(IssueError::Commitment));

    // What comes back is of no use with another secret, other claims, another epoch, another key.
    let issued = sign(&world.terms, all, &commitment).unwrap();
    let take = |issued: &Issued, terms: &Terms, seed: u8| {
        let secret = HolderSecret::derive(&[seed; 32]).unwrap();
        issued.clone().hold(terms.clone(), &secret, blinding.clone(), NOW).map(|_| ())
    };
    assert_eq!(take(&issued, &world.terms, 2), Ok(()));
    assert_eq!(take(&issued, &world.terms, 3), Err(HoldError::Signature));
    assert_eq!(take(&issued, &World::of(8).terms, 2), Err(HoldError::Signature));
    let other = Issued { claims: World::claims(false), ..issued.clone() };
    assert_eq!(take(&other, &world.terms, 2), Err(HoldError::Signature));
    let entropy = Entropy::derive(&[8; 32]).unwrap();
    let other = Issued { entropy, ..issued.clone() };
    assert_eq!(take(&other, &world.terms, 2), Err(HoldError::Signature));
    let late = Issued { epoch: issued.epoch + 1, ..issued.clone() };
    assert!(matches!(take(&late, &world.terms, 2), Err(HoldError::Epoch { .. })));
}

#[test]
fn terms_have_bounds() {
    let key = IssuerKey::from_seed(&[1; 32]).unwrap().public();
    let terms = |issuer: &str, names: &[&str], days: u32| {
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        Terms::new(issuer, "kind", names, days, key.clone()).map(|_| ())
    };
    assert_eq!(terms("i", &["a"], 31), Ok(()));
    assert_eq!(terms("i", &[], 7), Err(TermsError::Count(0)));
    assert_eq!(terms("i", &["a"; 33], 7), Err(TermsError::Count(33)));
    assert_eq!(terms("", &["a"], 7), Err(TermsError::Name));
    assert_eq!(terms("i", &["a", "b", "a"], 7), Err(TermsError::Twice("a".to_owned())));
    assert_eq!(terms("i", &["a"], 0), Err(TermsError::Epoch(0)));
    assert_eq!(terms("i", &["a"], 32), Err(TermsError::Epoch(32)));
}

#[test]
fn what_is_too_short_too_long_neutral_or_not_reduced_is_refused_by_name() {
    let world = World::new();
    let shown = world.person(2).shows(&[AGE], "cinema", &bound("n"));
    let verify = |shown: &Presentation| shown.verify(&world.terms, &cinema(), &bound("n"), NOW);
    let proof = |change: fn(&mut Vec<u8>)| {
        let changed = changed(&shown, |d| bytes(d, "proof", change)).unwrap();
        verify(&changed).unwrap_err()
    };
    let length = |error| matches!(error, ProofError::Encoding(EncodingError::Length { .. }));
    for change in [
        (|all: &mut Vec<u8>| all.clear()) as fn(&mut Vec<u8>),
        |all| all.truncate(40),
        |all| all.truncate(all.len() - 1),
        |all| all.push(0),
        |all| all.truncate(all.len() - 32),
        |all| all.extend_from_slice(&[0; 32]),
    ] {
        assert!(length(proof(change)));
    }
    // Each point as the neutral one, as no point, as one outside the group; a number that is not reduced.
    fn neutral(all: &mut [u8]) {
        all.fill(0);
        all[0] = 0xc0;
    }
    let named = |error| match error {
        ProofError::Encoding(error) => error,
        other => panic!("{other}"),
    };
    for change in [
        (|all: &mut Vec<u8>| neutral(&mut all[..48])) as fn(&mut Vec<u8>),
        |all| neutral(&mut all[48..96]),
        |all| neutral(&mut all[96..144]),
    ] {
        assert_eq!(named(proof(change)), EncodingError::Neutral("the proof"));
    }
    for change in [
        (|all: &mut Vec<u8>| all[..48].fill(0xbf)) as fn(&mut Vec<u8>),
        |all| all[48] &= 0x7f,
        |all| all[144..176].fill(0xff),
        |all| {
            let end = all.len();
            all[end - 32..].fill(0xff)
        },
    ] {
        assert_eq!(named(proof(change)), EncodingError::Invalid("the proof"));
    }
    // Of the others nothing is read at all.
    let pseudonym = |change: fn(&mut Vec<u8>)| {
        assert!(changed(&shown, |d| bytes(d, "pseudonym", change)).is_err());
    };
    pseudonym(|all| neutral(all));
    pseudonym(|all| all.push(0));
    pseudonym(Vec::clear);
    pseudonym(|all| all[0] &= 0x7f);
    let unpadded = changed(&shown, |d| d["proof"] = "!".into());
    assert!(unpadded.is_err(), "not base64url");
    let extra = changed(&shown, |d| d["more"] = 1.into());
    assert!(extra.is_err(), "a member that nobody knows");
}

#[test]
fn commitments_keys_and_signatures_have_one_encoding() {
    let world = World::new();
    let (commitment, blinding) = HolderSecret::derive(&[2; 32]).unwrap().commit().unwrap();
    let whole = commitment.as_bytes();
    assert_eq!(Commitment::from_bytes(whole), Ok(commitment.clone()));
    for length in [0, 1, 47, 48, 144, whole.len() - 1, whole.len() - 32] {
        let short = Commitment::from_bytes(&whole[..length]);
        assert!(matches!(short, Err(EncodingError::Length { .. })), "{length}");
    }
    let mut neutral = whole.to_vec();
    neutral[..48].fill(0);
    neutral[0] = 0xc0;
    assert_eq!(Commitment::from_bytes(&neutral), Err(EncodingError::Neutral("the commitment")));
    let mut unreduced = whole.to_vec();
    unreduced[48..80].fill(0xff);
    assert_eq!(Commitment::from_bytes(&unreduced), Err(EncodingError::Invalid("the commitment")));

    let read = |text: &str| serde_json::from_value::<IssuerPublicKey>(text.into());
    let key = json!(world.key.public());
    assert!(read(key.as_str().unwrap()).is_ok());
    let mut point = [0; 96];
    point[0] = 0xc0;
    assert!(read(&encode_base64url(point)).is_err(), "the neutral key signs everything");
    assert!(read(&encode_base64url([0x80; 96])).is_err());
    assert!(read(&encode_base64url([0x80; 95])).is_err());
    assert!(serde_json::from_value::<Blinding>(encode_base64url([1; 31]).into()).is_err());
    assert!(serde_json::from_value::<Signature>(encode_base64url(&point[..80]).into()).is_err());
    assert!(serde_json::from_value::<Entropy>(encode_base64url([0xff; 32]).into()).is_err());
    assert_eq!(format!("{blinding:?}"), "Blinding(…)");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Whatever bit of a presentation is another, it does not pass.
    #[test]
    fn no_bit_of_a_proof_or_pseudonym_can_be_changed(place in 0_usize..10_000, bit in 0_u8..8) {
        let world = World::new();
        let shown = world.person(2).shows(&[AGE], "cinema", &bound("n"));
        for member in ["proof", "pseudonym"] {
            let flipped = changed(&shown, |d| bytes(d, member, |all| {
                let place = place % all.len();
                all[place] ^= 1 << bit;
            }));
            let passes = flipped.is_ok_and(|shown| {
                shown.verify(&world.terms, &cinema(), &bound("n"), NOW).is_ok()
            });
            prop_assert!(!passes);
        }
    }
}
