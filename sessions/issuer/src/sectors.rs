//! The keys of the holder's pseudonyms, one for each sector: proven as the keys of the credentials
//! are, to the same issuer and under the same nonces.

use std::collections::{BTreeMap, BTreeSet};
use yufu_base::{PublicKey, SectorId, Timestamp};
use yufu_openid4vc::Endpoint;
use yufu_openid4vc::issuance::{
    CredentialConfiguration, CredentialErrorCode, CredentialRequest, ProofError, SectorProofs,
    check_sector_proof,
};

/// Why pseudonyms are refused. Checked in this order, proof by proof.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SectorError {
    /// A proof does not hold.
    #[error("sector proof {index}: {error}")]
    Proof {
        /// Which one, from 0.
        index: usize,
        /// Why.
        error: ProofError,
    },
    /// The nonce is another than the key proofs of this request have: the proof was made for
    /// another request.
    #[error("sector proof {0} carries another nonce than the key proofs: make it anew")]
    Nonce(usize),
    /// The issuer takes no pseudonym for this sector.
    #[error("no pseudonym is taken for the sector {0}: the issuer's metadata name those that are")]
    Unknown(SectorId),
    /// Two proofs for one sector.
    #[error("two proofs are for the sector {0}: send one for each")]
    RepeatedSector(SectorId),
    /// The key is that of another sector, or of a credential: whoever saw both would join them.
    #[error(
        "the key for the sector {0} is used elsewhere in this request: each has one of its own"
    )]
    RepeatedKey(SectorId),
}

impl SectorError {
    /// The code to answer with (OpenID4VCI 1.0, 8.3.1.2).
    #[must_use]
    pub const fn code(&self) -> CredentialErrorCode {
        match self {
            Self::Proof { .. } | Self::RepeatedKey(_) => CredentialErrorCode::InvalidProof,
            Self::Nonce(_) => CredentialErrorCode::InvalidNonce,
            Self::Unknown(_) | Self::RepeatedSector(_) => {
                CredentialErrorCode::InvalidCredentialRequest
            }
        }
    }
}

/// The pseudonyms that a request proves; none if it sends none. `used` are the keys and nonces of
/// its key proofs.
pub(crate) fn check_sectors(
    request: &CredentialRequest,
    configuration: &CredentialConfiguration,
    issuer: &Endpoint,
    used: (&BTreeSet<PublicKey>, &BTreeSet<String>),
    now: Timestamp,
) -> Result<BTreeMap<SectorId, String>, SectorError> {
    let taken = configuration.sector_proofs.as_ref().map(SectorProofs::accepted);
    let taken = taken.and_then(Result::ok).unwrap_or_default();
    let (keys, nonces) = used;
    let (mut keys, mut pseudonyms) = (keys.clone(), BTreeMap::new());
    for (index, jwt) in request.sector_proofs.iter().enumerate() {
        let proof = check_sector_proof(jwt, issuer, now)
            .map_err(|error| SectorError::Proof { index, error })?;
        if !nonces.contains(&proof.nonce) {
            return Err(SectorError::Nonce(index));
        }
        if !taken.contains(&proof.sector) {
            return Err(SectorError::Unknown(proof.sector));
        }
        if pseudonyms.contains_key(&proof.sector) {
            return Err(SectorError::RepeatedSector(proof.sector));
        }
        if !keys.insert(proof.key.key) {
            return Err(SectorError::RepeatedKey(proof.sector));
        }
        let pseudonym = proof.pseudonym();
        pseudonyms.insert(proof.sector, pseudonym);
    }
    Ok(pseudonyms)
}
