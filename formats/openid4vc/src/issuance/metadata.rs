//! What an issuer and its authorization server publish (OpenID4VCI 1.0, section 12; RFC 8414).

use super::SectorProofs;
use crate::{Endpoint, FORMAT_MSO_MDOC, FORMAT_SD_JWT_VC};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use yufu_jose::JwkSet;

/// The document at `/.well-known/openid-credential-issuer`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IssuerMetadata {
    /// The issuer's identifier, equal to the one the document was fetched for.
    pub credential_issuer: Endpoint,
    /// Identifiers of its authorization servers; if absent, the issuer is its own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub authorization_servers: Vec<Endpoint>,
    /// Where credentials are requested.
    pub credential_endpoint: Endpoint,
    /// Where a fresh `c_nonce` is had.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nonce_endpoint: Option<Endpoint>,
    /// Where credentials that are not issued at once are fetched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deferred_credential_endpoint: Option<Endpoint>,
    /// Where a wallet says what became of credentials.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notification_endpoint: Option<Endpoint>,
    /// How requests can be encrypted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential_request_encryption: Option<RequestEncryption>,
    /// How answers can be encrypted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential_response_encryption: Option<ResponseEncryption>,
    /// How many credentials one request may ask for; if absent, one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub batch_credential_issuance: Option<BatchIssuance>,
    /// Below which the metadata of its types are, each under the name that `vct#integrity` gives it, and the newest of a
    /// type under its `vct`: an extension of our own.
    #[serde(
        rename = "yufu_type_metadata_endpoint",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub type_metadata_endpoint: Option<Endpoint>,
    /// The issuer's name, one entry per language.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub display: Vec<Display>,
    /// The credentials, by configuration id.
    pub credential_configurations_supported: BTreeMap<String, CredentialConfiguration>,
}

/// How credential requests can be encrypted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestEncryption {
    /// The issuer's keys.
    pub jwks: JwkSet,
    /// Content encryptions that are read.
    pub enc_values_supported: Vec<String>,
    /// Whether others are refused.
    pub encryption_required: bool,
}

/// How credential responses can be encrypted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResponseEncryption {
    /// Key agreements.
    pub alg_values_supported: Vec<String>,
    /// Content encryptions.
    pub enc_values_supported: Vec<String>,
    /// Whether a key for the answer must be sent.
    pub encryption_required: bool,
}

/// What must be attested about the keys of proofs (appendix D).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyAttestationsRequired {
    /// Accepted kinds of storage; any if empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub key_storage: Vec<String>,
}

/// Batch issuance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchIssuance {
    /// The most proofs in one request; 2 or more.
    pub batch_size: u16,
}

/// A name in one language.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Display {
    /// The name.
    pub name: String,
    /// The language, a BCP 47 tag: `zh`, `en`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub locale: Option<String>,
}

/// One kind of credential.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CredentialConfiguration {
    /// `dc+sd-jwt`, `mso_mdoc`, or a format that is not read here.
    pub format: String,
    /// The type, for SD-JWT VC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vct: Option<String>,
    /// The type, for mdoc (appendix A.2.2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doctype: Option<String>,
    /// The scope that stands for it (HAIP 1.0 requires one).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// Key representations; `jwk` here, `cose_key` of an mdoc.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cryptographic_binding_methods_supported: Vec<String>,
    /// Signature algorithms of the credential.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub credential_signing_alg_values_supported: Vec<SigningAlgorithm>,
    /// Accepted proofs by type; `jwt` here.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub proof_types_supported: BTreeMap<String, ProofType>,
    /// For which sectors it takes pseudonyms: an extension of our own.
    #[serde(rename = "yufu_sector_proofs_supported", skip_serializing_if = "Option::is_none")]
    pub sector_proofs: Option<SectorProofs>,
    /// How to show it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credential_metadata: Option<CredentialMetadata>,
}

/// A signature algorithm, as the credential's format names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum SigningAlgorithm {
    /// By its number in COSE: -7.
    Cose(i64),
    /// By its name in JOSE: `ES256`.
    Jose(String),
}

/// An accepted type of proof.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProofType {
    /// Accepted algorithms; `ES256` here.
    pub proof_signing_alg_values_supported: Vec<String>,
    /// Whether, and what, must be attested about the keys.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_attestations_required: Option<KeyAttestationsRequired>,
}

/// How to show a credential and its claims.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CredentialMetadata {
    /// Its name, one entry per language.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub display: Vec<Display>,
    /// Its claims.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub claims: Vec<ClaimDescription>,
}

/// How to show one claim (appendix B.2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClaimDescription {
    /// Which claim.
    pub path: crate::dcql::ClaimPath,
    /// Its name, one entry per language.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub display: Vec<Display>,
}

