//! What a holder has of what a query wants (OpenID4VP 1.0, section 6.4): the least that
//! satisfies it, and nothing unless all that is required can be given.

use super::{AKI, ClaimPath, CredentialQuery, CredentialSetQuery, DcqlQuery};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// A credential as the query sees it.
#[derive(Clone, Copy, Debug)]
pub struct Candidate<'a> {
    /// Its format, such as `dc+sd-jwt`.
    pub format: &'a str,
    /// Its type: the `vct`, or the type of an mdoc.
    pub vct: &'a str,
    /// All its claims; of an mdoc its elements, by namespace.
    pub claims: &'a Map<String, Value>,
    /// The authority key identifiers in its certificate chain, in base64url.
    pub authority_key_ids: &'a [String],
    /// Whether it is bound to a key of the holder.
    pub holder_bound: bool,
}

/// Why a credential does not answer a query. Checked in this order.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Mismatch {
    /// Another format.
    #[error("the query wants another format")]
    Format,
    /// Another type.
    #[error("the query wants another type of credential")]
    Type,
    /// None of the wanted authorities stands behind the issuer.
    #[error("none of the trusted authorities stands behind the issuer")]
    Authority,
    /// Not bound to a key.
    #[error("the query wants a credential that is bound to a key")]
    HolderBinding,
    /// Claims are missing or have other values.
    #[error("the credential lacks {}", list(.0))]
    Claims(Vec<ClaimPath>),
}

/// A credential that answers a credential query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Match {
    /// Its position among the candidates.
    pub candidate: usize,
    /// The claims to disclose.
    pub claims: Vec<ClaimPath>,
}

/// What can be answered, and what should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evaluation {
    /// All matches of each query that has any, by query id.
    pub matches: BTreeMap<String, Vec<Match>>,
    /// The queries to answer: all of them, or the first satisfiable option of each
    /// required credential set, in the order of the query.
    pub answer: Vec<String>,
    /// The other choices where there are credential sets, for a person to make.
    pub choices: Vec<SetChoice>,
}

/// The satisfiable options of one credential set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetChoice {
    /// Whether one must be taken.
    pub required: bool,
    /// The satisfiable options, the verifier's best liked first.
    pub options: Vec<Vec<String>>,
}

/// Why a query cannot be satisfied.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unsatisfied {
    /// A credential that must be given is not there.
    #[error("no credential answers {id:?}: {}", reason(.nearest.as_ref()))]
    Credential {
        /// Which query.
        id: String,
        /// What the nearest candidate lacks; `None` if there is no candidate at all.
        nearest: Option<Mismatch>,
    },
    /// No option of a required set can be given.
    #[error("none of the alternatives {0:?} can be given")]
    Set(Vec<Vec<String>>),
}

impl DcqlQuery {
    /// Finds what to disclose of `candidates`.
    ///
    /// # Errors
    /// [`Unsatisfied`] if something required cannot be given: then nothing may be.
    pub fn evaluate(&self, candidates: &[Candidate<'_>]) -> Result<Evaluation, Unsatisfied> {
        let mut matches = BTreeMap::new();
        let mut nearest = BTreeMap::new();
        for query in self.credentials() {
            let mut found = Vec::new();
            for (candidate, credential) in candidates.iter().enumerate() {
                match query.matches(credential) {
                    Ok(claims) => found.push(Match { candidate, claims }),
                    Err(mismatch) => nearer(nearest.entry(&query.id).or_insert(None), mismatch),
                }
            }
            if !found.is_empty() {
                matches.insert(query.id.clone(), found);
            }
        }
        let Some(sets) = self.credential_sets() else {
            for query in self.credentials() {
                if !matches.contains_key(&query.id) {
                    let nearest = nearest.remove(&query.id).flatten();
                    return Err(Unsatisfied::Credential { id: query.id.clone(), nearest });
                }
            }
            let answer = self.credentials().iter().map(|query| query.id.clone()).collect();
            return Ok(Evaluation { matches, answer, choices: Vec::new() });
        };
        let choices = sets
            .iter()
            .map(|set| set_choice(set, &matches))
            .collect::<Result<Vec<SetChoice>, Unsatisfied>>()?;
        let required = choices.iter().filter(|choice| choice.required);
        let chosen: Vec<&String> =
            required.filter_map(|choice| choice.options.first()).flatten().collect();
        let ids = self.credentials().iter().map(|query| &query.id);
        let answer = ids.filter(|id| chosen.contains(id)).cloned().collect();
        Ok(Evaluation { matches, answer, choices })
    }
}

impl CredentialQuery {
    /// The claims of `candidate` to disclose.
    ///
    /// # Errors
    /// [`Mismatch`], the first that applies.
    pub fn matches(&self, candidate: &Candidate<'_>) -> Result<Vec<ClaimPath>, Mismatch> {
        if self.format != candidate.format {
            return Err(Mismatch::Format);
        }
        if !self.accepts_type(candidate.vct) {
            return Err(Mismatch::Type);
        }
        if !self.accepts_authority(candidate.authority_key_ids) {
            return Err(Mismatch::Authority);
        }
        if self.require_cryptographic_holder_binding && !candidate.holder_bound {
            return Err(Mismatch::HolderBinding);
        }
        self.select_claims(candidate.claims).map_err(Mismatch::Claims)
    }

