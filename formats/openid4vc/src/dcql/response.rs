//! Whether an answer fits the query (OpenID4VP 1.0, sections 6.4 and 8.6): the verifier's side.

use super::evaluate::list;
use super::{ClaimPath, DcqlQuery};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// One presented credential, already verified.
#[derive(Clone, Copy, Debug)]
pub struct Answer<'a> {
    /// Its format.
    pub format: &'a str,
    /// Its type: the `vct`, or the type of an mdoc.
    pub vct: &'a str,
    /// The claims it disclosed; of an mdoc its elements, by namespace.
    pub claims: &'a Map<String, Value>,
    /// The authority key identifiers in its certificate chain, in base64url.
    pub authority_key_ids: &'a [String],
}

/// Why an answer does not fit. Checked in this order.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ResponseMismatch {
    /// An entry that was not asked for.
    #[error("the answer has an entry {0:?} that was not asked for")]
    Unasked(String),
    /// An empty entry, or several presentations where one was asked for.
    #[error("the entry {id:?} has {count} presentations, expected one")]
    Count {
        /// Which query.
        id: String,
        /// How many there are.
        count: usize,
    },
    /// Another format or type.
    #[error("the credential for {0:?} has another format or type than was asked for")]
    Type(String),
    /// None of the wanted authorities stands behind its issuer.
    #[error("none of the trusted authorities stands behind the issuer of the credential for {0:?}")]
    Authority(String),
    /// Claims are missing or have other values.
    #[error("the credential for {id:?} lacks {}", list(.missing))]
    Claims {
        /// Which query.
        id: String,
        /// What it lacks.
        missing: Vec<ClaimPath>,
    },
    /// A credential that must be there is not.
    #[error("there is no answer to {0:?}")]
    Missing(String),
    /// No option of a required set is there as a whole.
    #[error("none of the alternatives {0:?} was given")]
    Set(Vec<Vec<String>>),
}

impl DcqlQuery {
    /// Checks verified presentations against the query, and returns for each the claims
    /// that were asked for; whatever else it discloses was not.
    ///
    /// # Errors
    /// [`ResponseMismatch`], the first that applies.
    pub fn check_answers(
        &self,
        answers: &BTreeMap<String, Vec<Answer<'_>>>,
    ) -> Result<BTreeMap<String, Vec<Vec<ClaimPath>>>, ResponseMismatch> {
        let mut asked = BTreeMap::new();
        for (id, given) in answers {
            let query = self.credential(id).ok_or_else(|| ResponseMismatch::Unasked(id.clone()))?;
            let count = given.len();
            if count == 0 || (count > 1 && !query.multiple) {
                return Err(ResponseMismatch::Count { id: id.clone(), count });
            }
            let mut paths = Vec::new();
            for answer in given {
                if answer.format != query.format || !query.accepts_type(answer.vct) {
                    return Err(ResponseMismatch::Type(id.clone()));
                }
                if !query.accepts_authority(answer.authority_key_ids) {
                    return Err(ResponseMismatch::Authority(id.clone()));
                }
                let selected = query.select_claims(answer.claims);
                let claims = |missing| ResponseMismatch::Claims { id: id.clone(), missing };
                paths.push(selected.map_err(claims)?);
            }
            asked.insert(id.clone(), paths);
        }
        self.check_complete(answers)?;
        Ok(asked)
    }