/// The document at `/.well-known/oauth-authorization-server` (RFC 8414).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthorizationServerMetadata {
    /// The server's identifier, equal to the one the document was fetched for.
    pub issuer: Endpoint,
    /// Where codes are exchanged.
    pub token_endpoint: Endpoint,
    /// The accepted grants.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub grant_types_supported: Vec<String>,
    /// Response types; empty where only pre-authorized codes are accepted.
    #[serde(default)]
    pub response_types_supported: Vec<String>,
    /// Whether a pre-authorized code needs no client id (section 12.3).
    #[serde(rename = "pre-authorized_grant_anonymous_access_supported", default)]
    pub pre_authorized_grant_anonymous_access_supported: bool,
    /// Where all of the issuer's status lists are named (Token Status List, section 9).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status_list_aggregation_endpoint: Option<Endpoint>,
    /// What there is for the authorization code flow; all of it or nothing.
    #[serde(flatten, default, skip_serializing_if = "Option::is_none")]
    pub code_flow: Option<CodeFlow>,
}

/// What an authorization server publishes about the authorization code flow (RFC 8414, 9126, 9207, 9396, 9449;
/// attestation-based client authentication).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodeFlow {
    /// Where the person's browser is sent.
    pub authorization_endpoint: Endpoint,
    /// Where requests are pushed.
    pub pushed_authorization_request_endpoint: Endpoint,
    /// Whether they have to be.
    #[serde(default)]
    pub require_pushed_authorization_requests: bool,
    /// PKCE methods.
    pub code_challenge_methods_supported: Vec<String>,
    /// Whether answers name the server.
    #[serde(default)]
    pub authorization_response_iss_parameter_supported: bool,
    /// Signatures of DPoP proofs.
    pub dpop_signing_alg_values_supported: Vec<String>,
    /// How wallets authenticate.
    pub token_endpoint_auth_methods_supported: Vec<String>,
    /// Signatures of wallet attestations.
    #[serde(default)]
    pub client_attestation_signing_alg_values_supported: Vec<String>,
    /// Signatures of the proofs that go with them.
    #[serde(default)]
    pub client_attestation_pop_signing_alg_values_supported: Vec<String>,
    /// Where a challenge for those proofs is had.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub challenge_endpoint: Option<Endpoint>,
    /// Types of authorization details.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub authorization_details_types_supported: Vec<String>,
    /// Scopes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scopes_supported: Vec<String>,
}

/// Why metadata are refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MetadataError {
    /// The document names another issuer than it was fetched for (RFC 8414, section 3.3).
    #[error("the metadata name {actual}, expected {expected}")]
    Identifier {
        /// Whom the document names.
        actual: String,
        /// For whom it was fetched.
        expected: String,
    },
    /// A batch of less than two.
    #[error("batch_size must be 2 or greater")]
    BatchSize,
    /// A key-bound credential without a nonce endpoint (HAIP 1.0, section 4.1).
    #[error("a credential is bound to a key, but there is no nonce_endpoint")]
    NonceEndpoint,
    /// Two display entries in one language.
    #[error("two display entries for the language {0}")]
    Display(String),
    /// A configuration without a type of its format.
    #[error("the configuration {0} has no vct, or no doctype if it is for an mdoc")]
    Vct(String),
    /// An authorization server that does not take pre-authorized codes.
    #[error("the authorization server does not take pre-authorized codes without a client id")]
    Grant,
    /// Without what HAIP 1.0 asks of an authorization server.
    #[error("the authorization server does not follow HAIP: {0}")]
    Haip(&'static str),
    /// Sectors that are no names, or stand twice.
    #[error("the sectors that take pseudonyms are not up to 32 names, each once")]
    Sectors,
}

impl IssuerMetadata {
    /// Checks the document fetched for `issuer`.
    ///
    /// # Errors
    /// [`MetadataError`], the first rule that is broken.
    pub fn check(&self, issuer: &Endpoint) -> Result<(), MetadataError> {
        if self.credential_issuer != *issuer {
            let (actual, expected) = (self.credential_issuer.to_string(), issuer.to_string());
            return Err(MetadataError::Identifier { actual, expected });
        }
        if self.batch_credential_issuance.is_some_and(|batch| batch.batch_size < 2) {
            return Err(MetadataError::BatchSize);
        }
        one_per_language(&self.display)?;
        for (id, configuration) in &self.credential_configurations_supported {
            if configuration.credential_type().is_none() && configuration.is_read() {
                return Err(MetadataError::Vct(id.clone()));
            }
            let bound = !configuration.cryptographic_binding_methods_supported.is_empty();
            if bound && self.nonce_endpoint.is_none() {
                return Err(MetadataError::NonceEndpoint);
            }
            configuration.sector_proofs.as_ref().map(SectorProofs::accepted).transpose()?;
            if let Some(metadata) = &configuration.credential_metadata {
                one_per_language(&metadata.display)?;
                metadata.claims.iter().try_for_each(|claim| one_per_language(&claim.display))?;
            }
        }
        Ok(())
    }