    /// Whether credentials of type `vct` (of an mdoc, its type) answer this query.
    #[must_use]
    pub fn accepts_type(&self, vct: &str) -> bool {
        let mut types = self.meta.types().peekable();
        types.peek().is_none() || types.any(|t| t == vct)
    }

    /// Whether one of the wanted authorities, if any are named, is among those behind a credential's issuer: of the
    /// kind `aki`, the one that can be told here (section 6.1.1).
    #[must_use]
    pub fn accepts_authority(&self, authority_key_ids: &[String]) -> bool {
        let Some(authorities) = &self.trusted_authorities else { return true };
        let mut known = authorities.iter().filter(|authority| authority.kind == AKI);
        known.any(|authority| authority.values.iter().any(|id| authority_key_ids.contains(id)))
    }

    /// The claims to disclose of `claims` (section 6.4.1): all that are listed, or the first
    /// claim set that is there as a whole.
    ///
    /// # Errors
    /// The claims that are missing or have other values (of the best liked claim set).
    pub fn select_claims(
        &self,
        claims: &Map<String, Value>,
    ) -> Result<Vec<ClaimPath>, Vec<ClaimPath>> {
        let Some(sets) = &self.claim_sets else {
            return all_there(self.claims().iter().collect(), claims);
        };
        let mut lacking = Vec::new();
        for set in sets {
            let wanted = self
                .claims()
                .iter()
                .filter(|claim| claim.id.as_ref().is_some_and(|id| set.contains(id)));
            match all_there(wanted.collect(), claims) {
                Ok(paths) => return Ok(paths),
                Err(missing) if lacking.is_empty() => lacking = missing,
                Err(_) => {}
            }
        }
        Err(lacking)
    }
}

fn all_there(
    wanted: Vec<&super::ClaimQuery>,
    claims: &Map<String, Value>,
) -> Result<Vec<ClaimPath>, Vec<ClaimPath>> {
    let is_there = |query: &super::ClaimQuery| {
        let mut selected = query.path.select(claims).into_iter();
        match &query.values {
            Some(values) => selected.any(|value| values.contains(value)),
            None => selected.next().is_some(),
        }
    };
    let (found, missing): (Vec<_>, Vec<_>) = wanted.into_iter().partition(|query| is_there(query));
    let paths = |queries: Vec<&super::ClaimQuery>| {
        queries.into_iter().map(|query| query.path.clone()).collect()
    };
    if missing.is_empty() { Ok(paths(found)) } else { Err(paths(missing)) }
}

fn set_choice(
    set: &CredentialSetQuery,
    matches: &BTreeMap<String, Vec<Match>>,
) -> Result<SetChoice, Unsatisfied> {
    let possible = |option: &&Vec<String>| option.iter().all(|id| matches.contains_key(id));
    let options: Vec<Vec<String>> = set.options.iter().filter(possible).cloned().collect();
    if set.required && options.is_empty() {
        return Err(Unsatisfied::Set(set.options.clone()));
    }
    Ok(SetChoice { required: set.required, options })
}

/// Keeps the mismatch that came furthest through the rules.
fn nearer(best: &mut Option<Mismatch>, mismatch: Mismatch) {
    let rank = |mismatch: &Mismatch| match mismatch {
        Mismatch::Format => 0,
        Mismatch::Type => 1,
        Mismatch::Authority => 2,
        Mismatch::HolderBinding => 3,
        Mismatch::Claims(_) => 4,
    };
    if best.as_ref().is_none_or(|best| rank(best) < rank(&mismatch)) {
        *best = Some(mismatch);
    }
}

pub(super) fn list(paths: &[ClaimPath]) -> String {
    paths.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn reason(nearest: Option<&Mismatch>) -> String {
    nearest.map_or_else(|| "there is none".to_owned(), ToString::to_string)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn query(value: Value) -> DcqlQuery {
        serde_json::from_value(value).unwrap()
    }

    fn object(value: Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    fn candidate<'a>(vct: &'a str, claims: &'a Map<String, Value>) -> Candidate<'a> {
        Candidate { format: "dc+sd-jwt", vct, claims, authority_key_ids: &[], holder_bound: true }
    }

    fn paths(found: &[ClaimPath]) -> Vec<String> {
        found.iter().map(ToString::to_string).collect()
    }

    fn credential(id: &str, vct: &str, rest: Value) -> Value {
        let mut query = json!({"id": id, "format": "dc+sd-jwt", "meta": {"vct_values": [vct]}});
        query.as_object_mut().unwrap().extend(object(rest));
        query
    }

    #[test]
    fn each_mismatch_has_its_own_name() {
        let claims = object(json!({"name": "Li", "age": 20}));
        let good = candidate("pid", &claims);
        let ask = |rest: Value| {
            let query = query(json!({"credentials": [credential("q", "pid", rest)]}));
            query.credentials()[0].clone()
        };
        let plain = ask(json!({"claims": [{"path": ["name"]}]}));
        assert_eq!(paths(&plain.matches(&good).unwrap()), ["name"]);
        let mdoc = Candidate { format: "mso_mdoc", ..good };
        assert_eq!(plain.matches(&mdoc), Err(Mismatch::Format));
        assert_eq!(plain.matches(&candidate("mdl", &claims)), Err(Mismatch::Type));
        let unbound = Candidate { holder_bound: false, ..good };
        assert_eq!(plain.matches(&unbound), Err(Mismatch::HolderBinding));
        let loose = ask(json!({"require_cryptographic_holder_binding": false}));
        assert_eq!(loose.matches(&unbound), Ok(vec![]));
        let missing = ask(json!({"claims": [{"path": ["name"]}, {"path": ["sex"]}]}));
        assert_eq!(missing.matches(&good), Err(Mismatch::Claims(vec![ClaimPath::member("sex")])));
    }

    #[test]
    fn only_known_kinds_of_authority_match_6_1_1() {
        let claims = Map::new();
        let ids = ["key".to_owned()];
        let good = Candidate { authority_key_ids: &ids, ..candidate("pid", &claims) };
        let one = |kind: &str, value: &str| json!({"type": kind, "values": [value]});
        let list = "https://trust.example/trust-list/v1/list";
        for (authorities, matches) in [
            (vec![one("aki", "key")], true),
            (vec![one("aki", "other")], false),
            // What nobody here can evaluate matches nothing, whatever it names: our own list is none of ETSI's.
            (vec![one("etsi_tl", "key")], false),
            (vec![one("etsi_tl", list)], false),
            (vec![one("openid_federation", "https://trust.example")], false),
            (vec![one("of-a-later-version", "key")], false),
            // One of the alternatives is enough.
            (vec![one("etsi_tl", list), one("aki", "key")], true),
            (vec![one("openid_federation", list), one("aki", "other")], false),
        ] {
            let rest = json!({"trusted_authorities": authorities});
            let query = query(json!({"credentials": [credential("q", "pid", rest)]}));
            let expected = if matches { Ok(vec![]) } else { Err(Mismatch::Authority) };
            assert_eq!(query.credentials()[0].matches(&good), expected, "{authorities:?}");
        }
    }

    #[test]
    fn values_must_equal_in_type_and_value_6_3() {
        let claims = object(json!({"n": 1, "s": "1", "b": true, "l": ["x", "y"]}));
        for (path, values, there) in [
            (json!(["n"]), json!([1]), true),
            (json!(["n"]), json!(["1"]), false),
            (json!(["s"]), json!([1, "1"]), true),
            (json!(["b"]), json!([false]), false),
            (json!(["l", null]), json!(["y"]), true),
            (json!(["l"]), json!(["x"]), false),
        ] {
            let rest = json!({"claims": [{"path": path, "values": values}]});
            let query = query(json!({"credentials": [credential("q", "t", rest)]}));
            let selected = query.credentials()[0].select_claims(&claims);
            assert_eq!(selected.is_ok(), there, "{path} {values}");
        }
    }

    #[test]
    fn the_first_claim_set_that_is_there_is_taken_6_4_1() {
        let rest = json!({
            "claims": [
                {"id": "over18", "path": ["over_18"]},
                {"id": "birth", "path": ["birth_date"]},
                {"id": "name", "path": ["name"]},
            ],
            "claim_sets": [["over18"], ["birth", "name"]],
        });
        let query = query(json!({"credentials": [credential("q", "pid", rest)]}));
        let take = |claims: Value| query.credentials()[0].select_claims(&object(claims));
        let all = json!({"over_18": true, "birth_date": "2000-01-01", "name": "Li"});
        assert_eq!(paths(&take(all).unwrap()), ["over_18"]);
        let older = json!({"birth_date": "2000-01-01", "name": "Li"});
        assert_eq!(paths(&take(older).unwrap()), ["birth_date", "name"]);
        assert_eq!(paths(&take(json!({"name": "Li"})).unwrap_err()), ["over_18"]);
    }

    #[test]
    fn without_sets_all_credentials_are_wanted_and_with_them_one_option_of_each_6_4_2() {
        let (empty, named) = (Map::new(), object(json!({"name": "Li"})));
        let credentials = json!([
            credential("pid", "pid", json!({"claims": [{"path": ["name"]}]})),
            credential("mdl", "mdl", json!({})),
            credential("card", "card", json!({})),
        ]);
        let all = query(json!({ "credentials": credentials }));
        let held = [candidate("pid", &named), candidate("card", &empty)];
        assert_eq!(
            all.evaluate(&held).unwrap_err(),
            Unsatisfied::Credential { id: "mdl".into(), nearest: Some(Mismatch::Type) }
        );
        assert_eq!(
            all.evaluate(&[]).unwrap_err(),
            Unsatisfied::Credential { id: "pid".into(), nearest: None }
        );
        let sets = query(json!({
            "credentials": credentials,
            "credential_sets": [
                {"options": [["mdl"], ["pid"]]},
                {"options": [["card"]], "required": false},
            ],
        }));
        let evaluation = sets.evaluate(&held).unwrap();
        assert_eq!(evaluation.answer, ["pid"]);
        assert_eq!(evaluation.matches["pid"][0].claims, [ClaimPath::member("name")]);
        assert_eq!(
            evaluation.choices,
            [
                SetChoice { required: true, options: vec![vec!["pid".into()]] },
                SetChoice { required: false, options: vec![vec!["card".into()]] },
            ]
        );
        let nameless = [candidate("pid", &empty), candidate("card", &empty)];
        assert!(matches!(sets.evaluate(&nameless), Err(Unsatisfied::Set(_))));
    }

    proptest! {
        #[test]
        fn nothing_is_selected_that_was_not_listed(
            held in prop::collection::btree_set("[a-d]", 0..4),
            asked in prop::collection::btree_set("[a-d]", 1..4),
        ) {
            let claims: Map<String, Value> = held.iter().map(|n| (n.clone(), json!(1))).collect();
            let wanted: Vec<ClaimPath> = asked.iter().map(ClaimPath::member).collect();
            let query = CredentialQuery::sd_jwt_vc("q", "t", &wanted);
            match query.select_claims(&claims) {
                Ok(paths) => prop_assert!(paths == wanted && asked.is_subset(&held)),
                Err(missing) => {
                    let lacking: Vec<ClaimPath> =
                        asked.difference(&held).map(ClaimPath::member).collect();
                    prop_assert_eq!(missing, lacking);
                }
            }
        }
    }
}
