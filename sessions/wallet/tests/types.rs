//! What the type of a credential says: fetched at its issuer when the credential comes, known by the digest in it, and the
//! credential held against it before it is kept.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code: a wrong fixture is to fail loudly"
)]

mod support;

use serde_json::{Value, json};
use support::*;
use yufu_base::Signer;
use yufu_credential::{ExtendError, Integrity, TypeCheckError, TypeMetadataError};
use yufu_jose::{ClaimPath, SoftwareKey};
use yufu_openid4vc::{HttpError, HttpResponse, Method};
use yufu_wallet::HeldCredential;
use yufu_wallet::issuance::{
    CredentialsError, DiscoverError, FetchingType, KnownType, RequestingCredentials, Scanned,
    TypeError, TypeStep, scan,
};

const ISSUER: &str = "https://id.example";
/// A type that is an address of the issuer's.
const OWN: &str = "https://id.example/kinds/card";
/// A type that is somebody else's address.
const FOREIGN: &str = "https://kinds.example/card";

/// A document of a type as an issuer would write it.
fn document(vct: &str, more: Value) -> String {
    let mut document = json!({
        "vct": vct,
        "display": [{"locale": "zh", "name": "身份证"}, {"locale": "en", "name": "Card"}],
        "claims": [
            {"path": ["family_name"], "sd": "always", "mandatory": true, "display": [
                {"locale": "zh", "label": "姓"}, {"locale": "en", "label": "Family name"}]},
            {"path": ["issuing_country"], "sd": "never", "mandatory": true},
        ],
    });
    document.as_object_mut().unwrap().extend(members(more));
    document.to_string()
}

fn answer(document: &str) -> HttpResponse {
    HttpResponse {
        status: 200,
        content_type: Some("application/json".into()),
        body: document.as_bytes().to_vec(),
        headers: std::collections::BTreeMap::new(),
    }
}