    /// The most proofs one request may hold.
    #[must_use]
    pub fn batch_size(&self) -> u16 {
        self.batch_credential_issuance.map_or(1, |batch| batch.batch_size)
    }
}

impl CredentialConfiguration {
    /// The type of its credentials: `vct` or `doctype`, as its format has it.
    #[must_use]
    pub fn credential_type(&self) -> Option<&String> {
        match self.format.as_str() {
            FORMAT_SD_JWT_VC => self.vct.as_ref(),
            FORMAT_MSO_MDOC => self.doctype.as_ref(),
            _ => None,
        }
    }

    /// Whether its format is one of those that are read here.
    #[must_use]
    pub fn is_read(&self) -> bool {
        [FORMAT_SD_JWT_VC, FORMAT_MSO_MDOC].contains(&self.format.as_str())
    }
}

impl AuthorizationServerMetadata {
    /// Checks the document fetched for `server`.
    ///
    /// # Errors
    /// [`MetadataError`], the first rule that is broken.
    pub fn check(&self, server: &Endpoint) -> Result<(), MetadataError> {
        if self.issuer != *server {
            let (actual, expected) = (self.issuer.to_string(), server.to_string());
            return Err(MetadataError::Identifier { actual, expected });
        }
        let grants = &self.grant_types_supported;
        let offered = grants.iter().any(|grant| grant == super::GRANT_PRE_AUTHORIZED);
        if !offered || !self.pre_authorized_grant_anonymous_access_supported {
            return Err(MetadataError::Grant);
        }
        Ok(())
    }
}

impl AuthorizationServerMetadata {
    /// Checks the document fetched for `server` as HAIP 1.0, section 4, wants it: codes for requests that are
    /// pushed, with PKCE by S256, DPoP in ES256, wallet attestations, and answers that name the server.
    ///
    /// # Errors
    /// [`MetadataError`], the first rule that is broken.
    pub fn check_haip(&self, server: &Endpoint) -> Result<&CodeFlow, MetadataError> {
        if self.issuer != *server {
            let (actual, expected) = (self.issuer.to_string(), server.to_string());
            return Err(MetadataError::Identifier { actual, expected });
        }
        let flow =
            self.code_flow.as_ref().ok_or(MetadataError::Haip("no authorization code flow"))?;
        let has = |list: &[String], name: &str| list.iter().any(|one| one == name);
        let rules = [
            (has(&self.grant_types_supported, super::GRANT_CODE), "no grant authorization_code"),
            (has(&self.response_types_supported, "code"), "no response type code"),
            (has(&flow.code_challenge_methods_supported, super::PKCE_S256), "no PKCE by S256"),
            (has(&flow.dpop_signing_alg_values_supported, "ES256"), "no DPoP in ES256"),
            (
                has(&flow.token_endpoint_auth_methods_supported, AUTH_METHOD),
                "no wallet attestations",
            ),
            (flow.authorization_response_iss_parameter_supported, "its answers do not name it"),
        ];
        match rules.into_iter().find(|(holds, _)| !holds) {
            Some((_, missing)) => Err(MetadataError::Haip(missing)),
            None => Ok(flow),
        }
    }
}

/// The name of client authentication by wallet attestations with a proof of possession of their own.
pub const AUTH_METHOD: &str = "attest_jwt_client_auth";

