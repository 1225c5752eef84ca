//! Getting credentials under HAIP 1.0, as an attested wallet: [`begin`], or [`begin_at`] without an offer -> [`FetchingIssuer`] -> [`FetchingServer`] ->
//! [`Ready`] -> [`Pushing`] -> [`Authorising`] -> [`Exchanging`] -> [`Granted`] -> [`Requesting`] -> credentials, or
//! [`Waiting`] for an officer in between. A [`Grant`] that is kept gets fresh copies later ([`Refreshing`]).

mod asking;
mod discover;
mod granted;
mod requesting;

pub use asking::{Authorising, Exchanging, Pushing, Secrets, SigningIn};
pub use discover::{
    BeginError, Begun, DiscoverError, FetchingIssuer, FetchingOffer, FetchingServer, Ready, begin,
    begin_at,
};
pub use granted::{Grant, Granted, Refreshing};
pub use requesting::{AskError, Brought, Entropy, Keys, Outcome, Requesting, Unfit, Waiting};

use serde::{Deserialize, Serialize};
use yufu_base::{Signer, Timestamp};
use yufu_jose::SignError;
use yufu_openid4vc::attestation::{
    ATTESTATION_HEADER, ATTESTATION_POP_HEADER, AttestationPop, ChallengeResponse,
};
use yufu_openid4vc::issuance::{
    AuthorizationServerMetadata, CodeFlow, CredentialConfiguration, DpopTarget, IssuerMetadata,
    TokenErrorCode, TokenErrorResponse, sign_dpop,
};
use yufu_openid4vc::{Endpoint, EndpointError, HttpError, HttpRequest, HttpResponse};
use yufu_trust::TrustEntry;

/// What is known of the issuer, and of whom it is asked as.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Flow {
    metadata: IssuerMetadata,
    server: AuthorizationServerMetadata,
    entry: TrustEntry,
    configuration_id: String,
    /// The wallet provider's address.
    client_id: String,
    nonces: Nonces,
}

/// Nonces that the servers gave for the next request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Nonces {
    dpop: Option<String>,
    challenge: Option<String>,
}

/// Who asks: a key that the wallet provider attested for this issuer alone, and the key that tokens are bound to.
#[derive(Clone, Copy)]
pub struct Wallet<'a> {
    /// The wallet attestation.
    pub attestation: &'a str,
    /// The key that it attests.
    pub instance: &'a dyn Signer,
    /// The key of DPoP proofs.
    pub dpop: &'a dyn Signer,
    /// A fresh id for each proof.
    pub ids: [&'a str; 2],
}

/// Why a step is not taken. Checked in this order.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StepError {
    /// The server wants its newest nonce or challenge: make the same request again.
    #[error("the issuer wants a fresh proof: ask again")]
    Again,
    /// The server refused.
    #[error("the issuer refused ({code}): {description}")]
    Refused {
        /// Its code.
        code: TokenErrorCode,
        /// Its words.
        description: String,
    },
    /// The answer cannot be read.
    #[error("the issuer's answer: {0}")]
    Http(#[from] HttpError),
    /// An address would not be permitted.
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    /// A key does not sign.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// The issuer says what it is not to say, or leaves out what it has to.
    #[error("the issuer's answer is not what HAIP has it: {0}")]
    Protocol(&'static str),
}

/// A step at an endpoint where the wallet authenticates.
pub trait Step {
    /// What it leads to.
    type Next;

    /// The request; the same again after [`StepError::Again`].
    ///
    /// # Errors
    /// [`StepError`] if it cannot be made.
    fn request(&self, wallet: Wallet<'_>, now: Timestamp) -> Result<HttpRequest, StepError>;

    /// Takes the answer.
    ///
    /// # Errors
    /// [`StepError`], the first rule that is broken.
    fn handle(&mut self, response: &HttpResponse) -> Result<Self::Next, StepError>;
}

impl Flow {
    fn code_flow(&self) -> Result<&CodeFlow, StepError> {
        self.server.code_flow.as_ref().ok_or(StepError::Protocol("no authorization code flow"))
    }

    fn configuration(&self) -> Option<&CredentialConfiguration> {
        self.metadata.credential_configurations_supported.get(&self.configuration_id)
    }

    /// Takes the nonces of an answer's header.
    fn learn(&mut self, response: &HttpResponse) {
        let newest = |name: &str, old: &mut Option<String>| {
            if let Some(fresh) = response.header(name) {
                *old = Some(fresh.to_owned());
            }
        };
        newest("dpop-nonce", &mut self.nonces.dpop);
        newest("oauth-client-attestation-challenge", &mut self.nonces.challenge);
    }

    /// Takes what a step fetches before it begins: the challenge, where there is one, and the newest DPoP nonce.
    fn learn_both(
        &mut self,
        challenge: Option<&HttpResponse>,
        nonce: &HttpResponse,
    ) -> Result<(), StepError> {
        if let Some(challenge) = challenge {
            self.challenge(challenge)?;
        }
        self.learn(nonce);
        Ok(())
    }

    /// Takes a challenge that was fetched.
    fn challenge(&mut self, response: &HttpResponse) -> Result<(), StepError> {
        let fetched: ChallengeResponse = response.json()?;
        self.nonces.challenge = Some(fetched.attestation_challenge);
        Ok(())
    }

    /// A request with what authenticates the wallet, and a DPoP proof.
    fn attested(
        &self,
        request: HttpRequest,
        wallet: Wallet<'_>,
        now: Timestamp,
    ) -> Result<HttpRequest, StepError> {
        let [pop_id, dpop_id] = wallet.ids;
        let pop = AttestationPop {
            client: Some(self.client_id.clone()),
            audience: self.server.issuer.as_str().to_owned(),
            id: pop_id.to_owned(),
            issued: Timestamp::from_seconds(now.seconds()),
            challenge: self.nonces.challenge.clone(),
        };
        let pop = pop.sign(wallet.instance)?;
        let proof = self.proof(&request.url, None, wallet.dpop, dpop_id, now)?;
        Ok(request
            .header(&ATTESTATION_HEADER.to_ascii_lowercase(), wallet.attestation)
            .header(&ATTESTATION_POP_HEADER.to_ascii_lowercase(), &pop)
            .header("dpop", &proof))
    }

    fn proof(
        &self,
        url: &Endpoint,
        access_token: Option<&str>,
        key: &dyn Signer,
        id: &str,
        now: Timestamp,
    ) -> Result<String, SignError> {
        let target = DpopTarget { method: "POST", url, access_token };
        sign_dpop(target, self.nonces.dpop.as_deref(), id, now, key)
    }

    /// Why an OAuth endpoint did not do as it was asked; nothing if it did.
    fn refusal(response: &HttpResponse) -> Result<(), StepError> {
        match response.refusal::<TokenErrorResponse>() {
            None => Ok(()),
            Some(TokenErrorResponse {
                error: TokenErrorCode::UseDpopNonce | TokenErrorCode::UseAttestationChallenge,
                ..
            }) => Err(StepError::Again),
            Some(refusal) => {
                let description = refusal.error_description.unwrap_or_default();
                Err(StepError::Refused { code: refusal.error, description })
            }
        }
    }
}
