//! Type metadata: the specification's own example, each rule of reading refused by its name, and what a credential must be
//! beside its type.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::too_many_lines,
    missing_docs,
    reason = "test code: a wrong fixture is to fail loudly, and rules stand in flat lists"
)]

mod support;

use serde_json::{Value, json};
use support::*;
use yufu_base::Signer as _;
use yufu_credential::{
    ExtendError, Integrity, IssuedCredential, MAX_CHAIN, ResolvedType, SdJwt, SelectiveDisclosure,
    TypeChain, TypeCheckError, TypeMetadata, TypeMetadataError,
};
use yufu_jose::ClaimPath;

/// draft-ietf-oauth-sd-jwt-vc-19, the example of type metadata, to the byte.
const EXAMPLE: &[u8] = include_bytes!("sd-jwt-vc-19-example-type-metadata.json");
/// What its credential carries as `vct#integrity`.
const EXAMPLE_INTEGRITY: &str = "sha256-vJKakJAQkDYkIhGrT1M3nxRuSj9udH0l1PXB06QHto8=";
const EDUCATION: &str = "https://betelgeuse.example.com/education_credential/v42";
const TYPE: &str = "urn:example:type:1";

fn read(document: &Value) -> Result<TypeMetadata, TypeMetadataError> {
    TypeMetadata::parse(document.to_string().as_bytes())
}

fn path(steps: Value) -> ClaimPath {
    serde_json::from_value(steps).unwrap()
}

/// A type that extends nothing, with these claims.
fn alone(vct: &str, claims: Value) -> ResolvedType {
    let document = read(&json!({"vct": vct, "claims": claims})).unwrap();
    TypeChain::new(document, vct).unwrap().resolve().unwrap()
}

/// Documents by what they extend: the first is the type's own.
fn chained(documents: &[Value]) -> Result<ResolvedType, ExtendError> {
    let mut all = documents.iter().map(|document| read(document).unwrap());
    let mut chain = TypeChain::new(all.next().unwrap(), TYPE)?;
    for base in all {
        chain.extend(base)?;
    }
    chain.resolve()
}

#[test]
fn the_example_is_read_and_known_by_the_digest_that_its_credential_names() {
    assert!(Integrity::parse(EXAMPLE_INTEGRITY).unwrap().is_of(EXAMPLE));
    let read = TypeMetadata::parse(EXAMPLE).unwrap();
    assert_eq!(read.vct, EDUCATION);
    let base = read.extends.clone().unwrap();
    assert_eq!(base.vct, "https://galaxy.example.com/galactic-education-credential/v2");
    assert!(base.integrity.is_some());
    let display = read.display.as_ref().unwrap();
    assert_eq!(display[1].locale.as_str(), "de-DE");
    let colours = display[0].rendering.as_ref().unwrap();
    assert_eq!(colours.background_color.as_deref(), Some("#12107c"));
    assert_eq!(colours.text_color.as_deref(), Some("#FFFFFF"));
    assert_eq!(read.claims.len(), 7);
    assert_eq!(read.claims[0].mandatory, Some(true));
    assert_eq!(read.claims[2].svg_id.as_deref(), Some("address_street_address"));
    assert_eq!(read.claims[4].path, path(json!(["degrees", null])));
    assert_eq!(read.claims[5].sd, Some(SelectiveDisclosure::Never));
    let written = read.to_document().unwrap();
    assert_eq!(
        TypeMetadata::parse(written.as_bytes()).unwrap(),
        read,
        "what is written reads back"
    );
}

/// The credential of the example, with everything that its type says can be withheld behind digests; `open` names what is
/// left in the open all the same, and `hide` what is withheld against the type.
fn education(open: &[&str], hide: &[&str]) -> IssuedCredential {
    let mut all = Vec::new();
    let mut hidden = |content: Value| {
        let (encoded, digest) = disclosure(&content);
        all.push(encoded);
        digest
    };
    let mut degrees = Vec::new();
    for (number, subject) in ["Politics", "Navigation"].iter().enumerate() {
        let field = json!({"field_of_study": subject});
        let mut degree = field.as_object().unwrap().clone();
        let mut digests = vec![hidden(json!([format!("d{number}"), "date_awarded", "2020-05-15"]))];
        if hide.contains(&"field_of_study") {
            degree.clear();
            digests.push(hidden(json!([format!("f{number}"), "field_of_study", subject])));
        }
        degree.insert("_sd".into(), json!(digests));
        let element = Value::Object(degree);
        degrees.push(if open.contains(&"degree") {
            element
        } else {
            json!({"...": hidden(json!([format!("e{number}"), element]))})
        });
    }
    let street = hidden(json!(["s", "street_address", "42 Galaxy Way"]));
    let address = hidden(json!(["a", "address", {"_sd": [street], "country": "Betelgeuse"}]));
    let mut digests = vec![address];
    let mut members = json!({"vct": EDUCATION, "vct#integrity": EXAMPLE_INTEGRITY});
    if hide.contains(&"degrees") {
        digests.push(hidden(json!(["g", "degrees", degrees])));
    } else {
        members["degrees"] = json!(degrees);
    }
    if open.contains(&"name") {
        members["name"] = json!("Zaphod");
    } else if !hide.contains(&"no name") {
        digests.push(hidden(json!(["n", "name", "Zaphod"])));
    }
    members["_sd"] = json!(digests);
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    let text = forge(&payload(members), &all);
    SdJwt::parse(&text).unwrap().verify(&issuer().public_key()).unwrap()
}

