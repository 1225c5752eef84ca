//! From an offer to an issuer that is known: its metadata are signed, and whoever signed them is on the trust list.

use super::super::discover::own;
use super::super::offer::issuer_above;
use super::{Flow, Nonces, StepError};
use serde::{Deserialize, Serialize};
use yufu_base::{SectorId, Timestamp};
use yufu_openid4vc::issuance::{
    AuthorizationServerMetadata, CredentialConfiguration, CredentialOffer, IssuerMetadata,
    MetadataError, OfferError, OfferLink, SIGNED_METADATA_MEDIA_TYPE, SectorProofs, SignedMetadata,
    SignedMetadataError,
};
use yufu_openid4vc::{Endpoint, EndpointError, HttpError, HttpRequest, HttpResponse};
use yufu_trust::{Localized, Role, TrustEntry, TrustError, TrustList};

/// What a link leads to.
#[derive(Clone, Debug, PartialEq)]
pub enum Begun {
    /// The offer is to be fetched first.
    Reference(FetchingOffer, HttpRequest),
    /// The offer was in the link.
    Value(Box<FetchingIssuer>, HttpRequest),
}

/// Waits for the offer document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FetchingOffer;

/// Waits for the issuer's signed metadata.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FetchingIssuer {
    issuer: Endpoint,
    entry: TrustEntry,
    asked: Asked,
    issuer_state: Option<String>,
}

/// Which credentials may be had.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Asked {
    /// Those that are offered, by their configurations.
    Offered(Vec<String>),
    /// Without an offer: the one that is called so, by its configuration, its scope or its type.
    Called(String),
}

/// Waits for the authorization server's metadata.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FetchingServer {
    known: FetchingIssuer,
    metadata: IssuerMetadata,
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
    /// The offer document did not come.
    #[error("the offer: {0}")]
    Http(#[from] HttpError),
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
    /// None of the configurations that were asked for can be had.
    #[error(
        "none of the credentials {asked:?} is offered there and one this wallet can hold: {offered:?} are"
    )]
    Configuration {
        /// By which names they were asked for.
        asked: Vec<String>,
        /// Those that the issuer offers, and this wallet could hold.
        offered: Vec<String>,
    },
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

/// Takes up an offer for the authorization code flow. One that is only referred to is fetched at a trusted issuer, and
/// nowhere else.
///
/// # Errors
/// [`BeginError`], the first rule that is broken.
pub fn begin(link: &str, trust: &TrustList) -> Result<Begun, BeginError> {
    match OfferLink::parse(link)? {
        OfferLink::Value(offer) => {
            let (next, request) = take_up(offer, trust)?;
            Ok(Begun::Value(Box::new(next), request))
        }
        OfferLink::Reference(source) => {
            issuer_above(&source, trust)
                .ok_or_else(|| BeginError::UnknownIssuer(source.clone()))?;
            Ok(Begun::Reference(FetchingOffer, HttpRequest::get(source, "application/json")))
        }
    }
}

/// Begins at an issuer without an offer, for the credential that is `called` so: by its configuration, its scope or its
/// type.
///
/// # Errors
/// [`BeginError`], the first rule that is broken.
pub fn begin_at(
    issuer: Endpoint,
    called: &str,
    trust: &TrustList,
) -> Result<(FetchingIssuer, HttpRequest), BeginError> {
    fetch(issuer, (Asked::Called(called.to_owned()), None), trust)
}

impl FetchingOffer {
    /// Takes the offer document.
    ///
    /// # Errors
    /// [`BeginError`], the first rule that is broken.
    pub fn handle(
        self,
        response: &HttpResponse,
        trust: &TrustList,
    ) -> Result<(FetchingIssuer, HttpRequest), BeginError> {
        let document = response.text("application/json")?;
        take_up(CredentialOffer::from_json(document.as_bytes())?, trust)
    }
}

fn take_up(
    offer: CredentialOffer,
    trust: &TrustList,
) -> Result<(FetchingIssuer, HttpRequest), BeginError> {
    let grant = offer.grants.authorization_code.ok_or(BeginError::Grant)?;
    let asked = Asked::Offered(offer.credential_configuration_ids);
    fetch(offer.credential_issuer, (asked, grant.issuer_state), trust)
}

fn fetch(
    issuer: Endpoint,
    (asked, issuer_state): (Asked, Option<String>),
    trust: &TrustList,
) -> Result<(FetchingIssuer, HttpRequest), BeginError> {
    let entry = issuer_above(&issuer, trust);
    let entry = entry.ok_or_else(|| BeginError::UnknownIssuer(issuer.clone()))?;
    let url = issuer.well_known("openid-credential-issuer")?;
    let next = FetchingIssuer { issuer, entry, asked, issuer_state };
    Ok((next, HttpRequest::get(url, SIGNED_METADATA_MEDIA_TYPE)))
}

impl FetchingIssuer {
    /// Takes the signed metadata; of the configurations that may be had those of `format` come first.
    ///
    /// # Errors
    /// [`DiscoverError`], the first rule that is broken.
    pub fn handle(
        self,
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
        let mut ids = self.asked.configurations(&metadata);
        ids.sort_by_key(another);
        let can_hold = |id: &&String| supported.get(*id).is_some_and(can_hold);
        let Some(configuration_id) = ids.iter().find(can_hold).cloned() else {
            let asked = match self.asked {
                Asked::Called(name) => vec![name],
                Asked::Offered(_) => ids,
            };
            let offered = supported.keys().filter(can_hold).cloned().collect();
            return Err(DiscoverError::Configuration { asked, offered });
        };
        let nonce = metadata.nonce_endpoint.as_ref().ok_or(DiscoverError::Nonce)?;
        let optional = [
            &metadata.deferred_credential_endpoint,
            &metadata.notification_endpoint,
            &metadata.type_metadata_endpoint,
        ];
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

impl Asked {
    /// The configurations that may be had.
    fn configurations(&self, metadata: &IssuerMetadata) -> Vec<String> {
        match self {
            Self::Offered(ids) => ids.clone(),
            Self::Called(name) => {
                let all = metadata.credential_configurations_supported.iter();
                let called = |(id, found): &(&String, &CredentialConfiguration)| {
                    let names = [Some(*id), found.scope.as_ref(), found.credential_type()];
                    names.into_iter().flatten().any(|one| one == name)
                };
                all.filter(called).map(|(id, _)| id.clone()).collect()
            }
        }
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
