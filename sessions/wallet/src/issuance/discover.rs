//! What the issuer and its authorization server publish.

use super::Ready;
use serde::{Deserialize, Serialize};
use yufu_openid4vc::issuance::{
    AuthorizationServerMetadata, IssuerMetadata, MetadataError, PreAuthorizedGrant,
};
use yufu_openid4vc::{
    Endpoint, EndpointError, FORMAT_SD_JWT_VC, HttpError, HttpRequest, HttpResponse,
};
use yufu_trust::TrustEntry;

/// Waits for the issuer's metadata.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FetchingIssuer {
    pub(super) issuer: Endpoint,
    pub(super) entry: TrustEntry,
    pub(super) configuration_ids: Vec<String>,
    pub(super) grant: PreAuthorizedGrant,
}

/// Waits for the authorization server's metadata.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FetchingServer {
    metadata: IssuerMetadata,
    server: Endpoint,
    entry: TrustEntry,
    configuration_id: String,
    grant: PreAuthorizedGrant,
}

/// Why an issuer's metadata are not used. Checked in this order.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DiscoverError {
    /// The document did not come.
    #[error("the metadata: {0}")]
    Http(#[from] HttpError),
    /// The document breaks a rule.
    #[error("the metadata: {0}")]
    Metadata(#[from] MetadataError),
    /// None of the offered configurations can be had: unknown, another format, another
    /// proof.
    #[error("none of the offered credentials {0:?} is one this wallet can hold")]
    Configuration(Vec<String>),
    /// There is no nonce endpoint.
    #[error("the issuer has no nonce endpoint")]
    Nonce,
    /// The offer names an authorization server that the issuer does not.
    #[error("{0} is not an authorization server of the issuer")]
    Server(Endpoint),
    /// The metadata address would not be a permitted URL.
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    /// An endpoint lies at another origin than the issuer: the code or token would go to
    /// a stranger.
    #[error("the endpoint {0} lies outside the issuer's own origin")]
    Elsewhere(Endpoint),
}

impl FetchingIssuer {
    /// Takes the issuer's metadata.
    ///
    /// # Errors
    /// [`DiscoverError`], the first rule that is broken.
    pub fn handle(
        self,
        response: &HttpResponse,
    ) -> Result<(FetchingServer, HttpRequest), DiscoverError> {
        self.handle_preferring(response, FORMAT_SD_JWT_VC)
    }

    /// As [`FetchingIssuer::handle`]; of the offered configurations those of `format` come first.
    ///
    /// # Errors
    /// [`DiscoverError`], the first rule that is broken.
    pub fn handle_preferring(
        mut self,
        response: &HttpResponse,
        format: &str,
    ) -> Result<(FetchingServer, HttpRequest), DiscoverError> {
        let metadata: IssuerMetadata = response.json()?;
        metadata.check(&self.issuer)?;
        let supported = &metadata.credential_configurations_supported;
        let another = |id: &String| supported.get(id).is_none_or(|found| found.format != format);
        self.configuration_ids.sort_by_key(another);
        let can_hold = |id: &&String| {
            metadata.credential_configurations_supported.get(*id).is_some_and(|configuration| {
                configuration.is_read()
                    && configuration.proof_types_supported.get("jwt").is_some_and(|proof| {
                        proof.proof_signing_alg_values_supported.iter().any(|alg| alg == "ES256")
                    })
            })
        };
        let Some(configuration_id) = self.configuration_ids.iter().find(can_hold).cloned() else {
            return Err(DiscoverError::Configuration(self.configuration_ids));
        };
        let nonce = metadata.nonce_endpoint.as_ref().ok_or(DiscoverError::Nonce)?;
        let servers = &metadata.authorization_servers;
        let server = match (&self.grant.authorization_server, servers.first()) {
            (Some(named), _) if servers.contains(named) => named.clone(),
            (Some(named), _) => return Err(DiscoverError::Server(named.clone())),
            (None, Some(first)) => first.clone(),
            (None, None) => self.issuer.clone(),
        };
        let types = metadata.type_metadata_endpoint.as_ref();
        for endpoint in [&metadata.credential_endpoint, nonce, &server].into_iter().chain(types) {
            own(endpoint, &self.issuer)?;
        }
        let url = server.well_known("oauth-authorization-server")?;
        let Self { entry, grant, .. } = self;
        let next = FetchingServer { metadata, server, entry, configuration_id, grant };
        Ok((next, HttpRequest::get(url, "application/json")))
    }
}

impl FetchingServer {
    /// Takes the authorization server's metadata.
    ///
    /// # Errors
    /// [`DiscoverError`], the first rule that is broken.
    pub fn handle(self, response: &HttpResponse) -> Result<Ready, DiscoverError> {
        let server: AuthorizationServerMetadata = response.json()?;
        server.check(&self.server)?;
        own(&server.token_endpoint, &self.metadata.credential_issuer)?;
        let token_endpoint = server.token_endpoint;
        let Self { metadata, entry, configuration_id, grant, .. } = self;
        Ok(Ready { metadata, token_endpoint, entry, configuration_id, grant })
    }
}

pub(super) fn own(endpoint: &Endpoint, issuer: &Endpoint) -> Result<(), DiscoverError> {
    if endpoint.origin() == issuer.origin() {
        Ok(())
    } else {
        Err(DiscoverError::Elsewhere(endpoint.clone()))
    }
}
