//! Who asks: an attested wallet, and a key that makes the request its own.

use super::{Haip, HaipRefusal, Kind, digest};
use crate::http::Problem;
use axum::http::HeaderMap;
use yufu_base::Timestamp;
use yufu_credentials::{Marker, Once};
use yufu_issuer::haip::WalletClient;
use yufu_openid4vc::attestation::{
    ATTESTATION_HEADER, ATTESTATION_POP_HEADER, AttestationError, SignedAttestation,
};
use yufu_openid4vc::issuance::{
    DPOP_HEADER, DpopError, DpopProof, DpopTarget, TokenErrorCode, check_dpop,
};
use yufu_trust::Role;

/// A wallet that is who it says it is.
pub(super) struct Attested {
    pub(super) client: WalletClient,
    pub(super) marker: Marker,
}

/// A proof that a key made a request.
pub(super) struct Proof {
    pub(super) proof: DpopProof,
    pub(super) marker: Marker,
}

/// Why a proof is not taken.
pub(super) enum NoProof {
    /// It does not hold.
    Invalid(String),
    /// It lacks a live nonce.
    Nonce,
}

impl NoProof {
    pub(super) fn why(self) -> String {
        match self {
            Self::Invalid(why) => why,
            Self::Nonce => "the DPoP proof needs the nonce of the header DPoP-Nonce".to_owned(),
        }
    }
}

/// A header that comes once.
pub(super) fn one<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let mut found = headers.get_all(name).iter();
    match (found.next(), found.next()) {
        (Some(value), None) => value.to_str().ok(),
        _ => None,
    }
}

impl Haip {
    /// The wallet that asks, by its attestation and the proof that goes with it.
    pub(super) async fn attested(
        &self,
        headers: &HeaderMap,
        now: Timestamp,
    ) -> Result<Attested, HaipRefusal> {
        use TokenErrorCode::{
            InvalidClient, InvalidClientAttestation, UseAttestationChallenge, UseFreshAttestation,
        };
        let refused = |code: TokenErrorCode, why: String| match self.fresh(now) {
            Ok(fresh) => HaipRefusal::token(code, why, fresh),
            Err(problem) => HaipRefusal::Problem(problem),
        };
        let both = one(headers, ATTESTATION_HEADER).zip(one(headers, ATTESTATION_POP_HEADER));
        let (attestation, pop) = both.ok_or_else(|| {
            let why = format!("send {ATTESTATION_HEADER} and {ATTESTATION_POP_HEADER}, each once");
            refused(InvalidClient, why)
        })?;
        let invalid = |error: AttestationError| {
            let stale = matches!(error, AttestationError::Expired | AttestationError::TooLong);
            let code = if stale { UseFreshAttestation } else { InvalidClientAttestation };
            refused(code, error.to_string())
        };
        let signed = SignedAttestation::parse(attestation).map_err(invalid)?;
        let chain = signed.chain().map_err(invalid)?;
        let trust = self.trust.list(now).await.map_err(Problem::from)?;
        let by = trust.identify(Role::WalletProvider, &chain, now);
        let by = by.map_err(|error| {
            let why = format!("the wallet attestation is {error}");
            refused(InvalidClientAttestation, why)
        })?;
        let provider = (by.entry.identifier.as_str(), &by.leaf.public_key);
        let audience = self.identifier().as_str();
        let shown =
            signed.verify_shown(provider, pop, audience, (now, &self.attested)).map_err(invalid)?;
        let (attested, pop) = shown;
        let live = pop.challenge.as_deref().and_then(|c| self.live(Kind::Challenge, c, now));
        let Some(expires_at) = live else {
            let why = "the proof needs the challenge of the header, or of the challenge endpoint";
            return Err(refused(UseAttestationChallenge, why.to_owned()));
        };
        let instance = attested.key.thumbprint_base64url();
        let marker =
            Marker { what: Once::AttestationProof, id: digest(&[&instance, &pop.id]), expires_at };
        Ok(Attested { client: WalletClient { client_id: attested.provider, instance }, marker })
    }

    /// The key that makes a request its own; `None` if it comes without a proof.
    pub(super) fn proof(
        &self,
        headers: &HeaderMap,
        target: DpopTarget<'_>,
        now: Timestamp,
    ) -> Result<Option<Proof>, NoProof> {
        if !headers.contains_key(DPOP_HEADER) {
            return Ok(None);
        }
        let text = one(headers, DPOP_HEADER)
            .ok_or_else(|| NoProof::Invalid(format!("send {DPOP_HEADER} once")))?;
        let invalid = |error: DpopError| NoProof::Invalid(error.to_string());
        let proof = check_dpop(text, target, now).map_err(invalid)?;
        let live = proof.nonce.as_deref().and_then(|nonce| self.live(Kind::DpopNonce, nonce, now));
        let Some(expires_at) = live else { return Err(NoProof::Nonce) };
        let marker = Marker {
            what: Once::DpopProof,
            id: digest(&[&proof.thumbprint, &proof.id]),
            expires_at,
        };
        Ok(Some(Proof { proof, marker }))
    }
}
