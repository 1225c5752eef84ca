//! Queries and credentials at random, evaluated by `dcql` and by ours: the same credentials answer the same queries,
//! and the same wholes can be satisfied. And the worked examples of the specification, which ours answers in
//! `formats/openid4vc/tests/dcql_examples.rs`.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test fails by panicking"
)]

mod node;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha12Rng;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use yufu_openid4vc::dcql::{Candidate, DcqlQuery};

const CASES: usize = 400;
const TYPES: [&str; 3] = ["urn:a", "urn:b", "urn:c"];
const AUTHORITIES: [&str; 3] = ["AAAA", "BBBB", "CCCC"];
const EXAMPLES: &str = include_str!("../../../formats/openid4vc/tests/dcql_examples.json");

struct Case {
    query: Value,
    credentials: Vec<Held>,
}

struct Held {
    mdoc: bool,
    kind: String,
    claims: Map<String, Value>,
    authority: String,
    bound: bool,
}

impl Held {
    fn format(&self) -> &'static str {
        if self.mdoc { "mso_mdoc" } else { "dc+sd-jwt" }
    }

    /// As `dcql` takes it.
    fn foreign(&self) -> Value {
        let authority = json!({"type": "aki", "values": [self.authority]});
        if self.mdoc {
            return json!({
                "credential_format": "mso_mdoc", "doctype": self.kind, "namespaces": self.claims,
                "cryptographic_holder_binding": self.bound, "authority": authority,
            });
        }
        json!({
            "credential_format": "dc+sd-jwt", "vct": self.kind, "claims": self.claims,
            "cryptographic_holder_binding": self.bound, "authority": authority,
        })
    }
}

/// One of some, or none.
fn pick<'a>(random: &mut ChaCha12Rng, all: &[&'a str]) -> &'a str {
    all[random.random_range(0..all.len())]
}

fn value(random: &mut ChaCha12Rng) -> Value {
    match random.random_range(0..4) {
        0 => json!(random.random_range(0..3)),
        1 => json!(random.random::<bool>()),
        _ => json!(pick(random, &["x", "y", "1", "true"])),
    }
}

fn held(random: &mut ChaCha12Rng) -> Held {
    let mdoc = random.random_bool(0.4);
    let mut claims = Map::new();
    if mdoc {
        for space in ["n", "m"] {
            let elements = ["a", "b", "c"].into_iter().filter(|_| random.random_bool(0.6));
            let names: Vec<&str> = elements.collect();
            let elements = names.into_iter().map(|name| (name.to_owned(), value(random)));
            let elements: Map<String, Value> = elements.collect();
            claims.insert(space.to_owned(), elements.into());
        }
    } else {
        for name in ["a", "b"] {
            if random.random_bool(0.7) {
                claims.insert(name.to_owned(), value(random));
            }
        }
        if random.random_bool(0.7) {
            claims.insert("in".to_owned(), json!({"a": value(random), "b": value(random)}));
        }
        if random.random_bool(0.7) {
            let list: Vec<Value> = (0..random.random_range(1..4)).map(|_| value(random)).collect();
            claims.insert("list".to_owned(), list.into());
        }
    }
    Held {
        mdoc,
        kind: pick(random, &TYPES).to_owned(),
        claims,
        authority: pick(random, &AUTHORITIES).to_owned(),
        bound: random.random_bool(0.8),
    }
}

