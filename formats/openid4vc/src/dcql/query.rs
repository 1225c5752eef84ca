//! The query itself, its limits and the rules of its shape (OpenID4VP 1.0, section 6).

use super::{ClaimPath, PathStep};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeSet;

/// The most credential queries, credential sets, and options of a set.
const MAX_CREDENTIALS: usize = 16;
/// The most claims, claim sets, and values of one credential query.
const MAX_CLAIMS: usize = 64;
/// The longest id, in bytes.
const MAX_ID: usize = 64;

/// A valid query. Read it with serde, or build it with [`DcqlQuery::new`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Wire")]
pub struct DcqlQuery {
    credentials: Vec<CredentialQuery>,
    #[serde(skip_serializing_if = "Option::is_none")]
    credential_sets: Option<Vec<CredentialSetQuery>>,
}

/// A request for one kind of credential (section 6.1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CredentialQuery {
    /// What the answer calls it.
    pub id: String,
    /// The format, such as `dc+sd-jwt`.
    pub format: String,
    /// Whether several credentials may answer.
    #[serde(default, skip_serializing_if = "is_false")]
    pub multiple: bool,
    /// What the format says about the type.
    pub meta: Meta,
    /// Authorities one of which must stand behind the issuer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trusted_authorities: Option<Vec<TrustedAuthority>>,
    /// Whether the holder must prove possession of the key. True unless it says otherwise.
    #[serde(default = "truth", skip_serializing_if = "is_true")]
    pub require_cryptographic_holder_binding: bool,
    /// The wanted claims. If absent, nothing that can be withheld.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub claims: Option<Vec<ClaimQuery>>,
    /// Alternatives among the claims, the best liked first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub claim_sets: Option<Vec<Vec<String>>>,
}

/// What a query says about the type of a credential (appendices B.3.5 and B.2.3).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Meta {
    /// Accepted types of SD-JWT VC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vct_values: Option<Vec<String>>,
    /// The one accepted type of mdoc.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doctype_value: Option<String>,
}

impl Meta {
    /// The accepted types, whatever the format.
    pub fn types(&self) -> impl Iterator<Item = &String> {
        self.vct_values.iter().flatten().chain(&self.doctype_value)
    }
}

/// The kind of authority that is known by the identifier of its key.
pub const AKI: &str = "aki";

/// Authorities of one kind (section 6.1.1). Kinds other than [`AKI`] match nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrustedAuthority {
    /// `aki`, `etsi_tl`, `openid_federation`, or another.
    #[serde(rename = "type")]
    pub kind: String,
    /// For `aki`: key identifiers in base64url.
    pub values: Vec<String>,
}

/// A request for one claim (section 6.3).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClaimQuery {
    /// What `claim_sets` calls it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Where it lies.
    pub path: ClaimPath,
    /// Strings, whole numbers or booleans one of which it must equal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub values: Option<Vec<Value>>,
    /// Of an mdoc: whether the verifier means to keep it (appendix B.2.4).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub intent_to_retain: Option<bool>,
}

/// Alternatives among the credentials (section 6.2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CredentialSetQuery {
    /// Sets of query ids, the best liked first; one of them must be answered.
    pub options: Vec<Vec<String>>,
    /// Whether it must be answered. True unless it says otherwise.
    #[serde(default = "truth", skip_serializing_if = "is_true")]
    pub required: bool,
}