/// A world whose authority issues these types.
fn world_of(types: &[&'static str]) -> World {
    let mut world = World::new();
    world.trust.entries[0] = world.trust.entries[0].clone().issuing(types.iter().copied());
    world
}

/// A batch of two of a type that pins `pinned`, from an issuer whose metadata `change` changes.
fn batch(
    world: &World,
    (vct, pinned): (&str, Option<Integrity>),
    change: impl Fn(&mut Value),
) -> Result<(RequestingCredentials, Vec<HeldCredential>), DiscoverError> {
    let claims = json!({"family_name": "李", "address": {"locality": "江城"}});
    let mut server = IssuerServer::new(ISSUER, vct, claims, &world.authority);
    server.type_integrity = pinned;
    let (link, tx_code) = server.offer();
    let Scanned::Value(step, http) = scan(&link, &world.trust).unwrap() else { panic!() };
    let mut metadata: Value = server.answer(&http).json().unwrap();
    change(&mut metadata);
    let (step, http) = step.handle(&HttpResponse::ok_json(&metadata))?;
    let ready = step.handle(&server.answer(&http))?;
    let (step, http) = ready.accept(Some(&tx_code)).unwrap();
    let (step, http) = step.handle(&server.answer(&http)).unwrap();
    let keys: Vec<SoftwareKey> = [1, 2].map(key).into();
    let keys: Vec<&dyn Signer> = keys.iter().map(|key| key as &dyn Signer).collect();
    let (step, http) = step.handle(&server.answer(&http), &keys, NOW).unwrap();
    let held = step.handle(&server.answer(&http), &world.trust, NOW).unwrap();
    Ok((step, held))
}

/// What is to be fetched of the type of a batch that pins this document.
fn fetching(vct: &'static str, document: &str) -> (FetchingType, Vec<HeldCredential>) {
    let world = world_of(&[vct]);
    let pinned = Some(Integrity::of(document.as_bytes()));
    let (step, held) = batch(&world, (vct, pinned), |_| ()).unwrap();
    (step.type_of(&held).unwrap(), held)
}

fn known(step: TypeStep) -> KnownType {
    let TypeStep::Known(known) = step else { panic!("{step:?}") };
    *known
}

/// What comes of a batch that pins this document, and is answered with it.
fn learned(document: &str) -> Result<(), TypeError> {
    let (fetching, held) = fetching(PID, document);
    let TypeStep::Known(known) = fetching.handle(&answer(document))? else { panic!() };
    known.check(&held)
}

#[test]
fn a_type_is_fetched_by_its_digest_at_the_issuer_and_names_the_credential_and_its_claims() {
    let text = document(PID, json!({}));
    let (fetching, held) = fetching(PID, &text);
    let request = fetching.request();
    let name = Integrity::of(text.as_bytes()).name();
    assert_eq!(request.url.as_str(), format!("{ISSUER}/types/{name}"));
    assert_eq!((request.method, request.body.len()), (Method::Get, 0));
    assert_eq!(request.headers.keys().collect::<Vec<_>>(), ["accept"], "nothing says who asks");
    assert!(fetching.names().eq([name.as_str()]));

    let known = known(fetching.handle(&answer(&text)).unwrap());
    assert_eq!(known.check(&held), Ok(()));
    assert_eq!((known.vct(), known.name()), (PID, name));
    let path = ClaimPath::member("family_name");
    for (language, card, claim) in [
        ("zh", "身份证", "姓"),
        ("zh-CN", "身份证", "姓"),
        ("en-GB", "Card", "Family name"),
        ("eo", "Card", "Family name"),
    ] {
        assert_eq!(known.called(language), Some(card), "{language}");
        assert_eq!(known.claim(&path, language), Some(claim), "{language}");
    }
    assert_eq!(known.claim(&ClaimPath::member("address"), "zh"), None);
    assert_eq!(KnownType::read(known.documents()).unwrap(), known, "kept, and read back");
}

#[test]
fn each_rule_of_a_type_is_refused_by_its_own_name() {
    let text = document(PID, json!({}));
    let swapped = text.replace("Family name", "Favourite colour");
    let handled = |response: &HttpResponse| fetching(PID, &text).0.handle(response).unwrap_err();
    assert_eq!(handled(&answer(&swapped)), TypeError::Altered(PID.into()));
    assert_eq!(handled(&answer(&format!("{text}\n"))), TypeError::Altered(PID.into()));
    let gone = HttpResponse { status: 404, ..answer(&text) };
    assert_eq!(handled(&gone), TypeError::Unavailable(HttpError::Status(404)));
    let moved = HttpResponse { status: 302, ..answer(&text) };
    assert_eq!(handled(&moved), TypeError::Unavailable(HttpError::Status(302)));
    let page = HttpResponse { content_type: Some("text/html".into()), ..answer(&text) };
    assert!(matches!(handled(&page), TypeError::Unavailable(HttpError::MediaType { .. })));
    let long = "x".repeat((1 << 20) + 1);
    assert!(matches!(handled(&answer(&long)), TypeError::Unavailable(HttpError::TooLarge(_))));

    let malformed = learned(&json!({"vct": PID, "claims": [{}]}).to_string());
    let missing = TypeMetadataError::Missing { at: "claims[0]".into(), member: "path" };
    assert_eq!(malformed, Err(TypeError::Malformed(missing)));
    let other = ExtendError::OtherType { actual: PAY.into(), expected: PID.into() };
    assert_eq!(learned(&document(PAY, json!({}))), Err(TypeError::Extension(other)));
    let round = ExtendError::Circular(PID.into());
    let of_itself = document(PID, json!({"extends": PID}));
    assert_eq!(learned(&of_itself), Err(TypeError::Extension(round)));

    let unlike = |error| Err(TypeError::Unlike { index: 0, error });
    let path = |name: &str| ClaimPath::member(name);
    for (claims, error) in [
        (json!([{"path": ["sex"], "mandatory": true}]), TypeCheckError::Missing(path("sex"))),
        (
            json!([{"path": ["family_name"], "sd": "never"}]),
            TypeCheckError::MustBeOpen(path("family_name")),
        ),
        (
            json!([{"path": ["issuing_country"], "sd": "always"}]),
            TypeCheckError::MustBeHidden(path("issuing_country")),
        ),
        (
            json!([{"path": ["family_name", "first"]}]),
            TypeCheckError::Path(ClaimPath::members(["family_name", "first"]).unwrap()),
        ),
    ] {
        assert_eq!(learned(&document(PID, json!({"claims": claims}))), unlike(error));
    }
}

#[test]
fn what_a_type_extends_is_fetched_at_the_issuer_too_and_only_if_it_is_pinned() {
    let base = document("urn:base", json!({"claims": [{"path": ["sex"], "mandatory": true}]}));
    let pinned = Integrity::of(base.as_bytes());
    let extends = |vct: &str| json!({"extends": vct, "extends#integrity": pinned.as_str()});
    let own = document(PID, extends("urn:base"));
    let (first, held) = fetching(PID, &own);
    let TypeStep::Extends(second) = first.handle(&answer(&own)).unwrap() else { panic!() };
    let url = format!("{ISSUER}/types/{}", pinned.name());
    assert_eq!(second.request().url.as_str(), url);
    let altered = second.clone().handle(&answer(&own));
    assert_eq!(altered, Err(TypeError::Altered("urn:base".into())));
    let whole = known(second.handle(&answer(&base)).unwrap());
    assert_eq!(whole.documents(), [own, base.clone()]);
    let missing = TypeCheckError::Missing(ClaimPath::member("sex"));
    let unlike = TypeError::Unlike { index: 0, error: missing };
    assert_eq!(whole.check(&held), Err(unlike), "the base counts");

    let elsewhere = document(PID, extends(FOREIGN));
    let TypeStep::Extends(second) =
        fetching(PID, &elsewhere).0.handle(&answer(&elsewhere)).unwrap()
    else {
        panic!()
    };
    assert_eq!(second.request().url.as_str(), url, "never where somebody else is");
    let loose = document(PID, json!({"extends": "urn:base"}));
    assert_eq!(fetching(PID, &loose).0.handle(&answer(&loose)), Ok(TypeStep::Elsewhere));
}

#[test]
fn nothing_is_fetched_of_a_credential_that_pins_nothing_or_whose_issuer_publishes_nothing() {
    let world = world_of(&[PID, OWN, FOREIGN]);
    let pinned = Some(Integrity::of(b"a document"));
    let silent = |metadata: &mut Value| {
        metadata.as_object_mut().unwrap().remove("yufu_type_metadata_endpoint").unwrap();
    };
    let of = |vct, pinned: Option<&Integrity>, change: &dyn Fn(&mut Value)| {
        let (step, held) = batch(&world, (vct, pinned.cloned()), change).unwrap();
        step.type_of(&held).map(|fetching| fetching.request().url.to_string())
    };
    let pinned = pinned.as_ref();
    assert_eq!(of(PID, None, &|_| ()), None, "a foreign issuer's, without a digest");
    assert_eq!(of(OWN, None, &|_| ()), None, "what is not pinned could change");
    assert_eq!(of(PID, pinned, &silent), None, "a name leads nowhere");
    assert_eq!(of(FOREIGN, pinned, &silent), None, "somebody else's address is not asked");
    assert_eq!(of(OWN, pinned, &silent).as_deref(), Some(OWN), "its own address is");
    let by_digest = format!("{ISSUER}/types/{}", pinned.unwrap().name());
    assert_eq!(of(FOREIGN, pinned, &|_| ()), Some(by_digest), "but the issuer may have it");
}

#[test]
fn an_issuer_that_sends_for_types_elsewhere_is_not_gone_on_with() {
    let world = world_of(&[PID]);
    let refused = batch(&world, (PID, None), |metadata| {
        metadata["yufu_type_metadata_endpoint"] = json!("https://kinds.example/types");
    });
    let elsewhere = DiscoverError::Elsewhere(endpoint("https://kinds.example/types"));
    assert_eq!(refused.map(drop), Err(elsewhere));
}

/// A digest of each copy's own would tell verifiers which copies are one person's.
#[test]
fn a_batch_whose_copies_name_different_documents_is_refused() {
    let world = world_of(&[PID]);
    let issued = |seed: u8, mark: &[u8]| {
        let issuance = yufu_credential::Issuance {
            vct: PID.into(),
            type_integrity: Some(Integrity::of(mark)),
            issuer: ISSUER.into(),
            issued_at: NOW,
            not_before: None,
            expires_at: NOW.plus_seconds(DAY),
            status: None,
            holder_key: key(seed).public_key().into(),
            open: members(json!({})),
            selective: members(json!({"family_name": "李"})),
            decoys: 0,
        };
        let (signer, chain) = (&world.authority.key, &world.authority.chain);
        json!({"credential": issuance.sign(signer, chain, &mut || [1; 16]).unwrap()})
    };
    let (step, _) = batch(&world, (PID, None), |_| ()).unwrap();
    let came = |credentials: Value| {
        let response = HttpResponse::ok_json(&json!({"credentials": credentials}));
        step.handle(&response, &world.trust, NOW).map(drop)
    };
    assert_eq!(came(json!([issued(1, b"one"), issued(2, b"one")])), Ok(()));
    let marked = json!([issued(1, b"one"), issued(2, b"two")]);
    assert_eq!(came(marked), Err(CredentialsError::Different));
}
