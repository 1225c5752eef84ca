//! The holder's side of an issuance: a commitment that is kept before it is sent, and is the same at each renewal.

use crate::issuing::CredentialRequest;
use serde::{Deserialize, Serialize};
use yufu_anonymous::{
    Blinding, Commitment, EncodingError, HeldCredential, HoldError, HolderSecret, Issued, Terms,
};
use yufu_base::Timestamp;

/// What a wallet keeps for good once it has asked: without it no credential is renewed, and the pseudonyms are lost.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kept {
    /// By whom it is registered.
    issuer: String,
    /// The commitment.
    commitment: Commitment,
    /// What opens it.
    blinding: Blinding,
}

/// An issuance that waits for the issuer's answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Committed {
    terms: Terms,
    kept: Kept,
}

/// Why a holder gets no credential.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotHeld {
    /// The commitment is registered with another issuer, who could join both if it were sent twice.
    #[error("the wallet's commitment was made for {0}: each issuer gets one of its own")]
    OtherIssuer(String),
    /// No commitment comes of the secret.
    #[error(transparent)]
    Encoding(#[from] EncodingError),
    /// What the issuer sent does not hold.
    #[error(transparent)]
    Hold(#[from] HoldError),
}

impl Kept {
    /// Commits to `secret` for the issuer of `terms`. Keep what comes of it before anything is sent.
    ///
    /// # Errors
    /// [`NotHeld::Encoding`].
    pub fn fresh(terms: &Terms, secret: &HolderSecret) -> Result<Self, NotHeld> {
        let (commitment, blinding) = secret.commit()?;
        Ok(Self { issuer: terms.issuer().to_owned(), commitment, blinding })
    }

    /// By whom it is registered.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Asks for a credential under `terms`: what goes to the issuer.
    ///
    /// # Errors
    /// [`NotHeld::OtherIssuer`].
    pub fn ask(self, terms: Terms) -> Result<(Committed, CredentialRequest), NotHeld> {
        if terms.issuer() != self.issuer {
            return Err(NotHeld::OtherIssuer(self.issuer));
        }
        let request = CredentialRequest { commitment: self.commitment.clone() };
        Ok((Committed { terms, kept: self }, request))
    }
}

impl Committed {
    /// Takes the issuer's answer, after verifying it.
    ///
    /// # Errors
    /// [`NotHeld::Hold`].
    pub fn handle(
        self,
        issued: Issued,
        secret: &HolderSecret,
        now: Timestamp,
    ) -> Result<HeldCredential, NotHeld> {
        Ok(issued.hold(self.terms, secret, self.kept.blinding, now)?)
    }
}
