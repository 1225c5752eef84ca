//! An issuance and a showing, and each rule that refuses, by its own name.
#![allow(
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "test code: to fail loudly"
)]

use serde_json::{Value, json};
use yufu_anonymous::{
    ClaimValue, Claims, HeldCredential, HoldError, HolderSecret, IssuerKey, Presentation,
    ProofError, Terms,
};
use yufu_base::{Signer, Timestamp};
use yufu_fixtures::{Party, key, party};
use yufu_jose::{Header, sign};
use yufu_openid4vc::presentation::RequestObject;
use yufu_pseudonym::*;
use yufu_trust::{GoodPaths, Localized, Role, TrustEntry, TrustList};

const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);
const ISSUER: &str = "https://id.example/authority";
const AGE: &str = "age_equal_or_over.18";

struct World {
    key: IssuerKey,
    terms: Terms,
    authority: Party,
    trust: TrustList,
}

impl World {
    fn new() -> Self {
        let key = IssuerKey::from_seed(&[1; 32]).unwrap();
        let names = [AGE, "address.locality"].map(str::to_owned).to_vec();
        let terms = Terms::new(ISSUER, "urn:example:1", names, 7, key.public()).unwrap();
        let authority = party();
        let anchors = std::slice::from_ref(&authority.anchor);
        let name = Localized::new("en", "Authority");
        let trust = TrustList {
            operator: "https://trust.example".into(),
            sequence: 1,
            issued_at: NOW,
            expires_at: NOW.plus_seconds(30 * 86_400),
            entries: vec![TrustEntry::new(name, Role::PidIssuer, ISSUER, anchors)],
            recognised: Vec::new(),
            directory: Vec::new(),
            good_paths: GoodPaths::default(),
        };
        Self { key, terms, authority, trust }
    }

    /// A wallet's credential, got under a commitment that it keeps.
    fn issue(&self, secret: &HolderSecret, kept: &Kept, now: Timestamp) -> HeldCredential {
        let (committed, request) = kept.clone().ask(self.terms.clone()).unwrap();
        let wanted = Wanted::from(request);
        let entropy = yufu_jose::sha256(wanted.registers().as_bytes());
        let registered = wanted.registered(&entropy).unwrap();
        let issued = registered.issue(&self.key, &self.terms, claims(), now).unwrap();
        committed.handle(issued, secret, now).unwrap()
    }

    fn person(&self, seed: u8) -> (HolderSecret, HeldCredential) {
        let secret = HolderSecret::derive(&[seed; 32]).unwrap();
        let kept = Kept::fresh(&self.terms, &secret).unwrap();
        let held = self.issue(&secret, &kept, NOW);
        (secret, held)
    }
}

fn claims() -> Claims {
    Claims::from([
        (AGE.to_owned(), ClaimValue::Flag(true)),
        ("address.locality".to_owned(), ClaimValue::Text("江城".to_owned())),
    ])
}

/// A request of `party`, signed: the payload can be changed before.
fn asks(party: &str, nonce: &str, change: impl FnOnce(&mut Value)) -> String {
    let registration = sign(
        &Header::typed("rc"),
        json!({
            "sub": party, "name": [{"lang": "en", "value": party}], "client_id": format!("x509_hash:{party}"),
            "origins": ["https://rp.example"], "purpose": [{"lang": "en", "value": "p"}], "credentials": [],
            "privacy_policy": "x", "support_uri": "x", "report_uri": "x", "intended_use_id": "p",
            "retention_days": 0, "iat": 1, "exp": 2,
        })
        .to_string()
        .as_bytes(),
        &key(3),
    );
    let mut payload = json!({
        "client_id": format!("x509_hash:{party}"), "response_type": "vp_token", "response_mode": "direct_post.jwt",
        "response_uri": "https://rp.example/response", "aud": "https://self-issued.me/v2",
        "nonce": nonce, "state": "s", "exp": NOW.seconds() + 600, "iat": NOW.seconds(),
        "dcql_query": {"credentials": [{"id": "pid", "format": "dc+sd-jwt", "meta": {"vct_values": ["v"]},
            "claims": [{"path": ["age_equal_or_over", "18"]}]}]},
        "client_metadata": {
            "jwks": {"keys": [{"kty": "EC", "crv": "P-256", "kid": "response", "use": "enc", "alg": "ECDH-ES",
                "x": jwk(&key(4))["x"], "y": jwk(&key(4))["y"]}]},
            "encrypted_response_enc_values_supported": ["A256GCM"],
            "vp_formats_supported": {"dc+sd-jwt": {}, "mso_mdoc": {}},
        },
        "verifier_info": [{"format": "registration_cert", "data": registration.unwrap()}],
    });
    change(&mut payload);
    sign(&Header::typed("oauth-authz-req+jwt"), payload.to_string().as_bytes(), &key(3)).unwrap()
}