/// Why a query is refused. Checked in this order, credential by credential.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DcqlError {
    /// `credentials` is empty.
    #[error("credentials must not be empty")]
    NoCredentials,
    /// Something is larger than is read.
    #[error("{what} has {count} entries; at most {most} are read")]
    TooMany {
        /// Which array.
        what: &'static str,
        /// Its length.
        count: usize,
        /// The bound.
        most: usize,
    },
    /// An id is empty, too long, or has other characters.
    #[error("{0:?} is not an id: expected 1 to {MAX_ID} of letters, digits, _ and -")]
    Id(String),
    /// An id is used twice.
    #[error("the id {0:?} is used twice")]
    DuplicateId(String),
    /// An array that must not be empty is.
    #[error("{what} of {id:?} must not be empty")]
    Empty {
        /// Which array.
        what: &'static str,
        /// Of which query.
        id: String,
    },
    /// A query without types of its format (appendices B.3.5 and B.2.3).
    #[error("the query {0:?} must name vct_values, or doctype_value if it is for an mdoc")]
    NoType(String),
    /// The same claim twice.
    #[error("the query {id:?} asks for {path} twice")]
    DuplicateClaim {
        /// Of which query.
        id: String,
        /// Which claim.
        path: ClaimPath,
    },
    /// A path that does not begin with a name can point at nothing.
    #[error("{path} of {id:?} must begin with a name")]
    Path {
        /// Of which query.
        id: String,
        /// Which claim.
        path: ClaimPath,
    },
    /// A path that is not a namespace and an element, of an mdoc (section 7.2).
    #[error("{path} of {id:?} must be a namespace and an element")]
    Element {
        /// Of which query.
        id: String,
        /// Which claim.
        path: ClaimPath,
    },
    /// A value that cannot be compared.
    #[error("the values for {path} of {id:?} must be strings, whole numbers or booleans")]
    Value {
        /// Of which query.
        id: String,
        /// Which claim.
        path: ClaimPath,
    },
    /// `claim_sets` without `claims`.
    #[error("the query {0:?} has claim_sets without claims")]
    SetsWithoutClaims(String),
    /// A claim without id where there are claim sets.
    #[error("{path} of {id:?} needs an id because there are claim_sets")]
    ClaimWithoutId {
        /// Of which query.
        id: String,
        /// Which claim.
        path: ClaimPath,
    },
    /// A claim set names a claim that is not there.
    #[error("a claim set of {id:?} names the unknown claim {claim:?}")]
    UnknownClaim {
        /// Of which query.
        id: String,
        /// The name.
        claim: String,
    },
    /// `credential_sets` is empty, or an option in it.
    #[error("credential_sets and their options must not be empty")]
    EmptySet,
    /// A credential set names a query that is not there.
    #[error("a credential set names the unknown query {0:?}")]
    UnknownCredential(String),
}

#[derive(Deserialize)]
struct Wire {
    credentials: Vec<CredentialQuery>,
    credential_sets: Option<Vec<CredentialSetQuery>>,
}

impl TryFrom<Wire> for DcqlQuery {
    type Error = DcqlError;
    fn try_from(wire: Wire) -> Result<Self, DcqlError> {
        Self::new(wire.credentials, wire.credential_sets)
    }
}

impl DcqlQuery {
    /// A query of these parts.
    ///
    /// # Errors
    /// [`DcqlError`], the first rule that is broken.
    pub fn new(
        credentials: Vec<CredentialQuery>,
        credential_sets: Option<Vec<CredentialSetQuery>>,
    ) -> Result<Self, DcqlError> {
        if credentials.is_empty() {
            return Err(DcqlError::NoCredentials);
        }
        at_most("credentials", credentials.len(), MAX_CREDENTIALS)?;
        let mut ids = BTreeSet::new();
        for query in &credentials {
            check_id(&query.id)?;
            if !ids.insert(query.id.as_str()) {
                return Err(DcqlError::DuplicateId(query.id.clone()));
            }
            query.check()?;
        }
        if let Some(sets) = &credential_sets {
            check_sets(sets, &ids)?;
        }
        Ok(Self { credentials, credential_sets })
    }

    /// The credential queries, in their order.
    #[must_use]
    pub fn credentials(&self) -> &[CredentialQuery] {
        &self.credentials
    }

    /// The credential sets, if there are any.
    #[must_use]
    pub fn credential_sets(&self) -> Option<&[CredentialSetQuery]> {
        self.credential_sets.as_deref()
    }

