//! The operator of the trust list: takes up the institutions that the profile names, once they prove
//! themselves, and signs who is trusted with what and reached where.

use crate::enrolment::{Admission, EnrolmentRequest, place};
use crate::http::{OperatorToken, Problem, ProblemBody};
use crate::localized;
use crate::recognition::Recognition;
use crate::trust::removing::{self, Removal};
use crate::trust::sequence::{ListSequence, Saying};
use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::header;
use axum::response::IntoResponse;
use serde::{Deserialize, Deserializer, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use yufu_base::{InstitutionId, Signer, Timestamp};
use yufu_engine::Clock;
use yufu_jose::{Chain, Jwk};
use yufu_keys::{InUse, KeyStore, KeyStoreError};
use yufu_profile::{CredentialType, Institution, Profile};
use yufu_trust::{DirectoryEntry, Enrolment, GoodPaths, Localized, Role, TrustEntry, TrustList};

/// How long a list is valid after it was signed, in seconds.
const LIFETIME_SECONDS: u64 = 7 * 86_400;

/// The operator of the trust list.
pub struct TrustOperator {
    /// Its id.
    pub id: InstitutionId,
    /// Its address: the list's `iss`.
    pub identifier: String,
    /// Who is listed.
    pub register: Register,
    /// Which other countries' lists it recognises.
    pub recognition: Recognition,
    /// What it said last.
    pub sequence: ListSequence,
    /// Whose enrolment is taken.
    pub admission: Admission,
    /// Its desk's token.
    pub desk: OperatorToken,
    /// Its keys, the first of which everybody is given out of band.
    pub keys: InUse<ListKeys>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
}

/// What a list is signed with.
pub struct ListKeys {
    /// The key in use.
    pub signer: Arc<dyn Signer>,
    /// The operator's words on which key followed which, oldest first, one that is ahead included.
    pub succession: Vec<String>,
    /// From when on another key signs, if one is ahead, in seconds since the epoch.
    pub until: Option<u64>,
}

/// Who is listed: a document for each institution, and what the profile says of it.
pub struct Register {
    pub(super) store: KeyStore,
    pub(super) known: BTreeMap<InstitutionId, Known>,
    pub(super) listed: Mutex<BTreeMap<InstitutionId, Listed>>,
}

/// What the profile says of an institution.
pub(super) struct Known {
    name: Localized,
    pub(super) kind: &'static str,
    path: String,
    may: &'static [Role],
    /// The types of credential that it issues.
    issues: Vec<String>,
}

/// What an institution enrolled with.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Listed {
    /// Empty if it has not enrolled yet.
    pub(super) url: String,
    /// By what they certify, the newest last: DER in standard base64.
    #[serde(deserialize_with = "one_or_more")]
    anchors: BTreeMap<Role, Vec<String>>,
    /// Keys that count no more, by their thumbprints.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    withdrawn: BTreeSet<String>,
    /// When this last changed, in seconds since the epoch.
    pub(super) since: u64,
    /// When the operator took it off the list, and put it back.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) removals: Vec<Removal>,
}

/// An institution is on the list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Enlisted {
    /// The sequence of the list that has it first.
    pub sequence: u64,
}

pub(crate) fn described() -> OpenApiRouter<Arc<TrustOperator>> {
    let public = OpenApiRouter::new().routes(routes!(list)).routes(routes!(enrol));
    public.merge(removing::described())
}

/// The trust list: who may play which role and is reached where, signed by its operator.
#[utoipa::path(get, path = "/trust-list/v1/list", tag = "trust",
    responses((status = 200, description = "a JWS of type yufu-trust-list+jwt", body = String, content_type = "application/jwt")))]
async fn list(State(operator): State<Arc<TrustOperator>>) -> Result<impl IntoResponse, Problem> {
    let signed = operator.signed_list()?;
    Ok(([(header::CONTENT_TYPE, "application/jwt")], signed))
}

/// Enrol an institution: its address, and the anchors that the profile lets it have. Repeating it changes nothing.
#[utoipa::path(post, path = "/trust-list/v1/enrolments", tag = "trust", request_body = EnrolmentRequest,
    responses(
        (status = 200, body = Enlisted),
        (status = 401, description = "no enrolment for here and now", body = ProblemBody),
        (status = 403, description = "not admitted, not for this role, or taken off the list", body = ProblemBody),
        (status = 409, description = "another anchor is listed", body = ProblemBody)))]