/// The example's type, whose base says nothing more.
fn education_type() -> ResolvedType {
    let own = TypeMetadata::parse(EXAMPLE).unwrap();
    let base = json!({"vct": own.extends.as_ref().unwrap().vct});
    let mut chain = TypeChain::new(own, EDUCATION).unwrap();
    chain.extend(read(&base).unwrap()).unwrap();
    chain.resolve().unwrap()
}

#[test]
fn a_credential_is_held_against_the_example_element_by_element() {
    let kind = education_type();
    let good = education(&[], &[]);
    assert_eq!(kind.check(&good), Ok(()));
    assert!(good.credential().type_integrity.as_ref().unwrap().is_of(EXAMPLE));
    let name = path(json!(["name"]));
    let cases: [(&[&str], &[&str], TypeCheckError); 5] = [
        (&["name"], &[], TypeCheckError::MustBeHidden(name.clone())),
        (&[], &["no name"], TypeCheckError::Missing(name)),
        (&[], &["degrees"], TypeCheckError::MustBeOpen(path(json!(["degrees"])))),
        (&["degree"], &[], TypeCheckError::MustBeHidden(path(json!(["degrees", null])))),
        (
            &[],
            &["field_of_study"],
            TypeCheckError::MustBeOpen(path(json!(["degrees", null, "field_of_study"]))),
        ),
    ];
    for (open, hide, expected) in cases {
        assert_eq!(kind.check(&education(open, hide)), Err(expected), "{open:?} {hide:?}");
    }
}

#[test]
fn a_type_is_held_against_credentials_of_its_own_alone_and_through_values_of_the_right_kind() {
    let held = SdJwt::parse(&issued()).unwrap().verify(&issuer().public_key()).unwrap();
    let vct = held.credential().vct.clone();
    let other = TypeCheckError::Type { actual: vct.clone(), expected: TYPE.into() };
    assert_eq!(alone(TYPE, json!([])).check(&held), Err(other));
    for (wrong, steps) in [
        ("a member of a text", json!(["given_name", "x"])),
        ("an element of an object", json!(["address", 0])),
        ("all elements of an object", json!(["address", null])),
        ("a member of an array", json!(["nationalities", "x"])),
    ] {
        let kind = alone(&vct, json!([{"path": steps}]));
        assert_eq!(kind.check(&held), Err(TypeCheckError::Path(path(steps))), "{wrong}");
    }
    let kind = alone(
        &vct,
        json!([
            {"path": ["nationalities", 1], "mandatory": true, "sd": "always"},
            {"path": ["nationalities", 7], "sd": "never"},
            {"path": ["address", "nowhere"], "sd": "always"},
            {"path": ["issuing_country"], "mandatory": true, "sd": "never"},
            {"path": ["given_name"], "sd": "allowed"},
        ]),
    );
    assert_eq!(kind.check(&held), Ok(()), "what is not there breaks no rule but that it be there");
}

