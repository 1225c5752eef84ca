//! The second state: a token is out, and waits for keys with proofs of possession.

use crate::kind::Kind;
use crate::proven::Proven;
use crate::sectors::{SectorError, check_sectors};
use crate::stored::{Refused, secret_id};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use yufu_base::Timestamp;
use yufu_openid4vc::issuance::{
    CredentialErrorCode, CredentialErrorResponse, CredentialRequest, IssuerMetadata, ProofError,
    check_proof,
};

/// A permission to request credentials. Holds the digest of its token, not the token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Authorised {
    token_id: String,
    expires_at: u64,
    configuration_ids: Vec<String>,
    subject: String,
}

/// Why credentials are not issued. Checked in this order.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProveError {
    /// The access token belongs to another session.
    #[error("the access token is unknown")]
    UnknownToken,
    /// The access token is too old.
    #[error("the access token has expired: ask the issuer for a new offer")]
    TokenExpired,
    /// The configuration was not offered, or the issuer no longer has it.
    #[error("the credential configuration {0:?} was not offered")]
    Configuration(String),
    /// More proofs than the issuer takes at once.
    #[error("the request has {count} proofs, at most {most} are taken")]
    Batch {
        /// How many there are.
        count: usize,
        /// The batch size in the metadata.
        most: u16,
    },
    /// A proof does not hold.
    #[error("proof {index}: {error}")]
    Proof {
        /// Which one, from 0.
        index: usize,
        /// Why.
        error: ProofError,
    },
    /// Two proofs of one key: the credentials would be linkable by it.
    #[error("proof {0} is of a key that an earlier one is of")]
    RepeatedKey(usize),
    /// The keys of the holder's pseudonyms are refused.
    #[error(transparent)]
    Sectors(#[from] SectorError),
}

impl ProveError {
    /// What the credential endpoint answers (OpenID4VCI 1.0, 8.3.1).
    #[must_use]
    pub fn response(&self) -> CredentialErrorResponse {
        let error = match self {
            Self::UnknownToken | Self::TokenExpired => CredentialErrorCode::InvalidToken,
            Self::Configuration(_) => CredentialErrorCode::UnknownCredentialConfiguration,
            Self::Batch { .. } => CredentialErrorCode::InvalidCredentialRequest,
            Self::Proof { .. } | Self::RepeatedKey(_) => CredentialErrorCode::InvalidProof,
            Self::Sectors(error) => error.code(),
        };
        CredentialErrorResponse { error, error_description: None }
    }
}

impl Authorised {
    pub(crate) fn new(
        access_token: &str,
        expires_at: Timestamp,
        configuration_ids: Vec<String>,
        subject: String,
    ) -> Self {
        let expires_at = expires_at.seconds();
        Self { token_id: secret_id(access_token), expires_at, configuration_ids, subject }
    }

    /// The name to store it under: [`secret_id`] of the token.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.token_id
    }

    /// What the issuer's records call the person.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// From when it can be deleted.
    #[must_use]
    pub const fn expires_at(&self) -> Timestamp {
        Timestamp::from_seconds(self.expires_at)
    }

    /// Checks a credential request: every key is possessed by whoever asks, now, for this
    /// issuer. Whether the nonces are live is for the caller, who spends them durably
    /// before it issues (`invalid_nonce` if one is not).
    ///
    /// # Errors
    /// [`ProveError`] with the session, unless the token has expired.
    pub fn prove(
        self,
        access_token: &str,
        request: &CredentialRequest,
        metadata: &IssuerMetadata,
        now: Timestamp,
    ) -> Result<Proven, Refused<Self, ProveError>> {
        match self.check(access_token, request, metadata, now) {
            Ok(proven) => Ok(proven),
            Err(error) => {
                let over = error == ProveError::TokenExpired;
                Err(Refused { error, session: (!over).then(|| Box::new(self)) })
            }
        }
    }

    fn check(
        &self,
        access_token: &str,
        request: &CredentialRequest,
        metadata: &IssuerMetadata,
        now: Timestamp,
    ) -> Result<Proven, ProveError> {
        if secret_id(access_token) != self.token_id {
            return Err(ProveError::UnknownToken);
        }
        if now >= self.expires_at() {
            return Err(ProveError::TokenExpired);
        }
        let id = &request.credential_configuration_id;
        let configuration = metadata.credential_configurations_supported.get(id);
        let offered = configuration.filter(|_| self.configuration_ids.contains(id));
        let offered = offered.and_then(|offered| Some((offered, Kind::of(offered)?)));
        let (configuration, kind) = offered.ok_or_else(|| ProveError::Configuration(id.clone()))?;
        let (count, most) = (request.proofs.jwt.len(), metadata.batch_size());
        if count > usize::from(most) {
            return Err(ProveError::Batch { count, most });
        }
        let (mut keys, mut seen, mut nonces) = (Vec::new(), BTreeSet::new(), BTreeSet::new());
        for (index, jwt) in request.proofs.jwt.iter().enumerate() {
            let proof = check_proof(jwt, &metadata.credential_issuer, now)
                .map_err(|error| ProveError::Proof { index, error })?;
            if !seen.insert(proof.key.key) {
                return Err(ProveError::RepeatedKey(index));
            }
            keys.push(proof.key);
            nonces.insert(proof.nonce);
        }
        let pseudonyms = check_sectors(
            request,
            configuration,
            &metadata.credential_issuer,
            (&seen, &nonces),
            now,
        )?;
        Ok(Proven {
            subject: self.subject.clone(),
            configuration_id: id.clone(),
            kind,
            issuer: metadata.credential_issuer.clone(),
            keys,
            nonces,
            pseudonyms,
        })
    }
}