async fn enrol(
    State(operator): State<Arc<TrustOperator>>,
    request: Result<Json<EnrolmentRequest>, JsonRejection>,
) -> Result<Json<Enlisted>, Problem> {
    Ok(Json(operator.enrol(&request?.enrolment)?))
}

impl Register {
    /// The register in `store`, of the institutions of `profile`.
    ///
    /// # Errors
    /// If a document cannot be read.
    pub fn open(store: KeyStore, profile: &Profile) -> Result<Self, Problem> {
        let mut listed = BTreeMap::new();
        for id in profile.institutions.keys() {
            if let Some(bytes) = store.find(id.as_str(), "json")? {
                let found = serde_json::from_slice(&bytes).map_err(Problem::internal)?;
                listed.insert(id.clone(), found);
            }
        }
        let all = profile.institutions.values();
        let known = all.map(|one| (one.id.clone(), Known::of(one, profile)));
        Ok(Self { store, known: known.collect(), listed: Mutex::new(listed) })
    }

    fn enter(
        &self,
        id: &InstitutionId,
        enrolment: &Enrolment,
        now: Timestamp,
    ) -> Result<(), Problem> {
        let known = self.known.get(id).ok_or_else(|| Problem::not_found("institution here"))?;
        let mut all = self.listed.lock().unwrap_or_else(PoisonError::into_inner);
        let before = all.get(id).cloned();
        let mut listed = before.clone().unwrap_or_default();
        if let Some(removed) = listed.removed() {
            return Err(removing::refused(id, removed));
        }
        listed.url.clone_from(&enrolment.url);
        if let Some(anchor) = enrolment.anchors.iter().find(|one| !known.may.contains(&one.role)) {
            let detail = format!("the profile does not make {id} a {:?}", anchor.role);
            return Err(Problem::forbidden("enrolment.role", detail));
        }
        listed.withdrawn.extend(enrolment.withdrawn.iter().cloned());
        for role in known.may {
            listed.take_up(id, *role, enrolment)?;
        }
        if before.as_ref() != Some(&listed) {
            listed.since = now.seconds();
            self.keep(id, &listed)?;
            all.insert(id.clone(), listed);
        }
        Ok(())
    }

    /// Writes an institution's document.
    pub(super) fn keep(&self, id: &InstitutionId, listed: &Listed) -> Result<(), Problem> {
        let json = serde_json::to_vec_pretty(listed).map_err(Problem::internal)?;
        Ok(self.store.replace(id.as_str(), "json", &json)?)
    }

    /// Entries and directory, of those that enrolled and were not taken off.
    fn contents(&self) -> (Vec<TrustEntry>, Vec<DirectoryEntry>) {
        let all = self.listed.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut entries, mut directory) = (Vec::new(), Vec::new());
        for (id, listed) in all.iter().filter(|(_, listed)| listed.stands()) {
            let Some(known) = self.known.get(id) else { continue };
            directory.push(DirectoryEntry {
                id: id.to_string(),
                name: known.name.clone(),
                kind: known.kind.to_owned(),
                url: listed.url.clone(),
            });
            entries.extend(listed.anchors.iter().map(|(role, certificates)| TrustEntry {
                name: known.name.clone(),
                role: *role,
                identifier: format!("{}{}", listed.url, known.path),
                certificates: certificates.clone(),
                withdrawn: listed.withdrawn.iter().cloned().collect(),
                issues: known.issues.clone(),
                origin: None,
            }));
        }
        (entries, directory)
    }
}

impl Listed {
    /// The anchors of a role as whoever holds the institution's key says that they are now. One that is listed and is
    /// neither among them nor among the former or withdrawn ones was lost, and nobody noticed: that is refused.
    fn take_up(
        &mut self,
        id: &InstitutionId,
        role: Role,
        enrolment: &Enrolment,
    ) -> Result<(), Problem> {
        let wanted = enrolment.anchors.iter().filter(|anchor| anchor.role == role);
        let wanted: Vec<&String> = wanted.map(|anchor| &anchor.certificate).collect();
        let former = self.anchors.remove(&role).unwrap_or_default();
        let named = |prints: &[String], certificate: &String| {
            print(certificate).is_some_and(|print| prints.contains(&print))
        };
        let mut anchors = Vec::new();
        for certificate in former {
            if named(&enrolment.withdrawn, &certificate) {
                continue;
            }
            let kept = wanted.contains(&&certificate) || named(&enrolment.former, &certificate);
            if !kept && !wanted.is_empty() {
                let detail = format!(
                    "another anchor of {id} is listed as {role:?}: restore its key from the backup, or have it replaced (yufu keys replace), which says so here"
                );
                return Err(Problem::conflict("enrolment.key_differs", detail));
            }
            anchors.push(certificate);
        }
        for certificate in wanted {
            let withdrawn = print(certificate).is_some_and(|one| self.withdrawn.contains(&one));
            if withdrawn {
                let detail = format!(
                    "the anchor of {id} as {role:?} was withdrawn, which is for good: enrol with another (yufu keys rotate)"
                );
                return Err(Problem::conflict("enrolment.key_withdrawn", detail));
            }
            if !anchors.contains(certificate) {
                anchors.push(certificate.clone());
            }
        }
        if !anchors.is_empty() {
            self.anchors.insert(role, anchors);
        }
        Ok(())
    }
}

