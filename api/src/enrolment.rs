//! Enrolment: how an institution that runs elsewhere becomes known here. Its operator and the operator here
//! have compared the fingerprint of its key by another way; from then on it proves itself.

use crate::http::Problem;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;
use yufu_base::{InstitutionId, Timestamp};
use yufu_profile::Institution;
use yufu_trust::{Enrolment, EnrolmentError, Role};

/// An institution's signed wish to be certified, listed or registered.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EnrolmentRequest {
    /// A JWS of type `yufu-enrolment+jwt` by the institution's key.
    pub enrolment: String,
}

/// Whose enrolment is taken: the fingerprint of each admitted institution's key.
#[derive(Clone, Debug, Default)]
pub struct Admission {
    fingerprints: BTreeMap<InstitutionId, String>,
}

impl Admission {
    /// Admits the holders of the keys with these fingerprints (RFC 7638, base64url).
    #[must_use]
    pub const fn new(fingerprints: BTreeMap<InstitutionId, String>) -> Self {
        Self { fingerprints }
    }

    /// Who signed the enrolment at `here`, if that institution was admitted.
    pub(crate) fn verify(
        &self,
        text: &str,
        here: &InstitutionId,
        now: Timestamp,
    ) -> Result<(InstitutionId, Enrolment), Problem> {
        let named = Enrolment::unverified_issuer(text).map_err(Problem::unauthenticated)?;
        let id: InstitutionId = named.parse().map_err(Problem::malformed)?;
        let fingerprint = self.fingerprints.get(&id).map_or("", String::as_str);
        let enrolment = Enrolment::verify(text, fingerprint, here.as_str(), now);
        let enrolment = enrolment.map_err(|error| refused(here, &id, error))?;
        Ok((id, enrolment))
    }
}

fn refused(here: &InstitutionId, id: &InstitutionId, error: EnrolmentError) -> Problem {
    match error {
        EnrolmentError::Fingerprint { found } => Problem::forbidden(
            "enrolment.not_admitted",
            format!(
                "{here} has not admitted {id} with the key {found}: let its operator compare the fingerprint with yours, and put {id} = \"{found}\" under [admitted]"
            ),
        ),
        EnrolmentError::Address(_) => Problem::malformed(error),
        EnrolmentError::KeyProof
        | EnrolmentError::AnchorProof(..)
        | EnrolmentError::AnchorOfOther(_) => Problem::forbidden("enrolment.unproven", error),
        other => Problem::unauthenticated(other),
    }
}

/// Where below its address an institution is found, and what the trust list may say of it.
#[must_use]
pub fn place(institution: &Institution) -> (String, &'static [Role]) {
    use yufu_profile::Role as Kind;
    let id = &institution.id;
    match institution.role {
        Kind::IdentityAuthority => ("/authority".to_owned(), &[Role::PidIssuer]),
        Kind::Registrar => ("/registrar".to_owned(), &[Role::Registrar, Role::AccessCa]),
        Kind::TrustListOperator => ("/trust-list".to_owned(), &[]),
        Kind::CentralBank => ("/central-bank".to_owned(), &[]),
        Kind::CommercialBank => (format!("/banks/{id}"), &[Role::BankIssuer]),
        Kind::Railway => (format!("/parties/{id}"), &[Role::TicketIssuer]),
        Kind::WalletProvider => (format!("/wallet-providers/{id}"), &[Role::WalletProvider]),
        Kind::OpenidProvider => (format!("/openid/{id}"), &[Role::OpenidProvider]),
        Kind::Hotel => (format!("/parties/{id}"), &[]),
        Kind::Merchant => (format!("/verifiers/{id}"), &[]),
        Kind::Agency => (format!("/agencies/{id}"), &[Role::AgencyIssuer]),
    }
}
