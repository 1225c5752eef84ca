//! The third state: a token is out, in the hands of one key, and waits for keys that are attested.

use super::Granted;
use super::coded::identifier;
use crate::kind::Kind;
use crate::proven::Proven;
use crate::sectors::{SectorError, check_sectors};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use yufu_base::{PublicKey, Timestamp};
use yufu_jose::Jwk;
use yufu_openid4vc::Endpoint;
use yufu_openid4vc::issuance::{
    CredentialConfiguration, CredentialErrorCode, DpopProof, IssuerMetadata, KeyAttestation,
    KeyAttestationError, ProofError, ProofsOf, SignedKeyAttestation, Wanted, WantedRequest,
    check_proof_of,
};
use yufu_trust::{Role, TrustError, TrustList};

/// An access token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Access {
    pub(super) id: String,
    pub(super) granted: Granted,
    pub(super) expires_at: u64,
}

/// Why a token does not work. Checked in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AccessError {
    /// Too old.
    #[error("the access token has expired: get another with the refresh token")]
    Expired,
    /// Shown by another key than it is bound to.
    #[error("the access token is bound to another key than the one that signed the DPoP proof")]
    Key,
}

/// What must be attested about keys, and by whom.
#[derive(Clone, Copy, Debug)]
pub struct KeyRules<'a> {
    /// Who is a wallet provider.
    pub trust: &'a TrustList,
    /// Which kinds of storage are accepted; any if empty.
    pub storage: &'a [String],
}

/// Why credentials are not issued. Checked in this order.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HaipProveError {
    /// The configuration was not granted, or the issuer no longer has it.
    #[error("the credential configuration {0:?} was not granted")]
    Configuration(String),
    /// The identifier was not given out.
    #[error("the credential identifier {0:?} was not given out with this token")]
    Identifier(String),
    /// By configuration, where identifiers were given out (OpenID4VCI 1.0, 8.2).
    #[error("the token came with credential_identifiers: ask by one of them")]
    ByIdentifier,
    /// A proof does not hold.
    #[error("proof {index}: {error}")]
    Proof {
        /// Which one, from 0.
        index: usize,
        /// Why.
        error: ProofError,
    },
    /// Two proofs of one key.
    #[error("proof {0} is of a key that an earlier one is of")]
    RepeatedKey(usize),
    /// Nothing is attested about the key.
    #[error("proof {0} brings no key attestation: have the wallet provider attest the keys")]
    Unattested(usize),
    /// The attestation does not hold.
    #[error("proof {index}: {error}")]
    Attestation {
        /// Which one, from 0.
        index: usize,
        /// Why.
        error: KeyAttestationError,
    },
    /// The attestation's signer is no wallet provider.
    #[error("the key attestation is {0}")]
    Untrusted(TrustError),
    /// It is by another provider than the one whose wallet asks.
    #[error("the key attestation is by {0}, which is not whose wallet has the token")]
    OtherProvider(String),
    /// The attestation is about other keys.
    #[error("the key of proof {0} is not among those that its key attestation is about")]
    NotCovered(usize),
    /// More keys than the issuer takes at once.
    #[error("the request is for {count} keys, at most {most} are taken")]
    Batch {
        /// How many there are.
        count: usize,
        /// The batch size in the metadata.
        most: u16,
    },
    /// The keys of the holder's pseudonyms are refused.
    #[error(transparent)]
    Sectors(#[from] SectorError),
}

impl HaipProveError {
    /// The code to answer with (OpenID4VCI 1.0, 8.3.1.2).
    #[must_use]
    pub const fn code(&self) -> CredentialErrorCode {
        match self {
            Self::Configuration(_) => CredentialErrorCode::UnknownCredentialConfiguration,
            Self::Identifier(_) => CredentialErrorCode::UnknownCredentialIdentifier,
            Self::ByIdentifier | Self::Batch { .. } => {
                CredentialErrorCode::InvalidCredentialRequest
            }
            Self::Attestation { error: KeyAttestationError::Nonce, .. } => {
                CredentialErrorCode::InvalidNonce
            }
            Self::Proof { .. }
            | Self::RepeatedKey(_)
            | Self::Unattested(_)
            | Self::Attestation { .. }
            | Self::Untrusted(_)
            | Self::OtherProvider(_)
            | Self::NotCovered(_) => CredentialErrorCode::InvalidProof,
            Self::Sectors(error) => error.code(),
        }
    }
}

/// The keys of a request, as they come in, each once.
#[derive(Default)]
struct Keys {
    keys: Vec<Jwk>,
    seen: BTreeSet<PublicKey>,
    nonces: BTreeSet<String>,
}

impl Keys {
    fn add(&mut self, keys: Vec<Jwk>) {
        for key in keys {
            if self.seen.insert(key.key) {
                self.keys.push(key);
            }
        }
    }
}

impl Access {
    /// What it is known by: one batch is issued for it.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What it was given for.
    #[must_use]
    pub const fn granted(&self) -> &Granted {
        &self.granted
    }

