//! What an issuer publishes, from what its institution says about itself.

use yufu_base::SectorId;
use yufu_mdoc::element_path;
use yufu_openid4vc::issuance::{
    AuthorizationServerMetadata, BatchIssuance, ClaimDescription, CredentialConfiguration,
    CredentialMetadata, Display, GRANT_PRE_AUTHORIZED, IssuerMetadata, MetadataError, ProofType,
    SectorProofs, SigningAlgorithm,
};
use yufu_openid4vc::{Endpoint, EndpointError, FORMAT_MSO_MDOC, FORMAT_SD_JWT_VC};

/// ES256 by its number in COSE.
const ES256_COSE: i64 = -7;

/// An issuer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssuerProfile {
    /// Its identifier; its endpoints lie below: `/credential`, `/nonce`, `/token`.
    pub identifier: Endpoint,
    /// Its name, one entry per language.
    pub display: Vec<Display>,
    /// How many credentials one request may ask for.
    pub batch_size: u16,
    /// What it issues.
    pub credentials: Vec<CredentialProfile>,
}

/// One kind of credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CredentialProfile {
    /// The configuration id, which is the scope as well.
    pub id: String,
    /// The type.
    pub vct: String,
    /// The type under which it is issued as an ISO mdoc too, if it is.
    pub doctype: Option<String>,
    /// Its name, one entry per language.
    pub display: Vec<Display>,
    /// Its claims, with their names.
    pub claims: Vec<ClaimDescription>,
    /// The sectors for which it carries pseudonyms that the holder brings.
    pub sectors: Vec<SectorId>,
}

/// Why a profile cannot be published.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProfileError {
    /// An endpoint would not be a permitted URL.
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    /// A rule of the specification.
    #[error(transparent)]
    Metadata(#[from] MetadataError),
}

impl IssuerProfile {
    /// The document for `/.well-known/openid-credential-issuer`.
    ///
    /// # Errors
    /// [`ProfileError`], the first rule that is broken.
    pub fn issuer_metadata(&self) -> Result<IssuerMetadata, ProfileError> {
        let configurations = self.credentials.iter().flat_map(CredentialProfile::configurations);
        let batch_size = self.batch_size;
        let metadata = IssuerMetadata {
            credential_issuer: self.identifier.clone(),
            authorization_servers: Vec::new(),
            credential_endpoint: self.identifier.join("credential")?,
            nonce_endpoint: Some(self.identifier.join("nonce")?),
            deferred_credential_endpoint: None,
            notification_endpoint: None,
            credential_request_encryption: None,
            credential_response_encryption: None,
            batch_credential_issuance: (batch_size > 1).then_some(BatchIssuance { batch_size }),
            type_metadata_endpoint: Some(self.type_metadata_endpoint()?),
            display: self.display.clone(),
            credential_configurations_supported: configurations.collect(),
        };
        metadata.check(&self.identifier)?;
        Ok(metadata)
    }

    /// Below which the metadata of its types are.
    pub(crate) fn type_metadata_endpoint(&self) -> Result<Endpoint, EndpointError> {
        self.identifier.join("types")
    }

    /// The document for `/.well-known/oauth-authorization-server`.
    ///
    /// # Errors
    /// [`ProfileError::Endpoint`].
    pub fn authorization_server_metadata(
        &self,
    ) -> Result<AuthorizationServerMetadata, ProfileError> {
        Ok(AuthorizationServerMetadata {
            issuer: self.identifier.clone(),
            token_endpoint: self.identifier.join("token")?,
            grant_types_supported: vec![GRANT_PRE_AUTHORIZED.to_owned()],
            response_types_supported: Vec::new(),
            pre_authorized_grant_anonymous_access_supported: true,
            status_list_aggregation_endpoint: Some(self.identifier.join("status")?),
            code_flow: None,
        })
    }
}

/// What the id of a configuration has behind the credential's own, if it is for an mdoc.
const MDOC: &str = "-mdoc";

/// The id of the configuration under which the credential `id` is issued as an mdoc.
#[must_use]
pub fn mdoc_configuration(id: &str) -> String {
    format!("{id}{MDOC}")
}

/// The id of the credential that the configuration `id` issues, in whichever format.
#[must_use]
pub fn credential_of(id: &str) -> &str {
    id.strip_suffix(MDOC).unwrap_or(id)
}

impl CredentialProfile {
    /// One configuration for each format.
    fn configurations(&self) -> Vec<(String, CredentialConfiguration)> {
        let mdoc = self.doctype.as_ref().map(|doctype| {
            let id = mdoc_configuration(&self.id);
            (id.clone(), self.mdoc(id, doctype))
        });
        std::iter::once((self.id.clone(), self.sd_jwt_vc())).chain(mdoc).collect()
    }