fn one_per_language(display: &[Display]) -> Result<(), MetadataError> {
    let mut seen = BTreeSet::new();
    for entry in display {
        if !seen.insert(entry.locale.as_deref()) {
            return Err(MetadataError::Display(entry.locale.clone().unwrap_or_default()));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn document() -> Value {
        json!({
            "credential_issuer": "https://id.example",
            "credential_endpoint": "https://id.example/credential",
            "nonce_endpoint": "https://id.example/nonce",
            "batch_credential_issuance": {"batch_size": 4},
            "display": [{"name": "身份局", "locale": "zh"}, {"name": "Identity", "locale": "en"}],
            "something_new": true,
            "credential_configurations_supported": {
                "pid": {"format": "dc+sd-jwt", "vct": "urn:pid", "scope": "pid",
                    "cryptographic_binding_methods_supported": ["jwk"],
                    "proof_types_supported": {"jwt": {"proof_signing_alg_values_supported": ["ES256"]}}},
                "mdl": {"format": "mso_mdoc", "doctype": "org.iso.18013.5.1.mDL"},
            },
        })
    }

    fn checked(change: impl FnOnce(&mut Value)) -> Result<(), MetadataError> {
        let mut document = document();
        change(&mut document);
        let metadata: IssuerMetadata = serde_json::from_value(document).unwrap();
        metadata.check(&Endpoint::parse("https://id.example").unwrap())
    }

    #[test]
    fn each_rule_of_issuer_metadata_is_refused_by_its_own_name_12_2_4() {
        assert_eq!(checked(|_| ()), Ok(()));
        let other = |d: &mut Value| d["credential_issuer"] = "https://id.example/".into();
        assert!(matches!(checked(other), Err(MetadataError::Identifier { .. })));
        let one = |d: &mut Value| d["batch_credential_issuance"]["batch_size"] = 1.into();
        assert_eq!(checked(one), Err(MetadataError::BatchSize));
        let no_nonce = |d: &mut Value| {
            d.as_object_mut().unwrap().remove("nonce_endpoint");
        };
        assert_eq!(checked(no_nonce), Err(MetadataError::NonceEndpoint));
        let twice = |d: &mut Value| d["display"][1]["locale"] = "zh".into();
        assert_eq!(checked(twice), Err(MetadataError::Display("zh".into())));
        let untyped = |d: &mut Value| {
            d["credential_configurations_supported"]["pid"].as_object_mut().unwrap().remove("vct");
        };
        assert_eq!(checked(untyped), Err(MetadataError::Vct("pid".into())));
        let sectors = |d: &mut Value| {
            let supported = json!({"sectors": ["pension", "pension"],
                "proof_signing_alg_values_supported": ["ES256"]});
            d["credential_configurations_supported"]["pid"]["yufu_sector_proofs_supported"] =
                supported;
        };
        assert_eq!(checked(sectors), Err(MetadataError::Sectors));
    }

    #[test]
    fn an_authorization_server_must_be_the_named_one_and_take_anonymous_codes() {
        let server = Endpoint::parse("https://id.example").unwrap();
        let good = AuthorizationServerMetadata {
            issuer: server.clone(),
            token_endpoint: server.join("token").unwrap(),
            grant_types_supported: vec![super::super::GRANT_PRE_AUTHORIZED.to_owned()],
            response_types_supported: vec![],
            pre_authorized_grant_anonymous_access_supported: true,
            status_list_aggregation_endpoint: None,
            code_flow: None,
        };
        assert_eq!(good.check(&server), Ok(()));
        let other = server.join("x").unwrap();
        assert!(matches!(good.check(&other), Err(MetadataError::Identifier { .. })));
        let named = AuthorizationServerMetadata {
            pre_authorized_grant_anonymous_access_supported: false,
            ..good.clone()
        };
        assert_eq!(named.check(&server), Err(MetadataError::Grant));
        let codes = AuthorizationServerMetadata { grant_types_supported: vec![], ..good };
        assert_eq!(codes.check(&server), Err(MetadataError::Grant));
    }

    #[test]
    fn an_authorization_server_follows_haip_or_says_what_it_lacks_haip_4() {
        let server = Endpoint::parse("https://id.example/haip").unwrap();
        let good = json!({
            "issuer": "https://id.example/haip", "token_endpoint": "https://id.example/haip/token",
            "grant_types_supported": ["authorization_code", "refresh_token"],
            "response_types_supported": ["code"],
            "authorization_endpoint": "https://id.example/haip/authorize",
            "pushed_authorization_request_endpoint": "https://id.example/haip/par",
            "require_pushed_authorization_requests": true,
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": true,
            "dpop_signing_alg_values_supported": ["ES256"],
            "token_endpoint_auth_methods_supported": ["attest_jwt_client_auth"],
        });
        let check = |document: Value| {
            let read: AuthorizationServerMetadata = serde_json::from_value(document).unwrap();
            read.check_haip(&server).map(|_| ())
        };
        assert_eq!(check(good.clone()), Ok(()));
        for name in [
            "grant_types_supported",
            "response_types_supported",
            "authorization_endpoint",
            "pushed_authorization_request_endpoint",
            "code_challenge_methods_supported",
            "authorization_response_iss_parameter_supported",
            "dpop_signing_alg_values_supported",
            "token_endpoint_auth_methods_supported",
        ] {
            let mut less = good.clone();
            less.as_object_mut().unwrap().remove(name);
            assert!(matches!(check(less), Err(MetadataError::Haip(_))), "{name}");
        }
        let mut other = good;
        other["issuer"] = "https://evil.example".into();
        assert!(matches!(check(other), Err(MetadataError::Identifier { .. })));
    }
}
