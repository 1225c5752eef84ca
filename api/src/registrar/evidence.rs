//! A signed presentation request as evidence: who asked for what, and whether they may. The wallet
//! and the registrar read it alike.

use yufu_base::Timestamp;
use yufu_jose::{ChainError, ClaimPath, JwsError, Unverified};
use yufu_openid4vc::presentation::{REQUEST_TYPE, RequestObject, RequestObjectError, client_id};
use yufu_trust::{
    Localized, OverAsking, RegistrationCertificate, RegistrationError, Role, TrustError, TrustList,
};

/// What a registered party asked, proven by its signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The party's registered id.
    pub id: String,
    /// The party's registered name.
    pub party: Localized,
    /// Why it may ask, as registered.
    pub purpose: Localized,
    /// The claims that were asked, by name, each with its credential's type.
    pub claims: Vec<(String, ClaimPath)>,
    /// How the request goes beyond the registration, if it does.
    pub beyond: Option<OverAsking>,
    /// Whether the request carries a payment or another transaction, which a report would show.
    pub has_transaction: bool,
}

/// Why a request is no evidence against anybody. Checked in this order.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoEvidence {
    /// Not a signed request object, or altered.
    #[error("this is not a signed request: {0}")]
    Token(#[from] JwsError),
    /// Without a chain that can be read.
    #[error("the request: {0}")]
    Chain(#[from] ChainError),
    /// Signed by nobody the trust list leads to.
    #[error("the request is signed by nobody that the trust list leads to: {0}")]
    Untrusted(#[from] TrustError),
    /// Not understood.
    #[error(transparent)]
    Request(#[from] Box<RequestObjectError>),
    /// Without a registration: anybody could have made it in a name of their choice.
    #[error("the request shows no registration: whom it is from cannot be established")]
    NoRegistration,
    /// The registration does not hold.
    #[error(transparent)]
    Registration(#[from] Box<RegistrationError>),
    /// The registration is of another.
    #[error("the registration in the request belongs to another party")]
    Borrowed,
}

impl Asked {
    /// Reads a signed request.
    ///
    /// # Errors
    /// [`NoEvidence`], the first rule that is broken.
    pub fn read(request: &str, trust: &TrustList, now: Timestamp) -> Result<Self, NoEvidence> {
        let token = Unverified::parse(request)?.expect_type(REQUEST_TYPE)?;
        let signer = trust.identify(Role::AccessCa, &token.header().chain()?, now)?;
        let verified = token.verify(&signer.leaf.public_key)?;
        let request = RequestObject::from_json(&verified.payload).map_err(Box::new)?;
        let jwt = request.registration_certificate().ok_or(NoEvidence::NoRegistration)?;
        let (certificate, _) =
            RegistrationCertificate::verify(jwt, trust, now).map_err(Box::new)?;
        if !client_id::is_certified(&certificate.client_id, &signer.leaf) {
            return Err(NoEvidence::Borrowed);
        }
        let (claims, beyond) = question(&request, &certificate);
        Ok(Self {
            id: certificate.sub,
            party: certificate.name,
            purpose: certificate.purpose,
            claims,
            beyond,
            has_transaction: !request.transaction_data.is_empty(),
        })
    }
}

/// What is asked, and the first query that goes beyond the registration.
fn question(
    request: &RequestObject,
    certificate: &RegistrationCertificate,
) -> (Vec<(String, ClaimPath)>, Option<OverAsking>) {
    let mut all = Vec::new();
    let mut beyond = None;
    for query in request.dcql_query.credentials() {
        let claims: Vec<ClaimPath> = query.claims().iter().map(|c| c.path.clone()).collect();
        for vct in query.meta.types() {
            beyond = beyond.or(certificate.permits(&query.format, vct, &claims).err());
            all.extend(claims.iter().map(|claim| (vct.clone(), claim.clone())));
        }
        // A format without types is none that a registration could permit.
        if query.meta.types().next().is_none() {
            beyond = beyond.or(certificate.permits(&query.format, &query.format, &claims).err());
            all.extend(claims.into_iter().map(|claim| (query.format.clone(), claim)));
        }
    }
    (all, beyond)
}