    fn check_complete(
        &self,
        answers: &BTreeMap<String, Vec<Answer<'_>>>,
    ) -> Result<(), ResponseMismatch> {
        let Some(sets) = self.credential_sets() else {
            let missing = self.credentials().iter().find(|q| !answers.contains_key(&q.id));
            return missing.map_or(Ok(()), |q| Err(ResponseMismatch::Missing(q.id.clone())));
        };
        let given = |option: &Vec<String>| option.iter().all(|id| answers.contains_key(id));
        let mut required = sets.iter().filter(|set| set.required);
        match required.find(|set| !set.options.iter().any(given)) {
            Some(set) => Err(ResponseMismatch::Set(set.options.clone())),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn each_mismatch_of_an_answer_has_its_own_name_8_6() {
        use ResponseMismatch as E;
        let query: DcqlQuery = serde_json::from_value(json!({"credentials": [
            {"id": "a", "format": "dc+sd-jwt", "meta": {"vct_values": ["t"]},
             "claims": [{"path": ["x"]}]},
            {"id": "b", "format": "dc+sd-jwt", "meta": {"vct_values": ["t"]}, "multiple": true},
        ]}))
        .unwrap();
        let x = json!({"x": 1, "y": 2}).as_object().unwrap().clone();
        let none = Map::new();
        let answer =
            |vct, claims| Answer { format: "dc+sd-jwt", vct, claims, authority_key_ids: &[] };
        let good = answer("t", &x);
        let check = |entries: Vec<(&str, Vec<Answer<'_>>)>| {
            query.check_answers(&entries.into_iter().map(|(id, a)| (id.to_owned(), a)).collect())
        };
        let asked = check(vec![("a", vec![good]), ("b", vec![good, good])]).unwrap();
        assert_eq!(asked["a"], [vec![ClaimPath::member("x")]]);
        assert_eq!(asked["b"], [vec![], vec![]]);
        let (a, b) = (("a", vec![good]), ("b", vec![good]));
        assert_eq!(check(vec![a.clone(), ("c", vec![good])]), Err(E::Unasked("c".into())));
        assert_eq!(
            check(vec![("a", vec![good, good]), b.clone()]),
            Err(E::Count { id: "a".into(), count: 2 })
        );
        assert_eq!(
            check(vec![a.clone(), ("b", vec![])]),
            Err(E::Count { id: "b".into(), count: 0 })
        );
        assert_eq!(check(vec![("a", vec![answer("u", &x)]), b.clone()]), Err(E::Type("a".into())));
        let mdoc = Answer { format: "mso_mdoc", ..good };
        assert_eq!(check(vec![("a", vec![mdoc]), b.clone()]), Err(E::Type("a".into())));
        assert_eq!(
            check(vec![("a", vec![answer("t", &none)]), b]),
            Err(E::Claims { id: "a".into(), missing: vec![ClaimPath::member("x")] })
        );
        assert_eq!(check(vec![a]), Err(E::Missing("b".into())));
    }

    #[test]
    fn an_answer_from_behind_another_authority_than_was_asked_for_does_not_fit_6_1_1() {
        let query: DcqlQuery = serde_json::from_value(json!({"credentials": [
            {"id": "a", "format": "dc+sd-jwt", "meta": {"vct_values": ["t"]},
             "trusted_authorities": [{"type": "aki", "values": ["one", "two"]}]},
        ]}))
        .unwrap();
        let none = Map::new();
        for (ids, fits) in
            [(vec!["two"], true), (vec!["x", "one"], true), (vec!["x"], false), (vec![], false)]
        {
            let ids: Vec<String> = ids.into_iter().map(str::to_owned).collect();
            let vct = "t";
            let given = Answer { format: "dc+sd-jwt", vct, claims: &none, authority_key_ids: &ids };
            let said = query.check_answers(&BTreeMap::from([("a".to_owned(), vec![given])]));
            let other = ResponseMismatch::Authority("a".into());
            assert_eq!(said.err(), (!fits).then_some(other), "{ids:?}");
        }
    }

    #[test]
    fn one_option_of_each_required_set_must_be_there_6_4_2() {
        let query: DcqlQuery = serde_json::from_value(json!({
            "credentials": [
                {"id": "a", "format": "dc+sd-jwt", "meta": {"vct_values": ["t"]}},
                {"id": "b", "format": "dc+sd-jwt", "meta": {"vct_values": ["t"]}},
            ],
            "credential_sets": [{"options": [["a"]]}, {"options": [["b"]], "required": false}],
        }))
        .unwrap();
        let none = Map::new();
        let good = Answer { format: "dc+sd-jwt", vct: "t", claims: &none, authority_key_ids: &[] };
        let given = |id: &str| BTreeMap::from([(id.to_owned(), vec![good])]);
        assert!(query.check_answers(&given("a")).is_ok());
        assert_eq!(
            query.check_answers(&given("b")),
            Err(ResponseMismatch::Set(vec![vec!["a".into()]]))
        );
    }
}
