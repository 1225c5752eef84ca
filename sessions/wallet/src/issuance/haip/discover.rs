//! From an offer to an issuer that is known: its metadata are signed, and whoever signed them is on the trust list.

use super::super::discover::own;
use super::super::offer::issuer_above;
use super::{Flow, Nonces, StepError};
use serde::{Deserialize, Serialize};
use yufu_base::{SectorId, Timestamp};
use yufu_openid4vc::issuance::{
    AuthorizationServerMetadata, CredentialConfiguration, MetadataError, OfferError, OfferLink,
    SIGNED_METADATA_MEDIA_TYPE, SectorProofs, SignedMetadata, SignedMetadataError,
};
use yufu_openid4vc::{Endpoint, EndpointError, HttpError, HttpRequest, HttpResponse};
use yufu_trust::{Localized, Role, TrustEntry, TrustError, TrustList};

/// Waits for the issuer's signed metadata.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FetchingIssuer {
    issuer: Endpoint,
    entry: TrustEntry,
    configuration_ids: Vec<String>,
    issuer_state: Option<String>,
}

/// Waits for the authorization server's metadata.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FetchingServer {
    known: FetchingIssuer,
    metadata: yufu_openid4vc::issuance::IssuerMetadata,
    configuration_id: String,
}

/// All is known that the person needs to decide.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ready {
    pub(super) flow: Flow,
    pub(super) issuer_state: Option<String>,
}

/// Why an offer is not taken up. Checked in this order.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BeginError {
    /// The link or the offer breaks a rule.
    #[error(transparent)]
    Offer(#[from] OfferError),
    /// The offer is somewhere else.
    #[error("the offer is only referred to: ask for one that is in the link")]
    Reference,
    /// The offer wants another grant.
    #[error("the offer is not for the authorization code flow: get it without an attested wallet")]
    Grant,
    /// The issuer is nobody the trust list knows.
    #[error("{0} is not an issuer the trust list knows: do not go on")]
    UnknownIssuer(Endpoint),
    /// The metadata address would not be a permitted URL.
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
}

