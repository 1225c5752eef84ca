//! What an issuer publishes for the authorization code flow, beside what it publishes for pre-authorized codes.

use crate::{IssuerProfile, ProfileError};
use yufu_jose::{Jwk, JwkSet};
use yufu_openid4vc::Endpoint;
use yufu_openid4vc::issuance::{
    AUTH_METHOD, AuthorizationServerMetadata, CodeFlow, DETAIL_TYPE, GRANT_CODE, GRANT_REFRESH,
    IssuerMetadata, KeyAttestationsRequired, PKCE_S256, ProofType, RequestEncryption,
    ResponseEncryption,
};

/// The two documents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HaipDocuments {
    /// For `/.well-known/openid-credential-issuer`.
    pub issuer: IssuerMetadata,
    /// For `/.well-known/oauth-authorization-server`.
    pub server: AuthorizationServerMetadata,
}

impl HaipDocuments {
    /// The documents of an issuer that is known under `identifier` for this flow: keys have to be attested to lie
    /// in one of the kinds of `storage`, and requests can be encrypted to `encryption`.
    ///
    /// # Errors
    /// [`ProfileError`], the first rule that is broken.
    pub fn new(
        profile: &IssuerProfile,
        identifier: &Endpoint,
        storage: &[String],
        encryption: Jwk,
    ) -> Result<Self, ProfileError> {
        // One place for the metadata of a type, whichever way its credentials are had.
        let types = profile.type_metadata_endpoint()?;
        let profile = IssuerProfile { identifier: identifier.clone(), ..profile.clone() };
        let mut issuer = profile.issuer_metadata()?;
        issuer.type_metadata_endpoint = Some(types);
        let encodings = || vec!["A128GCM".to_owned(), "A256GCM".to_owned()];
        issuer.deferred_credential_endpoint = Some(identifier.join("deferred")?);
        issuer.notification_endpoint = Some(identifier.join("notification")?);
        issuer.credential_request_encryption = Some(RequestEncryption {
            jwks: JwkSet { keys: vec![encryption] },
            enc_values_supported: encodings(),
            encryption_required: false,
        });
        issuer.credential_response_encryption = Some(ResponseEncryption {
            alg_values_supported: vec!["ECDH-ES".to_owned()],
            enc_values_supported: encodings(),
            encryption_required: false,
        });
        let attested = ProofType {
            proof_signing_alg_values_supported: vec!["ES256".to_owned()],
            key_attestations_required: Some(KeyAttestationsRequired {
                key_storage: storage.to_vec(),
            }),
        };
        for configuration in issuer.credential_configurations_supported.values_mut() {
            let kinds = ["jwt", "attestation"].map(|kind| (kind.to_owned(), attested.clone()));
            configuration.proof_types_supported = kinds.into();
        }
        issuer.check(identifier)?;
        let server = server(identifier, &issuer)?;
        Ok(Self { issuer, server })
    }
}

fn server(
    identifier: &Endpoint,
    issuer: &IssuerMetadata,
) -> Result<AuthorizationServerMetadata, ProfileError> {
    let es256 = || vec!["ES256".to_owned()];
    let configurations = issuer.credential_configurations_supported.values();
    let server = AuthorizationServerMetadata {
        issuer: identifier.clone(),
        token_endpoint: identifier.join("token")?,
        grant_types_supported: vec![GRANT_CODE.to_owned(), GRANT_REFRESH.to_owned()],
        response_types_supported: vec!["code".to_owned()],
        pre_authorized_grant_anonymous_access_supported: false,
        status_list_aggregation_endpoint: None,
        code_flow: Some(CodeFlow {
            authorization_endpoint: identifier.join("authorize")?,
            pushed_authorization_request_endpoint: identifier.join("par")?,
            require_pushed_authorization_requests: true,
            code_challenge_methods_supported: vec![PKCE_S256.to_owned()],
            authorization_response_iss_parameter_supported: true,
            dpop_signing_alg_values_supported: es256(),
            token_endpoint_auth_methods_supported: vec![AUTH_METHOD.to_owned()],
            client_attestation_signing_alg_values_supported: es256(),
            client_attestation_pop_signing_alg_values_supported: es256(),
            challenge_endpoint: Some(identifier.join("challenge")?),
            authorization_details_types_supported: vec![DETAIL_TYPE.to_owned()],
            scopes_supported: configurations.filter_map(|found| found.scope.clone()).collect(),
        }),
    };
    server.check_haip(identifier)?;
    Ok(server)
}
