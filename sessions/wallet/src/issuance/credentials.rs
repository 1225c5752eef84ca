//! From a nonce to credentials, each of them verified before it is kept.

use super::Ready;
use super::described::Described;
use super::expected::Expected;
use super::sectors::{SectorKeys, pseudonyms};
use super::types::FetchingType;
use crate::HeldCredential;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use yufu_base::{PublicKey, SectorId, Signer, Timestamp};
use yufu_credential::SdJwtError;
use yufu_jose::{ChainError, Jwk, SignError, TimeError};
use yufu_mdoc::{IssuedMdocError, MdocTimeError};
use yufu_openid4vc::issuance::{
    CredentialErrorCode, CredentialErrorResponse, CredentialRequest, CredentialResponse,
    NonceResponse, Proofs, sign_proof,
};
use yufu_openid4vc::{Endpoint, HttpError, HttpRequest, HttpResponse};
use yufu_trust::{TrustError, TrustList};

/// Waits for a nonce, and then for keys.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FetchingNonce {
    pub(super) ready: Ready,
    pub(super) access_token: String,
}

/// Waits for the credentials.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestingCredentials {
    ready: Ready,
    access_token: String,
    keys: Vec<Jwk>,
    /// The pseudonyms that were sent, by sector.
    #[serde(default)]
    pseudonyms: BTreeMap<String, String>,
}

impl fmt::Debug for FetchingNonce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FetchingNonce").field("ready", &self.ready).finish_non_exhaustive()
    }
}

impl fmt::Debug for RequestingCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestingCredentials").field("keys", &self.keys).finish_non_exhaustive()
    }
}