fn credential_query(random: &mut ChaCha12Rng, id: usize) -> Value {
    let mdoc = random.random_bool(0.4);
    let paths = if mdoc {
        vec![json!(["n", "a"]), json!(["n", "b"]), json!(["m", "c"]), json!(["m", "none"])]
    } else {
        vec![
            json!(["a"]),
            json!(["b"]),
            json!(["in", "a"]),
            json!(["list", null]),
            json!(["list", 1]),
            json!(["none"]),
        ]
    };
    let wanted: Vec<Value> = paths.into_iter().filter(|_| random.random_bool(0.35)).collect();
    let mut claims = Vec::new();
    for (place, path) in wanted.iter().enumerate() {
        let mut claim = json!({"id": format!("c{place}"), "path": path});
        if random.random_bool(0.4) {
            let values: Vec<Value> = (0..3).map(|_| value(random)).collect();
            claim["values"] = values.into();
        }
        claims.push(claim);
    }
    let kind = pick(random, &TYPES);
    let mut query = if mdoc {
        json!({"id": format!("q{id}"), "format": "mso_mdoc", "meta": {"doctype_value": kind}})
    } else {
        let kinds = [kind, pick(random, &TYPES)];
        json!({"id": format!("q{id}"), "format": "dc+sd-jwt", "meta": {"vct_values": kinds}})
    };
    if claims.len() > 1 && random.random_bool(0.5) {
        let one = |random: &mut ChaCha12Rng| {
            let set: Vec<String> = (0..claims.len())
                .filter(|_| random.random_bool(0.6))
                .map(|place| format!("c{place}"))
                .collect();
            if set.is_empty() { vec!["c0".to_owned()] } else { set }
        };
        query["claim_sets"] = json!([one(random), one(random)]);
    }
    if !claims.is_empty() {
        query["claims"] = claims.into();
    }
    if random.random_bool(0.3) {
        let values = [pick(random, &AUTHORITIES)];
        query["trusted_authorities"] = json!([{"type": "aki", "values": values}]);
    }
    if random.random_bool(0.3) {
        query["require_cryptographic_holder_binding"] = random.random::<bool>().into();
    }
    if random.random_bool(0.3) {
        query["multiple"] = true.into();
    }
    query
}

fn case(random: &mut ChaCha12Rng) -> Case {
    let count = random.random_range(1..4);
    let queries: Vec<Value> = (0..count).map(|id| credential_query(random, id)).collect();
    let mut query = json!({"credentials": queries});
    if random.random_bool(0.5) {
        let option = |random: &mut ChaCha12Rng| vec![format!("q{}", random.random_range(0..count))];
        let sets: Vec<Value> = (0..random.random_range(1..3))
            .map(|_| {
                let options = [option(random), option(random)];
                json!({"options": options, "required": random.random_bool(0.7)})
            })
            .collect();
        query["credential_sets"] = sets.into();
    }
    let credentials = (0..random.random_range(1..6)).map(|_| held(random)).collect();
    Case { query, credentials }
}

#[test]
fn the_same_credentials_answer_the_same_queries_as_for_dcql_3_0_0() {
    let mut random = ChaCha12Rng::seed_from_u64(6);
    let cases: Vec<Case> = (0..CASES).map(|_| case(&mut random)).collect();
    let input: Vec<Value> = cases
        .iter()
        .map(|case| {
            let credentials: Vec<Value> = case.credentials.iter().map(Held::foreign).collect();
            json!({"query": case.query, "credentials": credentials})
        })
        .collect();
    let answers = node::run("dcql.mjs", &input.into());
    let (mut satisfied, mut matched) = (0, 0);
    for (case, theirs) in cases.iter().zip(answers.as_array().unwrap()) {
        let said = format!("{}\n{theirs}", case.query);
        assert_eq!(theirs["ok"], true, "{said}");
        let query: DcqlQuery = serde_json::from_value(case.query.clone()).unwrap();
        let ids: Vec<Vec<String>> =
            case.credentials.iter().map(|held| vec![held.authority.clone()]).collect();
        let held = case.credentials.iter().zip(&ids);
        let candidates: Vec<Candidate<'_>> = held
            .map(|(held, authority_key_ids)| Candidate {
                format: held.format(),
                vct: &held.kind,
                claims: &held.claims,
                authority_key_ids,
                holder_bound: held.bound,
            })
            .collect();
        for asked in query.credentials() {
            let all = candidates.iter().enumerate();
            let ours: Vec<usize> =
                all.filter(|(_, one)| asked.matches(one).is_ok()).map(|(place, _)| place).collect();
            assert_eq!(json!(ours), theirs["matches"][&asked.id], "{}: {said}", asked.id);
            matched += ours.len();
        }
        let ours = query.evaluate(&candidates).is_ok();
        assert_eq!(json!(ours), theirs["satisfied"], "{said}");
        satisfied += usize::from(ours);
    }
    // The cases are no formality.
    assert!(satisfied > CASES / 10 && satisfied < CASES * 9 / 10, "{satisfied}");
    assert!(matched > CASES / 4, "{matched}");
}

/// A credential of the examples as `dcql` takes it.
fn of_example(held: &Value) -> Value {
    let authority = held["authority"].as_str().unwrap_or("bm9ib2R5");
    let mut foreign = json!({
        "credential_format": held["format"], "cryptographic_holder_binding": true,
        "authority": {"type": "aki", "values": [authority]},
    });
    let (kind, claims) =
        if held["format"] == "mso_mdoc" { ("doctype", "namespaces") } else { ("vct", "claims") };
    foreign[kind] = held["type"].clone();
    foreign[claims] = held["claims"].clone();
    foreign
}