#[test]
fn each_rule_of_a_document_is_refused_by_its_name() {
    use TypeMetadataError as E;
    let at = String::from;
    let kind = |place: &str, member, expected| E::Kind { at: place.into(), member, expected };
    let text = |place: &str, member| E::Text { at: place.into(), member };
    let zh = |name: &str| json!({"locale": "zh", "name": name});
    let claim = |members: Value| {
        let mut claim = json!({"path": ["a"]});
        claim.as_object_mut().unwrap().extend(object(members));
        json!({"vct": TYPE, "claims": [claim]})
    };
    let cases = [
        (json!({}), E::Missing { at: at("the document"), member: "vct" }),
        (json!({"vct": 1}), kind("the document", "vct", "a string")),
        (json!({"vct": ""}), E::Vct(at(""))),
        (json!({"vct": "a type"}), E::Vct(at("a type"))),
        (json!({"vct": TYPE, "name": 1}), kind("the document", "name", "a string")),
        (json!({"vct": TYPE, "name": "a\u{7}"}), text("the document", "name")),
        (json!({"vct": TYPE, "description": " "}), text("the document", "description")),
        (json!({"vct": TYPE, "extends": [TYPE]}), kind("the document", "extends", "a string")),
        (json!({"vct": TYPE, "extends": ""}), E::Vct(at(""))),
        (json!({"vct": TYPE, "extends#integrity": EXAMPLE_INTEGRITY}), E::IntegrityAlone),
        (json!({"vct": TYPE, "display": {}}), kind("the document", "display", "an array")),
        (
            json!({"vct": TYPE, "display": ["zh"]}),
            kind("display[0]", "display", "an array of objects"),
        ),
        (
            json!({"vct": TYPE, "display": [{"name": "x"}]}),
            E::Missing { at: at("display[0]"), member: "locale" },
        ),
        (
            json!({"vct": TYPE, "display": [{"locale": "zh_CN", "name": "x"}]}),
            E::Locale { at: at("display[0]"), locale: at("zh_CN") },
        ),
        (
            json!({"vct": TYPE, "display": [{"locale": "zh"}]}),
            E::Missing { at: at("display[0]"), member: "name" },
        ),
        (json!({"vct": TYPE, "display": [zh("\u{202e}card")]}), text("display[0]", "name")),
        (json!({"vct": TYPE, "display": [zh(&"x".repeat(201))]}), text("display[0]", "name")),
        (
            json!({"vct": TYPE, "display": [zh("a"), {"locale": "ZH", "name": "b"}]}),
            E::LocaleTwice {
                at: at("display"),
                locale: yufu_credential::Locale::parse("ZH").unwrap(),
            },
        ),
        (
            json!({"vct": TYPE, "display": [{"locale": "zh", "name": "x", "rendering": []}]}),
            kind("display[0]", "rendering", "an object"),
        ),
        (
            json!({"vct": TYPE, "display": [{"locale": "zh", "name": "x",
                "rendering": {"simple": {"text_color": "red"}}}]}),
            E::Colour { at: at("display[0]"), colour: at("red") },
        ),
        (json!({"vct": TYPE, "claims": "all"}), kind("the document", "claims", "an array")),
        (json!({"vct": TYPE, "claims": [{}]}), E::Missing { at: at("claims[0]"), member: "path" }),
        (claim(json!({"path": "a"})), kind("claims[0]", "path", "an array")),
        (claim(json!({"path": []})), E::Path { at: at("claims[0]") }),
        (claim(json!({"path": ["a", -1]})), E::Path { at: at("claims[0]") }),
        (claim(json!({"path": ["a", {}]})), E::Path { at: at("claims[0]") }),
        (claim(json!({"path": [null]})), E::Path { at: at("claims[0]") }),
        (claim(json!({"path": [0]})), E::Path { at: at("claims[0]") }),
        (claim(json!({"mandatory": "yes"})), kind("claims[0]", "mandatory", "true or false")),
        (claim(json!({"sd": true})), kind("claims[0]", "sd", "a string")),
        (claim(json!({"sd": "Always"})), E::Sd { at: at("claims[0]"), sd: at("Always") }),
        (claim(json!({"svg_id": "1a"})), E::SvgId { at: at("claims[0]"), id: at("1a") }),
        (claim(json!({"svg_id": ""})), E::SvgId { at: at("claims[0]"), id: at("") }),
        (
            claim(json!({"display": [{"locale": "zh"}]})),
            E::Missing { at: at("claims[0].display[0]"), member: "label" },
        ),
        (
            claim(json!({"display": [{"locale": "zh", "label": "a\nb"}]})),
            text("claims[0].display[0]", "label"),
        ),
        (
            json!({"vct": TYPE, "claims": [{"path": ["a"]}, {"path": ["a"]}]}),
            E::PathTwice(path(json!(["a"]))),
        ),
        (
            json!({"vct": TYPE, "claims": [{"path": ["a"], "svg_id": "x"}, {"path": ["b"], "svg_id": "x"}]}),
            E::SvgIdTwice(at("x")),
        ),
    ];
    for (document, expected) in cases {
        assert_eq!(read(&document), Err(expected), "{document}");
    }
    let bad = read(&json!({"vct": TYPE, "extends": "urn:b", "extends#integrity": "md5-AA=="}));
    assert!(matches!(bad, Err(E::Integrity(_))));
}

