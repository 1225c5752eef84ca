//! What a wallet was given: now a token for one batch, later more of them without the person.

use super::super::described::Described;
use super::super::types::FetchingType;
use super::asking::token;
use super::{Flow, Step, StepError, Wallet};
use crate::HeldCredential;
use serde::{Deserialize, Serialize};
use std::fmt;
use yufu_base::{SectorId, Timestamp};
use yufu_openid4vc::issuance::GrantRequest;
use yufu_openid4vc::{Endpoint, HttpRequest, HttpResponse};
use yufu_trust::{Localized, Role};

/// What is kept for later.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    pub(super) flow: Flow,
    pub(super) refresh_token: Option<String>,
}

/// An access token, which brings one batch.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Granted {
    pub(super) grant: Grant,
    pub(super) access_token: String,
}

/// Asks for another access token.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refreshing {
    flow: Flow,
    refresh_token: String,
}

impl fmt::Debug for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Grant").field("flow", &self.flow).finish_non_exhaustive()
    }
}

impl fmt::Debug for Granted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Granted").field("grant", &self.grant).finish_non_exhaustive()
    }
}

impl fmt::Debug for Refreshing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Refreshing").field("flow", &self.flow).finish_non_exhaustive()
    }
}

impl Grant {
    /// The type of the credentials that it brings.
    #[must_use]
    pub fn credential_type(&self) -> &str {
        let kind = self.flow.configuration().and_then(|found| found.credential_type());
        kind.map_or("", String::as_str)
    }

    /// What the issuer calls the credentials that it brings, and their claims.
    #[must_use]
    pub fn described(&self) -> Option<Described> {
        Described::by(self.flow.configuration()?)
    }

    /// The issuer, by its identifier.
    #[must_use]
    pub const fn issuer(&self) -> &Endpoint {
        &self.flow.metadata.credential_issuer
    }

    /// The issuer's name, as the trust list has it.
    #[must_use]
    pub const fn issuer_name(&self) -> &Localized {
        &self.flow.entry.name
    }

    /// As what the trust list knows the issuer.
    #[must_use]
    pub const fn issuer_role(&self) -> Role {
        self.flow.entry.role
    }

    /// Whether it can bring more.
    #[must_use]
    pub const fn lasts(&self) -> bool {
        self.refresh_token.is_some()
    }

    /// Asks for more; `None` if it cannot bring any. The challenge and the nonce are to be fetched first
    /// ([`Refreshing::fetches`]).
    #[must_use]
    pub fn refresh(self) -> Option<Refreshing> {
        Some(Refreshing { flow: self.flow, refresh_token: self.refresh_token? })
    }
}

impl Granted {
    /// What is kept for later.
    #[must_use]
    pub const fn grant(&self) -> &Grant {
        &self.grant
    }

    /// The sectors for which the issuer takes pseudonyms.
    #[must_use]
    pub fn sectors(&self) -> Vec<SectorId> {
        self.grant.flow.sectors()
    }

    /// What is to be fetched of the type of a batch that came, before it is kept.
    #[must_use]
    pub fn type_of(&self, held: &[HeldCredential]) -> Option<FetchingType> {
        FetchingType::begin(&self.grant.flow.metadata, held)
    }

    /// What the issuer calls a batch that came, and its claims.
    #[must_use]
    pub fn described(&self, held: &[HeldCredential]) -> Option<Described> {
        Described::of(&self.grant.flow.metadata, held)
    }

    /// The most keys that one request may be for.
    #[must_use]
    pub fn batch_size(&self) -> u16 {
        self.grant.flow.metadata.batch_size()
    }

    /// A nonce for the proofs of keys, to be fetched.
    ///
    /// # Errors
    /// [`StepError::Protocol`] never: the metadata were checked.
    pub fn nonce(&self) -> Result<HttpRequest, StepError> {
        let url = self.grant.flow.metadata.nonce_endpoint.clone();
        Ok(HttpRequest::post_empty(url.ok_or(StepError::Protocol("no nonce endpoint"))?))
    }
}

impl Refreshing {
    /// A challenge and a nonce, to be fetched first.
    ///
    /// # Errors
    /// [`StepError::Protocol`] never: the metadata were checked.
    pub fn fetches(&self) -> Result<(Option<HttpRequest>, HttpRequest), StepError> {
        let ready = super::Ready { flow: self.flow.clone(), issuer_state: None };
        ready.fetches()
    }

    /// Takes what was fetched.
    ///
    /// # Errors
    /// [`StepError::Http`] if the challenge cannot be read.
    pub fn learn(
        mut self,
        challenge: Option<&HttpResponse>,
        nonce: &HttpResponse,
    ) -> Result<Self, StepError> {
        self.flow.learn_both(challenge, nonce)?;
        Ok(self)
    }
}

impl Step for Refreshing {
    type Next = Granted;

    fn request(&self, wallet: Wallet<'_>, now: Timestamp) -> Result<HttpRequest, StepError> {
        let request = GrantRequest {
            client_id: Some(self.flow.client_id.clone()),
            grant: yufu_openid4vc::issuance::Grant::Refresh {
                refresh_token: self.refresh_token.clone(),
            },
        };
        let url = self.flow.server.token_endpoint.clone();
        let http = HttpRequest::post_form(url, "application/json", &request.fields());
        self.flow.attested(http, wallet, now)
    }

    fn handle(&mut self, response: &HttpResponse) -> Result<Granted, StepError> {
        let kept = self.refresh_token.clone();
        token(&mut self.flow, response, Some(kept))
    }
}