/// Why an issuer is not gone on with. Checked in this order.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DiscoverError {
    /// A document did not come.
    #[error("the metadata: {0}")]
    Http(#[from] HttpError),
    /// The signed metadata do not hold.
    #[error(transparent)]
    Signed(#[from] SignedMetadataError),
    /// Whoever signed them is not whom the trust list knows at that address.
    #[error("the metadata are {0}")]
    Signer(#[from] TrustError),
    /// None of the offered configurations can be had.
    #[error("none of the offered credentials {0:?} is one this wallet can hold")]
    Configuration(Vec<String>),
    /// There is no nonce endpoint.
    #[error("the issuer has no nonce endpoint")]
    Nonce,
    /// An endpoint lies elsewhere.
    #[error(transparent)]
    Elsewhere(#[from] super::super::DiscoverError),
    /// The authorization server does not follow HAIP.
    #[error(transparent)]
    Server(#[from] MetadataError),
    /// An address would not be a permitted URL.
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
}

/// Takes up an offer for the authorization code flow.
///
/// # Errors
/// [`BeginError`], the first rule that is broken.
pub fn begin(link: &str, trust: &TrustList) -> Result<(FetchingIssuer, HttpRequest), BeginError> {
    let OfferLink::Value(offer) = OfferLink::parse(link)? else {
        return Err(BeginError::Reference);
    };
    let grant = offer.grants.authorization_code.ok_or(BeginError::Grant)?;
    let issuer = offer.credential_issuer;
    let entry = issuer_above(&issuer, trust);
    let entry = entry.ok_or_else(|| BeginError::UnknownIssuer(issuer.clone()))?;
    let url = issuer.well_known("openid-credential-issuer")?;
    let configuration_ids = offer.credential_configuration_ids;
    let issuer_state = grant.issuer_state;
    let next = FetchingIssuer { issuer, entry, configuration_ids, issuer_state };
    Ok((next, HttpRequest::get(url, SIGNED_METADATA_MEDIA_TYPE)))
}

impl FetchingIssuer {
    /// Takes the signed metadata; of the offered configurations those of `format` come first.
    ///
    /// # Errors
    /// [`DiscoverError`], the first rule that is broken.
    pub fn handle(
        mut self,
        response: &HttpResponse,
        trust: &TrustList,
        format: &str,
        now: Timestamp,
    ) -> Result<(FetchingServer, HttpRequest), DiscoverError> {
        let signed = SignedMetadata::parse(response.text(SIGNED_METADATA_MEDIA_TYPE)?)?;
        let by = trust.identify_as(&self.entry, &signed.chain()?, now)?;
        let metadata = signed.verify(&by.leaf.public_key, &self.issuer, now)?;
        let supported = &metadata.credential_configurations_supported;
        let another = |id: &String| supported.get(id).is_none_or(|found| found.format != format);
        self.configuration_ids.sort_by_key(another);
        let can_hold = |id: &&String| supported.get(*id).is_some_and(can_hold);
        let Some(configuration_id) = self.configuration_ids.iter().find(can_hold).cloned() else {
            return Err(DiscoverError::Configuration(self.configuration_ids));
        };
        let nonce = metadata.nonce_endpoint.as_ref().ok_or(DiscoverError::Nonce)?;
        let optional = [&metadata.deferred_credential_endpoint, &metadata.notification_endpoint];
        let all = [&metadata.credential_endpoint, nonce].into_iter();
        for endpoint in all.chain(optional.into_iter().flatten()) {
            own(endpoint, &self.issuer)?;
        }
        let server = metadata.authorization_servers.first().unwrap_or(&self.issuer);
        own(server, &self.issuer)?;
        let url = server.well_known("oauth-authorization-server")?;
        let next = FetchingServer { known: self, metadata, configuration_id };
        Ok((next, HttpRequest::get(url, "application/json")))
    }
}

/// Whether a credential has a scope, a format that is read, and takes keys that are attested in software.
fn can_hold(configuration: &CredentialConfiguration) -> bool {
    let jwt = configuration.proof_types_supported.get("jwt");
    let es256 = jwt.is_some_and(|proof| {
        proof.proof_signing_alg_values_supported.iter().any(|alg| alg == "ES256")
    });
    configuration.is_read() && configuration.scope.is_some() && es256
}

impl FetchingServer {
    /// Takes the authorization server's metadata. `client_id` is the wallet provider's address.
    ///
    /// # Errors
    /// [`DiscoverError`], the first rule that is broken.
    pub fn handle(self, response: &HttpResponse, client_id: &str) -> Result<Ready, DiscoverError> {
        let Self { known, metadata, configuration_id } = self;
        let server: AuthorizationServerMetadata = response.json()?;
        let expected = metadata.authorization_servers.first().unwrap_or(&known.issuer);
        let flow = server.check_haip(expected)?;
        let endpoints = [&flow.authorization_endpoint, &flow.pushed_authorization_request_endpoint];
        let challenge = flow.challenge_endpoint.as_ref();
        let all = endpoints.into_iter().chain([&server.token_endpoint]).chain(challenge);
        for endpoint in all {
            own(endpoint, &known.issuer)?;
        }
        let flow = Flow {
            metadata,
            server,
            entry: known.entry,
            configuration_id,
            client_id: client_id.to_owned(),
            nonces: Nonces::default(),
        };
        Ok(Ready { flow, issuer_state: known.issuer_state })
    }
}

impl Ready {
    /// The issuer's name, as the trust list has it (not as the issuer has it).
    #[must_use]
    pub const fn issuer_name(&self) -> &Localized {
        &self.flow.entry.name
    }

    /// What is offered, with its names and claims.
    #[must_use]
    pub fn configuration(&self) -> Option<&CredentialConfiguration> {
        self.flow.configuration()
    }

    /// A challenge and a nonce, to be fetched before anything is pushed.
    ///
    /// # Errors
    /// [`StepError::Protocol`] never: the metadata were checked.
    pub fn fetches(&self) -> Result<(Option<HttpRequest>, HttpRequest), StepError> {
        let challenge = self.flow.code_flow()?.challenge_endpoint.clone();
        let nonce = self.flow.metadata.nonce_endpoint.clone();
        let nonce = nonce.ok_or(StepError::Protocol("no nonce endpoint"))?;
        Ok((challenge.map(HttpRequest::post_empty), HttpRequest::post_empty(nonce)))
    }

    /// Takes what was fetched.
    ///
    /// # Errors
    /// [`StepError::Http`] if the challenge cannot be read.
    pub fn learn(
        mut self,
        challenge: Option<&HttpResponse>,
        nonce: &HttpResponse,
    ) -> Result<Self, StepError> {
        self.flow.learn_both(challenge, nonce)?;
        Ok(self)
    }
}

impl Flow {
    /// The sectors for which the issuer takes pseudonyms; none of anybody but an issuer of identities.
    pub(super) fn sectors(&self) -> Vec<SectorId> {
        if self.entry.role != Role::PidIssuer {
            return Vec::new();
        }
        let proofs = self.configuration().and_then(|offered| offered.sector_proofs.as_ref());
        proofs.map(SectorProofs::accepted).and_then(Result::ok).unwrap_or_default()
    }
}
