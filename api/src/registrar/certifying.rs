//! What the registrar certifies: the key with which a relying party asks, and for each of its purposes
//! what it may ask, as the profile registers it.

use super::Registrar;
use super::revoking::{LIST, LIST_SIZE};
use crate::enrolment::{Admission, EnrolmentRequest};
use crate::http::{Problem, ProblemBody};
use crate::issuer::day;
use crate::localized;
use crate::status_list::{self, FREED_SECONDS};
use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;
use url::Url;
use utoipa::ToSchema;
use yufu_base::{InstitutionId, Signer, Timestamp};
use yufu_credential::StatusReference;
use yufu_jose::{Chain, ClaimPath, Jwk};
use yufu_keys::{KeyStore, LEAF_DAYS, LeafSubject, random};
use yufu_mdoc::element_path;
use yufu_openid4vc::presentation::client_id::{X509_HASH, X509_SAN_DNS};
use yufu_openid4vc::{FORMAT_MSO_MDOC, FORMAT_SD_JWT_VC};
use yufu_profile::{ClientName, CredentialType, ForeignCredential, Institution, Profile, Request};
use yufu_registrations::{Certifying, Deed, Placed, Revocation};
use yufu_trust::{
    Basis, Enrolment, RegisteredClaim, RegisteredCredential, RegisteredMeta,
    RegistrationCertificate,
};

/// The anchor that certifies relying parties' keys.
pub const ACCESS_ANCHOR: &str = "access-anchor";
/// The anchor of the key that signs registrations.
pub const REGISTRATION_ANCHOR: &str = "registration-anchor";
/// For how long a registration is certified, in seconds.
const CERTIFIED_SECONDS: u64 = LEAF_DAYS.saturating_mul(86_400);

/// The registrar's keys, and what the profile registers.
pub struct Certifier {
    /// Where the registrar is: its address as the trust list has it.
    pub identifier: String,
    /// Its keys.
    pub keys: KeyStore,
    /// Whose enrolment is taken.
    pub admission: Admission,
    /// Who may be certified.
    pub institutions: BTreeMap<InstitutionId, Institution>,
    /// What there is to ask for.
    pub credentials: Vec<CredentialType>,
    /// The identity credential's id, and those of other countries that may stand in for it.
    pub foreign: (String, Vec<ForeignCredential>),
}

/// A relying party's certificates.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Certified {
    /// The chain of its access certificate, as `x5c` has it: standard base64 of DER, leaf first.
    pub access: Vec<String>,
    /// Its registration certificates, by purpose: JWS of type `rc-wrp+jwt`.
    pub registrations: BTreeMap<String, String>,
    /// The purposes that are not certified, because they were revoked: why, and whom to ask.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub revoked: BTreeMap<String, String>,
}

/// An institution that enrols, and what is to be certified of it.
struct Applicant<'a> {
    institution: &'a Institution,
    key: &'a Jwk,
    host: String,
    /// Whether the host is a name, and no number.
    has_name: bool,
    origin: &'a str,
}

/// Enrol a relying party: its key is certified, and it is registered for what the profile lets it ask.
#[utoipa::path(post, path = "/registrar/v1/enrolments", tag = "registrar", request_body = EnrolmentRequest,
    responses(
        (status = 200, body = Certified),
        (status = 401, description = "no enrolment for here and now", body = ProblemBody),
        (status = 403, description = "not admitted; or revoked for every purpose", body = ProblemBody),
        (status = 409, description = "the access key was withdrawn, or a page's origin is another institution's", body = ProblemBody)))]
pub(super) async fn enrol(
    State(registrar): State<Arc<Registrar>>,
    request: Result<Json<EnrolmentRequest>, JsonRejection>,
) -> Result<Json<Certified>, Problem> {
    Ok(Json(registrar.enrol(&request?.enrolment).await?))
}