/// Why credentials are not requested. Checked in this order.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NonceError {
    /// The nonce did not come.
    #[error("the nonce: {0}")]
    Http(#[from] HttpError),
    /// No key, or more than the issuer takes.
    #[error("{given} keys were given, expected 1 to {most}")]
    Keys {
        /// How many keys there are.
        given: usize,
        /// The issuer's batch size.
        most: u16,
    },
    /// One key twice.
    #[error("a key was given twice: each credential has its own")]
    RepeatedKey,
    /// A key for a sector that the issuer does not take, or of an issuer that may not know it.
    #[error("the issuer takes no pseudonym for the sector {0}")]
    Sector(SectorId),
    /// A key does not sign.
    #[error(transparent)]
    Sign(#[from] SignError),
}

/// Why credentials are not kept. Checked in this order; then none is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CredentialsError {
    /// The issuer refused: with `invalid_nonce`, begin again at the nonce.
    #[error("the issuer refused ({code}): {description}")]
    Refused {
        /// Its code.
        code: CredentialErrorCode,
        /// Its words.
        description: String,
    },
    /// The answer cannot be read.
    #[error("the credentials: {0}")]
    Http(#[from] HttpError),
    /// None, or more than keys were given.
    #[error("{got} credentials came, expected 1 to {asked}")]
    Count {
        /// How many came.
        got: usize,
        /// How many were asked for.
        asked: usize,
    },
    /// A credential does not hold.
    #[error("credential {index}: {error}")]
    Credential {
        /// Which one, from 0.
        index: usize,
        /// Why.
        error: CredentialProblem,
    },
    /// Two credentials are bound to one key.
    #[error("two credentials are bound to one key")]
    RepeatedKey,
    /// The credentials of a batch say different things.
    #[error("the credentials of the batch differ in their claims")]
    Different,
}

/// What is wrong with a received credential. Checked in this order.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CredentialProblem {
    /// Not an SD-JWT VC signed by the issuer.
    #[error(transparent)]
    SdJwt(Box<SdJwtError>),
    /// Not an mdoc signed by the issuer.
    #[error(transparent)]
    Mdoc(Box<IssuedMdocError>),
    /// Without a chain that can be read.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// Not from an issuer that is trusted, or not from one that may issue this.
    #[error(transparent)]
    Issuer(#[from] TrustError),
    /// From another trusted issuer than the one that made the offer.
    #[error("signed by {signer}, the offer was of {offered}")]
    OtherIssuer {
        /// Whose certificate signed.
        signer: String,
        /// Who made the offer.
        offered: String,
    },
    /// Of another type than was offered.
    #[error("of type {0:?}, which was not offered")]
    Type(String),
    /// Bound to a key that is not ours.
    #[error("bound to a key that is not one of the wallet's")]
    Key,
    /// Without an end, and without a status.
    #[error("neither exp nor status says when it ends")]
    Endless,
    /// Expired, or not valid yet.
    #[error(transparent)]
    Time(#[from] TimeError),
    /// An mdoc that is expired, or not valid yet.
    #[error(transparent)]
    MdocTime(#[from] MdocTimeError),
    /// With other pseudonyms than the wallet's own, or without them.
    #[error(
        "it does not carry exactly the pseudonyms that this wallet sent: do not use it, and report the issuer"
    )]
    Pseudonyms,
}

impl FetchingNonce {
    /// The issuer, by its identifier.
    #[must_use]
    pub const fn issuer(&self) -> &Endpoint {
        &self.ready.metadata.credential_issuer
    }

    /// The access token, for what else the issuer takes while the issuance is under way.
    #[must_use]
    pub fn access_token(&self) -> &str {
        &self.access_token
    }

    /// Takes the nonce, and one fresh key for each wanted credential (at most
    /// [`FetchingNonce::batch_size`]).
    ///
    /// # Errors
    /// [`NonceError`], the first rule that is broken.
    pub fn handle(
        self,
        response: &HttpResponse,
        keys: &[&dyn Signer],
        now: Timestamp,
    ) -> Result<(RequestingCredentials, HttpRequest), NonceError> {
        self.handle_with_sectors(response, keys, &SectorKeys::new(), now)
    }

    /// As [`FetchingNonce::handle`], and each credential is to carry the holder's pseudonyms: one
    /// for each key of `sectors`, which the issuer takes ([`FetchingNonce::sectors`]).
    ///
    /// # Errors
    /// [`NonceError`], the first rule that is broken.
    pub fn handle_with_sectors(
        self,
        response: &HttpResponse,
        keys: &[&dyn Signer],
        sectors: &SectorKeys<'_>,
        now: Timestamp,
    ) -> Result<(RequestingCredentials, HttpRequest), NonceError> {
        let nonce: NonceResponse = response.json()?;
        let (given, most) = (keys.len(), self.batch_size());
        if given == 0 || given > usize::from(most) {
            return Err(NonceError::Keys { given, most });
        }
        let all = keys.iter().copied().chain(sectors.values().copied());
        let distinct: BTreeSet<PublicKey> = all.map(|key| key.public_key()).collect();
        if distinct.len() != given.saturating_add(sectors.len()) {
            return Err(NonceError::RepeatedKey);
        }
        let taken = self.sectors();
        if let Some(sector) = sectors.keys().find(|sector| !taken.contains(sector)) {
            return Err(NonceError::Sector(sector.clone()));
        }
        let issuer = &self.ready.metadata.credential_issuer;
        let jwt = keys
            .iter()
            .map(|key| sign_proof(issuer, &nonce.c_nonce, now, *key))
            .collect::<Result<Vec<String>, SignError>>()?;
        let request = CredentialRequest {
            credential_configuration_id: self.ready.configuration_id.clone(),
            proofs: Proofs { jwt },
            sector_proofs: self.ready.sector_proofs(sectors, &nonce.c_nonce, now)?,
        };
        let document =
            serde_json::to_value(&request).map_err(|e| SignError::Json(e.to_string()))?;
        let url = self.ready.metadata.credential_endpoint.clone();
        let http = HttpRequest::post_json(url, &document).bearer(&self.access_token);
        let keys = keys.iter().map(|key| Jwk::from(key.public_key())).collect();
        let Self { ready, access_token } = self;
        let pseudonyms = pseudonyms(sectors);
        Ok((RequestingCredentials { ready, access_token, keys, pseudonyms }, http))
    }

    /// The sectors for which the issuer takes pseudonyms.
    #[must_use]
    pub fn sectors(&self) -> Vec<SectorId> {
        self.ready.sectors()
    }

    /// The most keys one request may have.
    #[must_use]
    pub fn batch_size(&self) -> u16 {
        self.ready.batch_size()
    }
}

impl RequestingCredentials {
    /// Back to the nonce, after `invalid_nonce`. `None` never in practice: the nonce
    /// endpoint was there before.
    #[must_use]
    pub fn retry(self) -> Option<(FetchingNonce, HttpRequest)> {
        let url = self.ready.metadata.nonce_endpoint.clone()?;
        let Self { ready, access_token, .. } = self;
        Some((FetchingNonce { ready, access_token }, HttpRequest::post_empty(url)))
    }

    /// Takes the credentials.
    ///
    /// # Errors
    /// [`CredentialsError`], the first rule that is broken.
    pub fn handle(
        &self,
        response: &HttpResponse,
        trust: &TrustList,
        now: Timestamp,
    ) -> Result<Vec<HeldCredential>, CredentialsError> {
        if let Some(refusal) = response.refusal::<CredentialErrorResponse>() {
            let description = refusal.error_description.unwrap_or_default();
            return Err(CredentialsError::Refused { code: refusal.error, description });
        }
        let issued: CredentialResponse = response.json()?;
        let expected = Expected {
            metadata: &self.ready.metadata,
            entry: &self.ready.entry,
            configuration_id: &self.ready.configuration_id,
            keys: &self.keys,
            pseudonyms: &self.pseudonyms,
        };
        expected.keep(&issued.credentials, trust, now)
    }

    /// What is to be fetched of the type of a batch that came, before it is kept.
    #[must_use]
    pub fn type_of(&self, held: &[HeldCredential]) -> Option<FetchingType> {
        FetchingType::begin(&self.ready.metadata, held)
    }

    /// What the issuer calls a batch that came, and its claims.
    #[must_use]
    pub fn described(&self, held: &[HeldCredential]) -> Option<Described> {
        Described::of(&self.ready.metadata, held)
    }
}