/// The thumbprint of the key that a certificate (DER in standard base64) is for.
fn print(certificate: &str) -> Option<String> {
    let chain = Chain::from_x5c(std::slice::from_ref(&certificate.to_owned())).ok()?;
    Some(Jwk::from(chain.unverified_key()?).thumbprint_base64url())
}

/// Reads anchors as they were written before an institution could have several in a role, too.
fn one_or_more<'de, D: Deserializer<'de>>(
    reader: D,
) -> Result<BTreeMap<Role, Vec<String>>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        One(String),
        More(Vec<String>),
    }
    let written = BTreeMap::<Role, Written>::deserialize(reader)?;
    let all = written.into_iter().map(|(role, written)| match written {
        Written::One(certificate) => (role, vec![certificate]),
        Written::More(certificates) => (role, certificates),
    });
    Ok(all.collect())
}

impl Known {
    fn of(institution: &Institution, profile: &Profile) -> Self {
        let (path, may) = place(institution);
        let name = localized(&institution.name);
        let issued = profile.issued_by(institution).flat_map(CredentialType::listed);
        let issues = issued.map(str::to_owned).collect();
        Self { name, kind: institution.role.word(), path, may, issues }
    }
}

impl TrustOperator {
    /// Takes up whoever signed the enrolment.
    ///
    /// # Errors
    /// The refusal.
    pub fn enrol(&self, enrolment: &str) -> Result<Enlisted, Problem> {
        let now = self.clock.read().wall;
        let (id, enrolment) = self.admission.verify(enrolment, &self.id, now)?;
        self.register.enter(&id, &enrolment, now)?;
        Ok(Enlisted { sequence: self.stamped()?.sequence })
    }

    /// The list as of now, with its sequence.
    pub(super) fn stamped(&self) -> Result<TrustList, Problem> {
        let now = self.clock.read().wall;
        Ok(self.sequence.stamp(|| self.saying(now).0)?)
    }

    /// The list as of now, signed.
    ///
    /// # Errors
    /// If the key does not sign, or what was said last cannot be kept.
    pub fn signed_list(&self) -> Result<String, Problem> {
        let now = self.clock.read().wall;
        let sign = |list: &TrustList, keys: &Arc<ListKeys>| {
            list.sign_after(&*keys.signer, &keys.succession).map_err(Problem::internal)
        };
        self.sequence.signed(|| self.saying(now), sign)
    }

    /// What is to be said now, and the keys that sign it: taken together, and what is of the next key's time is not signed
    /// with this one.
    fn saying(&self, now: Timestamp) -> (Saying, Arc<ListKeys>) {
        let keys = self.keys.get();
        let last = keys.until.map(|end| Timestamp::from_seconds(end.saturating_sub(1)));
        let at = last.map_or(now, |last| last.min(now));
        let by = Jwk::from(keys.signer.public_key()).thumbprint_base64url();
        let said_with = keys.succession.iter().cloned().chain([by]).collect();
        (Saying { list: self.list(at), at, keys: said_with }, keys)
    }

    /// What is to be said now, before it has its sequence.
    fn list(&self, now: Timestamp) -> TrustList {
        let (mut entries, directory) = self.register.contents();
        let abroad = self.recognition.taken_over(now);
        entries.extend(abroad.entries);
        TrustList {
            operator: self.identifier.clone(),
            sequence: 0,
            issued_at: now,
            expires_at: now.plus_seconds(LIFETIME_SECONDS),
            entries,
            recognised: abroad.lists,
            directory,
            good_paths: GoodPaths::default(),
        }
    }
}

impl From<KeyStoreError> for Problem {
    fn from(error: KeyStoreError) -> Self {
        Self::internal(error)
    }
}