    /// The credential query called `id`.
    #[must_use]
    pub fn credential(&self, id: &str) -> Option<&CredentialQuery> {
        self.credentials.iter().find(|query| query.id == id)
    }
}

impl CredentialQuery {
    /// A query for an SD-JWT VC of type `vct` with these claims, all of them wanted.
    #[must_use]
    pub fn sd_jwt_vc(id: &str, vct: &str, claims: &[ClaimPath]) -> Self {
        Self::sd_jwt_vc_of(id, &[vct.to_owned()], claims)
    }

    /// A query for an SD-JWT VC of any of the types `vcts`, with these claims.
    #[must_use]
    pub fn sd_jwt_vc_of(id: &str, vcts: &[String], claims: &[ClaimPath]) -> Self {
        let claim = |path: &ClaimPath| {
            let (path, values, intent_to_retain) = (path.clone(), None, None);
            ClaimQuery { id: None, path, values, intent_to_retain }
        };
        Self {
            id: id.to_owned(),
            format: crate::FORMAT_SD_JWT_VC.to_owned(),
            multiple: false,
            meta: Meta { vct_values: Some(vcts.to_vec()), doctype_value: None },
            trusted_authorities: None,
            require_cryptographic_holder_binding: true,
            claims: (!claims.is_empty()).then(|| claims.iter().map(claim).collect()),
            claim_sets: None,
        }
    }

    /// A query for an mdoc of type `doc_type` with these elements, each by namespace and name.
    #[must_use]
    pub fn mdoc(id: &str, doc_type: &str, elements: &[ClaimPath]) -> Self {
        Self {
            format: crate::FORMAT_MSO_MDOC.to_owned(),
            meta: Meta { vct_values: None, doctype_value: Some(doc_type.to_owned()) },
            ..Self::sd_jwt_vc_of(id, &[], elements)
        }
    }

    /// The same, and whether the verifier means to keep what it asks, as an mdoc's query can say.
    #[must_use]
    pub fn retaining(mut self, keep: bool) -> Self {
        for claim in self.claims.iter_mut().flatten() {
            claim.intent_to_retain = Some(keep);
        }
        self
    }

    /// The wanted claims; none if `claims` is absent.
    #[must_use]
    pub fn claims(&self) -> &[ClaimQuery] {
        self.claims.as_deref().unwrap_or_default()
    }

    fn check(&self) -> Result<(), DcqlError> {
        self.check_meta()?;
        self.check_claims()?;
        self.check_claim_sets()
    }

    fn check_meta(&self) -> Result<(), DcqlError> {
        let types = self.meta.vct_values.as_deref();
        let untyped = match self.format.as_str() {
            crate::FORMAT_SD_JWT_VC => types.is_none_or(<[String]>::is_empty),
            crate::FORMAT_MSO_MDOC => self.meta.doctype_value.is_none(),
            _ => false,
        };
        if untyped {
            return Err(DcqlError::NoType(self.id.clone()));
        }
        at_most("vct_values", types.map_or(0, <[String]>::len), MAX_CLAIMS)?;
        let Some(authorities) = &self.trusted_authorities else { return Ok(()) };
        self.filled("trusted_authorities", authorities.len())?;
        for authority in authorities {
            self.filled("values of a trusted authority", authority.values.len())?;
        }
        Ok(())
    }

    fn check_claims(&self) -> Result<(), DcqlError> {
        let Some(claims) = &self.claims else { return Ok(()) };
        self.filled("claims", claims.len())?;
        let (mut ids, mut paths) = (BTreeSet::new(), BTreeSet::new());
        for claim in claims {
            let id = self.id.clone();
            let path = claim.path.clone();
            if let Some(claim_id) = &claim.id {
                check_id(claim_id)?;
                if !ids.insert(claim_id) {
                    return Err(DcqlError::DuplicateId(claim_id.clone()));
                }
            }
            if !matches!(path.steps().first(), Some(PathStep::Name(_))) {
                return Err(DcqlError::Path { id, path });
            }
            if self.format == crate::FORMAT_MSO_MDOC && !is_element(&claim.path) {
                return Err(DcqlError::Element { id, path });
            }
            if !paths.insert(&claim.path) {
                return Err(DcqlError::DuplicateClaim { id, path });
            }
            if let Some(values) = &claim.values {
                self.filled("values of a claim", values.len())?;
                if !values.iter().all(|v| v.is_string() || v.is_boolean() || is_whole(v)) {
                    return Err(DcqlError::Value { id, path });
                }
            }
        }
        Ok(())
    }

