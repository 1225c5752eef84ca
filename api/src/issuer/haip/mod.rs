//! An issuer under HAIP 1.0: authorization code flow with pushed requests, PKCE, DPoP and attested wallets and
//! keys. Its sessions are sealed and carried by the wallet; the records keep what may happen once.

mod attesting;
mod authorizing;
mod client;
mod described;
mod describing;
mod endpoints;
mod issuing;
mod page;
mod refusing;
mod signing_in;
mod tokens;

pub(crate) use attesting::{Attesters, Attests};
pub(crate) use authorizing::Shown;
pub(crate) use described::{described, well_known};
pub(crate) use refusing::{Fresh, HaipRefusal};
pub use signing_in::SignInDesk;
pub(crate) use signing_in::not_by_sign_in;

use signing_in::told;

use super::Issuer;
use crate::http::Problem;
use crate::trust::TrustSource;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use yufu_base::Timestamp;
use yufu_issuer::haip::HaipDocuments;
use yufu_issuer::secret_id;
use yufu_jose::jwe::DecryptionKey;
use yufu_jose::{SealingKeys, SeenSignatures};
use yufu_keys::{InUse, random};
use yufu_openid4vc::Endpoint;
use yufu_openid4vc::issuance::{
    AuthorizationCodeGrant, CredentialOffer, Grants, HAIP_SCHEME, NonceResponse, OfferLink,
};
use yufu_profile::HaipProfile;

/// For how long a nonce or challenge is live, in seconds.
const NONCE_SECONDS: u64 = 300;
const DAY_SECONDS: u64 = 86_400;

/// What an issuer needs beside what it needs for pre-authorized codes.
pub struct Haip {
    /// What it publishes.
    pub documents: HaipDocuments,
    /// What the profile says.
    pub profile: HaipProfile,
    /// Seals what wallets carry.
    pub sealing: SealingKeys,
    /// Open requests that are encrypted to one of them, the published one first.
    pub decryption: Vec<DecryptionKey>,
    /// Wallet attestations whose signatures were verified.
    pub attested: SeenSignatures,
    /// Who is a wallet provider; who issues what is shown at a sign-in.
    pub trust: TrustSource,
    /// How persons sign in who come without an offer; none where they cannot.
    pub sign_in: Option<SignInDesk>,
}

/// What is sealed.
#[derive(Clone, Copy)]
enum Kind {
    Pushed,
    Code,
    Access,
    Refresh,
    Deferred,
    Notification,
    DpopNonce,
    ProofNonce,
    Challenge,
}

impl Kind {
    const fn word(self) -> &'static str {
        match self {
            Self::Pushed => "pushed",
            Self::Code => "code",
            Self::Access => "access",
            Self::Refresh => "refresh",
            Self::Deferred => "deferred",
            Self::Notification => "notification",
            Self::DpopNonce => "dpop-nonce",
            Self::ProofNonce => "proof-nonce",
            Self::Challenge => "challenge",
        }
    }
}

/// A nonce: until when it is live, in milliseconds since the epoch. What makes it one is the seal.
#[derive(Serialize, Deserialize)]
struct Live {
    until_millis: u64,
}

impl Issuer {
    /// The issuer under HAIP.
    ///
    /// # Errors
    /// 404 if it is none.
    pub(crate) fn under_haip(&self) -> Result<Arc<Haip>, Problem> {
        let haip = self.haip.as_ref().map(InUse::get);
        haip.ok_or_else(|| Problem::not_found("issuer under HAIP here"))
    }
}

impl Haip {
    /// Its identifier, as issuer and as authorization server.
    pub(crate) const fn identifier(&self) -> &Endpoint {
        &self.documents.issuer.credential_issuer
    }

    /// An offer, as one for attested wallets: its code is what the authorization endpoint knows it by.
    pub(super) fn offer(&self, offer: &CredentialOffer) -> Result<String, Problem> {
        let code = offer.grants.pre_authorized.as_ref().map(|g| g.pre_authorized_code.clone());
        let grant = AuthorizationCodeGrant { issuer_state: code, authorization_server: None };
        let offer = CredentialOffer {
            credential_issuer: self.identifier().clone(),
            credential_configuration_ids: offer.credential_configuration_ids.clone(),
            grants: Grants { pre_authorized: None, authorization_code: Some(grant.into()) },
        };
        OfferLink::Value(offer).to_link_of(HAIP_SCHEME).map_err(Problem::internal)
    }

    fn seal<T: Serialize>(&self, kind: Kind, content: &T) -> Result<String, Problem> {
        self.sealing.seal(kind.word(), content, random()).map_err(Problem::internal)
    }

    fn open<T: for<'de> Deserialize<'de>>(&self, kind: Kind, text: &str) -> Option<T> {
        self.sealing.open(kind.word(), text).ok()
    }

    fn nonce(&self, kind: Kind, now: Timestamp) -> Result<String, Problem> {
        self.seal(kind, &Live { until_millis: now.plus_seconds(NONCE_SECONDS).millis() })
    }

    /// Until when a nonce of ours is live; `None` if it is not.
    fn live(&self, kind: Kind, nonce: &str, now: Timestamp) -> Option<Timestamp> {
        let live: Live = self.open(kind, nonce)?;
        let until = Timestamp::from_millis(live.until_millis);
        (now < until).then_some(until)
    }

    /// A nonce for proofs of possession, and one for DPoP.
    pub(crate) fn fresh_nonce(&self, now: Timestamp) -> Result<(NonceResponse, Fresh), Problem> {
        let c_nonce = self.nonce(Kind::ProofNonce, now)?;
        Ok((NonceResponse { c_nonce }, self.fresh(now)?))
    }

    /// Nonces for the next request.
    fn fresh(&self, now: Timestamp) -> Result<Fresh, Problem> {
        Ok(Fresh {
            dpop: self.nonce(Kind::DpopNonce, now)?,
            challenge: self.nonce(Kind::Challenge, now)?,
        })
    }

    /// From when a grant that is made now lapses.
    fn lapses(&self, now: Timestamp) -> Timestamp {
        now.plus_seconds(u64::from(self.profile.refresh_days).saturating_mul(DAY_SECONDS))
    }
}

/// The digest of several texts, for markers.
fn digest(parts: &[&str]) -> String {
    secret_id(&parts.join("\0"))
}
