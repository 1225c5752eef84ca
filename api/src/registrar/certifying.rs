//! What the registrar certifies: the key with which a relying party asks, and for each of its purposes
//! what it may ask, as the profile registers it.

use super::Registrar;
use crate::enrolment::{Admission, EnrolmentRequest};
use crate::http::{Problem, ProblemBody};
use crate::localized;
use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;
use url::Url;
use utoipa::ToSchema;
use yufu_base::{InstitutionId, Signer, Timestamp};
use yufu_jose::{Chain, ClaimPath, encode_base64url, sha256};
use yufu_keys::{KeyStore, LEAF_DAYS, LeafSubject};
use yufu_profile::{CredentialType, ForeignCredential, Institution, Profile, Request};
use yufu_trust::{
    Enrolment, RegisteredClaim, RegisteredCredential, RegisteredMeta, RegistrationCertificate,
};

/// The anchor that certifies relying parties' keys.
pub const ACCESS_ANCHOR: &str = "access-anchor";
/// The anchor of the key that signs registrations.
pub const REGISTRATION_ANCHOR: &str = "registration-anchor";

/// The registrar's keys, and what the profile registers.
pub struct Certifier {
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
}

/// Enrol a relying party: its key is certified, and it is registered for what the profile lets it ask.
#[utoipa::path(post, path = "/registrar/v1/enrolments", tag = "registrar", request_body = EnrolmentRequest,
    responses(
        (status = 200, body = Certified),
        (status = 401, description = "no enrolment for here and now", body = ProblemBody),
        (status = 403, description = "not admitted", body = ProblemBody)))]
pub(super) async fn enrol(
    State(registrar): State<Arc<Registrar>>,
    request: Result<Json<EnrolmentRequest>, JsonRejection>,
) -> Result<Json<Certified>, Problem> {
    Ok(Json(registrar.enrol(&request?.enrolment)?))
}

impl Registrar {
    /// Certifies whoever signed the enrolment.
    ///
    /// # Errors
    /// The refusal.
    pub fn enrol(&self, enrolment: &str) -> Result<Certified, Problem> {
        let now = self.clock.read().wall;
        let (id, enrolment) = self.certifier.admission.verify(enrolment, &self.id, now)?;
        self.certifier.certify(&id, &enrolment, now)
    }
}

impl Certifier {
    /// What the profile of a country registers, certified with the registrar's keys.
    #[must_use]
    pub fn new(keys: KeyStore, admission: Admission, profile: &Profile) -> Self {
        let (institutions, credentials) =
            (profile.institutions.clone(), profile.credentials.clone());
        let identity = profile.identity().map(|kind| kind.id.clone()).unwrap_or_default();
        let foreign = (identity, profile.foreign_credentials.clone());
        Self { keys, admission, institutions, credentials, foreign }
    }

    fn certify(
        &self,
        id: &InstitutionId,
        enrolment: &Enrolment,
        now: Timestamp,
    ) -> Result<Certified, Problem> {
        let institution = self.institutions.get(id);
        let institution = institution.ok_or_else(|| Problem::not_found("institution here"))?;
        let key = enrolment.key.as_ref();
        let key = key.ok_or_else(|| Problem::malformed("key: the access key is missing"))?;
        let url = Url::parse(&enrolment.url).map_err(Problem::malformed)?;
        let subject = LeafSubject {
            organisation: institution.name.en().to_owned(),
            common_name: "presentation requests".to_owned(),
            dns_names: vec![url.host_str().unwrap_or_default().to_owned()],
            uris: Vec::new(),
            key: key.jwk.key,
        };
        let access = self.keys.certify(ACCESS_ANCHOR, &subject, now).map_err(Problem::internal)?;
        let mut registrations = BTreeMap::new();
        for request in &institution.requests {
            let signed = self.register(institution, request, &access, &enrolment.url, now)?;
            registrations.insert(request.id.clone(), signed);
        }
        Ok(Certified { access: access.to_x5c(), registrations })
    }

    /// A registration certificate: what `party` may ask for the purpose of `request`, and where
    /// answers may go.
    fn register(
        &self,
        party: &Institution,
        request: &Request,
        access: &Chain,
        origin: &str,
        now: Timestamp,
    ) -> Result<String, Problem> {
        let signer = self.keys.signer("registration")?;
        let subject = LeafSubject {
            organisation: "Registrar".to_owned(),
            common_name: "registration certificates".to_owned(),
            dns_names: Vec::new(),
            uris: Vec::new(),
            key: signer.public_key(),
        };
        let chain = self.keys.certify(REGISTRATION_ANCHOR, &subject, now);
        let certificate = RegistrationCertificate {
            sub: party.id.to_string(),
            name: localized(&party.name),
            client_id: format!("x509_hash:{}", encode_base64url(sha256(access.unverified_leaf()))),
            origins: vec![origin.to_owned()],
            purpose: localized(&request.purpose),
            credentials: self.asked(request)?,
            privacy_policy: format!("{origin}/#{}", party.id),
            support_uri: format!("mailto:{}", party.support),
            report_uri: format!("mailto:{}", party.support),
            intended_use_id: request.id.clone(),
            retention_days: party.retention_days,
            issued_at: now,
            expires_at: now.plus_seconds(LEAF_DAYS.saturating_mul(86_400)),
            status: None,
        };
        let chain = chain.map_err(Problem::internal)?;
        certificate.sign(&*signer, &chain).map_err(Problem::internal)
    }

    /// What a request may ask, credential by credential.
    fn asked(&self, request: &Request) -> Result<Vec<RegisteredCredential>, Problem> {
        let credential = |id: &String| {
            let kind = self.credentials.iter().find(|kind| kind.id == *id);
            let kind = kind.ok_or_else(|| Problem::internal("the profile lacks a credential"))?;
            let own = kind.claims.iter().filter(|claim| request.claims.contains(&claim.path));
            let claims = own.map(|claim| {
                let path = ClaimPath::members(claim.path.segments().iter().map(String::as_str));
                Ok::<_, Problem>(RegisteredClaim { path: path.map_err(Problem::internal)? })
            });
            Ok(RegisteredCredential {
                format: yufu_openid4vc::FORMAT_SD_JWT_VC.to_owned(),
                meta: RegisteredMeta { vct_values: self.types(request, kind) },
                claims: claims.collect::<Result<_, _>>()?,
            })
        };
        request.credentials.iter().map(credential).collect()
    }

    /// The types that a request accepts as a credential: the own one, and, where it is for residents of
    /// recognised countries too, those that may stand in for the identity credential.
    fn types(&self, request: &Request, kind: &CredentialType) -> Vec<String> {
        let (identity, foreign) = &self.foreign;
        let foreign = foreign.iter().filter(|_| request.foreign && *identity == kind.id);
        std::iter::once(&kind.vct).chain(foreign.map(|other| &other.vct)).cloned().collect()
    }
}
