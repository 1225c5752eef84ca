//! The scanned offer. Nothing is fetched from, or sent to, an issuer that is not trusted.

use super::FetchingIssuer;
use serde::{Deserialize, Serialize};
use yufu_openid4vc::issuance::{CredentialOffer, OfferError, OfferLink};
use yufu_openid4vc::{Endpoint, EndpointError, HttpError, HttpRequest, HttpResponse};
use yufu_trust::{Role, TrustEntry, TrustList};

/// The roles whose bearers may issue credentials.
pub(super) const ISSUERS: [Role; 4] =
    [Role::PidIssuer, Role::BankIssuer, Role::TicketIssuer, Role::AgencyIssuer];

/// What a scanned link leads to.
#[derive(Clone, Debug, PartialEq)]
pub enum Scanned {
    /// The offer is to be fetched first.
    Reference(FetchingOffer, HttpRequest),
    /// The offer was in the link.
    Value(Box<FetchingIssuer>, HttpRequest),
}

/// Waits for the offer document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FetchingOffer {
    source: Endpoint,
}

/// Why an offer is not taken up. Checked in this order.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScanError {
    /// The offer document did not come.
    #[error("the offer: {0}")]
    Http(#[from] HttpError),
    /// The link or the offer breaks a rule.
    #[error(transparent)]
    Offer(#[from] OfferError),
    /// The offer wants a grant that is not supported.
    #[error("the offer has no pre-authorized code")]
    Grant,
    /// The issuer, or whoever shows the offer, is nobody the trust list knows.
    #[error("{0} is not an issuer the trust list knows: do not go on")]
    UnknownIssuer(Endpoint),
    /// The metadata address would not be a permitted URL.
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
}

/// Reads a scanned link.
///
/// # Errors
/// [`ScanError`], the first rule that is broken.
pub fn scan(link: &str, trust: &TrustList) -> Result<Scanned, ScanError> {
    match OfferLink::parse(link)? {
        OfferLink::Value(offer) => {
            let (next, request) = take_up(offer, trust)?;
            Ok(Scanned::Value(Box::new(next), request))
        }
        OfferLink::Reference(source) => {
            if !is_at_an_issuer(&source, trust) {
                return Err(ScanError::UnknownIssuer(source));
            }
            let request = HttpRequest::get(source.clone(), "application/json");
            Ok(Scanned::Reference(FetchingOffer { source }, request))
        }
    }
}

impl FetchingOffer {
    /// Takes the offer document.
    ///
    /// # Errors
    /// [`ScanError`], the first rule that is broken.
    pub fn handle(
        self,
        response: &HttpResponse,
        trust: &TrustList,
    ) -> Result<(FetchingIssuer, HttpRequest), ScanError> {
        let document = response.text("application/json")?;
        take_up(CredentialOffer::from_json(document.as_bytes())?, trust)
    }
}

fn take_up(
    offer: CredentialOffer,
    trust: &TrustList,
) -> Result<(FetchingIssuer, HttpRequest), ScanError> {
    let grant = offer.grants.pre_authorized.ok_or(ScanError::Grant)?;
    let issuer = offer.credential_issuer;
    let entry = issuer_above(&issuer, trust);
    let entry = entry.ok_or_else(|| ScanError::UnknownIssuer(issuer.clone()))?;
    let url = issuer.well_known("openid-credential-issuer")?;
    let configuration_ids = offer.credential_configuration_ids;
    let next = FetchingIssuer { issuer, entry, configuration_ids, grant };
    Ok((next, HttpRequest::get(url, "application/json")))
}

/// The trusted issuer with this identifier, or with one that this one lies below: the closest. Several may share an
/// origin, so that it says nothing of who they are.
pub(super) fn issuer_above(issuer: &Endpoint, trust: &TrustList) -> Option<TrustEntry> {
    let above = |entry: &&TrustEntry| entry.has_address(issuer.as_str());
    issuers(trust).filter(above).max_by_key(|entry| entry.identifier.len()).cloned()
}

/// Whether an offer is fetched from an origin of a trusted issuer. Whose it is, the offer says.
fn is_at_an_issuer(url: &Endpoint, trust: &TrustList) -> bool {
    issuers(trust)
        .any(|entry| Endpoint::parse(&entry.identifier).is_ok_and(|at| at.origin() == url.origin()))
}

fn issuers(trust: &TrustList) -> impl Iterator<Item = &TrustEntry> {
    trust.entries.iter().filter(|entry| ISSUERS.contains(&entry.role))
}