#[test]
fn a_document_is_bounded_in_size_depth_and_number() {
    use TypeMetadataError as E;
    let long = json!({"vct": TYPE, "x": "a".repeat(256 * 1024)}).to_string();
    assert_eq!(TypeMetadata::parse(long.as_bytes()), Err(E::TooLong(long.len())));
    for bad in ["[]", "\"vct\"", "{", "", "{\"vct\":\"a\",\"vct\":\"b\"}", "{} {}"] {
        assert!(matches!(TypeMetadata::parse(bad.as_bytes()), Err(E::Json(_))), "{bad}");
    }
    let nested = |levels| (0..levels).fold(json!(1), |inner, _| json!([inner]));
    assert!(
        read(&json!({"vct": TYPE, "x": nested(15)})).is_ok(),
        "unknown members are passed over"
    );
    assert_eq!(read(&json!({"vct": TYPE, "x": nested(16)})), Err(E::TooDeep));
    let claims = |count: usize| {
        let claims: Vec<Value> = (0..count).map(|n| json!({"path": [n.to_string()]})).collect();
        read(&json!({"vct": TYPE, "claims": claims}))
    };
    assert!(claims(256).is_ok());
    assert_eq!(claims(257), Err(E::TooMany { at: "claims".into(), most: 256 }));
    let entry = |n: usize| json!({"locale": format!("zh-{n}"), "name": "x"});
    let display: Vec<Value> = (0..65).map(entry).collect();
    let many = read(&json!({"vct": TYPE, "display": display}));
    assert_eq!(many, Err(E::TooMany { at: "display".into(), most: 64 }));
}

#[test]
fn what_would_not_be_read_is_not_written() {
    let mut document = read(&json!({"vct": TYPE})).unwrap();
    document.name = Some("\u{202e}".into());
    assert!(matches!(document.to_document(), Err(TypeMetadataError::Text { .. })));
}

/// draft-ietf-oauth-sd-jwt-vc-19, section 5.6.5.2.
#[test]
fn the_example_of_extending_gives_the_claims_that_the_specification_gives() {
    let labelled = |name: Value, label: &str| json!({"path": name, "display": [{"locale": "en", "label": label}]});
    let made = chained(&[
        json!({"vct": TYPE, "extends": "urn:base", "claims": [
            labelled(json!(["address", "city"]), "Town"),
            labelled(json!(["nationalities"]), "Nationalities")]}),
        json!({"vct": "urn:base", "claims": [
            labelled(json!(["name"]), "Full Name"), labelled(json!(["address", "city"]), "City")]}),
    ])
    .unwrap();
    let claims: Vec<(String, &str)> = made
        .claims()
        .iter()
        .map(|claim| (claim.path.to_string(), made.label(&claim.path, "en").unwrap()))
        .collect();
    let expected =
        [("name", "Full Name"), ("address.city", "Town"), ("nationalities", "Nationalities")];
    assert_eq!(claims, expected.map(|(path, label)| (path.to_owned(), label)));
}

#[test]
fn a_type_keeps_what_is_settled_beneath_it_and_may_settle_the_rest() {
    let over = |below: Value, above: Value| {
        let with = |members: Value| {
            let mut claim = object(members);
            claim.insert("path".into(), json!(["a"]));
            claim
        };
        chained(&[
            json!({"vct": TYPE, "extends": "urn:base", "claims": [with(above)]}),
            json!({"vct": "urn:base", "claims": [with(below)]}),
        ])
    };
    let loosened = ExtendError::Loosened { vct: TYPE.into(), path: path(json!(["a"])) };
    let settled = ["always", "never"];
    for below in settled {
        for above in ["always", "allowed", "never"] {
            let made = over(json!({"sd": below}), json!({"sd": above}));
            let expected = if below == above { Ok(()) } else { Err(loosened.clone()) };
            assert_eq!(made.map(|_| ()), expected, "{below} {above}");
        }
    }
    for below in [json!({}), json!({"sd": "allowed"})] {
        let made = over(below, json!({"sd": "always"})).unwrap();
        assert_eq!(made.claims()[0].sd, Some(SelectiveDisclosure::Always));
    }
    let silent = over(json!({"sd": "never", "mandatory": true}), json!({})).unwrap();
    assert_eq!(silent.claims()[0].sd, Some(SelectiveDisclosure::Never), "inherited");
    assert_eq!(silent.claims()[0].mandatory, Some(true), "inherited");
    assert_eq!(
        over(json!({"mandatory": true}), json!({"mandatory": false})),
        Err(ExtendError::MadeOptional { vct: TYPE.into(), path: path(json!(["a"])) })
    );
    assert!(over(json!({"mandatory": false}), json!({"mandatory": true})).is_ok());
}

