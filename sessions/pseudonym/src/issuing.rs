//! The issuer's side: what is asked, registered as the one commitment of its person, and then signed. Nothing is signed
//! that was not registered before.

use serde::{Deserialize, Serialize};
use yufu_anonymous::{
    Claims, Commitment, EncodingError, Entropy, IssueError, Issued, IssuerKey, Terms,
};
use yufu_base::Timestamp;
use yufu_jose::encode_base64url;

/// What a wallet sends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CredentialRequest {
    /// The commitment to the holder's secret: the same each time.
    pub commitment: Commitment,
}

/// A request that waits for its commitment to be registered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted(Commitment);

/// A request whose commitment is its person's registered one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registered {
    commitment: Commitment,
    entropy: Entropy,
}

impl From<CredentialRequest> for Wanted {
    fn from(request: CredentialRequest) -> Self {
        Self(request.commitment)
    }
}

impl Wanted {
    /// What is registered of it: the commitment without its proof, which is another each time. It hides the secret
    /// from whoever has it.
    #[must_use]
    pub fn registers(&self) -> String {
        encode_base64url(self.0.point())
    }

    /// It was registered, or found registered, for the person who asks. `entropy` are 32 bytes that nobody outside the
    /// issuer could foretell, the same for the same commitment.
    ///
    /// # Errors
    /// [`EncodingError`] if no number comes of them.
    pub fn registered(self, entropy: &[u8; 32]) -> Result<Registered, EncodingError> {
        Ok(Registered { commitment: self.0, entropy: Entropy::derive(entropy)? })
    }
}

impl Registered {
    /// Signs the claims for the epoch of `now`.
    ///
    /// # Errors
    /// [`IssueError`], the first rule that is broken.
    pub fn issue(
        self,
        key: &IssuerKey,
        terms: &Terms,
        claims: Claims,
        now: Timestamp,
    ) -> Result<Issued, IssueError> {
        key.issue(terms, terms.epoch(now), claims, &self.commitment, &self.entropy)
    }
}