    fn sd_jwt_vc(&self) -> CredentialConfiguration {
        let es256 = || vec!["ES256".to_owned()];
        let jwt = ProofType {
            proof_signing_alg_values_supported: es256(),
            key_attestations_required: None,
        };
        CredentialConfiguration {
            format: FORMAT_SD_JWT_VC.to_owned(),
            vct: Some(self.vct.clone()),
            doctype: None,
            scope: Some(self.id.clone()),
            cryptographic_binding_methods_supported: vec!["jwk".to_owned()],
            credential_signing_alg_values_supported: vec![SigningAlgorithm::Jose(
                "ES256".to_owned(),
            )],
            proof_types_supported: [("jwt".to_owned(), jwt)].into(),
            sector_proofs: SectorProofs::of(&self.sectors),
            credential_metadata: Some(CredentialMetadata {
                display: self.display.clone(),
                claims: self.claims.clone(),
            }),
        }
    }

    fn mdoc(&self, id: String, doctype: &str) -> CredentialConfiguration {
        let element = |claim: &ClaimDescription| {
            let path = element_path(doctype, &claim.path)?;
            Some(ClaimDescription { path, display: claim.display.clone() })
        };
        CredentialConfiguration {
            format: FORMAT_MSO_MDOC.to_owned(),
            vct: None,
            doctype: Some(doctype.to_owned()),
            scope: Some(id),
            cryptographic_binding_methods_supported: vec!["cose_key".to_owned()],
            credential_signing_alg_values_supported: vec![SigningAlgorithm::Cose(ES256_COSE)],
            credential_metadata: Some(CredentialMetadata {
                display: self.display.clone(),
                claims: self.claims.iter().filter_map(element).collect(),
            }),
            ..self.sd_jwt_vc()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use yufu_jose::ClaimPath;

    fn named(zh: &str, en: &str) -> Vec<Display> {
        let entry = |name: &str, locale: &str| Display {
            name: name.to_owned(),
            locale: Some(locale.to_owned()),
        };
        vec![entry(zh, "zh"), entry(en, "en")]
    }

    fn profile() -> IssuerProfile {
        IssuerProfile {
            identifier: Endpoint::parse("https://id.example/authority").unwrap(),
            display: named("身份局", "Identity authority"),
            batch_size: 8,
            credentials: vec![CredentialProfile {
                id: "pid".into(),
                vct: "urn:yufu:pid:1".into(),
                doctype: Some("org.example.pid.1".into()),
                display: named("身份证", "Identity card"),
                claims: vec![ClaimDescription {
                    path: ClaimPath::member("family_name"),
                    display: named("姓", "Family name"),
                }],
                sectors: vec!["pension".parse().unwrap()],
            }],
        }
    }

    #[test]
    fn what_is_published_passes_the_wallets_own_checks() {
        let profile = profile();
        let metadata = profile.issuer_metadata().unwrap();
        let wire = serde_json::to_string(&metadata).unwrap();
        let read: IssuerMetadata = serde_json::from_str(&wire).unwrap();
        assert_eq!(read, metadata);
        assert_eq!(read.check(&profile.identifier), Ok(()));
        assert_eq!(read.credential_endpoint.as_str(), "https://id.example/authority/credential");
        let mdoc = &read.credential_configurations_supported[&mdoc_configuration("pid")];
        assert_eq!(mdoc.credential_type().unwrap(), "org.example.pid.1");
        assert_eq!(mdoc.credential_signing_alg_values_supported, [SigningAlgorithm::Cose(-7)]);
        let claims = &mdoc.credential_metadata.as_ref().unwrap().claims;
        assert_eq!(
            claims[0].path,
            ClaimPath::members(["org.example.pid.1", "family_name"]).unwrap()
        );
        assert_eq!(credential_of(&mdoc_configuration("pid")), credential_of("pid"));
        let server = profile.authorization_server_metadata().unwrap();
        assert_eq!(server.check(&profile.identifier), Ok(()));
    }

    #[test]
    fn a_batch_of_one_is_not_announced_and_two_names_in_one_language_are_refused() {
        let one = IssuerProfile { batch_size: 1, ..profile() };
        assert_eq!(one.issuer_metadata().unwrap().batch_credential_issuance, None);
        let mut twice = profile();
        twice.display[1].locale = Some("zh".into());
        let error = ProfileError::Metadata(MetadataError::Display("zh".into()));
        assert_eq!(twice.issuer_metadata(), Err(error));
    }
}
