//! The second state: a code is on its way through the person's browser; and what it is exchanged for.

use super::{ACCESS_SECONDS, Access, CardBasis, WalletClient};
use serde::{Deserialize, Serialize};
use yufu_base::Timestamp;
use yufu_openid4vc::issuance::{
    AuthorizationDetail, DETAIL_TYPE, DpopProof, TokenErrorCode, is_verifier, pkce_challenge,
};

/// A code that was given out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coded {
    pub(super) id: String,
    pub(super) subject: String,
    pub(super) card: Option<CardBasis>,
    pub(super) client: WalletClient,
    pub(super) redirect_uri: String,
    pub(super) code_challenge: String,
    pub(super) configuration_ids: Vec<String>,
    pub(super) by_details: bool,
    pub(super) dpop_jkt: Option<String>,
    pub(super) expires_at: u64,
}

/// What a wallet was given: in its hands alone, by two keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Granted {
    /// Its id in the issuer's records: when it ends there, all that rests on it ends.
    pub grant: String,
    /// What the issuer's records call the person.
    pub subject: String,
    /// The card behind it, if one is.
    pub card: Option<CardBasis>,
    /// To which wallet.
    pub client: WalletClient,
    /// The thumbprint of the key that its tokens are bound to.
    pub key: String,
    /// Which credentials.
    pub configuration_ids: Vec<String>,
    /// Whether they are asked for by identifiers.
    pub by_details: bool,
}

/// What gets another access token later.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refresh {
    granted: Granted,
    expires_at: u64,
}

/// Why nothing is granted. Checked in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GrantError {
    /// Too old.
    #[error("it has expired: begin anew")]
    Expired,
    /// Brought by another wallet, or another installation of it.
    #[error("it was given to another wallet: attest the key that asked for it")]
    Client,
    /// Another redirect URI than was pushed.
    #[error("redirect_uri is not the one that was pushed")]
    Redirect,
    /// Not the verifier of the challenge that was pushed.
    #[error("code_verifier is not the one of the challenge that was pushed")]
    Verifier,
    /// Another key than it is bound to.
    #[error("it is bound to another key than the one that signed the DPoP proof")]
    Key,
}

impl GrantError {
    /// The code to answer with.
    #[must_use]
    pub const fn code(self) -> TokenErrorCode {
        TokenErrorCode::InvalidGrant
    }
}

impl Coded {
    /// The same, derived from a card.
    #[must_use]
    pub fn from_card(self, card: Option<CardBasis>) -> Self {
        Self { card, ..self }
    }

    /// What it is known by: exchanged once. The grant has this id too.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What the issuer's records call the person.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// Exchanges it. That this happens once is for whoever keeps the records.
    ///
    /// # Errors
    /// [`GrantError`], the first rule that is broken.
    pub fn exchange(
        self,
        (redirect_uri, verifier): (&str, &str),
        client: &WalletClient,
        dpop: &DpopProof,
        now: Timestamp,
    ) -> Result<Granted, GrantError> {
        if now.seconds() >= self.expires_at {
            return Err(GrantError::Expired);
        }
        if *client != self.client {
            return Err(GrantError::Client);
        }
        if redirect_uri != self.redirect_uri {
            return Err(GrantError::Redirect);
        }
        if !is_verifier(verifier) || pkce_challenge(verifier) != self.code_challenge {
            return Err(GrantError::Verifier);
        }
        if self.dpop_jkt.as_ref().is_some_and(|jkt| *jkt != dpop.thumbprint) {
            return Err(GrantError::Key);
        }
        Ok(Granted {
            grant: self.id,
            subject: self.subject,
            card: self.card,
            client: self.client,
            key: dpop.thumbprint.clone(),
            configuration_ids: self.configuration_ids,
            by_details: self.by_details,
        })
    }
}

impl Granted {
    /// An access token of it. `id` is random.
    #[must_use]
    pub fn access(self, id: String, now: Timestamp) -> Access {
        Access { id, granted: self, expires_at: now.plus_seconds(ACCESS_SECONDS).seconds() }
    }

    /// A refresh token of it.
    #[must_use]
    pub const fn refresh(self, expires_at: Timestamp) -> Refresh {
        Refresh { granted: self, expires_at: expires_at.seconds() }
    }

    /// What a token response says was given, if it was asked for by authorization details.
    #[must_use]
    pub fn details(&self) -> Vec<AuthorizationDetail> {
        let detail = |id: &String| AuthorizationDetail {
            kind: DETAIL_TYPE.to_owned(),
            credential_configuration_id: id.clone(),
            credential_identifiers: vec![identifier(id)],
        };
        let ids = self.configuration_ids.iter().filter(|_| self.by_details);
        ids.map(detail).collect()
    }
}

/// The identifier of the one credential of a configuration that a person has.
pub(super) fn identifier(configuration_id: &str) -> String {
    format!("{configuration_id}.1")
}

impl Refresh {
    /// What it was given for.
    #[must_use]
    pub const fn granted(&self) -> &Granted {
        &self.granted
    }

    /// Takes it up: the same wallet, the same keys. Whether the grant still stands is for whoever keeps the
    /// records.
    ///
    /// # Errors
    /// [`GrantError`], the first rule that is broken.
    pub fn take_up(
        self,
        client: &WalletClient,
        dpop: &DpopProof,
        now: Timestamp,
    ) -> Result<Granted, GrantError> {
        if now.seconds() >= self.expires_at {
            return Err(GrantError::Expired);
        }
        if *client != self.granted.client {
            return Err(GrantError::Client);
        }
        if dpop.thumbprint != self.granted.key {
            return Err(GrantError::Key);
        }
        Ok(self.granted)
    }
}
