//! A question in the words of DCQL (OpenID4VP 1.0, section 6): as a purpose has it in the profile, or as a desk wrote it.
//! Either way the registration bounds it.

use super::asking::{MDOC, formats};
use super::party::Party;
use crate::http::Problem;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use yufu_jose::ClaimPath;
use yufu_mdoc::element_path;
use yufu_openid4vc::dcql::{
    AKI, ClaimQuery, CredentialQuery, CredentialSetQuery, DcqlQuery, TrustedAuthority,
};
use yufu_profile::{AskedClaim, AskedCredential, AskedSet, AskedValue, Query};
use yufu_trust::{RegisteredCredential, RegistrationCertificate, Role, TrustList};
use yufu_verifier::Question;

/// The registered credentials by their ids, each with the mdoc that stands behind it.
type Registered<'a> =
    BTreeMap<&'a str, (&'a RegisteredCredential, Option<&'a RegisteredCredential>)>;

impl Party {
    /// The question of a purpose that asks otherwise than for everything. The registered credentials are called `ids`, in
    /// their order; `list` says who stands behind their issuers.
    pub(crate) fn put(
        &self,
        registered: &RegistrationCertificate,
        ids: &[&str],
        query: &Query,
        list: &TrustList,
    ) -> Result<Question, Problem> {
        let known: Registered<'_> =
            ids.iter().copied().zip(formats(&registered.credentials)).collect();
        let retained = registered.retention_days > 0;
        let mut queries = Vec::new();
        // The queries that a query of the profile stands for: one for each format.
        let mut forms: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for asked in &query.credentials {
            let found = known.get(asked.credential.as_str());
            let (credential, mdoc) =
                found.ok_or_else(|| Problem::internal("a query's credential is not registered"))?;
            let types = &credential.meta.vct_values;
            let authorities = || self.authorities(asked, types, list);
            let own = CredentialQuery::sd_jwt_vc_of(&asked.id, types, &[]);
            queries.push(shaped(own, asked, authorities(), |path| Some(path.clone()))?);
            let form = forms.entry(&asked.id).or_default();
            form.push(asked.id.clone());
            if let Some(doctype) = mdoc.and_then(|mdoc| mdoc.meta.doctype_value.as_ref()) {
                let id = format!("{}{MDOC}", asked.id);
                let other = CredentialQuery::mdoc(&id, doctype, &[]);
                let element = |path: &ClaimPath| element_path(doctype, path);
                let other = shaped(other, asked, authorities(), element)?;
                queries.push(other.retaining(retained));
                form.push(id);
            }
        }
        let query = DcqlQuery::new(queries, Some(sets(query, &forms)));
        self.question_of(query.map_err(Problem::internal)?)
    }

    /// The question that a query is, whoever wrote it: who must have issued what it asks for is known here.
    pub(crate) fn question_of(&self, query: DcqlQuery) -> Result<Question, Problem> {
        let (mut roles, mut foreign) = (BTreeMap::new(), BTreeMap::new());
        for credential in query.credentials() {
            let types: Vec<String> = credential.meta.types().cloned().collect();
            let mut found = types.iter().filter_map(|named| self.issuers.get(named)).copied();
            let role = found.next();
            if found.any(|other| Some(other) != role) {
                let detail = format!(
                    "the query {:?} asks for types that different institutions issue: ask for each in a query of its own",
                    credential.id
                );
                return Err(Problem::malformed(detail));
            }
            roles.extend(role.map(|role| (credential.id.clone(), role)));
            foreign.extend(self.foreign_among(&types));
        }
        Ok(Question { query, roles, foreign, transactions: Vec::new() })
    }

    /// The authorities that the list has for the issuers of these types, if the query is to name them.
    fn authorities(
        &self,
        asked: &AskedCredential,
        types: &[String],
        list: &TrustList,
    ) -> Option<Vec<TrustedAuthority>> {
        asked.trusted_authorities.then(|| {
            let role = types.iter().find_map(|named| self.issuers.get(named)).copied();
            let role = role.unwrap_or(Role::PidIssuer);
            let mut values = list.authority_key_ids(role);
            if !self.foreign_among(types).is_empty() {
                values.extend(list.authority_key_ids(Role::ForeignPidIssuer));
            }
            vec![TrustedAuthority { kind: AKI.to_owned(), values }]
        })
    }
}