fn jwk(key: &yufu_jose::SoftwareKey) -> Value {
    json!(yufu_jose::Jwk::from(key.public_key()))
}

fn question(party: &str, nonce: &str) -> Question {
    Question::own(&asks(party, nonce, |_| {})).unwrap()
}

fn no_question(change: impl FnOnce(&mut Value)) -> NoQuestion {
    Question::own(&asks("cinema", "0123456789abcdef", change)).unwrap_err()
}

const NONCE: &str = "0123456789abcdef";

#[test]
fn a_party_knows_a_person_again_by_one_pseudonym_and_learns_what_it_asked() {
    let world = World::new();
    let (secret, held) = world.person(2);
    let mut known = Vec::new();
    for (party, nonce) in [("cinema", NONCE), ("cinema", "another-nonce-16"), ("club", NONCE)] {
        let asked = question(party, nonce);
        let shown = asked.answer(&held, &secret).unwrap();
        let shown: Presentation = serde_json::from_value(json!(shown)).unwrap();
        let one = Expecting::answer_to(asked).handle(&shown, &world.terms, NOW).unwrap();
        assert_eq!(json!(one.claims), json!({AGE: true}));
        known.push(one.pseudonym);
    }
    assert_eq!(known[0], known[1]);
    assert_ne!(known[0], known[2]);
}

#[test]
fn an_answer_is_refused_by_everybody_but_who_asked_and_for_everything_but_what_was_asked() {
    let world = World::new();
    let (secret, held) = world.person(2);
    let asked = question("cinema", NONCE);
    let shown = asked.answer(&held, &secret).unwrap();
    let handle = |asked: Question, shown: &Presentation| {
        Expecting::answer_to(asked).handle(shown, &world.terms, NOW).map(|_| ())
    };
    handle(asked.clone(), &shown).unwrap();
    let invalid = Err(Unknown::Proof(ProofError::Invalid));
    // To the same party later, and to another: replayed.
    assert_eq!(handle(question("cinema", "another-nonce-16"), &shown), invalid);
    assert_eq!(handle(question("club", NONCE), &shown), invalid);
    // The same question in another signed request.
    assert_eq!(handle(question("cinema", NONCE), &shown), invalid, "signed anew");
    // More, or something else, was asked for.
    let more = asks("cinema", NONCE, |d| {
        d["dcql_query"]["credentials"][0]["claims"] =
            json!([{"path": ["age_equal_or_over", "18"]}, {"path": ["address", "locality"]}]);
    });
    assert_eq!(handle(Question::own(&more).unwrap(), &shown), Err(Unknown::Asked));
    let locality = asks("cinema", NONCE, |d| {
        d["dcql_query"]["credentials"][0]["claims"] = json!([{"path": ["address", "locality"]}]);
    });
    let locality = Question::own(&locality).unwrap();
    assert_eq!(handle(locality.clone(), &shown), Err(Unknown::Asked));
    let resident = locality.answer(&held, &secret).unwrap();
    assert_eq!(json!(resident.claims()), json!({"address.locality": "江城"}));
    handle(locality, &resident).unwrap();
    // In the next epoch.
    let late = Expecting::answer_to(asked);
    let late = late.handle(&shown, &world.terms, NOW.plus_seconds(7 * 86_400));
    assert!(matches!(late, Err(Unknown::Proof(ProofError::Epoch { .. }))));
}

#[test]
fn what_a_pseudonym_cannot_answer_is_no_question() {
    let again = |d: &Value| d["dcql_query"]["credentials"][0].clone();
    assert_eq!(
        no_question(|d| {
            let mut other = again(d);
            other["id"] = "two".into();
            let first = again(d);
            d["dcql_query"]["credentials"] = json!([first, other]);
        }),
        NoQuestion::Credentials(2)
    );
    let values =
        |d: &mut Value| d["dcql_query"]["credentials"][0]["claims"][0]["values"] = json!([true]);
    assert_eq!(no_question(values), NoQuestion::Choice);
    let place =
        |d: &mut Value| d["dcql_query"]["credentials"][0]["claims"][0]["path"] = json!(["a", 0]);
    assert_eq!(no_question(place), NoQuestion::Claim);
    assert_eq!(no_question(|d| d["verifier_info"] = Value::Null), NoQuestion::Unreadable);
    assert_eq!(Question::own("nothing"), Err(NoQuestion::Unreadable));
    // The same credential as an mdoc is another way to answer, and no other question.
    let both = asks("cinema", NONCE, |d| {
        let first = again(d);
        let mdoc = json!({"id": "pid-mdoc", "format": "mso_mdoc", "meta": {"doctype_value": "t"},
            "claims": [{"path": ["t", "age_equal_or_over.18"]}]});
        d["dcql_query"]["credentials"] = json!([first, mdoc]);
    });
    let both = Question::own(&both).unwrap();
    assert_eq!(both.claims().iter().collect::<Vec<_>>(), [AGE]);
    // As the wallet reads it: whose pseudonym is a matter of the registration, not of the request.
    let text = asks("cinema", NONCE, |_| {});
    let token = yufu_jose::Unverified::parse(&text).unwrap();
    let request = RequestObject::from_json(token.unverified_payload()).unwrap();
    assert_eq!(Question::of(&text, &request, "cinema"), Question::own(&text));
    assert_ne!(Question::of(&text, &request, "club"), Question::own(&text));
}