    fn check_claim_sets(&self) -> Result<(), DcqlError> {
        let Some(sets) = &self.claim_sets else { return Ok(()) };
        let Some(claims) = &self.claims else {
            return Err(DcqlError::SetsWithoutClaims(self.id.clone()));
        };
        self.filled("claim_sets", sets.len())?;
        let mut known = BTreeSet::new();
        for claim in claims {
            let (id, path) = (self.id.clone(), claim.path.clone());
            known.insert(claim.id.as_ref().ok_or(DcqlError::ClaimWithoutId { id, path })?);
        }
        for set in sets {
            self.filled("a claim set", set.len())?;
            if let Some(claim) = set.iter().find(|claim| !known.contains(claim)) {
                let (id, claim) = (self.id.clone(), claim.clone());
                return Err(DcqlError::UnknownClaim { id, claim });
            }
        }
        Ok(())
    }

    fn filled(&self, what: &'static str, count: usize) -> Result<(), DcqlError> {
        if count == 0 {
            return Err(DcqlError::Empty { what, id: self.id.clone() });
        }
        at_most(what, count, MAX_CLAIMS)
    }
}

fn check_sets(sets: &[CredentialSetQuery], ids: &BTreeSet<&str>) -> Result<(), DcqlError> {
    at_most("credential_sets", sets.len(), MAX_CREDENTIALS)?;
    if sets.is_empty() {
        return Err(DcqlError::EmptySet);
    }
    for set in sets {
        at_most("options", set.options.len(), MAX_CREDENTIALS)?;
        if set.options.is_empty() || set.options.iter().any(Vec::is_empty) {
            return Err(DcqlError::EmptySet);
        }
        for id in set.options.iter().flatten() {
            if !ids.contains(id.as_str()) {
                return Err(DcqlError::UnknownCredential(id.clone()));
            }
        }
    }
    Ok(())
}

fn at_most(what: &'static str, count: usize, most: usize) -> Result<(), DcqlError> {
    if count > most { Err(DcqlError::TooMany { what, count, most }) } else { Ok(()) }
}

fn check_id(id: &str) -> Result<(), DcqlError> {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
    if (1..=MAX_ID).contains(&id.len()) && id.bytes().all(allowed) {
        Ok(())
    } else {
        Err(DcqlError::Id(id.to_owned()))
    }
}

fn is_element(path: &ClaimPath) -> bool {
    matches!(path.steps(), [PathStep::Name(_), PathStep::Name(_)])
}

fn is_whole(value: &Value) -> bool {
    value.is_u64() || value.is_i64()
}

const fn truth() -> bool {
    true
}

const fn is_true(value: &bool) -> bool {
    *value
}