/// A query with what is asked of its credential; `own` is a claim's path in its format.
fn shaped(
    query: CredentialQuery,
    asked: &AskedCredential,
    trusted_authorities: Option<Vec<TrustedAuthority>>,
    own: impl Fn(&ClaimPath) -> Option<ClaimPath>,
) -> Result<CredentialQuery, Problem> {
    let has_sets = !asked.claim_sets.is_empty();
    let name = |place: usize| format!("c{place}");
    let claim = |(place, claim): (usize, &AskedClaim)| {
        let names = claim.path.segments().iter().map(String::as_str);
        let path = ClaimPath::members(names).ok().and_then(|path| own(&path));
        let path = path.ok_or_else(|| Problem::internal("a claim has no path in this format"))?;
        let values: Vec<Value> = claim.values.iter().map(value).collect();
        Ok(ClaimQuery {
            id: has_sets.then(|| name(place)),
            path,
            values: (!values.is_empty()).then_some(values),
            intent_to_retain: None,
        })
    };
    let claims = asked.claims.iter().enumerate().map(claim).collect::<Result<Vec<_>, Problem>>()?;
    let place =
        |path: &yufu_profile::ClaimPath| asked.claims.iter().position(|claim| claim.path == *path);
    let sets = asked.claim_sets.iter();
    let sets = sets.map(|set| set.iter().filter_map(place).map(name).collect()).collect();
    Ok(CredentialQuery {
        multiple: asked.multiple,
        trusted_authorities,
        claims: (!claims.is_empty()).then_some(claims),
        claim_sets: has_sets.then_some(sets),
        ..query
    })
}

fn value(value: &AskedValue) -> Value {
    match value {
        AskedValue::Text(text) => json!(text),
        AskedValue::Number(number) => json!(number),
        AskedValue::Flag(flag) => json!(flag),
    }
}

/// The alternatives, in every combination of formats; without any, each query is wanted in one of its formats.
fn sets(query: &Query, forms: &BTreeMap<&str, Vec<String>>) -> Vec<CredentialSetQuery> {
    if query.sets.is_empty() {
        let wanted = query.credentials.iter().filter_map(|asked| forms.get(asked.id.as_str()));
        let options = wanted.map(|form| form.iter().map(|id| vec![id.clone()]).collect());
        return options.map(|options| CredentialSetQuery { options, required: true }).collect();
    }
    let set = |AskedSet { options, required }: &AskedSet| CredentialSetQuery {
        options: options.iter().flat_map(|option| combined(option, forms)).collect(),
        required: *required,
    };
    query.sets.iter().map(set).collect()
}

fn combined(option: &[String], forms: &BTreeMap<&str, Vec<String>>) -> Vec<Vec<String>> {
    let mut all: Vec<Vec<String>> = vec![Vec::new()];
    for id in option {
        let form = forms.get(id.as_str()).map(Vec::as_slice).unwrap_or_default();
        all = all
            .into_iter()
            .flat_map(|begun| {
                form.iter().map(move |id| {
                    let mut longer = begun.clone();
                    longer.push(id.clone());
                    longer
                })
            })
            .collect();
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alternatives_come_in_every_combination_of_formats_the_best_liked_first() {
        let texts = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>();
        let forms = BTreeMap::from([
            ("a", texts(&["a", "a-mdoc"])),
            ("b", texts(&["b"])),
            ("c", texts(&["c", "c-mdoc"])),
        ]);
        assert_eq!(combined(&texts(&["b"]), &forms), [texts(&["b"])]);
        assert_eq!(
            combined(&texts(&["a", "b", "c"]), &forms),
            [
                texts(&["a", "b", "c"]),
                texts(&["a", "b", "c-mdoc"]),
                texts(&["a-mdoc", "b", "c"]),
                texts(&["a-mdoc", "b", "c-mdoc"]),
            ]
        );
    }
}