    /// From when it need not be remembered.
    #[must_use]
    pub const fn expires_at(&self) -> Timestamp {
        Timestamp::from_seconds(self.expires_at)
    }

    /// That it is shown in time, by the key that it is bound to.
    ///
    /// # Errors
    /// [`AccessError`], the first rule that is broken.
    pub fn check(&self, dpop: &DpopProof, now: Timestamp) -> Result<(), AccessError> {
        if now >= self.expires_at() {
            return Err(AccessError::Expired);
        }
        if dpop.thumbprint != self.granted.key {
            return Err(AccessError::Key);
        }
        Ok(())
    }

    /// Checks a credential request: every key is one of this wallet's, attested for this request. A key
    /// attestation stands for all its keys, if one of them signs (OpenID4VCI 1.0, F.1). Whether the
    /// nonces are live is for the caller. `named` is whom the credentials name as their issuer.
    ///
    /// # Errors
    /// [`HaipProveError`], the first rule that is broken.
    pub fn prove(
        &self,
        request: &WantedRequest,
        (metadata, named): (&IssuerMetadata, &Endpoint),
        rules: KeyRules<'_>,
        now: Timestamp,
    ) -> Result<Proven, HaipProveError> {
        let (id, configuration, kind) = self.configuration(&request.wanted, metadata)?;
        let issuer = &metadata.credential_issuer;
        let mut found = Keys::default();
        match &request.proofs {
            ProofsOf::Keys(proofs) => {
                let mut signed = BTreeSet::new();
                for (index, jwt) in proofs.iter().enumerate() {
                    let proof = check_proof_of(&self.granted.client.client_id, jwt, issuer, now)
                        .map_err(|error| HaipProveError::Proof { index, error })?;
                    if !signed.insert(proof.key.key) {
                        return Err(HaipProveError::RepeatedKey(index));
                    }
                    let text = proof.attestation.ok_or(HaipProveError::Unattested(index))?;
                    let attested = self.attested(index, &text, Some(&proof.nonce), rules, now)?;
                    if !attested.keys.iter().any(|key| key.key == proof.key.key) {
                        return Err(HaipProveError::NotCovered(index));
                    }
                    found.add(attested.keys);
                    found.nonces.insert(proof.nonce);
                }
            }
            ProofsOf::Attestation(text) => {
                let attested = self.attested(0, text, None, rules, now)?;
                found.add(attested.keys);
                found.nonces.extend(attested.nonce);
            }
        }
        let Keys { keys, seen, nonces } = found;
        let (count, most) = (keys.len(), metadata.batch_size());
        if count > usize::from(most) {
            return Err(HaipProveError::Batch { count, most });
        }
        let common = request.of_configuration(&id);
        let pseudonyms = check_sectors(&common, configuration, issuer, (&seen, &nonces), now)?;
        Ok(Proven {
            subject: self.granted.subject.clone(),
            configuration_id: id,
            kind,
            issuer: named.clone(),
            keys,
            nonces,
            pseudonyms,
        })
    }

    fn attested(
        &self,
        index: usize,
        text: &str,
        nonce: Option<&str>,
        rules: KeyRules<'_>,
        now: Timestamp,
    ) -> Result<KeyAttestation, HaipProveError> {
        let wrong = |error| HaipProveError::Attestation { index, error };
        let signed = SignedKeyAttestation::parse(text).map_err(wrong)?;
        let chain = signed.chain().map_err(wrong)?;
        let by = rules.trust.identify(Role::WalletProvider, &chain, now);
        let by = by.map_err(HaipProveError::Untrusted)?;
        let provider = (by.entry.identifier.as_str(), &by.leaf.public_key);
        let attested = signed.verify(provider, rules.storage, nonce, now).map_err(wrong)?;
        if attested.provider != self.granted.client.client_id {
            return Err(HaipProveError::OtherProvider(attested.provider));
        }
        Ok(attested)
    }

    fn configuration<'m>(
        &self,
        wanted: &Wanted,
        metadata: &'m IssuerMetadata,
    ) -> Result<(String, &'m CredentialConfiguration, Kind), HaipProveError> {
        let ids = &self.granted.configuration_ids;
        let id = match wanted {
            Wanted::Configuration(_) if self.granted.by_details => {
                return Err(HaipProveError::ByIdentifier);
            }
            Wanted::Configuration(id) => Some(id).filter(|id| ids.contains(id)),
            Wanted::Identifier(named) => {
                let of = |id: &&String| self.granted.by_details && identifier(id) == *named;
                ids.iter().find(of)
            }
        };
        let found = id.and_then(|id| {
            let configuration = metadata.credential_configurations_supported.get(id)?;
            Some((id.clone(), configuration, Kind::of(configuration)?))
        });
        found.ok_or_else(|| match wanted {
            Wanted::Configuration(id) => HaipProveError::Configuration(id.clone()),
            Wanted::Identifier(id) => HaipProveError::Identifier(id.clone()),
        })
    }
}
