//! The first state: a wallet said what it wants, and the person is still to say who she is.

use super::{CODE_SECONDS, Coded, PUSHED_SECONDS, WalletClient};
use serde::{Deserialize, Serialize};
use yufu_base::Timestamp;
use yufu_openid4vc::issuance::{
    DpopProof, IssuerMetadata, PushedRequest, TokenErrorCode, redirect_with,
};

/// A pushed request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pushed {
    pub(super) id: String,
    pub(super) client: WalletClient,
    pub(super) redirect_uri: String,
    state: Option<String>,
    pub(super) code_challenge: String,
    pub(super) configuration_ids: Vec<String>,
    pub(super) by_details: bool,
    issuer_state: Option<String>,
    pub(super) dpop_jkt: Option<String>,
    expires_at: u64,
}

/// Why a pushed request is not taken. Checked in this order.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PushError {
    /// The form names another wallet than the attestation.
    #[error("client_id is {named:?}, the attestation is of {attested}")]
    Client {
        /// What the form says.
        named: String,
        /// What the attestation says.
        attested: String,
    },
    /// The proof that came along is by another key than the code is to be bound to.
    #[error("dpop_jkt is not the thumbprint of the key that signed the DPoP proof")]
    DpopKey,
    /// The details name a credential that the issuer does not have.
    #[error("authorization_details name {0:?}, which is not issued here")]
    Details(String),
    /// No scope that the issuer knows.
    #[error("none of the scopes stands for a credential that is issued here")]
    Scope,
}

impl PushError {
    /// The code to answer with.
    #[must_use]
    pub const fn code(&self) -> TokenErrorCode {
        match self {
            Self::Client { .. } => TokenErrorCode::InvalidClient,
            Self::DpopKey => TokenErrorCode::InvalidDpopProof,
            Self::Details(_) => TokenErrorCode::InvalidAuthorizationDetails,
            Self::Scope => TokenErrorCode::InvalidScope,
        }
    }
}

/// Why the person's browser gets no code. Checked in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AuthorizeError {
    /// Too old.
    #[error("the request has expired: begin anew in the wallet")]
    Expired,
    /// Brought by another wallet than pushed it.
    #[error("the request was pushed by another wallet: begin anew in your own")]
    Client,
    /// Nothing of what was offered.
    #[error("the wallet asks for other credentials than were offered")]
    NotOffered,
}

impl Pushed {
    /// Takes a request of an attested wallet. `id` is random.
    ///
    /// # Errors
    /// [`PushError`], the first rule that is broken.
    pub fn new(
        request: PushedRequest,
        client: WalletClient,
        dpop: Option<&DpopProof>,
        metadata: &IssuerMetadata,
        (id, now): (String, Timestamp),
    ) -> Result<Self, PushError> {
        if request.client_id != client.client_id {
            let (named, attested) = (request.client_id, client.client_id);
            return Err(PushError::Client { named, attested });
        }
        let dpop_jkt = match (request.dpop_jkt, dpop) {
            (Some(jkt), Some(proof)) if jkt != proof.thumbprint => return Err(PushError::DpopKey),
            (jkt, proof) => jkt.or_else(|| proof.map(|proof| proof.thumbprint.clone())),
        };
        let supported = &metadata.credential_configurations_supported;
        let by_details = !request.details.is_empty();
        let configuration_ids: Vec<String> = if by_details {
            let ids = request.details.into_iter().map(|d| d.credential_configuration_id);
            let known = |id: String| match supported.contains_key(&id) {
                true => Ok(id),
                false => Err(PushError::Details(id)),
            };
            ids.map(known).collect::<Result<_, _>>()?
        } else {
            let wanted = |scope: Option<&String>| scope.is_some_and(|s| request.scopes.contains(s));
            let of_scope = supported.iter().filter(|(_, found)| wanted(found.scope.as_ref()));
            of_scope.map(|(id, _)| id.clone()).collect()
        };
        if configuration_ids.is_empty() {
            return Err(PushError::Scope);
        }
        Ok(Self {
            id,
            client,
            redirect_uri: request.redirect_uri,
            state: request.state,
            code_challenge: request.code_challenge,
            configuration_ids,
            by_details,
            issuer_state: request.issuer_state,
            dpop_jkt,
            expires_at: now.plus_seconds(PUSHED_SECONDS).seconds(),
        })
    }

    /// What the request is known by: it leads to one code.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The wallet that pushed it.
    #[must_use]
    pub fn client_id(&self) -> &str {
        &self.client.client_id
    }

    /// What the offer said, if there was one; anybody may have made it.
    #[must_use]
    pub fn issuer_state(&self) -> Option<&str> {
        self.issuer_state.as_deref()
    }

    /// Which credentials are wanted.
    #[must_use]
    pub fn configuration_ids(&self) -> &[String] {
        &self.configuration_ids
    }

    /// From when it need not be remembered.
    #[must_use]
    pub const fn expires_at(&self) -> Timestamp {
        Timestamp::from_seconds(self.expires_at)
    }

    /// That the browser brings it in time, for the wallet that pushed it.
    ///
    /// # Errors
    /// [`AuthorizeError`], the first rule that is broken.
    pub fn check(&self, client_id: &str, now: Timestamp) -> Result<(), AuthorizeError> {
        if now >= self.expires_at() {
            return Err(AuthorizeError::Expired);
        }
        if client_id != self.client.client_id {
            return Err(AuthorizeError::Client);
        }
        Ok(())
    }

    /// The person said who she is, and this is offered to her. `id` is random, and becomes the grant's.
    ///
    /// # Errors
    /// [`AuthorizeError::NotOffered`].
    pub fn authorise(
        self,
        subject: String,
        offered: &[String],
        id: String,
        now: Timestamp,
    ) -> Result<Coded, AuthorizeError> {
        let mut configuration_ids = self.configuration_ids;
        configuration_ids.retain(|wanted| offered.contains(wanted));
        if configuration_ids.is_empty() {
            return Err(AuthorizeError::NotOffered);
        }
        Ok(Coded {
            id,
            subject,
            card: None,
            client: self.client,
            redirect_uri: self.redirect_uri,
            code_challenge: self.code_challenge,
            configuration_ids,
            by_details: self.by_details,
            dpop_jkt: self.dpop_jkt,
            expires_at: now.plus_seconds(CODE_SECONDS).seconds(),
        })
    }

    /// Where the browser goes with a code, or with an error and its words: with the state, and the name of
    /// this server (RFC 9207).
    #[must_use]
    pub fn answer(&self, server: &str, what: &[(&str, &str)]) -> Option<String> {
        let state = self.state.as_deref().map(|state| ("state", state));
        let all: Vec<(&str, &str)> =
            what.iter().copied().chain(state).chain([("iss", server)]).collect();
        redirect_with(&self.redirect_uri, &all)
    }
}