impl Applicant<'_> {
    /// What it calls itself in its requests: as the profile has it, and as its certificate bears out.
    fn client_id(&self, access: &Chain) -> Result<String, Problem> {
        match self.institution.client_name {
            ClientName::Hash => Ok(format!("{X509_HASH}{}", access.unverified_hash())),
            ClientName::Dns if self.has_name => Ok(format!("{X509_SAN_DNS}{}", self.host)),
            ClientName::Dns => {
                let detail = format!(
                    "{} is to be known by its DNS name, and {} has none: give it an address with a name, or take `client_id` out of the profile",
                    self.institution.id, self.origin
                );
                Err(Problem::malformed(detail))
            }
        }
    }
}

impl Registrar {
    /// Certifies whoever signed the enrolment, for what is not revoked.
    ///
    /// # Errors
    /// The refusal; `registration.revoked` if nothing is left to certify.
    pub async fn enrol(&self, enrolment: &str) -> Result<Certified, Problem> {
        let now = self.clock.read().wall;
        let (id, enrolment) = self.certifier.admission.verify(enrolment, &self.id, now)?;
        let applicant = self.certifier.applicant(&id, &enrolment)?;
        self.own_pages(&applicant, now).await?;
        self.withdraw(&id, &enrolment, &applicant.key.thumbprint_base64url(), now).await?;
        let requests = &applicant.institution.requests;
        let uses: Vec<&str> = requests.iter().map(|request| request.id.as_str()).collect();
        let wanted = Certifying {
            party: id.as_str(),
            access_key: &applicant.key.thumbprint_base64url(),
            intended_uses: &uses,
            expires_at: now.plus_seconds(CERTIFIED_SECONDS),
            list: (LIST, LIST_SIZE),
            freed_after: now.minus_seconds(FREED_SECONDS),
        };
        let draw = || u32::from_be_bytes(random());
        let placed = self.registrations.place(&wanted, draw, now).await?;
        let (mut places, mut revoked) = (BTreeMap::new(), BTreeMap::new());
        for (intended_use, placed) in placed {
            match placed {
                Placed::At(place) => drop(places.insert(intended_use, place)),
                Placed::Revoked(by) => drop(revoked.insert(intended_use, self.why(&by))),
            }
        }
        if let (true, Some(why)) = (places.is_empty(), revoked.values().next()) {
            let refusal = Problem::forbidden("registration.revoked", why);
            return Err(refusal.with("revoked", &revoked));
        }
        self.certifier.certify(&applicant, &places, revoked, now)
    }

    /// That none of the origins that a party has pages at is where somebody else is reached.
    async fn own_pages(&self, applicant: &Applicant<'_>, now: Timestamp) -> Result<(), Problem> {
        let party = applicant.institution;
        if party.page_origins.is_empty() {
            return Ok(());
        }
        let list = self.trust.list(now).await?;
        let others = list.directory.iter().filter(|other| other.id != party.id.as_str());
        let mut others = others.filter(|other| other.url != applicant.origin);
        match others.find(|other| party.page_origins.contains(&other.url)) {
            Some(other) => {
                let detail = format!(
                    "the profile has pages of {} at {}, which is the address of {}: take it out of page_origins",
                    party.id, other.url, other.id
                );
                Err(Problem::conflict("registration.origin_taken", detail))
            }
            None => Ok(()),
        }
    }

    /// Ends what was certified for keys that the party withdrew, for good; and refuses one of those.
    async fn withdraw(
        &self,
        id: &InstitutionId,
        enrolment: &Enrolment,
        key: &str,
        now: Timestamp,
    ) -> Result<(), Problem> {
        let reason = "the party withdrew its access key".to_owned();
        let deed = Deed { reason, officer: id.to_string(), at: now };
        for withdrawn in &enrolment.withdrawn {
            let count = self.registrations.withdraw_key(id.as_str(), withdrawn, &deed).await?;
            if count > 0 {
                tracing::info!(party = %id, count, "a party withdrew an access key: what was certified for it is revoked");
            }
        }
        let over = enrolment.withdrawn.iter().any(|one| one == key)
            || self.registrations.is_withdrawn(id.as_str(), key).await?;
        if over {
            let detail = format!(
                "the access key of {id} was withdrawn, which is for good: enrol with another (yufu keys rotate)"
            );
            return Err(Problem::conflict("enrolment.key_withdrawn", detail));
        }
        Ok(())
    }