const fn is_false(value: &bool) -> bool {
    !*value
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn pid() -> Value {
        json!({
            "id": "pid", "format": "dc+sd-jwt", "meta": {"vct_values": ["urn:pid"]},
            "claims": [{"id": "a", "path": ["family_name"]}, {"id": "b", "path": ["age", 18]}],
        })
    }

    fn error(change: impl FnOnce(&mut Value)) -> DcqlError {
        let mut query = json!({"credentials": [pid()], "credential_sets": null});
        change(&mut query);
        let wire: Wire = serde_json::from_value(query).unwrap();
        DcqlQuery::try_from(wire).unwrap_err()
    }

    #[test]
    fn each_rule_of_a_query_is_refused_by_its_own_name_6() {
        use DcqlError as E;
        let path = |value: Value| serde_json::from_value::<ClaimPath>(value).unwrap();
        let id = || "pid".to_owned();
        let many = |count: usize| (0..count).map(|i| json!(format!("c{i}"))).collect::<Vec<_>>();
        assert_eq!(error(|q| q["credentials"] = json!([])), E::NoCredentials);
        let what = "credentials";
        assert_eq!(
            error(|q| q["credentials"] = vec![pid(); 17].into()),
            E::TooMany { what, count: 17, most: 16 }
        );
        assert_eq!(error(|q| q["credentials"][0]["id"] = "a b".into()), E::Id("a b".into()));
        assert_eq!(error(|q| q["credentials"][0]["id"] = "".into()), E::Id(String::new()));
        assert_eq!(error(|q| q["credentials"] = json!([pid(), pid()])), E::DuplicateId(id()));
        assert_eq!(error(|q| q["credentials"][0]["meta"] = json!({})), E::NoType(id()));
        let what = "trusted_authorities";
        assert_eq!(
            error(|q| q["credentials"][0]["trusted_authorities"] = json!([])),
            E::Empty { what, id: id() }
        );
        let what = "claims";
        assert_eq!(
            error(|q| q["credentials"][0]["claims"] = json!([])),
            E::Empty { what, id: id() }
        );
        assert_eq!(
            error(|q| q["credentials"][0]["claims"][1]["id"] = "a".into()),
            E::DuplicateId("a".into())
        );
        assert_eq!(
            error(|q| q["credentials"][0]["claims"][0]["path"] = json!([null])),
            E::Path { id: id(), path: path(json!([null])) }
        );
        assert_eq!(
            error(|q| q["credentials"][0]["claims"][1]["path"] = json!(["family_name"])),
            E::DuplicateClaim { id: id(), path: path(json!(["family_name"])) }
        );
        for bad in [json!([1.5]), json!([null]), json!([["x"]])] {
            assert_eq!(
                error(|q| q["credentials"][0]["claims"][0]["values"] = bad),
                E::Value { id: id(), path: path(json!(["family_name"])) }
            );
        }
        assert_eq!(
            error(|q| q["credentials"][0]["claims"][0]["values"] = many(65).into()),
            E::TooMany { what: "values of a claim", count: 65, most: 64 }
        );
        assert_eq!(
            error(|q| {
                q["credentials"][0]["claims"] = Value::Null;
                q["credentials"][0]["claim_sets"] = json!([["a"]]);
            }),
            E::SetsWithoutClaims(id())
        );
        assert_eq!(
            error(|q| {
                q["credentials"][0]["claims"][1]["id"] = Value::Null;
                q["credentials"][0]["claim_sets"] = json!([["a"]]);
            }),
            E::ClaimWithoutId { id: id(), path: path(json!(["age", 18])) }
        );
        assert_eq!(
            error(|q| q["credentials"][0]["claim_sets"] = json!([["a", "c"]])),
            E::UnknownClaim { id: id(), claim: "c".into() }
        );
        assert_eq!(error(|q| q["credential_sets"] = json!([])), E::EmptySet);
        assert_eq!(error(|q| q["credential_sets"] = json!([{"options": [[]]}])), E::EmptySet);
        assert_eq!(
            error(|q| q["credential_sets"] = json!([{"options": [["pid", "mdl"]]}])),
            E::UnknownCredential("mdl".into())
        );
    }

    #[test]
    fn unknown_members_are_ignored_and_defaults_are_those_of_section_6() {
        let mut wire = json!({"credentials": [pid()], "purpose": "x"});
        wire["credentials"][0]["something"] = json!(1);
        let query: DcqlQuery = serde_json::from_value(wire).unwrap();
        let credential = query.credential("pid").unwrap();
        assert!(!credential.multiple && credential.require_cryptographic_holder_binding);
        assert_eq!(serde_json::to_value(&query).unwrap(), json!({"credentials": [pid()]}));
    }
}