#[test]
fn what_is_shown_of_a_type_is_the_highest_that_says_it() {
    let base = json!({"vct": "urn:base", "display": [
        {"locale": "zh", "name": "\u{8bc1}"}, {"locale": "en", "name": "Proof"}]});
    let own = |display: Value| {
        let mut own = json!({"vct": TYPE, "extends": "urn:base"});
        own.as_object_mut().unwrap().extend(object(display));
        own
    };
    let inherited = chained(&[own(json!({})), base.clone()]).unwrap();
    assert_eq!(inherited.name("zh-CN"), Some("\u{8bc1}"));
    assert_eq!(inherited.name("fr"), Some("Proof"));
    let replaced = own(json!({"display": [{"locale": "en", "name": "Ticket"}]}));
    let replaced = chained(&[replaced, base.clone()]).unwrap();
    assert_eq!(replaced.name("zh"), Some("Ticket"), "all of it is replaced");
    assert_eq!(replaced.vct(), TYPE);
    let emptied = chained(&[own(json!({"display": []})), base]).unwrap();
    assert_eq!(emptied.name("zh"), None);
}

#[test]
fn a_chain_has_an_end_no_circle_and_the_documents_that_it_names() {
    let link = |from: &str, to: &str| json!({"vct": from, "extends": to});
    let own = link(TYPE, TYPE);
    assert_eq!(chained(&[own]), Err(ExtendError::Circular(TYPE.into())));
    let round = [link(TYPE, "urn:a"), link("urn:a", "urn:b"), link("urn:b", "urn:a")];
    assert_eq!(chained(&round), Err(ExtendError::Circular("urn:a".into())));
    let lacking = Err(ExtendError::Lacking("urn:a".into()));
    assert_eq!(chained(&[link(TYPE, "urn:a")]), lacking);
    let other = ExtendError::OtherType { actual: "urn:x".into(), expected: "urn:a".into() };
    assert_eq!(chained(&[link(TYPE, "urn:a"), json!({"vct": "urn:x"})]), Err(other));
    let name = |n: usize| if n == 0 { TYPE.to_owned() } else { format!("urn:{n}") };
    let long = |count: usize| {
        let mut all: Vec<Value> = (0..count).map(|n| link(&name(n), &name(n + 1))).collect();
        all.push(json!({"vct": name(count)}));
        chained(&all).map(|made| made.vct().to_owned())
    };
    assert_eq!(long(MAX_CHAIN - 1), Ok(TYPE.to_owned()));
    assert_eq!(long(MAX_CHAIN), Err(ExtendError::TooLong));
}

#[test]
fn a_claim_is_named_in_the_language_that_is_read_and_an_element_by_its_list() {
    let kind = alone(
        TYPE,
        json!([
            {"path": ["degrees", null, "field"], "display": [
                {"locale": "zh", "label": "\u{4e13}\u{4e1a}"}, {"locale": "en", "label": "Field"}]},
            {"path": ["degrees", 0, "field"], "display": [{"locale": "en", "label": "First field"}]},
            {"path": ["silent"]},
        ]),
    );
    let label = |steps: Value, language| kind.label(&path(steps), language);
    assert_eq!(label(json!(["degrees", 3, "field"]), "zh-CN"), Some("\u{4e13}\u{4e1a}"));
    assert_eq!(label(json!(["degrees", 0, "field"]), "zh"), Some("First field"), "the exact one");
    assert_eq!(label(json!(["degrees", null, "field"]), "eo"), Some("Field"));
    assert_eq!(label(json!(["silent"]), "en"), None);
    assert_eq!(label(json!(["degrees"]), "en"), None, "what holds a claim is another");
}

#[test]
fn a_credential_carries_the_digest_of_its_type_in_the_open() {
    let pinned = Integrity::of(b"a document");
    let issuance = yufu_credential::Issuance { type_integrity: Some(pinned.clone()), ..issuance() };
    let text = issuance.sign(&issuer(), &chain(), &mut salts()).unwrap();
    let held = SdJwt::parse(&text).unwrap().verify(&issuer().public_key()).unwrap();
    assert_eq!(held.credential().type_integrity, Some(pinned));
    let nonsense = payload(json!({"vct#integrity": "sha256-short"}));
    let refused = SdJwt::parse(&forge(&nonsense, &[])).unwrap().verify(&issuer().public_key());
    assert!(matches!(refused, Err(yufu_credential::SdJwtError::Claims(_))));
}