/// What is wanted of a query by its name.
fn asked<'a>(query: &'a Value, id: &str) -> &'a Value {
    query["credentials"].as_array().unwrap().iter().find(|asked| asked["id"] == id).unwrap()
}

#[test]
fn the_examples_of_openid4vp_1_0_find_the_same_with_dcql_3_0_0() {
    let examples: Vec<Value> = serde_json::from_str(EXAMPLES).unwrap();
    let mut cases = Vec::new();
    for example in &examples {
        for wallet in example["wallets"].as_array().unwrap() {
            cases.push((example, wallet));
        }
    }
    let input = cases.iter().map(|(example, wallet)| {
        let credentials = wallet["credentials"].as_array().unwrap().iter().map(of_example);
        json!({"query": example["query"], "credentials": credentials.collect::<Vec<_>>()})
    });
    let answers = node::run("dcql.mjs", &input.collect::<Vec<_>>().into());
    for ((example, wallet), theirs) in cases.iter().zip(answers.as_array().unwrap()) {
        let said = format!("{}: {}\n{theirs}", example["name"], wallet["name"]);
        assert_eq!(theirs["ok"], true, "{said}");
        // Where they differ from the specification, which ours follows, the example says how.
        let expected = wallet.get("dcql_3_0_0").unwrap_or(wallet);
        assert_eq!(theirs["satisfied"], expected["satisfied"], "{said}");
        for (id, found) in theirs["matches"].as_object().unwrap() {
            let none = json!([]);
            let places = expected["matches"].get(id).unwrap_or(&none);
            assert_eq!(found, places, "{id}: {said}");
            let Some(shows) = expected.get("shows").and_then(|shows| shows.get(id)) else {
                continue;
            };
            let claims = &asked(&example["query"], id)["claims"];
            let shown = theirs["shows"][id].as_array().unwrap().iter();
            let shown = shown.map(|place| {
                claims[usize::try_from(place.as_u64().unwrap()).unwrap()]["path"].clone()
            });
            assert_eq!(&json!(shown.collect::<Vec<_>>()), shows, "{id}: {said}");
        }
    }
}

#[test]
fn queries_that_dcql_3_0_0_refuses_are_refused_by_ours() {
    let good = json!({"id": "q", "format": "dc+sd-jwt", "meta": {"vct_values": ["urn:a"]},
        "claims": [{"id": "c", "path": ["a"]}]});
    let with = |change: &dyn Fn(&mut Value)| {
        let mut query = good.clone();
        change(&mut query);
        json!({"credentials": [query]})
    };
    let bad: BTreeMap<&str, Value> = BTreeMap::from([
        ("no credentials", json!({"credentials": []})),
        ("two of one id", json!({"credentials": [good, good]})),
        ("an id with a blank", with(&|q| q["id"] = "a b".into())),
        ("an empty path", with(&|q| q["claims"][0]["path"] = json!([]))),
        ("a path with a negative number", with(&|q| q["claims"][0]["path"] = json!(["a", -1]))),
        (
            "claim sets without claims",
            with(&|q| {
                q.as_object_mut().unwrap().remove("claims");
                q["claim_sets"] = json!([["c"]]);
            }),
        ),
        ("a claim set of unknown claims", with(&|q| q["claim_sets"] = json!([["other"]]))),
        (
            "a set of unknown credentials",
            json!({"credentials": [good],
            "credential_sets": [{"options": [["other"]]}]}),
        ),
        ("no types", with(&|q| q["meta"] = json!({"vct_values": "urn:a"}))),
    ]);
    let mut input: Vec<Value> = vec![json!({"query": {"credentials": [good]}, "credentials": []})];
    input.extend(bad.values().map(|query| json!({"query": query, "credentials": []})));
    let answers = node::run("dcql.mjs", &input.into());
    assert_eq!(answers[0]["ok"], true, "{answers}");
    for (place, (case, query)) in bad.iter().enumerate() {
        assert_eq!(answers[place + 1]["ok"], false, "{case}: {}", answers[place + 1]);
        assert!(serde_json::from_value::<DcqlQuery>(query.clone()).is_err(), "{case}: {query}");
    }
}