#[test]
fn a_renewal_asks_with_the_same_commitment_and_keeps_the_pseudonym() {
    let world = World::new();
    let secret = HolderSecret::derive(&[2; 32]).unwrap();
    let kept = Kept::fresh(&world.terms, &secret).unwrap();
    // As it lies in the wallet's file.
    let kept: Kept = serde_json::from_value(json!(kept)).unwrap();
    let later = NOW.plus_seconds(7 * 86_400);
    let pseudonym = |now: Timestamp| {
        let held = world.issue(&secret, &kept, now);
        let held: HeldCredential = serde_json::from_value(json!(held)).unwrap();
        let asked = question("cinema", NONCE);
        let shown = asked.answer(&held, &secret).unwrap();
        Expecting::answer_to(asked).handle(&shown, &world.terms, now).unwrap().pseudonym
    };
    assert_eq!(pseudonym(NOW), pseudonym(later));
    // Another commitment to the same secret is another person to everybody.
    let other = Kept::fresh(&world.terms, &secret).unwrap();
    let held = world.issue(&secret, &other, NOW);
    let asked = question("cinema", NONCE);
    let shown = asked.answer(&held, &secret).unwrap();
    let known = Expecting::answer_to(asked).handle(&shown, &world.terms, NOW).unwrap();
    assert_ne!(known.pseudonym, pseudonym(NOW));
}

#[test]
fn a_commitment_goes_to_one_issuer_and_what_comes_back_is_verified() {
    let world = World::new();
    let secret = HolderSecret::derive(&[2; 32]).unwrap();
    let kept = Kept::fresh(&world.terms, &secret).unwrap();
    assert_eq!(kept.issuer(), ISSUER);
    let names = world.terms.claims().to_vec();
    let other = "https://other.example";
    let other = Terms::new(other, "urn:example:1", names, 7, world.key.public()).unwrap();
    let refused = kept.clone().ask(other).unwrap_err();
    assert_eq!(refused, NotHeld::OtherIssuer(ISSUER.to_owned()));
    let (committed, request) = kept.ask(world.terms.clone()).unwrap();
    let registered = Wanted::from(request).registered(&[1; 32]).unwrap();
    let mut issued = registered.issue(&world.key, &world.terms, claims(), NOW).unwrap();
    issued.claims.insert(AGE.to_owned(), ClaimValue::Flag(false));
    let taken = committed.handle(issued, &secret, NOW);
    assert_eq!(taken, Err(NotHeld::Hold(HoldError::Signature)));
}

#[test]
fn terms_are_believed_of_an_authority_on_the_trust_list_for_a_day() {
    let world = World::new();
    let signed = |by: &Party, terms: &Terms| {
        PublishedTerms::sign(terms, (&by.key as &dyn Signer, &by.chain), NOW).unwrap()
    };
    let verify = |jws: &str, now| PublishedTerms::verify(jws, &world.trust, now);
    let good = signed(&world.authority, &world.terms);
    assert_eq!(verify(&good, NOW).unwrap(), world.terms);
    let late = verify(&good, NOW.plus_seconds(2 * 86_400));
    assert!(matches!(late, Err(TermsRefused::Time(_))));
    let stranger = verify(&signed(&party(), &world.terms), NOW);
    assert!(matches!(stranger, Err(TermsRefused::Untrusted(_))));
    let thief = Party { chain: world.authority.chain.clone(), ..party() };
    assert!(matches!(verify(&signed(&thief, &world.terms), NOW), Err(TermsRefused::Token(_))));
    let names = world.terms.claims().to_vec();
    let other = Terms::new("https://other.example", "k", names, 7, world.key.public()).unwrap();
    let other = verify(&signed(&world.authority, &other), NOW);
    assert!(matches!(other, Err(TermsRefused::Issuer { .. })));
    assert!(matches!(verify("nothing", NOW), Err(TermsRefused::Token(_))));
}