    /// Why a use is not certified, and whom to ask.
    fn why(&self, by: &Revocation) -> String {
        let Revocation { id, party, intended_use, revoked, .. } = by;
        format!(
            "{} revoked the registration of {party} for {intended_use} on {}: {}; ask it at {} to lift the revocation {id}, then enrol again",
            self.id,
            day(revoked.at),
            revoked.reason,
            self.certifier.support(&self.id),
        )
    }
}

impl Certifier {
    /// What the profile of a country registers, certified with the registrar's keys.
    #[must_use]
    pub fn new(
        identifier: String,
        keys: KeyStore,
        admission: Admission,
        profile: &Profile,
    ) -> Self {
        let (institutions, credentials) =
            (profile.institutions.clone(), profile.credentials.clone());
        let identity = profile.identity().map(|kind| kind.id.clone()).unwrap_or_default();
        let foreign = (identity, profile.foreign_credentials.clone());
        Self { identifier, keys, admission, institutions, credentials, foreign }
    }

    fn applicant<'a>(
        &'a self,
        id: &InstitutionId,
        enrolment: &'a Enrolment,
    ) -> Result<Applicant<'a>, Problem> {
        let institution = self.institutions.get(id);
        let institution = institution.ok_or_else(|| Problem::not_found("institution here"))?;
        let key = enrolment.key.as_ref();
        let key = key.ok_or_else(|| Problem::malformed("key: the access key is missing"))?;
        let url = Url::parse(&enrolment.url).map_err(Problem::malformed)?;
        let host = url.host_str().unwrap_or_default().to_owned();
        let has_name = url.domain().is_some();
        Ok(Applicant { institution, key: &key.jwk, host, has_name, origin: &enrolment.url })
    }

    /// Where an institution is asked.
    fn support(&self, id: &InstitutionId) -> &str {
        self.institutions.get(id).map_or("its desk", |institution| &institution.support)
    }

    fn certify(
        &self,
        applicant: &Applicant<'_>,
        places: &BTreeMap<String, i32>,
        revoked: BTreeMap<String, String>,
        now: Timestamp,
    ) -> Result<Certified, Problem> {
        let subject = LeafSubject {
            organisation: applicant.institution.name.en().to_owned(),
            common_name: "presentation requests".to_owned(),
            dns_names: vec![applicant.host.clone()],
            uris: Vec::new(),
            key: applicant.key.key,
        };
        let access = self.keys.certify(ACCESS_ANCHOR, &subject, now).map_err(Problem::internal)?;
        let mut registrations = BTreeMap::new();
        for request in &applicant.institution.requests {
            let Some(place) = places.get(&request.id) else { continue };
            let signed = self.register(applicant, request, &access, *place, now)?;
            registrations.insert(request.id.clone(), signed);
        }
        Ok(Certified { access: access.to_x5c(), registrations, revoked })
    }

    /// The key that signs registrations and the list of those revoked.
    pub(super) fn registration_signer(&self) -> Result<Arc<dyn Signer>, Problem> {
        Ok(self.keys.signer("registration")?)
    }

    /// The same with its chain.
    pub(super) fn registration_key(
        &self,
        now: Timestamp,
    ) -> Result<(Arc<dyn Signer>, Chain), Problem> {
        let signer = self.registration_signer()?;
        let subject = LeafSubject {
            organisation: "Registrar".to_owned(),
            common_name: "registration certificates".to_owned(),
            dns_names: Vec::new(),
            uris: Vec::new(),
            key: signer.public_key(),
        };
        let chain = self.keys.certify(REGISTRATION_ANCHOR, &subject, now);
        Ok((signer, chain.map_err(Problem::internal)?))
    }

    /// A registration certificate: what the applicant may ask for the purpose of `request`, where
    /// answers may go, and at which place of the list it would be revoked.
    fn register(
        &self,
        applicant: &Applicant<'_>,
        request: &Request,
        access: &Chain,
        place: i32,
        now: Timestamp,
    ) -> Result<String, Problem> {
        let (party, origin) = (applicant.institution, applicant.origin);
        let (signer, chain) = self.registration_key(now)?;
        let status = StatusReference {
            uri: status_list::address(&self.identifier, LIST),
            index: u64::try_from(place).map_err(Problem::internal)?,
        };
        let certificate = RegistrationCertificate {
            sub: party.id.to_string(),
            name: localized(&party.name),
            client_id: applicant.client_id(access)?,
            origins: std::iter::once(origin.to_owned()).chain(party.page_origins.clone()).collect(),
            purpose: localized(&request.purpose),
            basis: Some(Basis { text: localized(&request.basis), law: request.by_law }),
            credentials: self.asked(request)?,
            privacy_policy: format!("{origin}/#{}", party.id),
            support_uri: format!("mailto:{}", party.support),
            // Not the party's own place: whoever reports it does not ask it to.
            report_uri: format!("{}/v1/reports", self.identifier),
            intended_use_id: request.id.clone(),
            retention_days: party.retention_days,
            evidence: request.keeps_evidence,
            issued_at: now,
            expires_at: now.plus_seconds(CERTIFIED_SECONDS),
            status: Some(status),
        };
        certificate.sign(&*signer, &chain).map_err(Problem::internal)
    }

    /// What a request may ask, credential by credential; behind each the same of it as an mdoc, if it
    /// is issued as one.
    fn asked(&self, request: &Request) -> Result<Vec<RegisteredCredential>, Problem> {
        let mut asked = Vec::new();
        for id in &request.credentials {
            let kind = self.credentials.iter().find(|kind| kind.id == *id);
            let kind = kind.ok_or_else(|| Problem::internal("the profile lacks a credential"))?;
            let own = kind.claims.iter().filter(|claim| request.claims.contains(&claim.path));
            let paths = own
                .map(|claim| ClaimPath::members(claim.path.segments().iter().map(String::as_str)));
            let paths: Vec<ClaimPath> =
                paths.collect::<Result<_, _>>().map_err(Problem::internal)?;
            let elements = kind.doctype.as_ref().map(|doctype| {
                let elements = paths.iter().filter_map(|path| element_path(doctype, path));
                RegisteredCredential {
                    format: FORMAT_MSO_MDOC.to_owned(),
                    meta: RegisteredMeta::mdoc(doctype.clone()),
                    claims: elements.map(|path| RegisteredClaim { path }).collect(),
                }
            });
            asked.push(RegisteredCredential {
                format: FORMAT_SD_JWT_VC.to_owned(),
                meta: RegisteredMeta::sd_jwt_vc(self.types(request, kind)),
                claims: paths.into_iter().map(|path| RegisteredClaim { path }).collect(),
            });
            asked.extend(elements);
        }
        Ok(asked)
    }

    /// The types that a request accepts as a credential: the own one, and, where it is for residents of
    /// recognised countries too, those that may stand in for the identity credential.
    fn types(&self, request: &Request, kind: &CredentialType) -> Vec<String> {
        let (identity, foreign) = &self.foreign;
        let foreign = foreign.iter().filter(|_| request.foreign && *identity == kind.id);
        std::iter::once(&kind.vct).chain(foreign.map(|other| &other.vct)).cloned().collect()
    }
}
